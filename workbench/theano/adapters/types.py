"""`T.dmatrix` and its like as Theano has them: types, a call of which makes a variable, so that
`x.type is T.dmatrix` can be asked.
"""

from __future__ import annotations

from workbench.core.types import TensorType
from workbench.tensor.constructors import LETTERS, SHAPES

TYPES = {
    letter + word: TensorType(dtype, shape)
    for letter, dtype in LETTERS.items()
    if dtype is not None
    for word, shape in SHAPES.items()
}
globals().update(TYPES)
