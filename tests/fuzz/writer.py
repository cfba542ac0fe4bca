"""Writes random programs: every line is run on its values as it is written, so that what is drawn
next fits them.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from tests.fuzz import statements as table
from tests.fuzz.programs import Leaf, Line, Program, make_leaf, run_line
from workbench.core.graph import Variable
from workbench.core.interpreter import Interpreter
from workbench.core.types import TensorType
from workbench.errors import WorkbenchError

DTYPES = (
    *["float64"] * 8, *["float32"] * 4, "int64", "int64", "int32", "int8", "uint8", "bool", "bool",
    "uint16", "int16", "uint64", "float16", "float16",
)  # fmt: skip
LAYOUTS = ("plain",) * 5 + ("fortran", "reversed", "strided", "readonly", "spread")
LARGEST = 1e4
MISSED = 0.04
"""How often what is drawn need not fit, so that it may well be refused when it runs."""


class Unfit(Exception):
    """Nothing there is fits what was to be written."""


class Writer:
    """`values` are those by which the next line is chosen; `rough` names were rounded, `smooth`
    ones have a derivative all the way from the inputs.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.leaves: list[Leaf] = []
        self.lines: list[Line] = []
        self.made: dict[str, Any] = {}
        self.values: dict[str, Any] = {}
        self.rough: set[str] = set()
        self.smooth: set[str] = set()
        self.drawn: set[str] = set()
        self.failing: set[str] = set()
        self.count = 0
        self.lengths = [self.random.choice((0, 1, 2, 2, 3, 3, 4, 5, 8, 17)) for _ in range(3)]

    # What there is.

    def name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def pick(self, fits: Any = None) -> str:
        """A name whose value fits, the newest most often."""
        wild = self.random.random() < MISSED
        found = [n for n, v in self.values.items() if wild or fits is None or fits(self.made[n], v)]
        if not found:
            raise Unfit
        if self.random.random() < 0.6:
            found = found[-6:]
        return self.random.choice(found)

    def leaf(self) -> None:
        draw = self.random
        dtype = draw.choice(DTYPES)
        shape = tuple(
            draw.choice([*self.lengths, 1]) for _ in range(draw.choice((0, 1, 1, 2, 2, 2, 3)))
        )
        known = tuple(n if draw.random() < (0.8 if n == 1 else 0.15) else None for n in shape)
        if dtype == "bool":
            array = self.numbers.random(shape) < 0.5
        elif dtype[0] in "iu":
            array = self.numbers.integers(0 if dtype[0] == "u" else -6, 7, shape)
        else:
            array = np.round(self.numbers.normal(size=shape) * draw.choice((0.5, 1, 2)), 2)
        listed = np.asarray(array).tolist()
        text = f"np.zeros({shape}, {dtype!r})" if 0 in shape else f"np.array({listed}, {dtype!r})"
        shared = draw.random() < 0.2
        leaf = Leaf(
            self.name("s" if shared else "x"),
            dtype,
            known,
            text if shared else f"laid({text}, {draw.choice(LAYOUTS)!r})",
        )
        self.leaves.append(leaf)
        self.made[leaf.name], self.values[leaf.name] = make_leaf(leaf), leaf.value()
        self.smooth.add(leaf.name)

    # Lines.

    def add(self, code: str, *, smooth: bool, rough: bool, loop: int = 0) -> None:
        """Write a line where it can be built and gives numbers of a usual size."""
        names = [self.name("v") for _ in range(max(loop, 1))]
        line = Line((*names, self.name("u")) if loop else tuple(names), code)
        made = dict(self.made)
        try:
            run_line(line, made)
        except WorkbenchError as refused:
            raise Unfit from refused
        if not all(isinstance(made[n], Variable) for n in names):
            raise Unfit
        if not all(isinstance(made[n].type, TensorType) for n in names):
            raise Unfit
        values = {}
        given = {self.made[n]: v for n, v in self.values.items()}
        try:
            for n, v in zip(names, Interpreter([made[n] for n in names]).run(given), strict=True):
                values[n] = np.asarray(v)
        except WorkbenchError as refused:
            if self.random.random() > MISSED:
                raise Unfit from refused
            self.failing |= set(names)
        for v in values.values():
            if v.dtype.kind in "fc" and (
                not np.isfinite(v).all() or np.abs(v).max(initial=0) > LARGEST
            ):
                raise Unfit
            if v.size > 4000 or v.dtype.kind == "c":
                raise Unfit
        self.lines.append(line)
        self.made = made
        self.values.update(values)
        reads = line.reads
        for n in names:
            if rough or reads & self.rough:
                self.rough.add(n)
            if smooth and reads <= self.smooth | self.drawn:
                self.smooth.add(n)

    def step(self) -> None:
        """Write one line more."""
        kinds = [self.unary] * 4 + [self.binary] * 4 + [self.reduce] * 2 + [self.along] * 3
        kinds += [self.view] * 3 + [self.row] * 2 + [self.algebra] * 3 + [self.meet] * 2
        kinds += [self.choose] * 2 + [self.take] + [self.draw] + [self.loop] * 3
        self.random.choice(kinds)()

    def fill(self, texts: tuple[str, ...], **words: Any) -> str:
        return self.random.choice(texts).format(**words)

    def unary(self) -> None:
        x = self.pick()
        kind = self.values[x].dtype.kind
        if kind == "f":
            which = self.random.random()
            if which < 0.4 and x not in self.rough:
                return self.add(self.fill(table.JUMPS, x=x), smooth=False, rough=False)
            some = table.SMOOTH if which < 0.75 else table.ROUGH
            return self.add(self.fill(some, x=x), smooth=some is table.SMOOTH, rough=True)
        if kind == "b":
            return self.add(self.fill(table.BOOLEAN, x=x), smooth=False, rough=False)
        text = self.fill(table.INTEGER, x=x)
        self.add(text, smooth=False, rough="T.tanh" in text or "T.sqrt" in text)
        return None

    def beside(self, x: str) -> str:
        return self.pick(lambda t, v: spreads(self.made[x], self.values[x], t, v))

    def binary(self) -> None:
        x = self.pick()
        y = self.beside(x)
        floats = "f" in (self.values[x].dtype.kind, self.values[y].dtype.kind)
        if not floats and self.random.random() < 0.5:
            return self.add(self.fill(table.BOTH_INTEGER, x=x, y=y), smooth=False, rough=False)
        if not {x, y} & self.rough and self.random.random() < 0.3:
            return self.add(self.fill(table.BOTH_EXACT, x=x, y=y), smooth=False, rough=False)
        if self.random.random() < 0.2:
            return self.add(self.fill(table.BOTH_ROUGH, x=x, y=y), smooth=False, rough=floats)
        return self.add(self.fill(table.BOTH, x=x, y=y), smooth=True, rough=True)

    def axes(self, x: str) -> dict[str, Any]:
        ndim = self.values[x].ndim
        if ndim == 0:
            raise Unfit
        one = self.random.randrange(-ndim, ndim)
        several = tuple(self.random.sample(range(ndim), self.random.randint(1, ndim)))
        return {
            "one": one, "a": self.random.choice((None, one, one, several)),
            "k": self.random.random() < 0.3, "i": self.random.randint(-3, 3),
        }  # fmt: skip

    def reduce(self) -> None:
        x = self.pick(lambda t, v: v.ndim > 0)
        words = {"x": x, **self.axes(x)}
        if x not in self.rough and self.random.random() < 0.4:
            exact = self.values[x].dtype.kind != "f"
            return self.add(self.fill(table.REDUCED_EXACT, **words), smooth=False, rough=not exact)
        if self.random.random() < 0.3:
            return self.add(self.fill(table.REDUCED_ROUGH, **words), smooth=False, rough=True)
        return self.add(self.fill(table.REDUCED, **words), smooth=True, rough=True)

    def along(self) -> None:
        x = self.pick(lambda t, v: v.ndim > 0)
        words = {"x": x, **self.axes(x)}
        if self.random.random() < 0.3:
            return self.add(self.fill(table.ALONG_ROUGH, **words), smooth=False, rough=True)
        return self.add(self.fill(table.ALONG, **words), smooth=True, rough=True)

    def view(self) -> None:
        x = self.pick(lambda t, v: v.ndim > 0)
        self.add(
            self.fill(table.VIEWS, x=x, i=self.random.randint(-4, 4)), smooth=True, rough=False
        )

    def row(self) -> None:
        x = self.pick(lambda t, v: v.ndim > 0)
        self.add(self.fill(table.ROW, x=x), smooth=True, rough=False)

    def algebra(self) -> None:
        x = self.pick(lambda t, v: 1 <= v.ndim <= 3)
        some = {1: table.VECTOR, 2: table.MATRIX, 3: table.CUBE}.get(self.values[x].ndim)
        if some is None:
            raise Unfit
        self.add(self.fill(some, x=x), smooth=True, rough=True)

    def meet(self) -> None:
        x = self.pick(lambda t, v: v.ndim in (1, 2))
        n = self.values[x].shape[-1:]
        y = self.pick(lambda t, v: v.ndim in (1, 2) and v.shape[-2:][:1] == n)
        self.add(self.fill(table.MEETING, x=x, y=y), smooth=True, rough=True)

    def choose(self) -> None:
        if self.random.random() < 0.5:
            c = self.pick(lambda t, v: v.ndim == 0 and v.dtype.kind == "b")
            x = self.pick()
            y = self.pick(
                lambda t, v: v.ndim == self.values[x].ndim and v.dtype == self.values[x].dtype
            )
            return self.add(self.fill(table.CHOICE, c=c, x=x, y=y), smooth=False, rough=False)
        c = self.pick(lambda t, v: v.dtype.kind == "b")
        x = self.beside(c)
        return self.add(
            self.fill(table.SWITCH, c=c, x=x, y=self.beside(x)), smooth=False, rough=False
        )

    def take(self) -> None:
        x = self.pick(lambda t, v: v.ndim > 0 and len(v) > 0)
        n = len(self.values[x]) if self.values[x].ndim else 1

        def fits(t: Any, v: Any) -> bool:
            if v.ndim > 1 or v.dtype.kind not in "iub":
                return False
            inside = v.size and -n <= v.min() and v.max() < n
            return bool(v.shape == (n,) if v.dtype.kind == "b" else inside)

        c = self.pick(fits)
        self.add(self.fill(table.TAKEN, x=x, c=c), smooth=False, rough=False)

    def draw(self) -> None:
        x = self.pick(lambda t, v: v.ndim > 0)
        seed = self.random.randrange(1, 999)
        size = self.random.choice((f"{x}.shape", "(3,)", "(2, 3)", "()", "(0,)"))
        words = {"x": x, "s": size, "n": seed, "r": f"T.random.RandomStreams({seed})"}
        self.add(self.fill(table.DRAWN, **words), smooth=False, rough=False)
        self.drawn.add(self.lines[-1].names[0])

    # Loops.

    def loop(self) -> None:
        """A scan over the rows of something, with states of a row's shape and dtype."""
        a = self.pick(lambda t, v: v.ndim in (1, 2) and v.dtype.kind == "f")
        if self.values[a].dtype.kind != "f":
            raise Unfit  # a cast would make a jump of a rounding
        row = self.values[a].shape[1:]
        dtype = self.values[a].dtype
        draw = self.random

        def like(t: Any, v: Any) -> bool:
            return bool(v.shape == row and v.dtype == dtype)

        def step(p: str) -> str:
            return f"T.cast({self.fill(table.STEPS, p=p, a='a', w=w)}, {str(dtype)!r})"

        w = self.pick(lambda t, v: v.shape in ((), row) and v.dtype == dtype)
        count, text = draw.choice(table.LOOPS)
        words = {
            "a": a, "state": self.pick(like), "other": self.pick(like), "dtype": str(dtype),
            "first": step("p"), "second": step("q"), "mapped": step("a"),
            "back": draw.choice(("", "", ", go_backwards=True")), "stop": draw.randint(0, 4),
            "steps": draw.choice(("0", "1", "3", f"{a}.shape[0]", "T.constant(2)")),
            "seed": draw.randrange(99),
        }  # fmt: skip
        if "{rows}" in text:
            words["rows"] = self.pick(
                lambda t, v: v.ndim and len(v) > 1 and v.shape[1:] == row and v.dtype == dtype
            )
        if "{shared}" in text:
            words["shared"] = self.pick(lambda t, v: hasattr(t, "cell") and v.dtype == dtype)
        smooth = "ifelse" not in text
        self.add(f"rows(wb.scan({text.format(**words)}))", smooth=smooth, rough=True, loop=count)

    # All of it.

    def program(self) -> Program:
        for _ in range(self.random.randint(2, 5)):
            self.leaf()
        wanted = self.random.randint(2, 16)
        for _ in range(60):
            if len(self.lines) >= wanted or self.failing:
                break
            try:
                self.step()
            except Unfit:
                continue
        names = [n for line in self.lines for n in line.names if n[0] == "v"]
        names = names or [leaf.name for leaf in self.leaves]
        outputs = self.random.sample(names, min(len(names), self.random.randint(1, 4)))
        if names[-1] not in outputs:
            outputs.append(names[-1])
        derived = ()
        if self.random.random() < 0.4:
            derived = self.gradients(outputs)
        return Program(
            tuple(self.leaves),
            tuple(self.lines),
            tuple(outputs),
            self.updates(),
            self.givens(),
            derived,
        ).used()

    def updates(self) -> tuple[tuple[str, str], ...]:
        """New values for some shared variables that no loop updates."""
        looped = {s for line in self.lines if "}" in line.code for s in line.reads}
        pairs = []
        for leaf in self.leaves:
            kept = leaf.name[0] != "s" or leaf.name in looped or leaf.dtype == "uint64"
            if kept or self.random.random() < 0.3:
                continue
            fits = [
                n for n, v in self.values.items()
                if n != leaf.name and self.made[n].type == self.made[leaf.name].type
            ]  # fmt: skip
            if fits:
                pairs.append((leaf.name, self.random.choice(fits)))
        return tuple(pairs)

    def givens(self) -> tuple[tuple[str, str], ...]:
        """Another leaf in an input's place, sometimes."""
        if self.random.random() > 0.15:
            return ()
        pairs = [
            (a.name, b.name) for a in self.leaves for b in self.leaves
            if a.name[0] == "x" and a is not b and self.made[a.name].type == self.made[b.name].type
            and self.values[a.name].shape == self.values[b.name].shape
        ]  # fmt: skip
        return tuple(self.random.sample(pairs, 1)) if pairs else ()

    def gradients(self, outputs: list[str]) -> tuple[str, ...]:
        """Lines for the gradients of one smooth result by float inputs; their names."""
        costs = [
            n
            for n in self.smooth
            if n[0] == "v" and n in self.values and self.values[n].dtype.kind == "f"
        ]
        wrt = [leaf.name for leaf in self.leaves if leaf.dtype[:5] == "float"]
        if not costs or not wrt or self.failing:
            return ()
        cost = (
            max(costs, key=lambda n: int(n[1:]))
            if self.random.random() < 0.6
            else self.random.choice(sorted(costs))
        )
        x = self.random.choice(wrt)
        before = len(self.lines)
        try:
            self.add(f"T.sum(T.sin({cost}))", smooth=True, rough=True)
            total = self.lines[-1].names[0]
            self.add(
                f"T.grad({total}, {x}, disconnected_inputs='ignore')", smooth=False, rough=True
            )
        except Unfit:
            del self.lines[before:]
            return ()
        outputs += [total, self.lines[-1].names[0]]
        return (total, x, self.lines[-1].names[0])


def spreads(s: Any, a: Any, t: Any, b: Any) -> bool:
    """Whether two values broadcast as their types say."""
    if not (isinstance(s.type, TensorType) and isinstance(t.type, TensorType)):
        return False
    pairs = zip(s.type.shape[::-1], a.shape[::-1], t.type.shape[::-1], b.shape[::-1], strict=False)
    return all(m == n or k == 1 or h == 1 for k, m, h, n in pairs)
