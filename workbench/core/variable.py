"""Variables with operators: what a user writes `x * W[0] + b` with. Importing this installs them
for TensorType.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any, ClassVar

from workbench.core.graph import Array, Constant, Variable
from workbench.core.methods import install
from workbench.core.ops import dot, indexing, reduce, scalars, shape
from workbench.core.types import TensorType, tell_of_float64, tensor_type
from workbench.errors import GraphError, RankError


class TensorVariable(Variable):
    """A symbolic array: NumPy's operators and methods build the graph."""

    __slots__ = ()
    __array_priority__ = 1000.0  # NumPy arrays leave binary operators to us

    # What NumPy's own functions are looked up in; workbench.tensor puts itself here.
    namespace: ClassVar[ModuleType | None] = None

    type: TensorType

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        from workbench.core.numpy_calls import call_ufunc

        return call_ufunc(self.namespace, ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        from workbench.core.numpy_calls import call_function

        return call_function(self.namespace, function, args, options)

    def __array__(self, *args: Any, **options: Any) -> Any:
        from workbench.core.numpy_calls import no_array

        raise no_array(self)

    @property
    def ndim(self) -> int:
        return self.type.ndim

    @property
    def dtype(self) -> str:
        return self.type.dtype

    @property
    def broadcastable(self) -> tuple[bool, ...]:
        return self.type.broadcastable

    @property
    def shape(self) -> Any:
        return shape.shape(self)

    @property
    def size(self) -> Any:
        return reduce.prod(self.shape) if self.ndim else 1

    @property
    def nbytes(self) -> Any:
        return self.size * self.type.numpy_dtype.itemsize

    @property
    def T(self) -> Any:  # NumPy's name
        return shape.transpose(self)

    @property
    def real(self) -> Any:
        return _parts().real(self)

    @property
    def imag(self) -> Any:
        return _parts().imag(self)

    # Any: these return variables, which have these operators
    def __add__(self, other: Any) -> Any:
        return scalars.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return scalars.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return scalars.sub(self, other)

    def __rsub__(self, other: Any) -> Any:
        return scalars.sub(other, self)

    def __mul__(self, other: Any) -> Any:
        return scalars.mul(self, other)

    def __rmul__(self, other: Any) -> Any:
        return scalars.mul(other, self)

    def __truediv__(self, other: Any) -> Any:
        return scalars.divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return scalars.divide(other, self)

    def __floordiv__(self, other: Any) -> Any:
        return scalars.floor_div(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return scalars.floor_div(other, self)

    def __mod__(self, other: Any) -> Any:
        return scalars.mod(self, other)

    def __rmod__(self, other: Any) -> Any:
        return scalars.mod(other, self)

    def __pow__(self, other: Any) -> Any:
        return scalars.power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return scalars.power(other, self)

    def __matmul__(self, other: Any) -> Any:
        return dot.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return dot.matmul(other, self)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __lshift__(self, other: Any) -> Any:
        return _bits().left_shift(self, other)

    def __rlshift__(self, other: Any) -> Any:
        return _bits().left_shift(other, self)

    def __rshift__(self, other: Any) -> Any:
        return _bits().right_shift(self, other)

    def __rrshift__(self, other: Any) -> Any:
        return _bits().right_shift(other, self)

    def __and__(self, other: Any) -> Any:
        return scalars.and_(self, other)

    def __rand__(self, other: Any) -> Any:
        return scalars.and_(other, self)

    def __or__(self, other: Any) -> Any:
        return scalars.or_(self, other)

    def __ror__(self, other: Any) -> Any:
        return scalars.or_(other, self)

    def __xor__(self, other: Any) -> Any:
        return scalars.xor(self, other)

    def __rxor__(self, other: Any) -> Any:
        return scalars.xor(other, self)

    def __neg__(self) -> Any:
        return scalars.neg(self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return scalars.absolute(self)

    def __invert__(self) -> Any:
        return scalars.invert(self)

    def __lt__(self, other: Any) -> Any:
        return scalars.lt(self, other)

    def __le__(self, other: Any) -> Any:
        return scalars.le(self, other)

    def __gt__(self, other: Any) -> Any:
        return scalars.gt(self, other)

    def __ge__(self, other: Any) -> Any:
        return scalars.ge(self, other)

    def __getitem__(self, item: Any) -> Any:
        return indexing.getitem(self, item)

    def __setitem__(self, item: Any, value: Any) -> None:
        raise GraphError(
            f"{self} cannot be assigned to: it is symbolic",
            f"{self}: {self.type}",
            advice="write y = set_subtensor(x[index], value)",
        )

    def __bool__(self) -> bool:
        raise GraphError(
            f"{self} has no truth value while the graph is built",
            f"{self}: {self.type}",
            advice="use switch(condition, a, b), or ifelse",
        )

    def __float__(self) -> float:
        raise self._no_number("a float")

    def __int__(self) -> int:
        raise self._no_number("an int")

    def __complex__(self) -> complex:
        raise self._no_number("a complex number")

    def __index__(self) -> int:
        raise self._no_number(
            "an int", "scan loops n_steps times; T.arange, T.zeros and x[i] take symbolic numbers"
        )

    def __format__(self, spec: str) -> str:
        if spec and spec[-1] in "bcdeEfFgGnoxX%":
            raise self._no_number(f"the number that {spec!r} formats")
        return format(str(self), spec)

    def _no_number(self, what: str, instead: str = "use the functions of workbench.tensor") -> Any:
        return GraphError(
            f"{self} is symbolic: it is not {what}",
            f"{self}: {self.type}",
            advice=f"{instead}; x.eval({{…}}) computes a value",
        )

    def __len__(self) -> int:
        raise GraphError(
            f"the length of {self} is known only when it runs",
            f"{self}: {self.type}",
            advice=f"use {self}.shape[0]",
        )

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise GraphError(
                f"{self} is a scalar and cannot be iterated over",
                f"{self}: {self.type}",
                advice="use it as it is",
            )
        length = self.type.shape[0]
        if length is None:
            raise UnknownLengthError(
                f"the length of {self} is known only when it runs",
                f"{self}: {self.type}",
                advice="use scan to loop over it",
            )
        return (self[i] for i in range(length))

    def __contains__(self, item: Any) -> bool:
        raise GraphError(
            "'in' is not defined on symbolic variables",
            f"{self}: {self.type}",
            advice="use any(eq(x, value))",
        )

    def dot(self, other: Any) -> Any:
        return dot.dot(self, other)

    def dimshuffle(self, *order: Any) -> Any:
        return shape.dimshuffle(
            self, order[0] if len(order) == 1 and isinstance(order[0], (list, tuple)) else order
        )

    def reshape(self, *newshape: Any, ndim: int | None = None) -> Any:
        wanted = newshape[0] if len(newshape) == 1 else newshape
        return shape.reshape(self, wanted, ndim)

    def flatten(self, ndim: int = 1) -> Any:
        return shape.flatten(self, ndim)

    def transpose(self, *axes: Any) -> Any:
        order = axes[0] if len(axes) == 1 and isinstance(axes[0], (list, tuple)) else axes
        return shape.transpose(self, order or None)

    def astype(self, dtype: str) -> Any:
        return scalars.cast(self, dtype)

    def compress(self, condition: Any, axis: int | None = None) -> Any:
        from workbench.core.ops.selecting import compress

        return compress(condition, self, axis)

    def fill(self, value: Any) -> Any:
        """A value in this shape and dtype; the variable itself is not changed."""
        from workbench.core.ops.grids import full_like

        return full_like(self, value)

    def copy(self) -> Any:
        """The variable itself: a symbolic value is never written to."""
        return self

    def transfer(self, target: str) -> Any:
        """The tensor on a device; on the one where it is already, itself. Raises DeviceError."""
        from workbench.core.ops.transfer import transfer

        return transfer(self, target)

    def eval(self, inputs_to_values: dict[Variable | str, Any] | None = None) -> Any:
        """The value for these inputs, by variable or name; compiled once per set of inputs."""
        from workbench.core.evaluate import evaluate

        return evaluate(self, inputs_to_values or {})


def _bits() -> ModuleType:
    from workbench.core.ops.scalars import bits  # rare

    return bits


def _parts() -> ModuleType:
    from workbench.core.ops.scalars import complex_numbers  # rare

    return complex_numbers


class UnknownLengthError(GraphError, ValueError):
    """A tensor of unknown length was iterated over."""


class TensorConstant(TensorVariable, Constant):
    """A constant with operators. Its value is read-only."""

    __slots__ = ()

    def __init__(self, type: TensorType, data: Array, name: str | None = None) -> None:
        Constant.__init__(self, type, data, name)
        tell_of_float64(type)

    @property
    def value(self) -> Array:
        return self.data

    def __str__(self) -> str:
        if self.name is not None:
            return self.name
        text = str(self.data[()]) if self.data.ndim == 0 else f"array of shape {self.data.shape}"
        return f"TensorConstant{{{text}}}"

    __repr__ = __str__


install(TensorVariable)
TensorType.variable = TensorVariable
TensorType.constant = TensorConstant


def tensor(
    dtype: str | None = None,
    shape: Sequence[int | None] = (),
    name: str | None = None,
    broadcastable: Sequence[bool] | None = None,
) -> Any:
    """A new input variable: dtype floatX by default, `shape` with None for lengths that are not
    known (or flags that say which axes broadcast).
    """
    return TensorType(dtype or "floatX", shape, broadcastable).make(name=name)


def check_rank(variable: Variable, ndim: int, what: str) -> None:
    """Raises RankError where the variable has another rank."""
    if tensor_type(variable).ndim != ndim:
        raise RankError(f"{what} must have {ndim} axes; {variable} is of {variable.type}")
