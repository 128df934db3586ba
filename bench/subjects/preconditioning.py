"""Random preconditioned networks, in each form that `check_preconditioning` takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof import check_preconditioning

from . import Case

__all__ = ["case"]

Functions = dict[str, Callable[[Any], Any]]


def _edm(d: float, rng: np.random.Generator) -> Functions:
    """Written down in one of several ways."""
    if rng.random() < 0.5:
        return {
            "c_skip": lambda s: d**2 / (s**2 + d**2),
            "c_out": lambda s: s * d / np.sqrt(s**2 + d**2),
            "c_in": lambda s: 1 / np.sqrt(s**2 + d**2),
            "c_noise": lambda s: np.log(s) / 4,
        }
    return {
        "c_skip": lambda s: 1 - s**2 / (s**2 + d**2),
        "c_out": lambda s: 1 / np.sqrt(1 / s**2 + 1 / d**2),
        "c_in": lambda s: (d * np.sqrt((s / d) ** 2 + 1)) ** -1,
        "c_noise": lambda s: 0.25 * np.log(s),
    }


def _wrapped(f: Functions, dtype: Any) -> Any:
    def around(network: Any) -> Any:
        def denoiser(x: np.ndarray, sigma: Any) -> np.ndarray:
            x = x.astype(dtype)
            s = np.reshape(np.asarray(sigma, dtype), (-1,) + (1,) * (x.ndim - 1))
            skip, out, into = (f[n](s).astype(dtype) for n in ("c_skip", "c_out", "c_in"))
            return skip * x + out * network(into * x, f["c_noise"](np.ravel(s)))

        return denoiser

    return around


def case(rng: np.random.Generator) -> Case:
    """A setting, its right wrapper and wrong ones."""
    d = float(np.exp(rng.uniform(np.log(0.05), np.log(20))))
    right = _edm(d, rng)
    form = str(rng.choice(["functions", "wrapped", "scalings"]))
    dtype = np.float32 if form == "wrapped" and rng.random() < 0.4 else np.float64
    declared = d if rng.random() < 0.6 else None
    sigmas = np.geomspace(0.002, 80, int(rng.integers(5, 20)))
    shape = (4,) if rng.random() < 0.5 else (3, 4, 4)

    def judge(f: Functions) -> Any:
        given: Any = dict(f)
        if form == "wrapped":
            given = _wrapped(f, dtype)
        if form == "scalings":

            def given(sigma: float) -> tuple[Any, ...]:
                return tuple(f[n](sigma) for n in ("c_skip", "c_out", "c_in", "c_noise"))

        return check_preconditioning(
            given, sigma_data=declared, sigmas=sigmas, shape=shape, form="edm"
        )

    def wrong(amount: float) -> tuple[str, Any]:
        name = str(rng.choice(["c_skip", "c_out", "c_in", "c_noise"]))
        # c_skip counts by what it does to the denoiser: by as much more it has to be off
        factor = 1 + 8 * max(amount, 1e-9) * float(rng.choice([1.0, 10.0, 100.0]))
        f = right[name]
        faults: dict[str, Callable[[Any], Any]] = {
            "scaled": lambda s: f(s) * factor,
            "sign": lambda s: -f(s) + 0.0,
            "another sigma_data": _edm(d * 1.5, rng)[name],
            "at one end": lambda s: f(s) * np.where(s > 1.0, 1 + 0.2, 1.0),
        }
        if name == "c_noise":
            del faults["another sigma_data"]
        fault = str(rng.choice(list(faults)))
        return f"{name} {fault}", judge(right | {name: faults[fault]})

    return Case(
        f"{form}, σ_data {d:.3g}, {np.dtype(dtype).name}, {declared=}", lambda: judge(right), wrong
    )
