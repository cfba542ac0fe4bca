"""What a loop counts by, where a device would make it of the host's numbers alone: the host leads
the loop, and counts itself rather than wait.
"""

from __future__ import annotations

from workbench.core.graph import Apply, Constant, Variable
from workbench.core.ops.transfer import HostFromGpu
from workbench.core.rewrite.engine import Context, rule
from workbench.core.scan.op import Scan
from workbench.core.types import TensorType
from workbench.gpu.hosted import hosted


@rule(HostFromGpu, equation="scan(host(gpu_arange(n))) → scan(arange(n))")
def count_on_host(node: Apply, context: Context) -> Variable | None:
    """A loop's steps are counted by the host, which leads it."""
    readers = [reader.op for reader, _ in context.readers(node.out)]
    if context.is_output(node.out) or not all(isinstance(op, Scan) for op in readers):
        return None
    (there,) = node.inputs
    numbers = _numbers_behind(there)
    return None if numbers is None else hosted([there], numbers).outputs[0]


def _numbers_behind(variable: Variable) -> list[Variable] | None:
    """The host's numbers that a tensor on a device is made of, or None where it is made of more."""
    numbers, left, seen = [], [variable], set()
    while left:
        v = left.pop()
        if v in seen:
            continue
        seen.add(v)
        if v.type.device == "cpu":
            if not (isinstance(v, Constant) or _is_number(v)):
                return None
            numbers.append(v)
        elif v.owner is None:
            return None
        else:
            left.extend(v.owner.inputs)
    return numbers


def _is_number(variable: Variable) -> bool:
    return isinstance(variable.type, TensorType) and not variable.type.ndim
