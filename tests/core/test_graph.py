"""Traversals of deep graphs, identity and interning, where nodes come from."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import numpy as np
import pytest

from workbench.core import variable  # noqa: F401  # it gives tensors their operators
from workbench.core.gradient import grad
from workbench.core.graph import (
    Constant,
    ancestors,
    free_inputs,
    leaves,
    readers,
    replace,
    toposort,
)
from workbench.core.intern import Interner
from workbench.core.interpreter import Interpreter
from workbench.core.ops import scalars
from workbench.core.shared import shared
from workbench.core.types import TensorType, as_tensor, constant
from workbench.core.variable import tensor

DEEP = 100_000


@pytest.fixture(scope="module")
def chain():
    """X + 1 + 1 + …, a hundred thousand times."""
    x = tensor("float64", (), "x")
    one = constant(1.0, "float64")
    y = x
    for _ in range(DEEP):
        y = y + one
    return x, y


@pytest.mark.slow
def test_deep_chain(chain) -> None:
    """Nothing recurses: sorting, leaves, readers, ancestors, replacing, interning, running,
    deriving.
    """
    x, y = chain
    assert sys.getrecursionlimit() < DEEP
    nodes = toposort([y])
    assert len(nodes) == DEEP
    assert leaves([y])[0] is x
    assert free_inputs([y]) == [x]
    assert len(readers(nodes)[x]) == 1
    assert sum(1 for _ in ancestors([y])) == DEEP + 2
    z = tensor("float64", (), "z")
    (moved,) = replace([y], {x: z})
    assert free_inputs([moved]) == [z]
    (frozen,) = Interner().freeze([moved])
    assert len(toposort([frozen])) == DEEP
    assert Interpreter([y]).run({x: np.array(2.0)})[0] == DEEP + 2
    assert Interpreter([grad(y, x)]).run({x: np.array(2.0)})[0] == 1
    del moved, frozen
    gc.collect()


def test_sorting_is_stable_and_stops() -> None:
    x, y = tensor(name="x"), tensor(name="y")
    a, b = x + y, x * y
    c = a - b
    assert [n.outputs[0] for n in toposort([c])] == [a, b, c]
    assert [n.outputs[0] for n in toposort([c], stop=[a])] == [b, c]
    assert leaves([c], stop=[a]) == [x, y, a]
    assert toposort([x]) == []
    assert leaves([x, c, x]) == [x, y]
    assert toposort([c, a, c]) == toposort([c])


def test_free_inputs_are_neither_constant_nor_shared() -> None:
    x, s = tensor(name="x"), shared(1.0)
    assert free_inputs([x * s + 2]) == [x]


def test_replace_rebuilds_only_what_it_must() -> None:
    x, y, z = (tensor(name=n) for n in "xyz")
    kept, changed = y * 2, x * 2
    total = kept + changed
    total.name = "total"
    (new,) = replace([total], {x: z})
    assert new is not total
    assert new.name == "total"
    assert new.owner.inputs[0] is kept
    assert new.owner.lines == total.owner.lines
    assert replace([total], {}) == [total]
    assert replace([x], {x: z}) == [z]
    (swapped,) = replace([x + y], {x: y, y: x})  # a replacement is not replaced again
    assert swapped.owner.inputs == (y, x)
    assert replace([total], {changed: kept})[0].owner.inputs == (kept, kept)


def test_replace_infers_types_again() -> None:
    x, f = tensor("float64", (None,)), tensor("float32", (3,))
    (new,) = replace([x + x], {x: f})
    assert new.type == TensorType("float32", (3,))


def test_identity_for_users_interning_for_the_compiler() -> None:
    x = tensor(name="x")
    a, b = x + 1, x + 1
    assert a is not b
    first, second = Interner().freeze([a, b])
    assert first is second
    named = x + 1
    named.name = "named"
    Interner().freeze([a, named])
    assert a.name is None, "a user's graph is never written to"
    assert len(a.owner.lines) == 1
    interner = Interner()
    (once,) = interner.freeze([a * b])
    assert interner.freeze([once])[0] is once
    assert once in interner
    assert once.owner.inputs[0] is once.owner.inputs[1]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (0.0, -0.0, False),
        (np.nan, np.nan, True),
        (1.0, 1.0, True),
        (np.float32(1), np.float64(1), False),
        ([1, 2], [[1, 2]], False),
        (np.array([1.0, 2]), np.array([1.0, 2]), True),
        (1, True, False),
    ],
)
def test_constants_are_keyed_by_dtype_shape_and_bytes(first, second, same) -> None:
    a, b = as_tensor(first), as_tensor(second)
    assert isinstance(a, Constant)
    assert (a.key == b.key) == same
    x = tensor("float64", (None,) * max(a.ndim, b.ndim))
    one, two = Interner().freeze([scalars.add(x, a), scalars.add(x, b)])
    assert (one is two) == same


def test_constants_are_copied_and_read_only() -> None:
    array = np.ones(3)
    c = as_tensor(array)
    array[0] = 5
    assert c.data[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        c.data[0] = 2


def test_a_node_knows_its_line() -> None:
    x = tensor("float64", (None,), "x")
    y = x * 2 + x.sum()  # the line that is looked for
    for variable_ in (y, y.owner.inputs[0], y.owner.inputs[1]):
        assert Path(variable_.place.file).name == Path(__file__).name
        assert "the line that is looked for" in variable_.place.text
    assert "looked for" in grad(y.sum(), x).place.text, (
        "a gradient bears the line of what it is derived from"
    )
    assert "tensor(" in x.place.text
    lines = {n.place.line for n in toposort([y])}
    assert len(lines) == 1


def test_ops_are_equal_by_value_and_hashable() -> None:
    from workbench.core.samples import SAMPLES
    from workbench.core.types import TensorType

    for make in SAMPLES.values():
        for sample in list(make())[:2]:
            inputs = [TensorType(str(a.dtype), (None,) * a.ndim).make() for a in sample.arrays]
            built = sample.build(*inputs)
            for node in toposort(built if isinstance(built, (list, tuple)) else [built]):
                assert node.op == node.op
                assert hash(node.op) == hash(node.op)
                assert str(node.op)
                assert node.op.label
    assert scalars.add != scalars.sub
    assert scalars.Elemwise(scalars.Cast("int8")) != scalars.Elemwise(scalars.Cast("int16"))
    assert scalars.Elemwise(scalars.Add()) == scalars.add
