"""``check_kl``: is a KL divergence of Gaussians the integral it stands for?

Conventions: points are rows; the expectation is under the first law; parameters come as the user's
function takes them
(``parameterization``), and are standard deviations, variances or log-variances accordingly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.claims.gaussian_kl.stable import stable_isotropic
from scoreproof.diagnosis import diagnose
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import Guarded
from scoreproof.interop.frameworks import guarded
from scoreproof.numerics.cubature import expectation, random_rotation
from scoreproof.numerics.linear import random_covariance
from scoreproof.public.kl.words import REASONS, REDUCE, Laws, candidates, gather
from scoreproof.streams import stream

__all__ = ["check_kl"]

FORMS = ("isotropic", "diagonal", "full")
PARAMETERIZATIONS = ("std", "variance", "logvar")
REDUCTIONS = ("none", "sum", "mean")
#: (n, d, range of the log-variances, spread of the means): no two alike, for code may know one
#: shape by heart; the last is wide, for code may clip. Wider ones would overflow half precision.
BATCHES = ((6, 3, 1.5, 1.0), (5, 2, 1.5, 1.0), (4, 7, 1.5, 1.0), (8, 2, 4.0, 3.0))
ROWS, DIMENSION = 6, 3  # of the batch of nearly equal laws
CONDITION = 10.0  # of the covariances of the full form


def check_kl(
    kl: Callable[..., Any],
    *,
    form: str = "isotropic",
    parameterization: str = "std",
    against: str = "pair",
    reduction: str = "none",
    framework: str = "numpy",
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Check a function that returns ``KL(N_0 ‖ N_1)`` in nats for batches of Gaussians.

    Parameters
    ----------
    kl: ``kl(mu0, scale0, mu1, scale1)``, or ``kl(mu, scale)`` when ``against="standard"`` (the
        VAE's regulariser). Means are ``(n, d)``. Scales are ``(n, 1)`` for the isotropic form,
        ``(n, d)`` for the diagonal one; for the full form they are covariances ``(n, d, d)``.
    form: ``"isotropic"``, ``"diagonal"`` or ``"full"``.
    parameterization: what the scales are: ``"std"``, ``"variance"`` or ``"logvar"`` (not used by
        the full form).
    against: ``"pair"`` or ``"standard"`` (the second law is N(0, I) and is not passed).
    reduction: what ``kl`` does over the batch: ``"none"`` returns ``(n,)`` (or ``(n, 1)``),
        ``"sum"`` and ``"mean"`` one number. Dimensions are always summed.
    framework, dtype: ``"numpy"``, ``"torch"`` or ``"jax"``, and the floating type it is called
    with.

    Returns
    -------
    Evidence: kind float; the error is relative to the sizes of the expectations of log p_0 and log
    p_1. ``kl`` is called on 4 batches, of 6, 5, 4 and 8 laws in 3, 2, 7 and 2 dimensions, and when
    it holds (in float32 or better) once more on nearly equal laws: digits lost to cancellation
    there are a note, no verdict.

    Raises
    ------
    ArgumentError: an option is not one of the above. CallableError: ``kl`` raises, returns another
    shape or NaN.

    Source: homework problem 2; Kingma and Welling 2013, appendix B.

    >>> def kl(mu, logvar):                       # a VAE's regulariser, with the 1/2 forgotten
    ...     return (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)
    >>> evidence = check_kl(kl, form="diagonal", parameterization="logvar", against="standard")
    >>> evidence.verdict
    'refuted'
    >>> bool(check_kl(lambda mu, logvar: kl(mu, logvar) / 2, form="diagonal", parameterization="logvar", against="standard"))
    True
    """
    for name, value, known in (
        ("form", form, FORMS),
        ("parameterization", parameterization, PARAMETERIZATIONS),
        ("against", against, ("pair", "standard")),
        ("reduction", reduction, REDUCTIONS),
    ):
        if value not in known:
            raise ArgumentError(
                name, f"one of {', '.join(known)}", repr(value), "see the docstring of check_kl"
            )
    guard = guarded(kl, "kl", framework, dtype)
    rng = stream(seed, "check_kl")
    batches = [_laws(rng, form, against, *shape) for shape in BATCHES]
    before = guard.calls
    measured = np.concatenate(
        [
            np.atleast_1d(_call(guard, b, form, parameterization, against, reduction))
            for b in batches
        ]
    )
    truth, sizes = (
        gather(list(column), reduction)
        for column in zip(*(_oracle(b, rng) for b in batches), strict=True)
    )
    # four roundings for each of three terms, their sums over d <= 7, and the rounding of the
    # inputs: a difference of two |logvar| <= 4 goes through exp, twice a std's through a square; a
    # covariance is inverted at the price of its condition number. The oracle is float64.
    condition = CONDITION if form == "full" else 1.0
    bound = condition * (guard.eps * (16 + 2 * 7 + 2 * 4) + 32 * float(np.finfo(float).eps))
    evidence = Evidence.measured(
        float(np.max(np.abs(measured - truth) / sizes)),
        bound,
        f"KL of {form} Gaussians ({sum(b[0] for b in BATCHES)} pairs in d = 2, 3 and 7) against the"
        " integral of p_0 log(p_0/p_1) by exact cubature",
        curves={
            "kl": (truth.ravel().tolist(), measured.real.ravel().tolist()),
            "truth": (truth.ravel().tolist(), truth.ravel().tolist()),
        },
        labels=("KL by cubature", "KL returned"),
    )
    if evidence.verdict == "holds":
        evidence = replace(
            evidence, notes=_cancellation(guard, form, parameterization, against, reduction)
        )
    elif evidence.verdict == "refuted":
        explanations = candidates(batches, form, parameterization, against, reduction)
        evidence = evidence.with_diagnosis(diagnose(measured, truth, explanations, reasons=REASONS))
    return replace(evidence, cost={"calls": guard.calls - before})


def _laws(
    rng: np.random.Generator, form: str, against: str, n: int, d: int, width: float, spread: float
) -> Laws:
    m0, m1 = spread * rng.standard_normal((2, n, d))
    if form == "full":
        c0, c1 = (
            np.stack([random_covariance(rng, d, CONDITION) for _ in range(n)]) for _ in range(2)
        )
    else:
        variances = np.exp(rng.uniform(-width, width, (2, n, 1 if form == "isotropic" else d)))
        c0, c1 = variances[:, :, :, None] * np.eye(d)
    if against == "standard":
        m1, c1 = np.zeros((n, d)), np.broadcast_to(np.eye(d), (n, d, d)).copy()
    return m0, c0, m1, c1


def _scale(cov: np.ndarray, form: str, parameterization: str) -> np.ndarray:
    """Covariances ``(n, d, d)`` as the user's function takes them."""
    if form == "full":
        return cov
    variances = np.diagonal(cov, axis1=1, axis2=2)
    variances = variances[:, :1] if form == "isotropic" else variances
    return {"std": np.sqrt(variances), "variance": variances.copy(), "logvar": np.log(variances)}[
        parameterization
    ]


def _call(
    guard: Guarded, laws: Laws, form: str, parameterization: str, against: str, reduction: str
) -> np.ndarray:
    m0, c0, m1, c1 = laws
    arguments = [m0, _scale(c0, form, parameterization)]
    if against == "pair":
        arguments += [m1, _scale(c1, form, parameterization)]
    result = guard(*arguments)
    wanted = (len(m0),) if reduction == "none" else ()
    if form == "isotropic" and reduction == "none" and result.shape == (len(m0), len(m0)):
        remedy = "the scales are (n, 1): use scale[:, 0] beside a sum over the last axis"
        raise CallableError(
            "kl", f"return an array of shape {wanted}", f"it returned shape {result.shape}", remedy
        )
    if result.size == max(1, int(np.prod(wanted))):
        return result.reshape(wanted)
    return guard.accept(result, wanted)  # raises, and says which shape is due


def _oracle(laws: Laws, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """``E_0[log p_0 - log p_1]`` for each law by a cubature that is exact for quadratics, and the
    sizes that rounding acts on.
    """
    value, size = np.empty((2, len(laws[0])))
    for i, (m0, c0, m1, c1) in enumerate(zip(*laws, strict=True)):
        root, rotation = np.linalg.cholesky(c0), random_rotation(rng, len(m0))
        parts = [
            expectation(
                lambda x, m=m, c=c: _log_density(x, m, c),  # type: ignore[misc]
                m0,
                root,
                rotation,
            )
            for m, c in ((m0, c0), (m1, c1))
        ]
        value[i] = float(parts[0][0] - parts[1][0])
        size[i] = float(np.sum(np.abs(parts)))
    return value, size


def _log_density(x: np.ndarray, mean: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """The log-density without ``d/2 log 2π`` and its two parts, quadratic and logarithmic: ``(m,
    3)``.
    """
    quadratic = np.sum(np.linalg.solve(cov, (x - mean).T).T * (x - mean), axis=1) / 2
    logarithm = np.full(len(x), np.linalg.slogdet(cov)[1] / 2)
    return np.stack([-quadratic - logarithm, quadratic, logarithm], axis=1)


def _cancellation(
    guard: Guarded, form: str, parameterization: str, against: str, reduction: str
) -> tuple[str, ...]:
    """A note when digits are lost where the two laws nearly agree; never a verdict, for the
    mathematics is right.

    At a relative gap g the printed form's terms are of size 1 and their sum of size g²: it loses
    eps/g², everything at g = √eps. The rounding of the inputs alone costs eps/g, and so does a form
    with log1p or expm1: more than a few of that is noted.
    """
    gap = 1.37 * 2.0 ** round(
        np.log2(guard.eps) / 2
    )  # no power of two: it would be lucky with its roundings
    if gap > 0.01:
        return ()  # half precision leaves no room for a small gap
    sigma1 = 1.3 if against == "pair" else 1.0
    gaps = gap * (1 + np.arange(ROWS) / ROWS)  # several, for a single one may be lucky too
    sigma0, m0, m1 = (
        sigma1 * (1 + gaps),
        np.tile(gaps[:, None], DIMENSION),
        np.zeros((ROWS, DIMENSION)),
    )
    c0, c1 = (s[:, None, None] ** 2 * np.eye(DIMENSION) for s in (sigma0, np.full(ROWS, sigma1)))
    truth = REDUCE[reduction](
        np.array([stable_isotropic(m, s, m1[0], sigma1) for m, s in zip(m0, sigma0, strict=True)])
    )
    returned = _call(guard, (m0, c0, m1, c1), form, parameterization, against, reduction)
    lost = float(np.max(np.abs(returned - truth) / truth))
    if lost <= 8 * guard.eps / gap:
        return ()
    return (
        (
            f"Near equal laws (relative gap {gap:.0e}) its relative error is {lost:.1g}: the closed"
            " form cancels there; use log1p or expm1."
        ),
    )
