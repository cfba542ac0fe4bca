"""Einstein's summation: `einsum("ij,jk->ik", a, b)`, written with sums, batched products and
transposes, two operands at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from workbench.core.graph import Variable
from workbench.core.ops.batched import contract
from workbench.core.ops.checks import checked
from workbench.core.ops.diagonals import diagonal
from workbench.core.ops.reduce import sum as total
from workbench.core.ops.scalars import cast, eq
from workbench.core.ops.shape import dimshuffle, shape_tuple
from workbench.core.types import as_tensor, tensor_type, upcast
from workbench.errors import RankError, ShapeError, UsageError
from workbench.frozen import frozen

Labels = tuple[str, ...]
GUESS = 64  # what a length that is not known counts as when an order is chosen


@frozen
class Term:
    """A tensor and the label of each of its axes."""

    tensor: Variable
    labels: Labels

    def size(self, lengths: dict[str, int]) -> int:
        """About how many elements it has."""
        size = 1
        for label in self.labels:
            size *= lengths[label]
        return size


def einsum(subscripts: str, *operands: Any, optimize: object = True) -> Any:
    """As numpy.einsum: products of the operands' elements with equal labels, summed over the labels
    that are not in the result.

    Without `->` the result has the labels that occur once, in alphabetical order. A label twice in
    one operand means its diagonal; `...` stands for the axes that are not named, which broadcast
    (where their length is 1 in the type). Three or more operands are multiplied two at a time, the
    pair with the smallest result first, or from the left if `optimize` is false.

    Raises UsageError for subscripts that make no sense, RankError for a wrong number of labels,
    ShapeError where lengths differ.
    """
    tensors = [as_tensor(v) for v in operands]
    given, wanted = _parsed(subscripts, tensors)
    terms = [Term(v, labels) for v, labels in zip(tensors, given, strict=True)]
    lengths = _lengths(subscripts, terms)
    terms = [_without_ones(term, terms, lengths) for term in map(_on_diagonals, terms)]
    while len(terms) > 1:
        i, j = _next_pair(terms, wanted, lengths) if optimize else (0, 1)
        rest = [t for k, t in enumerate(terms) if k not in (i, j)]
        needed = {*wanted, *(label for t in rest for label in t.labels)}
        terms = [_multiplied(terms[i], terms[j], needed), *rest]
    (last,) = terms
    result = _summed(last, set(wanted))
    ordered = dimshuffle(result.tensor, [result.labels.index(label) for label in wanted])
    return cast(ordered, upcast(*(tensor_type(v).dtype for v in tensors)))


def _parsed(subscripts: Any, tensors: Sequence[Variable]) -> tuple[list[Labels], Labels]:
    """The labels of each operand and of the result."""
    if not isinstance(subscripts, str):
        raise UsageError(
            f"einsum: the subscripts are text, not {subscripts!r}", advice="write 'ij,jk->ik'"
        )
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    parts = left.split(",")
    if len(parts) != len(tensors):
        raise UsageError(
            f"einsum {subscripts!r} has subscripts for {len(parts)} operands; {len(tensors)} are "
            "given",
            advice="separate the operands' labels with commas",
        )
    given = [_labels(subscripts, p, tensor_type(v).ndim) for p, v in zip(parts, tensors)]
    named = [label for labels in given for label in labels]
    unnamed = sorted({label for label in named if label[0] == "."}, reverse=True)
    if not arrow:
        once = sorted(label for label in set(named) if named.count(label) == 1 and label[0] != ".")
        return given, (*unnamed, *once)
    wanted = _result_labels(subscripts, right, unnamed)
    if unknown := [label for label in wanted if label not in named]:
        raise UsageError(
            f"einsum {subscripts!r}: the result's label {unknown[0]!r} is in no operand",
            advice="the result can only have labels of the operands",
        )
    return given, wanted


def _labels(subscripts: str, part: str, ndim: int) -> Labels:
    """One operand's labels; the unnamed axes are '.0', '.1', … from the last."""
    before, dots, after = part.partition("...")
    _check_letters(subscripts, before + after)
    named = len(before) + len(after)
    if named > ndim or (named < ndim and not dots):
        raise RankError(
            f"einsum {subscripts!r}: {part!r} names {named} axes of a tensor that has {ndim}",
            advice="name every axis, or write ... for the others",
        )
    unnamed = [f".{i:02}" for i in reversed(range(ndim - named))]
    return (*before, *unnamed, *after)


def _result_labels(subscripts: str, part: str, unnamed: Sequence[str]) -> Labels:
    before, dots, after = part.partition("...")
    _check_letters(subscripts, before + after)
    if len(set(before + after)) < len(before + after):
        raise UsageError(
            f"einsum {subscripts!r}: a label stands twice in the result", advice="name each once"
        )
    if unnamed and not dots:
        raise UsageError(
            f"einsum {subscripts!r}: the result leaves out the axes that ... stands for",
            advice="write ... in the result, too",
        )
    return (*before, *unnamed, *after)


def _check_letters(subscripts: str, letters: str) -> None:
    wrong = [c for c in letters if not (c.isascii() and c.isalpha())]
    if wrong:
        raise UsageError(
            f"einsum {subscripts!r}: {wrong[0]!r} is no label",
            advice="labels are letters; '...', ',' and '->' stand between them",
        )


def _lengths(subscripts: str, terms: Sequence[Term]) -> dict[str, int]:
    """The length of every label, guessed where it is not known."""
    known: dict[str, set[int | None]] = {}
    for term in terms:
        for label, n in zip(term.labels, tensor_type(term.tensor).shape, strict=True):
            known.setdefault(label, set()).add(n)
    lengths = {}
    for label, found in known.items():
        real = {n for n in found if n not in (None, 1)}
        if len(real) > 1:
            raise ShapeError(
                f"einsum {subscripts!r}: label {label!r} has lengths "
                f"{' and '.join(map(str, sorted(n for n in real if n is not None)))}",
                ", ".join(f"{t.tensor}: {t.tensor.type}" for t in terms),
                advice="axes with one label must be of equal length",
            )
        lengths[label] = next((n for n in real if n is not None), 1 if found == {1} else GUESS)
    return lengths


def _on_diagonals(term: Term) -> Term:
    """Labels that stand twice in one operand: its diagonal along these axes."""
    tensor, labels = term.tensor, list(term.labels)
    while len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        i = labels.index(twice)
        j = labels.index(twice, i + 1)
        rest = [k for k in range(len(labels)) if k not in (i, j)]
        moved: Any = dimshuffle(tensor, (*rest, i, j))
        n, m = tensor_type(moved).shape[-2:]
        if n is not None and m is not None and n != m:
            raise ShapeError(
                f"einsum: label {twice!r} stands for axes of lengths {n} and {m}",
                f"{tensor}: {tensor.type}",
                advice="axes with one label must be of equal length",
            )
        tensor, labels = _square_diagonals(moved, twice), [*(labels[k] for k in rest), twice]
    return Term(tensor, tuple(labels))


def _square_diagonals(x: Any, label: str) -> Any:
    """The diagonals of square matrices; where they are not square, an error when it runs."""
    m, n = shape_tuple(x)[-2:]
    if not (isinstance(m, int) and isinstance(n, int)):
        wrong = f"einsum: label {label!r} stands for axes of different lengths"
        x = checked(x, eq(m, n), wrong=wrong, advice="axes with one label must be of equal length")
    return diagonal(x, 0, -2, -1)


def _without_ones(term: Term, terms: Sequence[Term], lengths: dict[str, int]) -> Term:
    """The term without axes of length 1 that another operand spreads."""
    shape = tensor_type(term.tensor).shape
    kept = [i for i, label in enumerate(term.labels) if shape[i] != 1 or lengths[label] == 1]
    if len(kept) == len(term.labels):
        return term
    return Term(dimshuffle(term.tensor, kept), tuple(term.labels[i] for i in kept))


def _next_pair(terms: Sequence[Term], wanted: Labels, lengths: dict[str, int]) -> tuple[int, int]:
    """The two terms whose product has the fewest elements, less their own."""

    def growth(pair: tuple[int, int]) -> int:
        i, j = pair
        rest = {label for k, t in enumerate(terms) if k not in pair for label in t.labels}
        kept = {*terms[i].labels, *terms[j].labels} & {*wanted, *rest}
        made = Term(terms[i].tensor, tuple(kept)).size(lengths)
        return made - terms[i].size(lengths) - terms[j].size(lengths)

    return min(combinations(range(len(terms)), 2), key=growth)


def _multiplied(a: Term, b: Term, needed: set[str]) -> Term:
    """The product of two terms, summed over the labels that nobody else needs."""
    a, b = _summed(a, needed | set(b.labels)), _summed(b, needed | set(a.labels))
    shared = [label for label in a.labels if label in b.labels]
    batch = [label for label in shared if label in needed]
    met = [label for label in shared if label not in needed]
    pairs = [
        (tuple(map(a.labels.index, labels)), tuple(map(b.labels.index, labels)))
        for labels in (batch, met)
    ]
    own_a = [label for label in a.labels if label not in shared]
    own_b = [label for label in b.labels if label not in shared]
    return Term(contract(a.tensor, b.tensor, pairs[0], pairs[1]), (*batch, *own_a, *own_b))


def _summed(term: Term, needed: set[str]) -> Term:
    """The term summed over labels that are not needed."""
    gone = tuple(i for i, label in enumerate(term.labels) if label not in needed)
    if not gone:
        return term
    kept = tuple(label for label in term.labels if label in needed)
    return Term(total(term.tensor, gone), kept)
