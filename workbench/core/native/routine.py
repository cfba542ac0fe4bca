"""Functions with branches and loops, as LLVM text, written with Python operators.

Straight-line code is `ssa`'s; here are the blocks around it. Mutable variables are `alloca`s, which
LLVM promotes to registers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from workbench.core.native.ssa import Code, Number, Type, Value
from workbench.frozen import frozen

I1, I32, I64, DOUBLE = Type("i1"), Type("i32"), Type("i64"), Type("double")
POINTER = Type("ptr")


@frozen
class Cell:
    """A variable of a routine."""

    code: Code
    type: Type
    address: str

    @property
    def value(self) -> Value:
        return self.code.put(self.type, f"load {self.type.text}, ptr {self.address}")

    def set(self, value: Value | Number) -> None:
        given = value if isinstance(value, Value) else self.code.constant(self.type, value)
        self.code.line(f"store {given.typed}, ptr {self.address}")


class Routine:
    """A function while it is written. `inputs` are the values of its parameters.

    inline  it is copied to where it is called; else it is a module of its own, compiled once
    """

    def __init__(
        self, name: str, result: Type | None, *parameters: Type, inline: bool = False
    ) -> None:
        self.name = name
        self.result = result
        self.code = Code()
        self.inputs = [Value(self.code, kind, f"%p{i}") for i, kind in enumerate(parameters)]
        self.inline = inline
        self._cells: list[str] = []
        self._labels = 0

    @property
    def text(self) -> str:
        """The definition."""
        noalias = {"ptr": "ptr noalias"}
        given = ", ".join(f"{noalias.get(v.type.text, v.type.text)} {v.name}" for v in self.inputs)
        kind = self.result.text if self.result else "void"
        return "\n".join(
            [
                f"define {'internal ' if self.inline else ''}{kind} @{self.name}({given}) "
                f"{'alwaysinline ' if self.inline else ''}nounwind {{",
                "entry:",
                *self._cells,
                "  br label %begin",
                "begin:",
                *self.code.lines,
                "  unreachable",
                "}",
            ]
        )

    @property
    def declaration(self) -> str:
        """What a caller in another module needs, without `declare`."""
        kind = self.result.text if self.result else "void"
        return f"{kind} @{self.name}({', '.join(v.type.text for v in self.inputs)}) nounwind"

    # --- values ---

    def number(self, type: Type, number: Number) -> Value:
        return self.code.constant(type, number)

    def cell(self, start: Value) -> Cell:
        """A variable that begins with this value."""
        cell = self.space(start.type)
        cell.set(start)
        return cell

    def space(self, type: Type) -> Cell:
        """A variable without a value."""
        name = f"%c{len(self._cells)}"
        self._cells.append(f"  {name} = alloca {type.text}")
        return Cell(self.code, type, name)

    def array(self, scalar: str, count: int) -> Value:
        """The address of so many elements of the routine's own, without values."""
        name = f"%c{len(self._cells)}"
        self._cells.append(f"  {name} = alloca [{count} x {scalar}], align 16")
        return Value(self.code, POINTER, name)

    def at(self, base: Value, index: Value | int, scalar: str) -> Value:
        """The address of element `index` of an array."""
        number = index.name if isinstance(index, Value) else str(index)
        return self.code.put(POINTER, f"getelementptr {scalar}, {base.typed}, i64 {number}")

    def load(self, type: Type, address: Value) -> Value:
        align = Type(type.scalar).bits // 8
        return self.code.put(type, f"load {type.text}, {address.typed}, align {align}")

    def store(self, value: Value, address: Value) -> None:
        align = Type(value.type.scalar).bits // 8
        self.code.line(f"store {value.typed}, {address.typed}, align {align}")

    def call(self, name: str, result: Type, *args: Value) -> Value:
        return self.code.call(name, result, *args)

    def run(self, name: str, *args: Value) -> None:
        """A call of a function that gives nothing."""
        self.code.line(f"call void @{name}({', '.join(a.typed for a in args)})")

    def log(self, x: Value) -> Value:
        """The C library's, as NumPy calls it; so are the others."""
        return self.call("libm.log", DOUBLE, x)

    def exp(self, x: Value) -> Value:
        return self.call("libm.exp", DOUBLE, x)

    def pow(self, x: Value, y: Value) -> Value:
        return self.call("libm.pow", DOUBLE, x, y)

    def sqrt(self, x: Value) -> Value:
        return self.code.intrinsic("sqrt", x)

    # --- control ---

    def label(self) -> str:
        self._labels += 1
        return f"l{self._labels}"

    def begin(self, label: str) -> None:
        """Go on at this label, falling into it from above."""
        self.jump(label)
        self.code.lines[-1] = f"{label}:"

    def jump(self, label: str) -> None:
        self.code.line(f"br label %{label}")
        self.code.lines.append(f"{self.label()}:")  # what follows is reached by its label only

    def jump_if(self, condition: Value, label: str) -> None:
        go_on = self.label()
        self.code.line(f"br {condition.typed}, label %{label}, label %{go_on}")
        self.code.lines.append(f"{go_on}:")

    def jump_unless(self, condition: Value, label: str) -> None:
        self.jump_if(~condition, label)

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """What is written within runs where the condition holds."""
        after = self.label()
        self.jump_unless(condition, after)
        yield
        self.begin(after)

    @contextmanager
    def loop(self) -> Iterator[Loop]:
        """What is written within runs again and again, until it jumps to the loop's end."""
        loop = Loop(self.label(), self.label())
        self.begin(loop.again)
        yield loop
        self.jump(loop.again)
        self.code.lines[-1] = f"{loop.end}:"

    @contextmanager
    def counted(self, start: Value, stop: Value, step: int = 1) -> Iterator[Value]:
        """`for i in range(start, stop, step)`, of i64; gives i."""
        counter = self.cell(start)
        with self.loop() as loop:
            i = counter.value
            self.jump_unless(i.lt(stop), loop.end)
            yield i
            counter.set(counter.value + step)

    def give(self, value: Value | None = None) -> None:
        """Return."""
        self.code.line("ret void" if value is None else f"ret {value.typed}")
        self.code.lines.append(f"{self.label()}:")


@frozen
class Loop:
    """The labels of a loop."""

    again: str
    end: str


def as_double(x: Value) -> Value:
    """A signed integer as a float64."""
    return x.convert("sitofp", "double")


def floor_to_integer(r: Routine, x: Value) -> Value:
    """The largest integer not above x; what no int64 is gives the nearest."""
    down = r.code.intrinsic("floor", x)
    return r.code.put(I64, f"call i64 @llvm.fptosi.sat.i64.f64(double {down.name})")
