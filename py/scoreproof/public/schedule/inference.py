"""Which timesteps of a table an inference visits, and what it can predict at its end.

Conventions: as in `spacing`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence
from scoreproof.public.rule import settled
from scoreproof.public.schedule import words
from scoreproof.public.schedule.arguments import Given
from scoreproof.public.schedule.configured import BLIND
from scoreproof.public.schedule.spacing import exact, variants
from scoreproof.public.schedule.tables import Base
from scoreproof.public.schedule.visited import visited

__all__ = ["last_step", "terminal", "timesteps"]

#: ᾱ below this is none
NO_SIGNAL = 1e-12


def timesteps(given: Given) -> Evidence | None:
    """In the table, from noise to data, with their spacing."""
    t = given.timesteps
    if given.asked and (t is None or given.base is None):
        raise ArgumentError(
            "spacing",
            "given with timesteps and their table",
            f"{given.spacing!r} without {'timesteps' if t is None else 'betas'}",
            "pass timesteps= and betas=, or leave it out",
        )
    if t is None or given.base is None or given.flow:
        return None
    _inside(t, len(given.base.bar))
    # timesteps that were found from σ in single precision are no closer than that
    near = 0.0 if given.listed else 64 * 2.0**-23 * len(given.base.bar)
    once = t[np.append(True, np.abs(np.diff(t)) > near)]
    steps = np.diff(once)
    if np.any(steps > 0) and np.any(steps < 0):
        back = int(np.sum(steps > 0))
        if not given.listed and len(np.unique(once)) < len(once):  # it resamples
            evidence = _spacing(given, np.unique(once)[::-1])
            return replace(evidence, sentence=f"{evidence.sentence}, going back {back} times")
        k = int(np.argmax(np.sign(steps) != np.sign(steps[0])))
        around = f"{once[k - 1]:g}, {once[k]:g}, {once[k + 1]:g}"
        text = f"timesteps neither fall nor rise: {around} at entries {k - 1} to {k + 1}"
        cause = "Cause: their order: each timestep is to be below the one before it."
        return _found(given, 1.0, text).with_diagnosis(Diagnosis.cause("order", cause))
    if given.listed and len(once) < len(t):
        k = int(np.argmin(np.abs(np.diff(t))))
        text = f"timestep {t[k]:g} occurs twice, at entries {k} and {k + 1}"
        cause = "Cause: it is listed twice: the step between the two has no length."
        return _found(given, 1.0, text).with_diagnosis(Diagnosis.cause("twice", cause))
    if given.listed and np.any(steps > 0):
        text = f"timesteps rise from {t[0]:g} to {t[-1]:g}, and have to fall"
        cause = "Cause: their order: a sampler visits them from noise to data; reverse them."
        return _found(given, 1.0, text).with_diagnosis(Diagnosis.cause("rising", cause))
    twice = f", {len(t) - len(once)} of them twice" if len(once) < len(t) else ""
    rising = ", rising" if np.any(steps > 0) else ""
    evidence = _spacing(given, np.sort(once)[::-1])
    return replace(evidence, sentence=evidence.sentence + rising + twice)


def _inside(t: np.ndarray, total: int) -> None:
    if np.all((t >= 0) & (t <= total - 1)):
        return
    bad = t[(t < 0) | (t > total - 1)][0]
    remedy = f"a table of T steps has the timesteps 0 to T - 1 (got up to {t.max():g}"
    remedy += "; steps_offset too large?)" if t.min() < 1 else "; they count from 1: subtract 1)"
    raise ArgumentError("timesteps", f"in the table, 0 to {total - 1}", f"{bad:g}", remedy)


def _found(given: Given, off: float, text: str, bound: float = 0.0) -> Evidence:
    assert given.timesteps is not None
    seen = Coverage({"timesteps": len(given.timesteps)})
    return settled(Evidence.measured(off, bound, text), resolution=bound, coverage=seen)


def _spacing(given: Given, falling: np.ndarray) -> Evidence:
    """Falling timesteps, none twice, against the spacing that is asked for, or configured."""
    n, total = len(falling), len(given.base.bar)  # type: ignore[union-attr]
    ends = f"{n} timesteps, from {falling[0]:g} to {falling[-1]:g}"
    if given.spacing is None or n > total:
        return _found(given, 0.0, ends)
    if np.any(falling != np.round(falling)):
        return _unrounded(given, falling, ends)
    known = variants(given.spacing, n, total, given.offset)
    for name, due in known.items():
        if np.array_equal(due, falling):
            return _found(given, 0.0, f"{n} timesteps with {name}")
    due = known[f"{given.spacing} spacing"]
    off = np.abs(falling - due)
    k = int(np.argmax(off))
    cause, other = visited(falling, given.spacing, total, given.offset)
    if not (given.asked or other) and off[k] > total / n:
        return _found(given, 0.0, f"{ends}, of a spacing of their own (not {given.spacing})")
    more = f" with steps_offset {given.offset}" if given.spacing == "leading" else ""
    text = (
        f"timesteps[{k}] = {falling[k]:g} where {due[k]} is due for {given.spacing} spacing{more},"
        f" {words.entries(off > 0)}"
    )
    return _found(given, float(off[k]), text).with_diagnosis(_caused(cause))


def _caused(cause: str) -> Diagnosis:
    if cause:
        return Diagnosis.cause("timesteps", f"Cause: they {cause}.")
    return Diagnosis.unknown("No known cause explains them: they have no known spacing.")


def _unrounded(given: Given, falling: np.ndarray, ends: str) -> Evidence:
    assert given.spacing is not None and given.base is not None
    total = len(given.base.bar)
    due = exact(given.spacing, len(falling), total)
    due = due + (given.offset if given.spacing == "leading" else 0)
    off = np.abs(falling - due)
    k = int(np.argmax(off))
    bound = 64 * 2.0**-23 * total
    half = exact(given.spacing, len(falling[::2]), total)
    if not given.asked and len(falling) % 2 and np.all(np.abs(falling[::2] - half) <= bound):
        return _found(given, 0.0, f"{ends}, every second with {given.spacing} spacing")
    if off[k] > bound and not given.asked and off[k] > total / len(falling):
        return _found(given, 0.0, f"{ends}, of a spacing of their own (not {given.spacing})")
    if off[k] > bound:
        text = f"timesteps[{k}] = {falling[k]:.6g} where {due[k]:.6g} is due for {given.spacing}"
        cause, _ = visited(falling, given.spacing, total, given.offset)
        return _found(
            given,
            float(off[k]),
            f"{text} spacing, before it is rounded, {words.entries(off > bound)}",
            bound,
        ).with_diagnosis(_caused(cause))
    text = f"{len(falling)} timesteps with {given.spacing} spacing, not rounded"
    evidence = _found(given, float(off[k]), text, bound)
    return replace(evidence, resolution=2 * bound / total)


def terminal(given: Given) -> Evidence | None:
    """What can be predicted where the table ends without signal."""
    if given.base is None or given.prediction is None or given.flow:
        return None
    last = float(given.base.bar[-1])
    seen = Coverage({"ends": 1})
    blind = given.prediction in BLIND
    if last > NO_SIGNAL:
        more = ""
        if blind:
            size = np.sqrt((1 - last) / last)
            more = f", where an error of {given.prediction} is {size:.3g} times as large in x_0"
        text = f"ᾱ ends at {last:.3g}{more}"
        return settled(Evidence.measured(0.0, 0.0, text), resolution=0.0, coverage=seen)
    if not blind:
        text = f"ᾱ ends at 0, where {given.prediction} still tells x_0"
        return settled(Evidence.measured(0.0, 0.0, text), resolution=0.0, coverage=seen)
    text = (
        f"ᾱ ends at 0 (zero terminal SNR): x_0 = (x - √(1 - ᾱ) ε) / √ᾱ divides by 0 at timestep"
        f" {len(given.base.bar) - 1}"
    )
    cause = (
        f"Cause: a model of {given.prediction} says nothing of x_0 where no signal is left; train"
        " and sample with v_prediction."
    )
    evidence = Evidence.measured(1.0, 0.0, text, diagnosis=Diagnosis.cause("blind", cause))
    return settled(evidence, resolution=0.0, coverage=seen)


def last_step(given: Given) -> Evidence | None:
    """ᾱ of the data, which the step from the last timestep ends at: 1, or that of timestep 0."""
    final, base = given.final, given.base
    if final is None or base is None:
        return None
    seen = Coverage({"ends": 1})
    first = float(base.bar[0])
    bound = 8 * max(base.eps, 2.0**-23)
    for value, text in (
        (1.0, "at the data"),
        (first, f"at ᾱ_0 = {first:.6g}, where noise is left"),
    ):
        if abs(final - value) <= bound:
            text = f"the last step ends {text}"
            return settled(
                Evidence.measured(abs(final - value), bound, text),
                resolution=2 * bound,
                coverage=seen,
            )
    text = f"final_alpha_cumprod = {final:.6g} where 1, the data, or ᾱ_0 = {first:.6g} is due"
    evidence = Evidence.measured(abs(final - 1), bound, text, diagnosis=_final(final, base))
    return settled(evidence, resolution=2 * bound, coverage=seen)


def _final(final: float, base: Base) -> Diagnosis:
    """Which ᾱ it is."""
    due = "the step from the last timestep of the list ends at the data, ᾱ = 1, or at ᾱ_0"
    near = np.flatnonzero(np.abs(base.bar - final) <= 1e-5 * np.abs(base.bar))
    if near.size == 1:
        k, last = int(near[0]), len(base.bar) - 1
        which = f"timestep {k}" + (", the last of the table (an index of -1)" if k == last else "")
        return Diagnosis.cause("final", f"Cause: it is ᾱ of {which}; {due}.")
    return Diagnosis.unknown(f"It is no ᾱ of the table; {due}.")
