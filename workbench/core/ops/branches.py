"""`ifelse`: one of two groups of values, of which only that one is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.device_type import lies_on
from workbench.core.graph import (
    Apply,
    Array,
    Gradients,
    Op,
    Type,
    Variable,
    Variables,
    replace,
    toposort,
)
from workbench.core.inner import InnerGraph
from workbench.core.ops.scalars import zeros_like
from workbench.core.ops.shape import as_scalar_int, shape_tuple
from workbench.core.types import TensorType, as_tensor, tensor_type
from workbench.errors import DtypeError, GraphError, RankError, UsageError
from workbench.frozen import frozen


@frozen
class IfElse(Op):
    """The first `n` values where the condition is not zero, else the other `n`.

    Without `inner` the inputs are the condition and both groups of values: so users' graphs are
    written, and the interpreter computes what is chosen. With it, the inputs are the condition and
    what the inner graph reads, whose outputs are both groups: so the compiler has each branch's own
    work stand inside, and no node of it is an ancestor of outputs of both groups.
    """

    takes_half = True

    n: int
    inner: InnerGraph | None = None
    name: str = ""

    @property
    def is_lazy(self) -> bool:
        """Whether it does not need all of its inputs."""
        return self.inner is None

    def chosen(self, condition: Any) -> range:
        """The numbers of the inputs that are returned for this value of the condition."""
        return range(1, self.n + 1) if bool(condition) else range(self.n + 1, 2 * self.n + 1)

    def branches(self, inputs: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        """Both groups of values: among the inputs, or the inner graph's outputs."""
        values = inputs[1:] if self.inner is None else self.inner.outputs
        return values[: self.n], values[self.n :]

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        if tensor_type(inputs[0]).ndim:
            raise RankError(
                "the condition of ifelse is a scalar.",
                advice="reduce it with all or any; T.switch chooses element by element",
            )
        return [either(a.type, b.type) for a, b in zip(*self.branches(inputs), strict=True)]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        return self._run(values, ())

    def evaluate_watched(
        self, node: Apply, values: Sequence[Array], listeners: Sequence[Any]
    ) -> Sequence[Array]:
        """As `evaluate`; listeners are told of the nodes of the branch that is taken."""
        return self._run(values, listeners)

    def _run(self, values: Sequence[Any], listeners: Sequence[Any]) -> Sequence[Array]:
        from workbench.core.interpreter import Interpreter

        chosen = self.chosen(values[0])
        if self.inner is None:
            return [values[i] for i in chosen]
        outputs = self.inner.outputs[chosen.start - 1 : chosen.stop - 1]
        nodes = toposort(outputs, stop=self.inner.inputs)
        given = dict(zip(self.inner.inputs, values[1:], strict=True))
        return Interpreter(outputs, nodes).run(given, listeners)

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        """What flows back goes to the branch that was taken; the other's gradient is zero."""
        if self.inner is not None:
            return self._grad_inside(inputs, gradients)
        condition, *values = inputs
        found: list[Any] = [None] * len(values)
        flowing = [i for i, g in enumerate(gradients) if g is not None]
        for first in (0, self.n):
            kept = [gradients[i] for i in flowing]
            zero = [
                zeros_like(values[first + i], tensor_type(g).dtype)
                for i, g in zip(flowing, kept, strict=True)
            ]
            groups = (*kept, *zero) if first == 0 else (*zero, *kept)
            slopes = IfElse(len(flowing), name=self.name).apply(condition, *groups).outputs
            for i, slope in zip(flowing, slopes, strict=True):
                found[first + i] = slope
        return [None, *found]

    def _grad_inside(self, inputs: Variables, gradients: Gradients) -> Gradients:
        from workbench.core.gradient import backward

        outside = self.outside(inputs)
        start = {v: g for v, g in zip(outside, gradients, strict=True) if g is not None}
        found = backward(start, inputs)
        return [found.get(v) for v in inputs]

    def outside(self, inputs: Sequence[Variable]) -> Sequence[Variable]:
        """The same outputs, with each branch's own work outside."""
        if self.inner is None:
            return self.apply(*inputs).outputs
        given = dict(zip(self.inner.inputs, inputs[1:], strict=True))
        values = replace(self.inner.outputs, given)
        return IfElse(self.n, name=self.name).apply(inputs[0], *values).outputs

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]] | None:
        """Of each axis: the one length where both branches have the same, else a choice."""
        if self.inner is not None or not all(isinstance(v.type, TensorType) for v in inputs):
            return None
        groups = (map(shape_tuple, group) for group in self.branches(inputs))
        return [
            [_either_length(inputs[0], a, b) for a, b in zip(one, other, strict=True)]
            for one, other in zip(*groups, strict=True)
        ]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 0

    @property
    def label(self) -> str:
        return f"ifelse {self.name}".strip()

    def __str__(self) -> str:
        return f"if{{{self.name}}}" if self.name else "if"


def ifelse(condition: Any, then_branch: Any, else_branch: Any, name: str | None = None) -> Any:
    """`then_branch` where the condition is not zero, else `else_branch`; the work that only the
    other one needs is not done.

    condition    a scalar of any numeric dtype
    then_branch  a variable (or what becomes one), or a list or tuple of them
    else_branch  as many, each of the dtype and number of axes of its counterpart: constants are not
                 converted. Lengths may differ.

    Returns a variable, or a list where lists were given. `T.switch` chooses element by element and
    computes both. Raises RankError or DtypeError (TypeErrors) for a condition that is no scalar and
    for branches of different types, UsageError (a ValueError) for lists of different lengths.
    """
    several = isinstance(then_branch, (list, tuple)) or isinstance(else_branch, (list, tuple))
    groups = [_values(branch) for branch in (then_branch, else_branch)]
    if len(groups[0]) != len(groups[1]) or not groups[0]:
        raise UsageError(
            "the branches of ifelse have as many values, one or more",
            f"{len(groups[0])} values if true, {len(groups[1])} if false",
            advice="give two lists of one length",
        )
    op = IfElse(len(groups[0]), name=name or "")
    node = op.apply(as_tensor(condition), *groups[0], *groups[1])
    return list(node.outputs) if several else node.out


def _values(branch: Any) -> list[Variable]:
    items = branch if isinstance(branch, (list, tuple)) else [branch]
    return [item if isinstance(item, Variable) else as_tensor(item) for item in items]


def either(a: Type, b: Type) -> Type:
    """The type of a value that is of one of two types: a length that differs is not known."""
    if a == b:
        return a
    if not isinstance(a, TensorType) or not isinstance(b, TensorType):
        raise GraphError(
            f"one branch of ifelse is of {a}, the other of {b}",
            advice="give both branches values of one kind",
        )
    if a.dtype != b.dtype:
        raise DtypeError(
            f"one branch of ifelse is of {a.dtype}, the other of {b.dtype}",
            advice=f"cast one of them, for example with .astype({a.dtype!r})",
        )
    if a.ndim != b.ndim:
        raise RankError(
            f"one branch of ifelse has {a.ndim} axes, the other {b.ndim}",
            advice="reshape one of them, or add axes with dimshuffle",
        )
    lengths = tuple(n if n == m else None for n, m in zip(a.shape, b.shape, strict=True))
    return lies_on(TensorType(a.dtype, lengths), a.device)


def _either_length(condition: Variable, a: Any, b: Any) -> Any:
    """The length of an axis of the one or the other: an int where both are that."""
    if a is b or (isinstance(a, int) and isinstance(b, int) and a == b):
        return a
    return IfElse(1).apply(condition, as_scalar_int(a), as_scalar_int(b)).out
