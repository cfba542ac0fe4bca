"""The value table recorder: every variable's value for given inputs, in a few numbers each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Apply, Array, Constant, Variable, is_shared, leaves
from workbench.core.interpreter import Interpreter, lookup
from workbench.core.records import RANDOM_STATE, Port, Summary, ValueTable
from workbench.core.types import TensorType

BINS = 24
SAMPLES = 64
MOST_COUNTED = 1 << 16  # a histogram counts at most so many elements, evenly spaced

Given = Mapping[Variable, Any]  # Any: arrays, or the objects of generic variables


def summarise(value: Any, bins: int = BINS) -> Summary:
    """An array in a few numbers; a complex one by its magnitudes; anything else by its class
    alone.
    """
    if not isinstance(value, (np.ndarray, np.generic)) or value.dtype.kind not in "biufc":
        return Summary((), type(value).__name__)
    array = np.asarray(value)
    shape, dtype, sample = array.shape, str(array.dtype), _sample(array)
    if array.size == 0:
        return Summary(shape, dtype)
    flat: Any = np.abs(array).ravel() if dtype.startswith("complex") else array.ravel()
    zeros = flat.size - int(np.count_nonzero(flat))
    nans = infs = 0
    low, high = flat.min(), flat.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        nans, infs = int(np.isnan(flat).sum()), int(np.isinf(flat).sum())
        flat = flat[np.isfinite(flat)]
        if flat.size == 0:
            return Summary(shape, dtype, nans=nans, infs=infs, sample=sample)
        low, high = flat.min(), flat.max()
    mean = float(flat.mean(dtype=np.float64))
    return Summary(
        shape=shape,
        dtype=dtype,
        min=float(low),
        max=float(high),
        mean=mean,
        std=_std(flat, mean),
        nans=nans,
        infs=infs,
        zeros=zeros,
        histogram=histogram(flat, float(low), float(high), bins) if bins else (),
        sample=sample,
    )


def is_random_state(type_: object) -> bool:
    """Whether variables of this type hold a generator's state."""
    if not isinstance(type_, TensorType) or type_.dtype != "uint32":
        return False
    from workbench.core.random.state import STATE  # rare

    return type_ == STATE


def _std(flat: Any, mean: float) -> float:
    with np.errstate(over="ignore"):
        away = flat - np.float64(mean)
        return float(np.sqrt(np.einsum("i,i", away, away) / flat.size))  # no BLAS: no threads


def histogram(flat: Any, low: float, high: float, bins: int) -> tuple[int, ...]:
    """Counts in equal bins from low to high; of one value, all in the first bin."""
    if flat.size > MOST_COUNTED:
        flat = flat[:: -(-flat.size // MOST_COUNTED)]
    width = high / bins - low / bins
    if not width > 0:
        return (int(flat.size), *(0,) * (bins - 1))
    places = (flat.astype(np.float64) / width - low / width).astype(np.intp)
    counts = np.bincount(np.clip(places, 0, bins - 1), minlength=bins)
    return tuple(int(n) for n in counts)


def _sample(array: Array) -> tuple[Any, ...]:
    first = array.flat[:SAMPLES].tolist() if array.ndim else [array.item()]
    return tuple(str(x) if isinstance(x, complex) else x for x in first)


class ValueRecorder:
    """Listens to the interpreter: a summary of every output of the nodes it was made for.

    Raw arrays are kept up to `budget` bytes in all; what is not kept is computed again when it is
    asked for.
    """

    def __init__(self, nodes: Sequence[Apply], budget: int) -> None:
        self.nodes = set(nodes)
        self.summaries: dict[Variable, Summary] = {}
        self.kept: dict[Variable, Any] = {}
        self.left = budget

    def before(self, node: Apply, inputs: Sequence[Any]) -> None: ...

    def after(
        self, node: Apply, inputs: Sequence[Any], outputs: Sequence[Any], seconds: float
    ) -> None:
        if node in self.nodes:
            for variable, value in zip(node.outputs, outputs, strict=True):
                self.add(variable, value)

    def add(self, variable: Variable, value: Any) -> None:
        hidden = is_random_state(variable.type)
        self.summaries[variable] = Summary((), RANDOM_STATE) if hidden else summarise(value)
        size = int(getattr(value, "nbytes", 0))
        if size <= self.left:
            self.left -= size
            self.kept[variable] = value


class Values:
    """The values of one graph: `values[variable]` or `values['name']` is a `Value`.

    error  what stopped the evaluation, or None; variables after it have no value
    """

    def __init__(self, outputs: Sequence[Variable], given: Given, budget: int) -> None:
        interpreter = Interpreter(outputs)
        self.outputs = list(outputs)
        self.error: Exception | None = None
        self._leaves = {v: _leaf(v, given) for v in leaves(outputs) if _known(v, given)}
        self._recorder = ValueRecorder(interpreter.nodes, budget)
        for variable, value in self._leaves.items():
            self._recorder.add(variable, value)
        self._nodes = interpreter.nodes

    def run(self, listeners: Sequence[Any] = ()) -> None:
        """Evaluate the graph; more listeners hear of it, too. An error is kept in `error`."""
        interpreter = Interpreter(self.outputs, self._nodes)
        try:
            interpreter.run(self._leaves, (self._recorder, *listeners))
        except Exception as error:
            self.error = error

    def __contains__(self, key: object) -> bool:
        return self._find(key) is not None

    def __getitem__(self, key: Variable | str) -> Value:
        variable = self._find(key)
        if variable is None:
            raise KeyError(self._absent(key))
        return Value(self._recorder.summaries[variable], lambda: self.array(variable))

    def __iter__(self) -> Iterator[Variable]:
        return iter(self._recorder.summaries)

    def __len__(self) -> int:
        return len(self._recorder.summaries)

    def array(self, variable: Variable) -> Any:
        """The whole value: as it was kept, or computed again."""
        if variable in self._recorder.kept:
            return self._recorder.kept[variable]
        return Interpreter([variable]).run(self._leaves)[0]

    def table(self, port: Callable[[Variable], Port | None], note: str = "") -> ValueTable:
        """The record; `port` names variables. Where evaluation stopped, the note says why."""
        rows = ((port(v), summary) for v, summary in self._recorder.summaries.items())
        text = note or (f"evaluation stopped: {self.error}" if self.error else "")
        return ValueTable(tuple((p, s) for p, s in rows if p is not None), text)

    def _find(self, key: object) -> Variable | None:
        known = self._recorder.summaries
        if isinstance(key, str):
            return next((v for v in known if v.name == key), None)
        return key if isinstance(key, Variable) and key in known else None

    def _absent(self, key: object) -> str:
        if self.error is not None:
            return f"{key} has no value: the evaluation stopped before it"
        names = ", ".join(dict.fromkeys(v.name for v in self if v.name))
        return f"{key} is not in the graph; named variables are {names or 'none'}"

    def __repr__(self) -> str:
        lines = [f"{v}: {self[v]}" for v in self if not isinstance(v, Constant)]
        return "\n".join(lines)


class Value:
    """One value: its summary's fields as attributes, the array by `.array`, slices by indexing."""

    def __init__(self, summary: Summary, fetch: Callable[[], Any]) -> None:
        self.summary = summary
        self._fetch = fetch

    @property
    def array(self) -> Any:
        """The tensor itself (not a copy: do not write to it)."""
        return self._fetch()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "summary":
            raise AttributeError(name)
        return getattr(self.summary, name)

    def __getitem__(self, index: Any) -> Any:
        return self.array[index]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.array, dtype=dtype, copy=copy)

    def __float__(self) -> float:
        return float(self.array)

    def __repr__(self) -> str:
        return describe(self.summary)


def describe(summary: Summary) -> str:
    """A summary in one line."""
    s = summary
    text = f"{s.dtype}{list(s.shape)}"
    if s.shape == () and s.sample:
        return f"{text} {s.sample[0]}"
    if s.mean is not None:
        text += f" min {s.min:.6g} mean {s.mean:.6g} max {s.max:.6g} std {s.std:.6g}"
    return text + "".join(
        f", {count} {name}" for count, name in ((s.nans, "nan"), (s.infs, "inf")) if count
    )


def _known(variable: Variable, given: Given) -> bool:
    return variable in given or isinstance(variable, Constant) or is_shared(variable)


def _leaf(variable: Variable, given: Given) -> Any:
    return lookup(given, variable)
