"""`clone`: a graph again, with some variables replaced."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import Constant, Variable, is_shared, leaves, rebuild, toposort
from workbench.core.types import TensorType, constant
from workbench.core.updates import pairs
from workbench.errors import GraphError


def clone(output: Any, replace: Any = None, strict: bool = True, share_inputs: bool = True) -> Any:
    """A copy of the graph of a variable, or of a list or tuple of them (the result has this form).

    replace       {variable: replacement} or pairs; a replacement is not itself searched for keys,
                  and may be a value
    strict        replacements are of the types of what they replace; where not, the types of what
                  reads them are found anew
    share_inputs  the copy reads the same inputs; where not, it has inputs of its own (but the same
                  constants and shared variables)

    Raises GraphError, a TypeError, for a replacement of another type.
    """
    outputs = list(output) if isinstance(output, (list, tuple)) else [output]
    for v in outputs:
        if not isinstance(v, Variable):
            raise GraphError(
                f"clone takes variables, not {v!r}", advice="give a variable or a list of them"
            )
    new = {key: _replacement(key, value, strict) for key, value in pairs(replace, "replace")}
    if not share_inputs:
        for v in leaves(outputs):
            if v not in new and not isinstance(v, Constant) and not is_shared(v):
                new[v] = v.clone()
    for node in toposort(outputs, stop=dict(new)):
        copy = rebuild(node, [new.get(v, v) for v in node.inputs])
        for old, made in zip(node.outputs, copy.outputs, strict=True):
            new.setdefault(old, made)
    copies = [new.get(v, v) for v in outputs]
    if isinstance(output, tuple):
        return tuple(copies)
    return copies if isinstance(output, list) else copies[0]


def _replacement(key: Any, value: Any, strict: bool) -> Variable:
    if not isinstance(key, Variable):
        raise GraphError(
            f"a key of replace is a variable, not {key!r}", advice="write {variable: replacement}"
        )
    if not isinstance(value, Variable) and isinstance(key.type, TensorType):
        value = constant(key.type.convert(value), key.type.dtype)
    if not isinstance(value, Variable) or (strict and not key.type.accepts(value.type)):
        raise GraphError(
            f"{key} cannot be replaced by {value}: it is of another type",
            f"{key}: {key.type}; the replacement: {getattr(value, 'type', type(value).__name__)}",
            key.place,
            "cast it, or pass strict=False",
            key,
        )
    return value
