"""Log-determinants taken elsewhere than on the flow: at x, at z(0), or at another time.

Conventions: as in `flows`; z(0) and the prior are right. With q(z, s) = νᵀ ∂f/∂z ν the
log-determinant's part of the gradient is ``-∂_θ ∫ q(z', s') ds`` at the z' and s' that were taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.claims.ffjord.solver import Prepared
from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.numerics.adjoint import accumulate, advance
from scoreproof.public.black_box_field import BlackBoxField
from scoreproof.public.log_likelihood_gradient.entries import integrated
from scoreproof.public.log_likelihood_gradient.flows import Field, Wanted, other_field
from scoreproof.public.log_likelihood_gradient.linearization import prepare_black_box

__all__ = ["traced_elsewhere"]

#: steps of a sum that are tried
MOST = 400

CLOCKS: tuple[tuple[str, Callable[[Field], Field], str], ...] = (
    ("trace_mirrored", lambda f: lambda z, p, s: f(z, p, 1 - s), "1 - s"),
    ("trace_at_time_0", lambda f: lambda z, p, s: f(z, p, 0 * s), "0"),
    ("trace_at_time_1", lambda f: lambda z, p, s: f(z, p, 0 * s + 1), "1"),
)


def traced_elsewhere(field: BlackBoxField, prepared: Prepared, wanted: Wanted) -> Diagnosis | None:
    """Where νᵀJν was taken, if that alone is wrong."""
    few = wanted.few(field)
    try:
        if few is not None and _elsewhere(_Trace(field, prepared, few)) is None:
            return None
        return _elsewhere(_Trace(field, prepared, wanted))
    except CallableError:
        return None


@dataclass(frozen=True, eq=False)
class _Trace:
    """The parts of a gradient of which the log-determinant is another one."""

    field: BlackBoxField
    prepared: Prepared
    wanted: Wanted

    def swept(self, start: np.ndarray, constant: list[np.ndarray] | None = None) -> np.ndarray:
        """What an adjoint brings that starts so, with a' = -a J less a constant part a step."""
        here = self.prepared.here

        def rate(k: int, a: np.ndarray) -> np.ndarray:
            return -here[k].vjp(a) - (0.0 if constant is None else constant[k])

        stages = advance(rate, start, self.prepared.path.grid)[1]
        return self._integrated(self.field, self.prepared, stages)

    def rate(self, other: BlackBoxField, along: Prepared) -> np.ndarray:
        """``-∫ ∂_θ q ds`` on another path, of another field."""
        steps, stages = along.path.grid.times.shape
        none = np.zeros((steps, stages, *self.wanted.nus.shape[1:]))
        return self._integrated(other, along, none, self.wanted.nus)

    def _integrated(
        self,
        field: BlackBoxField,
        along: Prepared,
        stages: np.ndarray,
        nus: np.ndarray | None = None,
    ) -> np.ndarray:
        nus = 0 * self.wanted.nus if nus is None else nus
        return integrated(field, along, stages[:, :, None], nus, self.wanted.how)[0]

    def is_found(self, gradient: np.ndarray) -> bool:
        w = self.wanted
        return bool(np.all(np.abs(w.found - gradient) <= w.limit))

    def held(self, z: np.ndarray) -> Prepared:
        """The same points at all times."""
        path = self.prepared.path
        return prepare_black_box(
            self.field, replace(path, stages=np.broadcast_to(z, path.stages.shape))
        )


def _elsewhere(t: _Trace) -> Diagnosis | None:
    w, path = t.wanted, t.prepared.path
    if len(w.nus) != 1:
        return None
    nu = w.nus[0]
    start = np.broadcast_to(w.latent.score(path.start), nu.shape).astype(float)
    prior = t.swept(start)
    at_x = prior + t.rate(t.field, t.held(path.end))
    if t.is_found(at_x) or _by_sums(t, prior, at_x):
        return _said("trace_at_x", "at x, where z begins, and not at z(s), which moves with s")
    there = t.held(path.start)
    of_rate = t.rate(t.field, there)
    pulled = accumulate(np.stack([local.quad_z(nu, nu) for local in there.here]), path.grid)
    for gradient in (prior + of_rate, t.swept(start - pulled) + of_rate):
        if t.is_found(gradient):
            return _said("trace_at_z0", "at z(0), where the flow ends, and not at z(s) on the way")
    for name, of, at in CLOCKS:
        other = other_field(t.field, w, of)
        along = prepare_black_box(other, path)
        constant = [local.quad_z(nu, nu) for local in along.here]
        if t.is_found(t.swept(start, constant) + t.rate(other, along)):
            return _said(name, f"at the time {at}, and not at the s of z(s)")
    return None


@dataclass(frozen=True)
class _Sums:
    """Times with one weight, in place of a grid."""

    times: np.ndarray  # (N, 1)
    weight: float

    @property
    def weights(self) -> np.ndarray:
        return np.array([self.weight])


def _by_sums(t: _Trace, prior: np.ndarray, at_x: np.ndarray) -> bool:
    """Whether the integral at x is taken by left or right sums: what they are off by first is half
    a step times the difference of the ends.
    """
    path = t.prepared.path

    def summed(times: np.ndarray) -> np.ndarray:
        stages = np.broadcast_to(path.end, (len(times), 1, *path.end.shape))
        grid: Any = _Sums(times[:, None], 1 / len(times))
        return t.rate(t.field, replace(t.prepared, path=replace(path, grid=grid, stages=stages)))

    ends = (summed(np.ones(1)) - summed(np.zeros(1))) / 2
    size = float(np.vdot(ends, ends))
    step = float(np.vdot(t.wanted.found - at_x, ends)) / (size or 1.0)
    if not 1 / MOST < abs(step) < 0.5:
        return False
    near = round(1 / abs(step))
    for n in (near, near + 1, near - 1):
        times = (np.arange(n) + (step > 0)) / n
        if t.is_found(prior + summed(times)):
            return True
    return False


def _said(name: str, where: str) -> Diagnosis:
    return Diagnosis.cause(
        name,
        f"Cause: the flow and the prior are right, and the log-determinant's νᵀJν is taken {where}"
        f" ({name}). Take it at the state of the solver, in the same call as the field.",
    )
