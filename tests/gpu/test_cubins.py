"""Every kernel that the walked ops need is machine code for three generations of NVIDIA's devices,
compiled where no device is.
"""

from __future__ import annotations

import functools
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.ops.backends import as_list, inputs_for
from tests.core.ops.scalar_cases import PLAIN, drawn
from tests.gpu.emulated_cuda import emulated
from tests.gpu.test_scalars import at_once, groups
from tests.gpu.test_walk import WALK
from workbench.core.devices import find
from workbench.core.graph import Variable, toposort
from workbench.core.native import engine
from workbench.core.native.program import write_program
from workbench.core.nest import Nest, Operand, Result
from workbench.core.rewrite.pipeline import PASSES, optimise
from workbench.core.samples import Sample
from workbench.core.scalar import ScalarBuilder
from workbench.gpu import nvrtc
from workbench.gpu.dialect import Capabilities, Kernel, program_text
from workbench.gpu.fast_math import FastMath
from workbench.gpu.move import move_pass
from workbench.gpu.nest_kernel import TURN, NestKernel
from workbench.gpu.parts import Parts
from workbench.gpu.replay_kernel import is_replayable, put_kernel, replay_kernel
from workbench.gpu.writer import DeviceWriter

ARCHITECTURES = ("sm_75", "sm_80", "sm_90")
ELF = b"\x7fELF"
TOGETHER = 64


@functools.cache
def kernels() -> tuple[dict[str, Kernel], Any]:
    """All of them by name, and what a CUDA device may use."""
    found: dict[str, Kernel] = {}
    with emulated():
        for parameters in WALK:
            sample: Sample = parameters.values[0]
            inputs = inputs_for(sample.arrays)
            outputs = as_list(sample.build(*inputs))
            found.update((k.name, k) for k in _kernels_of(inputs, outputs))
        device: Any = find("cuda0")
        parts = [kernel for kernel in found.values() if is_replayable(kernel)][::40]
        for kernel in (put_kernel(), replay_kernel(parts, device.able)):
            found[kernel.name] = kernel
        return found, device.able


def _kernels_of(inputs: Sequence[Variable], given: Sequence[Variable]) -> Iterator[Kernel]:
    outputs = optimise(given, inputs, passes=(PASSES[0], move_pass("cuda0"))).outputs
    if not any(node.op.on_device for node in toposort(outputs)):  # complex numbers stay behind
        return
    program = write_program(inputs, outputs, (), engine.host(), writer=DeviceWriter)
    assert isinstance(program.parts, Parts)
    for pairs in program.parts.kernels:
        for pair in pairs:
            yield from (pair.narrow, pair.wide)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_kernel(architecture: str) -> None:
    """In programs of many, as devices are given them."""
    found, able = kernels()
    assert len(found) > 300
    everything = list(found.values())
    for start in range(0, len(everything), TOGETHER):
        group = everything[start : start + TOGETHER]
        code = nvrtc.cubin(program_text(group, able), architecture, able.options)
        assert code.startswith(ELF)
        for kernel in group:
            assert kernel.name.encode() in code


@pytest.mark.parametrize("dtype", ["int8", "uint64", "float32", "float64"])
def test_every_scalar_op(dtype: str) -> None:
    """Over its own dtype, many in a kernel."""
    found: dict[str, Kernel] = {}
    with emulated():
        for ops, arrays in groups((op, drawn(op, (dtype,) * op.arity, *[(3,)] * op.arity))
                                  for op in PLAIN.values()):  # fmt: skip
            inputs = inputs_for(arrays)
            outputs = as_list(at_once(ops, (dtype,) * len(inputs))(*inputs))
            found.update((k.name, k) for k in _kernels_of(inputs, outputs))
        able: Any = find("cuda0").able
    code = nvrtc.cubin(program_text(found.values(), able), "sm_90", able.options)
    assert code.startswith(ELF)


def _totals(count: int, dtype: str) -> Kernel:
    """Sums of rows, so many at once."""
    program = ScalarBuilder((dtype,)).program(*[0] * count)
    results = (Result(i, dtype, ("any", "zero"), "add", dtype) for i in range(count))
    nest = Nest(2, program, (Operand(dtype, ("any", "unit")),), tuple(results), (1,))
    return NestKernel(nest).kernel(Capabilities("cuda", word_limit=512))


def test_local_memory_is_shared() -> None:
    """By many totals of a kernel, and by the commands of a loop: there is little of it."""
    able = Capabilities("cuda", word_limit=512)
    cases = [_totals(1 + i % 9, dtype) for dtype in ("float32", "float64") for i in range(18)]
    for kernel in (_totals(60, "float64"), replay_kernel(cases, able)):
        assert kernel.text.count("LOCAL_ARRAY(u64") == TURN
        assert nvrtc.cubin(program_text([kernel], able), "sm_75").startswith(ELF)


def test_devices_that_are_newer_than_the_compiler() -> None:
    """They get the newest code that it knows, which their driver compiles."""
    kernel, able = _totals(1, "float32"), Capabilities("cuda")
    code = nvrtc.cubin(program_text([kernel], able), "sm_999")
    assert b".target sm_" in code
    assert f".entry {kernel.name}".encode() in code
    assert code.endswith(b"\0")


def test_devices_that_are_too_old() -> None:
    able = Capabilities("cuda")
    with pytest.raises(wb.errors.DriverError, match="no code for sm_35, but from sm_"):
        nvrtc.cubin(program_text([_totals(1, "float32")], able), "sm_35")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_halves(architecture: str) -> None:
    """What converts to and from float16."""
    x, y, z = T.vector("x", dtype="float16"), T.fvector("y"), T.dvector("z")
    with emulated():
        outputs = [x * y, T.cast(y, "float16"), T.cast(z, "float16"), T.cast(x, "bool")]
        needed = {k.name: k for k in _kernels_of([x, y, z], outputs)}
        able: Any = find("cuda0").able
    code = nvrtc.cubin(program_text(needed.values(), able), architecture, able.options)
    assert all(name.encode() in code for name in needed)


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="no CUDA toolkit is installed")
def test_the_toolkit_compiles_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """nvcc, where NVRTC is not found."""
    monkeypatch.setattr(nvrtc, "library", lambda: None)
    found, able = kernels()
    code = nvrtc.cubin(program_text(list(found.values())[:4], able), "sm_90", able.options)
    assert code.startswith(ELF)


def test_coarse_mathematics() -> None:
    """Each of the flags changes the code of a division, a square root, a sum of products."""
    x, y = T.fvector("x"), T.fvector("y")
    with emulated():
        device: Any = find("cuda0")
        needed = {k.name: k for k in _kernels_of([x, y], [x / y, T.sqrt(x) * y + y])}
        text = program_text(needed.values(), device.able)
    chosen = [
        FastMath(), FastMath(flush=True), FastMath(division=True), FastMath(roots=True),
        FastMath(contract=True), FastMath(all=True),
    ]  # fmt: skip
    assert len({nvrtc.cubin(text, "sm_90", flags.cuda()) for flags in chosen}) == len(chosen)
