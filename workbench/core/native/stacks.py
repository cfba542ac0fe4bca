"""What emitters of linear algebra share: going over the matrices of a stack, memory by columns, and
calls of LAPACK.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from workbench.core.graph import Variable
from workbench.core.native.emit_loops import spread
from workbench.core.native.lapack import integer_type
from workbench.core.native.ssa import Code, Type, Value, scalar_type
from workbench.core.native.tensor import Name, Tensor
from workbench.core.native.writer import Writer
from workbench.core.types import tensor_type

LETTER = {"float32": "s", "float64": "d"}


def batch_space(
    w: Writer, variables: Sequence[Variable], tensors: Sequence[Tensor]
) -> tuple[Name, ...]:
    """The dimensions before the matrices that the operands have together; they must be equal where
    the types do not broadcast.
    """
    space: list[Name] = []
    for axis in range(-max(t.ndim for t in tensors), -2):
        names = [
            t.dims[axis]
            for v, t in zip(variables, tensors, strict=True)
            if t.ndim >= -axis and tensor_type(v).shape[axis] != 1
        ]
        for other in names[1:]:
            w.same(names[0], other)
        space.append(w.canonical(names[0]) if names else "1")
    return tuple(space)


def over_batch(w: Writer, tensor: Tensor, batch: Sequence[Name]) -> Tensor:
    """A stack in memory, spread over a batch."""
    if tensor.data is None:
        tensor = w.in_memory(tensor)
    return spread(tensor, [*batch, *tensor.dims[-2:]])


@contextmanager
def each(w: Writer, batch: Sequence[Name], *tensors: Tensor) -> Iterator[list[Tensor]]:
    """A loop over a batch, inside which there is one entry of every tensor: what comes after its
    batch axes.
    """
    with ExitStack() as loops:
        places = [loops.enter_context(w.counted(n)) for n in batch]
        yield [_entry(w, t, places) for t in tensors]


def _entry(w: Writer, tensor: Tensor, places: Sequence[Name]) -> Tensor:
    data = tensor.data or "null"
    for place, step in zip(places, tensor.strides, strict=False):
        data = w.offset(data, w.integer("mul", place, step))
    axes = len(places)
    return tensor.view(
        data, tensor.dims[axes:], tensor.strides[axes:], contiguous=tensor.contiguous
    )


def by_columns(w: Writer, dtype: str, batch: Sequence[Name], rows: Name, columns: Name) -> Tensor:
    """New memory for matrices as LAPACK has them, column after column."""
    memory = w.scratch(dtype, (*batch, columns, rows))
    *outer, across, down = memory.strides
    dims = (*batch, rows, columns)
    return memory.view(memory.data, dims, (*outer, down, across), contiguous=columns == "1")


def at_least_one(w: Writer, n: Name) -> Name:
    """A leading dimension."""
    return w.call_i64("smax", n, "1")


class Call:
    """One call of LAPACK: everything goes by address, `info` last."""

    def __init__(self, w: Writer, code: Code | None = None) -> None:
        self.w = w
        self.code = code or w.code
        self.arguments: list[str] = []

    def letters(self, characters: str) -> Call:
        for character in characters:
            self._put("i8", str(ord(character)))
        return self

    def integers(self, *values: Name) -> Call:
        for value in values:
            kind = integer_type()
            if kind == "i32" and not value.lstrip("-").isdigit():
                value = self.code.put(Type("i32"), f"trunc i64 {value} to i32").name
            self._put(kind, value)
        return self

    def pointers(self, *data: Name | None) -> Call:
        self.arguments += [f"ptr {at or 'null'}" for at in data]
        return self

    def matrix(self, data: Name | None, lead: Name) -> Call:
        """An address and its leading dimension, which is made at least 1."""
        return self.pointers(data).integers(at_least_one(self.w, lead))

    def run(self, routine: str) -> Name:
        """The call; gives `info` as an i64."""
        self.w.has_blas = True
        kind = integer_type()
        info = self.w.alloca(kind, "info")
        self.pointers(info)
        self.code.line(f"call void @lapack.{routine}({', '.join(self.arguments)})")
        result = self.code.put(Type(kind), f"load {kind}, ptr {info}")
        return result.name if kind == "i64" else result.convert("sext", "i64").name

    def succeed(self, routine: str) -> None:
        """The call; the node fails where `info` is not 0."""
        self.w.require(self.w.compare("eq", self.run(routine), "0"), self.code)

    def _put(self, type: str, value: Name) -> None:
        at = self.w.alloca(type, "n")
        self.code.line(f"store {type} {value}, ptr {at}")
        self.arguments.append(f"ptr {at}")


class Workspace:
    """The memory that a routine wants to work in, of the size that it asks for itself.

    arguments   writes what comes before the workspace (called without its addresses)
    integers    whether a second workspace, of integers, and its size follow
    after       how many more addresses follow
    """

    def __init__(
        self,
        w: Writer,
        routine: str,
        dtype: str,
        dims: Sequence[Name],
        arguments: Callable[[Call], object],
        integers: bool = False,
        after: int = 0,
    ) -> None:
        code = w.region(*dims)
        query = Call(w, code)
        arguments(query)
        wanted = w.alloca(scalar_type(dtype), "wanted")
        query.pointers(wanted).integers("-1")
        counted = w.alloca(integer_type(), "wanted")
        if integers:
            query.pointers(counted).integers("-1")
        query.pointers(*[None] * after).run(routine)
        kind = Type(scalar_type(dtype))
        # A float32 does not hold a large size exactly: a millionth more.
        size = code.put(kind, f"load {kind.text}, ptr {wanted}").convert("fptosi", "i64").name
        self.size = w.integer("add", size, w.integer("sdiv", size, "1048576"))
        self.data = w.scratch(dtype, (self.size,)).data
        self.integers: tuple[Name, Name] | None = None
        if integers:
            number = code.put(Type(integer_type()), f"load {integer_type()}, ptr {counted}")
            length = number.name if integer_type() == "i64" else number.convert("sext", "i64").name
            self.integers = (w.scratch("int64", (length,)).data or "null", length)

    def add(self, call: Call) -> Call:
        call.pointers(self.data).integers(self.size)
        if self.integers is not None:
            call.pointers(self.integers[0]).integers(self.integers[1])
        return call


def pivots(w: Writer, n: Name) -> Name:
    """Memory for the rows that were exchanged."""
    return w.scratch("int64", (n,)).data or "null"


def exchanged_row(w: Writer, exchanged: Name, i: Name) -> Name:
    """The row that elimination exchanged row i for, counted from 0."""
    kind = Type(integer_type())
    at = w.offset(exchanged, w.integer("mul", i, str(kind.bits // 8)))
    row = w.code.put(kind, f"load {kind.text}, ptr {at}")
    wide = row if kind.bits == 64 else row.convert("sext", "i64")
    return (wide - 1).name


def exchange(w: Writer, count: Name, exchanged: Name, rows: Name, order: Name) -> None:
    """Write the order in which the rows are after elimination, as i64."""
    with w.counted(rows) as i:
        w.code.line(f"store i64 {i}, ptr {w.offset(order, w.integer('mul', i, '8'))}")
    with w.counted(count) as i:
        here = w.offset(order, w.integer("mul", i, "8"))
        there = w.offset(order, w.integer("mul", exchanged_row(w, exchanged, i), "8"))
        a, b = (w.code.put(Type("i64"), f"load i64, ptr {at}").name for at in (here, there))
        w.code.line(f"store i64 {b}, ptr {here}")
        w.code.line(f"store i64 {a}, ptr {there}")


def number(w: Writer, dtype: str, value: float) -> Value:
    """A constant in a register."""
    kind = Type(scalar_type(dtype))
    return Value(w.code, kind, kind.literal(value))
