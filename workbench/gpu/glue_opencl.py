"""The functions of an OpenCL device's table, as LLVM text over OpenCL's C functions: what a program
calls without Python in between.
"""

from __future__ import annotations

from workbench.gpu.abi import OFFSET_BITS
from workbench.gpu.dialect import GROUP_SIZE
from workbench.gpu.glue import IDLE, NOTE, add, command, declarations, get

MOST_WORDS = 128

FUNCTIONS = {
    "clFinish": "i32 @{}(ptr)",
    "clSetKernelArg": "i32 @{}(ptr, i32, i64, ptr)",
    "clEnqueueNDRangeKernel": "i32 @{}(ptr, ptr, i32, ptr, ptr, ptr, i32, ptr, ptr)",
    "clEnqueueWriteBuffer": "i32 @{}(ptr, ptr, i32, i64, i64, ptr, i32, ptr, ptr)",
    "clEnqueueReadBuffer": "i32 @{}(ptr, ptr, i32, i64, i64, ptr, i32, ptr, ptr)",
    "clEnqueueCopyBuffer": "i32 @{}(ptr, ptr, ptr, i64, i64, i64, i32, ptr, ptr)",
    "clEnqueueFillBuffer": "i32 @{}(ptr, ptr, ptr, i64, i64, i64, i32, ptr, ptr)",
}
EXPORTS = ("launch", "upload", "download", "copy", "fill")


def _buffer(address: str, name: str) -> str:
    """Splits an address into a buffer's handle and an offset."""
    mask = (1 << OFFSET_BITS) - 1
    return f"""%{name}.number = lshr i64 {address}, {OFFSET_BITS}
  %{name}.at = getelementptr ptr, ptr %buffers, i64 %{name}.number
  %{name} = load ptr, ptr %{name}.at
  %{name}.offset = and i64 {address}, {mask}"""


_COMMON = f"""
define internal i32 @enter(ptr %state) nounwind {{
  ret i32 0
}}

define internal void @leave() nounwind {{
  ret void
}}

define internal i32 @finish(ptr %queue) nounwind {{
  %status = call i32 @clFinish(ptr %queue)
  ret i32 %status
}}

define internal ptr @event(ptr %state, i64 %node) nounwind {{
  {get("events")}
  %k = call i64 @recorded(ptr %state, i64 %node)
  %none = icmp slt i64 %k, 0
  %event = getelementptr ptr, ptr %events, i64 %k
  %chosen = select i1 %none, ptr null, ptr %event
  ret ptr %chosen
}}

define internal i32 @set_arguments(ptr %buffers, ptr %kernel, ptr %words, i64 %n_words,
                                   i64 %n_buffers) nounwind {{
  %copy = alloca [{MOST_WORDS} x i64], align 16
  %memory = alloca ptr, align 8
  %bytes = shl i64 %n_words, 3
  call void @llvm.memcpy.p0.p0.i64(ptr %copy, ptr %words, i64 %bytes, i1 false)
  br label %next
next:
  %k = phi i64 [ 0, %0 ], [ %k.next, %set ]
  %so.far = phi i32 [ 0, %0 ], [ %both, %set ]
  %more = icmp slt i64 %k, %n_buffers
  br i1 %more, label %set, label %rest
set:
  %word.at = getelementptr i64, ptr %copy, i64 %k
  %word = load i64, ptr %word.at
  {_buffer("%word", "buffer")}
  store i64 %buffer.offset, ptr %word.at
  store ptr %buffer, ptr %memory
  %k.next = add i64 %k, 1
  %argument = trunc i64 %k.next to i32
  %set.status = call i32 @clSetKernelArg(ptr %kernel, i32 %argument, i64 8, ptr %memory)
  %both = or i32 %so.far, %set.status
  br label %next
rest:
  %words.status = call i32 @clSetKernelArg(ptr %kernel, i32 0, i64 %bytes, ptr %copy)
  %status = or i32 %so.far, %words.status
  ret i32 %status
}}

@zero = internal constant i8 0
"""

_LAUNCH = f"""{get("buffers")}
  %size.at = alloca i64, align 8
  %local.at = alloca i64, align 8
  %ready = call i32 @set_arguments(ptr %buffers, ptr %kernel, ptr %words, i64 %n_words,
      i64 %n_buffers)
  call void @note(ptr %state, i32 %ready, i64 %node)
  %size = mul i64 %groups, {GROUP_SIZE}
  store i64 %size, ptr %size.at
  store i64 {GROUP_SIZE}, ptr %local.at
  %event = call ptr @event(ptr %state, i64 %node)
  %status = call i32 @clEnqueueNDRangeKernel(ptr %queue, ptr %kernel, i32 1, ptr null,
      ptr %size.at, ptr %local.at, i32 0, ptr null, ptr %event)"""


def _transfer(name: str, call: str, parameters: str) -> str:
    body = f"""{get("buffers")}
  {_buffer("%address", "buffer")}
  %event = call ptr @event(ptr %state, i64 %node)
  %status = call i32 @{call}(ptr %queue, ptr %buffer, i32 1, i64 %buffer.offset, i64 %bytes,
      ptr %host, i32 0, ptr null, ptr %event)"""
    counts = f"{add(name + 's')}\n  {add(name + 'ed', '%bytes')}"
    return command(name, parameters, IDLE, body, counts)


_COPY = f"""{get("buffers")}
  {_buffer("%into", "target")}
  {_buffer("%from", "source")}
  %event = call ptr @event(ptr %state, i64 %node)
  %status = call i32 @clEnqueueCopyBuffer(ptr %queue, ptr %source, ptr %target,
      i64 %source.offset, i64 %target.offset, i64 %bytes, i32 0, ptr null, ptr %event)"""

_FILL = f"""{get("buffers")}
  {_buffer("%address", "buffer")}
  %event = call ptr @event(ptr %state, i64 %node)
  %status = call i32 @clEnqueueFillBuffer(ptr %queue, ptr %buffer, ptr @zero, i64 1,
      i64 %buffer.offset, i64 %bytes, i32 0, ptr null, ptr %event)"""

TEXT = "".join(
    (
        declarations(FUNCTIONS),
        NOTE,
        _COMMON,
        command(
            "launch", "ptr %kernel, i64 %groups, ptr %words, i64 %n_words, i64 %n_buffers",
            "%idle = icmp sle i64 %groups, 0", _LAUNCH, add("launches"),
        ),
        _transfer("upload", "clEnqueueWriteBuffer", "i64 %address, ptr %host, i64 %bytes"),
        _transfer("download", "clEnqueueReadBuffer", "ptr %host, i64 %address, i64 %bytes"),
        command("copy", "i64 %into, i64 %from, i64 %bytes", IDLE, _COPY),
        command("fill", "i64 %address, i64 %bytes", IDLE, _FILL),
    )
)  # fmt: skip
