"""Where settings come from, and the effect of every flag that has one; those that have none say
so.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.proofs import proven_by, proves, proves_each
from workbench.configuration import FLAGS, Config
from workbench.core.debug.profile_mode import ProfileMode
from workbench.core.link import PyLinked

A = np.arange(3.0)
CONFIG = "theano.config"
x = T.dvector("x")


def python(code: str, **environment: str) -> str:
    """What a new process prints, in which old code imports theano."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("WORKBENCH", "THEANO"))}
    program = f"import workbench.theano as theano, workbench.theano.tensor as T\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program], env=env | environment, capture_output=True, text=True
    )
    return (done.stdout + done.stderr).strip()


@proves(CONFIG, "print", "assignment", "fixed")
def flags_in_code() -> None:
    text = str(theano.config)
    assert all(flag.name in text for flag in FLAGS)
    config = Config()
    config.floatX = "float32"
    assert config.floatX == "float32"
    with pytest.raises(ValueError, match=r"float64 \| float32"):
        config.floatX = "float8"
    config.compiledir = "here"
    assert config.use("compiledir") == "here"
    with pytest.raises(Exception, match="Can't change the value of this config parameter after"):
        config.compiledir = "there"


@proves(CONFIG, "THEANO_FLAGS", "THEANORC", "precedence")
def flags_from_outside() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "rc")
        file.write_text(
            "[global]\nfloatX = float32\non_unused_input = warn\n[profiling]\nn_ops = 3\n"
        )
        code = (
            "theano.config.mode = 'FAST_COMPILE'; c = theano.config;"
            "print(c.floatX, c.on_unused_input, c.profiling.n_ops, c.mode, c.linker)"
        )
        flags = "on_unused_input=ignore,mode=DebugMode"
        assert python(code, THEANORC=str(file), THEANO_FLAGS=flags) == (
            "float32 ignore 3 FAST_COMPILE native"
        )
    wrong = python("print(theano.config.floatX)", THEANO_FLAGS="floatX=float7")
    assert "ConfigError" in wrong
    assert "float64 | float32" in wrong


@proves_each(*(flag.name for flag in FLAGS if flag.without_effect))
def flags_without_effect_are_taken_and_say_so() -> None:
    config = Config()
    for flag in FLAGS:
        if flag.without_effect:
            name = flag.name.replace("*", "anything")
            config.read_text(f"{name}={flag.default}", "THEANO_FLAGS")
            assert config.values[name] == flag.default
            assert config.row(flag.name)[3].endswith(f"accepted, no effect: {flag.without_effect}")


PARSED = "tests/core/test_configuration.py::test_flag"
EFFECTS = "tests/core/test_configuration_effects.py::test_"
proven_by(PARSED, *[(flag.name, "") for flag in FLAGS])
for _flag, _test in (
    ("floatX", f"{EFFECTS}floatx"),
    ("cast_policy", f"{EFFECTS}cast_policy"),
    ("int_division", f"{EFFECTS}int_division"),
    ("warn_float64", f"{EFFECTS}warn_float64"),
    ("numpy.seterr_all", f"{EFFECTS}numpy_seterr_all"),
    ("traceback.limit", f"{EFFECTS}traceback_limit"),
    ("optimizer_verbose", f"{EFFECTS}optimizer_verbose"),
    ("on_opt_error", f"{EFFECTS}on_opt_error"),
    ("profile_memory", "tests/core/test_profile_stats.py::test_memory_is_that_of_real_shapes"),
    ("ProfileMode.profile_memory", "tests/core/debug/test_profile_mode.py::test_memory"),
    ("ProfileMode.min_memory_size", "tests/core/debug/test_profile_mode.py::test_memory"),
    (
        "profiling.destination",
        "tests/core/test_profile_stats.py::test_profiles_are_printed_when_python_ends",
    ),
    (
        "DebugMode.check_c",
        "tests/core/debug/test_debug_mode.py::test_native_code_need_not_be_compared",
    ),
):
    proven_by(_test, (_flag, ""))


def nodes(**flags: object) -> int:
    """How many nodes a function of three has with these flags."""
    with theano.config.change(**flags):
        return len(theano.function([x], T.tanh(x + 1.5) * 2.5).maker.fgraph.toposort())


@proves_each("mode", "linker", "optimizer")
@proves_each("optimizer_including", "optimizer_excluding", "optimizer_requiring")
def flags_of_compilation() -> None:
    assert nodes() == nodes(mode="Mode") == nodes(mode="FAST_RUN") == 1
    assert nodes(mode="FAST_COMPILE") == nodes(optimizer="fast_compile") == 3
    assert nodes(mode="FAST_COMPILE", optimizer_including="fusion") == 1
    assert nodes(optimizer_excluding="fusion:log_exp") == 3
    assert nodes(optimizer_requiring="stabilise") == 3
    with theano.config.change(linker="py"):
        assert isinstance(theano.function([x], x * 2).linked, PyLinked)


@proves_each("on_unused_input", "device", "explicit_broadcast")
def flags_of_requests() -> None:
    y = T.dvector("y")
    with theano.config.change(on_unused_input="ignore"):
        assert theano.function([x, y], x)(A, A).tolist() == A.tolist()
    with theano.config.change(on_unused_input="warn"), pytest.warns(UserWarning, match="y"):
        theano.function([x, y], x)
    with theano.config.change(device="cuda7"), pytest.raises(RuntimeError, match="cuda7"):
        theano.function([x], x)
    for shown in (True, False):
        with theano.config.change(explicit_broadcast=shown):
            total = T.dmatrix("m") + x
        assert ("DimShuffle" in theano.printing.debugprint(total, file="str")) == shown


@proves_each("NanGuardMode.nan_is_error", "NanGuardMode.inf_is_error", "NanGuardMode.big_is_error")
@proves_each(
    "DebugMode.patience", "DebugMode.check_py", "DebugMode.check_finite", "DebugMode.check_c"
)
def flags_of_modes_that_debug() -> None:
    for what, value in (("nan", np.nan), ("inf", np.inf), ("big", 1e11)):
        f = theano.function([x], x * 1.0, mode="NanGuardMode")
        with pytest.raises(AssertionError):
            f([value])
        with theano.config.change(**{f"NanGuardMode__{what}_is_error": False}):
            g = theano.function([x], x * 1.0, mode="NanGuardMode")
        np.testing.assert_array_equal(g([value]), [value])
    with theano.config.change(DebugMode__check_finite=False):
        assert np.isinf(theano.function([x], T.log(x), mode="DebugMode")([0.0])).all()
    with theano.config.change(DebugMode__patience=3, DebugMode__check_py=False):
        mode = theano.compile.DebugMode()
    assert (mode.stability_patience, mode.compares) == (3, False)
    with theano.config.change(DebugMode__check_c=False):
        assert not theano.compile.DebugMode().compares
    assert theano.compile.DebugMode().compares


def summary(profile: object) -> str:
    text = io.StringIO()
    profile.summary(file=text)
    return text.getvalue()


@proves_each("profile", "profile_optimizer", "profiling.time_thunks", "profiling.n_apply")
@proves_each("profiling.n_ops", "profiling.min_memory_size", "profiling.ignore_first_call")
def flags_of_profiles() -> None:
    with theano.config.change(profile=True, profile_memory=True):
        f = theano.function([x], [T.tanh(x), T.exp(x)], mode="FAST_COMPILE")
    assert theano.function([x], x).profile is None
    f(np.ones(1000))
    whole = summary(f.profile)
    assert "canonicalise:" not in whole
    with theano.config.change(profile_optimizer=True):
        assert "canonicalise:" in summary(f.profile)
    with theano.config.change(profiling__n_ops=1):
        assert "remaining 1 Ops" in summary(f.profile)
    with theano.config.change(profiling__n_apply=1):
        assert "remaining 1 Apply instances" in summary(f.profile)
    assert "8000B" in whole
    with theano.config.change(profiling__min_memory_size=8001):
        assert "8000B" not in summary(f.profile).split("Memory Profile")[1].split("...")[0]
    with theano.config.change(profiling__time_thunks=False, profiling__ignore_first_call=True):
        g = theano.function([x], T.tanh(x), profile=True)
        g(A)
        assert g.profile.call_times.calls == 0
        g(A)
    assert (g.profile.call_times.calls, g.profile.nodes) == (1, {})


@proves_each("ProfileMode.n_apply_to_print", "ProfileMode.n_ops_to_print")
def flags_of_profile_mode() -> None:
    mode = ProfileMode(linker="py", optimizer="fast_compile")
    theano.function([x], [T.tanh(x), T.exp(x)], mode=mode)(A)
    for flag, words in (
        ("n_apply_to_print", "remaining 1 Apply"),
        ("n_ops_to_print", "remaining 1 Op"),
    ):
        out = io.StringIO()
        with theano.config.change(**{f"ProfileMode__{flag}": 1}), contextlib.redirect_stdout(out):
            mode.print_summary()
        assert words in out.getvalue()


@proves_each("trace_budget")
def a_trace_keeps_no_more_than_its_budget() -> None:
    import workbench as wb

    out, _ = wb.scan(lambda a, h: T.tanh(a + h), x, T.constant(0.0))
    (whole,) = wb.inspect(out, values={x: np.ones(2000)}).trace
    with wb.config.change(trace_budget=0):
        (less,) = wb.inspect(out, values={x: np.ones(2000)}).trace
    assert whole.dropped == ""
    assert "the budget of 0 MB is used up" in less.dropped


@proves_each("cache", "compiledir", "base_compiledir", "blas_threads")
def flags_of_native_code() -> None:
    compiled = "x = T.dvector(); print(theano.function([x], T.tanh(x) * 3)([0]))"
    with tempfile.TemporaryDirectory() as folder:
        for flag in ("compiledir", "base_compiledir"):
            place = Path(folder, flag)
            assert python(compiled, THEANO_FLAGS=f"{flag}={place}") == "[0.]"
            assert list(place.iterdir())
            python(compiled, THEANO_FLAGS=f"cache=False,{flag}={place}2")
            assert not Path(f"{place}2").exists()
    m = T.dmatrix("m")
    with theano.config.change(blas_threads=3):
        f = theano.function([m], T.dot(m, m))
    g = theano.function([m], T.dot(m, m))
    assert f.linked.code("llvm") != g.linked.code("llvm")
    np.testing.assert_array_equal(f(np.eye(3)), np.eye(3))
