"""LLVM's library, loaded while Python imports the rest of the workbench.

It is 150 MB, and mapping it takes as long as a third of `import numpy`; the interpreter is free
meanwhile. The first function that is compiled finds it there.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import threading


def load_ahead() -> None:
    """Begin to load the library in a thread. Whatever goes wrong is told when llvmlite is
    imported.
    """
    spec = importlib.util.find_spec("llvmlite")
    if spec is None or spec.origin is None:
        return
    folder = os.path.join(os.path.dirname(spec.origin), "binding")
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if "llvmlite" in name and name.endswith((".so", ".dylib", ".dll")):
                threading.Thread(target=_load, args=(os.path.join(folder, name),)).start()


def _load(path: str) -> None:
    with contextlib.suppress(OSError):
        ctypes.CDLL(path)
