"""A loop as one kernel: the kernels of its commands are the cases of a switch."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from workbench.gpu import handmade
from workbench.gpu.abi import COMMAND_WORDS, LISTED_WORDS, MOST_COMMANDS, PUT_WORDS
from workbench.gpu.dialect import Capabilities, Kernel, source

NAMED = 16
"""Buffers that a loop's kernel takes where addresses are no numbers: see `ARRAY_AT`."""

_LOCAL = re.compile(r"^ *(LOCAL_ARRAY\(.+\);\n)", re.MULTILINE)


def named_buffers(able: Capabilities) -> int:
    """How many buffers a loop's kernel takes besides the list."""
    return NAMED if able.language == "opencl" else 0


def is_replayable(kernel: Kernel) -> bool:
    """Whether a kernel can be a case of a loop's."""
    return bool(kernel.body) and kernel.words <= COMMAND_WORDS and kernel.buffers <= NAMED


def put_kernel() -> Kernel:
    """What brings a list to the device."""
    made = handmade.kernel("put")
    assert made.words == 3 + PUT_WORDS
    return made


def replay_kernel(cases: Sequence[Kernel], able: Capabilities) -> Kernel:
    """The kernel of a loop with these commands."""
    buffers = 1 + named_buffers(able)
    words = buffers + 4
    parts = [_part(n, case) for n, case in enumerate(cases)]
    text = source("replay.c")
    for name, value in {
        "NAME_WORDS": str(words),
        "NAME_BUFFERS": str(buffers),
        "MOST_COMMANDS": str(MOST_COMMANDS),
        "LISTED_WORDS": str(LISTED_WORDS),
        "NAME_LOCALS": "".join(dict.fromkeys(line for _, locals, _ in parts for line in locals)),
        "NAME_CASES": "".join(body for _, _, body in parts),
    }.items():
        text = text.replace(name, value)
    whole = "".join((source("replayed.h"), *(b for b, _, _ in parts), text, source("own.h")))
    name = f"replay_{hashlib.sha256(whole.encode()).hexdigest()[:12]}"
    return Kernel(name, re.sub(r"\bNAME", name, whole), words, buffers)


def _part(n: int, case: Kernel) -> tuple[str, list[str], str]:
    """A case's own functions, its arrays of local memory, and its statements. Arrays of one name
    are one: a case is done with it when the next begins.
    """
    own = f"NAME_case{n}"
    before, body = (text.replace(case.name, own) for text in (case.before, case.body))
    locals = [f"    {line}" for line in _LOCAL.findall(body)]
    inside = _LOCAL.sub("", body)
    statements = (
        f"            case {n}:\n"
        f"            for (i64 group = 0; group < groups; group++) {{\n{inside}\nBARRIER();\n}}\n"
        f"            break;\n"
    )
    return f"{before}\n", locals, statements
