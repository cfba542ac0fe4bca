"""Patches of images as the rows of a matrix, and back."""

from __future__ import annotations

import math
from typing import Any

from workbench.core.ops.checks import checked
from workbench.core.ops.create import zeros
from workbench.core.ops.indexing import set_subtensor
from workbench.core.ops.scalars import eq
from workbench.core.ops.shape import dimension, dimshuffle, reshape, shape_tuple
from workbench.core.ops.windows import whole_numbers, windows
from workbench.core.types import as_tensor, tensor_type
from workbench.errors import RankError, ShapeError, UsageError, nearest


def images2neibs(ten4: Any, neib_shape: Any, neib_step: Any = None, mode: str = "valid") -> Any:
    """Patches of images as rows: (n, channels, rows, columns) to (patches, elements of one).

    neib_shape  rows and columns of a patch
    neib_step   how far the next patch is, by default its shape
    mode        'valid': the patches must fill the images; 'ignore_borders': what is left over is
                left out; 'half', 'full': zeros are put round the images
    """
    images = as_tensor(ten4)
    if tensor_type(images).ndim != 4:
        raise RankError(
            f"images2neibs takes images (n, channels, rows, columns), not {images.type}",
            advice="add axes with dimshuffle",
        )
    lengths = whole_numbers(neib_shape, 2, 1, "images2neibs: neib_shape")
    step = whole_numbers(neib_step or lengths, 2, 1, "images2neibs: neib_step")
    modes = ("valid", "ignore_borders", "half", "full")
    if mode not in modes:
        raise UsageError(
            f"images2neibs has no mode {mode!r}.{nearest(str(mode), list(modes))}",
            advice=f"the modes are {', '.join(modes)}",
        )
    if mode in ("half", "full"):
        images = _with_border(images, lengths, mode)
    if mode == "valid":
        images = _filled(images, lengths, step)
    found = windows(images, lengths, step)
    return found.reshape((-1, math.prod(lengths)))


def _with_border(images: Any, lengths: tuple[int, ...], mode: str) -> Any:
    pads = [n // 2 if mode == "half" else n - 1 for n in lengths]
    n, channels, *size = shape_tuple(images)
    larger = [s + 2 * p for s, p in zip(size, pads, strict=True)]
    inside = tuple(slice(p, p + s) for s, p in zip(size, pads, strict=True))
    border = zeros((n, channels, *larger), tensor_type(images).dtype)
    return set_subtensor(border[(slice(None), slice(None), *inside)], images)


def _filled(images: Any, lengths: tuple[int, ...], step: tuple[int, ...]) -> Any:
    """The images, if patches fill them: where that is known now, or when it runs."""
    wrong = f"images2neibs: patches of {lengths} in steps of {step} do not fill the images"
    advice = "use the mode 'ignore_borders', which leaves out what is left over"
    rest = [
        (dimension(images, axis) - length) % stride
        for axis, length, stride in zip((2, 3), lengths, step, strict=True)
    ]
    if any(isinstance(n, int) and n for n in rest):
        raise ShapeError(wrong, f"images2neibs of {images}: {images.type}", advice=advice)
    conditions = [eq(n, 0) for n in rest if not isinstance(n, int)]
    return checked(images, *conditions, wrong=wrong, advice=advice) if conditions else images


def neibs2images(neibs: Any, neib_shape: Any, original_shape: Any, mode: str = "valid") -> Any:
    """The images of which `images2neibs` made these patches, side by side: (n, channels, rows,
    columns) of `original_shape`.
    """
    rows, columns = whole_numbers(neib_shape, 2, 1, "neibs2images: neib_shape")
    if mode not in ("valid", "ignore_borders"):
        raise UsageError(
            f"neibs2images has no mode {mode!r}", advice="the modes are valid, ignore_borders"
        )
    n, channels, height, width = (original_shape[i] for i in range(4))
    down, right = height // rows, width // columns
    parts = reshape(as_tensor(neibs), (n, channels, down, right, rows, columns))
    inside = dimshuffle(parts, (0, 1, 2, 4, 3, 5))
    whole = reshape(inside, (n, channels, down * rows, right * columns))
    if mode == "valid":
        return whole
    border = zeros((n, channels, height, width), tensor_type(whole).dtype)
    return set_subtensor(border[:, :, : down * rows, : right * columns], whole)
