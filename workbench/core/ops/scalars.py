"""The basic scalar ops and the elementwise functions of their names, in one place for those who
import them. Adding one is adding one class and one line to the file of its family.

A class gives the dtype rule (by its base), NumPy's function of the same meaning, the gradient,
facts and a sample domain; where the lowering is more than the primitive of the same name, that too.
Ops that few programs have are in float_scalars, bit_scalars, complex_scalars and special_scalars,
which are imported when they are first asked for.
"""

from workbench.core.ops.arithmetic import *  # noqa: F403
from workbench.core.ops.choice import *  # noqa: F403
from workbench.core.ops.functions import *  # noqa: F403
from workbench.core.ops.scalar_kinds import *  # noqa: F403
