"""`save` and `load`: what is kept, what NumPy reads, what is refused, and a file of every format
that was ever written.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.archive import ABOUT, GRAPH
from workbench.errors import ArchiveError

DATA = Path(__file__).parent / "data"


def parameters() -> tuple[Any, Any]:
    return wb.shared(np.arange(6.0).reshape(2, 3), "W"), wb.shared(np.zeros(3, "float32"), "b")


def test_shared_variables_by_name(tmp_path: Path) -> None:
    w, b = parameters()
    path = tmp_path / "model.npz"
    wb.save(path, w, b)
    saved = wb.load(path)
    assert list(saved) == ["W", "b"]
    assert saved["b"].dtype == "float32"
    assert repr(saved) == "Saved(2 arrays)\n  W  float64 [2, 3]\n  b  float32 [3]"
    assert (saved.version, saved.format, saved.graph) == (wb.__version__, 1, None)
    w.set_value(np.zeros((2, 3)))
    wb.load(str(path), into=[b, w])
    np.testing.assert_array_equal(w.get_value(), np.arange(6.0).reshape(2, 3))


def test_numpy_reads_it(tmp_path: Path) -> None:
    wb.save(tmp_path / "model.npz", parameters(), rate=0.5)
    with np.load(tmp_path / "model.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["W"], np.arange(6.0).reshape(2, 3))
        assert file["rate"] == 0.5
        assert json.loads(file[ABOUT])["format"] == 1


def test_what_numpy_wrote_is_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "theirs.npz", a=np.arange(3), b=np.array(True))
    saved = wb.load(tmp_path / "theirs.npz")
    assert (list(saved), saved.format, saved.version) == (["a", "b"], 0, "")


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 3)),
        np.array(3, "int8"),
        np.array([True, False]),
        np.arange(3, dtype="float16"),
        np.arange(6.0).reshape(2, 3).T,
        np.arange(10)[::-3],
        np.arange(3, dtype=">f4"),
        np.array([1 + 2j, np.nan]),
        np.array(np.inf),
        np.array([2**64 - 1], "uint64"),
    ],
    ids=str,
)
def test_arrays_come_back_as_they_were(array: Any, tmp_path: Path) -> None:
    wb.save(tmp_path / "a.npz", {"größe/α β": array})
    (name, back), *rest = wb.load(tmp_path / "a.npz").items()
    assert not rest
    assert name == "größe/α β"
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(back, array)


def test_nested_names(tmp_path: Path) -> None:
    w, b = parameters()
    nested = {
        "layer": {"W": w, "biases": [b]},
        "history": {"loss": [0.5, 0.25]},
        "rows": (np.ones(2), np.ones(3)),
    }
    wb.save(tmp_path / "a.npz", nested)
    assert list(wb.load(tmp_path / "a.npz")) == [
        "layer/W", "layer/biases/b", "history/loss", "rows/0", "rows/1",
    ]  # fmt: skip
    layers = [parameters(), parameters()]
    layers[1][0].set_value(np.ones((2, 3)))
    wb.save(tmp_path / "b.npz", layers)
    assert list(wb.load(tmp_path / "b.npz")) == ["0/W", "0/b", "1/W", "1/b"]
    other = [parameters(), parameters()]
    wb.load(tmp_path / "b.npz", into=other)
    assert other[1][0].get_value().sum() == 6


def test_a_function_brings_its_parameters_and_its_graph(tmp_path: Path) -> None:
    w, b = parameters()
    x = T.matrix("x")
    predict = wb.function([x], T.dot(x, w) + b, updates=[(b, b * 2)])
    wb.save(tmp_path / "a.npz", predict)
    saved = wb.load(tmp_path / "a.npz", into=predict)
    assert sorted(saved) == ["W", "b"]
    assert saved.graph is not None
    assert "Dot" in {node.op for node in saved.graph}
    assert "a graph" in repr(saved)
    wb.save(tmp_path / "b.npz", T.tanh(w).sum())
    assert list(wb.load(tmp_path / "b.npz")) == ["W"]


def test_arrays_are_set_in_place(tmp_path: Path) -> None:
    a = np.arange(3.0)
    wb.save(tmp_path / "a.npz", a=a)
    a[:] = 0
    wb.load(tmp_path / "a.npz", into={"a": a})
    assert a.tolist() == [0, 1, 2]


def test_files_that_are_open() -> None:
    w, b = parameters()
    file = io.BytesIO()
    wb.save(file, w, b)
    file.seek(0)
    assert list(wb.load(file)) == ["W", "b"]


def test_all_or_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    w, b = parameters()
    path = tmp_path / "a.npz"
    wb.save(path, w)
    before = path.read_bytes()
    with pytest.raises(ArchiveError):
        wb.save(path, w, {"bad": object()})
    monkeypatch.setattr(os, "fsync", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        wb.save(path, b)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.npz"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.npz").symlink_to(tmp_path / "a.npz")
    wb.save(tmp_path / "link.npz", a=1)
    assert (tmp_path / "link.npz").is_symlink()
    assert wb.load(tmp_path / "a.npz")["a"] == 1


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        ((wb.shared(1.0),), "without a name"),
        ((np.ones(2),), "nothing says what it is called"),
        ((parameters(), parameters()), "two different things are called 'W'"),
        (({"a": np.array([None])},), "no array of numbers"),
        (({"a": [1, [2, 3]]},), "no array of numbers"),
        ((None,), "nothing says what it is called"),
        (({"a": "text"},), "no array of numbers"),
        (({"a": T.vector("x")},), "no array of numbers"),
        (({"a": wb.shared({"any": 1})},), "no array of numbers"),
        (({1: np.ones(2)},), "a name is text, not 1"),
        (({"": np.ones(2)},), "a name is text"),
        (({"workbench/format.json": np.ones(2)},), "kept for"),
    ],
)
def test_what_is_refused(objects: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=words):
        wb.save(tmp_path / "a.npz", *objects)
    assert os.listdir(tmp_path) == []


def test_the_same_thing_twice_is_one(tmp_path: Path) -> None:
    w, _ = parameters()
    wb.save(tmp_path / "a.npz", w, [w], {"W": w})
    assert list(wb.load(tmp_path / "a.npz")) == ["W"]


def test_nothing_is_set_unless_all_fits(tmp_path: Path) -> None:
    w, b = parameters()
    wb.save(tmp_path / "a.npz", w, b)
    other = wb.shared(np.zeros((2, 3)), "W"), wb.shared(np.zeros(3), "b")
    with pytest.raises(ArchiveError, match="'b': it is of float64, what was saved of float32"):
        wb.load(tmp_path / "a.npz", into=other)
    wide = wb.shared(np.zeros((2, 3)), "W"), wb.shared(np.zeros(4, "float32"), "b")
    with pytest.raises(ArchiveError, match=r"'b': it has the shape \(4,\), what was saved \(3,\)"):
        wb.load(tmp_path / "a.npz", into=wide)
    with pytest.raises(ArchiveError, match="'b' is in the file only"):
        wb.load(tmp_path / "a.npz", into=[other[0]])
    with pytest.raises(ArchiveError, match="'c' is not in the file"):
        wb.load(tmp_path / "a.npz", into={"W": other[0], "b": b, "c": b})
    with pytest.raises(ArchiveError, match="cannot be set"):
        wb.load(tmp_path / "a.npz", into={"W": other[0], "b": 3})
    assert other[0].get_value().sum() == wide[0].get_value().sum() == 0


def test_unknown_name(tmp_path: Path) -> None:
    wb.save(tmp_path / "a.npz", weights=np.ones(2))
    with pytest.raises(KeyError, match="Did you mean 'weights'"):
        wb.load(tmp_path / "a.npz")["weihgts"]


@pytest.mark.parametrize("keep", [0, 1, 50, 200, -1])
def test_truncated(keep: int, tmp_path: Path) -> None:
    wb.save(tmp_path / "a.npz", parameters())
    data = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(data[:keep])
    with pytest.raises(ArchiveError, match=r"a\.npz cannot be read"):
        wb.load(tmp_path / "a.npz")


def test_a_flipped_byte(tmp_path: Path) -> None:
    wb.save(tmp_path / "a.npz", a=np.zeros(100))
    data = bytearray((tmp_path / "a.npz").read_bytes())
    data[400] ^= 1
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(ArchiveError, match="cannot be read"):
        wb.load(tmp_path / "a.npz")


def rewrite(path: Path, name: str, content: bytes) -> None:
    with zipfile.ZipFile(path) as file:
        members = {n: file.read(n) for n in file.namelist()} | {name: content}
    with zipfile.ZipFile(path, "w") as file:
        for n, data in members.items():
            file.writestr(n, data)


def test_other_formats(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    wb.save(path, T.tanh(parameters()[0]))
    rewrite(path, GRAPH, b'{"schema": 999}')
    assert list(wb.load(path)) == ["W"]
    with pytest.raises(ArchiveError, match="the graph cannot be read"):
        _ = wb.load(path).graph
    rewrite(path, ABOUT, b'{"format": 2, "workbench": "9.1"}')
    with pytest.raises(ArchiveError, match=r"has format 2(.|\n)*workbench 9\.1"):
        wb.load(path)
    rewrite(path, ABOUT, b"{")
    with pytest.raises(ArchiveError, match="cannot be read"):
        wb.load(path)


def test_objects_are_not_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.array([{}, None], object))
    with pytest.raises(ArchiveError, match="Object arrays cannot be loaded"):
        wb.load(tmp_path / "a.npz")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        wb.load(tmp_path / "none.npz")


def test_format_1_is_read() -> None:
    """The file was written by the first version; it is never written again."""
    saved = wb.load(DATA / "saved_format_1.npz")
    assert {n: (str(a.dtype), a.tolist()) for n, a in saved.items()} == {
        "W": ("float32", [[0, 1, 2], [3, 4, 5]]),
        "größe": ("int64", []),
        "layer/flag": ("bool", True),
    }
    assert (saved.format, saved.version) == (1, "0.1.0")
