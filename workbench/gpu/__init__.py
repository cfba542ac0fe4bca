"""Devices: CUDA by pycuda and OpenCL by pyopencl, from one source of kernels.

`dialect` has the few macros in which CUDA and OpenCL differ; `render` and `nest_kernel` write loop
nests as kernels, `kernels/` has those that are written by hand. `opencl` and `cuda` are the two
drivers behind one `Device`. A function for a device is the same native program that a function for
the processor is, whose tensors lie on the device and whose nests are launched instead of run:
`writer` and the `emit_…` modules write it, `move` rewrites a graph to it, `link` runs it.
"""
