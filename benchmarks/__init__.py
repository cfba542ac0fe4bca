"""Benchmarks against NumPy, jax and pytensor. `make bench`, or `python -m benchmarks NAME…`."""
