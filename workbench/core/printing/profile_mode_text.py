"""What ProfileMode prints: tables with running sums; `*` marks native code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import perf_counter

from workbench.configuration import config
from workbench.core.graph import Apply
from workbench.core.printing.profile_text import class_name, name_of
from workbench.core.printing.profile_tips import tips
from workbench.core.profile import IMPORTED, Times
from workbench.core.profile_stats import ProfileStats, total
from workbench.core.profile_sums import Group, by_class, by_op, is_native

TITLE = "ProfileMode.print_summary()"
SPENT = "<% of local_time spent on this kind of Op> <cumulative %> <self seconds> "
SINGLE = SPENT + "<cumulative seconds> <time per call> [*] <nb_call> <nb_op> <nb_apply> <Op name>"
BY_OP = SPENT + "<cumulative seconds> <time per call> [*] <nb_call> <nb apply> <Op name>"
BY_APPLY = (
    "<% of local_time spent at this position> <cumulative %> <apply time> <cumulative seconds> "
    "<time per call> [*] <nb_call> <Apply position> <Apply Op name>"
)
STAR = "   (*) Op is running a native implementation"

# A row of a table: seconds, whether it is native, runs, and the columns that follow.
Row = tuple[float, bool, int, str]


def summary_text(profiles: Sequence[ProfileStats], n_apply: int, n_ops: int) -> str:
    """The whole report."""
    whole = total(profiles)
    nodes = whole.outer()
    single = [_group_row(class_name(kind), g, True) for kind, g in by_class(nodes).items()]
    ops = [_group_row(str(op), g, False) for op, g in by_op(nodes).items()]
    ordered = sorted(nodes.items(), key=lambda item: -item[1].seconds)
    apply = [_node_row(whole, node, times) for node, times in ordered]
    parts = [
        *_head(whole),
        *_functions(profiles),
        *_table("Single Op-wise summary:", SINGLE, single, n_ops, "single Op"),
        *_table("Op-wise summary:", BY_OP, ops, n_ops, "Op"),
        *_table("Apply-wise summary:", BY_APPLY, apply, n_apply, "Apply instances"),
        *_memory(whole, n_apply),
        *_tips(whole),
    ]
    return "\n".join(parts) + "\n"


def diff_text(
    ours: Sequence[ProfileStats], theirs: Sequence[ProfileStats], n_apply: int, n_ops: int
) -> str:
    """By how much the seconds of `theirs` are larger than `ours`: in all, for each op class, for
    each node (nodes of one text are the same).
    """
    mine, other = total(ours), total(theirs)
    called = other.call_times.seconds - mine.call_times.seconds
    spent = other.compute_total_times() - mine.compute_total_times()
    return "\n".join(
        [
            "ProfileMode.print_diff_summary()",
            "--------------------------------",
            "",
            f"fct call {called:+.3e}s",
            f"   Op time {spent:+.3e}s",
            f"   function overhead in ProfileMode {called - spent:+.3e}s",
            f"{other.call_times.calls - mine.call_times.calls:+d} fct call",
            "",
            "Single Op-wise difference:",
            "<difference in seconds> <Op name>",
            *_differences(_by_class(mine), _by_class(other), n_ops),
            "",
            "Apply-wise difference:",
            "<difference in seconds> <Apply Op name>",
            *_differences(_by_text(mine), _by_text(other), n_apply),
            "",
        ]
    )


def _by_class(whole: ProfileStats) -> dict[str, float]:
    return {class_name(kind): seconds for kind, seconds in whole.class_time().items()}


def _by_text(whole: ProfileStats) -> dict[str, float]:
    found: dict[str, float] = {}
    for node, times in whole.outer().items():
        text = name_of(node)
        found[text] = found.get(text, 0.0) + times.seconds
    return found


def _differences(first: dict[str, float], second: dict[str, float], most: int) -> Iterable[str]:
    found = {name: second.get(name, 0.0) - first.get(name, 0.0) for name in {**first, **second}}
    for name, seconds in sorted(found.items(), key=lambda item: -abs(item[1]))[:most]:
        yield f"   {seconds:+.3e}s  {name}"


def _head(whole: ProfileStats) -> Iterable[str]:
    since = perf_counter() - IMPORTED
    linking = sum(seconds for name, seconds in whole.stages if name == "link")
    optimising = sum(s for name, s in whole.stages if name != "link" and name[0] != " ")
    calls, called = whole.call_times.calls, whole.call_times.seconds
    spent = whole.compute_total_times()
    overhead, compiling = called - spent, linking + optimising
    rest = since - called - compiling
    yield from (TITLE, "-" * len(TITLE), "")
    yield f"Time since import {since:.3f}s"
    yield f"compile time: {compiling:.3f}s ({_of(compiling, since)} since import)"
    yield f"    Optimization time: {optimising:.3f}s"
    yield f"    Linker time: {linking:.3f}s"
    yield f"fct call {called:.3f}s ({_of(called, since)} since import)"
    yield (
        f"   Op time {spent:.3f}s {_of(spent, since)}(since import) "
        f"{_of(spent, called)}(of fct call)"
    )
    yield (
        f"   function overhead in ProfileMode {overhead:.3f}s "
        f"{_of(overhead, since)}(since import) {_of(overhead, called)}(of fct call)"
    )
    yield f"{calls} fct call, {called / max(calls, 1):.3e}s per call"
    yield f"Rest of the time since import {rest:.3f}s {_of(rest, since)}"
    yield ""


def _functions(profiles: Sequence[ProfileStats]) -> Iterable[str]:
    whole = sum(stats.call_times.seconds for stats in profiles)
    yield "fct summary:"
    yield "<% total fct time> <total time> <time per call> <nb call> <fct name>"
    for stats in sorted(profiles, key=lambda stats: -stats.call_times.seconds):
        calls, seconds = stats.call_times.calls, stats.call_times.seconds
        each = seconds / max(calls, 1)
        yield f"   {_of(seconds, whole):>6} {seconds:.3f}s {each:.2e}s {calls} {stats.name}"
    yield ""


def _group_row(name: str, group: Group, single: bool) -> Row:
    kinds = f"{len(group.ops):3d} " if single else ""
    shown = f"<class '{name}'>" if single else name
    return group.seconds, group.native, group.calls, f"{kinds}{group.nodes:3d}  {shown}"


def _node_row(whole: ProfileStats, node: Apply, times: Times) -> Row:
    position = whole.position.get(node, "")
    return times.seconds, is_native(times), times.calls, f"{position:>3}  {name_of(node)}"


def _table(title: str, columns: str, rows: Sequence[Row], most: int, what: str) -> Iterable[str]:
    whole, before = sum(row[0] for row in rows), 0.0
    yield from (title, columns)
    for seconds, native, calls, text in rows[:most]:
        before += seconds
        yield (
            f"   {_of(seconds, whole):>6} {_of(before, whole):>6}  {seconds:.3f}s  {before:.3f}s  "
            f"{seconds / max(calls, 1):.2e}s {'*' if native else ' '} {calls:6d} {text}"
        )
    left = max(len(rows) - most, 0)
    rest = whole - before if left else 0.0
    yield (
        f"   ... (remaining {left} {what} account for {_of(rest, whole)} ({rest:.2e}s) of the "
        "runtime)"
    )
    yield from (STAR, "")


def _memory(whole: ProfileStats, most: int) -> Iterable[str]:
    if not whole.sizes:
        return
    made = sum(sizes.bytes for sizes in whole.sizes.values())
    yield f"One call of each function makes results of {made} bytes in all."
    yield "<bytes of the results> <their shapes> <Apply Op name>"
    smallest = config.ProfileMode.min_memory_size
    largest = sorted(whole.sizes.items(), key=lambda item: -item[1].bytes)
    for node, sizes in [item for item in largest if item[1].bytes >= smallest][:most]:
        yield f"   {sizes.bytes:>12}B  {sizes.shapes} {name_of(node)}"
    yield ""


def _tips(whole: ProfileStats) -> Iterable[str]:
    if found := tips(whole):
        yield "Here are tips to potentially make your code run faster:"
        yield from (f"  - {tip}" for tip in found)


def _of(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "–"
