"""The type of arrays, of any dtype. (`numpy.typing` takes time to import, and only checkers need
it.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.generic]
else:
    Array = np.ndarray
