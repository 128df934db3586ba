"""Noise maps: of what ``encode`` makes of x at all times ``decode`` must make x again.

Conventions: ``xs`` of shape ``(times, batch, *shape)``, from noise to data; x at each time is drawn
independently given x_0, as in edit-friendly inversion, which is harder than a path.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.draws import intercepted
from scoreproof.public.inversion import words
from scoreproof.public.inversion.arguments import Job
from scoreproof.public.inversion.forms import Given
from scoreproof.public.inversion.noises import difference
from scoreproof.public.inversion.trips import roundoff
from scoreproof.public.rule import compared
from scoreproof.public.sampler.asking import to_framework
from scoreproof.public.sampler.data import gaussian
from scoreproof.public.sampler.words import at_level, size_of
from scoreproof.streams import stream

__all__ = ["judged"]

#: samples of a batch
BATCH = 8
#: roundings of a step: x, the mean, their difference over σ, and all of it again
ROUNDINGS = 64


def judged(job: Job) -> Evidence:
    """x that comes back against x that went in."""
    form = job.down
    times = form.grid.times(job.steps)
    levels = [form.level_of(t) for t in times]
    data = gaussian(int(np.prod(job.shape)))
    rng = stream(job.seed, "inversion", "maps")
    x0 = data.mean + data.width * rng.standard_normal((BATCH, len(data.mean)))
    xs = np.stack([v.alpha * x0 + v.sigma * rng.standard_normal(x0.shape) for v in levels])
    found, draws, calls = _there_and_back(job, times, xs)
    std = np.stack([data.moments(v)[1] for v in levels])[:, None]
    whole = len(found) == len(xs)
    off = (found - (xs if whole else xs[-1:])) / (std if whole else std[-1:])
    # what a step forms is of the size of x over α, and its rounding grows as 1/α does
    growth = levels[-1].alpha * max(1 / max(v.alpha, 1e-12) for v in levels)
    size = float(np.max(np.abs(xs)) / np.min(std)) * max(1.0, growth)
    bound = ROUNDINGS * len(times) * _eps(job) * size
    text = (
        f"{job.name}: x comes back from its noises as it was, at"
        f" {'all times' if whole else 'the last time'} ({len(times) - 1} steps)"
    )
    seen = Coverage(
        {"times": len(found), "samples": BATCH, "coordinates": x0.shape[1]},
        span="x drawn at each time by itself; the law of the noises is not judged",
    )
    evidence = compared(off, bound, text, coverage=seen, tolerance=job.tolerance)
    note = f"{calls} calls of the model"
    if evidence.verdict == "refuted":
        size = np.abs(off).max(axis=(1, 2))
        first = int(np.argmax(size > bound)) if whole else -1
        i = int(np.argmax(np.abs(off[first]).max(axis=0)))
        worst = float(np.abs(off[first]).max())
        why = "" if draws else difference(job, times, levels)
        cause = ""
        if draws:
            cause = "; decode draws noise that is not among those it was handed"
        elif not why:
            cause = (
                "; the steps that take a noise out and that put it in differ: both need the same"
                " mean and the same σ (and where σ = 0 a noise keeps nothing)"
            )
        text = (
            f"{job.name}: x does not come back from its noises: at"
            f" {at_level(levels[first])}{', the first such time,' if whole else ''} it is off by"
            f" {size_of(worst)}{words.coordinate(i, job.shape)}{cause}"
        )
        evidence = replace(evidence, sentence=text)
        if why:
            slip = Diagnosis(("noises",), 0.0, None, f"Cause: {why}.")
            evidence = evidence.with_diagnosis(slip)
    return replace(evidence, notes=(f"Of its {len(times) - 1} steps: {note}.",))


def _there_and_back(job: Job, times: list[float], xs: np.ndarray) -> tuple[np.ndarray, int, int]:
    """What decode returns, as ``(1 or times, batch, d)``; its draws; calls of both models."""
    encode, decode = job.up, job.down
    data = gaussian(xs.shape[-1])
    models = (encode.model(data), decode.model(data))
    given = Given(xs[0], stream(job.seed, "inversion", "drawn"))
    shape = (xs.shape[1], *job.shape)
    with intercepted(decode.framework, given.noise, double=decode.double):
        flat = xs.reshape(len(xs), -1)
        sequence = to_framework(flat, shape, decode.framework, decode.dtype)
        noises = encode.call(models[0], sequence, encode._times(times), **encode.options)
    with intercepted(decode.framework, given.noise, double=decode.double) as log:
        start = to_framework(xs[0], job.shape, decode.framework, decode.dtype)
        out = decode.call(models[1], start, noises, decode._times(times), **decode.options)
    draws = len(log.draws) + sum("global generator" in note for note in log.notes)
    if isinstance(out, list):
        out = np.stack([np.asarray(as_numpy(v), dtype=float) for v in out])
    out = out[0] if isinstance(out, tuple) else out
    found = np.asarray(as_numpy(out), dtype=float)
    calls = models[0].calls + models[1].calls
    if found.shape == (len(xs), *shape):
        return found.reshape(xs.shape), draws, calls
    if found.shape == shape:
        return found.reshape(1, *xs.shape[1:]), draws, calls
    raise CallableError(
        "sampler",
        f"return x of shape {shape}, or at all times, {(len(xs), *shape)}",
        f"it returned shape {found.shape}",
        "decode(model, x, noises, times) returns x at the last of the times",
    )


def _eps(job: Job) -> float:
    double = job.down.double or (job.down.framework == "numpy" and job.down.dtype is None)
    return float(np.finfo(float).eps) if double else roundoff(job.down.dtype)
