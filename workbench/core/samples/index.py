"""Samples: indexing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from workbench.core.ops import (
    index,
    indexing,
)
from workbench.core.samples.declare import Sample, numbers, of

_INDICES: tuple[Any, ...] = (
    np.s_[1],
    np.s_[-1, 2],
    np.s_[1:3],
    np.s_[::-1, ::2],
    np.s_[5:1:-2],
    np.s_[:, -2:],
    np.s_[..., 0],
    np.s_[10:],
    np.s_[-100:2, 1],
    np.s_[:],
    np.s_[3:1],
    np.s_[:, :, 1:2],
    np.s_[None, 1],
    np.s_[-2:-5:-1],
)
_ADVANCED: tuple[Any, ...] = (
    np.s_[[0, 2, 2]],
    np.s_[[[0, 1], [2, 0]]],
    np.s_[:, [0, -1]],
    np.s_[[0, 1], [1, 2]],
    np.s_[[0, 1], :, [1, 2]],
    np.s_[1, :, [0, 2]],
    np.s_[::2, [1, 0], 1],
    np.s_[1:, [0, 3, 3]],
    np.s_[[]],
    np.s_[..., [1]],
)


@of(index.Subtensor)
def _subtensor() -> Iterator[Sample]:
    for where in _INDICES:
        yield Sample(
            str(where),
            lambda x, where=where: indexing.getitem(x, where),
            (numbers(4, 5, 3),),
            lambda x, where=where: x[where],
            smooth=(0,),
        )
    for start, stop in ((0, 2), (-3, 4), (3, 1), (-9, 9)):
        yield Sample(
            f"inputs {start}:{stop}",
            lambda x, i, j: x[i:j, ::2],
            (numbers(4, 3), np.array(start), np.array(stop, "int8")),
            lambda x, i, j: x[i:j, ::2],
            smooth=(0,),
        )
        yield Sample(
            f"inputs {start}:{stop}:-2",
            lambda x, i, j: x[i:j:-2],
            (numbers(4, 3), np.array(start), np.array(stop)),
            lambda x, i, j: x[i:j:-2],
            smooth=(0,),
        )
    yield Sample(
        "an input",
        lambda x, i: x[:, i],
        (numbers(4, 3), np.array(-2, "int32")),
        lambda x, i: x[:, i],
        smooth=(0,),
    )
    yield Sample("of nothing", lambda x: x[1:], (numbers(0, 3),), lambda x: x[1:])


def _changes(indices: Sequence[Any], set_: bool) -> Iterator[Sample]:
    for where in indices:
        if None in (where if isinstance(where, tuple) else (where,)):
            continue
        x = numbers(4, 5, 3)
        part = x[where]

        def reference(x: Any, y: Any, where: Any = where) -> Any:
            result = x.copy()
            if set_:
                result[where] = y
            else:
                np.add.at(result, where, y)
            return result

        change = indexing.set_subtensor if set_ else indexing.inc_subtensor
        unique = not set_ or len(np.unique(np.arange(60).reshape(4, 5, 3)[where])) == part.size
        for y in (numbers(*part.shape, seed=3), numbers(seed=3)):
            yield Sample(
                f"{'set' if set_ else 'inc'} {where} of shape {y.shape}",
                lambda x, y, where=where, change=change: change(indexing.getitem(x, where), y),
                (x, y),
                reference,
                4,
                (0, 1) if unique else (0,),
            )


@of(index.IncSubtensor)
def _inc_subtensor() -> Iterator[Sample]:
    yield from _changes(_INDICES, False)
    yield from _changes(_INDICES, True)


@of(index.AdvancedSubtensor)
def _advanced() -> Iterator[Sample]:
    for where in _ADVANCED:
        plain = tuple(
            np.asarray(w, int) if w == [] else w
            for w in (where if isinstance(where, tuple) else (where,))
        )
        yield Sample(
            str(where),
            lambda x, where=where: indexing.getitem(x, where),
            (numbers(4, 5, 3),),
            lambda x, where=plain: x[where],
            smooth=(0,),
        )
    yield Sample(
        "inputs",
        lambda x, i, j: x[i, 1:, j],
        (numbers(4, 5, 3), np.array([0, -1, 2]), np.array(1)),
        lambda x, i, j: x[i, 1:, j],
        smooth=(0,),
    )
    yield Sample(
        "rows",
        lambda x, i: x[i],
        (numbers(4, 3), numbers(2, 2, dtype="uint8", low=0, high=0.5)),
        lambda x, i: x[i],
        smooth=(0,),
    )


@of(index.AdvancedIncSubtensor)
def _advanced_inc() -> Iterator[Sample]:
    yield from _changes(_ADVANCED[:-2], False)
    yield from _changes(_ADVANCED[:-2], True)
