"""A real JupyterLab to drive: a server of its own, one page per notebook, and the kernel's answers.

    lab.open("notebooks/01.ipynb")     # a copy; the original is not touched
    lab.new("x = 1", "x + 1")          # or a notebook of these cells
    lab.run_all()
    lab.page.get_by_role("tab", name="Scan").click()
    assert lab.kernel_eval("w.tab") == "scan"

Nothing sleeps: `kernel_eval` queues behind the widget's messages and so waits for them.
"""

from __future__ import annotations

import ast
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any  # values from the kernel

from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
_START = 90  # seconds
_QUIET = {
    "notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
}

# What a test asks of the page. `currentWidget` is the notebook once JupyterLab has restored it.
_HELPERS = """
window.driver = {
  async panel() {
    while (!window.jupyterapp) await new Promise((done) => setTimeout(done, 50));
    await jupyterapp.restored;
    const pause = () => new Promise((done) => setTimeout(done, 50));
    while (!jupyterapp.shell.currentWidget?.context) await pause();
    const panel = jupyterapp.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
    return panel;
  },
  async ready() {
    await this.panel();
    await jupyterapp.restored;
    await jupyterapp.commands.execute("application:toggle-left-area");
  },
  async runAll() {
    await this.panel();
    await jupyterapp.commands.execute("notebook:run-all-cells");
  },
  async complaints() {
    const cells = [...(await this.panel()).content.model.cells].map((cell) => cell.toJSON());
    const wanted = (cell) => (cell.metadata.tags || []).includes("raises-exception");
    const outputs = cells.filter((cell) => !wanted(cell)).flatMap((cell) => cell.outputs || []);
    const failed = outputs.filter((one) => one.name === "stderr" || one.output_type === "error");
    return failed.map((one) => [one.text || one.traceback].flat().join(""));
  },
  async evaluate(expression) {
    const { session } = (await this.panel()).sessionContext;
    const code = { code: "", silent: true, user_expressions: { it: expression } };
    const ask = session.kernel.requestExecute(code);
    const { it } = (await ask.done).content.user_expressions;
    if (it.status !== "ok") throw new Error(`${it.ename}: ${it.evalue}`);
    return it.data["text/plain"];
  },
  async theme(name) {
    await jupyterapp.commands.execute("apputils:change-theme", { theme: name });
  },
  async save() {
    const panel = await this.panel();
    await panel.context.save();
    return panel.context.path;
  },
};
"""


class Server:
    """A JupyterLab server on a free port, with a token, in directories of its own."""

    def __init__(self, home: Path) -> None:
        self.root = home / "root"
        self.token = secrets.token_hex(16)
        self._runtime = home / "runtime"
        self._write_settings(home / "settings")
        for folder in (self.root, self._runtime):
            folder.mkdir(parents=True, exist_ok=True)
        env = {
            **os.environ,
            "JUPYTER_TOKEN": self.token,
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_RUNTIME_DIR": str(self._runtime),
            "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
            "IPYTHONDIR": str(home / "ipython"),
            "PYTHONPATH": str(ROOT),
        }
        options = [
            "--no-browser", "--allow-root", "--ServerApp.port=0",
            f"--ServerApp.root_dir={self.root}",
            "--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly",
        ]  # fmt: skip
        self._log = (home / "server.log").open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env=env, stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.url = self._wait_for_url()

    def _write_settings(self, folder: Path) -> None:
        place = folder / "@jupyterlab" / "apputils-extension"
        place.mkdir(parents=True)
        for name, settings in _QUIET.items():
            (place / f"{name}.jupyterlab-settings").write_text(json.dumps(settings))

    def _wait_for_url(self) -> str:
        deadline = time.monotonic() + _START
        while time.monotonic() < deadline and self._process.poll() is None:
            for record in self._runtime.glob("jpserver-*.json"):
                try:
                    return str(json.loads(record.read_text())["url"])
                except (ValueError, KeyError):  # it is being written
                    pass
            time.sleep(0.2)
        log = Path(self._log.name).read_text()[-2000:]
        raise RuntimeError(f"JupyterLab did not start in {_START} s:\n{log}")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


class Lab:
    """One browser page on a server. `errors` and `external` are what a test asserts empty."""

    def __init__(self, server: Server, browser: Browser, pictures: Path) -> None:
        self._server, self._browser, self.pictures = server, browser, pictures
        self.page: Page
        self.errors: list[str] = []
        self.external: list[str] = []

    # ---- notebooks

    def open(self, path: str | Path) -> None:
        """Open a copy of a notebook and wait for its kernel."""
        name = f"{secrets.token_hex(4)}-{Path(path).name}"
        shutil.copy(path, self._server.root / name)
        self._visit(name)

    def new(self, *cells: str) -> None:
        """Open a new notebook of these code cells."""
        name = f"{secrets.token_hex(4)}.ipynb"
        (self._server.root / name).write_text(json.dumps(_notebook(cells)))
        self._visit(name)

    def run_all(self) -> None:
        """Run every cell and wait until the last one is done. Raises where a cell failed that is
        not meant to.
        """
        self.page.evaluate("driver.runAll()")
        if complaints := self.page.evaluate("driver.complaints()"):
            raise AssertionError("\n".join(complaints))

    def save(self) -> dict[str, Any]:
        """Save the notebook and return it as it lies on the disk."""
        path = self.page.evaluate("driver.save()")
        notebook: dict[str, Any] = json.loads((self._server.root / path).read_text())
        return notebook

    # ---- the kernel, the look

    def kernel_eval(self, expression: str) -> Any:
        """The value of a Python expression in the notebook's kernel; it must be a literal."""
        return ast.literal_eval(self.page.evaluate("(code) => driver.evaluate(code)", expression))

    def theme(self, dark: bool) -> None:
        """Switch JupyterLab to its dark or its light theme."""
        name = "JupyterLab Dark" if dark else "JupyterLab Light"
        self.page.evaluate("(name) => driver.theme(name)", name)
        self.page.wait_for_selector(f'body[data-jp-theme-name="{name}"]', state="attached")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    def screenshot(self, name: str) -> Path:
        """A picture of the page, in the folder that WORKBENCH_PICTURES names."""
        path = self.pictures / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def close(self) -> None:
        if hasattr(self, "page"):
            self.page.context.close()
            del self.page

    def _visit(self, name: str) -> None:
        self.close()
        self.errors.clear()
        self.external.clear()
        context = self._browser.new_context(
            viewport={"width": 1500, "height": 940}, reduced_motion="reduce"
        )
        context.add_init_script(_HELPERS)
        self.page = context.new_page()
        self.page.on("request", lambda request: self._note_request(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self._note_console(message.type, message.text))
        workspace = secrets.token_hex(4)
        url = f"{self._server.url}lab/workspaces/{workspace}/tree/{name}?token={self._server.token}"
        self.page.goto(url, timeout=60_000)
        self.page.evaluate("driver.ready()")

    def _note_request(self, url: str) -> None:
        if not url.startswith(
            (self._server.url, self._server.url.replace("http", "ws"), "data:", "blob:")
        ):
            self.external.append(url)

    def _note_console(self, kind: str, text: str) -> None:
        if kind == "error":
            self.errors.append(text)


def _notebook(cells: tuple[str, ...]) -> dict[str, Any]:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "cells": [
            {
                "cell_type": "code", "id": f"cell-{i}", "metadata": {}, "source": source,
                "execution_count": None, "outputs": [],
            }
            for i, source in enumerate(cells)
        ],
    }  # fmt: skip
