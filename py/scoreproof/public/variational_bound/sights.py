"""What a diffusion loss returns in continuous time, with the t and the |ε - ε̂|² that it is of.

Conventions: as in `diffusion`; entries ``(n, d)``. Where the loss draws t itself, it is read off
x_t, of noise that is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.variational_bound.arguments import Job
from scoreproof.public.variational_bound.asking import Asking, Run
from scoreproof.public.variational_bound.continuous import Clock
from scoreproof.public.variational_bound.reading import picked

__all__ = ["Sight", "moved_by_rounding", "sight", "sights_drawn"]

FAR = 1e-3
#: how often a loss that draws t is asked, and how small a rest says which noise x_t is made of
TURNS, NEAR = 8, 1e-3
#: of the span: how far uniform times may be from evenly spaced ones
EVEN = 0.1
#: what stands for an infinite γ, at an end without noise or signal
MOST = 1e300
#: of the size of rounding in x_t
MANY = 16.0


@dataclass(frozen=True, eq=False)
class Sight:
    """``elsewhere``: what is wrong with where the model is asked, and the name of the cause;
    ``label``: what it was told.
    """

    value: np.ndarray
    t: np.ndarray
    square: np.ndarray
    elsewhere: tuple[str, str] | None = None
    label: np.ndarray | None = None


def sight(
    job: Job, asking: Asking, clock: Clock, t: np.ndarray, given: np.ndarray | None = None
) -> Sight:
    """``given``: the t that is handed over, if that is another. Raises ``CallableError``."""
    batch = asking.batch
    a, s = _levels(clock, t)
    noise = batch.noise[0]
    # in what the model is said to predict, off by a known amount
    hat = noise + batch.moves
    x = a * batch.x0 + s * noise
    script = asking.script(None)
    script.moves = {
        "eps": hat,
        "x0": (x - s * hat) / a,
        "v": a * hat - s * (x - s * hat) / a,
        "score": -hat / s,
    }[job.prediction]
    handed = t if given is None else given
    values = {"x0": batch.x0, "t": handed, "noise": noise, "xt": x, "out": script.moves}
    try:
        run = asking.at(values, script)
    except CallableError:
        if asking.calls > 1 or asking.alone:
            raise
        asking.alone = True
        run = asking.at(values, script)
    label = run.script.calls[-1].label if run.script.calls else None
    return Sight(_value(job, run), t, batch.moves**2, _elsewhere(run, x), label)


def _levels(clock: Clock, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """α and σ as columns."""
    both = [clock.level(float(v)) for v in t]
    return np.array([[a] for a, _ in both]), np.array([[s] for _, s in both])


def _value(job: Job, run: Run) -> np.ndarray:
    if "model" in job.roles and not run.script.calls:
        raise CallableError(
            "bound",
            "call the model that it is given",
            "it never did",
            "pass lambda model, x0, t, noise: … in which model is your network",
        )
    value = picked(run.value, "diffusion")
    if value is None:
        raise CallableError(
            "bound", "return numbers", f"it returned {type(run.value).__name__}", "return the term"
        )
    return value


def _elsewhere(run: Run, x: np.ndarray) -> tuple[str, str] | None:
    if not run.script.calls:
        return None
    off = np.linalg.norm(run.script.calls[-1].x - x) / np.linalg.norm(x)
    if off < FAR:
        return None
    return "another_x_t", f"its model is not asked at α x_0 + σ ε (off by {off:.2g})"


def sights_drawn(job: Job, asking: Asking, clock: Clock) -> list[Sight] | str:
    """Of a loss that draws t and noise, or why it cannot be told. Raises ``CallableError``."""
    found = []
    for turn in range(TURNS):
        script = asking.script(None)
        # noise is drawn later: what is answered is known, and ε - ε̂ afterwards
        script.moves = 2.0 * asking.batch.moves
        values = {"x0": asking.batch.x0, "noise": asking.batch.noise[0]}
        run = asking.at(values, script, turn)
        value = _value(job, run)
        noises = [n.reshape(asking.batch.x0.shape) for n in run.served.noises]
        if "noise" in job.roles:
            noises = [asking.batch.noise[0]]
        if any("global generator" in n for n in asking.notes):
            return "it draws from a global generator, which cannot be replaced: take an rng"
        fits = [_fit(asking.batch.x0, n, script.calls[-1].x) for n in noises]
        best = min(range(len(fits)), key=lambda k: fits[k][2], default=None)
        if best is None or fits[best][2] > NEAR:
            return "the x_t at which its model is asked is none of the data and noise that it drew"
        a, s, _ = fits[best]
        loose = MANY * asking.eps * (a / s + s / a + 2)
        both = zip(2 * np.log(s / a), loose, strict=True)
        t = np.array([_time(clock.gamma, float(v), clock, float(w)) for v, w in both])
        levels = _levels(clock, np.nan_to_num(t))
        off = np.maximum(np.abs(levels[0][:, 0] - a), np.abs(levels[1][:, 0] - s))
        k = int(np.argmax(np.where(np.isnan(t), np.inf, off)))
        if np.isnan(t[k]) or off[k] > FAR:
            none = "another_x_t", _not_of(clock, a[k], s[k])
            return [Sight(value, t, 0 * asking.batch.moves, none)]
        reached = bool(run.served.single or run.served.small or run.served.ranges or run.served.raw)
        if job.steps and not turn and reached:
            wrong = _of_steps(t / clock.horizon, job.steps, 1e3 * float(np.max(loose)), run)
            if wrong is not None:
                return [Sight(value, t, 0 * asking.batch.moves, wrong)]
        square = (noises[best] - _noise_of(job, script.moves, script.calls[-1].x, *levels)) ** 2
        found.append(Sight(value, t, square, label=script.calls[-1].label))
    # a number that was drawn alone was served at its end first
    kept = found[1:] if job.steps and run.served.single else found
    width = 1 / job.steps if job.steps else 0.0
    drawn = np.sort(np.concatenate([v.t for v in kept])) / clock.horizon - width / 2
    gap = float(np.max(np.abs(drawn - (np.arange(len(drawn)) + 0.5) / len(drawn))))
    if gap > EVEN + width:
        return (
            f"its t are not drawn uniformly (off by {gap:.2g} of the span), as an estimate with"
            " this weight asks for: let it take t"
        )
    return found


def _of_steps(part: np.ndarray, steps: int, loose: float, run: Run) -> tuple[str, str] | None:
    """What is wrong with the t that were drawn first, to both ends: they are 1/T, …, 1."""
    due = f"t is one of 1/{steps}, …, 1, as t = ceil(u T)/T has it"
    k = np.round(part * steps)
    if np.any(np.abs(part * steps - k) > max(1e-6, loose * steps)):
        return "t_between_steps", f"t is drawn between the steps, where s = t - 1/T is none: {due}"
    if np.any(k < 1):
        return "another_range", f"t = 0 is drawn, and s = t - 1/T is before it: {due}"
    if run.served.single or (k.min() == 1 and k.max() == steps):
        return None
    low, high = int(k.min()), int(k.max())
    return "another_range", f"t is drawn from {low}/{steps} to {high}/{steps}: {due}"


def _noise_of(job: Job, out: np.ndarray, x: np.ndarray, a: np.ndarray, s: np.ndarray) -> np.ndarray:
    """ε̂ of an answer."""
    return np.asarray(
        {
            "eps": lambda: out,
            "x0": lambda: (x - a * out) / s,
            "v": lambda: a * out + s * x,
            "score": lambda: -s * out,
        }[job.prediction]()
    )


def _fit(x0: np.ndarray, noise: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """α, σ of each row by least squares, and what they leave, relative."""
    both = []
    for k in range(len(x)):
        basis = np.stack([x0[k], noise[k]], axis=1)
        fit = np.linalg.lstsq(basis, x[k], rcond=None)[0]
        rest = np.linalg.norm(basis @ fit - x[k]) / np.linalg.norm(x[k])
        both.append((*fit, rest))
    a, s, left = np.array(both).T
    wrong = (a <= 0) | (s <= 0)
    most = float(np.max(np.where(wrong, 1.0, left)))
    return np.where(wrong, 1.0, a), np.where(wrong, 1.0, s), most


def _time(
    function: Callable[[float], float], value: float, clock: Clock, loose: float = 0.0
) -> float:
    """Where a rising function of t has a value; not a number beyond its ends, which it may be to
    rounding, ``loose``.
    """
    from scipy.optimize import brentq

    def bounded(t: float) -> float:
        return float(np.clip(function(t), -MOST, MOST)) - value

    low, high = 0.0, clock.horizon
    with np.errstate(all="ignore"):
        ends = function(low) - value, function(high) - value
        if not ends[0] <= 0 <= ends[1]:
            if 0 < ends[0] <= loose:
                return low
            return high if 0 < -ends[1] <= loose else float("nan")
        return float(brentq(bounded, low, high, xtol=1e-15))


def _not_of(clock: Clock, a: float, s: float) -> str:
    """What x_t = a x_0 + s ε is, which is of no t."""
    text = f"its model is asked at {a:.4g} x_0 + {s:.4g} ε, which is α x_0 + σ ε of no t"
    by_sigma = _time(lambda t: clock.level(t)[1], s, clock)
    by_variance = _time(lambda t: clock.level(t)[1], float(np.sqrt(s)), clock)
    if not np.isnan(by_sigma) and abs(clock.level(by_sigma)[0] ** 2 - a) < FAR:
        return f"{text}: x_0 is multiplied by α², not by α"
    if not np.isnan(by_variance) and abs(clock.level(by_variance)[0] - a) < FAR:
        return f"{text}: ε is multiplied by σ², not by σ"
    return text


def moved_by_rounding(
    clock: Clock, weight: Callable[[float], float], eps: float
) -> Callable[[float], float]:
    """What a weight changes by where t is off by the rounding of x_t."""

    def change(t: float) -> float:
        a, s = clock.level(t)
        step = MANY * eps * (a / s + s / a + 2) / abs(clock.rate(t))
        return abs(weight(t + step) - weight(t - step))

    return change
