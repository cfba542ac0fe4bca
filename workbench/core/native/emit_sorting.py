"""Sorting: every row becomes unsigned integers in the order of its elements, and those are sorted
by their bytes (few ones by insertion). That keeps the order of equals and predicts no branch.
Searching in what is sorted halves it again and again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.core.graph import Apply
from workbench.core.native.emit_index import address, element, over
from workbench.core.native.radix import radix_sort
from workbench.core.native.ssa import Type, Value
from workbench.core.native.tensor import Name, Tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.ops.sorting import ArgSort, ArgSortRows, SearchSorted, Sort


def emit_sort(w: Writer, node: Apply) -> None:
    """Keys of a row, sorted, and back again."""
    op = node.op
    assert isinstance(op, Sort)
    x = w.tensor(node.inputs[0])
    n = x.dims[op.axis]
    keys, spare = (w.scratch(_key_dtype(x.dtype), [n]) for _ in range(2))
    sorter = _function(w, keys, paired=False)
    out = w.allocate(node.out, x.dims)
    with over(w, _without(x.dims, op.axis)) as at:
        _each(w, n, lambda i: _to_key(w, element(w, _line(w, x, op.axis, at), [i]), keys, i))
        w.code.line(f"call void @{sorter}(ptr {keys.data}, ptr {spare.data}, i64 {n})")
        row = _line(w, out, op.axis, at)
        _each(w, n, lambda i: w.store_scalar(_from_key(w, keys, i, x.dtype), address(w, row, [i])))
    w.bind(node.out, out)


def emit_argsort(w: Writer, node: Apply) -> None:
    """Keys of a row, sorted together with their positions."""
    op = node.op
    assert isinstance(op, ArgSort)
    x = w.tensor(node.inputs[0])
    n = x.dims[op.axis]
    keys, spare = (w.scratch(_key_dtype(x.dtype), [n]) for _ in range(2))
    places, others = (w.scratch("int64", [n]) for _ in range(2))
    sorter = _function(w, keys, paired=True)
    out = w.allocate(node.out, x.dims)
    given = ", ".join(f"ptr {t.data}" for t in (keys, spare, places, others))
    with over(w, _without(x.dims, op.axis)) as at:
        line = _line(w, x, op.axis, at)

        def prepare(i: Name) -> None:
            _to_key(w, element(w, line, [i]), keys, i, equal_zeros=True)
            w.store_scalar(Value(w.code, Type("i64"), i), address(w, places, [i]))

        _each(w, n, prepare)
        w.code.line(f"call void @{sorter}({given}, i64 {n})")
        row = _line(w, out, op.axis, at)
        _each(
            w, n, lambda i: w.store_scalar(w.scalar(element(w, places, [i])), address(w, row, [i]))
        )
    w.bind(node.out, out)


def emit_argsort_rows(w: Writer, node: Apply) -> None:
    """The positions sorted by one column after another, the last one first: equals stay."""
    x = w.tensor(node.inputs[0])
    if x.scalar is not None:
        x = w.in_memory(x)
    n, columns = x.dims
    keys, spare = (w.scratch(_key_dtype(x.dtype), [n]) for _ in range(2))
    others = w.scratch("int64", [n])
    out = w.allocate(node.out, [n])
    sorter = _function(w, keys, paired=True)
    given = ", ".join(f"ptr {t.data}" for t in (keys, spare, out, others))
    _each(w, n, lambda i: w.store_scalar(Value(w.code, Type("i64"), i), address(w, out, [i])))
    with w.counted(columns) as c:
        column = w.integer("sub", w.integer("sub", columns, "1"), c)

        def prepare(i: Name) -> None:
            row = w.scalar(element(w, out, [i])).name
            _to_key(w, element(w, x, [row, column]), keys, i, equal_zeros=True)

        _each(w, n, prepare)
        w.code.line(f"call void @{sorter}({given}, i64 {n})")
    w.bind(node.out, out)


def _each(w: Writer, n: Name, body: object) -> None:
    with w.counted(n) as i:
        body(i)  # type: ignore[operator]


def _without(dims: Sequence[Name], axis: int) -> list[Name]:
    return [n for i, n in enumerate(dims) if i != axis]


def _line(w: Writer, tensor: Tensor, axis: int, at: Sequence[Name]) -> Tensor:
    """A row along an axis: the others' places are given."""
    if tensor.scalar is not None:
        return element(w, tensor, at)
    strides = _without(tensor.strides, axis)
    data = tensor.data or "null"
    for i, step in zip(at, strides, strict=True):
        data = w.offset(data, w.integer("mul", i, step))
    return tensor.view(data, [tensor.dims[axis]], [tensor.strides[axis]])


def _function(w: Writer, keys: Tensor, paired: bool) -> str:
    """The name of the function that sorts such keys; it is written once."""
    name, text = radix_sort(keys.itemsize, paired)
    if text not in w.functions:
        w.functions.append(text)
    return name


# Keys


def _key_dtype(dtype: str) -> str:
    return f"uint{8 * np.dtype(dtype).itemsize}"


def _to_key(w: Writer, x: Tensor, keys: Tensor, i: Name, equal_zeros: bool = False) -> None:
    w.store_scalar(to_key(w.scalar(x), x.dtype, equal_zeros), address(w, keys, [i]))


def to_key(value: Value, dtype: str, equal_zeros: bool) -> Value:
    """The unsigned integer whose order is the elements': of floats the bits, all of them turned
    where the sign is set; nan is the greatest.
    """
    bits = 8 * np.dtype(dtype).itemsize
    if dtype == "bool":
        return value.convert("zext", "i8")
    top = 1 << (bits - 1)
    if dtype[0] in "iu":
        return value ^ top if dtype[0] == "i" else value
    if equal_zeros:
        value = value + 0.0  # -0.0 becomes 0.0
    raw = value.bits
    turned = raw ^ (raw.ashr(bits - 1) | top)
    return value.isnan().select(turned.like(-1), turned)


def _from_key(w: Writer, keys: Tensor, i: Name, dtype: str) -> Value:
    key = w.scalar(element(w, keys, [i]))
    if dtype == "bool":
        return key.ne(0)
    bits = 8 * np.dtype(dtype).itemsize
    top = 1 << (bits - 1)
    if dtype[0] in "iu":
        return key ^ top if dtype[0] == "i" else key
    return (key ^ (~key.ashr(bits - 1) | top)).as_float()


# Searching


def emit_searchsorted(w: Writer, node: Apply) -> None:
    """For each element a search by halves, without branches but the loop's own."""
    op = node.op
    assert isinstance(op, SearchSorted)
    line, elements = (w.tensor(v) for v in node.inputs)
    line = w.in_memory(line)
    out = (
        w.allocate(node.out, elements.dims)
        if elements.ndim
        else w.array("int64", (), w.alloca("i64"))
    )
    n = line.dims[0]
    with over(w, elements.dims) as at:
        value = to_key(w.scalar(element(w, elements, at)), line.dtype, equal_zeros=True)
        found = _search(w, line, n, value, "ult" if op.side == "left" else "ule")
        w.store_scalar(found, address(w, out, at))
    w.bind(node.out, out if elements.ndim else _register(w, out))


def _register(w: Writer, out: Tensor) -> Tensor:
    from workbench.core.native.tensor import register_tensor

    return register_tensor(out.dtype, w.scalar(out).name)


def _search(w: Writer, line: Tensor, n: Name, value: Value, before: str) -> Value:
    """How many of the first n elements of an ascending line come before a key."""
    start, left = w.alloca("i64", "start"), w.alloca("i64", "left")
    code, word = w.code, Type("i64")
    code.line(f"store i64 0, ptr {start}")
    code.line(f"store i64 {n}, ptr {left}")
    head, body, done = w.label("search"), w.label("halve"), w.label("found")
    code.line(f"br label %{head}")
    w.start_block(head)
    count = code.put(word, f"load i64, ptr {left}")
    code.line(f"br i1 {count.gt(0).name}, label %{body}, label %{done}")
    w.start_block(body)
    first, half = code.put(word, f"load i64, ptr {start}"), count >> 1
    place = code.put(word, f"mul i64 {(first + half).name}, {line.strides[0]}").name
    at = code.put(Type("ptr"), f"getelementptr i8, ptr {line.data}, i64 {place}").name
    key = to_key(w.scalar(line.view(at, (), ())), line.dtype, equal_zeros=True)
    further = key.compare(before, value)
    code.line(f"store i64 {further.select(first + half + 1, first).name}, ptr {start}")
    code.line(f"store i64 {further.select(count - half - 1, half).name}, ptr {left}")
    code.line(f"br label %{head}")
    w.start_block(done)
    return code.put(word, f"load i64, ptr {start}")


EMITTERS: dict[type, Emitter] = {
    Sort: emit_sort,
    ArgSort: emit_argsort,
    ArgSortRows: emit_argsort_rows,
    SearchSorted: emit_searchsorted,
}
