"""Which known mistake explains what came back: each predicts log p at the very points.

Conventions: nats, until the units are put on; a mistake in x's way, in the prior, in the trace, in
a scaling and in the units are kinds of their own, and two of different kinds may come together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.log_likelihood.due import Due, normal
from scoreproof.public.log_likelihood.growing import of_growth
from scoreproof.public.log_likelihood.routes import late_or_early, ways
from scoreproof.public.log_likelihood.runs import Run
from scoreproof.public.log_likelihood.tails import of_tails
from scoreproof.public.log_likelihood.words import REASONS

__all__ = ["explained"]

LOG_2PI = float(np.log(2 * np.pi))
Table = dict[str, np.ndarray]


def priors(due: Due) -> Table:
    """What is added to log p by a mistake in the prior."""
    z, d, job = due.path.z, due.y.shape[1], due.job
    right = due.log_prior
    found: Table = {
        "prior_at_x": due.prior(due.y) - right,
        "prior_mean": right / d - right,
        "prior_missing": -right,
    }
    alpha, sigma = (float(v) for v in job.clock.at(due.span.end)[:2])
    if job.prior is not None:
        marginal = due.law.log_density(z, alpha, sigma) - right
        if np.max(np.abs(marginal)) > 1e-9:
            found["prior_marginal"] = marginal
    if not isinstance(job.prior, float):
        return found
    s = job.prior
    square = (z**2).sum(axis=1)
    one = np.ones(len(z))
    found |= {
        "prior_no_2pi": d / 2 * LOG_2PI * one,
        "prior_half_2pi": (d - 1) / 2 * LOG_2PI * one,
        "prior_square_mean": (1 - 1 / d) * square / (2 * s**2),
        "prior_no_half": -square / (2 * s**2),
        "prior_half_constant": -d * (LOG_2PI / 2 + np.log(s)) * one,
    }
    if abs(s - 1) > 1e-9:
        found |= {
            "prior_no_width": d * np.log(s) * one,
            "prior_variance": normal(z, s**0.5) - right,
            "prior_fourth": normal(z, s**2) - right,
            "prior_unit": normal(z, 1.0) - right,
        }
    if sigma > 0 and abs(sigma - s) > 1e-9:
        found["prior_sigma"] = normal(z, sigma) - right
    if abs(due.span.end - 1) > 1e-9:
        at_one = float(job.clock.at(1.0)[1])
        if at_one > 0 and abs(at_one - s) > 1e-9:
            found["prior_sigma_at_one"] = normal(z, at_one) - right
    return found


def traces(due: Due) -> Table:
    """What is added to log p by another trace along the right way."""
    path, right, d = due.path, due.trace, due.y.shape[1]
    found: Table = {
        "trace_sign": -2 * right,
        "trace_missing": -right,
        "trace_mean": right / d - right,
        "trace_times_n": (d - 1) * right,
    }
    found["trace_of_model"] = path.model - right
    held = due.rates()
    found["trace_held"], found["trace_at_end"] = (v - right for v in held)
    if path.parted:
        found |= {
            "trace_whole_g2": path.pull,
            "trace_g_for_g2": path.rooted - path.pull,
            "trace_no_score": -path.pull,
            "trace_of_score": path.score - right,
        }
        if np.any(np.abs(path.linear) > 1e-9):
            found["trace_no_drift"] = -path.linear
    return found


def units(due: Due, log_p: np.ndarray) -> Table:
    """What comes back of log p in other units."""
    u, d = due.job.units, due.y.shape[1]
    ln2 = float(np.log(2.0))
    if u.name == "bits_per_dim":
        bits = -log_p / (d * ln2)
        found = {
            "no_dimensions": bits * d + u.offset,
            "no_log2": bits * ln2 + u.offset,
            "times_log2": bits * ln2**2 + u.offset,
            "sign": -bits + u.offset,
        }
        if u.offset:
            found |= {
                "offset_missing": bits,
                "offset_one_more": bits + u.offset + 1,
                "offset_one_less": bits + u.offset - 1,
                "offset_sign": bits - u.offset,
                "offset_not_per_dim": bits + u.offset / d,
            }
        return found
    told = u.told(log_p)
    found = {"sign": -told, "per_dimension": told / d}
    if u.name in ("nats", "nll"):
        found |= {"in_bits": told / ln2, "bits_per_dim": -log_p / (d * ln2)}
    else:
        found["no_log2"] = told * ln2
    return found


def explained(runs: Sequence[Run]) -> Diagnosis:
    """Over the points of all laws."""
    job = runs[0].due.job
    away = of_growth(runs)
    if away is not None:
        return away
    far_out = of_tails(runs)
    if far_out is not None:
        return far_out
    runs = [r for r in runs if not r.far]  # a solver is less exact out there
    measured = np.concatenate([r.values for r in runs])
    truth = np.concatenate([job.units.told(r.due.value) for r in runs])
    tables = [_of_one(r) for r in runs]
    names = [n for n in tables[0] if all(n in t for t in tables)]
    candidates = {n: np.concatenate([t[n] for t in tables]) for n in names}
    parts = [np.full(len(r.values), abs(job.units.factor) * max(r.bound, 1e-9)) for r in runs]
    limit = np.concatenate(parts)
    found = diagnose(
        measured, truth, candidates, resolution=1e-4, reasons=REASONS, limit=limit, read=False
    )
    if found.names:
        return found
    fits, reasons = _fitted(runs)
    return diagnose(
        measured, truth, candidates | fits, resolution=1e-4, reasons=REASONS | reasons, limit=limit,
        known={"d": float(job.d)},
    )  # fmt: skip


def _of_one(run: Run) -> Table:
    due = run.due
    told = due.job.units.told
    first, second = priors(due), traces(due)
    third = ways(due) | late_or_early(due)
    scaled: Table = {}
    if np.any(due.stretch):
        one = np.full(len(due.y), due.stretch)
        scaled = {"scaler_missing": -one, "scaler_sign": -2 * one}
    found = {n: told(due.value + v) for n, v in (first | second | third | scaled).items()}
    found |= units(due, due.value)
    for group, other in ((first, second), (first, scaled), (second, scaled), (third, scaled)):
        for a, va in group.items():
            found |= {f"{a} + {b}": told(due.value + va + vb) for b, vb in other.items()}
    for a, va in (first | second | third | scaled).items():
        found |= {f"{a} + {b}": v for b, v in units(due, due.value + va).items()}
    return found


def _fitted(runs: Sequence[Run]) -> tuple[Table, dict[str, str]]:
    """A number of times the trace, and another width of the prior: read off by least squares."""
    job = runs[0].due.job
    candidates: Table = {}
    reasons: dict[str, str] = {}
    trace = np.concatenate([r.due.trace for r in runs])
    value = np.concatenate([r.due.value for r in runs])
    error = np.concatenate([r.error for r in runs])
    c = 1 + float(error @ trace / (trace @ trace))
    candidates["trace_times"] = job.units.told(value + (c - 1) * trace)
    reasons["trace_times"] = (
        f"∫ tr(∂f/∂x) dt is {c:.4g} times what is due: a probe ν has to have mean 0 and"
        " variance 1 in each coordinate, and ν·Jν one factor dt"
    )
    if not isinstance(job.prior, float):
        return candidates, reasons
    square = np.concatenate([(r.due.path.z**2).sum(axis=1) for r in runs]) / 2
    design = np.stack([square, np.ones_like(square)], axis=1)
    slope = float(np.linalg.lstsq(design, error, rcond=None)[0][0])
    precision = 1 / job.prior**2 - slope
    if precision <= 0:
        return candidates, reasons
    width = precision**-0.5
    z = np.concatenate([r.due.path.z for r in runs])
    change = normal(z, width) - normal(z, job.prior)
    candidates["prior_width"] = job.units.told(value + change)
    reasons["prior_width"] = (
        f"the prior is N(0, {width:.4g}² I), where the standard deviation {job.prior:.4g} is due;"
        " if you mean it, pass prior="
    )
    return candidates, reasons
