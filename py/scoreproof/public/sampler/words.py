"""What a deviation of a chain's law is, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.public.sampler.chain import Chain
from scoreproof.public.sampler.convergence import Limit
from scoreproof.public.sampler.data import Level
from scoreproof.words import listed, percent

__all__ = ["farthest", "at_level", "drawn", "grows", "of_the_law", "trend"]


#: a deviation of so many times what is known of it
CLEARLY = 10.0


def size_of(part: float) -> str:
    """A relative size: in percent, or in times where it is more than all of it."""
    return f"{part:.3g} times" if part > 2 else percent(part)


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
        size = f"{size_of(abs(error))} the standard deviation too {_way(error, 'high', 'low')}"
        size = size.replace("% the", "% of the")
        return f"the mean of x at {at_level(place)} is {size}{where}"
    if error < -1:  # what a limit may come out as, no width is
        return (
            f"the standard deviation of x at {at_level(place)} is off by {size_of(-error)}"
            f" {'the' if error < -2 else 'of the'} one that is due{where}"
        )
    size = f"{size_of(abs(error))} too {_way(error, 'large', 'small')}"
    return f"the standard deviation of x at {at_level(place)} is {size}{where}"


def trend(chains: Sequence[Chain], sizes: Sequence[float]) -> str:
    """``with 50, 100, 200 steps 1.9 %, 1.6 %, 1.5 %``."""
    steps = listed((c.steps for c in chains), 8)
    return f"with {steps} steps {listed(map(size_of, sizes), 8)}"


def drawn(chain: Chain) -> str:
    """``49 draws of noise in 50 steps``; empty where there are none."""
    n = sum(d.kind == "normal" for d in chain.draws)
    return f"{n} draws of noise in {chain.steps} steps" if n else "no noise drawn"


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
