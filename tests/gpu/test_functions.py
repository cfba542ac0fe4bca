"""Functions on a device as objects: pickled, copied, called by threads, freed, failing."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.gpu.support import DEVICE
from workbench.core.devices import find

VALUE = np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4)


def counter() -> tuple[Any, Any]:
    """A function with a shared variable that it updates, and the variable."""
    w = wb.shared(VALUE, "w", target=DEVICE)
    x = T.fvector("x")
    return wb.function([x], T.dot(w, x), updates={w: w * 2}, device=DEVICE), w


def test_pickled_and_loaded() -> None:
    f, w = counter()
    f(VALUE[0])
    g = pickle.loads(pickle.dumps(f))
    np.testing.assert_allclose(g(VALUE[0]), 2 * VALUE @ VALUE[0], rtol=1e-6)
    np.testing.assert_array_equal(w.get_value(), 2 * VALUE)  # the copy has its own
    assert "GpuGemv" in [type(n.op).__name__ for n in g.maker.fgraph.toposort()]


def test_loaded_where_the_device_is_missing() -> None:
    """It is told, and the function runs on the processor, with the same values."""
    f, _ = counter()
    data = pickle.dumps((f, DEVICE))
    code = f"""
import pickle, sys, warnings, numpy as np
from workbench.gpu import plugin
from workbench.errors import DriverError
def find(name): raise DriverError("no driver here", advice="install one")
plugin.find = find
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    f, device = pickle.loads({data!r})
assert any(device in str(w.message) for w in told), [str(w.message) for w in told]
print(f(np.ones(4, "float32")).tolist())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(eval(done.stdout), VALUE.sum(axis=1), atol=1e-6)


def test_copies() -> None:
    f, w = counter()
    g = copy.deepcopy(f)
    f(VALUE[0])
    np.testing.assert_allclose(g(VALUE[0]), VALUE @ VALUE[0], rtol=1e-6)
    other = wb.shared(VALUE * 10, "v", target=DEVICE)
    h = f.copy(swap={w: other})
    np.testing.assert_allclose(h(VALUE[0]), 10 * VALUE @ VALUE[0], rtol=1e-6)
    np.testing.assert_array_equal(w.get_value(), VALUE * 2)


def test_called_by_threads() -> None:
    """Calls of one function take turns; those of different ones share the device."""
    x = T.fmatrix("x")
    outer = [wb.function([x], T.tanh(x * k).sum(axis=1), device=DEVICE) for k in range(1, 4)]
    work = [(k, i) for k in range(3) for i in range(1, 30)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda job: outer[job[0]](VALUE * job[1]), work))
    for (k, i), result in zip(work, found, strict=True):
        np.testing.assert_allclose(result, np.tanh(VALUE * i * (k + 1)).sum(axis=1), atol=2e-6)


def test_results_are_their_own() -> None:
    """A second call leaves the result of the first alone, on the device too."""
    x = T.fmatrix("x")
    f = wb.function([x], T.exp(x).transfer(DEVICE), device=DEVICE)
    first, second = f(VALUE), f(VALUE * 2)
    np.testing.assert_allclose(np.asarray(first), np.exp(VALUE), rtol=1e-6)
    np.testing.assert_allclose(np.asarray(second), np.exp(VALUE * 2), rtol=1e-6)


def test_two_outputs_of_one_value() -> None:
    x = T.fmatrix("x")
    y = T.exp(x).transfer(DEVICE)
    a, b = wb.function([x], [y, y], device=DEVICE)(VALUE)
    np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
    assert a.block.address != b.block.address


def test_one_value_for_results_and_updates() -> None:
    """Each is an array of its own, what is handed out in part, too."""
    v, w = wb.shared(VALUE, target=DEVICE), wb.shared(VALUE, target=DEVICE)
    new = (v * 2).transfer(DEVICE)
    results = wb.function([], [new, new, v.T[::2]], updates={v: new, w: new}, device=DEVICE)()
    np.testing.assert_array_equal(results.pop(), VALUE.T[::2])
    results += [s.get_value(borrow=True, return_internal_type=True) for s in (v, w)]
    assert len({array.block.address for array in results}) == 4
    for array in results:
        np.testing.assert_array_equal(array, VALUE * 2)


def test_a_program_that_begins_with_a_transfer() -> None:
    """The first that it reads of the device's table is the device's state."""
    w = wb.shared(VALUE, target=DEVICE)
    results = wb.function([], [T.sort(w, axis=0), w * 2], device=DEVICE)()
    np.testing.assert_array_equal(results[0], np.sort(VALUE, axis=0))
    np.testing.assert_array_equal(results[1], VALUE * 2)


def test_memory_is_used_again() -> None:
    """Hundreds of calls take no more memory than two."""
    device: Any = find(DEVICE)
    x = T.fmatrix("x")
    f = wb.function([x], T.dot(T.exp(x), T.exp(x).T), device=DEVICE)
    f(VALUE)
    f(VALUE)
    before = device.pool.used + device.pool.kept
    for _ in range(200):
        f(VALUE)
    assert device.pool.used + device.pool.kept == before
    f.free()
    np.testing.assert_allclose(f(VALUE), np.exp(VALUE) @ np.exp(VALUE).T, rtol=1e-5)


def test_empty_and_single() -> None:
    x = T.fmatrix("x")
    f = wb.function([x], [x.sum(), T.exp(x), x.sum(axis=0), T.dot(x, x.T)], device=DEVICE)
    for shape in ((0, 3), (3, 0), (0, 0), (1, 1)):
        value = np.ones(shape, "float32")
        expected = value.sum(), np.exp(value), value.sum(axis=0), value @ value.T
        for a, b in zip(f(value), expected, strict=True):
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            np.testing.assert_allclose(a, b, rtol=1e-6)


def test_arguments_in_every_layout() -> None:
    x = T.fmatrix("x")
    f = wb.function([x], x * 2, device=DEVICE)
    for value in (VALUE.T, VALUE[::-1, ::2], np.asfortranarray(VALUE), VALUE[:, :0]):
        np.testing.assert_array_equal(f(value), value * 2)


def test_a_wrong_shape_is_told_as_on_the_processor() -> None:
    x, y = T.fmatrix("x"), T.fmatrix("y")
    f = wb.function([x, y], T.exp(x) + y, device=DEVICE)
    with pytest.raises(ValueError, match=r"(?s)test_functions\.py") as caught:
        f(VALUE, VALUE.T)
    g = wb.function([x, y], T.exp(x) + y, device="cpu")
    with pytest.raises(type(caught.value)) as other:
        g(VALUE, VALUE.T)
    assert "(3, 4)" in str(caught.value)
    assert "(3, 4)" in str(other.value)


def test_a_failing_call_stores_nothing() -> None:
    w = wb.shared(VALUE, target=DEVICE)
    y = T.fmatrix("y")
    f = wb.function([y], T.dot(w, y), updates={w: w + 1}, device=DEVICE)
    with pytest.raises(ValueError, match=r"(?i)shape|align|size"):
        f(VALUE)
    np.testing.assert_array_equal(w.get_value(), VALUE)
    f(VALUE.T)
    np.testing.assert_array_equal(w.get_value(), VALUE + 1)
