"""The Jacobian of a score is symmetric, and ``Σ + Σ J Σ`` is a covariance: necessary conditions, probed on a black box."""

from __future__ import annotations

import numpy as np

from scoreproof.claims.tweedie.problem import Prediction, Problem
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import Guarded
from scoreproof.interop.derivatives import row_jacobian
from scoreproof.numerics.linear import square_root

__all__ = ["jacobian_evidence"]


def jacobian_evidence(guard: Guarded, kind: Prediction, problem: Problem, framework: str, tolerance: float | None) -> Evidence:
    """Whether the score's Jacobian is symmetric and ``Σ + Σ J Σ`` positive semidefinite, at the points."""
    y, cov = problem.y, problem.cov
    scale = float(np.sqrt(np.min(np.diagonal(cov))))
    raw, inaccuracy = row_jacobian(guard, y, framework, scale)
    jacobian = _score_jacobian(raw, kind, problem)
    # in whitened coordinates: a root of Σ on both sides, so that the identity is the size to compare with
    root = square_root(cov)
    white = root @ jacobian @ root
    size = 1 + np.max(np.abs(white))
    skew = float(np.max(np.abs(white - np.swapaxes(white, 1, 2)))) / 2 / size
    posterior = np.eye(len(cov)) + (white + np.swapaxes(white, 1, 2)) / 2
    negative = float(max(0.0, -np.min(np.linalg.eigvalsh(posterior)))) / size
    # what the conversion from another prediction divides by
    amplification = 1.0 if kind.name == "score" else float(np.linalg.cond(cov)) * (1 + 1 / float(np.min(np.diagonal(cov))))
    bound = (tolerance or 0.0) + len(cov) * amplification * (inaccuracy + 64 * guard.eps * float(np.max(np.abs(raw)) / max(1.0, np.max(np.abs(white)))))
    what = f"the score's Jacobian at {len(y)} points: asymmetry {skew:.2g}, negative part of Cov = Σ + Σ J Σ {negative:.2g} (relative)"
    sentence = f"{what}; a posterior mean has neither, which is necessary and not sufficient"
    return Evidence.measured(max(skew, negative), bound, sentence, cost={"calls": guard.calls})


def _score_jacobian(raw: np.ndarray, kind: Prediction, problem: Problem) -> np.ndarray:
    """The Jacobian of the score from that of the prediction, both ``(n, d, d)``: every conversion is affine in (value, y)."""
    if kind.name == "score":
        return raw
    d = raw.shape[1]
    zero, one = np.zeros((1, d)), np.ones((1, d))
    # the conversion acts entrywise (σ² I): read its two coefficients off
    per_value = kind.to_score(one, zero)[0, 0] if kind.name != "x0" else None
    if per_value is not None:
        return per_value * raw + kind.to_score(zero, one)[0, 0] * np.eye(d)
    return np.linalg.solve(problem.cov, problem.alpha * raw - np.eye(d))
