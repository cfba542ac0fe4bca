"""Convolutions as functions: `conv2d` and its like, their adjoints, and NumPy's `convolve`."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import Variable
from workbench.core.ops.convolution import Conv, ConvFilters, ConvImages
from workbench.core.ops.scalars import cast, maximum, minimum
from workbench.core.ops.shape import as_scalar_int, dimension, dimshuffle, specify_shape
from workbench.core.ops.windows import placing, static_lengths, whole_numbers
from workbench.core.types import as_tensor, float_like, tensor_type, upcast
from workbench.errors import RankError, UsageError, nearest


def _floats(*tensors: Any) -> list[Any]:
    """Of one float dtype."""
    variables = [as_tensor(t) for t in tensors]
    dtype = float_like(upcast(*(tensor_type(v).dtype for v in variables)))
    return [cast(v, dtype) for v in variables]


def _of_shape(x: Any, shape: Any) -> Any:
    """Declared to be of this shape; None, and a variable that is no constant, is not known."""
    if shape is None:
        return x
    own = tensor_type(x).shape
    if len(shape) != len(own):
        raise RankError(
            f"a shape of {len(shape)} lengths is given for {len(own)} axes",
            f"{x}: {x.type}",
            advice="give one length, or None, for each axis",
        )
    given = static_lengths([n if n is None or isinstance(n, Variable) else int(n) for n in shape])
    return specify_shape(x, [b if a is None else a for a, b in zip(given, own, strict=True)])


def _conv(ndim: int, border: Any, stride: Any, flip: bool, dilation: Any, groups: int) -> Conv:
    what = f"conv{ndim}d"
    (count,) = whole_numbers(groups, 1, 1, f"{what}: num_groups")
    return Conv(placing(ndim, stride, dilation, border, what), bool(flip), count)


# Any, below: numbers, arrays or variables


def conv1d(
    input: Any,
    filters: Any,
    border_mode: Any = "valid",
    subsample: Any = 1,
    filter_flip: bool = True,
    filter_dilation: Any = 1,
    num_groups: int = 1,
) -> Any:
    """As `conv2d`, over one axis: (n, channels, length)."""
    conv = _conv(1, border_mode, subsample, filter_flip, filter_dilation, num_groups)
    return conv(*_floats(input, filters))


def conv2d(
    input: Any,
    filters: Any,
    input_shape: Any = None,
    filter_shape: Any = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Any = (1, 1),
    num_groups: int = 1,
) -> Any:
    """Images (n, channels, rows, columns) convolved with filters (filters, channels / num_groups,
    rows, columns).

    input_shape, filter_shape   what is known of the shapes
    border_mode      'valid', 'full', 'half', or how many zeros go round the images: a number, one
                     for rows and one for columns, or a pair (before, after) for each
    subsample        how far the filters move from one result to the next
    filter_flip      True: a convolution; False: a correlation
    filter_dilation  how far the elements of a filter lie apart
    num_groups       groups of channels, each with filters of its own

    Raises RankError, ShapeError, DtypeError, UsageError.
    """
    conv = _conv(2, border_mode, subsample, filter_flip, filter_dilation, num_groups)
    x, w = _floats(input, filters)
    return conv(_of_shape(x, input_shape), _of_shape(w, filter_shape))


def conv3d(
    input: Any,
    filters: Any,
    input_shape: Any = None,
    filter_shape: Any = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1, 1),
    filter_flip: bool = True,
    filter_dilation: Any = (1, 1, 1),
    num_groups: int = 1,
) -> Any:
    """As `conv2d`, over three axes."""
    conv = _conv(3, border_mode, subsample, filter_flip, filter_dilation, num_groups)
    x, w = _floats(input, filters)
    return conv(_of_shape(x, input_shape), _of_shape(w, filter_shape))


def conv2d_grad_wrt_inputs(
    output_grad: Any,
    filters: Any,
    input_shape: Any,
    filter_shape: Any = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Any = (1, 1),
    num_groups: int = 1,
) -> Any:
    """What flows back from a `conv2d`'s output to its images, which are of `input_shape` (its last
    two lengths count).
    """
    conv = _conv(2, border_mode, subsample, filter_flip, filter_dilation, num_groups)
    g, w = _floats(output_grad, filters)
    sizes = [as_scalar_int(n) for n in _lengths(input_shape)]
    op = ConvImages(conv.place, conv.flip, conv.groups, static_lengths(sizes))
    return op(_of_shape(w, filter_shape), g, *sizes)


def conv2d_grad_wrt_weights(
    input: Any,
    output_grad: Any,
    filter_shape: Any,
    input_shape: Any = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Any = (1, 1),
    num_groups: int = 1,
) -> Any:
    """What flows back from a `conv2d`'s output to its filters, which are of `filter_shape` (its
    last two lengths count).
    """
    conv = _conv(2, border_mode, subsample, filter_flip, filter_dilation, num_groups)
    x, g = _floats(input, output_grad)
    sizes = [as_scalar_int(n) for n in _lengths(filter_shape)]
    op = ConvFilters(conv.place, conv.flip, conv.groups, static_lengths(sizes))
    return op(_of_shape(x, input_shape), g, *sizes)


def _lengths(shape: Any) -> list[Any]:
    """The last two of a shape's lengths: of a vector variable or a sequence."""
    return [shape[-2], shape[-1]]


def conv2d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    filter_shape: Any = None,
    border_mode: Any = "valid",
    input_dilation: Any = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Any = (1, 1),
    num_groups: int = 1,
) -> Any:
    """The adjoint of a `conv2d` with stride `input_dilation`: from (n, filters, …) to (n, channels,
    …) of `output_shape`, whose last two lengths count. Filters are as for that `conv2d`.
    """
    return conv2d_grad_wrt_inputs(
        input, filters, output_shape, filter_shape, border_mode, input_dilation, filter_flip,
        filter_dilation, num_groups,
    )  # fmt: skip


_MODES = ("full", "same", "valid")


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """Two vectors convolved, as numpy.convolve: `mode` is 'full', 'same' (as long as the longer
    one) or 'valid' (where they overlap wholly). Integers become floats.
    """
    first, second = _floats(a, v)
    if tensor_type(first).ndim != 1 or tensor_type(second).ndim != 1:
        raise RankError(
            "convolve takes two vectors",
            f"convolve of {first}: {first.type} and {second}: {second.type}",
            advice="conv2d convolves images",
        )
    if mode not in _MODES:
        raise UsageError(
            f"convolve has no mode {mode!r}.{nearest(str(mode), list(_MODES))}",
            advice=f"the modes are {', '.join(_MODES)}",
        )
    conv = _conv(1, "full", 1, True, 1, 1)
    whole = conv(dimshuffle(first, ("x", "x", 0)), dimshuffle(second, ("x", "x", 0)))[0, 0]
    if mode == "full":
        return whole
    lengths = dimension(first, 0), dimension(second, 0)
    if all(isinstance(n, int) for n in lengths):
        longer, shorter = max(lengths), min(lengths)
    else:
        longer, shorter = maximum(*lengths), minimum(*lengths)
    start = shorter - 1 if mode == "valid" else (shorter - 1) // 2
    stop = longer if mode == "valid" else start + longer
    return whole[start:stop]
