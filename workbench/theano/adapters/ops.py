"""`T.Elemwise` as programs ask for it: of a function's nodes, whether the processor is used."""

from __future__ import annotations

from typing import Any

from workbench.core.ops import elementwise


class _OfHost(type(elementwise.Elemwise)):  # type: ignore[misc]  # a class is made of classes
    """To be asked whether an op is one of the host's; a call makes the op itself."""

    def __call__(cls, *args: Any, **kwargs: Any) -> elementwise.Elemwise:
        return elementwise.Elemwise(*args, **kwargs)

    def __instancecheck__(cls, op: object) -> bool:
        return isinstance(op, elementwise.Elemwise) and not op.on_device


class Elemwise(elementwise.Elemwise, metaclass=_OfHost):
    """Of one scalar at a time, on the processor: those of devices are none, as in Theano."""
