"""The widget in a real JupyterLab: shown, clicked, read back, in both themes, without a network."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MAKE = """
from tests.viz.samples import *
from workbench.viz import WorkbenchWidget
history, trace = scan_history()
last = history.last
def source(message):
    return {"code": f"code of {message['node']}"}
w = WorkbenchWidget(history, values_of(history.first), values_of(last), (trace,), profile_of(last),
                    title="rnn", source=source)
w
"""


def test_the_widget_lives_in_jupyterlab(lab):
    lab.new(MAKE, "1 + 1")
    lab.run_all()
    page = lab.page
    page.locator(".wb-root").wait_for()
    page.get_by_role("option", name="hs[-1] (kept)").click()
    assert lab.kernel_eval("w.selected") == "9"
    page.get_by_role("button", name="Fetch the generated code").click()
    page.get_by_text("code of 9").wait_for()
    page.get_by_role("tab", name="Scan").click()
    page.get_by_role("button", name="Jump to the first iteration").click()
    assert lab.kernel_eval("(w.tab, w.iteration)") == ("scan", 34)
    page.locator(".wb-tab:not([hidden]) canvas.wb-canvas").focus()
    page.keyboard.press("b")
    assert page.locator(".jp-CodeCell").count() == 2
    lab.screenshot("lab-scan-light")
    light = page.locator(".wb-root").evaluate("(el) => getComputedStyle(el).backgroundColor")
    lab.theme(dark=True)
    dark = page.locator(".wb-root").evaluate("(el) => getComputedStyle(el).backgroundColor")
    assert light != dark
    lab.screenshot("lab-scan-dark")
    assert lab.external == []
    assert lab.errors == []


def test_the_kernel_drives_the_view(lab):
    lab.new(MAKE, "w.tab = 'rewrites'; w.step = 1")
    lab.run_all()
    lab.page.locator(".wb-equation").wait_for()
    assert lab.page.locator(".wb-where").first.inner_text() == "1 / 1"
    data = lab.save()["cells"][0]["outputs"][0]["data"]
    assert sum(len(str(value)) for value in data.values()) < 200_000
    assert data["text/html"][0].startswith("<img alt=")
