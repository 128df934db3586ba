"""What the equation at points does not see, weighed in: jumps between them, and the mass.

Conventions: as in `verdict`; each function takes an evidence that is not refuted and returns it
with more said, or with another verdict.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.breaks import Lines
from scoreproof.public.fokker_planck.far import FARTHEST, Far, constant_far_out, without
from scoreproof.public.fokker_planck.followed import back
from scoreproof.public.fokker_planck.mass import MOST, Mass, mass
from scoreproof.public.fokker_planck.mass_words import DIGITS, unknown, unseen, wrong_mass
from scoreproof.public.rule import COARSEST, settled
from scoreproof.streams import stream

__all__ = ["with_lines", "with_mass"]

#: points at which a density is asked for more than a constant
NEARBY = 512


def with_lines(evidence: Evidence, lines: Lines, tolerance: float | None) -> Evidence:
    """Jumps and bends of the density refute; else the jump that would have shown counts."""
    coverage = evidence.coverage
    assert coverage is not None
    accepted = tolerance or 0.0
    wrong = [b for b in lines.broken if not b.jump or abs(b.jump) > accepted]
    if wrong:
        worst = max(wrong, key=lambda b: (abs(b.jump), abs(b.bend)))
        size = abs(worst.jump) or abs(worst.bend)
        return replace(
            evidence,
            verdict="refuted",
            value=min(size, 1e300),
            bound=accepted + worst.noise,
            sentence=(
                f"{worst.describe()}, between the points at which the equation holds; {worst.why}"
            ),
            coverage=coverage,
        )
    if lines.lines + lines.followed == 0:
        return replace(
            evidence,
            sentence=f"{evidence.sentence}; at these points only: a jump between them is not seen",
        )
    left = coverage.left_out
    if lines.rough:
        left = (*left, Omission("lines", lines.lines, "along which log p is too rough to follow"))
    asked = {**coverage.asked, **({"points in time": lines.followed} if lines.followed else {})}
    text = "no jump in time; at these points only: without noise a density may jump between them"
    if lines.lines:
        asked["lines"] = lines.lines
        text = f"no jump of the density along {lines.lines} lines"
        text += " nor in time" if lines.followed else ""
    seen = Coverage(asked, left, coverage.span)
    said, resolution = (
        replace(evidence, sentence=f"{evidence.sentence}; {text}"),
        evidence.resolution,
    )
    if evidence.verdict != "holds" or resolution is None:
        return replace(said, sentence=evidence.sentence, coverage=seen)
    return settled(
        said,
        resolution=max(resolution, lines.least),
        coverage=seen,
        tolerance=tolerance,
        remedy="use float64",
    )


def with_mass(
    evidence: Evidence, s: Subject, place: Place, tolerance: float | None, normalized: bool
) -> Evidence:
    """A mass that is not 1 refutes; what is not known about it is said in the first sentence."""

    def said(text: str) -> Evidence:
        return replace(evidence, sentence=f"{evidence.sentence}; {text}", cost=s.calls)

    first, last = place.box.times
    middle = float(place.times.times[len(place.times.times) // 2])
    wanted = (first, middle, last) if place.dimension <= 2 else (last, first)

    def passed_over(why: str) -> Evidence:
        """The first sentence excludes the mass, and so does the list of what was looked at."""
        evidence_ = said(f"whether its mass is 1 is not looked at ({why})")
        return _not_looked_at(evidence_, len(wanted), f"not looked at ({why})")

    if not normalized:
        return _not_looked_at(
            said("its mass is not judged (normalized=False)"), len(wanted), "normalized=False"
        )
    if place.dimension > MOST:
        return passed_over(f"d > {MOST}")
    if s.law.eps > 1e-3:
        return unseen(evidence, "its type is too coarse", "use float32 or float64", s)
    accepted = max(tolerance or 0.0, DIGITS)
    far = constant_far_out(s, place.box, last, place.seed)
    if far is not None:
        volume = float(np.sum(np.log(place.box.sides[:, 1] - place.box.sides[:, 0])))
        if far.log + volume > np.log(accepted):
            return _infinite(evidence, s, place, far, volume)
        # so small a constant keeps a logarithm finite
        text = f"apart from the constant {np.exp(far.log):.2g} that the density tends to far out"
        evidence, s = said(text), without(s, far.log)
    found = _masses(s, place, wanted)
    # too much is too much, however coarsely it is known; a mass of 1 is one that is known well
    known = [m for m in found if m.error < 0.2 * m.value]
    heavy = [m for m in known if m.value - 4 * m.error > 1 + accepted]
    light = [m for m in known if m.value + 4 * m.error < 1 - accepted]
    limit = max(COARSEST, tolerance or 0.0) - accepted
    found = [m for m in found if 3 * m.error <= (limit or accepted) * m.value]
    if heavy and not found:
        return wrong_mass(evidence, heavy, heavy[0], accepted, s)
    if light and not found:
        return unknown(evidence, light, light[0], s)
    if not found and place.dimension > 2 and _undefined(s, place, last):
        return passed_over("it is not defined everywhere, and could not be integrated")
    if not found:
        return unseen(
            evidence, "it could not be integrated", "pass a domain= or points= that reach it", s
        )
    off = [m for m in found if abs(m.value - 1) > accepted + 2 * m.error]
    sure = [m for m in off if m.value > 1 or m.whole]
    if sure:
        return wrong_mass(evidence, found, max(sure, key=lambda m: abs(m.value - 1)), accepted, s)
    if off:
        return unknown(evidence, found, off[0], s)
    best = max(max(abs(m.value - 1), 2 * m.error) for m in found)
    listed = ", ".join(f"{m.t:.3g}" for m in found)
    known_to = said(f"its mass is 1 to {max(best, 1e-15):.1e} at t = {listed}")
    if evidence.verdict != "holds" or evidence.coverage is None or evidence.resolution is None:
        return known_to
    # a mass passes that is off by what is accepted and by what both its measurement and the
    # allowance for that may hide
    blur = max(3 * m.error / m.value for m in found) + (0.0 if tolerance else DIGITS)
    seen = replace(evidence.coverage, asked={**evidence.coverage.asked, "masses": len(found)})
    resolution = max(evidence.resolution, blur)
    return settled(known_to, resolution=resolution, coverage=seen, tolerance=tolerance)


def _undefined(s: Subject, place: Place, t: float) -> bool:
    """Whether there are points around the box at which the density is nan."""
    sides, d = place.box.sides, place.dimension
    middle, half = sides.mean(axis=1), (sides[:, 1] - sides[:, 0]) / 2
    rng = stream(place.seed, "fokker_planck", "undefined")
    x = middle + 3 * half * rng.uniform(-1, 1, (NEARBY, d))
    return bool(np.any(np.isnan(s.change(x, t, np.zeros(NEARBY)))))


def _not_looked_at(evidence: Evidence, masses: int, why: str) -> Evidence:
    """With that in the coverage of a verdict whose first sentence excludes it."""
    seen = evidence.coverage
    if seen is None:
        return evidence
    out = Omission("masses", masses, why, wished=True)
    asked = {**seen.asked, "masses": masses}
    return replace(evidence, coverage=Coverage(asked, (*seen.left_out, out), seen.span))


def _infinite(evidence: Evidence, s: Subject, place: Place, far: Far, volume: float) -> Evidence:
    """A density that tends to a constant has no finite integral."""
    c, t = float(np.exp(far.log)), place.box.times[1]
    half = float(np.max(place.box.sides[:, 1] - place.box.sides[:, 0])) / 2
    on = "" if far.everywhere else " in some directions"
    text = (
        f"the integral of the density is infinite: far out{on}, up to {half * FARTHEST:.1g} from"
        f" the middle of the domain, the density is still {c:.4g} (at t = {t:.3g})"
    )
    wrong = replace(
        evidence,
        verdict="refuted",
        value=float(np.exp(min(far.log + volume, 690.0))),
        bound=DIGITS,
        sentence=text,
        cost=s.calls,
    )
    if not far.everywhere:
        return wrong
    sides = place.box.sides
    draws = stream(place.seed, "fokker_planck", "nearby").uniform(
        sides[:, 0], sides[:, 1], (NEARBY, place.dimension)
    )
    nearby = without(s, far.log).change(draws, t, np.zeros(NEARBY))
    if not np.any(np.isfinite(nearby)):  # nothing is added to: there is nothing else
        return replace(wrong, sentence=f"{text}, as at all points of the domain that were asked")
    rest = mass(without(s, far.log), place.box, t, place.seed, place.points)
    if rest is None or abs(rest.value - max(1, round(rest.value))) > max(1e-6, 2 * rest.error):
        return wrong.with_diagnosis(
            Diagnosis.unknown(
                f"Far out the constant {c:.4g} stands in the place of the density: it is added to"
                " it, or the density is cut off from below there (maximum, clip, clamp)."
            )
        )
    cause = Diagnosis.cause(
        "constant_added",
        f"Cause: the constant {c:.4g} is added to the density, which the linear equation cannot"
        f" see (without it the integral is {round(rest.value)}): a mixture is Σ w_i N_i, each"
        " component multiplied by its weight; a weight that is added to it leaves such a constant"
        " (constant_added).",
    )
    return wrong.with_diagnosis(cause)


def _masses(s: Subject, place: Place, wanted: tuple[float, ...]) -> list[Mass]:
    """The masses at the times, latest first where they are drawn: what is found at one says where
    to search at the next.
    """
    found, points = [], place.points
    for k, t in enumerate(wanted):
        m = mass(s, place.box, t, place.seed, points)
        if m is None:
            continue
        found.append(m)
        if not m.whole and m.drawn is not None and k + 1 < len(wanted):
            carried = back(s, place.box, m.drawn, t, wanted[k + 1])
            points = carried if points is None else np.concatenate([points, carried])
    return found
