"""Flags: their values, where they come from, and what is said of unknown ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.configuration import FLAGS, Config, Flag
from workbench.configuration.flags import WHOLE
from workbench.core import modes
from workbench.core.link import LINKERS
from workbench.errors import ConfigError


@pytest.fixture
def rc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file that is read, and no environment."""
    path = tmp_path / "rc"
    monkeypatch.setenv("WORKBENCHRC", str(path))
    monkeypatch.delenv("WORKBENCH_FLAGS", raising=False)
    return path


# Every flag: its default, a text that it takes with the value that this means, one that it refuses.
BOOL = ("yes", True, "perhaps")
OFF = ("0", False, "2")
COUNT = ("7", 7, "-7")
WORD = ("a b", "a b", 3)
TABLE = {
    "floatX": ("float64", "float32", "float32", "float8"),
    "cast_policy": ("custom", "numpy+floatX", "numpy+floatX", "numpy"),
    "int_division": ("int", "raise", "raise", "float"),
    "explicit_broadcast": (False, *BOOL),
    "warn_float64": ("ignore", "pdb", "pdb", "error"),
    "mode": ("Mode", "DebugMode", "DebugMode", "FAST"),
    "linker": ("native", "c|py", "c|py", "gcc"),
    "optimizer": ("fast_run", "o4", "o4", "o5"),
    "optimizer_including": ("", "a:b", "a:b", 1),
    "optimizer_excluding": ("", "a:b", "a:b", 1),
    "optimizer_requiring": ("", "a:b", "a:b", 1),
    "optimizer_verbose": (False, *BOOL),
    "on_unused_input": ("raise", "warn", "warn", "rais"),
    "on_opt_error": ("raise", "warn", "warn", "off"),
    "on_shape_error": ("warn", "raise", "raise", "ignore"),
    "allow_gc": (True, *OFF),
    "scan.allow_gc": (False, *BOOL),
    "scan.allow_output_prealloc": (True, *OFF),
    "device": ("cpu", "opencl0:1", "opencl0:1", "tpu"),
    "force_device": (False, *BOOL),
    "init_gpu_device": ("", "cuda1", "cuda1", "card"),
    "assert_no_cpu_op": ("ignore", "raise", "raise", "no"),
    "print_active_device": (True, *OFF),
    "contexts": ("", "dev0->cuda0", "dev0->cuda0", 1),
    "device_sync": (False, *BOOL),
    "device_memory": (0.0, "4096", 4096.0, "all"),
    "gpuarray.preallocate": (0.0, "0.5", 0.5, "half"),
    "compute_test_value": ("off", "pdb", "pdb", "on"),
    "compute_test_value_opt": ("off", "raise", "raise", "on"),
    "print_test_value": (False, *BOOL),
    "exception_verbosity": ("low", "high", "high", "medium"),
    "traceback.limit": (1, *COUNT),
    "traceback.compile_limit": (0, *COUNT),
    "numpy.seterr_all": ("ignore", "None", "None", "no"),
    "NanGuardMode.nan_is_error": (True, *OFF),
    "NanGuardMode.inf_is_error": (True, *OFF),
    "NanGuardMode.big_is_error": (True, *OFF),
    "DebugMode.patience": (10, *COUNT),
    "DebugMode.check_c": (True, *OFF),
    "DebugMode.check_py": (True, *OFF),
    "DebugMode.check_finite": (True, *OFF),
    "DebugMode.check_strides": (0, *COUNT),
    "DebugMode.warn_input_not_reused": (True, *OFF),
    "profile": (False, *BOOL),
    "profile_memory": (False, *BOOL),
    "profile_optimizer": (False, *BOOL),
    "profiling.time_thunks": (True, *OFF),
    "profiling.n_apply": (20, *COUNT),
    "profiling.n_ops": (20, *COUNT),
    "profiling.min_memory_size": (1024, *COUNT),
    "profiling.min_peak_memory": (False, *BOOL),
    "profiling.debugprint": (False, *BOOL),
    "profiling.ignore_first_call": (False, *BOOL),
    "profiling.destination": ("stderr", *WORD),
    "ProfileMode.n_apply_to_print": (15, *COUNT),
    "ProfileMode.n_ops_to_print": (20, *COUNT),
    "ProfileMode.min_memory_size": (1024, *COUNT),
    "ProfileMode.profile_memory": (False, *BOOL),
    "trace_budget": (64, "128", 128, "many"),
    "reoptimize_unpickled_function": (False, *BOOL),
    "unpickle_function": (True, *OFF),
    "pickle_test_value": (True, *OFF),
    "experimental.unpickle_gpu_on_cpu": (False, *BOOL),
    "cache": (True, *OFF),
    "base_compiledir": ("", *WORD),
    "compiledir": ("", *WORD),
    "blas_threads": (0, "4", 4, 1.5),
    "openmp": (False, *BOOL),
    "openmp_elemwise_minsize": (200_000, *COUNT),
    "cxx": ("", *WORD),
    "nocleanup": (False, *BOOL),
    "gcc.cxxflags": ("", *WORD),
    "gcc.anything": ("", *WORD),
    "cmodule.anything": ("", *WORD),
    "nvcc.flags": ("", *WORD),
    "nvcc.fastmath": (False, *BOOL),
    "nvcc.anything": ("", *WORD),
    "blas.ldflags": ("", *WORD),
    "cuda.root": ("", *WORD),
    "dnn.enabled": ("", *WORD),
    "gpuarray.sched": ("", *WORD),
    "lib.amdlibm": (False, *BOOL),
    "lib.cnmem": (0.0, "0.8", 0.8, "most"),
    "lib.anything": ("", *WORD),
    "unittests.rseed": ("666", *WORD),
    "warn.sum_div_dimshuffle_bug": (False, *BOOL),
    "experimental.anything": (False, *BOOL),
}


def read(config: Config, name: str) -> object:
    for part in name.split("."):
        config = getattr(config, part)
    return config


@pytest.mark.parametrize("name", TABLE)
def test_flag(rc: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Its default; a good text by assignment, environment and file; a bad one is refused."""
    default, good, value, bad = TABLE[name]
    config = Config()
    assert read(config, name) == default
    section, _, last = name.rpartition(".")
    place = read(config, section) if section else config
    with pytest.raises(ConfigError) as caught:
        setattr(place, last, bad)
    assert name in caught.value.wrong
    assert caught.value.advice.startswith("it takes ")
    assert read(config, name) == default
    setattr(place, last, good)
    assert read(config, name) == value
    monkeypatch.setenv("WORKBENCH_FLAGS", f"{name}={good}")
    assert read(Config(), name) == value
    monkeypatch.delenv("WORKBENCH_FLAGS")
    rc.write_text(f"[{section or 'global'}]\n{last} = {good}\n")
    assert read(Config(), name) == value


def test_the_table_is_whole() -> None:
    config = Config()
    missing = [
        flag.name
        for flag in FLAGS
        if flag.name not in TABLE and not any(config._state.flag(name) is flag for name in TABLE)
    ]
    assert not missing
    for flag in FLAGS:
        assert flag.parse(flag.default) == flag.default
        assert flag.help


def test_modes_are_those_that_there_are() -> None:
    kind = next(flag for flag in FLAGS if flag.name == "mode")
    assert set(kind.takes.split(" | ")) == set(modes.MODES)
    for name, known in (("linker", LINKERS), ("optimizer", modes.OPTIMISERS)):
        kind = next(flag for flag in FLAGS if flag.name == name)
        assert set(kind.takes.split(" | ")) == set(known)


def test_flags_without_effect_say_why() -> None:
    idle = {flag.name: flag for flag in FLAGS if flag.without_effect}
    assert "without a C compiler" in idle["cxx"].meaning
    assert "accepted, no effect" in str(Config().warn)
    assert "floatX" not in idle


def test_precedence(rc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rc.write_text("[global]\nfloatX = float32\nmode = FAST_COMPILE\n[profiling]\nn_ops = 3\n")
    config = Config()
    assert (config.floatX, config.mode, config.profiling.n_ops) == ("float32", "FAST_COMPILE", 3)
    monkeypatch.setenv("WORKBENCH_FLAGS", " mode=FAST_RUN , device = cpu,")
    config = Config()
    assert (config.floatX, config.mode) == ("float32", "FAST_RUN")
    config.floatX = "float64"
    assert config.floatX == "float64"
    sources = {name: source for name, _, source, _ in config.rows()}
    assert sources["floatX"] == "assigned"
    assert sources["mode"] == "WORKBENCH_FLAGS"
    assert sources["profiling.n_ops"] == str(rc)
    assert sources["profile"] == "default"


def test_precedence_in_a_new_process(rc: Path) -> None:
    rc.write_text("[global]\nfloatX = float32\non_unused_input = warn\n[scan]\nallow_gc = True\n")
    code = (
        "import workbench as wb, workbench.tensor as T; wb.config.profile = 'no';"
        "print(T.vector().dtype, wb.config.on_unused_input, wb.config.profile)"
    )
    flags = "on_unused_input=ignore,profile=True"
    assert python(code, WORKBENCH_FLAGS=flags, WORKBENCHRC=str(rc)) == "float32 ignore False"


def python(code: str, **environment: str) -> str:
    env = {**os.environ, **environment}
    found = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    return found.stdout.strip()


def test_a_wrong_environment_is_told_at_once() -> None:
    env = {**os.environ, "WORKBENCH_FLAGS": "flotX=float32"}
    code = "import workbench as wb, workbench.tensor as T; T.vector('x')"
    found = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert found.returncode == 1
    assert "ConfigError: there is no configuration flag 'flotX'. Did you mean 'floatX'?" in (
        found.stderr
    )


def test_several_files_the_last_wins(rc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = rc.with_name("other")
    rc.write_text("[global]\nfloatX = float32\nprofile = yes\n")
    other.write_text("[global]\nfloatX = float64\n")
    monkeypatch.setenv("WORKBENCHRC", os.pathsep.join([str(rc), str(other)]))
    config = Config()
    assert config.floatX == "float64"
    assert config.profile is True


def test_settings_that_another_package_reads(rc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text counts as the environment does, files as ours do: the environment's flags win."""
    monkeypatch.setenv("WORKBENCH_FLAGS", "profile=True")
    rc.write_text("[global]\nfloatX = float32\nmode = FAST_COMPILE\n[blas]\nldflags = -lblas\n")
    monkeypatch.setenv("WORKBENCHRC", os.devnull)
    plain = Config()
    plain.read_text("mode=FAST_RUN", "OTHER_FLAGS")
    plain.read_files([str(rc)])
    assert (plain.floatX, plain.mode, plain.profile) == ("float32", "FAST_RUN", True)
    assert plain.row("mode")[2] == "OTHER_FLAGS"
    assert plain.blas.ldflags == "-lblas"
    with pytest.raises(ConfigError, match="from OTHER"):
        plain.read_text("floatX=float8", "OTHER")


def test_change_is_undone(rc: Path) -> None:
    config = Config()
    with config.change(floatX="float32", scan__allow_gc=True) as same:
        assert same is config
        assert (config.floatX, config.scan.allow_gc) == ("float32", True)
        assert config.values["floatX"] == "float32"
    assert config.floatX == config.values["floatX"] == "float64"
    assert {n: s for n, _, s, _ in config.rows()}["floatX"] == "default"
    with pytest.raises(ZeroDivisionError), config.change(floatX="float32"):
        raise ZeroDivisionError
    assert config.floatX == "float64"
    with pytest.raises(ConfigError), config.change(floatX="float32", profile="perhaps"):
        pass
    assert config.floatX == "float64"


def test_a_wrong_change_is_told_at_its_line() -> None:
    told = pytest.raises(ConfigError, match=r"at .*test_configuration\.py")
    with told, Config().change(device="nowhere"):
        pass


def test_hold_changes_what_is_not_so(rc: Path) -> None:
    config = Config()
    with config.hold({"floatX": "float32", "scan.allow_gc": False}):
        assert (config.floatX, config.scan.allow_gc) == ("float32", False)
        with config.hold({"floatX": "float32"}):
            config.profile = True  # nothing was to be changed: what is assigned stays
        assert config.profile is True
    assert (config.floatX, config.profile) == ("float64", False)


def test_what_was_used_stays(rc: Path) -> None:
    config = Config()
    config.compiledir = "here"
    assert config.use("compiledir") == "here"
    config.compiledir = "here"
    with pytest.raises(ConfigError, match="Can't change the value of this config parameter after"):
        config.compiledir = "there"
    assert config.compiledir == "here"
    config.use("floatX")
    config.floatX = "float32"  # only flags that are fixed stay


def test_compiled_objects_lie_where_the_flag_says(tmp_path: Path) -> None:
    code = "from workbench.core.native.cache import default_directory; print(default_directory())"
    for flag in ("compiledir", "base_compiledir"):
        assert python(code, WORKBENCH_FLAGS=f"{flag}={tmp_path}") == str(tmp_path)
    assert python(code, XDG_CACHE_HOME=str(tmp_path)) == str(tmp_path / "workbench")


def test_without_cache_nothing_is_kept_on_disk(tmp_path: Path) -> None:
    code = "import workbench as wb; print(wb.function([], wb.shared(0.5) * 2)())"
    for flag, kept in (("cache=False", False), ("cache=True", True)):
        place = tmp_path / flag
        assert python(code, WORKBENCH_FLAGS=f"{flag},compiledir={place}") == "1.0"
        assert place.exists() == kept


@pytest.mark.parametrize(
    ("flag", "bad", "hint"),
    [("floatX", "flaot32", "float32"), ("on_unused_input", "rais", "raise"), ("mode", "FAST_RUNN",
     "FAST_RUN"), ("device", "cuda:0", "cuda0"), ("compute_test_value", "of", "off")],
)  # fmt: skip
def test_bad_values_name_the_nearest(rc: Path, flag: str, bad: object, hint: str) -> None:
    with pytest.raises(ConfigError, match=f"Did you mean '{hint}'") as caught:
        setattr(Config(), flag, bad)
    assert isinstance(caught.value, ValueError)


def test_unknown_flags(rc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config()
    with pytest.raises(ConfigError, match="floatX"):
        config.floatx
    with pytest.raises(ConfigError, match="floatX"):
        config.floatx = "float32"
    with pytest.raises(ConfigError, match=r"scan\.allow_gc"):
        config.scan.alow_gc = True
    for text in ("flotX=float32", "floatX"):
        monkeypatch.setenv("WORKBENCH_FLAGS", text)
        with pytest.raises(ConfigError):
            Config().floatX
    monkeypatch.delenv("WORKBENCH_FLAGS")
    rc.write_text("[global]\nfloatX = float8\n")
    with pytest.raises(ConfigError, match=str(rc)):
        Config().floatX
    rc.write_text("floatX = float32\n")
    with pytest.raises(ConfigError, match=str(rc)):
        Config().floatX


def test_booleans(rc: Path) -> None:
    config = Config()
    for word, value in {
        "True": True,
        "1": True,
        "on": True,
        "no": False,
        "0": False,
        False: False,
    }.items():
        config.profile = word
        assert config.profile is value


def test_it_is_shown(rc: Path) -> None:
    config = Config()
    text, html = str(config), config._repr_html_()
    for flag in FLAGS:
        assert flag.name in text
        assert flag.name in html
    assert "<table>" in html
    assert "floatX" in dir(config)
    assert dir(config.scan) == ["allow_gc", "allow_output_prealloc"]
    assert str(config.scan).count("\n") == 1
    config.profiling.destination = "<b>"
    assert "&lt;b&gt;" in config._repr_html_()


def test_a_table_of_ones_own() -> None:
    config = Config([Flag("depth", 3, *WHOLE, "how deep")])
    config.depth = "4"
    assert config.row("depth") == ("depth", "4", "assigned", "how deep (a whole number)")


def test_other_systems_flags_are_not_read() -> None:
    code = "from workbench.configuration import config; print(config.floatX)"
    assert python(code, THEANO_FLAGS="floatX=float32", WORKBENCHRC=os.devnull) == "float64"
