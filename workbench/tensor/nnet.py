"""Functions of neural networks, under the names that they have in the field."""

from typing import Any

from workbench.core.ops.nnet import logsoftmax, softmax
from workbench.core.ops.scalars import sigmoid, softplus
from workbench.errors import nearest

__all__ = ["logsoftmax", "sigmoid", "softmax", "softplus"]

# Imported when they are first asked for: from a module to the names in it.
_FAMILIES: dict[str, tuple[str, ...]] = {
    "workbench.core.ops.activations": (
        "elu",
        "gelu",
        "hard_sigmoid",
        "leaky_relu",
        "relu",
        "selu",
        "silu",
        "softmax_with_bias",
        "softsign",
        "swish",
        "ultra_fast_sigmoid",
    ),
    "workbench.core.ops.losses": (
        "binary_crossentropy",
        "categorical_crossentropy",
        "confusion_matrix",
        "crossentropy_categorical_1hot",
        "crossentropy_softmax_1hot",
        "crossentropy_softmax_1hot_with_bias",
        "crossentropy_softmax_argmax_1hot_with_bias",
        "one_hot",
        "sigmoid_binary_crossentropy",
        "to_one_hot",
    ),
    "workbench.core.ops.normalisation": (
        "batch_normalization",
        "batch_normalization_test",
        "batch_normalization_train",
        "layer_normalization",
    ),
    "workbench.core.ops.convolving": (
        "conv1d",
        "conv2d",
        "conv2d_grad_wrt_inputs",
        "conv2d_grad_wrt_weights",
        "conv2d_transpose",
        "conv3d",
    ),
    "workbench.core.ops.neighbours": ("images2neibs", "neibs2images"),
    "workbench.core.ops.pooling": ("max_pool_2d_same_size", "pool_1d", "pool_2d", "pool_3d"),
}
_LATER = {name: module for module, names in _FAMILIES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        hint = "" if name.startswith("_") else nearest(name, __dir__())
        raise AttributeError(f"module 'workbench.tensor.nnet' has no attribute {name!r}.{hint}")
    from importlib import import_module

    value = getattr(import_module(_LATER[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
