"""How a function that noises data answers to single entries, to nothing, and to large numbers: what
its factors alone do not show.

Conventions: as in `asking`; clauses without a full stop.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.schedule.arguments import Given
from scoreproof.public.schedule.asking import Asked, Levels
from scoreproof.public.schedule.libraries import libraries

__all__ = ["responses"]

#: samples that are asked at most, and numbers that no data reach
SOME, FAR = 64, 1e3


def responses(given: Given, found: Levels, k: int = 0) -> str:
    """What makes it no sum of x_0 and noise, each times a number; empty if nothing does.

    ``k``: the place of the timestep at which single entries are asked.
    """
    for make in libraries(given.forward):
        ask = Asked(given, make, found.shape)
        try:
            return _offset(ask, found) or _curved(ask, found, k) or _shared(ask, found, k)
        except Exception:  # of a guessed library, or beyond what it takes
            continue
    return ""


def _offset(ask: Asked, found: Levels) -> str:
    """What is there without x_0 and noise: data that are shifted inside, say."""
    times = found.times[:SOME]
    zero = np.zeros((len(times), *found.shape))
    out = ask(zero, zero, times)
    if np.max(np.abs(out)) <= 1e-6:
        return ""
    k, j = np.unravel_index(int(np.argmax(np.abs(out))), out.shape)
    text = f"x_t is {out[k, j]:.4g} at timestep {times[k]:g} where x_0 and noise are 0"
    with np.errstate(all="ignore"):
        ratio = out[:, 0] / (found.alpha[: len(times), 0] - out[:, 0])
    if len(times) > 2 and np.ptp(ratio) <= 1e-4 * np.max(np.abs(ratio)):
        text += f": x_0 is shifted inside, by {float(np.median(ratio)):.4g} of its units"
    return text


def _curved(ask: Asked, found: Levels, k: int) -> str:
    """A clip, or a division by the size of what is given."""
    t = np.repeat(found.times[k : k + 1], 2)
    one = np.ones((2, *found.shape))
    near, far, farther, below = (ask(c * one, c * one, t) for c in (1 / FAR, FAR, 2 * FAR, -FAR))
    if not np.allclose(far, farther) or not np.any(far):
        return ""
    if np.allclose(near, far, rtol=1e-3):
        return "x_t is divided by its own size: it is the same for larger x_0 and noise"
    if np.ptp(far) == 0:
        low, high = float(below.flat[0]), float(far.flat[0])
        with np.errstate(all="ignore"):
            c = high / (2 * FAR * float(near.flat[0]))  # half way, if it is straight up to there
            straight = np.allclose(ask(c * one, c * one, t), high / 2, rtol=1e-3)
        if not straight:
            return f"x_t is squashed into [{low:.4g}, {high:.4g}], as tanh does"
        return f"x_t is clipped to [{low:.4g}, {high:.4g}]: a noisy sample leaves that range"
    return "x_t does not grow with x_0 and noise: it is squashed"


def _shared(ask: Asked, found: Levels, k: int) -> str:
    """Entries and samples that get into others."""
    t, size = np.repeat(found.times[k : k + 1], 2), int(np.prod(found.shape))
    zero = np.zeros((2, *found.shape))
    one = zero.copy()
    one.reshape(2, -1)[0, 0] = 1.0
    for name, out in (("x_0", ask(one, zero, t)), ("noise", ask(zero, one, t))):
        if np.any(out[1]):
            return f"{name} of one sample is in x_t of another: the batch shares it"
        if size > 1 and np.any(out[0, 1:]):
            return _mixed(name, out[0])
    return ""


def _mixed(name: str, out: np.ndarray) -> str:
    at = np.flatnonzero(out)
    if at.size == 1:
        return f"the entries of {name} are moved: entry 0 of {name} goes to entry {at[0]} of x_t"
    what = "shares" if np.ptp(out[at]) <= 1e-6 * abs(out[at[0]]) else "mixes"
    return (
        f"it {what} {name} among the entries of a sample: with 1 at entry 0 of {name} and 0 at all"
        f" others, x_t is not 0 at {at.size} of {out.size} entries"
    )
