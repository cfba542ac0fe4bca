"""clone: a graph again, with replacements."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.graph import free_inputs, toposort

A = np.arange(3.0)
x, y = T.dvectors("x", "y")


def test_a_copy_reads_the_same_inputs():
    w = wb.shared(2.0, "w")
    out = T.exp(x * w) + 1
    out.name = "out"
    copy = wb.clone(out)
    assert copy is not out
    assert set(toposort([copy])).isdisjoint(toposort([out]))
    assert (copy.name, copy.type, free_inputs([copy])) == ("out", out.type, [x])
    assert copy.owner.place == out.owner.place
    np.testing.assert_array_equal(copy.eval({x: A}), out.eval({x: A}))


def test_inputs_of_its_own():
    w = wb.shared(2.0, "w")
    copy = wb.clone(x * w, share_inputs=False)
    (own,) = free_inputs([copy])
    assert own is not x
    assert (own.name, own.type) == ("x", x.type)
    np.testing.assert_array_equal(copy.eval({own: A}), A * 2)


def test_variables_by_themselves():
    v = T.dvector("v")
    v.tag.test_value = A
    copy = v.clone()
    assert copy is not v
    assert (copy.name, copy.type, copy.owner) == ("v", v.type, None)
    assert copy.tag.test_value is A
    result = (v + 1).clone()
    assert (result.owner, result.type) == (None, v.type)
    constant = T.constant([1, 2], name="c")
    other = constant.clone()
    assert other is not constant
    assert (other.name, other.data is constant.data) == ("c", True)
    np.testing.assert_array_equal((other + 1).eval(), [2, 3])


def test_forms():
    one, two = wb.clone([x + 1, x * 2])
    assert one.owner is not two.owner
    assert isinstance(wb.clone((x + 1,)), tuple)
    assert wb.clone(x) is x
    assert wb.clone([]) == []


def test_replacements():
    h = x * 2
    out = h + T.sum(x)
    np.testing.assert_array_equal(wb.clone(out, {x: y}).eval({y: A}), A * 2 + 3)
    np.testing.assert_array_equal(wb.clone(out, [(h, y)]).eval({x: A, y: A}), A + 3)
    np.testing.assert_array_equal(wb.clone(out, {x: [1.0, 2.0]}).eval(), [5, 7])
    swapped = wb.clone(x - y, {x: y, y: x})
    np.testing.assert_array_equal(swapped.eval({x: A, y: A * 3}), A * 2)
    w, v = wb.shared(1.0), wb.shared(5.0)
    assert wb.clone(w + 1, {w: v}).eval() == 6


def test_replacements_within_a_loop():
    w = T.dscalar("w")
    out, _ = wb.scan(lambda a: a * w, x)
    np.testing.assert_array_equal(wb.clone(out, {w: 3}).eval({x: A}), A * 3)


def test_types():
    f = T.fvector("f")
    with pytest.raises(TypeError, match="of another type") as caught:
        wb.clone(x + 1, {x: f})
    assert "float32" in caught.value.met
    relaxed = wb.clone(x + f, {x: f}, strict=False)
    assert relaxed.dtype == "float32"
    for wrong in ({"x": y}, {x: T.dmatrix()}, {x: "text"}, {x: np.ones((2, 2))}):
        with pytest.raises(TypeError):
            wb.clone(x + 1, wrong)
    with pytest.raises(TypeError, match="takes variables"):
        wb.clone(3)
    with pytest.raises(ValueError, match="is a pair"):
        wb.clone(x, [x])


def test_a_long_chain():
    out = x
    for _ in range(20_000):
        out = out + 1
    assert len(toposort([wb.clone(out)])) == 20_000
