"""Constructors of input variables: shape words with an optional letter for the dtype, and their
plurals.

`T.matrix('x')` is of dtype floatX, `T.fmatrix('x')` of float32; `T.dscalars('a', 'b')` makes
several.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph import Variable
from workbench.core.types import TensorType, as_tensor
from workbench.core.types import constant as _constant
from workbench.errors import DtypeError, GraphError, RankError

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
    "tensor6": (None,) * 6,
    "tensor7": (None,) * 7,
}

PLURALS = {word: {"matrix": "matrices"}.get(word, word + "s") for word in SHAPES}


def constant(
    value: Any, name: str | None = None, ndim: int | None = None, dtype: str | None = None
) -> Any:
    """A constant: of a given dtype, or the narrowest that keeps a Python number. With `ndim` axes
    of length 1 are put in front.

    Raises DtypeError where the value does not fit in the dtype, GraphError for what is no value,
    RankError where it has more than `ndim` axes.
    """
    if isinstance(value, Variable):
        raise GraphError(
            f"a constant is made of a value, not of the variable {value}",
            f"{value}: {value.type}",
            value.place,
            "use the variable itself",
            value,
        )
    made: Any = as_tensor(value) if dtype is None else _of_dtype(value, dtype)
    if ndim is not None:
        made = _constant(_padded(made.data, ndim), made.dtype)
    made.name = name
    return made


def as_tensor_variable(value: Any, name: str | None = None, ndim: int | None = None) -> Any:
    """A variable as it is, or a constant of a value. With `ndim` axes of length 1 are put in
    front, or those in front that broadcast are taken away.

    Raises GraphError for what cannot be an array of numbers, RankError where it has more than
    `ndim` axes.
    """
    made: Any = as_tensor(value, name)
    if ndim is None or made.ndim == ndim:
        return made
    extra = made.ndim - ndim
    if extra > 0 and all(made.broadcastable[:extra]):
        return made.dimshuffle(*range(extra, made.ndim))
    if extra > 0:
        raise _too_many(made.ndim, ndim)
    return made.dimshuffle(*["x"] * -extra, *range(made.ndim))


def _of_dtype(value: Any, dtype: str) -> Any:
    kind = TensorType(dtype).dtype
    try:
        return _constant(value, kind)
    except (OverflowError, ValueError, TypeError) as error:
        raise DtypeError(
            f"the value {value!r:.60} cannot be of {kind}: {error}",
            advice="leave dtype out, or give a wider one",
        ) from None


def _padded(array: Any, ndim: int) -> Any:
    if array.ndim > ndim:
        raise _too_many(array.ndim, ndim)
    return array.reshape((1,) * (ndim - array.ndim) + array.shape)


def _too_many(found: int, wanted: int) -> RankError:
    return RankError(
        f"a value of {found} axes cannot be one of {wanted}", advice="give a greater ndim"
    )


def _one(word: str, letter: str) -> Callable[..., Any]:
    shape, fixed = SHAPES[word], LETTERS[letter]

    def make(name: str | None = None, dtype: str | None = None) -> Variable:
        if name is not None and not isinstance(name, str):
            raise GraphError(
                f"a variable's name is text, not {name!r}",
                advice=f"write T.{letter}{word}('x'); several are made by {letter}{PLURALS[word]}",
            )
        return TensorType(fixed or dtype or "floatX", shape).make(name=name)

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
            raise GraphError(
                f"names of variables are text, not {names!r}", advice="write ('a', 'b'), 'ab' or 2"
            )
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
