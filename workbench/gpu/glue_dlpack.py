"""What gives an exported array back, as LLVM text over Python's C functions. Either function may be
called while an exception is on its way, which no Python code could stand.
"""

from __future__ import annotations

import ctypes

FUNCTIONS = {
    "PyGILState_Ensure": "i32 @{}()",
    "PyGILState_Release": "void @{}(i32)",
    "PyCapsule_IsValid": "i32 @{}(ptr, ptr)",
    "PyCapsule_GetPointer": "ptr @{}(ptr, ptr)",
    "Py_DecRef": "void @{}(ptr)",
}
EXPORTS = ("delete", "destroy")
"""What a consumer calls with the struct when it is done; what Python calls with a capsule that
goes, of which one that was consumed has another name.
"""


def text(name: bytes, context: int) -> str:
    """For capsules of this name, whose struct has its context at this offset."""
    declared = "\n".join(f"declare {form.format(f)}" for f, form in FUNCTIONS.items())
    return f"""{declared}
@name = internal constant [{len(name) + 1} x i8] c"{name.decode()}\\00"

define void @delete(ptr %struct) nounwind {{
  %state = call i32 @PyGILState_Ensure()
  %at = getelementptr i8, ptr %struct, i64 {context}
  %context = load ptr, ptr %at
  call void @Py_DecRef(ptr %context)
  call void @PyGILState_Release(i32 %state)
  ret void
}}

define void @destroy(ptr %capsule) nounwind {{
  %valid = call i32 @PyCapsule_IsValid(ptr %capsule, ptr @name)
  %ours = icmp ne i32 %valid, 0
  br i1 %ours, label %give, label %done
give:
  %struct = call ptr @PyCapsule_GetPointer(ptr %capsule, ptr @name)
  call void @delete(ptr %struct)
  br label %done
done:
  ret void
}}
"""


def symbols() -> dict[str, int]:
    """Where Python's functions are."""
    found = {f: ctypes.cast(getattr(ctypes.pythonapi, f), ctypes.c_void_p) for f in FUNCTIONS}
    return {name: at.value or 0 for name, at in found.items()}
