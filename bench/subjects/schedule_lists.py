"""Random right and wrong forms, inference lists, clocks and functions that noise data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof import check_schedule

from . import Case

__all__ = ["KINDS"]

Random = np.random.Generator


def _off(values: np.ndarray, rng: Random, amount: float) -> tuple[str, np.ndarray]:
    """Wrong by ``amount`` at one entry, at a stretch or at all, ends that tell the form spared."""
    kind = str(rng.choice(["entry", "stretch", "all but the ends"]))
    where = np.zeros(len(values), bool)
    k = int(rng.integers(1, len(values) - 1))
    where[k] = True
    if kind == "stretch":
        where[k : k + max(1, len(values) // 5)] = True
    if kind == "all but the ends":
        where[:] = True
    where[[0, -1]] = False
    return kind, values * np.where(where, 1 + float(rng.choice([-1, 1])) * min(amount, 0.9), 1.0)


def _sorted(values: np.ndarray) -> np.ndarray:
    """Falling still: a list that is not sorted is bad input."""
    return np.minimum.accumulate(values) * (1 - 1e-6 * np.arange(len(values)))


def betas_form(rng: Random) -> Case:
    """β against the formula of their name."""
    n = int(rng.choice([50, 200, 1000]))
    form = str(rng.choice(["linear", "scaled_linear", "cosine", "sigmoid"]))
    low, high = 10.0 ** rng.uniform(-5, -3), float(rng.uniform(0.005, 0.05))
    options: dict[str, Any] = {"beta_start": low, "beta_end": high}
    dtype = str(rng.choice(["float64", "float32"]))
    if form == "linear":
        betas = low + (high - low) * np.arange(n) / (n - 1)
    elif form == "scaled_linear":
        betas = (low**0.5 + (high**0.5 - low**0.5) * np.arange(n) / (n - 1)) ** 2
    elif form == "sigmoid":
        betas = low + (high - low) * 0.5 * (1 + np.tanh(np.linspace(-6, 6, n) / 2))
    else:
        s = float(rng.uniform(0.002, 0.02))
        options = {"s": s}
        bar = np.cos((np.arange(n + 1) / n + s) / (1 + s) * np.pi / 2) ** 2
        betas = np.minimum(1 - bar[1:] / bar[:-1], 0.999)

    def judge(values: np.ndarray) -> Any:
        return check_schedule(betas=values.astype(dtype), form=form, form_options=options)

    def wrong(amount: float) -> tuple[str, Any]:
        kind, values = _off(betas, rng, amount)
        return f"betas: {kind}", judge(np.minimum(values, 0.9999))

    return Case(f"{form}, {n} steps, {dtype}", lambda: judge(betas), wrong)


def sigmas_form(rng: Random) -> Case:
    """σ against the formula of their name."""
    n = int(rng.choice([8, 20, 50]))
    low, high = 10.0 ** rng.uniform(-3, -1), 10.0 ** rng.uniform(0.5, 2)
    form = str(rng.choice(["karras", "exponential", "shifted"]))
    u = np.arange(n) / (n - 1)
    options: dict[str, Any] = {}
    if form == "karras":
        rho = float(rng.uniform(3, 9))
        options = {"rho": rho}
        s = ((1 - u) * high ** (1 / rho) + u * low ** (1 / rho)) ** rho
    elif form == "exponential":
        s = high * (low / high) ** u
    else:
        by = float(rng.uniform(1.5, 6))
        options = {"shift": by}
        s = np.linspace(1, low, n)
        s = s * by / (1 - s + by * s)
    dtype = str(rng.choice(["float64", "float32"]))
    zero = [0.0] if rng.random() < 0.5 else []

    def judge(values: np.ndarray) -> Any:
        given = np.append(values, zero).astype(dtype)
        return check_schedule(sigmas=given, form=form, form_options=options)

    def wrong(amount: float) -> tuple[str, Any]:
        kind, values = _off(s, rng, amount)
        return f"sigmas: {kind}", judge(_sorted(values))

    return Case(f"{form}, {n} levels, {dtype}", lambda: judge(s), wrong)


def _table(rng: Random) -> np.ndarray:
    n = int(rng.choice([50, 200, 1000]))
    top = float(rng.uniform(5, 20)) / n
    return np.linspace(top / 200, top, n)


def inference(rng: Random) -> Case:
    """Timesteps and their σ."""
    betas = _table(rng)
    total = len(betas)
    bar = np.cumprod(1 - betas)
    train = np.sqrt(1 / bar - 1)
    n = int(rng.choice([5, 10, 20]))
    spacing = str(rng.choice(["leading", "trailing", "linspace"]))
    if spacing == "leading":
        t = np.arange(n)[::-1] * (total // n)
    elif spacing == "trailing":
        t = np.round(total - np.arange(n) * total / n).astype(int) - 1
    else:
        t = np.rint(np.linspace(total - 1, 0, n)).astype(int)

    def judge(times: np.ndarray, sigmas: np.ndarray) -> Any:
        return check_schedule(betas=betas, timesteps=times, sigmas=sigmas, spacing=spacing)

    def wrong(amount: float) -> tuple[str, Any]:
        kind = str(rng.choice(["sigmas", "timestep", "reversed", "squared"]))
        if kind == "sigmas":
            where, s = _off(train[t], rng, amount)
            return f"sigmas: {where}", judge(t, _sorted(s))
        if kind == "squared":
            return kind, judge(t, train[t] ** 2)
        if kind == "reversed":
            return kind, judge(t[::-1], train[t[::-1]])
        moved = t.copy()
        k = int(rng.integers(len(t)))
        moved[k] += 1 if moved[k] < total - 1 else -1
        return f"timestep {k} of {n}", judge(moved, train[moved])

    return Case(f"{spacing}, {n} of {total}", lambda: judge(t, train[t]), wrong)


def clock(rng: Random) -> Case:
    """Timesteps of a list of σ without a table."""
    n = int(rng.choice([8, 20, 50]))
    s = np.sort(rng.uniform(0.01, 1, n))[::-1]
    name, of = [
        ("1000 σ", lambda s: 1000 * s),
        ("σ", lambda s: s),
        ("ln σ / 4", lambda s: np.log(s) / 4),
        ("1000 (1 - σ)", lambda s: 1000 - 1000 * s),
    ][int(rng.integers(4))]

    def judge(times: np.ndarray) -> Any:
        return check_schedule(sigmas=s, timesteps=times)

    def wrong(amount: float) -> tuple[str, Any]:
        kind, times = _off(of(s), rng, max(amount, 0.02))
        return f"{name}: {kind}", judge(times)

    return Case(f"{name}, {n} levels", lambda: judge(of(s)), wrong)


def add_noise(rng: Random) -> Case:
    """A function that noises data, of a table or of σ."""
    betas = _table(rng)
    bar = np.cumprod(1 - betas)
    ve = rng.random() < 0.3
    alpha = np.ones(len(bar)) if ve else np.sqrt(bar)
    sigma = np.sqrt(1 / bar - 1) if ve else np.sqrt(1 - bar)
    dtype = str(rng.choice(["float64", "float32"]))
    torch_ = rng.random() < 0.5
    shape = ((2,), (3, 4, 4), (1,))[int(rng.integers(3))]

    def function(a: np.ndarray, s: np.ndarray, bend: Callable[..., Any]) -> Callable[..., Any]:
        a, s = a.astype(dtype), s.astype(dtype)
        if torch_:
            import torch

            first, second = torch.from_numpy(a), torch.from_numpy(s)
        else:
            first, second = a, s

        def q_sample(x_start: Any, t: Any, noise: Any) -> Any:
            to = (-1, *[1] * len(shape))
            return bend(first[t].reshape(to) * x_start + second[t].reshape(to) * noise)

        return q_sample

    def judge(a: np.ndarray, s: np.ndarray, bend: Callable[..., Any] = lambda x: x) -> Any:
        table = betas.astype(dtype)
        return check_schedule(betas=table, add_noise=function(a, s, bend), shape=shape)

    def wrong(amount: float) -> tuple[str, Any]:
        kind = str(rng.choice(["x_0", "noise", "clip", "before", "entry"]))
        if kind == "clip":
            return kind, judge(alpha, sigma, lambda x: x.clip(-1, 1))
        if kind == "before":
            return kind, judge(np.roll(alpha, 1), np.roll(sigma, 1))
        if kind == "entry":

            def bend(x: Any) -> Any:
                flat = x.reshape(len(x), -1)
                flat[:, -1] = flat[:, -1] * (1 + amount)
                return flat.reshape(x.shape)

            return kind, judge(alpha, sigma, bend)
        where, values = _off(alpha if kind == "x_0" else sigma, rng, amount)
        pair = (values, sigma) if kind == "x_0" else (alpha, values)
        return f"{kind}: {where}", judge(*pair)

    setting = f"add_noise{' of σ' if ve else ''}, {len(bar)} steps, {dtype}, {shape}"
    return Case(setting + (", torch" if torch_ else ""), lambda: judge(alpha, sigma), wrong)


KINDS: tuple[Callable[[Random], Case], ...] = (
    betas_form,
    sigmas_form,
    inference,
    clock,
    add_noise,
)
