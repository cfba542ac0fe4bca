"""The gradient of a long recurrence: with every state stored, and with those of checkpoints.

Two recurrences, both float64: a vector of 256, h ← tanh(h * w + x[t]), and a vector of 64 with a
product, h ← tanh(h @ w + x[t]). Times are of calls after the first, in one process; memory is the
growth of the process's peak over the first call, in a fresh process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import harness
from benchmarks.bench_power_memory import forget_peak, peak

FORMS = ("every state stored", "scan_checkpoints")
KINDS = {"elementwise, 256": 256, "product, 64": 64}


def contenders() -> dict[str, tuple[str, str]]:
    return {f"{harness.OURS}, {k}: {form}": (k, form) for k in KINDS for form in FORMS}


def make(kind: str, form: str, steps: int) -> Callable[[], list[Any]]:
    """A call that gives the gradients of the last state's square by w and the initial state."""
    import numpy as np

    import workbench as wb
    import workbench.tensor as T

    wide = KINDS[kind]
    rng = np.random.default_rng(0)
    xs, h = T.dmatrix("x"), T.dvector("h")
    if kind.startswith("product"):
        w, weights = T.dmatrix("w"), rng.normal(size=(wide, wide)) / wide**0.5
        step = lambda x, h: T.tanh(T.dot(h, w) + x)  # noqa: E731
    else:
        w, weights = T.dvector("w"), rng.normal(size=wide) * 0.5
        step = lambda x, h: T.tanh(h * w + x)  # noqa: E731
    if form == "scan_checkpoints":
        states, _ = wb.scan_checkpoints(step, xs, h, save_every_N=None)
    else:
        states, _ = wb.scan(step, xs, h)
    f = wb.function([xs, w, h], T.grad((states[-1] ** 2).sum(), [w, h]))
    values = rng.normal(size=(steps, wide)), weights, np.zeros(wide)
    return lambda: f(*values)


def worker(name: str, steps: int) -> None:
    """Print by how many megabytes the first call makes the process grow."""
    kind, form = contenders()[name]
    run = make(kind, form, steps)
    forget_peak()
    before = peak()
    run()
    print(peak() - before)


def main() -> None:
    """Times in turn in this process, then memory in fresh ones."""
    chosen = harness.options(7, __doc__, steps=100_000)
    if chosen.worker:
        worker(chosen.worker, chosen.steps)
        return
    import numpy as np

    runs = {name: make(*which, chosen.steps) for name, which in contenders().items()}
    for kind in KINDS:
        stored, again = (runs[f"{harness.OURS}, {kind}: {form}"]() for form in FORMS)
        for a, b in zip(stored, again, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-11)
    times = harness.take_turns(runs, chosen.rounds, per=1e3)
    what = f"The gradient of {chosen.steps:,} steps of a recurrence"
    command = ["-m", "benchmarks.bench_checkpoints", "--steps", str(chosen.steps), "--worker"]
    commands = {name: ([*command, name], {}) for name in runs}
    memory, absent, _ = harness.take_turns_fresh(commands, 3)
    harness.finish(
        harness.Measurement(
            "checkpoints", what, "milliseconds", chosen.rounds, times, {}, chosen.threads
        ),
        harness.Measurement(
            "checkpoints_memory", f"{what}: growth of peak memory", "megabytes", 3, memory, absent
        ),
    )


if __name__ == "__main__":
    main()
