"""Machine code from LLVM IR text: parse, verify, optimise, emit, link; objects are kept in memory
and on disk.

llvmlite is imported when the engine is made, which is when something is first compiled.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from typing import TYPE_CHECKING, Any, Literal

from workbench.core.native.cache import ObjectCache, default_directory
from workbench.core.native.target import Target
from workbench.frozen import frozen

if TYPE_CHECKING:
    import llvmlite.binding as llvm

Level = Literal[1, 2]
"""1: what explicit vector code needs, quick. 2: LLVM's default O2 pipeline, for code that runs for
long.
"""

_MEMORY_LIMIT = 64 << 20
_LINKS_PER_JIT = 500
"""A JIT keeps 9 kB of every library that was unloaded; it goes with the last of its libraries."""


@frozen
class NativeModule:
    """Linked code; it is unloaded when this object is collected. Every link has its own copy of the
    module's globals.

    `timings` are seconds per stage (parse, verify, optimise, emit, link); `source` says where the
    object came from ('compiled', 'memory' or 'disk': then only 'link' was timed, and 'load').
    """

    addresses: Mapping[str, int]
    timings: Mapping[str, float]
    source: str
    object_bytes: int
    _tracker: Any = field(repr=False)  # llvmlite's ResourceTracker, untyped

    def address(self, name: str) -> int:
        return self.addresses[name]


def compile(
    ir_text: str,
    symbols: Mapping[str, int],
    exports: Iterable[str],
    *,
    level: Level = 1,
    cache: bool = True,
) -> NativeModule:
    """Link the module `ir_text`; `symbols` are the addresses of what it declares, `exports` the
    names to look up.

    `cache=False` compiles anew and stores nothing. Invalid IR or a symbol without address:
    RuntimeError.
    """
    return engine().compile(ir_text, symbols, exports, level=level, cache=cache)


def assembly(ir_text: str, *, level: Level = 1) -> str:
    """The machine's assembly for a module."""
    return engine().assembly(ir_text, level=level)


def optimised(ir_text: str, *, level: Level = 1) -> str:
    """The IR after the passes."""
    return engine().optimised(ir_text, level=level)


def host() -> Target:
    """The processor that we run on."""
    return engine().target


def engine() -> Engine:
    """The one engine of the process."""
    with _LOCK:
        return _engine()


@functools.cache
def _engine() -> Engine:
    return Engine()


_LOCK = threading.RLock()


class Engine:
    """One LLJIT with its target machine and caches."""

    def __init__(self) -> None:
        import llvmlite
        import llvmlite.binding as binding

        self._llvm = binding
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        triple, cpu = binding.get_process_triple(), binding.get_host_cpu_name()
        features = binding.get_host_cpu_features()
        self.target = Target.of_features(features)
        flat = features.flatten()
        self._machine = binding.Target.from_triple(triple).create_target_machine(
            cpu=cpu, features=flat, opt=2
        )
        self._identity = repr(
            (llvmlite.__version__, binding.llvm_version_info, triple, cpu, flat, _RECIPE)
        )
        self._triple, self._layout = triple, str(self._machine.target_data)
        self._numbers = itertools.count()
        self._jit = self._new_jit()
        self._objects: OrderedDict[str, bytes] = OrderedDict()
        self.disk: ObjectCache | None = ObjectCache(default_directory())

    def compile(
        self,
        ir_text: str,
        symbols: Mapping[str, int],
        exports: Iterable[str],
        *,
        level: Level,
        cache: bool,
    ) -> NativeModule:
        clock = _Clock()
        key = hashlib.sha256(f"{self._identity}{level}\0{ir_text}".encode()).hexdigest()
        with clock.stage("load"):
            source, code = self._find(key) if cache else ("compiled", None)
        if code is None:
            code = self._emit(ir_text, level, clock)
            if cache:
                self._keep(key, code)
        with clock.stage("link"):
            tracker, addresses = self._link(code, symbols, exports)
        return NativeModule(addresses, clock.seconds, source, len(code), tracker)

    def assembly(self, ir_text: str, *, level: Level) -> str:
        return str(self._machine.emit_assembly(self._optimise(ir_text, level, _Clock())))

    def optimised(self, ir_text: str, *, level: Level) -> str:
        return str(self._optimise(ir_text, level, _Clock()))

    def forget(self) -> None:
        """Drop the objects kept in memory (for tests and timings)."""
        self._objects.clear()

    def _find(self, key: str) -> tuple[str, bytes | None]:
        with _LOCK:
            code = self._objects.get(key)
            if code is not None:
                self._objects.move_to_end(key)
                return "memory", code
        code = self.disk.get(key) if self.disk else None
        if code is None:
            return "compiled", None
        self._remember(key, code)
        return "disk", code

    def _keep(self, key: str, code: bytes) -> None:
        self._remember(key, code)
        if self.disk:
            self.disk.put(key, code)

    def _remember(self, key: str, code: bytes) -> None:
        with _LOCK:
            self._objects[key] = code
            while sum(map(len, self._objects.values())) > _MEMORY_LIMIT and len(self._objects) > 1:
                self._objects.popitem(last=False)

    def _emit(self, ir_text: str, level: Level, clock: _Clock) -> bytes:
        module = self._optimise(ir_text, level, clock)
        with clock.stage("emit"):
            return bytes(self._machine.emit_object(module))

    def _optimise(self, ir_text: str, level: Level, clock: _Clock) -> llvm.ModuleRef:
        with clock.stage("parse"):
            module = self._llvm.parse_assembly(ir_text, self._llvm.create_context())
            module.triple, module.data_layout = self._triple, self._layout
        with clock.stage("verify"):
            module.verify()  # LLVM aborts the process on what it does not verify
        with clock.stage("optimise"):
            self._run_passes(module, level)
        return module

    def _run_passes(self, module: llvm.ModuleRef, level: Level) -> None:
        options = self._llvm.create_pipeline_tuning_options(level)
        options.loop_unrolling = options.slp_vectorization = options.loop_vectorization = False
        builder = self._llvm.create_pass_builder(self._machine, options)
        if level > 1:
            builder.getModulePassManager().run(module, builder)
            return
        passes = self._llvm.create_new_module_pass_manager()
        passes.add_always_inliner_pass()
        passes.add_sroa_pass()
        passes.add_instruction_combine_pass()
        passes.add_simplify_cfg_pass()
        passes.run(module, builder)

    def _new_jit(self) -> llvm.LLJIT:
        return self._llvm.create_lljit_compiler(self._machine)

    def _link(
        self, code: bytes, symbols: Mapping[str, int], exports: Iterable[str]
    ) -> tuple[llvm.ResourceTracker, dict[str, int]]:
        library = self._llvm.JITLibraryBuilder().add_object_img(code)
        for name, address in symbols.items():
            library.import_symbol(name, address)
        names = tuple(exports)
        for name in names:
            library.export_symbol(name)
        number = next(self._numbers)
        if number % _LINKS_PER_JIT == _LINKS_PER_JIT - 1:
            self._jit = self._new_jit()
        tracker = library.link(self._jit, f"workbench.{number}")
        return tracker, {name: tracker[name] for name in names}


_RECIPE = "1"  # part of the cache key: change it with the passes


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start
