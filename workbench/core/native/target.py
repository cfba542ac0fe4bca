"""What the code generator needs to know about a processor."""

from __future__ import annotations

from workbench.frozen import frozen


class NoNativeForm(NotImplementedError):
    """A primitive has no native form for a dtype: the caller runs it through the interpreter
    instead.
    """

    def __init__(self, primitive: str, dtype: str) -> None:
        super().__init__(f"{primitive} has no native form for {dtype}")
        self.primitive = primitive
        self.dtype = dtype


@frozen
class Target:
    """Vector registers of `vector_bytes`; `masked` are the element sizes (bytes) with masked loads
    and stores; `half` is whether it converts between float16 and float32.
    """

    vector_bytes: int
    masked: frozenset[int] = frozenset()
    registers: int = 16
    half: bool = True

    @classmethod
    def of_features(cls, features: dict[str, bool]) -> Target:
        """The target for LLVM's host features (`{'avx2': True, …}`)."""
        half = features.get("f16c", "sse2" not in features)
        if features.get("avx512bw") and features.get("avx512vl") and features.get("avx512dq"):
            return cls(64, frozenset((1, 2, 4, 8)), 32, half=half)
        if features.get("avx2"):
            return cls(32, frozenset((4, 8)), half=half)
        return cls(16, half=half)


SCALAR = Target(1)
"""One lane: for tests and for loops not worth vectorising."""
