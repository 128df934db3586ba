"""Right and wrong densities of diffusions for `check_fokker_planck`.

A process is built of a drift, a noise and the closed form of its density: linear in one rate,
linear by a full matrix, an h-transform, a product of stationary nonlinear coordinates. Wrong: a
deviation of ``amount`` in the drift, in one coordinate of it or in ρ², everywhere, in a window of
time or on one side of the domain; a jump of the density in space or in time; its mass; a fault of
the claim. Solutions on grids: `fokker_planck_grids`.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

import scoreproof as sp
from scoreproof.objects.h_transform import HTransform
from scoreproof.objects.linear_sde import LinearSDE
from scoreproof.objects.mixtures import GaussianMixture
from subjects import Case, fokker_planck_grids, fokker_planck_noises

SIZES = (1, 1, 1, 2, 2, 3, 3, 4, 6, 10, 16, 32)
LARGE = (64, 128, 256)
#: the part of the subjects whose noise is a matrix or depends on x
MATRICES = 0.35
#: the part of solutions on grids
GRIDS = 0.15


@dataclass
class Process:
    """Closed forms, in the arithmetic of ``xp`` (NumPy, torch or jax.numpy)."""

    name: str
    d: int
    drift: Callable[[Any, Any], Any]
    rho: Callable[[Any], Any]
    log_p: Callable[[Any, Any], Any]
    times: tuple[float, ...]
    domain: tuple[float, float]
    moves: bool  # whether the drift is not zero
    normalized: bool = True
    accepted: float | None = None  # the tolerance


def scalar_rate(rng: np.random.Generator, d: int, xp: Any, abs_: bool, coarse: bool) -> Process:
    """``dX = (a X + b) dt + ρ(t) dW`` from a mixture of isotropic Gaussians; a = 0 is variance
    exploding.
    """
    a = float(rng.choice([0.0, -0.4, -1.0, 0.5, -2.5]))
    b = rng.standard_normal(d) * float(rng.integers(2)) * (a != 0)
    q0, q1 = rng.uniform(0.3, 2.0), rng.uniform(0.0, 2.0) * float(rng.integers(2))
    k = int(rng.integers(1, 4))
    weights = rng.dirichlet(np.ones(k) * 3)
    means = rng.standard_normal((k, d)) * rng.choice([0.3, 1.0, 2.0])
    starts = np.exp(rng.uniform(-3, 1, k))
    low = float(rng.choice([0.05, 0.3]))
    style = int(rng.integers(4))

    def moved(t: Any) -> Any:
        if a == 0:
            return t * 0 + 1.0, t * 0, q0 * t + q1 * t * t / 2
        e = xp.exp(a * t)
        # ∫ e^{2a(t-s)} (q0 + q1 s) ds
        grown = (e * e - 1) / (2 * a)
        return e, (e - 1) / a, q0 * grown + q1 * (grown - t) / (2 * a)

    def log_p(x: Any, t: Any) -> Any:
        if abs_:
            t = abs(t)
        e, shift, spread = moved(t)
        logs = []
        for w, m, v in zip(weights, means, starts, strict=True):
            var = float(v) * e * e + spread
            r = x - (e * to(m, x, xp) + shift * to(b, x, xp))
            square = (
                (r * r).sum(-1)
                if style == 0
                else (r**2).sum(-1)
                if style == 1
                else (abs(r) ** 2).sum(-1)
                if abs_
                else (r @ r.T).diagonal()
                if style == 2 and len(x) < 40
                else xp.einsum("ni,ni->n", r, r)
            )
            logs.append(float(np.log(w)) - 0.5 * square / var - 0.5 * d * xp.log(2 * np.pi * var))
        return log_sum(logs, xp)

    def drift(x: Any, t: Any) -> Any:
        return a * x + to(b, x, xp) if style % 2 else a * (x + to(b, x, xp) / a) if a else 0.0 * x

    return Process(
        f"rate {a:g}, {k} parts",
        d,
        drift,
        lambda t: (q0 + q1 * t) ** 0.5,
        log_p,
        (low, low + 0.3, float(rng.choice([1.0, 2.0]))),
        (-3.0, 3.0) if coarse or rng.random() < 0.8 else (-40.0, 60.0),
        a != 0,
    )


def full_matrix(rng: np.random.Generator, d: int) -> Process:
    A = rng.standard_normal((d, d)) * 0.5 / np.sqrt(d) - np.diag(rng.uniform(0.1, 1, d))
    sde = LinearSDE(A, rng.standard_normal(d) * 0.3, [rng.uniform(0.5, 1.2), rng.uniform(0, 0.6)])
    k = int(rng.integers(1, 3))
    roots = rng.standard_normal((k, d, d)) * 0.4
    start = GaussianMixture(
        rng.dirichlet(np.ones(k) * 4),
        rng.standard_normal((k, d)),
        roots @ np.swapaxes(roots, 1, 2) + 0.3 * np.eye(d),
    )
    return Process(
        "full matrix",
        d,
        sde.drift,
        sde.diffusion,
        lambda x, t: sde.log_density(x, t, start),
        (0.2, 0.5, 1.0),
        (-3.0, 3.0),
        True,
    )


def h_transform(rng: np.random.Generator, d: int) -> Process:
    h = HTransform(
        rng.uniform(0.3, 1, 3).tolist(),
        rng.uniform(-1, 1, (3, d)).tolist(),
        (0.7, float(rng.uniform(0.1, 0.6))),
        (0.5, 0.5),
        rng.uniform(-1, 1, (2, d)).tolist(),
        (0.4, 0.6),
    )
    return Process(
        "h-transform",
        d,
        lambda x, t: np.stack(h.drift(list(x.T), t), axis=1),
        h.diffusion,
        lambda x, t: np.log(h.density(list(x.T), t)),
        (0.2, 0.6, 1.0),
        (-3.0, 3.0),
        True,
    )


def stationary(rng: np.random.Generator, d: int, xp: Any) -> Process:
    """``p ∝ exp(-2 U/ρ²)``, f = -∇U, a different double well in each coordinate, coupled to the
    next.
    """
    c4, c2, c1 = rng.uniform(0.05, 0.3, d), rng.uniform(-0.5, 1.0, d), rng.uniform(-0.5, 0.5, d)
    tie, rho = float(rng.uniform(0, 0.5)) * (d > 1), float(rng.uniform(0.6, 1.5))

    def U(x: Any) -> Any:
        own = to(c4, x, xp) * x * x * x * x + to(c2, x, xp) * x * x + to(c1, x, xp) * x
        return own.sum(-1) + tie * (x[:, 1:] * x[:, :-1]).sum(-1)

    def drift(x: Any, t: Any) -> Any:
        slope = 4 * to(c4, x, xp) * x * x * x + 2 * to(c2, x, xp) * x + to(c1, x, xp)
        if tie:
            zero = x[:, :1] * 0
            cat = np.concatenate if xp is np else xp.concatenate
            slope = slope + tie * cat([x[:, 1:], zero], 1) + tie * cat([zero, x[:, :-1]], 1)
        return -slope

    return Process(
        "stationary wells",
        d,
        drift,
        lambda t: rho,
        lambda x, t: -2 * U(x) / rho**2 + 0 * t,
        (0.2, 0.5, 1.0),
        (-2.5, 2.5),
        True,
        normalized=False,
    )


def to(a: np.ndarray, x: Any, xp: Any) -> Any:
    """``a`` in the framework and type of x."""
    if xp is np:
        return a
    if xp.__name__ == "torch":
        return xp.as_tensor(a, dtype=x.dtype)
    return xp.asarray(a, dtype=x.dtype)


def log_sum(logs: list[Any], xp: Any) -> Any:
    if len(logs) == 1:
        return logs[0]
    if xp is np:
        stacked = np.stack(logs)
        top = np.max(stacked.real, axis=0)
        return top + np.log(np.exp(stacked - top).sum(axis=0))
    if xp.__name__ == "torch":
        return xp.logsumexp(xp.stack(logs), 0)
    import jax

    return jax.scipy.special.logsumexp(xp.stack(logs), 0)


def case(rng: np.random.Generator) -> Case:
    # asked of another stream, so that the subjects of a seed stay as they were
    if rng.spawn(1)[0].random() < MATRICES:
        return fokker_planck_noises.case(rng)
    grids = deepcopy(rng)  # so that other seeds are what they were
    if grids.random() < GRIDS:
        return fokker_planck_grids.case(grids)
    framework = str(rng.choice(["numpy", "torch", "jax"], p=[0.9, 0.09, 0.01]))
    xp, options = _framework(rng, framework)
    d = int(rng.choice(SIZES)) if rng.random() < 0.92 else int(rng.choice(LARGE))
    coarse = options.get("dtype") in ("float32", "bfloat16")
    if framework != "numpy":
        d = min(d, 4)
    if coarse:
        d = min(d, 4)
    abs_ = framework == "numpy" and d <= 16 and rng.random() < 0.12
    kind = str(rng.choice(["rate", "full", "h", "wells"], p=[0.58, 0.08, 0.15, 0.19]))
    if kind == "full" and framework == "numpy" and d <= 4 and not coarse:
        process = full_matrix(rng, d)
    elif kind == "h" and framework == "numpy" and d <= 3 and not coarse:
        process = h_transform(rng, d)
    elif kind == "wells" and not coarse:
        process = stationary(rng, d, xp)
    else:
        process = scalar_rate(rng, d, xp, abs_, coarse)
    as_log = d > 2 or process.domain[1] > 10 or not process.normalized or rng.random() < 0.6
    weak = d <= 2 and process.domain[1] < 10 and rng.random() < 0.12
    cast = framework == "numpy" and d <= 2 and not weak and rng.random() < 0.05
    setting = f"{process.name}, d = {d}, {framework} {options.get('dtype', 'float64')}"
    setting += ", abs" if abs_ else ""
    setting += ", log" if as_log else ""
    setting += ", weak" if weak else ""
    setting += ", cast to float32" if cast else ""
    seed = int(rng.integers(100))
    if rng.random() < 0.1:
        process.accepted = float(rng.choice([0.003, 0.01, 0.05]))
        setting += f", tolerance {process.accepted:g}"

    def judge(p: Process, log_factor: Callable[[Any, Any], Any] | None = None) -> Any:
        def log_p(x: Any, t: Any) -> Any:
            value = p.log_p(x, t)
            value = value if log_factor is None else value + log_factor(x, t)
            return np.real(value).astype(np.float32) if cast else value

        def density(x: Any, t: Any) -> Any:
            return xp.exp(log_p(x, t))

        law = {"log_density": log_p} if as_log else {"density": density}
        return sp.check_fokker_planck(
            p.drift,
            p.rho,
            **law,
            times=p.times,
            domain=p.domain,
            dimension=d,
            method="weak" if weak else "auto",
            normalized=p.normalized,
            framework=framework,
            seed=seed,
            tolerance=p.accepted,
            **options,
        )

    def wrong(amount: float) -> tuple[str, Any]:
        return _wrong(rng, process, amount, judge, xp, weak)

    return Case(setting, lambda: judge(process), wrong)


def _framework(rng: np.random.Generator, framework: str) -> tuple[Any, dict[str, Any]]:
    if framework == "numpy":
        return np, ({"dtype": "float32"} if rng.random() < 0.08 else {})
    if framework == "torch":
        import torch

        return torch, {"dtype": str(rng.choice(["float64", "float32"]))}
    import jax.numpy

    return jax.numpy, {"dtype": "float32"}


def _wrong(
    rng: np.random.Generator, p: Process, amount: float, judge: Any, xp: Any, weak: bool
) -> tuple[str, Any]:
    first, last = p.times[0], p.times[-1]
    width = rng.uniform(0.15, 0.5) * (last - first)
    begin = rng.uniform(first, last - width)
    side, level = int(rng.integers(p.d)), float(rng.uniform(-0.4, 0.4)) * p.domain[1]
    i = int(rng.integers(p.d))
    kinds = ["rho", "jump in x", "jump in t", "mass", "fault"]
    kinds += ["drift", "coordinate", "coordinate"] if p.moves else []
    kind = str(rng.choice(kinds))
    scope = str(rng.choice(["everywhere", "window", "side"]))
    if weak and kind == "jump in x":
        kind = "rho"
    if kind == "mass" and (not p.normalized or p.d > 64):
        kind = "rho"

    def inside(t: Any) -> bool:
        return begin <= float(np.real(np.asarray(t))) <= begin + width

    def part(x: Any, t: Any, size: float) -> Any:
        """``size`` where the deviation is, 0 elsewhere."""
        if scope == "window":
            return size if inside(t) else 0.0
        if scope == "side" and not weak:
            where = x[:, side].real > level
            return xp.where(where, size + 0 * x[:, side], 0 * x[:, side])[:, None]
        return size

    if kind == "rho":
        if scope == "side":
            scope = "everywhere"
        wide = Process(
            **{**p.__dict__, "rho": lambda t: p.rho(t) * (1 + part(0, t, amount)) ** 0.5}
        )
        return f"ρ² {scope}", judge(wide)
    if kind == "drift":
        off = Process(
            **{**p.__dict__, "drift": lambda x, t: p.drift(x, t) * (1 + part(x, t, amount))}
        )
        return f"drift {scope}", judge(off)
    if kind == "coordinate":
        only = np.eye(p.d)[i]

        def drift(x: Any, t: Any) -> Any:
            return p.drift(x, t) * (1 + part(x, t, amount) * to(only, x, xp))

        return f"drift[{i}] {scope}", judge(Process(**{**p.__dict__, "drift": drift}))
    if kind == "jump in x":
        return "jump in x", judge(
            p, lambda x, t: xp.where(x[:, side].real > level, amount + 0 * x[:, 0], 0 * x[:, 0])
        )
    if kind == "jump in t":
        return "jump in t", judge(
            p, lambda x, t: amount if float(np.real(np.asarray(t))) > begin + width / 2 else 0.0
        )
    if kind == "mass":
        below = float(rng.choice([1, -0.9]))
        factor = float(np.log1p(max(amount, 0.1) * below))
        heavy = judge(p, lambda x, t: factor)
        if heavy.verdict != "holds" or "its mass is 1 to" in heavy.sentence:
            return f"mass {np.exp(factor):.3g}", heavy
        # the sentence says that the mass is not looked at
        return "half missing", judge(Process(**{**p.__dict__, "rho": lambda t: p.rho(t) * 2**0.5}))
    name, edit = _faults(rng, p)
    return name, judge(edit)


def _faults(rng: np.random.Generator, p: Process) -> tuple[str, Process]:
    """Conventions that people mix up."""
    faults: list[tuple[str, dict[str, Any]]] = [
        ("half missing", {"rho": lambda t: p.rho(t) * 2**0.5}),
        ("half twice", {"rho": lambda t: p.rho(t) / 2**0.5}),
        ("ρ² for ρ", {"rho": lambda t: p.rho(t) ** 2}),
        ("no noise", {"rho": lambda t: 0.0 * p.rho(t)}),
        ("time reversed", {"log_p": lambda x, t: p.log_p(x, p.times[0] + p.times[-1] - t)}),
    ]
    if p.moves:
        faults += [
            ("drift sign", {"drift": lambda x, t: -p.drift(x, t)}),
            ("no drift", {"drift": lambda x, t: 0 * p.drift(x, t)}),
        ]
    small = p.accepted or abs(float(p.rho(p.times[0])) - 1) < 0.05  # they may be, relative to it
    if small or p.name.startswith("stationary"):
        faults = [f for f in faults if f[0] not in ("ρ² for ρ", "time reversed")]
    name, edit = faults[int(rng.integers(len(faults)))]
    return name, Process(**{**p.__dict__, **edit})
