"""Random programs of all ops, run in every way. `python -m tests.fuzz --rounds 5000` runs more."""

from __future__ import annotations

import pytest

from tests.fuzz.checks import Wrong, calls, failure, owned
from tests.fuzz.programs import Leaf, Line, Program
from tests.fuzz.shrink import shrink
from tests.fuzz.writer import Writer

EACH = 7


@pytest.mark.parametrize("first", range(0, 6 * EACH, EACH))
def test_random_programs(first: int) -> None:
    for seed in range(first, first + EACH):
        program = Writer(seed).program()
        told = failure(program)
        assert told is None, f"seed {seed}: {told}\n{program.text()}"


# Programs that once failed.
FOUND = {
    "a part of a column spreads": Program(
        (
            Leaf("x1", "float64", (None, 1), "np.array([[1.0], [2.0]])"),
            Leaf("x2", "float64", (None,), "np.arange(3.0)"),
        ),
        (Line(("v3",), "T.ge(x1[..., ::-2], x2)"), Line(("v4",), "x1[:, ::7] + x2")),
        ("v3", "v4"),
    ),
    "an array that is known to be empty": Program(
        (Leaf("x1", "float64", (0, None), "np.zeros((0, 6))"),),
        (Line(("v2",), "T.dot(T.linalg.pinv(x1), x1)"), Line(("v3",), "T.diag(T.dot(x1.T, x1))")),
        ("v2", "v3"),
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_programs_that_once_failed(name: str) -> None:
    assert failure(FOUND[name]) is None


def test_what_is_wrong_is_noticed() -> None:
    """A function that hands out its argument, and one that writes to it."""
    program = Program((Leaf("x1", "float64", (None,), "np.arange(3.0)"),), (), ("x1",))
    with pytest.raises(Wrong, match="alias"):
        calls(program, lambda x: [x], [])
    with pytest.raises(Wrong, match="written"):
        calls(program, lambda x: [x.__iadd__(1.0) * 2], [])
    with pytest.raises(Wrong, match="alias"):
        owned([memory := program.leaves[0].value()], [memory])


def test_a_program_is_cut_down() -> None:
    program = next(p for n in range(50) if len((p := Writer(n).program()).lines) > 8)
    wanted = program.lines[4].code
    small = shrink(program, lambda p: any(wanted[-8:] in line.code for line in p.lines))
    assert len(small.lines) < len(program.lines)
    exec(compile(small.text(), "shrunk", "exec"), {"print": lambda result: None})
