"""The table of flags: name, default, what values each takes, and one line of help.

A flag of other systems that cannot mean anything here is known, too, so that old settings can be
read; its `without_effect` says why nothing comes of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from workbench.frozen import frozen


@frozen
class Flag:
    """One flag. `parse` turns text or a value into the flag's own and raises ValueError, KeyError
    or TypeError for others.

    name            dotted where it belongs to a section; 'warn.*' stands for every name in a
                    section
    takes           the values, in words or separated by ' | '
    without_effect  why setting it changes nothing, or ''
    fixed           it cannot be changed once it was used
    """

    name: str
    default: Any  # Any: a flag's value is of the flag's own type
    parse: Callable[[Any], Any]
    takes: str
    help: str
    without_effect: str = ""
    fixed: bool = False

    @property
    def meaning(self) -> str:
        """The help with what it takes, and why it has no effect where it has none."""
        idle = f"; accepted, no effect: {self.without_effect}" if self.without_effect else ""
        return f"{self.help} ({self.takes}){idle}"


Kind = tuple[Callable[[Any], Any], str]


def one_of(*options: str) -> Kind:
    """A kind of flag that takes these words."""

    def parse(value: Any) -> str:
        if str(value) not in options:
            raise ValueError
        return str(value)

    return parse, " | ".join(options)


def _boolean(value: Any) -> bool:
    words = {"true": True, "1": True, "yes": True, "on": True}
    words |= {"false": False, "0": False, "no": False, "off": False}
    return words[str(value).strip().lower()]


def _whole(value: Any) -> int:
    number = int(value)
    if number < 0 or number != float(value):
        raise ValueError
    return number


def _device(value: Any) -> str:
    if not re.fullmatch(r"cpu|auto|(gpu|cuda)\d*|opencl\d*(:\d+)?", value):
        raise ValueError
    return str(value)


def _start_device(value: Any) -> str:
    return _device(value) if value else ""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


BOOLEAN = (_boolean, "True | False")
WHOLE = (_whole, "a whole number")
NUMBER = (float, "a number")
TEXT = (_text, "text")
TAGS = (_text, "names of passes and rules, separated by colons")
DEVICE = (_device, "cpu | auto | cuda | cuda0 | gpu0 | opencl0 | opencl0:1")
START_DEVICE = (_start_device, "a device, or nothing")
TELL = one_of("ignore", "warn", "raise", "pdb")
TESTING = one_of("off", "ignore", "warn", "raise", "pdb")

MODES = (
    "Mode",
    "FAST_RUN",
    "FAST_COMPILE",
    "DebugMode",
    "DEBUG_MODE",
    "NanGuardMode",
    "MonitorMode",
)
OLD_MODES = ("ProfileMode", "PROFILE_MODE")
LINKERS = ("native", "py", "cvm", "cvm_nogc", "vm", "vm_nogc", "c|py", "c|py_nogc", "c")
OPTIMISERS = ("fast_run", "o4", "o3", "o2", "o1", "fast_compile", "fast_run_stable", "stabilize")
ALL_OPTIMISERS = (*OPTIMISERS, "merge", "unsafe", "None", "none")
SETERR = one_of("ignore", "warn", "raise", "call", "print", "log", "None")

# Why a flag of other systems has no effect here.
_NO_C = "native code is made in memory, without a C compiler"
_ONE_THREAD = "native loops run on the calling thread; blas_threads says how many BLAS takes"
_BY_LIBRARY = "the libraries are found by Python's own packages"
_RUNTIME = "the device's own runtime decides"
_OLD_BUGS = "it warned of errors in old versions of another system"

FLAGS: tuple[Flag, ...] = (
    # What graphs mean
    Flag("floatX", "float64", *one_of("float64", "float32", "float16"),
         "dtype of constructors without a letter"),
    Flag("cast_policy", "custom", *one_of("custom", "numpy+floatX"),
         "how dtypes combine: numbers take the narrowest dtype, or NumPy's rule, where floatX "
         "replaces a float64 that no operand has"),
    Flag("int_division", "int", *one_of("int", "raise", "floatX"),
         "integer / integer: divides in floatX (int, floatX), or is an error (raise)"),
    Flag("explicit_broadcast", False, *BOOLEAN,
         "operands of lower rank are padded by a DimShuffle that the graph shows, as Theano's are"),
    Flag("warn_float64", "ignore", *TELL, "what happens when a float64 variable is made"),
    # How functions are made
    Flag("mode", "Mode", *one_of(*MODES, *OLD_MODES),
         "how functions are optimised and run; Mode: as linker and optimizer say"),
    Flag("linker", "native", *one_of(*LINKERS), "what runs functions in mode=Mode"),
    Flag("optimizer", "fast_run", *one_of(*ALL_OPTIMISERS), "the rewrites made in mode=Mode"),
    Flag("optimizer_including", "", *TAGS, "rewrites that are made in addition"),
    Flag("optimizer_excluding", "", *TAGS, "rewrites that are left out"),
    Flag("optimizer_requiring", "", *TAGS, "where there are any, the only passes that are made"),
    Flag("optimizer_verbose", False, *BOOLEAN, "print every rewrite as it is made"),
    Flag("on_unused_input", "raise", *one_of("raise", "warn", "ignore"),
         "an input that no output needs"),
    Flag("on_opt_error", "raise", *one_of("raise", "warn", "pdb", "ignore"),
         "a rewrite rule that fails: the error, or the function without that rewrite"),
    Flag("on_shape_error", "warn", *one_of("warn", "raise"), "a shape rule that fails",
         "it is a failing rewrite: on_opt_error"),
    Flag("allow_gc", True, *BOOLEAN,
         "intermediate results on a device may be freed between calls, where memory is short; on "
         "the processor they are kept until f.free()"),
    Flag("scan.allow_gc", False, *BOOLEAN, "free a scan's inner results after each step",
         "native loops use the same memory in every step"),
    Flag("scan.allow_output_prealloc", True, *BOOLEAN, "a scan's results are allocated before it",
         "they always are"),
    # Devices
    Flag("device", "cpu", *DEVICE, "where functions run, and shared variables lie"),
    Flag("force_device", False, *BOOLEAN,
         "device=auto without an accelerator is an error, and no fall-back to the processor"),
    Flag("init_gpu_device", "", *START_DEVICE, "a device to start without using it",
         fixed=True),
    Flag("assert_no_cpu_op", "ignore", *TELL,
         "a node that computes an array on the processor in a function that is for a device"),
    Flag("print_active_device", True, *BOOLEAN, "say which device is used when it is started"),
    Flag("contexts", "", *TEXT, "names for devices: dev0->cuda0;dev1->cuda1"),
    Flag("device_sync", False, *BOOLEAN,
         "wait for a device after every command, so that an error names the node at fault"),
    Flag("device_memory", 0.0, *NUMBER,
         "megabytes of a device's memory that may be used; 0: all of it"),
    Flag("gpuarray.preallocate", 0.0, *NUMBER,
         "a device's memory that is taken at once: a share up to 1, else megabytes", fixed=True),
    # Values and errors
    Flag("compute_test_value", "off", *TESTING,
         "evaluate each op as it is applied, from its inputs' tag.test_value; what happens where "
         "one is missing"),
    Flag("compute_test_value_opt", "off", *TESTING, "the same for nodes that rewrites make",
         "DebugMode compares every rewrite by its values"),
    Flag("print_test_value", False, *BOOLEAN, "a variable's repr shows its test value"),
    Flag("exception_verbosity", "low", *one_of("low", "high"),
         "how much an error at run time tells"),
    Flag("traceback.limit", 1, *WHOLE, "how many of the user's lines are kept for each node"),
    Flag("traceback.compile_limit", 0, *WHOLE, "lines kept for nodes that rewrites make",
         "they bear the lines of what they replace"),
    Flag("numpy.seterr_all", "ignore", *SETERR,
         "NumPy's floating-point warnings where the interpreter runs; None: as numpy.seterr says"),
    Flag("NanGuardMode.nan_is_error", True, *BOOLEAN, "NanGuardMode stops at a nan"),
    Flag("NanGuardMode.inf_is_error", True, *BOOLEAN, "NanGuardMode stops at an inf"),
    Flag("NanGuardMode.big_is_error", True, *BOOLEAN, "NanGuardMode stops at |x| > 1e10"),
    Flag("DebugMode.patience", 10, *WHOLE, "how often DebugMode optimises to see it is stable"),
    Flag("DebugMode.check_c", True, *BOOLEAN, "DebugMode compares native code"),
    Flag("DebugMode.check_py", True, *BOOLEAN, "DebugMode runs the interpreter"),
    Flag("DebugMode.check_finite", True, *BOOLEAN, "DebugMode stops at nan and inf"),
    Flag("DebugMode.check_strides", 0, *WHOLE, "DebugMode compares strides",
         "layouts are not part of an op's meaning"),
    Flag("DebugMode.warn_input_not_reused", True, *BOOLEAN, "DebugMode tells of unused memory",
         "ops do not declare which memory they use again"),
    # Profiles
    Flag("profile", False, *BOOLEAN, "profile every function"),
    Flag("profile_memory", False, *BOOLEAN, "profiles show memory, too"),
    Flag("profile_optimizer", False, *BOOLEAN, "profiles show the rewrites' times, too"),
    Flag("profiling.time_thunks", True, *BOOLEAN, "profiles time every node"),
    Flag("profiling.n_apply", 20, *WHOLE, "rows of a profile's table of nodes"),
    Flag("profiling.n_ops", 20, *WHOLE, "rows of a profile's table of ops"),
    Flag("profiling.min_memory_size", 1024, *WHOLE, "bytes below which a result is not listed"),
    Flag("profiling.min_peak_memory", False, *BOOLEAN, "look for the order with the lowest peak",
         "memory is planned when a program is written"),
    Flag("profiling.debugprint", False, *BOOLEAN, "a profile prints its graph, too",
         "debugprint(f) prints it"),
    Flag("profiling.ignore_first_call", False, *BOOLEAN, "a profile leaves the first call out"),
    Flag("profiling.destination", "stderr", *TEXT, "where profiles are printed: stderr, stdout or "
         "a path"),
    Flag("ProfileMode.n_apply_to_print", 15, *WHOLE, "rows of ProfileMode's table of nodes"),
    Flag("ProfileMode.n_ops_to_print", 20, *WHOLE, "rows of ProfileMode's table of ops"),
    Flag("ProfileMode.min_memory_size", 1024, *WHOLE, "bytes below which ProfileMode lists none"),
    Flag("ProfileMode.profile_memory", False, *BOOLEAN, "ProfileMode shows memory, too"),
    Flag("trace_budget", 64, *WHOLE, "megabytes of raw arrays that a scan trace may keep"),
    # Pickles
    Flag("reoptimize_unpickled_function", False, *BOOLEAN, "optimise a function again on loading",
         "a pickle holds the user's graph, which is always optimised on loading"),
    Flag("unpickle_function", True, *BOOLEAN, "load functions from pickles; else None"),
    Flag("pickle_test_value", True, *BOOLEAN, "variables keep their test values in pickles"),
    Flag("experimental.unpickle_gpu_on_cpu", False, *BOOLEAN,
         "load device arrays without the device", "device arrays are pickled as NumPy's"),
    # Native code
    Flag("cache", True, *BOOLEAN, "keep native code on disk between processes"),
    Flag("base_compiledir", "", *TEXT, "where that is; nothing: ~/.cache/workbench", fixed=True),
    Flag("compiledir", "", *TEXT, "the same, stronger than base_compiledir", fixed=True),
    Flag("blas_threads", 0, *WHOLE,
         "threads for BLAS calls of native programs; 0 leaves the library's own number"),
    Flag("openmp", False, *BOOLEAN, "several threads for elementwise loops", _ONE_THREAD),
    Flag("openmp_elemwise_minsize", 200_000, *WHOLE, "elements from which openmp counts",
         _ONE_THREAD),
    Flag("cxx", "", *TEXT, "the C++ compiler", _NO_C),
    Flag("nocleanup", False, *BOOLEAN, "keep what failed to compile", _NO_C),
    Flag("gcc.cxxflags", "", *TEXT, "options of the C++ compiler", _NO_C),
    Flag("gcc.*", "", *TEXT, "options of the C++ compiler", _NO_C),
    Flag("cmodule.*", "", *TEXT, "options of compiled modules", _NO_C),
    Flag("nvcc.flags", "", *TEXT,
         "what may be coarse on a device: -ftz=true, -prec-div=false, -prec-sqrt=false, "
         "-fmad=true, -use_fast_math", fixed=True),
    Flag("nvcc.fastmath", False, *BOOLEAN, "all of that", fixed=True),
    Flag("nvcc.*", "", *TEXT, "options of nvcc", "kernels are compiled in memory"),
    Flag("blas.*", "", *TEXT, "how BLAS is linked", "NumPy's own OpenBLAS is called"),
    Flag("cuda.*", "", *TEXT, "where CUDA is", _BY_LIBRARY),
    Flag("dnn.*", "", *TEXT, "options of cuDNN", _BY_LIBRARY),
    Flag("gpuarray.*", "", *TEXT, "options of device arrays", _RUNTIME),
    Flag("lib.amdlibm", False, *BOOLEAN, "AMD's mathematics", "the vector mathematics is our own"),
    Flag("lib.cnmem", 0.0, *NUMBER, "the same as gpuarray.preallocate", fixed=True),
    Flag("lib.*", "", *TEXT, "other libraries", _BY_LIBRARY),
    Flag("unittests.rseed", "666", *TEXT, "the seed of another system's tests", "our tests seed "
         "themselves"),
    Flag("warn.*", False, *BOOLEAN, "tell of one old bug", _OLD_BUGS),
    Flag("experimental.*", False, *BOOLEAN, "trials of another system", "there are none"),
)  # fmt: skip
