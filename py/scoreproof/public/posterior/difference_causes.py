"""A score by differences of log p."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.public.posterior.cases import Case, Cause, stated

__all__ = ["finite_differences"]


def finite_differences(case: Case) -> Iterator[Cause]:
    """A score from differences of log p with a step that is too large."""
    problem, (_, d) = case.due.problem, case.y.shape
    if case.kind.name != "score" or d > 64 or case.very_heavy:
        return
    law = problem.law
    at, steps = law.log_density(case.y), np.eye(d)

    def logs(h: float) -> np.ndarray:
        return np.stack([law.log_density(case.y + h * e) for e in steps], axis=1)

    for h in (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 1e-3, 1e-4, 1e-5, 1e-6):
        ahead, back = logs(h), logs(-h)
        for words, value in (
            ("forward", (ahead - at[:, None]) / h),
            ("backward", (at[:, None] - back) / h),
            ("central", (ahead - back) / (2 * h)),
        ):
            yield stated(
                "finite_differences",
                value,
                f"it is a {words} difference of log p with the step {h:g}, which is too large for"
                " a derivative",
            )
