"""Convolution, pooling and patches, against plain loops in NumPy."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.agreeing import agrees, computed, equal, raises
from tests.reference.proofs import proves

rng = np.random.RandomState(13)
X, W = rng.standard_normal((2, 4, 7, 6)), rng.standard_normal((2, 4, 3, 2))
CONV = "T.nnet.conv2d"
conv2d = T.nnet.conv2d


def convolved(
    x: Any,
    w: Any,
    pad: Any = 0,
    stride: Any = 1,
    flip: bool = True,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The convolution of images (n, channels, …) with filters (filters, channels, …), by its
    definition.
    """
    ndim = x.ndim - 2
    pads, strides, dilations = (np.broadcast_to(v, ndim) for v in (pad, stride, dilation))
    padded = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in pads)])
    lengths = [(k - 1) * d + 1 for k, d in zip(w.shape[2:], dilations, strict=True)]
    sizes = [(n - k) // s + 1 for n, k, s in zip(padded.shape[2:], lengths, strides, strict=True)]
    kernel = np.flip(w, tuple(range(2, 2 + ndim))) if flip else w
    out = np.zeros((len(x), len(w), *sizes))
    channels, filters = w.shape[1], len(w) // groups
    for group, place in product(range(groups), product(*map(range, sizes))):
        window = tuple(
            slice(i * s, i * s + k, d)
            for i, s, k, d in zip(place, strides, lengths, dilations, strict=True)
        )
        patch = padded[(slice(None), slice(group * channels, (group + 1) * channels), *window)]
        own = slice(group * filters, (group + 1) * filters)
        out[(slice(None), own, *place)] = np.tensordot(
            patch, kernel[own], axes=[range(1, ndim + 2)] * 2
        )
    return out


def _conv(items: str, ours: dict[str, Any], **wanted: Any) -> None:
    agrees(
        CONV, items, lambda x, w: conv2d(x, w, **ours), lambda x, w: convolved(x, w, **wanted), X, W
    )


agrees(CONV, "input filters", lambda x, w: conv2d(input=x, filters=w), convolved, X, W)
_conv("border_mode", {"border_mode": "full"}, pad=(2, 1))
_conv("border_mode", {"border_mode": "half"}, pad=(1, 1))
_conv("border_mode", {"border_mode": (2, 0)}, pad=(2, 0))
_conv("subsample", {"subsample": (2, 3)}, stride=(2, 3))
_conv("filter_flip", {"filter_flip": False}, flip=False)
_conv("filter_dilation", {"filter_dilation": (2, 3)}, dilation=(2, 3))
agrees(
    CONV,
    "num_groups",
    lambda x, w: conv2d(x, w, num_groups=2),
    lambda x, w: convolved(x, w, groups=2),
    X,
    W[:, :2],
)


@proves(CONV, "input_shape", "image_shape", "filter_shape", "unshared")
def shapes_are_promises() -> None:
    x, w = T.dtensor4(), T.dtensor4()
    for name in ("input_shape", "image_shape"):
        out = conv2d(x, w, filter_shape=(2, 4, 3, 2), **{name: (2, 4, 7, 6)})
        assert out.type.shape == (2, 2, 5, 5)
        equal(theano.function([x, w], out)(X, W), convolved(X, W))
        f = theano.function([x, w], conv2d(x, w, **{name: (2, 4, 9, 9)}))
        raises((ValueError, AssertionError), "9", lambda f=f: f(X, W))
    f = theano.function([x, w], conv2d(x, w, filter_shape=(2, 4, 5, 5)))
    raises((ValueError, AssertionError), "5", lambda: f(X, W))
    raises(ValueError, "unshared", lambda: conv2d(x, w, unshared=True))
    equal(computed(lambda a, b: conv2d(a, b, unshared=False), X, W), convolved(X, W))


VOLUME, KERNEL = rng.standard_normal((1, 2, 4, 5, 4)), rng.standard_normal((2, 2, 2, 3, 2))
agrees("T.nnet.conv3d", "input filters", T.nnet.conv3d, convolved, VOLUME, KERNEL)
for _item, _ours, _wanted in (
    ("border_mode", (1, 2, 0), {"pad": (1, 2, 0)}),
    ("subsample", (2, 1, 2), {"stride": (2, 1, 2)}),
    ("filter_flip", False, {"flip": False}),
    ("filter_dilation", (1, 2, 2), {"dilation": (1, 2, 2)}),
):
    agrees(
        "T.nnet.conv3d",
        _item,
        lambda x, w, k=_item, v=_ours: T.nnet.conv3d(x, w, **{k: v}),
        lambda x, w, o=_wanted: convolved(x, w, **o),
        VOLUME,
        KERNEL,
    )
agrees(
    "T.nnet.conv3d",
    "num_groups",
    lambda x, w: T.nnet.conv3d(x, w, num_groups=2),
    lambda x, w: convolved(x, w, groups=2),
    VOLUME,
    KERNEL[:, :1],
)


@proves("T.nnet.conv3d", "input_shape", "filter_shape")
def shapes_of_volumes_are_promises() -> None:
    x, w = T.dtensor5(), T.dtensor5()
    out = T.nnet.conv3d(x, w, input_shape=VOLUME.shape, filter_shape=KERNEL.shape)
    assert out.type.shape == (1, 2, 3, 3, 3)
    f = theano.function([x, w], out)
    equal(f(VOLUME, KERNEL), convolved(VOLUME, KERNEL))
    raises((ValueError, AssertionError), "4", lambda: f(VOLUME[:, :, :3], KERNEL))
    raises((ValueError, AssertionError), "3", lambda: f(VOLUME, KERNEL[:, :, :, :2]))


@proves(
    "T.nnet.conv3d2d.conv3d", "signals", "filters", "signals_shape", "filters_shape", "border_mode"
)
def times_before_channels() -> None:
    conv3d = T.nnet.conv3d2d.conv3d
    x, w = VOLUME.swapaxes(1, 2), KERNEL.swapaxes(1, 2)
    wanted = convolved(VOLUME, KERNEL).swapaxes(1, 2)
    equal(computed(conv3d, x, w), wanted)
    equal(computed(lambda a, b: conv3d(a, b, x.shape, w.shape), x, w), wanted)
    full = convolved(VOLUME, KERNEL, pad=(1, 2, 1)).swapaxes(1, 2)
    equal(computed(lambda a, b: conv3d(a, b, border_mode="full"), x, w), full)
    for option in ({"signals_shape": (1, 9, 9, 9, 9)}, {"filters_shape": (9, 9, 9, 9, 9)}):
        errors = (ValueError, AssertionError, TypeError)
        raises(errors, "9", lambda o=option: computed(lambda a, b: conv3d(a, b, **o), x, w))


OPTIONS: dict[str, Any] = {
    "border_mode": "full",
    "subsample": (2, 1),
    "filter_flip": False,
    "filter_dilation": (1, 2),
    "num_groups": 2,
}
ABSTRACT = T.nnet.abstract_conv


def _gradients(options: dict[str, Any]) -> tuple[Any, Any, Any]:
    """The gradients of sum(conv * g) by images and filters, and g, all by differentiation."""
    x, w, g = T.dtensor4(), T.dtensor4(), T.dtensor4()
    filters = W[:, :2] if options.get("num_groups") == 2 else W
    out = conv2d(x, w, **options)
    grown = rng.standard_normal(theano.function([x, w], out)(X, filters).shape)
    grads = theano.function([x, w, g], T.grad(T.sum(out * g), [x, w]))(X, filters, grown)
    return (*grads, grown)


@proves(
    "T.nnet.abstract_conv.conv2d_grad_wrt_inputs",
    "output_grad",
    "filters",
    "input_shape",
    "filter_shape",
    *OPTIONS,
)
@proves(
    "T.nnet.abstract_conv.conv2d_grad_wrt_weights",
    "input",
    "output_grad",
    "filter_shape",
    "input_shape",
    *OPTIONS,
)
@proves(
    "T.nnet.conv2d_transpose",
    "input",
    "filters",
    "output_shape",
    "filter_shape",
    "border_mode",
    "input_dilation",
    "filter_flip",
    "filter_dilation",
    "num_groups",
)
def gradients_of_a_convolution() -> None:
    """Each option alone: they are conv2d's own derivatives."""
    for option in [{}, *({name: value} for name, value in OPTIONS.items())]:
        by_images, by_filters, g = _gradients(option)
        filters = W[:, :2] if "num_groups" in option else W
        got = computed(
            lambda d, w, o=option, s=filters.shape: ABSTRACT.conv2d_grad_wrt_inputs(
                d, w, X.shape, filter_shape=s, **o
            ),
            g,
            filters,
        )
        np.testing.assert_allclose(got, by_images)
        got = computed(
            lambda x, d, o=option, s=filters.shape: ABSTRACT.conv2d_grad_wrt_weights(
                x, d, filter_shape=s, input_shape=X.shape, **o
            ),
            X,
            g,
        )
        np.testing.assert_allclose(got, by_filters)
        turned = {"input_dilation" if k == "subsample" else k: v for k, v in option.items()}
        got = computed(
            lambda d, w, o=turned, s=filters.shape: T.nnet.conv2d_transpose(
                d, w, X.shape, filter_shape=s, **o
            ),
            g,
            filters,
        )
        np.testing.assert_allclose(got, by_images)


@proves(
    "T.nnet.abstract_conv.get_conv_output_shape",
    "image_shape",
    "kernel_shape",
    "border_mode",
    "subsample",
    "filter_dilation",
)
def shapes_of_convolutions() -> None:
    for border, stride, dilation in product(
        ("valid", "half", "full", (1, 2)), ((1, 1), (2, 3)), ((1, 1), (2, 1))
    ):
        out = computed(
            lambda x, w, b=border, s=stride, d=dilation: conv2d(
                x, w, border_mode=b, subsample=s, filter_dilation=d
            ),
            X,
            W,
        )
        found = ABSTRACT.get_conv_output_shape(
            X.shape, W.shape, border, stride, filter_dilation=dilation
        )
        assert found == out.shape
    unknown = ABSTRACT.get_conv_output_shape((None, 4, None, 6), W.shape, "valid", (1, 1))
    assert unknown == (None, 2, None, 5)


@proves(
    "T.signal.conv.conv2d",
    "input",
    "filters",
    "image_shape",
    "filter_shape",
    "border_mode",
    "subsample",
)
def convolutions_of_single_images() -> None:
    from scipy.signal import convolve2d

    image, kernel = X[0, 0], W[0, 0]
    f = T.signal.conv.conv2d
    equal(computed(f, image, kernel), convolve2d(image, kernel, "valid"))
    equal(
        computed(lambda x, w: f(x, w, border_mode="full"), image, kernel), convolve2d(image, kernel)
    )
    equal(
        computed(lambda x, w: f(x, w, subsample=(2, 2)), image, kernel),
        convolve2d(image, kernel, "valid")[::2, ::2],
    )
    stack = computed(
        lambda x, w: f(x, w, image_shape=(4, 7, 6), filter_shape=(4, 3, 2)), X[0], W[0]
    )
    wanted = [[convolve2d(i, k, "valid") for k in W[0]] for i in X[0]]
    equal(stack, np.array(wanted))
    x, w = T.dtensor3(), T.dtensor3()
    g = theano.function([x, w], f(x, w, image_shape=(4, 9, 9), filter_shape=(4, 3, 2)))
    raises((ValueError, AssertionError), "9", lambda: g(X[0], W[0]))
    g = theano.function([x, w], f(x, w, filter_shape=(4, 5, 5)))
    raises((ValueError, AssertionError), "5", lambda: g(X[0], W[0]))
    equal(
        computed(f, X[0], kernel),
        np.array([row[0] for row in [[convolve2d(i, kernel, "valid")] for i in X[0]]]),
    )
