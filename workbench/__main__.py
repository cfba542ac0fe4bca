"""The command line: `python -m workbench FILE.py [options]` shows a file's graph; `python -m
workbench config`; `python -m workbench cache`.
"""

from __future__ import annotations

import operator
import os
import sys
import traceback
from collections.abc import Sequence
from datetime import datetime

from workbench.configuration import Config, config, table
from workbench.errors import UsageError, WorkbenchError
from workbench.magics.cell import file_body
from workbench.magics.options import option_help, parse_words
from workbench.magics.request import answer, name_variables

COMMAND = "python -m workbench"
CACHE = ("list", "clear", "purge", "unlock")
HELP = f"""usage: {COMMAND} FILE.py [options]
       {COMMAND} config [NAME …]
       {COMMAND} cache [list|clear|purge|unlock]

The file is run; its last expression (a variable, a list of them, or a compiled function) is what
is shown, as text.

options
{option_help()}
"""


def main(words: Sequence[str]) -> int:
    """Runs one command; the process's exit status: 0, 1 for an error in the file, 2 for one in the
    options.
    """
    if not words or words[0] in ("-h", "--help"):
        print(HELP)
        return 0 if words else 2
    try:
        if words[0] == "config":
            return configuration(words[1:])
        if words[0] == "cache":
            return cache(words[1:])
        return show(words)
    except UsageError as error:
        print(f"UsageError: {error.wrong}", file=sys.stderr)
        return 2


def configuration(names: Sequence[str]) -> int:
    """Prints all flags, or these: name, value, where it came from, help. A section's name stands
    for its flags.
    """
    rows = [] if names else config.rows()
    for name in names:
        if "=" in name:
            raise UsageError(f"{COMMAND}: set {name} by WORKBENCH_FLAGS or in ~/.workbenchrc")
        try:
            found = operator.attrgetter(name)(config)
            rows += found.rows() if isinstance(found, Config) else [config.row(name)]
        except WorkbenchError as error:
            raise UsageError(f"{COMMAND}: {error.wrong}") from None
    print(table(rows))
    return 0


def cache(words: Sequence[str]) -> int:
    """Prints what native code is kept on disk (`list`, or no word), or removes it: the files
    (`clear`), or the directory, too (`purge`). `unlock` says that there is nothing to unlock.
    """
    from workbench.core.native.cache import ObjectCache, default_directory

    word = words[0] if words else "list"
    if word not in CACHE or len(words) > 1:
        raise UsageError(
            f"{COMMAND}: there is no cache {' '.join(words)}; there are {', '.join(CACHE)}"
        )
    kept = ObjectCache(default_directory())
    entries = kept.entries()
    size = sum(bytes_of for _, bytes_of, _ in entries)
    print(f"{kept.directory}: {len(entries)} programs, {size:,} bytes")
    if word == "list":
        for used, bytes_of, path in reversed(entries):
            print(f"{datetime.fromtimestamp(used):%Y-%m-%d %H:%M}  {bytes_of:>10,}  {path.name}")
    elif word == "unlock":
        print("nothing is ever locked: a file is written aside and put in place at once")
    else:
        print(f"{kept.clear() if word == 'clear' else kept.purge()} removed")
    return 0


def show(words: Sequence[str]) -> int:
    """Runs the file and prints what it shows."""
    request = parse_words(words, COMMAND)
    if not request.words:
        raise UsageError(f"{COMMAND}: name a file, as in {COMMAND} model.py --view rewrites")
    path = request.words.pop(0)
    if not os.path.isfile(path):
        raise UsageError(f"{COMMAND}: there is no file {path}")
    names = {"__name__": "__main__", "__file__": path}
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    body = file_body(os.path.abspath(path))
    try:
        target = body.run(names, needs_value=request.outputs is None)
        name_variables(names, body.assigned)
        seen = answer(request, target, names, COMMAND)
    except UsageError:
        raise
    except WorkbenchError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except Exception as error:
        traceback.print_exception(error)
        return 1
    print(seen.to_json() if request.json else seen.text())
    return 0 if seen.error is None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
