"""A**k by a scan of which only the last value is kept: memory must not grow with k.

Each figure is the growth of the process's peak resident memory over the call, in a fresh process.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from benchmarks import harness

SIZE = 50_000  # float64: 0.4 MB for A; a thousand kept values are 400 MB
STEPS = (10, 1_000)


def forget_peak() -> None:
    """Start the peak anew, so that what a compiler held before hides nothing (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> float:
    """The most resident memory since `forget_peak`, in megabytes."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def symbolic(T, scan, function) -> Callable:
    A, k = T.dvector("A"), T.iscalar("k")
    last = scan(
        fn=lambda prior, A: prior * A,
        outputs_info=T.ones_like(A),
        non_sequences=A,
        n_steps=k,
    )
    return function([A, k], last)


def make(name: str) -> Callable:
    """A function of A and k."""
    if name == "workbench":
        import workbench as wb
        import workbench.tensor as T

        return symbolic(T, lambda **given: wb.scan(**given)[0][-1], wb.function)
    if name == "pytensor":
        import pytensor
        import pytensor.tensor as pt

        return symbolic(
            pt,
            lambda **given: pytensor.scan(**given, return_updates=False)[-1],
            pytensor.function,
        )
    if name == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)

        @jax.jit
        def power(A, k):
            return jax.lax.fori_loop(0, k, lambda _, prior: prior * A, jax.numpy.ones_like(A))

        return power

    if name == "numpy-kept":

        def keep(A, k):
            values = [A**0]
            for _ in range(k):
                values.append(values[-1] * A)
            return values[-1]

        return keep

    def plain(A, k):
        prior = A**0
        for _ in range(k):
            prior = prior * A
        return prior

    return plain


def worker(name: str, steps: int) -> None:
    """Call once for a single step, so that all is loaded, then print what k steps add."""
    import numpy as np

    power = make(name)
    A = np.full(SIZE, 0.999)
    np.asarray(power(A, 1))
    forget_peak()
    before = peak()
    result = np.asarray(power(A, steps))
    grown = peak() - before
    np.testing.assert_allclose(result[:3], 0.999**steps, rtol=1e-9)
    print(grown)


def main() -> None:
    """Take turns between fresh processes, one contender for each k."""
    chosen = harness.options(3, __doc__, steps=0)
    if chosen.worker:
        worker(chosen.worker, chosen.steps)
        return
    folder, caches = harness.own_caches()
    commands = {
        f"{name}, k = {steps:,}": (
            ["-m", "benchmarks.bench_power_memory", "--worker", worker, "--steps", str(steps)],
            caches,
        )
        for name, worker in {
            "workbench": "workbench",
            "NumPy": "numpy",
            "NumPy, all values kept (what the figure shows if they are)": "numpy-kept",
            "jax.lax.fori_loop": "jax",
            "pytensor.scan": "pytensor",
        }.items()
        for steps in STEPS
    }
    with folder:
        samples, absent, _ = harness.take_turns_fresh(commands, chosen.rounds)
    what = f"Growth of peak memory over A**k, A of {SIZE:,} float64 ({SIZE * 8 / 2**20:.1f} MB)"
    harness.finish(
        harness.Measurement("power_memory", what, "megabytes", chosen.rounds, samples, absent)
    )


if __name__ == "__main__":
    main()
