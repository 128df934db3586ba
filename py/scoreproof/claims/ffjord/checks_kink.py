"""The hypothesis that fails for ReLU fields: ∂f/∂z jumps, and so must a and b.

Conventions: D = 1, ``f(z, θ) = (1 + θ_0 relu(z - θ_1))²``: continuous, kinked at ``h(z, θ) = z -
θ_1 = 0``. Everything has a closed form:
below the kink f = 1; above it (z - θ_1)/(1 + θ_0 (z - θ_1)) grows at rate 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from scoreproof.claims.ffjord.faults import Spare
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.adjoint import Grid, accumulate, advance
from scoreproof.numerics.complex_step import STEP
from scoreproof.objects.fields import Dense
from scoreproof.objects.latents import GaussianLatent

__all__ = ["Kinked", "relu_kink"]

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Kinked:
    """A point x above the kink whose path crosses it at s* in (0, 1), with ν and a Gaussian latent
    law.
    """

    theta: np.ndarray  # (2,): slope, place of the kink
    x: float
    nu: float
    fresh: float
    latent: GaussianLatent

    @staticmethod
    def crossing(theta: Any, x: Any) -> Any:
        """s*, analytic in θ."""
        return 1 - (x - theta[1]) / (1 + theta[0] * (x - theta[1]))

    def path(self, s: np.ndarray) -> np.ndarray:
        """z(s), both sides of the kink."""
        w = s - self.crossing(self.theta, self.x)
        return self.theta[1] + np.where(w > 0, w / (1 - self.theta[0] * np.maximum(w, 0)), w)

    def local(self, z: np.ndarray) -> Dense:
        """The derivatives of f at z ``(m,)``, one-sided at the kink from above if z equals it."""
        t, k = self.theta
        above = (z >= k).astype(float)
        r = above * (z - k)
        j, zero = 2 * t * (1 + t * r) * above, 2 * t * t * above
        return Dense(
            j[:, None, None],
            np.stack([2 * (1 + t * r) * r, -j], axis=-1)[:, None, :],
            zero[:, None, None, None],
            np.stack([2 * (1 + 2 * t * r) * above, -zero], axis=-1)[:, None, None, :],
        )

    def log_likelihood(self, theta: Any) -> Any:
        """``log p̂`` in closed form: ∫ν²J ds = ν² log(f(x)/f(θ_1))."""
        z0 = theta[1] - self.crossing(theta, self.x)
        return self.latent.log_density(np.array([z0])) - 2 * self.nu**2 * np.log(
            1 + theta[0] * (self.x - theta[1])
        )


def solve(subject: Any, p: Kinked, *, jump: bool) -> np.ndarray:
    """``(log p̂, b(1))`` of the subject, solved on both sides of the crossing, with or without the
    jump of a and b.
    """
    star, grid = float(p.crossing(p.theta, p.x)), Grid(1, 14)
    nu, fresh = np.array([p.nu]), np.array([p.fresh])
    a, b = subject.start(p.latent, np.array([p.path(np.array(0.0))]), np.array([p.x]))
    a, b = np.array(a, dtype=float).reshape(1), np.full(2, b, dtype=float)
    ell0 = 0.0
    for first, last in ((0.0, star), (star, 1.0)):
        length = last - first
        times = first + length * grid.times[0]
        here, spare = p.local(p.path(times)), Spare(fresh, p.local(p.path(1 - times)))

        def a_rate(
            n: int,
            values: np.ndarray,
            here: Dense = here,
            spare: Spare = spare,
            length: float = length,
        ) -> np.ndarray:
            return length * subject.rates(here, values, nu, spare)[1]

        a, stages = advance(a_rate, a, grid)
        ell_rate, _, b_rate = subject.rates(here, stages[0], nu, spare)
        ell0 -= length * float(accumulate(ell_rate[None], grid))
        b = b + length * accumulate(b_rate[None], grid)
        if jump and last == star:
            q_jump = p.nu**2 * 2 * p.theta[0]  # q is 0 below and ν² J above
            speed = 1.0  # ∂_z h · f + ∂_s h at the kink
            a, b = a - q_jump / speed, b - q_jump * np.array([0.0, -1.0]) / speed
    return np.append(
        subject.estimate(p.latent, np.array([p.path(np.array(0.0))]), np.array([p.x]), ell0), b
    )


def _kinked(theta: tuple[float, float], x: float, rng: np.random.Generator) -> Kinked:
    nu, fresh = rng.choice([-1, 1], 2) * np.array([1.3, 0.8]) * rng.uniform(0.95, 1.05, 2)
    return Kinked(
        np.array(theta),
        x,
        float(nu),
        float(fresh),
        GaussianLatent(np.array([0.3]), np.array([[1.7]])),
    )


def _instances(profile: str) -> tuple[Instance, ...]:
    cases = (((0.7, 0.1), 0.9), ((-0.4, -0.2), 0.3), ((0.5, 0.0), 1.2))
    return tuple(
        Instance(f"f = (1 + {t} relu(z - {k}))²", partial(_kinked, (t, k), x))
        for (t, k), x in cases[: 1 if profile == "faults" else 3]
    )


ONE = "in one dimension "


@check(
    kind="float",
    instances=_instances,
    probes=("a_start", "b_trace", "b_jacobian"),
    blind={
        "jacobian_transposed": ONE + "a Jacobian is its own transpose",
        "mean_for_sum": ONE + "the mean over coordinates is the sum",
    },
)
def relu_kink(subject: Any, p: Kinked, rng: Any) -> Evidence:
    """Runs the adjoint for a field with a ReLU kink on both sides of the crossing. As printed it
    misses the derivative of log p̂ by far; with the jump a⁺ = a⁻ - [ν^T J ν] ∂_z h/(∂_z h·f + ∂_s
    h), and the like for b, it meets it to rounding. Both are computed, the derivative by complex
    steps of a closed form; were the jump not to matter, the check would be undecided.
    """
    with_jump, printed = solve(subject, p, jump=True), solve(subject, p, jump=False)
    columns = p.theta[:, None] + 1j * STEP * np.eye(2)
    gradient = np.array([np.imag(p.log_likelihood(columns[:, i])) / STEP for i in range(2)]).ravel()
    exact = np.append(np.real(p.log_likelihood(p.theta)), gradient)
    scale = float(np.max(np.abs(exact)))
    error, missed = float(np.max(np.abs(with_jump - exact))) / scale, abs(printed[1] - exact[1])
    # two pieces of 14 stages with some ten operations each, on numbers of size 1 whose growth exp
    # ∫J is below 8
    bound = 2 * EPS * float(np.sqrt(2 * 14 * 10)) * 8
    if missed < 1e6 * bound * scale and error <= bound:
        return Evidence.undecided(
            "float", f"the jump does not matter here (it moves the gradient by {missed:.1g})"
        )
    return Evidence.measured(
        error,
        bound,
        f"at a ReLU kink the adjoint gives {with_jump[1]:.4f} with its jump and {printed[1]:.4f} as"
        f" printed, the derivative of log p̂ is {exact[1]:.4f}",
    )
