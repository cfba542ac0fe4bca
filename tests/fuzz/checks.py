"""What must hold of a program: however it is run, it does what the interpreter says of the graph as
it was written.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

import workbench as wb
from tests.fuzz.programs import Program, laid
from tests.gpu.support import DEVICE
from workbench.core.debug.compare import difference
from workbench.core.interpreter import Interpreter

DEFINITION = wb.Mode("py", "none")
CALLS = 3


class Wrong(Exception):
    """A program does not do what it must. The first word of the text is the kind of failure."""


@dataclass(frozen=True)
class Done:
    """What the calls of a function gave: after each call its results or its error, and the shared
    values.
    """

    results: tuple[Any, ...]
    shared: tuple[Any, ...]


def compiled(program: Program, mode: Any, device: str = "cpu") -> tuple[Any, list[Any]]:
    """The function, and what its shared variables are, the streams' states last."""
    made = program.build()
    updates = [(made[a], made[b]) for a, b in program.updates]
    for line in program.lines:
        for name in line.names:
            if name[0] == "u":
                updates += made[name].items()
    f = wb.function(
        [made[leaf.name] for leaf in program.inputs],
        [made[name] for name in program.outputs],
        updates=updates,
        givens=[(made[a], made[b]) for a, b in program.givens],
        on_unused_input="ignore",
        mode=mode,
        device=device,
    )
    return f, [made[leaf.name] for leaf in program.shared]


def arguments(program: Program, call: int) -> list[Any]:
    """The inputs' values: as they are laid, plain for the second call."""
    values = [leaf.value() for leaf in program.inputs]
    return [laid(v, "plain") for v in values] if call == 1 else values


def calls(program: Program, f: Any, shared: list[Any]) -> Done:
    """Call it some times; nothing that was passed in or handed out may change."""
    results, states, kept = [], [], []
    for call in range(CALLS):
        given = arguments(program, call)
        copies = [np.array(v) for v in given]
        before = [s.get_value() for s in shared]
        try:
            found = f(*given)
        except Exception as error:
            found = error
            if not same(before, [s.get_value() for s in shared]):
                raise Wrong("state changed by a call that failed") from error
        if not same(copies, given):
            raise Wrong("input written to")
        after = [s.get_value(borrow=True) for s in shared]
        if not isinstance(found, Exception):
            owned(found, [*given, *after])
            kept.append((found, [np.array(v) for v in found]))
        results.append(found if isinstance(found, Exception) else [np.array(v) for v in found])
        states.append([np.array(v) for v in after])
    for found, copies in kept:
        if not same(found, copies):
            raise Wrong("result changed by a later call")
    return Done(tuple(results), tuple(states))


def owned(found: list[Any], held: list[Any]) -> None:
    """Every result is memory of its own."""
    arrays = [v for v in held if isinstance(v, np.ndarray)]
    for v in found:
        if any(np.shares_memory(v, a) for a in arrays):
            raise Wrong(
                "alias: a result is memory of an argument, a shared value or another result"
            )
        if not v.flags.writeable:
            raise Wrong("alias: a result cannot be written to")
        arrays.append(v)


def same(some: list[Any], others: list[Any]) -> bool:
    pairs = zip(some, others, strict=True)
    return all(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc") for a, b in pairs)


def native(program: Program) -> tuple[Any, list[Any]]:
    return compiled(program, "FAST_RUN")


def pickled(program: Program) -> tuple[Any, list[Any]]:
    f, shared = compiled(program, "FAST_RUN")
    return pickle.loads(pickle.dumps((f, shared)))  # it is our own


def copied(program: Program) -> tuple[Any, list[Any]]:
    f, shared = compiled(program, "FAST_RUN")
    return f.copy(), shared


WAYS: dict[str, Callable[[Program], tuple[Any, list[Any]]]] = {
    "native": native,
    "FAST_COMPILE": lambda program: compiled(program, "FAST_COMPILE"),
    "optimised": lambda program: compiled(program, wb.Mode("py", "fast_run")),
    "unoptimised native": lambda program: compiled(program, wb.Mode("native", "none")),
    "pickled": pickled,
    "copied": copied,
}
SLOW = {"DebugMode": lambda program: compiled(program, "DebugMode")}


def on_device(program: Program, shared: bool) -> tuple[Any, list[Any]]:
    """The function on the device of the tests, and with its shared variables there."""
    with wb.config.change(device=DEVICE if shared else "cpu"):
        f, held = compiled(program, "FAST_RUN", DEVICE)
    return lambda *args: [np.array(v) for v in f(*args)], held


DEVICES = {
    "device": lambda program: on_device(program, shared=False),
    "device with shared variables": lambda program: on_device(program, shared=True),
}


def failure(program: Program, ways: Iterable[str] = ()) -> str | None:
    """What is wrong of a program, None if nothing is."""
    try:
        check(program, ways or WAYS)
    except Wrong as wrong:
        return str(wrong)
    except Exception as error:
        return f"crash: {type(error).__name__}: {error}"
    return None


def check(program: Program, ways: Iterable[str]) -> str:
    """Raises Wrong; returns 'error' where the program fails as it should, else ''."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=RuntimeWarning, module="numpy")
        warnings.filterwarnings("ignore", "invalid value|divide by zero|overflow|underflow")
        expected = calls(program, *compiled(program, DEFINITION))
        operands = _operands(program)
        for name in ways:
            way = {**WAYS, **SLOW, **DEVICES}[name]
            try:
                found = calls(program, *way(program))
            except Wrong as wrong:
                raise Wrong(f"{wrong} ({name})") from wrong
            except Exception as error:
                raise Wrong(f"{name}: {type(error).__name__}: {error}") from error
            _compare(name, expected, found, operands)
        if program.derived:
            _check_gradient(program)
    return "error" if any(isinstance(r, Exception) for r in expected.results) else ""


def _operands(program: Program) -> list[Any]:
    """Every value of the graph: the larger they are, the more rounding explains."""
    made = program.build()
    given = {made[leaf.name]: leaf.value() for leaf in program.inputs}
    swapped = {
        made[a]: leaf.value()
        for a, b in program.givens
        for leaf in program.leaves
        if leaf.name == b
    }
    try:
        found = Interpreter([made[n] for n in program.outputs]).run_all({**given, **swapped})
    except Exception:  # a program that fails has no values to be measured by
        return []
    return [v for v in found.values() if isinstance(v, (np.ndarray, np.generic))]


def _compare(name: str, expected: Done, found: Done, operands: list[Any]) -> None:
    for call, (a, b) in enumerate(zip(expected.results, found.results, strict=True)):
        where = f"({name}, call {call})"
        if isinstance(b, Exception):
            if not isinstance(a, Exception):
                raise Wrong(f"error: {where} {type(b).__name__}: {b}") from b
            if type(a) is not type(b) or first_line(a) != first_line(b):
                raise Wrong(f"message: {where}\n{type(a)}: {a}\n{type(b)}: {b}")
        elif not isinstance(a, Exception):
            for i, (u, v) in enumerate(zip(a, b, strict=True)):
                if told := unlike(u, v, operands):
                    raise Wrong(f"value: {where} output {i}: {told}")
            for u, v in zip(expected.shared[call], found.shared[call], strict=True):
                if told := unlike(u, v, operands):
                    raise Wrong(f"update: {where}: {told}")
        else:
            return  # what failed is not needed, and was not run: the calls after it differ


def unlike(a: Any, b: Any, operands: list[Any]) -> str:
    """How they differ where rounding does not explain it."""
    if any(v.dtype == np.float32 for v in operands) and a.dtype == b.dtype and a.shape == b.shape:
        return "" if np.allclose(a, b, rtol=2e-3, atol=2e-3, equal_nan=True) else f"{a} and {b}"
    return difference(a, b, operands)


def first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


def _check_gradient(program: Program) -> None:
    """The gradient agrees with central differences along some directions."""
    total, x, slope = program.derived
    made = program.build()
    if not {total, slope} <= set(made) or x not in made or program.givens:
        return
    if any(
        v.type.dtype in ("float16", "float32")
        for v in made.values()
        if hasattr(v, "type") and hasattr(v.type, "dtype")
    ):
        return
    leaves = {leaf.name: leaf for leaf in program.leaves}
    given = {made[n]: np.array(leaf.value()) for n, leaf in leaves.items()}
    g = np.asarray(Interpreter([made[slope]]).run(given)[0])
    run = Interpreter([made[total]])
    directions = np.random.default_rng(0)
    for _ in range(2):
        d = directions.normal(size=g.shape)
        found = []
        for step in (1e-5, 1e-6):
            ends = [
                float(run.run({**given, made[x]: given[made[x]] + sign * step * d})[0])
                for sign in (1, -1)
            ]
            found.append((ends[0] - ends[1]) / (2 * step))
        wanted = float((g * d).sum())
        scale = 1 + abs(wanted) + np.abs(g).max(initial=0)
        settled = abs(found[0] - found[1]) < 1e-4 * scale
        if settled and min(abs(f - wanted) for f in found) > 1e-3 * scale:
            raise Wrong(f"gradient: {wanted} where differences give {found}")
