"""What can be wrong with a reverse-time sampler, at a given size.

Conventions: a fault is an excess drift Δb (for dt < 0) and an excess noise covariance per time,
both in proportion to a factor θ; θ is set so that the excess velocity Δb + ½ ΔC ∇log p, relative to
the terms of the velocity, is the amount at every time of the window, for the λ and the points where
it is largest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.claims.reverse_family.faults import FAULTS, compose
from scoreproof.claims.reverse_family.statement import truth
from scoreproof.interop.callables import as_numpy
from scoreproof.public.reverse_sampler.model import answer_like
from scoreproof.public.reverse_sampler.targets import mixture
from scoreproof.public.reverse_sampler.velocity import around

__all__ = ["Wrong", "worked"]

Excess = Callable[[Any, np.ndarray, float, float], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Wrong:
    """``sde(x, t, score, lam) -> (Δb, factor of the noise)``; ``step(x, t, tn, z, score, lam) ->``
    the points and noises that the right step is given instead, and what is added to its answer.
    """

    name: str
    sde: Callable[..., Any]
    step: Callable[..., Any]


class Carrier:
    """A process with a score, as the claim's faults take it."""

    def __init__(
        self, process: Any, score: Callable[..., Any], density: Callable[..., Any]
    ) -> None:
        self.horizon, self.score, self.density = process.horizon, score, density
        self.drift = lambda x, t: process.rate(t) * x
        self.diffusion = lambda t: float(np.ravel(process.diffusion(t))[0])


def _by_claim(rng: np.random.Generator) -> tuple[str, Excess]:
    """One of the claim's faults, or a pair."""
    names = [f.name for f in FAULTS if f.name != "density_gradient"]
    while True:
        chosen = tuple(
            str(n) for n in rng.choice(names, 1 + int(rng.random() < 0.4), replace=False)
        )
        subject = compose(chosen)
        if subject is not None:
            break

    def excess(carrier: Any, x: np.ndarray, t: float, lam: float) -> tuple[np.ndarray, np.ndarray]:
        (b, c2), (right, right_c2) = subject(carrier, x, t, lam), truth(carrier, x, t, lam)
        return b - right, (float(c2) - right_c2) * np.eye(x.shape[1])

    return " + ".join(chosen), excess


def _by_hand(rng: np.random.Generator, form: str) -> tuple[str, Excess]:
    """Scales, single coordinates, rotations, regions, and noise of another covariance."""
    kind = str(rng.choice([
        "score scaled", "drift scaled", "noise scaled", "one coordinate", "rotation", "region",
        "constant drift", "wave", "uneven noise", "shared noise", "correlated noise",
    ]))  # fmt: skip
    sign, which = float(rng.choice([-1, 1])), float(rng.uniform())
    seed = int(rng.integers(2**31))

    def excess(carrier: Any, x: np.ndarray, t: float, lam: float) -> tuple[np.ndarray, np.ndarray]:
        d, g2 = x.shape[1], carrier.diffusion(t) ** 2
        own, zero, none = np.random.default_rng(seed), 0 * x, np.zeros((d, d))
        c2, s, f = (1 - lam) * g2, carrier.score(x, t), carrier.drift(x, t)
        pace = abs(float(carrier.drift(np.ones((1, 1)), t)[0, 0])) + g2 / carrier.scale(t) ** 2
        j = min(int(which * d), d - 1)
        if kind == "score scaled":
            return -sign * (1 - lam / 2) * g2 * s, none
        if kind == "drift scaled":
            return sign * f, none
        if kind == "one coordinate":
            return sign * (np.arange(d) == j) * (f - (1 - lam / 2) * g2 * s), none
        if kind == "constant drift":
            return zero + pace * carrier.scale(t), none
        if kind == "wave":
            return pace * carrier.scale(t) * np.cos(3 * x / carrier.scale(t)), none
        if kind == "region":
            return pace * carrier.scale(t) * (x[:, :1] > 0) + zero, none
        if kind == "noise scaled" or (d == 1 and kind != "rotation"):
            return zero, sign * c2 * np.eye(d) / 2
        if kind == "rotation":
            turn = own.normal(size=(d, d)) / d**0.5
            return pace * (x @ (turn - turn.T)), none
        if kind == "uneven noise" or form == "sde":
            return zero, c2 * np.diag(np.where(np.arange(d) == j, sign, -sign / max(d - 1, 1))) / 2
        if kind == "shared noise":
            return zero, c2 * (np.ones((d, d)) - np.eye(d))
        turn = np.linalg.qr(own.normal(size=(d, d)))[0]
        return zero, c2 * turn @ np.diag(np.linspace(-0.9, 0.9, d)) @ turn.T

    return kind, excess


def worked(
    rng: np.random.Generator,
    process: Any,
    lambdas: tuple[float, ...],
    dimension: int | None,
    times: tuple[float, float],
    form: str,
    amount: float,
) -> Wrong:
    """A fault of that amount, everywhere or in a window of time of 15 % of the span or more."""
    low, high = times
    if rng.random() < 0.5:
        width = rng.uniform(0.15, 0.6) * (high - low)
        low = float(rng.uniform(low, high - width))
        high = low + width
    else:
        low, high = -np.inf, np.inf
    window = "" if low < 0 else f" for {low:.3g} < t < {high:.3g}"
    if form == "step" and rng.random() < 0.12:
        return _of_rows(rng, (low, high), window, lambdas)
    d = dimension or 2
    target = mixture(process, d, None)
    for _ in range(200):
        name, excess = _by_claim(rng) if rng.random() < 0.45 else _by_hand(rng, form)
        sizes, noisy = [], False
        for t in np.linspace(max(low, times[0]), min(high, times[1]), 9).tolist():
            x = target.sample(rng, 64, t)
            here, largest = around(target, x, t), 0.0
            carrier = Carrier(process, target.score, target.density)
            carrier.scale = lambda u: float(np.min(target.spread(u)))
            for lam in lambdas:
                b, cov = excess(carrier, x, t, lam)
                noisy = noisy or bool(np.any(cov))
                off = np.max(np.abs(b + here.score @ cov / 2), axis=1) / here.size
                largest = max(largest, float(np.max(off)))
            sizes.append(largest)
        theta = amount / max(min(sizes), 1e-300)
        # a drift can be off by more than itself, a covariance cannot be negative
        if theta <= (1 if noisy else 10):
            break
    else:
        raise RuntimeError("no fault of that amount was found")
    theta = float(theta if theta > 0.6 else theta * rng.uniform(1, 1.5))
    return _as_wrong(f"{name}{window}", process, target, excess, theta, (low, high))


def _as_wrong(
    name: str, process: Any, target: Any, excess: Excess, theta: float, window: tuple[float, float]
) -> Wrong:
    def found(x: Any, t: float, score: Any, lam: float) -> tuple[np.ndarray, np.ndarray]:
        points = np.asarray(as_numpy(x), float)
        if not window[0] < t < window[1]:
            return 0 * points, np.zeros((points.shape[1],) * 2)
        carrier = Carrier(
            process,
            lambda y, u: np.asarray(as_numpy(score(answer_like(x, y), u)), float),
            target.density,
        )
        carrier.scale = lambda u: float(np.min(target.spread(u)))
        b, cov = excess(carrier, points, t, lam)
        return theta * b, theta * cov

    def sde(x: Any, t: float, score: Any, lam: float) -> tuple[Any, Any]:
        b, cov = found(x, t, score, lam)
        c2 = (1 - lam) * float(np.ravel(process.diffusion(t))[0]) ** 2
        extra = np.diag(cov)
        if c2 == 0:
            # where there is no noise to scale, the drift takes over what it would do to the
            # velocity
            s = np.asarray(as_numpy(score(x, t)), float)
            return answer_like(x, b + extra / 2 * s), 1.0
        factor = np.sqrt(np.maximum(1 + extra / c2, 0.0))
        if np.ptp(factor) == 0:
            return answer_like(x, b), float(factor[0])
        return answer_like(x, b), answer_like(x, factor)

    def step(x: Any, t: float, tn: float, z: Any, score: Any, lam: float) -> tuple[Any, Any, Any]:
        b, cov = found(x, t, score, lam)
        c2 = (1 - lam) * float(np.ravel(process.diffusion(t))[0]) ** 2
        noise, more = np.asarray(as_numpy(z), float), -(t - tn) * b
        if c2 == 0:
            more = more + (t - tn) ** 0.5 * noise @ _root(cov)
        else:
            noise = noise @ _root(np.eye(len(cov)) + cov / c2)
        return x, answer_like(x, noise), answer_like(x, more)

    return Wrong(name, sde, step)


def _root(cov: np.ndarray) -> np.ndarray:
    values, modes = np.linalg.eigh(cov)
    return (modes * np.sqrt(np.maximum(values, 0.0))) @ modes.T


def _of_rows(
    rng: np.random.Generator, window: tuple[float, float], told: str, lambdas: tuple[float, ...]
) -> Wrong:
    """Gross faults of a step that are no excess drift or noise of a row by itself."""
    kinds = ["points centred", "fixed step", "clip"]
    if min(lambdas) < 0.9:
        kinds += ["first row's noise", "noise centred", "noise clipped at 1"]
    kind = str(rng.choice(kinds))

    def step(x: Any, t: float, tn: float, z: Any, score: Any, lam: float) -> tuple[Any, Any, Any]:
        y, w = np.asarray(as_numpy(x), float), np.asarray(as_numpy(z), float)
        more = 0 * y
        if window[0] < t < window[1]:
            if kind == "points centred":
                y = y - y.mean(axis=0)
            elif kind == "fixed step":
                more = more + 0.05 * y
            elif kind == "clip":
                y = np.clip(y, -0.5, 0.5)
            elif kind == "first row's noise":
                w = w[:1] + 0 * w
            elif kind == "noise centred":
                w = w - w.mean(axis=0)
            else:
                w = np.clip(w, -1, 1)
        return answer_like(x, y), answer_like(x, w), answer_like(x, more)

    return Wrong(f"{kind}{told}", step, step)
