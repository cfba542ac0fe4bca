"""The configuration: `workbench.config.NAME`, from an assignment, the environment, a file or the
default, in this order.

`WORKBENCH_FLAGS="mode=FAST_RUN,floatX=float32"` is the environment's form; the files are those of
`WORKBENCHRC` (separated as PATH is), else `~/.workbenchrc`, in ini form: `[global]` for plain
flags, `[section]` for dotted ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from workbench.errors import ConfigError, nearest
from workbench.frozen import frozen


@frozen
class Flag:
    """One flag: its default, what values it takes (`parse` raises ValueError for others) and one
    line of help.
    """

    name: str
    default: Any  # Any: a flag's value is of the flag's own type
    parse: Callable[[Any], Any]
    takes: str
    help: str


def _one_of(*options: str) -> tuple[Callable[[Any], str], str]:
    def parse(value: Any) -> str:
        if value not in options:
            raise ValueError
        return str(value)

    return parse, " | ".join(options)


def _boolean(value: Any) -> bool:
    words = {
        "true": True,
        "1": True,
        "yes": True,
        "on": True,
        "false": False,
        "0": False,
        "no": False,
        "off": False,
    }
    return words[str(value).strip().lower()]


def _whole(value: Any) -> int:
    number = int(value)
    if number < 0:
        raise ValueError
    return number


_BOOLEAN = (_boolean, "True | False")
_WHOLE = (_whole, "a whole number")
_TEXT = (str, "text")

FLAGS: tuple[Flag, ...] = (
    Flag(
        "floatX",
        "float64",
        *_one_of("float64", "float32"),
        "dtype of constructors without a letter",
    ),
    Flag(
        "mode", "FAST_RUN", *_TEXT, "how functions are optimised and run: FAST_RUN, FAST_COMPILE, …"
    ),
    Flag("device", "cpu", *_TEXT, "where functions run: cpu, cuda0, opencl0:1, auto, …"),
    Flag("force_device", False, *_BOOLEAN, "an absent device is an error, never a fall-back"),
    Flag("cache", True, *_BOOLEAN, "keep native code on disk between processes"),
    Flag(
        "blas_threads",
        0,
        *_WHOLE,
        "threads for BLAS calls of native programs; 0 leaves the library's own number",
    ),
    Flag(
        "on_unused_input",
        "raise",
        *_one_of("raise", "warn", "ignore"),
        "an input that no output needs",
    ),
    Flag(
        "compute_test_value",
        "off",
        *_one_of("off", "ignore", "warn", "raise"),
        "evaluate each op as it is applied",
    ),
    Flag(
        "exception_verbosity", "low", *_one_of("low", "high"), "how much an error at run time tells"
    ),
    Flag("allow_gc", True, *_BOOLEAN, "free intermediate results after a call"),
    Flag("profile", False, *_BOOLEAN, "profile every function"),
    Flag("scan.allow_gc", False, *_BOOLEAN, "free a scan's inner results after each step"),
    Flag("trace_budget", 64, *_WHOLE, "megabytes of raw arrays that a scan trace may keep"),
)


class Config:
    """Attribute access to the flags; `print(config)` shows each with its value, its source and its
    help.
    """

    def __init__(self, flags: tuple[Flag, ...] = FLAGS, prefix: str = "") -> None:
        object.__setattr__(self, "_state", _State(flags))
        object.__setattr__(self, "_prefix", prefix)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        full = self._prefix + name
        if full in self._state.flags:
            return self._state.value(full)
        if any(flag.startswith(full + ".") for flag in self._state.flags):
            section = Config.__new__(Config)
            object.__setattr__(section, "_state", self._state)
            object.__setattr__(section, "_prefix", full + ".")
            return section
        raise self._state.unknown(full)

    def __setattr__(self, name: str, value: object) -> None:
        self._state.assign(self._prefix + name, value)

    def __dir__(self) -> list[str]:
        return [
            name.removeprefix(self._prefix)
            for name in self._state.flags
            if name.startswith(self._prefix)
        ]

    @contextmanager
    def change(self, **flags: object) -> Iterator[Config]:
        """These flags for a `with` block only; dots are written as two underscores."""
        before = dict(self._state.assigned)
        try:
            for name, value in flags.items():
                self._state.assign(self._prefix + name.replace("__", "."), value)
            yield self
        finally:
            self._state.assigned.clear()
            self._state.assigned.update(before)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """For every flag: name, value, where it came from, help."""
        return [
            (
                name,
                str(self._state.value(name)),
                self._state.source(name),
                f"{flag.help} ({flag.takes})",
            )
            for name, flag in self._state.flags.items()
        ]

    def __str__(self) -> str:
        rows = self.rows()
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        return "\n".join(
            "  ".join((*(t.ljust(w) for t, w in zip(row, widths, strict=False)), row[3]))
            for row in rows
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from html import escape

        head = "<tr><th>flag</th><th>value</th><th>from</th><th>meaning</th></tr>"
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self.rows()
        )
        return f"<table>{head}{body}</table>"


class _State:
    """What is assigned, and what environment and files say (read once, when the first flag is asked
    for).
    """

    def __init__(self, flags: tuple[Flag, ...]) -> None:
        self.flags = {flag.name: flag for flag in flags}
        self.assigned: dict[str, Any] = {}
        self._outer: dict[str, tuple[Any, str]] | None = None

    def value(self, name: str) -> Any:
        if name in self.assigned:
            return self.assigned[name]
        outer = self._read()
        return outer[name][0] if name in outer else self.flags[name].default

    def source(self, name: str) -> str:
        if name in self.assigned:
            return "assigned"
        return self._read()[name][1] if name in self._read() else "default"

    def assign(self, name: str, value: object) -> None:
        self.assigned[name] = self._parse(name, value, "")

    def unknown(self, name: str) -> ConfigError:
        return ConfigError(
            f"there is no configuration flag {name!r}.{nearest(name, list(self.flags))}",
            advice="print(workbench.config) shows them all",
        )

    def _parse(self, name: str, value: object, source: str) -> Any:
        if name not in self.flags:
            raise self.unknown(name)
        flag = self.flags[name]
        try:
            return flag.parse(value)
        except (ValueError, KeyError, TypeError):
            where = f" (from {source})" if source else ""
            hint = nearest(str(value), flag.takes.split(" | "))
            raise ConfigError(
                f"the flag {name} is not {value!r}{where}.{hint}",
                f"{name}: {flag.help}",
                advice=f"it takes {flag.takes}",
            ) from None

    def _read(self) -> dict[str, tuple[Any, str]]:
        if self._outer is None:
            found = {
                name: pair for pairs in (_from_files(), _from_environment()) for name, pair in pairs
            }
            self._outer = {
                name: (self._parse(name, text, source), source)
                for name, (text, source) in found.items()
            }
        return self._outer


def _from_environment() -> Iterator[tuple[str, tuple[str, str]]]:
    for item in filter(
        None, (part.strip() for part in os.environ.get("WORKBENCH_FLAGS", "").split(","))
    ):
        name, equals, value = item.partition("=")
        if not equals:
            raise ConfigError(
                f"WORKBENCH_FLAGS holds {item!r}",
                advice="each item is name=value, with commas between",
            )
        yield name.strip(), (value.strip(), "WORKBENCH_FLAGS")


def _from_files() -> Iterator[tuple[str, tuple[str, str]]]:
    named = os.environ.get("WORKBENCHRC")
    paths = named.split(os.pathsep) if named else [os.path.expanduser("~/.workbenchrc")]
    for path in filter(os.path.exists, paths):
        import configparser  # here: most users have no such file

        parser = configparser.ConfigParser(interpolation=None)
        parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
        try:
            parser.read(path, encoding="utf-8")
        except configparser.Error as error:
            raise ConfigError(
                f"{path} is not in ini form: {error.message}",
                advice="its lines are [global], then name = value",
            ) from None
        for section in parser.sections():
            prefix = "" if section == "global" else section + "."
            for name, value in parser.items(section):
                yield prefix + name, (value, path)


config = Config()
