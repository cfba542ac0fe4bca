"""The tutorial's logistic regression on 400 × 784 random data, once per contender.

Each function returns `steps(n)`, which trains n more steps and returns the weights.
Theano's text stays as it is (the compilers stabilise it); NumPy and jax get the stable form that
their users write by hand.
"""

from __future__ import annotations

import numpy as np

SAMPLES, FEATURES = 400, 784
RATE, DECAY = 0.1, 0.01


def data():
    """Inputs, labels and first weights, float64, the same for all."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((SAMPLES, FEATURES))
    y = rng.integers(0, 2, SAMPLES).astype("float64")
    return x, y, rng.standard_normal(FEATURES)


def numpy_steps():
    x, y, w = data()
    b = 0.0

    def step():
        nonlocal w, b
        z = x @ w + b
        tail = np.exp(-np.abs(z))
        xent = np.maximum(z, 0) - y * z + np.log1p(tail)
        p = np.where(z >= 0, 1.0, tail) / (1 + tail)
        error = (p - y) / SAMPLES
        gw = error @ x + 2 * DECAY * w
        w = w - RATE * gw
        b = b - RATE * error.sum()
        return p > 0.5, xent

    def steps(n):
        for _ in range(n):
            step()
        return w

    return steps


def symbolic_steps(function, shared, grad, T):
    """The tutorial's own text, for every library that speaks it."""
    data_x, data_y, start = data()
    x = T.dmatrix("x")
    y = T.dvector("y")
    w = shared(start, name="w")
    b = shared(0.0, name="b")
    p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))
    prediction = p_1 > 0.5
    xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)
    cost = xent.mean() + DECAY * (w**2).sum()
    gw, gb = grad(cost, [w, b])
    updates = [(w, w - RATE * gw), (b, b - RATE * gb)]
    train = function(inputs=[x, y], outputs=[prediction, xent], updates=updates)

    def steps(n):
        for _ in range(n):
            train(data_x, data_y)
        return w.get_value()

    return steps


def workbench_steps():
    import workbench as wb
    import workbench.tensor as T

    return symbolic_steps(wb.function, wb.shared, wb.grad, T)


def pytensor_steps():
    import pytensor
    import pytensor.tensor as pt

    return symbolic_steps(pytensor.function, pytensor.shared, pytensor.grad, pt)


def jax_step():
    """The step and its first state; jitted by the caller."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def loss(state, x, y):
        w, b = state
        z = x @ w + b
        xent = jax.nn.softplus(z) - y * z
        return xent.mean() + DECAY * (w**2).sum(), (z > 0, xent)

    def step(state, x, y):
        gradient, outputs = jax.grad(loss, has_aux=True)(state, x, y)
        return tuple(v - RATE * g for v, g in zip(state, gradient, strict=True)), outputs

    x, y, w = data()
    return jax, step, (jnp.asarray(w), jnp.asarray(0.0)), jnp.asarray(x), jnp.asarray(y)


def jax_steps():
    jax, step, state, x, y = jax_step()
    jitted = jax.jit(step)

    def steps(n):
        nonlocal state
        outputs = None
        for _ in range(n):
            state, outputs = jitted(state, x, y)
        jax.block_until_ready((state, outputs))
        return np.asarray(state[0])

    return steps


def jax_loop_steps():
    """The whole loop as one jax program: what a user writes who needs no output of a step."""
    jax, step, state, x, y = jax_step()

    @jax.jit
    def loop(n, state, x, y):
        return jax.lax.fori_loop(0, n, lambda _, state: step(state, x, y)[0], state)

    def steps(n):
        nonlocal state
        state = jax.block_until_ready(loop(n, state, x, y))
        return np.asarray(state[0])

    return steps
