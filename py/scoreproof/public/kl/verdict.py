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
from scoreproof.public.kl.truth import RATIOS, Due, answer_kind, without_cancellation
from scoreproof.public.rule import FINER, compared
from scoreproof.words import enumerated

__all__ = ["Found", "called", "digits_lost", "judged", "places"]

#: a value counts by itself if its terms are no larger than so many times it
REST = 50.0


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
    printed: np.ndarray  # what the function's own number is, of one in nats, summed

    def beyond(self, tolerance: float | None) -> np.ndarray:
        """The error over what tolerance and rounding allow: above 1 it is wrong."""
        limit = (tolerance or 0.0) * np.abs(self.value) + self.rounding
        return np.asarray(np.abs(self.returned - self.value) / limit)


def places(answers: list[Answer], dues: list[Due], options: Options) -> Found:
    """The answers side by side, what is due reduced as the function does."""
    columns = []
    for k, (answer, d) in enumerate(zip(answers, dues, strict=True)):
        count = answer.returned.size
        value, size, rounding = (options.reduce(c) for c in (d.value, d.size, d.rounding))
        sharp = np.full(count, answer.laws.sharp)
        if options.pointwise:  # a small rest of its terms says little
            sharp &= np.abs(value) * REST >= size
        printed = np.full(count, options.wanted.printed(answer.laws.shape[1]))
        place = [sharp, np.full(count, k), np.arange(count), printed]
        columns.append([answer.returned, value, size, rounding, *place])
    return Found(*(np.concatenate(column) for column in zip(*columns, strict=True)))


def judged(
    found: Found, answers: list[Answer], options: Options, tolerance: float | None
) -> Evidence:
    """The verdict; its error and bound are those of the worst place, relative to the divergence
    where that is sharp, else to the sum of its terms.
    """
    what = called(options)
    if options.reduction != "none":
        what += f", {'summed' if options.reduction == 'sum' else 'averaged'} over each batch,"
    sharp, beyond = found.sharp, found.beyond(tolerance)
    error = np.abs(found.returned - found.value)
    ratio = 2 * found.rounding[sharp] / np.abs(found.value[sharp])
    resolution = float(np.max(ratio, initial=0.0)) if ratio.size else np.inf
    seen = sharp | (beyond > 1)
    evidence = compared(
        error[seen],
        found.rounding[seen],
        f"{what} against {options.wanted.integral} by exact cubature",
        coverage=_coverage(found, answers, options),
        gain=found.value[seen],
        tolerance=tolerance,
        remedy=_remedy(resolution),
    )
    k = int(np.argmax(np.where(seen, beyond, -1.0)))
    unit = abs(found.value[k]) if sharp[k] else found.size[k]
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


def called(options: Options) -> str:
    """The quantity and whose it is."""
    forms = options.form
    if options.sides is not None:
        forms = " and ".join(dict.fromkeys(s.form for s in options.sides))
    return f"{options.wanted.name} of {forms} Gaussians"


def _coverage(found: Found, answers: list[Answer], options: Options) -> Coverage:
    batches = [a.asked for a in answers]
    sharp = sorted({b.shape[1] for b in batches if b.sharp})
    coarse = sorted({b.shape[1] for b in batches if not b.sharp} - set(sharp))
    parts = [f"d = {enumerated(sharp)}"]
    about = [b.what for b in batches if b.sharp and not b.what.endswith(f"in d = {b.shape[1]}")]
    parts += dict.fromkeys(about) if options.pointwise else about
    if coarse:
        parts.append(
            f"in d = {enumerated(coarse)} only errors that long sums in this type do not explain"
        )
    value = (found.value * found.printed)[found.sharp]
    name = "divergences" if options.wanted.kl or options.wanted.overlap else "values"
    if value.size:
        parts.append(f"{name} from {np.min(value):.2g} to {np.max(value):.2g}")
    if not options.wanted.kl:
        return Coverage({"laws": sum(a.laws.shape[0] for a in answers)}, span="; ".join(parts))
    for what in (NEAR, EQUAL, NARROW):
        here = np.isin(found.batch, [k for k, b in enumerate(batches) if b.what == what])
        if np.any(here):
            blur = float(np.max(found.rounding[here] / found.size[here]))
            parts.append(f"{what}, to {blur:.1g} of the sum of their terms")
    return Coverage({"laws": sum(a.laws.shape[0] for a in answers)}, span="; ".join(parts))


def digits_lost(answers: list[Answer], options: Options, eps: float) -> tuple[str, ...]:
    """A note when digits are lost where the laws nearly agree, within the rounding of the terms.

    At a relative gap g the printed form's terms are of size 1 and their sum of size g²: it loses
    eps/g², everything at g = √eps. A form with log1p or expm1 loses eps/g: more than a few of that
    is noted.
    """
    plain = options.wanted.printed(2) == 1 and options.wanted.dims == "sum"
    if eps > HALF or not options.classic or not plain or answer_kind(options) not in RATIOS:
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
