"""What flags do: each that changes what a graph means or what is told is seen to do so."""

from __future__ import annotations

import pdb
import warnings

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.graph import toposort
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.scalars import Exp
from workbench.core.rewrite import Pass, optimise, rule

A = np.arange(3.0)


def test_floatx():
    with wb.config.change(floatX="float32"):
        assert (T.vector().dtype, T.zeros((2,)).dtype, (T.fscalar() + 1.1).dtype) == (
            "float32",
        ) * 3


def test_cast_policy():
    """Numbers as NumPy makes them; float64 that no operand has is floatX."""
    f, i, h = T.fvector(), T.ivector(), T.wvector()
    built = {
        "f + 1": lambda: f + 1,
        "f + i": lambda: f + i,
        "h + 300": lambda: h + 1,
        "i + 1.5": lambda: i + 1.5,
        "f + double": lambda: f + T.dvector(),
        "exp(i)": lambda: T.exp(i),
    }
    custom = dict(zip(built, ("float32", "float64", "int16", "float64", "float64", "float64")))
    narrow = dict(zip(built, ("float32", "float32", "int64", "float32", "float64", "float64")))
    wide = dict(zip(built, ("float64", "float64", "int64", "float64", "float64", "float64")))
    for policy, floatx, expected in (
        ("custom", "float64", custom),
        ("numpy+floatX", "float32", narrow),
        ("numpy+floatX", "float64", wide),
    ):
        with wb.config.change(cast_policy=policy, floatX=floatx):
            assert {name: build().dtype for name, build in built.items()} == expected
            total = f + i
        out = wb.function([f, i], total)(np.ones(2, "float32"), np.ones(2, "int32"))
        assert out.dtype == expected["f + i"]  # the graph keeps what it was built for
        with wb.config.change(cast_policy=policy, floatX=floatx):
            out = wb.function([f], T.log(T.exp(f * 2) ** 2) + f * f * f)(np.ones(2, "float32"))
            np.testing.assert_allclose(out, 5)


def test_int_division():
    i = T.ivector()
    for way in ("int", "floatX"):
        with wb.config.change(int_division=way):
            assert (i / 2).dtype == "float64"
    with wb.config.change(int_division="raise"):
        with pytest.raises(wb.DtypeError, match="integers are divided") as caught:
            i / i
        assert "x // y" in caught.value.advice
        assert (i // 2).dtype == "int32"
        assert (i / 2.0).dtype == "float64"


def test_warn_float64(monkeypatch):
    makers = (
        lambda: T.dvector("x"),
        lambda: wb.shared(1.0),
        lambda: T.constant(1.1),
        lambda: T.exp(T.ivector()),
    )
    for make in makers:
        with (
            wb.config.change(warn_float64="warn"),
            pytest.warns(UserWarning, match="a float64 variable is made"),
        ):
            make()
        with wb.config.change(warn_float64="raise"), pytest.raises(wb.DtypeError):
            make()
    entered = []
    monkeypatch.setattr(pdb, "set_trace", lambda: entered.append(1))
    with wb.config.change(warn_float64="pdb"), pytest.raises(wb.DtypeError):
        T.dscalar()
    assert entered
    with wb.config.change(warn_float64="raise", floatX="float32"):
        x = T.vector("x")
        f = wb.function([x], wb.grad((x * 1.1).sum(), x))
        assert f(np.ones(2, "float32")).dtype == "float32"


def test_numpy_seterr_all():
    x = T.dvector("x")
    f = wb.function([x], T.log(x), mode="FAST_COMPILE")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f([0.0])
        with wb.config.change(numpy__seterr_all="None"), np.errstate(all="ignore"):
            f([0.0])
    with wb.config.change(numpy__seterr_all="warn"), pytest.warns(RuntimeWarning, match="divide"):
        f([0.0])
    with wb.config.change(numpy__seterr_all="raise"), pytest.raises(FloatingPointError) as caught:
        f([0.0])
    assert "x: TensorType(float64, vector)" in str(caught.value)
    with (
        wb.config.change(numpy__seterr_all="None"),
        np.errstate(all="raise"),
        pytest.raises(FloatingPointError),
    ):
        f([0.0])


def test_traceback_limit():
    def made():
        return T.dvector("x") + 1

    one = made()
    assert len(one.places) == 1
    with wb.config.change(traceback__limit=2):
        first, second = made().places
    assert "return T.dvector" in first.text
    assert "made().places" in second.text
    with wb.config.change(traceback__limit=0):
        assert made().places == ()


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_exception_verbosity(mode):
    x, y = T.dvectors("x", "y")
    f = wb.function([x, y], x + y, mode=mode)
    with pytest.raises(wb.ShapeError) as brief:
        f(A, np.ones(4))
    with wb.config.change(exception_verbosity="high"), pytest.raises(wb.ShapeError) as full:
        f(A, np.ones(4))
    assert "of strides (8,): array([0., 1., 2.])" in full.value.met
    assert full.value.met.startswith(brief.value.met)
    assert "strides" not in brief.value.met


def test_optimizer_verbose(capsys):
    x = T.dvector("x")
    out, _ = wb.scan(lambda a: T.log(T.exp(a)) + 0, x)
    with wb.config.change(optimizer_verbose=True):
        wb.function([x], [T.log(T.exp(x)), out])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("stabilise: log_exp: log(exp(x)) → x: Elemwise{log,no_inplace}(")
    assert any(line.startswith("  ") for line in lines)  # in the loop
    wb.function([x], T.log(T.exp(x)))
    assert capsys.readouterr().out == ""


def test_on_opt_error(monkeypatch):
    @rule(Exp)
    def broken(node, context):
        """It fails."""
        raise ZeroDivisionError("by the rule")

    y = T.exp(T.dvector("x"))

    def rewritten():
        return toposort(optimise([y], passes=[Pass("trial", "", (broken,))]).outputs)

    with pytest.raises(ZeroDivisionError):
        rewritten()
    with (
        wb.config.change(on_opt_error="warn"),
        pytest.warns(UserWarning, match="the rule broken failed at .*exp.*by the rule"),
    ):
        (node,) = rewritten()
    assert isinstance(node.op, Elemwise)
    with wb.config.change(on_opt_error="ignore"):
        assert len(rewritten()) == 1
    entered = []
    monkeypatch.setattr(pdb, "post_mortem", entered.append)
    with wb.config.change(on_opt_error="pdb"), pytest.raises(ZeroDivisionError):
        rewritten()
    assert entered
