"""`@frozen` is what `dataclass(frozen=True)` is, but for the time it takes."""

from __future__ import annotations

import dataclasses
import pickle
from functools import cached_property
from typing import ClassVar

import pytest

from workbench.frozen import frozen


@frozen
class Point:
    x: int
    y: int = 0
    names: tuple[str, ...] = dataclasses.field(default_factory=tuple)
    kind: ClassVar[str] = "point"

    @cached_property
    def size(self) -> int:
        return abs(self.x) + abs(self.y)


@frozen
class Named(Point):
    name: str = ""

    def __hash__(self) -> int:
        return 7


def test_arguments_by_place_and_name() -> None:
    assert (Point(1).y, Point(1, y=2).y, Point(x=3).x) == (0, 2, 3)
    assert Named(1, 2, (), "n").name == "n"


@pytest.mark.parametrize(
    "wrong",
    [lambda: Point(), lambda: Point(1, 2, (), 4), lambda: Point(1, z=2), lambda: Point(1, x=2)],
)
def test_wrong_arguments(wrong: object) -> None:
    with pytest.raises(TypeError, match="Point"):
        wrong()  # type: ignore[operator]


def test_equality_is_by_class_and_values() -> None:
    assert Point(1, 2) == Point(1, 2)
    assert Point(1, 2) != Point(2, 1)
    assert Point(1) != Named(1)
    assert hash(Point(1)) == hash(Point(1))
    a, b = Point(1), Point(1)
    _ = a.size  # a cached value is no part of it
    assert a == b
    assert hash(Named(1)) == 7


def test_it_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Point(1).x = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del Point(1).x


def test_dataclasses_know_it() -> None:
    assert [f.name for f in dataclasses.fields(Named)] == ["x", "y", "names", "name"]  # type: ignore[arg-type]
    assert dataclasses.replace(Point(1, 2), y=5) == Point(1, 5)  # type: ignore[type-var]
    assert dataclasses.is_dataclass(Point)
    assert repr(Point(1)) == "Point(x=1, y=0, names=())"
    assert pickle.loads(pickle.dumps(Point(1, 2))) == Point(1, 2)
    assert Point.kind == "point"
