"""What is asked of the formulas: the steps' coefficients, and the numbers that formulas speak of.

Conventions: as in `steps`; a number of each step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scoreproof.interop.callables import as_numpy
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes.matching import Question
from scoreproof.public.sampler.causes.steps import Steps
from scoreproof.public.sampler.data import Data, Level
from scoreproof.public.sampler.scheduler import setting

__all__ = ["question", "shape_of", "swaps", "table_of"]

#: relative to what the arithmetic, and tables of single precision, may do
TIGHT, LOOSE = 1e-7, 1e4


def shape_of(steps: Steps) -> str:
    """VP, VE, flow or other: what α and σ have to do with each other at all levels."""
    alpha, sigma = (np.array([getattr(v, n) for v in steps.before]) for n in ("alpha", "sigma"))
    for name, off in (
        ("VE", alpha - 1),
        ("VP", alpha**2 + sigma**2 - 1),
        ("flow", alpha + sigma - 1),
    ):
        if np.max(np.abs(off)) < 1e-5:
            return name
    return "other"


def table_of(job: Job) -> np.ndarray | None:
    """ᾱ of the scheduler's table."""
    bar = getattr(getattr(job.form, "scheduler", None), "alphas_cumprod", None)
    return None if bar is None else np.asarray(as_numpy(bar), dtype=float).ravel()


def question(job: Job, steps: Steps, eps: float, i: int = 0, by_eps: Steps | None = None) -> Question:
    """Of coordinate i; ``by_eps``: the steps where ε is prescribed, not x_0."""
    measured = {n: v[:, i] for n, v in steps.coefficients.items()}
    outs = []
    for stage in range(steps.stages):
        told = [t[stage] if len(t) > stage else t[-1] for t in steps.told if t]
        told += [told[-1]] * (steps.count - len(told))
        outs.append(_out(job, told, by_eps is steps))
    inner = np.array([u.sigma > 0 < v.sigma for u, v in zip(steps.before, steps.after, strict=True)])
    inner &= np.all([np.isfinite(v) for v in measured.values()], axis=0)
    inner &= np.array([len(t) == steps.stages for t in steps.told])
    known = names(job, steps)
    if "x_next.c2" in measured:
        with np.errstate(all="ignore"):
            known["epsilon"] = measured["x_next.c2"] * known["sigma_next"] ** 2 / known["a_next"]
    other = None
    if by_eps is not None and by_eps is not steps:
        other = question(job, by_eps, eps, i, by_eps)
    tolerance = max(TIGHT, LOOSE * eps)
    return Question(measured, steps.sizes, known, tuple(outs), inner, tolerance, other)


class _Fixed(Data):
    """An x_0 that is given."""

    def denoised(self, x: np.ndarray, alpha: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        return np.full(x.shape, self.mean)


def _out(job: Job, told: list[Level], by_eps: bool) -> tuple[np.ndarray, np.ndarray]:
    """What the model returns, as x and x_0 (or ε) make it, at each step."""
    rows, one, zero = np.ones((len(told), 1)), np.ones(1), np.zeros(1)
    alpha, sigma = (np.array([[getattr(v, n)] for v in told]) for n in ("alpha", "sigma"))
    more = dict(getattr(job.form, "more", {}))
    scheduler = getattr(job.form, "scheduler", None)
    if scheduler is not None:
        more = {"sigma_data": float(setting(scheduler, "sigma_data", 0.5))}
    kind = job.form.prediction
    of_x = _Fixed(zero, one).predicted(rows, alpha, sigma, kind, **more)[:, 0]
    of_x0 = _Fixed(one, one).predicted(0 * rows, alpha, sigma, kind, **more)[:, 0]
    if not by_eps:
        return of_x, of_x0
    with np.errstate(all="ignore"):  # x_0 = (x - σ ε)/α
        a, s = alpha[:, 0], sigma[:, 0]
        return of_x + of_x0 / a, -of_x0 * s / a


def names(job: Job, steps: Steps) -> dict[str, Any]:
    """The numbers by the names that formulas give them."""
    found = _of_levels(steps.before, steps.after)
    now, after = steps.before, steps.after
    t, t_next = (np.array([v.when for v in levels]) for levels in (now, after))
    hats = np.array([c[0].sigma if c else v.sigma for c, v in zip(steps.told, now, strict=True)])
    found |= {"t": t, "t_next": t_next, "dt": t - t_next}
    found |= {"sigma_hat": hats, "sigma_hat_next": np.append(hats[1:], after[-1].sigma)}
    table = table_of(job)
    if table is not None:
        at = np.clip(np.round(t).astype(int), 0, len(table) - 1)
        before = np.where(at > 0, table[at - 1], 1.0)
        found["beta_table"] = 1 - table[at] / before
    found["sigma_mid"] = np.sqrt(found["sigma_t"] * found["sigma_next"])
    found |= _multistep(found["sigma_t"], found["sigma_next"])
    found |= _rates(job, t, t_next)
    return found


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


def _of_levels(now: tuple[Level, ...], after: tuple[Level, ...]) -> dict[str, Any]:
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


def swaps(job: Job, steps: Steps) -> list[tuple[str, Mapping[str, Any]]]:
    """Levels of other indices in the place of those of the step, in words and as numbers."""
    grid = (*steps.before, steps.after[-1])
    n = steps.count

    def at(shift: int, end: int) -> tuple[Level, ...]:
        return tuple(grid[min(max(k + end + shift, 0), n)] for k in range(n))

    now, after = steps.before, steps.after
    found = [
        (
            "all that belongs to the step's start (α, σ at t) is taken from the next index of the"
            " grid (k + 1 for k)",
            _of_levels(at(1, 0), after),
        ),
        (
            "all that belongs to the step's start (α, σ at t) is taken from the index before"
            " (k - 1 for k)",
            _of_levels(at(-1, 0), after),
        ),
        (
            "all that belongs to the step's end (α, σ at t_next) is taken one index too far down"
            " the grid (k + 2 for k + 1)",
            _of_levels(now, at(1, 1)),
        ),
        (
            "all that belongs to the step's end (α, σ at t_next) is taken one index too early (k"
            " for k + 1): x stays at the level it is at",
            _of_levels(now, at(-1, 1)),
        ),
        (
            "the two ends of the step are exchanged (α, σ of t_next for those of t, and the"
            " reverse)",
            _of_levels(after, now),
        ),
        (
            "both ends of the step are taken one index too far down the grid (k + 1 for k)",
            _of_levels(at(1, 0), at(1, 1)),
        ),
        (
            "both ends of the step are taken one index too early (k - 1 for k)",
            _of_levels(at(-1, 0), at(-1, 1)),
        ),
    ]
    own = _of_levels(now, after)
    for name, base in (("log10", 10.0), ("log2", 2.0)):
        log = {n: own[n] / np.log(base) for n in ("h", "h_prev")}
        found.append((f"h = λ_next - λ_t is formed with {name}, where the natural log is due", log))
    table = table_of(job)
    if table is not None:
        found += _of_table(table, steps)
        beta = names(job, steps)["beta_table"]
        found.append(
            (
                "β_t is the table's, of one step of its many, where a step from timestep to timestep"
                " of this list needs β_t = 1 - ᾱ_t/ᾱ_prev (and α_t = ᾱ_t/ᾱ_prev)",
                {"beta_t": beta, "alpha_t": 1 - beta},
            )
        )
    return found


def _of_table(table: np.ndarray, steps: Steps) -> list[tuple[str, Mapping[str, Any]]]:
    t = np.round([v.when for v in steps.before]).astype(int)
    listed = np.append(t[1:], -1)
    vp = shape_of(steps) == "VP"
    found: list[tuple[str, Mapping[str, Any]]] = []
    total, n = len(table), steps.count
    ends = [(f"t - {total // n}, the stride {total} // {n}", t - total // n)]
    ends += [("t - 1, the entry of the table before", t - 1)]
    ends += [
        (f"one entry {w} the next timestep", listed + k) for w, k in (("above", 1), ("below", -1))
    ]
    for text, at in ends:
        if np.all(at == listed):
            continue
        bar = np.where(at >= 0, table[np.clip(at, 0, total - 1)], 1.0)
        made = _of_levels(steps.before, tuple(_level(b, vp) for b in bar))
        k = int(np.argmax(at != listed))
        found.append(
            (
                f"the step leads to timestep {text} (from {t[k]} to {at[k]}), but the next one of"
                f" timesteps is {listed[k]}: take it from the list of timesteps",
                made,
            )
        )
    return found


def _level(bar: float, vp: bool) -> Level:
    if vp:
        return Level(0.0, float(np.sqrt(bar)), float(np.sqrt(1 - bar)))
    return Level(0.0, 1.0, float(np.sqrt((1 - bar) / bar)))
