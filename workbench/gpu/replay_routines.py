"""Loops of small steps, replayed: what the host does instead of launching.

It runs the loop as ever, but notes its commands down. The words that the steps of one cycle give
their kernels are the first cycle's, which grow by the same amounts from cycle to cycle: that is
taken from the second cycle and checked in all that follow. In the end one kernel goes through all
cycles by itself, so that a step costs barriers instead of launches. What does not fit is launched
as ever, after what came before it; so are the steps of a cycle that was not completed.
"""

from __future__ import annotations

import functools

from workbench.configuration import config
from workbench.core.native import engine
from workbench.core.native.library import complete
from workbench.core.native.routine import I1, I64, POINTER, Routine
from workbench.core.native.ssa import Value
from workbench.gpu.abi import (
    COMMAND,
    COMMAND_SIZE,
    COMMAND_WORDS,
    LISTED_WORDS,
    MOST_COMMANDS,
    OFFSET_BITS,
    PUT_WORDS,
    REPLAY,
)
from workbench.gpu.replay_kernel import NAMED

MOST_GROUPS = 4
"""Work groups of a command that one group can do in a row, and be quicker than a launch."""

LEAST_CYCLES = 4
MOST_RESTARTS = 4

AT_ONCE = 1024
"""Cycles of one kernel: a driver that also serves a screen ends what takes seconds."""

MOST_GIVEN = 5 + NAMED
"""Words of a loop's kernel."""

ADD, STEP, END = "wb.replay.add", "wb.replay.step", "wb.replay.end"
_STOP, _FLUSH, _ONE = "wb.replay.stop", "wb.replay.flush", "wb.replay.one"
_WHOLE, _NAME, _PUT = "wb.replay.whole", "wb.replay.name", "wb.replay.put"


class _Writing(Routine):
    """A routine whose first parameter is the replay."""

    def word(self, name: str) -> Value:
        return self.at(self.inputs[0], REPLAY.fields.index(name), "i64")

    def get(self, name: str) -> Value:
        return self.load(I64, self.word(name))

    def pointer(self, name: str) -> Value:
        return self.code.put(POINTER, f"load ptr, {self.word(name).typed}")

    def set(self, name: str, value: Value | int) -> None:
        given = value if isinstance(value, Value) else self.number(I64, value)
        self.store(given, self.word(name))

    def command(self, phase: Value, position: Value) -> Value:
        """The place of a command of a cycle."""
        room = self.number(I64, MOST_COMMANDS).op("sdiv", self.get("period"))
        return self.at(self.pointer("commands"), (phase * room + position) * COMMAND_SIZE, "i64")

    def part(self, command: Value, name: str) -> Value:
        return self.at(command, COMMAND.fields.index(name), "i64")

    def first_word(self, command: Value) -> Value:
        return self.at(command, len(COMMAND.fields), "i64")

    def growth(self, command: Value) -> Value:
        return self.at(command, len(COMMAND.fields) + COMMAND_WORDS, "i64")

    def count_of(self, phase: Value) -> Value:
        """How many commands the steps of a phase have."""
        return self.load(I64, self.at(self.pointer("counts"), phase, "i64"))

    def launch(
        self, kernel: Value, groups: Value, words: Value, count: Value, buffers: Value, node: Value
    ) -> None:
        """Queue a kernel as programs do."""
        function, state = self.pointer("launch"), self.pointer("state")
        given = (state, kernel, groups, words, count, buffers, node)
        self.code.line(f"call void {function.name}({', '.join(v.typed for v in given)})")


def _add() -> Routine:
    """(replay, kernel, case, groups, words, count, buffers, node) → whether it was noted."""
    r = _Writing(ADD, I1, POINTER, POINTER, I64, I64, POINTER, I64, I64, I64)
    replay, kernel, case, groups, words, count, buffers, node = r.inputs
    yes, no, zero = r.number(I1, True), r.number(I1, False), r.number(I64, 0)
    with r.when(r.get("active").ne(1)):
        r.give(no)
    with r.when(groups.le(0)):
        r.give(yes)
    phase, cycle, position = (r.get(name) for name in ("phase", "cycle", "position"))
    room = r.number(I64, MOST_COMMANDS).op("sdiv", r.get("period"))
    with r.when(groups.gt(MOST_GROUPS) | position.ge(room) | count.gt(COMMAND_WORDS)):
        r.run(_STOP, replay)
        r.give(no)
    command = r.command(phase, position)
    first, growth = r.first_word(command), r.growth(command)
    handle = r.code.put(I64, f"ptrtoint {kernel.typed} to i64")
    with r.when(cycle.eq(0)):
        given = {"kernel": handle, "case": case, "groups": groups, "words": count,
                 "buffers": buffers, "node": node}  # fmt: skip
        for name, value in given.items():
            r.store(value, r.part(command, name))
        with r.counted(zero, count) as i:
            r.store(r.load(I64, r.at(words, i, "i64")), r.at(first, i, "i64"))
            r.store(zero, r.at(growth, i, "i64"))
        r.set("position", position + 1)
        r.give(yes)
    other = r.cell(position.ge(r.count_of(phase)).convert("zext", "i64"))
    other.set(other.value | (r.load(I64, r.part(command, "kernel")) ^ handle))
    other.set(other.value | (r.load(I64, r.part(command, "groups")) ^ groups))
    with r.when(cycle.eq(1) & other.value.eq(0)):
        # a buffer stays itself: only the place in it may move
        buffers_named = r.get("named").ne(0).select(buffers, zero)
        with r.counted(zero, count) as i:
            old, new = (r.load(I64, r.at(base, i, "i64")) for base in (first, words))
            changed = i.lt(buffers_named).select((old ^ new) >> OFFSET_BITS, zero)
            other.set(other.value | changed)
            r.store(new - old, r.at(growth, i, "i64"))
    with r.when(cycle.gt(1)), r.counted(zero, count) as i:
        base, step, new = (r.load(I64, r.at(x, i, "i64")) for x in (first, growth, words))
        other.set(other.value | ((base + step * cycle) ^ new))
    with r.when(other.value.ne(0)):
        r.run(_STOP, replay)
        r.give(no)
    r.set("position", position + 1)
    r.give(yes)
    return r


def _step() -> Routine:
    """(replay): the next step begins."""
    r = _Writing(STEP, None, POINTER)
    (replay,) = r.inputs
    with r.when(r.get("active").eq(0)):
        r.give()
    with r.when(r.get("active").eq(1)):
        phase, cycle, position = (r.get(name) for name in ("phase", "cycle", "position"))
        with r.when(cycle.eq(0)):
            r.store(position, r.at(r.pointer("counts"), phase, "i64"))
        with r.when(position.eq(r.count_of(phase))):
            after = phase + 1
            ends = after.eq(r.get("period"))
            r.set("phase", ends.select(r.number(I64, 0), after))
            r.set("cycle", cycle + ends.convert("zext", "i64"))
            r.set("position", 0)
            r.give()
        r.run(_STOP, replay)  # it had fewer commands than that of the cycle before
    with r.when(r.get("active").eq(2)):
        for name in ("phase", "cycle", "position"):
            r.set(name, 0)
        r.set("active", 1)
    r.give()
    return r


def _end() -> Routine:
    """(replay): the loop is over."""
    r = _Writing(END, None, POINTER)
    (replay,) = r.inputs
    with r.when(r.get("active").eq(1)):
        r.run(STEP, replay)
        r.run(_FLUSH, replay)
    r.set("active", 0)
    r.give()
    return r


def _stop() -> Routine:
    """(replay): what was noted is queued; from the next step on it is tried anew, some times."""
    r = _Writing(_STOP, None, POINTER)
    (replay,) = r.inputs
    r.run(_FLUSH, replay)
    restarts = r.get("restarts") + 1
    r.set("restarts", restarts)
    r.set("active", restarts.gt(MOST_RESTARTS).select(r.number(I64, 0), 2))
    for name in ("phase", "cycle", "position"):
        r.set(name, 0)
    r.give()
    return r


def _flush() -> Routine:
    """(replay): queue what was noted: whole cycles as one kernel, the rest one by one."""
    r = _Writing(_FLUSH, None, POINTER)
    (replay,) = r.inputs
    zero = r.number(I64, 0)
    phase, cycle, position = (r.get(name) for name in ("phase", "cycle", "position"))
    first = r.cell(zero)
    with r.when(cycle.ge(LEAST_CYCLES)):
        done = r.call(_WHOLE, I1, replay, cycle)
        first.set(done.select(cycle, zero))

    def steps(of: Value, last: Value) -> None:
        with r.counted(zero, last) as p, r.counted(zero, r.count_of(p)) as k:
            r.run(_ONE, replay, r.command(p, k), of)

    with r.counted(first.value, cycle) as c:
        steps(c, r.get("period"))
    steps(cycle, phase)
    with r.counted(zero, position) as k:
        r.run(_ONE, replay, r.command(phase, k), cycle)
    r.give()
    return r


def _one() -> Routine:
    """(replay, command, cycle): launch a command of this cycle."""
    r = _Writing(_ONE, None, POINTER, POINTER, I64)
    _, command, cycle = r.inputs
    words = r.array("i64", COMMAND_WORDS)
    count = r.load(I64, r.part(command, "words"))
    with r.counted(r.number(I64, 0), count) as i:
        base = r.load(I64, r.at(r.first_word(command), i, "i64"))
        step = r.load(I64, r.at(r.growth(command), i, "i64"))
        r.store(base + step * cycle, r.at(words, i, "i64"))
    kernel = r.code.put(POINTER, f"load ptr, {r.part(command, 'kernel').typed}")
    groups, buffers, node = (
        r.load(I64, r.part(command, name)) for name in ("groups", "buffers", "node")
    )
    r.launch(kernel, groups, words, count, buffers, node)
    r.give()
    return r


def _whole() -> Routine:
    """(replay, cycles) → whether a kernel was queued for them, many at once: the list has room for
    the commands and their buffers.
    """
    r = _Writing(_WHOLE, I1, POINTER, I64)
    replay, cycles = r.inputs
    zero, no, yes = r.number(I64, 0), r.number(I1, False), r.number(I1, True)
    period, named, memory = r.get("period"), r.get("named"), r.pointer("memory")
    commands, total = r.cell(zero), r.cell(zero)
    with r.counted(zero, period) as p, r.counted(zero, r.count_of(p)) as k:
        commands.set(commands.value + 1)
        total.set(total.value + r.load(I64, r.part(r.command(p, k), "words")))
    with r.when(total.value.gt(LISTED_WORDS) | commands.value.eq(0)):
        r.give(no)
    now = commands.value * 3
    later = now + total.value
    # what the loop's kernel is given: the list, the buffers, four numbers
    given, names = r.array("i64", MOST_GIVEN), r.array("i64", 1)
    with r.counted(zero, r.number(I64, MOST_GIVEN)) as i:
        r.store(zero, r.at(given, i, "i64"))
    r.store(r.get("list"), given)
    r.store(zero, names)
    line, at = r.cell(zero), r.cell(zero)
    with r.counted(zero, period) as p, r.counted(zero, r.count_of(p)) as k:
        command = r.command(p, k)
        plan = r.at(memory, line.value * 3, "i64")
        r.store(r.load(I64, r.part(command, "case")), plan)
        r.store(r.load(I64, r.part(command, "groups")), r.at(plan, 1, "i64"))
        r.store(at.value, r.at(plan, 2, "i64"))
        count = r.load(I64, r.part(command, "words"))
        buffers = named.ne(0).select(r.load(I64, r.part(command, "buffers")), zero)
        with r.counted(zero, count) as i:
            word = r.cell(r.load(I64, r.at(r.first_word(command), i, "i64")))
            with r.when(i.lt(buffers) & word.value.ne(0)):
                n = r.call(_NAME, I64, given, names, named, word.value >> OFFSET_BITS)
                with r.when(n.lt(0)):
                    r.give(no)
                offset = word.value & ((1 << OFFSET_BITS) - 1)
                word.set((n << OFFSET_BITS) | offset)
            r.store(word.value, r.at(memory, now + at.value + i, "i64"))
            growth = r.load(I64, r.at(r.growth(command), i, "i64"))
            r.store(growth, r.at(memory, later + at.value + i, "i64"))
        line.set(line.value + 1)
        at.set(at.value + count)
    r.run(_PUT, replay, later + total.value)
    first = named + 1
    one, most = r.number(I64, 1), r.number(I64, AT_ONCE)
    with r.counted(zero, cycles, AT_ONCE) as start:
        count = r.code.intrinsic("smin", cycles - start, most)
        for place, number in enumerate((start, count, commands.value, total.value)):
            r.store(number, r.at(given, first + place, "i64"))
        r.launch(r.pointer("kernel"), one, given, first + 4, first, r.get("mark"))
    r.give(yes)
    return r


def _name() -> Routine:
    """(given, count of names, most, number) → which of a kernel's buffers this one is: the next
    where it is new; -1 where there is no room.
    """
    r = Routine(_NAME, I64, POINTER, POINTER, I64, I64)
    given, names, most, number = r.inputs
    count = r.load(I64, names)
    with r.counted(r.number(I64, 0), count) as i:
        known = r.load(I64, r.at(given, i + 1, "i64")) >> OFFSET_BITS
        with r.when(known.eq(number)):
            r.give(i)
    with r.when(count.ge(most)):
        r.give(r.number(I64, -1))
    r.store(number << OFFSET_BITS, r.at(given, count + 1, "i64"))
    r.store(count + 1, names)
    r.give(count)
    return r


def _put() -> Routine:
    """(replay, length): bring the list to the device, so many words with each command."""
    r = _Writing(_PUT, None, POINTER, I64)
    _, length = r.inputs
    words, memory, one = r.array("i64", 3 + PUT_WORDS), r.pointer("memory"), r.number(I64, 1)
    r.store(r.get("list"), words)
    with r.counted(r.number(I64, 0), length, PUT_WORDS) as start:
        count = r.code.intrinsic("smin", length - start, r.number(I64, PUT_WORDS))
        r.store(start, r.at(words, 1, "i64"))
        r.store(count, r.at(words, 2, "i64"))
        with r.counted(r.number(I64, 0), count) as i:
            r.store(r.load(I64, r.at(memory, start + i, "i64")), r.at(words, i + 3, "i64"))
        r.launch(r.pointer("put"), one, words, r.number(I64, 3 + PUT_WORDS), one, r.get("mark"))
    r.give()
    return r


@functools.cache
def _compiled() -> tuple[engine.NativeModule, dict[str, int]]:
    makers = (_add, _step, _end, _stop, _flush, _one, _whole, _name, _put)
    whole = complete("\n".join(make().text for make in makers))
    exports = (ADD, STEP, END)
    module = engine.compile(whole.text, whole.symbols, exports, cache=bool(config.cache))
    return module, {name: module.address(name) for name in exports}


def addresses() -> dict[str, int]:
    """Where `ADD`, `STEP` and `END` are in this process."""
    return _compiled()[1]
