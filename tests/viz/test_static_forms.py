"""SVG, text, DOT, HTML: well formed, self-contained, deterministic; and what they must say."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from tests.viz.samples import (
    chain,
    logistic_history,
    profile_of,
    random_snapshot,
    scan_history,
    values_of,
)
from workbench.core.records import History, Node, Port, Snapshot, Value
from workbench.viz import (
    build_payload,
    export_html,
    pair_svg,
    snapshot_dot,
    snapshot_svg,
    snapshot_text,
    summary_text,
)
from workbench.viz.html import picture_html
from workbench.viz.states import compare


def test_svg_is_well_formed_and_plain():
    text = pair_svg(logistic_history(), "logreg")
    root = ET.fromstring(text)
    assert root.tag.endswith("svg")
    for forbidden in ("<style", "<script", "url(", "style=", "id=", "href"):
        assert forbidden not in text


def test_svg_says_what_became_of_nodes_and_what_is_hidden():
    text = pair_svg(logistic_history(), "logreg")
    for word in ("replaced", "fused", "constants folded", "before · 54 nodes", "after · 32 nodes"):
        assert word in text


def test_svg_draws_what_is_inside_a_loop():
    text = pair_svg(scan_history()[0], "loop")
    inside = next(node for node in scan_history()[0].first if node.inner is not None)
    assert f"inside {inside.label}" in text
    assert "to the next step" in text
    for node in inside.inner:
        assert node.kind == "constant" or node.label in text
    ET.fromstring(text)


def test_svg_says_how_many_bodies_are_left_out():
    inside = next(node for node in scan_history()[0].first if node.inner is not None)
    many = [replace(inside, id=i, inputs=()) for i in range(5)]
    text = snapshot_svg(Snapshot(tuple(many), (), (Port(0),)))
    assert text.count(">inside ") == 3
    assert "not drawn: the inside of 2 more loops" in text


def test_svg_escapes_labels():
    node = Node(0, "input", "", '<a & "b">', outputs=(Value("float64"),))
    picture = ET.fromstring(snapshot_svg(Snapshot((node,), (0,), (Port(0),))))
    assert '<a & "b">' in "".join(picture.itertext())


def test_svg_of_a_large_graph_is_collapsed_and_says_so():
    text = snapshot_svg(random_snapshot(2000, window=20), "big")
    assert "collapsed into" in text
    assert len(text) < 150_000


def test_states_come_from_the_history():
    change = compare(logistic_history())
    by_label = {node.label: change.after.get(node.id, "") for node in change.last}
    assert by_label["sqr"] == "replaced"
    assert by_label["Composite{(σ(i0) - i1) / i2}"] == "fused"
    assert by_label["sum"] == ""
    sources = {change.first[i].label for i in change.origins[70]}
    assert {"true_div", "mul"} <= sources


def test_text_writes_shared_nodes_once():
    text = snapshot_text(logistic_history().last)
    assert text.count("Gemv #68  float64") == 1
    assert text.count("Gemv #68 …") >= 1


def test_text_of_a_deep_chain_is_bounded():
    text = snapshot_text(chain(5000))
    assert "left out" in text
    assert len(text) < 60_000


def test_summary():
    assert summary_text(logistic_history()) == (
        "logreg: 54 nodes, 32 after 14 rewrites. "
        "Ops: Elemwise ×13, DimShuffle ×4, Sum ×3, Gemv ×2, Shape_i. "
        "Passes: merge 2, canonicalise 3, stabilise 3, specialise 2, blas 2, fuse 2. "
        "Refused: 2 rewrites."
    )


def test_dot_is_text_for_graphviz():
    text = snapshot_dot(logistic_history().last)
    assert text.startswith('digraph "logreg" {')
    assert text.count("->") > 20


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_dot_is_accepted():
    text = snapshot_dot(scan_history()[0].last)
    run = subprocess.run(
        ["dot", "-Tsvg"], input=text, capture_output=True, text=True, check=True, timeout=20
    )
    assert run.stderr == ""


def test_picture_html_holds_the_svg():
    tag = picture_html("<svg/>", 'a "b"')
    data = re.search(r"base64,([^\"]+)", tag).group(1)
    assert base64.b64decode(data) == b"<svg/>"
    assert 'alt="a &quot;b&quot;"' in tag


def test_export_is_one_page_without_a_network():
    history = logistic_history()
    page = export_html(
        build_payload(history, None, values_of(history.last), (), profile_of(history.last))
    )
    assert len(page) < 300_000
    assert not re.search(r"(src|href)=|https?://(?!www\.w3\.org)", page)


def test_export_survives_script_ends_in_labels():
    node = Node(0, "input", "", "</script><b>", outputs=(Value("float64"),))
    page = export_html(build_payload(History(Snapshot((node,), (0,), (Port(0),)))))
    assert page.count("</script>") == 2
