"""Convolution and pooling with their older arguments."""

from __future__ import annotations

from typing import Any

import workbench.tensor as T
from workbench.errors import UsageError, nearest

_TAKEN = ["input_shape", "image_shape", "filter_shape", "border_mode", "subsample"]

# How old code told the compiler to unroll loops, and the like.
_HINTS = ("unroll_batch", "unroll_kern", "unroll_patch", "openmp", "nthreads", "verbose", "version")


def _check_hints(what: str, given: dict[str, Any]) -> None:
    """Raises UsageError for an argument that is no hint on speed."""
    for name in given:
        if name not in _HINTS:
            near = nearest(
                name, ["input_shape", "filter_shape", "border_mode", "subsample", *_HINTS]
            )
            raise UsageError(f"{what} takes no argument {name!r}.{near}")


def conv2d(
    input: Any,
    filters: Any,
    input_shape: Any = None,
    filter_shape: Any = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_flip: bool = True,
    image_shape: Any = None,
    filter_dilation: Any = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
    **hints: Any,
) -> Any:
    """`T.nnet.conv2d`; `image_shape` is the old name of `input_shape`, hints on speed count for
    nothing. Raises UsageError for `unshared` filters and for other names.
    """
    _check_hints("conv2d", hints)
    if unshared:
        raise UsageError("conv2d: filters of their own for every place (unshared) are not here")
    return T.nnet.conv2d(
        input,
        filters,
        input_shape=image_shape if input_shape is None else input_shape,
        filter_shape=filter_shape,
        border_mode=border_mode,
        subsample=subsample,
        filter_flip=filter_flip,
        filter_dilation=filter_dilation,
        num_groups=num_groups,
    )


def signal_conv2d(
    input: Any,
    filters: Any,
    image_shape: Any = None,
    filter_shape: Any = None,
    border_mode: str = "valid",
    subsample: Any = (1, 1),
    **hints: Any,
) -> Any:
    """Convolution of one image, or a stack of images, with one filter or a stack of filters."""
    _check_hints("conv2d", hints)
    x: Any = T.as_tensor_variable(input)
    w: Any = T.as_tensor_variable(filters)
    images = x.dimshuffle("x", "x", 0, 1) if x.ndim == 2 else x.dimshuffle(0, "x", 1, 2)
    kernels = w.dimshuffle("x", "x", 0, 1) if w.ndim == 2 else w.dimshuffle(0, "x", 1, 2)
    out = T.nnet.conv2d(
        images,
        kernels,
        _with_channel(image_shape),
        _with_channel(filter_shape),
        border_mode,
        subsample,
    )
    if x.ndim == 2:
        out = out[0]
        return out[0] if w.ndim == 2 else out
    return out[:, 0] if w.ndim == 2 else out


def _with_channel(shape: Any) -> Any:
    """The shape of one image, or of a stack of images, with the axes that conv2d has."""
    return None if shape is None else (*(shape[:-2] or (1,)), 1, *shape[-2:])


def pool_2d(
    input: Any,
    ws: Any = None,
    ignore_border: bool | None = None,
    stride: Any = None,
    pad: Any = (0, 0),
    mode: str = "max",
    ds: Any = None,
    st: Any = None,
    padding: Any = None,
) -> Any:
    """`T.nnet.pool_2d`; `ds`, `st` and `padding` are the old names of `ws`, `stride`, `pad`."""
    return _pooled(T.nnet.pool_2d, input, ws, ignore_border, stride, pad, mode, ds, st, padding)


def pool_3d(
    input: Any,
    ws: Any = None,
    ignore_border: bool | None = None,
    stride: Any = None,
    pad: Any = (0, 0, 0),
    mode: str = "max",
    ds: Any = None,
    st: Any = None,
    padding: Any = None,
) -> Any:
    """`T.nnet.pool_3d`, with the old names that `pool_2d` has."""
    return _pooled(T.nnet.pool_3d, input, ws, ignore_border, stride, pad, mode, ds, st, padding)


def _pooled(
    pool: Any,
    input: Any,
    ws: Any,
    ignore_border: bool | None,
    stride: Any,
    pad: Any,
    mode: str,
    ds: Any,
    st: Any,
    padding: Any,
) -> Any:
    return pool(
        input,
        ds if ws is None else ws,
        ignore_border=bool(ignore_border),
        stride=st if stride is None else stride,
        pad=pad if padding is None else padding,
        mode=mode,
    )


def max_pool_2d(
    input: Any,
    ds: Any,
    ignore_border: bool | None = None,
    st: Any = None,
    padding: Any = (0, 0),
    mode: str = "max",
) -> Any:
    """The old name of `pool_2d`."""
    return pool_2d(input, ds, ignore_border, st, padding, mode)


def get_conv_output_shape(
    image_shape: Any,
    kernel_shape: Any,
    border_mode: Any,
    subsample: Any,
    filter_dilation: Any = None,
) -> tuple[Any, ...]:
    """The shape of what a convolution makes of images (n, channels, …) with kernels (filters,
    channels, …); lengths that are None stay so.
    """
    count = len(image_shape) - 2
    dilation = filter_dilation or (1,) * count
    borders = [border_mode] * count if isinstance(border_mode, (str, int)) else border_mode
    spread = [None if k is None else (k - 1) * d + 1 for k, d in zip(kernel_shape[2:], dilation)]
    sizes = [
        None if n is None or k is None else (n + 2 * _border(b, k) - k) // s + 1
        for n, k, b, s in zip(image_shape[2:], spread, borders, subsample)
    ]
    return (image_shape[0], kernel_shape[0], *sizes)


def _border(border: Any, length: int) -> int:
    named = {"valid": 0, "half": length // 2, "full": length - 1}
    return named[border] if isinstance(border, str) else int(border)


def prepend_scalar_to_each_row(val: Any, mat: Any) -> Any:
    """The matrix with a first column of this number."""
    rows: Any = T.as_tensor_variable(mat)
    return T.concatenate([T.alloc(T.cast(val, rows.dtype), rows.shape[0], 1), rows], axis=1)


def prepend_0_to_each_row(mat: Any) -> Any:
    """The matrix with a first column of zeros."""
    return prepend_scalar_to_each_row(0, mat)


def prepend_1_to_each_row(mat: Any) -> Any:
    """The matrix with a first column of ones."""
    return prepend_scalar_to_each_row(1, mat)


def h_softmax(
    x: Any,
    batch_size: Any,
    n_outputs: int,
    n_classes: int,
    n_outputs_per_class: int,
    W1: Any,
    b1: Any,
    W2: Any,
    b2: Any,
    target: Any = None,
) -> Any:
    """A softmax in two levels: over classes by W1 and b1, then within each class by its W2[class]
    and b2[class]. A matrix (batch_size, n_outputs) of probabilities, or, with labels as `target`,
    a vector of those of the labels.
    """
    classes = T.nnet.softmax(T.dot(x, W1) + b1)
    if target is None:
        scores = T.tensordot(x, W2, axes=((1,), (1,))) + b2
        within = T.nnet.softmax(scores)
        both = classes.dimshuffle(0, 1, "x") * within
        return both.reshape((batch_size, n_classes * n_outputs_per_class))[:, :n_outputs]
    label: Any = T.as_tensor_variable(target).flatten()
    own, place = label // n_outputs_per_class, label % n_outputs_per_class
    scores = T.batched_dot(T.shape_padaxis(x, 1), W2[own])[:, 0] + b2[own]
    rows = T.arange(batch_size)
    return classes[rows, own] * T.nnet.softmax(scores)[rows, place]


def conv3d2d(
    signals: Any,
    filters: Any,
    signals_shape: Any = None,
    filters_shape: Any = None,
    border_mode: str = "valid",
) -> Any:
    """`T.nnet.conv3d` of signals (n, times, channels, rows, columns) and filters likewise: the
    times come before the channels.
    """
    x: Any = T.as_tensor_variable(signals)
    w: Any = T.as_tensor_variable(filters)
    out = T.nnet.conv3d(
        x.dimshuffle(0, 2, 1, 3, 4),
        w.dimshuffle(0, 2, 1, 3, 4),
        _channels_first(signals_shape),
        _channels_first(filters_shape),
        border_mode,
    )
    return out.dimshuffle(0, 2, 1, 3, 4)


def _channels_first(shape: Any) -> Any:
    return None if shape is None else (shape[0], shape[2], shape[1], *shape[3:])
