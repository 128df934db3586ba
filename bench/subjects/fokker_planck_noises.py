"""Right and wrong pairs of a law and an SDE whose noise is a matrix or depends on x.

A process is a drift, a g and a law in closed form: linear with a full or degenerate matrix of
noise, correlated assets, square roots of x, an arbitrary g(x) that keeps a mixture of Gaussians;
each in every reading of dW, as a density or as a score. Wrong: a deviation of ``amount`` in one
coordinate of the drift, in one of the noise's principal directions, in the score alone (a rotation
of it as well); another reading, matrix or meaning of what the diffusion returns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import scoreproof as sp
from subjects import Case

READINGS = {"ito": (0.0, 0.0), "stratonovich": (0.5, 0.0), "fick": (0.0, 1.0), 0.3: (0.3, 0.0)}


@dataclass(frozen=True)
class Process:
    name: str
    d: int
    drift: Callable[[Any, Any], Any]
    g: Callable[[Any, Any], Any]  # (n, d, m)
    log_p: Callable[[Any, Any], Any]
    score: Callable[[Any, Any], Any]
    domain: tuple[float, float]
    reading: Any
    of_state: bool
    normalized: bool = True


def linear(rng: np.random.Generator, d: int) -> Process:
    a = 0.5 * rng.standard_normal((d, d)) / np.sqrt(d) - np.diag(rng.uniform(0.1, 1, d))
    g = np.tril(rng.uniform(-0.5, 0.5, (d, d))) + 0.6 * np.eye(d)
    name = "full matrix"
    if d % 2 == 0 and rng.random() < 0.4:  # positions and velocities
        k, name = d // 2, "kinetic"
        root = np.tril(rng.uniform(-0.3, 0.3, (k, k))) + 0.8 * np.eye(k)
        g = np.vstack([np.zeros((k, k)), root])
        well = np.diag(rng.uniform(0.5, 1.5, k))
        friction = np.diag(rng.uniform(0.3, 1.2, k))
        a = np.block([[np.zeros((k, k)), np.eye(k)], [-well, -friction]])
    sigma, m0, c0 = g @ g.T, rng.standard_normal(d) * 0.5, rng.uniform(0.2, 0.8)
    w, v = np.linalg.eig(np.block([[a, sigma], [np.zeros((d, d)), -a.T]]))
    inverse = np.linalg.inv(v)

    def moments(t: Any) -> tuple[Any, Any]:
        e = (v * np.exp(w * t)) @ inverse
        flow = e[:d, :d]
        mean, cov = flow @ m0, c0 * flow @ flow.T + e[:d, d:] @ flow.T
        return (mean, cov) if np.iscomplexobj(t) else (mean.real, cov.real)

    def log_p(x: Any, t: Any) -> Any:
        mean, cov = moments(t)
        y = x - mean
        square = np.einsum("ni,ij,nj->n", y, np.linalg.inv(cov), y)
        return -0.5 * (square + d * np.log(2 * np.pi) + np.log(np.linalg.det(cov)))

    def score(x: Any, t: Any) -> Any:
        mean, cov = moments(t)
        return -(x - mean) @ np.linalg.inv(cov).T

    def noise(x: Any, t: Any) -> Any:
        return np.broadcast_to(g, (len(x), *g.shape))

    return Process(name, d, lambda x, t: x @ a.T, noise, log_p, score, (-3.0, 3.0), None, False)


def assets(rng: np.random.Generator, d: int) -> Process:
    chol = np.tril(rng.uniform(-0.3, 0.4, (d, d)))
    np.fill_diagonal(chol, rng.uniform(0.3, 0.6, d))
    mu, sigma = rng.uniform(-0.2, 0.2, d), chol @ chol.T
    reading = list(READINGS)[int(rng.integers(len(READINGS)))]
    alpha, fick = READINGS[reading]
    own = np.diag(sigma)
    rate = mu - own / 2 + alpha * own + fick * (own + sigma.sum(axis=1)) / 2
    precision, log_det = np.linalg.inv(sigma), np.linalg.slogdet(sigma)[1]

    def log_p(x: Any, t: Any) -> Any:
        y, v = np.log(x) - rate * t, t + 0.2
        square = np.einsum("ni,ij,nj->n", y, precision, y) / v
        return -0.5 * (square + d * np.log(2 * np.pi * v) + log_det) - np.log(x).sum(axis=1)

    def score(x: Any, t: Any) -> Any:
        return (-((np.log(x) - rate * t) @ precision) / (t + 0.2) - 1) / x

    return Process(
        f"assets, {reading}",
        d,
        lambda x, t: mu * x,
        lambda x, t: x[:, :, None] * chol,
        log_p,
        score,
        (0.5, 2.5),
        reading,
        True,
        normalized=d > 2,  # on (0, ∞) only
    )


def kept(rng: np.random.Generator, d: int) -> Process:
    """``e^{-V}`` stays where ``f = -½ Σ ∇V`` by Fick's law; g_ik = c_ik + e_ik sin(x·k_i + ...)."""
    m = d + int(rng.integers(2))
    c = 0.3 * rng.standard_normal((d, m)) + np.eye(d, m)
    e = 0.2 * rng.standard_normal((d, m))
    waves = rng.uniform(-1, 1, (d, m, d))
    wells = rng.uniform(0.5, 1.5, d)
    reading = list(READINGS)[int(rng.integers(len(READINGS)))]
    alpha, fick = READINGS[reading]

    def g(x: Any, t: Any) -> Any:
        return c + e * np.sin(np.einsum("ikj,nj->nik", waves, x))

    def drift(x: Any, t: Any) -> Any:
        value = g(x, t)
        slopes = np.einsum(
            "nik,ikj->njik", e * np.cos(np.einsum("ikj,nj->nik", waves, x)), waves
        )  # ∂_j g_ik
        sigma = np.einsum("nik,njk->nij", value, value)
        C = np.einsum("njk,njik->ni", value, slopes)
        E = np.einsum("nik,njjk->ni", value, slopes)
        return -np.einsum("nij,nj->ni", sigma, wells * x) / 2 + (1 - fick) * (C + E) / 2 - alpha * C

    def log_p(x: Any, t: Any) -> Any:
        return 0.5 * (np.log(wells / (2 * np.pi)) - wells * x**2).sum(axis=1) + 0 * t

    return Process(
        f"kept law, {reading}",
        d,
        drift,
        g,
        log_p,
        lambda x, t: -wells * x + 0 * t,
        (-2.5, 2.5),
        reading,
        True,
    )


def case(rng: np.random.Generator) -> Case:
    d = int(rng.choice([1, 2, 2, 3, 3, 4, 6]))
    kind = (linear, assets, kept)[int(rng.integers(3))]
    d = min(d, 3) if kind is kept else d
    process = kind(rng, d)
    scored = rng.random() < 0.45
    form = str(rng.choice(["g", "wide", "covariance", "diffusivity"]))
    if process.reading in ("stratonovich", 0.3) and form in ("covariance", "diffusivity"):
        form = "g"
    method = "strong" if process.of_state and d <= 2 and rng.random() < 0.5 else "auto"
    seed = int(rng.integers(100))
    turn = np.linalg.qr(rng.standard_normal((d + 1, d + 1)))[0]
    setting = f"{process.name}, d = {d}, {form}, {'score' if scored else 'log p'}, {method}"

    def judge(p: Process, **more: Any) -> Any:
        def diffusion(x: Any, t: Any) -> Any:
            g = p.g(x, t)
            if form == "wide":  # one more column, and all of them turned
                wide = np.concatenate([g, np.zeros_like(g[:, :, :1])], axis=2)
                return wide @ turn if wide.shape[2] == len(turn) else wide
            if form == "g":
                return g
            return np.einsum("nik,njk->nij", g, g) / (2 if form == "diffusivity" else 1)

        point = np.zeros((1, d))
        law = {"score": p.score} if scored else {"log_density": p.log_p}
        return sp.check_fokker_planck(
            p.drift,
            diffusion if p.of_state else (lambda t: diffusion(point, t)[0]),
            **law,
            **({"interpretation": p.reading} if p.of_state else {})
            | {
                "diffusion_is": form if form in ("covariance", "diffusivity") else "g",
                "domain": p.domain,
                "dimension": d,
                "normalized": p.normalized,
                "method": method,
                "seed": seed,
            }
            | more,
        )

    def wrong(amount: float) -> tuple[str, Any]:
        return _wrong(rng, process, amount, judge, scored)

    return Case(setting, lambda: judge(process), wrong)


def _wrong(
    rng: np.random.Generator, p: Process, amount: float, judge: Any, scored: bool
) -> tuple[str, Any]:
    d, i = p.d, int(rng.integers(p.d))
    kinds = ["noise", "coordinate", "direction"]
    kinds += ["rotation"] if scored and d > 1 else []
    kinds += ["reading"] if p.of_state else []
    kind = str(rng.choice(kinds))
    if kind == "reading":
        return "read otherwise", judge(p, interpretation="fick" if p.reading != "fick" else "ito")
    if kind == "coordinate":
        only = 1 + amount * np.eye(d)[i]
        return f"drift[{i}]", judge(replace(p, drift=lambda x, t: p.drift(x, t) * only))
    if kind == "rotation":
        j = (i + 1) % d
        turn = np.zeros((d, d))
        turn[i, j], turn[j, i] = 1.0, -1.0

        def score(x: Any, t: Any) -> Any:
            s = p.score(x, t)
            size = max(1.0, float(np.max(np.abs(s)) / max(np.max(np.abs(x)), 1e-3)))
            return s + amount * 10 * size * (x @ turn)

        return "rotation of the score", judge(replace(p, score=score))
    if kind == "noise":
        root = (1 + amount) ** 0.5
        return "Σ", judge(replace(p, g=lambda x, t: p.g(x, t) * root))

    def along(x: Any, t: Any) -> Any:
        """The largest principal direction of Σ longer."""
        g = p.g(x, t)
        if p.of_state:  # a row is what stays smooth there
            return g * (1 + 4 * amount * np.eye(d)[i])[:, None]
        axes = np.linalg.eigh(g[0] @ g[0].T)[1][:, -1:]
        return (np.eye(d) + ((1 + amount) ** 0.5 - 1) * axes @ axes.T) @ g

    return "one direction of Σ", judge(replace(p, g=along))
