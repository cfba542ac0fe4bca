"""Comparing what was printed with what a text shows: words as they are, numbers to the digits that
are shown.
"""

import re

TOKEN = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?|[^\s\d.,\[\]()]+|[\[\]()]")


def tokens(text: str) -> list[str]:
    """Numbers, words and brackets, without spaces and commas."""
    return TOKEN.findall(text.replace("\\.", "."))


def same(printed: str, shown: str) -> None:
    """Fails where the printed text differs by more than spaces and the shown numbers' rounding."""
    have, want = tokens(printed), tokens(shown)
    assert len(have) == len(want), f"{have}\n{want}"
    for ours, theirs in zip(have, want, strict=True):
        if re.match(r"[-+]?[\d.]", theirs):
            decimals = len(theirs.partition(".")[2])
            allowed = max(0.51 * 10.0**-decimals, 6e-8 * abs(float(theirs)))  # float32 prints less
            assert abs(float(ours) - float(theirs)) <= allowed, (ours, theirs)
        else:
            assert ours == theirs
