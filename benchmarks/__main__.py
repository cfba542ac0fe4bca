"""Runs every benchmark, or those named, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main(names: list[str]) -> int:
    """Run the benchmarks one after the other; returns the number that failed."""
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
    failed = 0
    for name in names or known:
        command = [sys.executable, "-m", f"benchmarks.bench_{name}"]
        code = subprocess.run(command, cwd=HERE.parent).returncode
        if code < 0:  # a crash in native code says nothing by itself
            print(f"{name}: ended by signal {-code}", file=sys.stderr)
        failed += code != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
