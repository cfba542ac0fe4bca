"""The widget's module in a browser with a model of fifteen lines: tabs, choice, keyboard."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.pace import slowness
from tests.viz.samples import (
    device_profile_of,
    logistic_history,
    profile_of,
    random_snapshot,
    scan_history,
    values_of,
)
from workbench.core.records import History, Port, Step
from workbench.viz import build_payload, export_html

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def logreg():
    history = logistic_history()
    last = history.last
    return build_payload(
        history, values_of(history.first), values_of(last), (), profile_of(last), source=dict
    )


@pytest.fixture(scope="module")
def rnn():
    history, trace = scan_history()
    return build_payload(history, None, values_of(history.last), (trace,), profile_of(history.last))


def pick(page, text):
    page.get_by_role("listbox", name="Nodes").get_by_role("option", name=text).first.click()


def ink(page, index=0):
    """How many different colours a canvas shows: more than one when something is drawn."""
    return page.evaluate(
        """async (index) => {
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        const canvas = document.querySelectorAll("canvas.wb-canvas")[index];
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        const seen = new Set();
        for (let i = 0; i < data.length; i += 4) seen.add(data.subarray(i, i + 3).join());
        return seen.size;
    }""",
        index,
    )


def test_both_graphs_are_drawn(show, logreg):
    page = show(logreg)
    assert ink(page, 0) > 20
    assert ink(page, 1) > 20
    assert "54 → 32 nodes · 14 rewrites" in page.locator(".wb-title").inner_text()
    assert "11 constants folded" in page.locator(".wb-caption").first.inner_text()


def test_choosing_shows_the_card_and_reaches_the_kernel(show, logreg):
    page = show(logreg)
    pick(page, "Composite{y")
    assert page.evaluate("traits.selected") == "71"
    card = page.locator(".wb-card").first
    assert "Came from" in card.text_content()
    assert "fuse_map_map" in card.text_content()
    assert "Cell 3" not in card.text_content()
    card.get_by_role("button", name="log", exact=True).first.click()
    assert page.evaluate("traits.selected") in {"19", "24"}
    assert "Cell 3:7" in page.locator(".wb-card").first.text_content()


def test_the_kernel_can_choose(show, logreg):
    page = show(logreg)
    page.evaluate("model.set('selected', '68')")
    assert page.locator(".wb-card h3").first.inner_text() == "Gemv"
    page.evaluate("model.set('tab', 'values')")
    assert page.get_by_role("tab", name="Values").get_attribute("aria-selected") == "true"


def test_a_click_on_the_canvas_chooses(show, rnn):
    page = show(rnn)
    canvas = page.locator("canvas.wb-canvas").first
    box = canvas.bounding_box()
    for y in range(60, int(box["height"]), 20):
        canvas.click(position={"x": box["width"] / 2 - 40, "y": y})
        if page.evaluate("traits.selected"):
            break
    assert page.evaluate("traits.selected")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("op:gemv", 2),
        ("op:dot dtype:float64", 0),
        ("time:>0", 23),
        ("state:fused", 2),
        ("Composite -y·", 1),
    ],
)
def test_search(show, logreg, query, count):
    page = show(logreg)
    page.get_by_role("searchbox", name="Search nodes").fill(query)
    assert page.locator(".wb-count").inner_text().startswith(f"{count} node")


def test_arrows_walk_along_edges(show, rnn):
    page = show(rnn)
    page.evaluate("model.set('selected', '6')")
    page.locator("canvas.wb-canvas").first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("traits.selected") in {"7", "8", "9"}
    page.keyboard.press("ArrowUp")
    assert page.evaluate("traits.selected") == "6"
    page.keyboard.press("Escape")
    assert page.evaluate("traits.selected") == ""


def test_keys_do_not_leak_to_the_host(show, rnn):
    page = show(rnn)
    page.evaluate(
        "window.leaked = []; document.addEventListener('keydown', (e) => leaked.push(e.key))"
    )
    page.locator("canvas.wb-canvas").first.focus()
    for key in ("b", "ArrowDown", "Enter", "Escape", "Tab"):
        page.keyboard.press(key)
    assert page.evaluate("leaked") == ["Escape", "Tab"]


def test_upstream(show, logreg):
    page = show(logreg)
    pick(page, "sqr")
    page.get_by_role("button", name="Highlight: ↑ Upstream").click()
    assert (
        page.get_by_role("button", name="Highlight: ↑ Upstream").get_attribute("aria-pressed")
        == "true"
    )


def test_a_scan_opens_in_place(show, rnn):
    page = show(rnn)
    pick(page, "scan")
    before = ink(page)
    page.get_by_role("button", name="Show or hide the inner graph").click()
    assert page.locator(".wb-card").first.get_by_text("Close the inside").count() == 1
    assert ink(page) != before


def test_a_large_graph_opens_collapsed_and_says_so(show):
    page = show(build_payload(History(random_snapshot(2000, window=20))))
    assert "closed groups" in page.locator(".wb-caption").first.inner_text()
    page.get_by_role("button", name="Expand or collapse all groups").click()
    assert "closed groups" not in page.locator(".wb-caption").first.inner_text()


def test_rewrites(show, logreg):
    page = show(logreg, tab="rewrites")
    page.get_by_role("option", name="log_sigmoid").click()
    assert page.evaluate("traits.step") == 6
    assert "-softplus(-x)" in page.locator(".wb-equation").first.inner_text()
    assert "log(sigmoid" in page.locator(".wb-diff").inner_text()
    page.get_by_role("button", name="Next rewrite").click()
    assert page.locator(".wb-where").first.inner_text() == "7 / 14"
    assert "Nothing to do: dead_code, inplace" in page.locator(".wb-steps").inner_text()
    page.get_by_role("searchbox", name="Search rules").fill("gemv")
    assert page.locator(".wb-steps [role=option]").count() == 3


def test_refused_rewrites_have_their_reason(show, logreg):
    page = show(logreg, tab="rewrites")
    page.get_by_text("2 refused rewrites").click()
    assert "the sign of xent is not known" in page.locator(".wb-refused").inner_text()


def test_a_step_is_quick(show, logreg):
    page = show(logreg, tab="rewrites")
    slowest = page.evaluate(
        """async () => {
        let worst = 0;
        for (let i = 0; i <= 14; i++) {
          const start = performance.now();
          model.set("step", i);
          worst = Math.max(worst, performance.now() - start);
          await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        }
        return worst;
    }"""
    )
    assert slowest < 50


def test_a_step_of_a_large_graph_is_quick(show):
    page = show(build_payload(rewritten(2000, 400)), tab="rewrites")
    spent = page.evaluate(
        """async () => {
        const times = [];
        for (const step of [400, 1, 200, 201, 399, 37, 260, 0, 330]) {
          const start = performance.now();
          model.set("step", step);
          await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
          times.push(performance.now() - start);
        }
        return times.sort((a, b) => a - b);
    }"""
    )
    assert spent[len(spent) // 2] < 100  # 50 ms on a quiet machine; this one is shared


def rewritten(count, steps):
    """A graph in which every third or so node is replaced, one by one."""
    first = random_snapshot(count, window=20)
    chosen = [node for node in first if node.inputs][-steps:]
    made = tuple(
        Step(
            "stabilise", "rename", "f(x) → g(x)", removed=(node.id,),
            added=(replace(node, id=count + i, label="better"),),
            replaced=((Port(node.id), Port(count + i)),),
        )
        for i, node in enumerate(chosen)
    )  # fmt: skip
    return History(first, made)


def test_the_rewrites_of_a_body_are_stepped_in_place(show):
    history, trace = scan_history()
    inner = History(trace.inner, (Step("fusion", "nothing", "x → x"),))
    step = Step("scan", "compile_body", "scan(f) → scan(optimised f)", inner=inner)
    page = show(build_payload(History(history.first, (*history.steps, step))), tab="rewrites")
    page.get_by_role("option", name="compile_body").click()
    page.get_by_role("button", name="Step through the rewrites of the loop's body").click()
    page.get_by_role("option", name="nothing").click()
    assert page.locator(".wb-where:visible").inner_text() == "1 / 1"
    page.get_by_role("button", name="Back to the rewrites of the graph").click()
    assert page.locator(".wb-where:visible").inner_text().endswith("2 / 2")


def test_a_tag_leads_to_its_source(show):
    page = show(build_payload(History(random_snapshot(200, long=0.3))))
    place = page.evaluate("""async () => {
        const stage = document.querySelector(".wb-stage").stage;
        const box = stage.view.boxes.find((box) => box.chips.some((chip) => chip[3] & 1));
        stage.reveal(box.key);
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        const { x, y, k } = stage.camera, [tag] = box.tags;
        return [(tag.x + tag.w / 2) * k + x, tag.y * k + y, String(tag.node)];
    }""")
    page.locator("canvas.wb-canvas").first.click(position={"x": place[0], "y": place[1]})
    assert page.evaluate("traits.selected") == place[2]


def test_values_sort_and_choose(show, logreg):
    page = show(logreg, tab="values")
    table = page.get_by_role("table", name="Values, after")
    table.get_by_role("button", name="max").click()
    column = [float(text) for text in table.locator("tbody tr td:nth-child(6)").all_inner_texts()]
    assert column == sorted(column, reverse=True)
    table.get_by_text("Gemv").first.click()
    assert page.locator(".wb-card svg.wb-histogram").last.is_visible()


def test_slices_and_code_are_asked_for(show, logreg):
    answers = {
        "slice": {"data": [[1, -2], [None, 4]], "note": "rows 0:2"},
        "code": {"code": "ret void"},
    }
    page = show(logreg, answers=answers)
    pick(page, "Composite{y")
    page.get_by_role("button", name="Fetch a slice of the tensor").click()
    page.locator(".wb-heat").wait_for()
    page.get_by_role("button", name="Fetch the generated code").click()
    page.get_by_text("ret void").wait_for()
    assert [message["kind"] for message in page.evaluate("sent")] == ["slice", "code"]


def test_scan_steps_and_finds_the_first_nan(show, rnn):
    page = show(rnn, tab="scan")
    page.get_by_role("button", name="Next iteration").click()
    assert page.evaluate("traits.iteration") == 1
    page.get_by_role("button", name="Jump to the first iteration").click()
    assert page.evaluate("traits.iteration") == 34
    assert page.locator(".wb-tab:not([hidden]) .wb-card h3").inner_text() == "x_t"
    assert "4 nans" in page.locator(".wb-tab:not([hidden]) .wb-card").inner_text()


def test_profile_by_class_op_and_apply(show, rnn):
    page = show(rnn, tab="profile")
    assert re.search("↳ [^\n]*tanh", page.get_by_role("table").inner_text())
    page.get_by_role("button", name="Rows: Class").click()
    assert "Scan" in page.get_by_role("table").inner_text()
    assert page.get_by_role("img", name="Compile stages").is_visible()


def test_profile_of_a_device(show):
    """The processor beside the device, each node's verdict when it is chosen, and a timeline."""
    history = logistic_history()
    profile = device_profile_of(history.last)
    page = show(build_payload(history, None, None, (), profile), tab="profile")
    head = page.get_by_role("table").locator("thead").inner_text()
    assert all(word in head for word in ("device", "launch", "cpu", "pays off"))
    node = str(profile.verdicts[1].node)
    page.locator(f"tr[data-key='{node}']").click()
    assert "too little work" in page.get_by_role("status").inner_text()
    (bus, kernels) = page.locator(".wb-lane").all()
    assert bus.get_attribute("aria-label").startswith("cuda0 bus: busy 8 µs of")
    assert kernels.locator(".wb-span").count() == len(profile.spans) - 1
    kernels.locator(".wb-span").first.click()
    assert page.evaluate("traits.selected") == str(profile.spans[1].node)


def test_without_values_scan_or_profile_the_tabs_say_so(show):
    page = show(build_payload(History(random_snapshot(12))))
    for tab, text in (
        ("Values", "No values"),
        ("Scan", "No loop"),
        ("Profile", "Nothing was timed"),
    ):
        page.get_by_role("tab", name=tab).click()
        assert text in page.locator(".wb-tab:not([hidden]) .wb-hint").first.inner_text()


def test_dark_and_light_differ(show, logreg):
    backgrounds = {
        show(logreg, dark=dark)
        .locator(".wb-root")
        .evaluate("(el) => getComputedStyle(el).backgroundColor")
        for dark in (True, False)
    }
    assert len(backgrounds) == 2


def test_text_is_readable_at_first_paint(show, logreg):
    page = show(logreg)
    sizes = page.evaluate(
        "[...document.querySelectorAll('.wb-root *')]"
        ".filter((e) => e.textContent && !e.children.length)"
        ".map((e) => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 9


def test_disposal_leaves_no_listener(show, logreg):
    page = show(logreg)
    page.evaluate("dispose()")
    assert page.evaluate("listeners()") == 0


def test_errors_are_shown(show, logreg):
    page = show(logreg)
    page.evaluate("model.set('error', 'KeyError: no such node')")
    assert page.get_by_role("alert").inner_text() == "KeyError: no such node"


def test_first_paint_is_quick(browser, tmp_path):
    for count, bar in (
        (300, 0.6),
        (2000, 1.0),
    ):
        path = tmp_path / f"{count}.html"
        path.write_text(export_html(build_payload(History(random_snapshot(count, window=20)))))
        page = browser.new_page()
        page.goto(path.as_uri())
        page.wait_for_selector(".wb-canvas")
        spent = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        page.close()
        assert spent < 1000 * bar * slowness()


def test_the_exported_page_works_from_disk(browser, tmp_path, logreg):
    path = tmp_path / "page.html"
    path.write_text(export_html(logreg))
    page = browser.new_page()
    outside = []
    page.on("request", lambda r: r.url.startswith("http") and outside.append(r.url))
    page.goto(path.as_uri())
    page.get_by_role("tab", name="Rewrites").click()
    page.get_by_role("button", name="Next rewrite").click()
    assert page.locator(".wb-where").first.inner_text() == "1 / 14"
    page.close()
    assert outside == []


def test_an_output_that_was_out_of_sight_has_its_colours(show, logreg):
    wanted = ink(show(logreg))
    page = show(logreg, apart=True)
    page.locator("canvas.wb-canvas").first.wait_for()
    assert ink(page) == pytest.approx(wanted, rel=0.1)


@pytest.fixture(scope="module")
def choice():
    import workbench as wb
    import workbench.tensor as T

    a, x = T.dscalar("a"), T.dvector("x")
    seen = wb.inspect(wb.ifelse(a > 0, T.exp(x).sum(), T.log(x).prod()), values={a: 1.0, x: [1, 2]})
    return seen.widget.payload


def test_a_choice_opens_in_place_and_tells_what_did_not_run(show, choice):
    page = show(choice)
    pick(page, "ifelse")
    page.get_by_role("button", name="Show or hide the inner graph").click()
    told = page.evaluate(
        """() => {
        const { view, hooks } = document.querySelectorAll(".wb-stage")[1].stage;
        const within = view.boxes.filter((box) => box.key.includes("/"));
        return within.map((box) => [box.key, box.branches, box.outs, hooks.look(box).note || ""]);
    }"""
    )
    (ran,) = (box for box in told if box[2] == [0])
    (left,) = (box for box in told if box[2] == [1])
    assert (ran[1], ran[3]) == (1, "")
    assert (left[1], left[3]) == (1, "not run")
    page.evaluate("(key) => model.set('selected', key)", ran[0])
    page.get_by_text("value", exact=True).first.wait_for()
    page.evaluate("(key) => model.set('selected', key)", left[0])
    page.get_by_text("not run: the other branch was taken").wait_for()
