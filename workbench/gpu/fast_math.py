"""Quick, coarse mathematics: what `config.nvcc.flags` and `config.nvcc.fastmath` ask a device's
compiler for.
"""

from __future__ import annotations

import warnings

from workbench.configuration import config
from workbench.frozen import frozen

_SPELLINGS = {
    "ftz=true": "flush", "prec-div=false": "division", "prec-sqrt=false": "roots",
    "use_fast_math": "all", "fmad=true": "contract",
}  # fmt: skip
_AS_USUAL = ("ftz=false", "prec-div=true", "prec-sqrt=true", "fmad=false")


@frozen
class FastMath:
    """What may be coarse.

    flush     denormal numbers become zero
    division  of float32, without the last bit
    roots     square roots of float32, likewise
    contract  a * b + c with one rounding
    all       everything, and the short forms of exp, sin and the like
    """

    flush: bool = False
    division: bool = False
    roots: bool = False
    contract: bool = False
    all: bool = False

    @classmethod
    def chosen(cls) -> FastMath:
        """What the configuration asks for; flags of nvcc that mean nothing here are told of."""
        wanted = set()
        for word in str(config.use("nvcc.flags")).replace(",", " ").split():
            name = word.lstrip("-")
            if name in _SPELLINGS:
                wanted.add(_SPELLINGS[name])
            elif name not in _AS_USUAL:
                warnings.warn(
                    f"config.nvcc.flags has {word!r}, which has no effect; those with one are "
                    + ", ".join(f"-{known}" for known in (*_SPELLINGS, *_AS_USUAL)),
                    stacklevel=2,
                )
        if config.use("nvcc.fastmath") or "all" in wanted:
            return cls(True, True, True, True, True)
        return cls(**dict.fromkeys(wanted, True))

    def cuda(self) -> tuple[str, ...]:
        """NVRTC's options."""
        if self.all:
            return ("--use_fast_math",)
        return (
            f"--ftz={_word(self.flush)}",
            f"--prec-div={_word(not self.division)}",
            f"--prec-sqrt={_word(not self.roots)}",
            f"--fmad={_word(self.contract)}",
        )

    def opencl(self) -> tuple[str, ...]:
        """OpenCL's options, without those that ask for exact division and roots."""
        if self.all:
            return ("-cl-fast-relaxed-math", "-cl-denorms-are-zero")
        flags = {"-cl-denorms-are-zero": self.flush, "-cl-mad-enable": self.contract}
        return tuple(flag for flag, wanted in flags.items() if wanted)


def _word(value: bool) -> str:
    return "true" if value else "false"
