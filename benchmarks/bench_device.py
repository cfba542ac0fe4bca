"""On a GPU, beside cupy, torch and jax: exp with a borrowed result, a fused chain against the
memory's bandwidth, a training step, a recurrent network.

    python -m benchmarks.bench_device                    # the best accelerator that is there
    python -m benchmarks.bench_device --device opencl0   # any device; peers without one are absent
"""

from __future__ import annotations

import os
import re
from argparse import Namespace
from itertools import pairwise
from typing import Any

from benchmarks import harness

CALLS = 1_000


def main() -> None:
    """All four, each saved with the device's name."""
    os.environ.setdefault("JAX_PLATFORMS", "")  # what jax finds
    chosen = harness.options(
        20, __doc__, device="auto", elements=100_000_000, batch=512, hidden=1024, steps=1_000,
        units=256,
    )  # fmt: skip
    import workbench as wb
    from workbench.core.devices import find, plugin

    name = plugin().automatic() if chosen.device == "auto" else chosen.device
    if name is None:
        print("device: there is no accelerator; --device opencl0 measures another device")
        return
    device: Any = find(name)
    with wb.config.change(device=name, floatX="float32"):
        parts = (exp_with_borrow, fused_chain, training_step, recurrent_network)
        harness.finish(*(measured(part, chosen, device) for part in parts))


def measured(part: Any, chosen: Namespace, device: Any) -> harness.Measurement:
    """One part: it gives its title, its unit with a factor, notes, and contenders by name."""
    what, unit, per, notes, factories = part(chosen, device)
    runs, absent = harness.prepare(factories)
    samples = harness.take_turns(runs, chosen.rounds, per)
    slug = re.sub(r"\W+", "_", device.title).strip("_").lower()
    name = f"{part.__name__}_{slug}"
    told = (f"On {device.title}, {device.driver.units} units.", *notes)
    return harness.Measurement(
        name, what, unit, chosen.rounds, samples, absent, chosen.threads, told
    )


def exp_with_borrow(chosen: Namespace, device: Any) -> Any:
    """The tutorial's third program: the call queues one kernel, into the same memory every time."""
    import numpy as np

    values = np.random.RandomState(22).rand(10 * 30 * 768).astype("float32")

    def ours():
        import workbench as wb
        import workbench.tensor as T

        x = wb.shared(values)
        out = wb.Out(T.exp(x).transfer(device.name), borrow=True)
        f = wb.function([], out)
        np.testing.assert_allclose(np.asarray(f()), np.exp(values), rtol=1e-6)
        return repeated(f, device.finish)

    def cupy():
        import cupy

        x = cupy.asarray(values)
        out = cupy.empty_like(x)
        return repeated(lambda: cupy.exp(x, out=out), cupy.cuda.Device().synchronize)

    def torch():
        import torch

        x = torch.from_numpy(values).cuda()
        out = torch.empty_like(x)
        return repeated(lambda: torch.exp(x, out=out), torch.cuda.synchronize)

    def jax():
        import jax
        import jax.numpy as jnp

        x, f = jax.device_put(values, on_gpu()), jax.jit(jnp.exp)

        def run():
            for _ in range(CALLS):
                out = f(x)
            out.block_until_ready()

        return run

    what = f"exp of {values.size:,} float32 on the device, a call of {CALLS:,} in a row"
    contenders = {harness.OURS: ours, "cupy": cupy, "torch": torch, "jax.jit": jax}
    return what, "µs a call", 1e6 / CALLS, (), contenders


def repeated(call: Any, wait: Any) -> harness.Run:
    """Many calls, then the end of the last."""

    def run():
        for _ in range(CALLS):
            call()
        wait()

    return run


def on_gpu() -> Any:
    """jax's first GPU. Raises RuntimeError where it has none: nothing else is comparable."""
    import jax

    return jax.devices("gpu")[0]


def fused_chain(chosen: Namespace, device: Any) -> Any:
    """Two arrays in, one out, and a dozen operations between; a copy shows what memory can do."""
    import numpy as np

    n = chosen.elements
    a, b = (np.random.default_rng(k).random(n, dtype="float32") for k in (1, 2))

    def chain(lib: Any, x: Any, y: Any) -> Any:
        return lib.tanh(x * y + 0.5) * lib.exp(-x) + lib.sqrt(y) * (x - 2) ** 2

    def ours():
        import workbench as wb
        import workbench.tensor as T

        x, y = wb.shared(a), wb.shared(b)
        f = wb.function([], wb.Out(chain(T, x, y).transfer(device.name), borrow=True))
        found = np.asarray(f())[:1000]
        np.testing.assert_allclose(found, chain(np, a[:1000], b[:1000]), rtol=1e-4, atol=1e-5)
        return lambda: (f(), device.finish())

    def copy():
        source, into = device.array(a), device.empty((n,), "float32")
        size = source.nbytes

        def run():
            for _ in range(3):  # 2/3 of the bytes each time, together twice the chain's
                device.driver.copy(into.block.address, source.block.address, size)
            device.finish()

        return run

    def cupy():
        import cupy

        x, y = cupy.asarray(a), cupy.asarray(b)
        wait = cupy.cuda.Device().synchronize
        return lambda: (chain(cupy, x, y), wait())

    def torch():
        import torch

        x, y = torch.from_numpy(a).cuda(), torch.from_numpy(b).cuda()
        return lambda: (chain(torch, x, y), torch.cuda.synchronize())

    def jax():
        import jax
        import jax.numpy as jnp

        x, y = (jax.device_put(v, on_gpu()) for v in (a, b))
        f = jax.jit(lambda x, y: chain(jnp, x, y))
        return lambda: f(x, y).block_until_ready()

    what = f"tanh(x y + 1/2) exp(-x) + sqrt(y) (x - 2)² of {n:,} float32"
    moved = 3 * 4 * n / 1e9
    notes = (
        f"The chain moves {moved:.3g} GB, 'three copies' twice that: half their time is the limit.",
    )
    contenders = {
        harness.OURS: ours, "three copies": copy, "cupy": cupy, "torch": torch, "jax.jit": jax,
    }  # fmt: skip
    return what, "ms", 1e3, notes, contenders


def training_step(chosen: Namespace, device: Any) -> Any:
    """Two hidden layers, softmax, gradient descent; data and weights stay on the device."""
    import numpy as np

    rng = np.random.default_rng(3)
    sizes = (784, chosen.hidden, chosen.hidden, 10)
    x = rng.standard_normal((chosen.batch, sizes[0])).astype("float32")
    y = rng.integers(0, 10, chosen.batch)
    shapes = list(pairwise(sizes))
    weights = [rng.standard_normal(s).astype("float32") / np.float32(s[0] ** 0.5) for s in shapes]
    rate = np.float32(0.01)

    def ours():
        import workbench as wb
        import workbench.tensor as T

        data, labels = wb.shared(x), wb.shared(y)
        ws = [wb.shared(w) for w in weights]
        bs = [wb.shared(np.zeros(w.shape[1], "float32")) for w in weights]
        h: Any = data
        for w, b in zip(ws[:-1], bs[:-1]):
            h = T.tanh(T.dot(h, w) + b)
        p = T.nnet.softmax(T.dot(h, ws[-1]) + bs[-1])
        cost = T.nnet.categorical_crossentropy(p, labels).mean()
        parameters = [*ws, *bs]
        updates = [(v, v - rate * g) for v, g in zip(parameters, wb.grad(cost, parameters))]
        f = wb.function([], [], updates=updates)
        return lambda: (f(), device.finish())

    def torch():
        import torch

        data, labels = torch.from_numpy(x).cuda(), torch.from_numpy(y).cuda()
        layers: list[Any] = []
        for n, m in shapes:
            layers += [torch.nn.Linear(n, m), torch.nn.Tanh()]
        net = torch.nn.Sequential(*layers[:-1]).cuda()
        descent = torch.optim.SGD(net.parameters(), lr=0.01)
        loss = torch.nn.CrossEntropyLoss()

        def run():
            descent.zero_grad()
            loss(net(data), labels).backward()
            descent.step()
            torch.cuda.synchronize()

        return run

    def jax(precision: str | None = None):
        import jax
        import jax.numpy as jnp

        gpu = on_gpu()
        data, labels = jax.device_put(x, gpu), jax.device_put(y, gpu)
        start = [(jax.device_put(w, gpu), jnp.zeros(w.shape[1], "float32")) for w in weights]

        def cost(parameters: Any) -> Any:
            h: Any = data
            for w, b in parameters[:-1]:
                h = jnp.tanh(jnp.dot(h, w, precision=precision) + b)
            w, b = parameters[-1]
            logs = jax.nn.log_softmax(jnp.dot(h, w, precision=precision) + b)
            return -jnp.take_along_axis(logs, labels[:, None], 1).mean()

        @jax.jit
        def step(parameters: Any) -> Any:
            slopes = jax.grad(cost)(parameters)
            return jax.tree.map(lambda v, g: v - 0.01 * g, parameters, slopes)

        held = [start]

        def run():
            held[0] = step(held[0])
            jax.block_until_ready(held[0])

        return run

    what = f"a training step of a network {' → '.join(map(str, sizes))}, batch {chosen.batch}"
    contenders = {
        harness.OURS: ours, "torch, eager": torch, "jax.jit": lambda: jax("highest"),
        "jax.jit, products in TF32": jax,
    }  # fmt: skip
    return (
        what,
        "ms",
        1e3,
        ("Products are of float32 throughout where nothing else is said.",),
        contenders,
    )


def recurrent_network(chosen: Namespace, device: Any) -> Any:
    """h = tanh(x + h W), the last state; the sequence lies on the device."""
    import numpy as np

    steps, units = chosen.steps, chosen.units
    rng = np.random.default_rng(4)
    xs = rng.standard_normal((steps, units)).astype("float32")
    w = (rng.standard_normal((units, units)) / units**0.5 / 2).astype("float32")

    def ours():
        import workbench as wb
        import workbench.tensor as T

        X, W = wb.shared(xs), wb.shared(w)
        start = wb.shared(np.zeros(units, "float32"))
        states, _ = wb.scan(lambda x, h: T.tanh(x + T.dot(h, W)), X, start)
        f = wb.function([], states[-1].transfer(device.name))
        expected = np.zeros(units, "float32")
        for x in xs:
            expected = np.tanh(x + expected @ w)
        np.testing.assert_allclose(np.asarray(f()), expected, rtol=1e-3, atol=1e-4)
        return lambda: (f(), device.finish())

    def jax():
        import jax
        import jax.numpy as jnp

        gpu = on_gpu()
        X, W, start = (jax.device_put(v, gpu) for v in (xs, w, np.zeros(units, "float32")))

        @jax.jit
        def f(X: Any, W: Any, start: Any) -> Any:
            return jax.lax.scan(lambda h, x: (jnp.tanh(x + h @ W), None), start, X)[0]

        return lambda: f(X, W, start).block_until_ready()

    def torch():
        import torch

        X, W = torch.from_numpy(xs).cuda(), torch.from_numpy(w).cuda()

        def run():
            h = torch.zeros(units, device="cuda")
            for x in X:
                h = torch.tanh(x + h @ W)
            torch.cuda.synchronize()

        return run

    what = f"a recurrent network, {steps:,} steps of {units} units, forward"
    contenders = {harness.OURS: ours, "jax.lax.scan": jax, "torch, eager": torch}
    return what, "ms", 1e3, (), contenders


if __name__ == "__main__":
    main()
