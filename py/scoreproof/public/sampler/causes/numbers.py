"""The numbers that formulas speak of, at each step.

Conventions: as in `steps`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np

from scoreproof.interop.callables import as_numpy
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes.steps import Steps
from scoreproof.public.sampler.data import Level

__all__ = ["names", "of_levels", "table_of"]

#: entries of a table that are asked for
LONGEST = 5000


def table_of(job: Job) -> np.ndarray | None:
    """ᾱ of the scheduler's table, or of a process that knows timesteps only."""
    bar = getattr(getattr(job.form, "scheduler", None), "alphas_cumprod", None)
    if bar is not None:
        return np.asarray(as_numpy(bar), dtype=float).ravel()
    whole = job.kind != "scheduler" and job.form.grid.whole
    return _entries(job.form.level_of) if whole else None


@lru_cache(maxsize=8)
def _entries(level_of: Callable[[float], Level]) -> np.ndarray | None:
    """ᾱ at 0, 1, 2, … as far as they go; ``None`` where α² + σ² is not 1."""
    found: list[float] = []
    with suppress(Exception):  # beyond the last
        while len(found) < LONGEST:
            level = level_of(float(len(found)))
            if abs(level.alpha**2 + level.sigma**2 - 1) > 1e-6:
                return None
            found.append(level.alpha**2)
    return np.array(found) if len(found) > 1 else None


def names(job: Job, steps: Steps) -> dict[str, Any]:
    """The numbers by the names that formulas give them."""
    found = of_levels(steps.before, steps.after)
    now, after = steps.before, steps.after
    t, t_next = (np.array([v.when for v in levels]) for levels in (now, after))
    hats = np.array([c[0].sigma if c else v.sigma for c, v in zip(steps.told, now, strict=True)])
    found |= {"t": t, "t_next": t_next, "dt": t - t_next}
    if not np.allclose(hats, found["sigma_t"], rtol=1e-9):  # else nothing is churned
        found |= {"sigma_hat": hats, "sigma_hat_next": np.append(hats[1:], after[-1].sigma)}
    table = table_of(job)
    if table is not None:
        at = np.clip(np.round(t).astype(int), 0, len(table) - 1)
        before = np.where(at > 0, table[at - 1], 1.0)
        found["beta_table"] = 1 - table[at] / before
        found |= _neighbours(table, at)
    found["sigma_mid"] = np.sqrt(found["sigma_t"] * found["sigma_next"])
    for name in ("a", "sigma"):
        found[f"{name}_old"] = np.append(found[f"{name}_t"][:1], found[f"{name}_t"][:-1])
    found |= _multistep(found["sigma_t"], found["sigma_next"])
    found |= _rates(job, t, t_next)
    return found


def _neighbours(table: np.ndarray, at: np.ndarray) -> dict[str, Any]:
    """Numbers of the entries beside the timesteps', as a table of each lists them: β, ᾱ, and the
    variance of the posterior.
    """
    bar = np.concatenate([[1.0], table])
    beta = 1 - bar[1:] / bar[:-1]
    lists = {"beta": beta, "alpha": 1 - beta, "abar": table}
    lists["var"] = beta * (1 - bar[:-1]) / (1 - table)
    found = {}
    for name, values in lists.items():
        for where, k in (("before", -1), ("after", 1)):
            found[f"{name}_{where}"] = values[np.clip(at + k, 0, len(table) - 1)]
    return found | {"var_table": lists["var"][at]}


def _multistep(now: np.ndarray, after: np.ndarray) -> dict[str, np.ndarray]:
    """The weights of the last two, three and four slopes in σ: integrals of Lagrange's polynomials
    over the step.
    """
    nodes, weights = np.polynomial.legendre.leggauss(6)
    found = {}
    for order in (2, 3, 4):
        for j in range(order):
            value = np.full(len(now), np.nan)
            for k in range(order - 1, len(now)):
                s = (after[k] - now[k]) / 2 * nodes + (after[k] + now[k]) / 2
                others = [now[k - i] for i in range(order) if i != j]
                part = np.prod([(s - o) / (now[k - j] - o) for o in others], axis=0)
                value[k] = (after[k] - now[k]) / 2 * float(weights @ part)
            found[f"lms{order}_{j + 1}"] = value
    return found


def of_levels(now: tuple[Level, ...], after: tuple[Level, ...]) -> dict[str, Any]:
    a, s = (np.array([getattr(v, n) for v in now]) for n in ("alpha", "sigma"))
    b, r = (np.array([getattr(v, n) for v in after]) for n in ("alpha", "sigma"))
    with np.errstate(all="ignore"):
        h = np.log(b) - np.log(r) - np.log(a) + np.log(s)
        return {
            "a_t": a,
            "a_next": b,
            "sigma_t": s,
            "sigma_next": r,
            "abar_t": a**2,
            "abar_prev": b**2,
            "alpha_t": (a / b) ** 2,
            "beta_t": 1 - (a / b) ** 2,
            "noise_t": 1 - a**2,
            "h": h,
            "h_prev": np.append(np.nan, h[:-1]),
            "h_log10": h / np.log(10),
            "h_log2": h / np.log(2),
        }


def _rates(job: Job, t: np.ndarray, t_next: np.ndarray) -> dict[str, Any]:
    """Drift factor f and g² of the forward process in continuous time."""
    level_of = getattr(job.form, "level_of", None)
    if level_of is None or job.kind == "scheduler" or job.form.grid.whole:
        return {}
    found: dict[str, Any] = {}
    for end, times in (("", t), ("_next", t_next)):
        rates = np.array([_rate(level_of, float(at), float(np.max(t))) for at in times])
        found["f" + end], found["g2" + end] = rates[:, 0], rates[:, 1]
        with np.errstate(all="ignore"):
            found["g" + end] = np.sqrt(rates[:, 1])
    return found


def _rate(level_of: Any, t: float, span: float) -> tuple[float, float]:
    """f = d log α / dt and g² = dσ²/dt - 2 f σ², by differences of fourth order."""
    h = 2e-3 * min(span, t if t > 0 else span)
    if not t > 0:
        return np.nan, np.nan
    at = [level_of(t + k * h) for k in (-2, -1, 1, 2)]
    weights = np.array([1, -8, 8, -1]) / (12 * h)
    with np.errstate(all="ignore"):
        f = float(weights @ np.log([v.alpha for v in at]))
        squares = float(weights @ np.array([v.sigma**2 for v in at]))
    return f, squares - 2 * f * level_of(t).sigma ** 2
