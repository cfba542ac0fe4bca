"""Every scalar op on the device, against NumPy: special values, ends of ranges, casts, mixed
dtypes, broadcasting and strides. Ops over the same operands are one kernel, so that little is
compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

from tests.core.ops.backends import inputs_for, native
from tests.core.ops.scalar_cases import (
    PLAIN,
    ROOTS,
    agree,
    check_close,
    drawn,
    integer_edges,
    reference,
    special_values,
)
from tests.gpu.support import DEVICE, on_device
from workbench.core.devices import find
from workbench.core.ops.elementwise import Composite, Elemwise, ScalarOp
from workbench.core.ops.transfer import DTYPES
from workbench.core.scalar import ScalarBuilder
from workbench.core.types import TensorType
from workbench.errors import DtypeError
from workbench.gpu.dialect import NoDeviceForm
from workbench.gpu.render import ULP, check

RNG = np.random.default_rng(0)
FLOATS = ("float32", "float64")
INTEGERS = tuple(d for d in DTYPES if d[0] in "iu")
MIXED = (
    ("float32", "int8"), ("int32", "float32"), ("int64", "uint64"), ("uint64", "float32"),
    ("bool", "float64"), ("int8", "uint16"), ("bool", "int8"), ("float32", "float64"),
)  # fmt: skip
AT_ONCE = 20
"""Ops in one kernel: no more arrays than it takes."""

Case = tuple[ScalarOp, list[Any]]
View = Callable[[Any], Any]


def as_is(array: Any) -> Any:
    return array


def has_form(op: ScalarOp, dtypes: tuple[str, ...]) -> bool:
    """Whether the op takes these dtypes, and has a form on the device."""
    try:
        op.output_dtypes(dtypes)
        check(op.program(dtypes), find(DEVICE).holds_float64)
    except (DtypeError, NoDeviceForm):
        return False
    return True


def bound(op: ScalarOp, dtypes: tuple[str, ...]) -> float:
    """How far, in units of the last place, the device may be from NumPy."""
    return max([op.ulp, *(ULP.get(step.prim, 0) for step in op.program(dtypes).steps)])


def at_once(ops: list[ScalarOp], dtypes: tuple[str, ...]) -> Elemwise:
    """Ops of the same operands as one with several results."""
    b = ScalarBuilder(dtypes)
    results = [b.inline(op.program(dtypes), range(len(dtypes)))[0] for op in ops]
    return Elemwise(Composite(b.program(*results)))


def groups(cases: Iterable[Case]) -> Iterator[tuple[list[ScalarOp], list[Any]]]:
    """Ops that take the same arrays."""
    found: dict[Any, tuple[list[ScalarOp], list[Any]]] = {}
    for op, arrays in cases:
        if has_form(op, tuple(str(a.dtype) for a in arrays)):
            key = tuple((a.dtype, a.shape, a.tobytes()) for a in arrays)
            found.setdefault(key, ([], arrays))[0].append(op)
    for ops, arrays in found.values():
        for i in range(0, len(ops), AT_ONCE):
            yield ops[i : i + AT_ONCE], arrays


def results(cases: Iterable[Case], view: View = as_is) -> Iterator[tuple[ScalarOp, list[Any], Any]]:
    """Each op of which the device has a form, its operands, and what the device makes of them. The
    operands are looked at there by `view`.
    """
    parts, inputs, outputs = list(groups(cases)), [], []
    for ops, arrays in parts:
        mine = [_input(a) for a in arrays]
        made = at_once(ops, tuple(v.dtype for v in mine))(*map(view, mine))
        inputs += mine
        outputs += list(made) if isinstance(made, (list, tuple)) else [made]
    found = iter(on_device(inputs, outputs)([a for _, arrays in parts for a in arrays]))
    for ops, arrays in parts:
        for op in ops:
            yield op, [view(a) for a in arrays], next(found)


def _input(array: Any) -> Any:
    """Lengths of 1 are those of axes that broadcast."""
    return TensorType(str(array.dtype), tuple(1 if n == 1 else None for n in array.shape)).make()


def is_exact(op: ScalarOp, x: Any) -> Any:
    """Where scipy is: not for Bessel functions of large numbers, nor for poles at denormal ones."""
    size = np.abs(x.astype("float64"))
    if op.name in ("j0", "j1"):
        return ~(size > 1e4)
    if op.name in ("gammaln", "erfcinv"):
        return (size == 0) | ~(size < np.finfo("float64").tiny)
    return np.full(x.shape, True)


def check_all(cases: Iterable[Case], view: View = as_is) -> None:
    for op, arrays, result in results(cases, view):
        dtypes = tuple(str(a.dtype) for a in arrays)
        assert result.dtype == op.output_dtypes(dtypes)[0], f"{op} of {dtypes}"
        arrays = list(np.broadcast_arrays(*arrays))
        assert result.shape == arrays[0].shape
        exact = is_exact(op, arrays[0])
        try:
            agree(op, result[exact], [a[exact] for a in arrays], bound(op, dtypes))
        except AssertionError as wrong:
            raise AssertionError(f"{op} of {dtypes}: {wrong}") from wrong


def with_denormals(op: ScalarOp, dtype: str) -> list[Any]:
    """Special values, and the smallest of their dtype, each with 0 and 1."""
    info = np.finfo(dtype)
    tiny = np.array([info.tiny, -info.tiny / 4, info.smallest_subnormal], dtype)
    pairs = [g.ravel() for g in np.meshgrid(*[np.append(tiny, [0, 1]).astype(dtype)] * op.arity)]
    return [np.append(a, b) for a, b in zip(special_values(op, dtype), pairs, strict=True)]


@pytest.mark.parametrize("dtype", FLOATS)
def test_special_values(dtype: str) -> None:
    """nan, infinities, signed zeros, halves, denormal numbers."""
    check_all((op, with_denormals(op, dtype)) for op in PLAIN.values())


def whole(dtype: str) -> Iterator[ScalarOp]:
    """Ops that are not computed in floating point of operands that are not."""
    for op in PLAIN.values():
        dtypes = (dtype,) * op.arity
        if has_form(op, dtypes) and op.output_dtypes(dtypes)[0][0] != "f":
            yield op


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integer_edges(dtype: str) -> None:
    """They wrap, divide by zero and shift as NumPy's do."""
    check_all((op, integer_edges(op, dtype)) for op in whole(dtype))


def test_bools() -> None:
    pair = np.array([False, True])
    check_all((op, [g.ravel() for g in np.meshgrid(*[pair] * op.arity)]) for op in PLAIN.values())


@pytest.mark.parametrize("dtypes", MIXED, ids=" ".join)
def test_mixed_dtypes(dtypes: tuple[str, str]) -> None:
    binary = [op for op in PLAIN.values() if op.arity == 2]
    check_all((op, drawn(op, dtypes, (7,), (7,))) for op in binary)


@pytest.mark.parametrize("dtype", FLOATS)
def test_accuracy(dtype: str) -> None:
    """Many values of an op's domain."""
    check_all((op, drawn(op, (dtype,) * op.arity, *[(5000,)] * op.arity)) for op in PLAIN.values())


def test_all_magnitudes() -> None:
    """float32 against float64, which is as good as the true value."""
    unary = [op for op in PLAIN.values() if op.arity == 1 and op.ulp]
    sizes = np.exp2(RNG.uniform(-140, 120, 20000)).astype("float32")
    x = np.concatenate([sizes, -sizes, RNG.uniform(-40, 40, 20000).astype("float32")])
    for op, _, result in results((op, [x]) for op in unary):
        with np.errstate(all="ignore"):
            expected = reference(op, [x.astype("float64")], "float32")
        kept = is_exact(op, x)
        check_close(result[kept], expected[kept], bound(op, ("float32",)), ROOTS.get(op.name, 0))


VIEWS: dict[str, View] = {
    "transposed": lambda x: x.T,
    "reversed and spaced": lambda x: x[::2, ::-1],
    "from an odd place": lambda x: x[1:, 1:],
}


@pytest.mark.parametrize("view", VIEWS)
def test_views(view: str) -> None:
    """Operands that are other looks at arrays of the device."""
    check_all(
        ((op, drawn(op, ("float32",) * op.arity, *[(6, 4)] * op.arity)) for op in PLAIN.values()),
        VIEWS[view],
    )


@pytest.mark.parametrize("shape", [(), (1, 3), (5, 1), (3,)], ids=str)
def test_broadcasting(shape: tuple[int, ...]) -> None:
    """Scalars of the host's, rows and columns against matrices, on either side."""
    binary = [op for op in PLAIN.values() if op.arity == 2]
    for shapes in ((shape, (5, 3)), ((5, 3), shape)):
        dtypes = ["float64" if has_form(op, ("float64",) * 2) else "int64" for op in binary]
        check_all((op, drawn(op, (d, d), *shapes)) for op, d in zip(binary, dtypes, strict=True))


def edges(dtype: str) -> Any:
    """Numbers about the ends of the ranges of all dtypes, as far as this one has them."""
    ends = [sign * 2**k - d for k in (7, 8, 15, 16, 31, 32, 63) for sign in (1, -1) for d in (0, 1)]
    if dtype[0] == "f":
        more = [2**64, 1e20, -1e30, np.inf, -np.inf, np.nan, 0.5, -0.5, 1.9, -1.9, -0.0]
        with np.errstate(over="ignore"):
            return np.array([*ends, *more]).astype(dtype)
    low, high = (0, 1) if dtype == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return np.array([n for n in (0, 1, 2, 100, -1, *ends) if low <= n <= high]).astype(dtype)


def fits(x: Any, dtype: str) -> Any:
    """Where NumPy says what a number becomes: of a float that does not fit it does not."""
    if x.dtype.kind != "f" or dtype[0] not in "iu":
        return np.full(x.shape, True)
    info = np.iinfo(dtype)
    whole = np.trunc(x.astype("float64"))
    return (whole >= info.min) & (whole < float(info.max) + 1)


def test_casts() -> None:
    """From every dtype to every other; what does not fit becomes what it does on the processor."""
    values = [edges(old) for old in DTYPES]
    inputs = inputs_for(values)
    outputs = [y for x in inputs for y in casts(x)]
    there, here = on_device(inputs, outputs)(values), native(inputs, outputs)(values)
    for (x, new), result, expected in zip(product(values, DTYPES), there, here, strict=True):
        np.testing.assert_array_equal(result, expected, f"{x.dtype} to {new}")
        kept = fits(x, new)
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(result[kept], x.astype(new)[kept], f"{x.dtype} to {new}")


def casts(variable: Any) -> list[Any]:
    b = ScalarBuilder((variable.dtype,))
    return list(Elemwise(Composite(b.program(*(b.cast(0, new) for new in DTYPES))))(variable))
