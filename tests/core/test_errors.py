"""Every error says, in this order: what was wrong; the op and what met in it; where; what to do."""

from __future__ import annotations

import ast
import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench import errors
from workbench.core.gradient import grad
from workbench.core.interpreter import Interpreter
from workbench.core.jacobian import Rop, hessian, jacobian
from workbench.core.ops import (
    create,
    dot,
    indexing,
    losses,
    nnet,
    scalars,
    shape,
)
from workbench.core.ops.alloc import alloc
from workbench.core.ops.join import join, stack
from workbench.core.ops.scalars import special
from workbench.core.types import TensorType, as_tensor
from workbench.core.variable import tensor
from workbench.errors import WorkbenchError, nearest

V, M, F = (
    tensor(d, (None,) * n, name)
    for d, n, name in (("float64", 1, "v"), ("float64", 2, "m"), ("float32", 1, "f"))
)
THREE, FOUR, BOOL, COMPLEX = (
    tensor("float64", (3,), "three"),
    tensor("float64", (4,), "four"),
    tensor("bool", (None,), "b"),
    tensor("complex64", (None,), "c"),
)

BUILD: dict[str, Callable[[], Any]] = {
    "lengths": lambda: THREE + FOUR,
    "dtype": lambda: -BOOL,
    "bits of floats": lambda: V & V,
    "order of complex": lambda: COMPLEX < COMPLEX,
    "cast complex": lambda: scalars.cast(COMPLEX, "int8"),
    "max of complex": lambda: COMPLEX.max(),
    "unknown dtype": lambda: TensorType("float99"),
    "dtype of a cast": lambda: scalars.cast(V, "float46"),
    "axis of sum": lambda: V.sum(axis=3),
    "axis that is no integer": lambda: V.sum(axis=0.5),
    "axes of argmax": lambda: M.argmax(axis=(0, 2)),
    "dtype of mean": lambda: V.mean(dtype="int8"),
    "dot of ranks": lambda: dot.Dot()(M, tensor("float64", (None,) * 3)),
    "matmul of a scalar": lambda: M @ tensor("float64", ()),
    "dot of lengths": lambda: dot.dot(THREE, FOUR),
    "dimshuffle": lambda: M.dimshuffle(0),
    "dimshuffle axis": lambda: V.dimshuffle(2),
    "dimshuffle twice": lambda: V.dimshuffle(0, 0),
    "transpose": lambda: M.transpose(0),
    "reshape": lambda: THREE.reshape((2, 2)),
    "reshape -1 twice": lambda: V.reshape((-1, -1)),
    "reshape unknown rank": lambda: V.reshape(tensor("int64", (None,))),
    "flatten": lambda: V.flatten(3),
    "length of an axis": lambda: shape.dimension(V, 2),
    "a length that is no integer": lambda: create.zeros((tensor(),)),
    "alloc": lambda: alloc(THREE, 4),
    "alloc of ranks": lambda: alloc(M, 4),
    "join of ranks": lambda: join(0, V, M),
    "join axis": lambda: join(1, V, V),
    "join of lengths": lambda: join(1, tensor("int8", (2, 3)), tensor("int8", (3, 3))),
    "join of nothing": lambda: join(0),
    "stack of ranks": lambda: stack([V, M]),
    "declared length": lambda: shape.specify_shape(THREE, (4,)),
    "declared rank": lambda: shape.specify_shape(THREE, (3, 1)),
    "too many indices": lambda: V[0, 0],
    "index": lambda: V[1.5],
    "index range": lambda: THREE[7],
    "index arrays of floats": lambda: V[[0.5]],
    "slice of floats": lambda: V[: tensor()],
    "set of no part": lambda: indexing.set_subtensor(V, 1),
    "set of lengths": lambda: indexing.set_subtensor(THREE[:2], THREE),
    "set of ranks": lambda: indexing.set_subtensor(V[0], V),
    "assignment": lambda: V.__setitem__(0, 1),
    "truth": lambda: bool(V),
    "len": lambda: len(V),
    "iterate": lambda: list(V),
    "in": lambda: 1 in V,
    "arange of vectors": lambda: create.arange(V),
    "arange step": lambda: create.arange(0, 5, 0),
    "softmax axis": lambda: nnet.softmax(V, axis=1),
    "labels": lambda: losses.categorical_crossentropy(M, M[0, 0]),
    "no number": lambda: as_tensor("text"),
    "ragged": lambda: as_tensor([[1], [1, 2]]),
    "huge": lambda: V + 2**80,
    "value of another rank": lambda: V.type.convert(np.ones((2, 2))),
    "value of another length": lambda: THREE.type.convert(np.ones(2)),
    "value of another dtype": lambda: F.type.convert(np.ones(2)),
    "value that is none": lambda: V.type.convert("text"),
    "cost": lambda: grad(V, V),
    "disconnected": lambda: grad(V.sum(), M),
    "no gradient": lambda: grad(special.gammainc(V, 2.0).sum(), V),
    "option": lambda: grad(V.sum(), V, disconnected_inputs="rise"),
    "Rop": lambda: Rop(V, [V, M], [V]),
    "jacobian": lambda: jacobian(M, M),
    "hessian": lambda: hessian(M.sum(), M),
}


@pytest.mark.parametrize("name", BUILD)
def test_building(name: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        BUILD[name]()
    check_parts(caught.value)


def check_parts(error: WorkbenchError) -> None:
    text = str(error)
    assert error.wrong
    assert error.advice, f"no advice: {text}"
    place = error.place or error.here
    assert place is not None
    assert Path(place.file).name == Path(__file__).name, f"the place is not the user's: {place}"
    parts = [part for part in (error.wrong, error.met, str(place), error.advice) if part]
    at = [text.index(part) for part in parts]
    assert at == sorted(at), "the parts are not in order"


RUN: dict[str, tuple[Callable[[], Any], dict[Any, Any], type[Exception]]] = {
    "lengths": (lambda: V + V[1:], {V: np.ones(3)}, ValueError),
    "a length of 1 that the type does not know": (
        lambda: V + F,
        {V: np.ones(3), F: np.ones(1, "float32")},
        ValueError,
    ),
    "dot": (lambda: dot.dot(M, V), {M: np.ones((2, 3)), V: np.ones(2)}, ValueError),
    "index": (lambda: V[5], {V: np.ones(3)}, IndexError),
    "index array": (lambda: V[[0, 5]], {V: np.ones(3)}, IndexError),
    "set": (
        lambda: indexing.set_subtensor(V[:2], F.astype("float64")),
        {V: np.ones(3), F: np.ones(3, "float32")},
        ValueError,
    ),
    "set of 1": (
        lambda: indexing.set_subtensor(V[:2], F.astype("float64")),
        {V: np.ones(3), F: np.ones(1, "float32")},
        ValueError,
    ),
    "add at": (
        lambda: indexing.inc_subtensor(V[[0, 1]], F.astype("float64")),
        {V: np.ones(3), F: np.ones(1, "float32")},
        ValueError,
    ),
    "reshape": (lambda: V.reshape((2, 2)), {V: np.ones(3)}, ValueError),
    "alloc": (lambda: alloc(V, 2, 4), {V: np.ones(1)}, ValueError),
    "join": (lambda: join(1, M, M[1:]), {M: np.ones((2, 3))}, ValueError),
    "max of nothing": (lambda: V.max(), {V: np.ones(0)}, ValueError),
    "argmax of nothing": (lambda: V.argmax(), {V: np.ones(0)}, ValueError),
    "declared length": (lambda: shape.addbroadcast(V, 0), {V: np.ones(2)}, ValueError),
    "arange step": (
        lambda: create.arange(0, 5, shape.dimension(V, 0)),
        {V: np.ones(0)},
        ValueError,
    ),
    "missing": (lambda: V + 1, {}, ValueError),
}


@pytest.mark.parametrize("name", RUN)
def test_running(name: str) -> None:
    build, given, kind = RUN[name]
    output = build()
    with pytest.raises(kind) as caught:
        Interpreter([output]).run(given)
    error = caught.value
    assert isinstance(error, WorkbenchError)
    check_parts(error)
    assert error.node is not None
    assert "made at" in str(error)
    if name != "missing":
        assert "shape" in error.met or "shape" in error.wrong


def test_an_error_of_numpy_itself_is_explained() -> None:
    class Stubborn(Exception):
        def __init__(self, one: int, two: int) -> None:
            super().__init__(one, two)

    from dataclasses import dataclass

    from workbench.core.graph import Op

    @dataclass(frozen=True)
    class Failing(Op):
        error: Any

        def infer(self, *inputs: Any) -> Any:
            return [inputs[0].type]

        def evaluate(self, *values: Any) -> Any:
            raise self.error

    class OutOfMemory(MemoryError):  # as numpy's own
        def __init__(self, shape: Any, dtype: Any) -> None: ...

    raised_as = {
        MemoryError("too large"): MemoryError,
        OutOfMemory((3,), "int8"): MemoryError,
        Stubborn(1, 2): WorkbenchError,
    }
    for raised, kind in raised_as.items():
        with pytest.raises(kind) as caught:
            Interpreter([Failing(raised)(V)]).run({V: np.ones(3)})
        text = str(caught.value)
        assert "Failing of v: TensorType(float64, vector) of shape (3,)" in text
        assert "test_errors.py" in text
        assert caught.value.__cause__ is raised


KINDS = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, WorkbenchError)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_class_is_pythons_too(kind: type[WorkbenchError]) -> None:
    expected = (TypeError, ValueError, IndexError, RuntimeError, AssertionError)
    assert kind is WorkbenchError or issubclass(kind, expected)
    assert kind.__doc__
    error = kind("wrong", "met", "file.py:3", "advice")
    assert str(error) == "wrong\nmet\nmade at file.py:3\nadvice"
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is kind
        assert str(again) == str(error)
    assert error.at("node") is error
    assert error.node == "node"


def test_nearest() -> None:
    assert nearest("floatx", ["floatX", "mode"]) == " Did you mean 'floatX'?"
    assert nearest("quite", ["floatX"]) == ""


ROOT = Path(errors.__file__).parent / "core"
FILES = [*sorted((ROOT / "ops").rglob("*.py")), *(ROOT / f"{n}.py" for n in ("types", "gradient"))]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_every_raise_says_what_to_do(path: Path) -> None:
    """Read from the source: each error that is made has advice, and none is of a bare Python
    class.
    """
    names = {kind.__name__ for kind in KINDS}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            called = getattr(node.exc.func, "id", None)
            assert called not in ("TypeError", "ValueError", "IndexError", "RuntimeError"), (
                node.lineno
            )
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) in names:
            told = len(node.args) >= 4 or any(k.arg == "advice" for k in node.keywords)
            assert told, f"{path.name}:{node.lineno}: no advice"
