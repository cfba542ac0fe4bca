"""`python -m tests.fuzz --rounds 5000 --seed 1`: random programs, those that fail cut down and
printed.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import sys
from collections import Counter

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from tests.fuzz.checks import DEVICES, SLOW, WAYS, failure  # after the threads are set
from tests.fuzz.shrink import shrink
from tests.fuzz.writer import Writer


def main() -> int:
    """Returns 1 where a program fails."""
    faulthandler.enable()
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="how many programs")
    parser.add_argument("--seed", type=int, default=1, help="the first program's number")
    parser.add_argument("--debug", action="store_true", help="with DebugMode, too")
    parser.add_argument("--device", action="store_true", help="on the device of the tests alone")
    parser.add_argument("--show", action="store_true", help="print the first program and stop")
    chosen = parser.parse_args()
    ways = [*DEVICES] if chosen.device else [*WAYS, *(SLOW if chosen.debug else ())]
    kinds: Counter[str] = Counter()
    failed = 0
    for seed in range(chosen.seed, chosen.seed + chosen.rounds):
        if sys.stderr.isatty() or chosen.rounds == 1:
            print(seed, end="\r", file=sys.stderr)
        try:
            program = Writer(seed).program()
        except Exception as error:
            failed += 1
            print(f"\n--- seed {seed}: writing raised {type(error).__name__}: {error}", flush=True)
            continue
        if chosen.show:
            print(program.text())
            return 0
        told = failure(program, ways)
        if told is None:
            kinds["right"] += 1
            continue
        failed += 1
        kind = told.split(" ")[0]
        small = shrink(program, lambda p, kind=kind: (failure(p, ways) or "").split(" ")[0] == kind)
        kinds[kind] += 1
        print(f"\n--- seed {seed}: {failure(small, ways)}\n{small.text()}", flush=True)
    print(f"{chosen.rounds} programs: {dict(kinds)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
