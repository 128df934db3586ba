"""Why x does not come back from its noises: what encode makes of x against what decode makes of it.

Conventions: encode's k-th noise is ``(x_{k+1} - a x_k - b x_0)/s``, decode's step is
``a x_k + b x_0 + s z_k``, with x_0 what the model predicts; both are read off by prescribing x_0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.interop.callables import as_numpy
from scoreproof.interop.draws import intercepted
from scoreproof.public.inversion.arguments import Job
from scoreproof.public.inversion.forms import Given
from scoreproof.public.inversion.means import departs
from scoreproof.public.inversion.which import Side, elsewhere
from scoreproof.public.sampler.asking import to_framework
from scoreproof.public.sampler.causes.tableau import SMALL, Prescribed
from scoreproof.public.sampler.causes.words import constant
from scoreproof.public.sampler.data import Level
from scoreproof.public.sampler.words import at_level

__all__ = ["difference"]

NEAR = 1e-7


def difference(job: Job, times: list[float], levels: list[Level]) -> str:
    """In what encode and decode differ; empty where it is not found."""
    n = len(times) - 1
    up, down = _encode(job, times, n), _decode(job, times, n)
    if up is None or down is None:
        return ""
    bare_up, bare_down = (make(job, times, n, raw=True) for make in (_encode, _decode))
    text = elsewhere(bare_up, bare_down, times) if bare_up and bare_down else ""
    if text:
        return text
    if up.entering != [[k, k + 1] for k in range(n)]:
        k = next(k for k in range(n) if up.entering[k] != [k, k + 1])
        if up.entering == [[n - 1 - k, n - k] for k in range(n)]:
            return (
                "encode hands its noises over in reversed order: the first has to be that of the"
                " first step"
            )
        listed = " and ".join(f"x at {times[j]:g}" for j in up.entering[k]) or "no x"
        return (
            f"encode's noise {k} is made of {listed}, decode uses it from {times[k]:g} to"
            f" {times[k + 1]:g}: the order or the index of the noises is wrong"
        )
    wrong = _used(down.entering, times)
    if wrong:
        return wrong
    odd = [k for k in range(n) if not np.allclose(up.told[k], down.told[k], rtol=1e-9)]
    if odd:
        k = odd[0]
        return (
            f"encode and decode tell their model different times: in the step from {times[k]:g} to"
            f" {times[k + 1]:g} encode tells it {_when(up.told[k], times, levels)}, decode"
            f" {_when(down.told[k], times, levels)}"
        )
    apart = _sizes(up, down, times)
    if apart.known:
        return apart.said
    apart = apart if apart.said else _means(up, down, levels)
    why = departs(job, levels, up, down) if apart.said else ""
    return f"{why} ({apart.said})" if why else apart.said


@dataclass(frozen=True)
class _Text:
    """``known``: it says what is mistaken for what."""

    said: str = ""
    known: bool = False


def _sizes(up: Side, down: Side, times: list[float]) -> _Text:
    """What encode divides by against what decode multiplies by."""
    ratio = up.s / down.s
    k = int(np.argmax(np.abs(ratio - 1)))
    step = f"in the step from {times[k]:g} to {times[k + 1]:g}"
    if not abs(ratio[k] - 1) > NEAR:
        return _Text()
    for text, value in (
        ("the variance σ², decode multiplies by σ", down.s**2),
        ("√σ, decode multiplies by σ", np.sqrt(down.s)),
    ):
        if np.allclose(up.s, value, rtol=1e-7):
            size = f"{step} by {up.s[k]:.4g}, where {down.s[k]:.4g} is due"
            return _Text(f"encode divides by {text} ({size})", True)
    same = np.ptp(ratio) < NEAR * abs(ratio[0])
    by = f"{constant(float(ratio[0]))} times the σ" if same else "another σ than the one"
    return _Text(
        f"encode divides by {by} that decode multiplies by: {step} by {up.s[k]:.4g}, decode"
        f" multiplies by {down.s[k]:.4g}"
    )


def _means(up: Side, down: Side, levels: list[Level]) -> _Text:
    """What encode takes off against what decode adds."""
    for name, one, two in (("x", up.a, down.a), ("x_0", up.b, down.b)):
        k = int(np.argmax(np.abs(one - two)))
        if abs(one[k] - two[k]) > NEAR * (1 + abs(two[k])):
            return _Text(
                f"the means differ: in the step from {at_level(levels[k])} encode takes"
                f" {one[k]:.6g} {name} off, decode adds {two[k]:.6g} {name}"
            )
    return _Text()


def _used(entering: list[list[int]], times: list[float]) -> str:
    """Which noises decode's steps use, where it is not each its own."""
    n = len(entering)
    if entering == [[k] for k in range(n)]:
        return ""
    if entering == [[n - 1 - k] for k in range(n)]:
        return (
            "decode takes its noises in reversed order: its first step uses the last of them, where"
            " the noise of index 0 is that of the first step"
        )
    k = next(k for k in range(n) if entering[k] != [k])
    step = f"in the step from {times[k]:g} to {times[k + 1]:g}"
    if not entering[k]:
        return f"decode adds no noise {step}, encode took one out there"
    listed = " and ".join(str(j) for j in entering[k])
    many = "s" if len(entering[k]) > 1 else ""
    return f"decode uses the noise{many} of index {listed} {step}, where that of index {k} is due"


def _when(told: tuple[float, float], times: list[float], levels: list[Level]) -> str:
    near = min(
        range(len(times)),
        key=lambda k: abs(levels[k].alpha - told[0]) + abs(levels[k].sigma - told[1]),
    )
    return f"{times[near]:g} (α = {told[0]:.3g}, σ = {told[1]:.3g})"


def _encode(job: Job, times: list[float], n: int, raw: bool = False) -> Side | None:
    form, d = job.up, int(np.prod(job.shape))
    count = 2 + n + 4 * n
    data = Prescribed(np.zeros(d), np.ones(d), count, first=2 + n, raw=raw)
    xs = np.zeros((n + 1, count, d))
    for j in range(n + 1):
        xs[j, 1 + j] = SMALL
    sequence = to_framework(
        xs.reshape(len(xs), -1), (count, *job.shape), form.framework, form.dtype
    )
    noises = _call(job, form, data, sequence, form._times(times))
    if noises is None or len(noises) != n or len(data.asked) != n:
        return None
    z = np.stack([np.asarray(as_numpy(v), float).reshape(count, -1)[:, 0] for v in noises])
    z = (z[:, 1:] - z[:, :1]) / SMALL
    entering = [[j for j in range(n + 1) if abs(row[j]) > 1e-12] for row in z]
    rows = [(v[0] - v[0][:1]).reshape(count, -1)[1 : n + 2, 0] for v in data.asked]
    asked = [[int(j) for j in np.flatnonzero(np.abs(row) > SMALL / 2)] for row in rows]
    told = [(v[1], v[2]) for v in data.asked]
    k = np.arange(n)
    with np.errstate(all="ignore"):
        s = 1 / z[k, k + 1]
        a, b = -z[k, k] * s, -z[k, n + 1 + k] * s
    return Side(entering, a, b, s, told, z[:, : n + 1], asked)


def _decode(job: Job, times: list[float], n: int, raw: bool = False) -> Side | None:
    form, d = job.down, int(np.prod(job.shape))
    count = 2 + n + 4 * n
    data = Prescribed(np.zeros(d), np.ones(d), count, first=2 + n, raw=raw)
    x = np.zeros((count, d))
    x[1] = SMALL
    z = np.zeros((n, count, d))
    for j in range(n):
        z[j, 2 + j] = SMALL
    start = to_framework(x, job.shape, form.framework, form.dtype)
    noises = [to_framework(v, job.shape, form.framework, form.dtype) for v in z]
    out = _call(job, form, data, start, noises, form._times(times))
    if out is None or len(data.asked) != n:
        return None
    last = out[-1] if isinstance(out, list) or len(out) == n + 1 != count else out
    last = np.asarray(as_numpy(last), float).reshape(count, -1)
    seen = [v[0].reshape(count, -1)[:, 0] for v in data.asked] + [last[:, 0]]
    rows = (np.stack(seen)[:, 1:] - np.stack(seen)[:, :1]) / SMALL
    k = np.arange(n)
    with np.errstate(all="ignore"):
        a = rows[1:, 0] / rows[:-1, 0]
    told = [(v[1], v[2]) for v in data.asked]
    fresh = [rows[j + 1, 1 : 1 + n] - a[j] * rows[j, 1 : 1 + n] for j in range(n)]
    entering = [[int(i) for i in np.flatnonzero(np.abs(z) > 1e-9)] for z in fresh]
    return Side(entering, a, rows[k + 1, 1 + n + k], rows[k + 1, 1 + k], told)


def _call(job: Job, form: Any, data: Prescribed, *arguments: Any) -> Any:
    given = Given(np.zeros((data.count, 1)))
    try:
        with intercepted(form.framework, given.noise, double=form.double):
            return form.call(form.model(data), *arguments, **form.options)
    except Exception:  # what the call raises was said when x was led there and back
        return None
