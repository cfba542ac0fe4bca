"""The CPU back end: scalar programs and loop nests as LLVM IR text, compiled by llvmlite.

Nothing here imports llvmlite until something is compiled.
"""
