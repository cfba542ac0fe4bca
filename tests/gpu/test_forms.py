"""What runs on a device and what stays on the processor, and why: docs/devices.md.

WORKBENCH_DOCS=1 pytest tests/gpu/test_forms.py     # writes it anew
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.ops.backends import as_list, inputs_for
from tests.core.ops.scalar_cases import PLAIN
from workbench.core.graph import Op, toposort
from workbench.core.ops.elementwise import Elemwise, ScalarOp
from workbench.core.ops.transfer import DTYPES
from workbench.core.samples import SAMPLES
from workbench.errors import DtypeError
from workbench.gpu.dialect import Capabilities, NoDeviceForm
from workbench.gpu.move import INNER
from workbench.gpu.ops import FORMS, form_of
from workbench.gpu.render import ULP, check

PAGE = Path(__file__).parents[2] / "docs" / "devices.md"
ABLE = Capabilities("opencl")
HEAD = """# What runs on a device

Written by tests/gpu/test_forms.py. What stays on the processor is computed there, between two
transfers that graphs and profiles show. A device holds no complex numbers; float16 is stored as it
is and computed in float32. Where a device does not compute with float64, float64 stays on the
processor, and float32's sums are accumulated in float32.

"""


def refusals(kind: type[Op]) -> list[str]:
    """Why an op's samples stay on the processor; complex numbers apart."""
    found: dict[str, None] = {}
    for sample in SAMPLES[kind]():
        for node in toposort(as_list(sample.build(*inputs_for(sample.arrays)))):
            if type(node.op) is kind and kind not in INNER:
                found[form_of(node, FORMS, ABLE)[1]] = None
    return [reason for reason in found if reason and "complex" not in reason]


def op_lines() -> Iterator[str]:
    yield from ("## Ops", "", "| op | on a device | what stays, and why |", "|---|---|---|")
    kinds = [kind for kind in SAMPLES if kind is not Elemwise]
    for kind in sorted(kinds, key=lambda kind: kind.__name__):
        there = kind in FORMS or kind in INNER
        yield f"| `{kind.__name__}` | {'yes' if there else ''} | {'; '.join(refusals(kind))} |"


def scalar_refusals(op: ScalarOp) -> tuple[bool, list[str]]:
    """Whether a scalar op has a form for some dtype, and why it has none for others."""
    runs, found = False, {}
    for dtype in DTYPES:
        dtypes = (dtype,) * op.arity
        try:
            op.output_dtypes(dtypes)
            check(op.program(dtypes))
            runs = True
        except NoDeviceForm as reason:
            found[str(reason)] = None
        except DtypeError:
            continue  # no op on any back end
    return runs, list(found)


def scalar_lines() -> Iterator[str]:
    yield from ("## Scalar ops, of which `Elemwise` and fused loops are made", "")
    yield "How near to NumPy or scipy they are, in units in the last place:"
    yield from ("", "| op | on a device | units | what stays, and why |", "|---|---|---|---|")
    for name, op in sorted(PLAIN.items()):
        runs, why = scalar_refusals(op)
        units = f"{units_of(op):g}" if runs else ""
        yield f"| `{name}` | {'yes' if runs else ''} | {units} | {'; '.join(why)} |"


def units_of(op: ScalarOp) -> float:
    """How far its results may be from NumPy's, of any dtype."""
    steps = [s.prim for d in DTYPES if _takes(op, d) for s in op.program((d,) * op.arity).steps]
    return max([op.ulp, *(ULP.get(prim, 0) for prim in steps)])


def _takes(op: ScalarOp, dtype: str) -> bool:
    try:
        return bool(op.output_dtypes((dtype,) * op.arity))
    except DtypeError:
        return False


def page() -> str:
    return HEAD + "\n".join((*op_lines(), "", *scalar_lines())) + "\n"


def test_the_page_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    """What stays on the processor is printed, too."""
    text = page()
    with capsys.disabled():
        print("\nno form on a device:")
        for line in text.splitlines():
            if line.startswith("| `") and line.split("|")[2].strip() != "yes":
                print(" ", " ".join(line.replace("|", " ").split()))
    if os.environ.get("WORKBENCH_DOCS"):
        PAGE.write_text(text, "utf-8")
    assert PAGE.read_text("utf-8") == text, "run with WORKBENCH_DOCS=1"
