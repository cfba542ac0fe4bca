"""Importable modules made of the table of names: `import workbench.theano.tensor.nnet` works, and
nothing behind a name is imported before it is asked for.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from workbench.theano.names import MODULES


class LegacyModule(ModuleType):
    """A module of old names. `names` maps each to 'module:name' of what it means; `like` is a
    module of ours whose names are all there, too.
    """

    def __init__(self, path: str, names: dict[str, str], like: str = "") -> None:
        super().__init__(path, f"Old names of Theano's {path.partition('theano')[2] or 'theano'}.")
        self.__path__: list[str] = []  # it may hold other modules
        self.__package__ = path
        self._names = names
        self._like = like

    def __getattr__(self, name: str) -> Any:
        return self.find(name)

    def find(self, name: str) -> Any:
        """What an old name means; kept, so that the next look is quick."""
        if name.startswith("__"):
            raise AttributeError(name)
        inner = sys.modules.get(f"{self.__name__}.{name}")
        if inner is not None and name not in self._names:
            return inner
        value = self._resolve(name)
        self.__dict__[name] = value
        return value

    def _resolve(self, name: str) -> Any:
        target = self._names.get(name)
        if target is not None:
            module, _, attribute = target.partition(":")
            found = import_module(module)
            return getattr(found, attribute) if attribute else found
        if self._like:
            try:
                return getattr(import_module(self._like), name)
            except AttributeError:
                pass
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        prefix = self.__name__ + "."
        inner = {
            m.removeprefix(prefix).partition(".")[0]
            for m in sys.modules
            if prefix in m[: len(prefix)]
        }
        like = dir(import_module(self._like)) if self._like else ()
        return sorted({*self._names, *inner, *(n for n in like if not n.startswith("_"))})


def install(package: str) -> LegacyModule:
    """Register every module of the table below a package; returns the package's own names."""
    own = LegacyModule(package, *_of(""))
    for path in sorted(MODULES):
        if path:
            full = f"{package}.{path}"
            sys.modules[full] = LegacyModule(full, *_of(path))
    return own


def _of(path: str) -> tuple[dict[str, str], str]:
    names, like = MODULES[path]
    return names, like
