"""A stable sort of unsigned integers, alone or with a position each, as LLVM text.

Few keys are inserted one by one. Many are dealt out by one byte after another, lowest first; a byte
that all keys share is passed over.
"""

from __future__ import annotations

from functools import cache

INSERT_UP_TO = 80
"""Up to so many keys insertion is quicker than dealing them out."""


@cache
def radix_sort(width: int, paired: bool) -> tuple[str, str]:
    """The function's name and text, for keys of so many bytes: `void (keys, spare, n)`, or with
    positions `void (keys, spare, places, others, n)`. The results are in keys and places.
    """
    name = f"sort_{8 * width}{'_paired' if paired else ''}"
    arguments = "ptr %keys, ptr %spare"
    if paired:
        arguments += ", ptr %places, ptr %others"
    lines = [
        f"define internal void @{name}({arguments}, i64 %n) noinline nounwind {{",
        "entry:",
        f"  %counts = alloca [{256 * width} x i64], align 64",
        f"  %few = icmp sle i64 %n, {INSERT_UP_TO}",
        "  br i1 %few, label %insert, label %count",
        *_insertion(f"i{8 * width}", paired),
        *_counting(width),
        *[line for k in range(width) for line in _dealing(width, k, paired)],
        *_ending(width, paired),
        "}",
    ]
    return name, "\n".join(lines)


def _at(name: str, type: str, base: str, index: str) -> str:
    return f"  {name} = getelementptr inbounds {type}, ptr {base}, i64 {index}"


def _insertion(key: str, paired: bool) -> list[str]:
    """Each key moves down past the larger ones before it."""

    def both(keys: str, places: str) -> list[str]:
        return [keys, places] if paired else [keys]

    return [
        "insert:",
        "  %i = phi i64 [ 1, %entry ], [ %i.next, %put ]",
        "  %i.more = icmp slt i64 %i, %n",
        "  br i1 %i.more, label %take, label %done",
        "take:",
        _at("%i.at", key, "%keys", "%i"),
        f"  %x = load {key}, ptr %i.at",
        *(
            [_at("%i.place", "i64", "%places", "%i"), "  %p = load i64, ptr %i.place"]
            if paired
            else []
        ),
        "  br label %down",
        "down:",
        "  %j = phi i64 [ %i, %take ], [ %j.before, %move ]",
        "  %j.low = icmp eq i64 %j, 0",
        "  br i1 %j.low, label %put, label %look",
        "look:",
        "  %j.before = sub i64 %j, 1",
        _at("%b.at", key, "%keys", "%j.before"),
        f"  %b = load {key}, ptr %b.at",
        f"  %larger = icmp ugt {key} %b, %x",
        "  br i1 %larger, label %move, label %put",
        "move:",
        _at("%m.at", key, "%keys", "%j"),
        f"  store {key} %b, ptr %m.at",
        *(
            [
                _at("%bp.at", "i64", "%places", "%j.before"),
                "  %bp = load i64, ptr %bp.at",
                _at("%mp.at", "i64", "%places", "%j"),
                "  store i64 %bp, ptr %mp.at",
            ]
            if paired
            else []
        ),
        "  br label %down",
        "put:",
        *both(_at("%put.at", key, "%keys", "%j"), _at("%putp.at", "i64", "%places", "%j")),
        *both(f"  store {key} %x, ptr %put.at", "  store i64 %p, ptr %putp.at"),
        "  %i.next = add i64 %i, 1",
        "  br label %insert",
    ]


def _digit(name: str, key: str, value: str, k: int) -> list[str]:
    """Byte k of a key, as i64."""
    if key == "i8":
        return [f"  {name} = zext i8 {value} to i64"]
    return [
        f"  {name}.s = lshr {key} {value}, {8 * k}",
        f"  {name}.b = trunc {key} {name}.s to i8",
        f"  {name} = zext i8 {name}.b to i64",
    ]


def _counting(width: int) -> list[str]:
    """How often each byte has each value, all bytes in one walk."""
    key = f"i{8 * width}"
    lines = [
        "count:",
        f"  call void @llvm.memset.p0.i64(ptr %counts, i8 0, i64 {2048 * width}, i1 false)",
        "  br label %tally",
        "tally:",
        "  %t = phi i64 [ 0, %count ], [ %t.next, %tally ]",
        _at("%t.at", key, "%keys", "%t"),
        f"  %t.key = load {key}, ptr %t.at",
    ]
    for k in range(width):
        lines += [
            *_digit(f"%t.d{k}", key, "%t.key", k),
            f"  %t.o{k} = add i64 %t.d{k}, {256 * k}",
            _at(f"%t.c{k}", "i64", "%counts", f"%t.o{k}"),
            f"  %t.old{k} = load i64, ptr %t.c{k}",
            f"  %t.new{k} = add i64 %t.old{k}, 1",
            f"  store i64 %t.new{k}, ptr %t.c{k}",
        ]
    return [
        *lines,
        "  %t.next = add i64 %t, 1",
        "  %t.more = icmp slt i64 %t.next, %n",
        "  br i1 %t.more, label %tally, label %byte0",
    ]


def _dealing(width: int, k: int, paired: bool) -> list[str]:
    """Deal out by byte k, from `from` to `to`, which then change places."""
    key, v = f"i{8 * width}", f"b{k}."
    lines = [f"byte{k}:"]
    for ours, theirs, base, other in _roles(paired):
        if k == 0:
            lines += [
                f"  %{ours}{k} = getelementptr i8, ptr %{base}, i64 0",
                f"  %{theirs}{k} = getelementptr i8, ptr %{other}, i64 0",
            ]
        else:
            was = f"[ %{ours}{k - 1}, %byte{k - 1} ], [ %{theirs}{k - 1}, %deal{k - 1} ]"
            now = f"[ %{theirs}{k - 1}, %byte{k - 1} ], [ %{ours}{k - 1}, %deal{k - 1} ]"
            lines += [f"  %{ours}{k} = phi ptr {was}", f"  %{theirs}{k} = phi ptr {now}"]
    return [
        *lines,
        f"  %{v}first = load {key}, ptr %from{k}",
        *_digit(f"%{v}fd", key, f"%{v}first", k),
        _at(f"%{v}table", "i64", "%counts", str(256 * k)),
        _at(f"%{v}fc", "i64", f"%{v}table", f"%{v}fd"),
        f"  %{v}most = load i64, ptr %{v}fc",
        f"  %{v}shared = icmp eq i64 %{v}most, %n",
        f"  br i1 %{v}shared, label %byte{k + 1}, label %sum{k}",
        f"sum{k}:",
        f"  %{v}s = phi i64 [ 0, %byte{k} ], [ %{v}s.next, %sum{k} ]",
        f"  %{v}start = phi i64 [ 0, %byte{k} ], [ %{v}end, %sum{k} ]",
        _at(f"%{v}s.at", "i64", f"%{v}table", f"%{v}s"),
        f"  %{v}here = load i64, ptr %{v}s.at",
        f"  store i64 %{v}start, ptr %{v}s.at",
        f"  %{v}end = add i64 %{v}start, %{v}here",
        f"  %{v}s.next = add i64 %{v}s, 1",
        f"  %{v}s.more = icmp slt i64 %{v}s.next, 256",
        f"  br i1 %{v}s.more, label %sum{k}, label %deal{k}",
        f"deal{k}:",
        f"  %{v}d = phi i64 [ 0, %sum{k} ], [ %{v}d.next, %deal{k} ]",
        _at(f"%{v}d.at", key, f"%from{k}", f"%{v}d"),
        f"  %{v}x = load {key}, ptr %{v}d.at",
        *_digit(f"%{v}xd", key, f"%{v}x", k),
        _at(f"%{v}c.at", "i64", f"%{v}table", f"%{v}xd"),
        f"  %{v}place = load i64, ptr %{v}c.at",
        f"  %{v}after = add i64 %{v}place, 1",
        f"  store i64 %{v}after, ptr %{v}c.at",
        _at(f"%{v}to.at", key, f"%to{k}", f"%{v}place"),
        f"  store {key} %{v}x, ptr %{v}to.at",
        *(
            [
                _at(f"%{v}p.at", "i64", f"%pfrom{k}", f"%{v}d"),
                f"  %{v}p = load i64, ptr %{v}p.at",
                _at(f"%{v}pto.at", "i64", f"%pto{k}", f"%{v}place"),
                f"  store i64 %{v}p, ptr %{v}pto.at",
            ]
            if paired
            else []
        ),
        f"  %{v}d.next = add i64 %{v}d, 1",
        f"  %{v}d.more = icmp slt i64 %{v}d.next, %n",
        f"  br i1 %{v}d.more, label %deal{k}, label %byte{k + 1}",
    ]


def _roles(paired: bool) -> list[tuple[str, str, str, str]]:
    """Where keys, and positions, are read and written, and where they are at first."""
    keys = ("from", "to", "keys", "spare")
    return [keys, ("pfrom", "pto", "places", "others")] if paired else [keys]


def _ending(width: int, paired: bool) -> list[str]:
    """What ended in the spare memory is copied back."""
    last = width - 1
    lines = [f"byte{width}:"]
    for ours, theirs, _, _ in _roles(paired):
        was = f"[ %{ours}{last}, %byte{last} ], [ %{theirs}{last}, %deal{last} ]"
        lines.append(f"  %{ours}{width} = phi ptr {was}")
    lines += [
        f"  %there = icmp eq ptr %from{width}, %keys",
        "  br i1 %there, label %done, label %back",
        "back:",
        f"  %bytes = mul i64 %n, {width}",
        f"  call void @llvm.memcpy.p0.p0.i64(ptr %keys, ptr %from{width}, i64 %bytes, i1 false)",
    ]
    if paired:
        lines += [
            "  %words = mul i64 %n, 8",
            f"  call void @llvm.memcpy.p0.p0.i64(ptr %places, ptr %pfrom{width}, i64 %words, "
            "i1 false)",
        ]
    return [*lines, "  br label %done", "done:", "  ret void"]
