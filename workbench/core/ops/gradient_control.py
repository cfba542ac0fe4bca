"""The identity, but for what flows back through it: disconnected_grad, zero_grad, grad_clip,
grad_scale, undefined_grad.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables, describe
from workbench.core.ops.scalars import maximum, minimum, mul, zeros_like
from workbench.core.ops.shape import shape_tuple
from workbench.core.types import as_tensor, constant, tensor_type
from workbench.errors import NullGradientError
from workbench.frozen import frozen


@frozen
class GradientControl(Op):
    """Its input, as it is. `kind` says what becomes of a gradient g: 'disconnect' it, 'zero',
    'clip' or 'scale' it; 'undefined': it is an error to ask for one.
    """

    takes_half = True

    kind: str
    bounds: tuple[float, ...] = ()

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        return [tensor_type(inputs[0])]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        return [values[0]]

    def connected(self, index: int) -> bool:
        return self.kind != "disconnect"

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,) = gradients
        if g is None or self.kind == "disconnect":
            return [None]
        if self.kind == "undefined":
            raise NullGradientError(
                "a gradient flows back through undefined_grad",
                describe(self, inputs),
                advice="take the gradient by something else, or pass null_gradients='return'",
            )
        bounds = [constant(bound, tensor_type(g).dtype) for bound in self.bounds]
        if self.kind == "clip":
            return [minimum(maximum(g, bounds[0]), bounds[1])]
        return [mul(g, bounds[0]) if self.kind == "scale" else zeros_like(inputs[0])]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [shape_tuple(inputs[0])]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 0

    @property
    def label(self) -> str:
        names = {"disconnect": "disconnected_grad", "undefined": "undefined_grad"}
        return names.get(self.kind, f"grad_{self.kind}")


def disconnected_grad(x: Any) -> Any:
    """x, through which no gradient flows: it counts as disconnected from what it is computed
    from.
    """
    return GradientControl("disconnect")(as_tensor(x))


def zero_grad(x: Any) -> Any:
    """x, through which the gradient is zero."""
    return GradientControl("zero")(as_tensor(x))


consider_constant = zero_grad


def undefined_grad(x: Any) -> Any:
    """x, of which nobody may ask the gradient: that raises NullGradientError."""
    return GradientControl("undefined")(as_tensor(x))


def grad_clip(x: Any, lower_bound: float, upper_bound: float) -> Any:
    """x; the gradient that flows back through it is kept between the bounds."""
    return GradientControl("clip", (float(lower_bound), float(upper_bound)))(as_tensor(x))


def grad_scale(x: Any, multiplier: float) -> Any:
    """x; the gradient that flows back through it is multiplied."""
    return GradientControl("scale", (float(multiplier),))(as_tensor(x))
