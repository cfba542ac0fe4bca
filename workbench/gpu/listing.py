"""`wb.devices()`: what there is to run functions on."""

from __future__ import annotations

import os
from collections.abc import Iterator

from workbench.errors import DeviceError
from workbench.frozen import frozen


@frozen
class DeviceInfo:
    """A device that is there.

    name         what `device=` takes
    title        its own name
    memory       bytes in all
    units        compute units (cores, multiprocessors)
    float64      whether it computes with float64
    accelerator  whether it is no ordinary processor
    """

    name: str
    title: str
    memory: int
    units: int
    float64: bool
    accelerator: bool


class DeviceList(list[DeviceInfo]):
    """Devices as a table; `problems` says what was looked for and not found."""

    def __init__(self, found: Iterator[DeviceInfo], problems: list[str]) -> None:
        super().__init__(found)
        self.problems = problems

    def __repr__(self) -> str:
        rows = [("name", "device", "units", "memory", "float64"), *map(_row, self)]
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        lines = ["  ".join(t.ljust(w) for t, w in zip(row, widths, strict=True)).rstrip()
                 for row in rows]  # fmt: skip
        return "\n".join((*lines, *self.problems))

    def _repr_html_(self) -> str:
        from html import escape

        head = "".join(f"<th>{name}</th>" for name in ("name", "device", "units", "memory",
                                                       "float64"))  # fmt: skip
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _row(device)) + "</tr>"
            for device in self
        )
        notes = "".join(f"<p>{escape(problem)}</p>" for problem in self.problems)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"


def _row(device: DeviceInfo) -> tuple[str, ...]:
    return (
        device.name, device.title, str(device.units), f"{device.memory / 1e9:.1f} GB",
        "yes" if device.float64 else "no",
    )  # fmt: skip


def devices() -> DeviceList:
    """The devices that are there, the processor first. An absent driver or library is no error: the
    list's `problems` say what to install.
    """
    problems: list[str] = []
    found = [_processor(), *_cuda(problems), *_opencl(problems)]
    return DeviceList(iter(found), problems)


def _processor() -> DeviceInfo:
    import platform

    pages = os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    memory = pages * os.sysconf("SC_PAGE_SIZE") if pages else 0
    title = platform.processor() or platform.machine()
    return DeviceInfo("cpu", title, memory, os.cpu_count() or 1, True, False)


def _cuda(problems: list[str]) -> Iterator[DeviceInfo]:
    from workbench.gpu import cuda

    try:
        yield from (DeviceInfo(*fields) for fields in cuda.listed())
    except DeviceError as error:
        problems.append(f"CUDA: {error.wrong}; {error.advice}")


def _opencl(problems: list[str]) -> Iterator[DeviceInfo]:
    from workbench.gpu import opencl

    try:
        for name, device in opencl.listed():
            yield DeviceInfo(
                name, device.name.strip(), int(device.global_mem_size),
                int(device.max_compute_units), "cl_khr_fp64" in device.extensions,
                opencl.is_accelerator(device),
            )  # fmt: skip
    except DeviceError as error:
        problems.append(f"OpenCL: {error.wrong}; {error.advice}")
