"""How wide a text will be, without a browser: Helvetica's advance widths, with room for wider
fonts.
"""

from __future__ import annotations

_WIDTHS = {
    "ijl'|": 222,
    " !,./:;I[\\]ft·": 278,
    '"()-`r{}*^': 350,
    "Jcksvxyz": 500,
    "FTZ": 611,
    "+<=>~→×÷≤≥≠−": 584,
    "ABEKPSVXY&": 667,
    "CDHNRUw": 722,
    "GOQ": 778,
    "MWm%@…": 920,
}
_ADVANCE = {char: width / 1000 for chars, width in _WIDTHS.items() for char in chars}
_DEFAULT = 0.556
_WIDE = 1.0  # ideographs and the like
_ROOM = 1.14  # DejaVu and Verdana run wider than Helvetica


def text_width(text: str, size: float) -> float:
    """The width in pixels that `text` needs at a font size of `size` pixels, a little on the safe
    side.
    """
    return _ROOM * size * sum(map(_advance, text))


def _advance(char: str) -> float:
    return _WIDE if ord(char) > 0x2E80 else _ADVANCE.get(char, _DEFAULT)


def fit(text: str, size: float, width: float) -> str:
    """`text`, cut with an ellipsis where it is wider than `width`."""
    if text_width(text, size) <= width:
        return text
    room = width - text_width("…", size)
    for end in range(len(text), 0, -1):
        if text_width(text[:end], size) <= room:
            return text[:end].rstrip() + "…"
    return "…"
