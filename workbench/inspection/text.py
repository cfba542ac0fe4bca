"""The views as plain text, for a shell: graph, rewrites, values, scans, profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.core.records import RANDOM_STATE, Profile, ProfileRow, ScanTrace, Summary
from workbench.core.values import describe

if TYPE_CHECKING:
    from workbench.inspection.workbench import Workbench

MOST_ROWS = 40


def text_of(seen: Workbench, view: str) -> str:
    """One view."""
    parts = {
        "graph": graph_text,
        "rewrites": rewrites_text,
        "values": values_text,
        "scan": scan_text,
        "profile": lambda seen: profile_text(seen.profile),
    }
    text = parts[view](seen).rstrip()
    return text if seen.error is None else f"{text}\n\n{type(seen.error).__name__}: {seen.error}"


def graph_text(seen: Workbench) -> str:
    """The graphs before and after, as trees."""
    from workbench.viz import snapshot_text, summary_text

    summary = summary_text(seen.history, seen.title)
    before, after = snapshot_text(seen.graph), snapshot_text(seen.optimised)
    return f"{summary}\n\nbefore\n{before}\nafter\n{after}"


def rewrites_text(seen: Workbench) -> str:
    """Every rewrite under its pass, then the refused ones."""
    lines, phase = [], ""
    for number, step in enumerate(seen.history.steps, 1):
        if step.phase != phase:
            phase = step.phase
            lines.append(phase)
        change = f"−{len(step.removed)} +{len(step.added)}"
        lines.append(f"  {number:3d}  {step.rule:24s} {change:8s} {step.equation}".rstrip())
    for refusal in seen.history.refused:
        lines.append(f"  refused {refusal.phase} {refusal.rule}: {refusal.reason}")
    return "\n".join(lines) or "no rewrites"


def values_text(seen: Workbench) -> str:
    """The value of every variable of the user's graph, a line each."""
    before, _ = seen.tables()
    if not before.rows:
        return before.note
    rows = []
    for port, summary in before.rows:
        node = seen.graph[port.node]
        if node.kind != "constant":
            rows.append((node.outputs[port.index].name or node.label, describe(summary)))
    return _table([("variable", "value"), *rows])


def scan_text(seen: Workbench) -> str:
    """The first and last iterations of every scan."""
    traces = seen.traces()
    if not traces:
        return seen.hint or "there is no scan in this graph"
    return "\n\n".join(_one_scan(trace) for trace in traces)


def _one_scan(trace: ScanTrace) -> str:
    shown = _steps_shown(trace.n_steps)
    rows = [("variable", *(f"t={t}" for t in shown))]
    for port, column in trace.columns:
        node = trace.inner[port.node]
        if node.kind == "apply" and node.outputs[port.index].is_random_state:
            continue  # what was drawn is told
        name = node.outputs[port.index].name or node.label
        rows.append((name, *(_cell(column[t], t, trace) for t in shown)))
    title = f"scan '{trace.name}': {trace.n_steps} iterations"
    return "\n".join(filter(None, (title, _table(rows), trace.dropped)))


def _steps_shown(n: int) -> list[int]:
    return list(range(n)) if n <= 6 else [0, 1, 2, n - 3, n - 2, n - 1]


def _cell(summary: Summary | None, t: int, trace: ScanTrace) -> str:
    if summary is None:  # without one: not computed, or one of too many iterations
        return "not run" if any(column[t] for _, column in trace.columns) else "…"
    if summary.dtype == RANDOM_STATE:
        return RANDOM_STATE
    if summary.shape == () and summary.sample:
        x = summary.sample[0]
        return f"{x:.6g}" if isinstance(x, float) else str(x)
    return "–" if summary.mean is None else f"mean {summary.mean:.4g}"


def profile_text(profile: Profile) -> str:
    """The sorted table: share, time per call, spread, calls, bytes, FLOPs, op."""
    if not profile.rows:
        return "\n".join(profile.notes) or "no profile"
    total = sum(row.seconds for row in profile.rows if row.parent is None) or 1.0
    rows: list[tuple[str, ...]] = [
        ("share", "per call", "spread", "calls", "bytes", "flops", "form", "op")
    ]
    for row in profile.rows[:MOST_ROWS]:
        share = f"{100 * row.seconds / total:.1f} %"
        times = (share, duration(row.median), duration(row.spread))
        counts = map(str, (row.calls, row.bytes, row.flops))
        rows.append((*times, *counts, row.form, _name(row)))
    if profile.verdicts:
        rows = _beside(profile)
    per_call = duration(profile.seconds / max(profile.calls, 1))
    overhead = duration(profile.overhead)
    head = f"{profile.calls} calls of {per_call}, timing costs {overhead} a call"
    stages = ", ".join(f"{name} {duration(seconds)}" for name, seconds in profile.stages)
    return "\n".join([head, f"compile: {stages}", _table(rows), *profile.notes])


def _beside(profile: Profile) -> list[tuple[str, ...]]:
    """The processor and the device side by side, with the verdicts."""
    host = {row.node: row for row in profile.host}
    verdicts = {verdict.node: verdict for verdict in profile.verdicts}
    rows: list[tuple[str, ...]] = [
        ("device", "launch", "cpu", "calls", "bytes", "where", "pays", "op", "why")
    ]
    for row in profile.rows[:MOST_ROWS]:
        outer = row.parent is None
        there = row.device != "cpu"
        other = host.get(row.node) if outer and row.form == "kernel" else None
        verdict = verdicts.get(row.node) if outer else None
        at_rest = "–" if there else duration(row.median)
        pays = "" if verdict is None or verdict.pays is None else "yes" if verdict.pays else "no"
        times = (
            duration(row.median) if there else "–",
            duration(row.launch) if row.launch else "–",
            duration(other.median) if other else at_rest,
        )
        why = verdict.reason if verdict else ""
        rows.append((*times, str(row.calls), str(row.bytes), row.device, pays, _name(row), why))
    return rows


def _name(row: ProfileRow) -> str:
    inside = "  in scan: " if row.parent is not None else ""
    return inside + (row.label or row.op)


def duration(seconds: float) -> str:
    """'3.2 ms'."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
