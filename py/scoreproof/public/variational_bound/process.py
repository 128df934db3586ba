"""What the terms are made of: a table of β, or a process in continuous time; and what is said of
its timesteps.

Conventions: a table has timesteps 0 … T-1; a clock runs from data to noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy, to_float, unit_roundoff
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.public.arguments import one_of
from scoreproof.public.variational_bound.continuous import Clock, clock_of

__all__ = ["chances", "needed", "process_of", "variance_of"]

DOUBLE = float(np.finfo(float).eps)
VARIANCES = ("fixed_small", "fixed_large", "learned", "learned_range")


def needed(term: str, process: DiscreteVP | None, clock: Clock | None) -> None:
    """Raises ``ArgumentError`` where a term wants a process that there is none of."""
    if term == "elbo" or (term == "diffusion" and (clock or process)):
        return
    if process is None and not (term == "L_T" and clock):
        raise ArgumentError(
            "process",
            "a table of β (betas, DiscreteVP, or an object that has betas or alphas_cumprod)"
            if term != "diffusion"
            else "one with gamma(t), with alpha(t) and sigma(t), or with marginal_prob(x, t)",
            "none",
            f"pass it as the second argument: {term} is made of it",
        )


def process_of(given: Any, bound: Any, steps: Any) -> tuple[DiscreteVP | None, Clock | None, float]:
    """A table, or a continuous process; the one of the object whose method ``bound`` is. Raises
    ``ArgumentError``.
    """
    source = given
    if source is None:
        source = getattr(bound, "__self__", None)
        if not any(hasattr(source, n) for n in ("betas", "alphas_cumprod")):
            return None, clock_of(source, steps), DOUBLE
    if isinstance(source, DiscreteVP):
        return source, None, DOUBLE
    clock = clock_of(source, steps)
    if clock is not None:
        return None, clock, DOUBLE
    for name in ("betas", "alphas_cumprod"):
        value = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
        if value is not None and not callable(value):
            break
    else:
        name, value = "betas", source
    array = to_float("process", as_numpy(value) if hasattr(value, "dtype") else value)
    if array.ndim != 1 or len(array) < 3:
        raise ArgumentError(
            "process",
            "a table of three β or more",
            f"shape {array.shape}",
            "pass betas, {'alphas_cumprod': …}, or a process with gamma(t), alpha(t) and"
            " sigma(t), or marginal_prob(x, t)",
        )
    eps = (unit_roundoff(value) if hasattr(value, "dtype") else DOUBLE) or DOUBLE
    # entries of float32 are exact; what is made of them may be made in float32
    if name == "betas":
        return DiscreteVP(array), None, eps
    return DiscreteVP.of_alphas_cumprod(array), None, eps


def variance_of(value: Any, process: DiscreteVP | None) -> Any:
    """A name, or variances ``(T,)``. Raises ``ArgumentError``."""
    if isinstance(value, str):
        one_of("variance", value, VARIANCES, "it is that of p(x_{t-1} | x_t); or variances (T,)")
        return value
    if process is None:
        raise ArgumentError(
            "variance",
            "a name",
            type(value).__name__,
            "variances are those of a table of β: pass one, or a name",
        )
    array = to_float("variance", value, shape=(process.steps,))
    if np.any(array <= 0):
        raise ArgumentError(
            "variance", "> 0", array.min(), "pass variances, not their logs: np.exp(log_variance)"
        )
    return array


def chances(value: Any, process: DiscreteVP | None) -> np.ndarray | None:
    """By which an estimate draws its t. Raises ``ArgumentError``."""
    if value is None or process is None:
        return None
    array = to_float("probabilities", value, shape=(process.steps,))
    if np.any(array <= 0) or abs(np.sum(array) - 1) > 1e-6:
        raise ArgumentError(
            "probabilities",
            "> 0, with the sum 1",
            f"a sum of {np.sum(array):g}",
            "they are those by which t is drawn: weights / weights.sum()",
        )
    return array
