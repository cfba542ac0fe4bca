"""Equations as data: `equation("log_exp", log(exp(x)), x)` is a rule.

Both sides are ordinary expressions, written with the user's own operators over the pattern
variables x, y, z. A pattern variable stands for any expression (twice the same one: the very same
expression), a number for any constant whose every element is that number. Operands of commutative
ops match in any order. An equation holds for a whole expression of one dtype: where a part of it is
computed in another one, it does not fit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core import graph, origin
from workbench.core.graph import Apply, Constant, Variable
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.scalars import cast
from workbench.core.rewrite.engine import Context, Rule, calling_source
from workbench.core.types import as_tensor, tensor_type
from workbench.core.variable import tensor

Bound = dict[Variable, Variable]
Goal = tuple[Variable, Variable]  # a pattern and what it has to match

with origin.inherited(()):
    x, y, z = (tensor("float64", (), name) for name in "xyz")

ANY = "biufc"  # kinds of dtypes
REAL = "biuf"
FLOAT = "f"


def equation(name: str, left: Any, right: Any, reason: str, dtypes: str = REAL) -> Rule:
    """The rule that puts the right side in the place of the left one, for results of these kinds of
    dtypes.
    """
    pattern, result = as_tensor(left), as_tensor(right)
    root = pattern.owner
    assert root is not None, "an equation's left side is an expression"
    assert isinstance(root.op, Elemwise), "equations are about elementwise expressions"
    wanted = tuple(filter(None, map(_kind, root.inputs)))

    def rewrite(node: Apply, context: Context) -> Variable | None:
        if not _plausible(wanted, node.inputs):
            return None
        dtype = node.outputs[0].type.dtype  # type: ignore[attr-defined]
        if np.dtype(dtype).kind not in dtypes:
            return None
        bound = match(pattern, node.outputs[0])
        return None if bound is None else conform(write(result, bound, dtype), node.outputs[0])

    on = (type(root.op.scalar),)
    return Rule(name, on, rewrite, f"{text(pattern)} → {text(result)}", reason, calling_source())


def match(pattern: Variable, variable: Variable) -> Bound | None:
    """What the pattern's variables stand for, where the expression is of that form and of one dtype
    throughout.
    """
    return _solve(((pattern, variable),), {}, tensor_type(variable).dtype)


def _solve(goals: tuple[Goal, ...], bound: Bound, dtype: str) -> Bound | None:
    if not goals:
        return bound
    (pattern, variable), rest = goals[0], goals[1:]
    wanted = pattern.owner
    if wanted is None:
        now = _bind(pattern, variable, bound)
        return None if now is None else _solve(rest, now, dtype)
    node = variable.owner
    if node is None or tensor_type(variable).dtype != dtype:
        return None
    if node.op is not wanted.op and node.op != wanted.op:
        return None
    orders = (
        (node.inputs, node.inputs[::-1])
        if node.op.commutative and len(node.inputs) == 2
        else (node.inputs,)
    )
    for inputs in orders:
        parts = tuple(zip(wanted.inputs, inputs, strict=True))
        if (found := _solve(parts + rest, bound, dtype)) is not None:
            return found
    return None


def _bind(pattern: Variable, variable: Variable, bound: Bound) -> Bound | None:
    if isinstance(pattern, Constant):
        return bound if is_number(variable, pattern.data) else None
    known = bound.get(pattern)
    if known is None:
        return {**bound, pattern: variable}
    return bound if known is variable else None


def write(result: Variable, bound: Bound, dtype: str) -> Variable:
    """An equation's right side over what its variables stand for, computed in this dtype."""
    if dtype != "bool":
        bound = {pattern: cast(v, dtype) for pattern, v in bound.items()}
    return graph.replace([result], bound)[0]


def conform(value: Variable, like: Variable) -> Variable | None:
    """The value in the dtype of a variable, or None where it does not have the same axes."""
    if tensor_type(value).broadcastable != tensor_type(like).broadcastable:
        return None
    return cast(value, tensor_type(like).dtype)  # type: ignore[no-any-return]


def is_number(variable: Variable, number: Any) -> bool:
    """Whether it is a constant of which every element is this number."""
    if not isinstance(variable, Constant) or variable.data.size == 0:
        return False
    return bool((variable.data == number).all())


def _kind(pattern: Variable) -> type | None:
    """What an operand must be: a constant, or made by a scalar op of this class."""
    if isinstance(pattern, Constant):
        return Constant
    return type(pattern.owner.op.scalar) if pattern.owner is not None else None  # type: ignore[attr-defined]


def _plausible(wanted: tuple[type, ...], inputs: tuple[Variable, ...]) -> bool:
    """Whether every wanted kind is among the operands: a quick no for most nodes."""
    for kind in wanted:
        for v in inputs:
            if v.owner is None:
                if kind is Constant and isinstance(v, Constant):
                    break
            elif type(getattr(v.owner.op, "scalar", None)) is kind:
                break
        else:
            return False
    return True


def text(variable: Variable) -> str:
    """How an expression reads: '1 / (1 + exp(-x))'."""
    node = variable.owner
    if node is None:
        return str(variable.data) if isinstance(variable, Constant) else str(variable)
    scalar = node.op.scalar  # type: ignore[attr-defined]
    parts = [_operand(v) if scalar.symbol else text(v) for v in node.inputs]
    if not scalar.symbol:
        return f"{scalar}({', '.join(parts)})"
    return scalar.symbol + parts[0] if len(parts) == 1 else f" {scalar.symbol} ".join(parts)


def _operand(variable: Variable) -> str:
    inner = text(variable)
    simple = variable.owner is None or not variable.owner.op.scalar.symbol  # type: ignore[attr-defined]
    return inner if simple else f"({inner})"
