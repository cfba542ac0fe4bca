"""Which old name is which of ours: for every old module a table, and a module of ours whose names
are all there, too.

A target is 'module:name', or a module. What needs another signature is in `adapters/`.
"""

from __future__ import annotations

from workbench.tensor.constructors import LETTERS, SHAPES

Table = tuple[dict[str, str], str]


def _same(module: str, *names: str) -> dict[str, str]:
    """These names, as they are, from one module."""
    return {name: f"{module}:{name}" for name in names}


_WB, _T = "workbench", "workbench.tensor"
_HERE = "workbench.theano.adapters."

_DERIVATIVES = _same(_WB, "grad", "Lop", "Rop", "jacobian", "hessian")
_LOOPS = _same(_WB, "scan", "map", "reduce", "foldl", "foldr", "scan_checkpoints")
_PARAMETERS = {**_same(_WB, "In", "Out"), **_same(f"{_HERE}functions", "Param")}
_SHARED = {
    **_same(_WB, "shared"),
    "SharedVariable": "workbench.core.shared:SharedVariable",
    "TensorSharedVariable": "workbench.core.shared:TensorSharedVariable",
}
_GRAPH = _same("workbench.core.graph", "Apply", "Constant", "Op", "Type", "Variable")
_MODES = {
    **_same(_WB, "Mode"),
    **_same("workbench.core.modes", "get_mode"),
    **_same(f"{_HERE}modes", "get_default_mode", "predefined_modes", "FAST_RUN", "FAST_COMPILE"),
}
_DEBUG_MODES = _same(_WB, "DebugMode", "MonitorMode", "NanGuardMode", "ProfileMode")
_LINKERS = _same(
    f"{_HERE}modes", "CLinker", "OpWiseCLinker", "DualLinker", "PerformLinker", "VM_Linker"
)
_DEBUG_ERRORS = _same(
    "workbench.core.debug.errors",
    "DebugModeError",
    "BadThunkOutput",
    "BadDestroyMap",
    "BadViewMap",
    "BadOptimization",
    "InvalidValueError",
    "StochasticOrder",
)
_ERRORS = {
    "MissingInputError": "workbench.errors:MissingInputError",
    "UnusedInputError": "workbench.errors:UnusedInputError",
}
_GRADIENT = {
    **_DERIVATIVES,
    **_same(
        "workbench.core.ops.gradient_control",
        "consider_constant",
        "disconnected_grad",
        "grad_clip",
        "grad_scale",
        "zero_grad",
    ),
    "verify_grad": "workbench.core.verify:verify_grad",
    "GradientError": "workbench.errors:GradientError",
    "DisconnectedInputError": "workbench.errors:DisconnectedInputError",
    "NullTypeGradError": "workbench.errors:NullGradientError",
}
_PRINTING = {
    **_same(_WB, "pp", "debugprint", "Print"),
    "pprint": "workbench:pp",
    "pydotprint": "workbench.printing:pydotprint",
}
_DRAWS = _same(
    f"{_HERE}raw_random",
    *("uniform", "normal", "binomial", "poisson", "random_integers", "permutation"),
    *("multinomial", "choice", "shuffle", "random_state_type"),
)
_RANDOM = _same("workbench.tensor.random", "RandomStreams", "RandomStateSharedVariable")
_MRG = _same(f"{_HERE}streams", "MRG_RandomStreams")

_INPLACE = {
    f"{name}_inplace": f"{_T}:{name}"
    for name in (
        *("add", "sub", "mul", "true_div", "floor_div", "mod", "maximum", "minimum", "neg"),
        *("exp", "expm1", "log", "log2", "log10", "log1p", "sqrt", "sqr", "floor", "ceil"),
        *("sin", "cos", "tan", "sinh", "cosh", "tanh", "erf", "sigmoid", "softplus", "second"),
    )
}
_ELEMWISE = {
    "Elemwise": "workbench.theano.adapters.ops:Elemwise",
    "DimShuffle": "workbench.core.ops.shape:DimShuffle",
    "Sum": "workbench.core.ops.reduce:Sum",
    "Prod": "workbench.core.ops.reduce:Prod",
    "All": "workbench.core.ops.reduce:All",
    "Any": "workbench.core.ops.reduce:Any_",
}
_VARIABLES = {
    **_same("workbench.core.variable", "TensorVariable", "TensorConstant"),
    "TensorType": "workbench.core.types:TensorType",
    "TensorSharedVariable": "workbench.core.shared:TensorSharedVariable",
    "Dot": "workbench.core.ops.dot:Dot",
    "Alloc": "workbench.core.ops.alloc:Alloc",
    "Join": "workbench.core.ops.join:Join",
    "Reshape": "workbench.core.ops.shape:Reshape",
    "ARange": "workbench.core.ops.create:ARange",
    "Eye": "workbench.core.ops.create:Eye",
    "Argmax": "workbench.core.ops.positions:Argmax",
}
_TYPES = _same(
    f"{_HERE}types",
    *(f"{letter}{word}" for letter in LETTERS if letter for word in SHAPES),
)
_INDEXING = {
    "Subtensor": "workbench.core.ops.index:Subtensor",
    "IncSubtensor": "workbench.core.ops.index:IncSubtensor",
    "AdvancedSubtensor": "workbench.core.ops.index:AdvancedSubtensor",
    "AdvancedIncSubtensor": "workbench.core.ops.index:AdvancedIncSubtensor",
    "AdvancedSubtensor1": "workbench.core.ops.index:AdvancedSubtensor",
    "AdvancedIncSubtensor1": "workbench.core.ops.index:AdvancedIncSubtensor",
    **_same(f"{_HERE}older", "set_subtensor", "inc_subtensor"),
    **_same(f"{_HERE}renamed", "take"),
}
_BLAS = {
    **_same("workbench.core.ops.dot", "Gemv", "Gemm", "Ger", "Dot"),
    **_same(_T, "batched_dot", "batched_tensordot"),
}
_OLDER = f"{_HERE}older"
_RENAMED = _same(
    f"{_HERE}renamed",
    *("sum", "prod", "mean", "var", "std", "max_and_argmax", "ptp", "nonzero", "nonzero_values"),
    *("diagonal", "take", "allclose", "isclose", "shape_padleft", "shape_padright"),
    *("shape_padaxis", "tril", "triu", "as_tensor_variable", "constant", "clip", "tri"),
    *("swapaxes", "concatenate", "specify_shape", "fill_diagonal", "fill_diagonal_offset"),
    *("sort", "argsort"),
)
_CONVERSIONS = dict.fromkeys(
    ("cpu_contiguous", "tensor_from_scalar", "scalar_from_tensor"), f"{_OLDER}:as_it_is"
)
_EXTRA = {
    **_RENAMED,
    **_same(_OLDER, "Unique", "bartlett"),
    "cpu_contiguous": _CONVERSIONS["cpu_contiguous"],
    "to_one_hot": "workbench.tensor.nnet:to_one_hot",
}
_TENSOR_ALIASES = {
    **_RENAMED,
    **_CONVERSIONS,
    **_same(
        _OLDER,
        *("ones_like", "zeros_like", "tensor", "round", "iround", "ceil_intdiv", "set_subtensor"),
        *("inc_subtensor", "choose", "transfer", "stacklists", "get_vector_length", "is_flat"),
        *("inverse_permutation", "permute_row_elements"),
    ),
    "abs_": f"{_T}:absolute",
    "inv": f"{_T}:reciprocal",
    "round_half_to_even": f"{_T}:rint",
    "tri_gamma": f"{_T}:trigamma",
    "to_one_hot": "workbench.tensor.nnet:to_one_hot",
    "sgn": f"{_T}:sign",
    "int_div": f"{_T}:floor_div",
    "fill": f"{_T}:second",
    "as_tensor": f"{_HERE}renamed:as_tensor_variable",
    "bitwise_and": f"{_T}:and_",
    "bitwise_or": f"{_T}:or_",
    "bitwise_xor": f"{_T}:xor",
    "bitwise_not": f"{_T}:invert",
    "largest": f"{_T}:maximum",
    "smallest": f"{_T}:minimum",
    "_shared": "workbench:shared",
    **_same(
        f"{_HERE}tensors",
        "flatten",
        "stack",
        "conj",
        "all_dtypes",
        "int_dtypes",
        "uint_dtypes",
        "float_dtypes",
        "complex_dtypes",
        "discrete_dtypes",
        "continuous_dtypes",
        "horizontal_stack",
        "vertical_stack",
        "NotScalarConstantError",
        "EmptyConstantError",
        "AsTensorError",
        "get_scalar_constant_value",
    ),
}
_TENSOR = {
    **_VARIABLES,
    **_TYPES,
    **_ELEMWISE,
    **_INDEXING,
    **_TENSOR_ALIASES,
    **_DERIVATIVES,
    **_same("workbench.core.ops.gradient_control", "consider_constant"),
    "verify_grad": _GRADIENT["verify_grad"],
    "nnet": "workbench.theano.tensor.nnet",
    "random": "workbench.theano.tensor.shared_randomstreams",
    "patternbroadcast": f"{_HERE}tensors:patternbroadcast",
}
_CONV = _same(f"{_HERE}networks", "conv2d", "get_conv_output_shape")
_NNET = {
    **_CONV,
    **_same(f"{_HERE}renamed", "softmax", "logsoftmax"),
    **_same(
        f"{_HERE}networks",
        "h_softmax",
        "prepend_scalar_to_each_row",
        "prepend_0_to_each_row",
        "prepend_1_to_each_row",
    ),
    "softmax_graph": f"{_HERE}renamed:softmax",
    "softmax_op": f"{_HERE}renamed:softmax",
    "scalar_sigmoid": "workbench.tensor.nnet:sigmoid",
    "logsumexp": f"{_T}:logsumexp",
}
_POOL = {
    "pool_2d": f"{_HERE}networks:pool_2d",
    "max_pool_2d": f"{_HERE}networks:max_pool_2d",
    "pool_3d": f"{_HERE}networks:pool_3d",
    "max_pool_2d_same_size": "workbench.tensor.nnet:max_pool_2d_same_size",
}
_NEIGHBOURS = _same("workbench.tensor.nnet", "images2neibs", "neibs2images")
_NLINALG = {
    "matrix_inverse": "workbench.tensor.linalg:inv",
    "extract_diag": f"{_T}:diagonal",
    "diag": f"{_T}:diag",
    "alloc_diag": f"{_T}:diag",
    **_same(f"{_HERE}renamed", "trace", "matrix_power"),
    **_same(
        f"{_HERE}algebra",
        *("tensorsolve", "MatrixInverse", "MatrixPinv", "Det", "Eig", "Eigh", "QRFull"),
        *("SVD", "ExtractDiag"),
    ),
}
_SLINALG = _same(
    f"{_HERE}algebra",
    *("solve_symmetric", "Solve", "Cholesky", "eigvalsh", "Eigvalsh", "Expm"),
)
_ALGEBRA = {**_NLINALG, **_SLINALG}
_DEVICES = {
    **_same(f"{_HERE}devices", "gpu_from_host", "host_from_gpu", "use", "cuda_available"),
    **_same("workbench.core.ops.transfer", "GpuFromHost", "HostFromGpu"),
}
_NANGUARD = {"NanGuardMode": "workbench:NanGuardMode"}
_COMPILE = {
    **_PARAMETERS,
    **_MODES,
    **_DEBUG_MODES,
    **_SHARED,
    **_ERRORS,
    "function": f"{_HERE}functions:function",
    "Function": "workbench:Function",
    "ProfileStats": "workbench:ProfileStats",
    "ViewOp": "workbench.core.ops.gradient_control:GradientControl",
}
_GOF = {**_GRAPH, **_LINKERS, **_ERRORS, "FunctionGraph": "workbench.core.function:FunctionGraph"}
_SCAN_UTILS = {"until": "workbench:until", **_same("workbench.core.graph", "Variable")}
_CHECKPOINTS = {"scan_checkpoints": "workbench:scan_checkpoints"}
_UPDATES = {"OrderedUpdates": "workbench.core.scan.updates:OrderedUpdates"}

_ARRAYS = {"_asarray": f"{_HERE}rest:as_array"}

MODULES: dict[str, Table] = {
    "": (
        {
            **_DERIVATIVES,
            **_LOOPS,
            **_PARAMETERS,
            **_SHARED,
            **_GRAPH,
            **_MODES,
            **_DEBUG_MODES,
            **_UPDATES,
            **_same(_WB, "pp", "clone"),
            **_ARRAYS,
            **_same(f"{_HERE}own_functions", "as_op"),
            "function": f"{_HERE}functions:function",
            "config": f"{_WB}:config",
            "dot": f"{_T}:dot",
            "pprint": "workbench:pp",
            "verify_grad": _GRADIENT["verify_grad"],
            "subgraph_grad": "workbench.core.subgraph:subgraph_grad",
            "sparse": f"{_HERE}rest:sparse",
            "Module": f"{_HERE}rest:Module",
        },
        "",
    ),
    "compile": (_COMPILE, ""),
    "compile.mode": (_MODES, ""),
    "compile.debugmode": ({**_DEBUG_ERRORS, **_same(_WB, "DebugMode")}, ""),
    "compile.monitormode": (
        {**_same(_WB, "MonitorMode"), "detect_nan": "workbench.core.debug.monitor:detect_nan"},
        "",
    ),
    "compile.nanguardmode": (_NANGUARD, ""),
    "compile.profilemode": (_same(_WB, "ProfileMode"), ""),
    "compile.profiling": (_same(_WB, "ProfileStats"), ""),
    "compile.io": (_PARAMETERS, ""),
    "compile.ops": (
        {
            **_same(f"{_HERE}own_functions", "as_op"),
            "FromFunctionOp": f"{_HERE}own_functions:FromFunction",
            **_same(_T, "shape", "specify_shape"),
        },
        "",
    ),
    "compile.pfunc": ({**_PARAMETERS, "pfunc": f"{_HERE}functions:function"}, ""),
    "compile.function": ({"function": f"{_HERE}functions:function"}, ""),
    "compile.function_module": (
        {
            "Function": "workbench:Function",
            **_same("workbench.errors", "UnusedInputError"),
            **_same("workbench.core.function_pickle", "AliasedMemoryError"),
        },
        "",
    ),
    "compile.sharedvalue": (_SHARED, ""),
    "compile.builders": (_same(f"{_HERE}graphs", "OpFromGraph"), ""),
    "configparser": (_same(f"{_HERE}modes", "change_flags"), ""),
    "d3viz": (_same(f"{_HERE}rest", "d3viz"), ""),
    "gof": (_GOF, ""),
    "gof.graph": (
        {
            **_GRAPH,
            "inputs": "workbench.core.graph:leaves",
            "ancestors": f"{_HERE}graphs:ancestors",
            "io_toposort": f"{_HERE}graphs:io_toposort",
            "clone": f"{_WB}:clone",
        },
        "",
    ),
    "gof.fg": ({**_ERRORS, "FunctionGraph": _GOF["FunctionGraph"]}, ""),
    "gof.vm": (_LINKERS, ""),
    "gof.link": (_LINKERS, ""),
    "gof.cc": (_LINKERS, ""),
    "gradient": (_GRADIENT, ""),
    "ifelse": ({"ifelse": "workbench:ifelse", "IfElse": "workbench.core.ops.branches:IfElse"}, ""),
    "misc": ({}, ""),
    "misc.safe_asarray": (_ARRAYS, ""),
    "misc.pkl_utils": (_same(f"{_HERE}rest", "dump", "load"), ""),
    "printing": (_PRINTING, ""),
    "sandbox": ({}, ""),
    "sandbox.cuda": (_DEVICES, ""),
    "sandbox.cuda.basic_ops": (_DEVICES, ""),
    "sandbox.gpuarray": (_DEVICES, ""),
    "sandbox.gpuarray.basic_ops": (_DEVICES, ""),
    "sandbox.linalg": (_ALGEBRA, "workbench.tensor.linalg"),
    "sandbox.linalg.ops": (_ALGEBRA, "workbench.tensor.linalg"),
    "sandbox.neighbours": (_NEIGHBOURS, ""),
    "sandbox.rng_mrg": (_MRG, ""),
    "sandbox.softsign": (_same("workbench.tensor.nnet", "softsign"), ""),
    "gpuarray": (_DEVICES, ""),
    "gpuarray.basic_ops": (_DEVICES, ""),
    "scan_module": (
        {**_LOOPS, **_SCAN_UTILS, **_CHECKPOINTS, **_UPDATES},
        "",
    ),
    "scan_module.scan": (_same(_WB, "scan"), ""),
    "scan_module.scan_op": ({"Scan": "workbench.core.scan.op:Scan"}, ""),
    "scan_module.scan_utils": ({**_SCAN_UTILS, "clone": f"{_WB}:clone"}, ""),
    "scan_module.scan_views": (_same(_WB, "map", "reduce", "foldl", "foldr"), ""),
    "scan_module.scan_checkpoints": (_CHECKPOINTS, ""),
    "tensor": (_TENSOR, _T),
    "tensor.basic": (_TENSOR, _T),
    "tensor.blas": (_BLAS, ""),
    "tensor.blas_c": ({"CGemv": "workbench.core.ops.dot:Gemv"}, ""),
    "tensor.elemwise": (_ELEMWISE, ""),
    "tensor.extra_ops": (_EXTRA, _T),
    "tensor.inplace": (_INPLACE, ""),
    "tensor.nlinalg": (_NLINALG, "workbench.tensor.linalg"),
    "tensor.nnet": (_NNET, "workbench.tensor.nnet"),
    "tensor.nnet.bn": ({}, "workbench.tensor.nnet"),
    "tensor.nnet.conv": ({"conv2d": f"{_HERE}networks:conv2d"}, ""),
    "tensor.nnet.abstract_conv": (_CONV, "workbench.tensor.nnet"),
    "tensor.nnet.conv3d2d": ({"conv3d": f"{_HERE}networks:conv3d2d"}, ""),
    "tensor.nnet.neighbours": (_NEIGHBOURS, ""),
    "tensor.nnet.nnet": (_NNET, "workbench.tensor.nnet"),
    "tensor.nnet.sigm": (_NNET, "workbench.tensor.nnet"),
    "tensor.opt": (_same(f"{_HERE}graphs", "Assert", "assert_op"), ""),
    "tensor.raw_random": ({**_RANDOM, **_DRAWS}, ""),
    "tensor.shared_randomstreams": (_RANDOM, ""),
    "tensor.sharedvar": (_SHARED, ""),
    "tensor.signal": ({}, ""),
    "tensor.signal.conv": ({"conv2d": f"{_HERE}networks:signal_conv2d"}, ""),
    "tensor.signal.downsample": (_POOL, ""),
    "tensor.signal.pool": (_POOL, ""),
    "tensor.slinalg": (_SLINALG, "workbench.tensor.linalg"),
    "tensor.sort": (
        {
            **_same(f"{_HERE}renamed", "sort", "argsort"),
            **_same(_T, "topk", "argtopk", "topk_and_argtopk"),
        },
        "",
    ),
    "tensor.subtensor": (_INDEXING, ""),
    "tensor.type": ({**_VARIABLES, **_TYPES}, ""),
    "tensor.var": (_VARIABLES, ""),
    "updates": (_UPDATES, ""),
}
