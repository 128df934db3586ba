"""What `check_log_likelihood_gradient` was given, held to its docstring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy, to_float
from scoreproof.interop.frameworks import guarded
from scoreproof.interop.signatures import parameters
from scoreproof.public.arguments import accepted, count
from scoreproof.public.log_likelihood_gradient.binding import Asked, bound
from scoreproof.public.log_likelihood_gradient.holding import Held
from scoreproof.public.log_likelihood_gradient.latent import Normal, latent_of
from scoreproof.public.log_likelihood_gradient.leaves import Leaves

__all__ = ["Given", "given", "takes_tol"]

LEAST_DRAWS = 30


@dataclass(frozen=True, eq=False)
class Given:
    """params ``(P,)``, x and ν ``(n, D)``, as rounded to the floating type that the gradient is fed
    with; ``tolerances`` fall; ``tolerance`` is the relative error accepted, or none.
    """

    field: Callable[..., Any]
    gradient: Asked
    log_likelihood: Asked | None
    latent: Any
    params: np.ndarray
    x: np.ndarray
    nu: np.ndarray
    in_expectation: bool
    tolerances: tuple[float, ...]
    accuracy: float
    tolerance: float | None
    draws: int
    framework: str
    dtype: Any
    #: the parameters as the user has them
    held: Held

    @property
    def leaves(self) -> Leaves:
        """What the entries of params are called."""
        return self.held.leaves

    @property
    def tols(self) -> tuple[float | None, ...]:
        """What the gradient is called with, coarse to fine; one ``None`` if it takes no ``tol``."""
        return self.tolerances if takes_tol(self.gradient) else (None,)


def takes_tol(function: Any) -> bool:
    """Whether it has a keyword ``tol``."""
    function = function.function if isinstance(function, Asked) else function
    return any(p.name == "tol" for p in parameters(function) or ())


def given(arguments: dict[str, Any], rng: np.random.Generator) -> Given:
    """From the keyword arguments of the check; raises ``ArgumentError``."""
    a = arguments
    of = bound(
        a["field"], a["params"], a["gradient"], a["log_likelihood"], a["framework"], a["given"]
    )
    params = of.held.flat
    framework = of.held.framework if a["framework"] == "numpy" else a["framework"]
    dtype = of.held.dtype if a["dtype"] is None else a["dtype"]
    x = to_float("x", a["x"], shape=(None, None))
    if x.size == 0:
        raise ArgumentError("x", "non-empty", "size 0", "pass at least one parameter and one row")
    nu = rng.standard_normal(x.shape) if a["nu"] is None else to_float("nu", a["nu"], shape=x.shape)
    # what the gradient is a function of is the rounded numbers
    prepare = guarded(of.gradient, "gradient", framework, dtype).prepare
    if prepare is not None:
        params, x, nu = (np.asarray(as_numpy(prepare(v)), dtype=float) for v in (params, x, nu))
    law = a["log_latent"]
    return Given(
        of.field,
        of.gradient,
        of.log_likelihood,
        Normal() if law is None else latent_of(law, framework, dtype, x),
        params,
        x,
        nu,
        bool(a["in_expectation"]),
        _falling(a["tolerances"]),
        _between("accuracy", a["accuracy"]),
        accepted(a["tolerance"]),
        count("draws", a["draws"], LEAST_DRAWS, "the test of means needs that many"),
        framework,
        dtype,
        of.held,
    )


def _falling(tolerances: Sequence[float]) -> tuple[float, ...]:
    falling = tuple(tolerances)
    if (
        len(falling) < 2
        or any(not 0 < t < 1 for t in falling)
        or list(falling) != sorted(falling, reverse=True)
    ):
        raise ArgumentError(
            "tolerances",
            "two or more numbers in (0, 1), falling",
            falling,
            "pass e.g. (1e-4, 1e-6, 1e-8)",
        )
    return falling


def _between(name: str, value: Any) -> float:
    if not 0 < value < 1:
        raise ArgumentError(
            name, "in (0, 1)", value, "pass the relative error that your solver promises, e.g. 1e-5"
        )
    return float(value)
