"""`check_reverse_sampler`: is this reverse-time sampler a member of the λ-family, or at least one
with the right marginals?

Conventions
-----------
- λ ≤ 1; with ``parameter="eta"`` the callable is given η = √(1-λ) instead (DDIM: λ = 1 - η²).
- ``clock="t"``: the drift is for dt < 0; ``clock="s"``: for s = T - t with ds > 0 (then it is minus
  the other one).
- In one dimension a drift b and a noise c give the marginals p_t exactly when b + c²/2 ∂log p = f -
  g²/2 ∂log p at every x and t: this velocity is what is judged, and no derivative of the user's
  functions is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.claims.reverse_family.gaussian import reverse_moments
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.reverse_sampler.arguments import Job, validate
from scoreproof.public.reverse_sampler.targets import Diffused, exact_model, gaussian, mixture
from scoreproof.public.reverse_sampler.words import (
    VACUOUS,
    describe_effect,
    explain_deviation,
    member_note,
    percent,
    velocity_error,
)
from scoreproof.streams import stream

__all__ = ["check_reverse_sampler"]

POINTS, TIMES, MOMENT_STEPS = 16, 4, 8
#: what eight collocation steps of order 8 resolve of a Gaussian's moments
MOMENT_ERROR = 1e-6


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
    horizon: float | None = None,
    dimension: int | None = None,
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
    clock: ``"t"`` for dt < 0, ``"s"`` when the drift is for s = T - t (``form="sde"`` only).
    times: ``(t_min, t_max)``, the span judged (default 0.1 T to 0.9 T). horizon: T (default the
        process's own, else 1).
    dimension: d (default the process's, else 1). framework, dtype: what the callables take (numpy,
    torch, jax).

    Calls of the sampler, batched: ``len(lambdas) · (4 + 32)`` for drift and noise, ``2 +
    len(lambdas) · 86`` for a step, of which six against a mixture, and one more if the step bends
    in its noise. When it holds and neither ``dimension`` nor the process says what d is, the
    sampler is called as often again in d = 2.

    Returns ``Evidence``: kind ``float`` (drift and noise) or ``convergent`` (a step; its order of
    consistency is in the sentence). It holds when the marginals are right; if they are, but of
    another λ than the one asked for, a note says which.

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
    if lambdas is None:
        lambdas = (0.0, 0.5, 1.0) if parameter == "eta" else (-1.0, 0.0, 0.5, 1.0)
    job, form = validate(
        sampler,
        process,
        lambdas,
        form,
        prediction,
        parameter,
        clock,
        times,
        horizon,
        dimension,
        framework,
        dtype,
        seed,
    )
    if form == "step":
        from scoreproof.public.reverse_sampler.steps import judge_step as judge
    else:
        judge = _judge_sde
    evidence = judge(job)
    if (
        evidence.verdict == "holds"
        and dimension is None
        and getattr(process, "dimension", None) is None
    ):
        # right on the line only (a sum over axis 1, say) is not right
        plane = judge(replace(job, dimension=2))
        return evidence if plane.verdict == "holds" else plane
    return evidence


def _subject(job: Job) -> Callable[[Any, np.ndarray, float, float], tuple[np.ndarray, float]]:
    """The user's callable with the signature of the claim's formula."""

    def subject(target: Diffused, x: np.ndarray, t: float, lam: float) -> tuple[np.ndarray, float]:
        result = job.call.raw(x, t, exact_model(target, job.prediction), *job.last(lam))
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise CallableError(
                "sampler",
                "return the pair (drift, noise)",
                f"it returned {type(result).__name__}",
                'a one-step sampler needs form="step"',
            )
        drift = job.call.accept(result[0], x.shape, "a drift")
        noise = job.call.accept(result[1], x.shape, "a noise coefficient")
        if np.iscomplexobj(drift) or np.iscomplexobj(noise):
            raise CallableError(
                "sampler",
                "return real numbers",
                "it returned complex ones",
                "check the square root of 1 - λ",
            )
        if np.ptp(noise**2) > 1e3 * job.call.eps * float(np.max(noise**2)):
            raise CallableError(
                "sampler",
                "return a noise coefficient that depends on t only",
                "it varies with x",
                "the family has noise √(1-λ) g(t)",
            )
        return job.sign * drift, float(noise.flat[0]) ** 2

    return subject


def _judge_sde(job: Job) -> Evidence:
    target, subject = mixture(job.process, job.dimension, job.horizon), _subject(job)
    rng = stream(job.seed, "check_reverse_sampler", "points")
    clouds = {}
    for t in job.grid(TIMES):
        mean, cov = target.moments(t)
        clouds[t] = mean + np.sqrt(np.diag(cov)) * rng.uniform(-2.2, 2.2, (POINTS, job.dimension))
    places = [(x, t, lam) for lam in job.lambdas for t, x in clouds.items()]
    found = [subject(target, x, t, lam) for x, t, lam in places]
    # a schedule of exponentials and a mixture's score: a few hundred roundings, amplified as
    # velocity_error says
    allowed = 256 * job.call.eps
    worst, widest = (-1.0, 0.0, 0.0, 0), (0.0, 0)
    curves: dict[str, tuple[list[float], list[float]]] = {
        f"λ = {lam:g}": ([], []) for lam in job.lambdas
    }
    for i, (x, t, lam) in enumerate(places):
        deviation, size, amplified = velocity_error(target, x, t, found[i], lam)
        curves[f"λ = {lam:g}"][0].append(t)
        curves[f"λ = {lam:g}"][1].append(float(np.max(deviation / size)))
        widest = max(widest, (float(np.max(allowed * amplified / size)), i))
        k = int(np.argmax(deviation / amplified))
        worst = max(
            worst,
            (
                float(deviation[k] / amplified[k]),
                float(deviation[k] / size[k]),
                float(allowed * amplified[k] / size[k]),
                i,
            ),
        )
    _, value, bound, where = worst
    effects = [_effect(job, subject, lam) for lam in job.lambdas]
    _, t, lam = places[where]
    more: dict[str, Any] = {
        "curves": curves,
        "labels": ("t", "relative error of the velocity"),
        "cost": {"calls": job.call.calls},
    }
    if value <= bound and widest[0] > VACUOUS:
        sentence = (
            "no error is seen, but in this precision the velocity at t ="
            f" {places[widest[1]][1]:.3g} is known to {percent(widest[0])} only: use float64, or a"
            " larger t_min"
        )
        return Evidence.undecided("float", sentence, **more)
    if value <= bound:
        return Evidence.measured(
            value,
            bound,
            f"drift and noise keep the marginals at {POINTS * len(places)} points (λ ="
            f" {_list(job.lambdas)})",
            notes=member_note(target, places, found, 1e3 * allowed),
            **more,
        )
    moved, text = max(effects)
    sentence = (
        f"at λ = {lam:g}, t = {t:.3g} the velocity b + c²/2 ∂log p of the marginals is off by"
        f" {percent(value)}; {text}"
    )
    if job.dimension > 1 and moved < max(MOMENT_ERROR, 1e3 * allowed):
        sentence += (
            f"; in {job.dimension} dimensions the excess may be a rotation that keeps the"
            " marginals: use dimension=1"
        )
        return Evidence.undecided("float", sentence, **more)
    return Evidence.measured(
        value,
        bound,
        sentence,
        diagnosis=explain_deviation(target, places, found, 1e3 * allowed),
        **more,
    )


def _effect(job: Job, subject: Any, lam: float) -> tuple[float, str]:
    """What the whole chain does to a Gaussian: relative error of its law at t_min, and a clause."""
    low, high = job.times
    target = gaussian(job.process, job.dimension, job.horizon)
    end = reverse_moments(subject, target, lam, high, low, MOMENT_STEPS, target.moments(high))
    return describe_effect(target, lam, low, end.mean, end.cov)


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{v:g}" for v in values)
