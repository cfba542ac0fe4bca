"""The bases of scalar ops that are formulas of several primitives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.ops.elementwise import ScalarOp
from workbench.core.ops.scalars import FloatOp
from workbench.core.scalar import ScalarBuilder
from workbench.core.terms import Term

Grads = Sequence[Any]  # Any: variables with operators


class Formula(ScalarOp):
    """A formula over operands of the compute dtype, cast to the result's."""

    complexes = False

    def write(self, *terms: Term) -> Term:
        raise NotImplementedError  # every subclass has one

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        dtypes = [b.dtypes[i] for i in args]
        wide = self.compute_dtype(*dtypes)
        result = self.write(*(Term(b, b.cast(i, wide)) for i in args))
        return result.cast(self.dtype(*dtypes)).index


class FloatFormula(Formula, FloatOp):
    """A formula in floating point."""
