"""The numbers of a table of β that the terms of its bound are made of, one for each timestep.

Conventions: timesteps are 0 … T-1; ``q(x_{t-1} | x_t, x_0) = N(c0 x_0 + ct x_t, exp(q_logvar))``,
whose variance at t = 0, where it is 0, is the one at 1. Logs are of variances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.objects.discrete import DiscreteVP

__all__ = ["Tables", "tables_of"]


@dataclass(frozen=True, eq=False)
class Tables:
    """``a``, ``s``: of x_t = a x_0 + s ε; ``low`` and ``high``: what a learned range lies between;
    ``first``: other logs of the variance at t = 0 that a fixed one may have.
    """

    bar: np.ndarray
    a: np.ndarray
    s: np.ndarray
    beta: np.ndarray
    c0: np.ndarray
    ct: np.ndarray
    q_logvar: np.ndarray
    low: np.ndarray
    high: np.ndarray
    fixed: np.ndarray

    @property
    def steps(self) -> int:
        return len(self.beta)

    @property
    def rest(self) -> np.ndarray:
        """1 - ᾱ_t."""
        return np.asarray(self.s**2)


def tables_of(process: DiscreteVP, variance: str | np.ndarray) -> Tables:
    """``variance``: ``"fixed_small"``, ``"fixed_large"``, one that is learned, or variances
    ``(T,)``.
    """
    k = np.arange(process.steps)
    c0, ct, var = process.posterior(k)
    a, s = np.asarray(process.alpha(k)), np.asarray(process.sigma(k))
    small = np.log(np.append(var[1], var[1:]))
    high = np.log(process.betas)
    if isinstance(variance, np.ndarray):
        fixed = np.log(variance)
    elif variance == "fixed_large":
        fixed = np.append(small[0], high[1:])
    else:
        fixed = small
    return Tables(process.alphas_cumprod, a, s, process.betas, c0, ct, small, small, high, fixed)
