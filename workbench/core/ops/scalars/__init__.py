"""Scalar ops and the elementwise functions of their names, a file for each family. Adding one is
adding one class and one line.

A class gives the dtype rule (by its base, in `kinds`), NumPy's function of the same meaning, the
gradient, facts and a sample domain; where the lowering is more than the primitive of the same name,
that too. Here are the basic ones. What few programs have is imported when it is first asked for:
`floats`, `bits`, `complex_numbers`, `special` and `polygamma`.
"""

from workbench.core.ops.scalars.arithmetic import *  # noqa: F403
from workbench.core.ops.scalars.choice import *  # noqa: F403
from workbench.core.ops.scalars.functions import *  # noqa: F403
from workbench.core.ops.scalars.kinds import *  # noqa: F403
