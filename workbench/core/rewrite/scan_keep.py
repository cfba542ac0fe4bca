"""What a loop need not store: rows that nobody reads."""

from __future__ import annotations

from dataclasses import replace

from workbench.core.graph import Apply, Variable
from workbench.core.ops.index import Subtensor
from workbench.core.rewrite.engine import Answer, Context, rule
from workbench.core.rewrite.scan_changes import is_read_whole
from workbench.core.scan.op import Scan
from workbench.core.scan.parts import Parts


@rule(Scan, equation="scan(f)[-k:] → (the last k rows of scan(f))[-k:]")
def keep_last_rows(node: Apply, context: Context) -> Answer:
    """Of an output that is only read from its end, the last rows are kept: memory does not grow
    with the steps.
    """
    parts = Parts.of(node)
    keep = [
        _fewer(part.keep, rows_read(v, context)) for part, v in zip(parts.stacked, node.outputs)
    ]
    if all(k == part.keep for k, part in zip(keep, parts.stacked, strict=True)):
        return None
    left = iter(keep)
    states = tuple(replace(state, keep=next(left)) for state in parts.states)
    maps = tuple(replace(part, keep=next(left)) for part in parts.maps)
    return replace(parts, states=states, maps=maps).apply().outputs


def _fewer(now: int | None, wanted: int | None) -> int | None:
    return now if wanted is None or (now is not None and now <= wanted) else wanted


def rows_read(output: Variable, context: Context) -> int | None:
    """How many rows from the end are read (at least one), or None where that is not known."""
    if is_read_whole(output, context):
        return None
    rows = 1
    for reader, position in context.readers(output):
        read = _from_end(reader) if position == 0 else None
        if read is None:
            return None
        rows = max(rows, read)
    return rows


def _from_end(reader: Apply) -> int | None:
    """K for x[-k] and x[-k:], None for anything else."""
    if not isinstance(reader.op, Subtensor) or not reader.op.spec:
        return None
    match reader.op.spec[0]:
        case int(i) if i < 0:
            return -i
        case (int(i), None, None | 1) if i < 0:
            return -i
    return None


KEEP_RULES = (keep_last_rows,)
