"""Flags: their values, where they come from, and what is said of unknown ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import configuration
from workbench.configuration import FLAGS, Config
from workbench.errors import ConfigError


@pytest.fixture
def rc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file that is read, and no environment."""
    path = tmp_path / "rc"
    monkeypatch.setenv("WORKBENCHRC", str(path))
    monkeypatch.delenv("WORKBENCH_FLAGS", raising=False)
    return path


def test_defaults(rc: Path) -> None:
    config = Config()
    for flag in FLAGS:
        assert flag.parse(flag.default) == flag.default
        assert flag.help
    assert config.floatX == "float64"
    assert config.scan.allow_gc is False


def test_precedence(rc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rc.write_text("[global]\nfloatX = float32\nmode = FAST_COMPILE\n[scan]\nallow_gc = True\n")
    config = Config()
    assert (config.floatX, config.mode, config.scan.allow_gc) == ("float32", "FAST_COMPILE", True)
    monkeypatch.setenv("WORKBENCH_FLAGS", " mode=FAST_RUN , device = cpu,")
    config = Config()
    assert (config.floatX, config.mode) == ("float32", "FAST_RUN")
    config.floatX = "float64"
    assert config.floatX == "float64"
    sources = {name: source for name, _, source, _ in config.rows()}
    assert sources["floatX"] == "assigned"
    assert sources["mode"] == "WORKBENCH_FLAGS"
    assert sources["scan.allow_gc"] == str(rc)
    assert sources["profile"] == "default"


def test_several_files_the_last_wins(rc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = rc.with_name("other")
    rc.write_text("[global]\nfloatX = float32\nprofile = yes\n")
    other.write_text("[global]\nfloatX = float64\n")
    monkeypatch.setenv("WORKBENCHRC", os.pathsep.join([str(rc), str(other)]))
    config = Config()
    assert config.floatX == "float64"
    assert config.profile is True


def test_change_is_undone(rc: Path) -> None:
    config = Config()
    with config.change(floatX="float32", scan__allow_gc=True) as same:
        assert same is config
        assert (config.floatX, config.scan.allow_gc) == ("float32", True)
    assert config.floatX == "float64"
    assert {n: s for n, _, s, _ in config.rows()}["floatX"] == "default"
    with pytest.raises(ZeroDivisionError), config.change(floatX="float32"):
        raise ZeroDivisionError
    assert config.floatX == "float64"
    with pytest.raises(ConfigError), config.change(floatX="float32", profile="perhaps"):
        pass
    assert config.floatX == "float64"


@pytest.mark.parametrize(
    ("flag", "bad", "hint"),
    [
        ("floatX", "flaot32", "float32"),
        ("profile", "perhaps", ""),
        ("trace_budget", -1, ""),
        ("trace_budget", "many", ""),
        ("on_unused_input", "rais", "raise"),
        ("compute_test_value", "pdb", ""),
    ],
)
def test_bad_values(rc: Path, flag: str, bad: object, hint: str) -> None:
    config = Config()
    with pytest.raises(ConfigError, match=hint or flag) as caught:
        setattr(config, flag, bad)
    assert isinstance(caught.value, ValueError)
    assert flag in str(caught.value)
    assert caught.value.advice
    assert getattr(config, flag) is not bad


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
    rc.write_text("[global]\nfloatX = float16\n")
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
    assert dir(config.scan) == ["allow_gc"]
    config.device = "<b>"
    assert "&lt;b&gt;" in config._repr_html_()


def test_other_systems_flags_are_not_read() -> None:
    code = "from workbench.configuration import config; print(config.floatX)"
    env = {**os.environ, "THEANO_FLAGS": "floatX=float32", "WORKBENCHRC": os.devnull}
    found = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "float64"
    assert configuration.config is not None
