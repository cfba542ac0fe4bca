"""What a call costs when the work is nothing: x + y on two vectors of three numbers."""

from __future__ import annotations

from benchmarks import harness


def main() -> None:
    """Time loops of many calls; the loop itself is a contender too."""
    chosen = harness.options(30, __doc__, calls=5_000)
    import numpy as np

    a, b = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
    calls = range(chosen.calls)

    def repeat(f, x=a, y=b):
        np.testing.assert_allclose(f(x, y), a + b)

        def run():
            for _ in calls:
                f(x, y)

        return run

    def symbolic(function, vector):
        x, y = vector("x"), vector("y")
        return function([x, y], x + y)

    def ours():
        import workbench as wb
        import workbench.tensor as T

        return repeat(symbolic(wb.function, T.dvector))

    def pytensor():
        import pytensor
        import pytensor.tensor as pt

        return repeat(symbolic(pytensor.function, pt.dvector))

    def pytensor_trusted():
        import pytensor
        import pytensor.tensor as pt

        f = symbolic(pytensor.function, pt.dvector)
        f.trust_input = True
        return repeat(f)

    def jax_add():
        import jax

        jax.config.update("jax_enable_x64", True)
        return jax.jit(lambda x, y: x + y)

    def jax_own():
        import jax

        f = jax_add()
        return repeat(f, jax.device_put(a), jax.device_put(b))

    factories = {
        harness.OURS: ours,
        "NumPy, x + y in a lambda": lambda: repeat(lambda x, y: x + y),
        "NumPy, np.add": lambda: repeat(np.add),
        "jax.jit, its own arrays": jax_own,
        "jax.jit, NumPy arrays": lambda: repeat(jax_add()),
        "pytensor": pytensor,
        "pytensor, trust_input": pytensor_trusted,
    }
    runs, absent = harness.prepare(factories)
    samples = harness.take_turns(runs, chosen.rounds, per=1e9 / chosen.calls)
    what = f"One call of x + y on two float64 3-vectors, in loops of {chosen.calls:,}"
    harness.finish(
        harness.Measurement(
            "call_overhead",
            what,
            "nanoseconds a call",
            chosen.rounds,
            samples,
            absent,
            chosen.threads,
        )
    )


if __name__ == "__main__":
    main()
