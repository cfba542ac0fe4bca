"""The configuration: `workbench.config.NAME`, from an assignment, the environment, a file or the
default, in this order.

`WORKBENCH_FLAGS="mode=FAST_RUN,floatX=float32"` is the environment's form; the files are those of
`WORKBENCHRC` (separated as PATH is), else `~/.workbenchrc`, in ini form: `[global]` for plain
flags, `[section]` for dotted ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from workbench.configuration.flags import FLAGS, Flag
from workbench.errors import ConfigError, nearest

__all__ = ["FLAGS", "Config", "Flag", "Matches", "config", "table"]


class Config:
    """Attribute access to the flags; `print(config)` shows each with its value, its source and its
    help.
    """

    def __init__(self, flags: Iterable[Flag] = FLAGS, prefix: str = "") -> None:
        object.__setattr__(self, "_state", _State(flags))
        object.__setattr__(self, "_prefix", prefix)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        full = self._prefix + name
        if full in self._state.values or self._state.flag(full) is not None:
            return self._state.values[full]
        if any(flag.startswith(full + ".") for flag in self._state.flags):
            section = Config.__new__(Config)
            object.__setattr__(section, "_state", self._state)
            object.__setattr__(section, "_prefix", full + ".")
            return section
        raise self._state.unknown(full)

    def __setattr__(self, name: str, value: object) -> None:
        self._state.assign(self._prefix + name, value)

    def __dir__(self) -> list[str]:
        return [name.removeprefix(self._prefix) for name in self._names()]

    @property
    def values(self) -> dict[str, Any]:
        """Every flag's value now, by full name, for those who ask often; it stays the same dict."""
        values: dict[str, Any] = self._state.values
        return values

    @contextmanager
    def change(self, **flags: object) -> Iterator[Config]:
        """These flags for a `with` block only; dots are written as two underscores."""
        before = dict(self._state.assigned)
        try:
            for name, value in flags.items():
                self._state.assign(self._prefix + name.replace("__", "."), value)
            yield self
        finally:
            self._state.restore(before)

    def hold(self, flags: Mapping[str, object]) -> AbstractContextManager[object]:
        """`change` for those who do it often: it costs next to nothing where the flags are so
        already. Names are written with dots.
        """
        values = self._state.values
        if all(values[name] == value for name, value in flags.items()):
            return nullcontext()
        return self.change(**flags)

    def use(self, name: str) -> Any:
        """The value of a flag that cannot be changed from now on."""
        self._state.used.add(name)
        return self._state.values[name]

    def read_text(self, text: str, source: str, strong: bool = True) -> None:
        """Let 'name=value,name=value' count as WORKBENCH_FLAGS does; or, where it is not strong, as
        defaults that everything else outdoes.
        """
        self._state.add(_from_text(text, source), strong)

    def read_files(self, paths: Iterable[str]) -> None:
        """Let ini files count as ~/.workbenchrc does; the last one that has a flag wins."""
        self._state.add(_from_files(paths), strong=False)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """For every flag: name, value, where it came from, help."""
        return [self.row(name) for name in self._names()]

    def row(self, name: str) -> tuple[str, str, str, str]:
        """Name, value, where it came from and help of one flag."""
        flag = self._state.known(name)
        value = "" if name.endswith("*") else str(self._state.values[name])
        return name, value, self._state.source(name), flag.meaning

    def matching(self, text: str) -> Matches:
        """The flags that have this text in their name, value or help, in any case of letters."""
        wanted = text.lower()
        return Matches(row for row in self.rows() if wanted in " ".join(row).lower())

    def _names(self) -> list[str]:
        return [name for name in self._state.flags if name.startswith(self._prefix)]

    def __str__(self) -> str:
        return table(self.rows())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return _html(self.rows())


class Matches(list[tuple[str, str, str, str]]):
    """Some flags' rows, shown as a table."""

    def __repr__(self) -> str:
        return table(self)

    def _repr_html_(self) -> str:
        return _html(self)


def _html(rows: Iterable[tuple[str, str, str, str]]) -> str:
    """Rows as a table that scrolls where it is long, its columns aligned to the left."""
    from html import escape

    cell = 'style="text-align:left;vertical-align:top"'
    head = "".join(f"<th {cell}>{name}</th>" for name in ("flag", "value", "from", "meaning"))
    body = "".join(
        "<tr>" + "".join(f"<td {cell}>{escape(text)}</td>" for text in row) + "</tr>"
        for row in rows
    )
    shown = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div style="max-height:28em;overflow:auto">{shown}</div>'


def table(rows: Sequence[tuple[str, str, str, str]]) -> str:
    """Rows as text in columns."""
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return "\n".join(
        "  ".join((*(t.ljust(w) for t, w in zip(row, widths, strict=False)), row[3]))
        for row in rows
    )


class _State:
    """What is assigned, and what environment and files say (read once, when the first flag is asked
    for).
    """

    def __init__(self, flags: Iterable[Flag]) -> None:
        self.flags = {flag.name: flag for flag in flags}
        self.assigned: dict[str, Any] = {}
        self.used: set[str] = set()
        self.values = _Values(self)
        self._outer: dict[str, tuple[Any, str]] | None = None

    def flag(self, name: str) -> Flag | None:
        """The flag of this name, or the one that stands for its section."""
        return self.flags.get(name) or self.flags.get(name.rpartition(".")[0] + ".*")

    def known(self, name: str) -> Flag:
        flag = self.flag(name)
        if flag is None:
            raise self.unknown(name)
        return flag

    def resolve(self, name: str) -> Any:
        """The value of a flag: assigned, else from outside, else its default."""
        if name in self.assigned:
            return self.assigned[name]
        outer = self._read()
        return outer[name][0] if name in outer else self.known(name).default

    def source(self, name: str) -> str:
        if name in self.assigned:
            return "assigned"
        return self._read()[name][1] if name in self._read() else "default"

    def assign(self, name: str, value: object) -> None:
        parsed = self._parse(name, value, "")
        if name in self.used and self.known(name).fixed and parsed != self.values[name]:
            raise ConfigError(
                "Can't change the value of this config parameter after initialization!",
                f"{name} is {self.values[name]!r} and was used already",
                advice=f"set it before its first use, or by WORKBENCH_FLAGS={name}=…",
            )
        self.assigned[name] = self.values[name] = parsed

    def restore(self, assigned: dict[str, Any]) -> None:
        """Undo the assignments since these were all."""
        self.assigned.clear()
        self.assigned.update(assigned)
        self.values.clear()

    def add(self, pairs: Iterable[tuple[str, tuple[str, str]]], strong: bool) -> None:
        """More settings from outside: stronger than those that are there, or weaker."""
        new = {name: (self._parse(name, text, source), source) for name, (text, source) in pairs}
        self._outer = self._read() | new if strong else new | self._read()
        self.values.clear()

    def unknown(self, name: str) -> ConfigError:
        return ConfigError(
            f"there is no configuration flag {name!r}.{nearest(name, list(self.flags))}",
            advice="print(workbench.config) shows them all",
        )

    def _parse(self, name: str, value: object, source: str) -> Any:
        flag = self.known(name)
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
            found = {name: pair for pairs in (_files(), _environment()) for name, pair in pairs}
            self._outer = {
                name: (self._parse(name, text, source), source)
                for name, (text, source) in found.items()
            }
        return self._outer


class _Values(dict[str, Any]):
    """Values by name, each looked up once between changes."""

    def __init__(self, state: _State) -> None:
        super().__init__()
        self._state = state

    def __missing__(self, name: str) -> Any:
        value = self[name] = self._state.resolve(name)
        return value


def _environment() -> Iterator[tuple[str, tuple[str, str]]]:
    return _from_text(os.environ.get("WORKBENCH_FLAGS", ""), "WORKBENCH_FLAGS")


def _files() -> Iterator[tuple[str, tuple[str, str]]]:
    named = os.environ.get("WORKBENCHRC")
    return _from_files(named.split(os.pathsep) if named else [os.path.expanduser("~/.workbenchrc")])


def _from_text(text: str, source: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = item.partition("=")
        if not equals:
            raise ConfigError(
                f"{source} holds {item!r}",
                advice="each item is name=value, with commas between",
            )
        yield name.strip(), (value.strip(), source)


def _from_files(paths: Iterable[str]) -> Iterator[tuple[str, tuple[str, str]]]:
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
