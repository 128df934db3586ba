"""Random right and wrong subjects for `bench/soundness.py`: one module a public check, each with

``case(rng) -> Case``: one setting (form, size, precision, schedule …), a right subject in it,
written down in a random way (algebra rearranged, layout, floating type), and a wrong one of a given
size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["CHECKS", "Case"]

CHECKS = (
    "marginals",
    "denoiser",
    "score",
    "kl",
    "trace_estimator",
    "log_likelihood_gradient",
    "backward",
    "fokker_planck",
    "reverse_sampler",
    "sampler",
    "schedule",
    "network",
    "preconditioning",
    "inversion",
    "corrector",
    "loss",
    "path_kl",
    "variational_bound",
    "normalizing_flow",
    "log_likelihood",
)


@dataclass(frozen=True)
class Case:
    """``right()`` judges a right subject. ``wrong(amount)`` judges one that is wrong by a relative
    deviation of at least ``amount`` (in the sense of the check's resolution), and says how.
    """

    setting: str
    right: Callable[[], Any]
    wrong: Callable[[float], tuple[str, Any]]
