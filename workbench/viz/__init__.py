"""The views: pictures, text, HTML and the widget, all made from the records alone.

Nothing here knows the compiler. `WorkbenchWidget` shows records in a notebook; the functions make
the static forms.
"""

from workbench.viz.dot import snapshot_dot
from workbench.viz.html import export_html
from workbench.viz.payload import build_payload
from workbench.viz.svg import pair_svg, snapshot_svg
from workbench.viz.text import snapshot_text, summary_text
from workbench.viz.widget import WorkbenchWidget

__all__ = [
    "WorkbenchWidget",
    "build_payload",
    "export_html",
    "pair_svg",
    "snapshot_dot",
    "snapshot_svg",
    "snapshot_text",
    "summary_text",
]
