"""Machine code for NVIDIA's devices: by NVRTC where its library is found, else by nvcc. Neither
needs a device or a driver. For devices that are newer than NVRTC it is PTX, which the driver
compiles.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from workbench.errors import DriverError, KernelError

INSTALL = "pip install nvidia-cuda-nvrtc, or install the CUDA toolkit"


def cubin(text: str, architecture: str, options: Sequence[str] = ()) -> bytes:
    """The machine code of a program for an architecture, 'sm_90'. Raises KernelError where the
    compiler refuses it, DriverError where there is no compiler, or none for so old a device.
    """
    found = library()
    if found is not None:
        return _by_nvrtc(found, text, architecture, options)
    if (nvcc := shutil.which("nvcc")) is not None:
        return _by_nvcc(nvcc, text, architecture, options)
    raise DriverError("CUDA kernels need a compiler: NVRTC or nvcc", advice=INSTALL)


def wheel_libraries(pattern: str) -> Iterator[Path]:
    """Shared libraries of this name that NVIDIA's wheels have brought, the newest first."""
    package = importlib.util.find_spec("nvidia")
    places = package.submodule_search_locations if package is not None else None
    found = [path for place in places or () for path in Path(place).glob(f"**/{pattern}")]
    yield from sorted(found, key=str, reverse=True)


def first_library(pattern: str, *names: str, having: Sequence[str] = ()) -> ctypes.CDLL | None:
    """The first of these libraries that loads and has these functions: of a wheel, of the system,
    of the toolkit.
    """
    toolkit = Path("/usr/local/cuda/lib64")
    candidates = [*map(str, wheel_libraries(pattern)), *names, *map(str, toolkit.glob(pattern))]
    for name in candidates:
        try:
            found = ctypes.CDLL(name)
        except OSError:
            continue
        if all(hasattr(found, function) for function in having):
            return found
    return None


@functools.cache
def library() -> ctypes.CDLL | None:
    """NVRTC, or None."""
    return first_library("libnvrtc.so.*[0-9]", "libnvrtc.so.13", "libnvrtc.so.12")


def version() -> str:
    """What compiles, for caches."""
    found = library()
    if found is None:
        return f"nvcc {shutil.which('nvcc')}"
    major, minor = ctypes.c_int(), ctypes.c_int()
    found.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    return f"nvrtc {major.value}.{minor.value}"


def _by_nvrtc(lib: Any, text: str, architecture: str, options: Sequence[str]) -> bytes:
    program = ctypes.c_void_p()
    target, kind = _target(lib, architecture)
    source = text.encode()
    _check(lib, lib.nvrtcCreateProgram(ctypes.byref(program), source, b"kernels.cu", 0, None, None))
    try:
        words = [f"--gpu-architecture={target}", "--std=c++17", "-w", *options]
        given = (ctypes.c_char_p * len(words))(*(word.encode() for word in words))
        status = lib.nvrtcCompileProgram(program, len(words), given)
        if status:
            raise _refused(_text_of(lib, program, "ProgramLog"))
        return _bytes_of(lib, program, kind)
    finally:
        lib.nvrtcDestroyProgram(ctypes.byref(program))


def _target(lib: Any, architecture: str) -> tuple[str, str]:
    """What NVRTC is asked for: an architecture, and a kind of code for it."""
    count = ctypes.c_int()
    _check(lib, lib.nvrtcGetNumSupportedArchs(ctypes.byref(count)))
    known = (ctypes.c_int * count.value)()
    _check(lib, lib.nvrtcGetSupportedArchs(known))
    wanted = int(architecture.removeprefix("sm_"))
    if wanted in known:
        return architecture, "CUBIN"
    if wanted < min(known):
        raise DriverError(
            f"{version()} makes no code for {architecture}, but from sm_{min(known)} on",
            advice="install an older one, nvidia-cuda-nvrtc-cu12 say",
        )
    return f"compute_{max(k for k in known if k < wanted)}", "PTX"


def _bytes_of(lib: Any, program: ctypes.c_void_p, what: str) -> bytes:
    size = ctypes.c_size_t()
    _check(lib, getattr(lib, f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
    buffer = ctypes.create_string_buffer(size.value)
    _check(lib, getattr(lib, f"nvrtcGet{what}")(program, buffer))
    return buffer.raw[: size.value]


def _text_of(lib: Any, program: ctypes.c_void_p, what: str) -> str:
    return _bytes_of(lib, program, what).rstrip(b"\0").decode(errors="replace")


def _check(lib: Any, status: int) -> None:
    if status:
        lib.nvrtcGetErrorString.restype = ctypes.c_char_p
        raise KernelError(f"NVRTC failed: {lib.nvrtcGetErrorString(status).decode()}")


def _by_nvcc(nvcc: str, text: str, architecture: str, options: Sequence[str]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "kernels.cu"), Path(folder, "kernels.cubin")
        source.write_text(text, "utf-8")
        command = [nvcc, "-cubin", f"-arch={architecture}", "-std=c++17", "-w", *options]
        run = subprocess.run(
            [*command, "-o", str(made), str(source)], capture_output=True, text=True, check=False
        )
        if run.returncode:
            raise _refused(run.stderr)
        return made.read_bytes()


def _refused(log: str) -> KernelError:
    return KernelError(
        f"CUDA's compiler refused a kernel: {log[:4000]}",
        advice="please report it, with wb.devices()",
    )
