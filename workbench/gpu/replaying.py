"""Loops that may be replayed, while they are written: see `replay_routines`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.core.graph import Apply
from workbench.core.inner import InnerGraph
from workbench.core.native.abi import field
from workbench.core.native.tensor import Name
from workbench.core.scan.op import Scan
from workbench.gpu.abi import MOST_PERIOD, REPLAY, STATE, TABLE
from workbench.gpu.dialect import Kernel
from workbench.gpu.ops.loops import GpuScan
from workbench.gpu.parts import Pair
from workbench.gpu.replay_kernel import is_replayable, put_kernel, replay_kernel

if TYPE_CHECKING:
    from workbench.gpu.writer import DeviceWriter

PATIENCE = 4096
"""Steps that a program's loops take before a kernel is compiled for one: it takes as long as
launching so many of them.
"""

LEAST_STEPS = 16


class Replaying:
    """One loop, from beginning to end. `spoilt`: its steps do what no kernel of ours does."""

    def __init__(self, w: DeviceWriter, device: str, n: Name) -> None:
        self.w, self.device = w, device
        self.spoilt = False
        self._cases: dict[str, Kernel] = {}
        self._place = f"@wb.replay.{len(w.globals)}"
        w.globals.append(f"{self._place} = internal constant [2 x i64] zeroinitializer")
        self._global = len(w.globals) - 1
        self.replay = w.table(device, "replay")
        self._begin(n)

    def _begin(self, n: Name) -> None:
        w = self.w
        if _BEGIN not in w.functions:
            w.functions.append(_BEGIN)
        put = w.kernel_number(self.device, _late(put_kernel()))
        given = (
            f"ptr %ctx, ptr %device{w.number(self.device)}, ptr {self._place}, i64 {n}, "
            f"i64 {put}, i64 {w.mark}, i64 {PATIENCE}"
        )
        w.code.line(f"call void @wb.replay_begin({given})")

    def step(self) -> None:
        self.w.code.line(f"call void {self._function('step')}(ptr {self.replay})")

    def end(self, period: int) -> None:
        """What was noted is queued. A loop that cannot be replayed has the period 0."""
        w = self.w
        w.code.line(f"call void {self._function('end')}(ptr {self.replay})")
        if self.spoilt or not self._cases or period > MOST_PERIOD:
            return
        made = replay_kernel(list(self._cases.values()), w.device(self.device).able)
        number = w.kernel_number(self.device, _late(made))
        w.globals[self._global] = (
            f"{self._place} = internal constant [2 x i64] [i64 {period}, i64 {number}]"
        )

    def add(
        self, kernel: Kernel, handle: Name, groups: Name, words: Name
    ) -> tuple[str, str] | None:
        """Note a command; what launches it stands after this, up to the second label that is
        given. None where no kernel of ours has this one as a part.
        """
        w = self.w
        if not is_replayable(kernel):
            self.spoilt = True
            return None
        self._cases.setdefault(kernel.name, kernel)
        case = list(self._cases).index(kernel.name)
        given = (
            f"ptr {self.replay}, ptr {handle}, i64 {case}, i64 {groups}, ptr {words}, "
            f"i64 {kernel.words}, i64 {kernel.buffers}, i64 {w.mark}"
        )
        noted = w.fresh("noted")
        w.code.line(f"{noted} = call i1 {self._function('add')}({given})")
        direct, after = w.label("direct"), w.label("after")
        w.code.line(f"br i1 {noted}, label %{after}, label %{direct}")
        w.start_block(direct)
        return direct, after

    def _function(self, name: str) -> Name:
        code = self.w.code
        at, function = self.w.fresh("at"), self.w.fresh("function")
        code.line(field(REPLAY, self.replay, name, at).strip())
        code.line(f"{function} = load ptr, ptr {at}")
        return function


def _late(kernel: Kernel) -> Pair:
    """Compiled when it is first needed."""
    return Pair(kernel, kernel, early=False)


def replaying(w: DeviceWriter, node: Apply, n: Name) -> Replaying | None:
    """The loop of a node, if it may be replayed: no step waits, or holds a loop itself."""
    op = node.op
    if not isinstance(op, GpuScan) or op.until or w.timed or _holds_loops(op.inner):
        return None
    return Replaying(w, op.device, n) if w.device(op.device).able.replays else None


def _holds_loops(inner: InnerGraph) -> bool:
    return any(isinstance(node.op, Scan) for node in inner.nodes)


def _get(layout: object, base: str, name: str, type: str, into: str) -> str:
    return f"{field(layout, base, name, into + '.at')}\n  {into} = load {type}, ptr {into}.at"  # type: ignore[arg-type]


def _set(name: str, value: str) -> str:
    at = f"%{name}.at"
    return f"{field(REPLAY, '%replay', name, at)}\n  store {value}, ptr {at}"


def _lines(parts: Sequence[str]) -> str:
    return "\n  ".join(parts)


_BEGIN = f"""
define internal void @wb.replay_begin(ptr %ctx, ptr %table, ptr %loop, i64 %n, i64 %put.number,
                                      i64 %loop.mark, i64 %patience) noinline nounwind {{
  {_get(TABLE, "%table", "replay", "ptr", "%replay")}
  {_get(TABLE, "%table", "state", "ptr", "%state")}
  {_get(TABLE, "%table", "kernels", "ptr", "%kernels")}
  {_get(STATE, "%state", "blocking", "i64", "%blocking")}
  {_get(REPLAY, "%replay", "seen", "i64", "%seen")}
  {_set("active", "i64 0")}
  %loop.period = load i64, ptr %loop
  %number.at = getelementptr i64, ptr %loop, i64 1
  %number = load i64, ptr %number.at
  %some = icmp sge i64 %n, {LEAST_STEPS}
  %can = icmp ne i64 %loop.period, 0
  %free = icmp eq i64 %blocking, 0
  %both = and i1 %some, %can
  %fit = and i1 %both, %free
  br i1 %fit, label %count, label %done
count:
  %more = add i64 %seen, %n
  store i64 %more, ptr %seen.at
  %enough = icmp sge i64 %more, %patience
  br i1 %enough, label %find, label %done
find:
  %kernel.found = call ptr @wb.device_kernel(ptr %ctx, ptr %table, ptr %kernels,
      i64 %loop.mark, i64 %number)
  %put.found = call ptr @wb.device_kernel(ptr %ctx, ptr %table, ptr %kernels,
      i64 %loop.mark, i64 %put.number)
  %no.kernel = icmp eq ptr %kernel.found, null
  %no.put = icmp eq ptr %put.found, null
  %none = or i1 %no.kernel, %no.put
  br i1 %none, label %done, label %begin
begin:
  {
    _lines(
        [
            _set("kernel", "ptr %kernel.found"),
            _set("put", "ptr %put.found"),
            _set("period", "i64 %loop.period"),
            _set("mark", "i64 %loop.mark"),
            _set("restarts", "i64 0"),
        ]
    )
}
  store i64 2, ptr %active.at
  br label %done
done:
  ret void
}}
"""
