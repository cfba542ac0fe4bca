"""Every scalar op: values and dtypes over all dtypes, layouts and special values; gradients; second
derivatives.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

import workbench as wb
import workbench.tensor as T
from tests.core.ops.backends import (
    BACKENDS,
    Backend,
    check_equal,
    check_promise,
    check_shape,
    inputs_for,
    interpreter,
    native,
)
from tests.core.ops.gradients import check_gradient, weighted
from tests.core.ops.scalar_cases import (
    PLAIN,
    agree,
    cast_values,
    drawn,
    integer_edges,
    outcome,
    special_values,
)
from workbench.core.gradient import grad
from workbench.core.ops.elementwise import Elemwise, ScalarOp
from workbench.core.ops.scalars import Cast
from workbench.core.samples import scalar_reference
from workbench.core.types import DTYPES, TensorType, float_like, upcast
from workbench.errors import DtypeError, ShapeError

OPS = [pytest.param(op, id=name) for name, op in PLAIN.items()]
SAMPLED = ("bool", "int8", "int64", "uint8", "uint64", "float32", "float64", "complex128")
INCOMPLETE = {"iv", "jv", "gammainc", "gammaincc", "betainc"}  # by their last operand alone


def check(op: ScalarOp, backend: Backend, arrays: list[Any], ulp: float | None = None) -> None:
    inputs = inputs_for(arrays)
    output = outcome(op, inputs)
    if isinstance(output, DtypeError):
        return
    (result,) = backend(inputs, [output])(arrays)
    check_promise(result, output)
    agree(op, result, arrays, ulp)


def test_the_reference_is_never_our_own() -> None:
    for op in PLAIN.values():
        module = getattr(scalar_reference(type(op)), "__module__", "numpy") or "numpy"
        assert not module.startswith("workbench.core.scalar"), op.name


@pytest.mark.parametrize("op", OPS)
def test_every_dtype(op: ScalarOp) -> None:
    """All pairs of dtypes, in the interpreter: the promised dtype, NumPy's value."""
    for dtypes in product(DTYPES if op.arity == 1 else SAMPLED, repeat=min(op.arity, 2)):
        full = ("bool",) * (op.arity - len(dtypes)) + dtypes
        check(op, interpreter, drawn(op, full, *[(5,)] * op.arity), max(op.ulp, 4) if op.ulp else 0)


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float64", "float32", "int32"])
def test_layouts(op: ScalarOp, backend: Backend, dtype: str) -> None:
    """One compilation, many memories: contiguous, strided, reversed, transposed, empty, spread."""
    arrays = drawn(op, (dtype,) * op.arity, *[(6, 4)] * op.arity)
    inputs = inputs_for(arrays)
    output = outcome(op, inputs)
    if isinstance(output, DtypeError):
        return  # it takes no such dtypes
    run = backend(inputs, [output])

    def is_right(*changed: Any) -> None:
        (result,) = run(changed)
        check_promise(result, output)
        agree(op, result, list(changed))

    is_right(*arrays)
    is_right(*(a[::2, ::-1] for a in arrays))
    is_right(*(a[::-1, ::3] for a in arrays))
    is_right(*(np.asfortranarray(a) for a in arrays))
    is_right(arrays[0], *(np.asfortranarray(a) for a in arrays[1:]))
    is_right(*(a[:0] for a in arrays))
    is_right(*(a[:, :0] for a in arrays))
    is_right(*(a[:1, :1] for a in arrays))
    is_right(*(np.broadcast_to(a[:1], a.shape) for a in arrays))
    is_right(*(np.broadcast_to(a[0, 0], (33, 17)) for a in arrays))
    is_right(*(np.tile(a, (3, 19)) for a in arrays))


@pytest.mark.parametrize("op", [p for p in OPS if p.values[0].arity > 1])
@pytest.mark.parametrize("backend", BACKENDS)
def test_broadcasting(op: ScalarOp, backend: Backend) -> None:
    """Scalars, rows and columns against matrices, by their types."""
    dtypes = ("float64",) * op.arity
    if isinstance(outcome(op, [TensorType(d).make() for d in dtypes]), DtypeError):
        dtypes = ("int64",) * op.arity
    statics: list[tuple[int | None, ...]] = [
        (None, None),
        (),
        (1, None),
        (None, 1),
        (None,),
        (1, 1),
    ]
    cases = [(a, b) for a, b in product(statics, statics) if (None, None) in (a, b)]
    for a, b in cases if backend is interpreter else cases[1:4]:
        lengths = {
            (): (),
            (None, None): (5, 3),
            (1, None): (1, 3),
            (None, 1): (5, 1),
            (None,): (3,),
            (1, 1): (1, 1),
        }
        picked = (*[(None, None)] * (op.arity - 2), a, b)
        arrays = drawn(op, dtypes, *(lengths[s] for s in picked))
        inputs = [TensorType(d, s).make() for d, s in zip(dtypes, picked, strict=True)]
        output = Elemwise(op)(*inputs)
        (result,) = backend(inputs, [output])(arrays)
        check_promise(result, output)
        agree(op, result, arrays)
        if backend is interpreter:
            check_shape(inputs, [output], arrays)


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_special_values(op: ScalarOp, backend: Backend, dtype: str) -> None:
    """nan, infinities, signed zeros, halves, and every pair of them."""
    check(op, backend, special_values(op, dtype))


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64"])
def test_integer_edges(op: ScalarOp, backend: Backend, dtype: str) -> None:
    """The ends of the range: they wrap, divide by zero and shift as NumPy's do."""
    if isinstance(op.dtype(*[dtype] * op.arity), str) and op.dtype(*[dtype] * op.arity)[0] == "f":
        return  # computed in floating point
    check(op, backend, integer_edges(op, dtype))


def test_integers_to_negative_powers() -> None:
    x, y = np.array([-2, -1, -1, 0, 1, 2, 3]), np.array([-1, -1, -2, -1, -3, -2, 2])
    inputs = inputs_for([x, y])
    (result,) = interpreter(inputs, [Elemwise(PLAIN["pow"])(*inputs)])([x, y])
    np.testing.assert_array_equal(result, [0, -1, 1, 0, 1, 0, 9])


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_gradient(op: ScalarOp, backend: Backend) -> None:
    if op.name in INCOMPLETE:
        return
    inputs = inputs_for(drawn(op, ("float64",) * op.arity, *[(3, 2)] * op.arity))
    output = outcome(op, inputs)
    if isinstance(output, DtypeError) or output.dtype != "float64":
        return
    arrays = drawn(op, ("float64",) * op.arity, *[(3, 2)] * op.arity)
    connected = [i for i in range(op.arity) if op.connected(i)]
    check_gradient(inputs, [output], arrays, connected, backend)


@pytest.mark.parametrize("op", OPS)
def test_gradient_of_broadcast_operands(op: ScalarOp) -> None:
    """Summed over the axes along which an operand was spread, and of its dtype."""
    if op.arity < 2 or op.name in INCOMPLETE:
        return
    statics = [(None, None)] * (op.arity - 2) + [(None, 1), (None,)]
    arrays = drawn(op, ("float64",) * op.arity, *[(3, 2)] * (op.arity - 2), (3, 1), (2,))
    inputs = [TensorType("float64", s).make() for s in statics]
    output = outcome(op, inputs)
    if isinstance(output, DtypeError) or output.dtype != "float64":
        return
    check_gradient(inputs, [output], arrays, [i for i in range(op.arity) if op.connected(i)])


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize(
    "dtypes",
    [("float32", "float32"), ("float32", "int8"), ("int32", "float32"), ("float64", "float32")],
)
def test_gradient_keeps_dtypes(op: ScalarOp, dtypes: tuple[str, str]) -> None:
    if op.name in INCOMPLETE:
        return
    full = ("bool",) * (op.arity - 2) + dtypes[-op.arity :] if op.arity > 1 else dtypes[:1]
    inputs = [TensorType(d, (None,)).make() for d in full]
    output = outcome(op, inputs)
    if isinstance(output, DtypeError) or output.dtype[0] != "f":
        return
    slopes = grad(output.sum(), inputs, disconnected_inputs="ignore")
    for v, slope in zip(inputs, slopes, strict=True):
        assert slope.dtype == (v.dtype if v.dtype[0] == "f" else "float64")
        assert slope.ndim == 1


@pytest.mark.parametrize("op", OPS)
def test_second_derivative(op: ScalarOp) -> None:
    if op.name in INCOMPLETE:
        return
    arrays = drawn(op, ("float64",) * op.arity, *[(4,)] * op.arity)
    inputs = inputs_for(arrays)
    output = outcome(op, inputs)
    if isinstance(output, DtypeError) or output.dtype != "float64":
        return
    connected = [i for i in range(op.arity) if op.connected(i)]
    wrt = [inputs[i] for i in connected]
    values = interpreter(inputs, [output])(arrays)
    slopes = grad(weighted([output * output], values), wrt)
    check_gradient(inputs, slopes, arrays, connected, tolerance=1e-5)


@pytest.mark.parametrize("op", OPS)
def test_complex_is_refused_or_right(op: ScalarOp) -> None:
    inputs = [TensorType("complex128").make() for _ in range(op.arity)]
    output = outcome(op, inputs)
    if isinstance(output, DtypeError):
        assert output.advice
        assert op.complexes is False or op.name in ("and", "or", "xor", "invert")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("old", "new"), [(a, b) for a in DTYPES for b in DTYPES if a != b])
def test_cast(old: str, new: str, backend: Backend) -> None:
    if backend is native and (old[0] == "c" or new[0] == "c"):
        return  # there is no native complex
    values = cast_values(old, new)
    inputs = inputs_for([values])
    output = outcome(Cast(new), inputs)
    if isinstance(output, DtypeError):
        assert old[0] == "c"
        assert new[0] not in "cb"
        return
    with np.errstate(over="ignore"):
        (result,) = backend(inputs, [output])([values])
        check_promise(result, output)
        check_equal(result, values.astype(new))


@pytest.mark.parametrize(
    ("op", "first", "second"),
    [("maximum", [1, 1, 1], [0, 0, 0]), ("minimum", [1, 1, 1], [0, 0, 0])],
)
def test_ties_go_to_the_first(op: str, first: list[float], second: list[float]) -> None:
    x = y = np.array([1.0, -2.0, 0.0])
    inputs = inputs_for([x, y])
    slopes = grad(Elemwise(PLAIN[op])(*inputs).sum(), inputs)
    np.testing.assert_array_equal(interpreter(inputs, slopes)([x, y]), [first, second])


def test_conventions_at_kinks_and_poles() -> None:
    """|x| and x ** 0 have slope 0 at 0; rounding and comparisons have slope 0 everywhere."""
    x = TensorType("float64", (None,)).make(name="x")
    at = np.array([0.0, 1.5])

    def slope(y: Any) -> Any:
        return interpreter([x], [grad(y.sum(), x)])([at])[0].tolist()

    assert slope(abs(x)) == [0, 1]
    assert slope(x**0) == [0, 0]
    assert slope(x**1) == [1, 1]
    assert slope(x**2) == [0, 3]
    for name in ("floor", "ceil", "round", "trunc", "sign"):
        assert slope(Elemwise(PLAIN[name])(x)) == [0, 0]
    assert slope((x > 1).astype("float64")) == [0, 0]
    assert slope(Elemwise(PLAIN["switch"])(x, x, 2 * x)) == [2, 1]
    assert slope(x**x)[1] == pytest.approx(1.5**1.5 * (np.log(1.5) + 1))


def test_lengths_that_differ_are_refused() -> None:
    """A length of 1 that the type does not know of does not broadcast."""
    row, matrix = np.ones((1, 3)), np.ones((2, 3))
    inputs = inputs_for([row, matrix])
    with pytest.raises(ShapeError, match="input dimension mismatch on axis 0"):
        interpreter(inputs, [inputs[0] + inputs[1]])([row, matrix])
    a, b = TensorType("float64", (3,)).make(), TensorType("float64", (4,)).make()
    with pytest.raises(ShapeError, match="lengths 3 and 4"):
        a + b


FLOATS = arrays_of.arrays(
    st.sampled_from(["float32", "float64"]),
    arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
    elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(PLAIN)), FLOATS, st.data())
def test_any_floats(name: str, x: Any, data: Any) -> None:
    """Whatever arrays: the interpreter gives NumPy's value, of the promised type."""
    op = PLAIN[name]
    more = arrays_of.arrays(x.dtype, x.shape, elements=st.floats(width=32))
    check(op, interpreter, [x, *(data.draw(more) for _ in range(op.arity - 1))])


INTEGERS = st.sampled_from([d for d in DTYPES if d == "bool" or d[0] in "iu"])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(PLAIN)), st.lists(INTEGERS, min_size=3, max_size=3), st.data())
def test_any_integers(name: str, dtypes: list[str], data: Any) -> None:
    """Mixed integers, the ends of their ranges included: exact comparisons, wrapping arithmetic."""
    op = PLAIN[name]
    arrays = [data.draw(arrays_of.arrays(d, (4,))) for d in dtypes[: op.arity]]
    if name == "pow":
        arrays[1] = (
            (arrays[1] % 5).astype(arrays[1].dtype) if arrays[1].dtype != bool else arrays[1]
        )
    check(op, interpreter, arrays)


def test_dtype_rules() -> None:
    assert upcast("int32", "float32") == "float64"
    assert upcast("int16", "float32") == "float32"
    assert upcast("int64", "uint64") == "float64"
    assert float_like("int8") == float_like("int16") == "float32"
    assert float_like("int32") == "float64"


def test_logic_is_of_truth_and_not_of_bits():
    n, x = T.lvector("n"), T.dvector("x")
    given = np.array([1, 2, 0]), np.array([0.0, 0.5, np.nan])
    f = wb.function([n, x], [T.logical_and(n, 2), T.logical_or(n, x), T.logical_not(x)])
    wanted = np.logical_and(given[0], 2), np.logical_or(*given), np.logical_not(given[1])
    for got, want in zip(f(*given), wanted, strict=True):
        assert got.dtype == bool
        np.testing.assert_array_equal(got, want)
