"""Graphs of many nodes: 10,000 distinct elementwise nodes with shared parts; a chain of 100,000.

The peers get a tenth of the nodes, and so do we for comparison: with all a run would last minutes.
"""

from __future__ import annotations

import random
import time

from benchmarks import harness


def shared_parts(T, inputs, n: int):
    """`n` elementwise nodes, five a value, no two alike: each value reads two of the last fifty.

    The result is the sum of all values, so that no node is superfluous.
    """
    choose = random.Random(0)
    pool = list(inputs)
    for i in range(n // 5):
        a, b, share = choose.choice(pool[-50:]), choose.choice(pool[-50:]), 0.9 * choose.random()
        z = a * share + b * (0.9 - share)
        pool.append((T.tanh(z), abs(z), T.maximum(z, a))[i % 3])
    return sum_in_pairs(pool[len(inputs) :])


def sum_in_pairs(values):
    """One value from many, as a balanced tree."""
    while len(values) > 1:
        odd = values[len(values) // 2 * 2 :]
        values = [a + b for a, b in zip(values[::2], values[1::2], strict=False)] + odd
    return values[0]


def chain(T, x, n: int):
    """`n` nodes, one after the other, that no algebra folds."""
    for _ in range(n // 2):
        x = T.tanh(x) + x
    return x


def timed(build, compile_, call, optimise=None):
    """Seconds of building, optimising alone if asked, all of compiling, and a first call."""

    def run():
        before = time.perf_counter()
        graph = build()
        stages = {"build": time.perf_counter() - before}
        if optimise is not None:
            before = time.perf_counter()
            optimise(graph)
            stages["optimise"] = time.perf_counter() - before
        built = time.perf_counter()
        function = compile_(graph)
        compiled = time.perf_counter()
        call(function)
        called = time.perf_counter()
        return {**stages, "optimise and compile": compiled - built, "first call": called - compiled}

    return run


def main() -> None:
    """The same graph from the same seed for all; NumPy's evaluation checks the results."""
    chosen = harness.options(3, __doc__, nodes=10_000, chain=100_000)
    import numpy as np

    a, b = np.linspace(-1, 1, 8), np.linspace(0, 2, 8)

    def symbolic(T, compile_, inputs, graph, n, optimise=None):
        x, y = inputs
        build = (
            (lambda: shared_parts(T, [x, y], n)) if graph == "shared" else lambda: chain(T, x, n)
        )
        reference = shared_parts(np, [a, b], n) if graph == "shared" else None

        def call(f):
            result = f(a, b)
            if reference is not None:
                np.testing.assert_allclose(result, reference, rtol=1e-6, atol=1e-6)

        def function(graph):
            return compile_([x, y], graph, on_unused_input="ignore")

        return timed(build, function, call, optimise)

    def ours(graph, n):
        def make():
            import workbench as wb
            import workbench.tensor as T
            from workbench.core.rewrite import optimise

            wb.config.cache = False
            inputs = T.dvector("x"), T.dvector("y")

            return symbolic(T, wb.function, inputs, graph, n, lambda graph: optimise([graph]))

        return make

    def pytensor(graph, n):
        def make():
            import pytensor
            import pytensor.tensor as pt

            return symbolic(pt, pytensor.function, (pt.dvector("x"), pt.dvector("y")), graph, n)

        return make

    def jax(n):
        def make():
            import jax
            import jax.numpy as jnp

            jax.config.update("jax_enable_x64", True)

            def run():
                f = jax.jit(lambda x, y: shared_parts(jnp, [x, y], n))
                reference = shared_parts(np, [a, b], n)
                before = time.perf_counter()
                np.testing.assert_allclose(f(a, b), reference, rtol=1e-6)
                return {"trace, compile and call": time.perf_counter() - before}

            return run

        return make

    nodes, tenth = chosen.nodes, chosen.nodes // 10
    factories = {
        f"workbench, {nodes:,} nodes": ours("shared", nodes),
        f"workbench, {tenth:,} nodes": ours("shared", tenth),
        f"workbench, chain of {chosen.chain:,}": ours("chain", chosen.chain),
        f"jax.jit, {tenth:,} nodes": jax(tenth),
        f"pytensor, {tenth:,} nodes": pytensor("shared", tenth),
    }
    runs, absent = harness.prepare(factories)
    samples: dict[str, list[float]] = {}
    for _ in range(chosen.rounds):
        for name, run in runs.items():
            for stage, seconds in run().items():
                samples.setdefault(f"{name}: {stage}", []).append(seconds)
    what = "Graphs of many elementwise nodes, the stages until the first result"
    harness.finish(
        harness.Measurement(
            "big_graph", what, "seconds", chosen.rounds, samples, absent, chosen.threads
        )
    )


if __name__ == "__main__":
    main()
