"""From "everything imported" to the end of the first call: the tutorial's `train`, fresh processes.

Ours is taken without its cache on disk and with a warm one, pytensor with a warm one; jax keeps
none.
Every library's caches begin empty, so the first round, which is shown apart, is a first use.
"""

from __future__ import annotations

import time

from benchmarks import harness


def worker(name: str) -> None:
    """Import, then print the milliseconds until the first call has ended."""
    from benchmarks import logreg

    if name == "pytensor":
        import pytensor.tensor  # noqa: F401

        make = logreg.pytensor_steps
    elif name == "jax":
        import jax.numpy  # noqa: F401

        make = logreg.jax_steps
    else:
        import workbench.tensor  # noqa: F401

        make = logreg.workbench_steps
    logreg.data()  # the first use of numpy's generators loads them, for all alike
    before = time.perf_counter()
    make()(1)
    print((time.perf_counter() - before) * 1e3)


def main() -> None:
    """Take turns between fresh processes."""
    chosen = harness.options(6, __doc__)
    if chosen.worker:
        worker(chosen.worker)
        return
    folder, caches = harness.own_caches()
    module = ["-m", "benchmarks.bench_logreg_compile", "--threads", str(chosen.threads), "--worker"]
    commands = {
        "workbench, no cache": (
            [*module, "workbench"],
            {**caches, "WORKBENCH_FLAGS": "cache=False"},
        ),
        "workbench, warm cache": ([*module, "workbench"], caches),
        "jax.jit": ([*module, "jax"], caches),
        "pytensor, warm cache": ([*module, "pytensor"], caches),
    }
    with folder:
        samples, absent, first = harness.take_turns_fresh(commands, chosen.rounds)
    told = ", ".join(f"{name} {value:.0f}" for name, value in first.items())
    note = f"The first round, all caches empty: {told}."
    what = "From after the import to the end of the first call of `train`, fresh processes"
    harness.finish(
        harness.Measurement(
            "logreg_compile",
            what,
            "milliseconds",
            chosen.rounds,
            samples,
            absent,
            chosen.threads,
            (note,),
        )
    )


if __name__ == "__main__":
    main()
