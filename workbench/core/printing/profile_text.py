"""The printed profile of a function, part by part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from workbench.configuration import config
from workbench.core.graph import Apply, Variable
from workbench.core.printing.profile_tips import tips
from workbench.core.profile import GRADIENTS, IMPORTED, Times
from workbench.core.profile_sums import Group, by_class, by_op
from workbench.core.scan.op import Scan

if TYPE_CHECKING:
    from workbench.core.profile_stats import ProfileStats

LONGEST = 160
"""Characters of a node's name."""

GROUPS = "<% time> <sum %> <apply time> <time per call> <type> <#call> <#apply>"
NODES = "<% time> <sum %> <apply time> <time per call> <#call> <id> <Apply name>"


def function_text(stats: ProfileStats) -> str:
    """What calls, nodes and compiling took."""
    calls, seconds = stats.call_times.calls, stats.call_times.seconds
    nodes = stats.compute_total_times()
    stages: dict[str, float] = {}
    for name, took in stats.stages:
        stages[name] = stages.get(name, 0.0) + took
    link = stages.pop("link", 0.0)
    passes = {name: took for name, took in stages.items() if name[0] != " "}
    lines = [
        *_title("Function profiling", "="),
        f"  Message: {stats.name}",
        f"  Time in {calls} calls to Function.__call__: {seconds:.6e}s",
    ]
    if calls:
        run = stats.run_times.seconds
        lines += [
            f"  Time in Function.fn.__call__: {run:.6e}s ({_percent(run, seconds)})",
            f"  Time in thunks: {nodes:.6e}s ({_percent(nodes, seconds)})",
        ]
    lines += [
        f"  Total compile time: {link + sum(passes.values()):.6e}s",
        f"    Number of Apply nodes: {len(stats.position)}",
        f"    Optimizer time: {sum(passes.values()):.6e}s",
        "       validate time: every rewrite is checked as it is made; this is part of the above",
    ]
    if config.profile_optimizer:
        lines += [f"       {name}: {took:.6e}s" for name, took in passes.items()]
    lines.append(f"    Linker time (includes writing and compiling native code): {link:.6e}s")
    lines += [f"     {name}: {took:.6e}s" for name, took in stages.items() if name[0] == " "]
    return "\n".join([*lines, ""])


def process_text(stats: ProfileStats) -> str:
    """What concerns the whole process."""
    return (
        f"Time in {GRADIENTS.calls} calls to grad(): {GRADIENTS.seconds:.6e}s\n"
        f"Time since import: {perf_counter() - IMPORTED:.3f}s\n"
    )


def class_text(stats: ProfileStats, rows: int) -> str:
    """The op classes, the slowest first."""
    return _classes(stats.outer(), rows)


def ops_text(stats: ProfileStats, rows: int) -> str:
    """The ops, the slowest first."""
    return _ops(stats.outer(), rows)


def nodes_text(stats: ProfileStats, rows: int) -> str:
    """The nodes, the slowest first, with what they made where that was measured."""
    lines = [*_title("Apply", "-"), NODES]
    lines += _node_rows(stats, stats.outer(), rows)
    return "\n".join([*lines, ""])


def loops_text(stats: ProfileStats, n_ops: int, n_apply: int) -> str:
    """The bodies of the loops that ran."""
    loops = dict.fromkeys(t.parent for t in stats.nodes.values() if t.parent is not None)
    return "".join(_loop(stats, loop, n_ops, n_apply) for loop in loops)


def memory_text(stats: ProfileStats, rows: int) -> str:
    """What the nodes' results take: at most at a time, and each."""
    lines = [
        *_title("Memory Profile", "="),
        "  (of one call in which no result is overwritten; views take nothing)",
    ]
    if not stats.sizes:
        lines.append("  nothing was measured: pass ProfileStats(memory=True), or set "
                     "config.profile_memory")  # fmt: skip
        return "\n".join([*lines, ""])
    freed, kept = _peak(stats), sum(sizes.bytes for sizes in stats.sizes.values())
    lines += [
        f"  Max peak memory if every result is freed after its last reader: {_kilobytes(freed)}",
        f"  Max peak memory if nothing is freed: {_kilobytes(kept)}",
        "  <Sum apply outputs (bytes)> <Apply outputs shape> <created/view> <Apply node>",
    ]
    largest = sorted(stats.sizes.items(), key=lambda item: -item[1].bytes)
    shown = [
        item
        for item in largest
        if item[1].bytes >= config.profiling.min_memory_size or item[1].view
    ][:rows]
    for node, sizes in shown:
        kind = "v" if sizes.view else "c"
        lines.append(f"  {sizes.bytes:>12}B  {sizes.shapes} {kind} {name_of(node)}")
    rest = sum(sizes.bytes for _, sizes in largest) - sum(sizes.bytes for _, sizes in shown)
    lines.append(f"   ... (remaining {len(largest) - len(shown)} Apply account for {rest}B)")
    return "\n".join([*lines, ""])


def tips_text(stats: ProfileStats) -> str:
    """What could be quicker, where something could."""
    found = tips(stats)
    head = "Here are tips to potentially make your code run faster:"
    return "\n".join([head, *(f"  - {tip}" for tip in found), ""]) if found else ""


def name_of(node: Apply) -> str:
    """A node with its inputs."""
    text = str(node)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def class_name(kind: type) -> str:
    """Where a class is written."""
    return f"{kind.__module__}.{kind.__qualname__}"


def _classes(nodes: dict[Apply, Times], rows: int) -> str:
    groups = [(class_name(kind), group) for kind, group in by_class(nodes).items()]
    return _groups("Class", "Class name", "Classes", groups, rows)


def _ops(nodes: dict[Apply, Times], rows: int) -> str:
    groups = [(str(op), group) for op, group in by_op(nodes).items()]
    return _groups("Ops", "Op name", "Ops", groups, rows)


def _groups(
    title: str, column: str, what: str, groups: Sequence[tuple[str, Group]], rows: int
) -> str:
    whole = sum(group.seconds for _, group in groups)
    lines, before = [*_title(title, "-"), f"{GROUPS} <{column}>"], 0.0
    for name, group in groups[:rows]:
        before += group.seconds
        kind = "C" if group.native else "Py"
        lines.append(
            f"{_shares(group.seconds, before, whole)}  {_seconds(group.seconds)}  "
            f"{group.seconds / max(group.calls, 1):14.2e}s  {kind:>2}  {group.calls:6d}  "
            f"{group.nodes:6d}   {name}"
        )
    lines.append(_remaining(len(groups) - rows, what, whole - before, whole))
    return "\n".join([*lines, ""])


def _node_rows(stats: ProfileStats, nodes: dict[Apply, Times], rows: int) -> Iterable[str]:
    ordered = sorted(nodes.items(), key=lambda item: -item[1].seconds)
    whole, before = sum(times.seconds for times in nodes.values()), 0.0
    for node, times in ordered[:rows]:
        before += times.seconds
        yield (
            f"{_shares(times.seconds, before, whole)}  {_seconds(times.seconds)}  "
            f"{times.seconds / max(times.calls, 1):14.2e}s  {times.calls:6d}  "
            f"{stats.position.get(node, ''):>4}   {name_of(node)}"
        )
        if node in stats.sizes:
            yield from _shape_rows(stats, node)
    yield _remaining(len(nodes) - rows, "Apply instances", whole - before, whole)


def _shape_rows(stats: ProfileStats, node: Apply) -> Iterable[str]:
    for i, v in enumerate(node.inputs):
        made = stats.sizes.get(v.owner) if v.owner is not None else None
        shape = f", shape={made.shapes[v.index]}" if made and v.index < len(made.shapes) else ""
        yield f"    input {i}: {v.type}{shape}"
    for i, shape_made in enumerate(stats.sizes[node].shapes):
        yield f"    output {i}: {node.outputs[i].type}, shape={shape_made}"


def _loop(stats: ProfileStats, loop: Apply, n_ops: int, n_apply: int) -> str:
    outer, inside = stats.nodes.get(loop, Times()), stats.inside(loop)
    seconds = sum(times.seconds for times in inside.values())
    steps = max((times.calls for times in inside.values()), default=0)
    kind = "Scan" if isinstance(loop.op, Scan) else type(loop.op).__name__
    total = f" (for a total of {steps} steps)" if kind == "Scan" else ""
    name = getattr(loop.op, "name", "") or ("scan_fn" if kind == "Scan" else str(loop.op))
    lines = [
        *_title(f"{kind} Op profiling ( {name} )", "="),
        f"  Message: {loop.place}",
        f"  Time in {outer.calls} calls of the op{total} {outer.seconds:.6e}s",
        f"  Total time spent in the nodes of its body: {seconds:.6e}s "
        f"({_percent(seconds, outer.seconds)})",
        "",
    ]
    parts = [
        "\n".join(lines),
        _classes(inside, n_ops),
        _ops(inside, n_ops),
        "\n".join([*_title("Apply", "-"), NODES, *_node_rows(stats, inside, n_apply), ""]),
    ]
    return "\n".join(parts)


def _peak(stats: ProfileStats) -> int:
    """The most bytes that results take at a time, each freed after its last reader. A view keeps
    what it looks at.
    """
    order = [node for node in stats.position if node in stats.sizes]
    root: dict[Variable, Apply] = {}
    last: dict[Apply, int] = {}
    for i, node in enumerate(order):
        for v in node.inputs:
            if v in root:
                last[root[v]] = i
        source = next((root[v] for v in node.inputs if v in root), None)
        held = source if stats.sizes[node].view and source is not None else node
        root.update((v, held) for v in node.outputs)
        last.setdefault(held, i)
    last.update((root[v], len(order)) for v in stats.results if v in root)
    now = peak = 0
    for i, node in enumerate(order):
        now += stats.sizes[node].bytes
        peak = max(peak, now)
        now -= sum(stats.sizes[held].bytes for held, end in last.items() if end == i)
    return peak


def _title(text: str, line: str) -> list[str]:
    return [text, line * len(text)]


def _shares(seconds: float, before: float, whole: float) -> str:
    return f" {_percent(seconds, whole):>6} {_percent(before, whole):>7}"


def _seconds(seconds: float) -> str:
    return f"{seconds:9.3f}s" if seconds >= 0.01 else f"{seconds:9.2e}s"


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "–"


def _remaining(count: int, what: str, seconds: float, whole: float) -> str:
    share = _percent(seconds, whole) if count > 0 else "0.0%"
    took = seconds if count > 0 else 0.0
    rest = f"remaining {max(count, 0)} {what} account for {share} ({took:.2e}s) of the runtime"
    return f"   ... ({rest})"


def _kilobytes(size: int) -> str:
    return f"{size / 1024:.0f}KB" if size >= 1024 else f"{size}B"
