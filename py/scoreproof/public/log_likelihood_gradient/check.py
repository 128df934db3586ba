"""Public checks: the gradient of a continuous normalizing flow's log-likelihood, and trace
estimators.

Conventions
-----------
- ``field(z, params, s)``: rows z ``(n, D)``, a flat vector params ``(P,)``, one number s in [0, 1];
  returns ``(n, D)``.
- Data sit at s = 1, the latent law at s = 0: ``log p(x) = log p_Z(z(0)) - ∫₀¹ tr ∂f/∂z ds`` with
  z(1) = x.
- ``gradient(x, params, nu)``: rows x and ν ``(n, D)``; returns ∂ log p̂/∂params, ``(n, P)``, or
  ``(P,)`` for the sum over the rows.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scoreproof.claims.ffjord.checks_float import orthogonal
from scoreproof.claims.ffjord.checks_random import LEVEL, POWERLESS, mean_test
from scoreproof.claims.ffjord.faults import TRUTH
from scoreproof.claims.ffjord.solver import Solution, solve
from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import to_float
from scoreproof.interop.frameworks import guarded
from scoreproof.public.log_likelihood_gradient.asking import BlackBoxField
from scoreproof.public.log_likelihood_gradient.reference import (
    STEPS,
    Measurement,
    Normal,
    UserLatent,
    diagnosis,
    independent_gap,
    settle,
    vector,
)
from scoreproof.public.trace_estimator.check import check_trace_estimator
from scoreproof.streams import stream

__all__ = ["check_log_likelihood_gradient", "check_trace_estimator"]

DIRECTIONS = 6
#: an error bound of the limit over ``tol`` that is larger than this (and than rounding) supports no
#: "holds"
RESOLVED = 1e-4
#: a small entry that is off by more than this part of itself is reported, whatever the larger
#: entries allow
ENTRY = 0.1


def _arguments(
    params: Any,
    x: Any,
    nu: Any,
    tolerances: Sequence[float],
    accuracy: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, ...]:
    params, x = to_float("params", params, shape=(None,)), to_float("x", x, shape=(None, None))
    if params.size == 0 or x.size == 0:
        raise ArgumentError(
            "params" if params.size == 0 else "x",
            "non-empty",
            "size 0",
            "pass at least one parameter and one row",
        )
    if (
        len(tolerances) < 2
        or any(not 0 < t < 1 for t in tolerances)
        or list(tolerances) != sorted(tolerances, reverse=True)
    ):
        raise ArgumentError(
            "tolerances",
            "two or more numbers in (0, 1), falling",
            tuple(tolerances),
            "pass e.g. (1e-4, 1e-6, 1e-8)",
        )
    if not 0 < accuracy < 1:
        raise ArgumentError(
            "accuracy",
            "in (0, 1)",
            accuracy,
            "pass the relative error that your solver promises, e.g. 1e-5",
        )
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
    draws: int = 2000,
    framework: str = "numpy",
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Is ``gradient`` the gradient of the flow's (estimated) log-likelihood?

    The reference is the adjoint of FFJORD on your own field, its derivatives by complex steps
    (NumPy; by real stencils where the field is not analytic), ``torch.func`` or ``jax``, its steps
    doubled until it settles, and confirmed against differences of log p̂.

    Parameters
    ----------
    field: ``field(z, params, s)``: z ``(n, D)``, params ``(P,)``, s a number in [0, 1]; returns
        ``(n, D)``. Continuously differentiable together with ∂f/∂z: a ReLU network makes the check
        undecided.
    params, x: ``(P,)`` and rows ``(n, D)``; x sits at s = 1.
    gradient: ``gradient(x, params, nu)``, ν ``(n, D)``, returns ``∂ log p̂/∂params`` as ``(n, P)``,
        or ``(P,)`` for the sum over rows. If it has a keyword ``tol`` it is called once for each of
        ``tolerances``, and what is judged is the limit: a gradient that converges to something else
        is refuted, one that does not converge, or not to 1e-4, is undecided. Without it the bound
        is ``accuracy``. Errors are relative to the largest entry. For P ≤ 6 an entry of parameter i
        that agrees only because it is small, being off by more than 10 % of its own size, makes the
        check undecided (a smaller ``accuracy`` decides), down to what the differences of log p̂
        confirm (1e-8 to 1e-6 of the largest); for P > 6 a parameter whose whole gradient is below
        ``accuracy`` times the largest may be wrong unseen.
    log_latent: ``log p_Z(z)``, rows to ``(n,)``; default: standard normal.
    log_likelihood: ``(x, params, nu) -> (n,)``, your log p̂: judged too, if given (faults in ℓ̂ do
        not show in the gradient).
    nu: the ν at which to compare ``(n, D)``; default: Gaussian.
    in_expectation: compare the mean over the D vectors √D Q e_i (Q orthogonal) with the gradient of
        log p itself. If the gradient draws its own ν, ``draws`` calls and a test of means at level
        1e-6 take the place of that, ``undecided`` where it would not see a shift of 10 % (pass more
        draws).
    framework, dtype: what your callables are written in and the floating type they are fed.
    seed: for ν, the directions and Q.

    Calls of ``gradient``: with m the number of tolerances (1 without ``tol``), m at a fixed ν and
    m·D in expectation, and one more to see whether it is deterministic; on a refutation, one more
    with another ν. P may be large: the gradient is compared along min(P, 6) directions (all of them
    for P ≤ 6).

    Raises ``ArgumentError`` for arguments of wrong shape or not finite, ``CallableError`` where a
    callable raises, returns nan or another shape, writes into its input, or (``field``) is not
    deterministic; ``MissingExtraError`` without torch or jax.

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
    directions = (
        np.eye(p) if p <= DIRECTIONS else np.linalg.qr(rng.standard_normal((p, DIRECTIONS)))[0]
    )
    black_box = BlackBoxField(
        guarded(field, "field", framework, dtype), params, directions, framework, x
    )
    latent = (
        Normal()
        if log_latent is None
        else UserLatent(guarded(log_latent, "log_latent", framework, dtype))
    )
    measure = Measurement(gradient, log_likelihood, framework, dtype, params, directions, n)
    tols: tuple[float | None, ...] = tuple(tolerances) if _takes_tol(gradient) else (None,)

    nus = [np.repeat(q[None], n, axis=0) for q in orthogonal(rng, d)] if in_expectation else [nu]
    first = measure(x, nus[0], tols[0])
    again = measure(x, nus[0], tols[0])
    reference = settle(black_box, latent, x, nus[0])
    if reference is None:
        why = (
            "the flow does not exist on all of [0, 1], is stiff, or ∂f/∂z is not continuous (ReLU),"
            " where the adjoint needs a jump"
        )
        return Evidence.undecided(
            "convergent", f"the reference does not settle in {STEPS[-1]} steps: {why}"
        )
    prepared, found, change = reference
    gap = independent_gap(black_box, latent, x, nus[0], prepared, found)
    if gap > 1e-6 + 1e3 * black_box.guard.eps / 0.01:
        why = "the field is not smooth, or not the same function twice"
        return Evidence.undecided(
            "convergent", f"differences of log p̂ disagree with its derivative by {gap:.2g}: {why}"
        )

    solutions = [found, *(solve(TRUTH, latent, prepared, v, v) for v in nus[1:])]
    mean = Solution(
        *(np.mean([getattr(s, k) for s in solutions], axis=0) for k in ("value", "a", "b"))
    )
    truth_form = measure.predicted(mean)
    scales = (
        float(np.max(np.abs(truth_form[0]))) or 1.0,
        1.0 if truth_form[1] is None else max(1.0, float(np.max(np.abs(truth_form[1])))),
    )
    truth = vector(truth_form, scales)
    floor = max(200 * measure.eps, 10 * change, 10 * gap)

    flicker = float(np.max(np.abs(vector(first, scales) - vector(again, scales))))
    if in_expectation and flicker > max(accuracy, floor):
        return _by_draws(measure, x, truth, scales, tols[-1], draws, accuracy, rng)
    series = []
    for tol in tols:
        forms = [first if tol == tols[0] and v is nus[0] else measure(x, v, tol) for v in nus]
        series.append(np.mean([vector(form, scales) for form in forms], axis=0))
    evidence = _verdict(
        series,
        truth,
        tols,
        floor,
        accuracy,
        "the mean over √D Q e_i" if in_expectation else "a fixed ν",
        measure.calls,
    )
    if evidence.verdict == "holds" and p <= DIRECTIONS:
        small = _small_entry(series[-1], truth, p, floor, truth_form[0].size)
        if small is not None:
            return Evidence.undecided(
                evidence.kind,
                small,
                cost=evidence.cost,
                curves=evidence.curves,
                labels=evidence.labels,
            )
    if evidence.verdict != "refuted":
        return evidence
    return evidence.with_diagnosis(
        diagnosis(
            measure,
            series[-1],
            truth,
            scales,
            latent,
            prepared,
            nus,
            evidence.bound,
            flicker,
            x,
            tols[-1],
            in_expectation,
            rng,
        )
    )


def _small_entry(
    measured: np.ndarray, truth: np.ndarray, p: int, floor: float, entries: int
) -> str | None:
    """Which parameter's entries agree with the truth only because they are small next to those of
    the others.
    """
    found, right = (v[:entries].reshape(-1, p) for v in (measured, truth))
    gap, size = np.max(np.abs(found - right), axis=0), np.max(np.abs(right), axis=0)
    # below the floor the reference itself does not know the entry
    hidden = np.flatnonzero((gap > np.maximum(ENTRY * size, floor)) & (size > floor))
    if hidden.size == 0:
        return None
    i = int(hidden[np.argmax(gap[hidden] / size[hidden])])
    off = (
        f"the entry of params[{i}], {size[i]:.2g} of the largest, is off by"
        f" {100 * gap[i] / size[i]:.2g} % of its own size"
    )
    return (
        f"{off}, which the bound, relative to the largest entry, does not resolve: pass a smaller"
        f" accuracy, or rescale params[{i}]"
    )


def _limit(series: list[np.ndarray]) -> tuple[np.ndarray, float] | None:
    """The limit of three measurements that approach it along one line at one rate (Aitken), and how
    far it was from the last.
    """
    if len(series) < 3:
        return None
    before, last = series[-2] - series[-3], series[-1] - series[-2]
    rate = float(before @ last) / (float(before @ before) or 1.0)
    if not 0 < rate < 0.5 or float(np.linalg.norm(last - rate * before)) > 0.02 * float(
        np.linalg.norm(last)
    ):
        return None
    correction = last * rate / (1 - rate)
    return series[-1] + correction, float(np.max(np.abs(correction)))


def _takes_tol(gradient: Any) -> bool:
    try:
        parameters = inspect.signature(gradient).parameters
    except (TypeError, ValueError):
        return False
    return "tol" in parameters


def _verdict(
    series: list[np.ndarray],
    truth: np.ndarray,
    tols: tuple[float | None, ...],
    floor: float,
    accuracy: float,
    where: str,
    calls: int,
) -> Evidence:
    """One measurement against ``accuracy``; several against the limit that the measurements
    themselves approach.
    """
    errors = [float(np.max(np.abs(m - truth))) for m in series]
    sentence, cost = f"the gradient of log p̂ at {where}", {"gradient_calls": calls}
    if len(series) == 1:
        return Evidence.measured(errors[0], max(accuracy, floor), sentence, cost=cost)
    moves = [float(np.max(np.abs(a - series[-1]))) for a in series[:-1]]
    curves = {"error": (list(tols), errors), "change to the finest": (list(tols[:-1]), moves)}
    more: dict[str, Any] = {
        "curves": curves,
        "labels": ("tolerance", "relative error"),
        "cost": cost,
    }
    # the last change is the solver's own error at the last tolerance but one; at the finest it is
    # smaller by the rate seen so far, if three tolerances show one. Factors 10 and 30 for solvers
    # that converge in jumps
    rate = moves[-1] / moves[-2] if len(moves) > 1 and moves[-2] > 0 else 1.0
    bound = max(min(10.0, 30 * rate) * moves[-1], floor)
    limit = _limit(series)
    if (
        limit is not None
    ):  # a regular rate: the limit itself is judged, known to the size of the step that leads to it
        errors[-1], bound = (
            float(np.max(np.abs(limit[0] - truth))),
            min(bound, max(limit[1], floor)),
        )
    sentence += f" as the tolerance falls to {tols[-1]:g}"
    if max(moves) == 0 and floor < errors[-1] <= accuracy:
        return Evidence.undecided(
            "convergent", f"{sentence}: it does not depend on tol (error {errors[-1]:.2g})", **more
        )
    if bound > 1e-2:
        return Evidence.undecided(
            "convergent", f"{sentence}: it does not converge (last change {moves[-1]:.2g})", **more
        )
    if errors[-1] <= bound and bound > max(RESOLVED, floor):
        return Evidence.undecided(
            "convergent",
            f"{sentence}: it is known to {bound:.2g} only; pass smaller tolerances",
            **more,
        )
    if errors[-1] > bound and limit is None and errors[-1] < 0.3 * errors[-2]:
        # a solver that converges in jumps (orders and step sizes chosen from a list): its last
        # change may be small by chance
        return Evidence.undecided(
            "convergent",
            f"{sentence}: the error still falls, to {errors[-1]:.2g}; pass smaller tolerances",
            **more,
        )
    return Evidence.measured(errors[-1], bound, sentence, kind="convergent", **more)


def _by_draws(
    measure: Measurement,
    x: np.ndarray,
    truth: np.ndarray,
    scales: tuple[float, float],
    tol: float | None,
    draws: int,
    accuracy: float,
    rng: np.random.Generator,
) -> Evidence:
    """A gradient that draws its own ν: a test of means."""
    rows = np.stack(
        [vector(measure(x, rng.choice([-1.0, 1.0], x.shape), tol), scales) for _ in range(draws)]
    )
    p_value, detectable = mean_test(rows, truth, accuracy)
    sentence, cost = (
        f"the mean of {draws} gradients that draw their own ν",
        {"gradient_calls": measure.calls},
    )
    evidence = Evidence.statistical(
        p_value, LEVEL, f"0.99 against a shift of {100 * detectable:.2g} %", sentence, cost=cost
    )
    if evidence and detectable > POWERLESS:
        return Evidence.undecided(
            "statistical",
            f"{sentence}: too noisy to see a shift below {100 * detectable:.2g} %; pass more draws",
            cost=cost,
        )
    return evidence
