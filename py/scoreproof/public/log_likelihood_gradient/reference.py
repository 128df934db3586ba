"""What a user's gradient is held against: the truth on the user's own field, and what each known
fault would have returned.

Conventions: as in `public`. Everything is compared along the K directions, row by row or summed
over the rows, each block
divided by its own size.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from scoreproof.claims.ffjord.faults import EDITS, FAULTS, TRUTH, compose
from scoreproof.claims.ffjord.solver import Prepared, Solution, solve
from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.interop.callables import Guarded
from scoreproof.interop.frameworks import guarded
from scoreproof.numerics import complex_step
from scoreproof.numerics.adjoint import Grid
from scoreproof.public.log_likelihood_gradient.asking import (
    FOURTH_ORDER,
    BlackBoxField,
    prepare_black_box,
    stencil,
)

__all__ = [
    "SETTLED",
    "STEPS",
    "Measurement",
    "Normal",
    "UserLatent",
    "diagnosis",
    "independent_gap",
    "settle",
    "vector",
]

STAGES = 6
#: the reference doubles its steps from the first of these up to the last
STEPS = (2, 4, 8, 16, 32)
SETTLED = 1e-9

#: what each name of a diagnosis means, in words
REASONS = {f.name: f.why for f in FAULTS} | {
    "gradient_of_the_loss": "it is the gradient of -log p, the loss",
    "mean_over_the_batch": "the batch was averaged where it is to be summed",
}


@dataclass(frozen=True)
class UserLatent:
    """The user's log p_Z; its gradient by complex steps, or by an eighth-order stencil where those
    do not work.
    """

    log_p: Guarded

    def log_density(self, z: np.ndarray) -> np.ndarray:
        return np.real(self.log_p(z, shape=z.shape[:1]))

    def score(self, z: np.ndarray) -> np.ndarray:
        n, d = z.shape
        rows, axes = np.tile(z, (d, 1)), np.repeat(np.eye(d), n, axis=0)
        real = stencil(lambda t: self.log_density(rows + t * axes), 0.005).reshape(d, n).T
        try:
            exact = complex_step.gradient(lambda q: self.log_p(q), z)
        except Exception:  # not written for complex numbers
            return real
        return exact if np.max(np.abs(exact - real)) <= 1e-6 * (1 + np.max(np.abs(real))) else real


class Normal:
    """The standard normal law."""

    def log_density(self, z: np.ndarray) -> np.ndarray:
        return -(z * z).sum(axis=-1) / 2 - z.shape[-1] * np.log(2 * np.pi) / 2

    def score(self, z: np.ndarray) -> np.ndarray:
        return -z


class Measurement:
    """The user's gradient (and log p̂) in the form compared: along the directions, row by row or
    summed, each block scaled.
    """

    def __init__(
        self,
        gradient: Any,
        likelihood: Any,
        framework: str,
        dtype: Any,
        params: np.ndarray,
        directions: np.ndarray,
        n: int,
    ) -> None:
        self.gradient, self.likelihood, self.framework, self.dtype = (
            gradient,
            likelihood,
            framework,
            dtype,
        )
        self.params, self.directions, self.n = params, directions, n
        self.calls, self.eps, self.summed = 0, float(np.finfo(float).eps), False

    def _guard(self, function: Any, name: str, tol: float | None) -> Guarded:
        return guarded(
            function if tol is None else partial(function, tol=tol),
            name,
            self.framework,
            self.dtype,
        )

    def __call__(
        self, x: np.ndarray, nu: np.ndarray, tol: float | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        guard = self._guard(self.gradient, "gradient", tol)
        result = guard(x, self.params, nu)
        p = self.params.size
        if result.shape not in ((p,), (1, p), (self.n, p)):
            guard.accept(result, (self.n, p), "the gradient")
            raise ArgumentError(
                "gradient",
                f"a function that returns shape ({self.n}, {p}) or ({p},)",
                f"shape {result.shape}",
                "one row a point",
            )
        self.summed = result.ndim == 1 or result.shape[0] != self.n
        value = None
        if self.likelihood is not None:
            other = self._guard(self.likelihood, "log_likelihood", tol)
            value = other(x, self.params, nu, shape=(self.n,))
            self.eps = max(self.eps, other.eps)
        self.calls += guard.calls
        self.eps = max(self.eps, guard.eps)
        return np.real(result.reshape(-1, p) @ self.directions), value

    def predicted(self, found: Solution, b0: Any = 0) -> tuple[np.ndarray, np.ndarray | None]:
        """The same form of a computed solution; ``b0`` is what each of the P entries of b started
        from.
        """
        b = found.b - b0 + b0 * self.directions.sum(axis=0)
        return (b.sum(axis=0, keepdims=True) if self.summed else b), (
            found.value if self.likelihood is not None else None
        )


def vector(form: tuple[np.ndarray, np.ndarray | None], scales: tuple[float, float]) -> np.ndarray:
    gradient, value = form
    parts = [gradient.ravel() / scales[0]] + ([value / scales[1]] if value is not None else [])
    return np.concatenate(parts)


def settle(
    field: BlackBoxField, latent: Any, x: np.ndarray, nu: np.ndarray
) -> tuple[Prepared, Solution, float] | None:
    """The truth for the user's field, with steps doubled until it settles, and the last change,
    relative; ``None`` if it never does.
    """
    previous = None
    enough = max(SETTLED, 100 * field.guard.eps)
    for steps in STEPS:
        try:
            prepared = prepare_black_box(field, field.path(x, Grid(steps, STAGES)))
        # the field is finite at x; stage values ran away because the steps are too long, or the
        # flow does
        except CallableError:
            previous = None
            continue
        found = solve(TRUTH, latent, prepared, nu, nu)
        if previous is not None:
            change = float(np.max(np.abs(found.b - previous.b))) / (
                float(np.max(np.abs(found.b))) + 1e-300
            )
            if change <= enough:
                return prepared, found, change
        previous = found
    return None


def independent_gap(
    field: BlackBoxField,
    latent: Any,
    x: np.ndarray,
    nu: np.ndarray,
    prepared: Prepared,
    found: Solution,
) -> float:
    """The reference against differences of log p̂ itself along the first direction (no adjoint in
    it), relative.
    """
    w = field.directions[:, 0]

    def value(t: float) -> np.ndarray:
        moved = field.params + t * w
        path = field.path(x, prepared.path.grid, moved)
        return latent.log_density(path.start) - np.tensordot(
            path.grid.weights, field.quad(path, nu, moved).sum(axis=0), axes=1
        )

    return float(np.max(np.abs(stencil(value, 0.01, FOURTH_ORDER) - found.b[:, 0]))) / (
        float(np.max(np.abs(found.b))) + 1e-300
    )


def _explain(
    measure: Measurement,
    measured: np.ndarray,
    truth: np.ndarray,
    scales: tuple[float, float],
    latent: Any,
    prepared: Prepared,
    nu: np.ndarray,
    fresh: np.ndarray,
    noise: float,
) -> Diagnosis:
    """Which known fault, or pair of them, predicts what was measured."""

    def predict(names: tuple[str, ...]) -> np.ndarray | None:
        subject = compose(names)
        if subject is None:
            return None
        _, b0 = subject.start(latent, prepared.path.start, prepared.path.end)
        return vector(measure.predicted(solve(subject, latent, prepared, nu, fresh), b0), scales)

    singles = {name: predict((name,)) for name in EDITS if name != "fresh_nu"}
    candidates = {
        name: v
        for name, v in singles.items()
        if v is not None and np.any(np.abs(v - truth) > noise)
    }
    size = truth.size - (measure.n if measure.likelihood is not None else 0)
    candidates["gradient_of_the_loss"] = np.concatenate([-truth[:size], truth[size:]])
    if measure.summed and measure.n > 1:
        candidates["mean_over_the_batch"] = np.concatenate([truth[:size] / measure.n, truth[size:]])
    best = diagnose(measured, truth, candidates, reasons=REASONS)
    relative = noise / max(float(np.max(np.abs(measured - truth))), 1e-300)
    if best.names and best.misfit <= max(1e-6, 10 * relative):
        return best
    # a fault without effect on what was measured would pair with anything
    visible = [name for name in candidates if name in EDITS]
    for pair in combinations(visible, 2):
        prediction = predict(pair)
        if prediction is not None:
            candidates[" + ".join(pair)] = prediction
    return diagnose(measured, truth, candidates, reasons=REASONS)


def diagnosis(
    measure: Measurement,
    measured: np.ndarray,
    truth: np.ndarray,
    scales: tuple[float, float],
    latent: Any,
    prepared: Prepared,
    nus: list[np.ndarray],
    bound: float,
    flicker: float,
    x: np.ndarray,
    tol: float | None,
    in_expectation: bool,
    rng: np.random.Generator,
) -> Diagnosis:
    if flicker > bound:
        return Diagnosis(
            ("fresh_nu",),
            0.0,
            None,
            "It matches the known fault fresh_nu: two calls with the same ν differ by"
            f" {flicker:.2g} (a ν of its own).",
        )
    if not in_expectation:
        return _explain(
            measure,
            measured,
            truth,
            scales,
            latent,
            prepared,
            nus[0],
            rng.standard_normal(nus[0].shape),
            bound,
        )
    candidates = {}
    for name, subject in (
        (fault.name, fault.subject) for fault in FAULTS if fault.name != "fresh_nu"
    ):
        b0 = subject.start(latent, prepared.path.start, prepared.path.end)[1]
        forms = [measure.predicted(solve(subject, latent, prepared, v, v), b0) for v in nus]
        candidates[name] = np.mean([vector(form, scales) for form in forms], axis=0)
    return diagnose(measured, truth, candidates, reasons=REASONS)
