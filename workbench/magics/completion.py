"""Tab completion of option lines."""

from __future__ import annotations

import re
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher

from workbench.configuration import config
from workbench.core.graph import Variable
from workbench.magics.options import complete

_COMMAND = re.compile(r"\s*%{1,2}(symgraph|symprofile|symscan|symvalues|symconfig)\s")


class OptionMatcher:
    """Completes the options of the magics, and the flags of %symconfig; nothing else is offered
    there.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell

    def __call__(self, line: str) -> list[str]:
        found = _COMMAND.match(line)
        if not found:
            return []
        if found[1] == "symconfig":
            typed = _last_word(line)
            names = [name for name, *_ in config.rows() if not name.endswith("*")]
            return [f"{name}=" for name in names if name.startswith(typed)]
        names = self.shell.user_ns.items()
        known = [n for n, v in names if isinstance(v, Variable) and not n.startswith("_")]
        return complete(line[found.end() :], known)


def add_completions(shell: Any) -> None:
    """Ask the matcher at every Tab."""
    offer = OptionMatcher(shell)

    @context_matcher(identifier="workbench.options")
    def workbench_options(context: CompletionContext) -> dict[str, Any]:
        line = context.line_with_cursor[: context.cursor_position]
        return {
            "completions": [SimpleCompletion(text, type="param") for text in offer(line)],
            "matched_fragment": _last_word(line),
            "suppress": True,
            "ordered": True,
        }

    remove_completions(shell)
    shell.Completer.custom_matchers.append(workbench_options)


def remove_completions(shell: Any) -> None:
    """Take the matcher out again."""
    kept = [m for m in shell.Completer.custom_matchers if m.__name__ != "workbench_options"]
    shell.Completer.custom_matchers[:] = kept


def _last_word(line: str) -> str:
    return "" if not line or line[-1].isspace() else line.split()[-1]
