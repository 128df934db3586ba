"""Coefficients found, against a form's.

Conventions: an error is relative to the coefficient; of c_skip to what it does to the denoiser: a
deviation δ changes D by δ √(σ² + σ_data²), against data of size σ_data; of c_noise to the larger of
it and 1.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence
from scoreproof.public.preconditioning.arguments import Job
from scoreproof.public.preconditioning.forms import COEFFICIENTS, spread_in
from scoreproof.public.preconditioning.standin import Found
from scoreproof.public.preconditioning.words import MIXED, data_apart, named, size_of
from scoreproof.public.rule import compared
from scoreproof.tabular import Table
from scoreproof.words import enumerated

__all__ = ["judge"]

#: roundings in one coefficient
ROUNDINGS = 16


def judge(found: Found, job: Job) -> Evidence:
    """The verdict on all coefficients that are there."""
    spread = _spread(found, job)
    s = job.sigmas
    names = [n for n in COEFFICIENTS if n in found.values and _due(n, job, spread) is not None]
    if not names:
        raise ArgumentError(
            "precondition",
            "with a coefficient that can be judged",
            ", ".join(found.values),
            "c_noise='any' leaves it out; give c_skip, c_out or c_in too",
        )
    errors, bounds, due = [], [], {}
    for name in names:
        right, value = _due(name, job, spread), found.values[name]
        assert right is not None
        due[name] = right
        size = size_of(name, right, s, spread)
        uneven = found.uneven[name] * np.abs(value)
        errors.append(np.maximum(np.abs(value - right), uneven) / size)
        # 1 - σ²/(σ² + σ_data²) is c_skip too, in which 1 cancels
        bounds.append(
            found.eps[name] * ROUNDINGS * (1 / size if name == "c_skip" else np.ones_like(s))
        )
    errors.append(found.apart)
    bounds.append(np.full_like(s, ROUNDINGS * max(found.eps.values())))
    seen = Coverage(
        {"coefficients": len(names), "levels": len(s)}, (), _span(names, job, spread, found)
    )
    evidence = compared(
        np.stack(errors),
        np.stack(bounds),
        f"{enumerated(names)} {'is' if len(names) == 1 else 'are'} {job.form.words}"
        f"{f' with σ_data = {spread:.4g}' if _spread_enters(names, job) else ''} at {len(s)} noise"
        f" levels from {s[0]:g} to {s[-1]:g}",
        coverage=seen,
        tolerance=job.tolerance,
        cost={"calls": found.calls},
        table=_table(found, due, s),
        curves=_curves(found, due, s),
        labels=("noise level σ", "coefficient"),
    )
    mixed = max(found.mixed.values(), default=0.0)
    if mixed > MIXED:
        evidence = replace(
            evidence, verdict="refuted", value=mixed if np.isfinite(mixed) else 1.0, bound=MIXED
        )
    if evidence.verdict == "refuted":
        wrong = {
            n: e > (job.tolerance or 0.0) + b
            for n, e, b in zip(names, errors, bounds, strict=False)
        }
        return named(evidence, found, due, wrong, job, spread)
    if evidence.verdict == "holds" and job.spread is not None:
        return data_apart(evidence, job, spread)
    return evidence


def _due(name: str, job: Job, spread: float) -> np.ndarray | None:
    if name == "c_noise":
        return None if job.c_noise is None else job.c_noise(job.sigmas)
    formula = job.form.of(name)
    return None if formula is None else formula(job.sigmas, spread)


def _spread(found: Found, job: Job) -> float:
    """The declared σ_data; where there is none, the one that most coefficients have."""
    if job.sigma_data is not None:
        return job.sigma_data
    if job.name != "edm":
        return 1.0
    have = [n for n in COEFFICIENTS[:3] if n in found.values]

    def fits_at(k: int) -> list[float]:
        return [float(spread_in(n, job.sigmas, found.values[n])[k]) for n in have]

    # each loses digits far from σ_data: first roughly, then at the level next to it
    rough = [f for k in range(len(job.sigmas)) for f in fits_at(k) if np.isfinite(f) and f > 0]
    middle = float(np.median(rough)) if rough else (job.spread or 0.5)
    fits = fits_at(int(np.argmin(np.abs(np.log(job.sigmas / middle)))))
    good = [f for f in fits if np.isfinite(f) and f > 0]
    return float(np.median(good)) if good else (job.spread or 0.5)


def _spread_enters(names: list[str], job: Job) -> bool:
    """Whether σ_data is in a coefficient that is judged: in EDM's, but for c_noise."""
    return job.name == "edm" and names != ["c_noise"]


def _span(names: list[str], job: Job, spread: float, found: Found) -> str:
    left = [n for n in COEFFICIENTS if n not in names]
    said = "declared" if job.sigma_data is not None else "read from the coefficients"
    text = job.form.source
    if _spread_enters(names, job):
        text = f"σ_data = {spread:.4g}, {said}"
    if found.form:
        text += (
            f"; σ as {found.form}; |D| up to {found.reach:.3g}: where it clips beyond is not seen"
        )
    return text + (f"; not looked at: {', '.join(left)}" if left else "")


def _curves(
    found: Found, due: dict[str, np.ndarray], s: np.ndarray
) -> dict[str, tuple[list[float], list[float]]]:
    """Each coefficient, and what it should lie on."""
    own = {n: (s.tolist(), found.values[n].tolist()) for n in due}
    return own | {f"{n} due": (s.tolist(), right.tolist()) for n, right in due.items()}


def _table(found: Found, due: dict[str, np.ndarray], s: np.ndarray) -> Table:
    columns = ["σ"]
    for name in due:
        columns += [name, f"{name} due"]
    rows = []
    for k, sigma in enumerate(s):
        row: list[float] = [float(sigma)]
        for name, right in due.items():
            row += [float(found.values[name][k]), float(right[k])]
        rows.append(tuple(row))
    return Table(tuple(columns), tuple(rows))
