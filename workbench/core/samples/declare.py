"""How an op's samples are declared: how a node is made, of what arrays, and what NumPy says it
gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from workbench.core.graph import Op
from workbench.core.ops.elementwise import ScalarOp
from workbench.frozen import frozen

Reference = Callable[..., Any]  # Any: an array or several


@frozen
class Sample:
    """One use of an op.

    build      the op's outputs from input variables of the arrays' dtypes and ranks
    reference  the same from the arrays, by NumPy's own functions
    ulp        how far a result may be from the reference, in units in the last place of its largest
               element
    smooth     which inputs have a derivative to check
    native     '' or the reason why there is no native form
    """

    name: str
    build: Callable[..., Any]
    arrays: tuple[Any, ...]
    reference: Reference
    ulp: float = 0
    smooth: tuple[int, ...] = ()
    native: str = ""


SAMPLES: dict[type[Op], Callable[[], Iterator[Sample]]] = {}


def of(
    *kinds: type[Op],
) -> Callable[[Callable[[], Iterator[Sample]]], Callable[[], Iterator[Sample]]]:
    """Declares the samples of op classes: a generator of them, decorated."""

    def register(make: Callable[[], Iterator[Sample]]) -> Callable[[], Iterator[Sample]]:
        SAMPLES.update((kind, make) for kind in kinds)
        return make

    return register


def numbers(
    *lengths: int, dtype: str = "float64", seed: int = 0, low: float = -3, high: float = 3
) -> Any:
    """Distinct numbers between the bounds, in no order."""
    rng = np.random.default_rng(seed + 7 * len(lengths))
    if dtype == "bool":
        return rng.random(lengths) < 0.5
    drawn = rng.uniform(low, high, lengths)
    if dtype[0] in "iu":
        return np.abs(drawn * 5).astype(dtype) if dtype[0] == "u" else (drawn * 5).astype(dtype)
    return (
        (drawn + 1j * rng.uniform(low, high, lengths)).astype(dtype)
        if dtype[0] == "c"
        else drawn.astype(dtype)
    )


def scalar_reference(kind: type[ScalarOp]) -> Reference:
    """NumPy's function (or SciPy's) of the same meaning, never our own."""
    import scipy.special

    own = {
        "sigmoid": lambda x: scipy.special.expit(x.astype("float64")).astype(x.dtype),
        "softplus": lambda x: np.asarray(_softplus(x), x.dtype),
        "round": np.round,
        "erf": scipy.special.erf,
        "erfc": scipy.special.erfc,
        "gammaln": lambda x: np.where(np.isinf(x), np.abs(x), scipy.special.gammaln(x)),
        "gamma": scipy.special.gamma,
        "psi": scipy.special.digamma,
    }
    return own.get(kind.name) or kind.numpy  # type: ignore[no-any-return]


def _softplus(x: Any) -> Any:
    wide = np.asarray(x, "longdouble")
    return np.maximum(wide, 0) + np.log1p(np.exp(-np.abs(wide)))
