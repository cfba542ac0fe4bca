"""Files, pictures, and what Theano itself removed."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np

import workbench as wb
from workbench.errors import WorkbenchError


def dump(obj: Any, file_handler: Any, protocol: int = pickle.HIGHEST_PROTOCOL) -> None:
    """Pickle an object into an open file."""
    pickle.dump(obj, file_handler, protocol=protocol)


def load(f: Any) -> Any:
    """What `dump` wrote."""
    return pickle.load(io.BytesIO(f) if isinstance(f, bytes) else f)


def as_array(a: Any, dtype: Any, order: Any = None) -> Any:
    """numpy.asarray, which also takes 'floatX' for a dtype."""
    return np.asarray(a, wb.config.floatX if dtype == "floatX" else dtype, order)


def d3viz(fct: Any, outfile: str, copy_deps: bool = True) -> None:
    """An interactive page of a function's or an expression's graph; it needs no other file, so that
    there is nothing to copy.
    """
    wb.inspect(fct).to_html(path=outfile)


class Gone(WorkbenchError, AttributeError):
    """A part of Theano that has no form here."""


def __getattr__(name: str) -> Any:
    gone = {
        "Module": "theano.Module was removed from Theano; use function and shared variables",
        "sparse": "there are no sparse matrices here; scipy.sparse computes with them",
    }
    if name in gone:
        raise Gone(gone[name])
    raise AttributeError(name)
