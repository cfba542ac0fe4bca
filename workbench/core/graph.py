"""The graph: Variable, Apply, Op, Constant, Type, and traversals that do not recurse.

What a user builds has identity: `x + 1` written twice is two nodes. What the compiler works on is
the same classes, interned by `workbench.core.intern`: there, equal is identical. Nothing is ever
changed after it was made, but the side data that never counts in a comparison: a variable's name
and tag.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any, ClassVar

from workbench.configuration import config
from workbench.core import origin
from workbench.core.array import Array as Array
from workbench.core.records import Place
from workbench.errors import NullGradientError, WorkbenchError

_FLAGS = config.values  # asked for every op that is applied


class Type(ABC):
    """What values a variable may have. Equal types are equal objects by value."""

    device: ClassVar[str] = "cpu"  # where the values lie

    def make(self, owner: Apply | None = None, index: int = 0, name: str | None = None) -> Variable:
        """A new variable of this type."""
        return Variable(self, owner, index, name)

    def place(self, value: Any) -> Any:
        """A value that the interpreter computed, where this type has it. Any: array or object."""
        return value

    @abstractmethod
    def accepts(self, other: Type) -> bool:
        """Whether every value of the other type is one of this type."""


class Tag(SimpleNamespace):
    """What users keep with a variable, such as `test_value`. It is no part of the graph."""

    def __reduce__(self) -> Any:
        kept = dict(vars(self))
        if not config.pickle_test_value:
            kept.pop("test_value", None)
        return _tag, (kept,)


def _tag(kept: dict[str, Any]) -> Tag:
    return Tag(**kept)


class Variable:
    """A node of the graph that stands for one value: an input, or output number `index` of
    `owner`.
    """

    __slots__ = ("__weakref__", "_tag", "index", "lines", "name", "owner", "type")

    def __init__(
        self, type: Type, owner: Apply | None = None, index: int = 0, name: str | None = None
    ) -> None:
        self.type = type
        self.owner = owner
        self.index = index
        self.name = name
        self._tag: Any = None  # Any: a Tag has what attributes users give it
        self.lines = origin.capture() if owner is None else owner.lines

    @property
    def tag(self) -> Any:
        """What users keep with the variable; made when it is first asked for."""
        if self._tag is None:
            self._tag = Tag()
        return self._tag

    @tag.setter
    def tag(self, tag: Any) -> None:
        self._tag = tag

    def tagged(self, name: str) -> bool:
        """Whether the tag has this attribute."""
        return self._tag is not None and hasattr(self._tag, name)

    @property
    def places(self) -> tuple[Place, ...]:
        """Where the user made this variable."""
        return origin.resolve_all(self.lines)

    @property
    def place(self) -> Place | None:
        return origin.resolve(self.lines[0]) if self.lines else None

    def clone(self) -> Variable:
        """A new input variable of the same type and name, and with the same test value."""
        made = self.type.make(name=self.name)
        if self.tagged("test_value"):
            made.tag.test_value = self.tag.test_value
        return made

    def __str__(self) -> str:
        if self.name is not None:
            return self.name
        if self.owner is None:
            return f"<{self.type}>"
        return f"{self.owner.op}.{self.index}"

    def __reduce__(self) -> Any:
        from workbench.core.pickling import reduce_variable

        return reduce_variable(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        from workbench.core.pickling import restore

        restore(self, state)

    def __copy__(self) -> Variable:
        from workbench.core.pickling import copy_variable

        return copy_variable(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        from workbench.core.pickling import copy_graph

        return copy_graph([self], memo)[0]

    def __repr__(self) -> str:
        if _FLAGS["print_test_value"] and self.tagged("test_value"):
            return f"{self}\n{self.tag.test_value!r}"
        return str(self)


class Constant(Variable):
    """A variable whose value is known when the graph is built. The array is never written to."""

    __slots__ = ("data",)

    def __init__(self, type: Type, data: Array, name: str | None = None) -> None:
        super().__init__(type, None, 0, name)
        self.data = data

    def clone(self) -> Constant:
        """Another constant of the same value and name."""
        return type(self)(self.type, self.data, self.name)

    @property
    def key(self) -> tuple[object, ...]:
        """Two constants are the same where their dtype, shape and raw bytes are: 0.0 is not -0.0,
        and nan is nan.
        """
        return self.data.dtype.str, self.data.shape, self.data.tobytes()


Variables = Sequence[Variable]
Gradients = Sequence[Any]
"""A gradient, or None, for each of some variables. Any: they are variables with operators."""


class Apply:
    """One op applied to inputs: the node that makes `outputs`. `lines` says where the user wrote
    it.
    """

    # `row` is what stands for the node in pickles, made with the first.
    __slots__ = ("__weakref__", "inputs", "lines", "op", "outputs", "row")

    row: Any

    def __init__(
        self,
        op: Op,
        inputs: Sequence[Variable],
        types: Sequence[Type],
        lines: tuple[origin.Line, ...] | None = None,
    ) -> None:
        self.op = op
        self.inputs = tuple(inputs)
        self.lines = origin.capture() if lines is None else lines
        self.outputs = tuple(type.make(self, i) for i, type in enumerate(types))

    @property
    def out(self) -> Variable:
        """The output of a node that has one."""
        (output,) = self.outputs
        return output

    @property
    def place(self) -> Place | None:
        return origin.resolve(self.lines[0]) if self.lines else None

    def __reduce__(self) -> Any:
        from workbench.core.pickling import reduce_node

        return reduce_node(self)

    def __setstate__(self, states: tuple[dict[str, Any], ...]) -> None:
        """What the outputs held."""
        for variable, state in zip(self.outputs, states, strict=True):
            variable.__setstate__(state)

    def __copy__(self) -> Apply:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Apply:
        from workbench.core.pickling import copy_graph

        owner = copy_graph(self.outputs, memo)[0].owner
        assert owner is not None
        return owner

    def __str__(self) -> str:
        return f"{self.op}({', '.join(map(str, self.inputs))})"

    __repr__ = __str__


class Op(ABC):
    """What a node does. Ops are frozen dataclasses: equal parameters make equal ops.

    One class declares all there is to know of an op: `infer` (types), `evaluate` (its meaning, in
    NumPy), `grad`, `shape`, and sample inputs for the tests' walk over every op.
    """

    commutative: ClassVar[bool] = False
    # Running it does something besides, and its result is its first input: it is run where the user
    # put it, and no rule drops it.
    effect: ClassVar[bool] = False
    # It takes tensors that lie on a device as they are; others get them brought to the host.
    on_device: ClassVar[bool] = False
    # It takes float16, which is a dtype of storage, as it is; others compute in float32 instead.
    takes_half: ClassVar[bool] = False
    made: int = 0  # of such an op when it was applied: by time.perf_counter_ns

    @abstractmethod
    def infer(self, *inputs: Variable) -> Sequence[Type]:
        """The outputs' types. Raises a named error where the inputs do not fit."""

    @abstractmethod
    def evaluate(self, *values: Array) -> Sequence[Array]:
        """The op's meaning: fresh arrays (or views of the values) of exactly the inferred dtypes
        and ranks.
        """

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        """For every input the gradient of the cost (or None where it does not depend on it).

        A None among `gradients` means that the cost does not depend on that output.
        """
        raise NullGradientError(
            f"the gradient of {self} is not defined",
            describe(self, inputs),
            advice="wrap its input in disconnected_grad if nothing is meant to flow back",
        )

    def connected(self, index: int) -> bool:
        """Whether an output depends on the values of this input: not only on its shape, or on it as
        an index.

        Where it does and `grad` gives None, the gradient is zero; where not, the input is
        disconnected.
        """
        return True

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]] | None:
        """For every output its dimensions (ints or int64 scalar variables), or None where only
        running tells.
        """
        return None

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        """About how many floating-point operations one run takes, from arrays or anything with
        `.size`, `.shape`.
        """
        return sum(int(getattr(out, "size", 0)) for out in outputs)

    def apply(self, *inputs: Variable) -> Apply:
        if not self.on_device and any(v.type.device != "cpu" for v in inputs):
            from workbench.core.ops.transfer import on_host

            inputs = tuple(map(on_host, inputs))
        try:
            types = self.infer(*inputs)
        except WorkbenchError as error:
            error.met = error.met or describe(self, inputs)
            raise
        node = Apply(self, inputs, types)
        if _FLAGS["compute_test_value"] != "off":
            from workbench.core.trial import follow

            follow(node)
        return node

    def __call__(
        self, *inputs: Any
    ) -> Any:  # Any: a Variable, or a list where the op has several outputs
        outputs: Sequence[Variable]
        if not self.takes_half and any(getattr(v.type, "dtype", "") == "float16" for v in inputs):
            from workbench.core.half import in_float32

            outputs = in_float32(self, inputs)
        else:
            outputs = self.apply(*inputs).outputs
        return outputs[0] if len(outputs) == 1 else list(outputs)

    @property
    def label(self) -> str:
        """What a picture shows."""
        return type(self).__name__

    def __str__(self) -> str:
        return type(self).__name__


def describe(op: object, inputs: Iterable[Variable]) -> str:
    """An op and what met in it, for an error: 'dot of x: TensorType(float64, matrix), …'."""
    met = (f"{v.name or 'an expression'}: {v.type}" for v in inputs)
    return f"{op} of {', '.join(met)}"


def toposort(outputs: Iterable[Variable], stop: Collection[Variable] = ()) -> list[Apply]:
    """Every node that the outputs need, each after what it reads; depth-first in the order of
    inputs.

    `stop` are variables that are taken as given: nothing above them is visited. A set or a dict is
    not copied.
    """
    given = stop if isinstance(stop, (set, frozenset, dict)) else set(stop)
    done: set[Apply] = set()
    order: list[Apply] = []
    stack: list[tuple[Apply, int]] = []
    for output in outputs:
        if output.owner is None or output in given or output.owner in done:
            continue
        stack.append((output.owner, 0))
        while stack:
            node, position = stack.pop()
            if node in done:
                continue
            for i in range(position, len(node.inputs)):
                variable = node.inputs[i]
                owner = variable.owner
                if owner is not None and owner not in done and variable not in given:
                    stack.append((node, i + 1))
                    stack.append((owner, 0))
                    break
            else:
                done.add(node)
                order.append(node)
    return order


def leaves(outputs: Iterable[Variable], stop: Collection[Variable] = ()) -> list[Variable]:
    """The variables without an owner that the outputs need, in the order in which they are first
    read.
    """
    given = set(stop)
    outputs = list(outputs)
    found: dict[Variable, None] = {}
    for node in toposort(outputs, given):
        found.update((v, None) for v in node.inputs if v.owner is None or v in given)
    found.update((v, None) for v in outputs if v.owner is None or v in given)
    return list(found)


def free_inputs(outputs: Iterable[Variable]) -> list[Variable]:
    """The leaves that a caller must give values for: neither constants nor shared."""
    return [v for v in leaves(outputs) if not isinstance(v, Constant) and not is_shared(v)]


def is_shared(variable: Variable) -> bool:
    """Whether it is a shared variable, whose value lives between calls."""
    return hasattr(variable, "cell")


def readers(nodes: Iterable[Apply]) -> dict[Variable, list[tuple[Apply, int]]]:
    """For every variable the nodes that read it, with the position of the reading input."""
    found: dict[Variable, list[tuple[Apply, int]]] = {}
    for node in nodes:
        for i, variable in enumerate(node.inputs):
            found.setdefault(variable, []).append((node, i))
    return found


def replace(outputs: Sequence[Variable], replacements: dict[Variable, Variable]) -> list[Variable]:
    """The outputs' graph built anew where it reads a key of `replacements`: there it reads the
    value instead.

    Nodes that need no change are kept as they are. A replacement is not itself searched for keys.
    """
    new = dict(replacements)
    for node in toposort(outputs, stop=replacements):
        inputs = [new.get(v, v) for v in node.inputs]
        if any(a is not b for a, b in zip(inputs, node.inputs, strict=True)):
            copy = rebuild(node, inputs)
            new.update(
                (old, var)
                for old, var in zip(node.outputs, copy.outputs, strict=True)
                if old not in new
            )
    return [new.get(v, v) for v in outputs]


def rebuild(node: Apply, inputs: Sequence[Variable]) -> Apply:
    """The same op over other inputs, keeping lines and names; the types are inferred again."""
    copy = Apply(node.op, inputs, node.op.infer(*inputs), node.lines)
    for old, new in zip(node.outputs, copy.outputs, strict=True):
        new.name = old.name
    return copy


def ancestors(outputs: Iterable[Variable]) -> Iterator[Variable]:
    """Every variable that the outputs depend on, themselves included."""
    outputs = list(outputs)
    yield from leaves(outputs)
    for node in toposort(outputs):
        yield from node.outputs
