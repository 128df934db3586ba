"""What is due at another x than was given: scaled, centred, clipped; or x itself, in part."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.public.posterior.cases import Case, Cause, stated
from scoreproof.public.posterior.fitted import misfit, searched
from scoreproof.public.posterior.means import mean_under

__all__ = ["other_arguments", "parts_of_x", "scaled_argument"]


def scaled_argument(case: Case) -> Iterator[Cause]:
    """What is due for another multiple of x."""
    if case.very_heavy or case.kind.name != "x0":
        return
    few, problem = case.few, case.due.problem

    def predicted(at: Case, p: np.ndarray) -> np.ndarray:
        y = at.y * float(np.exp(p[0]))
        return at.told(mean_under(problem.known, y, problem.noise.least))

    found = searched(
        lambda p: misfit(predicted(few, p), few.value, few.limit),
        np.linspace(-4, 4, 33),
    )
    if found is None:
        return
    factor = float(np.exp(found[0]))
    why = ""
    if problem.noise.variance is not None:
        square = problem.alpha**2 / factor**2 - problem.noise.variance
        rest = max(square, 0.0) ** 0.5
        if rest > 0 and abs(rest / float(f"{rest:.2g}") - 1) <= 1e-6:
            why = f", 1/√(σ² + {rest:.2g}²): c_in is applied to it twice, or where it is not due"
        if problem.alpha != 1.0 and abs(factor * problem.alpha - 1) <= 1e-6:
            why = ", 1/α: it is given x/α"
        if problem.alpha != 1.0 and abs(factor / problem.alpha - 1) <= 1e-6:
            why = ": a denoiser of x/α = x_0 + (σ/α) ε is given x itself; divide x by α"
    yield Cause(
        "scaled_argument",
        predicted(case, found),
        lambda t: f"it is the answer for {t['factor']} times x{why}",
        {"factor": factor},
    )


def other_arguments(case: Case) -> Iterator[Cause]:
    """What is due at a changed x: centred, standardised, clipped, without its sign."""
    if case.very_heavy:
        return
    problem, y = case.due.problem, case.y
    middle, spread = np.mean(y, axis=1, keepdims=True), np.std(y, axis=1, keepdims=True)
    size = np.linalg.norm(y, axis=1, keepdims=True)
    mean = problem.known.mean()
    with np.errstate(all="ignore"):
        options = {
            "minus its own mean": y - middle,
            "minus its own mean, divided by its own standard deviation": (y - middle) / spread,
            "divided by its own standard deviation": y / spread,
            "divided by its own length": y / size,
            "minus the data's mean": y - mean,
            "plus the data's mean": y + mean,
            "without its sign": np.abs(y),
            "negated": -y,
            "clipped to ±1": np.clip(y, -1, 1),
            "clipped to ±2": np.clip(y, -2, 2),
            "clipped to ±3": np.clip(y, -3, 3),
            "clipped to [0, 1]": np.clip(y, 0, 1),
            "rounded to bytes of [-1, 1]": np.round((y + 1) * 127.5) / 127.5 - 1,
        }
        if len(case.shape) > 1:
            flat = y.reshape(len(y), case.shape[0], -1)
            each = np.mean(flat, axis=2, keepdims=True)
            options["minus the mean of each channel"] = (flat - each).reshape(y.shape)
    for words, other in options.items():
        if not np.all(np.isfinite(other)):
            continue
        mean_there = mean_under(problem.known, other, problem.noise.least)
        for value in (case.told(mean_there, other), case.told(mean_there)):
            yield stated("argument", value, f"it is the answer for x {words}")
            if case.kind.name == "x0":
                break


def parts_of_x(case: Case) -> Iterator[Cause]:
    """Coordinates that come back as they went in, or as 0, beside others that are right."""
    value, right, limit = case.value, case.right, case.limit
    if value.shape[1] < 2:
        return
    passed = np.all(np.abs(value - case.y) <= limit, axis=0)
    wrong = np.any(np.abs(value - right) > limit, axis=0)
    if np.any(passed & wrong):
        which = np.flatnonzero(passed & wrong)
        run = len(which) > 2 and np.all(np.diff(which) == 1)
        shown = f"{which[0]} to {which[-1]}" if run else ", ".join(str(j) for j in which[:6])
        yield stated(
            "coordinates_passed",
            np.where(passed & wrong, case.y, right),
            f"coordinates {shown} of {len(passed)} come back as they went in, the rest is right",
        )
