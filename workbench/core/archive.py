"""`save` and `load`: parameters by name in a file that any NumPy reads, and that stays readable.

The file is a zip of `.npy` members, as `numpy.savez` writes it. Two more members say what else is
known: `workbench/format.json` the version of the format and what each array is, and
`workbench/graph.json` the graph, where one was given. Nothing in it is a pickle.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from workbench.core.function import Function
from workbench.core.graph import Array, Variable, is_shared, leaves
from workbench.core.records import Snapshot
from workbench.core.shared import SharedVariable
from workbench.core.snapshot import snapshot
from workbench.core.swap import shared_of
from workbench.errors import ArchiveError, DtypeError, WorkbenchError, nearest
from workbench.frozen import frozen

FORMAT = 1
"""The version that is written. Every older one is read."""

OURS = "workbench/"
ABOUT, GRAPH = OURS + "format.json", OURS + "graph.json"

Place = str | os.PathLike[str] | IO[bytes]
Named = dict[str, Any]  # Any: shared variables, arrays and numbers


def save(path: Place, *objects: Any, **named: Any) -> None:
    """Write shared variables and arrays to a file, each by its name.

    path     a file's path, which then has all of it or is as it was, or a binary file
    objects  shared variables, by their names; dicts of arrays and shared variables, by their keys;
             lists of these; dicts and lists in each other, whose names are joined, as in 'layer/W'
             and '0/W'. A function or an expression stands for the shared variables that it reads,
             and its graph is written, too.
    named    more of these by the names given here

    `numpy.load(path)` reads it. Raises ArchiveError for what has no name, for names that are there
    twice, and for what is no array of numbers.
    """
    found = _flat([*objects, named] if named else list(objects))
    arrays = {name: _array(name, item) for name, item in found.items()}
    graph = _graph(objects)
    with _written(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                npy.write_array(member, array, allow_pickle=False)
        archive.writestr(ABOUT, json.dumps(_about(found, arrays), indent=1, ensure_ascii=False))
        if graph is not None:
            archive.writestr(GRAPH, graph.to_json())


def load(path: Place, into: Any = None) -> Saved:
    """The arrays of a file that `save` (or `numpy.savez`) wrote, by name.

    into   shared variables (and arrays) in the form in which they were given to `save`: they are
           set to what the file has, all of them or, where anything does not fit, none

    Raises ArchiveError where the file is none of these, is damaged or newer than this workbench;
    with `into`, for names that only one side has, and for dtypes and shapes that differ.
    """
    saved = _read(path)
    if into is not None:
        _set(_flat([into]), saved)
    return saved


class Saved(Mapping[str, Array]):
    """The arrays of a file by name, in the order in which they were saved.

    version   the workbench that wrote it, '' for a file of NumPy's own
    format    the version of the format
    """

    def __init__(
        self, arrays: Mapping[str, Array], graph: str | None, version: str, format: int
    ) -> None:
        self._arrays = dict(arrays)
        self._graph, self.version, self.format = graph, version, format

    @property
    def graph(self) -> Snapshot | None:
        """What the graph was, or None. Raises ArchiveError where it is in a form that this
        workbench does not know; the arrays can be read all the same.
        """
        try:
            return None if self._graph is None else Snapshot.from_json(self._graph)
        except ValueError as error:
            raise ArchiveError(f"the graph cannot be read: {error}") from None

    def __getitem__(self, name: str) -> Array:
        if name not in self._arrays:
            near = nearest(str(name), list(self))
            raise KeyError(
                f"there is no {name!r}; there are {', '.join(self) or 'no arrays'}.{near}"
            )
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        rows = [f"  {n:<{width}}  {a.dtype} {list(a.shape)}" for n, a in self.items()]
        graph = ", a graph" if self._graph is not None else ""
        return "\n".join([f"Saved({len(self)} arrays{graph})", *rows])


# --- names ---


@frozen
class _Item:
    """A thing in a list: it is called as it calls itself, else, in a list that has a name, by its
    number.
    """

    value: Any
    number: int


def _flat(objects: Sequence[Any]) -> Named:
    """What there is, by name. Raises ArchiveError for what has no name, or one that another has."""
    found: Named = {}
    pending: list[tuple[str, Any]] = [("", _Item(v, i)) for i, v in enumerate(objects)][::-1]
    while pending:
        path, given = pending.pop()
        item = given.value if isinstance(given, _Item) else given
        if isinstance(item, Mapping):
            parts = [(_joined(path, key), value) for key, value in item.items()]
        elif _is_list_of_things(item):
            parts = [_in_list(path, i, value) for i, value in enumerate(item)]
        elif _stands_for_others(item):
            parts = [(path, _Item(v, i)) for i, v in enumerate(_shared(item))]
        else:
            _add(found, _name(path, given), item)
            continue
        pending += reversed(parts)
    return found


def _is_list_of_things(item: Any) -> bool:
    """Whether it is a list of things to be saved one by one, and not of numbers: an array."""
    if not isinstance(item, (list, tuple)):
        return False
    return not item or any(
        isinstance(v, (Mapping, Variable, Function, np.ndarray)) or _is_list_of_things(v)
        for v in item
    )


def _in_list(path: str, i: int, value: Any) -> tuple[str, Any]:
    if isinstance(value, Mapping) or _is_list_of_things(value):
        return _joined(path, str(i)), value
    return path, _Item(value, i)


def _add(found: Named, name: str, item: Any) -> None:
    if name in found and found[name] is item:
        return
    if name in found:
        raise ArchiveError(
            f"two different things are called {name!r}",
            place=getattr(item, "place", None),
            advice="give them as a dict, whose keys are the names",
        )
    if name.startswith(OURS):
        raise ArchiveError(f"the name {name!r} begins with {OURS!r}, which is kept for the graph")
    found[name] = item


def _joined(path: str, key: object) -> str:
    if not isinstance(key, str) or not key:
        raise ArchiveError(f"a name is text, not {key!r}")
    return f"{path}/{key}" if path else key


def _name(path: str, given: Any) -> str:
    """What a thing is called that is saved under a path."""
    if not isinstance(given, _Item):
        return path
    item = given.value
    if is_shared_variable(item) and item.name:
        return _joined(path, item.name)
    if path:
        return _joined(path, str(given.number))
    what = "a shared variable without a name" if is_shared_variable(item) else _short(item)
    raise ArchiveError(
        f"{what} cannot be saved: nothing says what it is called",
        place=getattr(item, "place", None),
        advice="give a dict, as in save(path, {'W': W}), or a keyword, as in save(path, W=W)",
    )


def is_shared_variable(item: object) -> bool:
    """Whether it is a shared variable, and not just anything with a cell."""
    return isinstance(item, SharedVariable)


def _stands_for_others(item: object) -> bool:
    """Whether it is a function or an expression, which are saved by their shared variables."""
    return isinstance(item, Function) or (
        isinstance(item, Variable) and not is_shared(item) and item.owner is not None
    )


def _shared(item: Any) -> list[Any]:
    if isinstance(item, Function):
        return list(shared_of(item.maker.program))
    return [v for v in leaves([item]) if is_shared(v)]


def _short(item: object) -> str:
    text = repr(item)
    return text if len(text) < 60 else text[:57] + "..."


# --- arrays ---


def _array(name: str, item: Any) -> Array:
    """A thing's value as an array that needs no pickle."""
    value = item.get_value(borrow=True) if is_shared_variable(item) else item
    if isinstance(value, (Variable, str, bytes)) or value is None:
        raise _no_array(name, value)
    try:
        array = np.asarray(value)
    except ValueError:
        raise _no_array(name, value) from None
    if array.dtype.hasobject or array.dtype.kind not in "biufc":
        raise _no_array(name, value)
    return array


def _no_array(name: str, value: object) -> ArchiveError:
    return ArchiveError(
        f"{name!r} cannot be saved: {_short(value)} is no array of numbers",
        place=getattr(value, "place", None),
        advice="pickle keeps any object",
    )


def _about(found: Named, arrays: Mapping[str, Array]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "workbench": sys.modules["workbench"].__version__,
        "arrays": [
            {
                "name": name,
                "dtype": str(array.dtype),
                "shape": list(array.shape),
                "kind": "shared" if is_shared_variable(found[name]) else "array",
            }
            for name, array in arrays.items()
        ],
    }


def _graph(objects: Sequence[Any]) -> Snapshot | None:
    """The graphs of the functions and expressions, as one."""
    outputs: list[Variable] = []
    inputs: list[Variable] = []
    for item in objects:
        if isinstance(item, Function):
            outputs += item.maker.program.results
            inputs += item.maker.program.variables
        elif _stands_for_others(item):
            outputs.append(item)
    if not outputs:
        return None
    return snapshot(outputs, list(dict.fromkeys(inputs)))


# --- files ---


@contextmanager
def _written(path: Place) -> Iterator[IO[bytes]]:
    """A file to write to; one of a path takes its place when all is written."""
    if not isinstance(path, (str, os.PathLike)):
        yield path
        return
    target = Path(os.path.realpath(path))
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _read(path: Place) -> Saved:
    try:
        with zipfile.ZipFile(path) as archive:
            return _saved(archive)
    except (zipfile.BadZipFile, zlib.error, json.JSONDecodeError, EOFError) as error:
        raise ArchiveError(
            f"{_called(path)} cannot be read: {error}",
            advice="it is damaged, or no file that save or numpy.savez wrote",
        ) from None


def _saved(archive: zipfile.ZipFile) -> Saved:
    names = archive.namelist()
    about: dict[str, Any] = json.loads(archive.read(ABOUT)) if ABOUT in names else {"format": 0}
    if not isinstance(about.get("format"), int) or about["format"] > FORMAT:
        raise ArchiveError(
            f"the file has format {about.get('format')}; this workbench reads up to {FORMAT}",
            advice=f"it was written by workbench {about.get('workbench', '?')}: use that, or newer",
        )
    arrays = {
        name.removesuffix(".npy"): _member(archive, name)
        for name in names
        if name.endswith(".npy") and not name.startswith(OURS)
    }
    graph = archive.read(GRAPH).decode() if GRAPH in names else None
    return Saved(arrays, graph, about.get("workbench", ""), about["format"])


def _member(archive: zipfile.ZipFile, name: str) -> Array:
    try:
        with archive.open(name) as member:
            array: Array = npy.read_array(member, allow_pickle=False)
            return array
    except ValueError as error:
        raise ArchiveError(f"{name} cannot be read: {error}") from None


def _called(path: Place) -> str:
    return str(path) if isinstance(path, (str, os.PathLike)) else "the file"


# --- setting ---


def _set(targets: Named, saved: Saved) -> None:
    """Give each target what was saved under its name: all of them, or none."""
    wrong = [f"{name!r} is not in the file" for name in targets if name not in saved]
    wrong += [f"{name!r} is in the file only" for name in saved if name not in targets]
    fitting: dict[str, Array] = {}
    for name in (n for n in targets if n in saved):
        try:
            fitting[name] = _fitted(targets[name], saved[name])
        except WorkbenchError as error:
            wrong.append(f"{name!r}: {error.wrong}")
    if wrong:
        raise ArchiveError(
            f"nothing was set: {'; '.join(wrong)}",
            f"the file has {', '.join(saved) or 'no arrays'}",
            advice="load(path)['name'] gives single arrays, for set_value",
        )
    for name, array in fitting.items():
        target = targets[name]
        if is_shared_variable(target):
            target.set_value(array, borrow=True)
        else:
            target[...] = array


def _fitted(target: Any, array: Array) -> Array:
    """The array, where a target can take it."""
    if is_shared_variable(target):
        now = np.asarray(target.get_value(borrow=True))
    elif isinstance(target, np.ndarray) and target.flags.writeable:
        now = target
    else:
        raise ArchiveError(f"{_short(target)} cannot be set")
    if now.dtype != array.dtype:
        raise DtypeError(f"it is of {now.dtype}, what was saved of {array.dtype}")
    if now.shape != array.shape:
        raise ArchiveError(f"it has the shape {now.shape}, what was saved {array.shape}")
    return array
