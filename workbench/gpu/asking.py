"""How a program asks its devices' service for what needs Python, as LLVM text: see `abi`."""

from __future__ import annotations

from workbench.core.native.abi import CONTEXT, SLOT, field
from workbench.gpu.abi import ANSWER, ASKING_NODE, COMPILE, GROW, OUTPUT, TABLE, UPDATE


def _context(name: str, into: str) -> str:
    return f"{field(CONTEXT, '%ctx', name, into + '.at')}\n  {into} = load ptr, ptr {into}.at"


def _of_table(name: str) -> str:
    return f"{field(TABLE, '%table', name, f'%{name}.at')}\n  %{name} = load ptr, ptr %{name}.at"


def _request(position: int, value: str) -> str:
    return f"""%r{position} = getelementptr i64, ptr %request, i64 {position}
  store i64 {value}, ptr %r{position}"""


ASKING = f"""
define internal ptr @wb.device_ask(ptr %ctx, ptr %table, i64 %node, i64 %what, i64 %a, i64 %b,
                                   i64 %c, ptr %dims) noinline optnone nounwind {{
  {_context("tstate", "%state")}
  call void @wb.acquire(ptr %ctx)
  {_of_table("request")}
  {_of_table("service")}
  %place = ptrtoint ptr %dims to i64
  {_request(0, "%what")}
  {_request(1, "%a")}
  {_request(2, "%b")}
  {_request(3, "%c")}
  {_request(4, "%place")}
  {_request(ASKING_NODE, "%node")}
  %result = call ptr @py.PyObject_Vectorcall(ptr %service, ptr null, i64 0, ptr null)
  %answer.at = getelementptr i64, ptr %request, i64 {ANSWER}
  %answer = load i64, ptr %answer.at
  %none = icmp eq i64 %answer, 0
  %is.output = icmp eq i64 %what, {OUTPUT}
  %is.update = icmp eq i64 %what, {UPDATE}
  br i1 %none, label %drop, label %sort
sort:
  br i1 %is.output, label %output, label %other
other:
  br i1 %is.update, label %update, label %drop
output:
  {_context("outputs", "%outputs")}
  %output.at = getelementptr ptr, ptr %outputs, i64 %a
  store ptr %result, ptr %output.at
  br label %kept
update:
  {_context("updates", "%updates")}
  %update.at = getelementptr ptr, ptr %updates, i64 %a
  store ptr %result, ptr %update.at
  br label %kept
drop:
  call void @py.Py_DecRef(ptr %result)
  br label %kept
kept:
  %held = icmp eq ptr %state, null
  br i1 %held, label %done, label %give
give:
  call void @wb.release(ptr %ctx)
  br label %done
done:
  %address = inttoptr i64 %answer to ptr
  ret ptr %address
}}

define internal ptr @wb.device_slot(ptr %ctx, ptr %table, i64 %node, i64 %slot, i64 %bytes)
    noinline nounwind {{
  {_of_table("slots")}
  %offset = mul nuw nsw i64 %slot, {SLOT.size}
  %at = getelementptr i8, ptr %slots, i64 %offset
  %capacity.at = getelementptr i8, ptr %at, i64 {SLOT.offset("capacity")}
  %capacity = load i64, ptr %capacity.at
  %fits = icmp ult i64 %bytes, %capacity
  br i1 %fits, label %have, label %grow
have:
  %data = load ptr, ptr %at
  ret ptr %data
grow:
  %new = call ptr @wb.device_ask(ptr %ctx, ptr %table, i64 %node, i64 {GROW}, i64 %slot,
                                 i64 %bytes, i64 0, ptr null)
  ret ptr %new
}}

define internal ptr @wb.device_kernel(ptr %ctx, ptr %table, ptr %kernels, i64 %node, i64 %index)
    noinline nounwind {{
  %at = getelementptr ptr, ptr %kernels, i64 %index
  %kernel = load ptr, ptr %at
  %there = icmp ne ptr %kernel, null
  br i1 %there, label %have, label %compile
have:
  ret ptr %kernel
compile:
  %new = call ptr @wb.device_ask(ptr %ctx, ptr %table, i64 %node, i64 {COMPILE}, i64 %index, i64 0,
                                 i64 0, ptr null)
  ret ptr %new
}}
"""
