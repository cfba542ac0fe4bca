"""Convolution and pooling with their older arguments."""

from __future__ import annotations

from typing import Any

import workbench.tensor as T


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
    **_: Any,
) -> Any:
    """`T.nnet.conv2d`; `image_shape` is the old name of `input_shape`, hints on speed count for
    nothing.
    """
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
    **_: Any,
) -> Any:
    """Convolution of one image, or a stack of images, with one filter or a stack of filters."""
    x: Any = T.as_tensor_variable(input)
    w: Any = T.as_tensor_variable(filters)
    images = x.dimshuffle("x", "x", 0, 1) if x.ndim == 2 else x.dimshuffle(0, "x", 1, 2)
    kernels = w.dimshuffle("x", "x", 0, 1) if w.ndim == 2 else w.dimshuffle(0, "x", 1, 2)
    out = T.nnet.conv2d(images, kernels, border_mode=border_mode, subsample=subsample)
    if x.ndim == 2:
        out = out[0]
        return out[0] if w.ndim == 2 else out
    return out[:, 0] if w.ndim == 2 else out


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
    return T.nnet.pool_2d(
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


def max_pool_2d_same_size(input: Any, patch_size: Any) -> Any:
    """The input, with 0 where an element is not the largest of its patch."""
    rows, columns = patch_size
    pooled = T.nnet.pool_2d(input, patch_size, ignore_border=True)
    largest = T.repeat(T.repeat(pooled, rows, axis=-2), columns, axis=-1)
    return T.switch(T.eq(input, largest), input, T.zeros_like(input))
