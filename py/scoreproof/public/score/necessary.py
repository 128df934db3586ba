"""What a score must have, whatever the prior: a symmetric Jacobian J, and ``Σ + Σ J Σ``, a
covariance, positive semidefinite.

Conventions: relative to ``1 + max |W|``, in units of the noise. The conditions are necessary, and
not sufficient: a wrong noise level or a factor below one keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.posterior.judging import GRANTED
from scoreproof.public.posterior.where import mixed_rows
from scoreproof.public.rule import COARSEST, compared
from scoreproof.public.score.arguments import Request
from scoreproof.public.score.asking import Asked, Slopes
from scoreproof.public.score.curl import no_gradient

__all__ = ["necessary", "possible"]

NOT_SEEN = (
    "A deviation that keeps the Jacobian symmetric and Cov positive (another prior, another noise"
    " level, a factor below one, of whichever sign) is not seen at any size: pass the prior for"
    " that."
)
IN_SAMPLE = (
    "Only an asymmetry between two coordinates is sure to show in a sample of directions: a"
    " variance that is negative in a few coordinates may not."
)
FINER = "use float64, a framework with forward mode, or points where it does not bend so"


@dataclass(frozen=True, eq=False)
class _Signs:
    """Asymmetry and negative part of Cov at each point, how far either may be off, and what an
    asymmetry between two coordinates shows of itself in the directions looked at.
    """

    skew: np.ndarray
    negative: np.ndarray
    skew_doubt: np.ndarray
    negative_doubt: np.ndarray
    gain: float

    @property
    def seen(self) -> np.ndarray:
        """The smallest deviation that could not have passed, at each point."""
        return np.asarray(2 * np.maximum(self.skew_doubt / self.gain, self.negative_doubt))


def _signs(slopes: Slopes) -> _Signs:
    white, doubt = slopes.white, slopes.doubt
    k = white.shape[1]
    size = 1 + np.max(np.abs(white), axis=(1, 2))
    turned = np.swapaxes(white, 1, 2)
    lowest = np.linalg.eigvalsh(np.eye(k) + (white + turned) / 2)[:, 0]
    return _Signs(
        np.max(np.abs(white - turned), axis=(1, 2)) / 2 / size,
        np.maximum(0.0, -lowest) / size,
        np.max(doubt, axis=(1, 2)) / size,
        np.linalg.norm(doubt, axis=(1, 2)) / size,
        _gain(slopes.probes),
    )


def _gain(probes: np.ndarray) -> float:
    """What is left, at least, of the largest entry of an asymmetry between two coordinates."""
    d, k = probes.shape
    if k == d:
        return 1.0
    overlap = probes @ probes.T
    squares = np.diagonal(overlap)
    areas = np.outer(squares, squares) - overlap**2
    np.fill_diagonal(areas, np.inf)
    # Vᵀ(e_p e_qᵀ - e_q e_pᵀ)V has Frobenius norm √(2 area), and some entry is 1/k of that
    return float(np.sqrt(2 * max(np.min(areas), 0.0)) / k)


def _sentence(signs: _Signs, slopes: Slopes) -> str:
    worst = int(
        np.argmax(
            np.maximum(
                signs.skew / np.maximum(signs.skew_doubt, 1e-300),
                signs.negative / np.maximum(signs.negative_doubt, 1e-300),
            )
        )
    )
    line = ", where symmetry says nothing in one dimension" if slopes.probes.shape[0] == 1 else ""
    return (
        f"{slopes.describe()}{line}, differs from its transpose by {signs.skew[worst]:.2g}, and"
        f" Σ + Σ J Σ, the covariance that it implies, is negative by {signs.negative[worst]:.2g},"
        f" at point {slopes.rows[worst]} (J the Jacobian; relative to its largest entry, in units"
        " of the noise); of a score both are 0, which is necessary and not sufficient"
    )


def possible(slopes: Slopes, tolerance: float | None, calls: int) -> Evidence | None:
    """A refutation by the Jacobian alone, if it is one: beside values that are judged anyway."""
    signs = _signs(slopes)
    evidence = compared(
        np.concatenate([signs.skew, signs.negative]),
        np.concatenate([signs.skew_doubt, signs.negative_doubt]),
        _sentence(signs, slopes),
        coverage=Coverage({"points": len(slopes.rows), "directions": slopes.probes.shape[1]}),
        tolerance=tolerance,
        cost={"calls": calls},
    )
    return replace(evidence, sentence=_broken(signs, slopes)) if _refuted(evidence) else None


def _refuted(evidence: Evidence) -> bool:
    return evidence.verdict == "refuted"


def _broken(signs: _Signs, slopes: Slopes) -> str:
    """Which of the two conditions is broken, and where."""
    looked = f"looked at: {slopes.describe()}"
    unit = "of its largest entry, in units of the noise"
    i, j = int(np.argmax(signs.skew)), int(np.argmax(signs.negative))
    if signs.skew[i] / max(signs.skew_doubt[i], 1e-300) >= signs.negative[j] / max(
        signs.negative_doubt[j], 1e-300
    ):
        return (
            f"it is no score: at point {slopes.rows[i]} its Jacobian differs from its transpose by"
            f" {signs.skew[i]:.2g} {unit}, and that of a score is symmetric ({looked})"
        )
    return (
        f"it is no score: at point {slopes.rows[j]} Σ + Σ J Σ, J being its Jacobian, is negative by"
        f" {signs.negative[j]:.2g} {unit}, and it would be a covariance ({looked})"
    )


def necessary(
    slopes: Slopes, asked: Asked, request: Request, noise: float, eps: float, calls: int
) -> Evidence:
    """The verdict without a prior. ``noise``: what the callable makes of a few roundings of y."""
    signs, tolerance = _signs(slopes), request.problem.tolerance
    d, k = slopes.probes.shape
    m = len(slopes.rows)
    needed = tolerance or COARSEST
    sharp = (signs.seen <= needed) | (signs.skew > signs.skew_doubt + needed)
    sharp |= signs.negative > signs.negative_doubt + needed
    sharp |= (signs.skew > signs.skew_doubt) & (tolerance is None)
    sharp |= (signs.negative > signs.negative_doubt) & (tolerance is None)
    blurred = np.flatnonzero(~sharp)
    left: tuple[Omission, ...] = ()
    if blurred.size:
        why = (
            f"where the Jacobian could be measured to {np.min(signs.seen[blurred]):.2g} only, by a "
            f"function that rounds or bends so; {FINER}"
        )
        left = (Omission("points", blurred.size, why, scattered=True),)
    which = "all" if k == d else f"a random sample of {k} of the {d}"
    seen = Coverage({"points": m, "directions": k}, left, f"as asked; {which} directions of R^{d}")
    rows, allowed = _batches(asked, request, noise, eps)
    granted = np.minimum(allowed, (tolerance / 2 if tolerance else 1) * GRANTED / COARSEST * needed)
    evidence = compared(
        np.concatenate([signs.skew[sharp], signs.negative[sharp], [rows]]),
        np.concatenate([signs.skew_doubt[sharp], signs.negative_doubt[sharp], [granted]]),
        "no prior was given, so that only necessary conditions were looked at, not whether it is "
        f"the score: {_sentence(signs, slopes)}",
        coverage=seen,
        gain=np.concatenate([np.full(int(sharp.sum()), signs.gain), np.ones(int(sharp.sum()) + 1)]),
        excuse=np.concatenate([np.zeros(2 * int(sharp.sum())), [allowed - granted]]),
        tolerance=tolerance,
        remedy=FINER,
        cost={"calls": calls},
    )
    return _said(evidence, slopes, asked, request, rows, allowed)


def _batches(asked: Asked, request: Request, noise: float, eps: float) -> tuple[float, float]:
    """How far an answer changes among other rows, and how far rounding may take it; relative to the
    largest answer, in units of the noise.
    """
    m, whiten = len(asked.answers.values), request.problem.noise.times
    size = float(np.max(np.abs(whiten(asked.found, 0.5)))) or 1.0
    gap = whiten(asked.found[m:] - asked.found[asked.answers.rows], 0.5)
    # a score is Σ⁻¹(E[x | y] - y): the rounding of y belongs to it, whatever is left of y
    own = float(np.max(np.abs(whiten(asked.answers.points.y, -0.5))))
    return float(np.max(np.abs(gap))) / size, (16 * noise + 64 * eps * (own + size)) / size


def _upwards(slopes: Slopes) -> bool:
    """Whether log p_Y curves upwards, on average over the directions, wherever it was looked at:
    at single points it may, between two modes say.
    """
    trace, doubt = (np.trace(a, axis1=1, axis2=2) for a in (slopes.white, slopes.doubt))
    return bool(np.all(trace >= -doubt) and np.any(trace > doubt))


def _said(
    evidence: Evidence,
    slopes: Slopes,
    asked: Asked,
    request: Request,
    rows: float,
    allowed: float,
) -> Evidence:
    """What a ``holds`` does not say; a score that does not vary says nothing; mixed rows named."""
    why = ""
    if np.all(np.abs(slopes.white) <= slopes.doubt):
        why = (
            "the score does not vary at these points, 0 was compared with 0: take a larger noise"
            " level"
        )
    elif _upwards(slopes):
        why = (
            "tr(Σ J) is negative at none of these points, and over draws of y its mean is"
            " -E|Σ^{1/2} score|²: has the sign been lost? If not, pass draws of y as points"
        )
    if evidence.verdict == "holds" and why:
        return replace(evidence, verdict="undecided", sentence=f"{evidence.sentence}: {why}")
    if evidence.verdict == "holds":
        d, k = slopes.probes.shape
        notes = (NOT_SEEN,) if k == d else (NOT_SEEN, IN_SAMPLE)
        return replace(evidence, notes=notes)
    if evidence.verdict != "refuted":
        return evidence
    if rows > allowed:
        limit = np.full(asked.answers.values.shape, 0.0)
        mixed = mixed_rows(asked.answers, limit, asked.found)
        return evidence.with_diagnosis(Diagnosis.cause("rows_mixed", f"Cause: {mixed}."))
    evidence = replace(evidence, sentence=_broken(_signs(slopes), slopes))
    return evidence.with_diagnosis(no_gradient(slopes, request.problem.noise))
