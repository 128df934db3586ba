"""The terms of the bound, entry by entry, from x_0, x_t and what a model answers.

Conventions: nats; rows are flat ``(n, d)``, ``t`` ``(n,)`` are timesteps. An answer with a learned
variance is ``(n, 2 d)``, the mean's part first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.variational_bound.tables import Tables

__all__ = ["Answered", "Gaussian", "answer_of", "answered", "kl", "likely", "posterior"]
__all__ += ["predicted", "prior", "straight"]

LEARNED = ("learned", "learned_range")


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Mean and log of the variance, an entry each; ``about``: the sum of the sizes of what the mean
    is computed from, of which it has its rounding.
    """

    mean: np.ndarray
    logvar: np.ndarray
    about: np.ndarray


@dataclass(frozen=True, eq=False)
class Answered:
    """What a model said: of x_t ``(n, d)`` at ``t``, raw."""

    x0: np.ndarray
    x: np.ndarray
    t: np.ndarray
    out: np.ndarray

    @property
    def first(self) -> np.ndarray:
        return self.out[:, : self.x0.shape[1]]

    @property
    def second(self) -> np.ndarray:
        return self.out[:, self.x0.shape[1] :]

    def of(self, table: np.ndarray) -> np.ndarray:
        """A table's entries, as a column."""
        return np.asarray(table[self.t][:, None])


def posterior(tb: Tables, g: Answered) -> Gaussian:
    """q(x_{t-1} | x_t, x_0)."""
    parts = g.of(tb.c0) * g.x0, g.of(tb.ct) * g.x
    return Gaussian(sum(parts), g.of(tb.q_logvar) + 0 * g.x0, sum(map(np.abs, parts)))


def predicted(tb: Tables, g: Answered, prediction: str) -> tuple[np.ndarray, np.ndarray]:
    """x_0 as the model has it, and the sizes of what it is computed from."""
    a, s, out = g.of(tb.a), g.of(tb.s), g.first
    parts = {
        "eps": (g.x / a, -s / a * out),
        "x0": (out, 0 * out),
        "v": (a * g.x, -s * out),
        "score": (g.x / a, s**2 / a * out),
    }[prediction]
    return sum(parts), np.abs(parts[0]) + np.abs(parts[1])


def answer_of(tb: Tables, g: Answered, guess: np.ndarray, prediction: str) -> np.ndarray:
    """What a model answers that has that x_0."""
    a, s = g.of(tb.a), g.of(tb.s)
    return np.asarray(
        {
            "eps": lambda: (g.x - a * guess) / s,
            "x0": lambda: guess,
            "v": lambda: (a * g.x - guess) / s,
            "score": lambda: (a * guess - g.x) / s**2,
        }[prediction]()
    )


def answered(
    tb: Tables, g: Answered, prediction: str, variance: str, clip: bool = False
) -> Gaussian:
    """p_θ(x_{t-1} | x_t); ``clip``: with what is predicted of x_0 clipped to [-1, 1]."""
    if prediction == "mean":
        mean, about = g.first, np.abs(g.first)
    else:
        guess, size = predicted(tb, g, prediction)
        guess = np.clip(guess, -1, 1) if clip else guess
        mean = g.of(tb.c0) * guess + g.of(tb.ct) * g.x
        about = g.of(tb.c0) * size + np.abs(g.of(tb.ct) * g.x)
    if variance == "learned":
        logvar = g.second
    elif variance == "learned_range":
        part = (g.second + 1) / 2
        logvar = part * g.of(tb.high) + (1 - part) * g.of(tb.low)
    else:
        logvar = g.of(tb.fixed) + 0 * mean
    return Gaussian(mean, logvar, about)


def kl(q: Gaussian, p: Gaussian) -> np.ndarray:
    """KL(q‖p)."""
    d = p.logvar - q.logvar
    return np.asarray(0.5 * (straight(-d) + (q.mean - p.mean) ** 2 * np.exp(-p.logvar)))


def straight(x: np.ndarray) -> np.ndarray:
    """exp(x) - 1 - x, without cancellation where x is small."""
    near = np.abs(x) < 0.05
    y = np.where(near, x, 0.0)
    series = y**2 / 2 * (1 + y / 3 * (1 + y / 4 * (1 + y / 5 * (1 + y / 6 * (1 + y / 7)))))
    return np.where(near, series, np.expm1(x) - x)


def prior(a: np.ndarray, bar: np.ndarray, x0: np.ndarray) -> np.ndarray:
    """KL(N(a x_0, 1 - ᾱ) ‖ N(0, I))."""
    return np.asarray(0.5 * ((a * x0) ** 2 - bar - np.log1p(-bar)))


def likely(p: Gaussian, x0: np.ndarray) -> np.ndarray:
    """-log of the Gaussian density at x_0."""
    return np.asarray(0.5 * (np.log(2 * np.pi) + p.logvar + (x0 - p.mean) ** 2 * np.exp(-p.logvar)))
