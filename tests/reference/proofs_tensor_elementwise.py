"""Functions that are taken element by element, by their old names, against NumPy and SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

import workbench.theano.tensor as T
from tests.reference.agreeing import agrees, computed, equal, raises
from tests.reference.proofs import proves

X = np.array([[-2.5, -1.5, -0.5, 0.0], [0.3, 0.5, 1.5, 2.5]])
UNIT = np.array([-0.9, -0.3, 0.0, 0.25, 0.8])
POSITIVE = np.array([0.1, 0.5, 1.0, 2.5, 7.0])
WHOLE = np.array([-7, -3, 0, 2, 9])
BOOLS = np.array([True, False, True])
Z = np.array([1 + 2j, -0.5j, 3 - 1j])


def _away_from_zero(x: Any) -> Any:
    return np.sign(x) * np.floor(abs(x) + 0.5)


ONE: dict[str, tuple[Callable[..., Any], Any]] = {
    "abs_": (np.abs, X),
    "exp": (np.exp, X),
    "exp2": (np.exp2, X),
    "expm1": (np.expm1, X),
    "neg": (np.negative, X),
    "inv": (np.reciprocal, POSITIVE),
    "log": (np.log, POSITIVE),
    "log2": (np.log2, POSITIVE),
    "log10": (np.log10, POSITIVE),
    "log1p": (np.log1p, POSITIVE),
    "sgn": (np.sign, X),
    "ceil": (np.ceil, X),
    "floor": (np.floor, X),
    "trunc": (np.trunc, X),
    "round": (np.round, X),
    "iround": (lambda x: np.round(x).astype("int64"), X),
    "round_half_to_even": (np.round, X),
    "round_half_away_from_zero": (_away_from_zero, X),
    "sqr": (np.square, X),
    "sqrt": (np.sqrt, POSITIVE),
    "deg2rad": (np.deg2rad, X),
    "rad2deg": (np.rad2deg, X),
    "cos": (np.cos, X),
    "arccos": (np.arccos, UNIT),
    "sin": (np.sin, X),
    "arcsin": (np.arcsin, UNIT),
    "tan": (np.tan, X),
    "arctan": (np.arctan, X),
    "cosh": (np.cosh, X),
    "arccosh": (np.arccosh, POSITIVE + 1),
    "sinh": (np.sinh, X),
    "arcsinh": (np.arcsinh, X),
    "tanh": (np.tanh, X),
    "arctanh": (np.arctanh, UNIT),
    "erf": (special.erf, X),
    "erfc": (special.erfc, X),
    "erfcx": (special.erfcx, X),
    "erfinv": (special.erfinv, UNIT),
    "erfcinv": (special.erfcinv, UNIT + 1),
    "gamma": (special.gamma, POSITIVE),
    "gammaln": (special.gammaln, POSITIVE),
    "psi": (special.psi, POSITIVE),
    "tri_gamma": (lambda x: special.polygamma(1, x), POSITIVE),
    "j0": (special.j0, POSITIVE),
    "j1": (special.j1, POSITIVE),
    "i0": (special.i0, POSITIVE),
    "i1": (special.i1, POSITIVE),
    "real": (np.real, Z),
    "imag": (np.imag, Z),
    "angle": (np.angle, Z),
    "conj": (np.conj, Z),
    "invert": (np.invert, WHOLE),
    "bitwise_not": (np.logical_not, BOOLS),
    "isnan": (np.isnan, np.array([1.0, np.nan, np.inf])),
    "isinf": (np.isinf, np.array([1.0, np.nan, -np.inf])),
    "identity_like": (lambda x: np.eye(*x.shape), X),
    "flatnonzero": (np.flatnonzero, X),
}
for _name, (_numpy, _values) in ONE.items():
    agrees(f"T.{_name}", "", getattr(T, _name), _numpy, _values, rtol=1e-10)

COLUMN = X[:, :1]
TWO: dict[str, tuple[Callable[..., Any], Any, Any]] = {
    "lt": (np.less, X, 0.3),
    "gt": (np.greater, X, 0.3),
    "le": (np.less_equal, X, 0.3),
    "ge": (np.greater_equal, X, 0.3),
    "eq": (np.equal, X, 0.3),
    "neq": (np.not_equal, X, 0.3),
    "and_": (np.bitwise_and, WHOLE, 6),
    "or_": (np.bitwise_or, WHOLE, 6),
    "xor": (np.bitwise_xor, WHOLE, 6),
    "bitwise_and": (np.logical_and, BOOLS, np.array([True, True, False])),
    "bitwise_or": (np.logical_or, BOOLS, np.array([True, False, False])),
    "bitwise_xor": (np.logical_xor, BOOLS, np.array([True, False, False])),
    "add": (np.add, X, X[0]),
    "sub": (np.subtract, X, X[0]),
    "mul": (np.multiply, X, X[0]),
    "true_div": (np.true_divide, WHOLE, 4),
    "int_div": (np.floor_divide, WHOLE, 4),
    "floor_div": (np.floor_divide, X, 0.4),
    "mod": (np.mod, WHOLE, 4),
    "pow": (np.power, POSITIVE, 2.5),
    "power": (np.power, POSITIVE, -0.5),
    "maximum": (np.maximum, X, X[::-1]),
    "minimum": (np.minimum, X, X[::-1]),
    "largest": (np.maximum, X, X[::-1]),
    "smallest": (np.minimum, X, X[::-1]),
    "arctan2": (np.arctan2, X, X[::-1]),
    "ceil_intdiv": (lambda a, b: -(-a // b), WHOLE, 4),
    "fill": (lambda a, b: np.full_like(a, b), X, 7.0),
    "chi2sf": (lambda x, k: special.chdtrc(k, x), POSITIVE, 3.0),
    "gammainc": (special.gammainc, POSITIVE, 1.5),
    "gammaincc": (special.gammaincc, POSITIVE, 1.5),
    "gammau": (lambda k, x: special.gammaincc(k, x) * special.gamma(k), POSITIVE, 1.5),
    "gammal": (lambda k, x: special.gammainc(k, x) * special.gamma(k), POSITIVE, 1.5),
    "jv": (special.jv, np.array([0.0, 1.0, 2.5]), 1.5),
    "iv": (special.iv, np.array([0.0, 1.0, 2.5]), 1.5),
    "outer": (np.outer, POSITIVE, UNIT),
    "complex_from_polar": (lambda r, t: r * np.exp(1j * t), POSITIVE, 0.7),
}
for _name, (_numpy, *_pair) in TWO.items():
    agrees(f"T.{_name}", "", getattr(T, _name), _numpy, *_pair, rtol=1e-10)

agrees("T.add", "", lambda a, b, c: T.add(a, b, c), lambda a, b, c: a + b + c, X, X[0], 2.0)
agrees("T.mul", "", lambda a, b, c: T.mul(a, b, c), lambda a, b, c: a * b * c, X, X[0], 2.0)
agrees("T.complex", "real imag", T.complex, lambda a, b: a + 1j * b, UNIT, UNIT[::-1])
agrees("T.divmod", "x y", T.divmod, lambda a, b: list(np.divmod(a, b)), WHOLE, 4)
agrees(
    "T.round",
    "",
    lambda x: [T.round(x, "half_away_from_zero"), T.round(x, mode="half_to_even")],
    lambda x: [_away_from_zero(x), np.round(x)],
    X,
)
agrees(
    "T.iround",
    "",
    lambda x: T.iround(x, "half_away_from_zero"),
    lambda x: _away_from_zero(x).astype("int64"),
    X,
)
agrees("T.clip", "x min max", lambda x: T.clip(x, -1, 2), lambda x: np.clip(x, -1, 2), X)
agrees("T.clip", "min max", lambda x: T.clip(x, min=0, max=1), lambda x: np.clip(x, 0, 1), X)
for _name, _switch in (("switch", T.switch), ("where", T.where)):
    agrees(
        f"T.{_name}",
        "cond ift iff",
        lambda c, a, b, s=_switch: s(c, a, b),
        np.where,
        X > 0,
        X[0],
        COLUMN[:0].sum() - 3.0,
    )
_NEAR = X + np.array([0, 1e-6, 1e-3, 1])
_GAPS = np.array([np.nan, 1.0])
for _name in ("isclose", "allclose"):
    _ours: Any = getattr(T, _name)
    _numpy = getattr(np, _name)
    agrees(
        f"T.{_name}",
        "a b rtol atol",
        lambda a, b, f=_ours: [
            f(a, b),
            f(a, b, rtol=1),
            f(a, b, rtol=0, atol=1e-2),
            f(a=a, b=b, atol=2),
        ],
        lambda a, b, f=_numpy: [
            f(a, b),
            f(a, b, rtol=1),
            f(a, b, rtol=0, atol=1e-2),
            f(a, b, atol=2),
        ],
        X,
        _NEAR,
    )
    agrees(
        f"T.{_name}",
        "equal_nan",
        lambda a, f=_ours: [f(a, a), f(a, a, equal_nan=True)],
        lambda a, f=_numpy: [f(a, a), f(a, a, equal_nan=True)],
        _GAPS,
    )


@proves("T.ones_like", "model", "dtype", "opt")
@proves("T.zeros_like", "model", "dtype", "opt")
def like_a_model() -> None:
    for ours, numpy in ((T.ones_like, np.ones_like), (T.zeros_like, np.zeros_like)):
        equal(computed(ours, WHOLE), numpy(WHOLE))
        assert ours(T.ivector()).dtype == "int32"
        assert ours(T.ivector(), "float32").dtype == "float32"
        equal(
            computed(lambda x, f=ours: f(model=x, dtype="float64", opt=True), WHOLE),
            numpy(X[0, :1].repeat(5)),
        )


@proves("T.transfer", "var", "target")
@proves("T.TensorVariable.transfer", "target")
def transfer_to_where_it_is() -> None:
    x = T.dvector()
    assert T.transfer(x, "cpu") is x
    assert x.transfer("cpu") is x
    raises(RuntimeError, "moon", lambda: T.transfer(x, "moon"))
    raises(RuntimeError, "moon", lambda: x.transfer("moon"))
