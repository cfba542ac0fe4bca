"""Products of matrices as BLAS calls: beta * C + alpha * A @ B in one go.

A product first becomes a call with beta 0, whose accumulator is `alloc(0, …)`: a back end takes it
as unwritten memory, since with a constant beta of 0 nothing reads it. Then factors, signs and sums
round the call move into it.
"""

from __future__ import annotations

from typing import Any

from workbench.core.graph import Apply, Variable
from workbench.core.ops.alloc import alloc
from workbench.core.ops.dot import Dot, Gemm, Gemv, dot_dims
from workbench.core.ops.scalars import Add, Mul, Neg, Sub, TrueDiv, add, cast, mul, neg, true_div
from workbench.core.ops.shape import transpose
from workbench.core.rewrite.engine import Context, Refuse, Rule, rule
from workbench.core.rewrite.equations import is_number
from workbench.core.rewrite.matching import dtype_of, is_scalar, made_by, ndim_of, pattern_of
from workbench.core.types import constant, upcast

BLAS_DTYPES = ("float32", "float64")


@rule(Dot, equation="dot(A, x) → gemv(A, x)")
def dot_to_blas(node: Apply, context: Context) -> Variable | Refuse | None:
    """BLAS takes floats of one dtype."""
    a, b = node.inputs
    ranks = ndim_of(a), ndim_of(b)
    if ranks == (1, 1):
        return None
    dtypes = {dtype_of(a), dtype_of(b)}
    if len(dtypes) > 1 or dtypes.isdisjoint(BLAS_DTYPES):
        return Refuse(f"BLAS has no product of {' and '.join(sorted(dtypes))}")
    one, zero = constant(1, dtype_of(a)), constant(0, dtype_of(a))
    target = alloc(zero, *dot_dims(a, b))
    if ranks == (2, 2):
        return Gemm()(target, one, a, b, zero)  # type: ignore[no-any-return]
    matrix, vector = (a, b) if ranks == (2, 1) else (transpose(b), a)
    return Gemv()(target, one, matrix, vector, zero)  # type: ignore[no-any-return]


@rule(Mul, TrueDiv, equation="c * gemm(C, α, A, B, β) → gemm(C, c * α, A, B, c * β)")
def scale_blas(node: Apply, context: Context) -> Variable | None:
    """BLAS scales on the way."""
    a, b = node.inputs
    quotient = made_by(node.outputs[0], TrueDiv) is not None
    for product, factor in ((a, b),) if quotient else ((a, b), (b, a)):
        call = _call(product, node, context)
        if call is None or not is_scalar(factor) or not _fits(factor, product):
            continue
        c = cast(factor, dtype_of(product))
        scale: Any = true_div if quotient else mul
        target, alpha, m, n, beta = call.inputs
        beta = beta if is_number(beta, 0) else scale(beta, c)
        return call.op(target, scale(alpha, c), m, n, beta)  # type: ignore[no-any-return]
    return None


@rule(Neg, equation="-gemm(C, α, A, B, β) → gemm(C, -α, A, B, -β)")
def negate_blas(node: Apply, context: Context) -> Variable | None:
    """BLAS scales on the way."""
    call = _call(node.inputs[0], node, context)
    return None if call is None else _negated(call).outputs[0]


@rule(Add, Sub, equation="D ± gemm(C, α, A, B, 0) → gemm(D, ±α, A, B, 1)")
def accumulate(node: Apply, context: Context) -> Variable | None:
    """BLAS adds to what is there: the product is never stored by itself."""
    a, b = node.inputs
    subtracts = made_by(node.outputs[0], Sub) is not None
    for product, other, first in ((b, a, False), (a, b, True)):
        call = _call(product, node, context)
        if call is None or other.type.broadcastable != pattern_of(product):  # type: ignore[attr-defined]
            continue
        if dtype_of(other) != dtype_of(product):
            continue
        flipped = _negated(call) if subtracts and not first else call
        result = _add_to(flipped, other, neg_other=subtracts and first)
        if result is not None:
            return result
    return None


def _add_to(call: Apply, other: Variable, neg_other: bool) -> Variable | None:
    """The call with a scaled tensor added: as its accumulator where that is free, or the same
    tensor already.
    """
    scale, tensor = _scaled(other)
    if neg_other:
        scale = neg(scale)
    target, alpha, m, n, beta = call.inputs
    if is_number(beta, 0):
        return call.op(tensor, alpha, m, n, scale)  # type: ignore[no-any-return]
    if target is tensor:
        return call.op(target, alpha, m, n, add(beta, scale))  # type: ignore[no-any-return]
    return None


def _scaled(variable: Variable) -> tuple[Any, Variable]:
    """A tensor and the scalar that it is multiplied by."""
    dtype = dtype_of(variable)
    node = made_by(variable, Mul)
    if node is not None:
        for factor, tensor in (node.inputs, node.inputs[::-1]):
            same = dtype_of(tensor) == dtype and pattern_of(tensor) == pattern_of(variable)
            if is_scalar(factor) and same and upcast(dtype_of(factor), dtype) == dtype:
                return cast(factor, dtype), tensor
    return constant(1, dtype), variable


def _call(variable: Variable, reader: Apply, context: Context) -> Apply | None:
    """The BLAS call that makes a variable, where this node of the same type alone reads it. What
    surrounds a device's product is one kernel with all that is elementwise there.
    """
    if context.session.stays is not None:
        return None
    call = made_by(variable, Gemv, Gemm)
    if call is None or not context.read_once(variable):
        return None
    (out,) = reader.outputs
    same = dtype_of(out) == dtype_of(variable) and pattern_of(out) == pattern_of(variable)
    return call if same else None


def _negated(call: Apply) -> Apply:
    target, alpha, m, n, beta = call.inputs
    return call.op.apply(target, neg(alpha), m, n, beta if is_number(beta, 0) else neg(beta))


def _fits(factor: Variable, product: Variable) -> bool:
    return upcast(dtype_of(factor), dtype_of(product)) == dtype_of(product)


BLAS: tuple[Rule, ...] = (dot_to_blas, scale_blas, negate_blas, accumulate)
