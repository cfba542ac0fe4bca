"""The protocol between the entry of a native function and its program: one description of every
struct.

A program is `i32 @program(ptr %ctx)`: 0 is success. All offsets are bytes, made from the
descriptions below; IR text, ctypes and the documentation of a field read the same table. Every
field is a pointer or an i64 (8 bytes).

What a program reads:
- `ctx.inputs`: descriptors of the arguments, then of the shared variables' arrays, in the order of
  the entry's spec.
- `runtime` helpers (see `runtime.py`) for outputs, updates, arena slots and the GIL; they read the
  rest.
- `ctx.error`: ERROR_WORDS i64 that the program may fill before it returns non-zero.
"""

from __future__ import annotations

from workbench.frozen import frozen

WORD = 8
ERROR_WORDS = 8


@frozen
class Layout:
    """A struct of 8-byte fields, in order."""

    name: str
    fields: tuple[str, ...]

    @property
    def size(self) -> int:
        return WORD * len(self.fields)

    def offset(self, field: str) -> int:
        return WORD * self.fields.index(field)


CONTEXT = Layout(
    "context",
    (
        "inputs",  # ptr to descriptors: arguments, then shared cells
        "outputs",  # ptr to PyObject*[n_outputs]: written by alloc_output, null before
        "updates",  # ptr to PyObject*[n_updates]: written by alloc_update, null before
        "cells",  # ptr to PyObject*[n_updates]: the list `[array, spare]` that each update goes to
        "arena",  # ptr to slots; one arena belongs to one running call
        "tstate",  # saved thread state while the GIL is released, else null
        "error",  # ptr to ERROR_WORDS i64
        "allocate",  # the ctypes entry's callback (kind, k, typenum, nd, dims) -> data, else null
    ),
)
DESCRIPTOR = Layout("descriptor", ("data", "dims", "strides"))  # strides in bytes
DEVICE_HEAD = 4  # words of an array of a device before its lengths: see `spec.DeviceSpec`
SLOT = Layout("slot", ("data", "capacity", "raw"))  # 64-byte aligned data within the block `raw`


def field(layout: Layout, base: str, name: str, into: str, index: int = 0) -> str:
    """IR that puts the address of a field of struct number `index` after `base` into the SSA name
    `into`.
    """
    offset = index * layout.size + layout.offset(name)
    return f"{into} = getelementptr inbounds i8, ptr {base}, i64 {offset}"


def load_input(k: int, prefix: str, ctx: str = "%ctx") -> str:
    """IR that loads input k's descriptor into `{prefix}.data`, `.dims`, `.strides` (all `ptr`)."""
    lines = [
        field(CONTEXT, ctx, "inputs", f"{prefix}.pi"),
        f"{prefix}.in = load ptr, ptr {prefix}.pi",
    ]
    for name in DESCRIPTOR.fields:
        lines.append(field(DESCRIPTOR, f"{prefix}.in", name, f"{prefix}.p{name}", k))
        lines.append(f"{prefix}.{name} = load ptr, ptr {prefix}.p{name}")
    return "\n".join(f"  {line}" for line in lines)
