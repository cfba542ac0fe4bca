"""Sample uses of every op, for the tests' walk; a test fails an op class without.

A scalar op declares its domain and NumPy's function itself (`ScalarOp`); `scalar_reference` has an
independent one where that function is our own. Every other op class has an entry in the module here
that bears its file's name, or its nearest relation's.
"""

import pkgutil
from importlib import import_module

from workbench.core.samples.declare import SAMPLES, Sample, numbers, scalar_reference

__all__ = ["SAMPLES", "Sample", "numbers", "scalar_reference"]

for _module in pkgutil.iter_modules(__path__, __name__ + "."):
    import_module(_module.name)
