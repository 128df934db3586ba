"""What the tables of a diffusion's schedule are called, and what each is made of.

Conventions: β_t is the variance of step t, ᾱ_t the product of 1 - β up to t, ᾱ_{-1} = 1; ``Base``
holds them in double precision. A formula's ``parts`` are the numbers of which it is a difference:
where they are much larger than it is, single precision loses its digits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["ALIASES", "LISTS", "TABLES", "Base", "Table", "due_of", "named"]

#: of an inference, not of the table
LISTS = ("sigmas", "timesteps")


@dataclass(frozen=True, eq=False)
class Base:
    """β and ᾱ ``(T,)``, and the unit roundoff of the table they were read from. ``floored``: the
    last β is 1, and the last ᾱ a small number instead of 0. ``of_betas``: β came first.
    """

    betas: np.ndarray
    bar: np.ndarray
    eps: float
    floored: bool = False
    of_betas: bool = False

    @property
    def roundings(self) -> np.ndarray:
        """Of ᾱ_t, relative, in units of ``eps``: t products, and what 1 - β loses where β is near
        1. A last ᾱ of 0 is exact.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            lost = np.cumsum(self.betas / (1 - self.betas)) if self.of_betas else 0.0
        found = np.arange(len(self.bar)) + lost
        return np.where(np.isfinite(found), found, len(self.bar))

    @property
    def before(self) -> np.ndarray:
        """ᾱ_{t-1}."""
        return np.concatenate([[1.0], self.bar[:-1]])

    @property
    def after(self) -> np.ndarray:
        """ᾱ_{t+1}, 0 at the end."""
        return np.concatenate([self.bar[1:], [0.0]])

    @property
    def posterior(self) -> np.ndarray:
        """β̃: the variance of q(x_{t-1} | x_t, x_0)."""
        return self.betas * (1 - self.before) / (1 - self.bar)


@dataclass(frozen=True)
class Table:
    """A table's formula, in words and as a function, and how its relative error grows."""

    words: str
    of: Callable[[Base], np.ndarray]
    #: what 1 - ᾱ and its like lose: relative roundings of the entry for one of ᾱ
    loss: Callable[[Base], np.ndarray] = lambda b: np.ones(len(b.bar))
    #: errors are relative to the entry, or to this where it is larger: a logarithm passes through 0
    least: float = 0.0

    @property
    def due(self) -> str:
        """Its words before "is due": what is said beside the symbol ends with a comma."""
        return f"{self.words}," if "," in self.words else self.words


def _one_minus(b: Base) -> np.ndarray:
    return 1 + b.bar / (1 - b.bar)


def _both(b: Base) -> np.ndarray:
    before = 1 - b.before
    return _one_minus(b) + np.where(before > 0, b.before / np.where(before > 0, before, 1.0), 0.0)


def _clipped(b: Base) -> np.ndarray:
    values = b.posterior.copy()
    values[0] = values[1] if len(values) > 1 else 1e-20
    return np.log(values)


def _log_snr(b: Base) -> np.ndarray:
    return np.log(b.bar / (1 - b.bar))


#: by the names that public code uses
TABLES: dict[str, Table] = {
    "betas": Table("β_t", lambda b: b.betas, _one_minus),
    "alphas": Table("1 - β_t", lambda b: 1 - b.betas),
    "alphas_cumprod": Table("ᾱ_t, the product of 1 - β up to t", lambda b: b.bar),
    "alphas_cumprod_prev": Table("ᾱ_{t-1}, 1 at the first entry", lambda b: b.before),
    "alphas_cumprod_next": Table("ᾱ_{t+1}, 0 at the last entry", lambda b: b.after),
    "sqrt_alphas_cumprod": Table("√ᾱ_t", lambda b: b.bar**0.5),
    "sqrt_one_minus_alphas_cumprod": Table("√(1 - ᾱ_t)", lambda b: (1 - b.bar) ** 0.5, _one_minus),
    "log_one_minus_alphas_cumprod": Table(
        "log(1 - ᾱ_t)", lambda b: np.log(1 - b.bar), _one_minus, least=1.0
    ),
    "sqrt_recip_alphas_cumprod": Table("√(1 / ᾱ_t)", lambda b: b.bar**-0.5),
    "sqrt_recipm1_alphas_cumprod": Table(
        "√(1 / ᾱ_t - 1)", lambda b: (1 / b.bar - 1) ** 0.5, _one_minus
    ),
    "sqrt_recip_alphas": Table("√(1 / (1 - β_t))", lambda b: (1 - b.betas) ** -0.5),
    "posterior_variance": Table("β_t (1 - ᾱ_{t-1}) / (1 - ᾱ_t)", lambda b: b.posterior, _both),
    "posterior_log_variance_clipped": Table(
        "log of the posterior variance, the first entry (log 0) clipped",
        _clipped,
        _both,
        least=1.0,
    ),
    "posterior_log_variance": Table(
        "log of the posterior variance, -inf at the first entry or clipped",
        lambda b: np.log(b.posterior),
        _both,
        least=1.0,
    ),
    "posterior_mean_coef1": Table(
        "β_t √ᾱ_{t-1} / (1 - ᾱ_t)",
        lambda b: b.betas * b.before**0.5 / (1 - b.bar),
        _one_minus,
    ),
    "posterior_mean_coef2": Table(
        "(1 - ᾱ_{t-1}) √(1 - β_t) / (1 - ᾱ_t)",
        lambda b: (1 - b.before) * (1 - b.betas) ** 0.5 / (1 - b.bar),
        _both,
    ),
    "snr": Table("ᾱ_t / (1 - ᾱ_t)", lambda b: b.bar / (1 - b.bar), _one_minus),
    "log_snr": Table("log(ᾱ_t / (1 - ᾱ_t))", _log_snr, _one_minus, least=1.0),
    "alpha_t": Table("√ᾱ_t", lambda b: b.bar**0.5),
    "sigma_t": Table("√(1 - ᾱ_t)", lambda b: (1 - b.bar) ** 0.5, _one_minus),
    "lambda_t": Table("log(√ᾱ_t / √(1 - ᾱ_t))", lambda b: _log_snr(b) / 2, _one_minus, least=1.0),
    "train_sigmas": Table("√((1 - ᾱ_t) / ᾱ_t)", lambda b: ((1 - b.bar) / b.bar) ** 0.5, _one_minus),
}

#: other names of the same
ALIASES = {
    "discrete_betas": "betas",
    "logsnr": "log_snr",
    "log_snrs": "log_snr",
    "alpha_bar": "alphas_cumprod",
    "alpha_bars": "alphas_cumprod",
    "alphas_bar": "alphas_cumprod",
    "alpha_hat": "alphas_cumprod",
    "alphas_hat": "alphas_cumprod",
    "alpha_cumprod": "alphas_cumprod",
    "alphas_prod": "alphas_cumprod",
    "alpha_cumprod_prev": "alphas_cumprod_prev",
    "alphas_bar_prev": "alphas_cumprod_prev",
    "alphas_bar_sqrt": "sqrt_alphas_cumprod",
    "sqrt_alpha_bar": "sqrt_alphas_cumprod",
    "sqrt_alphas_bar": "sqrt_alphas_cumprod",
    "sqrt_alpha_cumprod": "sqrt_alphas_cumprod",
    "sqrt_1m_alphas_cumprod": "sqrt_one_minus_alphas_cumprod",
    "sqrt_one_minus_alpha_bar": "sqrt_one_minus_alphas_cumprod",
    "sqrt_one_minus_alphas_bar": "sqrt_one_minus_alphas_cumprod",
    "sqrt_one_minus_alpha_cumprod": "sqrt_one_minus_alphas_cumprod",
    "one_minus_alphas_bar_sqrt": "sqrt_one_minus_alphas_cumprod",
    "discrete_sigmas": "sigmas",
}


def named(name: str) -> str:
    """The name in `TABLES`, or of the list."""
    return ALIASES.get(name, name)


def due_of(name: str, values: np.ndarray, base: Base) -> np.ndarray:
    """The table, with the first or last entry in the reading that these values have."""
    with np.errstate(all="ignore"):
        due = TABLES[name].of(base)
    if name.startswith("posterior_log_variance") and np.isfinite(values[0]):
        # log 0 is replaced by the next entry, or by a number that no variance is as small as
        floor = values[0] < np.log(1e-9) and (len(due) < 2 or values[0] < due[1] - 1)
        due[0] = values[0] if floor else due[min(1, len(due) - 1)]
    if name == "alphas_cumprod_next" and values[-1] == base.bar[-1]:
        due[-1] = values[-1]
    return due
