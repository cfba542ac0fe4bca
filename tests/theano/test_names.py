"""Every old name means something, by every way in which old code imports it."""

import importlib
import subprocess
import sys

import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from workbench.errors import UsageError
from workbench.theano.names import MODULES

NAMES = [(path, name) for path, (names, _) in MODULES.items() for name in names]


@pytest.mark.parametrize(("path", "name"), NAMES)
def test_every_name_is_there(path: str, name: str) -> None:
    module = importlib.import_module(f"workbench.theano.{path}" if path else "workbench.theano")
    if name in ("Module", "sparse"):
        with pytest.raises(AttributeError, match=r"removed|no sparse"):
            getattr(module, name)
    else:
        assert getattr(module, name) is not None
        assert name in dir(module)


def test_ways_to_import() -> None:
    from workbench.theano import function, shared
    from workbench.theano.sandbox.rng_mrg import MRG_RandomStreams
    from workbench.theano.tensor import nnet
    from workbench.theano.tensor.shared_randomstreams import RandomStreams

    assert T.shared_randomstreams.RandomStreams is RandomStreams
    assert theano.sandbox.rng_mrg.MRG_RandomStreams is MRG_RandomStreams
    assert theano.tensor.nnet is nnet
    assert theano.function is function
    assert theano.shared is shared
    assert theano.tensor.tanh is T.tanh


def test_a_name_that_never_was() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tanhh'"):
        _ = T.tanhh
    with pytest.raises(ImportError):
        from workbench.theano.tensor import tanhh  # noqa: F401


def test_flags_of_the_old_environment() -> None:
    """They count where the workbench's own are absent."""

    def floatx(**environment: str) -> str:
        code = "import workbench.theano as theano; print(theano.config.floatX)"
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    assert floatx(THEANO_FLAGS="floatX=float32,device=cpu,mode=FAST_RUN") == "float32"
    assert floatx(THEANO_FLAGS="floatX=float32", WORKBENCH_FLAGS="floatX=float64") == "float64"


def test_arguments_that_mean_nothing_are_told() -> None:
    """Hints on speed are taken; a misspelt argument, or a promise that we cannot keep, is not."""
    x, w = T.tensor4("x"), T.tensor4("w")
    assert T.nnet.conv2d(x, w, unroll_batch=4).ndim == 4
    with pytest.raises(UsageError, match="Did you mean 'border_mode'"):
        T.nnet.conv2d(x, w, border_mod="full")
    with pytest.raises(UsageError, match="MonitorMode"):
        theano.gof.vm.VM_Linker(callback=print)
    assert theano.gof.vm.VM_Linker(allow_gc=False, use_cloop=True) == "cvm_nogc"


def test_the_configuration_is_printed() -> None:
    """As a shell does: python -c 'import theano; print(theano.config)'."""
    code = "import workbench.theano as theano; print(theano.config)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "floatX" in done.stdout
    assert "compute_test_value" in done.stdout
