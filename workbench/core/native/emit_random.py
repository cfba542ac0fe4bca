"""Draws from a Mersenne Twister: the state is copied once, then the routines of `draws` change the
copy number by number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np

from workbench.core.graph import Apply, Op, Variable
from workbench.core.native.convert import convert
from workbench.core.native.count_draws import KEPT
from workbench.core.native.emit_loops import spread
from workbench.core.native.routine import DOUBLE, I1, I32, I64, POINTER
from workbench.core.native.ssa import Type, Value, scalar_type
from workbench.core.native.target import NoNativeForm
from workbench.core.native.tensor import Name, Tensor
from workbench.core.native.writer import RELEASE_ABOVE, Emitter, Writer
from workbench.core.ops import random, random_rows
from workbench.core.random.state import KEY, LENGTH, POSITION
from workbench.core.types import Shape

LARGEST_MEAN = 2.0**63 - 2.0**31.5 * 10  # NumPy's: ten deviations below the largest integer
EPS = float(np.finfo("float64").eps)


def emit_draw(w: Writer, node: Apply) -> None:
    """Numbers that are drawn one by one."""
    draw, state, parameters, lengths = _open(w, node)
    out = w.allocate(node.outputs[1], lengths)
    if type(draw) is random.Uniform and lengths and not any(p.ndim for p in parameters):
        _many_uniforms(w, draw, state, parameters, out)
    else:
        _one_by_one(w, draw, state, parameters, out)
    w.bind(node.outputs[1], out)


def _open(w: Writer, node: Apply) -> tuple[random.Draw, Tensor, list[Tensor], list[Name]]:
    """The op, a copy of the state that is the new one, the parameters, the lengths of the sample's
    axes.
    """
    draw = node.op
    assert isinstance(draw, random.Draw)
    given, parameters, lengths = draw.split(node.inputs)
    old = w.tensor(given)
    w.same(old.dims[0], str(LENGTH))
    state = w.allocate(node.outputs[0], [str(LENGTH)])
    if state.data != old.data:  # a loop has it written over
        w.copy(old, state)
    place = w.offset(state.data or "null", str(4 * POSITION))
    position = w.code.put(I32, f"load i32, ptr {place}")
    w.require(position.compare("ule", KEY).name, w.code)
    w.bind(node.outputs[0], state)
    dims = sample_dims(w, draw.static, lengths)
    release_if_many(w, dims)
    return draw, state, [w.tensor(v) for v in parameters], dims


def sample_dims(w: Writer, static: Shape, lengths: Sequence[Variable]) -> list[Name]:
    """The lengths of a sample's axes; requires them not to be negative."""
    dims = [str(n) if n is not None else w.index(v) for n, v in zip(static, lengths, strict=False)]
    for n in dims:
        if not n.isdigit():
            w.require(w.compare("sge", n, "0"))
    return dims


def release_if_many(w: Writer, dims: Sequence[Name]) -> None:
    """The GIL is given up where much is drawn."""
    if w.depth or not dims:
        return
    much, go_on = w.label("much"), w.label("draw")
    many = w.compare("sgt", w.multiply(*dims), str(RELEASE_ABOVE))
    w.code.line(f"br i1 {many}, label %{much}, label %{go_on}")
    w.start_block(much)
    w.code.line("call void @wb.release(ptr %ctx)")
    w.code.line(f"br label %{go_on}")
    w.start_block(go_on)


def _many_uniforms(
    w: Writer, draw: random.Draw, state: Tensor, parameters: Sequence[Tensor], out: Tensor
) -> None:
    """Blocks of numbers by vector instructions."""
    w.has_loops = True
    low, high = (convert(w.scalar(p), p.dtype, "float64") for p in parameters)
    _check(w, draw, (low, high))
    width = high - low
    suffix = Type(scalar_type(draw.dtype)).suffix
    count = w.multiply(*out.dims)
    w.code.line(
        f"call void @wb.mt.uniforms.{suffix}(ptr {state.data}, ptr {out.data}, i64 {count}, "
        f"{low.typed}, {width.typed})"
    )


def _one_by_one(
    w: Writer, draw: random.Draw, state: Tensor, parameters: Sequence[Tensor], out: Tensor
) -> None:
    """One call of the routine for each element, in C order."""
    kept = [_kept(w)] if isinstance(draw, random.Binomial) else []
    kinds = ["int64" if name in draw.whole else "float64" for name in draw.parameters]
    result = I64 if draw.drawn == "int64" else DOUBLE
    fixed = [
        None if p.ndim else convert(w.scalar(p), p.dtype, kind)
        for p, kind in zip(parameters, kinds, strict=True)
    ]
    if all(value is not None for value in fixed):
        _check(w, draw, [v for v in fixed if v is not None])
        dims, space = [w.multiply(*out.dims)], parameters
        target = w.array(out.dtype, dims, out.data or "null", out.buffer)
    else:
        _fit(w, parameters, out.dims)
        dims, target = list(out.dims), out
        space = [spread(p, out.dims) for p in parameters]
    with over(w, dims) as at:
        given = [
            convert(w.scalar(element(w, p, at)), p.dtype, kind)
            if value is None
            else Value(w.code, value.type, value.name)
            for value, p, kind in zip(fixed, space, kinds, strict=True)
        ]
        if None in fixed:
            _check(w, draw, given)
        number = _call(w, draw.method, result, state, *kept, *given)
        put(w, number, draw.drawn, element(w, target, at))


def _fit(w: Writer, parameters: Sequence[Tensor], dims: Sequence[Name]) -> None:
    """Parameters are as long as the sample where they are not spread."""
    for p in parameters:
        for mine, wanted in zip(reversed(p.dims), reversed(dims), strict=False):
            if mine != "1":
                w.same(mine, wanted)


@contextmanager
def over(w: Writer, dims: Sequence[Name]) -> Iterator[list[Name]]:
    """Loops over a space; gives their counters."""
    with ExitStack() as stack:
        yield [stack.enter_context(w.counted(n)) for n in dims]


def element(w: Writer, tensor: Tensor, at: Sequence[Name]) -> Tensor:
    """tensor[at], over the axes that are left."""
    depth = len(at)
    offset: Name = "0"
    for i, step in zip(at, tensor.strides, strict=False):
        offset = w.integer("add", offset, w.integer("mul", i, step))
    data = w.offset(tensor.data, offset) if tensor.data is not None else None
    return tensor.view(data, tensor.dims[depth:], tensor.strides[depth:])


def put(w: Writer, number: Value, drawn: str, into: Tensor) -> None:
    """A number in its place, cast to what is wanted."""
    w.store_scalar(convert(number, drawn, into.dtype), into.data or "null")


def _call(w: Writer, name: str, result: Type, state: Tensor, *given: Value) -> Value:
    arguments = ", ".join([f"ptr {state.data}", *(v.typed for v in given)])
    return w.code.put(result, f"call {result.text} @wb.mt.{name}({arguments})")


def _run(w: Writer, name: str, state: Tensor, *given: Value) -> None:
    arguments = ", ".join([f"ptr {state.data}", *(v.typed for v in given)])
    w.code.line(f"call void @wb.mt.{name}({arguments})")


def _at(w: Writer, tensor: Tensor) -> Value:
    return Value(w.code, POINTER, tensor.data or "null")


def _number(w: Writer, name: Name) -> Value:
    return Value(w.code, I64, name)


def _kept(w: Writer) -> Value:
    """Memory in which binomial draws keep what they computed for one n and p: for none yet."""
    place = w.alloca(f"[{KEPT} x double]", "kept")
    second = w.code.put(POINTER, f"getelementptr double, ptr {place}, i64 1")
    w.code.line(f"store double {DOUBLE.literal(math.nan)}, {second.typed}")
    return Value(w.code, POINTER, place)


def emit_permutation(w: Writer, node: Apply) -> None:
    """Each row shuffled where it is to be."""
    draw, state, _, lengths = _open(w, node)
    count = str(draw.static[-1]) if draw.static[-1] is not None else w.index(node.inputs[1])
    if not count.isdigit():
        w.require(w.compare("sge", count, "0"))
    out = w.allocate(node.outputs[1], [*lengths, count])
    suffix = Type(scalar_type(out.dtype)).suffix
    with over(w, lengths) as at:
        row = element(w, out, at)
        _run(w, f"shuffle.{suffix}", state, _at(w, row), _number(w, count))
    w.bind(node.outputs[1], out)


def emit_choice(w: Writer, node: Apply) -> None:
    """With replacement integers below a; without the first of them, shuffled."""
    draw, state, _, lengths = _open(w, node)
    assert isinstance(draw, random_rows.Choice)
    a = _number(w, w.index(node.inputs[1]))
    w.require(w.compare("sge", a.name, "1"))
    out = w.allocate(node.outputs[1], lengths)
    if not draw.replace:
        _first_of_all(w, state, a, out)
        w.bind(node.outputs[1], out)
        return
    with over(w, lengths) as at:
        here = Value(w.code, I64, a.name)
        number = _call(w, "below", I64, state, here - 1)
        put(w, number, "int64", element(w, out, at))
    w.bind(node.outputs[1], out)


def _first_of_all(w: Writer, state: Tensor, a: Value, out: Tensor) -> None:
    """The numbers below a in random order, as many as there is place for."""
    count = w.multiply(*out.dims)
    w.require(w.compare("sge", a.name, count))
    order = w.scratch("int64", [a.name])
    _run(w, "shuffle.i64", state, _at(w, order), a)
    taken = w.array("int64", [count], order.data or "null", order.buffer)
    w.copy(taken, w.array(out.dtype, [count], out.data or "null", out.buffer))


def emit_weighted_choice(w: Writer, node: Apply) -> None:
    """With replacement: a uniform number's place among the probabilities, added up."""
    if not node.op.replace:  # type: ignore[attr-defined]  # a WeightedChoice has it
        raise NoNativeForm("a weighted choice without replacement", "any dtype")
    _, state, (p,), lengths = _open(w, node)
    count = p.dims[0]
    w.require(w.compare("sge", count, "1"))
    steps = w.scratch("float64", [count])
    w.copy(p, steps)
    total = _running_sums(w, steps, count)
    error = abs(total - 1.0)
    w.require(error.le(math.sqrt(np.finfo(p.dtype).eps if p.dtype[0] == "f" else EPS)).name, w.code)
    with w.counted(count) as i:
        place = element(w, steps, [i])
        share = w.scalar(place) / Value(w.code, DOUBLE, total.name)
        w.store_scalar(share, place.data or "null")
    out = w.allocate(node.outputs[1], lengths)
    with over(w, lengths) as at:
        u = _call(w, "double", DOUBLE, state)
        number = _call(w, "place", I64, steps, _number(w, count), u)
        put(w, number, "int64", element(w, out, at))
    w.bind(node.outputs[1], out)


def _running_sums(w: Writer, steps: Tensor, count: Name) -> Value:
    """Each number replaced by its sum with those before it; none may be negative. Gives the
    total.
    """
    so_far = w.alloca("double", "total")
    w.code.line(f"store double 0.0, ptr {so_far}")
    with w.counted(count) as i:
        place = element(w, steps, [i])
        own = w.scalar(place)
        w.require(own.ge(0.0).name, w.code)
        total = w.code.put(DOUBLE, f"load double, ptr {so_far}") + own
        w.store_scalar(total, so_far)
        w.store_scalar(total, place.data or "null")
    return w.code.put(DOUBLE, f"load double, ptr {so_far}")


def emit_multinomial(w: Writer, node: Apply) -> None:
    """Row by row: its probabilities checked, binomial draws of what is left."""
    _, state, (n, pvals), lengths = _open(w, node)
    count = w.canonical(pvals.dims[-1])
    w.require(w.compare("sge", count, "1"))
    _fit(w, [n], lengths)
    _fit(w, [pvals.view(pvals.data, pvals.dims[:-1], pvals.strides[:-1])], lengths)
    out = w.allocate(node.outputs[1], [*lengths, count])
    numbers, rows = spread(n, lengths), spread(pvals, [*lengths, count])
    kept = _kept(w)
    p, counts = w.scratch("float64", [count]), w.scratch("int64", [count])
    with over(w, lengths) as at:
        w.copy(element(w, rows, at), p)
        trials = convert(w.scalar(element(w, numbers, at)), n.dtype, "int64")
        arguments = (_number(w, count), w.code.constant(I1, pvals.dtype == "float32"))
        fit = _call(w, "probabilities", I1, p, *arguments)
        w.require((fit & trials.ge(0)).name, w.code)
        given = (_at(w, counts), trials, _at(w, p), _number(w, count))
        _run(w, "multinomial", state, Value(w.code, POINTER, kept.name), *given)
        w.copy(counts, element(w, out, at))
    w.bind(node.outputs[1], out)


def _check(w: Writer, draw: random.Draw, given: Sequence[Value]) -> None:
    """What NumPy requires of the parameters; the interpreter says what is wrong."""
    for condition in _conditions(draw, given):
        w.require(condition.name, w.code)


def _conditions(draw: random.Draw, given: Sequence[Value]) -> Iterator[Value]:
    first, last = given[0], given[-1]
    match draw:
        case random.Uniform():
            yield abs(last - first).lt(float("inf"))
        case (
            random.Normal()
            | random.LogNormal()
            | random.Exponential()
            | random.Laplace()
            | random.Logistic()
            | random.Gumbel()
        ):
            yield last.ge(0.0) & (last.bits.ge(0))  # -0.0 is below 0 to NumPy
        case random.Binomial():
            yield first.ge(0) & last.ge(0.0) & last.le(1.0)
        case random.Gamma():
            yield first.ge(0.0) & first.bits.ge(0) & last.ge(0.0) & last.bits.ge(0)
        case random.Beta() | random.ChiSquare():
            yield first.gt(0.0) & last.gt(0.0)
        case random.Poisson():
            yield first.ge(0.0) & first.le(LARGEST_MEAN)
        case random.RandomIntegers():
            yield first.le(last)


EMITTERS: dict[type[Op], Emitter] = {
    random.Uniform: emit_draw,
    random.Normal: emit_draw,
    random.LogNormal: emit_draw,
    random.Exponential: emit_draw,
    random.Laplace: emit_draw,
    random.Logistic: emit_draw,
    random.Gumbel: emit_draw,
    random.ChiSquare: emit_draw,
    random.Gamma: emit_draw,
    random.Beta: emit_draw,
    random.Binomial: emit_draw,
    random.Poisson: emit_draw,
    random.RandomIntegers: emit_draw,
    random_rows.Permutation: emit_permutation,
    random_rows.Choice: emit_choice,
    random_rows.WeightedChoice: emit_weighted_choice,
    random_rows.Multinomial: emit_multinomial,
}
