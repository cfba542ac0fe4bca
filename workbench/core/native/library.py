"""Completes a module's text: defines or declares every library function that it mentions.

| prefix | what | where from |
|---|---|---|
| `wb.slot`, `wb.alloc_output`, … | helpers of programs | `runtime`, as text |
| `wb.exp.v8f64`, … | vector math | `vmath`, as text |
| `libm.lgamma` | scalar math | the C library |
| `blas.dgemm` | BLAS, all arguments `ptr` | `blas` |
| `py.X`, `np.X` | C API of Python and NumPy | the process |
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Complete:
    """A module that defines or declares all it mentions, and the addresses of what it declares."""

    text: str
    symbols: dict[str, int]


def complete(text: str) -> Complete:
    """Add the definitions and declarations that `text` needs, transitively."""
    raise NotImplementedError
