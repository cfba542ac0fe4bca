"""MonitorMode, NanGuardMode, DebugMode: every parameter."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.proofs import proven_by, proves
from workbench.theano.compile import DebugMode, MonitorMode
from workbench.theano.compile.monitormode import detect_nan
from workbench.theano.compile.nanguardmode import NanGuardMode

A = np.array([1.0, 2.0, 3.0])
MONITOR, DEBUG = "theano.compile.MonitorMode", "theano.compile.DebugMode"
GUARD = "theano.compile.nanguardmode.NanGuardMode"
x = T.dvector("x")
SUM = T.tanh(x) + x
TESTS = "tests/core/debug/test_debug_mode.py::"


@proves(MONITOR, "pre_func", "post_func", "optimizer", "linker")
@proves("theano.compile.monitormode", "fn.inputs", "fn.outputs")
def functions_are_called_around_every_node() -> None:
    before: list[object] = []
    after: list[object] = []

    def pre(i: int, node: object, fn: object) -> None:
        before.append((i, node.op.label, [v.tolist() for (v,) in fn.inputs]))

    def post(i: int, node: object, fn: object) -> None:
        after.append((i, node.op.label, fn.outputs[0][0].tolist()))

    mode = MonitorMode(pre_func=pre, post_func=post, optimizer=None, linker="py")
    assert mode.linker == "py"
    theano.function([x], SUM, mode=mode)(A)
    tanh = np.tanh(A).tolist()
    assert before == [(0, "tanh", [A.tolist()]), (1, "add", [tanh, A.tolist()])]
    assert after == [(0, "tanh", tanh), (1, "add", (np.tanh(A) + A).tolist())]
    after.clear()
    theano.function([x], SUM, mode=MonitorMode(post_func=post, optimizer="fast_run"))(A)
    assert [label for _, label, _ in after] == ["fused"]
    after.clear()
    kept = MonitorMode(post_func=post).excluding("fusion")
    theano.function([x], SUM, mode=kept)(A)
    assert len(after) == 2


@proves("theano.compile.monitormode.detect_nan", "i", "node", "fn")
def nodes_with_a_nan_are_printed() -> None:
    mode = MonitorMode(post_func=detect_nan, optimizer=None)
    f = theano.function([x], T.log(x) * x, mode=mode)
    out = io.StringIO()
    with contextlib.redirect_stdout(out), np.errstate(all="ignore"):
        f(A)
        assert out.getvalue() == ""
        f(-A)
    text = out.getvalue()
    assert text.startswith("*** NaN detected ***")
    assert "log" in text
    assert "Inputs : [array([-1., -2., -3.])]" in text


@proves(GUARD, "nan_is_error", "inf_is_error", "big_is_error")
def what_is_out_of_the_ordinary_stops_a_call() -> None:
    bad = {"nan": (np.nan, "NaN detected"), "inf": (np.inf, "Inf detected"),
           "big": (2e10, "Big value detected")}  # fmt: skip
    guarded = theano.function([x], x * 1.5, mode=NanGuardMode())
    for what, (value, words) in bad.items():
        with pytest.raises(AssertionError, match=words):
            guarded(np.array([1.0, value]))
        lenient = NanGuardMode(**{f"{what}_is_error": False})
        theano.function([x], x * 1.5, mode=lenient)(np.array([1.0, value]))
        with theano.config.change(**{f"NanGuardMode__{what}_is_error": False}):
            theano.function([x], x * 1.5, mode=NanGuardMode())(np.array([1.0, value]))
            strict = NanGuardMode(**{f"{what}_is_error": True})
        with pytest.raises(AssertionError, match=words):
            theano.function([x], x * 1.5, mode=strict)(np.array([1.0, value]))
    with pytest.raises(AssertionError, match="log"):  # a node's result
        theano.function([x], T.log(x), mode=NanGuardMode(True, True, True))(-A)


@proves(GUARD, "optimizer", "linker")
def a_guard_is_a_mode_like_others() -> None:
    mode = NanGuardMode(nan_is_error=True, optimizer=None, linker="py")
    assert mode.linker == "py"
    assert len(theano.function([x], SUM, mode=mode).maker.fgraph.toposort()) == 2
    fused = NanGuardMode(optimizer="fast_run")
    assert len(theano.function([x], SUM, mode=fused).maker.fgraph.toposort()) == 1


@proves(DEBUG, "optimizer", "check_isfinite", "stability_patience")
def debug_mode_checks_what_it_is_told_to() -> None:
    assert len(theano.function([x], SUM, mode=DebugMode(None)).maker.fgraph.toposort()) == 2
    assert len(theano.function([x], SUM, mode=DebugMode()).maker.fgraph.toposort()) == 1
    error = theano.compile.debugmode.InvalidValueError
    with pytest.raises(error, match="not finite"):
        theano.function([x], T.log(x), mode=DebugMode())(-A)
    f = theano.function([x], T.log(x), mode=DebugMode(check_isfinite=False))
    assert np.isnan(f(-A)).all()
    from workbench.core.debug import debug_mode

    counted = []
    kept = debug_mode.Steps
    try:
        debug_mode.Steps = lambda: counted.append(1) or kept()
        for patience in (1, 4):
            counted.clear()
            theano.function([x], SUM, mode=DebugMode(stability_patience=patience))
            assert len(counted) == patience
    finally:
        debug_mode.Steps = kept


proven_by(f"{TESTS}test_an_unstable_optimisation", (DEBUG, "stability_patience"))
proven_by(f"{TESTS}test_native_code_need_not_be_compared",
          (DEBUG, "check_c_code"), (DEBUG, "check_py_code"))  # fmt: skip
proven_by(f"{TESTS}test_native_results_that_lie_differently", (DEBUG, "require_matching_strides"))


@proves(DEBUG, "check_preallocated_output")
def native_nodes_run_again_in_used_memory() -> None:
    from workbench.core.debug import debug_mode

    asked = []
    kept = debug_mode.NativeNodes
    try:
        debug_mode.NativeNodes = lambda again, strides: asked.append(again) or kept(again, strides)
        for choice in ("previous", ""):
            theano.function([x], SUM, mode=DebugMode(check_preallocated_output=choice))(A)
    finally:
        debug_mode.NativeNodes = kept
    assert asked == [True, False]
