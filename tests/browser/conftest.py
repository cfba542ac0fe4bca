"""Fixtures of the browser tests: `show` is a bare page with the widget, `lab` a JupyterLab."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any  # JSON

import pytest

sync_api = pytest.importorskip("playwright.sync_api")

from tests.browser.lab import Lab, Server  # noqa: E402
from workbench.viz import assets  # noqa: E402

Show = Callable[..., Any]

# A model as AFM promises one, and no more: get, set, on, off, save_changes, send.
_MODEL = """
async ([esm, css, payload, state, answers, apart]) => {
  document.head.append(document.createElement("style"));
  document.head.lastChild.textContent = css;
  const heard = {};
  const chosen = { selected: "", tab: payload.view, step: 0, iteration: 0, error: "" };
  window.traits = { payload, ...chosen, ...state };
  window.sent = [];
  window.model = {
    get: (name) => traits[name],
    set: (name, value) => {
      traits[name] = value;
      tell("change:" + name);
    },
    on: (name, hear) => (heard[name] ||= []).push(hear),
    off: (name, hear) => (heard[name] = heard[name].filter((one) => one !== hear)),
    save_changes: () => {},
    send: (message) => {
      sent.push(message);
      const answer = answers[message.kind];
      if (answer) setTimeout(() => tell("msg:custom", { ...answer, ask: message.ask }));
    },
  };
  const tell = (name, ...what) => (heard[name] || []).slice().forEach((hear) => hear(...what));
  window.listeners = () => Object.values(heard).reduce((sum, list) => sum + list.length, 0);
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  const { default: widget } = await import(url);
  const el = document.getElementById("view");
  if (apart) el.remove();
  window.dispose = await widget.render({ model, el });
  if (apart) document.body.append(el);
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
}
"""


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: the folder that WORKBENCH_PICTURES names, else a temporary one."""
    given = os.environ.get("WORKBENCH_PICTURES")
    folder = Path(given) if given else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def show(browser: Any) -> Iterator[Show]:
    """`show(payload)` is a page with the widget on it; page errors fail the test at its end.

    apart  the widget is rendered before it is part of the page, as outputs out of sight are
    """
    contexts, errors = [], []

    def open_page(
        payload: dict,
        dark: bool = False,
        answers: dict | None = None,
        apart: bool = False,
        **state: Any,
    ) -> Any:
        context = browser.new_context(
            viewport={"width": 1300, "height": 720},
            reduced_motion="reduce",
            color_scheme="dark" if dark else "light",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda m: m.type == "error" and errors.append(m.text))
        page.set_content('<!doctype html><div id="view"></div>')
        payload = json.loads(json.dumps(payload))
        page.evaluate(_MODEL, [assets.esm(), assets.css(), payload, state, answers or {}, apart])
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="session")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    pytest.importorskip("jupyterlab")
    server = Server(tmp_path_factory.mktemp("lab"))
    yield server
    server.stop()


@pytest.fixture
def lab(server: Server, browser: Any, pictures: Path) -> Iterator[Lab]:
    """A JupyterLab to drive; see `tests/browser/lab.py`."""
    lab = Lab(server, browser, pictures)
    yield lab
    lab.close()
