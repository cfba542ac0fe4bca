"""The two ways to run a graph that every op is walked through, and arrays in every memory
layout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest import mock

import numpy as np
import pytest

import workbench.core.variable  # noqa: F401  # it gives tensors their operators
from workbench.core.graph import Variable, toposort
from workbench.core.interpreter import Interpreter
from workbench.core.link import Plan
from workbench.core.types import TensorType, tensor_type

try:
    from workbench.core.native.executor import link_native
    from workbench.core.native.target import NoNativeForm
except ImportError:
    link_native = None

Compiled = Callable[[Sequence[Any]], list[Any]]
Backend = Callable[[Sequence[Variable], Sequence[Variable]], Compiled]


def interpreter(inputs: Sequence[Variable], outputs: Sequence[Variable]) -> Compiled:
    ready = Interpreter(outputs)
    return lambda values: ready.run(dict(zip(inputs, values, strict=True)))


def native(inputs: Sequence[Variable], outputs: Sequence[Variable]) -> Compiled:
    """By native code alone: skipped, with its reason, where a node has none."""
    try:
        linked = link_native(Plan(tuple(inputs), tuple(outputs)), None)
    except NoNativeForm as reason:
        pytest.skip(f"no native form: {reason}")
    if linked.notes:
        pytest.skip(f"no native form: {linked.notes[0]}")

    def run(values: Sequence[Any]) -> list[Any]:
        with mock.patch("workbench.core.native.executor.PyLinked", side_effect=_handed_over):
            return linked.run(list(values))

    return run


def _handed_over(*args: Any) -> None:
    raise AssertionError("the native program stopped and handed over to the interpreter")


BACKENDS = [
    pytest.param(interpreter, id="interpreter"),
    pytest.param(
        native,
        id="native",
        marks=pytest.mark.skipif(link_native is None, reason="there is no native executor"),
    ),
]


def inputs_for(arrays: Sequence[Any]) -> list[Variable]:
    """Input variables of the arrays' dtypes and ranks, of unknown lengths."""
    return [
        TensorType(str(a.dtype), (None,) * a.ndim).make(name=f"x{i}") for i, a in enumerate(arrays)
    ]


def as_list(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def layouts(array: Any) -> Iterator[tuple[str, Any]]:
    """The same values in other memory: contiguous, strided, reversed, transposed, spread,
    unaligned, read-only.
    """
    yield "contiguous", np.ascontiguousarray(array).reshape(array.shape)
    if array.ndim == 0:
        return
    wide = np.repeat(array, 2, axis=-1)
    yield "strided", wide[..., ::2]
    yield "reversed", np.ascontiguousarray(array[::-1])[::-1]
    yield "transposed", np.asfortranarray(array)
    packed = np.zeros(array.nbytes + 1, "uint8")[1:].view(array.dtype).reshape(array.shape)
    packed[...] = array
    yield "unaligned", packed
    frozen = array.copy()
    frozen.flags.writeable = False
    yield "read-only", frozen


def check_promise(result: Any, variable: Variable) -> None:
    """A result has the dtype, the rank and the lengths that its type promises."""
    t = tensor_type(variable)
    assert isinstance(result, np.ndarray)
    assert str(result.dtype) == t.dtype
    assert result.ndim == t.ndim, f"{result.shape} is not of {t}"
    for n, known in zip(result.shape, t.shape, strict=True):
        assert known in (None, n), f"{result.shape} is not of {t}"


def check_equal(result: Any, expected: Any, ulp: float = 0) -> None:
    """Equal to the bit, but for the sign of nan, or within `ulp` units of the last place of the
    largest element.
    """
    expected = np.asarray(expected)
    assert result.shape == expected.shape
    assert result.dtype == expected.dtype
    if ulp == 0 or result.dtype.kind not in "fc" or not result.size:
        np.testing.assert_array_equal(result, expected)
        if result.dtype.kind == "f":
            numbers = ~np.isnan(expected)
            np.testing.assert_array_equal(
                np.signbit(result)[numbers], np.signbit(expected)[numbers]
            )
        return
    finite = np.abs(expected[np.isfinite(expected)])
    scale = max(finite.max(initial=0), np.finfo(expected.dtype).tiny)
    tolerance = ulp * np.finfo(expected.dtype).eps * scale
    np.testing.assert_allclose(result, expected, rtol=0, atol=tolerance)


def check_shape(inputs: Sequence[Variable], outputs: Sequence[Variable], values: Any) -> None:
    """Every node's shape() gives the lengths that the node's outputs have when it runs."""
    found = Interpreter(outputs).run_all(dict(zip(inputs, values, strict=True)))
    asked: list[Variable] = []
    lengths: list[int] = []
    for node in toposort(outputs):
        if node.outputs[0] not in found:  # in the branch that was not taken
            continue
        dims = node.op.shape(node.inputs)
        assert (
            node.op.flops(
                [found.get(v, getattr(v, "data", None)) for v in node.inputs],
                [found[v] for v in node.outputs],
            )
            >= 0
        )
        for output, wanted in zip(node.outputs, dims or [], strict=dims is not None):
            shape = found[output].shape
            assert len(wanted) == len(shape)
            for dim, length in zip(wanted, shape, strict=True):
                if isinstance(dim, Variable):
                    assert tensor_type(dim) == TensorType("int64")
                    asked.append(dim)
                    lengths.append(length)
                else:
                    assert dim == length
    computed = interpreter(inputs, asked)(values) if asked else []
    assert [int(n) for n in computed] == lengths
