"""One widget in a notebook, as a reader of the page sees it: its tabs, its canvases, its cards."""

from __future__ import annotations

from typing import Any  # a Playwright locator

from tests.browser.lab import Lab

# The box of a node on a canvas, from the canvas' corner, brought into sight.
_PLACE = """(stage, key) => { stage.stage.reveal(key); return stage.stage.locate(key); }"""
_MARKED = """(root, side) => {
  const canvas = root.querySelectorAll("canvas.wb-canvas")[side];
  return (canvas.dataset.marked || "").split(" ").filter(Boolean).map(Number);
}"""
# A range input moves as a hand moves it: its value, then the event.
_SLIDE = """(slider, value) => {
  slider.value = value;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
}"""


class View:
    """The widget number `index` of the notebook that `lab` shows, for the kernel's `name`."""

    def __init__(self, lab: Lab, index: int, name: str) -> None:
        self.lab = lab
        self.name = name
        self.root = lab.page.locator(".wb-root").nth(index)
        self.root.wait_for()

    @property
    def tab(self) -> Any:
        """What the chosen tab shows."""
        return self.root.locator(".wb-tab:not([hidden])")

    def open(self, tab: str) -> None:
        self.root.get_by_role("tab", name=tab, exact=True).click()

    def slide(self, label: str, value: int) -> None:
        self.tab.get_by_role("slider", name=label, exact=True).evaluate(_SLIDE, value)

    def click(self, key: str | int, pane: int = 0) -> None:
        """Click a node on the canvas."""
        stage = self.tab.locator(".wb-stage").nth(pane)
        stage.scroll_into_view_if_needed()
        x, y = stage.evaluate(_PLACE, str(key))
        stage.locator("canvas.wb-canvas").click(position={"x": x, "y": y})

    def selected(self) -> str:
        """The chosen node, as the kernel knows it."""
        return str(self.lab.kernel_eval(f"{self.name}.widget.selected"))

    def marked(self, pane: int) -> list[int]:
        """The nodes that are marked in a pane because they belong to the chosen one."""
        return sorted(self.root.evaluate(_MARKED, pane))

    def drawn(self) -> set[int]:
        """The nodes that the first pane of the tab draws."""
        keys = "(stage) => stage.stage.view.boxes.map((box) => box.id)"
        return set(self.tab.locator(".wb-stage").first.evaluate(keys))

    def text(self, selector: str) -> str:
        return str(self.tab.locator(selector).first.inner_text())

    def attribute(self, selector: str, name: str) -> str:
        return str(self.tab.locator(selector).first.get_attribute(name))

    def number(self, label: str) -> float:
        """A number of the value card: its min, mean, max or std."""
        cell = self.tab.locator(".wb-numbers > div").filter(has_text=label).first
        return float(cell.locator("b").inner_text().replace("−", "-"))

    def picture(self, name: str) -> None:
        """The widget in a PNG of that name, in the light and in the dark."""
        for dark, suffix in ((False, ""), (True, "_dark")):
            self.lab.theme(dark)
            self.root.scroll_into_view_if_needed()
            self.root.screenshot(path=self.lab.pictures / f"{name}{suffix}.png", scale="css")
        self.lab.theme(dark=False)
