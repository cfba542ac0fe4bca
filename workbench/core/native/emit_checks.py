"""Conditions that must hold."""

from __future__ import annotations

from workbench.core.graph import Apply
from workbench.core.native.writer import Emitter, Writer
from workbench.core.ops.checks import Check


def emit_check(w: Writer, node: Apply) -> None:
    """The value itself, and a way out of the program."""
    x, *conditions = node.inputs
    for v in conditions:
        truth = w.scalar(w.tensor(v))
        w.require((truth if truth.type.scalar == "i1" else truth.ne(0)).name, w.code)
    w.bind(node.out, w.tensor(x))


EMITTERS: dict[type, Emitter] = {Check: emit_check}
