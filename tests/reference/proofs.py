"""How a row of the table is proved: by a small test beside this file, or by one that is elsewhere.

@proves("T.sum", "axis")
def sum_along_an_axis() -> None:
    equal(T.sum(M, axis=0), m.sum(0))

proven_by("tests/core/test_function.py::test_names_and_repr", ("theano.function", "name"))
"""

from __future__ import annotations

from collections.abc import Callable

Proof = Callable[[], None]
Key = tuple[str, str]

PROOFS: dict[Key, list[Proof]] = {}
ELSEWHERE: dict[Key, list[str]] = {}


def proves(subject: str, *items: str) -> Callable[[Proof], Proof]:
    """The test that is decorated proves these items of a subject (or the subject as a whole)."""

    def keep(proof: Proof) -> Proof:
        for item in items or ("",):
            PROOFS.setdefault((subject, item), []).append(proof)
        return proof

    return keep


def proves_each(*subjects: str) -> Callable[[Proof], Proof]:
    """The test that is decorated proves each of these subjects, as a whole."""

    def keep(proof: Proof) -> Proof:
        for subject in subjects:
            proves(subject)(proof)
        return proof

    return keep


def proven_by(test: str, *keys: Key) -> None:
    """A test of another file, 'tests/file.py::test_name', proves these rows."""
    for key in keys:
        ELSEWHERE.setdefault(key, []).append(test)
