"""The methods of variables, against those of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

import workbench.theano.tensor as T
from tests.reference.agreeing import agrees, computed, equal
from tests.reference.proofs import proves
from tests.reference.signatures_tensor import METHODS_OF_ONE

X = np.array([[0.1, -0.5, 0.75], [0.25, 0.0, -0.9]])
C = np.random.RandomState(1).standard_normal((2, 3, 4))
WHOLE = np.array([3, 1, 2, 1])


def _method(
    name: str, items: str, *values: Any, args: tuple[Any, ...] = (), **options: Any
) -> None:
    """The variable's method does what the array's does."""

    def called(x: Any, *more: Any) -> Any:
        return getattr(x, name)(*args, *more, **options)

    agrees(f"T.TensorVariable.{name}", items, called, called, *values)


for _name in METHODS_OF_ONE.split():
    _numpy: Any = getattr(np, _name)
    _values = {"arccosh": 1.0}.get(_name, 0.0) + (
        np.abs(X) if _name[:3] in ("log", "sqr", "arc") else X
    )
    _values = _values + 0.05 if _name[:3] == "log" else _values
    agrees(f"T.TensorVariable.{_name}", "", lambda x, n=_name: getattr(x, n)(), _numpy, _values)

for _name in ("sum", "prod", "mean", "var", "std", "max", "min", "argmax", "argmin", "any", "all"):
    _method(_name, "axis", X, axis=1)
    _method(_name, "axis", X, args=(0,))
    _method(_name, "keepdims", X, axis=0, keepdims=True)
for _name in ("sum", "prod", "mean"):

    def _dtypes(x: Any, name: str = _name) -> list[Any]:
        method = getattr(x.astype("float32"), name)
        assert method().dtype == "float32"
        return [method(dtype="float64"), method(acc_dtype="float64")]

    agrees(
        f"T.TensorVariable.{_name}",
        "dtype",
        _dtypes,
        lambda x, n=_name: [getattr(x.astype("float32"), n)(dtype="float64")] * 2,
        X,
    )
for _name in ("var", "std"):
    _method(_name, "ddof", X, axis=1, ddof=1)


@proves("T.TensorVariable.sum", "acc_dtype")
@proves("T.TensorVariable.mean", "acc_dtype")
@proves("T.TensorVariable.prod", "acc_dtype")
@proves("T.TensorVariable.var", "corrected")
@proves("T.TensorVariable.std", "corrected")
def methods_that_compute_more_exactly() -> None:
    exact = np.array([1e8 + 1, 1.0])  # float32 keeps eight digits
    for name, wide, narrow in (
        ("sum", 1e8 + 2, 1e8),
        ("prod", 1e8 + 1, 1e8),
        ("mean", 5e7 + 1, 5e7),
    ):
        assert computed(lambda x, n=name: getattr(x, n)(), exact) == wide
        assert computed(lambda x, n=name: getattr(x, n)(acc_dtype="float32"), exact) == narrow
    shifted = (np.arange(1000) % 7 + 1e5).astype("float32")
    wanted = shifted.astype("float64").var()
    got = computed(lambda x: [x.var(corrected=True), x.std(corrected=True)], shifted)
    np.testing.assert_allclose(got, [wanted, np.sqrt(wanted)], rtol=1e-4)


_method("transpose", "axes", C, args=(2, 0, 1))
_method("transpose", "axes", C)
_method("reshape", "shape", C, args=((4, 6),))
_method("reshape", "shape", C, args=(3, -1))
agrees(
    "T.TensorVariable.reshape",
    "ndim",
    lambda x, s: x.reshape(s, ndim=2),
    lambda x, s: x.reshape(s),
    C,
    np.array([4, 6]),
)
agrees(
    "T.TensorVariable.dimshuffle",
    "pattern",
    lambda x: [x.dimshuffle(2, "x", 0, 1), x.dimshuffle((1, 0, 2))],
    lambda x: [x.transpose(2, 0, 1)[:, None], x.transpose(1, 0, 2)],
    C,
)
agrees("T.TensorVariable.flatten", "ndim", lambda x: x.flatten(), np.ravel, C)
agrees(
    "T.TensorVariable.flatten", "ndim", lambda x: x.flatten(ndim=2), lambda x: x.reshape(2, 12), C
)
_method("ravel", "", C)
_method("diagonal", "offset", X, args=(1,))
_method("diagonal", "axis1 axis2", C, axis1=1, axis2=2)
_method("astype", "dtype", X * 9, args=("int16",))
_method("take", "indices", X, np.array([3, 0]))
_method("take", "axis mode", X, np.array([3, 0]), axis=1, mode="wrap")
_method("dot", "other", X, X.T)
_method("trace", "", X)
agrees(
    "T.TensorVariable.norm",
    "L",
    lambda x: [x.norm(2), x.norm(1)],
    lambda x: [np.sqrt((x**2).sum()), abs(x).sum()],
    X,
)
agrees(
    "T.TensorVariable.norm",
    "axis keepdims",
    lambda x: [x.norm(2, axis=1), x.norm(2, axis=0, keepdims=True)],
    lambda x: [np.linalg.norm(x, axis=1), np.linalg.norm(x, axis=0, keepdims=True)],
    X,
)
agrees(
    "T.TensorVariable.nonzero",
    "return_matrix",
    lambda x: x.nonzero(),
    lambda x: list(x.nonzero()),
    X,
)
agrees(
    "T.TensorVariable.nonzero",
    "return_matrix",
    lambda x: x.nonzero(return_matrix=True),
    lambda x: np.array(x.nonzero()),
    X,
)
agrees("T.TensorVariable.nonzero_values", "", lambda x: x.nonzero_values(), lambda x: x[x != 0], X)
for _name in ("sort", "argsort"):
    _numpy = getattr(np, _name)
    agrees(
        f"T.TensorVariable.{_name}",
        "axis kind order",
        lambda x, n=_name: [
            getattr(x, n)(),
            getattr(x, n)(axis=0, kind="mergesort", order=None),
            getattr(x, n)(None),
        ],
        lambda x, f=_numpy: [f(x), f(x, axis=0), f(x, axis=None)],
        X,
    )
_method("clip", "low high", X, args=(-0.3, 0.5))
agrees("T.TensorVariable.conj", "", lambda x: x.conj(), np.conj, X + 1j)
_method("repeat", "repeats axis", X, np.array([2, 0, 1]), axis=1)
_method("repeat", "repeats", X, args=(2,))
agrees(
    "T.TensorVariable.round",
    "mode",
    lambda x: [x.round(), x.round(mode="half_away_from_zero")],
    lambda x: [np.round(x), np.sign(x) * np.floor(abs(x) + 0.5)],
    X,
)
_method("cumsum", "axis", X, axis=1)
_method("cumprod", "axis", X, axis=1)
_method("cumsum", "axis", X)
agrees(
    "T.TensorVariable.searchsorted",
    "v side sorter",
    lambda x, v: [x.searchsorted(v, side="right", sorter=T.argsort(x)), x.sort().searchsorted(v)],
    lambda x, v: [np.sort(x).searchsorted(v, "right"), np.sort(x).searchsorted(v)],
    WHOLE,
    np.array([1, 2]),
)
agrees("T.TensorVariable.ptp", "axis", lambda x: x.ptp(axis=1), lambda x: np.ptp(x, axis=1), X)
_method("swapaxes", "axis1 axis2", C, args=(0, 2))
agrees("T.TensorVariable.fill", "value", lambda x: x.fill(3), lambda x: np.full_like(x, 3), X)
agrees(
    "T.TensorVariable.choose",
    "choices mode",
    lambda a, c: [(a - 1).choose(c, mode="wrap"), (a - 1).choose(c, mode="clip")],
    lambda a, c: [(a - 1).choose(c, mode="wrap"), (a - 1).choose(c, mode="clip")],
    WHOLE,
    np.array([[0, 1, 2, 3], [10, 11, 12, 13]]),
)
agrees("T.TensorVariable.squeeze", "", lambda x: x.dimshuffle("x", 0, 1).squeeze(), X, X)
_method("compress", "condition axis", X, args=([True, False, True],), axis=1)
agrees(
    "T.TensorVariable.zeros_like",
    "dtype",
    lambda x: [x.zeros_like(), x.zeros_like("int8"), x.zeros_like(dtype="int8")],
    lambda x: [np.zeros_like(x), np.zeros_like(x, "int8"), np.zeros_like(x, "int8")],
    X,
)
agrees(
    "T.TensorVariable.ones_like",
    "dtype",
    lambda x: [x.ones_like(), x.ones_like(dtype="int8")],
    lambda x: [np.ones_like(x), np.ones_like(x, "int8")],
    X,
)


@proves("T.TensorVariable", "operators")
def operators() -> None:
    """Python's operators, with variables and numbers on either side."""

    def every(x: Any, n: Any) -> list[Any]:
        return [
            x + 1, 1 + x, x - 2, 2 - x, x * x, 3 * x, x / 2, 2 / (x + 2), x // 0.3, 7 // (x + 2),
            x % 0.3, x**2, 2**x, -x, +x, abs(x), x < 0.1, x <= 0.1, x > 0.1, x >= 0.1, n & 3, 3 | n,
            n ^ 1, ~n, n << 1, 64 >> n, x @ x.T, *divmod(x, 0.3),
        ]  # fmt: skip

    equal(computed(every, X, WHOLE), every(X, WHOLE))
