"""One of two products of 700 × 700 matrices is wanted: `ifelse` computes it, `switch` both."""

from __future__ import annotations

from benchmarks import harness


def main() -> None:
    """Take turns; what is chosen is the mean of a product."""
    chosen = harness.options(20, __doc__)
    import numpy as np

    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 700, 700))
    wanted = (a @ a).mean()

    def check(f):
        np.testing.assert_allclose(f(1.0, a, b), wanted, rtol=1e-9)
        return lambda: f(1.0, a, b)

    def ours(name):
        import workbench as wb
        import workbench.tensor as T

        c, x, y = T.dscalar("c"), T.dmatrix("x"), T.dmatrix("y")
        choose = wb.ifelse if name == "ifelse" else T.switch
        return check(wb.function([c, x, y], choose(c > 0, T.dot(x, x).mean(), T.dot(y, y).mean())))

    def numpy():
        return check(lambda c, x, y: ((x @ x) if c > 0 else (y @ y)).mean())

    def jax_cond():
        import jax

        jax.config.update("jax_enable_x64", True)
        means = [lambda x, y: (x @ x).mean(), lambda x, y: (y @ y).mean()]
        return check(jax.jit(lambda c, x, y: jax.lax.cond(c > 0, *means, x, y)))

    def pytensor():
        import pytensor
        import pytensor.tensor as pt
        from pytensor.ifelse import ifelse

        c, x, y = pt.dscalar("c"), pt.dmatrix("x"), pt.dmatrix("y")
        means = pt.dot(x, x).mean(), pt.dot(y, y).mean()
        return check(pytensor.function([c, x, y], ifelse(pt.gt(c, 0), *means)))

    runs, absent = harness.prepare(
        {
            f"{harness.OURS}, ifelse": lambda: ours("ifelse"),
            f"{harness.OURS}, switch": lambda: ours("switch"),
            "NumPy, if": numpy,
            "jax.lax.cond": jax_cond,
            "pytensor, ifelse": pytensor,
        }
    )
    samples = harness.take_turns(runs, chosen.rounds, per=1e3)
    what = "The mean of one of two products of 700 × 700 matrices, float64"
    note = "XLA makes no product: the mean of one is a product of means."
    harness.finish(
        harness.Measurement(
            "branches",
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
