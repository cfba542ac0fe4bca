"""10,000 training steps of the tutorial's logistic regression, each step's outputs computed."""

from __future__ import annotations

from benchmarks import harness


def main() -> None:
    """Train all contenders side by side, a slice of the steps each round; compare the weights."""
    chosen = harness.options(20, __doc__, steps=10_000)
    import numpy as np

    from benchmarks import logreg

    slice_ = chosen.steps // chosen.rounds
    factories = {
        harness.OURS: logreg.workbench_steps,
        "NumPy": logreg.numpy_steps,
        "jax.jit": logreg.jax_steps,
        "jax.lax.fori_loop (no outputs per step)": logreg.jax_loop_steps,
        "pytensor": logreg.pytensor_steps,
    }
    steps = {}

    def keep(name, factory):
        def make():
            steps[name] = factory()
            return lambda: steps[name](slice_)

        return make

    runs, absent = harness.prepare({name: keep(name, made) for name, made in factories.items()})
    samples = harness.take_turns(runs, chosen.rounds, per=1e6 / slice_)
    reference = steps["NumPy"](0)
    for name in runs:
        if not np.allclose(steps[name](0), reference, rtol=1e-5, atol=1e-8):
            del samples[name]
            absent[name] = "failed: its weights are not NumPy's"
    total = f"{slice_ * chosen.rounds:,} steps each; weights agree with NumPy's to 1e-5."
    what = "One training step, logistic regression 400 × 784, float64"
    unit = "microseconds a step"
    harness.finish(
        harness.Measurement(
            "logreg_steps", what, unit, chosen.rounds, samples, absent, chosen.threads, (total,)
        )
    )


if __name__ == "__main__":
    main()
