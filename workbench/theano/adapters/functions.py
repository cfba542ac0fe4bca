"""`function` and `Param` with Theano's arguments."""

from __future__ import annotations

import warnings
from typing import Any

import workbench as wb


def function(
    inputs: Any,
    outputs: Any = None,
    mode: Any = None,
    updates: Any = None,
    givens: Any = None,
    no_default_updates: Any = False,
    accept_inplace: bool = False,
    name: str | None = None,
    rebuild_strict: bool = True,
    allow_input_downcast: bool | None = None,
    profile: Any = None,
    on_unused_input: str | None = None,
) -> Any:
    """`workbench.function` with Theano's order of arguments.

    `accept_inplace` has nothing to accept: no op of ours writes to its inputs.
    """
    return wb.function(
        inputs,
        outputs,
        mode=mode,
        updates=updates,
        givens=givens,
        no_default_updates=no_default_updates,
        name=name,
        rebuild_strict=rebuild_strict,
        allow_input_downcast=allow_input_downcast,
        profile=profile,
        on_unused_input=on_unused_input,
    )


def Param(
    variable: Any,
    default: Any = None,
    name: str | None = None,
    mutable: bool = False,
    strict: bool = False,
    allow_downcast: bool | None = None,
    implicit: bool | None = None,
    borrow: bool | None = None,
) -> wb.In:
    """The old spelling of `In(variable, value=default)`."""
    warnings.warn(
        "Param is Theano's old spelling; write In(variable, value=default)",
        UserWarning,
        stacklevel=2,
    )
    return wb.In(
        variable,
        name=name,
        value=default,
        mutable=mutable,
        strict=strict,
        allow_downcast=allow_downcast,
        implicit=implicit,
        borrow=borrow,
    )
