"""How long the arena's memory is in use."""

from __future__ import annotations

from dataclasses import dataclass, field

from workbench.core.native.tensor import Name, Tensor


@dataclass
class Lives:
    """Which slots of the arena are in use, so that memory is used again once its last reader has
    run.

    A slot belongs to one device. It grows when more is asked of it, which moves it. Inside a loop
    all sizes are asked for before the loop starts: there a slot is used again only for the same
    size, or where it was free before the loop.
    """

    holders: dict[int, int] = field(default_factory=dict)
    sizes: dict[int, Name] = field(default_factory=dict)
    free: list[tuple[int, int]] = field(default_factory=list)  # (slot, depth at which it was freed)
    new: list[int] = field(default_factory=list)  # slots taken by the present node
    devices: list[str] = field(default_factory=list)  # of each slot

    def take(
        self, size: Name, depth: int, outside: int | None = None, device: str = "cpu"
    ) -> int | None:
        """A free slot of a device fit for this size, or None. What lasts from step to step of a
        loop names the depth outside it: a slot that was freed inside is in use in the next step.
        """
        here = [e for e in reversed(self.free) if self.devices[e[0]] == device]
        free = [e for e in here if outside is None or e[1] <= outside]
        equal = (entry for entry in free if self.sizes[entry[0]] == size)
        other = (entry for entry in free if depth == 0 or entry[1] == 0)
        entry = next(equal, None) or next(other, None)
        if entry is None:
            return None
        self.free.remove(entry)
        return entry[0]

    def taken(self, slot: int, size: Name) -> None:
        assert not self.holders.get(slot), "two living values would share memory"
        self.sizes[slot] = size
        self.holders.setdefault(slot, 0)
        self.new.append(slot)

    def hold(self, tensor: Tensor) -> None:
        if tensor.buffer is not None:
            self.holders[tensor.buffer] = self.holders.get(tensor.buffer, 0) + 1

    def drop(self, tensor: Tensor, depth: int) -> None:
        if tensor.buffer is not None:
            assert self.holders[tensor.buffer], "memory would be given back twice"
            self.holders[tensor.buffer] -= 1
            if not self.holders[tensor.buffer]:
                self.free.append((tensor.buffer, depth))

    def end_node(self, depth: int) -> None:
        """Free what the node took for itself only; results that nobody reads were dropped
        already.
        """
        freed = {slot for slot, _ in self.free}
        own = (slot for slot in dict.fromkeys(self.new) if slot not in freed)
        self.free += [(slot, depth) for slot in own if not self.holders[slot]]
        self.new.clear()

    def only_holder(self, tensor: Tensor) -> bool:
        return tensor.buffer is not None and self.holders.get(tensor.buffer) == 1
