"""A scalar recurrence, s[t] = 0.9 s[t-1] + x[t], all s[t] returned, float64."""

from __future__ import annotations

from benchmarks import harness

A = 0.9


def main() -> None:
    """One call over the whole sequence a round; the results are compared with scipy's filter."""
    chosen = harness.options(20, __doc__, steps=100_000)
    import numpy as np
    from scipy.signal import lfilter

    xs = np.random.default_rng(0).standard_normal(chosen.steps)
    reference = lfilter([1.0], [1.0, -A], xs)

    def checked(run):
        np.testing.assert_allclose(run(), reference, rtol=1e-9, atol=1e-9)
        return run

    def python():
        s, out = 0.0, []
        for x in xs.tolist():
            s = A * s + x
            out.append(s)
        return np.array(out)

    def symbolic(T, function, scan, first):
        x, s = T.dvector("x"), T.dscalar("s")
        states = first(scan(fn=lambda x_t, s_t: A * s_t + x_t, sequences=x, outputs_info=s))
        f = function([x, s], states)
        return checked(lambda: f(xs, 0.0))

    def ours():
        import workbench as wb
        import workbench.tensor as T

        return symbolic(T, wb.function, wb.scan, lambda pair: pair[0])

    def pytensor():
        import pytensor
        import pytensor.tensor as pt

        return symbolic(
            pt,
            pytensor.function,
            lambda **given: pytensor.scan(**given, return_updates=False),
            lambda states: states,
        )

    def jax_scan():
        import jax

        jax.config.update("jax_enable_x64", True)

        @jax.jit
        def f(x, s):
            return jax.lax.scan(lambda s, x_t: (A * s + x_t,) * 2, s, x)[1]

        own = jax.device_put(xs)
        return checked(lambda: f(own, 0.0).block_until_ready())

    factories = {
        harness.OURS: ours,
        "Python floats": lambda: checked(python),
        "scipy.signal.lfilter": lambda: lambda: lfilter([1.0], [1.0, -A], xs),
        "jax.lax.scan": jax_scan,
        "pytensor.scan": pytensor,
    }
    runs, absent = harness.prepare(factories)
    samples = harness.take_turns(runs, chosen.rounds, per=1e9 / chosen.steps)
    what = f"One step of a scalar recurrence, {chosen.steps:,} steps a call, float64"
    harness.finish(
        harness.Measurement(
            "recurrence", what, "nanoseconds a step", chosen.rounds, samples, absent, chosen.threads
        )
    )


if __name__ == "__main__":
    main()
