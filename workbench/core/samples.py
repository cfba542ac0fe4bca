"""Sample uses of every op, for the tests' walk: how a node is made, of what arrays, and what NumPy
says it gives.

A scalar op declares its domain and NumPy's function itself (`ScalarOp`); `scalar_reference` has an
independent one where that function is our own. Every other op class has an entry here; a test fails
a class without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Op
from workbench.core.inner import InnerGraph
from workbench.core.ops import (
    create,
    gradient_control,
    index,
    indexing,
    linalg,
    nnet,
    reduce,
    scalars,
    shape,
)
from workbench.core.ops.elementwise import Composite, Elemwise, ScalarOp
from workbench.core.ops.loop import Loop, LoopResult
from workbench.core.scalar import ScalarBuilder
from workbench.core.scan.op import Scan
from workbench.core.types import TensorType
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


def _of(
    *kinds: type[Op],
) -> Callable[[Callable[[], Iterator[Sample]]], Callable[[], Iterator[Sample]]]:
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


# Elementwise: plain ops are walked by their own declarations; here, what has more than one result


@_of(Elemwise)
def _elementwise() -> Iterator[Sample]:
    b = ScalarBuilder(("float64", "float64"))
    total = b.prim("add", "float64", 0, 1)
    fused = b.program(total, b.prim("mul", "float64", total, 0))
    arrays = (numbers(3, 4), numbers(4, seed=1))
    yield Sample(
        "composite",
        Elemwise(Composite(fused, "two results")),
        arrays,
        lambda x, y: [x + y, (x + y) * x],
    )
    for to in ("bool", "int8", "uint16", "int64", "float32", "complex64"):
        yield Sample(
            f"cast to {to}",
            Elemwise(scalars.Cast(to)),
            (numbers(3, 4, low=0),),
            lambda x, to=to: x.astype(to),
        )


@_of(Loop)
def _loop() -> Iterator[Sample]:
    b = ScalarBuilder(("float64", "float64"))
    product = b.prim("mul", "float64", 0, 1)
    program = b.program(product, product, product)
    results = (
        LoopResult(None, "float64"),
        LoopResult("add", "float64", "float64"),
        LoopResult("maximum", "float64", "float64"),
    )
    yield Sample(
        "product, its sum and its maximum",
        Loop(program, results, (1,), 2),
        (numbers(3, 5), numbers(5, seed=1)),
        lambda x, y: [x * y, (x * y).sum(1), (x * y).max(1)],
        ulp=8,
    )


# Reductions

_AXES: tuple[tuple[int, ...], ...] = ((0,), (1,), (2,), (0, 2), (1, 2), (0, 1, 2))


def _reductions(
    kind: Any,
    function: Any,
    dtypes: Sequence[str],
    ulp: float,
    smooth: bool = True,
    out: Callable[[str], str] = str,
    shapes: Sequence[tuple[int, ...]] = ((2, 3, 4),),
) -> Iterator[Sample]:
    for dtype in dtypes:
        for lengths in shapes if dtype == "float64" else shapes[:1]:
            for axes in _AXES if dtype == "float64" else _AXES[2:4]:
                x = numbers(*lengths, dtype=dtype, low=0.5 if kind is reduce.Prod else -3, high=1.5)
                acc = {"float32": "float64", "complex64": "complex128"}.get(dtype, out(dtype))
                to = out(dtype)
                yield Sample(
                    f"{dtype} {lengths} over {axes}",
                    kind(axes),
                    (x,),
                    lambda x, axes=axes, acc=acc, to=to: np.asarray(
                        function(x.astype(acc), axis=axes), to
                    ),
                    ulp,
                    (0,) if smooth and dtype == "float64" and x.size else (),
                )


_NUMBERS = ("bool", "int8", "uint16", "int64", "uint64", "float32", "float64")
_EMPTIES = ((2, 3, 4), (2, 0, 4), (0, 3, 1))


def _wide(dtype: str) -> str:
    return dtype if dtype[0] in "fc" else "uint64" if dtype[0] == "u" else "int64"


@_of(reduce.Sum)
def _sum() -> Iterator[Sample]:
    yield from _reductions(
        reduce.Sum, np.add.reduce, (*_NUMBERS, "complex64"), 16, out=_wide, shapes=_EMPTIES
    )


@_of(reduce.Prod)
def _prod() -> Iterator[Sample]:
    yield from _reductions(
        reduce.Prod, np.multiply.reduce, (*_NUMBERS, "complex128"), 16, out=_wide, shapes=_EMPTIES
    )
    for zeros in (1, 2):
        x = numbers(3, 4, low=0.5)
        x[1, :zeros] = 0
        yield Sample(f"with {zeros} zeros", reduce.Prod((1,)), (x,), lambda x: x.prod(1), 4, (0,))


@_of(reduce.Max)
def _max() -> Iterator[Sample]:
    yield from _reductions(reduce.Max, np.maximum.reduce, _NUMBERS, 0)
    yield Sample("nan", reduce.Max((0,)), (np.array([1, np.nan, np.inf]),), np.max)


@_of(reduce.Min)
def _min() -> Iterator[Sample]:
    yield from _reductions(reduce.Min, np.minimum.reduce, _NUMBERS, 0)
    yield Sample("nan", reduce.Min((0,)), (np.array([1, np.nan, -np.inf]),), np.min)


@_of(reduce.All)
def _all() -> Iterator[Sample]:
    yield from _reductions(
        reduce.All, np.logical_and.reduce, _NUMBERS, 0, False, lambda _: "bool", _EMPTIES
    )


@_of(reduce.Any_)
def _any() -> Iterator[Sample]:
    yield from _reductions(
        reduce.Any_, np.logical_or.reduce, _NUMBERS, 0, False, lambda _: "bool", _EMPTIES
    )


@_of(reduce.Argmax)
def _argmax() -> Iterator[Sample]:
    for dtype in _NUMBERS:
        for axis in (0, 1):
            yield Sample(
                f"{dtype} along {axis}",
                reduce.Argmax(axis),
                (numbers(3, 4, dtype=dtype),),
                lambda x, axis=axis: np.argmax(x, axis),
            )
    yield Sample(
        "first of equals, first nan",
        reduce.Argmax(1),
        (np.array([[1.0, 2, 2], [1, np.nan, np.nan]]),),
        lambda x: np.argmax(x, 1),
    )


# Shapes


@_of(shape.Dimension)
def _dimension() -> Iterator[Sample]:
    for axis in (0, 1):
        yield Sample(
            f"axis {axis}",
            shape.Dimension(axis),
            (numbers(3, 0),),
            lambda x, axis=axis: np.array(x.shape[axis]),
        )


@_of(shape.MakeVector)
def _make_vector() -> Iterator[Sample]:
    yield Sample(
        "integers",
        shape.MakeVector(),
        tuple(np.array(i) for i in (3, -1, 5)),
        lambda *v: np.array(v),
    )
    yield Sample(
        "floats",
        shape.MakeVector("float64"),
        (np.array(1.5), np.array(2, "int8")),
        lambda *v: np.array(v),
        smooth=(0,),
    )
    yield Sample("none", lambda: shape.MakeVector()(), (), lambda: np.empty(0, "int64"))


@_of(shape.DimShuffle)
def _dimshuffle() -> Iterator[Sample]:
    for order in ((1, 0, 2), ("x", 2, 0, "x", 1), (2, 1, 0)):
        axes = [i for i in order if i != "x"]
        new = tuple(i for i, a in enumerate(order) if a == "x")
        yield Sample(
            str(order),
            shape.DimShuffle(order),
            (numbers(2, 3, 4),),
            lambda x, axes=axes, new=new: np.expand_dims(x.transpose(axes), new),
            smooth=(0,),
        )
    yield Sample(
        "drop",
        lambda x: shape.DimShuffle((1,))(shape.addbroadcast(x, 0)),
        (numbers(1, 3),),
        lambda x: x[0],
        smooth=(0,),
    )
    yield Sample(
        "of a scalar",
        shape.DimShuffle(("x", "x")),
        (numbers(),),
        lambda x: x.reshape(1, 1),
        smooth=(0,),
    )


@_of(shape.Reshape)
def _reshape() -> Iterator[Sample]:
    for old, new in (
        ((2, 6), (3, 4)),
        ((2, 6), (-1,)),
        ((2, 6), (2, -1, 3)),
        ((0, 3), (3, 0)),
        ((1,), ()),
        ((), (1, 1)),
    ):
        yield Sample(
            f"{old} to {new}",
            lambda x, new=new: shape.reshape(x, new),
            (numbers(*old),),
            lambda x, new=new: x.reshape(new),
            smooth=(0,),
        )
    yield Sample(
        "lengths that are inputs",
        lambda x, n: shape.reshape(x, (n, -1)),
        (numbers(2, 6), np.array(4)),
        lambda x, n: x.reshape(n, -1),
        smooth=(0,),
    )


@_of(shape.Alloc)
def _alloc() -> Iterator[Sample]:
    yield Sample(
        "a scalar",
        lambda v: shape.alloc(v, 2, 3),
        (numbers(),),
        lambda v: np.full((2, 3), v),
        smooth=(0,),
    )
    yield Sample(
        "a vector",
        lambda v, n: shape.alloc(v, n, 3),
        (numbers(3), np.array(2)),
        lambda v, n: np.broadcast_to(v, (n, 3)),
        smooth=(0,),
    )
    yield Sample(
        "a column",
        lambda v: shape.alloc(shape.addbroadcast(v, 1), 2, 3),
        (numbers(2, 1),),
        lambda v: np.broadcast_to(v, (2, 3)),
        smooth=(0,),
    )
    yield Sample(
        "nothing",
        lambda v, n: shape.alloc(v, n, 3),
        (numbers(), np.array(0)),
        lambda v, n: np.empty((0, 3)),
    )


@_of(shape.Join)
def _join() -> Iterator[Sample]:
    for axis in (0, 1):
        lengths = [(2, 3), (2, 3), (2, 3)]
        yield Sample(
            f"along {axis}",
            shape.Join(axis),
            tuple(numbers(*n, seed=i) for i, n in enumerate(lengths)),
            lambda *v, axis=axis: np.concatenate(v, axis),
            smooth=(0, 1, 2),
        )
    yield Sample(
        "of dtypes",
        shape.Join(0),
        (numbers(2), numbers(0, dtype="int8"), numbers(3, dtype="int32")),
        lambda *v: np.concatenate(v),
        smooth=(0,),
    )
    yield Sample(
        "with a new axis",
        lambda x, s: shape.join(0, x, shape.dimshuffle(s, ["x"])),
        (numbers(3), numbers()),
        lambda x, s: np.append(x, s),
        smooth=(0, 1),
    )


@_of(shape.SpecifyBroadcast)
def _specify() -> Iterator[Sample]:
    yield Sample(
        "a row",
        lambda x: shape.specify_shape(x, (1, None)),
        (numbers(1, 3),),
        lambda x: x,
        smooth=(0,),
    )


# Indexing

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


@_of(index.Subtensor)
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


@_of(index.IncSubtensor)
def _inc_subtensor() -> Iterator[Sample]:
    yield from _changes(_INDICES, False)
    yield from _changes(_INDICES, True)


@_of(index.AdvancedSubtensor)
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


@_of(index.AdvancedIncSubtensor)
def _advanced_inc() -> Iterator[Sample]:
    yield from _changes(_ADVANCED[:-2], False)
    yield from _changes(_ADVANCED[:-2], True)


@_of(index.Nonzero)
def _nonzero() -> Iterator[Sample]:
    why = "how long the result is only running tells"
    yield Sample(
        "matrix",
        index.Nonzero(),
        (numbers(3, 4, dtype="int8", low=-0.3, high=0.3),),
        np.nonzero,
        native=why,
    )
    yield Sample(
        "mask",
        lambda x, m: x[m],
        (numbers(3, 4), numbers(3, 4, dtype="bool")),
        lambda x, m: x[m],
        smooth=(0,),
        native=why,
    )
    yield Sample(
        "mask of rows",
        lambda x, m: x[m],
        (numbers(3, 4), numbers(3, dtype="bool")),
        lambda x, m: x[m],
        smooth=(0,),
        native=why,
    )


# Products


@_of(linalg.Dot)
def _dot() -> Iterator[Sample]:
    for a, b in (
        ((3, 4), (4, 2)),
        ((3, 4), (4,)),
        ((4,), (4, 2)),
        ((4,), (4,)),
        ((0, 3), (3, 2)),
        ((2, 0), (0, 3)),
        ((0,), (0,)),
        ((1, 1), (1, 1)),
    ):
        for dtype in ("float64", "float32"):
            yield Sample(
                f"{dtype} {a} {b}",
                linalg.Dot(),
                (numbers(*a, dtype=dtype), numbers(*b, dtype=dtype, seed=1)),
                np.dot,
                32,
                (0, 1) if dtype == "float64" else (),
            )
    for left, right in (
        ("int8", "int8"),
        ("int32", "float32"),
        ("bool", "bool"),
        ("complex64", "complex64"),
        ("float32", "float64"),
    ):
        yield Sample(
            f"{left} {right}",
            linalg.Dot(),
            (numbers(3, 4, dtype=left), numbers(4, 2, dtype=right)),
            lambda a, b: np.dot(*(v.astype(np.result_type(a, b)) for v in (a, b))),
            32,
        )


def _blas(kind: Any, *lengths: tuple[int, ...]) -> Iterator[Sample]:
    for dtype in ("float64", "float32"):
        for alpha, beta in ((1.0, 0.0), (-0.5, 1.0), (2.0, -1.5), (0.0, 2.0)):
            z, a, b = (numbers(*n, dtype=dtype, seed=i) for i, n in enumerate(lengths))
            scale = np.array(alpha, dtype), np.array(beta, dtype)
            yield Sample(
                f"{dtype} {alpha} {beta}",
                kind(),
                (z, scale[0], a, b, scale[1]),
                lambda z, alpha, a, b, beta: beta * z + alpha * (a @ b),
                64,
            )
    nan = np.full(lengths[0], np.nan)
    yield Sample(
        "beta 0 forgets nan",
        kind(),
        (nan, np.array(1.0), numbers(*lengths[1]), numbers(*lengths[2]), np.array(0.0)),
        lambda z, alpha, a, b, beta: a @ b,
        32,
    )


@_of(linalg.Gemv)
def _gemv() -> Iterator[Sample]:
    yield from _blas(linalg.Gemv, (3,), (3, 4), (4,))


@_of(linalg.Gemm)
def _gemm() -> Iterator[Sample]:
    yield from _blas(linalg.Gemm, (3, 2), (3, 4), (4, 2))


@_of(linalg.Ger)
def _ger() -> Iterator[Sample]:
    yield Sample(
        "ger",
        linalg.Ger(),
        (numbers(3, 2), np.array(0.5), numbers(3), numbers(2)),
        lambda a, alpha, x, y: a + alpha * np.outer(x, y),
        4,
    )


# Arrays from numbers


@_of(create.ARange)
def _arange() -> Iterator[Sample]:
    for start, stop, step in ((0, 5, 1), (5, 0, -2), (3, 3, 1), (5, 0, 1), (-3, 10, 4)):
        numbers_ = tuple(np.array(v) for v in (start, stop, step))
        yield Sample(
            f"{start} {stop} {step}",
            create.ARange("int64"),
            numbers_,
            lambda a, b, c: np.arange(a, b, c),
        )
    yield Sample(
        "floats",
        create.ARange("float64"),
        tuple(np.array(v) for v in (0.5, 3.2, 0.7)),
        lambda a, b, c: np.arange(a, b, c),
        1,
        (0, 2),
    )


@_of(create.Eye)
def _eye() -> Iterator[Sample]:
    for n, m, k in ((3, 3, 0), (3, 4, 1), (4, 2, -2), (0, 2, 0), (2, 2, 5)):
        yield Sample(
            f"{n} {m} {k}",
            create.Eye("float32"),
            tuple(np.array(v) for v in (n, m, k)),
            lambda n, m, k: np.eye(n, m, k, dtype="float32"),
        )


# Neural networks


@_of(nnet.Softmax)
def _softmax() -> Iterator[Sample]:
    import scipy.special

    yield from _along(nnet.Softmax, scipy.special.softmax)


@_of(nnet.LogSoftmax)
def _log_softmax() -> Iterator[Sample]:
    import scipy.special

    yield from _along(nnet.LogSoftmax, scipy.special.log_softmax)


def _along(kind: Any, function: Any) -> Iterator[Sample]:
    for dtype in ("float64", "float32"):
        for axis in (0, 1):
            yield Sample(
                f"{dtype} {axis}",
                kind(axis),
                (numbers(3, 4, dtype=dtype),),
                lambda x, axis=axis: function(x, axis=axis),
                8,
                (0,) if dtype == "float64" else (),
            )
    yield Sample(
        "large", kind(0), (np.array([1000.0, 0, -1000]),), lambda x: function(x, axis=0), 8
    )
    yield Sample("empty", kind(1), (numbers(0, 3),), lambda x: x)
    yield Sample(
        "integers",
        kind(0),
        (numbers(4, dtype="int32"),),
        lambda x: function(x.astype("float64"), axis=0),
        8,
    )


# What only gradients see


@_of(gradient_control.GradientControl)
def _control() -> Iterator[Sample]:
    for made in (gradient_control.disconnected_grad, gradient_control.zero_grad):
        yield Sample(made.__name__, made, (numbers(3),), lambda x: x)
    yield Sample("clip", lambda x: gradient_control.grad_clip(x, -1, 1), (numbers(3),), lambda x: x)
    yield Sample(
        "scale",
        lambda x: gradient_control.grad_scale(x, 1),
        (numbers(3),),
        lambda x: x,
        smooth=(0,),
    )


# Loops


@_of(Scan)
def _scan() -> Iterator[Sample]:
    vector = TensorType("float64", (None,))
    row, state, weight = (
        vector.make(name="row"),
        vector.make(name="state"),
        vector.make(name="weight"),
    )
    inner = InnerGraph((row, state, weight), (scalars.tanh(row * weight + state), row + state))  # type: ignore[operator]
    op = Scan(inner, ((0,),), ((-1,),), 1, 0, False, (None, None))

    def loop(n: Any, rows: Any, start: Any, weight: Any) -> Any:
        state, states, maps = start[-1], [], []
        for t in range(int(n)):
            maps.append(rows[t] + state)
            state = np.tanh(rows[t] * weight + state)
            states.append(state)
        return [np.stack(states), np.stack(maps)]

    yield Sample(
        "a state and a map",
        op,
        (np.array(3), numbers(4, 2), numbers(1, 2), numbers(2)),
        loop,
        16,
        (1, 2, 3),
    )
