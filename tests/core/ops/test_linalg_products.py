"""Products of tensors: NumPy's values and dtypes in both back ends, gradients, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.ops.backends import inputs_for, interpreter, native
from tests.core.ops.gradients import check_gradient
from workbench.core.graph import toposort
from workbench.core.ops.batched import BatchedDot
from workbench.core.ops.dot import Dot
from workbench.core.rewrite.pipeline import optimise
from workbench.core.samples import numbers
from workbench.core.types import TensorType
from workbench.errors import GraphError, RankError, ShapeError, UsageError

Function = Callable[..., Any]


def entries(f: Function) -> Function:
    """The function of each pair of entries along the first axis."""
    return lambda a, b: np.stack([f(x, y) for x, y in zip(a, b, strict=True)])


CASES: dict[str, tuple[Function, Function, tuple[tuple[int, ...], ...]]] = {}


def case(name: str, ours: Function, theirs: Function, *shapes: tuple[int, ...]) -> None:
    CASES[f"{name} {' '.join(map(str, shapes))}"] = ours, theirs, shapes


for left, right in (
    ((2, 3, 4), (4,)),
    ((4,), (3, 4, 2)),
    ((2, 3, 4), (4, 2)),
    ((3, 4), (2, 4, 3)),
    ((2, 3, 4), (5, 4, 3)),
    ((2, 0, 4), (4, 3)),
    ((), (2, 3)),
):
    case("dot", T.dot, np.dot, left, right)
for left, right in (
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 2)),
    ((4, 2, 3), (3, 5)),
    ((4, 2, 3), (3,)),
    ((2, 3), (4, 3, 5)),
    ((3,), (4, 3, 5)),
    ((4, 2, 3), (4, 3, 5)),
    ((2, 4, 2, 3), (4, 3, 5)),
    ((2, 4, 2, 3), (2, 4, 3, 1)),
    ((0, 2, 3), (0, 3, 2)),
):
    case("matmul", lambda a, b: a @ b, np.matmul, left, right)
for axes in (0, 1, 2, [[1], [0]], [[-1, 0], [0, -1]], [(1, 2), (0, 2)], [0, 0]):
    shape_b = {0: (3,), 1: (3, 2)}.get(axes, (3, 2, 4)) if isinstance(axes, int) else (3, 2, 4)
    shape_a = {0: (2, 3), 1: (2, 3), 2: (5, 3, 2)}.get(axes, (2, 3)) if isinstance(axes, int) else {
        str([[1], [0]]): (2, 3), str([[-1, 0], [0, -1]]): (4, 2, 3), str([0, 0]): (3, 5),
    }.get(str(axes), (5, 3, 4))  # fmt: skip
    case(
        f"tensordot {axes}",
        lambda a, b, axes=axes: T.tensordot(a, b, axes),
        lambda a, b, axes=axes: np.tensordot(a, b, axes),
        shape_a,
        shape_b,
    )
for left, right in (
    ((2,), (2,)),
    ((2, 3), (2, 3)),
    ((2, 3, 4), (2, 4)),
    ((2, 3), (2, 3, 4)),
    ((2, 3, 4), (2, 4, 5)),
    ((2, 3, 4), (2, 5, 4, 3)),
    ((2,), (2, 3, 4)),
    ((0, 3), (0, 3)),
    ((0, 3, 2), (0, 2, 3)),
):
    if left[0]:
        case("batched_dot", T.batched_dot, entries(np.dot), left, right)
    else:
        shape = (0,) if len(left) == 2 else (0, 3, 3)
        case("batched_dot", T.batched_dot, lambda a, b, n=shape: np.zeros(n), left, right)
case("batched_tensordot", lambda a, b: T.batched_tensordot(a, b, [[1, 2], [2, 1]]),
     entries(lambda a, b: np.tensordot(a, b, [[0, 1], [1, 0]])),
     (2, 3, 4, 5), (2, 4, 3))  # fmt: skip
case("batched_tensordot", lambda a, b: T.batched_tensordot(a, b, 1),
     entries(lambda a, b: np.tensordot(a, b, 1)), (2, 3, 4), (2, 4, 3))  # fmt: skip
case("batched_tensordot", T.batched_tensordot,
     entries(np.tensordot), (2, 5, 3, 4), (2, 3, 4, 6))  # fmt: skip
for shapes in (((2,), (3,)), ((2, 2), (3,)), ((), (2,)), ((0,), (2,))):
    case("outer", T.outer, np.outer, *shapes)
for shapes in (((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 3)), ((2, 3, 4), (5, 4)), ((), (3,))):
    case("inner", T.inner, np.inner, *shapes)
for shapes in (((3,), (3,)), ((2, 3), (2, 3)), ((), ()), ((2, 3), (6,))):
    case("vdot", T.vdot, np.vdot, *shapes)
for shapes in (((2,), (3,)), ((2, 3), (3, 2)), ((2,), (3, 2)), ((2, 1, 2), (3, 2)), ((), (2,))):
    case("kron", T.kron, np.kron, *shapes)
case("vecdot", T.linalg.vecdot, np.vecdot, (2, 3), (2, 3))
case("cross", T.cross, np.cross, (3,), (3,))
case("cross", T.cross, np.cross, (4, 3), (4, 3))
case("cross axis", lambda a, b: T.cross(a, b, axis=0), lambda a, b: np.cross(a, b, axis=0),
     (3, 2), (3, 2))  # fmt: skip
for n in (0, 1, 2, 3, 7, -1, -2):
    case(f"matrix_power {n}", lambda a, n=n: T.linalg.matrix_power(a, n),
         lambda a, n=n: np.linalg.matrix_power(a, n), (3, 3))  # fmt: skip
case("matrix_power 5", lambda a: T.linalg.matrix_power(a, 5),
     lambda a: np.linalg.matrix_power(a, 5), (2, 2, 2))  # fmt: skip
case("matrix_power 0", lambda a: T.linalg.matrix_power(a, 0),
     lambda a: np.linalg.matrix_power(a, 0), (2, 2, 2))  # fmt: skip
for shapes in (
    ((2, 3), (3, 4)), ((3,), (3, 4), (4,)), ((2, 3), (3, 4), (4, 2)),
    ((2, 9), (9, 1), (1, 7), (7, 2)),
):  # fmt: skip
    case("multi_dot", lambda *v: T.linalg.multi_dot(v), lambda *v: np.linalg.multi_dot(v), *shapes)
case("matrix_dot", T.linalg.matrix_dot, lambda *v: np.linalg.multi_dot(v), (2, 3), (3, 4), (4, 2))
for offset in (0, 1, -1, 2, -3, 7, -7):
    for shape in ((3, 4), (4, 3), (3, 3), (0, 3)):
        case(f"trace {offset}", lambda x, k=offset: T.trace(x, k),
             lambda x, k=offset: np.trace(x, k), shape)  # fmt: skip
case("trace axes", lambda x: T.trace(x, 1, 2, 0), lambda x: np.trace(x, 1, 2, 0), (3, 2, 4))
case("trace method", lambda x: x.trace(), np.trace, (3, 3))
SUBSCRIPTS: tuple[tuple[str, tuple[tuple[int, ...], ...]], ...] = (
    ("ij,jk->ik", ((2, 3), (3, 4))),
    ("ij,jk", ((2, 3), (3, 4))),
    ("ij,jk->ki", ((2, 3), (3, 4))),
    ("ba,cb", ((2, 3), (4, 2))),
    ("ij->ji", ((2, 3),)),
    ("ji", ((2, 3),)),
    ("ij->", ((2, 3),)),
    ("ij->j", ((2, 3),)),
    ("ii", ((3, 3),)),
    ("ii->i", ((3, 3),)),
    ("iij->ji", ((3, 3, 2),)),
    ("iii->i", ((2, 2, 2),)),
    ("ijij->", ((2, 3, 2, 3),)),
    ("i,i", ((3,), (3,))),
    ("i,j->ij", ((2,), (3,))),
    ("i,j", ((2,), (3,))),
    ("i,i->i", ((3,), (3,))),
    ("bij,bjk->bik", ((2, 3, 4), (2, 4, 2))),
    ("bij,bkj->bki", ((2, 3, 4), (2, 5, 4))),
    ("bij,bij->b", ((2, 3, 4), (2, 3, 4))),
    ("bij,jk->bik", ((2, 3, 4), (4, 2))),
    ("bhid,bhjd->bhij", ((2, 2, 3, 4), (2, 2, 5, 4))),
    ("ij,kl->", ((2, 3), (2, 2))),
    ("ij,jk,kl->il", ((2, 3), (3, 4), (4, 2))),
    ("i,ij,j->", ((2,), (2, 3), (3,))),
    ("ai,bi,ci->abc", ((2, 3), (2, 3), (4, 3))),
    ("...ij,...jk->...ik", ((2, 3, 4), (2, 4, 2))),
    ("...ij,jk", ((2, 3, 4), (4, 2))),
    ("i...->...", ((3, 2, 2),)),
    ("i...", ((3, 2),)),
    ("...,...", ((2, 3), (3,))),
    ("i...j,j->i...", ((2, 3, 4), (4,))),
    ("...->...", ((),)),
    (",->", ((), ())),
    (" i j , j k -> i k ", ((2, 3), (3, 4))),
    ("ij,ij->ij", ((0, 3), (0, 3))),
    ("ij,jk->ik", ((2, 0), (0, 3))),
)
for text, shapes in SUBSCRIPTS:
    case(f"einsum {text}", lambda *v, s=text: T.einsum(s, *v),
         lambda *v, s=text: np.einsum(s, *v), *shapes)  # fmt: skip


def drawn(shapes: tuple[tuple[int, ...], ...], dtype: str = "float64") -> list[Any]:
    return [numbers(*s, dtype=dtype, seed=i) for i, s in enumerate(shapes)]


@pytest.mark.parametrize(  # the walk over ops runs float32 natively
    ("run", "dtype"), [(interpreter, "float64"), (interpreter, "float32"), (native, "float64")]
)
@pytest.mark.parametrize("name", CASES)
def test_values(name: str, run: Any, dtype: str) -> None:
    ours, theirs, shapes = CASES[name]
    arrays = drawn(shapes, dtype)
    inputs = inputs_for(arrays)
    output = ours(*inputs)
    (found,) = run(inputs, [output])(arrays)
    expected = np.asarray(theirs(*arrays))
    assert found.dtype == dtype == output.dtype
    assert found.shape == expected.shape
    tolerance = {"float64": 1e-11, "float32": 1e-4}[dtype]
    scale = 1 + np.abs(expected).max(initial=0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("name", CASES)
def test_known_shapes(name: str) -> None:
    """The same where all lengths are known: the result's shape is, too."""
    ours, theirs, shapes = CASES[name]
    arrays = drawn(shapes)
    inputs = [TensorType("float64", a.shape).make() for a in arrays]
    output = ours(*inputs)
    expected = np.asarray(theirs(*arrays))
    for n, known in zip(expected.shape, output.type.shape, strict=True):
        assert known in (None, n)
    (found,) = interpreter(inputs, [output])(arrays)
    scale = 1 + np.abs(expected).max(initial=0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11 * scale)


@pytest.mark.parametrize("name", CASES)
def test_gradients(name: str) -> None:
    ours, _, shapes = CASES[name]
    arrays = drawn(shapes)
    inputs = inputs_for(arrays)
    check_gradient(inputs, [ours(*inputs)], arrays, range(len(arrays)), tolerance=2e-6)


@pytest.mark.parametrize("dtype", ["int8", "int32", "bool"])
@pytest.mark.parametrize(
    "name",
    ["matmul (4, 2, 3) (4, 3, 5)", "einsum bij,bjk->bik (2, 3, 4) (2, 4, 2)", "dot (2, 3, 4) (4,)",
     "einsum ij->j (2, 3)", "batched_dot (2, 3) (2, 3)"],
)  # fmt: skip
def test_integers_keep_their_dtype(name: str, dtype: str) -> None:
    ours, theirs, shapes = CASES[name]
    arrays = [numbers(*s, dtype=dtype, seed=i) for i, s in enumerate(shapes)]
    found = wb.function(inputs := inputs_for(arrays), ours(*inputs))(*arrays)
    expected = np.asarray(theirs(*arrays))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected.astype(dtype))


@pytest.mark.parametrize(
    "name", ["vdot (2, 3) (2, 3)", "vecdot (2, 3) (2, 3)", "inner (2, 3) (3,)",
             "matmul (4, 2, 3) (4, 3, 5)", "einsum ij,jk->ik (2, 3) (3, 4)"],
)  # fmt: skip
def test_complex_numbers(name: str) -> None:
    ours, theirs, shapes = CASES[name]
    arrays = drawn(shapes, "complex128")
    inputs = inputs_for(arrays)
    (found,) = interpreter(inputs, [ours(*inputs)])(arrays)
    np.testing.assert_allclose(found, theirs(*arrays), rtol=1e-12)


@pytest.mark.parametrize("seed", range(40))
def test_random_einsum(seed: int) -> None:
    """Any labels in any places: repeated, summed, kept, in up to four operands."""
    rng = np.random.default_rng(seed)
    lengths = dict(zip("abcde", rng.integers(0 if seed % 5 == 0 else 1, 4, 5), strict=True))
    parts = ["".join(rng.choice(list("abcde"), rng.integers(0, 4))) for _ in range(1 + seed % 4)]
    known = sorted(set("".join(parts)))
    result = "".join(rng.permutation(known)[: rng.integers(0, len(known) + 1)])
    text = ",".join(parts) + ("->" + result if seed % 3 else "")
    arrays = drawn(tuple(tuple(int(lengths[c]) for c in part) for part in parts))
    inputs = inputs_for(arrays)
    (found,) = interpreter(inputs, [T.einsum(text, *inputs)])(arrays)
    np.testing.assert_allclose(found, np.einsum(text, *arrays), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("optimize", [True, False])
def test_einsum_in_either_order(optimize: bool) -> None:
    arrays = drawn(((2, 3), (3, 4), (4, 2)))
    inputs = inputs_for(arrays)
    out = T.einsum("ij,jk,kl->li", *inputs, optimize=optimize)
    (found,) = interpreter(inputs, [out])(arrays)
    np.testing.assert_allclose(found, np.einsum("ij,jk,kl->li", *arrays), rtol=1e-12)


def kinds(output: Any) -> list[type]:
    return [type(node.op) for node in toposort([output])]


def test_a_stack_times_one_matrix_is_one_product():
    assert BatchedDot not in kinds(T.dtensor3() @ T.dmatrix())
    assert kinds(T.dtensor3() @ T.dmatrix()).count(Dot) == 1
    assert BatchedDot in kinds(T.dtensor3() @ T.dtensor3())


def test_lengths_of_one_broadcast_where_the_type_says_so():
    a = TensorType("float64", (1, None, None)).make()
    b = T.dtensor3()
    x, y = numbers(1, 2, 3), numbers(4, 3, 2)
    for f in (lambda a, b: a @ b, lambda a, b: T.einsum("bij,bjk->bik", a, b)):
        out = f(a, b)
        np.testing.assert_allclose(wb.function([a, b], out)(x, y), x @ y, rtol=1e-12)
        check_gradient([a, b], [out], [x, y], (0, 1), tolerance=1e-6)
    with pytest.raises(ShapeError):
        wb.function([b, c := T.dtensor3()], b @ c)(x, y)


def test_a_static_order_needs_less_work():
    """(1000 × 2)(2 × 1000)(1000 × 1): the last two first."""
    shapes = ((1000, 2), (2, 1000), (1000, 1))
    inputs = [TensorType("float64", s).make() for s in shapes]
    products = [n for n in toposort([T.linalg.multi_dot(inputs)]) if isinstance(n.op, Dot)]
    assert products[0].out.type.shape == (2, 1)
    for text in ("ij,jk,kl->il",):
        out = T.einsum(text, *inputs)
        sizes = [n.out.type.shape for n in toposort([out]) if isinstance(n.op, Dot)]
        assert sizes[0] == (2, 1)


def test_a_batched_product_in_a_loop():
    """Its views and checks leave the loop; its values are the interpreter's."""
    a, x = T.dtensor3("a"), T.dtensor3("x")
    states = wb.scan(lambda s, a: T.tanh(T.batched_dot(a, s)), outputs_info=x, non_sequences=a,
                     n_steps=4)[0]  # fmt: skip
    arrays = [numbers(2, 3, 3, low=-1, high=1), numbers(2, 3, 2)]
    expected = interpreter([a, x], [states])(arrays)[0]
    np.testing.assert_allclose(wb.function([a, x], states)(*arrays), expected, rtol=1e-12)


def test_strided_operands():
    """Views go to BLAS as they are, or are copied one by one."""
    a = T.dtensor4("a")
    out = T.batched_dot(a[:, ::2, :, 0], a.dimshuffle(0, 2, 1, 3)[:, :, ::-1, 1])
    x = numbers(3, 4, 5, 2)
    expected = x[:, ::2, :, 0] @ np.transpose(x, (0, 2, 1, 3))[:, :, ::-1, 1]
    np.testing.assert_allclose(wb.function([a], out)(x), expected, rtol=1e-12)


def test_optimised_products_stay_native():
    a, b = T.dtensor3(), T.dtensor3()
    out = optimise([T.tanh(a @ b) + 1]).outputs
    assert BatchedDot in kinds(out[0])


x3, y3, m, v = T.dtensor3("x"), T.dtensor3("y"), T.dmatrix("m"), T.dvector("v")
row = TensorType("float64", (2, 3)).make(name="row")
REFUSED: list[tuple[Callable[[], Any], type[Exception]]] = [
    (lambda: T.dscalar() @ v, RankError),
    (lambda: T.batched_dot(T.dscalar(), v), RankError),
    (lambda: row @ row, ShapeError),
    (lambda: T.tensordot(m, m, 3), RankError),
    (lambda: T.tensordot(m, m, -1), RankError),
    (lambda: T.tensordot(m, m, [[0, 1], [0]]), RankError),
    (lambda: T.tensordot(m, m, [[0, 0], [0, 1]]), RankError),
    (lambda: T.tensordot(m, m, [[2], [0]]), RankError),
    (lambda: T.tensordot(m, m, "ab,"), GraphError),
    (lambda: T.tensordot(row, row, 1), ShapeError),
    (lambda: T.batched_dot(row, TensorType("float64", (3, 3)).make()), ShapeError),
    (lambda: T.cross(row, TensorType("float64", (2, 2)).make()), ShapeError),
    (lambda: T.linalg.matrix_power(m, 0.5), GraphError),
    (lambda: T.linalg.matrix_power(v, 2), RankError),
    (lambda: T.linalg.matrix_power(row, 2), ShapeError),
    (lambda: T.linalg.multi_dot([m]), UsageError),
    (lambda: T.linalg.multi_dot([m, x3]), RankError),
    (lambda: T.linalg.matrix_dot(), UsageError),
    (lambda: T.trace(v), RankError),
    (lambda: T.trace(m, axis1=1), RankError),
    (lambda: T.einsum("ij,jk", m), UsageError),
    (lambda: T.einsum("ij->ik", m), UsageError),
    (lambda: T.einsum("ij->ii", m), UsageError),
    (lambda: T.einsum("ijk", m), RankError),
    (lambda: T.einsum("i", m), RankError),
    (lambda: T.einsum("i1", m), UsageError),
    (lambda: T.einsum("...i->i", x3), UsageError),
    (lambda: T.einsum(m, m), UsageError),
    (lambda: T.einsum("ij,ij", row, TensorType("float64", (3, 2)).make()), ShapeError),
    (lambda: T.einsum("ii", row), ShapeError),
    (lambda: BatchedDot()(v, m), RankError),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_does_not_fit_is_refused(number: int) -> None:
    make, kind = REFUSED[number]
    with pytest.raises(kind) as refusal:
        make()
    assert refusal.value.advice  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("make", "arrays"),
    [
        (lambda a, b: T.batched_dot(a, b), (numbers(2, 3, 4), numbers(2, 3, 4))),
        (lambda a, b: T.batched_dot(a, b), (numbers(2, 3, 4), numbers(3, 4, 2))),
        (lambda a, b: T.dot(a, b), (numbers(2, 3, 4), numbers(3, 5, 2))),
        (lambda a, b: T.einsum("ij,kj->ik", a, b), (numbers(2, 3), numbers(2, 4))),
        (lambda a, b: T.einsum("ii,jj", a, b), (numbers(2, 3), numbers(2, 2))),
    ],
)
def test_lengths_that_differ_when_it_runs(make: Any, arrays: Any) -> None:
    inputs = inputs_for(arrays)
    f = wb.function(inputs, make(*inputs))
    with pytest.raises(ShapeError):
        f(*arrays)
