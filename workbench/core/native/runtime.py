"""Helpers that programs call, as IR text. All take the context of `abi` as `ptr %ctx`.

- `ptr @wb.alloc_output(ptr %ctx, i32 %k, i32 %typenum, i32 %nd, ptr %dims)`: a new C-contiguous
  array as output k; returns its data, or null (then the program returns NO_MEMORY). Once for each
  k.
- `ptr @wb.alloc_update(ptr %ctx, i32 %k, i32 %typenum, i32 %nd, ptr %dims)`: the same for update k,
  in the shared variable's spare buffer where that fits and nobody else holds it. Committed only if
  the program returns 0.
- `ptr @wb.slot(ptr %ctx, i32 %slot, i64 %bytes)`: 64-byte aligned memory kept between calls;
  contents undefined; null if there is none.
- `i1 @wb.interrupted(ptr %ctx)`: whether the user pressed Ctrl-C; the program then returns
  INTERRUPTED. Asked now and then by long loops.
- `void @wb.release(ptr %ctx)`, `void @wb.acquire(ptr %ctx)`: the GIL; both may be called when
  already done. The allocators take it for themselves when it is released; a program may return
  without it.

With `ctx.allocate` set (the ctypes entry) allocations go to that callback, and ctypes has dealt
with the GIL.
"""

from __future__ import annotations

from workbench.core.native import layout
from workbench.core.native.abi import CONTEXT, SLOT

NO_MEMORY = -1
"""A program's result when an allocation gave null."""

INTERRUPTED = -2
"""A program's result when a signal's handler raised: KeyboardInterrupt, that is."""

OUTPUT, UPDATE = 0, 1
"""The kinds of allocation that the callback is told."""


_WANTED = "ptr %ctx, i32 %k, i32 %typenum, i32 %nd, ptr %dims"


def _at(base: str, offset: int | str) -> str:
    return f"getelementptr inbounds i8, ptr {base}, i64 {offset}"


def _context(name: str, field: str) -> str:
    """Loads a field of the context into %name (its address is %name.at)."""
    return (
        f"%{name}.at = {_at('%ctx', CONTEXT.offset(field))}\n  %{name} = load ptr, ptr %{name}.at"
    )


# Compiled fast rather than well: what they call costs more than they do, and a first cell waits.
_QUICK = "noinline optnone nounwind"

_ACQUIRE = f"""
define void @wb.acquire(ptr %ctx) {_QUICK} {{
  {_context("state", "tstate")}
  %held = icmp eq ptr %state, null
  br i1 %held, label %done, label %take
take:
  call void @py.PyEval_RestoreThread(ptr %state)
  store ptr null, ptr %state.at
  br label %done
done:
  ret void
}}
"""

_RELEASE = f"""
define void @wb.release(ptr %ctx) {_QUICK} {{
  {_context("state", "tstate")}
  {_context("callback", "allocate")}
  %held = icmp eq ptr %state, null
  %ours = icmp eq ptr %callback, null
  %both = and i1 %held, %ours
  br i1 %both, label %give, label %done
give:
  %new = call ptr @py.PyEval_SaveThread()
  store ptr %new, ptr %state.at
  br label %done
done:
  ret void
}}
"""


def _allocator(name: str, kind: int, table: str) -> str:
    """Both allocators: the callback, or with the GIL `@wb.{name}_array`, kept in its table."""
    return f"""
define ptr @wb.{name}({_WANTED}) noinline nounwind {{
  {_context("callback", "allocate")}
  {_context("state", "tstate")}
  {_context("table", table)}
  %native = icmp eq ptr %callback, null
  br i1 %native, label %here, label %there
there:
  %given = call ptr %callback(i32 {kind}, i32 %k, i32 %typenum, i32 %nd, ptr %dims)
  ret ptr %given
here:
  call void @wb.acquire(ptr %ctx)
  %array = call ptr @wb.{name}_array(ptr %ctx, i32 %k, i32 %typenum, i32 %nd, ptr %dims)
  %at = getelementptr inbounds ptr, ptr %table, i32 %k
  store ptr %array, ptr %at
  %none = icmp eq ptr %array, null
  br i1 %none, label %give, label %read
read:
  %data.at = {_at("%array", layout.ARRAY_DATA)}
  %data = load ptr, ptr %data.at
  br label %give
give:
  %result = phi ptr [ null, %here ], [ %data, %read ]
  %held = icmp eq ptr %state, null
  br i1 %held, label %done, label %release
release:
  call void @wb.release(ptr %ctx)
  br label %done
done:
  ret ptr %result
}}
"""


_NEW_ARRAY = f"""
define internal ptr @wb.alloc_output_array({_WANTED}) noinline nounwind {{
  %array = call ptr @np.PyArray_New(ptr @np.ndarray, i32 %nd, ptr %dims, i32 %typenum,
                                    ptr null, ptr null, i32 0, i32 0, ptr null)
  ret ptr %array
}}
"""

_REUSED_ARRAY = f"""
define internal ptr @wb.alloc_update_array({_WANTED}) {_QUICK} {{
  {_context("cells", "cells")}
  %cell.at = getelementptr inbounds ptr, ptr %cells, i32 %k
  %cell = load ptr, ptr %cell.at
  %items.at = {_at("%cell", layout.LIST_ITEMS)}
  %items = load ptr, ptr %items.at
  %spare.at = {_at("%items", 8)}
  %spare = load ptr, ptr %spare.at
  %fits = call i1 @wb.fits(ptr %spare, i32 %typenum, i32 %nd, ptr %dims)
  br i1 %fits, label %reuse, label %new
reuse:
  call void @py.Py_IncRef(ptr @py.None)
  store ptr @py.None, ptr %spare.at
  ret ptr %spare
new:
  %array = call ptr @wb.alloc_output_array(ptr %ctx, i32 %k, i32 %typenum, i32 %nd, ptr %dims)
  ret ptr %array
}}
"""

_FITS = f"""
define internal i1 @wb.fits(ptr %array, i32 %typenum, i32 %nd, ptr %dims) {_QUICK} {{
  %type.at = {_at("%array", layout.TYPE)}
  %type = load ptr, ptr %type.at
  %is.array = icmp eq ptr %type, @np.ndarray
  br i1 %is.array, label %fields, label %no
fields:
  %count = load i32, ptr %array
  %nd.at = {_at("%array", layout.ARRAY_NDIM)}
  %nd.has = load i32, ptr %nd.at
  %flags.at = {_at("%array", layout.ARRAY_FLAGS)}
  %flags.has = load i32, ptr %flags.at
  %flags = and i32 %flags.has, {layout.REUSABLE}
  %descr.at = {_at("%array", layout.ARRAY_DESCR)}
  %descr = load ptr, ptr %descr.at
  %num.at = {_at("%descr", layout.DESCR_TYPE_NUM)}
  %num = load i32, ptr %num.at
  %order.at = {_at("%descr", layout.DESCR_BYTEORDER)}
  %order = load i8, ptr %order.at
  %ok.count = icmp eq i32 %count, 1
  %ok.nd = icmp eq i32 %nd.has, %nd
  %ok.flags = icmp eq i32 %flags, {layout.REUSABLE}
  %ok.num = icmp eq i32 %num, %typenum
  %ok.order = icmp ne i8 %order, {ord(">")}
  %ok.1 = and i1 %ok.count, %ok.nd
  %ok.2 = and i1 %ok.flags, %ok.num
  %ok.3 = and i1 %ok.1, %ok.2
  %ok = and i1 %ok.3, %ok.order
  %mine.at = {_at("%array", layout.ARRAY_DIMS)}
  %mine = load ptr, ptr %mine.at
  br i1 %ok, label %axes, label %no
axes:
  %i = phi i32 [ 0, %fields ], [ %i.next, %same ]
  %more = icmp slt i32 %i, %nd
  br i1 %more, label %axis, label %yes
axis:
  %a.at = getelementptr inbounds i64, ptr %mine, i32 %i
  %b.at = getelementptr inbounds i64, ptr %dims, i32 %i
  %a = load i64, ptr %a.at
  %b = load i64, ptr %b.at
  %equal = icmp eq i64 %a, %b
  br i1 %equal, label %same, label %no
same:
  %i.next = add i32 %i, 1
  br label %axes
yes:
  ret i1 true
no:
  ret i1 false
}}
"""

_SLOT = f"""
define internal ptr @wb.slot(ptr %ctx, i32 %slot, i64 %bytes) alwaysinline nounwind {{
  {_context("arena", "arena")}
  %index = zext i32 %slot to i64
  %offset = mul nuw nsw i64 %index, {SLOT.size}
  %at = {_at("%arena", "%offset")}
  %capacity.at = {_at("%at", SLOT.offset("capacity"))}
  %capacity = load i64, ptr %capacity.at
  %fits = icmp ult i64 %bytes, %capacity
  br i1 %fits, label %have, label %grow
have:
  %data = load ptr, ptr %at
  ret ptr %data
grow:
  %new = call ptr @wb.grow_slot(ptr %at, i64 %bytes)
  ret ptr %new
}}
"""

_GROW_SLOT = f"""
define ptr @wb.grow_slot(ptr %at, i64 %bytes) {_QUICK} {{
  %capacity.at = {_at("%at", SLOT.offset("capacity"))}
  %raw.at = {_at("%at", SLOT.offset("raw"))}
  %old = load ptr, ptr %raw.at
  call void @py.PyMem_RawFree(ptr %old)
  %last = or i64 %bytes, 63
  %capacity = add i64 %last, 1
  %total = add i64 %capacity, 64
  %raw = call ptr @py.PyMem_RawMalloc(i64 %total)
  %none = icmp eq ptr %raw, null
  %after = {_at("%raw", 64)}
  %aligned = call ptr @llvm.ptrmask.p0.i64(ptr %after, i64 -64)
  %data = select i1 %none, ptr null, ptr %aligned
  %capacity.new = select i1 %none, i64 0, i64 %capacity
  store ptr %data, ptr %at
  store i64 %capacity.new, ptr %capacity.at
  store ptr %raw, ptr %raw.at
  ret ptr %data
}}
"""

_INTERRUPTED = f"""
define i1 @wb.interrupted(ptr %ctx) {_QUICK} {{
  {_context("callback", "allocate")}
  {_context("state", "tstate")}
  %native = icmp eq ptr %callback, null
  br i1 %native, label %ask, label %no
ask:
  call void @wb.acquire(ptr %ctx)
  %raised = call i32 @py.PyErr_CheckSignals()
  %held = icmp eq ptr %state, null
  br i1 %held, label %tell, label %give
give:
  call void @wb.release(ptr %ctx)
  br label %tell
tell:
  %is.raised = icmp ne i32 %raised, 0
  ret i1 %is.raised
no:
  ret i1 false
}}
"""

INLINE: dict[str, str] = {"wb.slot": _SLOT}
"""Helpers that each module that mentions them defines."""

SHARED: dict[str, str] = {
    "wb.acquire": "void @wb.acquire(ptr)",
    "wb.release": "void @wb.release(ptr)",
    "wb.alloc_output": "ptr @wb.alloc_output(ptr, i32, i32, i32, ptr)",
    "wb.alloc_update": "ptr @wb.alloc_update(ptr, i32, i32, i32, ptr)",
    "wb.grow_slot": "ptr @wb.grow_slot(ptr, i64)",
    "wb.interrupted": "i1 @wb.interrupted(ptr)",
}
"""Helpers that are compiled once for the process: their declarations."""

SHARED_TEXT = "".join(
    (
        _ACQUIRE,
        _RELEASE,
        _allocator("alloc_output", OUTPUT, "outputs"),
        _allocator("alloc_update", UPDATE, "updates"),
        _NEW_ARRAY,
        _REUSED_ARRAY,
        _FITS,
        _GROW_SLOT,
        _INTERRUPTED,
    )
)
"""The module that defines them, without the declarations of what it mentions."""
