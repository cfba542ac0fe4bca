"""Pinv: the Moore-Penrose inverse, from singular values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Gradients, Type, Variable, Variables
from workbench.core.ops.batched import matmul as product
from workbench.core.ops.create import zeros
from workbench.core.ops.decompose import Svd
from workbench.core.ops.join import join
from workbench.core.ops.reduce import max as largest
from workbench.core.ops.scalars import cast, eq, gt, maximum, switch
from workbench.core.ops.shape import shape_tuple
from workbench.core.ops.solve import not_converged
from workbench.core.ops.stacks import Expanded, as_rows, matrices, turned
from workbench.core.types import TensorType, constant, tensor_type
from workbench.frozen import frozen


@frozen
class Pinv(Expanded):
    """The Moore-Penrose inverses. Singular values below `rcond` times the largest count as zero
    (None: max(rows, columns) times the dtype's epsilon).

    The gradient (Golub and Pereyra, 1973) is right where the rank does not change.
    """

    rcond: float | None = None

    title = "pinv"

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = matrices(inputs[0], self.title)
        return [TensorType(t.dtype, (*t.shape[:-2], t.shape[-1], t.shape[-2]))]

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        """Every matrix has one."""

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        (x,) = values
        relative = max(x.shape[-2:]) * np.finfo(x.dtype).eps if self.rcond is None else self.rcond
        try:
            return [np.linalg.pinv(x, rcond=relative)]
        except np.linalg.LinAlgError:
            raise not_converged(self.title) from None

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (a,), (p,), (g,) = inputs, outputs, gradients
        if g is None:
            return [None]
        at, pt, gt = turned(a), turned(p), turned(g)
        outside = gt - product(pt, product(at, gt))  # (I - A P) gᵀ: A P is symmetric
        beside = gt - product(gt, product(p, a))  # gᵀ (I - P A)
        return [
            product(product(outside, p), pt)
            + product(product(pt, p), beside)
            - product(product(pt, g), pt)
        ]

    def expand(self, x: Variable) -> Any:
        u, s, v = Svd(full=False)(x)
        dtype = tensor_type(x).dtype
        rows, columns = shape_tuple(x)[-2:]
        if self.rcond is None:
            relative = cast(maximum(rows, columns), dtype) * constant(np.finfo(dtype).eps, dtype)
        else:
            relative = constant(self.rcond, dtype)
        # A zero beside them, since there may be no singular values at all.
        bound = relative * _largest(s)
        kept = gt(s, bound)
        reciprocals = switch(kept, 1 / switch(eq(s, 0), 1, s), 0)
        return product(turned(v) * as_rows(reciprocals), turned(u))

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        *batch, m, n = shape_tuple(inputs[0])
        return [[*batch, n, m]]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 22 * int(inputs[0].size) * int(min(inputs[0].shape[-2:]))


def _largest(s: Any) -> Any:
    """The largest singular value as a last axis of length 1; 0 where there are none."""
    *batch, _ = shape_tuple(s)
    none = zeros([*batch, 1], tensor_type(s).dtype)
    return largest(join(-1, s, none), axis=-1, keepdims=True)
