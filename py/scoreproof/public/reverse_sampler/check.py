"""`check_reverse_sampler`: is this reverse-time sampler a member of the λ-family, or at least one
with the right marginals?

Conventions
-----------
- λ ≤ 1; with ``parameter="eta"`` the callable is given η = √(1-λ) instead (DDIM: λ = 1 - η²).
- ``clock="t"``: the drift is for dt < 0; ``clock="s"``: for s = T - t with ds > 0 (then it is minus
  the other one).
- A drift b and a noise of covariance C give the marginals p_t when b + ½ C ∇log p = f - ½ g² ∇log p
  at every x and t; in one dimension only then. This velocity is what is judged, and no derivative
  of the user's functions is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from scoreproof.coverage import Coverage
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.reverse_sampler.arguments import Job, Request, validate
from scoreproof.public.reverse_sampler.verdict import judge
from scoreproof.public.reverse_sampler.words import listed, looked_at
from scoreproof.public.rule import public_check

__all__ = ["check_reverse_sampler"]


@public_check
def check_reverse_sampler(
    sampler: Callable[..., Any] | tuple[Callable[..., Any], Callable[..., Any]],
    process: Any,
    lambdas: Sequence[float] | None = None,
    *,
    form: str | None = None,
    prediction: str = "score",
    parameter: str = "lambda",
    clock: str = "t",
    times: tuple[float, float] | None = None,
    at: Sequence[float] | None = None,
    horizon: float | None = None,
    dimension: int | None = None,
    tolerance: float | None = None,
    framework: str = "numpy",
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Judge a reverse-time sampler against exact marginals; no samples are drawn.

    Parameters
    ----------
    sampler: one of

        - ``drift_and_noise(x, t, model, lam) -> (drift, noise)``: x ``(n, d)``, t a float, drift
          ``(n, d)``, noise the coefficient of dW̄ (a number or ``(n, d)``, a standard deviation per
          √time, not a variance);
        - a pair ``(drift, noise)`` of callables ``drift(x, t, model, lam)`` and ``noise(t, lam)``;
        - ``step(x, t, t_next, noise, model, lam) -> x_next`` with t_next < t and noise ``(n, d)``
          standard normal draws (the check passes zeros and unit vectors and reads mean and
          covariance off).

        ``model(x, t)`` is the exact score, or what ``prediction`` names. A sampler without the last
        argument is judged at one λ.
    process: a `LinearSDE` (isotropic), or an object with ``drift(x, t)``, ``diffusion(t)``,
        ``alpha(t)``, ``sigma(t)`` (std).
    lambdas: members of the family to ask for, each ≤ 1; by default -1, 0, 1/2, 1. With
        ``parameter="eta"`` the callable receives √(1-λ), and the default leaves out -1 (η = √2,
        where a DDIM step is not real).
    form: ``"sde"`` or ``"step"``; by default read from the number of arguments (3 or 4 against 5 or
        6).
    prediction: what ``model`` returns: score, eps, x0, v, velocity or F.
    clock: ``"t"`` for dt < 0, ``"s"`` when the drift is for s = T - t (``form="sde"`` only; it is
        called with t all the same).
    times: ``(t_min, t_max)``, the span judged (default 0.1 T to 0.9 T), at 32 times, some random,
        and up to 16 more where λ or the error changes from one to the next.
    at: the times to judge instead, inside ``times``; no others are judged then.
    horizon: T (default the process's own, else 1).
    dimension: d (default the process's; where neither says, as for ``LinearSDE(-0.5, 0.0, 1.0)``,
        d = 1, 2 and 3 are judged in turn). d = 1 does not show noise that coordinates share.
    tolerance: the relative error of the velocity that is accepted (default none).
    framework, dtype: what the callables take (numpy, torch, jax).

    Calls of the sampler, batched, for each dimension and λ: 32 (48 at most) for drift and noise. A
    step takes 4 at each of these times (6 in single precision, 12 where the limit of short steps
    does not settle; 2 or 4 more, of 1,000 to 16,000 rows, where it is not linear in its noise) and
    8 to see that rows are apart; in the first dimension also 56 for chains of 8, 16 and 32 steps
    (504 at most; twice as many steps while one is too long for a finite answer) and 12 for its
    order; 2 a dimension to see that it is deterministic. A refutation
    takes a few hundred more, with other models and shorter steps too, to say what is wrong.

    Returns ``Evidence``: kind ``float`` (drift and noise) or ``convergent`` (a step; its order of
    consistency is in a note). It holds when the marginals are right; if they are, but of another λ
    than the one asked for, a note says which. ``resolution`` is relative to the terms of the
    velocity f - ½ g² ∇log p at a point.

    Raises ``ArgumentError`` (λ > 1, bad times, unknown prediction, a process without exact
    marginals) and ``CallableError``.
    Source: homework on generative models, spring 2024, problem 7.

    >>> from scoreproof.objects.linear_sde import LinearSDE
    >>> ou = LinearSDE(-0.5, 0.0, 1.0, dimension=1)
    >>> def ode(x, t, score, lam):
    ...     return -0.5 * x - (1 - lam / 2) * score(x, t), (1 - lam) ** 0.5
    >>> bool(check_reverse_sampler(ode, ou, lambdas=(0.0, 1.0)))
    True
    """
    job = validate(
        Request(
            sampler,
            process,
            lambdas,
            form,
            prediction,
            parameter,
            clock,
            times,
            at,
            horizon,
            dimension,
            tolerance,
            framework,
            dtype,
            seed,
        )
    )
    judged: list[Evidence] = []
    for d in job.dimensions:
        judged.append(_in_dimension(job, d))
        if judged[-1].verdict == "refuted":
            return judged[-1]
    # not `or`: an evidence that does not hold is false
    unsure = next((e for e in judged if e.verdict != "holds"), None)
    return _together(job, judged) if unsure is None else unsure


def _in_dimension(job: Job, d: int) -> Evidence:
    try:
        return judge(job, d)
    except CallableError as error:
        if d == job.dimensions[0]:
            raise
        wide = f"rows of {d} coordinates; if it is written for one only, pass dimension=1"
        remedy = f"{error.remedy}. It was given {wide}"
        raise CallableError(error.name, error.expected, error.got, remedy) from error


def _together(job: Job, judged: list[Evidence]) -> Evidence:
    """What holds in every dimension, as one: the first one's numbers, the coarsest resolution."""
    first = judged[0]
    if len(judged) == 1:
        return first
    looked = [e.coverage for e in judged if e.coverage is not None]
    asked = {
        "times": sum(c.asked["times"] for c in looked),
        "points": sum(c.asked["points"] for c in looked),
        "lambdas": len(job.lambdas),
        "dimensions": len(looked),
    }
    span = looked[0].span.rsplit("; in d = ", 1)[0]
    coverage = Coverage(
        asked, span=f"{span}; d = {listed(job.dimensions)}, each with its own times"
    )
    notes = tuple(dict.fromkeys(note for e in judged for note in e.notes))
    worst = max(judged, key=lambda e: e.separation)
    return replace(
        first,
        value=worst.value,
        bound=worst.bound,
        sentence=first.sentence.replace(
            looked_at(looked[0], job.dimensions[:1], job.lambdas),
            looked_at(coverage, job.dimensions, job.lambdas),
        ),
        resolution=max(e.resolution or 0.0 for e in judged),
        coverage=coverage,
        notes=notes,
        cost={"calls": job.call.calls},
    )
