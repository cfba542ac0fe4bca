"""The engine: stages, caches, errors; what importing costs."""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys

import numpy as np
import pytest

from workbench.core.native import blas, engine, library
from workbench.core.native.cache import ObjectCache
from workbench.core.native.target import Target

SQUARE = """define double @square(double %x) {
  %y = fmul double %x, %x
  ret double %y
}
"""


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """The engine with an empty disk cache of its own."""
    cache = ObjectCache(tmp_path / "objects")
    monkeypatch.setattr(engine.engine(), "disk", cache)
    engine.engine().forget()
    return cache


def square(module: engine.NativeModule, x: float) -> float:
    return ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(module.address("square"))(x)


def test_compiles_and_says_what_it_cost(disk):
    module = engine.compile(SQUARE, {}, ["square"])
    assert square(module, 3.0) == 9.0
    assert module.source == "compiled"
    assert set(module.timings) == {"load", "parse", "verify", "optimise", "emit", "link"}


def test_objects_are_kept_in_memory_and_on_disk(disk):
    first = engine.compile(SQUARE, {}, ["square"])
    again = engine.compile(SQUARE, {}, ["square"])
    engine.engine().forget()
    loaded = engine.compile(SQUARE, {}, ["square"])
    assert [first.source, again.source, loaded.source] == ["compiled", "memory", "disk"]
    assert [square(module, 2.0) for module in (first, again, loaded)] == [4.0] * 3
    assert len({module.address("square") for module in (first, again, loaded)}) == 3


def test_the_cache_can_be_left_out(disk):
    assert engine.compile(SQUARE, {}, ["square"], cache=False).source == "compiled"
    assert engine.compile(SQUARE, {}, ["square"], cache=False).source == "compiled"
    assert not disk.directory.exists()


def test_options_are_part_of_the_key(disk):
    engine.compile(SQUARE, {}, ["square"], level=1)
    assert engine.compile(SQUARE, {}, ["square"], level=2).source == "compiled"


@pytest.mark.parametrize("harm", [b"", b"short", b"x" * 500], ids=["empty", "short", "wrong"])
def test_a_damaged_file_is_no_entry(disk, harm):
    engine.compile(SQUARE, {}, ["square"])
    (entry,) = disk.directory.iterdir()
    entry.write_bytes(harm)
    engine.engine().forget()
    module = engine.compile(SQUARE, {}, ["square"])
    assert module.source == "compiled"
    assert square(module, 2.0) == 4.0


def test_a_directory_that_cannot_be_made_is_harmless(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a directory")
    monkeypatch.setattr(engine.engine(), "disk", ObjectCache(tmp_path / "file" / "objects"))
    engine.engine().forget()
    assert square(engine.compile(SQUARE, {}, ["square"]), 2.0) == 4.0


def test_the_oldest_entries_go_first(tmp_path):
    cache = ObjectCache(tmp_path, limit=1000)
    a, b, c = (letter * 64 for letter in "abc")
    (tmp_path / "notes").write_bytes(bytes(5000))  # no entry: neither counted nor removed
    for age, name in ((30, a), (20, b), (10, c)):
        cache.put(name, bytes(368))
        os.utime(tmp_path / name, (1e9 - age, 1e9 - age))
    cache.prune()
    assert cache.get(a) is None  # 1200 bytes, of which 750 may stay
    assert cache.get(b) is None
    assert cache.get(c) == bytes(368)
    assert (tmp_path / "notes").exists()


def test_code_lives_as_long_as_its_module():
    modules = [engine.compile(SQUARE, {}, ["square"]) for _ in range(3)]
    function = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(modules[1].address("square"))
    del modules[0], modules[1]
    gc.collect()
    assert function(5.0) == 25.0


def test_code_outlives_the_jit_that_linked_it(monkeypatch):
    monkeypatch.setattr(engine, "_LINKS_PER_JIT", 3)
    modules = [engine.compile(SQUARE, {}, ["square"]) for _ in range(12)]
    gc.collect()
    while modules:
        assert [square(module, 2.0) for module in modules] == [4.0] * len(modules)
        del modules[:: len(modules) % 3 + 1]


def test_globals_are_not_shared_between_links():
    text = """@count = global i64 0
    define i64 @next() {
      %old = load i64, ptr @count
      %new = add i64 %old, 1
      store i64 %new, ptr @count
      ret i64 %new
    }"""
    one, two = (engine.compile(text, {}, ["next"]) for _ in range(2))
    a, b = (ctypes.CFUNCTYPE(ctypes.c_int64)(module.address("next")) for module in (one, two))
    assert [a(), a(), b()] == [1, 2, 1]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("define nonsense", "parsing error"),
        (
            "define i32 @f() {\n  %x = add i32 %y, 1\n  %y = add i32 1, 1\n  ret i32 %x\n}",
            "dominate",
        ),
        (
            "declare void @nobody()\ndefine void @f() {\n  call void @nobody()\n  ret void\n}",
            "materialize symbols",
        ),
    ],
    ids=["syntax", "verifier", "symbol"],
)
def test_mistakes_are_errors_not_crashes(text, what):
    with pytest.raises(RuntimeError, match=what):
        engine.compile(text, {}, ["f"], cache=False)


def test_views_of_the_code():
    assert "fmul double" in engine.optimised(SQUARE)
    assert "square:" in engine.assembly(SQUARE)


def test_an_unknown_name_is_an_error():
    with pytest.raises(KeyError, match=r"wb\.nothing"):
        library.complete("define void @f() {\n  call void @wb.nothing()\n  ret void\n}")


def test_targets_of_features():
    assert Target.of_features({}) == Target(16)
    assert Target.of_features({"avx2": True}).vector_bytes == 32
    all = dict.fromkeys(("avx512bw", "avx512vl", "avx512dq", "avx2"), True)
    assert Target.of_features(all).vector_bytes == 64


@pytest.mark.parametrize("which", ["library", "_scipy_blas"])
def test_blas_from_native_code(which, monkeypatch):
    """NumPy's own library, and scipy's where NumPy brings none."""
    found = getattr(blas, which)()
    monkeypatch.setattr(blas, "library", lambda: found)
    text = """define void @f(ptr %t, ptr %m, ptr %one, ptr %a, ptr %b, ptr %zero, ptr %c) {
      call void @blas.dgemm(ptr %t, ptr %t, ptr %m, ptr %m, ptr %m, ptr %one, ptr %a, ptr %m,
                            ptr %b, ptr %m, ptr %zero, ptr %c, ptr %m)
      ret void
    }"""
    whole = library.complete(text)
    module = engine.compile(whole.text, whole.symbols, ["f"], cache=False)
    a, b = np.random.default_rng(0).normal(size=(2, 5, 5))
    c, size = np.empty((5, 5)), np.array(5, {"i32": np.int32, "i64": np.int64}[blas.integer_type()])
    scalars = np.array(1.0), np.array(0.0)
    no = ctypes.create_string_buffer(b"N")
    arguments = [size, scalars[0], a, b, scalars[1], c]
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 7)(module.address("f"))
    function(ctypes.addressof(no), *(x.ctypes.data for x in arguments))
    np.testing.assert_allclose(c.T, a.T @ b.T, rtol=1e-12)


def test_blas_signatures():
    assert blas.signature("sdot") == ("float", 5)
    assert blas.signature("dgemv") == ("void", 11)
    with pytest.raises(KeyError):
        blas.blas_symbol("dnothing")


def test_blas_threads():
    before = blas.threads()
    if before is None:
        pytest.skip("another BLAS here")
    assert blas.set_threads(1)
    assert blas.threads() == 1
    blas.set_threads(before)


def test_blas_does_not_import_scipys_linalg():
    code = (
        "import sys; from workbench.core.native import blas; blas.blas_symbol('dgemm');"
        "sys.exit('scipy.linalg' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
