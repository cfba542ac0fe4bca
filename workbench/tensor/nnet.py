"""Functions of neural networks, under the names that they have in the field."""

from workbench.core.ops.nnet import (
    binary_crossentropy,
    categorical_crossentropy,
    elu,
    hard_sigmoid,
    logsoftmax,
    relu,
    softmax,
)
from workbench.core.ops.scalars import sigmoid, softplus

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "elu",
    "hard_sigmoid",
    "logsoftmax",
    "relu",
    "sigmoid",
    "softmax",
    "softplus",
]
