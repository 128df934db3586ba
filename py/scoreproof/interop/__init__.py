"""The edge to other people's code: guarded callables, and arrays of NumPy, PyTorch and JAX."""
