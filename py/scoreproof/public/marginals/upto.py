"""Coefficients that belong to the declared law up to a time, and are held there: a bound on 1 - t,
on α or on β, in one of them and not in the law.

A cause of all times is none where a whole range of times is right: nothing else is claimed there.

Conventions: as in `reading`; what the declared law needs is as in `required`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scoreproof.public.laws import number
from scoreproof.public.marginals.reading import Declaration, Told
from scoreproof.public.marginals.required import Needed

__all__ = ["held_from_a_time", "right_up_to"]

#: right times, before the first that is wrong, that tell a range from a small beginning, and from
#: which part of the span on they are counted: an error that grows with t is small at first
LEAST, EARLY = 5, 0.05
#: a law that is held to no more than this cannot tell a small error from none
FINE = 1e-6
#: times asked for, from so many before the first wrong one on; the agreement that is believed of
#: differences
TIMES, BEFORE, SAME = 30, 3, 1e-4


def right_up_to(d: Declaration) -> int:
    """The first wrong time, if a range before it is right and nothing after it; else 0."""
    with np.errstate(all="ignore"):
        off = np.abs(d.std - d.std_due) > d.tol * d.std_due
        off |= np.abs(d.alpha - d.alpha_due) > d.tol * np.abs(d.alpha_due)
    k = int(np.argmax(off))
    before = np.sum(d.t[:k] > EARLY * d.t[-1])
    return k if off.any() and before >= LEAST and np.all(off[k:]) and d.tol < FINE else 0


def held_from_a_time(needed: Needed, k: int) -> Told | None:
    """Which coefficient leaves the one that the declared law needs, when, and what is held."""
    d = needed.d
    t = np.linspace(d.t[k - BEFORE], d.t[-1], TIMES + 2)[:-1]
    read = needed.at(t)
    if read is None:
        return None
    alpha, std, a, g2, rate, noise = read
    parts: list[tuple[str, int, np.ndarray, np.ndarray]] = []
    for name, own, due in (("the drift's rate", rate, a), ("g²", noise, g2)):
        with np.errstate(all="ignore"):
            ratio = own / due
        none = SAME * (np.abs(rate) + np.abs(a) + 1)  # of a law without a drift
        wrong = ~(np.abs(ratio - 1) <= SAME) & ~((np.abs(own) <= none) & (np.abs(due) <= none))
        if not wrong.any():
            continue
        first = int(np.argmax(wrong))
        if not 1 < first <= TIMES - LEAST or not np.all(wrong[first:]):
            return None
        parts.append((name, first, ratio, own))
    if not parts or len({first for _, first, *_ in parts}) > 1:
        return None
    first = parts[0][1]
    symbols = dict(_quantities(t, alpha, std))
    said: dict[tuple[str, str], list[str]] = {}
    since = ""
    for name, _, ratio, own in parts:
        held = _held(t, symbols, ratio, own, first)
        if held is None:
            return None
        since = f"t = {held.when:.4g}"
        said.setdefault((held.times, held.bounded), []).append(name)
    of = {"the drift's rate": "drift", "g²": "diffusion"}
    wrong_in = [of[one[0]] for one in parts]
    other = [of[n] for n in of if of[n] not in wrong_in and (n == "g²" or np.any(rate))]
    but = f"in the {' and the '.join(wrong_in)}, not in the {(other or ['declared law'])[0]}"
    text = "; and ".join(
        f"{' and '.join(names)} {'are' if names[1:] else 'is'} {times} times what the declared law"
        f" needs: {bounded}"
        for (times, bounded), names in said.items()
    )
    return Told("held", f"the law is right up to {since}; beyond it {text}, {but}")


@dataclass(frozen=True)
class _Held:
    """What is held at which value since when, and the factor that this is."""

    bounded: str
    times: str
    when: float


def _quantities(
    t: np.ndarray, alpha: np.ndarray, std: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    yield "1 - t", 1 - t
    yield "t", t
    yield "α", alpha
    yield "σ", std
    yield "1 - t²", 1 - t**2
    yield "α²", alpha**2
    yield "σ²", std**2


def _held(
    t: np.ndarray, symbols: dict[str, np.ndarray], ratio: np.ndarray, own: np.ndarray, first: int
) -> _Held | None:
    """What is held, at which value, and since when."""
    # just beyond the onset the two still agree
    late, beside = slice(first, None), [first - 2, first]
    between = t[beside]
    constant = np.ptp(own[late]) <= SAME * np.max(np.abs(own[late]))
    for name, value in symbols.items():
        if constant and name not in ("1 - t", "t"):
            break
        for power in (1.0, -1.0, 2.0, -2.0, 0.5, -0.5):
            # own = due · (value/bound)^power
            with np.errstate(all="ignore"):
                bounds = value[late] / np.abs(ratio[late]) ** (1 / power)
            bound = float(np.median(bounds))
            if not np.all(np.abs(bounds - bound) <= SAME * abs(bound)):
                continue
            gap = value[beside] - bound
            if gap[0] * gap[1] > 0:
                continue
            shown = number(float(f"{bound:.4g}"))
            side = "below" if gap[1] < 0 else "above"
            up = {1.0: "", 2.0: "²", 0.5: "^½"}[abs(power)]
            bracketed = f"({name})" if " " in name else name
            quotient = f"{bracketed}/{shown}" if power > 0 else f"{shown}/{bracketed}"
            times = f"({quotient}){up}" if up else quotient
            return _Held(f"{name} is bounded from {side} by {shown}", times, _zero(gap, between))
    before = own[: max(first - 1, 1)]
    if not constant or np.ptp(before) <= SAME * np.max(np.abs(before)):
        return None  # what never moves is not held
    gap = (own / ratio)[beside] - own[first]  # where it is what is due
    level = number(float(f"{own[first]:.4g}"))
    return _Held(f"it is held at {level}", f"{ratio[-1]:.4g} (at the end)", _zero(gap, between))


def _zero(gap: np.ndarray, between: np.ndarray) -> float:
    """Where a straight line between two values is 0."""
    return float(between[0] - gap[0] * (between[1] - between[0]) / (gap[1] - gap[0]))
