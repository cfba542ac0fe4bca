"""The functions of an OpenCL device's table, as LLVM text over OpenCL's C functions: what a program
calls without Python in between.
"""

from __future__ import annotations

from workbench.core.native.abi import field
from workbench.gpu.abi import OFFSET_BITS, STATE
from workbench.gpu.dialect import GROUP_SIZE

MOST_WORDS = 128

FUNCTIONS = {
    "clSetKernelArg": "i32 @{}(ptr, i32, i64, ptr)",
    "clEnqueueNDRangeKernel": "i32 @{}(ptr, ptr, i32, ptr, ptr, ptr, i32, ptr, ptr)",
    "clEnqueueWriteBuffer": "i32 @{}(ptr, ptr, i32, i64, i64, ptr, i32, ptr, ptr)",
    "clEnqueueReadBuffer": "i32 @{}(ptr, ptr, i32, i64, i64, ptr, i32, ptr, ptr)",
    "clEnqueueCopyBuffer": "i32 @{}(ptr, ptr, ptr, i64, i64, i64, i32, ptr, ptr)",
    "clEnqueueFillBuffer": "i32 @{}(ptr, ptr, ptr, i64, i64, i64, i32, ptr, ptr)",
}
EXPORTS = ("launch", "upload", "download", "copy", "fill")


def _get(name: str, type: str = "ptr") -> str:
    """Loads a field of the state."""
    at = field(STATE, "%state", name, f"%{name}.at")
    return f"{at}\n  %{name} = load {type}, ptr %{name}.at"


def _buffer(address: str, name: str) -> str:
    """Splits an address into a buffer's handle and an offset."""
    mask = (1 << OFFSET_BITS) - 1
    return f"""%{name}.number = lshr i64 {address}, {OFFSET_BITS}
  %{name}.at = getelementptr ptr, ptr %buffers, i64 %{name}.number
  %{name} = load ptr, ptr %{name}.at
  %{name}.offset = and i64 {address}, {mask}"""


def count(name: str, amount: str = "1") -> str:
    """Adds to a word of the state."""
    return f"""{field(STATE, "%state", name, f"%{name}.at")}
  %{name} = load i64, ptr %{name}.at
  %{name}.new = add i64 %{name}, {amount}
  store i64 %{name}.new, ptr %{name}.at"""


_EVENT = f"""
define internal ptr @event(ptr %state, i64 %node) nounwind {{
  {_get("events")}
  {_get("count", "i64")}
  {_get("capacity", "i64")}
  {_get("marks")}
  %none = icmp eq ptr %events, null
  %full = icmp uge i64 %count, %capacity
  %skip = or i1 %none, %full
  br i1 %skip, label %no, label %yes
no:
  ret ptr null
yes:
  %mark = getelementptr i64, ptr %marks, i64 %count
  store i64 %node, ptr %mark
  %next = add i64 %count, 1
  store i64 %next, ptr %count.at
  %event = getelementptr ptr, ptr %events, i64 %count
  ret ptr %event
}}

define internal void @note(ptr %state, i32 %status, i64 %node) nounwind {{
  %fine = icmp eq i32 %status, 0
  br i1 %fine, label %done, label %wrong
wrong:
  {_get("error", "i64")}
  %first = icmp eq i64 %error, 0
  br i1 %first, label %keep, label %done
keep:
  %wide = sext i32 %status to i64
  store i64 %wide, ptr %error.at
  {field(STATE, "%state", "node", "%node.at")}
  store i64 %node, ptr %node.at
  br label %done
done:
  ret void
}}
"""


def _function(name: str, parameters: str, skip: str, body: str) -> str:
    """A function that does nothing after an error or where `skip` holds."""
    return f"""
define void @{name}(ptr %state, {parameters}, i64 %node) nounwind {{
  {_get("error", "i64")}
  {_get("queue")}
  {_get("buffers")}
  %failed = icmp ne i64 %error, 0
  {skip}
  %skip = or i1 %failed, %idle
  br i1 %skip, label %done, label %go
go:
  {body}
  call void @note(ptr %state, i32 %status, i64 %node)
  br label %done
done:
  ret void
}}
"""


_LAUNCH = f"""
define void @launch(ptr %state, ptr %kernel, i64 %groups, ptr %words, i64 %n_words,
                    i64 %n_buffers, i64 %node) nounwind {{
  %copy = alloca [{MOST_WORDS} x i64], align 16
  %memory = alloca ptr, align 8
  %size.at = alloca i64, align 8
  %local.at = alloca i64, align 8
  {_get("error", "i64")}
  {_get("queue")}
  {_get("buffers")}
  %failed = icmp ne i64 %error, 0
  %idle = icmp sle i64 %groups, 0
  %skip = or i1 %failed, %idle
  br i1 %skip, label %done, label %go
go:
  %bytes = shl i64 %n_words, 3
  call void @llvm.memcpy.p0.p0.i64(ptr %copy, ptr %words, i64 %bytes, i1 false)
  br label %next
next:
  %k = phi i64 [ 0, %go ], [ %k.next, %set ]
  %so.far = phi i32 [ 0, %go ], [ %both, %set ]
  %more = icmp slt i64 %k, %n_buffers
  br i1 %more, label %set, label %run
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
run:
  %words.status = call i32 @clSetKernelArg(ptr %kernel, i32 0, i64 %bytes, ptr %copy)
  %ready = or i32 %so.far, %words.status
  call void @note(ptr %state, i32 %ready, i64 %node)
  %size = mul i64 %groups, {GROUP_SIZE}
  store i64 %size, ptr %size.at
  store i64 {GROUP_SIZE}, ptr %local.at
  %event = call ptr @event(ptr %state, i64 %node)
  %status = call i32 @clEnqueueNDRangeKernel(ptr %queue, ptr %kernel, i32 1, ptr null,
      ptr %size.at, ptr %local.at, i32 0, ptr null, ptr %event)
  {count("launches")}
  call void @note(ptr %state, i32 %status, i64 %node)
  br label %done
done:
  ret void
}}
"""

_IDLE = "%idle = icmp sle i64 %bytes, 0"


def _transfer(name: str, call: str, parameters: str) -> str:
    body = f"""{_buffer("%address", "buffer")}
  %event = call ptr @event(ptr %state, i64 %node)
  %status = call i32 @{call}(ptr %queue, ptr %buffer, i32 1, i64 %buffer.offset, i64 %bytes,
      ptr %host, i32 0, ptr null, ptr %event)
  {count(name + "s")}
  {count(name + "ed", "%bytes")}"""
    return _function(name, parameters, _IDLE, body)


TEXT = "".join(
    (
        *(f"declare {text.format(name)}\n" for name, text in FUNCTIONS.items()),
        _EVENT,
        _LAUNCH,
        _transfer("upload", "clEnqueueWriteBuffer", "i64 %address, ptr %host, i64 %bytes"),
        _transfer("download", "clEnqueueReadBuffer", "ptr %host, i64 %address, i64 %bytes"),
        _function(
            "copy", "i64 %into, i64 %from, i64 %bytes", _IDLE,
            f"""{_buffer("%into", "target")}
  {_buffer("%from", "source")}
  %event = call ptr @event(ptr %state, i64 %node)
  %status = call i32 @clEnqueueCopyBuffer(ptr %queue, ptr %source, ptr %target,
      i64 %source.offset, i64 %target.offset, i64 %bytes, i32 0, ptr null, ptr %event)""",
        ),
        "@zero = internal constant i8 0\n",
        _function(
            "fill", "i64 %address, i64 %bytes", _IDLE,
            f"""{_buffer("%address", "buffer")}
  %event = call ptr @event(ptr %state, i64 %node)
  %status = call i32 @clEnqueueFillBuffer(ptr %queue, ptr %buffer, ptr @zero, i64 1,
      i64 %buffer.offset, i64 %bytes, i32 0, ptr null, ptr %event)""",
        ),
    )
)  # fmt: skip
