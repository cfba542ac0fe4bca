"""Loops whose gradient stores few states: every k-th is kept, and what is between is computed
again.

Such a loop is a loop over stretches of steps with a loop in it; nothing else in the compiler knows
of it. It is built once over variables that stand for the rows and states of some stretches, and
used twice: for the stretches of full length, and for the shorter one at the end. So the rows of a
sequence are only seen in another shape, and never copied.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from workbench.core import graph
from workbench.core.graph import Constant, Variable
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.join import join
from workbench.core.ops.scalars import Ceil, Sqrt, cast, maximum, minimum
from workbench.core.ops.shape import as_scalar_int, dimshuffle, reshape, shape_tuple, specify_shape
from workbench.core.scan.arguments import Given, Info, count_steps, read_infos, read_sequences
from workbench.core.scan.build import line_of, scan
from workbench.core.scan.returned import read_returned
from workbench.core.scan.updates import OrderedUpdates
from workbench.core.types import TensorType, is_integer, tensor_type
from workbench.errors import ScanError
from workbench.frozen import frozen


def scan_checkpoints(
    fn: Callable[..., Any],
    sequences: Any = None,
    outputs_info: Any = None,
    non_sequences: Any = None,
    name: str = "checkpointscan_fn",
    n_steps: Any = None,
    save_every_N: Any = 10,
    padding: bool = True,
) -> tuple[Any, OrderedUpdates]:
    """As `scan`, but only the outputs of every `save_every_N`-th step and of the last one are
    returned, and stored for the gradient.

    The gradient runs the steps between two stored states again, so that it takes the memory of `n /
    save_every_N` states and of one stretch of steps, for the time of one forward loop more.

    sequences, outputs_info   as for scan, without taps
    n_steps                   by default as many as there are rows
    save_every_N              an int or an integer scalar; None: the root of the number of steps,
                              which takes the least memory
    padding                   the last stretch may be shorter than the others; without padding
                              `save_every_N` must divide the number of rows

    Raises ScanError for taps, for a step that feeds nothing back or that returns `until`.
    """
    given, infos = read_sequences(sequences), read_infos(outputs_info)
    _check(given, infos)
    steps = count_steps(n_steps, given)
    every, full, rest = _divide(steps, save_every_N, padding or not given)
    template = _template(fn, given, infos, non_sequences, name)
    starts = [info.initial for info in infos if info is not None]
    rows = [_stretched(s.variable, full, every) for s in given]
    whole, updates = template.run(full, every, rows, starts)
    if rest != 0:
        used = full * every
        left = [dimshuffle(_rows(s.variable, used, steps), ("x", *_axes(s))) for s in given]
        fed_back = [v for v, info in zip(whole, infos, strict=False) if info is not None]
        lasts = [_last(*pair) for pair in zip(starts, fed_back, strict=True)]
        more, updates = template.run(minimum(rest, 1), rest, left, lasts, updates)
        whole = [join(0, a, b) for a, b in zip(whole, more, strict=True)]
    return whole[0] if len(whole) == 1 else whole, updates


@frozen
class _Template:
    """A loop over stretches, and what its outputs read that stands for something else."""

    count: Variable
    length: Variable
    rows: tuple[Variable, ...]
    starts: tuple[Variable, ...]
    outputs: tuple[Variable, ...]
    updates: OrderedUpdates

    def run(
        self,
        count: Any,
        length: Any,
        rows: Sequence[Variable],
        starts: Sequence[Variable],
        shared: OrderedUpdates | None = None,
    ) -> tuple[list[Variable], OrderedUpdates]:
        """The loop over `count` stretches of `length` steps, with shared variables of these
        values.
        """
        given = {self.count: as_scalar_int(count), self.length: as_scalar_int(length)}
        given |= dict(zip(self.rows, rows, strict=True)) | dict(shared or {})
        given |= dict(zip(self.starts, starts, strict=True))
        made = graph.replace([*self.outputs, *self.updates.values()], given)
        n = len(self.outputs)
        return made[:n], OrderedUpdates(zip(self.updates, made[n:], strict=True))


def _template(
    fn: Callable[..., Any],
    given: Sequence[Given],
    infos: Sequence[Info | None],
    non_sequences: Any,
    name: str,
) -> _Template:
    """The loop over stretches, whose fn is called once."""
    count, length = (TensorType("int64").make(name=n) for n in ("stretches", "length"))
    rows = [_stand_in(s) for s in given]
    starts = [None if i is None else i.initial.type.make(name=i.initial.name) for i in infos]

    def step(*seen: Any) -> Any:
        returned = fn(*seen)
        if read_returned(returned, line_of(fn)).condition is not None:
            raise ScanError(
                "a step of scan_checkpoints returned until(…); such a loop takes all its steps",
                place=line_of(fn),
                advice="use scan",
            )
        return returned

    def stretch(*seen: Any) -> Any:
        states = iter(seen[len(rows) :])
        outputs, updates = scan(
            step,
            list(seen[: len(rows)]),
            [None if start is None else next(states) for start in starts],
            non_sequences,
            None if len(rows) == 1 else length,
            name=f"{name}, a stretch",
            return_list=True,
        )
        return [v[-1] for v in outputs], updates

    outputs, updates = scan(stretch, rows, starts, None, count, name=name, return_list=True)
    fed_back = tuple(v for v in starts if v is not None)
    return _Template(count, length, tuple(rows), fed_back, tuple(outputs), updates)


def _check(given: Sequence[Given], infos: Sequence[Info | None]) -> None:
    if any(s.taps != (0,) for s in given) or any(i is not None and i.leading for i in infos):
        raise ScanError(
            "scan_checkpoints takes sequences and states without taps", advice="use scan"
        )
    if not any(infos):
        raise ScanError("a loop that feeds nothing back has no states to store", advice="use scan")


def _divide(steps: Variable, wanted: Any, padded: bool) -> tuple[Any, Any, Any]:
    """The length of a stretch, how many full ones there are, and how many steps are left: ints
    where they are known.
    """
    n: Any = int(steps.data) if isinstance(steps, Constant) else steps
    every = _root(n) if wanted is None else _length(wanted)
    known = isinstance(n, int) and isinstance(every, int)
    if known:
        every = max(min(every, n), 1) if padded else every
    full = n // every
    rest = n - full * every if padded or known else 0
    if rest != 0 and not padded:
        raise ScanError(
            f"save_every_N is {every}, which does not divide {n} steps",
            advice="give another save_every_N, or padding=True",
        )
    return every, full, rest


def _length(wanted: Any) -> Any:
    if isinstance(wanted, Variable) and not isinstance(wanted, Constant):
        t = tensor_type(wanted)
        if t.ndim == 0 and is_integer(t.dtype):
            return maximum(as_scalar_int(wanted), 1)
    else:
        try:
            every = operator.index(wanted.data.item() if isinstance(wanted, Constant) else wanted)
        except (TypeError, ValueError):
            every = 0
        if every > 0:
            return every
    raise ScanError(f"save_every_N is a positive int, or an integer scalar, not {wanted!r}")


def _root(n: Any) -> Any:
    if isinstance(n, int):
        return math.isqrt(max(n - 1, 0)) + 1
    root = Elemwise(Ceil())(Elemwise(Sqrt())(cast(n, "float64")))
    return maximum(cast(root, "int64"), 1)


def _stand_in(sequence: Given) -> Variable:
    t = tensor_type(sequence.variable)
    return TensorType(t.dtype, (None, None, *t.shape[1:])).make(name=sequence.variable.name)


def _stretched(rows: Variable, full: Any, every: Any) -> Variable:
    """The rows of all full stretches, with an axis for the stretches."""
    taken = _rows(rows, 0, full * every)
    dims = [as_scalar_int(n) for n in (full, every, *shape_tuple(rows)[1:])]
    static = tensor_type(rows).shape[1:]
    return specify_shape(reshape(taken, dims), (None, None, *static))  # type: ignore[no-any-return]


def _rows(rows: Any, start: Any, stop: Any) -> Any:
    return rows[start:stop]


def _axes(sequence: Given) -> range:
    return range(tensor_type(sequence.variable).ndim)


def _last(initial: Variable, states: Variable) -> Any:
    """The last of the states; the initial one where there is none."""
    t = tensor_type(states)
    start = dimshuffle(cast(initial, t.dtype), ("x", *range(t.ndim - 1)))
    return join(0, specify_shape(start, (1, *t.shape[1:])), states)[-1]
