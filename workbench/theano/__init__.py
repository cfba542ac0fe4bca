"""Theano 0.9's names and paths: old code runs after one changed import.

import workbench.theano as theano
import workbench.theano.tensor as T

All legacy spelling lives in this package, and nothing else does: `names.py` says for every old
module which name is which function of ours, `adapters/` has the functions whose
signature differs, and `modules.py` makes importable modules of both.
"""

from __future__ import annotations

from typing import Any

from workbench.theano import modules
from workbench.theano.flags import read_flags

__version__ = "0.9.0"

read_flags()
_module = modules.install(__name__)


def __getattr__(name: str) -> Any:
    return _module.find(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_module)})
