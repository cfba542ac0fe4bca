"""What the tables' functions of all drivers have in common, as LLVM text."""

from __future__ import annotations

from workbench.core.native.abi import field
from workbench.gpu.abi import STATE

IDLE = "%idle = icmp sle i64 %bytes, 0"
"""Nothing is to be moved."""


def get(name: str, type: str = "ptr") -> str:
    """Loads a field of the state into %name; %name.at is where it is."""
    at = field(STATE, "%state", name, f"%{name}.at")
    return f"{at}\n  %{name} = load {type}, ptr %{name}.at"


def add(name: str, amount: str = "1") -> str:
    """Adds to a word of the state."""
    return f"""{get(name, "i64")}
  %{name}.new = add i64 %{name}, {amount}
  store i64 %{name}.new, ptr %{name}.at"""


NOTE = f"""
define internal void @note(ptr %state, i32 %status, i64 %node) nounwind {{
  %fine = icmp eq i32 %status, 0
  br i1 %fine, label %done, label %wrong
wrong:
  {get("error", "i64")}
  %first = icmp eq i64 %error, 0
  br i1 %first, label %keep, label %done
keep:
  %wide = sext i32 %status to i64
  store i64 %wide, ptr %error.at
  {field(STATE, "%state", "node", "%node.at")}
  store i64 %node, ptr %node.at
  br label %done
done:
  ret void
}}

define internal i64 @recorded(ptr %state, i64 %node) nounwind {{
  {get("events")}
  {get("count", "i64")}
  {get("capacity", "i64")}
  {get("marks")}
  %none = icmp eq ptr %events, null
  br i1 %none, label %no, label %some
some:
  %next = add i64 %count, 1
  store i64 %next, ptr %count.at
  %full = icmp uge i64 %count, %capacity
  br i1 %full, label %no, label %yes
no:
  ret i64 -1
yes:
  %mark = getelementptr i64, ptr %marks, i64 %count
  store i64 %node, ptr %mark
  ret i64 %count
}}
"""
"""Keeps what went wrong first; and the number under which a command's times are recorded, or -1."""


def command(name: str, parameters: str, idle: str, body: str, after: str = "") -> str:
    """A function that queues a command: nothing after an error or where `idle` holds. `body` leaves
    %status; `after` is done then. Where the state is blocking, it is waited for. All this is done
    between the driver's `enter` and its `leave`.
    """
    return f"""
define void @{name}(ptr %state, {parameters}, i64 %node) nounwind {{
  {get("error", "i64")}
  {get("queue")}
  {get("blocking", "i64")}
  %failed = icmp ne i64 %error, 0
  {idle}
  %skip = or i1 %failed, %idle
  br i1 %skip, label %done, label %go
go:
  %entered = call i32 @enter(ptr %state)
  %inside = icmp eq i32 %entered, 0
  br i1 %inside, label %within, label %outside
within:
  {body}
  call void @note(ptr %state, i32 %status, i64 %node)
  {after}
  %waits = icmp ne i64 %blocking, 0
  br i1 %waits, label %wait, label %left
wait:
  %waited = call i32 @finish(ptr %queue)
  call void @note(ptr %state, i32 %waited, i64 %node)
  br label %left
left:
  call void @leave()
  br label %done
outside:
  call void @note(ptr %state, i32 %entered, i64 %node)
  br label %done
done:
  ret void
}}
"""


def declarations(functions: dict[str, str]) -> str:
    """The declarations of a driver's own functions."""
    return "".join(f"declare {text.format(name)}\n" for name, text in functions.items())
