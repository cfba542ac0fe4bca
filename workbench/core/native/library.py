"""Completes a module's text: defines or declares every library function that it mentions.

| prefix | what | where from |
|---|---|---|
| `wb.slot` | helpers of programs | `runtime`, as text |
| `wb.alloc_output`, … | larger helpers | `runtime`, compiled once |
| `wb.exp.v8f64`, … | vector math | `vmath`, as text |
| `wb.mt.word`, … | random numbers | `random_routines`, as text |
| `wb.mt.gauss`, `wb.philox.v8f64`, … | random numbers | `random_routines`, compiled once |
| `libm.lgamma` | scalar math | the C library |
| `special.iv` | special functions | scipy |
| `blas.dgemm`, `blas.set_num_threads` | BLAS, all arguments `ptr` | `blas` |
| `lapack.dgetrf` | LAPACK, all arguments `ptr` | `lapack` |
| `gpu.DeviceArray` | the class of devices' arrays | the process |
| `py.X`, `np.X`, `np.dtype.float64` | C API of Python and NumPy, dtype singletons | the process |

Other intrinsics (`llvm.…`) need no declaration.
"""

from __future__ import annotations

import functools
import re
import threading
from collections import Counter

from workbench.configuration import config
from workbench.core.native import engine, runtime, symbols, vmath
from workbench.core.native.routine import Routine
from workbench.core.native.ssa import Type
from workbench.frozen import frozen

_NAME = re.compile(r"@((?:llvm\.masked|wb|libm|libc|special|blas|lapack|py|np|gpu)\.[\w.]+)")
_DEFINED = re.compile(r"^(?:define [^@]*|)@([\w.]+)(?=\(| = )", re.MULTILINE)
_TYPE = re.compile(r"(?:v(\d+))?(f32|f64|i\d+)$")
_SCALAR = {"f32": "float", "f64": "double"}

INLINE_LIMIT = 6
"""A vector function called from more places than this is called, not copied: compile time is what
small programs wait for.
"""


@frozen
class Complete:
    """A module that defines or declares all it mentions, and the addresses of what it declares."""

    text: str
    symbols: dict[str, int]


def complete(text: str) -> Complete:
    """Add the definitions and declarations that `text` needs, transitively; KeyError for an unknown
    name.
    """
    parts, addresses = [text], dict(symbols.always())
    known = set(_DEFINED.findall(text))
    queue = [text]
    while queue:
        for name, count in sorted(Counter(_NAME.findall(queue.pop())).items()):
            if name in known:
                continue
            known.add(name)
            if name.startswith("llvm."):
                parts.append(_masked(name))
            elif _is_external(name):
                found = _external(name)
                addresses[name] = found.address
                parts.append(
                    found.declaration
                    if found.declaration[0] == "@"
                    else f"declare {found.declaration}"
                )
            else:
                parts.append(_definition(name, count <= INLINE_LIMIT))
                queue.append(parts[-1])
    return Complete("\n".join(parts) + "\n", addresses)


def _masked(name: str) -> str:
    """The declaration of a masked load or store as LLVM 20 has it; later ones read that too."""
    _, _, verb, suffix, _ = name.split(".")
    type = _type(suffix)
    if verb == "load":
        return f"declare {type.text} @{name}(ptr, i32, {type.mask.text}, {type.text})"
    return f"declare void @{name}({type.text}, ptr, i32, {type.mask.text})"


def _is_external(name: str) -> bool:
    if name.startswith(_RANDOM):
        return not _routine(name).inline
    return name in runtime.SHARED or name.partition(".")[0] in symbols.PREFIXES


def _external(name: str) -> symbols.External:
    if name.startswith(_RANDOM):
        with _LOCK:
            return symbols.External(_routine(name).declaration, _compiled(name).address(name))
    if name in runtime.SHARED:
        return symbols.External(runtime.SHARED[name], helpers().address(name))
    return symbols.external(name)


_RANDOM = ("wb.mt.", "wb.mrg.", "wb.philox.")


def _routine(name: str) -> Routine:
    from workbench.core.native.random_routines import routine

    return routine(name)


@functools.cache
def _compiled(name: str) -> engine.NativeModule:
    """A routine for random numbers on its own: many programs call it."""
    whole = complete(_routine(name).text)
    return engine.compile(whole.text, whole.symbols, [name], cache=config.cache)


def helpers() -> engine.NativeModule:
    """The helpers that all programs share, compiled once: they cost more than a small program."""
    with _LOCK:
        return _helpers()


@functools.cache
def _helpers() -> engine.NativeModule:
    whole = complete(runtime.SHARED_TEXT)
    return engine.compile(whole.text, whole.symbols, runtime.SHARED, cache=config.cache)


_LOCK = threading.RLock()


@functools.lru_cache(4096)
def _definition(name: str, inline: bool) -> str:
    if name in runtime.INLINE:
        return runtime.INLINE[name]
    if name.startswith(_RANDOM):
        return _routine(name).text
    base, _, suffix = name.removeprefix("wb.").rpartition(".")
    if not vmath.is_function(base):
        raise KeyError(name)
    return vmath.definition(base, _type(suffix), inline=inline)


def _type(suffix: str) -> Type:
    """The type that a name ends in: `v8f64`, `i32`."""
    match = _TYPE.match(suffix)
    if not match:
        raise KeyError(suffix)
    return Type(_SCALAR.get(match[2], match[2]), int(match[1] or 1))
