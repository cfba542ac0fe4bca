"""Kernels that are written by hand: files of the folder `kernels`, each a template.

In a file, NAME stands for the kernel's name, and what its parameters are (types, sizes) is defined
before it and forgotten after it. Its own functions and macros begin with NAME, too, for a program
may hold several kernels that were made of one file. What two files share is in a third, which both
include.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache

from workbench.gpu.dialect import Kernel, source

_INCLUDE = re.compile(r'^#include "(.+)"$', re.MULTILINE)
_SIGNATURE = re.compile(r"KERNEL\(NAME, (\d+), (\d+)\)")


def kernel(file: str, **parameters: object) -> Kernel:
    """The kernel of a file, with these values for its parameters."""
    return _kernel(file, tuple(sorted((name, str(value)) for name, value in parameters.items())))


@lru_cache(4096)
def _kernel(file: str, parameters: tuple[tuple[str, str], ...]) -> Kernel:
    body = _INCLUDE.sub(lambda line: source(line[1]), source(f"{file}.c"))
    given: Mapping[str, str] = dict(parameters)
    before = "".join(f"#define {name} {value}\n" for name, value in given.items())
    after = "".join(f"#undef {name}\n" for name in given)
    text = f"{before}{body}{after}"
    found = _SIGNATURE.search(body)
    assert found is not None, f"{file}.c defines no KERNEL(NAME, words, buffers)"
    name = f"{file}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    return Kernel(name, re.sub(r"\bNAME", name, text), int(found[1]), int(found[2]))
