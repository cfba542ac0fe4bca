"""The magics: `%load_ext workbench` brings `%%symgraph`, `%symgraph`, `%symprofile`, `%symscan`,
`%symvalues`, `%symconfig`.
"""

from __future__ import annotations

from typing import Any

COMMANDS = ("symgraph", "symprofile", "symscan", "symvalues", "symconfig")


def register(shell: Any) -> None:
    """Add the magics, their completions and the form of errors to an IPython shell."""
    from workbench.magics.completion import add_completions
    from workbench.magics.magic import WorkbenchMagics
    from workbench.magics.tracebacks import install

    shell.register_magics(WorkbenchMagics)
    add_completions(shell)
    install(shell)


def unregister(shell: Any) -> None:
    """Take the magics out again."""
    from workbench.magics.completion import remove_completions
    from workbench.magics.tracebacks import uninstall

    uninstall(shell)
    remove_completions(shell)
    for kind in ("line", "cell"):
        for command in COMMANDS:
            shell.magics_manager.magics[kind].pop(command, None)
