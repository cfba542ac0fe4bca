"""The browser's part: the ES modules of `static/js` as one text, and the style sheet.

A widget's module must be one file, but nobody wants to read it as one. The parts are ordinary ES
modules that import
one another; `module` joins them in a fixed order, each in a scope of its own. As a notebook saves
the module once per
widget, `esm` is a small loader that carries it compressed.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"
PARTS = (
    "dom", "theme", "model", "replay", "scene", "search", "paint", "charts", "minimap", "stage",
    "nodes", "table", "card", "rule", "graph", "rewrites", "values", "scan", "device", "profile",
    "main",
)  # fmt: skip
_COMMENT = re.compile(r"^\s*(//[^\n]*|/\*\*.*?\*/)\n", re.MULTILINE | re.DOTALL)
_INDENT = re.compile(r"^[ ]+", re.MULTILINE)
_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.js";', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:const|class|function) (\w+))", re.MULTILINE)
_DEFAULT = re.compile(r"^export default (\w+);\n", re.MULTILINE)

# Decompressed once per page, however many widgets it shows. A blob module is how every AFM host
# loads a widget anyway.
_LOADER = """const key = "workbench-{name}";
const load = async () => {{
  const bytes = Uint8Array.from(atob("{data}"), (c) => c.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const url = URL.createObjectURL(new Blob([await new Response(plain).text()], {{ type:
  "text/javascript" }}));
  return (await import(url)).default;
}};
export default {{ render: async (view) => (await (globalThis[key] ||= load())).render(view) }};
"""


@cache
def module() -> str:
    """All parts as one readable ES module, whose default export is the widget."""
    parts = [_scoped(part, (STATIC / "js" / f"{part}.js").read_text("utf-8")) for part in PARTS]
    return "".join(parts) + f"export default ${PARTS[-1]}.widget;\n"


def _scoped(name: str, text: str) -> str:
    """A part as a function called on the spot: its imports are read from other parts, its exports
    returned.
    """
    text = _INDENT.sub("", _COMMENT.sub("", text))
    text = _IMPORT.sub(r"const \1 = $\2;", text)
    exported = [*_EXPORT.findall(text), *_DEFAULT.findall(text)]
    text = _EXPORT.sub("", _DEFAULT.sub("", text))
    body = re.sub(r"\n{2,}", "\n", text).strip()
    return f"const ${name} = (() => {{\n{body}\nreturn {{ {', '.join(exported)} }};\n}})();\n"


@cache
def esm() -> str:
    """What the widget carries: a loader with `module` in it, a third of its size."""
    code = module().encode()
    data = base64.b64encode(zlib.compress(code, 9)).decode()
    return _LOADER.format(name=hashlib.sha256(code).hexdigest()[:12], data=data)


@cache
def css() -> str:
    """The widget's style sheet; every class in it begins with `wb-`."""
    text = (STATIC / "workbench.css").read_text("utf-8")
    return _INDENT.sub("", re.sub(r"/\*.*?\*/\n?", "", text, flags=re.DOTALL))
