"""Public check of a trace (divergence) estimator: E[ν^T J ν] = tr J.

Conventions: rows z ``(n, D)``; ``f`` maps rows to rows; the estimator returns one number a row.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.claims.ffjord.checks_float import orthogonal, signs
from scoreproof.claims.ffjord.checks_random import LEVEL, POWERLESS, mean_test
from scoreproof.diagnosis import diagnose
from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence, worst
from scoreproof.interop.callables import Guarded, to_float
from scoreproof.interop.frameworks import guarded
from scoreproof.public.log_likelihood_gradient.asking import BlackBoxField
from scoreproof.streams import stream

__all__ = ["check_trace_estimator"]


def _takes_nu(estimator: Any) -> bool:
    try:
        parameters = inspect.signature(estimator).parameters.values()
    except (TypeError, ValueError):
        return True
    positional = [
        p
        for p in parameters
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty
    ]
    return len(positional) >= 3 or any(p.kind == p.VAR_POSITIONAL for p in parameters)


def _curved(
    d: int, rng: np.random.Generator, convert: Callable[[np.ndarray], Any]
) -> tuple[Callable[[Any], Any], Callable[[np.ndarray], np.ndarray]]:
    """A field of full, unsymmetric Jacobian in operators that NumPy, torch and jax share, and that
    Jacobian.

    Each component is a rational function, so that no difference with long steps is exact, as
    central ones are on polynomials.
    """
    a, b = rng.standard_normal((2, d, d)) / np.sqrt(d)
    a = a + np.eye(d)  # a trace that does not vanish by accident
    left, right = convert(a.T), convert(b.T)

    def field(z: Any) -> Any:
        inner = z @ right
        return z @ left + inner * inner / 2 + inner / (1 + inner * inner)

    def jacobian(z: np.ndarray) -> np.ndarray:
        u = z @ b.T
        return a + (u + (1 - u * u) / (1 + u * u) ** 2)[..., :, None] * b

    return field, jacobian


def _two_lengths(basis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows ``√D Q e_i`` shortened to ½ and stretched to 8, with the weights that keep E[νν^T] =
    I.

    All other designs here have |ν|² = D and |ν_i| ≤ √D: they see neither a factor |ν|²/D nor a
    clipped ν.
    """
    d, short, long = len(basis), 0.5, 8.0
    rare = (1 - short**2) / (long**2 - short**2)
    return np.concatenate([short * basis, long * basis]), np.repeat([(1 - rare) / d, rare / d], d)


REASONS = {
    "last_nu_missing": "νᵀJ was summed without its last ν",
    "first_nu_missing": "Jν was summed without its first ν",
    "ell_sign": "the sign: -νᵀJν",
    "ell_doubled": "2 νᵀJν",
    "mean_for_sum": "an average over the dimensions where a sum is due",
    "nu_missing": "the sum of all entries of J: no ν at all",
    "frobenius": "the squared Frobenius norm of J in place of its trace",
    "uniform_nu": "ν uniform on [-1, 1]: E[νν^T] = I/3",
}


def _candidates(
    jacobian: np.ndarray, nus: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """What known wrong estimators return on average over the rows of ν ``(m, D)`` with weights
    ``(m,)``, per point.
    """
    d = jacobian.shape[-1]
    quad = weights @ np.einsum("mi,nij,mj->mn", nus, jacobian, nus)
    return {
        "last_nu_missing": weights @ np.einsum("mi,nij->mn", nus, jacobian),
        "first_nu_missing": weights @ np.einsum("nij,mj->mn", jacobian, nus),
        "ell_sign": -quad,
        "ell_doubled": 2 * quad,
        "mean_for_sum": quad / d,
        "nu_missing": jacobian.sum(axis=(1, 2)),
        "frobenius": (jacobian**2).sum(axis=(1, 2)),
        "uniform_nu": quad / 3,
    }


def check_trace_estimator(
    estimator: Callable[..., Any],
    *,
    field: Callable[..., Any] | None = None,
    dimension: int = 4,
    points: Any = None,
    draws: int = 2000,
    framework: str = "numpy",
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Is ``estimator`` an unbiased estimator of the trace of a field's Jacobian (its divergence)?

    Parameters
    ----------
    estimator: ``estimator(f, z, nu) -> (n,)`` with ``f(z)`` rows to rows, z and ν ``(n, D)``; or
        ``estimator(f, z)`` if it draws its own ν.
    field: ``f(z)`` to try it on, in the estimator's framework; default: a rational field with a
        full, unsymmetric Jacobian.
    dimension: D of the default field and points, at least 2.
    points: rows ``(n, D)``; default: three random ones.
    draws: the number of calls where the estimator draws its own ν.
    framework, dtype: ``"numpy"`` (f accepts complex numbers too), ``"torch"`` or ``"jax"``, and the
        floating type passed in.
    seed: for the field, the points and the designs.

    With ν given, the expectation is exact: the mean over the D vectors √D Q e_i, the weighted mean
    over 2D such vectors of length ½√D and 8√D (an estimator may be right only for |ν|² = D) and,
    for D ≤ 8, the mean over all of {±1}^D. Without it, a test of the mean over ``draws`` calls at
    level 1e-6, ``undecided`` where that would not see a shift of 10 % of the trace (pass more
    draws). Calls of ``estimator``: 3·D + 2^D for D ≤ 8, 3·D beyond, or ``draws``. The bound comes
    from the rounding of what is returned (float32 gives a float32 bound), and from the estimator's
    own differencing only if it is exact to that.

    Raises ``ArgumentError`` and ``CallableError`` as all checks do.

    Source: homework on generative models, spring 2024, problem 3 (claim ``ffjord``).

    >>> def hutchinson(f, z, nu):
    ...     return (nu * np.imag(f(z + 1e-30j * nu)) / 1e-30).sum(axis=1)
    >>> bool(check_trace_estimator(hutchinson))
    True
    """
    rng = stream(seed, "ffjord", "trace")
    if points is None:
        if not isinstance(dimension, int | np.integer) or dimension < 2:
            raise ArgumentError(
                "dimension",
                "an integer >= 2",
                dimension,
                "in one dimension every estimator with ν = ±1 is exact",
            )
        points = rng.standard_normal((3, dimension))
    if draws < 30:
        raise ArgumentError("draws", ">= 30", draws, "the test of means needs that many")
    z = to_float("points", points, shape=(None, None))
    n, d = z.shape
    guard = guarded(estimator, "estimator", framework, dtype)

    def convert(a: np.ndarray) -> Any:
        return guard.prepare(a) if guard.prepare is not None else a

    if field is None:
        f, exact = _curved(d, rng, convert)
        jacobian = exact(z)
    else:
        f = field
        jacobian = _jacobian(field, z, framework, dtype)
    trace = np.trace(jacobian, axis1=1, axis2=2)
    # the sum over D² products, four deviations; the mean over a design adds the size of its largest
    # term
    size = np.sqrt((jacobian**2).sum(axis=(1, 2))).max()
    if not _takes_nu(estimator):
        return _by_draws(guard, f, z, jacobian, trace, draws)
    basis, all_signs = orthogonal(rng, d), signs(d) if d <= 8 else np.empty((0, d))
    designs = {
        "the D vectors √D Q e_i": (basis, np.full(d, 1 / d)),
        "the vectors √D Q e_i, shortened to 1/2 and stretched to 8, weighted to E[νν^T] = I": (
            _two_lengths(basis)
        ),
        "all of {±1}^D": (all_signs, np.full(len(all_signs), 0.5**d)),
    }
    found = []
    for name, (nus, weights) in designs.items():
        if not len(nus):
            continue
        rows = np.stack([guard(f, z, np.repeat(nu[None], n, axis=0), shape=(n,)) for nu in nus])
        measured, scale = np.real(weights @ rows), float(np.max(np.abs(trace))) or 1.0
        bound = 4 * guard.eps * d * float(size) * d / scale
        error = float(np.max(np.abs(measured - trace))) / scale
        evidence = Evidence.measured(
            error,
            bound,
            f"the mean of the estimates over {name} against the trace (D = {d})",
            curves={
                "estimate": (list(range(n)), measured.tolist()),
                "trace": (list(range(n)), trace.tolist()),
            },
            labels=("point", "trace"),
        )
        if evidence.verdict == "refuted":
            evidence = evidence.with_diagnosis(
                diagnose(measured, trace, _candidates(jacobian, nus, weights), reasons=REASONS)
            )
        found.append(evidence)
    return worst(found)


def _jacobian(field: Callable[..., Any], z: np.ndarray, framework: str, dtype: Any) -> np.ndarray:
    """J at rows z by the same means as for a user's flow; the parameter is a dummy."""
    n, d = z.shape
    box = BlackBoxField(
        guarded(lambda q, params, s: field(q) + 0 * params[0], "field", framework, dtype),
        np.ones(1),
        np.ones((1, 1)),
        framework,
        z,
    )
    columns = box.along_z(np.tile(z, (d, 1)), 0.5, np.repeat(np.eye(d), n, axis=0))
    return np.moveaxis(columns.reshape(d, n, d), 0, 2)


def _by_draws(
    guard: Guarded, f: Any, z: np.ndarray, jacobian: np.ndarray, trace: np.ndarray, draws: int
) -> Evidence:
    rows = np.stack([np.real(guard(f, z, shape=z.shape[:1])) for _ in range(draws)])
    scale = float(np.max(np.abs(trace))) or 1.0
    p_value, detectable = mean_test(rows / scale, trace / scale, 1e3 * guard.eps)
    sentence, cost = (
        f"the mean of {draws} estimates that draw their own ν against the trace",
        {"calls": guard.calls},
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
    if evidence.verdict == "refuted":
        d = z.shape[1]
        candidates = _candidates(jacobian, np.sqrt(d) * np.eye(d), np.full(d, 1 / d))
        evidence = evidence.with_diagnosis(
            diagnose(rows.mean(axis=0), trace, candidates, resolution=0.02, reasons=REASONS)
        )
    return evidence
