"""Updates: together, all or none, of the right type; default updates."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T


@pytest.fixture(params=("FAST_RUN", "FAST_COMPILE"))
def mode(request):
    return request.param


def test_outputs_see_the_old_values_and_all_updates_come_together(mode):
    a, b = wb.shared(np.ones(3), "a"), wb.shared(np.zeros(3), "b")
    f = wb.function([], [a.sum(), b.sum()], updates={a: b, b: a}, mode=mode)
    assert list(map(float, f())) == [3, 0]
    assert list(map(float, f())) == [0, 3]
    np.testing.assert_array_equal(a.get_value(), np.ones(3))
    assert not np.shares_memory(a.get_value(borrow=True), b.get_value(borrow=True))


def test_a_failing_call_leaves_every_shared_variable_alone(mode):
    a, b = wb.shared(np.ones(3), "a"), wb.shared(np.ones(3), "b")
    x = T.dvector("x")
    f = wb.function([x], updates=[(a, a * 2), (b, b + x)], mode=mode)
    with pytest.raises(wb.ShapeError):
        f(np.ones(4))
    np.testing.assert_array_equal(a.get_value(), np.ones(3))
    np.testing.assert_array_equal(b.get_value(), np.ones(3))
    f(np.ones(3))
    assert a.get_value()[0] == 2


def test_numbers_and_lossless_conversions(mode):
    n, f = wb.shared(0.0, "n"), wb.shared(np.float64(1), "f")
    g = wb.function([], updates={n: 3, f: T.cast(f, "float32")}, mode=mode)
    g()
    assert (n.get_value(), n.get_value().dtype) == (3, "float64")
    assert f.get_value().dtype == "float64"


def test_a_lossy_update_tells_where_the_wide_dtype_came_from():
    w = wb.shared(np.ones(3, "float32"), "w")
    rate = T.dscalar("rate")
    step = w * 2
    with pytest.raises(wb.UpdateError) as caught:
        wb.function([rate], updates={w: step - rate * w})
    message = str(caught.value)
    assert message.startswith("An update must have the same type as the original shared variable")
    assert "T.cast(update, 'float32')" in message
    assert "first appears from rate" in message
    assert "step - rate * w" in message


@pytest.mark.parametrize(
    ("updates", "kind", "message"),
    [
        (lambda s, x: {x: s}, TypeError, "not a shared variable: x"),
        (lambda s, x: [(s, s + 1), (s, s)], ValueError, "updated twice"),
        (lambda s, x: {s: x}, TypeError, "same type"),
        (lambda s, x: [x], TypeError, "each item is a pair"),
        (lambda s, x: s, TypeError, "dict or a list of pairs"),
        (lambda s, x: {s: "text"}, TypeError, "text"),
    ],
)
def test_updates_that_are_refused(updates, kind, message):
    s, x = wb.shared(1.0, "s"), T.dvector("x")
    with pytest.raises(kind, match=message):
        wb.function([x], x, updates=updates(s, x))


def test_default_updates(mode):
    s, t = wb.shared(0.0, "s"), wb.shared(0.0, "t")
    s.default_update = s + t + 1
    t.default_update = t + 10
    wb.function([], s * 1, mode=mode)()
    assert (s.get_value(), t.get_value()) == (1, 10)
    wb.function([], s * 1, updates={s: s + 100}, mode=mode)()
    assert (s.get_value(), t.get_value()) == (101, 10)
    wb.function([], s * 1, no_default_updates=True, mode=mode)()
    wb.function([], s * 1, no_default_updates=[s], mode=mode)()
    assert (s.get_value(), t.get_value()) == (101, 10)
    with pytest.raises(TypeError, match="no_default_updates"):
        wb.function([], s * 1, no_default_updates=3)


def test_shapes_may_change_by_an_update(mode):
    s = wb.shared(np.ones(2), "s")
    f = wb.function([], s.sum(), updates={s: T.concatenate([s, s])}, mode=mode)
    assert [float(f()) for _ in range(4)] == [2, 4, 8, 16]


def test_borrowed_values_survive_an_update(mode):
    s = wb.shared(np.ones(3), "s")
    f = wb.function([], updates={s: s + 1}, mode=mode)
    f()
    held = s.get_value(borrow=True)
    f()
    f()
    np.testing.assert_array_equal(held, [2, 2, 2])
