"""Subjects for `check_reverse_sampler`: random schedules, forms, precisions and ways of writing;
wrong ones by the claim's faults and pairs, by noise, coordinates, rows, regions and windows of
time.

Conventions: the amount is the relative deviation of the velocity, at every time of the window, for
the λ and the points where it is largest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof import check_reverse_sampler
from scoreproof.objects.schedules import EDM, VE, FlowMatching, SubVP, VPCosine, VPLinear
from subjects import Case
from subjects.right_samplers import DRIFTS, NOISY, ODES, WEAK, Kit
from subjects.wrong_samplers import Wrong, worked

__all__ = ["case"]


@dataclass(frozen=True)
class Setting:
    """What is asked of the check, and how the right sampler is written."""

    process: Any
    form: str
    way: str
    prediction: str
    precision: str
    lambdas: tuple[float, ...]
    dimension: int | None
    times: tuple[float, float]
    clock: str
    eta: bool
    weak: str | None
    tolerance: float | None
    seed: int

    def __str__(self) -> str:
        lams = ", ".join(f"{lam:.3g}" for lam in self.lambdas)
        return (
            f"{self.process}, {self.form} ({self.way}), model {self.prediction}, {self.precision}, "
            f"λ = {lams}, d = {self.dimension}, t in ({self.times[0]:.3g}, {self.times[1]:.3g}), "
            f"clock {self.clock}{', η' if self.eta else ''}{', ' + self.weak if self.weak else ''}"
        )


def case(rng: np.random.Generator) -> Case:
    """One setting, its right sampler, and wrong ones."""
    given = _setting(rng)
    sampler = _sampler(given)
    wrong_seed = int(rng.integers(2**31))

    def wrong(amount: float) -> tuple[str, Any]:
        fault = worked(
            np.random.default_rng(wrong_seed),
            given.process,
            given.lambdas,
            given.dimension,
            given.times,
            given.form,
            amount,
        )
        return fault.name, _judged(given, _wronged(given, sampler, fault))

    return Case(str(given), lambda: _judged(given, sampler), wrong)


def _process(rng: np.random.Generator) -> Any:
    kind = rng.integers(6)
    if kind == 0:
        return VPLinear(float(rng.uniform(0.05, 0.5)), float(rng.uniform(2, 20)))
    if kind == 1:
        return SubVP(float(rng.uniform(0.05, 0.5)), float(rng.uniform(2, 20)))
    if kind == 2:
        return VE(float(rng.uniform(0.01, 0.1)), float(rng.uniform(2, 60)))
    if kind == 3:
        return EDM(float(10 ** rng.uniform(0, 1.9)))
    return VPCosine() if kind == 4 else FlowMatching()


def _setting(rng: np.random.Generator) -> Setting:
    process = _process(rng)
    form = str(rng.choice(["sde", "step"]))
    precision = str(
        rng.choice(["float64", "float32", "torch float64", "torch float32", "bfloat16", "jax"],
                   p=[0.55, 0.15, 0.12, 0.1, 0.06, 0.02])
    )  # fmt: skip
    if form == "step" and precision in ("bfloat16", "jax"):
        precision = "float32"
    ode = form == "step" and rng.random() < 0.15
    if ode:
        lambdas: tuple[float, ...] = (1.0,)
    else:
        low = 0.0 if form == "step" else -1.5
        count = int(rng.integers(1, 3))
        lambdas = tuple(
            float(rng.choice([0.0, 0.5, 1.0, rng.uniform(low, 1)])) for _ in range(count)
        )
    ways = DRIFTS if form == "sde" else ODES if ode else NOISY
    predictions = ["score", "eps", "x0", "v", "velocity"]
    low, high = sorted(rng.uniform(0.08, 0.98, 2))
    if high - low < 0.3 or rng.random() < 0.5:
        low, high = 0.1, 0.9
    if precision != "float64" and low < 0.2:
        low = 0.2  # in single precision x_0 is not known at small σ
    return Setting(
        process=process,
        form=form,
        way=str(rng.choice(list(ways))),
        prediction=str(rng.choice(predictions)) if rng.random() < 0.5 else "score",
        precision=precision,
        lambdas=tuple(dict.fromkeys(lambdas)),
        dimension=[None, None, None, 1, 2, 3, 5, 16, 64, 256][
            int(rng.choice(10, p=[0.1, 0.08, 0.07, 0.22, 0.2, 0.16, 0.1, 0.05, 0.015, 0.005]))
        ],
        times=(float(low) * process.horizon, float(high) * process.horizon),
        clock=str(rng.choice(["t", "s"])) if form == "sde" else "t",
        eta=bool(rng.random() < 0.2),
        weak=str(rng.choice(list(WEAK))) if form == "step" and rng.random() < 0.1 else None,
        tolerance=0.6 if precision == "bfloat16" else None,
        seed=int(rng.integers(1000)),
    )


def _sampler(given: Setting) -> Callable[..., Any]:
    rounded = (lambda v: float(np.float32(v))) if "32" in given.precision else float
    kit = Kit(given.process, given.prediction, rounded if given.seed % 2 else float)
    if given.form == "sde":
        drift = DRIFTS[given.way]
        sign = 1 if given.clock == "t" else -1

        def drift_and_noise(x: Any, t: float, model: Any, lam: float) -> Any:
            b, c = drift(kit, x, t, model, 1 - lam**2 if given.eta else lam)
            return sign * b, c

        return drift_and_noise
    inner = (NOISY | ODES)[given.way]

    def step(x: Any, t: float, tn: float, z: Any, model: Any, lam: float) -> Any:
        lam = 1 - lam**2 if given.eta else lam
        if given.weak and "torch" not in given.precision:
            z = WEAK[given.weak](z).astype(x.dtype)
        return inner(kit, x, t, tn, z, model, lam)

    return step


def _wronged(given: Setting, right: Callable[..., Any], fault: Wrong) -> Callable[..., Any]:
    """The right sampler with the fault's excess drift and noise added to it."""
    kit = Kit(given.process, given.prediction)
    sign = 1 if given.clock == "t" else -1

    def lam_of(last: float) -> float:
        return 1 - last**2 if given.eta else last

    if given.form == "sde":

        def drift_and_noise(x: Any, t: float, model: Any, last: float) -> Any:
            b, c = right(x, t, model, last)
            more, factor = fault.sde(x, t, lambda y, u: kit.score(model, y, u), lam_of(last))
            return b + sign * more, c * factor

        return drift_and_noise

    def step(x: Any, t: float, tn: float, z: Any, model: Any, last: float) -> Any:
        y, w, more = fault.step(x, t, tn, z, lambda y, u: kit.score(model, y, u), lam_of(last))
        return right(y, t, tn, w, model, last) + more

    return step


def _judged(given: Setting, sampler: Callable[..., Any]) -> Any:
    framework = "torch" if "torch" in given.precision or given.precision == "bfloat16" else "numpy"
    framework = "jax" if given.precision == "jax" else framework
    dtype = {"float64": None, "torch float64": None, "jax": None}.get(
        given.precision, given.precision.removeprefix("torch ")
    )
    return check_reverse_sampler(
        sampler,
        given.process,
        given.lambdas,
        form=given.form,
        prediction=given.prediction,
        parameter="eta" if given.eta else "lambda",
        clock=given.clock,
        times=given.times,
        dimension=given.dimension,
        tolerance=given.tolerance,
        framework=framework,
        dtype=dtype,
        seed=given.seed,
    )
