"""Formulas that overflow, cancel or take the logarithm of 0, written so that they do not."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import Apply, Variable
from workbench.core.ops.index import AdvancedSubtensor, Subtensor
from workbench.core.ops.nnet import LogSoftmax, Softmax
from workbench.core.ops.reduce import Max, Sum
from workbench.core.ops.scalars import (
    Exp,
    Log,
    Sub,
    Switch,
    add,
    erf,
    erfc,
    exp,
    expm1,
    isinf,
    log,
    log1p,
    sigmoid,
    softplus,
    sub,
    switch,
    tanh,
)  # fmt: skip
from workbench.core.ops.shape import DimShuffle, dimshuffle
from workbench.core.rewrite.cancel import PRODUCTS
from workbench.core.rewrite.engine import Context, Rule, rule
from workbench.core.rewrite.equations import FLOAT, equation, x
from workbench.core.rewrite.matching import behind_dimshuffle, dtype_of, made_by, ndim_of
from workbench.core.rewrite.sums import SUMS

LOGARITHMS: tuple[Rule, ...] = (
    equation("log_exp", log(exp(x)), x, "exp overflows where its logarithm does not.", FLOAT),
    equation("exp_log", exp(log(x)), x, "Unsafe below 0: x there, where it was nan.", FLOAT),
    equation("log_sigmoid", log(sigmoid(x)), -softplus(-x), "sigmoid is 0 far below 0.", FLOAT),
    equation("one_minus_sigmoid", 1 - sigmoid(x), sigmoid(-x), "sigmoid is 1 far above 0.", FLOAT),
    equation("log1p_neg_sigmoid", log1p(-sigmoid(x)), -softplus(x), "sigmoid is 1 far up.", FLOAT),
    equation("log_one_plus_exp", log(1 + exp(x)), softplus(x), "exp overflows.", FLOAT),
    equation("log1p_exp", log1p(exp(x)), softplus(x), "exp overflows.", FLOAT),
    equation("log_one_plus", log(1 + x), log1p(x), "1 + x loses a small x.", FLOAT),
    equation("log_one_minus", log(1 - x), log1p(-x), "1 - x loses a small x.", FLOAT),
    equation("exp_minus_one", exp(x) - 1, expm1(x), "exp(x) - 1 loses a small x.", FLOAT),
    equation("one_minus_exp", 1 - exp(x), -expm1(x), "1 - exp(x) loses a small x.", FLOAT),
    equation("expm1_log1p", expm1(log1p(x)), x, "Unsafe below -1: it was nan.", FLOAT),
    equation("log1p_expm1", log1p(expm1(x)), x, "expm1 overflows.", FLOAT),
    equation("one_minus_erf", 1 - erf(x), erfc(x), "erf is 1 far above 0.", FLOAT),
    equation("one_minus_erfc", 1 - erfc(x), erf(x), "erfc is 1 near 0.", FLOAT),
    equation("tanh_is_sigmoid", 0.5 * (1 + tanh(0.5 * x)), sigmoid(x), "tanh is -1 there.", FLOAT),
)  # fmt: skip


@rule(Log, equation="log(softmax(x)) → log_softmax(x)")
def log_softmax(node: Apply, context: Context) -> Variable | None:
    """Softmax is 0 where its logarithm is only large."""
    soft = made_by(node.inputs[0], Softmax)
    if soft is None:
        return None
    return LogSoftmax(soft.op.axis)(soft.inputs[0])  # type: ignore[attr-defined, no-any-return]


@rule(Log, equation="log(softmax(x)[i]) → log_softmax(x)[i]")
def log_indexed_softmax(node: Apply, context: Context) -> Variable | None:
    """Softmax is 0 where its logarithm is only large."""
    read = made_by(node.inputs[0], Subtensor, AdvancedSubtensor)
    soft = None if read is None else made_by(read.inputs[0], Softmax)
    if read is None or soft is None:
        return None
    logs = LogSoftmax(soft.op.axis)(soft.inputs[0])  # type: ignore[attr-defined]
    return read.op(logs, *read.inputs[1:])  # type: ignore[no-any-return]


@rule(Exp, equation="exp(log_softmax(x)) → softmax(x)")
def exp_log_softmax(node: Apply, context: Context) -> Variable | None:
    """One form for one function."""
    logs = made_by(node.inputs[0], LogSoftmax)
    return None if logs is None else Softmax(logs.op.axis)(logs.inputs[0])  # type: ignore[attr-defined]


@rule(Softmax, LogSoftmax, equation="softmax(x - max(x)) → softmax(x)")
def softmax_shifted(node: Apply, context: Context) -> Variable | None:
    """Softmax takes the maximum away itself."""
    axis: int = node.op.axis  # type: ignore[attr-defined]
    shifted = made_by(node.inputs[0], Sub)
    if shifted is None or not _is_max_of(shifted.inputs[1], shifted.inputs[0], (axis,)):
        return None
    return node.op(shifted.inputs[0])  # type: ignore[no-any-return]


@rule(Log, equation="log(sum(exp(x))) → log(sum(exp(x - max(x)))) + max(x)")
def log_sum_exp(node: Apply, context: Context) -> Variable | None:
    """Exp overflows. Unsafe for no elements at all: the maximum fails there, where it was -inf."""
    total, order = behind_dimshuffle(node.inputs[0])
    summed = made_by(total, Sum)
    e = None if summed is None else made_by(summed.inputs[0], Exp)
    if summed is None or e is None or dtype_of(total) not in ("float32", "float64"):
        return None
    (of,), axes = e.inputs, summed.op.axes  # type: ignore[attr-defined]
    if dtype_of(of) != dtype_of(total) or _is_shifted(of, axes):
        return None
    top: Any = Max(axes)(of)
    finite = switch(isinf(top), 0, top)
    shifted = sub(of, summed.op.expand(finite, of))  # type: ignore[attr-defined]
    result = add(log(Sum(axes)(exp(shifted))), finite)
    return result if order == tuple(range(ndim_of(total))) else dimshuffle(result, order)  # type: ignore[no-any-return]


def _is_shifted(variable: Variable, axes: tuple[int, ...]) -> bool:
    """Whether it is x - max(x) already."""
    node = made_by(variable, Sub)
    return node is not None and _is_max_of(node.inputs[1], node.inputs[0], axes)


def _is_max_of(variable: Variable, x: Variable, axes: tuple[int, ...]) -> bool:
    """Whether it is max(x), perhaps expanded to x's rank, perhaps kept finite by a switch."""
    seen = [variable]
    for v in seen:  # grows: a handful of nodes lie between
        node = made_by(v, Max, DimShuffle, Switch)
        if node is None or len(seen) > 8:
            continue
        if isinstance(node.op, Max):
            return node.inputs[0] is x and node.op.axes == axes
        seen += node.inputs
    return False


STABILISE: tuple[Rule, ...] = (
    *LOGARITHMS,
    log_softmax,
    log_indexed_softmax,
    exp_log_softmax,
    softmax_shifted,
    log_sum_exp,
    *PRODUCTS,
    *SUMS,
)
