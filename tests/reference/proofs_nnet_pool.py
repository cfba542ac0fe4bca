"""Pooling and patches."""

from __future__ import annotations

from typing import Any

import numpy as np

import workbench.theano.tensor as T
from tests.reference.agreeing import agrees, computed, equal, raises
from tests.reference.proofs import proves

X = np.random.RandomState(17).permutation(np.arange(2.0 * 3 * 5 * 7)).reshape(2, 3, 5, 7)
REDUCERS = {"max": np.max, "sum": np.sum, "average_inc_pad": np.mean, "average_exc_pad": np.nanmean}


def pooled(
    x: Any, ws: Any, stride: Any = None, pad: Any = None, ignore: bool = True, mode: str = "max"
) -> Any:
    """Every window of the last axes as one number, by the definition."""
    ndim = len(ws)
    stride, pad = stride or ws, pad or (0,) * ndim
    outside = {"max": -np.inf, "average_exc_pad": np.nan}.get(mode, 0.0)
    around = [(0, 0)] * (x.ndim - ndim) + [(p, p) for p in pad]
    padded = np.pad(x, around, constant_values=outside)
    sizes = []
    for n, w, s in zip(padded.shape[-ndim:], ws, stride, strict=True):
        whole = (n - w) // s + 1
        sizes.append(
            whole if ignore or ((n - w) % s == 0 and s >= w) else -(-max(n - w, 0) // s) + 1
        )
    out = np.zeros((*x.shape[:-ndim], *sizes))
    for place in np.ndindex(*sizes):
        window = tuple(slice(i * s, i * s + w) for i, s, w in zip(place, stride, ws, strict=True))
        axes = tuple(range(-ndim, 0))
        out[(..., *place)] = REDUCERS[mode](padded[(..., *window)], axis=axes)
    return out


def _pool(name: str, items: str, options: dict[str, Any], **wanted: Any) -> None:
    function: Any = getattr(T.signal.pool, name)
    agrees(
        f"T.signal.pool.{name}",
        items,
        lambda x: function(x, **options),
        lambda x: pooled(x, **wanted),
        X,
    )


for _name, _ws in (("pool_2d", (2, 3)), ("pool_3d", (2, 2, 3))):
    _ones, _steps = (1,) * len(_ws), (1, 1, 2)[-len(_ws) :]
    _border = {"ignore_border": True}
    _pool(_name, "ws ignore_border", {"ws": _ws, **_border}, ws=_ws)
    _pool(_name, "ds", {"ds": _ws, **_border}, ws=_ws)
    _pool(_name, "ignore_border", {"ws": _ws}, ws=_ws, ignore=False)
    _pool(_name, "stride", {"ws": _ws, "stride": _steps, **_border}, ws=_ws, stride=_steps)
    _pool(_name, "st", {"ws": _ws, "st": _steps, **_border}, ws=_ws, stride=_steps)
    for _item in ("pad", "padding"):
        _pool(_name, _item, {"ws": _ws, _item: _ones, **_border}, ws=_ws, pad=_ones)
    for _mode in REDUCERS:
        _options = {"ws": _ws, "pad": _ones, "mode": _mode, **_border}
        _pool(_name, "mode", _options, ws=_ws, pad=_ones, mode=_mode)
    _f: Any = getattr(T.signal.pool, _name)
    agrees(
        f"T.signal.pool.{_name}",
        "input",
        lambda x, f=_f, w=_ws: f(input=x, ws=w, ignore_border=True),
        lambda x, w=_ws: pooled(x, w),
        X,
    )


def _old(items: str, *args: Any, wanted: dict[str, Any], **options: Any) -> None:
    function = T.signal.downsample.max_pool_2d
    agrees(
        "T.signal.downsample.max_pool_2d",
        items,
        lambda x: function(x, *args, **options),
        lambda x: pooled(x, **wanted),
        X,
    )


_old("input ds ignore_border", (2, 3), True, wanted={"ws": (2, 3)})
_old("ignore_border", (2, 3), False, wanted={"ws": (2, 3), "ignore": False})
_old("st", (2, 3), True, st=(1, 2), wanted={"ws": (2, 3), "stride": (1, 2)})
_old("padding", (2, 3), True, padding=(1, 2), wanted={"ws": (2, 3), "pad": (1, 2)})
_old("mode", (2, 3), True, mode="sum", wanted={"ws": (2, 3), "mode": "sum"})


@proves("T.signal.pool.max_pool_2d_same_size", "input", "patch_size")
def only_maxima_are_kept() -> None:
    for patch in ((2, 2), (1, 3)):
        got = computed(
            lambda x, p=patch: T.signal.pool.max_pool_2d_same_size(x, p), X[:, :, :4, :6]
        )
        x = X[:, :, :4, :6]
        rows, columns = patch
        largest = pooled(x, patch).repeat(rows, -2).repeat(columns, -1)
        equal(got, np.where(x == largest, x, 0.0))


def _patches(x: Any, shape: tuple[int, int], step: tuple[int, int]) -> Any:
    """Every patch as a row: of an image by rows and columns, then channels, then images."""
    found = []
    for image in x.reshape(-1, *x.shape[-2:]):
        for i in range(0, image.shape[0] - shape[0] + 1, step[0]):
            for j in range(0, image.shape[1] - shape[1] + 1, step[1]):
                found.append(image[i : i + shape[0], j : j + shape[1]].ravel())
    return np.array(found)


neighbours = T.nnet.neighbours
EVEN = X[:, :, :4, :6]
agrees(
    "T.nnet.neighbours.images2neibs",
    "ten4 neib_shape",
    lambda x: neighbours.images2neibs(ten4=x, neib_shape=(2, 3)),
    lambda x: _patches(x, (2, 3), (2, 3)),
    EVEN,
)
agrees(
    "T.nnet.neighbours.images2neibs",
    "neib_step",
    lambda x: neighbours.images2neibs(x, (2, 3), neib_step=(1, 1)),
    lambda x: _patches(x, (2, 3), (1, 1)),
    EVEN,
)
agrees(
    "T.nnet.neighbours.images2neibs",
    "mode",
    lambda x: neighbours.images2neibs(x, (2, 3), mode="ignore_borders"),
    lambda x: _patches(x, (2, 3), (2, 3)),
    X,
)


@proves("T.nnet.neighbours.images2neibs", "mode")
def patches_that_do_not_fill_the_images() -> None:
    raises(ValueError, "fill", lambda: computed(lambda x: neighbours.images2neibs(x, (2, 3)), X))
    zeros = np.pad(EVEN, [(0, 0), (0, 0), (1, 1), (1, 1)])
    got = computed(lambda x: neighbours.images2neibs(x, (3, 3), (1, 1), mode="half"), EVEN)
    equal(got, _patches(zeros, (3, 3), (1, 1)))


agrees(
    "T.nnet.neighbours.neibs2images",
    "neibs neib_shape original_shape",
    lambda x: neighbours.neibs2images(neighbours.images2neibs(x, (2, 3)), (2, 3), EVEN.shape),
    EVEN,
    EVEN,
)


@proves("T.nnet.neighbours.neibs2images", "mode")
def what_patches_left_out_is_zero() -> None:
    def there_and_back(x: Any) -> Any:
        patches = neighbours.images2neibs(x, (2, 3), mode="ignore_borders")
        return neighbours.neibs2images(patches, (2, 3), X.shape, mode="ignore_borders")

    wanted = X.copy()
    wanted[:, :, 4:], wanted[..., 6:] = 0, 0
    equal(computed(there_and_back, X), wanted)
