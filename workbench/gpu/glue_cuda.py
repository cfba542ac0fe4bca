"""The functions of a CUDA device's table, as LLVM text over the driver's C functions: what a
program calls without Python in between.
"""

from __future__ import annotations

from workbench.core.native.abi import field
from workbench.gpu.abi import PRODUCT
from workbench.gpu.cublas import PRODUCTS
from workbench.gpu.dialect import GROUP_SIZE
from workbench.gpu.glue import IDLE, NOTE, add, command, declarations, get

FUNCTIONS = {
    "cuCtxPushCurrent_v2": "i32 @{}(ptr)",
    "cuCtxPopCurrent_v2": "i32 @{}(ptr)",
    "cuStreamSynchronize": "i32 @{}(ptr)",
    "cuLaunchKernel": "i32 @{}(ptr, i32, i32, i32, i32, i32, i32, i32, ptr, ptr, ptr)",
    "cuPointerGetAttribute": "i32 @{}(ptr, i32, i64)",
    "cuMemcpyHtoDAsync_v2": "i32 @{}(i64, ptr, i64, ptr)",
    "cuMemcpyDtoHAsync_v2": "i32 @{}(ptr, i64, i64, ptr)",
    "cuMemcpyDtoDAsync_v2": "i32 @{}(i64, i64, i64, ptr)",
    "cuMemsetD8Async": "i32 @{}(i64, i8, i64, ptr)",
    "cuEventRecord": "i32 @{}(ptr, ptr)",
}
_GEMM = (
    "i32 @{}(ptr, i32, i32, i64, i64, i64, ptr, ptr, i64, i64, ptr, i64, i64, ptr, ptr, i64, i64,"
    " i64)"
)
LIBRARY_FUNCTIONS = dict.fromkeys(PRODUCTS.values(), _GEMM)
"""Of cuBLAS, where that is found."""

MOST_GROUPS = (1 << 31) - 1
"""Work groups of one launch."""

TOO_MANY_GROUPS = 1 << 16
"""A status of ours: the driver's are below."""

MEMORY_TYPE = 2
"""The attribute of an address that only memory has which the driver knows."""

EXPORTS = ("launch", "upload", "download", "copy", "fill")

# Every command by itself: the one before may be another device's, and what the thread does besides
# has a context of its own.
_COMMON = f"""
define internal i32 @enter(ptr %state) nounwind {{
  {get("context")}
  %status = call i32 @cuCtxPushCurrent_v2(ptr %context)
  ret i32 %status
}}

define internal void @leave() nounwind {{
  %left = alloca ptr, align 8
  %status = call i32 @cuCtxPopCurrent_v2(ptr %left)
  ret void
}}

define internal i32 @finish(ptr %queue) nounwind {{
  %status = call i32 @cuStreamSynchronize(ptr %queue)
  ret i32 %status
}}

define internal i64 @begin(ptr %state, ptr %queue, i64 %node) nounwind {{
  %k = call i64 @recorded(ptr %state, i64 %node)
  %none = icmp slt i64 %k, 0
  br i1 %none, label %done, label %yes
yes:
  {get("events")}
  %at = shl i64 %k, 1
  %event.at = getelementptr ptr, ptr %events, i64 %at
  %event = load ptr, ptr %event.at
  %status = call i32 @cuEventRecord(ptr %event, ptr %queue)
  br label %done
done:
  ret i64 %k
}}

define internal void @end(ptr %state, ptr %queue, i64 %k) nounwind {{
  %none = icmp slt i64 %k, 0
  br i1 %none, label %done, label %yes
yes:
  {get("events")}
  %before = shl i64 %k, 1
  %at = or i64 %before, 1
  %event.at = getelementptr ptr, ptr %events, i64 %at
  %event = load ptr, ptr %event.at
  %status = call i32 @cuEventRecord(ptr %event, ptr %queue)
  br label %done
done:
  ret void
}}
"""


def _timed(call: str) -> str:
    """A command between two events, where times are recorded."""
    return f"""%k = call i64 @begin(ptr %state, ptr %queue, i64 %node)
  %status = call i32 {call}
  call void @end(ptr %state, ptr %queue, i64 %k)"""


_KERNEL = f"""
define internal i32 @queue_kernel(ptr %queue, ptr %kernel, i64 %groups, ptr %words) nounwind {{
  %parameters = alloca ptr, align 8
  store ptr %words, ptr %parameters
  %many = icmp sgt i64 %groups, {MOST_GROUPS}
  br i1 %many, label %refuse, label %queue.it
refuse:
  ret i32 {TOO_MANY_GROUPS}
queue.it:
  %count = trunc i64 %groups to i32
  %status = call i32 @cuLaunchKernel(ptr %kernel, i32 %count, i32 1, i32 1, i32 {GROUP_SIZE}, i32 1,
      i32 1, i32 0, ptr %queue, ptr %parameters, ptr null)
  ret i32 %status
}}
"""

_LAUNCH = _timed("@queue_kernel(ptr %queue, ptr %kernel, i64 %groups, ptr %words)")


def _counted(name: str) -> str:
    return f"{add(name + 's')}\n  {add(name + 'ed', '%bytes')}"


# The driver has copied other memory of the host's when it returns; it reads what is pinned when the
# command's turn comes, and by then the user may have changed it.
_UPLOAD = f"""{_timed("@cuMemcpyHtoDAsync_v2(i64 %address, ptr %host, i64 %bytes, ptr %queue)")}
  %type.at = alloca i32, align 4
  %host.address = ptrtoint ptr %host to i64
  %unknown = call i32 @cuPointerGetAttribute(ptr %type.at, i32 {MEMORY_TYPE}, i64 %host.address)
  %pinned = icmp eq i32 %unknown, 0
  br i1 %pinned, label %await, label %sent
await:
  %read = call i32 @cuStreamSynchronize(ptr %queue)
  call void @note(ptr %state, i32 %read, i64 %node)
  br label %sent
sent:"""

_DOWNLOAD = f"""{_timed("@cuMemcpyDtoHAsync_v2(ptr %host, i64 %address, i64 %bytes, ptr %queue)")}
  %arrived = call i32 @cuStreamSynchronize(ptr %queue)
  call void @note(ptr %state, i32 %arrived, i64 %node)"""


def _word(name: str, type: str = "i64") -> str:
    """Loads a field of the product into %name, dots as they are."""
    at = field(PRODUCT, "%product", name, f"%{name}.at")
    return f"{at}\n  %{name} = load {type}, ptr %{name}.at"


def _call(function: str, scalar: str) -> str:
    """The library has matrices by columns: ours are their transposes, so B comes first."""
    return (
        f"call i32 @{function}(ptr %library, i32 %b.turned, i32 %a.turned, i64 %columns, "
        f"i64 %rows, i64 %shared, ptr @one.{scalar}, ptr %b, i64 %b.lead, i64 %b.step, "
        f"ptr %a, i64 %a.lead, i64 %a.step, ptr @zero.{scalar}, ptr %c, i64 %c.lead, "
        f"i64 %c.step, i64 %batch)"
    )


_MATRICES = "abc"
_INTEGERS = (
    "rows", "columns", "shared", "batch", "double", "a.transposed", "b.transposed",
    *(f"{m}.{what}" for m in _MATRICES for what in ("lead", "step")),
)  # fmt: skip

_PRODUCT = "\n  ".join(
    (
        get("library"),
        *(_word(name) for name in _INTEGERS),
        *(f"%{m}.turned = trunc i64 %{m}.transposed to i32" for m in "ab"),
        *(_word(name, "ptr") for name in _MATRICES),
        "%recorded.k = call i64 @begin(ptr %state, ptr %queue, i64 %node)",
        "%is.double = icmp ne i64 %double, 0",
        "br i1 %is.double, label %wide, label %narrow",
        "wide:",
        f"%wide.status = {_call(PRODUCTS['float64'], 'f64')}",
        "br label %both",
        "narrow:",
        f"%narrow.status = {_call(PRODUCTS['float32'], 'f32')}",
        "br label %both",
        "both:",
        "%library.status = phi i32 [ %wide.status, %wide ], [ %narrow.status, %narrow ]",
        "%status = sub i32 0, %library.status",  # so that it is told from the driver's
        "call void @end(ptr %state, ptr %queue, i64 %recorded.k)",
    )
)

_NUMBERS = """
@one.f32 = internal constant float 1.0
@zero.f32 = internal constant float 0.0
@one.f64 = internal constant double 1.0
@zero.f64 = internal constant double 0.0
"""


def text(library: bool) -> str:
    """All of them; `gemm` where there is cuBLAS."""
    parts = [
        declarations(FUNCTIONS),
        NOTE,
        _COMMON,
        _KERNEL,
        command(
            "launch", "ptr %kernel, i64 %groups, ptr %words, i64 %n_words, i64 %n_buffers",
            "%idle = icmp sle i64 %groups, 0", _LAUNCH, add("launches"),
        ),
        command(
            "upload", "i64 %address, ptr %host, i64 %bytes", IDLE, _UPLOAD, _counted("upload")
        ),
        command(
            "download", "ptr %host, i64 %address, i64 %bytes", IDLE, _DOWNLOAD,
            _counted("download"),
        ),
        command(
            "copy", "i64 %into, i64 %from, i64 %bytes", IDLE,
            _timed("@cuMemcpyDtoDAsync_v2(i64 %into, i64 %from, i64 %bytes, ptr %queue)"),
        ),
        command(
            "fill", "i64 %address, i64 %bytes", IDLE,
            _timed("@cuMemsetD8Async(i64 %address, i8 0, i64 %bytes, ptr %queue)"),
        ),
    ]  # fmt: skip
    if library:
        idle = f"{_word('batch')}\n  %idle = icmp sle i64 %batch, 0".replace("%batch", "%stack")
        parts += [
            declarations(LIBRARY_FUNCTIONS),
            _NUMBERS,
            command("gemm", "ptr %product", idle, _PRODUCT, add("launches")),
        ]
    return "".join(parts)
