"""Modes by all their names: what each does to a graph, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.graph import Op
from workbench.core.link import LINKERS, NativeOnlyError, PyLinked
from workbench.core.modes import MODES, OPTIMISERS, Mode, get_mode
from workbench.core.native.executor import NativeLinked
from workbench.core.native.split import SplitLinked
from workbench.core.types import tensor_type
from workbench.errors import ModeError
from workbench.frozen import frozen

X = np.array([1.0, 2.0, 3.0])
x = T.dvector("x")


@frozen
class Backwards(Op):
    """An op without a native form."""

    def infer(self, *inputs):
        return [tensor_type(inputs[0])]

    def evaluate(self, *values):
        return [values[0][::-1].copy()]


def ops(mode, output):
    """The labels of the nodes that a mode leaves."""
    f = wb.function([x], output, mode=mode)
    np.testing.assert_allclose(f(X), wb.function([x], output, mode="FAST_COMPILE")(X))
    return sorted(node.op.label for node in f.maker.fgraph.toposort())


@pytest.mark.parametrize("linker", LINKERS)
def test_what_every_linker_executes(linker):
    native = linker != "py"
    f = wb.function([x], T.tanh(x) + 1, mode=Mode(linker=linker))
    assert type(f.linked) is (NativeLinked if native else PyLinked)
    np.testing.assert_allclose(f(X), np.tanh(X) + 1, rtol=1e-14)
    mixed = T.tanh(Backwards()(x)) + 1
    if linker == "c":
        with pytest.raises(NativeOnlyError, match=r"native code only.*\n.*Backwards") as refused:
            wb.function([x], mixed, mode=Mode(linker=linker))
        assert isinstance(refused.value, (ModeError, NotImplementedError))
        return
    f = wb.function([x], mixed, mode=Mode(linker=linker))
    assert type(f.linked) is (SplitLinked if native else PyLinked)
    np.testing.assert_allclose(f(X), np.tanh(X[::-1]) + 1, rtol=1e-14)


@pytest.mark.parametrize("linker", LINKERS)
def test_every_linker_names_the_op_that_failed(linker):
    y = T.dvector("y")
    f = wb.function([x, y], T.tanh(x * y), mode=Mode(linker=linker))
    with pytest.raises(ValueError, match=r"(?s)mul.*x: .*shape \(3,\).*y: .*shape \(2,\).*made at"):
        f(X, X[:2])


@pytest.mark.parametrize("linker", LINKERS)
def test_no_linker_runs_the_branch_that_is_not_taken(linker):
    i = T.lscalar("i")
    output = wb.ifelse(T.sum(x) > 0, x * 2, T.tanh(x)[i] + x)
    f = wb.function([x, i], output, mode=Mode(linker=linker))
    np.testing.assert_array_equal(f(X, 7), X * 2)
    np.testing.assert_allclose(f(-X, 1), np.tanh(-2.0) - X, rtol=1e-14)
    with pytest.raises(IndexError, match="out of bounds"):
        f(-X, 7)


@pytest.mark.parametrize("linker", LINKERS)
def test_memory_that_is_kept_between_calls_can_be_given_back(linker):
    f = wb.function([x], T.dot(T.outer(x, x), x) + 1, mode=Mode(linker=linker))
    expected = np.outer(X, X) @ X + 1
    for _ in range(2):
        np.testing.assert_allclose(f(X), expected, rtol=1e-14)
        f.free()


@pytest.mark.parametrize("optimizer", [*OPTIMISERS, None, "default"])
def test_what_every_optimizer_leaves(optimizer):
    output = T.tanh(T.log(T.exp(x)) + 1) * (x - 0)
    left = ops(Mode("py", optimizer), output)
    if optimizer in ("none", "None", "merge", None):
        assert left == ["add", "exp", "log", "mul", "sub", "tanh"]
    elif optimizer in ("fast_compile", "o1"):
        assert left == ["add", "exp", "log", "mul", "tanh"]
    elif optimizer == "stabilize":
        assert left == ["add", "mul", "tanh"]
    else:
        assert left == ["fused"]


def test_stabilize_makes_stable_forms_and_no_special_ones():
    m = T.dmatrix("m")
    stable = wb.function([x], T.log(1 + T.exp(x)), mode=Mode("py", "stabilize"))
    assert np.isfinite(stable(np.array([1000.0]))).all()
    with np.errstate(over="ignore"):
        plain = wb.function([x], T.log(1 + T.exp(x)), mode=Mode("py", "fast_compile"))
        assert np.isinf(plain(np.array([1000.0]))).all()
    f = wb.function([m, x], m.dot(x) * 2.0 + x, mode=Mode("py", "stabilize"))
    assert "Gemv" not in [type(node.op).__name__ for node in f.maker.fgraph.toposort()]


@pytest.mark.parametrize("tag", ["fusion", "local_elemwise_fusion", "elemwise_fusion"])
def test_fusion_by_all_its_names(tag):
    output = T.tanh(x + 1) * 2
    assert ops(Mode().excluding(tag), output) == ["add", "mul", "tanh"]
    assert ops(Mode("py", "fast_compile").including(tag), output) == ["fused"]
    assert ops(Mode().excluding(tag).including(tag), output) == ["fused"]


@pytest.mark.parametrize("tag", ["inplace", "inplace_opt", "inplace_elemwise_optimizer"])
def test_overwriting_is_no_rewrite(tag):
    output = T.tanh(x + 1) * 2
    assert ops(Mode().excluding(tag), output) == ops(Mode().including(tag), output) == ["fused"]


def test_a_rule_is_left_out_by_name():
    output = T.log(T.exp(x))
    assert ops(Mode("py", "stabilize"), output) == []
    assert ops(Mode("py", "stabilize").excluding("log_exp"), output) == ["exp", "log"]


def test_requiring_keeps_the_passes_of_that_name_only():
    output = T.tanh(T.log(T.exp(x)) + 1)
    assert ops(Mode("py").requiring("stabilize"), output) == ["add", "tanh"]
    assert ops(Mode("py").requiring("fusion"), output) == ["fused"]
    assert ops(Mode("py").requiring("nothing_has_this_tag"), output) == [
        "add", "exp", "log", "tanh"]  # fmt: skip


def test_modes_by_name():
    for name in MODES:
        mode = get_mode(name)
        assert isinstance(mode, Mode)
        np.testing.assert_allclose(wb.function([x], x * 2, mode=name)(X), X * 2)
    assert len(MODES) == len(list(MODES))
    assert isinstance(get_mode(wb.NanGuardMode), wb.NanGuardMode)  # a class is as good
    assert get_mode("FAST_COMPILE").linker == "py"
    assert str(get_mode("FAST_RUN")) == "FAST_RUN"
    assert str(Mode("vm", "o2")) == "Mode(vm, o2)"


@pytest.mark.parametrize(
    ("make", "known"),
    [
        (lambda: get_mode("FAST_RUM"), "FAST_RUN"),
        (lambda: get_mode("Debugmode"), "DebugMode"),
        (lambda: Mode(linker="cvn"), "cvm"),
        (lambda: Mode(optimizer="fastrun"), "fast_run"),
        (lambda: get_mode(3), "FAST_RUN"),
    ],
)
def test_unknown_names_say_the_nearest(make, known):
    with pytest.raises(ModeError, match=known):
        make()


def test_the_configuration_says_what_mode_is():
    output = T.tanh(x + 1) * 2
    with wb.config.change(mode="Mode", linker="py", optimizer="fast_compile"):
        f = wb.function([x], output)
        assert type(f.linked) is PyLinked
        assert len(f.maker.fgraph.toposort()) == 3
        assert get_mode("FAST_RUN").linker == "native"
    with wb.config.change(linker="vm"):
        assert str(get_mode(None)) == "Mode(vm, fast_run)"
    assert str(get_mode(None)) == "FAST_RUN"
    with wb.config.change(linker="py", optimizer="fast_compile"):
        assert str(get_mode(None)) == "FAST_COMPILE"
    with wb.config.change(linker="py"):  # a flag set by itself counts
        assert type(wb.function([x], output).linked) is PyLinked
        assert type(wb.function([x], output, mode="FAST_RUN").linked) is NativeLinked
    assert get_mode(None) is get_mode("FAST_RUN")
    with wb.config.change(optimizer_excluding="fusion:log_exp"):
        assert len(wb.function([x], output).maker.fgraph.toposort()) == 3
        assert len(wb.function([x], output, mode="FAST_RUN").maker.fgraph.toposort()) == 1
    with wb.config.change(mode="FAST_COMPILE", optimizer_including="fusion"):
        assert len(wb.function([x], output).maker.fgraph.toposort()) == 1
    with wb.config.change(optimizer_requiring="fusion"):
        assert len(wb.function([x], T.log(T.exp(x))).maker.fgraph.toposort()) == 1
    with wb.config.change(optimizer_requiring="canonicalise"):
        assert len(wb.function([x], T.log(T.exp(x))).maker.fgraph.toposort()) == 2


def test_fast_compile_and_fast_run_agree():
    m, s = T.dmatrix("m"), wb.shared(np.arange(3.0), "s")
    cost = T.sum(T.tanh(T.dot(m, s) - x) ** 2)
    grad = wb.grad(cost, s)
    values = np.linspace(-1, 1, 9).reshape(3, 3), X
    fast = wb.function([m, x], [cost, grad], mode="FAST_RUN")(*values)
    slow = wb.function([m, x], [cost, grad], mode="FAST_COMPILE")(*values)
    for a, b in zip(fast, slow, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
