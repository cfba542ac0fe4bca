"""Positions of what is not zero: counted first, since only then is it known how many there are."""

from __future__ import annotations

from workbench.core.graph import Apply
from workbench.core.native.emit_index import address, element, over
from workbench.core.native.ssa import Type, Value
from workbench.core.native.tensor import Tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.ops.index import Nonzero


def emit_nonzero(w: Writer, node: Apply) -> None:
    """Two walks over the tensor. The second stores every position, and moves on only behind what is
    not zero: there is no branch to predict.
    """
    x = w.tensor(node.inputs[0])
    counter = w.alloca("i64", "found")
    w.code.line(f"store i64 0, ptr {counter}")
    with over(w, x.dims) as at:
        _advance(w, counter, _is_set(w, element(w, x, at)))
    count = w.code.put(Type("i64"), f"load i64, ptr {counter}").name
    # One place more, for what the walk stores behind the last that is not zero.
    room = [w.scratch("int64", [w.integer("add", count, "1")]) for _ in node.outputs]
    w.code.line(f"store i64 0, ptr {counter}")
    with over(w, x.dims) as at:
        k = w.code.put(Type("i64"), f"load i64, ptr {counter}").name
        for place, line in zip(at, room, strict=True):
            w.store_scalar(Value(w.code, Type("i64"), place), address(w, line, [k]))
        _advance(w, counter, _is_set(w, element(w, x, at)))
    for v, line in zip(node.outputs, room, strict=True):
        w.bind(v, line.view(line.data, [count], line.strides, contiguous=True))


def _is_set(w: Writer, tensor: Tensor) -> Value:
    value = w.scalar(tensor)
    return value if value.type.scalar == "i1" else value.ne(0)


def _advance(w: Writer, counter: str, condition: Value) -> None:
    old = w.code.put(Type("i64"), f"load i64, ptr {counter}")
    w.store_scalar(old + condition.convert("zext", "i64"), counter)


EMITTERS: dict[type, Emitter] = {Nonzero: emit_nonzero}
