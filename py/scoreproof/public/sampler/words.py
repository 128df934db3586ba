"""What a deviation of a chain's law is, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.public.sampler.chain import Chain
from scoreproof.public.sampler.convergence import Limit
from scoreproof.public.sampler.data import Level
from scoreproof.words import listed, percent

__all__ = [
    "WHOLE",
    "at_level",
    "deviations",
    "drawn",
    "farthest",
    "grows",
    "not_finite",
    "of_the_law",
    "size_of",
    "trend",
]


#: a deviation of so many times what is known of it
CLEARLY = 10.0
#: more than twice a whole is said in times of it
WHOLE = 2.0
#: less than that is a power of ten, no percent
TINY = 1e-4


def size_of(part: float, whole: str = "standard deviation") -> str:
    """A size beside a whole: a part of it in percent, or how many times the whole it is.

    >>> size_of(0.3), size_of(2.97), size_of(1.2, "one that is due")
    ('30 % of the standard deviation', '2.97 times the standard deviation', '120 % of the one that \
is due')
    """
    times = np.isfinite(part) and part > WHOLE
    return f"{part:.3g} times the {whole}" if times else f"{percent(part)} of the {whole}"


def deviations(sizes: Sequence[float], whole: str = "") -> str:
    """Sizes of one list in one unit: percent, or standard deviations; ``whole``: what the percent
    are of.

    >>> deviations([0.0191, 5.5e-05]), deviations([3e-7, 2e-8]), deviations([5.5, 0.31])
    ('1.91 %, 0.0055 %', '3.0e-07, 2.0e-08', '5.5, 0.31 standard deviations')
    """
    if any(np.isfinite(s) and s > WHOLE for s in sizes):
        shown = [f"{s:.3g}" if np.isfinite(s) else "any size" for s in sizes]
        return f"{listed(shown)} standard deviations"
    if max(sizes, default=0.0) < TINY:
        return f"{listed(map(percent, sizes))}{whole}"
    parts = [f"{100 * s:.3g} %" if np.isfinite(s) else "any size" for s in sizes]
    return f"{listed(parts)}{whole}"


def at_level(level: Level) -> str:
    """``t = 480 (α = 0.83, σ = 0.55)``, or ``σ = 2`` where that is the time and α = 1."""
    if level.alpha == 1 and abs(level.when - level.sigma) <= 1e-9 * level.sigma:
        return f"σ = {level.sigma:.4g}"
    return f"t = {level.when:.4g} (α = {level.alpha:.3g}, σ = {level.sigma:.3g})"


def of_the_law(
    place: Level, part: int, coordinate: int, error: float, shape: tuple[int, ...]
) -> str:
    """The deviation at one place: of the mean, or of the standard deviation."""
    where = f" in coordinate {tuple(int(i) for i in np.unravel_index(coordinate, shape))}"
    where = where if len(shape) > 1 else f" in coordinate {coordinate}"
    where = "" if int(np.prod(shape)) == 1 else where
    if part == 0:
        size = f"{size_of(abs(error))} too {_way(error, 'high', 'low')}"
        return f"the mean of x at {at_level(place)} is {size}{where}"
    if error < -1:  # what a limit may come out as, no width is
        return (
            f"the standard deviation of x at {at_level(place)} is off by"
            f" {size_of(-error, 'one that is due')}{where}"
        )
    size = f"{percent(abs(error))} too {_way(error, 'large', 'small')}"
    if np.isfinite(error) and error > WHOLE:  # "so many times too large" may be read in two ways
        size = f"{1 + error:.3g} times what is due"
    return f"the standard deviation of x at {at_level(place)} is {size}{where}"


def trend(chains: Sequence[Chain], sizes: Sequence[float]) -> str:
    """``with 50, 100, 200 steps 1.9 %, 1.6 %, 1.5 %``."""
    steps = listed((c.steps for c in chains), 8)
    return f"with {steps} steps {deviations(sizes)}"


def drawn(chain: Chain) -> str:
    """``49 draws of noise in 50 steps``, or that there are none."""
    for kind, what in (("normal", "noise"), ("uniform", "uniform numbers")):
        n = sum(d.kind == kind for d in chain.draws)
        if n:
            return f"{n} draws of {what} in {chain.steps} steps"
    return "no noise drawn"


def not_finite(chains: Sequence[Chain]) -> str:
    """Where x is nan or inf, if it is anywhere."""
    for chain in chains:
        for state in chain.states:
            if not (np.all(np.isfinite(state.law.mean)) and np.all(np.isfinite(state.law.std))):
                return f"with {chain.steps} steps x is nan or inf from {at_level(state.level)} on"
    return ""


#: what may be looked for, where no cause is found: of a part of a sentence
HINTS = {
    "nan or inf": "Is something divided by the gap of two times that are the same, or by σ = 0,"
    " or is a root taken of a negative number?",
    "whose law a step of": "Is its variance the posterior's, and is the model told the level that x"
    " is at?",
}


def hint(sentence: str) -> str:
    """A question for somebody whose sampler's cause is not found."""
    return next((text for part, text in HINTS.items() if part in sentence), "")


def grows(sizes: Sequence[float]) -> bool:
    """Whether an error does not fall as the steps become more."""
    return not all(np.isfinite(sizes)) or sizes[-1] > 1.05 * sizes[0] > 0


def _way(error: float, more: str, less: str) -> str:
    return more if error > 0 else less


def farthest(found: Limit) -> tuple[int, int, int]:
    """The place, the part (mean or standard deviation) and the coordinate that decide."""
    with np.errstate(all="ignore"):
        ratio = np.abs(found.limit) / np.maximum(found.blur, 1e-300)
    ratio = np.where(np.isfinite(ratio), ratio, np.inf)
    if CLEARLY < np.max(ratio) < np.inf:  # of what is clearly wrong the largest is said
        ratio = np.where(ratio >= CLEARLY, np.abs(found.limit), 0.0)
    k, part, i = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
    return int(k), int(part), int(i)
