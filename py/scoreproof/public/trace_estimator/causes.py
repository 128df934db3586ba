"""Why estimates at a given ν are wrong: what would have returned them, to the check's resolution.

Conventions: a `Guess` predicts the estimates ``(m,)`` of each part (one dimension, f or -f) up to a
factor that is the same for all rows of a dimension and is read off; ``size`` is what rounding acts
on. A guess explains what was found if each row is predicted to rounding (`EXACT`), or, where the
estimate takes differences, to `NEARLY` of its size at rows of usual ν.
"""

from __future__ import annotations

from itertools import chain, dropwhile

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.trace_estimator.constants import ONE, Constant, constant
from scoreproof.public.trace_estimator.coordinates import coordinates
from scoreproof.public.trace_estimator.guesses import Guess, guesses
from scoreproof.public.trace_estimator.jacobians import of_jacobians
from scoreproof.public.trace_estimator.verdict import Judged

__all__ = ["explained"]

#: roundings of a prediction, in those of what is due
EXACT = 32.0
#: the part of its size that a difference may be off by
NEARLY = 1e-3


@np.errstate(all="ignore")  # a guess that overflows explains nothing
def explained(
    parts: list[Judged], eps: float, tolerance: float, takes_nu: bool = True
) -> tuple[Diagnosis, str] | None:
    """The first guess that predicts every row, else the first that does nearly, with the form that
    it multiplies; ``None``: no guess does. ``takes_nu``: the ν of the rows was handed over.
    """
    near: tuple[float, Diagnosis, str] | None = None
    # what is left without any cause
    plain = max(float(np.max(p.error[p.usual], initial=0.0)) for p in parts)
    dims = [p.rows.dimension for p in parts]
    for guess in chain(guesses(parts), of_jacobians(parts), coordinates(parts)):
        if not (takes_nu or guess.without_nu):
            continue
        told = zip(parts, guess.values, guess.sizes, strict=True)
        factors = np.array([_factor(p, v, s) for p, v, s in told])
        known = np.isfinite(factors)
        of = [d for d, k in zip(dims, known, strict=True) if k]
        found = constant(factors[known].tolist(), of, max(tolerance, 1e-9)) if of else None
        if found is None or (guess.name == "factor" and found.name == "one"):
            continue
        off, exact = _misfit(parts, guess, found, eps, tolerance)
        if exact and (guess.name == "factor" or not found.words):
            return _said(guess, found, 0.0), guess.of
        if exact:  # unless another one needs no factor
            plain_one = _without_factor(parts, guess.name, eps, tolerance)
            guess, found = plain_one or (guess, found)
            return _said(guess, found, 0.0), guess.of
        if off <= min(NEARLY, 0.1 * plain) and (near is None or off < 0.1 * near[0]):
            near = off, _said(guess, found, off), guess.of
    return None if near is None else (near[1], near[2])


def _without_factor(
    parts: list[Judged], after: str, eps: float, tolerance: float
) -> tuple[Guess, Constant] | None:
    """The first guess after this one that predicts every row as it is, with the factor 1."""
    later = dropwhile(lambda g: g.name != after, guesses(parts))
    exact = (g for g in later if _misfit(parts, g, ONE, eps, tolerance)[1])
    guess = next(exact, None)
    return None if guess is None else (guess, ONE)


def _factor(part: Judged, values: np.ndarray, sizes: np.ndarray) -> float:
    """The median of measured over predicted, at rows where the prediction does not cancel."""
    good = part.usual & (np.abs(values) > 0.05 * sizes) & (sizes > 0)
    if not np.any(good):
        return float("nan")
    return float(np.median(part.answers.values[good] / values[good]))


def _misfit(
    parts: list[Judged], guess: Guess, found: Constant, eps: float, tolerance: float
) -> tuple[float, bool]:
    """The largest deviation from the prediction at rows of usual ν, relative to its size; and
    whether it is rounding (or what is accepted) at all rows.
    """
    worst, exact = 0.0, True
    for part, values, sizes in zip(parts, guess.values, guess.sizes, strict=True):
        c = found.at(part.rows.dimension)
        size = max(abs(c), 1e-300) * sizes + (0.0 if c else np.abs(part.due))
        off = np.abs(part.answers.values - c * values)
        rounding = EXACT * eps * (part.rows.trial.roundings + part.rows.dimension + len(values))
        exact = exact and bool(np.all(off <= (rounding + tolerance) * size))
        relative = np.where(off > 0, off / size, 0.0)
        worst = max(worst, float(np.max(relative[part.usual], initial=0.0)))
    return worst, exact


def _said(guess: Guess, found: Constant, off: float) -> Diagnosis:
    """``off``: what it leaves, relative, where that looks like the error of differences."""
    left = f", up to {off:.1g} of its size, as differences leave" if off else ""
    if guess.name == "factor":
        names, mends = found.names, [found.mend]
        what = f"the estimate is {found.words} {guess.of}{left}"
        what += f": {found.reason}" if found.reason else ""
    else:
        names, mends, what = (guess.name,), [guess.mend], f"{guess.reason}{left}"
        if found.words:
            names = tuple(f"{guess.name} + {n}" for n in found.names)
            what = f"{what}; and what comes of that is returned {found.words.removesuffix(' of')}"
            mends.append(found.mend)
    return Diagnosis(
        names,
        off,
        None,
        f"Cause: {what} ({names[0]})." + "".join(f" {m}." for m in mends if m),
    )
