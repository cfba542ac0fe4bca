"""What a stream hands out: a tensor variable that knows the stream it is drawn from."""

from __future__ import annotations

from workbench.core.graph import Variable
from workbench.core.shared import SharedVariable
from workbench.core.types import TensorType
from workbench.core.variable import TensorVariable

Update = tuple[SharedVariable, Variable]


class RandomVariable(TensorVariable):
    """A sample. `rng` holds its stream's state, `update` is (rng, the state after the draw)."""

    __slots__ = ("rng", "update")

    rng: SharedVariable
    update: Update


def drawn(variable: Variable, update: Update) -> RandomVariable:
    """The variable, which a node has just been made for, as a sample that bears its stream's
    update.
    """
    node = variable.owner
    assert node is not None
    assert isinstance(variable.type, TensorType)
    sample = RandomVariable(variable.type, node, variable.index, variable.name)
    sample.rng, sample.update = update[0], update
    sample.tag = variable.tag
    node.outputs = tuple(sample if v is variable else v for v in node.outputs)
    return sample
