"""In and Out: an input or output of a function, with options."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import Constant, Variable, is_shared
from workbench.core.types import TensorType, as_tensor, constant
from workbench.core.updates import moved
from workbench.errors import GraphError, UpdateError, WorkbenchError


class In:
    """An input of a function.

    variable        the variable that takes the argument's value
    name            the keyword that it may be given by; the variable's name by default
    value           a default: the argument may then be left out
    update          an expression whose value replaces the stored default after each call
    mutable         the function may overwrite the array that is passed (it then may keep it, too)
    borrow          the function may keep the array that is passed
    strict          only arrays of the very dtype are taken
    allow_downcast  True: lossy conversions are made; None: of Python floats to float32 scalars, by
                    floatX
    autoname        False: an input without a name of its own has none, whatever its variable's
    implicit        True: a caller may not pass it
    shared          taken, and has no effect: what is stored is never shared between functions

    Raises GraphError for what cannot be an input, UpdateError for an update of another type.
    """

    def __init__(
        self,
        variable: Variable,
        name: str | None = None,
        value: Any = None,
        update: Variable | None = None,
        mutable: bool | None = None,
        strict: bool = False,
        allow_downcast: bool | None = None,
        autoname: bool = True,
        implicit: bool | None = None,
        borrow: bool | None = None,
        shared: bool = False,
    ) -> None:
        _check_input(variable)
        if name is not None and not isinstance(name, str):
            raise GraphError(f"an input's name is text, not {name!r}")
        if mutable and borrow is False:
            raise MutableInputError(
                f"input {variable} is mutable: the function may keep the array, so it cannot be "
                "borrow=False",
                f"{variable}: {variable.type}",
                variable.place,
                "leave borrow out",
            )
        update = None if update is None else as_update(update, variable)
        if update is not None and not variable.type.accepts(update.type):
            raise UpdateError(
                f"the update of input {variable} has another type than the input",
                f"{variable}: {variable.type}; the update: {update.type}",
                update.place,
                "cast the update to the input's type",
            ).at(update)
        self.variable = variable
        self.name = name if name is not None or not autoname else variable.name
        self.value = value
        self.update = update
        self.mutable = bool(mutable)
        self.borrow = bool(mutable) if borrow is None else borrow
        self.strict = strict
        self.allow_downcast = allow_downcast
        self.implicit = bool(implicit)

    def convert(self, value: Any) -> Any:
        """The value as one of the variable's type. Raises DtypeError, RankError or ShapeError."""
        convert: Any = self.variable.type.convert  # type: ignore[attr-defined]
        return convert(value, strict=self.strict, allow_downcast=self.allow_downcast)

    def __repr__(self) -> str:
        return f"In({self.variable})"


class MutableInputError(GraphError, AssertionError):
    """An input is to be mutable and not borrowed."""


def as_update(update: Any, variable: Variable) -> Variable:
    """The update of an input as a variable, where the input lies: a number takes the input's dtype
    where that keeps it.
    """
    t = variable.type
    if not isinstance(t, TensorType):
        return update  # type: ignore[no-any-return]
    if isinstance(update, Variable):
        return moved(update, t.device) if isinstance(update.type, TensorType) else update
    made = as_tensor(update)
    try:
        made = constant(TensorType(t.dtype, t.shape).convert(update), t.dtype)
    except WorkbenchError:
        return made
    return moved(made, t.device)


class Out:
    """An output of a function.

    borrow                the array that is returned may alias the function's own storage
    return_internal_type  a function for a device returns it as it has it, as a DeviceArray: see
                          `get_value` of shared variables
    """

    def __init__(
        self, variable: Variable, borrow: bool = False, return_internal_type: bool = False
    ) -> None:
        if not isinstance(variable, Variable):
            raise GraphError(f"an output is a variable, not {variable!r}")
        self.variable = variable
        self.borrow = borrow
        self.return_internal_type = return_internal_type

    def __repr__(self) -> str:
        return f"Out({self.variable})"

    def returned(self, device: str) -> Variable:
        """The tensor where a function for a device of this full name returns it: in the host's
        memory, but for what was transferred, or is to be of the internal type.
        """
        from workbench.core.ops.transfer import DTYPES, transferred

        variable, t = self.variable, self.variable.type
        if not isinstance(t, TensorType):
            return variable
        if self.return_internal_type and t.device == "cpu" and t.dtype in DTYPES:
            return transferred(variable, device)  # type: ignore[no-any-return]
        if not self.return_internal_type and is_shared(variable):
            return transferred(variable, "cpu")  # type: ignore[no-any-return]
        return variable


def as_in(item: Any, allow_downcast: bool | None) -> In:
    """An `In` of a variable, or the one given."""
    if isinstance(item, In):
        return item
    return In(item, allow_downcast=allow_downcast)


def _check_input(variable: Any) -> None:
    if not isinstance(variable, Variable):
        raise GraphError(
            f"an input is a variable or an In, not {variable!r}",
            advice="make one with T.vector('x'), say",
        )
    if isinstance(variable, Constant):
        raise GraphError(f"the constant {variable} cannot be an input")
    if is_shared(variable):
        raise GraphError(
            f"the shared variable {variable} cannot be an input: it has a value of its own",
            place=variable.place,
            advice="leave it out, or replace it for this function with givens={shared: input}",
        ).at(variable)
