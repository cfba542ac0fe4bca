"""The protocol between a program and its devices: a table for each, and what a driver keeps.

A program calls a device by the functions in its table, whose first argument is the driver's state:

    launch(state, kernel, groups, words, n_words, n_buffers, node)
    upload(state, address, host, bytes, node)     download(state, host, address, bytes, node)
    copy(state, into, from, bytes, node)          fill(state, address, bytes, node): with zeros
    gemm(state, product, node): by the driver's library, see PRODUCT; null where it has none

None of them returns anything: what goes wrong first is kept in the state, with the number of the
node, and stops all that follows. What needs Python (memory that grows, results, kernels that are
not compiled yet) is asked of the table's `service`, a callable without arguments that reads the
words of `request` and leaves its answer in the last.

A device's address is 64 bits: on CUDA the address itself, on OpenCL the number of a buffer above
OFFSET_BITS and an offset below.
"""

from __future__ import annotations

from workbench.core.native.abi import Layout

OFFSET_BITS = 40

TABLE = Layout(
    "device",
    (
        "launch", "upload", "download", "copy", "fill", "gemm",  # functions
        "state",
        "kernels",  # ptr to two handles a kernel: narrow and wide; null where not compiled
        "slots",  # ptr to the arena's slots on this device
        "constants",  # ptr to the addresses of constants
        "service",  # the callable
        "request",  # ptr to REQUEST_WORDS i64
        "flags",  # address of the device's words that kernels report to
        "program",  # the program's number above MARK_BITS
        "replay",  # ptr to a REPLAY, where the program has loops that may be replayed
    ),
)  # fmt: skip

STATE = Layout(
    "state",
    (
        "queue",  # the stream or command queue
        "context",  # CUDA: what a thread is in while it queues a command
        "buffers",  # OpenCL: ptr to the buffers' handles, by number
        "error",  # the driver's status of what went wrong first; 0 for nothing
        "node",  # the number of the node whose command that was
        "events",  # ptr to events that are to be recorded, or null
        "marks",  # ptr to the numbers of the nodes of these events
        "count",  # how many commands were recorded
        "capacity",  # how many commands can be
        "library",  # a handle of the library for products of matrices
        "launches",  # how many kernels were queued so far
        "uploads",
        "uploaded",  # how often, and how many bytes, the host gave the device
        "downloads",
        "downloaded",  # and the device the host
        "blocking",  # whether every command is waited for, so that its errors are known at once
        "watched",  # whether a kernel that may report was queued since somebody looked
    ),
)  # fmt: skip

PRODUCT = Layout(
    "product",  # C = A B for a stack of matrices in C order, as the library has it: transposed
    (
        "double", "a.transposed", "b.transposed", "rows", "columns", "shared",
        "a", "a.lead", "a.step", "b", "b.lead", "b.step", "c", "c.lead", "c.step", "batch",
    ),
)  # fmt: skip
"""What `gemm` is given. Steps from matrix to matrix, and leading dimensions, are in elements."""

REPLAY = Layout(
    "replay",  # a loop whose commands are noted down: see `replay_routines`
    (
        "add", "step", "end",  # functions
        "launch",  # the table's function
        "state",
        "active",  # whether commands are noted: 1, from the next step on: 2, no: 0
        "restarts",  # how often a command was not what was expected
        "seen",  # how many steps such loops took in all calls
        "period",  # after so many steps the same buffers are written
        "phase", "cycle", "position",  # where the loop is: step = cycle * period + phase
        "mark",  # the number of the loop's node
        "kernel", "put",  # handles: of the loop's kernel, and of the one that fills the list
        "list",  # address of the list on the device
        "named",  # how many buffers a kernel takes besides the list; 0: their addresses are numbers
        "commands",  # ptr to MOST_COMMANDS COMMANDs
        "counts",  # ptr to how many commands the steps of each phase have
        "memory",  # ptr to LIST_WORDS i64, in which the list is written
    ),
)  # fmt: skip

MOST_COMMANDS = 64
"""Commands of as many steps as the period has."""

MOST_PERIOD = 4

COMMAND_WORDS = 48
"""Words of a command's kernel."""

COMMAND = Layout(
    "command",  # then COMMAND_WORDS words, and by how much they grow from cycle to cycle
    ("kernel", "case", "groups", "words", "buffers", "node"),
)
COMMAND_SIZE = len(COMMAND.fields) + 2 * COMMAND_WORDS
"""In words."""

LISTED_WORDS = 768
"""Words of all commands of a cycle."""

LIST_WORDS = 3 * MOST_COMMANDS + 2 * LISTED_WORDS
"""Of a list: case, number of groups and first word of each command; all words; their growth."""

PUT_WORDS = 96
"""Words of a list that one command brings to the device."""

# What a program asks for: word 0 of a request.
GROW, OUTPUT, UPDATE, COMPILE = range(4)
ASKING_NODE = 5  # the word with the node's number
REQUEST_WORDS = 8
ANSWER = REQUEST_WORDS - 1

DEVICE_FAILED = -3
"""A program's result when a driver has reported an error."""

FLAGGED = -4
"""A program's result when a kernel has reported one: an index out of range, say."""

FLAG_WORDS = 4
"""A device's words that kernels report to. Word 0 is 0, or which node of which program failed."""

MARK_BITS = 32
"""A report is the program's number above, the node's mark below."""
