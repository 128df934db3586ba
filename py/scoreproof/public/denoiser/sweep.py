"""A network at many noise levels: each is judged as one denoiser is.

Conventions: data are flat rows ``(n, d)``; the network sees them in their own ``shape``. Levels
rise in σ/α.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import Guarded
from scoreproof.interop.frameworks import guarded
from scoreproof.public.denoiser.among import Among, Level, among_others
from scoreproof.public.denoiser.arguments import Request, make_request
from scoreproof.public.denoiser.asking import Asked, asked
from scoreproof.public.denoiser.sweep_arguments import (
    TIMES,
    SweepRequest,
    framework_of,
    prior_of,
    told_of,
)
from scoreproof.public.denoiser.verdict import measured, says_nothing, verdict
from scoreproof.public.network.calling import Network, odd_batch, recognised
from scoreproof.public.network.levels import Levels, NoiseLevel
from scoreproof.public.network.schedules import levels_of
from scoreproof.public.posterior.due import perplexity

__all__ = ["AtLevel", "Sweep", "swept"]

#: levels that are looked at, where the caller names none
MOST = 12


@dataclass(frozen=True, eq=False)
class AtLevel:
    """What was found at one noise level: the ``largest`` relative error at all points and the kind
    of the point ``where`` that is, the ``rms`` over draws of x; ``idle`` says why nothing could be
    found, if so.
    """

    level: NoiseLevel
    request: Request
    answers: Asked
    eps: float
    evidence: Evidence
    largest: float
    where: str
    rms: float
    shared: float
    idle: str


@dataclass(frozen=True, eq=False)
class Sweep:
    """All levels, and the network as it was asked; ``steady``: a row's answer does not depend on
    the times of other rows; ``asked_for``: the prediction as it was declared, of which "flow" is
    judged as a velocity.
    """

    network: Network
    levels: Levels
    told: Callable[[NoiseLevel], float]
    prediction: str
    asked_for: str
    chosen: bool
    steady: bool
    calls: int
    at: tuple[AtLevel, ...]
    failed: tuple[CallableError, ...]
    single: str
    among: Among | None


def swept(given: SweepRequest) -> Sweep:
    """The network at each level; raises ``ArgumentError`` and ``CallableError``."""
    levels = levels_of(given.schedule)
    prior, shape = prior_of(given.prior, given.shape)
    told = told_of(given.time)
    framework, dtype = framework_of(given)
    network = Network(given.denoiser, shape, framework, dtype, dict(given.options))
    chosen = levels.spread(MOST) if given.levels is None else levels.at(given.levels)
    prediction = given.prediction or levels.prediction or "x0"
    first, last = chosen[0], chosen[-1]
    rows = first.alpha * prior.sample(np.random.default_rng(0), odd_batch(shape))
    whole = levels.whole and told is TIMES["t"]
    if first is last:  # another level for the rows that are asked among others
        last = next((v for v in levels.spread(3) if v.when != first.when), last)
    steady = recognised(network, rows, (told(first), told(last)), whole)
    found, failed, calls = [], [], 0
    for level in sorted(chosen, key=lambda v: v.ratio):
        guard = guarded(network.at(told(level)), "denoiser", framework, dtype)
        try:
            found.append(_judged(guard, prior, level, prediction, levels.eps, given))
        except CallableError as error:
            failed.append(_told_where(error, level, levels, found))
        calls += guard.calls
    # a refutation elsewhere stands, and may well say why
    if failed and not any(a.evidence.verdict == "refuted" for a in found):
        raise failed[0]
    return Sweep(
        network,
        levels,
        told,
        "velocity" if prediction == "flow" else prediction,
        prediction,
        given.levels is not None,
        steady,
        calls,
        tuple(found),
        tuple(failed),
        _single(network, told, found),
        among_others(network, [Level(a.request, a.answers, a.eps, told(a.level)) for a in found]),
    )


def _single(network: Network, told: Callable[[NoiseLevel], float], found: list[AtLevel]) -> str:
    """What is wrong with a batch of one, asked at one level; empty if nothing is."""
    a = found[len(found) // 2]
    guard = guarded(network.at(told(a.level)), "denoiser", network.framework, network.dtype)
    y = a.answers.answers.points.y[:1]
    try:
        alone = guard(y, shape=y.shape)
    except CallableError as error:
        return f"of a batch of one it could not be asked: {error.got}"
    values = a.answers.answers.values[:1]
    measure = measured(a.answers, a.request, a.eps)
    kind = a.request.kind
    gap = np.abs(kind.to_mean(alone, y) - kind.to_mean(values, y))
    allowed = 2 * measure.rounding[:1] + (a.request.problem.tolerance or 0.0) * measure.size[:1]
    if np.all(gap <= allowed):
        return ""
    return f"a sample gets another answer in a batch of one, {float(np.max(gap)):.3g} apart"


def _judged(
    guard: Guarded,
    prior: Any,
    level: NoiseLevel,
    prediction: str,
    table: float,
    given: SweepRequest,
) -> AtLevel:
    flow = prediction == "flow"  # the velocity of a straight path, at whatever speed
    request = make_request(
        prior,
        level.sigma**2,
        prediction="velocity" if flow else prediction,
        rates=(-1.0, 1.0) if flow else level.rates,
        alpha=level.alpha,
        points=None,
        blur=lambda u: level.blur(max(u, table / 2)),
        **given.problem,
    )
    answers = asked(guard, request)
    evidence = verdict(answers, request, guard.eps, guard.calls)
    measure, m = measured(answers, request, guard.eps), len(answers.due.y)
    relative = measure.error / measure.size
    kinds = answers.answers.points.kinds
    worst = int(np.argmax(np.max(relative, axis=1)))
    drawn = np.isin(kinds, ("draws", "joined"))
    return AtLevel(
        level,
        request,
        answers,
        guard.eps,
        evidence,
        float(np.max(relative)),
        str(kinds[answers.answers.which[worst]]),
        float(np.sqrt(np.mean(relative[:m][drawn if np.any(drawn) else slice(None)] ** 2))),
        float(np.median(perplexity(request.problem, answers.due.y))),
        says_nothing(evidence, answers, request, guard.eps),
    )


def _told_where(
    error: CallableError, level: NoiseLevel, levels: Levels, found: list[AtLevel]
) -> CallableError:
    """The same with the noise level at which it happened, and what was found before."""
    before = ", ".join(f"{a.level.when:.4g} {a.evidence.verdict}" for a in found)
    return CallableError(
        error.name,
        error.expected,
        f"{error.got}, at {levels.name} {level.when:g}"
        + (f"; found before: {levels.name} {before}" if before else ""),
        f"{error.remedy}; levels= looks at others",
    )
