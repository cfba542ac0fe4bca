"""Helpers that programs call, as IR text. All take the context of `abi` as `ptr %ctx`.

- `ptr @wb.alloc_output(ptr %ctx, i32 %k, i32 %typenum, i32 %nd, ptr %dims)`: a new C-contiguous array as output k;
  returns its data, or null (then the program returns NO_MEMORY).
- `ptr @wb.alloc_update(ptr %ctx, i32 %k, i32 %typenum, i32 %nd, ptr %dims)`: the same for update k, in the shared
  variable's spare buffer where that fits and nobody else holds it. Committed only if the program returns 0.
- `ptr @wb.slot(ptr %ctx, i32 %slot, i64 %bytes)`: 64-byte aligned memory kept between calls; contents undefined; null if
  there is none.
- `void @wb.release(ptr %ctx)`, `void @wb.acquire(ptr %ctx)`: the GIL; both may be called when already done.
  The allocators take it for themselves when it is released; a program may return without it.
"""

from __future__ import annotations

NO_MEMORY = -1  # a program's result when an allocation gave null
FUNCTIONS: dict[str, str] = {}
