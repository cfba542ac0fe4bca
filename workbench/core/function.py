"""`function`: from a graph to something to call."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from workbench.configuration import config
from workbench.core import origin
from workbench.core.arguments import Binder
from workbench.core.devices import chosen, plugin
from workbench.core.graph import Apply, Variable, leaves, toposort
from workbench.core.link import Linked, Plan
from workbench.core.modes import Mode, get_mode
from workbench.core.profile import Profiler
from workbench.core.program import NO_TEST_VALUES, Program, make_program, warn_of_forgotten
from workbench.core.rewrite import Optimised, optimise, pipeline
from workbench.core.shared import SharedVariable
from workbench.core.stored import Containers, Stored
from workbench.core.swap import shared_of, swapped
from workbench.errors import ArgumentError, DeviceError, WorkbenchError

SUBSET = "output_subset"  # the keyword of a call that says which outputs are wanted


def function(
    inputs: Any,
    outputs: Any = None,
    mode: Mode | str | None = None,
    updates: Any = None,
    givens: Any = None,
    no_default_updates: Any = False,
    name: str | None = None,
    profile: Any = None,
    on_unused_input: str | None = None,
    allow_input_downcast: bool | None = None,
    device: str | None = None,
    accept_inplace: bool = False,
    rebuild_strict: bool = True,
) -> Function:
    """Compile a graph: the result is called with the inputs' values and returns the outputs'.

    inputs                variables or `In`s, in the order of the arguments
    outputs               a variable or `Out` (a call returns its array), a list of them (a list),
                          a dict with text keys (a dict, in the keys' order), or None (an empty
                          list)
    mode                  'FAST_RUN', 'FAST_COMPILE', 'DebugMode', another name of `modes.MODES`, or
                          a Mode; None: config.mode
    updates               {shared: new value} or pairs; all are stored together after a call, or
                          none if it fails
    givens                {variable: replacement} or pairs, put in the graph's place; a value
                          becomes a shared variable
    no_default_updates    True, or the shared variables whose `default_update` is not applied
    name                  what errors and profiles call the function; by default where it was made
    profile               True, or a title: collect times in `f.profile`, whose `summary()` prints
                          them, as the end of the process does; a ProfileStats: collect them there;
                          None: config.profile
    on_unused_input       'raise', 'warn' or 'ignore'; None: config.on_unused_input
    allow_input_downcast  True: lossy conversions of arguments are made; None: of floats to float32
                          scalars, by floatX
    device                where it runs: 'cpu', 'cuda0', 'opencl0' …; what has no kernel there stays
                          on the processor; 'auto': the best accelerator; None: config.device
    accept_inplace        taken, and has no effect: no op overwrites what a user can see
    rebuild_strict        False: a replacement in `givens` may be of another type; the types of what
                          reads it are found anew

    Raises GraphError, MissingInputError, UnusedInputError, UpdateError, ModeError or DeviceError.
    """
    target = chosen(device)
    title = name if name is not None else _place()
    with config.hold(NO_TEST_VALUES):
        program = make_program(
            inputs,
            outputs,
            updates,
            givens,
            no_default_updates,
            title,
            on_unused_input,
            allow_input_downcast,
            rebuild_strict,
            target,
        )
    if no_default_updates is False:
        warn_of_forgotten(program)
    return compile_program(program, get_mode(mode), profile=profile)


def compile_program(
    program: Program, mode: Mode, listeners: Iterable[Any] = (), profile: Any = None
) -> Function:
    """Optimise and link a program. `listeners` hear of every rewrite."""
    return Function(program, mode, listeners, _profiler(program, mode, profile))


def _profiler(program: Program, mode: Mode, profile: Any) -> Profiler | None:
    """Who collects the function's times."""
    wanted = config.profile if profile is None else profile
    if profile is None and not wanted:
        wanted = _profiled_loop(program)
    if isinstance(wanted, Profiler):
        return wanted
    if not wanted:
        return mode.profiler(program.name)  # type: ignore[no-any-return]
    from workbench.core.profile_stats import ProfileStats

    return ProfileStats(wanted if isinstance(wanted, str) else program.name)


def _profiled_loop(program: Program) -> bool | str:
    """What a loop says that is to be profiled."""
    asked = (getattr(node.op, "profile", False) for node in toposort(program.results))
    return next(filter(None, asked), False)


class FunctionGraph:
    """The optimised graph of a function."""

    def __init__(self, plan: Plan) -> None:
        self.inputs = list(plan.inputs)
        self.outputs = list(plan.results)

    def toposort(self) -> list[Apply]:
        """The nodes that are run, each after what it reads."""
        return toposort(self.outputs)

    @property
    def apply_nodes(self) -> set[Apply]:
        return set(self.toposort())


class Maker:
    """What a function was made from: the program, its mode, the plan, and what each compile stage
    took.
    """

    def __init__(
        self, program: Program, mode: Mode, plan: Plan, stages: Sequence[tuple[str, float]]
    ) -> None:
        self.program = program
        self.mode = mode
        self.plan = plan
        self.stages = tuple(stages)
        self.fgraph = FunctionGraph(plan)


class Function:
    """A compiled function: call it with values.

    `f[key]` (or `f.value[key]`) is an input's stored default or a shared variable's value, by name,
    variable or number; `f.container[key]` is where it is stored. A call takes `output_subset`, too:
    the numbers (or keys) of the outputs to compute. Where two stored arrays overlap, which a pickle
    does not keep, `f.pickle_aliased_memory_strategy` is what pickling does: 'warn', 'raise' or
    'ignore'.
    """

    # A call goes straight to what the slot holds, without a Python frame of its own between.
    __slots__ = (
        "__call__",
        "__weakref__",
        "_binder",
        "_subsets",
        "linked",
        "maker",
        "name",
        "pickle_aliased_memory_strategy",
        "profile",
        "trust_input",
    )
    __call__: Callable[..., Any]

    def __init__(
        self, program: Program, mode: Mode, listeners: Iterable[Any], profiler: Profiler | None
    ) -> None:
        watching = mode.listeners()
        if config.optimizer_verbose:
            from workbench.core.rewrite.verbose import Verbose

            listeners = (*listeners, Verbose())
        result = optimised(program, mode, (*listeners, *watching))
        if program.device != "cpu":
            plugin().check_moved(result.nodes, program.device)
        plan = _plan(program, result.outputs)
        start = time.perf_counter()
        self.name = program.name
        self.profile = profiler
        self.trust_input = False
        self.pickle_aliased_memory_strategy = "warn"
        self._binder = Binder(program.inputs, program.name)
        self._subsets: dict[tuple[int, ...], Function] = {}
        packed = program.form.keys is not None
        slow = self._outputs if packed else self._slow
        self.linked: Linked = mode.link(plan, slow, program, watching)
        passes = [(stage.phase, stage.seconds) for stage in result.stages]
        stages = [*passes, ("link", time.perf_counter() - start)]
        self.maker = Maker(program, mode, plan, stages)
        if profiler is not None:
            profiler.made(self.maker, self.linked)
        self.__call__ = self._choose()

    def _choose(self) -> Callable[..., Any]:
        """The shortest way from arguments to what the caller gets."""
        fast, program = self.linked.fast, self.maker.program
        if fast is None or self.profile is not None or program.stored:
            return self._slow
        if program.form.keys is None:
            return fast
        pack, ready, slow = program.form.pack, fast, self._slow
        return lambda *args, **kwargs: slow(*args, **kwargs) if kwargs else pack(ready(*args))

    def _slow(self, *args: Any, **kwargs: Any) -> Any:
        """A call with every check and conversion."""
        if SUBSET in kwargs and not self._binder.takes(SUBSET):
            chosen = kwargs.pop(SUBSET)
            if chosen is not None:
                return self._subset(chosen)(*args, **kwargs)
        return self.maker.program.form.pack(self._outputs(*args, **kwargs))

    def _subset(self, chosen: Any) -> Function:
        """The function of these outputs only, made once; it has the same stored values."""
        program = self.maker.program
        numbers = program.numbers(chosen)
        made = self._subsets.get(numbers)
        if made is None:
            profile = False if self.profile is None else self.profile
            made = compile_program(program.subset(numbers), self.maker.mode, profile=profile)
            made._binder = self._binder
            self._subsets[numbers] = made
        made.trust_input = self.trust_input
        return made

    def _outputs(self, *args: Any, **kwargs: Any) -> list[Any]:
        start = time.perf_counter()
        values = self._binder.bind(args, kwargs, self.trust_input)
        try:
            if self.profile is None:
                results = self.linked.run(values)
            else:
                results = self.profile.run(self.linked, self.maker.plan, values)
        except DeviceError:
            raise  # the graph is not at fault
        except Exception as error:
            from workbench.core.failure import explained

            told = explained(error, self.maker.program, values)
            if told is error and not isinstance(error, WorkbenchError):
                raise  # it is of no node, but of a function of the user's own
            raise told.with_traceback(None) from None
        program = self.maker.program
        count = len(program.outputs)
        for (i, _), new in zip(program.stored, results[count:], strict=True):
            self._binder.stored[i] = new
        if self.profile is not None:
            self.profile.call(time.perf_counter() - start)
        return results[:count]

    def __getitem__(self, key: Any) -> Any:
        shared = self._shared(key)
        return self._binder.get(key) if shared is None else shared.get_value()

    def __setitem__(self, key: Any, value: Any) -> None:
        shared = self._shared(key)
        if shared is None:
            self._binder.set(key, value)
        else:
            shared.set_value(value)

    def _shared(self, key: Any) -> SharedVariable | None:
        """The shared variable that a key means, None where it means an input. Raises ArgumentError
        where it may mean several.
        """
        named = isinstance(key, str)
        found = [v for v in self.get_shared() if v is key or (named and v.name == key)]
        inputs = [item for item in self._binder.inputs if named and item.name == key]
        if len(found) + len(inputs) > 1:
            raise ArgumentError(
                f'{key!r} names more than one input or shared variable of function "{self.name}"',
                advice="use the variable itself as the key",
            )
        return found[0] if found else None

    @property
    def value(self) -> Stored:
        """The stored values by key, to read and to write."""
        return Stored(self)

    @property
    def container(self) -> Containers:
        """Where the stored values are, by key: each has a `value` to read and to write."""
        return Containers(self)

    def free(self) -> None:
        """Give back the memory of intermediate results that is kept between calls."""
        for function in (self, *self._subsets.values()):
            function.linked.free()

    def get_shared(self) -> list[SharedVariable]:
        """The shared variables that the function reads or updates."""
        return shared_of(self.maker.program)

    def copy(
        self,
        share_memory: bool = False,
        swap: dict[SharedVariable, SharedVariable] | None = None,
        delete_updates: bool = False,
        name: str | None = None,
        profile: Any = None,
    ) -> Function:
        """The same function compiled anew: with other shared variables (`swap`), or without
        updates.

        Stored defaults are copied. Raises GraphError (a ValueError, too) where `swap` names a
        shared variable that is not in the function, or one of another type. `share_memory` is
        taken and has no effect: calls never share intermediate memory.
        """
        program = swapped(self.maker.program, swap or {}, delete_updates, name)
        made = compile_program(program, self.maker.mode, profile=profile)
        made._binder.stored = list(self._binder.stored)
        made.trust_input = self.trust_input
        return made

    @property
    def defaults(self) -> dict[int, Any]:
        """The stored values of inputs, by their numbers."""
        return self._binder.defaults

    @defaults.setter
    def defaults(self, values: dict[int, Any]) -> None:
        for i, value in values.items():
            self._binder.stored[i] = value

    def __reduce__(self) -> Any:
        from workbench.core.function_pickle import reduce_function

        return reduce_function(self)

    def __copy__(self) -> Function:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Function:
        from workbench.core.function_pickle import deepcopy_function

        return deepcopy_function(self, memo)

    def __repr__(self) -> str:
        return f"<Function {self.name}>"


def optimised(program: Program, mode: Mode, listeners: Iterable[Any]) -> Optimised:
    """The program's graph, rewritten as the mode says."""
    recipe = mode.recipe
    passes = (*pipeline(recipe.pipeline), *_device_passes(program))
    if (kept := recipe.required) is not None:
        passes = tuple(p for p in passes if p.name in kept)
    return optimise(
        program.results,
        program.variables,
        passes=passes,
        listeners=listeners,
        excluding=recipe.excluded,
        including=recipe.added,
        stays=None if program.device == "cpu" else plugin().stays(program.device),
    )


def _device_passes(program: Program) -> Sequence[Any]:
    """The passes that move work to devices, where there are some."""
    if program.device == "cpu":
        read = (*leaves(program.results), *(v for node in program.nodes() for v in node.outputs))
        if all(v.type.device == "cpu" for v in read):
            return ()
    return plugin().passes(program.device)


def _plan(program: Program, results: Sequence[Variable]) -> Plan:
    returned = len(program.outputs) + len(program.stored)
    news = results[returned:]
    targets = [target for target, _ in program.updates]
    return Plan(
        inputs=program.variables,
        outputs=tuple(results[:returned]),
        updates=tuple(zip(targets, news, strict=True)),
        borrowed=program.borrowed + (False,) * len(program.stored),
        single=program.form.single and not program.stored,
        name=program.name,
        strict=tuple(item.strict for item in program.inputs),
    )


def _place() -> str:
    lines = origin.capture()
    return f"{origin.cell_name(lines[0][0])}:{lines[0][1]}" if lines else "function"
