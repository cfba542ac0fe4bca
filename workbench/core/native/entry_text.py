"""The text of the native entry: a METH_FASTCALL | METH_KEYWORDS function around a program.

It checks what it is given, describes it in a context on its stack, calls the program, commits the
updates and returns the outputs. Whatever does not fit, and a program that fails, goes to the
callable that is the builtin's `self`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.core.native import layout
from workbench.core.native.abi import (
    CONTEXT,
    DESCRIPTOR,
    DEVICE_HEAD,
    ERROR_WORDS,
    SLOT,
    WORD,
)
from workbench.core.native.spec import ArraySpec, DeviceSpec, EntrySpec
from workbench.frozen import frozen


@frozen
class Block:
    """Byte offsets in `@wb.block`, the entry's static memory: one for each linked module.

    `busy`: whether a call uses the slots; `code` and `error`: of the last program that failed; then
    the arena's slots, the lists of the shared variables and, for each update, the list that it goes
    to.
    """

    slots: int
    cells: int
    targets: int
    size: int
    busy: int = 0
    code: int = WORD
    error: int = 2 * WORD

    @classmethod
    def of(cls, spec: EntrySpec) -> Block:
        slots = (2 + ERROR_WORDS) * WORD
        cells = slots + SLOT.size * spec.n_slots
        targets = cells + WORD * len(spec.cells)
        return cls(slots, cells, targets, targets + WORD * max(1, len(spec.updates)))


def entry_text(spec: EntrySpec, program: str = "program") -> str:
    """IR of the entry that calls `i32 @program(ptr)`, to be put in the same module; it exports
    ENTRY_EXPORTS.
    """
    return "\n".join(_Text(spec, program).lines())


_PARAMETERS = "ptr %self, ptr %args, i64 %nargs, ptr %kwnames"


class _Text:
    def __init__(self, spec: EntrySpec, program: str) -> None:
        self.spec, self.program = spec, program
        self.block = Block.of(spec)
        self.inputs = (*spec.arguments, *spec.cells)

    def lines(self) -> Iterator[str]:
        yield f"@wb.block = global [{self.block.size} x i8] zeroinitializer, align 16"
        yield f"@wb.program = alias i32 (ptr), ptr @{self.program}"
        # optnone: 2 ms less to compile for 7 ns more a call
        attributes = "noinline optnone nounwind"
        yield f"define ptr @wb.entry({_PARAMETERS}) {attributes} {{"
        parts = (
            self._frame, self._arguments, self._cells, self._arena, self._context, self._run,
            self._commit, self._outputs, self._failure,
        )  # fmt: skip
        for part in parts:
            yield from (line if line.endswith(":") else f"  {line}" for line in part())
        yield "}"

    def _frame(self) -> Iterator[str]:
        """Stack memory, and the number of arguments."""
        spec = self.spec
        yield f"%ctx = alloca [{CONTEXT.size} x i8], align 16"
        yield f"%inputs = alloca [{DESCRIPTOR.size * max(1, len(self.inputs))} x i8], align 16"
        yield f"%outputs = alloca [{max(1, spec.n_outputs)} x ptr], align 16"
        yield f"%updates = alloca [{max(1, len(spec.updates))} x ptr], align 16"
        yield f"%error = alloca [{ERROR_WORDS} x i64], align 16"
        yield f"%count.ok = icmp eq i64 %nargs, {len(spec.arguments)}"
        yield "%keywords.ok = icmp eq ptr %kwnames, null"
        yield "%call.ok = and i1 %count.ok, %keywords.ok"
        yield "br i1 %call.ok, label %arguments, label %slow"
        yield "arguments:"

    def _arguments(self) -> Iterator[str]:
        for k, spec in enumerate(self.spec.arguments):
            yield from _load(f"%a{k}", "%args", WORD * k)
            yield from self._float(k) if spec.python_float else self._array(f"a{k}", k, spec)

    def _float(self, k: int) -> Iterator[str]:
        """A 0-d array or a Python float, whose value is read in place (float64) or from the stack
        (float32).
        """
        spec = self.spec.arguments[k]
        yield f"%a{k}.slot = alloca double, align 16"
        yield from _load(f"%a{k}.class", f"%a{k}", layout.TYPE)
        yield f"%a{k}.is.float = icmp eq ptr %a{k}.class, @py.float"
        yield f"br i1 %a{k}.is.float, label %a{k}.number, label %a{k}.other"
        yield f"a{k}.number:"
        yield from _load(f"%a{k}.value", f"%a{k}", layout.FLOAT_VALUE, "double")
        if spec.dtype == "float32":
            yield f"%a{k}.single = fptrunc double %a{k}.value to float"
            yield f"store float %a{k}.single, ptr %a{k}.slot"
        else:
            yield f"store double %a{k}.value, ptr %a{k}.slot"
        yield from self._describe(f"a{k}.n", k, f"%a{k}.slot", "null", "null")
        yield f"br label %a{k}.next"
        yield f"a{k}.other:"
        yield from self._array(f"a{k}", k, spec)
        yield f"br label %a{k}.next"
        yield f"a{k}.next:"

    def _array(self, name: str, k: int, spec: ArraySpec) -> Iterator[str]:
        """Check the array %name and describe it as input k."""
        if spec.device is not None:
            yield from self._device_array(name, k, spec, spec.device)
            return
        v = f"%{name}"
        yield from _load(f"{v}.type", v, layout.TYPE)
        yield f"{v}.is.array = icmp eq ptr {v}.type, @np.ndarray"
        yield f"br i1 {v}.is.array, label %{name}.array, label %slow"
        yield f"{name}.array:"
        yield from _load(f"{v}.descr", v, layout.ARRAY_DESCR)
        yield from _load(f"{v}.nd", v, layout.ARRAY_NDIM, "i32")
        yield from _load(f"{v}.flags.all", v, layout.ARRAY_FLAGS, "i32")
        yield f"{v}.flags = and i32 {v}.flags.all, {layout.READABLE}"
        yield f"{v}.ok.descr = icmp eq ptr {v}.descr, @np.dtype.{spec.dtype}"
        yield f"{v}.ok.nd = icmp eq i32 {v}.nd, {spec.ndim}"
        yield f"{v}.ok.flags = icmp eq i32 {v}.flags, {layout.READABLE}"
        yield f"{v}.ok.both = and i1 {v}.ok.descr, {v}.ok.nd"
        yield f"{v}.ok = and i1 {v}.ok.both, {v}.ok.flags"
        yield f"br i1 {v}.ok, label %{name}.fits, label %slow"
        yield f"{name}.fits:"
        for field, offset in (
            ("data", layout.ARRAY_DATA),
            ("dims", layout.ARRAY_DIMS),
            ("strides", layout.ARRAY_STRIDES),
        ):
            yield from _load(f"{v}.{field}", v, offset)
        yield from self._static_dims(name, spec)
        yield from self._describe(name, k, f"{v}.data", f"{v}.dims", f"{v}.strides")

    def _device_array(
        self, name: str, k: int, spec: ArraySpec, device: DeviceSpec
    ) -> Iterator[str]:
        """The same for an array of a device."""
        v = f"%{name}"
        yield from _load(f"{v}.type", v, layout.TYPE)
        yield f"{v}.is.array = icmp eq ptr {v}.type, @gpu.DeviceArray"
        yield f"br i1 {v}.is.array, label %{name}.array, label %slow"
        yield f"{name}.array:"
        yield from _load(f"{v}.held", v, device.words)
        yield from _load(f"{v}.words", f"{v}.held", layout.ARRAY_DATA)
        yield from _load(f"{v}.data", f"{v}.words", 0)
        wanted = {"mark": device.mark, "number": np.dtype(spec.dtype).num, "rank": spec.ndim}
        for i, (field, value) in enumerate(wanted.items(), 1):
            yield from _load(f"{v}.{field}", f"{v}.words", WORD * i, "i64")
            yield f"{v}.ok.{field} = icmp eq i64 {v}.{field}, {value}"
        yield f"{v}.ok.both = and i1 {v}.ok.mark, {v}.ok.number"
        yield f"{v}.ok = and i1 {v}.ok.both, {v}.ok.rank"
        yield f"br i1 {v}.ok, label %{name}.fits, label %slow"
        yield f"{name}.fits:"
        yield f"{v}.dims = {_at(f'{v}.words', WORD * DEVICE_HEAD)}"
        yield f"{v}.strides = {_at(f'{v}.words', WORD * (DEVICE_HEAD + spec.ndim))}"
        yield from self._static_dims(name, spec)
        yield from self._describe(name, k, f"{v}.data", f"{v}.dims", f"{v}.strides")

    def _static_dims(self, name: str, spec: ArraySpec) -> Iterator[str]:
        for axis, size in enumerate(spec.dims):
            if size is not None:
                yield from _load(f"%{name}.dim{axis}", f"%{name}.dims", WORD * axis, "i64")
                yield f"%{name}.dim{axis}.ok = icmp eq i64 %{name}.dim{axis}, {size}"
                yield f"br i1 %{name}.dim{axis}.ok, label %{name}.after{axis}, label %slow"
                yield f"{name}.after{axis}:"

    def _describe(self, name: str, k: int, data: str, dims: str, strides: str) -> Iterator[str]:
        base = DESCRIPTOR.size * k
        for field, value in (("data", data), ("dims", dims), ("strides", strides)):
            yield from _store(
                f"%{name}.put.{field}", "%inputs", base + DESCRIPTOR.offset(field), value
            )

    def _cells(self) -> Iterator[str]:
        """The shared variables' arrays; then nothing is left to check and they are held."""
        first = len(self.spec.arguments)
        for k, spec in enumerate(self.spec.cells):
            yield from _load(f"%c{k}.list", "@wb.block", self.block.cells + WORD * k)
            yield from _load(f"%c{k}.items", f"%c{k}.list", layout.LIST_ITEMS)
            yield from _load(f"%c{k}", f"%c{k}.items", 0)
            yield from self._array(f"c{k}", first + k, spec)
        for k in range(len(self.spec.cells)):
            yield f"call void @py.Py_IncRef(ptr %c{k})"

    def _arena(self) -> Iterator[str]:
        """The module's slots, or while another thread's call has them (it has released the GIL)
        fresh ones.
        """
        yield from _load("%busy", "@wb.block", self.block.busy, "i64")
        yield "%is.free = icmp eq i64 %busy, 0"
        yield f"%own = {_at('@wb.block', self.block.slots)}"
        yield "br i1 %is.free, label %take, label %fresh"
        yield "take:"
        yield "store i64 1, ptr @wb.block"
        yield "br label %run"
        yield "fresh:"
        if self.spec.exclusive:
            yield "br label %abandon"
            yield "run:"
            yield f"%arena = {_at('%own', 0)}"
            return
        count = max(1, self.spec.n_slots)
        yield f"%new = call ptr @py.PyMem_RawCalloc(i64 {count}, i64 {SLOT.size})"
        yield "%no.memory = icmp eq ptr %new, null"
        yield "br i1 %no.memory, label %abandon, label %run"
        yield "run:"
        yield "%arena = phi ptr [ %own, %take ], [ %new, %fresh ]"

    def _context(self) -> Iterator[str]:
        yield f"%targets = {_at('@wb.block', self.block.targets)}"
        values = {
            "inputs": "%inputs", "outputs": "%outputs", "updates": "%updates", "cells": "%targets",
            "arena": "%arena", "tstate": "null", "error": "%error", "allocate": "null",
        }  # fmt: skip
        for field in CONTEXT.fields:
            yield from _store(f"%context.{field}", "%ctx", CONTEXT.offset(field), values[field])
        for table, count in (("outputs", self.spec.n_outputs), ("updates", len(self.spec.updates))):
            for k in range(count):
                yield from _store(f"%clear.{table}{k}", f"%{table}", WORD * k, "null")

    def _run(self) -> Iterator[str]:
        """The call; then the slots are given back."""
        yield f"%code = call i32 @{self.program}(ptr %ctx)"
        yield "call void @wb.acquire(ptr %ctx)"
        yield "br i1 %is.free, label %give, label %throw"
        yield "give:"
        yield "store i64 0, ptr @wb.block"
        yield "br label %after"
        yield "throw:"
        for k in range(self.spec.n_slots):
            yield from _load(f"%raw{k}", "%arena", SLOT.size * k + SLOT.offset("raw"))
            yield f"call void @py.PyMem_RawFree(ptr %raw{k})"
        yield "call void @py.PyMem_RawFree(ptr %arena)"
        yield "br label %after"
        yield "after:"
        yield "%success = icmp eq i32 %code, 0"
        yield "br i1 %success, label %commit, label %failed"
        yield "commit:"

    def _commit(self) -> Iterator[str]:
        """cell[0], cell[1] = new, cell[0] for every update, now that nothing can fail."""
        for k, cell in enumerate(self.spec.updates):
            yield from _load(f"%u{k}", "%updates", WORD * k)
            yield from _load(f"%u{k}.items", f"%c{cell}.list", layout.LIST_ITEMS)
            yield from _load(f"%u{k}.old", f"%u{k}.items", 0)
            yield from _load(f"%u{k}.spare", f"%u{k}.items", WORD)
            yield f"store ptr %u{k}, ptr %u{k}.items"
            yield from _store(f"%u{k}.put", f"%u{k}.items", WORD, f"%u{k}.old")
            yield f"call void @py.Py_DecRef(ptr %u{k}.spare)"
        yield from self._let_go()

    def _let_go(self) -> Iterator[str]:
        for k in range(len(self.spec.cells)):
            yield f"call void @py.Py_DecRef(ptr %c{k})"

    def _outputs(self) -> Iterator[str]:
        n = self.spec.n_outputs
        for k in range(n):
            yield from _load(f"%o{k}", "%outputs", WORD * k)
        if n == 1 and not self.spec.returns_list:
            yield "ret ptr %o0"
            return
        yield f"%list = call ptr @py.PyList_New(i64 {n})"
        yield "%no.list = icmp eq ptr %list, null"
        yield "br i1 %no.list, label %return, label %fill"
        yield "fill:"
        yield from _load("%list.items", "%list", layout.LIST_ITEMS) if n else ()
        for k in range(n):
            yield from _store(f"%put.o{k}", "%list.items", WORD * k, f"%o{k}")
        yield "br label %return"
        yield "return:"
        yield "ret ptr %list"

    def _failure(self) -> Iterator[str]:
        """Let go of everything that was made, note the code for the slow path and leave the rest to
        it.
        """
        yield "failed:"
        for table, count in (("outputs", self.spec.n_outputs), ("updates", len(self.spec.updates))):
            for k in range(count):
                yield from _load(f"%drop.{table}{k}", f"%{table}", WORD * k)
                yield f"call void @py.Py_DecRef(ptr %drop.{table}{k})"  # does nothing with null
        yield "%code.wide = sext i32 %code to i64"
        yield from _store("%put.code", "@wb.block", self.block.code, "%code.wide", "i64")
        yield f"%put.error = {_at('@wb.block', self.block.error)}"
        words = f"i64 {ERROR_WORDS * WORD}, i1 false"
        yield f"call void @llvm.memcpy.p0.p0.i64(ptr %put.error, ptr %error, {words})"
        yield "call void @py.PyErr_Clear()"
        yield "br label %abandon"
        yield "abandon:"
        yield from self._let_go()
        yield "br label %slow"
        yield "slow:"
        yield f"%answer = call ptr @py.PyObject_Vectorcall({_PARAMETERS})"
        yield "ret ptr %answer"


def _at(base: str, offset: int) -> str:
    return f"getelementptr inbounds i8, ptr {base}, i64 {offset}"


def _load(name: str, base: str, offset: int, type: str = "ptr") -> Iterator[str]:
    yield f"{name}.at = {_at(base, offset)}"
    yield f"{name} = load {type}, ptr {name}.at"


def _store(name: str, base: str, offset: int, value: str, type: str = "ptr") -> Iterator[str]:
    yield f"{name} = {_at(base, offset)}"
    yield f"store {type} {value}, ptr {name}"
