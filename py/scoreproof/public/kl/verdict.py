"""What was returned against what is due, by the rule of verdicts.

Where a batch is ``sharp`` a deviation counts relative to the divergence, and the resolution is read
there. Everywhere, an error beyond the rounding of the terms is an error: there is no cancellation
that excuses it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.asking import Answer
from scoreproof.public.kl.batches import EQUAL, HALF, NARROW, NEAR
from scoreproof.public.kl.truth import Due, without_cancellation
from scoreproof.public.rule import FINER, compared

__all__ = ["Found", "digits_lost", "judged", "places"]


@dataclass(frozen=True, eq=False)
class Found:
    """Every number that came back, with what is due: one entry a law, or a reduced batch."""

    returned: np.ndarray
    value: np.ndarray
    size: np.ndarray
    rounding: np.ndarray
    sharp: np.ndarray
    batch: np.ndarray  # which batch it belongs to
    row: np.ndarray  # and which row of it

    def beyond(self, tolerance: float | None) -> np.ndarray:
        """The error over what tolerance and rounding allow: above 1 it is wrong."""
        limit = (tolerance or 0.0) * self.value + self.rounding
        return np.asarray(np.abs(self.returned - self.value) / limit)


def places(answers: list[Answer], dues: list[Due], options: Options) -> Found:
    """The answers side by side, what is due reduced as the function does."""
    columns = []
    for k, (answer, d) in enumerate(zip(answers, dues, strict=True)):
        count = answer.returned.size
        reduced = [options.reduce(column) for column in (d.value, d.size, d.rounding)]
        place = [np.full(count, answer.laws.sharp), np.full(count, k), np.arange(count)]
        columns.append([answer.returned, *reduced, *place])
    return Found(*(np.concatenate(column) for column in zip(*columns, strict=True)))


def judged(
    found: Found, answers: list[Answer], options: Options, tolerance: float | None
) -> Evidence:
    """The verdict; its error and bound are those of the worst place, relative to the divergence
    where that is sharp, else to the sum of its terms.
    """
    what = f"KL of {options.form} Gaussians"
    if options.reduction != "none":
        what += f", {'summed' if options.reduction == 'sum' else 'averaged'} over each batch,"
    sharp, beyond = found.sharp, found.beyond(tolerance)
    error = np.abs(found.returned - found.value)
    resolution = float(np.max(2 * found.rounding[sharp] / found.value[sharp]))
    seen = sharp | (beyond > 1)
    evidence = compared(
        error[seen],
        found.rounding[seen],
        f"{what} against the integral of p_0 log(p_0/p_1) by exact cubature",
        coverage=_coverage(found, answers),
        gain=found.value[seen],
        tolerance=tolerance,
        remedy=_remedy(resolution),
    )
    k = int(np.argmax(np.where(seen, beyond, -1.0)))
    unit = found.value[k] if sharp[k] else found.size[k]
    return replace(
        evidence,
        value=float(error[k] / unit),
        bound=float(error[k] / beyond[k] / unit if beyond[k] > 0 else found.rounding[k] / unit),
        resolution=max(resolution, tolerance or 0.0),
    )


def _remedy(resolution: float) -> str:
    """float64, or the tolerance at which this precision decides."""
    if not 0 < resolution < 0.5:
        return FINER
    step = 10.0 ** np.floor(np.log10(resolution))
    return f"{FINER}, or pass tolerance={np.ceil(1.05 * resolution / step) * step:.1g}"


def _coverage(found: Found, answers: list[Answer]) -> Coverage:
    batches = [a.laws for a in answers]
    sharp = sorted({b.shape[1] for b in batches if b.sharp})
    coarse = sorted({b.shape[1] for b in batches if not b.sharp} - set(sharp))
    parts = [f"d = {', '.join(map(str, sharp[:-1]))} and {sharp[-1]}"]
    parts += [b.what for b in batches if b.sharp and not b.what.endswith(f"in d = {b.shape[1]}")]
    if coarse:
        listed = " and ".join(map(str, coarse))
        parts.append(f"in d = {listed} only errors that long sums in this type do not explain")
    value = found.value[found.sharp]
    parts.append(f"divergences from {np.min(value):.2g} to {np.max(value):.2g}")
    for what in (NEAR, EQUAL, NARROW):
        here = np.isin(found.batch, [k for k, b in enumerate(batches) if b.what == what])
        if np.any(here):
            blur = float(np.max(found.rounding[here] / found.size[here]))
            parts.append(f"{what}, to {blur:.1g} of the sum of their terms")
    return Coverage({"laws": sum(b.shape[0] for b in batches)}, span="; ".join(parts))


def digits_lost(answers: list[Answer], options: Options, eps: float) -> tuple[str, ...]:
    """A note when digits are lost where the laws nearly agree, within the rounding of the terms.

    At a relative gap g the printed form's terms are of size 1 and their sum of size g²: it loses
    eps/g², everything at g = √eps. A form with log1p or expm1 loses eps/g: more than a few of that
    is noted.
    """
    if eps > HALF:
        return ()  # half precision leaves no room for a small gap
    near = next(a for a in answers if a.laws.what == NEAR)
    truth = options.reduce(without_cancellation(near, options))
    gap = float(np.sqrt(eps))
    lost = float(np.max(np.abs(near.returned - truth) / truth))
    if lost <= 8 * eps / gap:
        return ()
    return (
        f"Near equal laws (relative gap {gap:.0e}) its relative error is {lost:.1g}: the closed"
        " form cancels there, within the rounding of its terms; use log1p or expm1.",
    )
