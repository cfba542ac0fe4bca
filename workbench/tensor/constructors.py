"""Constructors of input variables: shape words with an optional letter for the dtype, and their
plurals.

`T.matrix('x')` is of dtype floatX, `T.fmatrix('x')` of float32; `T.dscalars('a', 'b')` makes
several.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.configuration import config
from workbench.core.graph import Variable
from workbench.core.types import TensorType, as_tensor
from workbench.core.types import constant as _constant
from workbench.errors import GraphError

LETTERS = {
    "": None,
    "b": "int8",
    "w": "int16",
    "i": "int32",
    "l": "int64",
    "f": "float32",
    "d": "float64",
    "c": "complex64",
    "z": "complex128",
}

SHAPES: dict[str, tuple[int | None, ...]] = {
    "scalar": (),
    "vector": (None,),
    "row": (1, None),
    "col": (None, 1),
    "matrix": (None, None),
    "tensor3": (None,) * 3,
    "tensor4": (None,) * 4,
    "tensor5": (None,) * 5,
}

PLURALS = {word: {"matrix": "matrices"}.get(word, word + "s") for word in SHAPES}


def constant(
    value: Any, name: str | None = None, ndim: int | None = None, dtype: str | None = None
) -> Any:
    """A constant: of a given dtype, or the narrowest that keeps a Python number."""
    made = as_tensor(np.asarray(value), name) if dtype is None and not _plain(value) else None
    if made is None:
        made = as_tensor(value, name) if dtype is None else _constant(value, dtype)
        made.name = name
    return made


def _plain(value: Any) -> bool:
    return isinstance(value, (bool, int, float, complex))


def _one(word: str, letter: str) -> Callable[..., Any]:
    shape, fixed = SHAPES[word], LETTERS[letter]

    def make(name: str | None = None, dtype: str | None = None) -> Variable:
        return TensorType(fixed or dtype or config.floatX, shape).make(name=name)

    make.__doc__ = f"A new {word} of dtype {fixed or 'floatX (or the one given)'}."
    return make


def _several(one: Callable[..., Any], word: str) -> Callable[..., Any]:
    def make(*names: Any, dtype: str | None = None) -> Any:
        if len(names) == 1:
            (only,) = names
            if isinstance(only, int):
                return [_call(one, None, dtype) for _ in range(only)]
            if isinstance(only, str) and len(only) > 1:
                names = tuple(only)
            else:
                return _call(one, only, dtype)
        if not all(name is None or isinstance(name, str) for name in names):
            raise GraphError(f"names of variables are text, not {names!r}")
        return [_call(one, name, dtype) for name in names]

    make.__doc__ = f"Several, by names ('a', 'b'), by letters ('ab') or by a number; see {word}."
    return make


def _call(one: Callable[..., Any], name: str | None, dtype: str | None) -> Any:
    return one(name) if dtype is None else one(name, dtype)


def _make_all() -> dict[str, Callable[..., Any]]:
    made: dict[str, Callable[..., Any]] = {}
    for word, plural in PLURALS.items():
        for letter in LETTERS:
            for name, maker in (
                (letter + word, one := _one(word, letter)),
                (letter + plural, _several(one, letter + word)),
            ):
                maker.__name__ = maker.__qualname__ = name
                made[name] = maker
    return made


_MADE = _make_all()
globals().update(_MADE)
__all__ = sorted(_MADE)
