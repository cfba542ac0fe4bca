"""Records: every class round-trips through JSON, and a history replays."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.records import (
    SCHEMA,
    Edge,
    History,
    Node,
    Place,
    Port,
    Record,
    Snapshot,
    Step,
    Summary,
    Value,
)

CLASSES = sorted(Record.kinds.values(), key=lambda kind: kind.__name__)
NUMBERS = st.floats(allow_nan=False) | st.just(math.inf)


def strategy(hint: Any, depth: int) -> Any:
    """Values for a field's annotation; records inside records only so deep."""
    options = [h for h in get_args(hint) if h is not type(None)]
    if get_origin(hint) is tuple:
        items = get_args(hint)
        if len(items) == 2 and items[1] is ...:
            return st.lists(strategy(items[0], depth - 1), max_size=2 if depth > 0 else 0).map(
                tuple
            )
        return st.tuples(*(strategy(h, depth - 1) for h in items))
    if options:
        chosen = [strategy(h, depth) for h in options]
        return (
            st.one_of(st.none(), *chosen)
            if len(options) < len(get_args(hint))
            else st.one_of(*chosen)
        )
    if isinstance(hint, type) and issubclass(hint, Record):
        return records(hint, depth - 1) if depth > 0 else records(hint, 0)
    return {int: st.integers(-9, 9), str: st.text(max_size=5), float: NUMBERS, bool: st.booleans()}[
        hint
    ]


def records(kind: type[Record], depth: int) -> Any:
    hints = get_type_hints(kind)
    fields = {}
    for f in dataclasses.fields(kind):  # type: ignore[arg-type]
        optional = (
            f.default is not dataclasses.MISSING or f.default_factory is not dataclasses.MISSING
        )
        if not (optional and depth <= 0):
            fields[f.name] = strategy(hints[f.name], depth)
    return st.builds(kind, **fields)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda k: k.__name__)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_round_trip(kind: type[Record], data: Any) -> None:
    record = data.draw(records(kind, 2))
    text = record.to_json()
    again = kind.from_json(text)
    assert again == record
    assert again.to_json() == text
    assert json.loads(text, parse_constant=pytest.fail)["schema"] == SCHEMA
    assert "\n" not in text


def test_what_is_not_finite_survives() -> None:
    record = Summary((2,), "float64", min=-math.inf, max=math.inf, mean=math.nan)
    again = Summary.from_json(record.to_json())
    assert again.min == -math.inf
    assert again.max == math.inf
    assert math.isnan(again.mean or 0)
    json.loads(record.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_other_texts_are_refused() -> None:
    with pytest.raises(ValueError, match="schema"):
        Place.from_json('{"schema": 999, "record": "Place", "file": "f", "line": 1}')
    with pytest.raises(ValueError, match="holds a Port"):
        Place.from_json(Port(1).to_json())
    with pytest.raises(ValueError, match="schema"):
        Place.from_json("{}")


def node(i: int, label: str, *inputs: int, op: str = "Elemwise") -> Node:
    kind = "apply" if inputs else "input"
    return Node(i, kind, op if inputs else "", label, tuple(map(Port, inputs)), (Value("float64"),))


@pytest.fixture
def history() -> History:
    """log(exp(x)) + 0 → x + 0 → x."""
    first = Snapshot(
        (node(0, "x"), node(1, "exp", 0), node(2, "log", 1), node(3, "zero"), node(4, "add", 2, 3)),
        inputs=(0,),
        outputs=(Port(4),),
    )
    steps = (
        Step(
            "canonicalise",
            "log_exp",
            "log(exp(x)) → x",
            replaced=((Port(2), Port(0)),),
            removed=(1, 2),
        ),
        Step(
            "canonicalise", "add_zero", "x + 0 → x", replaced=((Port(4), Port(0)),), removed=(3, 4)
        ),
    )
    return History(first, steps)


def test_a_history_replays(history: History) -> None:
    assert history.at(0) == history.first
    assert [n.label for n in history.at(1)] == ["x", "zero", "add"]
    assert history.at(1)[4].inputs == (Port(0), Port(3))
    assert [n.label for n in history.last] == ["x"]
    assert history.last.outputs == (Port(0),)
    assert history.at(-1) == history.last
    assert history.at(-3) == history.first
    for wrong in (3, -4):
        with pytest.raises(IndexError):
            history.at(wrong)
    assert len(history) == 2
    assert 0 in history.last
    assert 4 not in history.last
    assert History.from_json(history.to_json()).last == history.last


def test_origins(history: History) -> None:
    assert history.origins(0)[4] == (4,)
    assert set(history.origins()[0]) == {0, 1, 2, 3, 4}


def test_edges(history: History) -> None:
    assert Edge(2, 0, 4, 0) in history.first.edges
    assert len(history.first.edges) == 4


def test_chained_replacements() -> None:
    """A port replaced by one that is itself replaced later is followed to the end."""
    first = Snapshot((node(0, "x"), node(1, "a", 0), node(2, "out", 1)), (0,), (Port(2),))
    steps = (
        Step("p", "r", added=(node(3, "b", 0),), replaced=((Port(1), Port(3)),), removed=(1,)),
        Step("p", "r", added=(node(4, "c", 0),), replaced=((Port(3), Port(4)),), removed=(3,)),
    )
    history = History(first, steps)
    assert history.last[2].inputs == (Port(4),)
    assert [n.label for n in history.last] == ["x", "c", "out"]
    assert history.origins()[4] == (1,)


def test_a_long_history_is_quick() -> None:
    """A chain of replacements does not recurse."""
    count = 3000
    first = Snapshot((node(0, "x"), node(1, "n", 0)), (0,), (Port(1),))
    steps = tuple(
        Step(
            "p", "r", added=(node(i + 1, "n", 0),), replaced=((Port(i), Port(i + 1)),), removed=(i,)
        )
        for i in range(1, count)
    )
    assert History(first, steps).last.outputs == (Port(count),)
