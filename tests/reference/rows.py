"""What the table of coverage lists, taken from the code: every function that the reference names
with each of its parameters, every configuration flag, every mode, linker and optimizer, and every
error.
"""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from typing import Any

import workbench.errors
import workbench.theano as theano
from tests.reference.signatures import SIGNATURES
from workbench.configuration import FLAGS
from workbench.core.link import LINKERS
from workbench.core.modes import MODES, OPTIMISERS
from workbench.errors import WorkbenchError


@dataclass(frozen=True, order=True)
class Row:
    """One line of the table: `item` of `subject`, such as the parameter axis of T.sum."""

    kind: str
    subject: str
    item: str = ""

    def __str__(self) -> str:
        return f"{self.subject}({self.item})" if self.item else self.subject


def named(name: str) -> Any:
    """What an old name means: 'theano.function', 'T.nnet.relu', 'theano.compile.io.In'."""
    full = name.replace("T.", "theano.tensor.", 1) if name.startswith("T.") else name
    path, _, attribute = full.removeprefix("theano").removeprefix(".").rpartition(".")
    module = importlib.import_module(f"workbench.theano.{path}") if path else theano
    return getattr(module, attribute)


def parameters(signature: str) -> dict[str, Any]:
    """The parameters of a signature as the reference writes it, with their defaults."""
    spaces: dict[str, Any] = {}
    exec(f"def f({signature}): ...", {}, spaces)
    return {p.name: p.default for p in inspect.signature(spaces["f"]).parameters.values()}


def rows() -> list[Row]:
    """Every line of the table, in order."""
    found = []
    for name, signature in SIGNATURES.items():
        taken = parameters(signature)
        found += [Row("function", name, p) for p in taken] or [Row("function", name)]
    found += [Row("flag", flag.name) for flag in FLAGS]
    found += [Row(kind, name) for kind, names in choices().items() for name in names]
    found += [Row("error", name) for name in errors()]
    return found


def choices() -> dict[str, list[str]]:
    """Modes, linkers and optimizers by all their names."""
    return {"mode": list(MODES), "linker": list(LINKERS), "optimizer": list(OPTIMISERS)}


def errors() -> list[str]:
    """The named errors."""
    return [
        name
        for name, kind in vars(workbench.errors).items()
        if isinstance(kind, type) and issubclass(kind, WorkbenchError)
    ]
