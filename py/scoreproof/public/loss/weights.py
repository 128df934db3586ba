"""The weights λ(t) of published losses, and one weight told in every prediction type.

Conventions: a weight is that of ``|model - target|²``; all are up to a positive number that is the
same for all t. ``snr`` = α²/σ². A weight of x_0 becomes one of another prediction by the square of
∂x_0/∂(prediction).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scoreproof.objects.parameterizations import convert
from scoreproof.public.loss.process import Process

__all__ = ["GAMMA", "NAMED", "Levels", "known_weights"]

#: of min-SNR, as Hang et al. 2023 recommend
GAMMA = 5.0


@dataclass(frozen=True, eq=False)
class Levels:
    """α, σ and what else is due at times ``(B,)``."""

    times: np.ndarray
    process: Process
    prediction: str
    sigma_data: float

    @cached_property
    def _both(self) -> tuple[np.ndarray, np.ndarray]:
        levels = self.process.levels(self.times)
        return np.array([v.alpha for v in levels]), np.array([v.sigma for v in levels])

    @property
    def alpha(self) -> np.ndarray:
        return self._both[0]

    @property
    def sigma(self) -> np.ndarray:
        return self._both[1]

    @property
    def snr(self) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return (self.alpha / self.sigma) ** 2

    @cached_property
    def rates(self) -> tuple[np.ndarray, np.ndarray] | None:
        """dα/dt and dσ/dt, where all are known."""
        found = [v.rates for v in self.process.levels(self.times)]
        known = [r for r in found if r is not None]
        if len(known) < len(found):
            return None
        return np.array([r[0] for r in known]), np.array([r[1] for r in known])

    def target(self, x0: np.ndarray, eps: np.ndarray, prediction: str | None = None) -> np.ndarray:
        """What a model of that type is trained towards, rows ``(B, d)``."""
        kind = prediction or self.prediction
        a, s = self.alpha[:, None], self.sigma[:, None]
        if kind == "eps":
            return eps
        if kind == "x0":
            return x0
        if kind == "v":
            return np.asarray((a * eps - s * x0) / np.hypot(a, s))
        if kind == "score":
            return np.asarray(-eps / s)
        if kind == "flow":
            return eps - x0
        if kind == "velocity":
            assert self.rates is not None
            return np.asarray(self.rates[0][:, None] * x0 + self.rates[1][:, None] * eps)
        return np.asarray(
            convert(x0, a * x0 + s * eps, "x0", "F", a, s, sigma_data=self.sigma_data)
        )

    def slope(self, prediction: str | None = None) -> np.ndarray:
        """|∂x_0/∂(prediction)| at a fixed x_t."""
        kind = prediction or self.prediction
        a, s = self.alpha, self.sigma
        if kind == "eps":
            return s / a
        if kind == "x0":
            return np.ones_like(a)
        if kind == "v":
            return s / np.hypot(a, s)
        if kind == "score":
            return s**2 / a
        if kind == "flow":
            return s / (a + s)
        if kind == "velocity":
            assert self.rates is not None
            return s / np.abs(a * self.rates[1] - s * self.rates[0])
        level = s / a
        return level * self.sigma_data / np.hypot(level, self.sigma_data)


Formula = Callable[[Levels], np.ndarray]


def _of(kind: str) -> Formula:
    """Uniform in that prediction, as a weight of x_0."""
    return lambda v: 1 / v.slope(kind) ** 2


def _edm(v: Levels) -> np.ndarray:
    level = v.sigma / v.alpha
    return (level**2 + v.sigma_data**2) / (level * v.sigma_data) ** 2


def _likelihood(v: Levels) -> np.ndarray:
    assert v.process.g2 is not None
    g2 = np.array([v.process.g2(float(t)) for t in v.times])
    return g2 / v.slope("score") ** 2


#: name -> the weight of x_0
NAMED: Mapping[str, Formula] = {
    "eps": _of("eps"),
    "x0": _of("x0"),
    "v": _of("v"),
    "snr": _of("eps"),
    "sigma2": _of("eps"),
    "score": _of("score"),
    "min-snr": lambda v: np.minimum(v.snr, GAMMA),
    "truncated-snr": lambda v: np.maximum(v.snr, 1.0),
    "p2": lambda v: v.snr / (1 + v.snr),
    "edm": _edm,
    "likelihood": _likelihood,
    "flow": _of("flow"),
    "velocity": _of("velocity"),
}
#: what each is, in words
WORDS = {
    "eps": "uniform in ε",
    "x0": "uniform in x_0",
    "v": "uniform in v",
    "snr": "the SNR, for x_0",
    "sigma2": "σ² for the score",
    "score": "uniform in the score",
    "min-snr": "min(SNR, 5), for x_0",
    "truncated-snr": "max(SNR, 1), for x_0",
    "p2": "SNR/(1 + SNR), for x_0",
    "edm": "(σ² + σ_data²)/(σ σ_data)², for x_0",
    "likelihood": "g², for the score",
    "flow": "uniform in ε - x_0",
    "velocity": "uniform in the velocity",
}


def known_weights(v: Levels) -> dict[str, np.ndarray]:
    """Each named weight, of the prediction in question; those that are defined for the process."""
    out = {}
    for name, formula in NAMED.items():
        if name == "likelihood" and v.process.g2 is None:
            continue
        if name == "velocity" and v.rates is None:
            continue
        with np.errstate(all="ignore"):
            out[name] = np.asarray(formula(v) * v.slope() ** 2)
    return out
