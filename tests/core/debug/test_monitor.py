"""MonitorMode calls the user's functions around every node."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.debug.monitor import MonitorMode, detect_nan

x = T.dscalar("x")


def test_inputs_and_outputs_of_every_node():
    seen = []
    mode = MonitorMode(
        pre_func=lambda i, node, fn: seen.append((i, node, [v[0] for v in fn.inputs], fn.outputs)),
        post_func=lambda i, node, fn: seen.append((i, node, [v[0] for v in fn.outputs])),
    )
    f = wb.function([x], [5 * x], mode=mode)
    assert f(3) == [15]
    (node,) = f.maker.fgraph.toposort()
    assert [item[:2] for item in seen] == [(0, node), (0, node)]
    assert sorted(map(float, seen[0][2])) == [3, 5]
    assert seen[0][3] == [[None]]
    assert seen[1][2] == [15]


def test_positions_are_those_of_the_toposort():
    seen = []
    mode = MonitorMode(post_func=lambda i, node, fn: seen.append((i, node)), optimizer=None)
    f = wb.function([x], T.exp(T.tanh(x) - x), mode=mode)
    f(1.0)
    assert seen == list(enumerate(f.maker.fgraph.toposort()))
    assert [node.op.label for _, node in seen] == ["tanh", "sub", "exp"]


def test_passes_can_be_left_out_and_added():
    seen = []
    mode = MonitorMode(post_func=lambda i, node, fn: seen.append(node.op.label))
    f = wb.function([x], T.tanh(x) + 1, mode=mode.excluding("fusion"))
    f(1.0)
    assert sorted(seen) == ["add", "tanh"]
    seen.clear()
    wb.function([x], T.tanh(x) + 1, mode=mode.excluding("fusion").including("fusion"))(1.0)
    assert seen == ["fused"]


def test_a_loop_is_one_node():
    seen = []
    mode = MonitorMode(post_func=lambda i, node, fn: seen.append((i, type(node.op).__name__)))
    v = T.dvector("v")
    f = wb.function([v], wb.scan(lambda a, b: T.tanh(a + b), v, T.constant(0.0))[0][-1], mode=mode)
    f([1.0, 2.0])
    assert [i for i, _ in seen] == list(range(len(f.maker.fgraph.toposort())))
    assert [kind for _, kind in seen].count("Scan") == 1


def test_an_error_of_the_users_function_is_not_hidden():
    def stop(i, node, fn):
        raise KeyError("mine")

    f = wb.function([x], 5 * x, mode=MonitorMode(post_func=stop))
    with pytest.raises(KeyError, match="mine"):
        f(1.0)


def test_detect_nan_prints_the_node(capsys):
    f = wb.function([x], T.log(x) * 2, mode=MonitorMode(post_func=detect_nan).excluding("fusion"))
    f(1.0)
    assert capsys.readouterr().out == ""
    assert np.isnan(f(-1.0))
    shown = capsys.readouterr().out
    assert "*** NaN detected ***" in shown
    assert "Elemwise{log,no_inplace} [id A]" in shown
    assert "Inputs : [array(-1.)]" in shown
    assert "Outputs: [array(nan)]" in shown
