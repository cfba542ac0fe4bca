"""`import workbench` against `import numpy`, each in a fresh process, alternating."""

from __future__ import annotations

from benchmarks import harness

PROGRAM = "import time; t = time.perf_counter(); import {}; print((time.perf_counter() - t) * 1e3)"


def main() -> None:
    """Time inside each process, so the interpreter's own start is left out."""
    chosen = harness.options(12, __doc__)
    commands = {
        name: (["-c", PROGRAM.format(module)], {})
        for name, module in {
            "workbench": "workbench",
            "workbench.tensor": "workbench.tensor",
            "numpy": "numpy",
            "jax": "jax",
            "pytensor": "pytensor.tensor",
        }.items()
    }
    samples, absent, _ = harness.take_turns_fresh(commands, chosen.rounds)
    harness.finish(
        harness.Measurement(
            "import", "Import, fresh processes", "milliseconds", chosen.rounds, samples, absent
        )
    )


if __name__ == "__main__":
    main()
