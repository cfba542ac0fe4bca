"""The options that magics, `workbench.inspect` and the command line share: one schema, one parser.

An option line is words separated by white space; brackets and quotes hold a word together. Code is
never parsed here: what stands after `--inputs`, `--values x=` and the like is text that the caller
evaluates in the user's namespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from workbench.core.modes import MODES
from workbench.errors import UsageError, nearest

DEVICES = ("cpu", "auto", "cuda0", "opencl0")  # among others
VIEWS = ("graph", "rewrites", "values", "scan", "profile")


@dataclass(frozen=True)
class Option:
    """One option. `takes` is 'word', 'words', 'pairs' (NAME=EXPRESSION …) or 'nothing'."""

    name: str
    takes: str
    help: str
    short: str = ""
    example: str = ""
    choices: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        return f"--{self.name}"


OPTIONS: tuple[Option, ...] = (
    Option("out", "word", "bind the Workbench object to this name", "-o", "wbk"),
    Option("inputs", "words", "the inputs, in order; found by themselves when silent", "", "x y"),
    Option("outputs", "words", "what is compiled; the last expression when silent", "", "cost"),
    Option("wrt", "words", "add the gradients of the first output by these", "", "w b"),
    Option("values", "pairs", "values of inputs, as expressions", "", "x=D[0] y=D[1]"),
    Option("view", "word", "which tab is opened", "", "rewrites", VIEWS),
    Option("mode", "word", "how it is optimised and run", "", "FAST_RUN", tuple(MODES)),
    Option("device", "word", "where it runs", "", "cpu", DEVICES),
    Option("json", "nothing", "print the records as JSON (command line)"),
)


@dataclass
class Request:
    """What an option line asked for; expressions are still text."""

    words: list[str] = field(default_factory=list)
    out: str | None = None
    inputs: list[str] | None = None
    outputs: list[str] | None = None
    wrt: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    view: str | None = None
    mode: str | None = None
    device: str | None = None
    json: bool = False
    silent: bool = False


def parse(line: str, command: str = "%%symgraph") -> Request:
    """An option line. A `;` at its end asks for silence. Raises UsageError, whose text is one
    line.
    """
    text = line.strip()
    request = Request(silent=text.endswith(";"))
    return parse_words(split(text.rstrip("; "), command), command, request)


def parse_words(words: Sequence[str], command: str, request: Request | None = None) -> Request:
    """The same from words that were split already, as a shell does."""
    request = request or Request()
    option: Option | None = None
    taken: list[str] = []
    for word in words:
        if _is_flag(word):
            _finish(option, taken, request, command)
            flag, equals, rest = word.partition("=")
            option, taken = _option(flag, command), [rest] if equals else []
        elif option is None or (option.takes in ("word", "nothing") and _full(option, taken)):
            request.words.append(word)
        else:
            taken.append(word)
    _finish(option, taken, request, command)
    return request


def _is_flag(word: str) -> bool:
    return bool(re.match(r"--?[A-Za-z]", word))


def _full(option: Option, taken: Sequence[str]) -> bool:
    return option.takes == "nothing" or len(taken) == 1


def _option(flag: str, command: str) -> Option:
    for option in OPTIONS:
        if flag in (option.flag, option.short):
            return option
    known = [o.flag for o in OPTIONS]
    hint = nearest(flag, known) or f" Options are {', '.join(known)}."
    raise UsageError(f"{command}: there is no option {flag}.{hint}")


def _finish(option: Option | None, taken: list[str], request: Request, command: str) -> None:
    """Put what an option took into the request."""
    if option is None:
        return
    if option.takes == "nothing":
        setattr(request, option.name, True)
        return
    if not taken:
        raise UsageError(
            f"{command}: {option.flag} needs a value, as in {option.flag} {option.example}"
        )
    if option.takes == "word":
        setattr(request, option.name, _word(option, taken[0], command))
    elif option.takes == "words":
        setattr(request, option.name, _listed(taken))
    else:
        request.values.update(_pairs(taken, command))


def _word(option: Option, word: str, command: str) -> str:
    if option.choices and option.name == "view" and word not in option.choices:
        near = nearest(word, list(option.choices))
        raise UsageError(
            f"{command}: --{option.name} takes {', '.join(option.choices)}, not {word}.{near}"
        )
    if option.name == "out" and not word.isidentifier():
        raise UsageError(f"{command}: -o takes a Python name, not {word}")
    return word


def _listed(words: Iterable[str]) -> list[str]:
    """Words that may also be separated by commas."""
    parts = (part.strip() for word in words for part in split_at(word, ","))
    return [_unquoted(part) for part in parts if part]


def _pairs(words: Sequence[str], command: str) -> dict[str, str]:
    """NAME=EXPRESSION words; a word without a name belongs to the expression before it."""
    found: dict[str, str] = {}
    name = ""
    for word in words:
        match = re.match(r"([^\W\d]\w*)=(?!=)(.*)", word, re.DOTALL)
        if match:
            name = match[1]
            found[name] = match[2]
        elif name:
            found[name] += " " + word
        else:
            raise UsageError(f"{command}: --values takes NAME=EXPRESSION, as in x=D[0]; got {word}")
    for name, text in found.items():
        found[name] = _unquoted(text.strip().rstrip(","))
        if not found[name]:
            raise UsageError(f"{command}: --values {name}= needs an expression after the =")
    return found


def _unquoted(text: str) -> str:
    """The inside of a text that is quoted as a whole."""
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'" and text[0] not in text[1:-1]:
        return text[1:-1]
    return text


def split(line: str, command: str = "%%symgraph") -> list[str]:
    """Words at white space; brackets and quotes hold a word together."""
    return [word for word in split_at(line, None, command) if word]


def split_at(text: str, separator: str | None, command: str = "%%symgraph") -> list[str]:
    """The parts of a text at a separator (None: white space) outside brackets and quotes."""
    parts, start, quote, depth = [], 0, "", 0
    for i, char in enumerate(text):
        if quote:
            quote = "" if char == quote and text[i - 1] != "\\" else quote
        elif char in "\"'":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif depth <= 0 and (char.isspace() if separator is None else char == separator):
            parts.append(text[start:i])
            start = i + 1
    if quote or depth > 0:
        raise UsageError(
            f"{command}: {'a quote' if quote else 'a bracket'} is not closed in: {text}"
        )
    return [*parts, text[start:]]


def complete(line: str, names: Iterable[str]) -> list[str]:
    """What may stand at the end of an option line: options, an option's choices, or names of
    variables.
    """
    words = line.split()
    current = "" if not line or line[-1].isspace() else (words.pop() if words else "")
    before = next((w for w in reversed(words) if _is_flag(w)), "")
    option = next((o for o in OPTIONS if before and before in (o.flag, o.short)), None)
    if current.startswith("-") or option is None:
        candidates = [o.flag for o in OPTIONS]
    elif option.choices:
        candidates = [*option.choices, *([] if words[-1] == before else [o.flag for o in OPTIONS])]
    elif option.takes == "pairs":
        candidates = [f"{name}=" for name in names]
    elif option.takes == "words":
        candidates = list(names)
    else:
        candidates = []
    return [c for c in candidates if c.startswith(current)]


def option_help() -> str:
    """The options as lines of a help text."""
    rows = [
        (f"{o.short + ', ' if o.short else ''}{o.flag} {o.example}".strip(), _help(o))
        for o in OPTIONS
    ]
    width = max(len(left) for left, _ in rows)
    return "\n".join(f"    {left.ljust(width)}  {right}" for left, right in rows)


def _help(option: Option) -> str:
    return option.help + (f" ({', '.join(option.choices)})" if option.choices else "")
