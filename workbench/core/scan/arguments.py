"""The user's arguments of a scan, read into one form: sequences with taps, initial states with
taps, a step count.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Sequence
from typing import Any

from workbench.core.graph import Constant, Variable
from workbench.core.ops.scalars import maximum, minimum
from workbench.core.ops.shape import as_scalar_int, dimension
from workbench.core.scan.op import Taps, depth, span
from workbench.core.types import TensorType, as_tensor, is_integer, tensor_type
from workbench.errors import ScanError, nearest
from workbench.frozen import frozen


@frozen
class Given:
    """One sequence: the step sees rows t + k for every tap k, counted in the user's direction of
    time.
    """

    variable: Variable
    taps: Taps

    def inner(self) -> tuple[Variable, ...]:
        """New variables for what a step sees."""
        t = tensor_type(self.variable)
        row = TensorType(t.dtype, t.shape[1:])
        return tuple(row.make(name=tap_name(self.variable, k)) for k in self.taps)

    def available(self) -> Any:
        """How many steps there are rows for."""
        length, extra = dimension(self.variable, 0), span(self.taps)
        if not extra:
            return length
        return max(length - extra, 0) if isinstance(length, int) else maximum(length - extra, 0)

    def rows(self, backwards: bool) -> tuple[Variable, Taps]:
        """The sequence and its taps in the order in which steps are taken."""
        if not backwards:
            return self.variable, self.taps
        return self.variable[::-1], tuple(-k for k in self.taps)  # type: ignore[index]


@frozen
class Info:
    """What is known of one output: its initial value and taps where it is fed back.

    With taps (-1,) given as such, `initial` is one step's value; otherwise it has a leading axis,
    the oldest first.
    """

    initial: Variable
    taps: Taps

    @property
    def leading(self) -> bool:
        return self.taps != (-1,)


def read_sequences(sequences: Any) -> list[Given]:
    """The user's `sequences`. Raises ScanError for what is none."""
    return [_sequence(item, i) for i, item in enumerate(as_list(sequences))]


def read_infos(outputs_info: Any) -> list[Info | None]:
    """The user's `outputs_info`, None for an output that is not fed back. Raises ScanError for what
    is none.
    """
    return [_info(item, i) for i, item in enumerate(as_list(outputs_info))]


def count_steps(n_steps: Any, sequences: Sequence[Given]) -> Variable:
    """The number of steps: what the user said, else what the shortest sequence has rows for."""
    if n_steps is not None:
        return _said(n_steps)
    if not sequences:
        raise ScanError(
            "No information about the number of steps provided. Scan needs sequences, or n_steps.",
            advice="pass n_steps=, an int or an integer scalar, or something to loop over",
        )
    shortest: Any = sequences[0].available()
    for sequence in sequences[1:]:
        other = sequence.available()
        both = isinstance(shortest, int) and isinstance(other, int)
        shortest = min(shortest, other) if both else minimum(shortest, other)
    return as_scalar_int(shortest)


def read_truncation(steps: Any) -> int:
    """The user's `truncate_gradient`; -1 for none. Raises ScanError for what is no int."""
    try:
        return max(operator.index(steps), -1)
    except TypeError:
        raise ScanError(
            f"truncate_gradient is a number of steps, or -1 for all, not {steps!r}"
        ) from None


def as_list(value: Any) -> list[Any]:
    """A single value stands for a list of it, None for an empty one."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def tap_name(variable: Variable, k: int) -> str | None:
    """`X[t]`, `X[t+1]`, `X[t-1]` for a variable that has a name."""
    return None if variable.name is None else f"{variable.name}[t{k:+d}]".replace("[t+0]", "[t]")


def _said(n_steps: Any) -> Variable:
    if isinstance(n_steps, Variable):
        t = tensor_type(n_steps)
        if t.ndim or not is_integer(t.dtype):
            raise ScanError(
                f"n_steps must be an integer scalar; {n_steps} is of {t}",
                place=n_steps.place,
                advice="cast it to int64",
            )
        if isinstance(n_steps, Constant):
            _not_negative(int(n_steps.data))
        return as_scalar_int(n_steps)
    try:
        return as_scalar_int(_not_negative(operator.index(n_steps)))
    except TypeError:
        raise ScanError(f"n_steps must be an int or an integer scalar, not {n_steps!r}") from None


def _not_negative(n: int) -> int:
    if n < 0:
        raise ScanError(f"n_steps is {n}; it cannot be negative")
    return n


def _sequence(item: Any, i: int) -> Given:
    what = f"sequence {i}"
    if isinstance(item, dict):
        _check_keys(item, ("input", "taps"), what)
        if item.get("input") is None:
            raise ScanError(f"{what}: the dict has no 'input'")
        taps = _taps(item.get("taps"), (0,), what)
        variable = as_tensor(item["input"])
    else:
        taps, variable = (0,), as_tensor(item)
    if tensor_type(variable).ndim == 0:
        raise ScanError(
            f"{what} is a scalar; it has no rows to loop over",
            f"{variable} is of {variable.type}",
            variable.place,
            "pass it in non_sequences",
        )
    return Given(variable, taps)


def _info(item: Any, i: int) -> Info | None:
    what = f"outputs_info {i}"
    if item is None:
        return None
    if not isinstance(item, dict):
        return Info(as_tensor(item), (-1,))
    if "return_steps" in item:
        raise ScanError(
            f"{what}: 'return_steps' was removed", advice="index the output: out[-1], out[-k:]"
        )
    _check_keys(item, ("initial", "taps"), what)
    if item.get("initial") is None:
        if item.get("taps") is not None:
            raise ScanError(f"{what} has taps but no 'initial'; a state needs values to start from")
        return None
    taps = _taps(item.get("taps"), (-1,), what)
    if bad := [k for k in taps if k >= 0]:
        raise ScanError(
            f"{what}: tap {bad[0]} is not negative; a state can only be read from steps before"
        )
    if len(set(taps)) != len(taps):
        raise ScanError(f"{what}: a tap is repeated in {list(taps)}")
    info = Info(as_tensor(item["initial"]), taps)
    _check_depth(info, what)
    return info


def _check_depth(info: Info, what: str) -> None:
    if not info.leading:
        return
    t = tensor_type(info.initial)
    if t.ndim == 0 or (t.shape[0] is not None and t.shape[0] < depth(info.taps)):
        raise ScanError(
            f"{what}: taps {list(info.taps)} need an initial value with a leading axis of "
            f"{depth(info.taps)} rows, "
            "the oldest first",
            f"{info.initial} is of {t}",
            info.initial.place,
        )


def _taps(taps: Any, default: Taps, what: str) -> Taps:
    if taps is None:
        return default
    try:
        listed = tuple(operator.index(k) for k in as_list(taps))
    except TypeError:
        raise ScanError(f"{what}: taps are ints, not {taps!r}") from None
    if not listed:
        raise ScanError(f"{what}: taps is empty")
    return listed


def _check_keys(item: dict[str, Any], known: Collection[str], what: str) -> None:
    for key in item:
        if key not in known:
            raise ScanError(
                f"{what}: a dict has the keys {', '.join(map(repr, known))}, not {key!r}."
                + nearest(str(key), list(known))
            )
