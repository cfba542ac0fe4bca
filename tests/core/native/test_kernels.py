"""Kernels over contiguous, strided, broadcast and empty arrays, every tail, in place, and
reductions.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.native.harness import TARGETS, compile_nest, elementwise, total
from workbench.core.native.kernel import kernel_text
from workbench.core.nest import REDUCERS, Nest, Operand, Result, contiguous
from workbench.core.scalar import ScalarBuilder, ScalarProgram

RNG = np.random.default_rng(0)
NUMPY = {
    "add": np.add, "mul": np.multiply, "maximum": np.maximum, "minimum": np.minimum,
    "and": np.bitwise_and, "or": np.bitwise_or,
}  # fmt: skip


def multiply_add(dtype="float64") -> ScalarProgram:
    builder = ScalarBuilder((dtype, dtype))
    return builder.program(builder.prim("add", dtype, builder.prim("mul", dtype, 0, 1), 1))


def expensive() -> ScalarProgram:
    """Past the cost where a body is written once only."""
    builder = ScalarBuilder(("float64", "float64"))
    value = builder.prim("mul", "float64", 0, 1)
    for _ in range(12):
        value = builder.prim("div", "float64", builder.prim("add", "float64", value, 0), 1)
    return builder.program(value)


def pass_through(dtype: str) -> ScalarProgram:
    return ScalarProgram((dtype,), (), (0,))


def random(dtype: str, *shape: int) -> np.ndarray:
    kind = np.dtype(dtype).kind
    if kind == "f":
        return RNG.normal(size=shape).astype(dtype)
    return RNG.integers(0, 2 if kind == "b" else 100, size=shape).astype(dtype)


def padded(n: int, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """A block of n elements, and it with what lies around it."""
    whole = np.zeros(n + 16, dtype)
    return whole[8 : 8 + n], whole


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint16", "int64", "bool"])
def test_every_tail(dtype, target):
    """Lengths up to two vectors and one, written where they belong and nowhere else."""
    builder = ScalarBuilder((dtype, dtype))
    nest = elementwise(builder.program(builder.prim("maximum", dtype, 0, 1)))
    compiled = compile_nest(nest, target)
    lanes = max(1, target.vector_bytes // np.dtype(dtype).itemsize)
    for n in range(2 * lanes + 2):
        x, y = random(dtype, n), random(dtype, n)
        out, whole = padded(n, dtype)
        whole[:] = 1
        compiled.run((n,), (x, y), (out,))
        np.testing.assert_array_equal(out, np.maximum(x, y))
        assert (whole[:8] == 1).all()
        assert (whole[8 + n :] == 1).all()


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("program", [multiply_add(), expensive()], ids=["cheap", "expensive"])
def test_strides_and_broadcasting(program, target):
    x = RNG.uniform(1, 2, size=(4, 5, 40))
    views = {
        "contiguous": (x, contiguous(3)),
        "row": (np.broadcast_to(x[:1, :1], x.shape), ("zero", "zero", "unit")),
        "column": (np.broadcast_to(x[:, :, :1], x.shape), ("any", "any", "zero")),
        "transposed": (RNG.uniform(1, 2, size=(40, 5, 4)).T, ("any", "any", "any")),
        "backwards": (x[:, :, ::-1], ("any", "any", "any")),
        "scalar": (np.broadcast_to(1.5, x.shape), ("zero", "zero", "zero")),
    }
    for (a, a_strides), (b, b_strides) in itertools.product(views.values(), repeat=2):
        operands = Operand("float64", a_strides), Operand("float64", b_strides)
        result = Result(0, "float64", contiguous(3))
        nest = Nest(3, program, operands, (result,))
        out = np.empty(x.shape)
        values = [array.flat[0] if o.by_value else array for array, o in zip((a, b), operands)]
        compile_nest(nest, target).run(x.shape, values, (out,))
        np.testing.assert_array_equal(out, program.run(a, b)[0])


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_strided_results(target):
    nest = elementwise(multiply_add(), "any")
    for program in (multiply_add(), expensive()):
        compiled = compile_nest(replace(nest, program=program), target)
        for n in (0, 1, 7, 8, 33):
            x, y = RNG.uniform(1, 2, size=(2, 2 * n))[:, ::2]
            out = np.zeros((n, 3))
            compiled.run((n,), (x, y), (out[:, 1],))
            np.testing.assert_array_equal(out[:, 1], program.run(x, y)[0])
            assert not out[:, ::2].any()


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_in_place(target):
    operands = (Operand("float64", ("unit",)),) * 2
    for program in (multiply_add(), expensive()):
        nest = Nest(1, program, operands, (Result(0, "float64", ("unit",), inplace=(0,)),))
        compiled = compile_nest(nest, target)
        for n in range(20):
            x, y = RNG.uniform(1, 2, size=(2, n))
            (want,) = program.run(x.copy(), y)
            compiled.run((n,), (x, y), (x,))
            np.testing.assert_array_equal(x, want)


def test_no_axes():
    nest = Nest(0, multiply_add(), (Operand("float64", ()),) * 2, (Result(0, "float64", ()),))
    out = np.empty(())
    compile_nest(nest).run((), (3.0, 2.0), (out,))
    assert out == 8.0


def test_no_axes_boolean():
    builder = ScalarBuilder(("bool", "float32"))
    program = builder.program(builder.prim("invert", "bool", 0), builder.prim("neg", "float32", 1))
    results = Result(0, "bool", ()), Result(1, "float32", ())
    nest = Nest(0, program, (Operand("bool", ()), Operand("float32", ())), results)
    outs = np.empty((), bool), np.empty((), np.float32)
    compile_nest(nest).run((), (True, 2.5), outs)
    assert (outs[0].item(), outs[1].item()) == (False, -2.5)


def test_what_does_not_vary_is_computed_outside_the_loop():
    builder = ScalarBuilder(("float64", "float64"))
    program = builder.program(builder.prim("mul", "float64", builder.prim("exp", "float64", 0), 1))
    operands = Operand("float64", ("zero",)), Operand("float64", ("unit",))
    text = kernel_text(
        "kernel", Nest(1, program, operands, (Result(0, "float64", ("unit",)),)), TARGETS["host"]
    )
    assert text.index("@wb.exp.f64") < text.index("loop1:")
    assert "@wb.exp.v" not in text


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_results_of_all_sorts_at_once(target):
    builder = ScalarBuilder(("float32", "float32"))
    product = builder.prim("mul", "float32", 0, 1)
    program = builder.program(product, builder.prim("gt", "bool", product, 1))
    kept = ("any", "zero")
    results = (
        Result(0, "float32", contiguous(2)),
        total("add", 0, "float32", kept),
        total("maximum", 0, "float32", kept),
        Result(1, "bool", kept, "or", "bool"),
        Result(1, "int64", kept, "add", "int64"),
    )
    nest = Nest(
        2,
        program,
        (Operand("float32", contiguous(2)), Operand("float32", ("zero", "unit"))),
        results,
        (1,),
    )
    compiled = compile_nest(nest, target)
    for n, m in itertools.product((0, 1, 5), (1, 3, 16, 37, 130)):
        x, y = random("float32", n, m), random("float32", m)
        outs = [np.empty((n, m), np.float32)]
        outs += [np.empty((n, 1), result.dtype) for result in results[1:]]
        compiled.run((n, m), (x, np.broadcast_to(y, (n, m))), outs)
        want = x * y
        np.testing.assert_array_equal(outs[0], want)
        np.testing.assert_allclose(outs[1][:, 0], want.sum(1, dtype="f8").astype("f4"), rtol=1e-6)
        np.testing.assert_array_equal(outs[2][:, 0], want.max(1))
        np.testing.assert_array_equal(outs[3][:, 0], (want > y).any(1))
        np.testing.assert_array_equal(outs[4][:, 0], (want > y).sum(1))


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_a_column_under_totals_of_columns(target):
    """One value for a row, where vectors run along the row and the last one is masked."""
    strides = Operand("float64", ("any", "zero")), Operand("float64", contiguous(2))
    results = Result(0, "float64", contiguous(2)), total("add", 0, "float64", ("zero", "unit"))
    compiled = compile_nest(Nest(2, multiply_add(), strides, results, (0,)), target)
    for n, m in itertools.product((0, 1, 5), (1, 3, 16, 37, 130)):
        x, y = random("float64", n, 1), random("float64", n, m)
        outs = np.empty((n, m)), np.empty((1, m))
        compiled.run((n, m), (np.broadcast_to(x, (n, m)), y), outs)
        want = x * y + y
        np.testing.assert_allclose(outs[0], want, rtol=1e-15)
        np.testing.assert_allclose(outs[1][0], want.sum(0), rtol=1e-12, atol=1e-12)


SUBSETS = [axes for r in range(4) for axes in itertools.combinations(range(3), r)]


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("axes", SUBSETS, ids=str)
def test_sums_over_every_subset_of_axes(axes, target):
    strides = tuple("zero" if axis in axes else stride for axis, stride in enumerate(contiguous(3)))
    for dtype in ("float32", "int32"):
        results = total("add", 0, dtype, strides), total("maximum", 0, dtype, strides)
        nest = Nest(3, pass_through(dtype), (Operand(dtype, contiguous(3)),), results, axes)
        compiled = compile_nest(nest, target)
        for shape in ((2, 3, 4), (3, 1, 70), (1, 4, 33), (2, 5, 16), (0, 3, 4), (3, 2, 0)):
            x = random(dtype, *shape)
            outs = [
                np.empty(np.sum(x, axes, keepdims=True).shape, result.dtype) for result in results
            ]
            compiled.run(shape, (x,), outs)
            want = x.sum(axes, dtype=results[0].accumulator, keepdims=True)
            np.testing.assert_allclose(outs[0], want, rtol=1e-6)
            if x.size:
                np.testing.assert_array_equal(outs[1], x.max(axes, keepdims=True))


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("axes", SUBSETS[1:], ids=str)
def test_reductions_of_strided_operands(axes, target):
    strides = tuple("zero" if axis in axes else "any" for axis in range(3))
    nest = Nest(
        3,
        pass_through("float64"),
        (Operand("float64", ("any",) * 3),),
        (total("add", 0, "float64", strides),),
        axes,
    )
    compiled = compile_nest(nest, target)
    x = random("float64", 40, 6, 10).T[::-1, ::2]
    out = np.empty(x.sum(axes, keepdims=True).shape)
    compiled.run(x.shape, (x,), (out,))
    np.testing.assert_allclose(out, x.sum(axes, keepdims=True), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("reducer", REDUCERS)
def test_reducers(reducer, target):
    dtypes = ["bool", "int8", "uint8", "int64", "uint32"]
    for dtype in dtypes + ([] if reducer in ("and", "or") else ["float32", "float64"]):
        result = total(reducer, 0, dtype, ("zero",))
        nest = Nest(1, pass_through(dtype), (Operand(dtype, ("unit",)),), (result,), (0,))
        compiled = compile_nest(nest, target)
        for n in (1, 2, 3, 31, 64, 300):
            x = random(dtype, n)
            x = x % 3 + 1 if reducer == "mul" and dtype != "bool" else x
            x = x[:20] if reducer == "mul" else x
            out = np.empty(1, result.dtype)
            compiled.run(x.shape, (x,), (out,))
            np.testing.assert_allclose(
                out[0], NUMPY[reducer].reduce(x, dtype=result.accumulator), rtol=1e-6
            )


@pytest.mark.parametrize("reducer", REDUCERS)
def test_an_empty_reduction_is_the_identity(reducer):
    for dtype in ("bool", "int16", "uint8", "float32", "float64"):
        if reducer in ("and", "or") and dtype.startswith("f"):
            continue
        result = total(reducer, 0, dtype, ("zero",))
        nest = Nest(1, pass_through(dtype), (Operand(dtype, ("unit",)),), (result,), (0,))
        out, one = np.empty(1, result.dtype), random(dtype, 1).astype(result.dtype)
        compile_nest(nest).run((0,), (np.empty(0, dtype),), (out,))
        np.testing.assert_array_equal(NUMPY[reducer](out, one), one)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("reducer", ["maximum", "minimum"])
def test_nan_goes_through(reducer, target):
    result = total(reducer, 0, "float32", ("zero",))
    nest = Nest(1, pass_through("float32"), (Operand("float32", ("unit",)),), (result,), (0,))
    compiled = compile_nest(nest, target)
    for n in (1, 5, 16, 100):
        for at in {0, n // 2, n - 1}:
            x = random("float32", n)
            x[at] = np.nan
            out = np.empty(1, np.float32)
            compiled.run((n,), (x,), (out,))
            assert np.isnan(out[0])


def test_float32_sums_are_in_double():
    x = np.full(1 << 20, 0.1, np.float32)
    result = total("add", 0, "float32", ("zero",))
    nest = Nest(1, pass_through("float32"), (Operand("float32", ("unit",)),), (result,), (0,))
    out = np.empty(1, np.float32)
    compile_nest(nest).run(x.shape, (x,), (out,))
    assert out[0] == np.float32(x.astype("f8").sum())


def test_a_program_without_operands():
    builder = ScalarBuilder(())
    nest = Nest(
        2,
        builder.program(builder.const(2.5, "float32")),
        (),
        (Result(0, "float32", contiguous(2)),),
    )
    out = np.zeros((3, 21), np.float32)
    compile_nest(nest).run(out.shape, (), (out,))
    assert (out == 2.5).all()


def test_equal_nests_have_equal_text():
    target = TARGETS["host"]
    assert kernel_text("k", elementwise(expensive()), target) == kernel_text(
        "k", elementwise(expensive()), target
    )


@pytest.mark.parametrize(
    "change",
    [
        {"operands": (Operand("float32", ("unit",)),)},
        {"reduced": (1,)},
        {"results": (Result(0, "float64", ("unit", "any")),)},
        {"results": (Result(3, "float64", ("unit",)),)},
        {"results": (Result(0, "float32", ("unit",)),)},
        {"results": (Result(0, "float64", ("unit",), "add"),), "reduced": (0,)},
        {"results": (Result(0, "float64", ("unit",), "add", "float64"),), "reduced": (0,)},
    ],
    ids=lambda change: "-".join(change),
)
def test_what_is_no_nest(change):
    with pytest.raises(ValueError, match="not a loop nest"):
        replace(elementwise(multiply_add()), **change)


UNARY = ("neg", "abs", "sqrt", "floor", "sign")
BINARY = ("add", "sub", "mul", "minimum", "maximum", "div")
COMPARE = ("lt", "ge", "ne")


@st.composite
def programs(draw):
    """Random programs over floats, booleans and integers, each value of any of those before it."""
    builder = ScalarBuilder(("float64", "float32", "int32"))
    for _ in range(draw(st.integers(1, 14))):
        dtype = draw(st.sampled_from(["float64", "float32", "int32", "int64"]))
        args = [
            builder.cast(draw(st.integers(0, len(builder.dtypes) - 1)), dtype) for _ in range(2)
        ]
        numeric = dtype.startswith("f")
        names = [
            *(UNARY if numeric else ()),
            *(BINARY if numeric else BINARY[:-1]),
            *COMPARE,
            "select",
        ]
        name = draw(st.sampled_from(names))
        if name in COMPARE:
            builder.prim(name, "bool", *args)
        elif name == "select":
            builder.prim("select", dtype, builder.prim("lt", "bool", *args), *args)
        else:
            builder.prim(name, dtype, *args[: 1 if name in UNARY else 2])
    n = len(builder.dtypes)
    return builder.program(n - 1, draw(st.integers(0, n - 1)))


@settings(max_examples=60, deadline=None)
@given(programs(), st.integers(0, 40), st.sampled_from(sorted(TARGETS)), st.integers(0, 2**32 - 1))
def test_random_programs(program, n, target, seed):
    random = np.random.default_rng(seed)
    arrays = [random.uniform(-50, 50, n).astype(dtype) for dtype in program.inputs]
    outputs = [np.empty(n, dtype) for dtype in program.output_dtypes]
    compile_nest(elementwise(program), TARGETS[target]).run((n,), arrays, outputs)
    for got, want in zip(outputs, program.run(*arrays), strict=True):
        np.testing.assert_array_equal(got, np.broadcast_to(want, got.shape))


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_the_slower_pipeline_means_the_same(target):
    x, y = RNG.uniform(1, 2, size=(2, 45))
    for program in (multiply_add(), expensive()):
        out = np.empty(45)
        compile_nest(elementwise(program), target, level=2).run((45,), (x, y), (out,))
        np.testing.assert_array_equal(out, program.run(x, y)[0])


@pytest.mark.parametrize("steps", [100, 1000])
def test_long_programs(steps):
    builder = ScalarBuilder(("float64", "float64"))
    value = 0
    for k in range(steps):
        value = builder.prim(("add", "mul", "maximum", "sub")[k % 4], "float64", value, k % 2)
    program = builder.program(value)
    x, y = RNG.uniform(0, 1, size=(2, 33))
    out = np.empty(33)
    compile_nest(elementwise(program)).run((33,), (x, y), (out,))
    np.testing.assert_array_equal(out, program.run(x, y)[0])
