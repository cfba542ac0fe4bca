"""What every test shares: a clean environment, one BLAS thread, and what a browser test needs."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before anything imports numpy: two BLAS pools that spin on few cores make times meaningless.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# The tests see no settings of the person who runs them.
os.environ.pop("WORKBENCH_FLAGS", None)
os.environ.pop("THEANO_FLAGS", None)
os.environ["WORKBENCHRC"] = os.devnull
os.environ["JUPYTER_PLATFORM_DIRS"] = "1"

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """The path of an installed Chromium, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def forget_profiles() -> None:
    """Functions that tests profiled print nothing when Python ends."""
    stats = sys.modules.get("workbench.core.profile_stats")
    if stats is not None:
        stats.AT_EXIT.profiles.clear()


def pytest_configure(config: pytest.Config) -> None:
    """Give Jupyter and IPython an empty home of their own, kernels of nbval included."""
    home = Path(tempfile.mkdtemp(prefix="workbench-tests-"))
    config.add_cleanup(forget_profiles)
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    os.environ["IPYTHONDIR"] = str(home / "ipython")
    os.environ["JUPYTER_CONFIG_DIR"] = str(home / "jupyter" / "config")
    os.environ["JUPYTER_DATA_DIR"] = str(home / "jupyter" / "data")
    os.environ["JUPYTER_RUNTIME_DIR"] = str(home / "jupyter" / "runtime")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip browser tests where there is no Chromium, except in CI: there they fail."""
    if find_chromium() is None and not os.environ.get("CI"):
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason="there is no Chromium on this machine"))


@pytest.fixture(autouse=True)
def one_spelling_of_graphs(request: pytest.FixtureRequest) -> Iterator[None]:
    """`workbench.theano` changes how graphs are spelled from its import on; here, for the tests
    of its names alone.
    """
    if "workbench.theano" not in sys.modules or {"theano", "reference"} & {*request.path.parts}:
        yield
        return
    from workbench import config

    with config.change(explicit_broadcast=False):
        yield


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium, for playwright's ``executable_path``."""
    path = find_chromium()
    if path is None:
        pytest.fail(f"no browser found; looked for {', '.join(BROWSERS)}")
    return path
