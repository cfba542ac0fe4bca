"""What a user asked `function` for, checked: inputs, outputs and updates over the user's own
graph.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace as replace_fields
from typing import Any

from workbench.configuration import config
from workbench.core.graph import (
    Apply,
    Constant,
    Variable,
    is_shared,
    leaves,
    readers,
    replace,
    toposort,
)
from workbench.core.parameters import In, Out, as_in
from workbench.core.scan.op import Scan
from workbench.core.shared import SharedVariable, TensorSharedVariable
from workbench.core.types import TensorType, constant
from workbench.core.updates import Update, convert_update, default_updates, explicit_updates, pairs
from workbench.errors import (
    ArgumentError,
    ConfigError,
    GraphError,
    MissingInputError,
    UnusedInputError,
)
from workbench.frozen import frozen

UNUSED = ("raise", "warn", "ignore")


@frozen
class Form:
    """How outputs are given back: one array itself, a list, or a dict with these keys."""

    single: bool = False
    keys: tuple[str, ...] | None = None

    def pack(self, values: Sequence[Any]) -> Any:
        if self.single:
            return values[0]
        return list(values) if self.keys is None else dict(zip(self.keys, values, strict=True))


@frozen
class Program:
    """A function before it is compiled.

    variables  the leaves that take the arguments; they are the inputs' variables, or stand for
               them where an input is itself computed
    stored     for an input with an update: its number and the expression
    device     the full name of the device that it is made for
    """

    inputs: tuple[In, ...]
    variables: tuple[Variable, ...]
    outputs: tuple[Variable, ...]
    borrowed: tuple[bool, ...]
    form: Form
    updates: tuple[Update, ...] = ()
    stored: tuple[tuple[int, Variable], ...] = ()
    name: str = ""
    device: str = "cpu"

    @property
    def results(self) -> tuple[Variable, ...]:
        """All that a call computes: outputs, inputs' updates, shared variables' updates."""
        return (*self.outputs, *(new for _, new in self.stored), *(new for _, new in self.updates))

    def numbers(self, chosen: Any) -> tuple[int, ...]:
        """The numbers of the outputs that `output_subset` chooses: by number, or by key where they
        have keys. Raises ArgumentError.
        """
        known: Sequence[Any] = self.form.keys or range(len(self.outputs))
        what = "keys" if self.form.keys else "numbers"
        if not isinstance(chosen, Iterable) or isinstance(chosen, str):
            raise ArgumentError(
                f"output_subset is a list of outputs' {what}, not {chosen!r}",
                advice="write f(…, output_subset=[…])",
            )
        wanted = list(chosen)
        for item in wanted:
            if item not in known:
                raise ArgumentError(
                    f"output_subset names {item!r}, which is no output",
                    f'function "{self.name}" has the outputs {", ".join(map(str, known))}',
                    advice=f"give some of these {what}",
                )
        return tuple(known.index(item) for item in wanted)

    def subset(self, numbers: Sequence[int]) -> Program:
        """The program of these outputs, with every update."""
        keys = self.form.keys and tuple(self.form.keys[i] for i in numbers)
        return replace_fields(
            self,
            outputs=tuple(self.outputs[i] for i in numbers),
            borrowed=tuple(self.borrowed[i] for i in numbers),
            form=Form(single=self.form.single and len(numbers) == 1, keys=keys),
        )

    def nodes(self) -> list[Any]:
        return toposort(self.results)


NO_TEST_VALUES = {"compute_test_value": "off"}  # what `function` adds is not of the user's graph


def make_program(
    inputs: Any,
    outputs: Any = None,
    updates: Any = None,
    givens: Any = None,
    no_default_updates: Any = False,
    name: str = "",
    on_unused_input: str | None = None,
    allow_input_downcast: bool | None = None,
    rebuild_strict: bool = True,
    device: str = "cpu",
) -> Program:
    """The program, or the named error that says what is wrong with the request."""
    taken = _inputs(inputs, allow_input_downcast)
    outs, form = _outputs(outputs)
    news = explicit_updates(updates)
    stored = [(i, item.update) for i, item in enumerate(taken) if item.update is not None]
    swapped = _givens(givens, taken, rebuild_strict)

    given = dict(swapped)
    results = [o.returned(device) for o in outs] + [new for _, new in stored] + list(news.values())
    results = replace(results, given)
    defaults = default_updates(results, news, no_default_updates)
    results += replace(list(defaults.values()), given)

    variables, stand_ins = _arguments(taken)
    results = replace(results, stand_ins)
    first, second = len(outs), len(outs) + len(stored)
    targets: list[SharedVariable] = [*news, *defaults]
    changed = [convert_update(t, new) for t, new in zip(targets, results[second:], strict=True)]
    program = Program(
        inputs=tuple(taken),
        variables=tuple(variables),
        outputs=tuple(results[:first]),
        borrowed=tuple(o.borrow for o in outs),
        form=form,
        updates=tuple(zip(targets, changed, strict=True)),
        stored=tuple((i, new) for (i, _), new in zip(stored, results[first:second], strict=True)),
        name=name,
        device=device,
    )
    _check_used(program, on_unused_input)
    return program


def warn_of_forgotten(program: Program) -> None:
    """A loop that changes a shared variable tells so in its updates; without them it is lost.

    The caller's caller is told.
    """
    stored = dict(program.updates)
    for node in program.nodes():
        if not isinstance(node.op, Scan):
            continue
        _, _, _, carried, _ = node.op.split(node.inputs)
        for start in carried:
            if is_shared(start) and _is_forgotten(start, node, stored):
                warnings.warn(
                    f"{node.op} changes {start.name or 'a shared variable'} from step to step, and "
                    "this function does not store what becomes of it; pass the updates that scan "
                    "returned: function(…, updates=updates)",
                    stacklevel=3,
                )


def _is_forgotten(shared: Any, loop: Apply, stored: dict[Any, Variable]) -> bool:
    """Whether nothing is stored, or what is by default: one draw of a random stream, say, of which
    the loop took many.
    """
    new = stored.get(shared)
    return new is None or (new is shared.default_update and new.owner is not loop)


def _inputs(inputs: Any, allow_downcast: bool | None) -> list[In]:
    if not isinstance(inputs, (list, tuple)):
        raise GraphError(
            f"inputs is a list or tuple of variables, not {inputs!r}",
            advice="write function([x, y], …)",
        )
    taken = [as_in(item, allow_downcast) for item in inputs]
    seen: set[Variable] = set()
    for item in taken:
        if item.variable in seen:
            raise UnusedInputError(
                f"the variable {item.variable} is twice among the inputs", place=item.variable.place
            ).at(item.variable)
        seen.add(item.variable)
    return taken


def _outputs(outputs: Any) -> tuple[list[Out], Form]:
    if outputs is None:
        return [], Form()
    if isinstance(outputs, dict):
        if not all(isinstance(key, str) for key in outputs):
            raise OutputKeyError(
                "the keys of an outputs dict are text",
                f"they are {', '.join(map(repr, outputs))}",
                advice="name each output",
            )
        keys = tuple(sorted(outputs))
        return [_out(outputs[key]) for key in keys], Form(keys=keys)
    if isinstance(outputs, (list, tuple)):
        return [_out(v) for v in outputs], Form()
    return [_out(outputs)], Form(single=True)


def _out(item: Any) -> Out:
    if isinstance(item, Out):
        return item
    if not isinstance(item, Variable):
        raise GraphError(
            f"an output is a variable or an Out, not {item!r}",
            advice="make a constant with T.constant(value)",
        )
    return Out(item)


class OutputKeyError(GraphError, AssertionError):
    """A key of a dict of outputs is not text."""


class GivenInputError(GraphError, RuntimeError):
    """A replacement in givens is for an input, too."""


class GivenTwiceError(GraphError, AssertionError):
    """A replacement in givens reads what is itself replaced."""


def _givens(givens: Any, inputs: Sequence[In], strict: bool) -> dict[Variable, Variable]:
    found: dict[Variable, Variable] = {}
    explicit = {item.variable for item in inputs}
    for key, value in pairs(givens, "givens"):
        if not isinstance(key, Variable):
            raise GraphError(f"a key of givens is a variable, not {key!r}")
        if key in explicit:
            raise GivenInputError(
                f"givens replaces {key}, which is an input, too",
                f"{key}: {key.type}",
                key.place,
                "leave it out of one",
                key,
            )
        if key in found:
            raise GraphError(f"givens replaces {key} twice", place=key.place).at(key)
        found[key] = _replacement(key, value, strict)
    for key, value in found.items():
        for other in leaves([value], stop=found):
            if other in found and other is not key and value is not other:
                raise GivenTwiceError(
                    f"the replacement of {key} in givens depends on {other}, replaced itself",
                    f"{key}: {key.type}; {other}: {other.type}",
                    value.place,
                    "write the replacement with what replaces the other",
                    value,
                )
    return found


def _replacement(key: Variable, value: Any, strict: bool) -> Any:
    """A variable of the key's type, of any where not `strict`; a plain value is held as a shared
    variable.
    """
    if not isinstance(value, Variable):
        held: Any = key.type.convert(value)  # type: ignore[attr-defined]
        if isinstance(key.type, TensorType):
            return TensorSharedVariable(key.type, held, key.name)
        return SharedVariable(key.type, held, key.name)
    if strict and isinstance(value, Constant) and isinstance(key.type, TensorType):
        value = constant(key.type.convert(value.data), key.type.dtype)
    if isinstance(value.type, TensorType) and value.type.device != key.type.device:
        from workbench.core.ops.transfer import transferred

        value = transferred(value, key.type.device)
    if key.type.accepts(value.type) or not strict:
        return value
    raise GraphError(
        "Cannot convert a replacement in givens to the type of what it replaces",
        f"{key}: {key.type}; the replacement {value}: {value.type}",
        value.place,
        "cast it, make it of the same type, or pass rebuild_strict=False",
    ).at(value)


def _arguments(inputs: Sequence[In]) -> tuple[list[Variable], dict[Variable, Variable]]:
    """A leaf per input, and what stands for the inputs that are computed."""
    stand_ins = {
        item.variable: item.variable.clone() for item in inputs if item.variable.owner is not None
    }
    return [stand_ins.get(item.variable, item.variable) for item in inputs], stand_ins


def _check_used(program: Program, on_unused_input: str | None) -> None:
    """Every input is used, and nothing is missing."""
    chosen = config.on_unused_input if on_unused_input is None else on_unused_input
    if chosen not in UNUSED:
        raise ConfigError(f"on_unused_input is one of {', '.join(UNUSED)}, not {chosen!r}")
    used = leaves(program.results)
    read = set(used)
    if chosen != "ignore":
        for item, variable in zip(program.inputs, program.variables, strict=True):
            if variable not in read and item.update is None:
                _tell_unused(item, chosen)
    known = set(program.variables)
    for v in used:
        if v not in known and not isinstance(v, Constant) and not is_shared(v):
            raise _missing(v, program)


def _tell_unused(item: In, chosen: str) -> None:
    v = item.variable
    error = UnusedInputError(
        f"the input {v} is used by no output and no update",
        f"{v}: {v.type}",
        v.place,
        "leave it out, or pass on_unused_input='warn' or 'ignore'",
    ).at(v)
    if chosen == "raise":
        raise error
    warnings.warn(str(error), UserWarning, stacklevel=5)


def _missing(v: Variable, program: Program) -> MissingInputError:
    reading = readers(program.nodes()).get(v, ())
    node = reading[0][0] if reading else None
    read = f", read by {node.op}" + (f" made at {node.place}" if node.place else "") if node else ""
    return MissingInputError(
        f"an input of the graph was not given: {v}",
        f"{v}: {v.type}{read}",
        v.place,
        f"add {v} to the function's inputs, or replace it with givens",
    ).at(v)
