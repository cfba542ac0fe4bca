"""The functions that the reference documents, with their parameters as it writes them."""

from __future__ import annotations

SIGNATURES: dict[str, str] = {
    "theano.function": (
        "inputs, outputs=None, mode=None, updates=None, givens=None, no_default_updates=False, "
        "accept_inplace=False, name=None, rebuild_strict=True, allow_input_downcast=None, "
        "profile=None, on_unused_input=None"
    ),
}
