"""Random variables: `RandomStreams` draws NumPy's own numbers, `MRG_RandomStreams` draws from many
streams side by side, `CounterStreams` the same numbers on every device.
"""

from workbench.core.random.counter_streams import CounterStreams
from workbench.core.random.mrg_streams import MRG_RandomStreams
from workbench.core.random.state import RandomStateSharedVariable
from workbench.core.random.streams import RandomStreams
from workbench.core.random.variable import RandomVariable

__all__ = [
    "CounterStreams",
    "MRG_RandomStreams",
    "RandomStateSharedVariable",
    "RandomStreams",
    "RandomVariable",
]
