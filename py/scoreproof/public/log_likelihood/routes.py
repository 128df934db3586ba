"""Which log p comes of another way of x: another drift, another direction, other times.

Conventions: nats, as what is added to log p; names that hold together are joined by ` + `.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.log_likelihood.due import Due
from scoreproof.public.log_likelihood.exact import Path, Route, followed

__all__ = ["late_or_early", "ways"]

Table = dict[str, np.ndarray]


def ways(due: Due) -> Table:
    """What is added to log p where x goes another way."""
    value = due.value - due.stretch
    found: Table = {}

    def of(path: Path, trace: np.ndarray) -> np.ndarray:
        return np.asarray(due.prior(path.z) + trace - value)

    if due.path.parted:
        whole = due.along(Route(pull=2.0))
        found["whole_g2"] = of(whole, whole.linear + 2 * whole.pull)
        found["path_whole_g2"] = of(whole, whole.linear + whole.pull)
        rooted = due.along(Route(root=True))
        found["g_for_g2"] = of(rooted, rooted.linear + rooted.rooted)
        signed = due.along(Route(pull=-1.0))
        found["score_sign"] = of(signed, signed.linear - signed.pull)
        if np.any(np.abs(due.path.linear) > 1e-9):
            still = due.along(Route(linear=0.0))
            found["no_drift"] = of(still, still.pull)
    return found | turned(due)


def turned(due: Due) -> Table:
    """What goes the wrong way, or at the wrong time, with a mistake in ∫ tr, or in the prior."""
    value = due.value - due.stretch
    found: Table = {}

    def of(path: Path, trace: np.ndarray) -> np.ndarray:
        return np.asarray(due.prior(path.z) + trace - value)

    back = due.along(Route(ahead=-1.0))
    found["wrong_way"] = of(back, -back.trace)
    found["wrong_way_trace"] = of(back, back.trace)
    clock = due.along(Route(backwards=True))
    found["clock_turned"] = of(clock, clock.trace)
    found["clock_turned_sign"] = of(clock, -clock.trace)
    both = due.along(Route(backwards=True, ahead=-1.0))
    found["both_turned"] = of(both, -both.trace)
    found["both_turned_sign"] = of(both, both.trace)
    d, at_x = due.y.shape[1], due.prior(due.y)
    paths = (("wrong_way", back, -1.0), ("clock_turned", clock, 1.0), ("both_turned", both, -1.0))
    for name, path, sign in paths:
        known = sign * path.trace
        found[f"{name} + trace_missing"] = of(path, 0 * known)
        found[f"{name} + trace_mean"] = of(path, known / d)
        found[f"{name} + trace_sign + prior_at_x"] = at_x - known - value
        found[f"{name} + prior_at_x"] = at_x + known - value
        found[f"{name} + prior_missing"] = known - value
        if isinstance(due.job.prior, float):
            missing = d / 2 * float(np.log(2 * np.pi))
            found[f"{name} + prior_no_2pi"] = of(path, known) + missing
    return found


def late_or_early(due: Due) -> Table:
    """Where it begins at the other end, stops before the end, or begins late."""
    span, job, law = due.span, due.job, due.law
    value = due.value - due.stretch
    found: Table = {}

    def between(start: float, end: float) -> tuple[np.ndarray, np.ndarray]:
        path = followed(law, job.clock, due.y, (start, end), job.kind)
        levels = [[float(v) for v in job.clock.at(t)[:2]] for t in (start, end)]
        trace = law.log_density(due.y, *levels[0]) - law.log_density(path.z, *levels[1])
        return due.prior(path.z), trace

    whole = abs(span.end - span.start)
    if span.turned:
        prior, trace = between(span.end, span.start)
        found["from_the_noise"] = prior + trace - value
        found["from_the_noise_sign"] = prior - trace - value
        return found
    if abs(span.reached - span.end) > 1e-3 * whole:
        prior, trace = between(span.start, span.reached)
        found["stops_early"] = prior + trace - value
    if abs(span.began - span.start) > 1e-3 * whole:
        prior, trace = between(span.began, span.end)
        found["starts_late"] = prior + trace - value
    return found
