"""Scan: a loop over a frozen inner graph. `op` is the op, `build` the user's `scan()`, `gradient`
its derivative.
"""
