"""The pipeline: one straight list of passes, and `optimise`, which runs them."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from typing import Any

from workbench.configuration import config
from workbench.core.graph import Apply, Variable, toposort
from workbench.core.inner import InnerGraph
from workbench.core.intern import Interner
from workbench.core.records import PassTime
from workbench.core.rewrite.blas import BLAS
from workbench.core.rewrite.bodies import bodies
from workbench.core.rewrite.engine import Listener, Rule, Session, step_rule
from workbench.core.rewrite.fills import FILLS, fill_to_alloc
from workbench.core.rewrite.fold import fold, fold_number
from workbench.core.rewrite.fusion import fuse
from workbench.core.rewrite.indexing import INDEXING
from workbench.core.rewrite.merge import merge
from workbench.core.rewrite.neutral import NEUTRAL
from workbench.core.rewrite.reductions import REDUCTIONS
from workbench.core.rewrite.shapes import SHAPES
from workbench.core.rewrite.special import SPECIAL_FORMS
from workbench.core.rewrite.stable import STABILISE
from workbench.core.rewrite.walk import RuleIndex, Walk
from workbench.errors import ModeError, nearest
from workbench.frozen import frozen

CANONICAL = FILLS + SHAPES + INDEXING + REDUCTIONS + NEUTRAL + (fold_number,)


Transform = Callable[[Session, Sequence[Variable]], list[Variable]]


@frozen
class Pass:
    """A named step of the pipeline: rules that a walk applies, or a function of the graph."""

    name: str
    why: str
    rules: tuple[Rule, ...] = ()
    transform: Transform | None = None

    def run(self, session: Session, outputs: Sequence[Variable]) -> list[Variable]:
        if self.transform is not None:
            return self.transform(session, outputs)
        excluded = session.excluded
        index = RuleIndex(self.rules, excluded) if excluded else self._index
        return Walk(session, outputs, index).run()

    @cached_property
    def _index(self) -> RuleIndex:
        return RuleIndex(self.rules)


@frozen
class Optimised:
    """An optimised graph: its outputs, its nodes in topological order, the table that it lives in,
    each pass's time.
    """

    outputs: tuple[Variable, ...]
    nodes: tuple[Apply, ...]
    interner: Interner
    stages: tuple[PassTime, ...] = ()

    @property
    def seconds(self) -> float:
        return sum(stage.seconds for stage in self.stages)


def optimise(
    outputs: Sequence[Variable],
    inputs: Sequence[Variable] = (),
    *,
    passes: Sequence[Pass] | None = None,
    listeners: Iterable[Listener] = (),
    excluding: Iterable[str] = (),
    including: Iterable[str] = (),
    stays: Callable[[Apply], bool] | None = None,
) -> Optimised:
    """The graph of the outputs, rewritten by the passes (every one by default).

    inputs      variables that are shown even where nothing reads them
    listeners   told of every step; a `Recorder` makes a history of it
    excluding   names of passes or rules to leave out
    including   names of passes of the full pipeline to add, in their place
    stays       of a graph that will move to a device, whether a node has to stay on the host

    The graph that was given is not touched. Raises RewriteError where a rule breaks the graph.
    """
    session = Session(Interner(), tuple(listeners), frozenset(excluding), stays)
    now = list(outputs)
    stages: list[PassTime] = []
    with _no_collection(), config.hold(_RULES_OWN):
        for listener in session.listeners:
            listener.begin(now, inputs)
        for stage in _chosen(PASSES if passes is None else passes, session.excluded, including):
            now = _timed(stage, session, now, stages)
    return Optimised(tuple(now), tuple(toposort(now)), session.interner, tuple(stages))


# What users ask of the graph that they build is not asked of what rules write.
_RULES_OWN = {
    "explicit_broadcast": False,
    "cast_policy": "custom",
    "int_division": "int",
    "compute_test_value": "off",
    "warn_float64": "ignore",
}


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the cyclic garbage collector: the table keeps every node, so a third of the time
    would find nothing.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _timed(
    stage: Pass, session: Session, outputs: Sequence[Variable], stages: list[PassTime]
) -> list[Variable]:
    for listener in session.listeners:
        listener.enter(stage.name)
    start = time.perf_counter()
    now = stage.run(session, outputs)
    seconds = time.perf_counter() - start
    for listener in session.listeners:
        listener.leave(now, seconds)
    stages.append(PassTime(stage.name, session.steps, len(session.interner), seconds))
    session.steps = 0
    return now


def _chosen(
    passes: Sequence[Pass], excluded: frozenset[str], including: Iterable[str]
) -> list[Pass]:
    have, added = {p.name for p in passes}, set(including)
    chosen = [*passes, *(p for p in PASSES if p.name in added - have)]
    if len(chosen) > len(passes):
        order = {p.name: i for i, p in enumerate(PASSES)}
        chosen.sort(key=lambda p: order.get(p.name, len(order)))
    return [p for p in chosen if p.name not in excluded]


def pipeline(name: str) -> tuple[Pass, ...]:
    """The passes of 'fast_run', 'fast_compile' or 'none' (in any case). Raises ModeError for
    another name.
    """
    known = PIPELINES.get(name.lower())
    if known is None:
        near = nearest(name.lower(), list(PIPELINES))
        raise ModeError(f"there is no pipeline {name!r}; there are {', '.join(PIPELINES)}.{near}")
    return known


def _of_recipe(recipe: Any) -> set[str]:  # Any: of core.modes, which stands above
    """The names of the passes that a mode makes."""
    names: set[str] = {p.name for p in pipeline(recipe.pipeline)} | recipe.added
    return names if recipe.required is None else names & recipe.required


def _on_bodies(rule: Rule, names: tuple[str, ...]) -> Transform:
    """A pass that runs these passes on every inner graph."""

    def run(session: Session, outputs: Sequence[Variable]) -> list[Variable]:
        def inner(
            outputs: Sequence[Variable],
            inputs: Sequence[Variable],
            listeners: tuple[Listener, ...],
            mode: Any,
        ) -> Sequence[Variable]:
            if _is_too_deep(outputs):
                return outputs
            passes = [p for p in (*PASSES, SINK_BODIES) if p.name in names]
            excluded: frozenset[str] = frozenset()
            if mode is not None:
                wanted, excluded = _of_recipe(mode.recipe), mode.recipe.excluded
                passes = [p for p in passes if p.name in wanted]
            return optimise(
                outputs,
                inputs,
                passes=passes,
                listeners=listeners,
                excluding=session.excluded | excluded,
                stays=session.stays,
            ).outputs

        return bodies(session, outputs, inner, rule)

    return run


SIMPLIFY = step_rule(
    "simplify_body", "scan(f) → scan(g)", "The loop's body is rewritten like any graph."
)
COMPILE = step_rule(
    "compile_body", "scan(f) → scan(g)", "The loop's body is specialised and fused."
)


def _has_loops(session: Session, outputs: Sequence[Variable]) -> bool:
    nodes = session.toposort(outputs)
    return any(isinstance(getattr(node.op, "inner", None), InnerGraph) for node in nodes)


# The rules of loops are imported with the first loop: other graphs need not wait for them.


def _join_loops(session: Session, outputs: Sequence[Variable]) -> list[Variable]:
    if not _has_loops(session, outputs):
        return list(outputs)
    from workbench.core.rewrite.scan_rules import join_loops

    return join_loops(session, outputs)


def _on_loops(more: tuple[Rule, ...] = ()) -> Transform:
    """A pass of the rules of loops, and some more, over graphs that have loops."""

    @cache
    def index(excluded: frozenset[str]) -> RuleIndex:
        from workbench.core.rewrite.scan_rules import SCAN_RULES

        return RuleIndex(SCAN_RULES + more, excluded)

    def run(session: Session, outputs: Sequence[Variable]) -> list[Variable]:
        if not _has_loops(session, outputs):
            return list(outputs)
        return Walk(session, outputs, index(session.excluded)).run()

    return run


# So are those of conditions.


def _has_choices(nodes: Iterable[Apply]) -> bool:
    return any(getattr(node.op, "is_lazy", False) for node in nodes)


def _is_too_deep(outputs: Sequence[Variable]) -> bool:
    """Whether a body is left to the interpreter, for its choices within choices are too many."""
    nodes = toposort(outputs)
    if not _has_choices(nodes):
        return False
    from workbench.core.rewrite.branches import is_too_deep

    return is_too_deep(nodes)


def _choose(session: Session, outputs: Sequence[Variable]) -> list[Variable]:
    """Choices made simpler."""
    if not _has_choices(session.toposort(outputs)):
        return list(outputs)
    from workbench.core.rewrite.branch_rules import CHOICES, vanish

    index = RuleIndex(CHOICES + CANONICAL, session.excluded)
    simple = Walk(session, outputs, index).run()
    return Walk(session, vanish(session, simple), index).run()


def _sink(session: Session, outputs: Sequence[Variable]) -> list[Variable]:
    """What only one branch of a condition needs moves into it."""
    if not _has_choices(session.toposort(outputs)):
        return list(outputs)
    from workbench.core.rewrite.branches import sink

    return sink(session, outputs)


SINK = Pass("sink", "What only one branch of a condition needs moves into it.", transform=_sink)
SINK_BODIES = Pass(
    "sink_bodies", "The same inside every loop and branch.",
    transform=_on_bodies(COMPILE, ("sink", "sink_bodies")),
)  # fmt: skip

# And those of linear algebra.


def _simplify_matrices(session: Session, outputs: Sequence[Variable]) -> list[Variable]:
    nodes = session.toposort(outputs)
    if not any(getattr(node.op, "is_linear_algebra", False) for node in nodes):
        return list(outputs)
    simple, shared = _matrix_rules(session.excluded)
    return Walk(session, Walk(session, outputs, simple).run(), shared).run()


@cache
def _matrix_rules(excluded: frozenset[str]) -> tuple[RuleIndex, RuleIndex]:
    """What makes it simpler, and what then lets several nodes share an elimination."""
    from workbench.core.rewrite.elimination import ELIMINATION
    from workbench.core.rewrite.matrices import MATRICES

    return RuleIndex(MATRICES + CANONICAL, excluded), RuleIndex(ELIMINATION, excluded)


# And those of devices.


def _cancel_transfers(session: Session, outputs: Sequence[Variable]) -> list[Variable]:
    nodes = session.toposort(outputs)
    if not any(getattr(node.op, "is_transfer", False) for node in nodes):
        return list(outputs)
    return Walk(session, outputs, _transfer_rules(session.excluded)).run()


@cache
def _transfer_rules(excluded: frozenset[str]) -> RuleIndex:
    from workbench.core.rewrite.transfers import TRANSFERS

    return RuleIndex(TRANSFERS, excluded)


TRANSFERS = Pass(
    "transfers", "A tensor that comes back from a device was never there.",
    transform=_cancel_transfers,
)  # fmt: skip

PASSES: tuple[Pass, ...] = (
    Pass("merge", "Nodes that compute the same become one.", transform=merge),
    TRANSFERS,
    Pass("join_loops", "Loops over the same inputs run once.", transform=_join_loops),
    Pass("canonicalise", "One way to write each thing, so that later rules find it.", CANONICAL),
    Pass("stabilise", "Formulas that overflow become ones that do not.",
         STABILISE + CANONICAL),
    Pass("matrices", "Systems are solved instead of inverses, triangles used where there are some.",
         transform=_simplify_matrices),
    Pass("fold", "What depends on constants only is computed now.", (fold,)),
    Pass("branches", "Choices are made once, and what vanishes in a branch is not computed there.",
         transform=_choose),
    SINK,
    Pass("simplify_bodies", "The passes above, inside every loop and branch.",
         transform=_on_bodies(
             SIMPLIFY, ("merge", "canonicalise", "stabilise", "matrices", "fold", "branches",
                       "sink"))),
    Pass("scan", "Work that does not change from step to step leaves the loop.",
         transform=_on_loops()),
    Pass("tidy_loops", "What the loops no longer need goes.", transform=_on_loops(CANONICAL)),
    Pass("specialise", "General ops become the fastest special ones: BLAS, squares, loops.",
         SPECIAL_FORMS + BLAS + (fill_to_alloc,) + CANONICAL),
    Pass("compile_bodies", "Scan, specialise and fuse inside every loop and branch.",
         transform=_on_bodies(
             COMPILE,
             ("merge", "branches", "sink", "scan", "specialise", "compile_bodies", "fusion"))),
    Pass("fusion", "Elementwise work over one iteration space becomes one loop.", transform=fuse),
)  # fmt: skip

PIPELINES: dict[str, tuple[Pass, ...]] = {
    "fast_run": PASSES,
    "fast_compile": (*PASSES[:4], SINK, SINK_BODIES),
    "none": (*PASSES[:1], SINK, SINK_BODIES),
}
