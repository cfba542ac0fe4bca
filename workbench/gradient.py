"""Derivatives, what controls them on their way back, and their check against differences.

`grad`, `jacobian`, `hessian`, `Lop`, `Rop`, `subgraph_grad`; `disconnected_grad`, `zero_grad`,
`consider_constant`, `undefined_grad`, `grad_clip`, `grad_scale`; `verify_grad`.
"""

from workbench.core.gradient import grad
from workbench.core.jacobian import Lop, Rop, hessian, jacobian
from workbench.core.ops.gradient_control import (
    consider_constant,
    disconnected_grad,
    grad_clip,
    grad_scale,
    undefined_grad,
    zero_grad,
)
from workbench.core.subgraph import subgraph_grad
from workbench.core.verify import verify_grad
from workbench.errors import DisconnectedInputError, GradientError, NullGradientError

__all__ = [
    "DisconnectedInputError",
    "GradientError",
    "Lop",
    "NullGradientError",
    "Rop",
    "consider_constant",
    "disconnected_grad",
    "grad",
    "grad_clip",
    "grad_scale",
    "hessian",
    "jacobian",
    "subgraph_grad",
    "undefined_grad",
    "verify_grad",
    "zero_grad",
]
