"""exp, log, sqrt, … for whatever number comes: floats and arrays, complex, balls, power series,
jets.

Formulas are written once with these names and run in every arithmetic.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["cosh", "cos", "exp", "log", "sin", "sqrt", "tanh", "pi_like"]


def _dispatch(name: str):
    on_arrays = getattr(np, name)

    def function(x: Any) -> Any:
        method = (
            None
            if isinstance(x, np.ndarray | np.generic | float | int | complex)
            else getattr(x, name, None)
        )
        return method() if method is not None else on_arrays(x)

    function.__name__ = name
    function.__doc__ = f"{name}(x) in the arithmetic of x."
    return function


exp, log, sqrt = _dispatch("exp"), _dispatch("log"), _dispatch("sqrt")
sin, cos, tanh, cosh = _dispatch("sin"), _dispatch("cos"), _dispatch("tanh"), _dispatch("cosh")


def pi_like(x: Any) -> Any:
    """π in the arithmetic of ``x`` (a ball at the current precision, or a float)."""
    kind = type(x).__module__
    if kind.startswith("flint"):
        from flint import arb

        return arb.pi()
    inner = getattr(x, "coefficients", None)
    return pi_like(inner[0]) if inner is not None else math.pi
