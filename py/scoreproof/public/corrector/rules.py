"""Step sizes from a signal-to-noise ratio: the rule, and other rules that people have.

Conventions (Song et al. 2021): ``ε = 2 α (r ‖z‖ / ‖s‖)²`` with the norms of each sample, averaged
over the batch (score_sde, diffusers), or √d for ‖z‖ (their tutorial); r is the ratio, α that of a
VP process's table (1 - β_t), else 1.
"""

from __future__ import annotations

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.corrector.arguments import Job
from scoreproof.public.corrector.steps import Steps

__all__ = ["RULE", "alpha_unsaid", "constant_factor", "due", "mistakes"]

#: what 1 - β_t of discrete steps is above, but at the very end of some schedules
LEAST_ALPHA = 0.9
RULE = "ε = 2 α (snr mean‖z‖ / mean‖score‖)²"

Norms = tuple[np.ndarray, np.ndarray]


def _norms(found: Steps) -> Norms:
    """Of noise and score, ``(k, n)``."""
    return np.linalg.norm(found.noises, axis=2), np.linalg.norm(found.scores, axis=2)


def due(found: Steps, snr: float, alpha: float) -> dict[str, np.ndarray]:
    """What ε may be, by the name of the rule, ``(k, n)``."""
    z, s = _norms(found)
    root = np.full_like(z, found.noises.shape[2] ** 0.5)
    of_means = 2 * alpha * (snr * _mean(z) / _mean(s)) ** 2
    return {"mean": of_means, "expected": 2 * alpha * (snr * root / _mean(s)) ** 2}


def constant_factor(found: Steps, job: Job) -> float | None:
    """What the step sizes are times the rule with α = 1, where that may be the α of a VP process
    that nobody named: the same everywhere, and a little less than 1.
    """
    if not job.any_alpha or job.snr is None:
        return None
    level = job.level_of(float(job.t))
    if abs(level.alpha**2 + level.sigma**2 - 1) > 1e-5:
        return None
    ratio = found.a / due(found, job.snr, 1.0)["mean"]
    c = float(np.median(ratio))
    return c if np.max(np.abs(ratio / c - 1)) <= 1e-3 and LEAST_ALPHA < c < 1 else None


def alpha_unsaid(job: Job, seen: Coverage, factor: float) -> Evidence:
    text = (
        f"{job.name}: drift and noise match, and the step size is {factor:.4g} times {RULE} with"
        f" snr = {job.snr:g} and α = 1: right where α_t = 1 - β_t of the process's discrete steps"
        " is that, which is not known here; pass it as alpha="
    )
    return Evidence.undecided("float", text, coverage=seen)


def mistakes(found: Steps, snr: float, alpha: float) -> dict[str, tuple[np.ndarray, str]]:
    """Other rules, and what is wrong with each."""
    z, s = _norms(found)
    n = z.shape[1]
    mz, ms = _mean(z), _mean(s)
    plain = (snr * mz / ms) ** 2
    whole_z, whole_s = (_mean(v**2) ** 0.5 * n**0.5 for v in (z, s))
    right = 2 * alpha * plain
    return {
        "norm_of_the_batch": (
            2 * alpha * (snr * whole_z / whole_s) ** 2,
            "the norms are those of the whole batch at once: take the norm of each sample"
            " (reshape(n, -1), dim=-1), and the mean of these",
        ),
        "norm_of_each_row": (
            2 * alpha * (snr * z / s) ** 2,
            "each row has its own ratio: the norms are to be averaged over the batch",
        ),
        "not_squared": (
            2 * alpha * snr * mz / ms,
            "the ratio snr ‖z‖/‖score‖ is not squared",
        ),
        "snr_not_squared": (
            2 * alpha * snr * (mz / ms) ** 2,
            "snr stands outside the square",
        ),
        "two_missing": (alpha * plain, "the factor 2 is missing"),
        "two_twice": (4 * alpha * plain, "the factor 2 is there twice"),
        "alpha_missing": (2 * plain, f"the factor α = {alpha:.4g} of the VP process is missing"),
        "alpha_squared": (right * alpha, "α is squared"),
        "norms_exchanged": (
            2 * alpha * (snr * ms / mz) ** 2,
            "the norms are exchanged: ‖z‖ is above, ‖score‖ below",
        ),
        "sum_of_z": (right * n**2, "‖z‖ is summed over the batch where ‖score‖ is averaged"),
        "sum_of_s": (right / n**2, "‖score‖ is summed over the batch where ‖z‖ is averaged"),
        "snr_inverted": (
            2 * alpha * (mz / ms / snr) ** 2,
            "it divides by snr where it is to multiply",
        ),
    }


def _mean(v: np.ndarray) -> np.ndarray:
    return np.broadcast_to(v.mean(axis=1, keepdims=True), v.shape)
