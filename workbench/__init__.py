"""workbench: write a symbolic array program in a notebook cell; see its graph, every rewrite,
every value, every time.

import workbench as wb
import workbench.tensor as T
%load_ext workbench
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import llvmlite.binding  # here, where one waits for an import anyway, and not in the first cell

from workbench import errors
from workbench.configuration import config
from workbench.core.function import Function, function
from workbench.core.gradient import grad
from workbench.core.modes import Mode
from workbench.core.parameters import In, Out
from workbench.core.shared import shared
from workbench.errors import (
    ArgumentError,
    ConfigError,
    DeviceError,
    DisconnectedInputError,
    DtypeError,
    GraphError,
    IndexOutOfRange,
    MissingInputError,
    ModeError,
    NullGradientError,
    RankError,
    RewriteError,
    ScanError,
    ShapeError,
    UnusedInputError,
    UpdateError,
    UsageError,
    WorkbenchError,
)

if TYPE_CHECKING:
    from workbench import gradient
    from workbench.core.archive import load, save
    from workbench.core.clone import clone
    from workbench.core.debug.debug_mode import DebugMode
    from workbench.core.debug.monitor import MonitorMode
    from workbench.core.debug.nan_guard import NanGuardMode
    from workbench.core.debug.profile_mode import ProfileMode
    from workbench.core.jacobian import Lop, Rop, hessian, jacobian
    from workbench.core.ops.branches import ifelse
    from workbench.core.ops.print_op import Print
    from workbench.core.printing.debug_print import debugprint
    from workbench.core.printing.pp import pp
    from workbench.core.profile_stats import ProfileStats
    from workbench.core.scan.build import scan, until
    from workbench.core.scan.checkpoints import scan_checkpoints
    from workbench.core.scan.folds import foldl, foldr, map, reduce
    from workbench.core.trial import get_test_value
    from workbench.core.verify import verify_grad
    from workbench.gpu.array import DeviceArray
    from workbench.gpu.listing import devices
    from workbench.inspection import Workbench, inspect

__version__ = "0.1.0"

# What is imported when it is first asked for: `import workbench` stays quick.
_LATER = {
    "scan": "workbench.core.scan.build",
    "until": "workbench.core.scan.build",
    "ifelse": "workbench.core.ops.branches",
    "save": "workbench.core.archive",
    "load": "workbench.core.archive",
    "map": "workbench.core.scan.folds",
    "reduce": "workbench.core.scan.folds",
    "foldl": "workbench.core.scan.folds",
    "foldr": "workbench.core.scan.folds",
    "scan_checkpoints": "workbench.core.scan.checkpoints",
    "Lop": "workbench.core.jacobian",
    "Rop": "workbench.core.jacobian",
    "hessian": "workbench.core.jacobian",
    "jacobian": "workbench.core.jacobian",
    "clone": "workbench.core.clone",
    "gradient": "workbench.gradient",
    "verify_grad": "workbench.core.verify",
    "get_test_value": "workbench.core.trial",
    "pp": "workbench.core.printing.pp",
    "debugprint": "workbench.core.printing.debug_print",
    "Print": "workbench.core.ops.print_op",
    "printing": "workbench.printing",
    "DebugMode": "workbench.core.debug.debug_mode",
    "MonitorMode": "workbench.core.debug.monitor",
    "NanGuardMode": "workbench.core.debug.nan_guard",
    "ProfileMode": "workbench.core.debug.profile_mode",
    "ProfileStats": "workbench.core.profile_stats",
    "DeviceArray": "workbench.gpu.array",
    "devices": "workbench.gpu.listing",
    "inspect": "workbench.inspection",
    "Workbench": "workbench.inspection",
    "tensor": "workbench.tensor",
    "theano": "workbench.theano",
}

__all__ = [  # without map: `import *` leaves Python's own
    "function",
    "shared",
    "scan",
    "until",
    "ifelse",
    "save",
    "load",
    "reduce",
    "foldl",
    "foldr",
    "scan_checkpoints",
    "grad",
    "jacobian",
    "hessian",
    "Lop",
    "Rop",
    "gradient",
    "verify_grad",
    "clone",
    "get_test_value",
    "In",
    "Out",
    "config",
    "Mode",
    "Function",
    "pp",
    "debugprint",
    "Print",
    "DebugMode",
    "MonitorMode",
    "NanGuardMode",
    "ProfileMode",
    "ProfileStats",
    "DeviceArray",
    "devices",
    "inspect",
    "Workbench",
    "errors",
    "ArgumentError",
    "ConfigError",
    "DeviceError",
    "DisconnectedInputError",
    "DtypeError",
    "GraphError",
    "IndexOutOfRange",
    "MissingInputError",
    "ModeError",
    "NullGradientError",
    "RankError",
    "RewriteError",
    "ScanError",
    "ShapeError",
    "UnusedInputError",
    "UpdateError",
    "UsageError",
    "WorkbenchError",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        near = errors.nearest(name, __dir__())
        raise AttributeError(f"module 'workbench' has no attribute {name!r}.{near}")
    from importlib import import_module

    module = import_module(_LATER[name])
    value = module if module.__name__ == f"{__name__}.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *_LATER})


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext workbench`: the magics."""
    from workbench.magics import register

    register(shell)


def unload_ipython_extension(shell: Any) -> None:
    """`%unload_ext workbench`."""
    from workbench.magics import unregister

    unregister(shell)
