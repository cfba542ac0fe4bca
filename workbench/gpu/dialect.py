"""The dialect of C in which kernels are written: one text that CUDA and OpenCL compile.

A kernel has a struct of 64-bit words, given by value, and a work group of GROUP_SIZE threads. The
first words are where its buffers begin: on CUDA addresses, on OpenCL offsets into buffers that are
arguments by themselves. `W(i)` is word i, `ARRAY(k)` the first byte of buffer k.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

from workbench.frozen import frozen
from workbench.gpu.abi import OFFSET_BITS

GROUP_SIZE = 256

C_TYPES = {
    "bool": "b8", "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64",
    "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
    "float16": "f16", "float32": "f32", "float64": "f64",
}  # fmt: skip


class NoDeviceForm(Exception):
    """What a node does has no kernel, or none for its dtypes: it stays on the processor."""


@frozen
class Kernel:
    """A kernel's text. The name is unique for the text.

    words, buffers   how many it takes
    body, before     what it does, and its own functions, where it can be a part of another kernel
    """

    name: str
    text: str
    words: int
    buffers: int
    body: str = ""
    before: str = ""

    def __hash__(self) -> int:
        return hash(self.name)


@frozen
class Capabilities:
    """What kernels may use on a device.

    language       'cuda' or 'opencl'
    float64        whether it computes with them
    atomics64      whether it exchanges 64-bit words atomically
    word_limit     how many words and buffers a kernel takes
    groups         how many work groups keep it busy
    pack           bytes that one thread reads at once
    options        the compiler's options
    replays        whether many small launches are worth a kernel of their own
    """

    language: str
    float64: bool = True
    atomics64: bool = True
    word_limit: int = 128
    groups: int = 64
    pack: int = 16
    options: tuple[str, ...] = ()
    fast_math: bool = False
    replays: bool = False


def program_text(kernels: Iterable[Kernel], able: Capabilities) -> str:
    """The text of a program with these kernels."""
    chosen = list(kernels)
    buffers = sorted({k.buffers for k in chosen})
    flags = {"HAS_F64": able.float64, "HAS_ATOMICS_64": able.atomics64, "FAST_MATH": able.fast_math}
    lines = [
        *(f"#define {name} 1" for name, has in flags.items() if has),
        f"#define GROUP_SIZE {GROUP_SIZE}",
        f"#define OFFSET_BITS {OFFSET_BITS}",
        source(f"{able.language}.h"),
        source("own.h"),
        *(_buffer_arguments(n) for n in buffers),
        *(
            f"typedef struct {{ i64 v[{n}]; }} words_{n};"
            for n in sorted({k.words for k in chosen})
        ),
        *_packs(able),
        source("scalars.c"),
        *([source("special.c")] if any("special_" in k.text for k in chosen) else ()),
        *(k.text for k in chosen),
    ]
    return "\n".join(lines) + "\n"


def _buffer_arguments(count: int) -> str:
    """The parameters for so many buffers (OpenCL's; CUDA has them in the words)."""
    arguments = "".join(f", __global char *buffer{k}" for k in range(count))
    return f"#define BUFFERS_{count} {arguments}"


def _packs(able: Capabilities) -> Iterable[str]:
    """Structs that one thread reads or writes at once."""
    for name in C_TYPES.values():
        if name == "f64" and not able.float64:
            continue
        for count in (2, 4, 8, 16):
            size = count * int(re.sub(r"\D", "", name)) // 8
            yield (
                f"typedef struct ALIGNED({min(size, 16)}) {{ {name} v[{count}]; }} {name}_{count};"
            )


@cache
def source(name: str) -> str:
    """A file of the folder `kernels`."""
    return files("workbench.gpu").joinpath("kernels", name).read_text("utf-8")


def named(base: str, words: int, buffers: int, body: Sequence[str], before: str = "") -> Kernel:
    """A kernel of these statements; `before` are its own functions, in which NAME stands for its
    name. It is called by `base` and a digest of its text.
    """
    import hashlib

    inside = "\n".join(f"    {line}" for line in body)
    whole = f"{before}\nKERNEL(NAME, {words}, {buffers}) {{\n{inside}\n}}\n"
    digest = hashlib.sha256(whole.encode()).hexdigest()[:12]
    name = f"{base}_{digest}"
    text, inside, before = (re.sub(r"\bNAME", name, part) for part in (whole, inside, before))
    return Kernel(name, text, words, buffers, inside, before)


def c_type(dtype: str) -> str:
    """The C type of a dtype. Raises NoDeviceForm."""
    try:
        return C_TYPES[dtype]
    except KeyError:
        raise NoDeviceForm(f"there is no {dtype} on a device") from None
