"""The ops of devices. Each is the host's op of the same name, with the same meaning, whose tensors
lie on a device; scalars that the host has are read by value.
"""

from __future__ import annotations

from workbench.gpu.ops import (
    along,
    batched,
    convolution,
    create,
    diagonals,
    general,
    index,
    random,
    sorting,
    windows,
)
from workbench.gpu.ops.base import Forms, OnDevice, form_of, moved

FORMS: Forms = {
    **along.FORMS,
    **batched.FORMS,
    **convolution.FORMS,
    **create.FORMS,
    **diagonals.FORMS,
    **general.FORMS,
    **index.FORMS,
    **random.FORMS,
    **sorting.FORMS,
    **windows.FORMS,
}
"""From the host's ops to the devices'."""
