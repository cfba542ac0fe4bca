"""Proofs by comparison: what a compiled graph computes is what NumPy computes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.proofs import PROOFS, proves


def inputs(*values: Any) -> list[Any]:
    """A variable for each array, of its dtype and number of axes."""
    arrays = [np.asarray(value) for value in values]
    return [T.tensor(str(a.dtype), (False,) * a.ndim) for a in arrays]


def computed(ours: Callable[..., Any], *values: Any) -> Any:
    """What the graph `ours` of variables computes from these values."""
    given = inputs(*values)
    made = ours(*given)
    made = list(made) if isinstance(made, (tuple, list)) else made
    return theano.function(given, made)(*values)


def equal(got: Any, wanted: Any, rtol: float = 1e-6) -> None:
    """Equal numbers, shapes and kinds of dtypes; of lists, each."""
    if isinstance(wanted, (list, tuple)) and not np.isscalar(wanted[0]):
        assert len(got) == len(wanted)
        for one, other in zip(got, wanted, strict=True):
            equal(one, other, rtol)
        return
    x, y = np.asarray(got), np.asarray(wanted)
    assert x.shape == y.shape
    assert x.dtype.kind == y.dtype.kind, (x.dtype, y.dtype)
    np.testing.assert_allclose(x, y, rtol, atol=1e-12)


def agrees(
    subject: str,
    items: str,
    ours: Callable[..., Any],
    wanted: Any,
    *values: Any,
    rtol: float = 1e-6,
) -> None:
    """Proves items of a subject, 'axis keepdims': `ours` of variables computes what `wanted`, a
    function of arrays or a value, says.
    """

    def proof() -> None:
        equal(computed(ours, *values), wanted(*values) if callable(wanted) else wanted, rtol)

    keep(subject, items, proof)


def keep(subject: str, items: str, proof: Callable[[], None]) -> None:
    """Registers a proof that is named by what it proves."""
    name = "_".join([subject.replace(".", "_").replace(" ", "_"), *items.split()])
    taken = {p.__name__ for proofs in PROOFS.values() for p in proofs}
    proof.__name__ = next(
        n for n in (name, *(f"{name}_{i}" for i in range(2, 9))) if n not in taken
    )
    proves(subject, *items.split())(proof)


def raises(kinds: Any, text: str, build: Callable[[], Any]) -> None:
    """Calling `build` raises one of these, with this in the message."""
    with pytest.raises(kinds, match=re.escape(text)):
        build()


def dtypes(variables: Sequence[Any]) -> list[str]:
    """The dtypes of variables."""
    return [v.dtype for v in variables]
