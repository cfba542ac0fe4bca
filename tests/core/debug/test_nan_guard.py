"""NanGuardMode stops where a nan, an inf or a big value comes up, and says where that is."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.debug.errors import NanGuardError
from workbench.core.debug.nan_guard import NanGuardMode
from workbench.core.modes import get_mode

x = T.dvector("x")


def guarded(output, mode=None, inputs=(x,), **options):
    return wb.function(list(inputs), output, mode=mode or NanGuardMode(**options))


def test_a_nan_names_its_node_and_the_users_line():
    f = guarded(T.log(x) + 1, optimizer=None)
    np.testing.assert_allclose(f([1.0]), [1.0])
    with pytest.raises(AssertionError) as caught:
        f([1.0, -1.0])
    error = caught.value
    assert isinstance(error, NanGuardError)
    assert error.wrong == "NaN detected: 1 of 2 elements of the result of Elemwise{log,no_inplace}"
    assert error.node.op.label == "log"
    assert "x: TensorType(float64, vector)" in str(error)
    assert "test_nan_guard.py" in str(error)
    assert "output 0" in str(error)


def test_what_counts_is_a_choice():
    f = guarded(1 / x, optimizer=None)
    with pytest.raises(AssertionError, match="Inf detected: 1 of 1"):
        f([0.0])
    with pytest.raises(AssertionError, match="Big value detected: 1 of 2 elements are beyond 1e"):
        f([1e-12, 1.0])
    assert np.isinf(guarded(1 / x, inf_is_error=False)([0.0]))
    assert guarded(1 / x, big_is_error=False)([1e-12]) == pytest.approx(1e12)
    assert np.isnan(guarded(T.log(x), nan_is_error=False)([-1.0]))
    assert np.isinf(guarded(1 / x, None, (x,), inf_is_error=False)([0.0]))  # an inf is not big


def test_the_configuration_says_what_counts():
    with wb.config.change(NanGuardMode__inf_is_error=False):
        assert np.isinf(guarded(1 / x)([0.0]))
        assert not get_mode("NanGuardMode").inf_is_error
    with pytest.raises(AssertionError, match="Inf"):
        guarded(1 / x)([0.0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2e10])
def test_inputs_are_checked(bad):
    with pytest.raises(AssertionError, match=r"detected.* of the input x"):
        guarded(T.sum(x) * 0)([1.0, bad])


def test_shared_variables_are_checked_and_keep_their_values():
    s = wb.shared(np.array([1.0, 0.0]), "s")
    f = wb.function([x], x + 1, updates={s: T.log(s)}, mode=NanGuardMode())
    with pytest.raises(AssertionError, match="Inf detected"):
        f([1.0])
    np.testing.assert_array_equal(s.get_value(), [1.0, 0.0])
    s.set_value(np.array([np.nan]))
    with pytest.raises(
        AssertionError, match="NaN detected: 1 of 1 elements of the shared variable s"
    ):
        f([1.0])


def test_a_loop_says_its_iteration():
    rows, _ = wb.scan(lambda a, b: b * a, x, outputs_info=[T.constant(1e6)], name="product")
    f = guarded(rows)
    assert len(f([1.0, 2.0])) == 2
    with pytest.raises(AssertionError, match=r"Big value.*, in iteration 2 of scan product"):
        f([1.0, 2.0, 1e5, 1.0])


def test_a_nested_loop_says_both_iterations():
    m = T.dmatrix("m")

    def row(r):
        return wb.scan(lambda a: T.sqrt(T.sum(a * r)), r, name="inner")[0]

    f = guarded(wb.scan(row, m, name="outer")[0], inputs=[m], optimizer=None)
    with pytest.raises(
        AssertionError, match=r"iteration 1 of scan outer, in iteration 0 of scan i"
    ):
        f([[1.0, 2.0], [1.0, -3.0]])


def test_fused_nodes_of_the_optimised_graph_are_checked():
    f = guarded(T.log(x) * 2 + 1)
    assert len(f.maker.fgraph.toposort()) == 1
    with pytest.raises(AssertionError, match=r"NaN detected.*Composite.*log"):
        f([-1.0])


def test_integers_and_bools_pass():
    i = T.lvector("i")
    f = guarded([i * 10**12, i > 3], inputs=[i])
    assert f([1, 5])[0][1] == 5 * 10**12


def test_it_is_a_mode_like_others():
    mode = NanGuardMode(big_is_error=False).excluding("fusion")
    assert isinstance(mode, NanGuardMode)
    assert not mode.big_is_error
    f = guarded(T.tanh(x) + 1, mode)
    assert len(f.maker.fgraph.toposort()) == 2
    with pytest.raises(TypeError, match="NanGuardMode takes no nan"):
        NanGuardMode(nan=True)
    with pytest.raises(wb.ModeError, match="fast_run"):
        NanGuardMode(optimizer="fastrun")
