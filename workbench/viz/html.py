"""Two forms of a view in HTML: a picture that untrusted notebooks show, and a page that works from
disk.
"""

from __future__ import annotations

import base64
import json
from html import escape
from typing import Any  # JSON

from workbench.viz import assets

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
html, body {{ margin: 0; height: 100%; background: Canvas; color-scheme: light dark; }}
#view {{ padding: 12px; box-sizing: border-box; height: 100%; --wb-height: calc(100vh - 120px); }}
{css}
</style>
</head>
<body>
<div id="view"></div>
<script type="application/json" id="payload">{payload}</script>
<script type="module">
{esm}
{stub}
</script>
</body>
</html>
"""

# The smallest model that a widget's module can be shown with; changes stay in the page.
_STUB = """
const state = { payload: JSON.parse(document.getElementById("payload").textContent) };
const heard = {};
const tell = (name, ...what) => (heard[name] || []).forEach((hear) => hear(...what));
const model = {
  get: (name) => state[name],
  set: (name, value) => { state[name] = value; tell("change:" + name); },
  on: (name, hear) => { (heard[name] = heard[name] || []).push(hear); },
  off: (name, hear) => { heard[name] = (heard[name] || []).filter((one) => one !== hear); },
  save_changes: () => {},
  send: () => {},
};
widget.render({ model, el: document.getElementById("view") });
"""


def picture_html(svg: str, alt: str) -> str:
    """An image tag that holds `svg` as data. Notebooks that are not trusted show it, where inline
    SVG is refused.
    """
    data = base64.b64encode(svg.encode()).decode()
    style = "max-width:100%;height:auto"
    return f'<img alt="{escape(alt)}" style="{style}" src="data:image/svg+xml;base64,{data}">'


def export_html(payload: dict[str, Any]) -> str:
    """One page with the data and the program in it: it opens from disk, without a network or a
    kernel.
    """
    data = json.dumps({**payload, "live": False}, separators=(",", ":"), allow_nan=False)
    return _PAGE.format(
        title=escape(str(payload["title"])),
        css=assets.css(),
        esm=assets.module().replace("export default ", "const widget = "),
        stub=_STUB.strip(),
        payload=data.replace("</", "<\\/"),
    )
