"""The Workbench object: one program's graph, rewrites, values, scan traces and times, and how it
is shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.core.function import Function
from workbench.core.graph import Apply, Variable, toposort
from workbench.core.profile import parents
from workbench.core.records import SCHEMA, History, Port, Profile, ScanTrace, Snapshot, ValueTable
from workbench.core.rewrite.recorder import Recorder
from workbench.core.snapshot import Ids, port, snapshot
from workbench.core.trace import Trace
from workbench.core.values import Value, Values
from workbench.inspection.branches import Branches, Found
from workbench.inspection.marks import marked
from workbench.inspection.source import Source
from workbench.inspection.text import text_of


class Workbench:
    """What `workbench.inspect` and `%%symgraph` give.

    graph, optimised  the snapshots before and after
    history           every rewrite between them; `.steps`
    values            `values[variable or name]`: a summary, and the array by `.array`
    trace             one `Trace` per scan, in graph order: `.name`, `.n_steps`, `.at(t)`,
                      `.series(variable)`
    profile           the times, a record
    function          the compiled function
    error             what went wrong while evaluating, or None
    """

    def __init__(
        self,
        function: Function,
        recorder: Recorder,
        title: str = "",
        view: str = "graph",
        missing: list[str] | None = None,
    ) -> None:
        self.function = function
        self.title = title
        self.view = view
        self.missing = missing or []
        self.error: Exception | None = None
        self.before: Values | None = None
        self.branches: Branches | None = None  # inside the choices of the optimised graph
        self.after: Values | None = None
        self.trace: list[Trace] = []
        self.profile = Profile(notes=(self.hint,) if self.missing else ())
        self._recorder = recorder
        self._history = recorder.history
        self._widget: Any = None

    @property
    def history(self) -> History:
        """Every rewrite; where evaluating failed, the node at fault is marked in its first
        graph.
        """
        node = self._failed()
        return self._history if node is None else marked(self._history, node)

    @property
    def graph(self) -> Snapshot:
        return self.history.first

    @property
    def optimised(self) -> Snapshot:
        return self._history.last

    @property
    def values(self) -> BothValues:
        return BothValues(self)

    @property
    def hint(self) -> str:
        """What to do where values are missing."""
        names = " ".join(f"{name}=…" for name in self.missing)
        return f"no values: give --values {names} (or values={{…}})" if self.missing else ""

    def port(self, variable: Variable, side: str = "before") -> Port | None:
        """Where a variable stands in the graph before or after."""
        if side == "before":
            return self._recorder.port_before(variable)
        return self._recorder.port_after(variable)

    def node_id(self, node: Apply, parent: Apply | None = None) -> int | None:
        """The id of a node of the optimised graph; of an inner node in its scan's snapshot."""
        if parent is None:
            found = self.port(node.outputs[0], "after")
            return None if found is None else found.node
        inner: Any = getattr(parent.op, "inner", None)
        if inner is None:
            return None
        ids: Ids = {}
        snapshot(inner.outputs, inner.inputs, ids=ids)
        return ids.get(node)

    def traces(self) -> list[ScanTrace]:
        """The scan traces as records."""
        return [record for trace in self.trace if (record := self._trace(trace)) is not None]

    def _trace(self, trace: Trace) -> ScanTrace | None:
        found = self.port(trace.node.outputs[0])
        inner = None if found is None else self._history.first[found.node].inner
        if found is None or inner is None:
            return None
        ids: Ids = {}
        snapshot(trace.inner.outputs, trace.inner.inputs, ids=ids)
        return trace.record(found.node, inner, lambda v: port(v, ids))

    def tables(self) -> tuple[ValueTable, ValueTable]:
        """The value tables before and after, as records."""
        before, after = self._table(self.before, "before"), self._table(self.after, "after")
        inside = tuple((found.place, found.port, found.summary) for found in self.inside())
        return before, replace(after, inside=inside)

    def inside(self) -> Iterator[Found]:
        """The values inside the choices of the optimised graph."""
        if self.branches is not None:
            yield from self.branches.found(lambda variable: self.port(variable, "after"))

    def _table(self, values: Values | None, side: str) -> ValueTable:
        if values is None:
            return ValueTable(note=self.hint)
        return values.table(lambda variable: self.port(variable, side))

    def _failed(self) -> int | None:
        """The id of the node at fault."""
        at: Any = getattr(self.error, "node", None)
        at = parents(toposort(self.function.maker.program.results)).get(at, at)
        variable = at.outputs[0] if isinstance(at, Apply) else at
        found = self.port(variable) if isinstance(variable, Variable) else None
        return None if found is None else found.node

    # ------------------------------------------------------------ forms

    def to_json(self, path: str | Path | None = None) -> str:
        """All records as one JSON text."""
        before, after = self.tables()
        data = {
            "schema": SCHEMA,
            "record": "Workbench",
            "title": self.title,
            "history": self.history.to_dict(),
            "values": {"before": before.to_dict(), "after": after.to_dict()},
            "traces": [trace.to_dict() for trace in self.traces()],
            "profile": self.profile.to_dict(),
            "error": None if self.error is None else str(self.error),
        }
        return _written(json.dumps(data, separators=(",", ":")), path)

    def to_html(self, path: str | Path | None = None) -> str:
        """One page that opens from disk and steps, without a kernel or a network."""
        from workbench.viz import build_payload, export_html

        payload = build_payload(**self._records(), title=self.title, view=self.view)
        return _written(export_html(payload), path)

    def to_svg(self, path: str | Path | None = None) -> str:
        """The graphs before and after, side by side."""
        from workbench.viz import pair_svg

        return _written(pair_svg(self.history, self.title), path)

    def to_dot(self, path: str | Path | None = None) -> str:
        """The optimised graph in Graphviz's language."""
        from workbench.viz import snapshot_dot

        return _written(snapshot_dot(self.optimised), path)

    def _records(self) -> dict[str, Any]:
        before, after = self.tables()
        return {
            "history": self.history,
            "values_before": before,
            "values_after": after,
            "traces": self.traces(),
            "profile": self.profile,
        }

    @property
    def widget(self) -> Any:
        """The live view."""
        if self._widget is None:
            from workbench.viz import WorkbenchWidget

            self._widget = WorkbenchWidget(
                **self._records(), title=self.title, view=self.view, source=Source(self)
            )
            if self.error is not None:
                self._widget.error = f"{type(self.error).__name__}: {self.error}"
                self._widget.selected = str(self._failed() or "")
        return self._widget

    def show(self, view: str) -> Workbench:
        """The same, opening on another tab."""
        self.view, self._widget = view, None
        return self

    def text(self, view: str | None = None) -> str:
        """The view as plain text."""
        return text_of(self, view or self.view)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = self.widget._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/plain"] = repr(self)
        return bundle

    def __repr__(self) -> str:
        from workbench.viz import summary_text

        text = summary_text(self.history, self.title)
        return text if self.error is None else f"{text}\n{type(self.error).__name__}: {self.error}"


class BothValues:
    """The values before and after optimisation, by variable or name: the user's own variables are
    found first.
    """

    def __init__(self, seen: Workbench) -> None:
        self._seen = seen
        self._tables = [table for table in (seen.before, seen.after) if table is not None]

    def __getitem__(self, key: Variable | str) -> Value:
        if not self._tables:
            raise KeyError(self._seen.hint or "there are no values")
        for table in self._tables:
            if key in table:
                return table[key]
        return self._tables[0][key]

    def __contains__(self, key: object) -> bool:
        return any(key in table for table in self._tables)

    def __iter__(self) -> Iterator[Variable]:
        return iter(self._tables[0]) if self._tables else iter(())

    def __len__(self) -> int:
        return len(self._tables[0]) if self._tables else 0

    def __repr__(self) -> str:
        return repr(self._tables[0]) if self._tables else self._seen.hint


def _written(text: str, path: str | Path | None) -> str:
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text
