"""The entry: what it takes, what goes to the slow path, references, updates, threads; both entries
alike.
"""

from __future__ import annotations

import gc
import sys
import threading
import tracemalloc

import numpy as np
import pytest

from tests.core.native.harness import elementwise
from workbench.core.native import engine, layout
from workbench.core.native.abi import load_input
from workbench.core.native.ctypes_entry import CtypesEntry
from workbench.core.native.entry import (
    ENTRY_EXPORTS,
    ArraySpec,
    EntrySpec,
    entry_text,
    native_entry,
)
from workbench.core.native.kernel import Argument, kernel_call, kernel_text
from workbench.core.native.library import complete
from workbench.core.scalar import ScalarBuilder

pytestmark = pytest.mark.skipif(
    not layout.is_known(), reason="the layout of objects is not known here"
)

DOUBLE = np.dtype(np.float64).num
ENTRIES = {"native": native_entry, "ctypes": CtypesEntry}


@pytest.fixture(params=ENTRIES.values(), ids=ENTRIES)
def entry(request):
    return request.param


def slow(*args, **kwargs):
    return "slow", args, kwargs


def link(program: str, spec: EntrySpec) -> engine.NativeModule:
    whole = complete(program + entry_text(spec))
    return engine.compile(whole.text, whole.symbols, ENTRY_EXPORTS)


def add_kernel() -> str:
    builder = ScalarBuilder(("float64", "float64"))
    program = builder.program(builder.prim("add", "float64", 0, 1))
    return kernel_text("add", elementwise(program), engine.host())


def add_call(x: str, y: str, out: str, n: str = "%n") -> str:
    nest = elementwise(ScalarBuilder(("float64", "float64")).program(0))
    arguments = [Argument(name, [""]) for name in (x, y)]
    return kernel_call("add", nest, [n], arguments, [Argument(out, [""])])


def adding(release: bool = False, fail: str = "false") -> str:
    """X + y, with scratch memory, perhaps without the GIL, perhaps failing after everything is
    made.
    """
    return f"""{add_kernel()}
define internal i32 @program(ptr %ctx) {{
{load_input(0, "%x")}
{load_input(1, "%y")}
  {"call void @wb.release(ptr %ctx)" if release else ""}
  %n = load i64, ptr %x.dims
  %m = load i64, ptr %y.dims
  %agree = icmp eq i64 %n, %m
  br i1 %agree, label %go, label %mismatch
mismatch:
  %error.at = getelementptr i8, ptr %ctx, i64 48
  %error = load ptr, ptr %error.at
  store i64 %n, ptr %error
  %error.1 = getelementptr i64, ptr %error, i64 1
  store i64 %m, ptr %error.1
  ret i32 7
go:
  %bytes = mul i64 %n, 8
  %scratch = call ptr @wb.slot(ptr %ctx, i32 1, i64 %bytes)
  %no.scratch = icmp eq ptr %scratch, null
  br i1 %no.scratch, label %memory, label %with
with:
  %out = call ptr @wb.alloc_output(ptr %ctx, i32 0, i32 {DOUBLE}, i32 1, ptr %x.dims)
  %no.out = icmp eq ptr %out, null
  br i1 %no.out, label %memory, label %compute
memory:
  ret i32 -1
compute:
  {add_call("%x.data", "%y.data", "%scratch")}
  call void @llvm.memcpy.p0.p0.i64(ptr %out, ptr %scratch, i64 %bytes, i1 false)
  br i1 {fail}, label %memory, label %done
done:
  ret i32 0
}}
"""


VECTORS = EntrySpec((ArraySpec("float64", 1), ArraySpec("float64", 1)), n_slots=2)


def accumulating() -> str:
    """Returns x + s and sets s to it, t to x; fails with 3 if x is empty, after the updates are
    made.
    """
    return f"""{add_kernel()}
define internal i32 @program(ptr %ctx) {{
{load_input(0, "%x")}
{load_input(1, "%s")}
  %n = load i64, ptr %x.dims
  %bytes = mul i64 %n, 8
  %out = call ptr @wb.alloc_output(ptr %ctx, i32 0, i32 {DOUBLE}, i32 1, ptr %x.dims)
  %new.s = call ptr @wb.alloc_update(ptr %ctx, i32 0, i32 {DOUBLE}, i32 1, ptr %x.dims)
  %new.t = call ptr @wb.alloc_update(ptr %ctx, i32 1, i32 {DOUBLE}, i32 1, ptr %x.dims)
  {add_call("%x.data", "%s.data", "%out")}
  {add_call("%x.data", "%s.data", "%new.s")}
  call void @llvm.memcpy.p0.p0.i64(ptr %new.t, ptr %x.data, i64 %bytes, i1 false)
  %empty = icmp eq i64 %n, 0
  %code = select i1 %empty, i32 3, i32 0
  ret i32 %code
}}
"""


STATEFUL = EntrySpec(
    (ArraySpec("float64", 1),), (ArraySpec("float64", 1), ArraySpec("float64", 1)), updates=(0, 1)
)


def test_one_output(entry):
    call = entry(link(adding(), VECTORS), VECTORS, [], slow)
    for n in (0, 1, 3, 1000, 2):
        x, y = np.random.default_rng(n).normal(size=(2, n))
        np.testing.assert_array_equal(call(x, y), x + y)


def test_what_does_not_fit_goes_to_the_slow_path(entry):
    call = entry(link(adding(), VECTORS), VECTORS, [], slow)
    x = np.zeros(4)
    odd = [
        (x, x[::2]), (x, x.astype("f4")), (x, x.reshape(2, 2)), (x, 1.0), (x, [1.0]), (x, None),
        (x,), (x, x, x), (), (x, x.astype(">f8")), (x, np.ma.array(x)),
        (x, np.frombuffer(bytearray(33), "f8", 4, 0)[::-1]),
        (x, np.frombuffer(bytearray(33), "u1")[1:].view("f8")),
    ]  # fmt: skip
    for args in odd:
        assert call(*args)[0] == "slow"
        assert all(a is b for a, b in zip(call(*args)[1], args, strict=True))
        assert call.__self__.last_error() is None
    assert call(x, y=x) == ("slow", (x,), {"y": x})


def test_a_failure_is_told_once(entry):
    call = entry(link(adding(), VECTORS), VECTORS, [], slow)
    assert call(np.zeros(4), np.zeros(5))[0] == "slow"
    code, words = call.__self__.last_error()
    assert (code, words[:2]) == (7, (4, 5))
    assert call.__self__.last_error() is None


def test_errors_of_the_slow_path_come_through():
    def refuse(*args):
        raise TypeError("not that")

    call = native_entry(link(adding(), VECTORS), VECTORS, [], refuse)
    with pytest.raises(TypeError, match="not that"):
        call(1, 2)


def test_static_sizes(entry):
    spec = EntrySpec((ArraySpec("float64", 1, (3,)), ArraySpec("float64", 1, (None,))), n_slots=2)
    call = entry(link(adding(), spec), spec, [], slow)
    np.testing.assert_array_equal(call(np.ones(3), np.ones(3)), [2, 2, 2])
    assert call(np.ones(4), np.ones(4))[0] == "slow"


def returning(n: int) -> str:
    """Outputs the numbers 0 … n-1 as 0-d arrays."""
    body = "\n".join(
        f"  %d{k} = call ptr @wb.alloc_output(ptr %ctx, i32 {k}, i32 {DOUBLE}, i32 0, ptr null)\n"
        f"  store double {k}.0, ptr %d{k}"
        for k in range(n)
    )
    return f"define internal i32 @program(ptr %ctx) {{\n{body}\n  ret i32 0\n}}\n"


@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("returns_list", [False, True])
def test_outputs(entry, count, returns_list):
    spec = EntrySpec((), n_outputs=count, returns_list=returns_list)
    got = entry(link(returning(count), spec), spec, [], slow)()
    if count == 1 and not returns_list:
        assert type(got) is np.ndarray
        got = [got]
    assert type(got) is list
    assert got == list(range(count))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_python_floats(entry, dtype):
    scalar = ArraySpec(dtype, 0, python_float=True)
    type_name = {"float64": "double", "float32": "float"}[dtype]
    spec = EntrySpec((scalar, scalar))
    program = f"""define internal i32 @program(ptr %ctx) {{
{load_input(0, "%x")}
{load_input(1, "%y")}
  %a = load {type_name}, ptr %x.data
  %b = load {type_name}, ptr %y.data
  %d = fsub {type_name} %a, %b
  %out = call ptr @wb.alloc_output(ptr %ctx, i32 0, i32 {np.dtype(dtype).num}, i32 0, ptr null)
  store {type_name} %d, ptr %out
  ret i32 0
}}
"""
    call = entry(link(program, spec), spec, [], slow)
    one = np.array(1.5, dtype)
    for args in ((4.0, 1.5), (np.array(4, dtype), one), (4.0, one)):
        assert call(*args) == 2.5
        assert call(*args).dtype == dtype
    assert call(4, 1.5)[0] == "slow"


def test_updates(entry):
    cells = [[np.zeros(3), None], [np.ones(3), None]]
    call = entry(link(accumulating(), STATEFUL), STATEFUL, cells, slow)
    x, total = np.arange(3.0), np.zeros(3)
    for _ in range(5):
        total = total + x
        np.testing.assert_array_equal(call(x), total)
        np.testing.assert_array_equal(cells[0][0], total)
        np.testing.assert_array_equal(cells[1][0], x)
    assert cells[1][0] is not x


def test_two_buffers_are_used_in_turn():
    cells = [[np.zeros(3), None], [np.ones(3), None]]
    call = native_entry(link(accumulating(), STATEFUL), STATEFUL, cells, slow)
    x = np.ones(3)
    call(x)
    addresses = []
    for _ in range(4):
        call(x)
        addresses.append(cells[0][0].ctypes.data)
    assert addresses[0] == addresses[2] != addresses[1] == addresses[3]


def test_an_array_that_someone_holds_is_never_written(entry):
    cells = [[np.zeros(3), None], [np.ones(3), None]]
    call = entry(link(accumulating(), STATEFUL), STATEFUL, cells, slow)
    x, held = np.ones(3), []
    for k in range(6):
        held.append(cells[0][0] if k % 2 else cells[0][0][::-1])
        call(x)
    for k, array in enumerate(held):
        np.testing.assert_array_equal(array, np.full(3, float(k)))


def test_a_spare_that_does_not_fit_is_not_used(entry):
    spares = [
        None,
        np.zeros(4),
        np.zeros(3, "f4"),
        np.zeros((3, 1)),
        np.zeros(6)[::2],
        np.zeros(3, ">f8"),
        "no",
    ]
    readonly = np.zeros(3)
    readonly.flags.writeable = False
    for spare in [*spares, readonly, np.zeros(6)[:3]]:
        cells = [[np.zeros(3), spare], [np.ones(3), spare]]
        call = entry(link(accumulating(), STATEFUL), STATEFUL, cells, slow)
        del spare
        np.testing.assert_array_equal(call(np.ones(3)), np.ones(3))
        np.testing.assert_array_equal(cells[0][0], np.ones(3))
        assert cells[0][0].flags.writeable


def test_a_failure_leaves_shared_variables_alone(entry):
    first = np.zeros(0), np.zeros(0)
    cells = [[array, None] for array in first]
    call = entry(link(accumulating(), STATEFUL), STATEFUL, cells, slow)
    assert call(np.zeros(0))[0] == "slow"
    assert call.__self__.last_error()[0] == 3
    assert all(cell[0] is array for cell, array in zip(cells, first, strict=True))


def test_a_shared_value_that_does_not_fit_goes_to_the_slow_path(entry):
    cells = [[np.zeros(3), None], [np.ones(3), None]]
    call = entry(link(accumulating(), STATEFUL), STATEFUL, cells, slow)
    cells[0][0] = np.zeros(3, "f4")
    assert call(np.ones(3))[0] == "slow"
    cells[0][0] = "text"
    assert call(np.ones(3))[0] == "slow"
    cells[0][0] = np.zeros(3)
    np.testing.assert_array_equal(call(np.ones(3)), np.ones(3))


def test_cells_are_lists_of_two():
    with pytest.raises(TypeError, match=r"\[array, spare\]"):
        native_entry(link(accumulating(), STATEFUL), STATEFUL, [[1], [2]], slow)


def growth(repeat) -> int:
    """Bytes that 300 calls leave behind."""
    repeat(20)
    gc.collect()
    tracemalloc.start()
    repeat(100)
    before = tracemalloc.get_traced_memory()[0]
    repeat(300)
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return after - before


@pytest.mark.parametrize("kind", ["success", "mismatch", "failure"])
def test_nothing_leaks(kind):
    call = native_entry(link(adding(release=True), VECTORS), VECTORS, [], slow)
    x = np.ones(500)
    args = {"success": (x, x), "mismatch": (x, 1), "failure": (x, np.ones(400))}[kind]

    def count():
        gc.collect()
        return [sys.getrefcount(arg) for arg in (*args, x.dtype, None, np.ndarray)]

    def repeat(n):
        for _ in range(n):
            call(*args)

    repeat(1)
    before = count()
    assert growth(repeat) < 2000
    assert all(abs(a - b) < 100 for a, b in zip(before, count(), strict=True))  # of 420 calls


def test_updates_do_not_leak():
    cells = [[np.zeros(500), None], [np.ones(500), None]]
    call = native_entry(link(accumulating(), STATEFUL), STATEFUL, cells, slow)
    x = np.ones(500)
    gc.collect()
    nothing = sys.getrefcount(None)

    def repeat(n):
        for k in range(n):
            call(x)
            if k % 7 == 0:
                cells[0][0] = np.zeros(500)

    assert growth(repeat) < 2000
    assert abs(sys.getrefcount(None) - nothing) < 100  # of 420 calls
    assert [sys.getrefcount(cells[0][k]) for k in (0, 1)] == [2, 2]


def test_a_program_that_fails_late_leaks_nothing():
    call = native_entry(link(adding(fail="true"), VECTORS), VECTORS, [], slow)
    x = np.ones(500)

    def repeat(n):
        for _ in range(n):
            assert call(x, x)[0] == "slow"

    assert growth(repeat) < 2000
    assert call.__self__.last_error()[0] == -1


def test_everything_goes_with_the_callable():
    slow_path = type("Slow", (), {"__call__": lambda self, *args: args})()
    references = sys.getrefcount(slow_path)
    for _ in range(5):
        call = native_entry(link(adding(), VECTORS), VECTORS, [], slow_path)
        call(np.ones(3), np.ones(3))
        assert call.__self__.arena_bytes > 0
        del call
    gc.collect()
    assert sys.getrefcount(slow_path) == references


@pytest.mark.parametrize("release", [False, True])
def test_concurrent_calls(entry, release):
    call = entry(link(adding(release=release), VECTORS), VECTORS, [], slow)
    wrong = []

    def work(seed):
        x, y = np.random.default_rng(seed).normal(size=(2, 20000))
        want = x + y
        for _ in range(150):
            if not np.array_equal(call(x, y), want):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_both_entries_have_one_name_for_what_they_own(entry):
    call = entry(link(adding(), VECTORS), VECTORS, [], slow)
    assert call.__self__.module.object_bytes > 0
    assert callable(call)
