"""The function that noises data, against √ᾱ and √(1 - ᾱ), or against the list of σ.

Conventions: as in `asking`; between two entries of a table as in `interpolation`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared
from scoreproof.public.schedule.arguments import Given
from scoreproof.public.schedule.asking import Levels, levels
from scoreproof.public.schedule.interpolation import interpolated
from scoreproof.public.schedule.noise_levels import rounded, used
from scoreproof.public.schedule.noising import FORMULAS, Heard, mixture, noised
from scoreproof.public.schedule.rounding import split
from scoreproof.public.schedule.tables import TABLES

__all__ = ["Heard", "forward", "heard"]

#: timesteps that are looked at, of a longer table, and numbers in all
MOST, NUMBERS = 2048, 2**24
#: the shape of a sample where none is named: of a point, else of an image
ROW, IMAGE = (2,), (3, 4, 5)


def heard(given: Given) -> Heard | None:
    """add_noise at the timesteps of the inference, else at all of the table, or at the σ."""
    if given.forward is None:
        return None
    if given.shape is not None:
        return _heard(given, given.shape)
    try:
        return _heard(given, ROW)
    except CallableError as error:
        try:
            return _heard(given, IMAGE)
        except CallableError:
            raise error from None


def _heard(given: Given, shape: tuple[int, ...]) -> Heard | None:
    times, sigmas = _times(given, int(np.prod(shape, dtype=int)))
    found = levels(given, times, shape)
    if found is None:
        return None
    if given.noise_last and len(times) > 2 and np.ptp(found.alpha) == 0 < np.ptp(sigmas):
        raise CallableError(
            "scale_noise",
            "take a timestep for each sample",
            "it has the same factors at all of them",
            "pass add_noise= that does, or a scheduler that keeps no timestep of a call before",
        )
    if given.flow:
        kinds = {"flow": (1 - sigmas, sigmas)}
    elif given.base is None:
        kinds = {"ve": (np.ones(len(sigmas)), sigmas), "flow": (1 - sigmas, sigmas)}
    else:
        size = np.hypot(1, sigmas)
        kinds = {"vp": (1 / size, sigmas / size), "ve": (np.ones(len(sigmas)), sigmas)}
    matched = {k: _matched(found, *due) for k, due in kinds.items()}
    kind = max(matched, key=lambda k: matched[k])  # the first of those that match as well
    return Heard(found, kind, kinds[kind])


def _times(given: Given, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Timesteps that are asked, and σ/α there (σ itself where there is no table)."""
    t, most = given.timesteps, int(np.clip(NUMBERS // size, 64, MOST))
    s = np.array([0.0]) if given.sigmas is None else used(given)
    if given.base is None or given.flow:
        t = s if t is None or len(t) != len(s) else t
    elif t is None or not rounded(given, s):
        total = len(given.base.bar)
        if t is None or len(t) == total:
            t = np.unique(np.linspace(0, total - 1, min(total, most)).round())
        s = interpolated(given.base, t, s if len(s) == len(t) else None)[1]
    return (t.astype(int) if np.all(t == np.round(t)) else t), s


def _matched(found: Levels, *due: np.ndarray) -> int:
    """How many of the two factors are those of this kind, at most timesteps."""
    return sum(
        bool(np.mean(np.abs(values[:, 0] - wanted) <= 1e-2 * np.abs(wanted)) >= 0.5)
        for values, wanted in zip((found.alpha, found.sigma), due, strict=True)
    )


def forward(given: Given, told: Heard | None) -> Evidence | None:
    """α, σ, and nothing else."""
    if told is None:
        return None
    found, times = told.levels, told.levels.times
    base = given.base if told.kind != "flow" else None
    coarse = max(found.eps, base.eps if base is not None else given.sigmas_eps)
    rounding = np.full(len(times), 64 * coarse)
    if base is not None:
        loss = np.interp(times, np.arange(len(base.bar)), TABLES["train_sigmas"].loss(base))
        of_bar = np.interp(times, np.arange(len(base.bar)), base.roundings)
        rounding = coarse * (of_bar + 16) * loss + 8 * coarse
    elif told.kind == "flow":  # 1 - σ
        rounding = rounding / np.minimum(np.maximum(1 - told.due[1], 1e-3), 1.0)
    parts = (found.alpha, found.sigma)
    errors = []
    for values, due in zip(parts, told.due, strict=True):
        size = np.where(due > 1e-12 * np.max(due), due, np.max(due))
        with np.errstate(all="ignore"):
            errors.append(np.max(np.abs(values - due[:, None]) / size[:, None], axis=1))
    error = np.nan_to_num(np.stack(errors), nan=1e300, posinf=1e300)
    bound, excuse = split(error, np.broadcast_to(rounding, error.shape), coarse)
    mixed = np.nan_to_num(found.mixed, nan=1e300, posinf=1e300)
    evidence = compared(
        np.vstack([error, mixed]),
        np.vstack([bound, np.full((1, len(times)), 16 * max(found.eps, 2.0**-52))]),
        f"add_noise(x_0, noise, t) is {FORMULAS[told.kind]}",
        excuse=np.vstack([excuse, np.zeros((1, len(times)))]),
        coverage=Coverage({"timesteps": len(times), "functions": 1}),
        tolerance=given.tolerance,
    )
    if evidence.verdict != "refuted":
        return evidence
    wrong = error > bound + excuse + (given.tolerance or 0.0)
    if not np.any(wrong):
        k = int(np.argmax(mixed))
        text = (
            f"add_noise at timestep {times[k]:g} multiplies x_0 alone and noise alone, of ones, as"
            f" is due, but x_t of random x_0 and noise is off by {mixed[k]:.3g} of its size"
        )
        return replace(evidence, sentence=text).with_diagnosis(mixture(given, found, k))
    told, diagnosis = noised(given, told, bound)
    text = _place(told, error / (bound + excuse), wrong)
    return replace(evidence, sentence=text).with_diagnosis(diagnosis)


def _place(told: Heard, over: np.ndarray, wrong: np.ndarray) -> str:
    """Which factor is off, where, and how much."""
    times = told.levels.times
    # where both are, the one that is wrong at more timesteps
    part = int(np.argmax(wrong.sum(axis=1)))
    k = int(np.argmax(np.where(wrong[part], over[part], 0.0)))
    values, due = (told.levels.alpha, told.levels.sigma)[part], told.due[part]
    j = int(np.argmax(np.abs(values[k] - due[k])))
    at = f", entry {j} of a sample" if np.ptp(values[k]) > 1e-6 * np.max(np.abs(values[k])) else ""
    return (
        f"add_noise at timestep {times[k]:g} multiplies {('x_0', 'noise')[part]} by"
        f" {values[k, j]:.6g}{at} where {due[k]:.6g} is due for x_t = {FORMULAS[told.kind]}"
        f" (wrong at {wrong[part].sum()} of {len(times)} timesteps{_from(times, wrong[part])})"
    )


def _from(times: np.ndarray, wrong: np.ndarray) -> str:
    at = times[wrong]
    return "" if len(at) == len(times) else f", {at.min():g} to {at.max():g}"
