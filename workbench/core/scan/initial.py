"""Initial states and step results brought to one type, so that what a step returns can be fed to
the next.

The initial value gives way where that loses nothing: its dtype is widened, and a length of 1 that
the step does not keep is no longer taken for one that broadcasts. Everything else is an error that
names the state.
"""

from __future__ import annotations

import numpy as np

from workbench.core import graph
from workbench.core.graph import Constant, Variable
from workbench.core.ops.scalars import cast
from workbench.core.ops.shape import dimshuffle, specify_shape
from workbench.core.scan.arguments import Info, tap_name
from workbench.core.scan.op import depth
from workbench.core.scan.returned import Returned
from workbench.core.types import Shape, TensorType, is_discrete, tensor_type
from workbench.errors import ScanError
from workbench.frozen import frozen

ROUNDS = 8  # dtypes only widen and lengths only become unknown: two or three rounds are usual


@frozen
class Start:
    """A state's initial rows and what the body sees of it."""

    info: Info
    rows: Variable
    inner: tuple[Variable, ...]

    @property
    def type(self) -> TensorType:
        """The type of one step's value."""
        t = tensor_type(self.rows)
        return TensorType(t.dtype, t.shape[1:])


def start(info: Info) -> Start:
    """A state as the user gave it: its initial value with a row for each step that the taps reach
    back.
    """
    initial = info.initial
    if not info.leading:
        rows: Variable = dimshuffle(initial, ("x", *range(tensor_type(initial).ndim)))
    elif tensor_type(initial).shape[0] == depth(info.taps):
        rows = initial
    else:
        rows = initial[: depth(info.taps)]  # type: ignore[index]
    return _over(info, rows)


def _over(info: Info, rows: Variable) -> Start:
    t = tensor_type(rows)
    row = TensorType(t.dtype, t.shape[1:])
    return Start(info, rows, tuple(row.make(name=tap_name(info.initial, k)) for k in info.taps))


def settle(
    starts: list[Start | None], returned: Returned, place: object
) -> tuple[list[Start | None], Returned]:
    """The states (None for a map) and the body such that every output can be fed back."""
    starts, values = list(starts), returned.flat
    for _ in range(ROUNDS):
        replaced: dict[Variable, Variable] = {}
        for i, state in enumerate(starts):
            if state is not None and not state.type.accepts(values[i].type):
                starts[i] = wider = _widen(state, values[i], i, place)
                replaced.update(zip(state.inner, wider.inner, strict=True))
        if not replaced:
            return starts, returned.with_flat(values)
        values = graph.replace(values, replaced)
    raise ScanError(
        "the dtype of a state grows with every step",
        place=place,
        advice="cast the step's result to the dtype of its initial value",
    )


def _widen(state: Start, result: Variable, i: int, place: object) -> Start:
    """The state with an initial value of the result's type. Raises ScanError where that loses
    something.
    """
    before, after = state.type, tensor_type(result)
    if before.ndim != after.ndim:
        raise _mismatch(state, result, i, place, f"{before.ndim} dimensions", f"{after.ndim}")
    if not _lossless(state.info.initial, after.dtype):
        raise _mismatch(state, result, i, place, f"dtype {before.dtype}", f"dtype {after.dtype}")
    shape: Shape = tuple(
        a if a == b else None for a, b in zip(before.shape, after.shape, strict=True)
    )
    rows = cast(state.rows, after.dtype)
    return _over(state.info, specify_shape(rows, (tensor_type(rows).shape[0], *shape)))


def _lossless(initial: Variable, dtype: str) -> bool:
    if np.can_cast(tensor_type(initial).dtype, dtype, "safe"):
        return True
    if not isinstance(initial, Constant) or is_discrete(dtype) > is_discrete(
        str(initial.data.dtype)
    ):
        return False
    with np.errstate(all="ignore"):
        back = initial.data.astype(dtype).astype(initial.data.dtype)
    return bool(np.array_equal(back, initial.data, equal_nan=dtype[0] in "fc"))


def _mismatch(
    state: Start, result: Variable, i: int, place: object, before: str, after: str
) -> ScanError:
    name = state.info.initial.name or result.name or f"number {i}"
    kind = after.removeprefix("dtype ")
    advice = (
        f"cast one to the other: the initial value with .astype('{kind}'), or the step's result "
        f"with "
        f".astype('{tensor_type(state.rows).dtype}')"
        if after.startswith("dtype")
        else "give an initial value of the shape of one step's result"
        + (
            f", or with taps {list(state.info.taps)} a leading axis more"
            if state.info.leading
            else ""
        )
    )
    return ScanError(
        f"The initial state (`outputs_info` in scan nomenclature) of variable {name} has "
        f"{before}, while the result "
        f"of the inner function (`fn`) has {after}.",
        f"initial value {state.info.initial} of {state.info.initial.type}; fn returns {result} of "
        f"{result.type}",
        place,
        advice,
    )
