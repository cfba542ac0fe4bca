"""A nest as the text of one LLVM function with explicit vectors, and the text of a call to it.

A value belongs to the outermost loop inside which it is constant: loads and steps are written
there, as scalars unless they vary along the vector loop's axis. Totals are kept in registers
(`alloca`s that LLVM promotes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from workbench.core.native import access
from workbench.core.native.convert import convert
from workbench.core.native.lower import lower_step, register
from workbench.core.native.plan import Plan, plan
from workbench.core.native.reduce import across, combine, identity
from workbench.core.native.ssa import Code, Type, Value, memory_type, scalar_type, splat
from workbench.core.native.target import Target
from workbench.core.nest import Item, Nest, Operand, Reducer
from workbench.frozen import frozen

MAX_STEPS = 400
"""Callers split larger programs: compile time stays linear (0.07 ms a step), but values spill."""


@frozen
class Argument:
    """What a call passes for an operand or result: SSA names or literals.

    `value` is a `ptr` to the first element, or for an operand passed by value (`Operand.by_value`)
    a scalar of its memory type (bool is i8). `strides` are i64 byte strides, one for each axis of
    the nest; only those of kind 'any' are read.
    """

    value: str
    strides: Sequence[str] = ()


def kernel_text(name: str, nest: Nest, target: Target) -> str:
    """`define internal void @name(…)` for a nest: the same text for the same nest, name and target.

    The text refers to functions of `library` (math, libm): give the whole module to
    `library.complete`. Raises NoNativeForm for what has no native form; a nest of more than
    MAX_STEPS steps should be split before.
    """
    for operand in nest.operands:
        register("load", operand.dtype)
    kernel = _Kernel(nest, plan(nest, target))
    kernel.write()
    parameters = ", ".join(_parameters(nest))
    allocas = "\n".join(f"  {line}" for line in kernel.allocas)
    body = "\n".join(kernel.code.lines)
    head = f"define internal void @{name}({parameters}) nounwind {{"
    return f"{head}\nentry:\n{allocas}\n{body}\n  ret void\n}}\n"


def kernel_call(
    name: str,
    nest: Nest,
    dims: Sequence[str],
    operands: Sequence[Argument],
    results: Sequence[Argument],
) -> str:
    """The IR statement that calls the kernel; `dims` are i64, one for each axis."""
    passed = [f"i64 {dim}" for dim in dims]
    items = zip(nest.items, (*operands, *results), strict=True)
    for item, argument in items:
        passed.append(f"{_parameter_type(item)} {argument.value}")
        passed += [f"i64 {argument.strides[axis]}" for axis in _strided(item)]
    return f"call void @{name}({', '.join(passed)})"


def _strided(item: Item) -> list[int]:
    return [axis for axis, stride in enumerate(item.strides) if stride == "any"]


def _parameter_type(item: Item) -> str:
    return memory_type(item.dtype) if isinstance(item, Operand) and item.by_value else "ptr"


def _parameters(nest: Nest) -> list[str]:
    """The declared parameters; pointers that share no memory with a result they are not told of are
    `noalias`.
    """
    texts = [f"i64 %n{axis}" for axis in range(nest.ndim)]
    inplace = {k for result in nest.results for k in result.inplace}
    for k, operand in enumerate(nest.operands):
        if operand.by_value:
            texts.append(f"{memory_type(operand.dtype)} %x{k}")
            continue
        texts.append(f"ptr {'' if k in inplace else 'noalias '}nocapture readonly %x{k}")
        texts += [f"i64 %x{k}.s{axis}" for axis in _strided(operand)]
    for k, result in enumerate(nest.results):
        texts.append(f"ptr {'' if result.inplace else 'noalias '}nocapture %r{k}")
        texts += [f"i64 %r{k}.s{axis}" for axis in _strided(result)]
    return texts


@frozen
class _Scope:
    """What is known inside some loops: pointers moved so far, values by index, lanes of the vector
    loop and its mask.
    """

    depth: int
    pointers: dict[str, str]
    values: dict[int, Value]
    totals: dict[int, list[_Total]]
    lanes: int
    mask: Value | None = None


@frozen
class _Total:
    """An accumulator in memory, for as many lanes as the vectors that go into it."""

    address: str
    type: Type


@dataclass
class _Kernel:
    nest: Nest
    plan: Plan
    code: Code = field(default_factory=Code)
    allocas: list[str] = field(default_factory=list)
    block: str = "entry"
    labels: int = 0

    def __post_init__(self) -> None:
        nest, order = self.nest, self.plan.order
        place = {axis: depth for depth, axis in enumerate(order)}
        inner = nest.ndim - 1
        self.depths: list[int] = []  # of each value of the program: how many loops are around it
        self.vector: list[bool] = []  # whether it varies along the innermost axis
        for operand in nest.operands:
            moving = [axis for axis, stride in enumerate(operand.strides) if stride != "zero"]
            self.depths.append(max((place[axis] + 1 for axis in moving), default=0))
            self.vector.append(inner in moving)
        for step in nest.program.steps:
            self.depths.append(max((self.depths[i] for i in step.args), default=0))
            self.vector.append(any(self.vector[i] for i in step.args))
        self.items: dict[str, Item] = {
            f"%x{k}": o for k, o in enumerate(nest.operands) if not o.by_value
        }
        self.items |= {f"%r{k}": r for k, r in enumerate(nest.results)}

    def write(self) -> None:
        pointers = {name: name for name in self.items}
        self._inside(_Scope(0, pointers, {}, {}, self.plan.lanes))

    # --- what stands at one depth ---

    def _inside(self, scope: _Scope) -> None:
        """Everything within `scope.depth` loops: loads, steps, the totals around the next loop, or
        the stores.
        """
        self._load(scope)
        self._compute(scope)
        totals_here = scope.depth == len(self.nest.kept)
        if totals_here:
            scope = replace(scope, totals=self._start_totals(scope))
        if scope.depth < self.nest.ndim:
            self._loop(scope)
        else:
            self._finish_point(scope)
        if totals_here:
            self._finish_totals(scope)

    def _load(self, scope: _Scope) -> None:
        for k, operand in enumerate(self.nest.operands):
            if self.depths[k] != scope.depth:
                continue
            name = f"%x{k}"
            if operand.by_value:
                raw = Value(self.code, Type(memory_type(operand.dtype)), name)
                scope.values[k] = raw.ne(0) if operand.dtype == "bool" else raw
                continue
            lanes, mask = (scope.lanes, scope.mask) if self.vector[k] else (1, None)
            scope.values[k] = access.load(
                self.code, operand.dtype, scope.pointers[name], self._inner(name), lanes, mask
            )

    def _inner(self, name: str) -> access.Step:
        """How an item moves along the innermost axis."""
        strides = self.items[name].strides
        return access.Step(strides[-1] if strides else "zero", f"{name}.s{self.nest.ndim - 1}")

    def _compute(self, scope: _Scope) -> None:
        program = self.nest.program
        n = len(program.inputs)
        for k, step in enumerate(program.steps, n):
            if self.depths[k] == scope.depth:
                lanes = scope.lanes if self.vector[k] else 1
                dtypes = [program.dtype_of(i) for i in step.args]
                args = [scope.values[i] for i in step.args]
                scope.values[k] = lower_step(self.code, step, dtypes, args, lanes)

    def _finish_point(self, scope: _Scope) -> None:
        """Store the elementwise results and add the others to their totals."""
        for k, result in enumerate(self.nest.results):
            value = scope.values[self.nest.program.outputs[result.output]]
            vector = self.plan.vector_depth >= 0 and scope.lanes > 1
            if vector and value.type.lanes == 1:
                value = splat(self.code, value, scope.lanes)
            if result.reducer is None:
                self._store(scope, k, value)
            else:
                self._accumulate(scope, k, result.reducer, value)

    def _store(self, scope: _Scope, k: int, value: Value) -> None:
        name, dtype = f"%r{k}", self.nest.results[k].dtype
        access.store(self.code, value, dtype, scope.pointers[name], self._inner(name), scope.mask)

    # --- totals ---

    def _start_totals(self, scope: _Scope) -> dict[int, list[_Total]]:
        """An accumulator for each reducing result; a second of one lane where a scalar loop follows
        the vectors.
        """
        widths = [scope.lanes]
        if self.plan.tail == "scalar" and self._reduces_lanes and scope.lanes > 1:
            widths.append(1)
        totals: dict[int, list[_Total]] = {}
        for k, result in enumerate(self.nest.results):
            if result.reducer is not None:
                totals[k] = [
                    self._total(result.reducer, result.accumulator, lanes) for lanes in widths
                ]
        return totals

    @property
    def _reduces_lanes(self) -> bool:
        """Whether the vector loop runs inside the accumulators."""
        return self.plan.vector_depth >= len(self.nest.kept)

    def _total(self, reducer: Reducer, dtype: str, lanes: int) -> _Total:
        type = Type(register("accumulate", dtype), lanes)
        address = f"%total{len(self.allocas)}"
        self.allocas.append(f"{address} = alloca {type.text}")
        self.code.line(f"store {type.text} {type.literal(identity(reducer, dtype))}, ptr {address}")
        return _Total(address, type)

    def _accumulate(self, scope: _Scope, k: int, reducer: Reducer, value: Value) -> None:
        result = self.nest.results[k]
        total = next(t for t in scope.totals[k] if t.type.lanes == scope.lanes)
        source = self.nest.program.output_dtypes[result.output]
        value = convert(value, source, result.accumulator)
        before = self.code.put(total.type, f"load {total.type.text}, ptr {total.address}")
        after = combine(self.code, reducer, result.accumulator, before, value)
        if scope.mask is not None and self._reduces_lanes:
            after = scope.mask.select(after, before)
        self.code.line(f"store {after.typed}, ptr {total.address}")

    def _finish_totals(self, scope: _Scope) -> None:
        for k, totals in scope.totals.items():
            result = self.nest.results[k]
            assert result.reducer is not None
            values = [self.code.put(t.type, f"load {t.type.text}, ptr {t.address}") for t in totals]
            if self._reduces_lanes:
                values = [
                    across(self.code, result.reducer, result.accumulator, value) for value in values
                ]
            value = values[0]
            for other in values[1:]:
                value = combine(self.code, result.reducer, result.accumulator, value, other)
            self._store_total(scope, k, convert(value, result.accumulator, result.dtype))

    def _store_total(self, scope: _Scope, k: int, value: Value) -> None:
        self._store(replace(scope, mask=None) if value.type.lanes == 1 else scope, k, value)

    # --- loops ---

    def _loop(self, scope: _Scope) -> None:
        """The next loop: over scalars, or the vector loop in the plan's form."""
        axis = self.plan.order[scope.depth]
        stop = f"%n{axis}"
        if scope.depth != self.plan.vector_depth or self.plan.tail == "none":
            self._count(scope, "0", stop, 1)
        elif self.plan.tail == "masked":
            self._count(scope, "0", stop, scope.lanes, masked=True)
        else:
            whole = self.code.put(Type("i64"), f"and i64 {stop}, {-scope.lanes}").name
            self._count(scope, "0", whole, scope.lanes)
            if self.plan.tail == "split":
                self._count(scope, whole, stop, scope.lanes, masked=True)
            else:
                self._count(replace(scope, lanes=1), whole, stop, 1)

    def _count(
        self, scope: _Scope, start: str, stop: str, step: int, *, masked: bool = False
    ) -> None:
        """A loop from start to stop; its body moves the pointers and is what stands one deeper."""
        axis, code = self.plan.order[scope.depth], self.code
        self.labels += 1
        loop, latch, done, before = (
            f"{part}{self.labels}" for part in ("loop", "latch", "done", "i")
        )
        index, following = f"%{before}", f"%{before}.next"
        some = code.put(Type("i1"), f"icmp slt i64 {start}, {stop}")
        code.line(f"br i1 {some.name}, label %{loop}, label %{done}")
        came_from = self.block
        self._label(loop)
        code.line(f"{index} = phi i64 [ {start}, %{came_from} ], [ {following}, %{latch} ]")
        mask = self._mask(index, stop, step) if masked else scope.mask
        pointers = self._moved(scope, axis, index)
        self._inside(
            replace(
                scope,
                depth=scope.depth + 1,
                pointers=pointers,
                values=dict(scope.values),
                mask=mask,
            )
        )
        code.line(f"br label %{latch}")
        self._label(latch)
        code.line(f"{following} = add nuw nsw i64 {index}, {step}")
        more = code.put(Type("i1"), f"icmp slt i64 {following}, {stop}")
        code.line(f"br i1 {more.name}, label %{loop}, label %{done}")
        self._label(done)

    def _label(self, label: str) -> None:
        self.code.lines.append(f"{label}:")
        self.block = label

    def _mask(self, index: str, stop: str, lanes: int) -> Value:
        left = self.code.put(Type("i64"), f"sub nuw nsw i64 {stop}, {index}")
        return access.first_lanes(self.code, left.name, lanes)

    def _moved(self, scope: _Scope, axis: int, index: str) -> dict[str, str]:
        """Every pointer at this index of the axis."""
        pointers = dict(scope.pointers)
        for name, item in self.items.items():
            stride = item.strides[axis]
            if stride == "unit":
                unit = "i8" if item.dtype == "bool" else scalar_type(item.dtype)
                pointers[name] = self._offset(pointers[name], unit, index)
            elif stride == "any":
                offset = self.code.put(Type("i64"), f"mul nsw i64 {index}, {name}.s{axis}")
                pointers[name] = self._offset(pointers[name], "i8", offset.name)
        return pointers

    def _offset(self, pointer: str, unit: str, count: str) -> str:
        return self.code.put(
            Type("ptr"), f"getelementptr inbounds {unit}, ptr {pointer}, i64 {count}"
        ).name
