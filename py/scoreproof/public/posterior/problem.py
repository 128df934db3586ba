"""What is judged: the prior, the noise, and where the caller wants it looked at.

Conventions: ``y = alpha x_0 + z`` with ``z ~ N(0, cov)``. Points are rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import to_float
from scoreproof.objects.empirical import Atoms
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.public.arguments import accepted, count, seeded
from scoreproof.public.posterior.noise import Noise, make_noise, scaled_condition

__all__ = ["Prior", "Problem", "make_problem", "on_grid", "positive"]

Prior = GaussianMixture | Atoms | Any
#: data sets up to this size are searched for rows that occur more than once
DUPLICATES = 20_000


@dataclass(frozen=True, eq=False)
class Problem:
    """``prior`` is the law of ``alpha x_0`` (``None`` if it is not known), ``points`` the caller's
    own, ``n`` how many to choose otherwise; ``name`` names the random streams.
    """

    prior: GaussianMixture | Atoms | None
    noise: Noise
    alpha: float
    points: np.ndarray | None
    n: int
    tolerance: float | None
    seed: int
    name: str

    @property
    def dimension(self) -> int:
        return len(self.noise.cov)

    @property
    def known(self) -> GaussianMixture | Atoms:
        assert self.prior is not None
        return self.prior

    @cached_property
    def law(self) -> Any:
        """The law of y."""
        return self.known.noised(self.noise.cov)

    @cached_property
    def gains(self) -> np.ndarray:
        """``C (C + Σ)⁻¹`` of each component of a mixture: what a Kalman update takes of y."""
        assert isinstance(self.known, GaussianMixture)
        turned = np.linalg.solve(self.law.covariances, self.known.covariances)
        return np.asarray(np.swapaxes(turned, -1, -2))

    @cached_property
    def roots(self) -> np.ndarray:
        """The factors of ``C + Σ``, component by component of a mixture."""
        return np.asarray(np.linalg.cholesky(self.law.covariances))

    @cached_property
    def conditions(self) -> list[float]:
        """What solving costs, component by component of a mixture; some invert the prior's own
        covariance too.
        """
        assert isinstance(self.known, GaussianMixture)
        return [
            max(scaled_condition(own), scaled_condition(noisy), self.noise.condition)
            for own, noisy in zip(self.known.covariances, self.law.covariances, strict=True)
        ]

    def in_type(self, eps: float) -> Problem:
        """The same with the data, or the components' means, as numbers whose spacing at 1 is
        ``eps``: what a callable of that type can hold of them.
        """
        known = self.known
        if isinstance(known, Atoms):
            points = self.alpha * on_grid(known.points / self.alpha, eps)
            return replace(self, prior=Atoms(points, known.weights))
        means = self.alpha * on_grid(known.means / self.alpha, eps)
        return replace(self, prior=GaussianMixture(known.weights, means, known.covariances))

    @property
    def components(self) -> int:
        """How many data or Gaussians the prior has."""
        return self.known.size if isinstance(self.known, Atoms) else len(self.known.weights)

    @property
    def kind(self) -> str:
        """What the prior consists of, in the plural."""
        return "data" if isinstance(self.known, Atoms) else "components"


def on_grid(y: np.ndarray, eps: float) -> np.ndarray:
    """y rounded to numbers whose spacing at 1 is ``eps``.

    >>> on_grid(np.array([1.001, 300.1]), 2.0**-7).tolist()
    [1.0, 300.0]
    """
    fraction, exponent = np.frexp(y)
    return np.asarray(np.ldexp(np.round(fraction * (2 / eps)) * (eps / 2), exponent))


def positive(argument: str, value: Any, remedy: str) -> float:
    """``value`` as a finite number > 0."""
    if not (isinstance(value, Real) and np.isfinite(float(value)) and float(value) > 0):
        raise ArgumentError(argument, "finite and > 0", value, remedy)
    return float(value)


def make_problem(
    prior: Prior | None,
    cov: Any,
    alpha: Any,
    *,
    points: Any,
    n: Any,
    tolerance: Any,
    seed: Any,
    name: str,
) -> Problem:
    """The arguments of a check, validated; raises ``ArgumentError``."""
    alpha = positive("alpha", alpha, "it multiplies x_0 in y = alpha x_0 + z")
    n = count("n", n, 1, "it is the number of points")
    if prior is None and points is None:
        raise ArgumentError(
            "points",
            "given when prior is None",
            None,
            "pass the rows at which to look at the Jacobian",
        )
    y = None if points is None else to_float("points", points, shape=(None, None))
    if y is not None and len(y) == 0:
        raise ArgumentError(
            "points", "at least one row", f"shape {y.shape}", "pass the rows at which to look"
        )
    known = None if prior is None else _law(prior)
    d = known.dimension if known is not None else y.shape[1] if y is not None else 0
    noise = make_noise(cov, d)
    if y is not None and y.shape[1] != d:
        raise ArgumentError(
            "points", f"of shape (m, {d})", f"shape {y.shape}", "points have the prior's dimension"
        )
    if known is not None and alpha != 1.0:
        known = (
            Atoms(alpha * known.points, known.weights)
            if isinstance(known, Atoms)
            else GaussianMixture(known.weights, alpha * known.means, alpha**2 * known.covariances)
        )
    return Problem(known, noise, alpha, y, n, accepted(tolerance), seeded(seed), name)


def _law(prior: Prior) -> GaussianMixture | Atoms:
    if isinstance(prior, GaussianMixture):
        return _merged(prior)
    atoms = (
        prior if isinstance(prior, Atoms) else Atoms(to_float("prior", prior, shape=(None, None)))
    )
    if atoms.size > DUPLICATES:
        return atoms
    # a datum that occurs twice is one of twice the weight: two of it are no two effective data
    unique, where = np.unique(atoms.points, axis=0, return_inverse=True)
    if len(unique) == atoms.size:
        return atoms
    return Atoms(unique, np.bincount(np.ravel(where), weights=np.asarray(atoms.weights)))


def _merged(mixture: GaussianMixture) -> GaussianMixture:
    """The same law without a component that occurs twice: two alike always share, and a point
    where only they do tells nothing.
    """
    k = len(mixture.means)
    rows = np.concatenate([mixture.means, mixture.covariances.reshape(k, -1)], axis=1)
    _, first, where = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    if len(first) == k:
        return mixture
    order = np.argsort(first)
    weights = np.bincount(np.ravel(where), weights=np.asarray(mixture.weights))[order]
    kept = first[order]
    return GaussianMixture(weights, mixture.means[kept], mixture.covariances[kept])
