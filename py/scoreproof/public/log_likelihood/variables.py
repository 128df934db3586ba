"""In what log p is differentiated: x, the parameters of the model, and the time of the data.

Conventions: the time of the data is handed over as ``t``, else as ``t_min`` (or as ``t_max``, where
the data are at the end of the clock).
"""

from __future__ import annotations

from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.public.log_likelihood.clocks import Clock
from scoreproof.public.log_likelihood.names import Taken

__all__ = ["VARIABLES", "early", "time_role", "variables_of"]

VARIABLES = ("x", "params", "t")
#: σ/α where the gradient in t is taken: inside the span, where all rates are finite
LEVEL = 0.3


def variables_of(given: Any, framework: str, taken: Taken, clock: Clock) -> tuple[str, ...]:
    """Raises ``ArgumentError``.

    >>> from scoreproof.public.log_likelihood.clocks import flow
    >>> variables_of(("x", "params"), "torch", Taken(("model", "x"), {}, {}), flow(1.0, 1.0))
    ('x', 'params')
    """
    if given is None or given is False:
        return ()
    try:
        names = ("x",) if given is True else (given,) if isinstance(given, str) else tuple(given)
    except TypeError:
        names = (given,)
    unknown = [n for n in names if n not in VARIABLES]
    if unknown:
        raise ArgumentError(
            "gradients",
            'True, or some of "x", "params", "t"',
            repr(given),
            'e.g. gradients=("x", "params")',
        )
    if names and framework == "numpy":
        raise ArgumentError(
            "gradients",
            "asked for of torch or jax code",
            "framework='numpy'",
            "pass framework='torch' or 'jax': NumPy has no autograd",
        )
    if "t" in names and time_role(taken, clock) is None:
        raise ArgumentError(
            "gradients",
            '"t" of a function that takes the time of the data',
            f"one of ({', '.join((*taken.positional, *taken.named.values()))})",
            "let it take t, t_min or eps",
        )
    return names


def time_role(taken: Taken, clock: Clock) -> str | None:
    """As what the time of the data is handed over."""
    end = "t_min" if clock.noise > clock.data else "t_max"
    return next((r for r in ("t", end) if r in taken.all), None)


def early(clock: Clock) -> float:
    """The time at which σ/α is 0.3.

    >>> from scoreproof.public.log_likelihood.clocks import noise_levels
    >>> round(early(noise_levels(0.01, 20.0)), 6)
    0.3
    """
    near, far = clock.data, clock.noise
    for _ in range(60):
        middle = (near + far) / 2
        alpha, sigma = (float(v) for v in clock.at(middle)[:2])
        near, far = (middle, far) if sigma < LEVEL * alpha else (near, middle)
    return (near + far) / 2
