"""The ops. One class declares all there is to know of an op; a family shares a file.

Functions that are written with ops stand beside them, or in a file of their own: `indexing` is over
`index`, `shaping` over `shape`, `convolving` over `convolution`, `pooling` over `pool`, `linalg`
over `solve` and `decompose`.
"""
