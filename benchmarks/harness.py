"""One way to measure: contenders take turns, and nothing is reported without its rounds.

Two forms: `take_turns` runs contenders in this process, `take_turns_fresh` each in a new process of
its own (for import and compile times). Load on the machine then falls on all of them alike. Every
library gets one thread unless `--threads 0` leaves each its own choice.
"""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
OURS = "workbench"
PACKAGES = (
    "workbench",
    "numpy",
    "scipy",
    "llvmlite",
    "jax",
    "jaxlib",
    "pytensor",
    "numba",
    "pycuda",
    "pyopencl",
    "cupy",
    "torch",
)

Run = Callable[[], object]
Factory = Callable[[], Run]


@dataclass(frozen=True)
class Measurement:
    """Samples of each contender, `rounds` long, in `unit`; what could not run, with its reason."""

    name: str
    what: str
    unit: str
    rounds: int
    samples: Mapping[str, list[float]]
    absent: Mapping[str, str] = field(default_factory=dict)
    threads: int = 1
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.rounds < 3:
            raise ValueError(f"{self.name}: {self.rounds} rounds say nothing; take 3 or more")
        for contender, values in self.samples.items():
            if len(values) != self.rounds:
                raise ValueError(
                    f"{self.name}: {contender} has {len(values)} samples in {self.rounds} rounds"
                )

    def rows(self) -> list[tuple[str, float, float, float]]:
        """Contender, minimum, median and 90th percentile, the fastest median first."""
        rows = [
            (name, min(values), statistics.median(values), percentile(values, 0.9))
            for name, values in self.samples.items()
        ]
        return sorted(rows, key=lambda row: row[2])

    def markdown(self) -> str:
        """The table that is printed and stored."""
        best = min((row[2] for row in self.rows()), default=0.0)
        threads = "one thread each" if self.threads == 1 else "each library's own threads"
        lines = [
            f"# {self.name}",
            "",
            f"{self.what}. {self.rounds} rounds, contenders in turn, {threads}; {self.unit}.",
            "",
            "| contender | min | median | p90 | × the best median |",
            "|---|--:|--:|--:|--:|",
        ]
        lines += [
            f"| {name} | {low:.4g} | {middle:.4g} | {high:.4g} |"
            + (f" {middle / best:.2f} |" if best > 0 else " – |")
            for name, low, middle, high in self.rows()
        ]
        lines += [f"| {name} | – | – | – | {reason} |" for name, reason in self.absent.items()]
        lines += ["", *self.notes, ""] if self.notes else [""]
        machine = describe_machine()
        versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
        lines += [f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}; {versions}."]
        return "\n".join(lines) + "\n"

    def save(self) -> None:
        """Print the table; write it and every sample into benchmarks/results."""
        RESULTS.mkdir(exist_ok=True)
        stem = self.name + ("" if self.threads == 1 else "-threads")
        record = {**asdict(self), "machine": describe_machine()}
        (RESULTS / f"{stem}.json").write_text(
            json.dumps(record, indent=1, ensure_ascii=False) + "\n"
        )
        (RESULTS / f"{stem}.md").write_text(self.markdown())
        print(self.markdown(), flush=True)


def percentile(values: list[float], share: float) -> float:
    """The smallest sample that at least this share of the samples does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def describe_machine() -> dict:
    """The processor's name, the system, and the versions of what takes part."""
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    versions = {"Python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    system = f"{platform.system()} {platform.machine()}"
    return {"cpu": cpu, "cores": os.cpu_count(), "system": system, "versions": versions}


# ---------------------------------------------------------------- contenders in this process


def prepare(factories: Mapping[str, Factory]) -> tuple[dict[str, Run], dict[str, str]]:
    """Build every contender and run it once; those that cannot run, with the reason."""
    runs: dict[str, Run] = {}
    absent: dict[str, str] = {}
    for name, factory in factories.items():
        try:
            run = factory()
            run()
        except ImportError as error:
            absent[name] = f"not installed ({error.name or error})"
        except Exception as error:  # a contender's failure is a result, not the end of the others
            absent[name] = f"failed: {type(error).__name__}: {str(error).strip().split(chr(10))[0]}"
        else:
            runs[name] = run
    return runs, absent


def take_turns(runs: Mapping[str, Run], rounds: int, per: float = 1.0) -> dict[str, list[float]]:
    """Time every contender once a round, each round starting with another; seconds × `per`."""
    samples: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    gc.collect()
    gc.disable()
    try:
        for turn in range(rounds):
            start = turn % len(names) if names else 0
            for name in names[start:] + names[:start]:
                before = time.perf_counter()
                runs[name]()
                samples[name].append((time.perf_counter() - before) * per)
    finally:
        gc.enable()
    return samples


# ---------------------------------------------------------------- contenders in fresh processes


def take_turns_fresh(
    commands: Mapping[str, tuple[list[str], Mapping[str, str]]], rounds: int
) -> tuple[dict[str, list[float]], dict[str, str], dict[str, float]]:
    """Run each command (arguments of Python, environment) once a round; it prints its own figure.

    A first round goes apart: it fills the file cache and the caches that a library keeps. Returns
    the samples, what could not run with its reason, and the figures of that first round.
    """
    samples: dict[str, list[float]] = {name: [] for name in commands}
    absent: dict[str, str] = {}
    first: dict[str, float] = {}
    for turn in range(rounds + 1):
        for name, (arguments, extra) in commands.items():
            if name in absent:
                continue
            done = subprocess.run(
                [sys.executable, *arguments],
                env={**os.environ, **extra},
                cwd=RESULTS.parent.parent,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
            )
            if done.returncode:
                del samples[name]
                absent[name] = (done.stderr.strip().splitlines() or ["no message"])[-1][:120]
            elif turn == 0:
                first[name] = float(done.stdout.split()[-1])
            else:
                samples[name].append(float(done.stdout.split()[-1]))
    return samples, absent, first


def own_caches() -> tuple[tempfile.TemporaryDirectory, dict[str, str]]:
    """A new empty folder, and the environment that makes every library keep its caches there."""
    folder = tempfile.TemporaryDirectory(prefix="workbench-bench-")
    return folder, {
        "HOME": folder.name,
        "XDG_CACHE_HOME": str(Path(folder.name) / "cache"),
        "PYTENSOR_FLAGS": f"base_compiledir={Path(folder.name) / 'pytensor'}",
    }


# ---------------------------------------------------------------- the command line


def options(rounds: int, description: str | None, **extra: int | str) -> argparse.Namespace:
    """`--rounds`, `--threads` and what a benchmark adds; the thread setting takes effect here.

    Call it before numpy is imported: BLAS libraries read their setting once.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--threads", type=int, choices=(0, 1), default=1)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    for name, default in extra.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    chosen = parser.parse_args()
    if chosen.threads == 1:
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NPROC", "NUMBA_NUM_THREADS"):
            os.environ[name] = "1"
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    return chosen


def finish(*measurements: Measurement) -> None:
    """Save all; leave with an error when our own contender could not run."""
    for measurement in measurements:
        measurement.save()
    if any(name.startswith(OURS) for each in measurements for name in each.absent):
        sys.exit("the workbench's own contender did not run")
