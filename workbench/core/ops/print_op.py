"""Printing a value as it is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import field, replace
from time import perf_counter_ns
from typing import Any, ClassVar

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.types import as_tensor
from workbench.frozen import frozen

_silent: ContextVar[bool] = ContextVar("workbench_silent_prints", default=False)


@contextmanager
def silenced() -> Iterator[None]:
    """Nothing is printed in this block: a graph that has run is only run again to be looked at."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def print_value(op: Print, value: Any) -> None:
    """Prints a line for each attribute: the message, the attribute's name, its value (or what it
    gives when called).
    """
    for name in op.attrs:
        shown = getattr(value, name)
        print(op.message, name, "=", shown() if callable(shown) else shown)


class Once:
    """One use of a Print: no other is equal to it, so that two are never merged into one."""

    def __init__(self) -> None:
        self.made = perf_counter_ns()


@frozen
class Print(Op):
    """`Print(message)(x)` is x, and says so when it runs: 'MESSAGE ATTRIBUTE = VALUE'.

    attrs      attributes or methods of the value that are printed, each on a line
    global_fn  called with (this op, the value) in the place of printing

    It prints once in every run and in every iteration of a loop, where the user put it: no rewrite
    drops it, joins it with another or moves it. What it stands in is run by the interpreter.
    """

    takes_half = True

    effect: ClassVar[bool] = True

    message: str = ""
    attrs: tuple[str, ...] = ("__str__",)
    global_fn: Callable[[Print, Any], object] = print_value
    use: Once = field(default_factory=Once)

    def __call__(self, *inputs: Any) -> Any:
        (x,) = inputs
        return replace(self, use=Once()).apply(as_tensor(x)).out

    @property
    def made(self) -> int:  # type: ignore[override]  # it is not assigned to
        return self.use.made

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        return [inputs[0].type]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        if not _silent.get():
            self.global_fn(self, values[0])
        return [values[0]]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        return list(gradients)

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 0

    @property
    def label(self) -> str:
        return f"print {self.message}".strip()

    def __str__(self) -> str:
        return f"Print{{message={self.message!r}}}"
