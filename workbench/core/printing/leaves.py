"""How variables that no node makes are written."""

from __future__ import annotations

import numpy as np

from workbench.core.graph import Constant, Variable

MOST_ELEMENTS = 20
"""Elements of a constant that are written out."""


def leaf_text(variable: Variable) -> str:
    """The name; else the type, or a constant's value: `TensorConstant{2.0}`,
    `TensorConstant{[1. 2.]}`, `TensorConstant{(3,) of 1.0}`, `TensorConstant{array of shape …}`.
    """
    if variable.name is not None or not isinstance(variable, Constant):
        return str(variable)
    if not isinstance(variable.data, np.ndarray):
        return str(variable)
    return f"{type(variable).__name__}{{{_value(variable.data)}}}"


def _value(data: np.ndarray) -> str:
    if data.ndim == 0:
        return str(data[()])
    if data.size and (data == data.flat[0]).all():
        return f"{data.shape} of {data.flat[0]}"
    if data.size <= MOST_ELEMENTS:
        return " ".join(str(data).split())
    return f"array of shape {data.shape}"
