"""Random bounds of random tables: terms, sums, estimates, a VDM's and a VAE's losses."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.special import log_ndtr, ndtr

from scoreproof import check_variational_bound

from . import Case

__all__ = ["case"]

Make = Callable[[str, float], Callable[..., Any]]


def _betas(rng: np.random.Generator) -> np.ndarray:
    steps = int(np.exp(rng.uniform(np.log(8), np.log(400))))
    kind = rng.choice(["linear", "quadratic", "cosine"])
    if kind == "cosine":
        u = (np.arange(steps + 1) / steps + 0.008) / 1.008
        bar = np.cos(u * np.pi / 2) ** 2
        return np.minimum(1 - bar[1:] / bar[:-1], 0.999)
    low, high = 0.1 / steps, min(20.0 / steps, 0.9)
    if kind == "quadratic":
        return np.linspace(low**0.5, high**0.5, steps) ** 2
    return np.linspace(low, high, steps)


class _Terms:
    """A table's terms, with a part that can be off; ``how`` rearranges the algebra."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.betas = b = _betas(rng)
        self.variance = str(rng.choice(["fixed_small", "fixed_large", "learned", "learned_range"]))
        self.prediction = str(rng.choice(["eps", "x0", "v", "score"]))
        self.decoder = str(rng.choice(["discretized", "gaussian"]))
        self.how = int(rng.integers(2))
        bar = np.cumprod(1 - b) if self.how else np.exp(np.cumsum(np.log1p(-b)))
        before = np.append(1.0, bar[:-1])
        v = b * (1 - before) / (1 - bar)
        self.bar, self.before, self.low = bar, before, np.log(np.append(v[1], v[1:]))
        self.high = np.log(b)
        self.one = int(rng.integers(len(b)))
        self.bits = bool(rng.random() < 0.5)

    def mean(self, x0: Any, x: Any, t: Any) -> Any:
        bar, before, b = (v[t][:, None] for v in (self.bar, self.before, self.betas))
        if self.how:
            return (b * before**0.5 * x0 + (1 - before) * (1 - b) ** 0.5 * x) / (1 - bar)
        return (1 - before) * (1 - b) ** 0.5 / (1 - bar) * x + b * before**0.5 / (1 - bar) * x0

    def model(self, out: Any, x: Any, t: Any) -> tuple[Any, Any]:
        second = None
        if self.variance.startswith("learned"):
            out, second = np.split(out, 2, axis=1)
        a, s = self.bar[t][:, None] ** 0.5, (1 - self.bar[t][:, None]) ** 0.5
        x0 = {
            "eps": lambda: (x - s * out) / a,
            "x0": lambda: out,
            "v": lambda: a * x - s * out,
            "score": lambda: (x + s**2 * out) / a,
        }[self.prediction]()
        low, high = self.low[t][:, None], self.high[t][:, None]
        if self.variance == "learned":
            logvar = second
        elif self.variance == "learned_range":
            logvar = low + (second + 1) / 2 * (high - low)
        elif self.variance == "fixed_large":
            logvar = np.where(t[:, None] == 0, low, high) + 0 * x
        else:
            logvar = low + 0 * x
        return self.mean(x0, x, t), logvar

    def term(self, out: Any, x0: Any, x: Any, t: Any) -> Any:
        mean, logvar = self.model(out, x, t)
        low = self.low[t][:, None]
        gap = (self.mean(x0, x, t) - mean) ** 2 / np.exp(logvar)
        kl = 0.5 * (logvar - low + np.expm1(low - logvar) + gap)
        std = np.exp(logvar / 2)
        if self.decoder == "gaussian":
            nll = (x0 - mean) ** 2 / (2 * std**2) + np.log(std) + 0.5 * np.log(2 * np.pi)
        else:
            high, under = (x0 - mean + 1 / 255) / std, (x0 - mean - 1 / 255) / std
            inner = -np.log(np.maximum(ndtr(high) - ndtr(under), 1e-12))
            outer = np.where(x0 > 0, -log_ndtr(-under), -log_ndtr(high))
            nll = np.where(np.abs(x0) > 0.999, outer, inner)
        return self.reduced(np.where(t[:, None] == 0, nll, kl))

    def reduced(self, value: Any) -> Any:
        value = value.reshape(len(value), -1)
        return value.mean(axis=1) / np.log(2.0) if self.bits else value.sum(axis=1)

    def prior(self, x0: Any) -> Any:
        bar = self.bar[-1]
        return self.reduced(0.5 * (bar * x0**2 - bar - np.log1p(-bar)))

    def noised(self, x0: Any, t: Any, noise: Any) -> Any:
        bar = self.bar[t][:, None]
        return bar**0.5 * x0 + (1 - bar) ** 0.5 * noise

    def off(self, value: Any, t: Any, part: str, by: float) -> Any:
        """A term by another factor: all of them, or those of one t."""
        if part == "one":
            return np.where(t == self.one, by, 1.0) * value
        return by * value if part == "all" else value


def _of_terms(rng: np.random.Generator) -> tuple[Make, list[str], dict[str, Any]]:
    terms = _Terms(rng)
    form = int(rng.integers(3))

    def make(part: str, by: float) -> Callable[..., Any]:
        def given(model: Any, x0: Any, x_t: Any, t: Any) -> Any:
            return terms.off(terms.term(model(x_t, t), x0, x_t, t), t, part, by)

        def noised(model: Any, x0: Any, t: Any, noise: Any) -> Any:
            return given(model, x0, terms.noised(x0, t, noise), t)

        def answered(model_output: Any, x0: Any, x_t: Any, t: Any) -> Any:
            return given(lambda x, t: model_output, x0, x_t, t)

        return (given, noised, answered)[form]

    return make, ["all", "one"], _options(terms)


def _options(terms: _Terms) -> dict[str, Any]:
    return {
        "process": terms.betas,
        "variance": terms.variance,
        "prediction": terms.prediction,
        "decoder": terms.decoder,
        "units": "bits_per_dim" if terms.bits else "nats",
    }


def _of_sums(rng: np.random.Generator) -> tuple[Make, list[str], dict[str, Any]]:
    terms = _Terms(rng)
    steps, estimate = len(terms.betas), bool(rng.random() < 0.5)

    def make(part: str, by: float) -> Callable[..., Any]:
        def prior(x0: Any) -> Any:
            return (by if part == "prior" else 1.0) * terms.prior(x0)

        def one(model: Any, x0: Any, t: Any, generator: Any) -> Any:
            x = terms.noised(x0, t, generator.standard_normal(x0.shape))
            return terms.off(terms.term(model(x, t), x0, x, t), t, part, by)

        def drawn(model: Any, x0: Any, rng: Any) -> Any:
            t = rng.integers(0, steps, size=len(x0))
            return steps * one(model, x0, t, rng) + prior(x0)

        def whole(model: Any, x0: Any, rng: Any) -> Any:
            every = (np.full(len(x0), t) for t in range(steps))
            return sum(one(model, x0, t, rng) for t in every) + prior(x0)

        return drawn if estimate else whole

    parts = ["all"] if estimate else ["all", "one"]
    if terms.bar[-1] > 1e-4:  # else it may be too small beside the others, which is said
        parts.append("prior")
    return make, parts, _options(terms)


def _of_a_clock(rng: np.random.Generator) -> tuple[Make, list[str], dict[str, Any]]:
    low, high, bend = -rng.uniform(6, 13), rng.uniform(2, 6), rng.uniform(0, 0.4)
    steps = int(rng.integers(50, 2000)) if rng.random() < 0.5 else None

    def gamma(t: Any) -> Any:
        return low + (high - low) * (t + bend * t * (1 - t))

    def make(part: str, by: float) -> Callable[..., Any]:
        def loss(model: Any, x: Any, t: Any, noise: Any) -> Any:
            g = gamma(t)[:, None]
            z = x / np.sqrt(1 + np.exp(g)) + noise / np.sqrt(1 + np.exp(-g))
            square = ((noise - model(z, t)) ** 2).sum(axis=1)
            weight = (high - low) * (1 + bend * (1 - 2 * t))
            if steps:
                weight = steps * np.expm1(gamma(t) - gamma(t - 1 / steps))
            return (by if part else 1.0) * 0.5 * weight * square

        return loss

    return make, ["all"], {"process": SimpleNamespace(gamma=gamma), "steps": steps}


def _of_a_vae(rng: np.random.Generator) -> tuple[Make, list[str], dict[str, Any]]:
    std = float(np.exp(rng.uniform(-1, 1)))
    bernoulli = bool(rng.random() < 0.5)

    def make(part: str, by: float) -> Callable[..., Any]:
        first, second = (by if part == p else 1.0 for p in ("decoder", "kl"))

        def loss(x: Any, recon: Any, mu: Any, logvar: Any) -> Any:
            if bernoulli:
                nll = -(x * np.log(recon) + (1 - x) * np.log(1 - recon))
            else:
                nll = ((x - recon) / std) ** 2 / 2 + np.log(std * np.sqrt(2 * np.pi))
            kl = -0.5 * (1 + logvar - mu**2 - np.exp(logvar))
            return first * nll.sum(axis=1) + second * kl.sum(axis=1)

        return loss

    decoder = "bernoulli" if bernoulli else "gaussian"
    return make, ["decoder", "kl"], {"decoder": decoder, "decoder_std": std}


def case(rng: np.random.Generator) -> Case:
    """A setting, its right bound and wrong ones."""
    kind = str(rng.choice(["terms", "sums", "clock", "vae"], p=[0.4, 0.3, 0.15, 0.15]))
    makers = {"terms": _of_terms, "sums": _of_sums, "clock": _of_a_clock, "vae": _of_a_vae}
    make, parts, more = makers[kind](rng)
    more["seed"] = int(rng.integers(100))

    def judge(part: str, by: float) -> Any:
        return check_variational_bound(make(part, by), **more)

    def wrong(amount: float) -> tuple[str, Any]:
        part = str(rng.choice(parts))
        by = 1 + float(rng.choice([-1.0, 1.0])) * min(amount * 2.0, 0.9)
        return f"{kind} {part} times {by:.9g}", judge(part, by)

    shown = {k: v for k, v in more.items() if isinstance(v, str | int | float)}
    return Case(f"{kind}, {shown}", lambda: judge("", 1.0), wrong)
