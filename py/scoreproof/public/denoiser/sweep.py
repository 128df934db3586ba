"""A network at many noise levels: each is judged as one denoiser is.

Conventions: data are flat rows ``(n, d)``; the network sees them in their own ``shape``. Levels
rise in σ/α.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import Guarded, to_float
from scoreproof.interop.frameworks import guarded
from scoreproof.objects.empirical import Atoms
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.public.denoiser.arguments import Request, make_request
from scoreproof.public.denoiser.asking import Asked, asked
from scoreproof.public.denoiser.verdict import measured, says_nothing, verdict
from scoreproof.public.network.calling import Network, recognised
from scoreproof.public.network.levels import Levels, NoiseLevel, levels_of
from scoreproof.public.posterior.due import perplexity

__all__ = ["TIMES", "AtLevel", "Sweep", "SweepRequest", "swept"]

#: levels that are looked at, where the caller names none
MOST = 12
#: what the network may be told of a level
TIMES: dict[str, Callable[[NoiseLevel], float]] = {
    "t": lambda v: v.when,
    "sigma": lambda v: v.ratio,
    "log_sigma": lambda v: float(np.log(v.ratio)),
    "c_noise": lambda v: float(np.log(v.ratio)) / 4,
    "log_snr": lambda v: -2 * float(np.log(v.ratio)),
}


@dataclass(frozen=True, eq=False)
class SweepRequest:
    """The arguments of `check_denoiser` for a network, as they were given."""

    denoiser: Any
    prior: Any
    schedule: Any
    prediction: str | None
    shape: Any
    levels: Any
    time: Any
    options: Mapping[str, Any]
    framework: str
    dtype: Any
    problem: Mapping[str, Any] = field(default_factory=dict)


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
    the times of other rows.
    """

    network: Network
    levels: Levels
    told: Callable[[NoiseLevel], float]
    prediction: str
    chosen: bool
    steady: bool
    calls: int
    at: tuple[AtLevel, ...]
    failed: tuple[CallableError, ...]


def swept(given: SweepRequest) -> Sweep:
    """The network at each level; raises ``ArgumentError`` and ``CallableError``."""
    levels = levels_of(given.schedule)
    prior, shape = _prior(given.prior, given.shape)
    told = _told(given.time)
    framework, dtype = _framework(given)
    network = Network(given.denoiser, shape, framework, dtype, dict(given.options))
    chosen = levels.spread(MOST) if given.levels is None else levels.at(given.levels)
    prediction = given.prediction or levels.prediction or "x0"
    _callable(given.denoiser)
    first, last = chosen[0], chosen[-1]
    rows = first.alpha * prior.sample(np.random.default_rng(0), _batch(shape))
    whole = levels.whole and told is TIMES["t"]
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
        prediction,
        given.levels is not None,
        steady,
        calls,
        tuple(found),
        tuple(failed),
    )


def _judged(
    guard: Guarded,
    prior: Any,
    level: NoiseLevel,
    prediction: str,
    table: float,
    given: SweepRequest,
) -> AtLevel:
    request = make_request(
        prior,
        level.sigma**2,
        prediction=prediction,
        rates=level.rates,
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
        float(np.sqrt(np.mean(relative[:m][drawn] ** 2))),
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


def _callable(denoiser: Any) -> None:
    if not callable(denoiser):
        raise ArgumentError(
            "denoiser",
            "callable, as denoiser(x, time)",
            type(denoiser).__name__,
            "pass the network, or a function of x and its time",
        )


def _prior(prior: Any, shape: Any) -> tuple[Any, tuple[int, ...]]:
    """The prior on flat rows, and the shape of one sample."""
    wanted = None if shape is None else _shape(shape)
    if isinstance(prior, GaussianMixture | Atoms):
        sizes = wanted or (prior.dimension,)
        known = prior
    else:
        data = to_float("prior", prior)
        if data.ndim < 2 or len(data) == 0:
            raise ArgumentError(
                "prior",
                "data of shape (n, …), a GaussianMixture or Atoms",
                f"shape {data.shape}",
                "the first axis is the data; a single coordinate has shape (n, 1)",
            )
        sizes = wanted or data.shape[1:]
        known = Atoms(data.reshape(len(data), -1))
    if int(np.prod(sizes)) != known.dimension:
        raise ArgumentError(
            "shape",
            f"of {known.dimension} numbers, as the data",
            f"{sizes}",
            "it is the shape of one sample, without the batch",
        )
    return known, sizes


def _shape(shape: Any) -> tuple[int, ...]:
    try:
        sizes = tuple(int(s) for s in ((shape,) if np.ndim(shape) == 0 else shape))
    except (TypeError, ValueError):
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise ArgumentError(
            "shape", "the shape of one sample, without the batch", shape, "e.g. shape=(3, 8, 8)"
        )
    return sizes


def _told(time: Any) -> Callable[[NoiseLevel], float]:
    if isinstance(time, str) and time in TIMES:
        return TIMES[time]
    if callable(time):
        return lambda level: float(time(level.when))
    raise ArgumentError(
        "time",
        f"one of {', '.join(TIMES)}, or a function of the schedule's time",
        repr(time),
        "it is what the network is told of the noise level",
    )


def _framework(given: SweepRequest) -> tuple[str, Any]:
    """As `guarded` recognises it: a module of PyTorch, or a method of one, says itself."""
    owner = getattr(given.denoiser, "__self__", given.denoiser)
    module = guarded(owner if callable(owner) else given.denoiser, "denoiser", given.framework)
    if module.framework == "torch" and module.prepare is not None and given.dtype is None:
        return "torch", module.prepare(np.zeros(1)).dtype
    return module.framework, given.dtype


def _batch(shape: tuple[int, ...]) -> int:
    """A size of a batch that no axis of a sample has: no broadcasting by chance."""
    return next(n for n in (6, 10, 14, 22) if n not in shape)
