"""What the table of coverage lists, taken from the code: every function that the reference names
with each of its parameters, its attributes and facts, every configuration flag, every mode, linker
and optimizer, and every error.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from dataclasses import dataclass
from typing import Any

import workbench.errors
from tests.reference.facts import ALIASES, ATTRIBUTES, ERRORS, TABLES
from tests.reference.signatures import SIGNATURES
from workbench.configuration import FLAGS
from workbench.core.link import LINKERS
from workbench.core.modes import MODES, OPTIMISERS
from workbench.errors import WorkbenchError
from workbench.theano.names import MODULES


@dataclass(frozen=True, order=True)
class Row:
    """One line of the table: `item` of `subject`, such as the parameter axis of T.sum."""

    kind: str
    subject: str
    item: str = ""

    def __str__(self) -> str:
        return f"{self.subject}({self.item})" if self.item else self.subject


def named(name: str) -> Any:
    """What an old name means: 'theano.function', 'T.nnet.relu', 'theano.compile.Function.copy'."""
    full = name.replace("T.", "theano.tensor.", 1) if name.startswith("T.") else name
    parts = full.split(".")[1:]
    size = max(i for i in range(len(parts)) if ".".join(parts[:i]) in MODULES)
    module = importlib.import_module(".".join(("workbench.theano", *parts[:size])))
    return functools.reduce(getattr, parts[size:], module)


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
    found += [Row("attribute", name, item) for name in ATTRIBUTES for item in ATTRIBUTES[name]]
    found += [Row("alias", name) for name in ALIASES]
    found += [Row("fact", name, item) for name in TABLES for item in TABLES[name]]
    found += [Row("flag", flag.name) for flag in FLAGS]
    found += [Row(kind, name) for kind, names in choices().items() for name in names]
    found += [Row("error", name) for name in errors()]
    return found


def choices() -> dict[str, list[str]]:
    """Modes, linkers and optimizers by all their names."""
    return {"mode": list(MODES), "linker": list(LINKERS), "optimizer": list(OPTIMISERS)}


def errors() -> list[str]:
    """The named errors, ours and those with an old import path."""
    ours = [
        name
        for name, kind in vars(workbench.errors).items()
        if isinstance(kind, type) and issubclass(kind, WorkbenchError)
    ]
    return [*ours, *ERRORS]
