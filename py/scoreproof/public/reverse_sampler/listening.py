"""At which points and times a sampler asks its model, and what becomes of it if it is answered for
the right ones.

Conventions: a question is right if it is asked at the sampler's own x and t, or, by a short step,
as near to them as a short step goes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy
from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.asking import ask_sde, ask_step
from scoreproof.public.reverse_sampler.laws import number
from scoreproof.public.reverse_sampler.model import exact_model
from scoreproof.public.reverse_sampler.places import FINE, short, steps_at
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.velocity import Found

__all__ = ["Heard", "heard"]

#: the width of a step by which it is listened to, as a part of the shortest by which it is judged
SHORTER = 2.0**-8
#: how far beside x, of its spread, and beside t, of itself, a question is beside it
BESIDE = 0.02


@dataclass(frozen=True, eq=False)
class Question:
    """One call of the model: for the sampler's ``x`` and ``t``, at ``points`` and ``times``."""

    number: int
    x: np.ndarray
    t: float
    lam: float
    points: np.ndarray
    time: float
    off_time: bool
    off_points: bool


@dataclass(frozen=True, eq=False)
class Heard:
    """``calls`` of the model in each call of the sampler, the wrong questions, and a ``model`` that
    answers all questions for the right x and t.
    """

    calls: int
    wrong: tuple[Question, ...]
    target: Diffused
    tol: float

    def corrected(self, job: Job) -> Job:
        """The sampler with a model that answers for the right points and times."""
        times = {q.number for q in self.wrong if q.off_time}
        points = {q.number for q in self.wrong if q.off_points}

        def model(target: Diffused, x: np.ndarray, t: float) -> Callable[[Any, Any], Any]:
            exact, calls = exact_model(target, job.prediction), 0

            def answer(points_asked: Any, time_asked: Any) -> Any:
                nonlocal calls
                calls += 1
                own = points_asked
                if calls in points and len(as_numpy(points_asked)) == len(x):
                    own = points_asked * 0 + _like(points_asked, x)
                return exact(own, t if calls in times else time_asked)

            return answer

        return replace(job, model=model)

    def words(self) -> str:
        """Where the model is asked instead."""
        several = self.calls > 1
        which = sorted({q.number for q in self.wrong})
        call = f" in its call {', '.join(map(str, which))} of {self.calls}" if several else ""
        parts = []
        late = [q for q in self.wrong if q.off_time]
        if late:
            parts.append(f"{_time(late, self.target, self.tol)}, not at t")
        aside = [q for q in self.wrong if q.off_points]
        if aside:
            parts.append(f"{_points(aside, self.target)}, not at x")
        return f"the model is asked {' and '.join(parts)}{call}"


def _like(points: Any, x: np.ndarray) -> Any:
    if isinstance(points, np.ndarray):
        return x
    from scoreproof.public.reverse_sampler.model import answer_like

    return answer_like(points, x)


def heard(job: Job, target: Diffused, places: list[Found]) -> Heard | None:
    """What the sampler asks its model at these places; ``None`` if it cannot be told."""
    counts: list[int] = []
    questions: list[Question] = []
    for f in places:
        try:
            counts.append(_listen(job, target, f, questions))
        except CallableError:
            return None
    wrong = tuple(q for q in questions if q.off_time or q.off_points)
    # a step asks at its own times, which are as near to t as it is short
    tol = 1e-4 if job.form == "step" else 1e-6
    return Heard(max(counts), wrong, target, tol)


def _listen(job: Job, target: Diffused, f: Found, questions: list[Question]) -> int:
    exact, calls = exact_model(target, job.prediction), 0
    x, steps = f.x, steps_at(target, job.span, f.t, FINE, exact=True)
    h = steps.widths[-1] * (SHORTER if short(job.call.eps) else 1.0)
    start = steps.pair(h)[0] if job.form == "step" else f.t
    around = h * 4 if job.form == "step" else 0.0
    spread = float(np.max(target.spread(f.t)))
    near = BESIDE if job.form == "step" else 1e-5

    def model(points: Any, time: Any) -> Any:
        nonlocal calls
        calls += 1
        asked = np.asarray(as_numpy(points), dtype=float)
        times = np.asarray(as_numpy(time), dtype=float).ravel()
        if asked.shape == x.shape and times.size and np.all(times == times[0]):
            u = float(times[0])
            late = abs(u - start) > around + 1e-6 * abs(start)
            beside = np.abs(asked - x) > near * (spread + np.abs(x))
            questions.append(Question(calls, x, start, f.lam, asked, u, late, bool(np.any(beside))))
        return exact(points, time)

    spying = replace(job, model=lambda *_: model)
    if job.form == "sde":
        ask_sde(spying, target, x, f.t, f.lam)
    else:
        ask_step(spying, target, x, 0 * x, steps.pair(h), f.lam)
    return calls


def _time(late: list[Question], target: Diffused, tol: float) -> str:
    """At which time the model is asked, as a function of t."""
    t, u = np.array([q.t for q in late]), np.array([q.time for q in late])
    end = target.horizon
    level = [target.level(v) for v in t]
    alpha, sigma = np.array([v[0] for v in level]), np.array([v[2] ** 0.5 for v in level])
    with np.errstate(all="ignore"):
        functions = {
            "T - t": end - t,
            "σ(t)": sigma,
            "σ(t)²": sigma**2,
            "α(t)": alpha,
            "α(t)²": alpha**2,
            "σ(t)/α(t)": sigma / alpha,
            "log σ(t)": np.log(sigma),
            "¼ log σ(t)": np.log(sigma) / 4,
            "log(α(t)²/σ(t)²)": 2 * np.log(alpha / sigma),
            "t²": t**2,
            "√t": np.sqrt(t),
            "log t": np.log(t),
        }

    def agrees(value: np.ndarray | float) -> bool:
        return bool(np.all(np.abs(u - value) <= tol * (np.abs(u) + 1e-3)))

    if np.ptp(t) > 0 and np.ptp(u) <= 1e-9 * abs(float(u[0])):
        return f"always at time {number(float(u[0]))}"
    for text, value in functions.items():
        if np.all(np.isfinite(value)) and agrees(value):
            return f"at {text}" + (f" (T = {end:g})" if "T" in text else "")
    for text, base in (("t", t), ("(T - t)", end - t)):
        factor = float(np.median(u / np.where(base == 0, np.nan, base)))
        if agrees(factor * base):
            return f"at {_factor(factor)} {text}"
        if np.all(u == np.round(u)) and np.max(np.abs(u - factor * base)) <= 1:
            return f"at about {_factor(factor)} {text}, rounded to a whole number"
    shift = float(np.median(u - t))
    if agrees(t + shift):
        return f"at t {'+' if shift > 0 else '-'} {_shift(abs(shift))}"
    if agrees(end - t + float(np.median(u - (end - t)))):
        shift = float(np.median(u - (end - t)))
        return f"at T - t {'+' if shift > 0 else '-'} {_shift(abs(shift))}"
    k = int(np.argmax(np.abs(u - t)))
    return f"at another time (at {u[k]:.6g} for t = {t[k]:.6g})"


def _factor(k: float) -> str:
    return f"{round(k)}" if abs(k - round(k)) <= 1e-4 * abs(k) and round(k) else f"{k:.4g}"


def _shift(by: float) -> str:
    return f"{float(f'{by:.4g}'):g}"


def _points(aside: list[Question], target: Diffused) -> str:
    """At which points the model is asked, as a multiple of x."""
    ratios = []
    for q in aside:
        with np.errstate(all="ignore"):
            part = float(np.sum(q.points * q.x) / np.sum(q.x * q.x))
        if np.max(np.abs(q.points - part * q.x)) > 2 * BESIDE * np.max(np.abs(q.points)):
            return _other_points(aside)
        ratios.append(part)
    t, k = np.array([q.t for q in aside]), np.array(ratios)
    level = [target.level(v) for v in t]
    alpha, sigma = np.array([v[0] for v in level]), np.array([v[2] ** 0.5 for v in level])
    functions = {
        "-x": -np.ones_like(t),
        "x/α(t)": 1 / alpha,
        "α(t) x": alpha,
        "x/σ(t)": 1 / sigma,
        "σ(t) x": sigma,
        "x/√(1+σ²)": 1 / np.sqrt(1 + sigma**2),
        "x/√(σ²+1/4)": 1 / np.sqrt(0.25 + sigma**2),
        "x/√(1+σ²/α²)": 1 / np.sqrt(1 + (sigma / alpha) ** 2),
        "x/α(t)²": 1 / alpha**2,
    }
    for text, value in functions.items():
        if np.all(np.abs(k - value) <= 1e-3 * np.abs(k)):
            return f"at {text}"
    if np.ptp(k) <= 1e-3 * float(np.max(np.abs(k))):
        return f"at {number(float(f'{k[0]:.4g}'))} x"
    return f"at a multiple of x (at {k[0]:.3g} x for t = {t[0]:.3g})"


def _other_points(aside: list[Question]) -> str:
    """Clamped points, or others."""
    q = aside[0]
    values = [(float(np.max(p.points)), float(np.min(p.points))) for p in aside]
    high, low = max(v[0] for v in values), min(v[1] for v in values)
    clamped = [np.allclose(p.points, np.clip(p.x, low, high), rtol=1e-3) for p in aside]
    if all(clamped):
        return f"at x clamped to [{low:.4g}, {high:.4g}]"
    r = int(np.argmax(np.max(np.abs(q.points - q.x), axis=1)))
    own, other = (", ".join(f"{v:.3g}" for v in row[:3]) for row in (q.x[r], q.points[r]))
    return f"at other points (at ({other}) for x = ({own}))"
