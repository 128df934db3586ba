"""`check_reverse_sampler`: is this reverse-time sampler a member of the λ-family, or at least one with the right marginals?

Conventions
-----------
- λ ≤ 1; with ``parameter="eta"`` the callable is given η = √(1-λ) instead (DDIM: λ = 1 - η²).
- ``clock="t"``: the drift is for dt < 0; ``clock="s"``: for s = T - t with ds > 0 (then it is minus the other one).
- In one dimension a drift b and a noise c give the marginals p_t exactly when b + c²/2 ∂log p = f - g²/2 ∂log p at every x and t:
  this velocity is what is judged, and no derivative of the user's functions is needed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from scoreproof.claims.reverse_family.faults import FAULTS, compose
from scoreproof.claims.reverse_family.gaussian import reverse_moments
from scoreproof.claims.reverse_family.statement import truth
from scoreproof.claims.reverse_family.targets import PREDICTIONS, Diffused, exact_model, gaussian, mixture
from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import Guarded
from scoreproof.interop.frameworks import guarded
from scoreproof.streams import stream

__all__ = ["Job", "check_reverse_sampler", "explain_deviation", "velocity_error"]

POINTS, TIMES, MOMENT_STEPS = 16, 4, 8
#: what eight collocation steps of order 8 resolve of a Gaussian's moments
MOMENT_ERROR = 1e-6


@dataclass(frozen=True, eq=False)
class Job:
    """A validated request."""

    call: Guarded
    process: Any
    lambdas: tuple[float, ...]
    times: tuple[float, float]
    horizon: float | None
    dimension: int
    prediction: str
    parameter: str
    sign: float
    passes_lam: bool
    seed: int

    def last(self, lam: float) -> tuple[float, ...]:
        """The trailing argument of the user's callable, if it takes one."""
        return ((1 - lam) ** 0.5 if self.parameter == "eta" else lam,) if self.passes_lam else ()

    def grid(self, count: int) -> list[float]:
        return np.linspace(self.times[0], self.times[1], count).tolist()


def check_reverse_sampler(sampler: Callable[..., Any] | tuple[Callable[..., Any], Callable[..., Any]], process: Any,
                          lambdas: Sequence[float] = (-1.0, 0.0, 0.5, 1.0), *, form: str | None = None, prediction: str = "score",
                          parameter: str = "lambda", clock: str = "t", times: tuple[float, float] | None = None, horizon: float | None = None,
                          dimension: int | None = None, framework: str = "numpy", dtype: Any = None, seed: int = 0) -> Evidence:
    """Judge a reverse-time sampler against exact marginals; no samples are drawn.

    Parameters
    ----------
    sampler: one of

        - ``drift_and_noise(x, t, model, lam) -> (drift, noise)``: x ``(n, d)``, t a float, drift ``(n, d)``, noise the coefficient
          of dW̄ (a number or ``(n, d)``, a standard deviation per √time, not a variance);
        - a pair ``(drift, noise)`` of callables ``drift(x, t, model, lam)`` and ``noise(t, lam)``;
        - ``step(x, t, t_next, noise, model, lam) -> x_next`` with t_next < t and noise ``(n, d)`` standard normal draws (the check
          passes zeros and unit vectors and reads mean and covariance off).

        ``model(x, t)`` is the exact score, or what ``prediction`` names. A sampler without the last argument is judged at one λ.
    process: a `LinearSDE` (isotropic), or an object with ``drift(x, t)``, ``diffusion(t)``, ``alpha(t)``, ``sigma(t)`` (std).
    lambdas: members of the family to ask for, each ≤ 1. With ``parameter="eta"`` the callable receives √(1-λ).
    form: ``"sde"`` or ``"step"``; by default read from the number of arguments (3 or 4 against 5 or 6).
    prediction: what ``model`` returns: score, eps, x0, v, velocity or F.
    clock: ``"t"`` for dt < 0, ``"s"`` when the drift is for s = T - t (``form="sde"`` only).
    times: ``(t_min, t_max)``, the span judged (default 0.1 T to 0.9 T). horizon: T (default the process's own, else 1).
    dimension: d (default the process's, else 1). framework, dtype: what the callables take (numpy, torch, jax).

    Calls of the sampler, batched: ``len(lambdas) · (4 + 32)`` for drift and noise, ``len(lambdas) · 80`` for a step.

    Returns ``Evidence``: kind ``float`` (drift and noise) or ``convergent`` (a step; its order of consistency is in the sentence).
    It holds when the marginals are right; if they are, but of another λ than the one asked for, a note says which.

    Raises ``ArgumentError`` (λ > 1, bad times, unknown prediction, a process without exact marginals) and ``CallableError``.
    Source: homework on generative models, spring 2024, problem 7.

    >>> from scoreproof.objects.linear_sde import LinearSDE
    >>> ou = LinearSDE(-0.5, 0.0, 1.0, dimension=1)
    >>> def ode(x, t, score, lam):
    ...     return -0.5 * x - (1 - lam / 2) * score(x, t), (1 - lam) ** 0.5
    >>> bool(check_reverse_sampler(ode, ou, lambdas=(0.0, 1.0)))
    True
    """
    job, form = _validate(sampler, process, lambdas, form, prediction, parameter, clock, times, horizon, dimension, framework, dtype, seed)
    if form == "step":
        from scoreproof.claims.reverse_family.public_steps import judge_step

        return judge_step(job)
    return _judge_sde(job)


def _validate(sampler: Any, process: Any, lambdas: Any, form: str | None, prediction: str, parameter: str, clock: str, times: Any,
              horizon: float | None, dimension: int | None, framework: str, dtype: Any, seed: int) -> tuple[Job, str]:
    values = np.atleast_1d(np.asarray(lambdas, dtype=float)).ravel()
    if values.size == 0 or not np.all(np.isfinite(values)):
        raise ArgumentError("lambdas", "one or more finite numbers", lambdas, "e.g. lambdas=(0.0, 1.0)")
    if np.any(values > 1):
        raise ArgumentError("lambdas", "<= 1", float(values.max()), "beyond 1 the noise √(1-λ) g is imaginary; DDIM's η is λ = 1 - η²")
    for name, value, allowed in (("prediction", prediction, PREDICTIONS), ("parameter", parameter, ("lambda", "eta")), ("clock", clock, ("t", "s")),
                                 ("form", form, (None, "sde", "step"))):
        if value not in allowed:
            raise ArgumentError(name, f"one of {', '.join(str(a) for a in allowed)}", repr(value), "see the docstring of check_reverse_sampler")
    if isinstance(sampler, tuple):
        sampler, form, count = _pair(sampler), "sde", 4
    else:
        count = _arity(sampler)
    if form is None:
        form = {3: "sde", 4: "sde", 5: "step", 6: "step"}.get(count)
        if form is None:
            raise ArgumentError("sampler", "drift_and_noise(x, t, model, lam) or step(x, t, t_next, noise, model, lam)", f"a callable of {count} arguments",
                                'wrap it, and say form="sde" or form="step"')
    passes_lam = count not in (3, 5)
    if not passes_lam and values.size > 1:
        raise ArgumentError("lambdas", "one value for a sampler that takes no λ", f"{values.size} values",
                            "name the λ it implements, e.g. lambdas=(1.0,) for an ODE")
    d = int(dimension or getattr(process, "dimension", None) or 1)
    probe = gaussian(process, d, horizon)
    span = times if times is not None else (0.1 * probe.horizon, 0.9 * probe.horizon)
    if len(span) != 2 or not 0 < span[0] < span[1] <= probe.horizon:
        raise ArgumentError("times", f"(t_min, t_max) with 0 < t_min < t_max <= {probe.horizon:g}", span, "t runs from t_max down to t_min")
    call = guarded(sampler, "sampler", framework, dtype)
    return Job(call, process, tuple(values.tolist()), (float(span[0]), float(span[1])), probe.horizon, d, prediction, parameter,
               1.0 if clock == "t" else -1.0, passes_lam, int(seed)), form


def _pair(pair: tuple[Any, ...]) -> Callable[..., Any]:
    if len(pair) != 2 or not all(callable(p) for p in pair):
        raise ArgumentError("sampler", "a pair of callables (drift, noise)", f"{len(pair)} objects", "drift(x, t, model, lam) and noise(t, lam)")
    drift, noise = pair
    return lambda x, t, model, lam: (drift(x, t, model, lam), noise(t, lam))


def _arity(sampler: Any) -> int:
    if not callable(sampler):
        raise ArgumentError("sampler", "callable", type(sampler).__name__, "pass a function drift_and_noise(x, t, model, lam) or a step")
    try:
        parameters = inspect.signature(getattr(sampler, "function", sampler) if isinstance(sampler, Guarded) else sampler).parameters.values()
    except (TypeError, ValueError):
        return 4
    return sum(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


# -- what both forms share -----------------------------------------------------------------------


def velocity_error(target: Diffused, x: np.ndarray, t: float, found: tuple[np.ndarray, float], lam: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Deviation of ``b + c²/2 s`` from ``f - g²/2 s`` per row, the size of its terms, and the size of what rounding could amplify."""
    b, c2 = found
    g2, s, f = target.diffusion(t) ** 2, target.score(x, t), target.drift(x, t)
    alpha, _, var = target.level(t)
    size = np.max(np.abs(f) + g2 * np.abs(s), axis=1) + np.sqrt(g2)
    # a model given as x0, v or F hides the score behind (α x0 - x)/σ²: that subtraction is the sampler's to make
    amplified = size * (1 + abs(lam)) + g2 * (np.max(np.abs(x), axis=1) + 1) / var
    return np.max(np.abs(b + c2 / 2 * s - (f - g2 / 2 * s)), axis=1), size, amplified


class _Remembered:
    """A target that evaluates each function once at each place: two hundred candidate explanations ask the same questions."""

    def __init__(self, target: Diffused) -> None:
        self.target, self.horizon, self._known = target, target.horizon, {}  # type: ignore[var-annotated]

    def _ask(self, name: str, *at: Any) -> Any:
        key = (name, *(id(a) if isinstance(a, np.ndarray) else a for a in at))  # the arrays outlive this object
        if key not in self._known:
            self._known[key] = getattr(self.target, name)(*at)
        return self._known[key]

    def drift(self, x: np.ndarray, t: float) -> np.ndarray:
        return self._ask("drift", x, t)

    def diffusion(self, t: float) -> float:
        return self._ask("diffusion", t)

    def score(self, x: np.ndarray, t: float) -> np.ndarray:
        return self._ask("score", x, t)

    def density(self, x: np.ndarray, t: float) -> np.ndarray:
        return self._ask("density", x, t)


def explain_deviation(target: Diffused, places: list[tuple[np.ndarray, float, float]], found: list[tuple[np.ndarray, float]], rounding: float) -> Diagnosis:
    """The known fault, or pair of faults, whose drift and noise at these ``places`` (x, t, λ) come closest to ``found``."""

    known = _Remembered(target)
    sizes = []
    for x, t, lam in places:
        g2 = (1 + abs(lam)) * known.diffusion(t) ** 2
        sizes.append((float(np.max(np.abs(known.drift(x, t)))) + g2 * float(np.max(np.abs(known.score(x, t)))), g2))

    def flat(values: list[tuple[Any, Any]]) -> np.ndarray:
        parts = []
        for (b, c2), (drift_size, g2) in zip(values, sizes, strict=True):
            parts += [np.ravel(b) / drift_size, np.full(b.size, float(np.ravel(c2)[0]) / g2)]
        return np.concatenate(parts)

    subjects: dict[str, Any] = {f.name: f.subject for f in FAULTS}
    for a, b in combinations(subjects.copy(), 2):
        both = compose((a, b))
        if both is not None:
            subjects[f"{a} + {b}"] = both
    right = flat([truth(known, x, t, lam) for x, t, lam in places])
    candidates = {name: flat([s(known, x, t, lam) for x, t, lam in places]) for name, s in subjects.items()}
    # at λ = 1, say, some faults are no faults: they explain nothing
    candidates = {n: c for n, c in candidates.items() if np.linalg.norm(c - right) > 1e-9 * np.linalg.norm(right)}
    return diagnose(flat(found), right, candidates, resolution=max(1e-6, rounding))


def member_note(target: Diffused, places: list[tuple[np.ndarray, float, float]], found: list[tuple[np.ndarray, float]], tolerance: float) -> tuple[str, ...]:
    """Says which member of the family was found, where it is not the one asked for."""
    notes: dict[float, list[float]] = {}
    for (_, t, lam), (_, c2) in zip(places, found, strict=True):
        notes.setdefault(lam, []).append(1 - c2 / target.diffusion(t) ** 2)
    wrong = [(lam, min(e), max(e)) for lam, e in notes.items() if max(abs(v - lam) for v in e) > tolerance * (1 + abs(lam))]
    if not wrong:
        return ()
    text = ", ".join(f"asked for λ = {lam:g} it is the member λ = {round(low, 4) + 0:g}"
                     + ("" if high - low < 1e-3 else f" to {round(high, 4) + 0:g} (it varies with t)") for lam, low, high in wrong)
    return (f"The marginals are right, but it means something else by λ: {text}.",)


# -- drift and noise ----------------------------------------------------------------------------


def _subject(job: Job) -> Callable[[Any, np.ndarray, float, float], tuple[np.ndarray, float]]:
    """The user's callable with the signature of the claim's formula."""

    def subject(target: Diffused, x: np.ndarray, t: float, lam: float) -> tuple[np.ndarray, float]:
        result = job.call.raw(x, t, exact_model(target, job.prediction), *job.last(lam))
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise CallableError("sampler", "return the pair (drift, noise)", f"it returned {type(result).__name__}", 'a one-step sampler needs form="step"')
        drift = job.call.accept(result[0], x.shape, "a drift")
        noise = job.call.accept(result[1], x.shape, "a noise coefficient")
        if np.iscomplexobj(drift) or np.iscomplexobj(noise):
            raise CallableError("sampler", "return real numbers", "it returned complex ones", "check the square root of 1 - λ")
        if np.ptp(noise**2) > 1e3 * job.call.eps * float(np.max(noise**2)):
            raise CallableError("sampler", "return a noise coefficient that depends on t only", "it varies with x", "the family has noise √(1-λ) g(t)")
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
    # a schedule of exponentials and a mixture's score: a few hundred roundings, amplified as velocity_error says
    allowed = 256 * job.call.eps
    worst = (-1.0, 0.0, 0.0, 0)
    curves: dict[str, tuple[list[float], list[float]]] = {f"λ = {lam:g}": ([], []) for lam in job.lambdas}
    for i, (x, t, lam) in enumerate(places):
        deviation, size, amplified = velocity_error(target, x, t, found[i], lam)
        curves[f"λ = {lam:g}"][0].append(t)
        curves[f"λ = {lam:g}"][1].append(float(np.max(deviation / size)))
        k = int(np.argmax(deviation / amplified))
        worst = max(worst, (float(deviation[k] / amplified[k]), float(deviation[k] / size[k]), float(allowed * amplified[k] / size[k]), i))
    _, value, bound, where = worst
    effects = [_effect(job, subject, lam) for lam in job.lambdas]
    _, t, lam = places[where]
    more: dict[str, Any] = {"curves": curves, "labels": ("t", "relative error of the velocity"), "cost": {"calls": job.call.calls}}
    if value <= bound:
        return Evidence.measured(value, bound, f"drift and noise keep the marginals at {POINTS * len(places)} points (λ = {_list(job.lambdas)})",
                                 notes=member_note(target, places, found, 1e3 * allowed), **more)
    moved, text = max(effects)
    sentence = f"at λ = {lam:g}, t = {t:.3g} the velocity b + c²/2 ∂log p of the marginals is off by {percent(value)}; {text}"
    if job.dimension > 1 and moved < max(MOMENT_ERROR, 1e3 * allowed):
        sentence += f"; in {job.dimension} dimensions the excess may be a rotation that keeps the marginals: use dimension=1"
        return Evidence.undecided("float", sentence, **more)
    return Evidence.measured(value, bound, sentence, diagnosis=explain_deviation(target, places, found, 1e3 * allowed), **more)


def _effect(job: Job, subject: Any, lam: float) -> tuple[float, str]:
    """What the whole chain does to a Gaussian: relative error of its law at t_min, and a clause."""
    low, high = job.times
    target = gaussian(job.process, job.dimension, job.horizon)
    end = reverse_moments(subject, target, lam, high, low, MOMENT_STEPS, target.moments(high))
    return describe_effect(target, lam, low, end.mean, end.cov)


def describe_effect(target: Diffused, lam: float, low: float, mean: np.ndarray, cov: np.ndarray) -> tuple[float, str]:
    """Relative error of a final Gaussian law, and the clause that reports it."""
    right_mean, right_cov = target.moments(low)
    variance, right = float(cov[0, 0]), float(right_cov[0, 0])
    moved = float(np.max(np.abs(cov - right_cov))) / right + float(np.max(np.abs(mean - right_mean))) / right**0.5
    if not np.isfinite(moved):
        return 1e300, f"with λ = {lam:g} a Gaussian started exactly right blows up before t = {low:.3g}"
    return moved, (f"with λ = {lam:g} a Gaussian started exactly right ends at t = {low:.3g} with variance {variance:.3g} where {right:.3g} is right "
                   f"(mean {float(mean[0]):.3g}, right {float(right_mean[0]):.3g})")


def percent(part: float) -> str:
    """A relative error for a sentence: in percent, or as a power of ten when it is tiny."""
    return f"{100 * part:.3g} %" if part >= 1e-4 else f"a part {part:.2g}"


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{v:g}" for v in values)
