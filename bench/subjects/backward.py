"""Subjects of `check_backward`: hand-written passes, and functions of torch and jax."""

from __future__ import annotations

import numpy as np

from . import Case
from .backward_passes import passes
from .backward_traced import jax_functions, torch_functions

__all__ = ["case"]


def case(rng: np.random.Generator) -> Case:
    """A hand-written pass, or a function of torch (or, rarely, jax: it compiles every shape)."""
    draw = rng.random()
    if draw < 0.4:
        return passes(rng)
    return torch_functions(rng) if draw < 0.97 else jax_functions(rng)
