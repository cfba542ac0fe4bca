"""A recurrent network: h[t] = tanh(x[t] @ U + h[t-1] @ W + b), all h[t] returned, float32."""

from __future__ import annotations

from benchmarks import harness


def main() -> None:
    """One call over the whole sequence a round; the results are compared with NumPy's."""
    chosen = harness.options(40, __doc__, steps=1_000, hidden=64)
    import numpy as np

    steps, hidden = chosen.steps, chosen.hidden
    rng = np.random.default_rng(0)
    xs = rng.standard_normal((steps, hidden)).astype("float32")
    u, w = (rng.standard_normal((2, hidden, hidden)) / np.sqrt(hidden)).astype("float32")
    b = rng.standard_normal(hidden).astype("float32")
    h0 = np.zeros(hidden, "float32")

    def plain():
        h, out = h0, np.empty((steps, hidden), "float32")
        for t in range(steps):
            out[t] = h = np.tanh(xs[t] @ u + h @ w + b)
        return out

    def tuned():
        out = xs @ u
        out += b
        product, h = np.empty_like(h0), h0
        for row in out:
            np.dot(h, w, out=product)
            row += product
            h = np.tanh(row, out=row)
        return out

    reference = plain()

    def checked(run):
        np.testing.assert_allclose(run(), reference, rtol=1e-3, atol=1e-4)
        return run

    def symbolic(T, function, scan, first):
        x, h, U, W, c = (
            T.fmatrix("x"),
            T.fvector("h"),
            T.fmatrix("U"),
            T.fmatrix("W"),
            T.fvector("b"),
        )
        states = first(
            scan(
                fn=lambda x_t, h_t, U, W, c: T.tanh(T.dot(x_t, U) + T.dot(h_t, W) + c),
                sequences=x,
                outputs_info=h,
                non_sequences=[U, W, c],
            )
        )
        f = function([x, h, U, W, c], states)
        return checked(lambda: f(xs, h0, u, w, b))

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

    def jax_scan(hoist):
        def make():
            import jax
            import jax.numpy as jnp

            @jax.jit
            def f(x, h, U, W, c):
                if hoist:
                    x, U = x @ U + c, None

                def step(h, x_t):
                    h = jnp.tanh((x_t if hoist else x_t @ U + c) + h @ W)
                    return h, h

                return jax.lax.scan(step, h, x)[1]

            args = [jax.device_put(v) for v in (xs, h0, u, w, b)]
            return checked(lambda: f(*args).block_until_ready())

        return make

    factories = {
        harness.OURS: ours,
        "NumPy": lambda: plain,
        "NumPy, hoisted by hand and in place": lambda: checked(tuned),
        "jax.lax.scan": jax_scan(hoist=False),
        "jax.lax.scan, hoisted by hand": jax_scan(hoist=True),
        "pytensor.scan": pytensor,
    }
    runs, absent = harness.prepare(factories)
    samples = harness.take_turns(runs, chosen.rounds, per=1e6 / steps)
    what = (
        f"One step of a recurrent network, {steps:,} steps a call, {hidden} hidden units, float32"
    )
    harness.finish(
        harness.Measurement(
            "rnn_scan", what, "microseconds a step", chosen.rounds, samples, absent, chosen.threads
        )
    )


if __name__ == "__main__":
    main()
