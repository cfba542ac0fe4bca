"""A million random numbers: those that NumPy's `RandomState` draws, and of MRG31k3p."""

from __future__ import annotations

from benchmarks import harness

COUNT = 1_000_000


def main() -> None:
    """Every distribution by us and by NumPy, in turn."""
    chosen = harness.options(15, __doc__)
    import numpy as np

    odds = np.linspace(0.1, 0.9, COUNT)
    draws = {
        "uniform": lambda s, p: s.uniform(size=(COUNT,)),
        "normal": lambda s, p: s.normal(size=(COUNT,)),
        "binomial, n = 1, p an array": lambda s, p: s.binomial(size=(COUNT,), n=1, p=p),
    }

    def ours(kind, draw):
        import workbench as wb
        import workbench.tensor.random as random

        p = wb.shared(odds)
        f = wb.function([], draw(getattr(random, kind)(234), p))
        if kind == "RandomStreams":
            np.testing.assert_array_equal(f()[:100], numpy_draws(draw)()[:100])
        return f

    def numpy_draws(draw):
        seed = int(np.random.RandomState(234).randint(2**30))
        state = np.random.RandomState(seed)
        return lambda: draw(state, odds)

    factories = {}
    for name, draw in draws.items():
        for kind in ("RandomStreams", "MRG_RandomStreams"):
            factories[f"{harness.OURS}, {kind}: {name}"] = lambda k=kind, d=draw: ours(k, d)
        factories[f"NumPy, RandomState: {name}"] = lambda d=draw: numpy_draws(d)
    runs, absent = harness.prepare(factories)
    samples = harness.take_turns(runs, chosen.rounds, per=1e3)
    harness.finish(
        harness.Measurement(
            "random",
            "A million random numbers, float64",
            "milliseconds",
            chosen.rounds,
            samples,
            absent,
            chosen.threads,
        )
    )


if __name__ == "__main__":
    main()
