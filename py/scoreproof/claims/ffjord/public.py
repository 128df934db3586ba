"""Public checks: the gradient of a continuous normalizing flow's log-likelihood, and trace estimators.

Conventions
-----------
- ``field(z, params, s)``: rows z ``(n, D)``, a flat vector params ``(P,)``, one number s in [0, 1]; returns ``(n, D)``.
- Data sit at s = 1, the latent law at s = 0: ``log p(x) = log p_Z(z(0)) - ∫₀¹ tr ∂f/∂z ds`` with z(1) = x.
- ``gradient(x, params, nu)``: rows x and ν ``(n, D)``; returns ∂ log p̂/∂params, ``(n, P)``, or ``(P,)`` for the sum over the rows.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from scoreproof.claims.ffjord.black_box import FOURTH_ORDER, BlackBoxField, prepare_black_box, stencil
from scoreproof.claims.ffjord.checks_float import orthogonal
from scoreproof.claims.ffjord.checks_random import LEVEL, mean_test
from scoreproof.claims.ffjord.faults import EDITS, TRUTH, compose
from scoreproof.claims.ffjord.public_trace import check_trace_estimator
from scoreproof.claims.ffjord.solver import Prepared, Solution, solve
from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import Guarded, to_float
from scoreproof.interop.frameworks import guarded
from scoreproof.numerics import complex_step
from scoreproof.numerics.adjoint import Grid
from scoreproof.streams import stream

__all__ = ["check_log_likelihood_gradient", "check_trace_estimator"]

STAGES = 6
#: the reference doubles its steps from the first of these up to the last
STEPS = (2, 4, 8, 16, 32)
SETTLED = 1e-9
DIRECTIONS = 6


@dataclass(frozen=True)
class _Latent:
    """The user's log p_Z; its gradient by complex steps, or by an eighth-order stencil where those do not work."""

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


class _Normal:
    """The standard normal law."""

    def log_density(self, z: np.ndarray) -> np.ndarray:
        return -(z * z).sum(axis=-1) / 2 - z.shape[-1] * np.log(2 * np.pi) / 2

    def score(self, z: np.ndarray) -> np.ndarray:
        return -z


class _Measurement:
    """The user's gradient (and log p̂) in the form compared: along the directions, row by row or summed, each block scaled."""

    def __init__(self, gradient: Any, likelihood: Any, framework: str, dtype: Any, params: np.ndarray, directions: np.ndarray, n: int) -> None:
        self.gradient, self.likelihood, self.framework, self.dtype = gradient, likelihood, framework, dtype
        self.params, self.directions, self.n = params, directions, n
        self.calls, self.eps, self.summed = 0, float(np.finfo(float).eps), False

    def _guard(self, function: Any, name: str, tol: float | None) -> Guarded:
        return guarded(function if tol is None else partial(function, tol=tol), name, self.framework, self.dtype)

    def __call__(self, x: np.ndarray, nu: np.ndarray, tol: float | None) -> tuple[np.ndarray, np.ndarray | None]:
        guard = self._guard(self.gradient, "gradient", tol)
        result = guard(x, self.params, nu)
        p = self.params.size
        if result.shape not in ((p,), (1, p), (self.n, p)):
            guard.accept(result, (self.n, p), "the gradient")
            raise ArgumentError("gradient", f"a function that returns shape ({self.n}, {p}) or ({p},)", f"shape {result.shape}", "one row a point")
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
        """The same form of a computed solution; ``b0`` is what each of the P entries of b started from."""
        b = found.b - b0 + b0 * self.directions.sum(axis=0)
        return (b.sum(axis=0, keepdims=True) if self.summed else b), (found.value if self.likelihood is not None else None)


def _vector(form: tuple[np.ndarray, np.ndarray | None], scales: tuple[float, float]) -> np.ndarray:
    gradient, value = form
    parts = [gradient.ravel() / scales[0]] + ([value / scales[1]] if value is not None else [])
    return np.concatenate(parts)


def _settle(field: BlackBoxField, latent: Any, x: np.ndarray, nu: np.ndarray) -> tuple[Prepared, Solution, float]:
    """The truth for the user's field, with steps doubled until it settles; and the last change, relative."""
    previous, change = None, float("inf")
    for steps in STEPS:
        prepared = prepare_black_box(field, field.path(x, Grid(steps, STAGES)))
        found = solve(TRUTH, latent, prepared, nu, nu)
        if previous is not None:
            change = float(np.max(np.abs(found.b - previous.b))) / (float(np.max(np.abs(found.b))) + 1e-300)
            if change <= max(SETTLED, 100 * field.guard.eps) or not np.isfinite(change):
                break
        previous = found
    return prepared, found, change


def _independent_gap(field: BlackBoxField, latent: Any, x: np.ndarray, nu: np.ndarray, prepared: Prepared, found: Solution) -> float:
    """The reference against differences of log p̂ itself along the first direction (no adjoint in it), relative."""
    w = field.directions[:, 0]

    def value(t: float) -> np.ndarray:
        moved = field.params + t * w
        path = field.path(x, prepared.path.grid, moved)
        return latent.log_density(path.start) - np.tensordot(path.grid.weights, field.quad(path, nu, moved).sum(axis=0), axes=1)

    return float(np.max(np.abs(stencil(value, 0.01, FOURTH_ORDER) - found.b[:, 0]))) / (float(np.max(np.abs(found.b))) + 1e-300)


def _explain(measure: _Measurement, measured: np.ndarray, truth: np.ndarray, scales: tuple[float, float], latent: Any, prepared: Prepared,
             nu: np.ndarray, fresh: np.ndarray, noise: float) -> Diagnosis:
    """Which known fault, or pair of them, predicts what was measured."""

    def predict(names: tuple[str, ...]) -> np.ndarray | None:
        subject = compose(names)
        if subject is None:
            return None
        _, b0 = subject.start(latent, prepared.path.start, prepared.path.end)
        return _vector(measure.predicted(solve(subject, latent, prepared, nu, fresh), b0), scales)

    singles = {name: predict((name,)) for name in EDITS if name != "fresh_nu"}
    candidates = {name: v for name, v in singles.items() if v is not None and np.any(np.abs(v - truth) > noise)}
    size = truth.size - (measure.n if measure.likelihood is not None else 0)
    candidates["gradient_of_the_loss"] = np.concatenate([-truth[:size], truth[size:]])
    if measure.summed and measure.n > 1:
        candidates["mean_over_the_batch"] = np.concatenate([truth[:size] / measure.n, truth[size:]])
    best = diagnose(measured, truth, candidates)
    relative = noise / max(float(np.max(np.abs(measured - truth))), 1e-300)
    if best.names and best.misfit <= max(1e-6, 10 * relative):
        return best
    # a fault without effect on what was measured would pair with anything
    visible = [name for name in candidates if name in EDITS]
    for pair in combinations(visible, 2):
        prediction = predict(pair)
        if prediction is not None:
            candidates[" + ".join(pair)] = prediction
    return diagnose(measured, truth, candidates)


def _arguments(params: Any, x: Any, nu: Any, tolerances: Sequence[float], accuracy: float, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    params, x = to_float("params", params, shape=(None,)), to_float("x", x, shape=(None, None))
    if params.size == 0 or x.size == 0:
        raise ArgumentError("params" if params.size == 0 else "x", "non-empty", "size 0", "pass at least one parameter and one row")
    if len(tolerances) < 2 or any(not 0 < t < 1 for t in tolerances) or list(tolerances) != sorted(tolerances, reverse=True):
        raise ArgumentError("tolerances", "two or more numbers in (0, 1), falling", tuple(tolerances), "pass e.g. (1e-4, 1e-6, 1e-8)")
    if not 0 < accuracy < 1:
        raise ArgumentError("accuracy", "in (0, 1)", accuracy, "pass the relative error that your solver promises, e.g. 1e-5")
    nu = rng.standard_normal(x.shape) if nu is None else to_float("nu", nu, shape=x.shape)
    return params, x, nu


def check_log_likelihood_gradient(
    field: Callable[..., Any],
    params: Any,
    x: Any,
    gradient: Callable[..., Any],
    *,
    log_latent: Callable[..., Any] | None = None,
    log_likelihood: Callable[..., Any] | None = None,
    nu: Any = None,
    in_expectation: bool = False,
    tolerances: Sequence[float] = (1e-4, 1e-6, 1e-8),
    accuracy: float = 1e-5,
    draws: int = 400,
    framework: str = "numpy",
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Is ``gradient`` the gradient of the flow's (estimated) log-likelihood?

    The reference is the adjoint of FFJORD on your own field, its derivatives by complex steps (NumPy; by real stencils where the
    field is not analytic), ``torch.func`` or ``jax``, its steps doubled until it settles, and confirmed against differences of log p̂.

    Parameters
    ----------
    field: ``field(z, params, s)``: z ``(n, D)``, params ``(P,)``, s a number in [0, 1]; returns ``(n, D)``. Continuously
        differentiable together with ∂f/∂z: a ReLU network makes the check undecided.
    params, x: ``(P,)`` and rows ``(n, D)``; x sits at s = 1.
    gradient: ``gradient(x, params, nu)``, ν ``(n, D)``, returns ``∂ log p̂/∂params`` as ``(n, P)``, or ``(P,)`` for the sum over rows.
        If it has a keyword ``tol`` it is called once for each of ``tolerances``, and what is judged is the limit: a gradient
        that converges to something else is refuted, one that does not converge is undecided. Without it the bound is ``accuracy``.
    log_latent: ``log p_Z(z)``, rows to ``(n,)``; default: standard normal.
    log_likelihood: ``(x, params, nu) -> (n,)``, your log p̂: judged too, if given (faults in ℓ̂ do not show in the gradient).
    nu: the ν at which to compare ``(n, D)``; default: Gaussian.
    in_expectation: compare the mean over the D vectors √D Q e_i (Q orthogonal) with the gradient of log p itself. If the
        gradient draws its own ν, ``draws`` calls and a test of means at level 1e-6 take the place of that.
    framework, dtype: what your callables are written in and the floating type they are fed.
    seed: for ν, the directions and Q.

    Calls of ``gradient``: with m the number of tolerances (1 without ``tol``), m at a fixed ν and m·D in expectation, and
    one more to see whether it is deterministic; on a refutation, one more with another ν. P may be large: the gradient is
    compared along min(P, 6) directions (all of them for P ≤ 6).

    Raises ``ArgumentError`` for arguments of wrong shape or not finite, ``CallableError`` where a callable raises, returns nan or
    another shape, writes into its input, or (``field``) is not deterministic; ``MissingExtraError`` without torch or jax.

    Source: homework on generative models, spring 2024, problem 3 (claim ``ffjord``).

    >>> def field(z, params, s):
    ...     return params[0] * z + params[1]
    >>> def gradient(x, params, nu):  # z(0) = e^-p0 (x + p1/p0) - p1/p0, the trace is p0
    ...     p0, p1 = params
    ...     z0 = np.exp(-p0) * (x + p1 / p0) - p1 / p0
    ...     d0 = -np.exp(-p0) * (x + p1 / p0) + (1 - np.exp(-p0)) * p1 / p0**2
    ...     d1 = (np.exp(-p0) - 1) / p0
    ...     return np.column_stack([(-z0 * d0 - nu**2).sum(axis=1), (-z0 * d1).sum(axis=1)])
    >>> bool(check_log_likelihood_gradient(field, [0.5, 0.3], [[1.0], [0.2]], gradient, accuracy=1e-10))
    True
    """
    rng = stream(seed, "ffjord", "public")
    params, x, nu = _arguments(params, x, nu, tolerances, accuracy, rng)
    n, d = x.shape
    p = params.size
    directions = np.eye(p) if p <= DIRECTIONS else np.linalg.qr(rng.standard_normal((p, DIRECTIONS)))[0]
    black_box = BlackBoxField(guarded(field, "field", framework, dtype), params, directions, framework, x)
    latent = _Normal() if log_latent is None else _Latent(guarded(log_latent, "log_latent", framework, dtype))
    measure = _Measurement(gradient, log_likelihood, framework, dtype, params, directions, n)
    tols: tuple[float | None, ...] = tuple(tolerances) if _takes_tol(gradient) else (None,)

    nus = [np.repeat(q[None], n, axis=0) for q in orthogonal(rng, d)] if in_expectation else [nu]
    first = measure(x, nus[0], tols[0])
    again = measure(x, nus[0], tols[0])
    prepared, found, change = _settle(black_box, latent, x, nus[0])
    settled = max(SETTLED, 100 * black_box.guard.eps)
    if not change <= settled:
        why = "the flow does not exist on all of [0, 1], is stiff, or ∂f/∂z is not continuous (ReLU), where the adjoint needs a jump"
        return Evidence.undecided("convergent", f"the reference does not settle in {STEPS[-1]} steps (last change {change:.2g}): {why}")
    gap = _independent_gap(black_box, latent, x, nus[0], prepared, found)
    if gap > 1e-6 + 1e3 * black_box.guard.eps / 0.01:
        why = "the field is not smooth, or not the same function twice"
        return Evidence.undecided("convergent", f"differences of log p̂ disagree with its derivative by {gap:.2g}: {why}")

    solutions = [found, *(solve(TRUTH, latent, prepared, v, v) for v in nus[1:])]
    reference = Solution(*(np.mean([getattr(s, k) for s in solutions], axis=0) for k in ("value", "a", "b")))
    truth_form = measure.predicted(reference)
    scales = (float(np.max(np.abs(truth_form[0]))) or 1.0, 1.0 if truth_form[1] is None else max(1.0, float(np.max(np.abs(truth_form[1])))))
    truth = _vector(truth_form, scales)
    floor = max(200 * measure.eps, 10 * change, 10 * gap)

    flicker = float(np.max(np.abs(_vector(first, scales) - _vector(again, scales))))
    if in_expectation and flicker > max(accuracy, floor):
        return _by_draws(measure, x, truth, scales, tols[-1], draws, accuracy, rng)
    series = []
    for tol in tols:
        forms = [first if tol == tols[0] and v is nus[0] else measure(x, v, tol) for v in nus]
        series.append(np.mean([_vector(form, scales) for form in forms], axis=0))
    evidence = _verdict(series, truth, tols, floor, accuracy, "the mean over √D Q e_i" if in_expectation else "a fixed ν", measure.calls)
    if evidence.verdict != "refuted":
        return evidence
    return evidence.with_diagnosis(
        _diagnosis(measure, series[-1], truth, scales, latent, prepared, nus, evidence.bound, flicker, x, tols[-1], in_expectation, rng)
    )


def _takes_tol(gradient: Any) -> bool:
    try:
        parameters = inspect.signature(gradient).parameters
    except (TypeError, ValueError):
        return False
    return "tol" in parameters


def _verdict(series: list[np.ndarray], truth: np.ndarray, tols: tuple[float | None, ...], floor: float, accuracy: float, where: str,
             calls: int) -> Evidence:
    """One measurement against ``accuracy``; several against the limit that the measurements themselves approach."""
    errors = [float(np.max(np.abs(m - truth))) for m in series]
    sentence, cost = f"the gradient of log p̂ at {where}", {"gradient_calls": calls}
    if len(series) == 1:
        return Evidence.measured(errors[0], max(accuracy, floor), sentence, cost=cost)
    moves = [float(np.max(np.abs(a - series[-1]))) for a in series[:-1]]
    curves = {"error": (list(tols), errors), "change to the finest": (list(tols[:-1]), moves)}
    more: dict[str, Any] = {"curves": curves, "labels": ("tolerance", "relative error"), "cost": cost}
    # the last change is the solver's own error at the last tolerance but one; at the finest it is smaller by the rate seen so far, if
    # three tolerances show one. Factors 10 and 30 for solvers that converge in jumps
    rate = moves[-1] / moves[-2] if len(moves) > 1 and moves[-2] > 0 else 1.0
    bound = max(min(10.0, 30 * rate) * moves[-1], floor)
    sentence += f" as the tolerance falls to {tols[-1]:g}"
    if max(moves) == 0 and floor < errors[-1] <= accuracy:
        return Evidence.undecided("convergent", f"{sentence}: it does not depend on tol (error {errors[-1]:.2g})", **more)
    if bound > 1e-2:
        return Evidence.undecided("convergent", f"{sentence}: it does not converge (last change {moves[-1]:.2g})", **more)
    return Evidence.measured(errors[-1], bound, sentence, kind="convergent", **more)


def _by_draws(measure: _Measurement, x: np.ndarray, truth: np.ndarray, scales: tuple[float, float], tol: float | None, draws: int, accuracy: float,
              rng: np.random.Generator) -> Evidence:
    """A gradient that draws its own ν: a test of means."""
    rows = np.stack([_vector(measure(x, rng.choice([-1.0, 1.0], x.shape), tol), scales) for _ in range(draws)])
    p_value, detectable = mean_test(rows, truth, accuracy)
    return Evidence.statistical(p_value, LEVEL, f"0.99 against a shift of {100 * detectable:.2g} %", f"the mean of {draws} gradients that draw their own ν",
                                cost={"gradient_calls": measure.calls})


def _diagnosis(measure: _Measurement, measured: np.ndarray, truth: np.ndarray, scales: tuple[float, float], latent: Any, prepared: Prepared,
               nus: list[np.ndarray], bound: float, flicker: float, x: np.ndarray, tol: float | None, in_expectation: bool,
               rng: np.random.Generator) -> Diagnosis:
    if flicker > bound:
        return Diagnosis(("fresh_nu",), 0.0, None, f"It matches the known fault fresh_nu: two calls with the same ν differ by {flicker:.2g} (a ν of its own).")
    if not in_expectation:
        return _explain(measure, measured, truth, scales, latent, prepared, nus[0], rng.standard_normal(nus[0].shape), bound)
    subjects = {name: compose((name,)) for name in EDITS if name != "fresh_nu"}
    candidates = {}
    for name, subject in subjects.items():
        b0 = subject.start(latent, prepared.path.start, prepared.path.end)[1]
        forms = [measure.predicted(solve(subject, latent, prepared, v, v), b0) for v in nus]
        candidates[name] = np.mean([_vector(form, scales) for form in forms], axis=0)
    return diagnose(measured, truth, candidates)
