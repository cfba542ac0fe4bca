"""Hand-made records that look like what the compiler leaves: no compiler is needed to test views."""

# ruff: noqa: E501

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np

from workbench.core.records import (
    History,
    Node,
    PassTime,
    Place,
    Port,
    Profile,
    ProfileRow,
    Refusal,
    ScanTrace,
    Snapshot,
    Span,
    Step,
    Summary,
    Value,
    ValueTable,
    Verdict,
)


def chain(count: int) -> Snapshot:
    """exp(exp(… x)), `count` nodes deep."""
    nodes = [Node(0, "input", "", "x", outputs=(Value("float64"),))]
    for i in range(1, count):
        nodes.append(Node(i, "apply", "Elemwise", "exp", (Port(i - 1),), (Value("float64"),)))
    return Snapshot(tuple(nodes), (0,), (Port(count - 1),))


def random_snapshot(count: int, seed: int = 0, window: int = 12, long: float = 0.08) -> Snapshot:
    """A random graph of `count` nodes: most edges reach back a little, some a lot."""
    draw = random.Random(seed)
    nodes: list[Node] = []
    used: set[int] = set()
    for i in range(count):
        if i < 4 or draw.random() < 0.06:
            kind = draw.choice(["input", "shared", "constant"])
            label = draw.choice(["x", "weights", "b_1", "0.5", "a_rather_long_name_of_an_input"])
            nodes.append(Node(i, kind, "", label, outputs=(Value("float64", (None, 3)),)))
            continue
        reach = i if draw.random() < long else min(i, window)
        inputs = tuple(
            Port(draw.randrange(i - reach, i)) for _ in range(draw.choice([1, 1, 1, 2, 2]))
        )
        used.update(port.node for port in inputs)
        op = draw.choice(["Elemwise", "Dot", "Sum", "DimShuffle"])
        label = draw.choice(
            ["add", "mul", "tanh", "dot", "sum(axis=0)", "log1p", "DimShuffle{x,0}"]
        )
        nodes.append(Node(i, "apply", op, label, inputs, (Value("float64", (None, None)),)))
    outputs = tuple(Port(node.id) for node in nodes if node.id not in used and node.inputs)
    inputs = tuple(node.id for node in nodes if node.kind == "input")
    return Snapshot(tuple(nodes), inputs, outputs)


class Maker:
    """Makes nodes with increasing ids, as a recorder would."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.line = 0

    def leaf(self, kind: str, label: str, *shape: int | None, dtype: str = "float64") -> Port:
        name = label if kind != "constant" else ""
        return self._add(kind, "", label, (), Value(dtype, shape, name))

    def __call__(
        self,
        op: str,
        label: str,
        *inputs: Port,
        shape: tuple[int | None, ...] = (),
        dtype: str = "float64",
        line: int = 0,
        text: str = "",
        detail: str = "",
        inner: Snapshot | None = None,
        name: str = "",
        outputs: tuple[Value, ...] = (),
    ) -> Port:
        places = (Place("Cell 3", line, text),) if line else ()
        value = Value(dtype, shape, name)
        return self._add(
            "apply",
            op,
            label,
            inputs,
            *(outputs or (value,)),
            places=places,
            detail=detail,
            inner=inner,
        )

    def _add(
        self, kind: str, op: str, label: str, inputs: tuple[Port, ...], *values: Value, **more
    ):
        node = Node(len(self.nodes), kind, op, label, inputs, values, **more)
        self.nodes.append(node)
        return Port(node.id)

    def take(self, start: int) -> tuple[Node, ...]:
        return tuple(self.nodes[start:])


VEC, MAT = (None,), (None, 3)


def logistic_history() -> History:
    """Theano's logistic regression with its gradient: about 45 nodes, merged, simplified, fused, with Gemv."""
    m = Maker()
    x, y = m.leaf("input", "x", None, 3), m.leaf("input", "y", None)
    w, b = m.leaf("shared", "w", 3), m.leaf("shared", "b")
    one, one2 = m.leaf("constant", "1.0"), m.leaf("constant", "1.0")
    lam, rate, half = (
        m.leaf("constant", "0.01"),
        m.leaf("constant", "0.1"),
        m.leaf("constant", "0.5"),
    )
    two = m.leaf("constant", "2")
    src = "p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))"
    xw = m("Dot", "dot", x, w, shape=VEC, line=5, text=src)
    neg = m("Elemwise", "neg", xw, shape=VEC, line=5, text=src)
    b_up = m("DimShuffle", "DimShuffle{x}", b, shape=(1,), line=5, text=src)
    z = m("Elemwise", "sub", neg, b_up, shape=VEC, line=5, text=src)
    e = m("Elemwise", "exp", z, shape=VEC, line=5, text=src)
    one_up = m("DimShuffle", "DimShuffle{x}", one, shape=(1,), line=5, text=src)
    s = m("Elemwise", "add", one_up, e, shape=VEC, line=5, text=src)
    one_up2 = m("DimShuffle", "DimShuffle{x}", one2, shape=(1,), line=5, text=src)
    p = m("Elemwise", "true_div", one_up2, s, shape=VEC, line=5, text=src, name="p_1")
    src = "xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)"
    lp = m("Elemwise", "log", p, shape=VEC, line=7, text=src)
    ny = m("Elemwise", "neg", y, shape=VEC, line=7, text=src)
    t1 = m("Elemwise", "mul", ny, lp, shape=VEC, line=7, text=src)
    y1 = m("Elemwise", "sub", one_up, y, shape=VEC, line=7, text=src)
    p1 = m("Elemwise", "sub", one_up, p, shape=VEC, line=7, text=src)
    lp1 = m("Elemwise", "log", p1, shape=VEC, line=7, text=src)
    t2 = m("Elemwise", "mul", y1, lp1, shape=VEC, line=7, text=src)
    xent = m("Elemwise", "sub", t1, t2, shape=VEC, line=7, text=src, name="xent")
    src = "cost = xent.mean() + 0.01 * (w ** 2).sum()"
    total = m("Sum", "sum", xent, line=8, text=src)
    size = m("Shape_i", "shape[0]", xent, dtype="int64", line=8, text=src)
    mean = m("Elemwise", "true_div", total, size, line=8, text=src)
    two_up = m("DimShuffle", "DimShuffle{x}", two, shape=(1,), line=8, text=src)
    w2 = m("Elemwise", "pow", w, two_up, shape=(3,), line=8, text=src)
    ws = m("Sum", "sum", w2, line=8, text=src)
    reg = m("Elemwise", "mul", lam, ws, line=8, text=src)
    cost = m("Elemwise", "add", mean, reg, line=8, text=src, name="cost")
    src = "gw, gb = T.grad(cost, [w, b])"
    d1 = m("Elemwise", "true_div", t1, p, shape=VEC, line=9, text=src)
    d2 = m("Elemwise", "true_div", t2, p1, shape=VEC, line=9, text=src)
    d3 = m("Elemwise", "sub", d1, d2, shape=VEC, line=9, text=src)
    pp = m("Elemwise", "mul", p, p1, shape=VEC, line=9, text=src)
    dz = m("Elemwise", "mul", d3, pp, shape=VEC, line=9, text=src)
    dzn = m("Elemwise", "true_div", dz, size, shape=VEC, line=9, text=src)
    xt = m("DimShuffle", "transpose", x, shape=(3, None), line=9, text=src)
    gw0 = m("Dot", "dot", xt, dzn, shape=(3,), line=9, text=src)
    w_twice = m("Elemwise", "mul", two_up, w, shape=(3,), line=9, text=src)
    lam_up = m("DimShuffle", "DimShuffle{x}", lam, shape=(1,), line=9, text=src)
    reg_g = m("Elemwise", "mul", lam_up, w_twice, shape=(3,), line=9, text=src)
    gw = m("Elemwise", "add", gw0, reg_g, shape=(3,), line=9, text=src, name="gw")
    gb = m("Sum", "sum", dzn, line=9, text=src, name="gb")
    src = "updates=[(w, w - 0.1 * gw), (b, b - 0.1 * gb)]"
    rate_up = m("DimShuffle", "DimShuffle{x}", rate, shape=(1,), line=13, text=src)
    step_w = m("Elemwise", "mul", rate_up, gw, shape=(3,), line=13, text=src)
    new_w = m("Elemwise", "sub", w, step_w, shape=(3,), line=13, text=src)
    step_b = m("Elemwise", "mul", rate, gb, line=13, text=src)
    new_b = m("Elemwise", "sub", b, step_b, line=13, text=src)
    pred = m(
        "Elemwise", "gt", p, half, shape=VEC, dtype="bool", line=6, text="prediction = p_1 > 0.5"
    )
    first = Snapshot(
        m.take(0), (x.node, y.node, w.node, b.node), (pred, cost, new_w, new_b), name="logreg"
    )

    steps: list[Step] = []

    def step(phase, rule, equation, old, new, start, gone=(), reason="", us=40):
        steps.append(
            Step(
                phase, rule, equation, reason or f"the rule {rule} matches",
                f"workbench/core/rewrite/{phase}.py:{30 + len(steps) * 7}",
                tuple(port.node for port in (*old, *gone)), m.take(start), tuple(zip(old, new)),
                seconds=us * 1e-6,
            )
        )  # fmt: skip

    here = len(m.nodes)
    step("merge", "merge_equal", "", [one2], [one], here, reason="equal constants are one node")
    step(
        "merge",
        "merge_equal",
        "",
        [one_up2],
        [one_up],
        here,
        reason="the same op on the same inputs",
    )
    one_p = m("Elemwise", "sigmoid", m("Elemwise", "neg", z, shape=VEC), shape=VEC, name="p_1")
    step(
        "canonicalise",
        "sigmoid_from_exp",
        "1 / (1 + exp(-x)) → sigmoid(x)",
        [p],
        [one_p],
        here,
        [e, s],
    )
    here = len(m.nodes)
    z2 = m("Elemwise", "add", xw, b_up, shape=VEC)
    step(
        "canonicalise",
        "neg_sub_neg",
        "-(-x - y) → x + y",
        [Port(one_p.node - 1)],
        [z2],
        here,
        [neg, z],
    )
    here = len(m.nodes)
    sq = m("Elemwise", "sqr", w, shape=(3,))
    step("canonicalise", "pow_two", "x ** 2 → sqr(x)", [w2], [sq], here, us=22)
    here = len(m.nodes)
    sp = m(
        "Elemwise",
        "neg",
        m("Elemwise", "softplus", m("Elemwise", "neg", z2, shape=VEC), shape=VEC),
        shape=VEC,
    )
    step("stabilise", "log_sigmoid", "log(sigmoid(x)) → -softplus(-x)", [lp], [sp], here, us=85)
    here = len(m.nodes)
    sp1 = m("Elemwise", "neg", m("Elemwise", "softplus", z2, shape=VEC), shape=VEC)
    step(
        "stabilise",
        "log1p_neg_sigmoid",
        "log(1 - sigmoid(x)) → -softplus(x)",
        [lp1],
        [sp1],
        here,
        us=71,
    )
    here = len(m.nodes)
    dz2 = m("Elemwise", "sub", one_p, y, shape=VEC)
    step(
        "stabilise", "sigmoid_cross_entropy_gradient", "(t1 / p - t2 / (1-p)) * p * (1-p) → p - y",
        [dz], [dz2], here, [d1, d2, d3, pp, p1], us=160,
    )  # fmt: skip
    here = len(m.nodes)
    size2 = m("Shape_i", "shape[0]", y, dtype="int64")
    step(
        "specialise",
        "shape_of_elemwise",
        "shape(f(x, y))[i] → shape(y)[i]",
        [size],
        [size2],
        here,
        us=18,
    )
    here = len(m.nodes)
    k = m.leaf("constant", "0.02")
    reg_g2 = m("Elemwise", "mul", m("DimShuffle", "DimShuffle{x}", k, shape=(1,)), w, shape=(3,))
    step(
        "specialise",
        "fold_constants",
        "a * (b * x) → (a * b) * x",
        [reg_g],
        [reg_g2],
        here,
        [w_twice, lam_up],
    )
    here = len(m.nodes)
    gemv = m("Gemv", "Gemv", b_up, one, x, w, one, shape=VEC, detail="Gemv(y, alpha, A, x, beta)")
    step(
        "blas",
        "dot_to_gemv",
        "dot(A, x) + y → gemv(y, 1, A, x, 1)",
        [z2],
        [gemv],
        here,
        [xw],
        us=55,
    )
    here = len(m.nodes)
    gemv2 = m(
        "Gemv", "Gemv", reg_g2, one, xt, dzn, one, shape=(3,), detail="Gemv(y, alpha, A, x, beta)"
    )
    step(
        "blas",
        "dot_to_gemv",
        "dot(A, x) + y → gemv(y, 1, A, x, 1)",
        [gw],
        [gemv2],
        here,
        [gw0],
        us=51,
    )
    here = len(m.nodes)
    body = Maker()
    i0, i1, n = (
        body.leaf("input", "z", None),
        body.leaf("input", "y", None),
        body.leaf("input", "n"),
    )
    d = body("Elemwise", "sub", body("Elemwise", "sigmoid", i0), i1)
    inner = Snapshot(body.take(0), (0, 1, 2), (body("Elemwise", "true_div", d, n),))
    inner = Snapshot(body.take(0), (0, 1, 2), inner.outputs)
    comp = m(
        "Elemwise",
        "Composite{(σ(i0) - i1) / i2}",
        gemv,
        y,
        size2,
        shape=VEC,
        inner=inner,
        detail="(sigmoid(i0) - i1) / i2",
    )
    step("fuse", "fuse_map_map", "f(g(x)) → (f∘g)(x)", [dzn], [comp], here, [dz2], us=120)
    here = len(m.nodes)
    body = Maker()
    i0, i1 = body.leaf("input", "z", None), body.leaf("input", "y", None)
    a = body("Elemwise", "softplus", body("Elemwise", "neg", i0))
    c = body(
        "Elemwise",
        "mul",
        body("Elemwise", "sub", body.leaf("constant", "1.0"), i1),
        body("Elemwise", "softplus", i0),
    )
    out = body("Elemwise", "add", body("Elemwise", "mul", i1, a), c)
    inner = Snapshot(body.take(0), (0, 1), (out,))
    loss = m(
        "Elemwise", "Composite{y·softplus(-z) + …}", gemv, y, shape=VEC, inner=inner, name="xent"
    )
    gone = [t1, t2, ny, y1, sp, Port(sp.node - 1), Port(sp.node - 2), sp1, Port(sp1.node - 1)]
    step("fuse", "fuse_map_map", "f(g(x)) → (f∘g)(x)", [xent], [loss], here, gone, us=140)
    refused = (
        Refusal("stabilise", "log_of_product", mean.node, "the sign of xent is not known"),
        Refusal("fuse", "fuse_reduction", total.node, "xent is also read by shape[0]"),
    )
    passes = (
        PassTime("merge", 2, 60, 2.1e-4), PassTime("canonicalise", 3, 57, 9.0e-4),
        PassTime("stabilise", 3, 52, 1.4e-3), PassTime("specialise", 2, 50, 3.9e-4),
        PassTime("dead_code", 0, 50, 5e-5), PassTime("blas", 2, 48, 3.0e-4),
        PassTime("fuse", 2, 36, 6.0e-4), PassTime("inplace", 0, 36, 2e-5),
    )  # fmt: skip
    return History(first, tuple(steps), refused, passes)


def summary_of(array: np.ndarray) -> Summary:
    """A summary such as a recorder would make."""
    flat = np.asarray(array, dtype=float).ravel()
    good = flat[np.isfinite(flat)]
    histogram = tuple(int(n) for n in np.histogram(good, 16)[0]) if len(good) else ()
    stats = [float(f(good)) if len(good) else None for f in (np.min, np.max, np.mean, np.std)]
    return Summary(
        tuple(array.shape), str(array.dtype), *stats, int(np.isnan(flat).sum()),
        int(np.isinf(flat).sum()), int((flat == 0).sum()), histogram, tuple(flat[:16].tolist()),
    )  # fmt: skip


def values_of(snapshot: Snapshot, seed: int = 0) -> ValueTable:
    """Random values of plausible shapes for every port of `snapshot`."""
    draw = np.random.default_rng(seed)
    rows = []
    for node in snapshot:
        for i, value in enumerate(node.outputs):
            shape = tuple(150 if n is None else n for n in value.shape)
            array = np.asarray(draw.normal(draw.normal(), 1 + draw.random(), shape))
            if node.kind == "constant":
                array = np.asarray(float(node.label))
            rows.append((Port(node.id, i), summary_of(array)))
    return ValueTable(tuple(rows), "values for x=150×3, y=150")


def profile_of(snapshot: Snapshot, seed: int = 0) -> Profile:
    """Random but plausible times for every apply node of `snapshot`."""
    draw = random.Random(seed)
    rows = []
    for node in snapshot:
        if node.kind != "apply":
            continue
        median = draw.lognormvariate(-12, 1.2)
        size = 8 * 150 * (1 + len(node.inputs))
        rows.append(
            ProfileRow(
                node.id, node.op, node.label, 100, 100 * median * 1.1, median, median / 5, size, 300
            )
        )
        for inner in node.inner or () if node.op == "Scan" else ():
            if inner.kind == "apply":
                t = median / 8
                rows.append(
                    ProfileRow(
                        inner.id, inner.op, inner.label, 4000, 4000 * t, t, t / 9, parent=node.id
                    )
                )
    total = sum(row.seconds for row in rows if row.parent is None)
    stages = (
        ("record", 2e-4),
        ("rewrite", 4.1e-3),
        ("schedule", 6e-4),
        ("lower", 2.2e-3),
        ("llvm", 1.9e-2),
    )
    return Profile(
        tuple(rows),
        100,
        total * 1.15,
        0.02,
        stages,
        ("timing each op costs 0.02 s, 2% of the run",),
    )


def device_profile_of(snapshot: Snapshot) -> Profile:
    """The same with every second node on a device, the processor beside it, and a timeline."""
    plain = profile_of(snapshot)
    outer = [row for row in plain.rows if row.parent is None]
    moved = outer[::2]
    rows = tuple(
        replace(row, device="cuda0", form="kernel", launch=2e-6) if row in moved else row
        for row in outer
    )
    spans = tuple(
        Span(row.node, "cuda0", "transfer" if i == 0 else "kernel", i * 1e-5, 8e-6)
        for i, row in enumerate(moved)
    )
    verdicts = tuple(
        Verdict(row.node, i % 2 == 0, "too little work" if i % 2 else "3.0 × quicker")
        for i, row in enumerate(moved)
    )
    host = tuple(replace(row, median=3 * row.median) for row in moved)
    return replace(plain, rows=rows, host=host, verdicts=verdicts, spans=spans)


def scan_history(n_steps: int = 40) -> tuple[History, ScanTrace]:
    """A recurrent loop h = tanh(x·W + h·U + b) whose state turns to nan late, with its trace."""
    body = Maker()
    x_t, h = body.leaf("input", "x_t", 4), body.leaf("input", "h", 4)
    wx, u, b = (
        body.leaf("shared", "W", 4, 4),
        body.leaf("shared", "U", 4, 4),
        body.leaf("input", "b", 4),
    )
    text = "h_t = T.tanh(T.dot(x_t, W) + T.dot(h, U) + b)"
    line: dict[str, Any] = {"shape": (4,), "line": 4, "text": text}
    a = body("Dot", "dot", x_t, wx, **line)
    c = body("Dot", "dot", h, u, **line)
    pre = body("Elemwise", "add", body("Elemwise", "add", a, c, **line), b, **line)
    new = body("Elemwise", "tanh", pre, name="h_t", **line)
    out = body(
        "Sum", "sum", body("Elemwise", "sqr", new, **line), line=5, text="energy = (h_t ** 2).sum()"
    )
    roles = (
        "sequence",
        "recurrent",
        "non_sequence",
        "non_sequence",
        "non_sequence",
        "recurrent",
        "output",
    )
    inner = Snapshot(
        body.take(0), (x_t.node, h.node, wx.node, u.node, b.node), (new, out), "step", roles
    )
    m = Maker()
    xs, h0 = m.leaf("input", "xs", None, 4), m.leaf("input", "h0", 4)
    w, uu, bb = m.leaf("shared", "W", 4, 4), m.leaf("shared", "U", 4, 4), m.leaf("shared", "b", 4)
    n = m("Shape_i", "shape[0]", xs, dtype="int64")
    seq = (Value("float64", (None, 4), "hs"), Value("float64", (None,), "energies"))
    scan = m(
        "Scan", "scan", n, xs, h0, w, uu, bb, inner=inner, outputs=seq, line=8,
        text="hs, updates = wb.scan(step, xs, h0)", detail="Scan over 1 sequence, 1 recurrent state",
    )  # fmt: skip
    mean = m("Mean", "mean", Port(scan.node, 1), line=9, text="energies.mean()")
    last = m("Subtensor", "hs[-1]", scan, shape=(4,), line=9, text="hs[-1]")
    first = Snapshot(m.take(0), (xs.node, h0.node), (mean, last), "rnn")
    here = len(m.nodes)
    last2 = m("Subtensor", "hs[-1] (kept)", scan, shape=(4,))
    steps = (
        Step("scan", "keep_last_state", "scan(f)[-1] → last(scan(f))", "only the last state is read",
             "workbench/core/rewrite/loops.py:12", (last.node,), m.take(here), ((last, last2),), seconds=6e-5),
    )  # fmt: skip
    return History(first, steps), _trace(inner, scan.node, n_steps)


def _trace(inner: Snapshot, node: int, n_steps: int) -> ScanTrace:
    draw = np.random.default_rng(1)
    wx, u, b = draw.normal(size=(4, 4)), draw.normal(size=(4, 4)), draw.normal(size=4) / 9
    h = np.zeros(4)
    columns: dict[Port, list[Summary]] = {
        Port(n.id, i): [] for n in inner for i in range(len(n.outputs))
    }
    for t in range(n_steps):
        x = draw.normal(size=4) * (np.nan if t == n_steps - 6 else 1.0)
        a, c = x @ wx, h @ u
        new = np.tanh(a + c + b)
        for port, value in zip(
            columns, (x, h, wx, u, b, a, c, a + c, a + c + b, new, new**2, np.sum(new**2))
        ):
            columns[port].append(summary_of(np.asarray(value)))
        h = new
    rows = tuple((port, tuple(column)) for port, column in columns.items())
    return ScanTrace("step", node, inner, n_steps, rows)
