"""The widget: thin traits around one payload, and the static forms that stay where no widget can be
shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any  # mime bundles and messages are JSON

import anywidget
import traitlets

from workbench.core.records import History, Profile, ScanTrace, ValueTable
from workbench.viz import assets
from workbench.viz.html import picture_html
from workbench.viz.payload import VIEWS, build_payload
from workbench.viz.svg import pair_svg
from workbench.viz.text import summary_text

Source = Callable[[dict[str, Any]], dict[str, Any]]


class WorkbenchWidget(anywidget.AnyWidget):
    """Graph, rewrites, values, scans and profile of one compiled function, in tabs that share one
    selection.

    selected   the chosen node's id as text ("12"; "12/3" for node 3 inside node 12), "" for none
    tab        'graph', 'rewrites', 'values', 'scan' or 'profile'
    step       how many rewrites the Rewrites tab has made
    iteration  the scan step that the Scan tab shows
    error      the last failure of a `source`, "" for none

    `source` answers what is too large to send. It gets the left, returns the right:

        {"kind": "slice", "node": "12", "index": 0, "side": "after"}  {"data": rows, "note": "0:64"}
        {"kind": "code", "node": "12"}  {"code": text} or {"parts": [[title, text], ...]}
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    payload = traitlets.Dict().tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)
    tab = traitlets.Enum(VIEWS, "graph").tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    iteration = traitlets.Int(0).tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        history: History,
        values_before: ValueTable | None = None,
        values_after: ValueTable | None = None,
        traces: Sequence[ScanTrace] = (),
        profile: Profile | None = None,
        title: str = "",
        view: str = "graph",
        source: Source | None = None,
    ) -> None:
        payload = build_payload(
            history, values_before, values_after, traces, profile, title, view, source
        )
        super().__init__(payload=payload, tab=view, _esm=assets.esm(), _css=assets.css())
        self._history, self._title, self._source = history, title, source
        self.on_msg(self._answer)

    def _answer(self, _: object, message: dict[str, Any], buffers: object) -> None:
        """Pass a question of the page to `source`; a failure goes to `error`, where the page shows
        it.
        """
        if self._source is None:
            return
        try:
            answer = self._source(message)
            self.error = ""
        except Exception as failure:  # whatever a source raises must be seen, not lost in a comm
            self.error = f"{type(failure).__name__}: {failure}"
            answer = {"error": self.error}
        self.send({**answer, "ask": message.get("ask")})

    def __repr__(self) -> str:
        return summary_text(self._history, self._title)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The live view, with a picture and a paragraph for where it cannot live."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        text, svg = repr(self), pair_svg(self._history, self._title)
        static = {
            "text/plain": text,
            "text/html": picture_html(svg, text),
            "image/svg+xml": svg,
        }
        return {**data, **static}, metadata
