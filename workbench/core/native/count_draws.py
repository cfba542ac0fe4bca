"""Random counts, binomial and Poisson, as native routines: bit for bit NumPy's RandomState.

Binomial: inversion where few successes are expected, else BTPE (Kachitvichyanukul and Schmeiser,
1988). Poisson: products of uniform numbers, above 10 PTRS (Hörmann, 1993).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.core.native.mersenne import uniform_number
from workbench.core.native.routine import (
    DOUBLE,
    I1,
    I64,
    POINTER,
    Routine,
    as_double,
    floor_to_integer,
)
from workbench.core.native.ssa import Value

FEW = 30.0
"""Up to so many expected successes the binomial distribution is inverted."""


def binomial() -> Routine:
    """Successes of n trials; where p is above one half, the failures are drawn. `kept` holds what
    was computed for the n and p of the last time: KEPT doubles, of which the second begins as nan.
    """
    r = Routine("wb.mt.binomial", I64, POINTER, POINTER, I64, DOUBLE, inline=True)
    state, kept, n, p = r.inputs
    flip = p.gt(0.5)
    less = flip.select(1.0 - p, p)
    count = r.space(I64)
    done, many = r.label(), r.label()
    r.jump_unless((less * as_double(n)).le(FEW), many)
    count.set(r.call("wb.mt.binomial.few", I64, state, kept, n, less))
    r.jump(done)
    r.begin(many)
    count.set(r.call("wb.mt.binomial.many", I64, state, kept, n, less))
    r.begin(done)
    r.give(flip.select(n - count.value, count.value))
    return r


KEPT = 13
CLOSE = 1e-12
"""Nearer than this to a boundary, exp(log(q)) is computed; its own error is below 4e-16."""


def _prepared(
    r: Routine, kept: Value, n: Value, p: Value, compute: Callable[[], Sequence[Value]]
) -> list[Value]:
    """What depends on n and p only: computed where these are not those of the last time."""
    trials = as_double(n)
    slots = [r.at(kept, i, "double") for i in range(KEPT)]
    same = r.load(DOUBLE, slots[0]).eq(trials) & r.load(DOUBLE, slots[1]).eq(p)
    with r.when(~same):
        values = compute()
        for value, slot in zip((trials, p, *values), slots, strict=False):
            r.store(value, slot)
    return [r.load(DOUBLE, slot) for slot in slots[2:]]


def binomial_few() -> Routine:
    """By inversion: the probabilities of 0, 1, … successes are taken off a uniform number."""
    r = Routine("wb.mt.binomial.few", I64, POINTER, POINTER, I64, DOUBLE, inline=True)
    state, kept, n, p = r.inputs
    q = 1.0 - p
    u = uniform_number(r, state)
    with r.when(n.eq(1) & abs(u - q).gt(CLOSE) & u.lt(1.0 - CLOSE)):
        r.give(u.gt(q).convert("zext", "i64"))
    r.give(r.call("wb.mt.binomial.invert", I64, state, kept, n, p, u))
    return r


def binomial_invert() -> Routine:
    """Inversion from the uniform number u on."""
    r = Routine("wb.mt.binomial.invert", I64, POINTER, POINTER, I64, DOUBLE, DOUBLE)
    state, kept, n, p, first = r.inputs
    q, trials = 1.0 - p, as_double(n)

    def compute() -> Sequence[Value]:
        mean = trials * p
        limit = mean + r.sqrt(mean * q + 1.0) * 10.0
        bound = trials.lt(limit).select(trials, limit)
        return [r.exp(trials * r.log(q)), bound]

    none, bound, *_ = _prepared(r, kept, n, p, compute)
    limit = bound.convert("fptosi", "i64")
    u, count, probability = r.cell(first), r.cell(r.number(I64, 0)), r.cell(none)
    with r.loop() as loop:
        r.jump_unless(u.value.gt(probability.value), loop.end)
        count.set(count.value + 1)
        with r.when(count.value.gt(limit)):
            count.set(0)
            probability.set(none)
            u.set(uniform_number(r, state))
            r.jump(loop.again)
        u.set(u.value - probability.value)
        ways = as_double(n - count.value + 1)
        probability.set((ways * p * probability.value) / (as_double(count.value) * q))
    r.give(count.value)
    return r


def _hat(r: Routine, trials: Value, p: Value) -> Sequence[Value]:
    """BTPE's figure around the mode: a triangle, a parallelogram and two exponential tails."""
    q = 1.0 - p
    centre = trials * p + p
    mode = r.code.intrinsic("floor", centre)
    variance = trials * p * q
    half = r.code.intrinsic("floor", r.sqrt(variance) * 2.195 - q * 4.6) + 0.5
    middle = mode + 0.5
    left, right = middle - half, middle + half
    height = 0.134 + 20.5 / (15.3 + mode)
    slope = (centre - left) / (centre - left * p)
    left_rate = slope * (slope / 2.0 + 1.0)
    slope = (right - centre) / (right * q)
    right_rate = slope * (slope / 2.0 + 1.0)
    box = half * (height * 2.0 + 1.0)
    left_end = box + height / left_rate
    total = left_end + height / right_rate
    return [mode, half, left, right, height, left_rate, right_rate, box, left_end, total, variance]


def binomial_many() -> Routine:
    """BTPE for p ≤ 1/2: a point under the figure, and rejection; near the mode by the ratio of
    probabilities, far from it by Stirling's series.
    """
    r = Routine("wb.mt.binomial.many", I64, POINTER, POINTER, I64, DOUBLE)
    state, kept, n, p = r.inputs
    q = 1.0 - p
    top, half, left, right, height, left_rate, right_rate, box, left_end, total, variance = (
        _prepared(r, kept, n, p, lambda: _hat(r, as_double(n), p))
    )
    mode, middle = top.convert("fptosi", "i64"), top + 0.5
    y, v = r.space(I64), r.space(DOUBLE)
    test, tails, right_tail, accept = (r.label() for _ in range(4))
    with r.loop() as loop:
        u = uniform_number(r, state) * total
        v.set(uniform_number(r, state))
        with r.when(u.compare("ule", half)):  # the triangle
            y.set(floor_to_integer(r, middle - half * v.value + u))
            r.jump(accept)
        r.jump_if(u.gt(box), tails)
        x = left + (u - half) / height
        v.set(v.value * height + 1.0 - abs(top - x + 0.5) / half)
        r.jump_if(v.value.gt(1.0), loop.again)
        y.set(floor_to_integer(r, x))
        r.jump(test)
        r.begin(tails)
        r.jump_if(u.gt(left_end), right_tail)
        y.set(floor_to_integer(r, left + r.log(v.value) / left_rate))
        r.jump_if(y.value.lt(0) | v.value.eq(0.0), loop.again)
        v.set(v.value * (u - box) * left_rate)
        r.jump(test)
        r.begin(right_tail)
        y.set(floor_to_integer(r, right - r.log(v.value) / right_rate))
        r.jump_if(y.value.gt(n) | v.value.eq(0.0), loop.again)
        v.set(v.value * (u - left_end) * right_rate)
        r.begin(test)
        far = r.code.call("llvm.abs.i64", I64, y.value - mode, r.number(I1, 0))
        squeeze = far.gt(20) & as_double(far).lt(variance / 2.0 - 1.0)
        near = r.label()
        r.jump_unless(squeeze, near)
        _stirling(r, (n, p, q, variance, mode, middle), y.value, v.value, far, loop.again)
        r.jump(accept)
        r.begin(near)
        r.jump_if(v.value.gt(_ratio(r, n, p / q, mode, y.value)), loop.again)
        r.begin(accept)
        r.give(y.value)
    return r


def _ratio(r: Routine, n: Value, odds: Value, mode: Value, y: Value) -> Value:
    """The probability of y over that of the mode, factor by factor."""
    scaled = odds * as_double(n + 1)
    ratio = r.cell(r.number(DOUBLE, 1.0))
    with r.counted(mode + 1, y + 1) as i:
        ratio.set(ratio.value * (scaled / as_double(i) - odds))
    with r.counted(y + 1, mode + 1) as i:
        ratio.set(ratio.value / (scaled / as_double(i) - odds))
    return ratio.value


def _stirling(
    r: Routine,
    known: tuple[Value, Value, Value, Value, Value, Value],
    y: Value,
    v: Value,
    far: Value,
    reject: str,
) -> None:
    """Goes on where log(v) is below the logarithm of the ratio, else to `reject`."""
    n, p, q, variance, mode, middle = known
    k = as_double(far)
    inner = k * (k / 3.0 + 0.625) + 0.16666666666666666
    band = (k / variance) * (inner / variance + 0.5)
    square = as_double(-far * far) / (variance * 2.0)
    a = r.log(v)
    with r.when(~a.lt(square - band)):
        r.jump_if(a.gt(square + band), reject)
        x1, f1 = as_double(y + 1), as_double(mode + 1)
        z, w = as_double(n + 1 - mode), as_double(n - y + 1)
        bound = middle * r.log(f1 / x1)
        bound = bound + (as_double(n - mode) + 0.5) * r.log(z / w)
        bound = bound + as_double(y - mode) * r.log(w * p / (x1 * q))
        for part in (f1, z, x1, w):
            bound = bound + _series(part)
        r.jump_if(a.gt(bound), reject)


def _series(x: Value) -> Value:
    """What Stirling's formula of log(x!) lacks."""
    square = x * x
    term: Value = 99.0 - 140.0 / square
    for number in (132.0, 462.0, 13680.0):
        term = number - term / square
    return term / x / 166320.0


def poisson() -> Routine:
    """Uniform numbers multiplied until the product is below exp(-mean), where that is not small."""
    r = Routine("wb.mt.poisson", I64, POINTER, DOUBLE)
    state, mean = r.inputs
    with r.when(mean.ge(10.0)):
        r.give(r.call("wb.mt.poisson.many", I64, state, mean))
    with r.when(mean.eq(0.0)):
        r.give(r.number(I64, 0))
    least = r.exp(-mean)
    count, product = r.cell(r.number(I64, 0)), r.cell(r.number(DOUBLE, 1.0))
    with r.loop() as loop:
        product.set(product.value * uniform_number(r, state))
        r.jump_unless(product.value.gt(least), loop.end)
        count.set(count.value + 1)
    r.give(count.value)
    return r


def poisson_many() -> Routine:
    """PTRS: a transformed uniform number, and rejection."""
    r = Routine("wb.mt.poisson.many", I64, POINTER, DOUBLE)
    state, mean = r.inputs
    root, log_mean = r.sqrt(mean), r.log(mean)
    b = root * 2.53 + 0.931
    a = b * 0.02483 + -0.059
    inverse = 1.1328 / (b - 3.4) + 1.1239
    sure = 0.9277 - 3.6224 / (b - 2.0)
    with r.loop() as loop:
        u = uniform_number(r, state) - 0.5
        v = uniform_number(r, state)
        edge = 0.5 - abs(u)
        k = floor_to_integer(r, (a * 2.0 / edge + b) * u + mean + 0.43)
        with r.when(edge.ge(0.07) & v.le(sure)):
            r.give(k)
        r.jump_if(k.lt(0) | (edge.lt(0.013) & v.gt(edge)), loop.again)
        left = r.log(v) + r.log(inverse) - r.log(a / (edge * edge) + b)
        gamma = r.call("wb.mt.log.gamma", DOUBLE, as_double(k + 1))
        r.jump_unless(left.le(as_double(k) * log_mean - mean - gamma), loop.again)
        r.give(k)
    return r


_GAMMA = (
    8.333333333333333e-02, -2.777777777777778e-03, 7.936507936507937e-04, -5.952380952380952e-04,
    8.417508417508418e-04, -1.917526917526918e-03, 6.410256410256410e-03, -2.955065359477124e-02,
    1.796443723688307e-01, -1.39243221690590e+00,
)  # fmt: skip
"""Bₙ₊₁ / (n (n + 1)): Stirling's series of log Γ."""


def log_gamma() -> Routine:
    """Log Γ of a whole number: Stirling's series from 7 on, below by the recurrence."""
    r = Routine("wb.mt.log.gamma", DOUBLE, DOUBLE)
    (x,) = r.inputs
    with r.when(x.eq(1.0) | x.eq(2.0)):
        r.give(r.number(DOUBLE, 0.0))
    small = x.lt(7.0)
    steps = small.select(7.0 - x, 0.0).convert("fptosi", "i64")
    start = x + as_double(steps)
    square = (1.0 / start) * (1.0 / start)
    series = r.number(DOUBLE, _GAMMA[-1])
    for term in reversed(_GAMMA[:-1]):
        series = series * square + term
    whole = series / start + 0.5 * 1.8378770664093453 + (start - 0.5) * r.log(start) - start
    result, at = r.cell(whole), r.cell(start)
    with r.counted(r.number(I64, 0), steps) as _:
        result.set(result.value - r.log(at.value - 1.0))
        at.set(at.value - 1.0)
    r.give(result.value)
    return r


ROUTINES: dict[str, Callable[[], Routine]] = {
    "binomial": binomial,
    "binomial.few": binomial_few,
    "binomial.invert": binomial_invert,
    "binomial.many": binomial_many,
    "poisson": poisson,
    "poisson.many": poisson_many,
    "log.gamma": log_gamma,
}
