"""A program for a device as one for the processor: what lay on devices lies on the host."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from workbench.core.graph import Variable, is_shared, leaves
from workbench.core.graph import replace as replaced
from workbench.core.ops.transfer import transferred
from workbench.core.program import Program
from workbench.core.shared import TensorSharedVariable
from workbench.core.types import TensorType


def on_processor(program: Program) -> Program:
    """The same program with everything on the host: in the place of shared variables on devices
    stand others with copies of their values.
    """
    shared = {v: _host_twin(v) for v in _on_devices(program)}
    there = {v: transferred(twin, v.type.device) for v, twin in shared.items()}

    def brought(variables: Iterable[Variable]) -> list[Any]:
        return [transferred(v, "cpu") for v in replaced(list(variables), there)]

    targets: list[Any] = [shared.get(target, target) for target, _ in program.updates]
    news = brought(new for _, new in program.updates)
    stored = brought(new for _, new in program.stored)
    return replace(
        program,
        outputs=tuple(brought(program.outputs)),
        stored=tuple(zip((i for i, _ in program.stored), stored, strict=True)),
        updates=tuple(zip(targets, news, strict=True)),
        device="cpu",
    )


def _on_devices(program: Program) -> list[Variable]:
    read = (*leaves(program.results), *(target for target, _ in program.updates))
    return [v for v in dict.fromkeys(read) if is_shared(v) and v.type.device != "cpu"]


def _host_twin(variable: Any) -> TensorSharedVariable:
    t = variable.type
    value = np.asarray(variable.cell[0])
    return TensorSharedVariable(TensorType(t.dtype, t.shape), value, variable.name)
