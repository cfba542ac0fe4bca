"""Values for every scalar op, and NumPy's answer: what the host and the devices are tested with."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.core.ops.backends import check_equal
from workbench.core.ops import losses
from workbench.core.ops.elementwise import SCALAR_OPS, Elemwise, ScalarOp
from workbench.core.ops.scalars import Cast, bits, complex_numbers, floats, polygamma, special
from workbench.core.samples import numbers, scalar_reference
from workbench.errors import DtypeError

FAMILIES = (bits, complex_numbers, floats, losses, polygamma, special)  # they fill SCALAR_OPS
PLAIN = {name: kind() for name, kind in SCALAR_OPS.items() if kind is not Cast}
ROOTS = {
    "gammaln": 1.0,
    "psi": 1.0,
    "sinc": 1.0,
    "logaddexp": 1.0,
    "logaddexp2": 1.0,
    "sigmoid_crossentropy": 1.0,
    "j0": 1.0,
    "j1": 1.0,
}
SPECIAL = np.array(
    [0.0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 2.5, 3.5, np.inf, -np.inf, np.nan, 1e-30, -1e30, 100, -100]
)


ANY_ZERO = {"fmax", "fmin"}  # of 0.0 and -0.0 NumPy gives what the processor does
BITS = {"and", "or", "xor", "invert", "add", "mul", "maximum", "minimum"}


def drawn(op: ScalarOp, dtypes: tuple[str, ...], *shapes: tuple[int, ...]) -> list[Any]:
    """Samples from the op's domain; integers are what lies in it, rounded."""
    bounds = op.domain + (op.domain[-1],) * (len(dtypes) - len(op.domain))
    if op.name == "pow":
        bounds = ((0.3, 3.0), (0.0, 2.5))
    made = []
    for i, (dtype, (low, high), shape) in enumerate(zip(dtypes, bounds, shapes, strict=True)):
        if dtype[0] in "iu":
            low, high = max(low, 1.0 if low > 0 else low), max(high, 2.0)
            values = np.asarray(np.rint(np.random.default_rng(i).uniform(low, high, shape)))
            made.append(np.abs(values).astype(dtype) if dtype[0] == "u" else values.astype(dtype))
        else:
            made.append(numbers(*shape, dtype=dtype, seed=i, low=low, high=high))
    return [np.asarray(a) for a in made]


def outcome(op: ScalarOp, inputs: list[Any]) -> Any:
    """The op applied, or the error that says that it takes no such dtypes."""
    try:
        return Elemwise(op)(*inputs)
    except DtypeError as error:
        return error


def reference(op: ScalarOp, arrays: list[Any], dtype: str) -> Any:
    """NumPy's function on arrays of the op's own compute dtype."""
    dtypes = [str(a.dtype) for a in arrays]
    wide = op.compute_dtype(*dtypes)
    if op.name in ("switch", "second"):
        converted = [
            arrays[0] != 0 if op.name == "switch" else arrays[0],
            *(a.astype(dtype) for a in arrays[1:]),
        ]
    elif op.dtype(*dtypes) == "bool" and op.name not in BITS:
        converted = arrays  # NumPy's own comparison of the two dtypes
    elif op.name == "abs":
        converted = arrays
    else:
        converted = [a.astype(wide) for a in arrays]
    with np.errstate(all="ignore"):
        return np.asarray(scalar_reference(type(op))(*converted)).astype(dtype)


def integer_edges(op: ScalarOp, dtype: str) -> list[Any]:
    """The ends of the dtype's range and small numbers, each with each."""
    info = np.iinfo(dtype)
    edges = np.array([info.min, info.min + 1, 0, 1, 2, 3, 7, info.max - 1, info.max], dtype)
    grids = [g.ravel() for g in np.meshgrid(*[edges] * op.arity)]
    if op.name == "pow" and dtype[0] == "i":
        grids[1] = np.abs(grids[1] % np.array(9, dtype))
    return grids


def special_values(op: ScalarOp, dtype: str) -> list[Any]:
    """Special numbers, each with each."""
    return [g.ravel().astype(dtype) for g in np.meshgrid(*[SPECIAL] * op.arity)]


def cast_values(old: str, new: str) -> Any:
    """Numbers of one dtype of which the other knows what they become."""
    values = np.array([0, 1, 2, 100, 1]).astype(old)
    if old[0] in "ifc":
        values = np.append(values, np.array([-1, -2, -100]).astype(old))
    if old[0] == "f":
        values = np.append(values, np.array([0.5, -0.5, 1.9, -1.9, -0.0]).astype(old))
        if new[0] in "fb":
            values = np.append(values, np.array([np.nan, np.inf, -np.inf]).astype(old))
        if new[0] == "u":
            values = values[values >= 0]
    if old[0] in "iu":
        values = np.append(values, np.array([np.iinfo(old).max, np.iinfo(old).min], old))
    return values


def agree(op: ScalarOp, result: Any, arrays: list[Any], ulp: float | None = None) -> None:
    """A result is NumPy's, within the op's ulp or this."""
    expected = reference(op, arrays, str(result.dtype))
    if op.name in ANY_ZERO and result.dtype.kind == "f":
        result, expected = result + 0, expected + 0
    check_close(result, expected, op.ulp if ulp is None else ulp, ROOTS.get(op.name, 0))


def check_close(result: Any, expected: Any, ulp: float, floor: float = 0) -> None:
    """Element by element within `ulp` units in the last place of each expected value; nan and inf
    where they are.

    `floor` is the least value whose units count: near a function's root, those of its terms do.
    """
    assert result.shape == expected.shape
    assert result.dtype == expected.dtype
    if ulp == 0 or result.dtype.kind not in "fc":
        check_equal(result, expected)
        return
    kind = np.finfo(expected.dtype)
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.isfinite(result), finite)
    np.testing.assert_array_equal(result[~finite], expected[~finite])
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(expected[finite]), floor)
        unit = np.maximum(size * kind.eps, kind.smallest_subnormal)
        worst = (np.abs(result[finite] - expected[finite]) / unit).max(initial=0)
    assert worst <= ulp, f"{worst} ulp"
