"""Answers to the page: what is too large to send with the widget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.records import Port

if TYPE_CHECKING:
    from workbench.inspection.workbench import Workbench

MOST = 128  # rows and columns of a slice


class Source:
    """Called with a request of the page: {'kind': 'slice' | 'code', 'node': …}; answers JSON."""

    def __init__(self, seen: Workbench) -> None:
        self.seen = seen

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        kinds = {"slice": self.slice, "code": self.code}
        answer = kinds.get(request.get("kind", ""))
        if answer is None:
            return {"error": f"there is no answer to {request.get('kind')!r}"}
        return answer(request)

    def slice(self, request: dict[str, Any]) -> dict[str, Any]:
        """At most two axes of a tensor as a nested list; leading axes at `at` (by default 0)."""
        side = request.get("side", "after")
        values = self.seen.after if side == "after" else self.seen.before
        if values is None:
            return {"error": self.seen.hint or "there are no values"}
        if "/" in str(request["node"]):
            return self._inside(request)
        wanted = _port(request)
        variable = next((v for v in values if self.seen.port(v, side) == wanted), None)
        if variable is None:
            return {"error": "this node has no value"}
        return tensor_slice(values.array(variable), request.get("at") or ())

    def _inside(self, request: dict[str, Any]) -> dict[str, Any]:
        """A tensor inside a choice."""
        place, _, node = str(request["node"]).rpartition("/")
        wanted = Port(int(node), int(request.get("index", 0)))
        for found in self.seen.inside():
            if (found.place, found.port) == (place, wanted) and found.array is not None:
                return tensor_slice(found.array, request.get("at") or ())
        return {"error": "a value inside a loop is one per iteration: see the Scan tab"}

    def code(self, request: dict[str, Any]) -> dict[str, Any]:
        """The code of the native program, in the forms that it has."""
        code = getattr(self.seen.function.linked, "code", None)
        if code is None:
            return {"error": "this function is run by the interpreter: there is no generated code"}
        names = {"optimised": "LLVM IR, optimised", "assembly": "assembly", "llvm": "LLVM IR"}
        return {"parts": [[title, code(kind)] for kind, title in names.items()]}


def _port(request: dict[str, Any]) -> Port:
    return Port(int(request["node"]), int(request.get("index", 0)))


def tensor_slice(array: Any, at: Any) -> dict[str, Any]:
    """The last two axes at a position of the others, cut to what a picture can show."""
    values = np.asarray(array)
    where = [*map(int, at), *([0] * values.ndim)][: max(values.ndim - 2, 0)]
    part = values[tuple(where)]
    cut = part[tuple(slice(0, MOST) for _ in range(part.ndim))]
    shown = np.abs(cut) if cut.dtype.kind == "c" else cut
    note = f"{list(values.shape)}" + (f" at {where}" if where else "")
    if cut.shape != part.shape:
        note += f", the first {' × '.join(map(str, cut.shape))}"
    return {"data": _finite(shown), "note": note, "shape": list(values.shape), "at": where}


def _finite(array: Any) -> Any:
    """Nested lists in which what is not finite is None, for JSON."""
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return array.tolist()
    shown = array.astype(object)
    shown[~np.isfinite(array)] = None
    return shown.tolist()
