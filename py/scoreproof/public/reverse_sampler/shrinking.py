"""How a step's drift and noise shrink with its width h: the drift as h, the noise as √h.

Conventions: ``moved`` is x_next - x without noise, ``spread`` the standard deviation of what the
noise adds; both at the points of one place, for steps h, h/4, h/16.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.asking import ask_step
from scoreproof.public.reverse_sampler.batches import batch
from scoreproof.public.reverse_sampler.laws import number
from scoreproof.public.reverse_sampler.places import FINE, MIDDLE, short, steps_at
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.terms import Told
from scoreproof.public.reverse_sampler.velocity import Around, Found, around
from scoreproof.streams import stream

__all__ = ["Shrinking", "shrinking", "shrunk"]

#: part by which what does not shrink may differ from a multiple of the drift, and from one h to
#: another
SAME = 0.03


#: a standard deviation of a smaller part of g √h is what rounding leaves
SILENT = 1e-6


@dataclass(frozen=True, eq=False)
class Shrinking:
    """The powers of h by which drift and noise shrink (``nan``: there is none), the widths, the
    noise's standard deviation at each, and the displacements.
    """

    t: float
    lam: float
    widths: np.ndarray
    moved: np.ndarray
    spread: np.ndarray
    drift_power: float
    noise_power: float

    @property
    def stays(self) -> np.ndarray:
        """Rows whose x_next, without noise, does not tend to x."""
        first, last = (np.max(np.abs(self.moved[k]), axis=1) for k in (0, -1))
        return np.asarray(last > 0.5 * first)


def shrinking(job: Job, target: Diffused, found: Found) -> Shrinking:
    """Three calls at one place."""
    kind = FINE if short(job.call.eps) else MIDDLE
    steps = steps_at(target, job.span, found.t, kind, exact=True)
    rng = stream(job.seed, "check_reverse_sampler", "shrinking")
    rows = batch(found.x, rng, full=True)
    widths = steps.widths[0] * np.array([1.0, 1 / 4, 1 / 16])
    moved, spread = [], []
    for h in widths.tolist():
        out = ask_step(job, target, rows.x, rows.z, steps.pair(h), found.lam)
        read = rows.read(out, deviations=False)
        moved.append(read.means - found.x)
        spread.append(float(np.trace(read.cov) / len(read.cov)) ** 0.5)
    sizes = np.array([float(np.max(np.abs(m))) for m in moved])
    noise = np.array(spread)
    return Shrinking(
        found.t, found.lam, widths, np.array(moved), noise, _power(sizes), _power(noise)
    )


def _power(sizes: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        return float(np.log(sizes[1] / sizes[2]) / np.log(4)) if np.all(sizes > 0) else np.nan


def shrunk(target: Diffused, found: Found, seen: Shrinking) -> Told | None:
    """What shrinks by the wrong power of h. Without a name: what is seen, and no cause."""
    here, parts = around(target, found.x, seen.t), []
    fixed = _fixed_step(seen, here)
    if fixed is not None:
        return Told("fixed_step", fixed)
    # rounding leaves a spread that does not shrink, where there is no noise
    unit = here.g2**0.5 * float(seen.widths[-1]) ** 0.5
    silent = SILENT if seen.lam < 1 else 1e3 * SILENT
    heard = float(seen.spread[-1]) > silent * unit and np.isfinite(seen.noise_power)
    if heard and abs(seen.noise_power - 0.5) > 0.2:
        parts.append(_noise(seen, here.g2**0.5))
    if np.isfinite(seen.drift_power) and abs(seen.drift_power - 1) > 0.2:
        drift, known = _drift(seen, here)
        parts.append(drift)
        if not known:
            return Told("", "; ".join(parts))
    return Told("step_power", "; ".join(parts)) if parts else None


def _fixed_step(seen: Shrinking, here: Around) -> str | None:
    """One and the same step in the drift and in the noise."""
    share = 1 - seen.lam
    if abs(seen.noise_power) > 0.1 or share <= 0:
        return None
    h = float(seen.spread[-1] ** 2) / (share * here.g2)
    due = (here.f - (1 - seen.lam / 2) * here.g2 * here.score) * -h
    if np.max(np.abs(seen.moved[-1] - due)) > 0.01 * np.max(np.abs(due)):
        return None
    return (
        f"a fixed step of {_round(h)} is used where t - t_next is due, in the drift and in the"
        " noise: t_next is ignored"
    )


def _noise(seen: Shrinking, g: float) -> str:
    p, due = seen.noise_power, (1 - seen.lam) ** 0.5 * g
    last, h = float(seen.spread[-1]), float(seen.widths[-1])
    if abs(p) <= 0.1:
        times = f", {_round(last / due)} times √(1-λ) g," if due > 0 else ""
        return (
            "the noise does not vanish with the step h = t - t_next: its standard deviation stays"
            f" at {last:.3g}{times} where √(1-λ) g √h is due (is √(t - t_next) missing?)"
        )
    if abs(p - 1) <= 0.2:
        factor = last / due / h if due > 0 else 1.0
        same = abs(factor - 1) < 0.005
        times = "" if same else f" (besides, it is {_round(factor)} times too large)"
        return (
            "the noise is multiplied by the step h = t - t_next where √h is due, and is gone as"
            f" steps are added; multiply it by √(t - t_next){times}"
        )
    return f"the noise shrinks as h^{p:.2g} where √h is due, h = t - t_next"


def _drift(seen: Shrinking, here: Around) -> tuple[str, bool]:
    """What is wrong with the drift's power of h, and whether that is a cause."""
    q, h = seen.drift_power, float(seen.widths[-1])
    sizes = [float(np.max(np.abs(m))) for m in seen.moved]
    if abs(q - 0.5) <= 0.1 and abs(np.log(sizes[0] / sizes[1]) / np.log(4) - 0.5) <= 0.1:
        return _of_root(seen, here)
    moved = (4 * seen.moved[-1] - seen.moved[-2]) / 3  # the limit, if what is above it falls as h
    earlier = (4 * seen.moved[1] - seen.moved[0]) / 3
    stays = np.max(np.abs(moved - earlier)) <= 0.1 * np.max(np.abs(moved))
    if q < 0.8 and stays and np.max(np.abs(moved)) > 0.3 * np.max(np.abs(seen.moved[-1])):
        scaled = _of_x(moved, here.x)
        if scaled is not None:
            return scaled, True
        factor = _multiple(seen, here)
        what = "x_next - x, without noise,"
        if factor is None:
            size = float(np.max(np.abs(moved)))
            return (
                f"without noise x_next - x stays at up to {size:.3g} as h = t - t_next goes to 0",
                False,
            )
        return (
            f"the drift is not multiplied by the step h = t - t_next: {what} is"
            f" {'minus ' if factor < 0 else ''}the drift"
            f"{'' if abs(abs(factor) - 1) < 0.005 else f' times {_round(abs(factor))}'}, whatever h"
            " is"
        ), True
    if abs(q - 2) <= 0.2:
        size = float(np.median(np.max(np.abs(seen.moved[-1]), axis=1))) / h**2
        return (
            "the drift is multiplied by h² where the step h = t - t_next is due, and is gone as"
            f" steps are added (x_next - x, without noise, is about {size:.2g} h²)"
        ), True
    return f"x_next - x, without noise, shrinks as h^{q:.2g} where h = t - t_next is due", True


def _of_root(seen: Shrinking, here: Around) -> tuple[str, bool]:
    """Which of the terms shrinks as √h."""
    last, before = (seen.moved[k] / seen.widths[k] ** 0.5 for k in (-1, -2))
    moved = 2 * last - before  # what is above it falls as √h
    weight = 1 - seen.lam / 2
    terms = {
        "the drift is": here.f - weight * here.g2 * here.score,
        "the score's term is": -weight * here.g2 * here.score,
        "the forward drift f is": here.f,
    }
    fits = []
    for what, term in terms.items():
        size = float(np.sum(term * term))
        k = -float(np.sum(moved * term)) / size if size > 0 else 0.0
        if k and np.max(np.abs(moved + k * term)) <= SAME * np.max(np.abs(moved)):
            fits.append((abs(k - 1), what, k))
    if fits:  # where two are alike, that which needs no other factor
        off, what, k = min(fits)
        times = "" if off < SAME else f" (and by {_round(k)} at t = {seen.t:.3g})"
        return f"{what} multiplied by √h where the step h = t - t_next is due{times}", True
    return "x_next - x, without noise, shrinks as √h where h = t - t_next is due", False


def _of_x(moved: np.ndarray, x: np.ndarray) -> str | None:
    """A multiple of x, and a constant, that x_next tends to instead."""
    design = np.stack([x.ravel(), np.ones(x.size)], axis=1)
    (k, c), *_ = np.linalg.lstsq(design, moved.ravel(), rcond=None)
    left = np.max(np.abs(moved.ravel() - design @ np.array([k, c])))
    if left > 0.01 * np.max(np.abs(moved)):
        return None
    plus = "" if abs(c) < 0.01 * np.max(np.abs(moved)) else f" {'-' if c < 0 else '+'} {abs(c):.3g}"
    return (
        f"without noise x_next tends to {1 + k:.6g} x{plus}, not to x, as h = t - t_next goes to 0:"
        " a factor, or something added, that does not shrink with the step"
    )


def _multiple(seen: Shrinking, here: Around) -> float | None:
    """The number that x_next - x is of the right drift, if it is the same for all h."""
    drift = here.f - (1 - seen.lam / 2) * here.g2 * here.score
    factors = [float(np.sum(m * drift) / np.sum(drift * drift)) for m in seen.moved]
    for m, k in zip(seen.moved, factors, strict=True):
        near = abs(k - factors[-1]) <= SAME * abs(factors[-1])
        if not near or np.max(np.abs(m - k * drift)) > SAME * np.max(np.abs(m)):
            return None
    return factors[-1]


def _round(k: float) -> str:
    return number(float(f"{k:.3g}"))
