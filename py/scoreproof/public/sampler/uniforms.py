"""Uniform numbers that a sampler draws, and what they do to the law of x.

Conventions: chains whose uniform numbers are all one number u, otherwise alike. Noise that is
k (u - c) is uniform itself; numbers of which normal noise is made (Box and Muller, the inverse of
the distribution function) are no line in u.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.rule import settled
from scoreproof.public.sampler import words
from scoreproof.public.sampler.chain import Chain

__all__ = ["uniform_noise"]

#: relative: a mean that is a line in u
LINE = 1e-6
#: an error without them that is so small a part of the one with them is due to them
THEIRS = 0.2
#: a variance that is off by more than this part is not the one of the noise that is due, whatever
#: the first step itself is off by
NOT_DUE = 0.4
NOTHING = 1e-9
#: the variance of uniform numbers on [0, 1)
VARIANCE = 1 / 12


def uniform_noise(name: str, chain: Chain, again: Callable[[float], Chain]) -> Evidence | None:
    """A verdict where uniform numbers change the law of x after some step or at the end."""
    drawn = next((d for d in chain.draws if d.kind == "uniform"), None)
    if drawn is None:
        return None
    half = again(0.25)
    if not _law_differs(chain, half):
        return None
    text = (
        f"it draws uniform numbers ({drawn.where}) that change the law of x, which is no Gaussian"
        " one then; pass a sampler in which they are fixed"
    )
    undecided = Evidence.undecided("convergent", text)
    if len(drawn.shape) < 2 or len(chain.states) != len(half.states):
        return undecided
    quarter = again(0.125)
    if len(quarter.states) != len(half.states):
        return undecided
    means = [np.stack([s.law.mean for s in c.states]) for c in (chain, half, quarter)]
    slope = 4 * (means[0] - means[1])
    if np.max(np.abs(slope)) <= NOTHING or np.any(
        np.abs(slope - 8 * (means[1] - means[2])) > LINE * np.max(np.abs(slope))
    ):
        return undecided
    due, std = (
        np.stack(v) for v in zip(*(chain.data.moments(s.level) for s in chain.states), strict=True)
    )
    off = (means[0] - due) / std
    k, i = np.unravel_index(int(np.argmax(np.abs(off))), off.shape)
    without = float(means[0][k, i] - slope[k, i] / 2 - due[k, i]) / float(std[k, i])
    seen = Coverage({"levels": len(chain.states)})
    if abs(without) < THEIRS * abs(off[k, i]):
        said = (
            f"{name}: its noise is uniform on [0, 1) ({drawn.where}): with {chain.steps} steps the"
            f" mean of x at {words.at_level(chain.states[k].level)} is off by {off[k, i]:.3g} times"
            " the standard deviation by its mean of 1/2, for data at one point"
        )
        return _refuted(said, float(abs(off[k, i])), seen)
    part = _part_of_the_variance(chain, slope, std)
    if part is None or abs(np.log(part)) < -np.log(1 - NOT_DUE):
        return undecided
    said = (
        f"{name}: its noise is uniform ({drawn.where}), with mean 0 but {part:.3g} times the"
        " variance that is due in its first step, for data at one point"
    )
    return _refuted(said, abs(1 - part), seen)


def _law_differs(one: Chain, other: Chain) -> bool:
    pairs = [(one.end, other.end)]
    pairs += [(a.law, b.law) for a, b in zip(one.states, other.states, strict=False)]
    return not all(np.allclose(a.mean, b.mean) and np.allclose(a.std, b.std) for a, b in pairs)


def _part_of_the_variance(chain: Chain, slope: np.ndarray, std: np.ndarray) -> float | None:
    """What uniform numbers bring of the variance that is missing after the first step."""
    k = next((k for k, s in enumerate(chain.states) if s.step == 0), None)
    if k is None:
        return None
    missing = float(np.median(std[k] ** 2 - chain.states[k].law.std ** 2))
    brought = VARIANCE * float(np.median(slope[k] ** 2))
    return brought / missing if missing > NOTHING and brought > 0 else None


def _refuted(text: str, off: float, seen: Coverage) -> Evidence:
    cause = (
        "Cause: the noise is uniform (rand_like): draw it by randn_like (NumPy: standard_normal)"
    )
    wrong = settled(
        Evidence("convergent", "refuted", off, LINE, text), resolution=2 * LINE, coverage=seen
    )
    return wrong.with_diagnosis(Diagnosis.cause("uniform_noise", f"{cause}."))
