"""The Jacobian of a score is symmetric, and ``Σ + Σ J Σ`` is a covariance: necessary conditions,
probed on a black box.

Conventions: everything is measured in whitened coordinates, ``W = Σ^{1/2} J Σ^{1/2}``, so that the
conditions read ``W = Wᵀ`` and
``I + W`` positive semidefinite, and differences take steps that suit the noise in every direction.
"""

from __future__ import annotations

import numpy as np

from scoreproof.evidence import Evidence
from scoreproof.interop.callables import Guarded
from scoreproof.interop.derivatives import row_jacobian
from scoreproof.numerics.linear import square_root
from scoreproof.public.denoiser.arguments import Prediction, Problem
from scoreproof.streams import stream

__all__ = ["PROBES", "jacobian_evidence"]

PROBES = 64  # directions looked at; all of them up to this dimension
# a relative asymmetry smaller than this must be measurable for the verdict to mean anything
USELESS = 0.05


def jacobian_evidence(
    guard: Guarded,
    kind: Prediction,
    problem: Problem,
    framework: str,
    tolerance: float | None,
    seed: int,
) -> Evidence:
    """Whether the score's Jacobian is symmetric and ``Σ + Σ J Σ`` positive semidefinite, at the
    points.

    With probes V (orthonormal columns) ``Vᵀ W V`` is looked at, which inherits both properties.
    Each point is held against its own error of differentiation; the point that fails most, relative
    to that, is reported.
    """
    d = problem.y.shape[1]
    k = min(d, PROBES)
    probes = (
        np.eye(d)
        if k == d
        else np.linalg.qr(stream(seed, "check_score", "probes").standard_normal((d, k)))[0]
    )
    root = square_root(problem.cov)
    raw, error = row_jacobian(guard, problem.y, framework, root @ probes)
    left, shift = _conversion(kind, problem, root, probes)
    white = left @ raw + shift * np.eye(k)
    # the differentiation's error, and the rounding of the two products; a factor 4 because the
    # first is an estimate
    doubt = 4 * (
        np.abs(left) @ error + 4 * d * guard.eps * (np.abs(left) @ np.abs(raw) + abs(shift))
    )
    size = 1 + np.max(np.abs(white), axis=(1, 2))
    transposed = np.swapaxes(white, 1, 2)
    skew = np.max(np.abs(white - transposed), axis=(1, 2)) / 2 / size
    negative = (
        np.maximum(0.0, -np.linalg.eigvalsh(np.eye(k) + (white + transposed) / 2)[:, 0]) / size
    )
    skew_doubt, negative_doubt = (
        np.max(doubt, axis=(1, 2)) / size,
        np.linalg.norm(doubt, axis=(1, 2)) / size,
    )
    allowed = tolerance or 0.0
    values, bounds = (
        np.concatenate([skew, negative]),
        allowed + np.concatenate([skew_doubt, negative_doubt]),
    )
    worst = int(np.argmax(values / np.maximum(bounds, 1e-300)))
    seen = int(np.sum(skew_doubt <= USELESS))
    where = f"at {len(problem.y)} points" + (f", in {k} random directions" if k < d else "")
    sentence = (
        f"the score's Jacobian {where}: asymmetry {skew[worst % len(skew)]:.2g}, negative part of"
        f" Cov = Σ + Σ J Σ {negative[worst % len(skew)]:.2g} (relative, in units of the noise); a"
        " posterior mean has neither, which is necessary and not sufficient"
    )
    if values[worst] <= bounds[worst] and seen == 0:
        resolution = float(np.min(skew_doubt))
        return Evidence.undecided(
            "float",
            f"the score's Jacobian {where} could be measured to {resolution:.2g} only, by a"
            " function that rounds or bends so; centre the data, use double precision, or a"
            " framework with forward mode",
            cost={"calls": guard.calls},
        )
    return Evidence.measured(
        float(values[worst]), float(bounds[worst]), sentence, cost={"calls": guard.calls}
    )


def _conversion(
    kind: Prediction, problem: Problem, root: np.ndarray, probes: np.ndarray
) -> tuple[np.ndarray, float]:
    """``(left, shift)`` with ``Vᵀ W V = left @ (J_prediction Σ^{1/2} V) + shift I``: every
    conversion to a score is affine.
    """
    if kind.name == "score":
        return probes.T @ root, 0.0
    if kind.name == "x0":
        return problem.alpha * probes.T @ np.linalg.inv(root), -1.0
    # σ² I, where the conversion acts entrywise: read its two coefficients off
    d = len(root)
    zero, one = np.zeros((1, d)), np.ones((1, d))
    per_value, per_y = kind.to_score(one, zero)[0, 0], kind.to_score(zero, one)[0, 0]
    return per_value * probes.T @ root, float(per_y * problem.cov[0, 0])
