"""A nest as the text of one LLVM function with explicit vectors, and the text of a call to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.core.native.target import Target
from workbench.core.nest import Nest


@dataclass(frozen=True, slots=True)
class Argument:
    """What a call passes for an operand or result: SSA names or literals.

    `value` is a `ptr` to the first element, or for an operand passed by value (`Operand.by_value`) a scalar of its memory
    type (bool is i8). `strides` are i64 byte strides, one for each axis of the nest; only those of kind 'any' are read.
    """

    value: str
    strides: Sequence[str] = ()


def kernel_text(name: str, nest: Nest, target: Target) -> str:
    """`define internal void @name(…)` for a nest: the same text for the same nest, name and target.

    The text refers to functions of `library` (math, libm): give the whole module to `library.complete`.
    Raises NoNativeForm for what the target cannot do; a nest of more than MAX_STEPS steps should be split before.
    """
    raise NotImplementedError


def kernel_call(
    name: str, nest: Nest, dims: Sequence[str], operands: Sequence[Argument], results: Sequence[Argument]
) -> str:
    """The IR statement that calls the kernel; `dims` are i64, one for each axis."""
    raise NotImplementedError


MAX_STEPS = 400
"""Compile time grows faster than steps beyond this: callers split larger programs."""
