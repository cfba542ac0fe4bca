"""A plan as one native program: the table from op to emitter, and the frame around the nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from workbench.core.devices import plugin
from workbench.core.graph import Apply, Op, Variable, is_shared, leaves, toposort
from workbench.core.native import emit_blas, emit_index, emit_loops, emit_shape
from workbench.core.native.abi import load_input
from workbench.core.native.blas import set_threads_address
from workbench.core.native.emit_scan import emit_scan
from workbench.core.native.runtime import INTERRUPTED, NO_MEMORY
from workbench.core.native.spec import ArraySpec, EntrySpec
from workbench.core.native.ssa import Type
from workbench.core.native.target import NoNativeForm, Target
from workbench.core.native.tensor import Name, register_tensor
from workbench.core.native.writer import RELEASE_ABOVE, Destination, Emitter, Writer, native_type
from workbench.core.ops import (
    alloc,
    create,
    dot,
    elementwise,
    gradient_control,
    index,
    join,
    loop,
    nnet,
    reduce,
    shape,
)
from workbench.core.scan.op import Scan
from workbench.core.shared import SharedVariable
from workbench.core.types import TensorType, tensor_type
from workbench.frozen import frozen


def emit_expanded(w: Writer, node: Apply) -> None:
    """An op that says itself how simpler ones make it: those are written in its place."""
    stand_in = node.inputs[0].clone()
    w.tensors[stand_in] = replace(w.tensor(node.inputs[0]), buffer=None)
    expanded = node.op.expand(stand_in)  # type: ignore[attr-defined]  # the ops in the table have it
    w.write_nodes(toposort([expanded], stop=[stand_in]), [expanded])
    w.bind(node.out, w.tensor(expanded))
    w.lives.drop(w.tensor(expanded), w.depth)


EMITTERS: dict[type[Op], Emitter] = {
    elementwise.Elemwise: emit_loops.emit_elemwise,
    loop.Loop: emit_loops.emit_loop,
    **dict.fromkeys(
        (reduce.Sum, reduce.Prod, reduce.Max, reduce.Peak, reduce.Min, reduce.All, reduce.Any_),
        emit_loops.emit_reduce,
    ),
    shape.Dimension: emit_shape.emit_dimension,
    shape.MakeVector: emit_shape.emit_make_vector,
    shape.DimShuffle: emit_shape.emit_dimshuffle,
    shape.Reshape: emit_shape.emit_reshape,
    alloc.Alloc: emit_shape.emit_alloc,
    join.Join: emit_shape.emit_join,
    shape.SpecifyBroadcast: emit_shape.emit_specify,
    gradient_control.GradientControl: emit_shape.emit_same,
    create.ARange: emit_shape.emit_arange,
    create.Eye: emit_shape.emit_eye,
    index.Subtensor: emit_index.emit_subtensor,
    index.IncSubtensor: emit_index.emit_inc_subtensor,
    index.AdvancedSubtensor: emit_index.emit_advanced_subtensor,
    index.AdvancedIncSubtensor: emit_index.emit_advanced_inc_subtensor,
    nnet.Softmax: emit_expanded,
    nnet.LogSoftmax: emit_expanded,
    dot.Dot: emit_blas.emit_dot,
    dot.Gemv: emit_blas.emit_gemv,
    dot.Gemm: emit_blas.emit_gemm,
    dot.Ger: emit_blas.emit_ger,
    Scan: emit_scan,
}


# Families of ops that most programs do not have: their emitters are in the `EMITTERS` of a module
# that is imported with the first such node. From a file under core/ops to one beside this.
FAMILIES = {
    "solve": "emit_solve",
    "exponential": "emit_solve",
    "pseudoinverse": "emit_solve",
    "decompose": "emit_decompose",
    "lu": "emit_decompose",
    "lu_factor": "emit_lu_factor",
    "batched": "emit_batched",
    "sorting": "emit_sorting",
    "cumulative": "emit_cumulative",
    "checks": "emit_checks",
    "diagonals": "emit_diagonals",
    "positions": "emit_positions",
    "windows": "emit_windows",
    "convolution": "emit_convolution",
    "pool": "emit_pool",
    "random": "emit_random",
    "random_rows": "emit_random",
    "mrg": "emit_mrg",
    "philox": "emit_philox",
    "branches": "emit_branches",
}


def emitter_of(op: Op) -> Emitter:
    """What writes the op. Raises NoNativeForm where nothing does."""
    kind = type(op)
    if kind not in EMITTERS:
        family = FAMILIES.get(kind.__module__.removeprefix("workbench.core.ops."))
        if family is not None:
            EMITTERS.update(import_module(f"workbench.core.native.{family}").EMITTERS)
        elif module := getattr(kind, "emitters", ""):
            EMITTERS.update(import_module(module).EMITTERS)
    emitter = EMITTERS.get(kind)
    if emitter is None:
        raise NoNativeForm(str(op), "any dtype")
    return emitter


@frozen
class Program:
    """The text of `i32 @program(ptr)`, what its entry must know, and the nodes that its results
    name.

    `failed[k - 1]` is the node at which a program stopped that returned k. A timed program counts,
    for each node of `timed` (with the outermost node that holds it), nanoseconds and runs in
    `@wb.times`.
    """

    text: str
    spec: EntrySpec
    shared: tuple[SharedVariable, ...]
    failed: tuple[Apply, ...]
    timed: tuple[tuple[Apply, Apply | None], ...] = ()
    parts: Any = None  # Any: what the devices need, which stand above


def write_program(
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    updates: Sequence[tuple[SharedVariable, Variable]],
    target: Target,
    *,
    single: bool = False,
    timed: bool = False,
    blas_threads: int = 0,
    strict: Sequence[bool] = (),
    writer: type[Writer] = Writer,
) -> Program:
    """The program of a graph. Raises NoNativeForm for what has none.

    timed         it counts what each node takes
    blas_threads  how many threads BLAS may use while it runs; 0 leaves the library's own number
    strict        for each input whether it takes arrays only, no Python float
    writer        what writes it: another one where there are devices
    """
    results = [*outputs, *(new for _, new in updates)]
    shared = _shared(results, inputs, updates)
    w = writer(target, emitter_of, timed)
    _write_inputs(w, [*inputs, *shared])
    later = _place_results(w, results, len(outputs))
    nodes = toposort(results, stop=inputs)
    for variable in (v for node in nodes for v in node.outputs):
        native_type(variable, target)
    w.write_nodes(nodes, results)
    for variable, destination in later:
        w.destinations[variable] = destination
        w.bind(variable, w.tensor(variable))
    spec = EntrySpec(
        tuple(
            _array_spec(v, takes_floats=not exact)
            for v, exact in zip(inputs, strict or [False] * len(inputs), strict=True)
        ),
        tuple(_array_spec(v) for v in shared),
        len(outputs),
        tuple(shared.index(target) for target, _ in updates),
        w.n_slots,
        returns_list=not single,
        exclusive=w.is_exclusive,
    )
    return Program(
        _text(w, blas_threads),
        spec,
        tuple(shared),
        tuple(w.failed),
        tuple(w.timed_nodes),
        w.parts(),
    )


def _shared(
    results: Sequence[Variable],
    inputs: Sequence[Variable],
    updates: Sequence[tuple[SharedVariable, Variable]],
) -> list[SharedVariable]:
    """The shared variables that are read, then those that are only written."""
    found = [v for v in leaves(results, stop=inputs) if is_shared(v) and v not in inputs]
    found += [target for target, _ in updates if target not in found]
    return found  # type: ignore[return-value]  # is_shared says so


def _array_spec(variable: Variable, takes_floats: bool = False) -> ArraySpec:
    """What the entry checks. A Python float is exactly a float64 scalar."""
    t = tensor_type(variable)
    floats = takes_floats and t == TensorType("float64")
    device = None if t.device == "cpu" else plugin().spec(t.device)
    return ArraySpec(t.dtype, t.ndim, t.shape, floats, device)


def _write_inputs(w: Writer, variables: Sequence[Variable]) -> None:
    """Addresses and dimensions of what the program is given; scalars are read at once. Much data:
    the GIL is given up.
    """
    total: Name = "0"
    for k, v in enumerate(variables):
        t = native_type(v, w.target)
        prefix = f"%input{k}"
        w.code.lines.append(load_input(k, prefix))
        dims: list[Name] = []
        for axis, known in enumerate(t.shape):
            if known is not None:
                dims.append(str(known))
                continue
            at = w.code.put(Type("ptr"), f"getelementptr i64, ptr {prefix}.dims, i64 {axis}").name
            dims.append(w.code.put(Type("i64"), f"load i64, ptr {at}").name)
        tensor = w.array(t.dtype, dims, f"{prefix}.data", device=t.device)
        if t.ndim == 0 and t.device == "cpu":
            w.tensors[v] = register_tensor(t.dtype, w.scalar(tensor).name)
            continue
        w.tensors[v] = tensor
        total = w.integer("add", total, w.multiply(*dims))
    if total != "0":
        _release_if(w, w.compare("sgt", total, str(RELEASE_ABOVE)))


def _release_if(w: Writer, condition: Name) -> None:
    much, go_on = w.label("much"), w.label("start")
    w.code.line(f"br i1 {condition}, label %{much}, label %{go_on}")
    w.start_block(much)
    w.code.line("call void @wb.release(ptr %ctx)")
    w.code.line(f"br label %{go_on}")
    w.start_block(go_on)


def _place_results(
    w: Writer, results: Sequence[Variable], n_outputs: int
) -> list[tuple[Variable, Destination]]:
    """Say where results are to be written; those that no node makes, or that are there already, are
    copied later.
    """
    later: list[tuple[Variable, Destination]] = []
    for i, v in enumerate(results):
        destination = (
            Destination("output", i) if i < n_outputs else Destination("update", i - n_outputs)
        )
        if v.owner is None or v in w.tensors or v in w.destinations:
            later.append((v, destination))
        else:
            w.destinations[v] = destination
    return later


_WITH_THREADS = """define internal i32 @program(ptr %ctx) noinline optnone nounwind {{
  %before = call i32 @blas.get_num_threads()
  call void @blas.set_num_threads(i32 {count})
  %result = call i32 @{body}(ptr %ctx)
  call void @blas.set_num_threads(i32 %before)
  ret i32 %result
}}"""


def _text(w: Writer, blas_threads: int) -> str:
    ending = w.ending()
    limited = w.has_blas and blas_threads > 0 and set_threads_address() is not None
    body = "limited" if limited else "program"
    times = (
        [f"@wb.times = global [{2 * len(w.timed_nodes)} x i64] zeroinitializer"] if w.timed else []
    )
    quick = "" if w.has_loops else "noinline optnone "  # straight code runs once: compile it fast
    lines = [
        *times,
        *w.globals,
        *w.functions,
        f"define internal i32 @{body}(ptr %ctx) {quick}nounwind {{",
        "entry:",
        *w.allocas,
        "  br label %begin",
        "begin:",
        *w.code.lines,
        *ending,
        "  ret i32 0",
        "no.memory:",
        f"  ret i32 {NO_MEMORY}",
        "interrupted:",
        f"  ret i32 {INTERRUPTED}",
        *w.failures,
        "}",
        *([_WITH_THREADS.format(count=blas_threads, body=body)] if limited else []),
    ]
    return "\n".join(lines) + "\n"
