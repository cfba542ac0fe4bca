"""Every named error is raised by a mistake that users make, is the Python exception that they would
expect, and says what was wrong; the old import paths mean the same classes.
"""

from __future__ import annotations

import io

import numpy as np
import pytest

import workbench as wb
import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.proofs import proven_by, proves
from workbench import errors
from workbench.theano.compile import debugmode
from workbench.theano.tensor.shared_randomstreams import RandomStreams

A = np.arange(3.0)
RUN = "error of a run"
DEBUG = "tests/core/debug/test_debug_mode.py::"
x, y, m = T.dvector("x"), T.dvector("y"), T.dmatrix("m")


def raised(kind: type[Exception], python: type[Exception], mistake: object, words: str) -> str:
    """A mistake raises this class, which is also Python's, with these words: the message."""
    with pytest.raises(python, match=words) as caught:
        mistake()
    assert isinstance(caught.value, kind)
    assert isinstance(caught.value, errors.WorkbenchError)
    assert caught.value.wrong
    return str(caught.value)


@proves("WorkbenchError")
@proves("ShapeError")
@proves("LengthError")
@proves("RankError")
@proves("DtypeError")
@proves("IndexOutOfRange")
@proves("ArgumentError")
def mistakes_in_a_call() -> None:
    f = theano.function([x, y], x + y)
    raised(errors.WorkbenchError, ValueError, lambda: f(A, A[:2]), "proofs_errors")
    raised(errors.ShapeError, ValueError, lambda: f(A, A[:2]), "length")
    row = T.drow("row")
    two = np.ones((2, 3))
    raised(errors.LengthError, TypeError, lambda: theano.function([row], row)(two), "row")
    raised(errors.RankError, TypeError, lambda: f(A, two), "dimensions")
    raised(errors.DtypeError, TypeError, lambda: f(A, A + 1j), "complex")
    raised(errors.IndexOutOfRange, IndexError, lambda: x[7].eval({x: A}), "7")
    raised(errors.IndexOutOfRange, IndexError, lambda: x[0, 0], "ind")
    raised(errors.ArgumentError, TypeError, lambda: f(A), "Missing required input: y")


@proves("GraphError")
@proves("MissingInputError")
@proves("UnusedInputError")
@proves("UpdateError")
@proves("theano.gof.MissingInputError")
@proves("theano.compile.UnusedInputError")
def mistakes_in_a_request() -> None:
    assert theano.gof.MissingInputError is errors.MissingInputError
    assert theano.compile.UnusedInputError is errors.UnusedInputError
    raised(errors.GraphError, TypeError, lambda: theano.shared(x), "symbolic")
    raised(errors.MissingInputError, ValueError, lambda: theano.function([x], x + y), "y")
    raised(errors.UnusedInputError, ValueError, lambda: theano.function([x, y], x), "y")
    wrong = {theano.shared(np.float32(1)): T.dscalar("wide")}
    raised(errors.UpdateError, TypeError,
           lambda: theano.function([*wrong.values()], [], updates=wrong), "type")  # fmt: skip


@proves("DisconnectedInputError")
@proves("NullGradientError")
@proves("GradientError")
@proves("theano.gradient.DisconnectedInputError")
@proves("theano.gradient.NullTypeGradError")
@proves("theano.gradient.GradientError")
def mistakes_in_derivatives() -> None:
    assert theano.gradient.DisconnectedInputError is errors.DisconnectedInputError
    assert theano.gradient.NullTypeGradError is errors.NullGradientError
    assert theano.gradient.GradientError is errors.GradientError
    raised(errors.DisconnectedInputError, ValueError, lambda: theano.grad(x.sum(), y), "y")
    undefined = T.gammainc(x, 2.0).sum()
    raised(errors.NullGradientError, TypeError, lambda: theano.grad(undefined, x), "gammainc")

    def doubled(a: object) -> object:
        return theano.gradient.grad_scale(a, 2.0)

    raised(errors.GradientError, ValueError,
           lambda: theano.gradient.verify_grad(doubled, [A]), "differences")  # fmt: skip


@proves("LinearAlgebraError")
@proves("ConditionError")
@proves("RandomError")
@proves("DeviceError")
@proves("UsageError")
def mistakes_in_values_and_options() -> None:
    inverse = theano.function([m], T.nlinalg.matrix_inverse(m))
    raised(
        errors.LinearAlgebraError,
        np.linalg.LinAlgError,
        lambda: inverse(np.zeros((2, 2))),
        "(?i)sing",
    )
    checked = theano.function([x], T.opt.Assert("only positive")(x, T.gt(x, 0).all()))
    raised(errors.ConditionError, AssertionError, lambda: checked(-A), "only positive")
    draw = theano.function([], RandomStreams(1).binomial((2,), p=3.0))
    raised(errors.RandomError, ValueError, draw, "p")
    raised(errors.DeviceError, RuntimeError, lambda: theano.shared(A, target="cuda9"), "cuda9")
    raised(errors.UsageError, ValueError, lambda: theano.printing.debugprint(x, ids="no"), "ids")


@proves("ScanError")
@proves("NegativeStepsError")
@proves("MissingTestValueError")
@proves("ConfigError")
@proves("ModeError")
@proves("ArchiveError")
@proves("RewriteError")
def mistakes_in_loops_flags_modes_and_files() -> None:
    raised(errors.ScanError, ValueError, lambda: theano.scan(lambda a: 3, x), r"tensor\.constant")
    n = T.lscalar("n")
    loop = theano.function([n], theano.scan(lambda a: a + 1, None, np.float64(0), n_steps=n)[0])
    raised(errors.NegativeStepsError, IndexError, lambda: loop(-2), "-2")
    with theano.config.change(compute_test_value="raise"):
        raised(errors.MissingTestValueError, ValueError, lambda: x * 2, "x")
    raised(errors.ConfigError, ValueError, lambda: theano.config.floatx, "Did you mean 'floatX'")
    raised(errors.ModeError, ValueError, lambda: theano.function([x], x, mode="FAST"), "FAST_RUN")
    raised(errors.ArchiveError, ValueError,
           lambda: wb.save(io.BytesIO(), theano.shared(A)), "name")  # fmt: skip
    from workbench.core.ops.scalars import Exp
    from workbench.core.rewrite import Pass, optimise, rule

    @rule(Exp)
    def narrowed(node: object, context: object) -> object:
        """A rule of a user's own, which changes the dtype."""
        return T.cast(node.inputs[0], "float32")

    mine = [Pass("mine", "", (narrowed,))]
    raised(errors.RewriteError, RuntimeError, lambda: optimise([T.exp(x)], passes=mine), "narrowed")


@proves("T.NotScalarConstantError")
@proves("T.EmptyConstantError")
@proves("T.AsTensorError")
def old_errors_of_constants() -> None:
    assert T.get_scalar_constant_value(T.constant(2) * 3) == 6
    with pytest.raises(T.NotScalarConstantError):
        T.get_scalar_constant_value(x)
    with pytest.raises(T.EmptyConstantError):
        T.get_scalar_constant_value(np.ones(0))
    assert issubclass(T.EmptyConstantError, T.NotScalarConstantError)
    assert issubclass(T.AsTensorError, TypeError)
    with pytest.raises(T.AsTensorError):
        T.as_tensor_variable("text")


@proves("theano.compile.debugmode.DebugModeError")
@proves("theano.compile.debugmode.InvalidValueError")
@proves("theano.compile.debugmode.BadThunkOutput")
def what_debug_mode_finds() -> None:
    f = theano.function([x], T.log(x), mode="DebugMode")
    with pytest.raises(debugmode.InvalidValueError, match="not finite"):
        f(-A)
    strict = theano.compile.DebugMode(require_matching_strides=2)
    with pytest.raises(debugmode.BadThunkOutput, match="strides"):
        theano.function([m], m.T + 0.5, mode=strict)(np.ones((2, 3)))
    family = (debugmode.InvalidValueError, debugmode.BadThunkOutput, debugmode.BadDestroyMap)
    family += (debugmode.BadViewMap, debugmode.BadOptimization, debugmode.StochasticOrder)
    assert all(issubclass(kind, debugmode.DebugModeError) for kind in family)


for _name, _test in (
    ("BadThunkOutput", "test_native_code_that_is_wrong"),
    ("BadDestroyMap", "test_an_op_that_writes_to_its_input"),
    ("BadViewMap", "test_a_result_that_is_the_callers_memory"),
    ("BadOptimization", "test_a_wrong_rule_is_named"),
    ("StochasticOrder", "test_an_op_that_is_not_the_same_twice"),
):
    proven_by(f"{DEBUG}{_test}", (f"theano.compile.debugmode.{_name}", ""))


@proves(RUN, "original type", "node and operands", "input index")
def an_error_of_a_run_speaks_of_the_users_graph() -> None:
    f = theano.function([x, y], T.tanh(x + y) * 2, name="model")
    text = raised(errors.ShapeError, ValueError, lambda: f(A, A[:2]), "made at")
    for part in ("add", "x: TensorType(float64, vector) of shape (3,)", "proofs_errors.py",
                 "y: TensorType(float64, vector) of shape (2,)", "T.tanh(x + y)"):  # fmt: skip
        assert part in text
    text = raised(errors.DtypeError, TypeError, lambda: f(A, "text"), "at index 1")
    assert '"model"' in text
    assert "Bad input argument to" in text


@proves(RUN, "exception_verbosity=high")
@proves("exception_verbosity")
def an_error_of_a_run_may_tell_more() -> None:
    f = theano.function([x, y], T.tanh(x + y))

    def said(verbosity: str) -> str:
        with theano.config.change(exception_verbosity=verbosity):
            return raised(errors.ShapeError, ValueError, lambda: f(A, A[:2]), "made at")

    assert "strides" not in said("low")
    assert "of strides (8,): array([0., 1., 2.])" in said("high")


proven_by("tests/gpu/test_policies.py::test_a_name_that_is_none", ("DeviceNotFoundError", ""))
proven_by("tests/gpu/test_policies.py::test_a_library_that_is_missing", ("DriverError", ""))
proven_by("tests/gpu/test_policies.py::test_out_of_memory", ("DeviceMemoryError", ""))
proven_by("tests/gpu/test_cuda.py::test_a_refused_kernel", ("KernelError", ""))
proven_by("tests/gpu/test_cuda.py::test_a_device_that_is_lost", ("DeviceLostError", ""))
