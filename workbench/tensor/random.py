"""Random variables: `RandomStreams` draws NumPy's own numbers, `MRG_RandomStreams` draws from many
streams side by side.
"""

from workbench.core.random.mrg_streams import MRG_RandomStreams
from workbench.core.random.state import RandomStateSharedVariable
from workbench.core.random.streams import RandomStreams
from workbench.core.random.variable import RandomVariable

__all__ = ["MRG_RandomStreams", "RandomStateSharedVariable", "RandomStreams", "RandomVariable"]
