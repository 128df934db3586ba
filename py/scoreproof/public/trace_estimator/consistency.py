"""Whether a law of ν explains what an estimator that draws its own ν returns.

Conventions: with ν of any law the estimate is uᵀJv, linear in J: 0 at J = 0, minus that of J at -J,
c times that of J at c J, and of no z where J is none. Where that is not so, no law is claimed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.trace_estimator.arguments import Given
from scoreproof.public.trace_estimator.fields import Mirrored, RationalField, Trial

__all__ = ["Linear", "no_law", "not_on_curved_fields"]

SURE, CHANCE = 6.0, 1e-6
#: groups of rows that share one z, to see whether z enters
GROUPS = 64
#: J this much larger and smaller, exactly
SCALE = 2.0**10
ROUNDING = 1e-5


@dataclass(frozen=True, eq=False)
class Linear:
    """Estimates ``(m,)`` on ``f(z) = z Mᵀ``, at rows z ``(m, D)``."""

    given: Given
    z: np.ndarray

    def __call__(self, matrix: np.ndarray, z: np.ndarray | None = None) -> np.ndarray:
        transposed = self.given.convert(np.ascontiguousarray(matrix.T))
        at = self.z if z is None else z
        return np.real(self.given.guard(lambda z: z @ transposed, at, shape=at.shape[:1]))

    def of_units(self) -> np.ndarray:
        """Those on the matrices with a single 1, at i, j: ``(D, D, m)``."""
        d = self.z.shape[1]
        units = np.eye(d * d).reshape(d, d, d, d)
        return np.array([[self(unit) for unit in row] for row in units])


def no_law(linear: Linear, samples: np.ndarray) -> tuple[Diagnosis | None, str]:
    """A constant that is added to right estimates; or why no law of ν is the cause, if so."""
    d = len(samples)
    unit, eye = np.zeros((d, d)), np.eye(d)
    unit[0, 0] = 1.0
    there, nothing = samples[0, 0], linear(0 * eye)
    small = ROUNDING * max(1.0, float(np.abs(samples).mean()))
    if np.max(np.abs(nothing)) > small:
        return _added(samples, nothing, small), (
            f"No law of ν explains it: on a field with J = 0 it returns {nothing.mean():.5g} in the"
            " mean, and any νᵀJν is 0 there: something is added to the estimate, or it is not"
            " proportional to J."
        )
    mean, blur = _known(there)
    for factor, shown in ((-1.0, "-J"), (SCALE, f"{SCALE:.0f} J"), (1 / SCALE, f"J/{SCALE:.0f}")):
        value, error = _known(linear(factor * unit) / factor)
        if abs(value - mean) > SURE * (blur + error) + small:
            return None, (
                "No law of ν explains it: νᵀJν is proportional to J, and the mean of the estimate"
                f" is {mean:.5g} for the J with a 1 at J[0, 0] and {factor * value:.5g} for"
                f" {shown}, {_ratio(mean, factor * value)} times as much: the estimate is bent"
                " after the product with J."
            )
    points = linear.z[:GROUPS]
    each = linear(eye, np.repeat(points, len(linear.z) // GROUPS, axis=0)).reshape(GROUPS, -1)
    noise = each.std(axis=1).mean() ** 2 / each.shape[1] + (0.1 * small) ** 2
    spread = float(((each.mean(axis=1) - each.mean()) ** 2).sum())
    if spread > noise * float(chdtri(GROUPS - 1, CHANCE)) * 1.5:
        low, high = np.min(each.mean(axis=1)), np.max(each.mean(axis=1))
        return None, (
            "No law of ν explains it: on the linear field f(z) = z, whose trace is D at every z,"
            f" the mean of the estimate depends on z: {low:.5g} to {high:.5g} where {d} is due."
        )
    return None, ""


def _added(samples: np.ndarray, nothing: np.ndarray, small: float) -> Diagnosis | None:
    """If what is returned at J = 0 is one number, and without it all is right."""
    if np.ptp(nothing) > small:
        return None
    c = float(nothing.mean())
    rest = samples.mean(axis=2) - c - np.eye(len(samples))
    if np.any(np.abs(rest) > SURE * samples.std(axis=2) / np.sqrt(samples.shape[2]) + small):
        return None
    return Diagnosis.cause(
        "constant_added",
        f"Cause: {c:.5g} is added to every estimate: that is returned where J = 0, and without it"
        f" the mean is right on linear fields (constant_added). Subtract {c:.5g}.",
    )


def not_on_curved_fields(given: Given, rng: np.random.Generator, samples: np.ndarray) -> str:
    """Why E[νν^T] as read off linear fields is not the cause: it predicts another mean of the
    estimates on our curved fields, f or -f.
    """
    d, n = len(samples), samples.shape[2]
    law, spread = samples.mean(axis=2), samples.std(axis=2) / np.sqrt(n)
    field = RationalField(rng, d, given.convert, given.rounded, shift=1)
    z = given.rounded(rng.choice([-1.0, 1.0], (n, d)) * rng.uniform(0.6, 3.0, (n, d)))
    trials: list[Trial] = [field, Mirrored(field)]
    for trial in trials:
        # column j of J at each row
        j = np.stack([trial.product(z, np.tile(e, (n, 1))) for e in np.eye(d)], axis=2)
        due = np.einsum("nij,ij->n", j, law)
        off = np.real(given.guard(trial.function, z, shape=(n,))) - due
        blur = float(off.std() / np.sqrt(n) + (np.abs(j.mean(axis=0)) * spread).sum())
        size = ROUNDING * float(np.abs(due).mean())
        if abs(float(off.mean())) > SURE * blur + size:
            return (
                f"No law of ν explains it: E[νν^T] as it is on linear fields gives the mean"
                f" {due.mean():.5g} on the check's curved field, and {due.mean() + off.mean():.5g}"
                " is found."
            )
    return ""


def _known(values: np.ndarray) -> tuple[float, float]:
    return float(values.mean()), float(values.std() / np.sqrt(len(values)))


def _ratio(before: float, after: float) -> str:
    return f"{after / before:.5g}" if before else "infinitely many"
