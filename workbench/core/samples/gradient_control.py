"""Samples: what only gradients see."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.core.ops import (
    gradient_control,
)
from workbench.core.samples.declare import Sample, numbers, of


@of(gradient_control.GradientControl)
def _control() -> Iterator[Sample]:
    for made in (gradient_control.disconnected_grad, gradient_control.zero_grad):
        yield Sample(made.__name__, made, (numbers(3),), lambda x: x)
    yield Sample("clip", lambda x: gradient_control.grad_clip(x, -1, 1), (numbers(3),), lambda x: x)
    yield Sample(
        "scale",
        lambda x: gradient_control.grad_scale(x, 1),
        (numbers(3),),
        lambda x: x,
        smooth=(0,),
    )
