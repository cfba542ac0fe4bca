"""Examining a program: optimise it with a recorder, evaluate it before and after, trace its scans,
time it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from typing import Any

from workbench.configuration import config
from workbench.core.arguments import convert
from workbench.core.devices import chosen as chosen_device
from workbench.core.function import Function, compile_program
from workbench.core.gradient import grad
from workbench.core.graph import Variable, free_inputs, toposort
from workbench.core.modes import Mode, get_mode
from workbench.core.program import Program, make_program
from workbench.core.rewrite.recorder import Recorder
from workbench.core.trace import TraceRecorder
from workbench.core.values import Values
from workbench.errors import ArgumentError, GraphError, nearest
from workbench.inspection.branches import Branches
from workbench.inspection.measure import Sizes, measure
from workbench.inspection.pays import beside_processor
from workbench.inspection.workbench import Workbench


def inspect(
    outputs: Any,
    inputs: Any = None,
    values: Mapping[Any, Any] | None = None,
    mode: Mode | str | None = None,
    device: str | None = None,
    profile: bool = True,
    wrt: Any = None,
    view: str = "graph",
    name: str = "",
) -> Workbench:
    """Compile a graph and look at everything: rewrites, values, scan iterations, times.

    outputs  a variable, a list or dict of them, or a compiled function
    inputs   the inputs, in order; None: all that the outputs need
    values   {input or its name: value}; without them there are no values, traces and times
    wrt      variables: the gradients of the first output with respect to them are added as outputs
    profile  False leaves the timing out
    view     the tab that opens first

    Shared variables keep their values. An error while evaluating is kept in `.error`, and its node
    is marked; errors of the request itself are raised as `workbench.function` does.
    """
    target = chosen_device(device)
    if isinstance(outputs, Function):
        program, chosen = outputs.maker.program, outputs.maker.mode
        chosen = chosen if mode is None else get_mode(mode)
        if device is not None:
            program = replace(program, device=target)
    else:
        program, chosen = _program(outputs, inputs, wrt, name, target), get_mode(mode)
    return examine(program, chosen, values or {}, profile, view, name)


def _program(outputs: Any, inputs: Any, wrt: Any, name: str, device: str) -> Program:
    chosen = dict(outputs) if isinstance(outputs, dict) else outputs
    if wrt is not None:
        chosen = _with_gradients(chosen, list(wrt) if isinstance(wrt, (list, tuple)) else [wrt])
    if inputs is None:
        inputs = free_inputs(_variables(chosen))
    return make_program(inputs, chosen, name=name or "graph", device=device)


def _with_gradients(outputs: Any, wrt: Sequence[Variable]) -> Any:
    """The outputs and the gradients of the first, named d(cost)/d(x)."""
    first = _variables(outputs)[0]
    gradients = grad(first, list(wrt))
    for target, gradient in zip(wrt, gradients, strict=True):
        if gradient.name is None:
            gradient.name = f"d{first.name or 'cost'}/d{target.name or 'x'}"
    if isinstance(outputs, dict):
        return {**outputs, **{g.name: g for g in gradients}}
    return [*_variables(outputs), *gradients]


def _variables(outputs: Any) -> list[Variable]:
    found = list(outputs.values()) if isinstance(outputs, dict) else outputs
    found = list(found) if isinstance(found, (list, tuple)) else [found]
    found = [getattr(v, "variable", v) for v in found]
    if not found or not all(isinstance(v, Variable) for v in found):
        raise GraphError(
            f"there is no graph to inspect in {outputs!r}",
            advice="give a variable, a list or dict of variables, or a compiled function",
        )
    return found


def examine(
    program: Program,
    mode: Mode,
    values: Mapping[Any, Any],
    profile: bool = True,
    view: str = "graph",
    title: str = "",
) -> Workbench:
    """The records of one program."""
    recorder = Recorder(program.name)
    function = compile_program(program, mode, (recorder,), profile=False)
    args, missing = bind(program, values)
    seen = Workbench(function, recorder, title=title or program.name, view=view, missing=missing)
    if not missing:
        evaluate(seen, args, profile)
    return seen


def bind(program: Program, values: Mapping[Any, Any]) -> tuple[list[Any], list[str]]:
    """The inputs' values, converted, and the names of the inputs without one."""
    found: dict[int, Any] = {
        i: item.convert(item.value)
        for i, item in enumerate(program.inputs)
        if item.value is not None
    }
    for i, item in enumerate(program.inputs):
        if item.variable.tagged("test_value"):
            found[i] = convert(
                item, item.variable.tag.test_value, f"the test value of {item.variable}"
            )
    for key, value in values.items():
        i = _index(program, key)
        item = program.inputs[i]
        found[i] = convert(
            item, value, f"the value given for {item.name or item.variable} does not fit"
        )
    missing = [
        item.name or str(item.variable) for i, item in enumerate(program.inputs) if i not in found
    ]
    return [found.get(i) for i in range(len(program.inputs))], missing


def _index(program: Program, key: Any) -> int:
    for i, (item, variable) in enumerate(zip(program.inputs, program.variables, strict=True)):
        if key is item.variable or key is variable or (isinstance(key, str) and key == item.name):
            return i
    names = [item.name or str(item.variable) for item in program.inputs]
    raise ArgumentError(
        f"values names {key}, which is not an input.{nearest(str(key), names)}",
        f"inputs are {', '.join(names) or 'none'}",
    )


def evaluate(seen: Workbench, args: Sequence[Any], profile: bool) -> None:
    """Fill in values, traces and times for these arguments. Shared variables are not changed."""
    program, plan = seen.function.maker.program, seen.function.maker.plan
    budget = int(config.trace_budget) * 1_000_000
    given = dict(zip(program.variables, args, strict=True))
    tracer = TraceRecorder(toposort(program.results), budget)
    seen.before = Values(program.results, given, budget)
    seen.before.run([tracer])
    seen.trace = [trace for trace in tracer.traces.values() if trace.began]
    if seen.before.error is not None:
        seen.error = seen.before.error
        return
    with redirect_stdout(StringIO()):  # a Print has said what it has to say
        profiler = measure(seen.function, args) if profile else None
        seen.after = Values(plan.results, given, budget)
        seen.branches = Branches(toposort(plan.results), budget)
        seen.after.run([seen.branches, *([Sizes(profiler)] if profiler is not None else [])])
    if profiler is not None:
        seen.profile = profiler.record(seen.node_id)
        if program.device != "cpu":
            seen.profile = beside_processor(
                seen.profile, seen.history, seen.function, args, seen.node_id
            )


def draft(outputs: Any, error: Exception, title: str) -> Workbench | None:
    """The graph as it was written, with the node of an error marked: what can be shown where
    compiling failed.
    """
    if isinstance(outputs, Function):
        return None
    found = _variables(outputs)
    program = make_program(
        free_inputs(found), found, name=title or "graph", on_unused_input="ignore"
    )
    recorder = Recorder(program.name)
    function = compile_program(program, Mode("py", "none"), (recorder,), profile=False)
    seen = Workbench(function, recorder, title=title)
    seen.error = error
    return seen
