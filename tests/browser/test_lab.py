"""The widget in a real JupyterLab: shown, clicked, read back, in both themes, without a network.

One file, so that one worker runs one JupyterLab.
"""

from __future__ import annotations

import pytest

from tests.browser.lab import ROOT
from tests.browser.view import View

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


def test_the_graph_of_the_first_notebook(lab):
    first = opened(lab, "01_first_graph", "first")
    first.picture("first_graph")
    node = lab.kernel_eval("next(n.id for n in first.optimised if n.op == 'Loop')")
    first.click(node, pane=1)
    assert first.selected() == str(node)
    came_from = lab.kernel_eval(f"list(first.history.origins()[{node}])")
    assert len(came_from) > 10
    assert first.marked(0) == sorted(came_from)
    assert f"#{node}" in first.text(".wb-card header")
    first.picture("fused")

    first.open("Rewrites")
    steps = lab.kernel_eval("[(s.rule, s.equation) for s in first.history.steps]")
    at = next(i for i, (rule, _) in enumerate(steps, 1) if rule == "log_sigmoid")
    first.slide("Rewrite", at)
    assert first.text(".wb-where") == f"{at} / {len(steps)}"
    left, right = steps[at - 1][1].split(" → ")
    assert first.text(".wb-equation").split("\n") == [left, "→", right]
    there = set(lab.kernel_eval(f"[n.id for n in first.history.at({at})]"))
    before = first.drawn()
    assert before <= there
    first.picture("rewrites")
    first.slide("Rewrite", len(steps))
    assert first.drawn() != before
    assert lab.kernel_eval("first.widget.step") == len(steps)

    first.open("Values")
    node = lab.kernel_eval("[n.id for n in first.optimised if n.op == 'Gemv'][-1]")
    first.tab.locator(f"tr[data-key='{node}']").click()
    new_weights = "(images.T @ (0.5 - even) / len(even) * -0.1)"  # the first step, from zero
    assert first.text(".wb-card h3") == "Gemv"
    for name in ("min", "mean", "max", "std"):
        expected = lab.kernel_eval(f"float(np.{name}({new_weights}))")
        assert first.number(name) == pytest.approx(expected, rel=5e-3)
    first.picture("values")

    first.open("Profile")
    slowest = "max(first.profile.rows, key=lambda row: row.median * row.calls).node"
    assert first.attribute("tbody tr", "data-key") == str(lab.kernel_eval(slowest))
    first.picture("profile")
    assert lab.external == []
    assert lab.errors == []


def test_the_scan_of_the_second_notebook(lab):
    smooth = opened(lab, "02_stepping_a_scan", "smooth")
    assert smooth.root.get_by_role("tab", name="Scan").get_attribute("aria-selected") == "true"
    smooth.slide("Iteration", 7)
    assert lab.kernel_eval("smooth.widget.iteration") == 7
    assert smooth.text(".wb-where").startswith("t = 7")
    error = lab.kernel_eval("float(rows[7][1])")  # what NumPy computed there
    node = lab.kernel_eval(
        "next(n.id for n in smooth.traces()[0].inner if n.outputs[0].name == 'error')"
    )
    smooth.click(node)
    assert smooth.text(".wb-card h3") == "error = sub"
    assert smooth.number("value") == pytest.approx(error, rel=1e-8)
    smooth.picture("scan")
    assert lab.external == []
    assert lab.errors == []


def opened(lab, notebook, name):
    """The first view of a notebook, all of whose cells have run."""
    lab.open(ROOT / "notebooks" / f"{notebook}.ipynb")
    lab.run_all()
    return View(lab, 0, name)
