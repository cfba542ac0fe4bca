"""What the reference documents besides tensors: functions and methods with their parameters as it
writes them, attributes, other paths of the same names, and facts that are no parameter.
"""

from __future__ import annotations

from tests.reference.signatures_tensor import TENSOR

_FUNCTION = "theano.compile.Function"
_STATS = "theano.compile.profiling.ProfileStats"
_SHARED = "theano.compile.SharedVariable"
_MODE = "theano.compile.Mode"
_PROFILE_MODE = "theano.compile.profilemode.ProfileMode"

FUNCTIONS: dict[str, str] = {
    "theano.function": (
        "inputs, outputs=None, mode=None, updates=None, givens=None, no_default_updates=False, "
        "accept_inplace=False, name=None, rebuild_strict=True, allow_input_downcast=None, "
        "profile=None, on_unused_input=None"
    ),
    f"{_FUNCTION}.copy": (
        "share_memory=False, swap=None, delete_updates=False, name=None, profile=None"
    ),
    f"{_FUNCTION}.free": "",
    f"{_FUNCTION}.get_shared": "",
    "T.TensorVariable.eval": "inputs_to_values=None",
    "theano.In": (
        "variable, name=None, value=None, update=None, mutable=None, strict=False, "
        "allow_downcast=None, autoname=True, implicit=None, borrow=None, shared=False"
    ),
    "theano.Out": "variable, borrow=False",
    "theano.Param": (
        "variable, default=None, name=None, mutable=False, strict=False, allow_downcast=None, "
        "implicit=None, borrow=None"
    ),
    "theano.shared": (
        "value, name=None, strict=False, allow_downcast=None, borrow=False, broadcastable=None, "
        "target='cpu'"
    ),
    f"{_SHARED}.get_value": "borrow=False, return_internal_type=False",
    f"{_SHARED}.set_value": "new_value, borrow=False",
    f"{_SHARED}.clone": "",
    "T.sharedvar.TensorSharedVariable.zero": "",
    "theano.clone": "output, replace=None, strict=True, share_inputs=True",
}

LOOPS: dict[str, str] = {
    "theano.scan": (
        "fn, sequences=None, outputs_info=None, non_sequences=None, n_steps=None, "
        "truncate_gradient=-1, go_backwards=False, mode=None, name=None, profile=False, "
        "allow_gc=None, strict=False, return_list=False"
    ),
    "theano.map": (
        "fn, sequences, non_sequences=None, truncate_gradient=-1, go_backwards=False, mode=None, "
        "name=None"
    ),
    "theano.reduce": (
        "fn, sequences, outputs_info, non_sequences=None, go_backwards=False, mode=None, name=None"
    ),
    "theano.foldl": "fn, sequences, outputs_info, non_sequences=None, mode=None, name=None",
    "theano.foldr": "fn, sequences, outputs_info, non_sequences=None, mode=None, name=None",
    "theano.scan_module.until": "condition",
    "theano.ifelse.ifelse": "condition, then_branch, else_branch, name=None",
    "T.switch": "cond, ift, iff",
}

DERIVATIVES: dict[str, str] = {
    "theano.grad": (
        "cost, wrt, consider_constant=None, disconnected_inputs='raise', add_names=True, "
        "known_grads=None, return_disconnected='zero', null_gradients='raise'"
    ),
    "theano.gradient.jacobian": (
        "expression, wrt, consider_constant=None, disconnected_inputs='raise'"
    ),
    "theano.gradient.hessian": "cost, wrt, consider_constant=None, disconnected_inputs='raise'",
    "theano.Rop": "f, wrt, eval_points, disconnected_outputs='raise', return_disconnected='zero'",
    "theano.Lop": "f, wrt, eval_points, consider_constant=None, disconnected_inputs='raise'",
    "theano.gradient.disconnected_grad": "x",
    "theano.gradient.zero_grad": "x",
    "theano.gradient.consider_constant": "x",
    "theano.gradient.grad_clip": "x, lower_bound, upper_bound",
    "theano.gradient.grad_scale": "x, multiplier",
    "theano.gradient.verify_grad": (
        "fun, pt, n_tests=2, rng=None, eps=None, out_type=None, abs_tol=None, rel_tol=None, "
        "mode=None, cast_to_output_type=False"
    ),
}

PRINTING: dict[str, str] = {
    "theano.printing.Print": "message='', attrs=('__str__',), global_fn=None",
    "theano.pp": "x",
    "theano.printing.debugprint": (
        "obj, depth=-1, print_type=False, file=None, ids='CHAR', stop_on_name=False, done=None, "
        "print_storage=False, print_clients=False"
    ),
    "theano.printing.pydotprint": (
        "fct, outfile=None, compact=True, format='png', with_ids=False, high_contrast=True, "
        "cond_highlight=None, max_label_size=70, scan_graphs=False, var_with_name_simple=False, "
        "print_output_file=True, return_image=False"
    ),
}

MODES: dict[str, str] = {
    _MODE: "linker=None, optimizer='default'",
    f"{_MODE}.including": "*tags",
    f"{_MODE}.excluding": "*tags",
    f"{_MODE}.requiring": "*tags",
    "theano.compile.mode.get_mode": "mode",
    "theano.compile.mode.get_default_mode": "",
    "theano.compile.MonitorMode": "pre_func=None, post_func=None, optimizer='default', linker=None",
    "theano.compile.monitormode.detect_nan": "i, node, fn",
    "theano.compile.nanguardmode.NanGuardMode": (
        "nan_is_error=None, inf_is_error=None, big_is_error=None, optimizer='default', linker=None"
    ),
    "theano.compile.DebugMode": (
        "optimizer='fast_run', stability_patience=None, check_c_code=None, check_py_code=None, "
        "check_isfinite=None, check_preallocated_output=None, require_matching_strides=None"
    ),
    _PROFILE_MODE: "linker=None, optimizer='default'",
    f"{_PROFILE_MODE}.print_summary": "n_apply_to_print=15, n_ops_to_print=20",
    f"{_PROFILE_MODE}.print_diff_summary": "other, n_apply_to_print=15, n_ops_to_print=20",
}

PROFILES: dict[str, str] = {
    _STATS: "",
    **{
        f"{_STATS}.{name}": ""
        for name in (
            "reset",
            "compute_total_times",
            "class_time",
            "op_time",
            "class_callcount",
            "op_callcount",
        )
    },
    f"{_STATS}.summary": "file=None, n_ops_to_print=20, n_apply_to_print=20",
    f"{_STATS}.summary_function": "file=None",
    f"{_STATS}.summary_globals": "file=None",
    f"{_STATS}.summary_class": "file=None, N=None",
    f"{_STATS}.summary_ops": "file=None, N=None",
    f"{_STATS}.summary_nodes": "file=None, N=None",
    f"{_STATS}.summary_memory": "file=None, N=None",
    f"{_STATS}.print_tips": "file=None",
}

FILES: dict[str, str] = {
    "theano.misc.pkl_utils.dump": "obj, file_handler",
    "theano.misc.pkl_utils.load": "f",
    "theano.sandbox.cuda.basic_ops.gpu_from_host": "x",
    "theano.sandbox.cuda.basic_ops.host_from_gpu": "x",
}

SIGNATURES: dict[str, str] = {
    **FUNCTIONS,
    **LOOPS,
    **DERIVATIVES,
    **PRINTING,
    **MODES,
    **PROFILES,
    **FILES,
    **TENSOR,
}
