"""Sorting, and the best of many."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

import workbench.theano.tensor as T
from tests.reference.agreeing import agrees, computed, equal
from tests.reference.proofs import proves

# `import theano.tensor.sort as sorting` gives the function, with Theano, too.
sorting = import_module("workbench.theano.tensor.sort")
M = np.random.RandomState(5).permutation(np.arange(12.0)).reshape(3, 4)

for _name in ("sort", "argsort"):
    _f, _g = getattr(T, _name), getattr(np, _name)
    agrees(f"T.sort.{_name}", "a", lambda a, f=_f: f(a=a), _g, M)
    agrees(f"T.sort.{_name}", "axis", lambda a, f=_f: f(a, axis=0), lambda a, f=_g: f(a, axis=0), M)
    agrees(
        f"T.sort.{_name}", "axis", lambda a, f=_f: f(a, None), lambda a, f=_g: f(a, axis=None), M
    )


@proves("T.sort.sort", "kind", "order")
@proves("T.sort.argsort", "kind", "order")
def kinds_of_sorting_give_one_result() -> None:
    """The result is that of any kind; a stable one keeps the order of what is equal."""
    equals = np.array([1.0, 0.0, 1.0, 0.0])
    for kind in ("quicksort", "mergesort", "heapsort", "stable"):
        equal(computed(lambda a, k=kind: sorting.sort(a, -1, k, None), equals), np.sort(equals))
    for kind in ("mergesort", "stable"):
        got = computed(lambda a, k=kind: sorting.argsort(a, kind=k, order=None), equals)
        equal(got, np.argsort(equals, kind=kind))


def _best(a: Any, k: int, axis: int = -1) -> Any:
    return np.flip(np.sort(a, axis), axis).take(range(k), axis)


@proves("T.sort.topk", "x", "kth", "axis", "sorted", "idx_dtype")
@proves("T.sort.argtopk", "x", "kth", "axis", "sorted", "idx_dtype")
@proves("T.sort.topk_and_argtopk", "x", "kth", "axis", "sorted", "idx_dtype")
def the_best_k() -> None:
    """The k largest, of a negative kth the smallest; in which order, only `sorted` promises."""
    for axis in (-1, 0):
        values, places = computed(lambda a, i=axis: T.topk_and_argtopk(a, 2, axis=i), M)
        np.testing.assert_array_equal(np.sort(values, axis), np.sort(_best(M, 2, axis), axis))
        np.testing.assert_array_equal(np.take_along_axis(M, places, axis), values)
        equal(computed(lambda a, i=axis: T.topk(a, 2, i), M), values)
        equal(computed(lambda a, i=axis: T.argtopk(a, kth=2, axis=i), M), places)
    smallest = computed(lambda a: T.topk(a, -2), M)
    np.testing.assert_array_equal(np.sort(smallest), np.sort(M)[:, :2])
    for f in (T.topk, lambda *a, **k: T.topk_and_argtopk(*a, **k)[0]):
        first = computed(lambda a, f=f: f(a, 3, sorted=True), M)
        np.testing.assert_array_equal(first, np.sort(M)[:, ::-1][:, :3])
        loose = computed(lambda a, f=f: f(a, 3, sorted=False), M)
        np.testing.assert_array_equal(np.sort(loose), np.sort(first))
    x = T.dmatrix()
    assert T.argtopk(x, 2).dtype == "int64"
    assert T.argtopk(x, 2, idx_dtype="int32").dtype == "int32"
    assert T.topk_and_argtopk(x, 2, idx_dtype="int16")[1].dtype == "int16"
    assert T.topk(x, 2, idx_dtype="int32").dtype == "float64"
    got = computed(lambda a: T.argtopk(a, 3, sorted=True), M)
    np.testing.assert_array_equal(got, np.argsort(-M)[:, :3])
