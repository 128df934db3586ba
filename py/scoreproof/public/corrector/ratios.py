"""Which acceptance a Metropolis kernel has instead of the right one.

Conventions: log a = min(0, π + Q) is right, with π = log p(y) - log p(x) and
Q = log q(y, x) - log q(x, y); for trajectories Q = K(x) - K(y) of the momenta.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.corrector.accepting import Metropolis
from scoreproof.public.corrector.densities import old_gradient, other_density
from scoreproof.public.corrector.leapfrogs import MOMENTA, of_several, of_the_path
from scoreproof.public.corrector.pairs import Pairs
from scoreproof.words import listed

__all__ = ["cause_of"]

#: of log a: what a candidate may leave
SAME = 1e-5
#: logarithms of acceptances between these say how large a ratio is
INSIDE = (-13.0, -1e-6)
#: drift and variance of the density, in those of the proposal
OTHER_DENSITIES = [(c, v) for c in (0.5, 2.0) for v in (0.5, 1.0, 2.0)]


def cause_of(walk: Metropolis, pairs: Pairs) -> Diagnosis | None:
    found = np.concatenate(pairs.log_a)
    half = pairs.log_p[1] - pairs.log_p[0]
    pi = np.concatenate([half, -half])
    half = pairs.log_q[1] - pairs.log_q[0]
    q = np.concatenate([half, -half])
    blur = 8 * np.concatenate([pairs.bound, pairs.bound]) + SAME
    # what stands for 0, and near to it, says no more than that
    floor = float(np.log(1e-12))
    clear = (found > INSIDE[0]) | (found <= floor + 1e-9)
    said = {} if np.all(found >= -1e-12) or not of_several(walk, pairs) else MOMENTA
    random_walk = bool(np.max(np.abs(q)) <= 1e-6)

    # where nothing is surely accepted it may be Barker's rule, r/(1 + r), of a wrong r
    barker = bool(np.all(found < -1e-6))

    def fits(values: np.ndarray, of_barker: bool = False) -> bool:
        with np.errstate(all="ignore"):
            given = -np.logaddexp(0.0, -values) if of_barker else np.minimum(values, 0.0)
            given = np.maximum(given, floor)
            return bool(np.all(np.abs(given - found)[clear] <= blur[clear]))

    if np.all(found >= -1e-12):
        return _cause(
            "never_rejected",
            "every proposal is accepted: x is to be kept where u >= a (where(u < a, y, x), or log u"
            " against the logarithm of the ratio)",
        )
    half = np.sum(pairs.noise[0] ** 2 - pairs.noise[1] ** 2, axis=1) / 2
    sizes = np.concatenate([half, -half])
    old = old_gradient(pairs)
    with np.errstate(all="ignore"):
        candidates = {
            "no_proposal_ratio": (
                pi,
                "the proposal's densities are left out: the ratio is p(y) q(y, x) / p(x) q(x, y),"
                " and the proposal is not symmetric",
            ),
            "proposal_inverted": (
                pi - q,
                "the proposal's densities are exchanged: q(y, x), of the way back, is above",
            ),
            "no_determinant": (
                pi + sizes,
                "the proposal's width depends on x, and what normalises its density is left out of"
                " the ratio: log q has - log of the width in it, once a coordinate",
            ),
            "target_inverted": (q - pi, "p(x) is above, where p(y) is due: log p(y) - log p(x)"),
            "ratio_inverted": (-pi - q, "the whole ratio is inverted: it is (new) / (old)"),
            "no_target": (q, "p(y)/p(x) is left out of the ratio"),
            "old_gradient": (
                pi + old,
                "the density of the way back uses the drift at x: q(y, x) is centred at"
                " y + h · score(y), with the score computed anew at y",
            ),
            "log_missing": (
                np.log(np.clip(pi + q, 1e-300, None)),
                "u is compared with the logarithm of the ratio: compare log u, or take exp",
            ),
            "one_minus": (
                np.log1p(-np.exp(np.minimum(pi + q, -1e-16))),
                "it accepts where u is above the ratio, where below is due: u < ratio",
            ),
        }
    for of_barker in (False, True) if barker else (False,):
        for name, (values, words) in candidates.items():
            if not (
                (random_walk and name in ("no_proposal_ratio", "proposal_inverted", "old_gradient"))
                or (name == "no_determinant" and not _widths_differ(pairs))
            ) and fits(values, of_barker):
                return _cause(name, said.get(name, words))
    fit = _fit(found, pi, q, random_walk, fits)
    if fit is None and barker:
        ratios = found - np.log1p(-np.exp(found))
        fit = _fit(ratios, pi, q, random_walk, partial(fits, of_barker=True))
    return (
        _simple_fit(fit, random_walk, said)
        or (None if random_walk else _of_another_proposal(pairs, pi, fits))
        or _any_fit(fit)
        or _by_coordinate(pairs, found, pi, fits)
        or (None if random_walk else of_the_path(walk, pairs))
    )


def _widths_differ(pairs: Pairs) -> bool:
    """The proposal's density has another constant at y than at x, as no trajectory has."""
    apart = np.abs(pairs.moved[0].log_det - pairs.moved[1].log_det)
    return bool(np.max(apart) > 1e-4)


def _of_another_proposal(
    pairs: Pairs, pi: np.ndarray, fits: Callable[[np.ndarray], bool]
) -> Diagnosis | None:
    for drift, variance in OTHER_DENSITIES:
        if fits(pi + other_density(pairs, drift, variance)):
            return _cause(
                "proposal_density",
                f"q in the ratio is the density of another proposal: with {drift:g} times the"
                " drift and"
                f" {variance:g} times the variance of what is drawn (h for h/2, or 2h for h)",
            )
    return None


def _cause(name: str, words: str) -> Diagnosis:
    return Diagnosis.cause(name, f"Cause: {words}.")


def _fit(
    found: np.ndarray,
    pi: np.ndarray,
    q: np.ndarray,
    walk: bool,
    fits: Callable[[np.ndarray], bool],
) -> tuple[float, float] | None:
    """c and e of log a = c π + e Q, if that is what it is."""
    inside = (found > INSIDE[0]) & (found < INSIDE[1])
    if np.sum(inside) < 4:
        return None
    columns = np.stack([pi, q], axis=1)[inside] if not walk else pi[inside, None]
    solved, _, _, sizes = np.linalg.lstsq(columns, found[inside], rcond=None)
    if sizes[-1] <= 1e-9 * sizes[0]:
        return None
    c, e = float(solved[0]), float(solved[1]) if not walk else 0.0
    return (c, e) if fits(c * pi + e * q) else None


def _simple_fit(
    fit: tuple[float, float] | None, walk: bool, said: Mapping[str, str]
) -> Diagnosis | None:
    """A temperature, or a proposal's density of another width."""
    if fit is None:
        return None
    c, e = fit
    if walk or abs(c - e) <= 1e-4 * abs(c):
        return _cause(
            "temperature",
            f"the logarithm of the ratio is multiplied by {c:.4g}: that keeps p to the power"
            f" {c:.4g} (a temperature), where p itself is asked for",
        )
    if abs(c - 1) > 1e-4:
        return None
    words = (
        f"{e:.4g} times: the variance in the proposal's density is {1 / e:.4g} times that of its"
    )
    words += " noise"
    if abs(e - 2) <= 1e-4:
        words = "twice: the ½ of the kinetic energy ½ p² (of the exponent -(y - m)²/2σ²) is missing"
    elif "proposal_size" in said:
        return _cause("proposal_size", said["proposal_size"].format(times=f"{e:.4g} times"))
    if abs(e - 0.5) <= 1e-4:
        words = (
            "half: the variance in the proposal's density is twice that of its noise (4h for 2h)"
        )
    return _cause("proposal_size", f"log q(y, x)/q(x, y) enters {words}")


def _any_fit(fit: tuple[float, float] | None) -> Diagnosis | None:
    if fit is None:
        return None
    return _cause(
        "exponents",
        f"the logarithm of the ratio is {fit[0]:.4g} log p(y)/p(x) + {fit[1]:.4g} log q(y, x)/q(x,"
        " y), where both are to stand there once",
    )


def _by_coordinate(
    pairs: Pairs, found: np.ndarray, pi: np.ndarray, fits: Callable[[np.ndarray], bool]
) -> Diagnosis | None:
    """log a = π + Σ c_i (z_i² - z'_i²)/2: each momentum weighed by a number of its own."""
    if _widths_differ(pairs):
        return None  # no momenta
    there, again = (z**2 / 2 for z in pairs.noise)
    change = np.concatenate([there - again, again - there])
    inside = (found > INSIDE[0]) & (found < INSIDE[1])
    if np.sum(inside) < change.shape[1] + 3:
        return None
    weights, *_ = np.linalg.lstsq(change[inside], (found - pi)[inside], rcond=None)
    if not fits(pi + change @ weights):
        return None
    return _cause(
        "mass",
        f"the kinetic energy weighs the momenta by {listed(weights, 4, '.3g')}, where each counts"
        " once"
        " by what it is drawn with: ½ pᵀ M⁻¹ p for p from N(0, M)",
    )
