"""`@frozen`: `dataclass(frozen=True)` without compiling code for each class.

The standard decorator writes and compiles six methods a class, a quarter of a millisecond each
time; with a hundred classes a notebook's user would wait for that at every start. Here the methods
are shared closures. `dataclasses.fields`, `replace` and `field` work as usual.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")
_ABSENT = dataclasses.MISSING


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def frozen(cls: type[T]) -> type[T]:
    """Makes a class of its annotations: `__init__`, `__eq__`, `__hash__`, `__repr__`, and no
    assignment.

    What the class itself defines of these is kept. `__post_init__` is called as usual.
    """
    fields = _fields(cls)
    names = tuple(fields)
    made: dict[str, Any] = {
        "__init__": _initialiser(cls.__name__, fields),
        "__repr__": _representation(names),
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        "__reduce__": _reduce,
    }
    if "__eq__" not in vars(cls):
        made["__eq__"], made["__hash__"] = _comparison(names)
    for name, method in made.items():
        if name not in vars(cls) or (name == "__hash__" and vars(cls)[name] is None):
            setattr(cls, name, method)
    cls.__dataclass_fields__ = fields  # type: ignore[attr-defined]
    cls.__match_args__ = names  # type: ignore[misc,attr-defined]
    return cls


Fields = dict[str, "dataclasses.Field[Any]"]


def _fields(cls: type) -> Fields:
    """The fields of the bases, then the class's own, as `dataclasses` describes them."""
    found: Fields = {}
    for base in reversed(cls.__mro__[1:]):
        found.update(getattr(base, "__dataclass_fields__", {}))
    for name, annotation in vars(cls).get("__annotations__", {}).items():
        if "ClassVar" in str(annotation):
            continue
        item = _field(cls, name)
        item.name, item.type = name, annotation
        item._field_type = dataclasses._FIELD  # type: ignore[attr-defined]  # what `dataclasses.fields` looks for
        found[name] = item
    return found


def _field(cls: type, name: str) -> Any:  # Any: a Field, with what its annotations do not tell
    """The description of one field. What `field()` gave is no attribute of the class, but its
    default is.
    """
    given = vars(cls).get(name, _ABSENT)
    if not isinstance(given, dataclasses.Field):
        return dataclasses.field(default=given)
    if given.default is _ABSENT:
        delattr(cls, name)
    else:
        setattr(cls, name, given.default)
    return given


def _initialiser(title: str, fields: Fields) -> Callable[..., None]:
    names = tuple(fields)
    count = len(names)

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        values = vars(self)
        values.update(zip(names, args, strict=False))
        if len(args) != count or kwargs:
            _fill(title, fields, values, args, kwargs)
        if (finish := getattr(self, "__post_init__", None)) is not None:
            finish()

    return __init__


def _fill(
    title: str,
    fields: Fields,
    values: dict[str, Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    """The values that were given by name or not at all."""
    names = tuple(fields)
    if len(args) > len(names):
        raise TypeError(f"{title}() takes {len(names)} arguments, {len(args)} were given")
    for name in kwargs:
        if name not in fields:
            raise TypeError(f"{title}() got an unexpected keyword argument {name!r}")
        if name in names[: len(args)]:
            raise TypeError(f"{title}() got multiple values for argument {name!r}")
    for name in names[len(args) :]:
        if name in kwargs:
            values[name] = kwargs[name]
        elif fields[name].default is not _ABSENT:
            values[name] = fields[name].default
        elif fields[name].default_factory is not _ABSENT:
            values[name] = fields[name].default_factory()  # type: ignore[operator]
        else:
            raise TypeError(f"{title}() missing argument {name!r}")


def _comparison(
    names: tuple[str, ...],
) -> tuple[Callable[[Any, object], bool], Callable[[Any], int]]:
    key: Callable[[Any], Any] = attrgetter(*names) if names else lambda self: ()

    def __eq__(self: Any, other: object) -> bool:
        if self is other:
            return True
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: Any) -> int:
        return hash((self.__class__, key(self)))

    return __eq__, __hash__


def _representation(names: tuple[str, ...]) -> Callable[[Any], str]:
    def __repr__(self: Any) -> str:
        inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({inside})"

    return __repr__


def _reduce(self: Any) -> tuple[Any, ...]:
    """Pickled by its fields: what is cached with it is left behind."""
    values = vars(self)
    return _load, (self.__class__, {name: values[name] for name in self.__dataclass_fields__})


def _load(cls: type[T], values: dict[str, Any]) -> T:
    """As it was pickled; a field that it did not have then has its default."""
    made = object.__new__(cls)
    vars(made).update(values)
    fields: Fields = cls.__dataclass_fields__  # type: ignore[attr-defined]
    missing = {name: item for name, item in fields.items() if name not in values}
    for name, item in missing.items():
        if item.default_factory is not _ABSENT:
            vars(made)[name] = item.default_factory()
        else:
            vars(made)[name] = item.default
    return made


def _refuse(self: Any, name: str, *value: Any) -> None:
    raise dataclasses.FrozenInstanceError(
        f"{self.__class__.__name__} is frozen: {name!r} cannot be changed"
    )
