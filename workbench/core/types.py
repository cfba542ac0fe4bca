"""Tensor types: dtype and static shape, the rules by which dtypes combine, and the conversion of
values.

A dimension of static length 1 broadcasts; a dimension that is not known statically never does.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from typing import Any, ClassVar

import numpy as np

from workbench.configuration import config
from workbench.core import origin
from workbench.core.conversion import short, to_array
from workbench.core.graph import Apply, Array, Constant, Type, Variable
from workbench.errors import (
    DtypeError,
    GraphError,
    LengthError,
    RankError,
    ShapeError,
)
from workbench.frozen import frozen

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
DTYPES = ("bool", *INTEGERS, *FLOATS, *COMPLEX)

Shape = tuple[int | None, ...]

_FLAGS = config.values  # asked for every variable


@frozen
class TensorType(Type):
    """Arrays of one dtype and rank. `shape[i]` is the length of axis i where it is known
    statically, else None.

    Instead of a shape there may be flags, one for each axis: whether it broadcasts. The dtype may
    be 'floatX' or NumPy's own. Calling a type makes an input variable of it.
    """

    dtype: str
    shape: Shape = ()

    # The classes that have operators; workbench.core.variable sets them.
    variable: ClassVar[Callable[..., Variable]] = Variable
    constant: ClassVar[Callable[..., Constant]] = Constant

    def __init__(
        self,
        dtype: Any,
        shape: Sequence[int | None] = (),
        broadcastable: Sequence[bool] | None = None,
    ) -> None:
        fields = vars(self)
        fields["dtype"] = dtype if dtype in _KNOWN else _dtype_name(dtype)
        given = shape if broadcastable is None else list(map(bool, broadcastable))
        is_plain = type(given) is tuple and _LENGTHS.issuperset(map(type, given))
        fields["shape"] = given if is_plain else tuple(map(_length, given))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @cached_property
    def broadcastable(self) -> tuple[bool, ...]:
        return tuple(n == 1 for n in self.shape)

    @property
    def numpy_dtype(self) -> np.dtype[Any]:
        return np.dtype(self.dtype)

    def make(self, owner: Apply | None = None, index: int = 0, name: str | None = None) -> Variable:
        if self.dtype == "float64":
            tell_of_float64(self)
        return TensorType.variable(self, owner, index, name)

    def __call__(self, name: str | None = None) -> Any:  # Any: a variable with operators
        """A new input variable of this type."""
        if name is not None and not isinstance(name, str):
            raise GraphError(
                f"a variable's name is text, not {name!r}", advice="write T.dvector('x'), say"
            )
        return self.make(name=name)

    def with_dtype(self, dtype: str) -> TensorType:
        return self if dtype == self.dtype else TensorType(dtype, self.shape)

    def accepts(self, other: Type) -> bool:
        return (
            isinstance(other, TensorType)
            and other.device == self.device
            and other.dtype == self.dtype
            and other.ndim == self.ndim
            and all(
                mine is None or mine == theirs
                for mine, theirs in zip(self.shape, other.shape, strict=True)
            )
        )

    def convert(
        self, value: object, *, strict: bool = False, allow_downcast: bool | None = None
    ) -> Array:
        """The value as an array of this type.

        Exact conversions are made (int64 → float64, 2.0 → an int scalar); lossy ones raise
        `DtypeError` unless `allow_downcast`; `strict` takes only arrays of the very dtype. A wrong
        number of dimensions is a `RankError`, a length other than the static one a `LengthError`.
        """
        array = to_array(value, self, strict, allow_downcast)
        if array.ndim != self.ndim:
            raise RankError(
                f"Wrong number of dimensions: expected {self.ndim}, got {array.ndim} with shape "
                f"{array.shape}.",
                f"the variable is of {self}",
                advice="reshape the value, or declare the variable with another number of axes",
            )
        for axis, (length, known) in enumerate(zip(array.shape, self.shape, strict=True)):
            if known is not None and length != known:
                raise LengthError(
                    f"axis {axis} must have length {known}; the value has shape {array.shape}",
                    f"the variable is of {self}",
                    advice="give a value of that length, or declare the variable without it",
                )
        return array

    def __str__(self) -> str:
        return f"TensorType({self.dtype}, {_shape_name(self.shape)})"

    __repr__ = __str__


_KNOWN = frozenset(DTYPES)
_LENGTHS = frozenset((int, type(None)))


def _length(given: Any) -> int | None:
    """The static length of an axis, which may be given as a flag that it broadcasts."""
    if given is None or type(given) is int:
        return given
    if isinstance(given, (bool, np.bool_)):
        return 1 if given else None
    try:
        return operator.index(given)
    except TypeError:
        raise GraphError(
            f"the length of an axis is an int, or None where it is not known, not {given!r}",
            advice="write (None, 3), or flags: (False, True)",
        ) from None


def _dtype_name(dtype: Any) -> str:
    """The name of a dtype: of floatX, or of one of NumPy's. Raises DtypeError."""
    if isinstance(dtype, str) and dtype == "floatX":
        return str(_FLAGS["floatX"])
    try:
        name = str(np.dtype(dtype)) if dtype is not None else ""
    except TypeError:
        name = ""
    if name not in _KNOWN:
        raise DtypeError(
            f"{dtype!r} is not a tensor dtype",
            advice=f"the dtypes are {', '.join(DTYPES)}",
        )
    return name


@frozen
class GenericType(Type):
    """Any Python object: a random state, a list. Ops that know what it is take it; there is no
    native form.
    """

    def accepts(self, other: Type) -> bool:
        return isinstance(other, GenericType)

    def convert(self, value: object, **options: object) -> object:
        return value

    def __str__(self) -> str:
        return "GenericType"


_NAMES = {0: "scalar", 1: "vector", 2: "matrix", 3: "3D", 4: "4D", 5: "5D"}


def _shape_name(shape: Shape) -> str:
    if all(n is None for n in shape):
        return _NAMES.get(len(shape), f"{len(shape)}D")
    if shape == (1, None):
        return "row"
    if shape == (None, 1):
        return "col"
    return f"({', '.join('?' if n is None else str(n) for n in shape)})"


@cache
def upcast(*dtypes: str) -> str:
    """The dtype that holds all of these, as NumPy's rule for arrays: int32 with float32 gives
    float64.
    """
    return str(np.result_type(*(np.dtype(d) for d in dtypes)))


@cache
def float_like(*dtypes: str) -> str:
    """The floating dtype in which a function of these is computed: int8 and int16 → float32, wider
    ints → float64.
    """
    wide = upcast(*dtypes)
    if wide[0] in "fc":
        return wide
    return "float32" if np.dtype(wide).itemsize <= (2 if wide != "bool" else 1) else "float64"


def wider_than_half(dtype: str) -> str:
    """The dtype in which values of this one are computed with: float16 is one of storage."""
    return "float32" if dtype == "float16" else dtype


def is_float(dtype: str) -> bool:
    """Whether it is a floating or complex dtype."""
    return dtype[0] in "fc"


def is_integer(dtype: str) -> bool:
    """Whether it is an integer's dtype; bool is none."""
    return dtype[0] in "iu"


def is_discrete(dtype: str) -> bool:
    """Whether it is bool or an integer's: without derivatives."""
    return dtype == "bool" or dtype[0] in "iu"


def broadcast_shapes(shapes: Sequence[Shape], what: str = "operands") -> Shape:
    """The static shape of an elementwise result. Missing leading axes and axes of static length 1
    broadcast.

    Raises ShapeError where two known lengths differ.
    """
    if shapes and all(s == shapes[0] for s in shapes):
        return shapes[0]
    ndim = max((len(s) for s in shapes), default=0)
    result: list[int | None] = []
    for axis in range(-ndim, 0):
        lengths = {s[axis] for s in shapes if len(s) >= -axis} - {1}
        known = lengths - {None}
        if len(known) > 1:
            met = " and ".join(str(s) for s in shapes)
            lengths_known = map(str, sorted(n for n in known if n is not None))
            raise ShapeError(
                f"shapes do not fit: axis {axis + ndim} has lengths {' and '.join(lengths_known)}",
                f"{what}: {met}",
                advice="lengths must be equal, or 1 in the type for a dimension that broadcasts",
            )
        result.append(known.pop() if known else (None if lengths else 1))
    return tuple(result)


def type_of(array: Array) -> TensorType:
    """The type of a constant: its whole shape is known."""
    return TensorType(_NAME_OF.get(array.dtype) or str(array.dtype), array.shape)


# NumPy takes two microseconds to name a dtype, and four to say an integer dtype's bounds.
_NAME_OF = {np.dtype(name): name for name in DTYPES}
BY_NUMBER: dict[int, np.dtype[Any]] = {dtype.num: dtype for dtype in _NAME_OF}
"""The dtypes by NumPy's numbers of them."""
_BOUNDS = tuple(
    (int(np.iinfo(name).min), int(np.iinfo(name).max), name) for name in (*INTEGERS[:4], "uint64")
)


def smallest_int(value: int) -> str:
    """The smallest signed dtype that holds a Python int (uint64 where only that does)."""
    for least, most, dtype in _BOUNDS:
        if least <= value <= most:
            return dtype
    raise DtypeError(
        f"the integer {short(value)} does not fit in 64 bits", advice="write it as a float"
    )


def python_number(value: complex) -> Array:
    """A Python number as the narrowest array that keeps it: ints small, floats float32 where exact
    (or floatX says so).

    Where `config.cast_policy` is 'numpy+floatX': as NumPy makes it, a float of floatX.
    """
    if isinstance(value, bool):
        return np.asarray(value, "bool")
    narrow_ints = _FLAGS["cast_policy"] == "custom"
    if isinstance(value, int):
        dtype = smallest_int(value)
        return np.asarray(value, dtype if narrow_ints or dtype == "uint64" else "int64")
    if isinstance(value, complex):
        return np.asarray(value, "complex128")
    if not narrow_ints:
        return np.asarray(value, _FLAGS["floatX"])
    with np.errstate(over="ignore"):
        narrow = np.float32(value)
        if _FLAGS["floatX"] == "float16":
            return np.asarray(value, "float16")
        if _FLAGS["floatX"] == "float32" or value != value or float(narrow) == value:
            return np.asarray(narrow)
    return np.asarray(value, "float64")


def as_tensor(value: object, name: str | None = None) -> Variable:
    """The value as a tensor variable: variables as they are, numbers and arrays as constants.

    Python numbers take the narrowest dtype that keeps them; NumPy's own values keep theirs; a list
    that holds variables is stacked. Raises `GraphError` for what cannot be an array of numbers.
    """
    if isinstance(value, Variable):
        if not isinstance(value.type, TensorType):
            raise _no_tensor(value)
        return value if value.type.device == "cpu" else _brought(value)
    if isinstance(value, (list, tuple)) and _holds_variable(value):
        from workbench.core.ops.join import stack

        return stack([as_tensor(item) for item in value])  # type: ignore[no-any-return]
    if isinstance(value, (bool, int, float, complex)) and not isinstance(value, np.generic):
        array = python_number(value)
    else:
        array = _numbers(value)
    array.flags.writeable = False
    return TensorType.constant(type_of(array), array, name)


def _brought(variable: Variable) -> Variable:
    """A tensor that lies on a device, brought to the host."""
    from workbench.core.ops.transfer import on_host

    return on_host(variable)


def _numbers(value: object) -> Array:
    try:
        array = np.array(value)
    except ValueError as error:  # rows of different lengths
        raise GraphError(
            f"{short(value)} is not an array: {error}", advice="give rows of equal lengths"
        ) from None
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if str(array.dtype) not in _KNOWN:
        raise GraphError(
            f"{short(value)} is not a number, an array of numbers or a variable",
            f"as an array it is of {array.dtype}",
            advice=f"give one of {', '.join(DTYPES)}",
        )
    return array


def _holds_variable(items: Sequence[object]) -> bool:
    return any(
        isinstance(item, Variable) or (isinstance(item, (list, tuple)) and _holds_variable(item))
        for item in items
    )


def constant(value: object, dtype: str) -> Variable:
    """A constant of a given dtype."""
    array = np.array(value, dtype)
    array.flags.writeable = False
    return TensorType.constant(type_of(array), array)


def tell_of_float64(type: TensorType) -> None:
    """What `config.warn_float64` says of a float64 variable that the user makes."""
    chosen = _FLAGS["warn_float64"]
    if chosen == "ignore" or type.dtype != "float64" or not origin.users_own():
        return
    error = DtypeError(
        "a float64 variable is made, and config.warn_float64 asks to be told",
        f"it is of {type}",
        advice="find where a float64 value or a wide integer comes in, or cast to float32",
    )
    if chosen == "warn":
        warnings.warn(str(error), UserWarning, stacklevel=3)
        return
    if chosen == "pdb":
        import pdb

        pdb.set_trace()
    raise error


def tensor_type(variable: Variable) -> TensorType:
    """The variable's type, which must be a tensor's."""
    if not isinstance(variable.type, TensorType):
        raise _no_tensor(variable)
    return variable.type


def _no_tensor(variable: Variable) -> GraphError:
    return GraphError(
        f"{variable} is no tensor",
        f"it is of {variable.type}",
        variable.place,
        "give a tensor variable, a number or an array",
        variable,
    )
