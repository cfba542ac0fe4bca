"""Losses and what is compared in them: cross-entropies, one-hot rows, counts of confusions.

Any: operands are numbers, arrays or variables, and the results are variables with operators.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.ops.create import arange, zeros
from workbench.core.ops.dot import dot
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.indexing import getitem, set_subtensor
from workbench.core.ops.join import concatenate
from workbench.core.ops.nnet import logsoftmax, softmax
from workbench.core.ops.positions import argmax
from workbench.core.ops.reduce import sum as total
from workbench.core.ops.scalars import Grads, add, cast, eq, log, sigmoid, sub
from workbench.core.ops.scalars.formula import FloatFormula
from workbench.core.ops.shape import dimension, dimshuffle, transpose
from workbench.core.terms import Term
from workbench.core.types import as_tensor, is_integer, tensor_type
from workbench.errors import DtypeError, RankError


class SigmoidCrossentropy(FloatFormula):
    """-(t·log(sigmoid(x)) + (1 - t)·log(1 - sigmoid(x))) of a logit x and a target t.

    As max(x, 0) - x·t + log(1 + exp(-|x|)) it neither overflows nor takes the logarithm of 0.
    """

    name, arity, ulp = "sigmoid_crossentropy", 2, 8
    domain = ((-3.0, 3.0), (0.0, 1.0))

    @staticmethod
    def numpy(x: Any, t: Any) -> Any:
        wide, target = np.asarray(x, "longdouble"), np.asarray(t, "longdouble")
        return np.maximum(wide, 0) - wide * target + np.log1p(np.exp(-np.abs(wide)))

    def write(self, *terms: Term) -> Term:
        x, t = terms
        return x.prim("maximum", 0.0) - x * t + (-abs(x)).prim("exp").prim("log1p")

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        x, t = inputs
        return [g * (sigmoid(x) - t), -g * x]


sigmoid_crossentropy = Elemwise(SigmoidCrossentropy())


def binary_crossentropy(output: Any, target: Any) -> Any:
    """-(target·log(output) + (1 - target)·log(1 - output)), elementwise."""
    p, y = as_tensor(output), as_tensor(target)
    return -(y * log(p) + sub(1, y) * log(sub(1, p)))


def sigmoid_binary_crossentropy(output: Any, target: Any) -> Any:
    """`binary_crossentropy` of sigmoid(output), elementwise and exact: `output` are logits."""
    return sigmoid_crossentropy(output, target)


def categorical_crossentropy(coding_dist: Any, true_dist: Any) -> Any:
    """Per row: -sum(true·log(coding)), or -log(coding[row, label]) where true_dist is a vector of
    labels.
    """
    p, y = as_tensor(coding_dist), as_tensor(true_dist)
    if tensor_type(y).ndim == tensor_type(p).ndim:
        return -total(y * log(p), axis=tensor_type(p).ndim - 1)
    return crossentropy_categorical_1hot(p, y)


def crossentropy_categorical_1hot(coding_dist: Any, true_one_of_n: Any) -> Any:
    """-log(coding[row, label]) for each row of probabilities and its label."""
    p, labels = _rows_and_labels("crossentropy_categorical_1hot", coding_dist, true_one_of_n)
    return -getitem(log(p), (arange(dimension(p, 0)), labels))


def crossentropy_softmax_1hot(x: Any, y_idx: Any) -> list[Any]:
    """For rows of logits and their labels: -log(softmax(x)[row, label]), and softmax(x)."""
    logits, labels = _rows_and_labels("crossentropy_softmax_1hot", x, y_idx)
    losses = -getitem(logsoftmax(logits), (arange(dimension(logits, 0)), labels))
    return [losses, softmax(logits)]


def crossentropy_softmax_1hot_with_bias(x: Any, b: Any, y_idx: Any) -> list[Any]:
    """`crossentropy_softmax_1hot` of x + b."""
    return crossentropy_softmax_1hot(add(x, b), y_idx)


def crossentropy_softmax_argmax_1hot_with_bias(x: Any, b: Any, y_idx: Any) -> list[Any]:
    """`crossentropy_softmax_1hot` of x + b, and the position of each row's maximum."""
    logits = add(x, b)
    return [*crossentropy_softmax_1hot(logits, y_idx), argmax(logits, axis=1)]


def _rows_and_labels(what: str, rows: Any, labels: Any) -> tuple[Any, Any]:
    """Checked: a matrix of floats and a vector of integers. Raises RankError, DtypeError."""
    matrix, vector = as_tensor(rows), as_tensor(labels)
    met = f"{what} of {matrix}: {matrix.type} and {vector}: {vector.type}"
    if (tensor_type(matrix).ndim, tensor_type(vector).ndim) != (2, 1):
        raise RankError(
            "labels do not fit the rows",
            met,
            advice="give a matrix with a row for each case, and a vector with a label for each row",
        )
    if not is_integer(tensor_type(vector).dtype):
        raise DtypeError("labels are integers", met, advice="cast them, or give one-hot rows")
    return matrix, vector


def to_one_hot(y: Any, nb_class: Any, dtype: str | None = None) -> Any:
    """A row for each label of the vector y: 1 in the label's column, 0 in the others of `nb_class`,
    floatX by default. Raises IndexOutOfRange when a label is not below nb_class.
    """
    labels = as_tensor(y)
    if tensor_type(labels).ndim != 1 or not is_integer(tensor_type(labels).dtype):
        raise RankError(
            "labels are a vector of integers",
            f"to_one_hot of {labels}: {labels.type}",
            advice="flatten them, or cast them to an integer dtype",
        )
    count = dimension(labels, 0)
    rows = zeros((count, nb_class), dtype)
    return set_subtensor(rows[arange(count), labels], 1)


one_hot = to_one_hot


def confusion_matrix(actual: Any, pred: Any) -> list[Any]:
    """How often each actual label (row) was predicted as each label (column), int64, and the sorted
    labels that rows and columns stand for.
    """
    from workbench.core.ops.counting import unique

    told, seen = as_tensor(actual), as_tensor(pred)
    if tensor_type(told).ndim != 1 or tensor_type(seen).ndim != 1:
        raise RankError(
            "confusion_matrix takes two vectors of labels",
            f"confusion_matrix of {told}: {told.type} and {seen}: {seen.type}",
            advice="flatten them",
        )
    order = unique(concatenate([told, seen]))
    rows, columns = (cast(eq(dimshuffle(v, (0, "x")), order), "int64") for v in (told, seen))
    return [dot(transpose(rows), columns), order]
