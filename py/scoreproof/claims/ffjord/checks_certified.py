"""The adjoint of a flow with closed form, in balls: exact rational data, derivatives by power
series.

Conventions: ``Φ(z, s, θ)`` is log p̂ of the state z at time s, ``log p_Z(z(0)) - ∫_0^s ν^T J ν``,
in closed form. Along a solution
``a(s) = ∂_z Φ(z(s), s, θ)`` and ``b(s) = ∂_θ Φ(z(s), s, θ)``; at s = 1 the latter is ∂_θ log p̂(x)
by definition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import combinations
from typing import Any

import numpy as np
from flint import ctx

from scoreproof.claims.ffjord.faults import Spare
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.balls import ball, decide, rational
from scoreproof.numerics.jets import Jet
from scoreproof.objects.fields import LogisticField
from scoreproof.objects.latents import GaussianLatent

__all__ = ["closed_form_flow"]

RADIUS = 1e-55


@dataclass(frozen=True)
class Rational:
    """Everything as exact rationals, turned into balls at whatever precision is asked for."""

    basis: tuple[tuple[Any, ...], ...]
    ramp: Any
    theta: tuple[Any, ...]
    share: tuple[Any, ...]  # B⁻¹x as a part of K, in (0, 1)
    nu: tuple[Any, ...]
    fresh: tuple[Any, ...]
    mean: tuple[Any, ...]
    precision: tuple[tuple[Any, ...], ...]
    times: tuple[Any, ...]


def _rational(d: int, times: tuple[str, ...], rng: np.random.Generator) -> Rational:
    def draw(low: int, high: int, count: int) -> tuple[Any, ...]:
        return tuple(rational(f"{int(n)}/89") for n in rng.integers(89 * low, 89 * high, count))

    def matrix(diagonal: int, symmetric: bool) -> tuple[tuple[Any, ...], ...]:
        # diagonally dominant, so invertible; full, so that transposes differ
        off = [
            [rational(f"{int(n)}/97") for n in row]
            for row in rng.integers(10, 70, (d, d)) * rng.choice([-1, 1], (d, d))
        ]
        return tuple(
            tuple(
                (
                    rational(diagonal * d) + off[i][i]
                    if i == j
                    else off[min(i, j)][max(i, j)]
                    if symmetric
                    else off[i][j]
                )
                for j in range(d)
            )
            for i in range(d)
        )

    theta = (*draw(1, 2, d), *draw(2, 4, d))
    share = tuple(rational(f"{int(n)}/97") for n in rng.integers(20, 75, d))
    nu = tuple(rational(f"{int(n)}/83") for n in rng.choice([-1, 1], d) * rng.integers(50, 150, d))
    fresh = tuple(
        rational(f"{int(n)}/79") for n in rng.choice([-1, 1], d) * rng.integers(50, 150, d)
    )
    basis = matrix(1, False)
    while not _slanted(basis):
        basis = matrix(1, False)
    return Rational(
        basis,
        rational("2/5"),
        theta,
        share,
        nu,
        fresh,
        draw(0, 2, d),
        matrix(1, True),
        tuple(map(rational, times)),
    )


def _slanted(basis: tuple[tuple[Any, ...], ...]) -> bool:
    """No two columns are orthogonal: with orthogonal ones ``B diag(g') B⁻¹`` may be symmetric, and
    then a transposed Jacobian is no fault.
    """
    columns = list(zip(*basis, strict=True))
    return all(
        sum(a * b for a, b in zip(one, other, strict=True)) != 0
        for one, other in combinations(columns, 2)
    )


def _inverse(matrix: tuple[tuple[Any, ...], ...]) -> list[list[Any]]:
    from flint import fmpq_mat

    inverse = fmpq_mat([list(row) for row in matrix]).inv()
    return [[inverse[i, j] for j in range(len(matrix))] for i in range(len(matrix))]


def _balls(values: Any) -> np.ndarray:
    if isinstance(values[0], tuple | list):
        return np.array([[ball(v) for v in row] for row in values], dtype=object)
    return np.array([ball(v) for v in values], dtype=object)


class _Flow:
    """The instance in balls, with Φ and its derivatives along the solution through x."""

    def __init__(self, exact: Rational) -> None:
        self.field = LogisticField(
            _balls(exact.basis), _balls(_inverse(exact.basis)), ball(exact.ramp)
        )
        self.theta, self.nu, self.fresh = _balls(exact.theta), _balls(exact.nu), _balls(exact.fresh)
        self.latent = GaussianLatent(_balls(exact.mean), _balls(exact.precision))
        d = self.field.dimension
        self.x = (_balls(exact.share) * self.theta[d:]) @ self.field.basis.T
        self.weights = self.field.quad_weights(self.nu)

    def path(self, s: Any) -> np.ndarray:
        """z(s) in closed form; a jet s gives jets."""
        return self.field.flow(self.x, self.theta, np.array([ball(1)], dtype=object), _scalar(s))

    def ell(self, s: Any) -> Any:
        """``ℓ̂(s) = ∫_s^1 ν^T J ν``."""
        return (
            self.weights
            * self.field.log_stretch(self.path(s), self.theta, _scalar(s), _scalar(ball(1)))
        ).sum()

    def to_go(self, z: np.ndarray, s: Any, theta: np.ndarray) -> Any:
        """``Φ(z, s, θ)``."""
        zero = _scalar(ball(0))
        z0 = self.field.flow(z, theta, _scalar(s), zero)
        return (
            self.latent.log_density(z0)
            + (self.weights * self.field.log_stretch(z, theta, _scalar(s), zero)).sum()
        )

    def gradient(self, s: Any) -> tuple[list[Any], list[Any]]:
        """``∂Φ`` in every z_j and θ_p at (z(s), s), and its derivative in s along the solution.

        Two series in t, one with the variable moved by +t and one by -t while s runs as s + t: half
        the difference of their first coefficients is ∂Φ, half that of the second ones is d(∂Φ)/ds.
        """
        time = Jet.variable(s, 2)
        z, firsts, seconds = self.path(time), [], []
        for index in range(z.size + self.theta.size):
            pair = []
            for sign in (1, -1):
                moved = [
                    z.copy(),
                    np.array([Jet([v, v * 0, v * 0]) for v in self.theta], dtype=object),
                ]
                part, i = (0, index) if index < z.size else (1, index - z.size)
                shift = ball(0)
                moved[part][i] = moved[part][i] + Jet([shift, shift + sign, shift])
                pair.append(self.to_go(moved[0], time, moved[1]).coefficients)
            firsts.append((pair[0][1] - pair[1][1]) / 2)
            seconds.append((pair[0][2] - pair[1][2]) / 2)
        return firsts, seconds


def _scalar(s: Any) -> np.ndarray:
    out = np.empty(1, dtype=object)
    out[0] = s
    return out


def _instances(profile: str) -> tuple[Instance, ...]:
    sizes: dict[str, tuple[tuple[int, tuple[str, ...]], ...]] = {
        "faults": ((2, ("2/7",)),),
        "quick": ((2, ("2/7", "9/11")),),
        "default": ((2, ("1/13", "2/7", "5/9", "9/11")), (3, ("2/7", "9/11"))),
        "deep": (
            (2, tuple(f"{k}/41" for k in range(1, 41))),
            (4, ("1/13", "2/7", "5/9", "9/11")),
            (6, ("2/7",)),
        ),
    }
    return tuple(
        Instance(f"conjugated logistic growth, D = {d}", partial(_rational, d, times))
        for d, times in sizes[profile]
    )


PROBES = ("ell_trace", "a_jacobian", "a_trace", "b_jacobian", "b_trace", "a_start", "ell0")


@lru_cache(maxsize=16)
def _reference(exact: Rational, bits: int) -> tuple[Any, ...]:
    """What does not depend on the subject, at ``bits`` of precision: at each time the local
    derivatives, the spare ones, a and the slopes that ℓ̂, a and b must have; and what the start
    values and log p̂ must be.
    """
    flow = _Flow(exact)
    d, zero = flow.field.dimension, ball(0)

    def local(s: Any) -> Any:
        return flow.field.linearize(flow.path(s), flow.theta, s)

    along = []
    for s in map(ball, exact.times):
        values, slopes = flow.gradient(s)
        slopes = [flow.ell(Jet.variable(s, 1)).derivative(1), *slopes]
        along.append(
            (local(s), Spare(flow.fresh, local(1 - s)), np.array(values[:d], dtype=object), slopes)
        )
    return (
        flow,
        along,
        flow.path(zero),
        flow.ell(zero),
        flow.gradient(zero)[0],
        flow.to_go(flow.x, ball(1), flow.theta),
    )


def _residuals(subject: Any, exact: Rational) -> list[Any]:
    flow, along, z0, ell0, starts, value = _reference(exact, ctx.prec)
    out: list[Any] = []
    for local, spare, a, slopes in along:
        ell_rate, a_rate, b_rate = subject.rates(local, a, flow.nu, spare)
        out += [
            rate - slope for rate, slope in zip([ell_rate, *a_rate, *b_rate], slopes, strict=True)
        ]
    a0, b0 = subject.start(flow.latent, z0, flow.x)
    out += [v - w for v, w in zip([*a0, *([b0] * flow.theta.size)], starts, strict=True)]
    out.append(subject.estimate(flow.latent, z0, flow.x, ell0) - value)
    return out


@check(kind="certified", instances=_instances, probes=PROBES)
def closed_form_flow(subject: Any, exact: Rational, rng: Any) -> Evidence:
    """Takes a field with a closed-form flow (logistic growth in slanted coordinates, with a clock
    that speeds up), where log p̂ is a closed form in x, s and θ, and encloses in balls the
    difference between its derivatives along the solution and the rates, start values and estimate
    under test. Zero must lie in each ball, of radius at most 1e-55; data are exact rationals.
    """
    residuals: Callable[[], list[Any]] = partial(_residuals, subject, exact)
    sentence = (
        f"the rates of ℓ̂, a and b along a closed-form flow at {len(exact.times)} times, its start"
        " values and log p̂"
    )
    return decide(residuals, sentence, radius=RADIUS)
