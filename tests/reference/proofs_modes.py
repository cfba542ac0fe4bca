"""Modes, linkers and optimizers by all their names: each is compiled with, and run."""

from __future__ import annotations

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.proofs import proven_by, proves, proves_each
from workbench.core.debug.profile_mode import ProfileMode
from workbench.core.link import PyLinked
from workbench.core.native.executor import NativeLinked

A = np.array([1.0, 2.0, 3.0])
MODE = "theano.compile.Mode"
x = T.dvector("x")
TANH = T.tanh(x + 1) * 2  # three nodes, or one that is fused
NATIVE_LINKERS = ("native", "cvm", "cvm_nogc", "vm", "vm_nogc", "c|py", "c|py_nogc")


def compiled(mode: object, output: object = TANH) -> object:
    """A function of this mode, which gives what NumPy gives."""
    f = theano.function([x], output, mode=mode)
    if output is TANH:
        np.testing.assert_allclose(f(A), np.tanh(A + 1) * 2, rtol=1e-14)
    return f


def labels(mode: object, output: object = TANH) -> list[str]:
    """The nodes that a mode leaves, but for those that only say how operands broadcast."""
    nodes = compiled(mode, output).maker.fgraph.toposort()
    return sorted(n.op.label for n in nodes if type(n.op).__name__ != "DimShuffle")


@proves_each("Mode", "FAST_RUN", "FAST_COMPILE")
def modes_of_rewrites_and_linkers() -> None:
    assert labels("FAST_RUN") == labels("Mode") == ["fused"]
    assert labels("FAST_COMPILE") == ["add", "mul", "tanh"]
    assert isinstance(compiled("FAST_RUN").linked, NativeLinked)
    assert isinstance(compiled("FAST_COMPILE").linked, PyLinked)
    with theano.config.change(linker="py", optimizer="o2"):
        assert isinstance(compiled("Mode").linked, PyLinked)
        assert labels("Mode", T.log(T.exp(x)) * 1 + T.tanh(x)) == ["fused"]


@proves_each(
    "DebugMode", "DEBUG_MODE", "NanGuardMode", "MonitorMode", "ProfileMode", "PROFILE_MODE"
)
def modes_that_debug() -> None:
    debug = {"DebugMode": theano.compile.DebugMode, "DEBUG_MODE": theano.compile.DebugMode,
             "NanGuardMode": theano.compile.nanguardmode.NanGuardMode,
             "MonitorMode": theano.compile.MonitorMode,
             "ProfileMode": ProfileMode, "PROFILE_MODE": ProfileMode}  # fmt: skip
    for name, kind in debug.items():
        f = compiled(name)
        assert type(f.maker.mode) is kind
        if kind is ProfileMode:
            assert f.profile.call_times.calls == 1
        if "Guard" in name:
            with pytest.raises(AssertionError, match="NaN detected"):
                f(A * np.nan)
        if "ebug" in name.lower():
            bad = theano.function([x], T.log(x), mode=name)
            with pytest.raises(theano.compile.debugmode.InvalidValueError):
                bad(-A)


@proves_each(*NATIVE_LINKERS)
def linkers_that_run_native_code() -> None:
    for linker in NATIVE_LINKERS:
        f = compiled(theano.Mode(linker))
        assert type(f.linked) is NativeLinked
        printed = theano.function(
            [x], T.exp(theano.printing.Print("p")(x)), mode=theano.Mode(linker)
        )
        assert "Print" in " ".join(printed.linked.notes)  # that node is run by the interpreter


@proves("py")
def the_linker_that_interprets() -> None:
    assert type(compiled(theano.Mode("py")).linked) is PyLinked


@proves("c")
def the_linker_of_native_code_only() -> None:
    assert type(compiled(theano.Mode("c")).linked) is NativeLinked
    with pytest.raises(NotImplementedError, match="Print"):
        theano.function([x], T.exp(theano.printing.Print("p")(x)), mode=theano.Mode("c"))


MIXED = T.tanh(T.log(T.exp(x)) + 1) * (x - 0)


@proves_each("fast_run", "o4", "o3", "fast_run_stable", "unsafe")
def optimizers_that_make_every_rewrite() -> None:
    for name in ("fast_run", "o4", "o3", "fast_run_stable", "unsafe"):
        assert labels(theano.Mode("py", name), MIXED) == ["fused"]


@proves_each("fast_compile", "o1", "o2", "stabilize")
def optimizers_that_make_some_rewrites() -> None:
    for name in ("fast_compile", "o1"):
        assert labels(theano.Mode("py", name), MIXED) == ["add", "exp", "log", "mul", "tanh"]
    assert labels(theano.Mode("py", "o2"), MIXED) == ["fused"]
    assert labels(theano.Mode("py", "stabilize"), MIXED) == ["add", "mul", "tanh"]


@proves_each("none", "None", "merge")
def optimizers_that_leave_the_graph() -> None:
    twice = MIXED + T.tanh(T.log(T.exp(x)) + 1) * (x - 0)
    for name in ("none", "None", "merge", None):
        left = ["add", "add", "exp", "log", "mul", "sub", "tanh"]  # what is equal is one node
        assert labels(theano.Mode("py", name), twice) == left


proven_by("tests/core/test_modes.py::test_what_every_optimizer_leaves",
          *[(name, "") for name in ("fast_run", "o4", "o2", "merge")])  # fmt: skip
proven_by("tests/core/test_modes.py::test_what_every_linker_executes",
          *[(name, "") for name in (*NATIVE_LINKERS, "py", "c")])  # fmt: skip


@proves(MODE, "linker", "optimizer")
def a_mode_has_a_linker_and_an_optimizer() -> None:
    mode = theano.Mode(linker="py", optimizer="fast_compile")
    assert (mode.linker, mode.optimizer) == ("py", "fast_compile")
    assert labels(mode) == ["add", "mul", "tanh"]
    with theano.config.change(linker="vm", optimizer="o1"):
        assert (theano.Mode().linker, theano.Mode().optimizer) == ("vm", "o1")
    for wrong in ({"linker": "cvn"}, {"optimizer": "fastrun"}):
        with pytest.raises(ValueError, match="there is no"):
            theano.Mode(**wrong)


@proves(f"{MODE}.including", "tags")
@proves(f"{MODE}.excluding", "tags")
@proves(f"{MODE}.requiring", "tags")
@proves("tag of a mode", "fusion", "local_elemwise_fusion")
def tags_add_and_leave_out_passes() -> None:
    for tag in ("fusion", "local_elemwise_fusion"):
        assert labels(theano.Mode().excluding(tag)) == ["add", "mul", "tanh"]
        assert labels(theano.Mode("py", "fast_compile").including(tag)) == ["fused"]
        assert labels(theano.Mode().excluding(tag).including(tag)) == ["fused"]
    plain = theano.Mode("py", "stabilize")
    assert labels(plain, T.log(T.exp(x))) == []
    assert labels(plain.excluding("fusion", "log_exp"), T.log(T.exp(x))) == ["exp", "log"]
    assert labels(theano.Mode("py").requiring("stabilize"), MIXED) == ["add", "mul", "tanh"]
    assert labels(theano.Mode("py").requiring("nothing"), T.exp(x) - 0) == ["exp", "sub"]


@proves("tag of a mode", "inplace", "inplace_elemwise_optimizer")
def overwriting_is_no_rewrite() -> None:
    for tag in ("inplace", "inplace_elemwise_optimizer"):
        value = A.copy()
        for mode in (theano.Mode().excluding(tag), theano.Mode().including(tag)):
            assert labels(mode) == ["fused"]
            compiled(mode)(value)
        np.testing.assert_array_equal(value, A)


@proves("theano.compile.mode.get_mode", "mode")
@proves("theano.compile.mode.get_default_mode")
def modes_are_found_by_name() -> None:
    get_mode = theano.compile.mode.get_mode
    assert get_mode("FAST_COMPILE").linker == "py"
    mode = theano.Mode("vm")
    assert get_mode(mode) is mode
    default = theano.compile.mode.get_default_mode
    assert default() == get_mode("FAST_RUN")
    with theano.config.change(mode="FAST_COMPILE"):
        assert default() == get_mode(None) == get_mode("FAST_COMPILE")
    with pytest.raises(Exception, match="FAST_RUN"):
        get_mode("FAST_RUM")
    with pytest.raises(ValueError, match="FAST_RUN"):
        theano.config.mode = "FAST_RUM"
