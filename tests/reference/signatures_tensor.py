"""Tensors: the functions that the reference documents, with their parameters as it writes them."""

from __future__ import annotations

LETTERS = ("", *"bwilfdcz")
RANKS = ("scalar", "vector", "row", "col", "matrix", "tensor3", "tensor4", "tensor5")
PLURALS = {rank: "matrices" if rank == "matrix" else f"{rank}s" for rank in RANKS}

UNARY = (
    "abs_ exp exp2 expm1 neg inv log log2 log10 log1p sgn ceil floor trunc round iround "
    "round_half_to_even round_half_away_from_zero sqr sqrt deg2rad rad2deg cos arccos sin arcsin "
    "tan arctan cosh arccosh sinh arcsinh tanh arctanh erf erfc erfcx erfinv erfcinv gamma "
    "gammaln psi tri_gamma j0 j1 i0 i1 real imag angle conj invert bitwise_not isnan isinf "
    "identity_like flatnonzero"
)
BINARY = (
    "lt gt le ge eq neq and_ or_ xor bitwise_and bitwise_or bitwise_xor add sub mul true_div "
    "int_div floor_div mod pow power maximum minimum largest smallest arctan2 ceil_intdiv fill "
    "chi2sf gammainc gammaincc gammau gammal jv iv outer complex_from_polar"
)
METHODS_OF_ONE = (
    "arccos arccosh arcsin arcsinh arctan arctanh ceil cos cosh deg2rad exp exp2 expm1 floor log "
    "log10 log1p log2 rad2deg sin sinh sqrt tan tanh trunc"
)

_REDUCED = "x, axis=None, keepdims=False"
_TOPK = "x, kth, axis=-1, sorted=True, idx_dtype='int64'"
_SORT = "a, axis=-1, kind='quicksort', order=None"
_LIKE = "model, dtype=None, opt=False"
_CLOSE = "a, b, rtol=1e-05, atol=1e-08, equal_nan=False"

BASIC: dict[str, str] = {
    "T.as_tensor_variable": "x, name=None, ndim=None",
    "T.constant": "x, name=None, ndim=None, dtype=None",
    "T.get_scalar_constant_value": "variable",
    "T.tensor": "dtype, broadcastable, name=None",
    "T.TensorType": "dtype, broadcastable",
    "T.cast": "x, dtype",
    "T.sum": "input, axis=None, dtype=None, keepdims=False, acc_dtype=None",
    "T.prod": "input, axis=None, dtype=None, keepdims=False, acc_dtype=None, "
    "no_zeros_in_input=False",
    "T.mean": "input, axis=None, dtype=None, op=False, keepdims=False, acc_dtype=None",
    "T.var": "input, axis=None, ddof=0, keepdims=False, corrected=False",
    "T.std": "input, axis=None, ddof=0, keepdims=False, corrected=False",
    "T.max": _REDUCED,
    "T.min": _REDUCED,
    "T.argmax": _REDUCED,
    "T.argmin": _REDUCED,
    "T.any": _REDUCED,
    "T.all": _REDUCED,
    "T.max_and_argmax": "a, axis=None, keepdims=False",
    "T.ptp": "a, axis=None",
    "T.allclose": _CLOSE,
    "T.isclose": _CLOSE,
    "T.switch": "cond, ift, iff",
    "T.where": "cond, ift, iff",
    "T.clip": "x, min, max",
    "T.divmod": "x, y",
    "T.cov": "m, y=None, rowvar=True, bias=False, ddof=None",
    "T.complex": "real, imag",
    "T.ones_like": _LIKE,
    "T.zeros_like": _LIKE,
    "T.zeros": "shape, dtype=None",
    "T.ones": "shape, dtype=None",
    "T.eye": "n, m=None, k=0, dtype=None",
    "T.tri": "N, M=None, k=0, dtype=None",
    "T.tril": "m, k=0",
    "T.triu": "m, k=0",
    "T.alloc": "val, *shape",
    "T.arange": "start, stop=None, step=1, dtype=None",
    "T.nonzero": "a, return_matrix=False",
    "T.nonzero_values": "a",
    "T.transfer": "var, target",
    "T.transpose": "x, axes=None",
    "T.swapaxes": "y, axis1, axis2",
    "T.dot": "a, b",
    "T.batched_dot": "a, b",
    "T.batched_tensordot": "x, y, axes=2",
    "T.tensordot": "a, b, axes=2",
    "T.split": "x, splits_size, n_splits, axis=0",
    "T.join": "axis, *tensors_list",
    "T.concatenate": "tensor_list, axis=0",
    "T.stack": "tensors, axis=0",
    "T.stacklists": "arg",
    "T.horizontal_stack": "*args",
    "T.vertical_stack": "*args",
    "T.roll": "x, shift, axis=None",
    "T.tile": "x, reps, ndim=None",
    "T.reshape": "x, newshape, ndim=None",
    "T.flatten": "x, ndim=None, outdim=None",
    "T.is_flat": "var, ndim=None, outdim=None",
    "T.addbroadcast": "x, *axes",
    "T.unbroadcast": "x, *axes",
    "T.patternbroadcast": "x, broadcastable",
    "T.shape_padleft": "t, n_ones=1",
    "T.shape_padright": "t, n_ones=1",
    "T.shape_padaxis": "t, axis",
    "T.shape": "x",
    "T.specify_shape": "x, shape",
    "T.get_vector_length": "v",
    "T.diagonal": "a, offset=0, axis1=0, axis2=1",
    "T.diag": "v, k=0",
    "T.choose": "a, choices, out=None, mode='raise'",
    "T.take": "a, indices, axis=None, mode='raise'",
    "T.set_subtensor": "x, y, inplace=False, tolerate_inplace_aliasing=False",
    "T.inc_subtensor": "x, y, inplace=False, set_instead_of_inc=False, "
    "tolerate_inplace_aliasing=False",
    "theano.compile.ops.as_op": "itypes, otypes, infer_shape=None",
    "T.permute_row_elements": "x, y, inverse=0",
    "T.inverse_permutation": "perm",
}

EXTRA: dict[str, str] = {
    "T.extra_ops.searchsorted": "x, v, side='left', sorter=None",
    "T.extra_ops.cumsum": "x, axis=None",
    "T.extra_ops.cumprod": "x, axis=None",
    "T.extra_ops.diff": "x, n=1, axis=-1",
    "T.extra_ops.bincount": "x, weights=None, minlength=None, assert_nonneg=False",
    "T.extra_ops.squeeze": "x",
    "T.extra_ops.compress": "condition, x, axis=None",
    "T.extra_ops.repeat": "x, repeats, axis=None",
    "T.extra_ops.bartlett": "M",
    "T.extra_ops.fill_diagonal": "a, val",
    "T.extra_ops.fill_diagonal_offset": "a, val, offset",
    "T.extra_ops.to_one_hot": "y, nb_class, dtype=None",
    "T.extra_ops.unravel_index": "indices, dims, order='C'",
    "T.extra_ops.ravel_multi_index": "multi_index, dims, mode='raise', order='C'",
    "T.extra_ops.Unique": "return_index=False, return_inverse=False, return_counts=False",
    "T.sort.sort": _SORT,
    "T.sort.argsort": _SORT,
    "T.sort.topk": _TOPK,
    "T.sort.argtopk": _TOPK,
    "T.sort.topk_and_argtopk": _TOPK,
}

METHODS: dict[str, str] = {
    "transpose": "*axes",
    "reshape": "shape, ndim=None",
    "dimshuffle": "*pattern",
    "flatten": "ndim=1",
    "ravel": "",
    "diagonal": "offset=0, axis1=0, axis2=1",
    "transfer": "target",
    "astype": "dtype",
    "take": "indices, axis=None, mode='raise'",
    "dot": "other",
    "sum": "axis=None, dtype=None, keepdims=False, acc_dtype=None",
    "prod": "axis=None, dtype=None, keepdims=False, acc_dtype=None",
    "mean": "axis=None, dtype=None, keepdims=False, acc_dtype=None",
    "var": "axis=None, ddof=0, keepdims=False, corrected=False",
    "std": "axis=None, ddof=0, keepdims=False, corrected=False",
    **dict.fromkeys(("max", "min", "argmax", "argmin", "any", "all"), "axis=None, keepdims=False"),
    "norm": "L, axis=None, keepdims=False",
    "trace": "",
    "nonzero": "return_matrix=False",
    "nonzero_values": "",
    "sort": "axis=-1, kind='quicksort', order=None",
    "argsort": "axis=-1, kind='quicksort', order=None",
    "clip": "low, high",
    "conj": "",
    "repeat": "repeats, axis=None",
    "round": "mode=None",
    "cumsum": "axis=None",
    "cumprod": "axis=None",
    "searchsorted": "v, side='left', sorter=None",
    "ptp": "axis=None",
    "swapaxes": "axis1, axis2",
    "fill": "value",
    "choose": "choices, mode='raise'",
    "squeeze": "",
    "compress": "condition, axis=None",
    "zeros_like": "dtype=None",
    "ones_like": "dtype=None",
    **dict.fromkeys(METHODS_OF_ONE.split(), ""),
}
"""Methods of variables, with what they take beside the variable."""


_CONVOLVED = (
    "filter_shape=None, border_mode='valid', subsample=(1, 1), filter_flip=True, "
    "filter_dilation=(1, 1), num_groups=1"
)
NETWORKS: dict[str, str] = {
    "softmax": "c",
    "logsoftmax": "c",
    "softmax_with_bias": "x, b",
    "sigmoid": "x",
    "ultra_fast_sigmoid": "x",
    "hard_sigmoid": "x",
    "softplus": "x",
    "softsign": "x",
    "relu": "x, alpha=0",
    "elu": "x, alpha=1",
    "selu": "x",
    "binary_crossentropy": "output, target",
    "sigmoid_binary_crossentropy": "output, target",
    "categorical_crossentropy": "coding_dist, true_dist",
    "crossentropy_softmax_1hot": "x, y_idx",
    "crossentropy_softmax_1hot_with_bias": "x, b, y_idx",
    "crossentropy_softmax_argmax_1hot_with_bias": "x, b, y_idx",
    "prepend_0_to_each_row": "mat",
    "prepend_1_to_each_row": "mat",
    "prepend_scalar_to_each_row": "val, mat",
    "confusion_matrix": "actual, pred",
    "h_softmax": "x, batch_size, n_outputs, n_classes, n_outputs_per_class, W1, b1, W2, b2, "
    "target=None",
    "conv2d": "input, filters, input_shape=None, filter_shape=None, border_mode='valid', "
    "subsample=(1, 1), filter_flip=True, image_shape=None, filter_dilation=(1, 1), num_groups=1, "
    "unshared=False",
    "conv2d_transpose": "input, filters, output_shape, filter_shape=None, border_mode='valid', "
    "input_dilation=(1, 1), filter_flip=True, filter_dilation=(1, 1), num_groups=1",
    "conv3d": "input, filters, input_shape=None, filter_shape=None, border_mode='valid', "
    "subsample=(1, 1, 1), filter_flip=True, filter_dilation=(1, 1, 1), num_groups=1",
    "abstract_conv.conv2d_grad_wrt_inputs": "output_grad, filters, input_shape, " + _CONVOLVED,
    "abstract_conv.conv2d_grad_wrt_weights": "input, output_grad, filter_shape, "
    "input_shape=None, " + _CONVOLVED.replace("filter_shape=None, ", ""),
    "abstract_conv.get_conv_output_shape": "image_shape, kernel_shape, border_mode, subsample, "
    "filter_dilation=None",
    "conv3d2d.conv3d": "signals, filters, signals_shape=None, filters_shape=None, "
    "border_mode='valid'",
    "batch_normalization": "inputs, gamma, beta, mean, std, mode='low_mem'",
    "bn.batch_normalization_train": "inputs, gamma, beta, axes='per-activation', epsilon=1e-4, "
    "running_average_factor=0.1, running_mean=None, running_var=None",
    "bn.batch_normalization_test": "inputs, gamma, beta, mean, var, axes='per-activation', "
    "epsilon=1e-4",
    "neighbours.images2neibs": "ten4, neib_shape, neib_step=None, mode='valid'",
    "neighbours.neibs2images": "neibs, neib_shape, original_shape, mode='valid'",
}

_POOLED = "ignore_border=None, stride=None, pad={}, mode='max', ds=None, st=None, padding=None"
SIGNAL: dict[str, str] = {
    "T.signal.pool.pool_2d": "input, ws=None, " + _POOLED.format((0, 0)),
    "T.signal.pool.pool_3d": "input, ws=None, " + _POOLED.format((0, 0, 0)),
    "T.signal.pool.max_pool_2d_same_size": "input, patch_size",
    "T.signal.downsample.max_pool_2d": "input, ds, ignore_border=None, st=None, padding=(0, 0), "
    "mode='max'",
    "T.signal.conv.conv2d": "input, filters, image_shape=None, filter_shape=None, "
    "border_mode='valid', subsample=(1, 1)",
}

ALGEBRA: dict[str, str] = {
    "T.nlinalg.pinv": "a",
    "T.nlinalg.matrix_inverse": "a",
    "T.nlinalg.matrix_dot": "*args",
    "T.nlinalg.alloc_diag": "",
    "T.nlinalg.extract_diag": "",
    "T.nlinalg.diag": "",
    "T.nlinalg.trace": "X",
    "T.nlinalg.det": "a",
    "T.nlinalg.eig": "a",
    "T.nlinalg.eigh": "a, UPLO='L'",
    "T.nlinalg.qr": "a, mode='reduced'",
    "T.nlinalg.svd": "a, full_matrices=1, compute_uv=1",
    "T.nlinalg.lstsq": "a, b, rcond",
    "T.nlinalg.matrix_power": "M, n",
    "T.nlinalg.norm": "x, ord",
    "T.nlinalg.tensorinv": "a, ind=2",
    "T.nlinalg.tensorsolve": "a, b, axes=None",
    "T.nlinalg.MatrixInverse": "",
    "T.nlinalg.MatrixPinv": "",
    "T.nlinalg.Det": "",
    "T.nlinalg.Eig": "",
    "T.nlinalg.ExtractDiag": "",
    "T.nlinalg.Eigh": "UPLO='L'",
    "T.nlinalg.QRFull": "mode='reduced'",
    "T.nlinalg.SVD": "full_matrices=True, compute_uv=True",
    "T.slinalg.Solve": "A_structure='general'",
    "T.slinalg.Cholesky": "lower=True",
    "T.slinalg.Eigvalsh": "lower=True",
    "T.slinalg.Expm": "",
    "T.slinalg.cholesky": "a",
    "T.slinalg.solve": "a, b",
    "T.slinalg.solve_lower_triangular": "a, b",
    "T.slinalg.solve_upper_triangular": "a, b",
    "T.slinalg.solve_symmetric": "a, b",
    "T.slinalg.eigvalsh": "a, b, lower=True",
    "T.slinalg.kron": "a, b",
    "T.slinalg.expm": "a",
}

DRAWS = (
    "uniform",
    "normal",
    "binomial",
    "poisson",
    "random_integers",
    "permutation",
    "multinomial",
    "choice",
)
_STREAMS = "theano.tensor.shared_randomstreams.RandomStreams"
_MRG = "theano.sandbox.rng_mrg.MRG_RandomStreams"
RANDOM: dict[str, str] = {
    _STREAMS: "seed=None",
    f"{_STREAMS}.uniform": "size=None, low=0.0, high=1.0, ndim=None, dtype=None",
    f"{_STREAMS}.normal": "size=None, avg=0.0, std=1.0, ndim=None, dtype=None",
    f"{_STREAMS}.binomial": "size=None, n=1, p=0.5, ndim=None, dtype='int64', prob=None",
    f"{_STREAMS}.random_integers": "size=None, low=0, high=1, ndim=None, dtype='int64'",
    f"{_STREAMS}.poisson": "size=None, lam=1.0, ndim=None, dtype='int64'",
    f"{_STREAMS}.choice": "size=None, a=2, replace=True, p=None, ndim=None, dtype='int64'",
    f"{_STREAMS}.permutation": "size=None, n=1, ndim=None, dtype='int64'",
    f"{_STREAMS}.multinomial": "size=None, n=1, pvals=[0.5, 0.5], ndim=None, dtype='int64'",
    f"{_STREAMS}.shuffle_row_elements": "input",
    f"{_STREAMS}.seed": "seed=None",
    f"{_STREAMS}.updates": "",
    f"{_STREAMS}.gen": "op, *args, **kwargs",
    **{f"T.raw_random.{name}": "random_state" for name in DRAWS},
    _MRG: "seed=12345, use_cuda=None",
    f"{_MRG}.uniform": "size, low=0.0, high=1.0, ndim=None, dtype=None, nstreams=None",
    f"{_MRG}.normal": "size, avg=0.0, std=1.0, ndim=None, dtype=None, nstreams=None, "
    "truncate=False",
    f"{_MRG}.truncated_normal": "size, avg=0.0, std=1.0, ndim=None, dtype=None, nstreams=None",
    f"{_MRG}.binomial": "size=None, n=1, p=0.5, ndim=None, dtype='int64', nstreams=None, prob=None",
    f"{_MRG}.multinomial": "size=None, n=1, pvals=None, ndim=None, dtype='int64', nstreams=None",
    f"{_MRG}.multinomial_wo_replacement": "size=None, n=1, pvals=None, ndim=None, "
    "dtype='int64', nstreams=None",
    f"{_MRG}.choice": "size=1, a=None, replace=True, p=None, ndim=None, dtype='int64', "
    "nstreams=None",
    f"{_MRG}.seed": "seed=None",
    f"{_MRG}.updates": "",
    f"{_MRG}.set_rstate": "seed",
    f"{_MRG}.inc_rstate": "",
    f"{_MRG}.get_substream_rstates": "n_streams, dtype, inc_rstate=True",
}

TENSOR: dict[str, str] = {
    **{f"T.{letter}{rank}": "name=None" for letter in LETTERS for rank in RANKS},
    **{f"T.{letter}{plural}": "*names" for letter in LETTERS for plural in PLURALS.values()},
    **dict.fromkeys([f"T.{name}" for name in f"{UNARY} {BINARY}".split()], ""),
    **BASIC,
    **EXTRA,
    **{f"T.TensorVariable.{name}": taken for name, taken in METHODS.items()},
    **{f"T.nnet.{name}": taken for name, taken in NETWORKS.items()},
    **SIGNAL,
    **ALGEBRA,
    **RANDOM,
}
