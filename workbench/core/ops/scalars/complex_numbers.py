"""Complex numbers and their parts. They have no native form: the interpreter computes them.

The gradient of a real cost by a complex z = x + iy is ∂cost/∂x - i·∂cost/∂y, so that holomorphic
functions keep their own derivative: that of z² is 2z.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.ops.elementwise import Elemwise, ScalarOp
from workbench.core.ops.scalars import (
    FloatOp,
    Grads,
    absolute,
    cos,
    sin,
    sqr,
    zeros_like,
)
from workbench.core.scalar import ScalarBuilder
from workbench.core.types import as_tensor, float_like, tensor_type

_PARTS = {"complex64": "float32", "complex128": "float64"}


def _is_complex(x: Any) -> bool:
    return tensor_type(as_tensor(x)).dtype[0] == "c"


class _Part(ScalarOp):
    """One of the two real numbers that make a complex one."""

    ulp = 0

    def dtype(self, *dtypes: str) -> str:
        return _PARTS.get(dtypes[0], dtypes[0])

    def compute_dtype(self, *dtypes: str) -> str:
        return dtypes[0]


class Real(_Part):
    """The real part; a real number is its own."""

    name, numpy = "real", np.real

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        (x,) = args
        return b.prim("real", self.dtype(b.dtypes[x]), x) if b.dtypes[x] in _PARTS else x

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [complex_(g, zeros_like(g)) if _is_complex(inputs[0]) else g]


class Imag(_Part):
    """The imaginary part; that of a real number is 0."""

    name, numpy = "imag", np.imag

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        (x,) = args
        dtype = self.dtype(b.dtypes[x])
        return b.prim("imag", dtype, x) if b.dtypes[x] in _PARTS else b.const(0, dtype)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [complex_(zeros_like(g), -g) if _is_complex(inputs[0]) else zeros_like(g)]


class Conj(ScalarOp):
    """The conjugate; a real number is its own."""

    name, numpy, ulp = "conj", staticmethod(lambda x: np.conj(x) if x.dtype != bool else x), 0

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        (x,) = args
        return b.prim("conj", b.dtypes[x], x) if b.dtypes[x] in _PARTS else x

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [conj(g)]


class Angle(FloatOp):
    """The argument of a complex number, from -π to π; 0 or π of a real one."""

    name, numpy, ulp = "angle", np.angle, 0

    def dtype(self, *dtypes: str) -> str:
        floating = float_like(*dtypes)
        return _PARTS.get(floating, floating)

    def compute_dtype(self, *dtypes: str) -> str:
        return float_like(*dtypes)

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        (x,) = args
        dtype = self.dtype(b.dtypes[x])
        if b.dtypes[x] in _PARTS:
            return b.prim("angle", dtype, x)
        return b.prim("arctan2", dtype, b.const(0, dtype), b.cast(x, dtype))

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        (z,) = inputs
        if not _is_complex(z):
            return [zeros_like(g)]
        square = sqr(absolute(z))
        return [complex_(-g * imag(z) / square, -g * real(z) / square)]


class MakeComplex(ScalarOp):
    """A complex number of its real and its imaginary part."""

    name, arity, ulp, complexes = "complex", 2, 0, False

    @staticmethod
    def numpy(x: Any, y: Any) -> Any:
        pair = np.stack(np.broadcast_arrays(x, y), -1)
        return pair.view(f"c{2 * x.itemsize}")[..., 0]

    def dtype(self, *dtypes: str) -> str:
        return "complex64" if float_like(*dtypes) == "float32" else "complex128"

    def compute_dtype(self, *dtypes: str) -> str:
        return float_like(*dtypes)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [real(g), -imag(g)] if _is_complex(g) else [g, zeros_like(g)]


real, imag, conj, angle = Elemwise(Real()), Elemwise(Imag()), Elemwise(Conj()), Elemwise(Angle())
complex = complex_ = Elemwise(MakeComplex())
conjugate = conj


def complex_from_polar(size: Any, argument: Any) -> Any:
    """size·exp(i·argument)."""
    return complex_(as_tensor(size) * cos(argument), as_tensor(size) * sin(argument))
