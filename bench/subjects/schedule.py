"""Random right and wrong tables: DDPM tables of any form, length and type; or a form, a list of an
inference, a clock, a function that noises data (`schedule_lists`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof import check_schedule

from . import Case
from .schedule_lists import KINDS

__all__ = ["case"]

Tables = dict[str, np.ndarray]


def _betas(rng: np.random.Generator) -> np.ndarray:
    n = int(rng.choice([20, 50, 100, 1000]))
    kind = int(rng.integers(3))
    top = float(rng.uniform(5, 20)) / n
    if kind == 0:
        return np.linspace(top / 200, top, n)
    if kind == 1:
        return np.linspace((top / 20) ** 0.5, top**0.5, n) ** 2
    t = np.arange(n + 1) / n
    bar = np.cos((t + 0.008) / 1.008 * np.pi / 2) ** 2
    return np.minimum(1 - bar[1:] / bar[:-1], 0.999)


def _tables(betas: np.ndarray, rng: np.random.Generator) -> Tables:
    """In the arithmetic of the type of ``betas``, written down in one of several ways."""
    one = betas.dtype.type(1)
    a = np.cumprod(one - betas, dtype=betas.dtype)
    if rng.random() < 0.3:
        a = np.exp(np.cumsum(np.log1p(-betas.astype(float)))).astype(betas.dtype)
    p = np.concatenate([[one], a[:-1]])
    v = betas * (one - p) / (one - a)
    if rng.random() < 0.5:
        v = betas / (one - a) * (one - p)
    return {
        "alphas": one - betas,
        "alphas_cumprod": a,
        "alphas_cumprod_prev": p,
        "sqrt_alphas_cumprod": a**0.5 if rng.random() < 0.5 else np.sqrt(a),
        "sqrt_one_minus_alphas_cumprod": np.sqrt(one - a),
        "sqrt_recip_alphas_cumprod": one / np.sqrt(a),
        "sqrt_recipm1_alphas_cumprod": np.sqrt(one / a - one),
        "posterior_variance": v,
        "posterior_mean_coef1": betas * np.sqrt(p) / (one - a),
        "posterior_mean_coef2": (one - p) * np.sqrt(one - betas) / (one - a),
        "log_snr": np.log(a) - np.log(one - a),
    }


def case(rng: np.random.Generator) -> Case:
    """A setting, its right tables and wrong ones."""
    if rng.random() < 0.6:
        return KINDS[int(rng.integers(len(KINDS)))](rng)
    return _of_tables(rng)


def _of_tables(rng: np.random.Generator) -> Case:
    dtype = np.dtype(str(rng.choice(["float64", "float32"])))
    betas = _betas(rng)
    if rng.random() < 0.5:  # in double precision, and then rounded
        tables = {n: v.astype(dtype) for n, v in _tables(betas, rng).items()}
        betas = betas.astype(dtype)
    else:
        betas = betas.astype(dtype)
        tables = _tables(betas, rng)
    names = list(tables)
    kept = [n for n in names if rng.random() < 0.6] or ["alphas_cumprod"]
    library = str(rng.choice(["numpy", "torch", "list"]))

    def given(values: Tables) -> dict[str, Any]:
        make: Callable[[np.ndarray], Any] = np.asarray
        if library == "torch":
            import torch

            make = torch.from_numpy
        if library == "list" and dtype == "float64":
            make = np.ndarray.tolist
        return {n: make(np.ascontiguousarray(v)) for n, v in values.items()}

    def judge(values: Tables) -> Any:
        return check_schedule(**given({"betas": betas, **{n: values[n] for n in kept}}))

    def wrong(amount: float) -> tuple[str, Any]:
        name = str(rng.choice(kept))
        values = dict(tables)
        table = values[name].astype(float)
        sign = float(rng.choice([-1, 1])) if amount < 0.9 else 1.0
        kind = str(rng.choice(["factor", "entry", "stretch", "from k on", "shift", "root"]))
        where = np.zeros(len(table), bool)
        k = int(rng.integers(len(table)))
        if kind == "factor":
            where[:] = True
        elif kind == "entry":
            where[k] = True
        elif kind == "stretch":
            where[k : k + max(1, len(table) // 5)] = True
        else:
            where[k:] = True
        off = table * np.where(where & (table != 0), 1 + sign * amount, 1.0)
        if kind in ("shift", "root"):
            off = np.roll(table, 1) if kind == "shift" else np.abs(table) ** 0.5
        if np.array_equal(off, table):
            off = table * (1 + sign * amount)
        values[name] = off.astype(dtype)
        return f"{name}: {kind}", judge(values)

    setting = f"{len(betas)} steps, {dtype}, {library}, {len(kept)} tables"
    return Case(setting, lambda: judge(tables), wrong)
