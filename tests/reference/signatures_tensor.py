"""Tensors: the functions that the reference documents, with their parameters as it writes them."""

from __future__ import annotations

TENSOR: dict[str, str] = {}
