"""A leapfrog with a kick of the wrong size, or of an old gradient: read off the points at which it
asks for gradients, and off its acceptance.

Conventions: p + h/2 · score(x), then x + h p and p + h · score(x) in turn, then p + h/2 · score(x).
Positions x = y_0, y_1, …, y_L; h is how far y_1 moves with z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.corrector.accepting import Metropolis
from scoreproof.public.corrector.pairs import Pairs
from scoreproof.public.corrector.paths import positions

__all__ = ["MOMENTA", "of_several", "of_the_path"]

#: what a kick may be off by, and still be said to be that
SAME = 1e-5


def of_the_path(walk: Metropolis, pairs: Pairs) -> Diagnosis | None:
    """``None`` where its steps do not go by momentum and score."""
    found = _read(walk, pairs)
    if found is None:
        return None
    if abs(found.first - 0.5) > SAME:
        return _first(found.first)
    if found.old or _kept(pairs, found):
        return _named(
            "leapfrog_old_gradient",
            "inside the trajectory momenta are kicked by the score of the position before, or of"
            " x throughout: compute score(x) anew after each x + h p",
        )
    if found.inner is not None and abs(found.inner - 1) > SAME:
        return _named(
            "leapfrog_inner",
            f"inside the trajectory momenta are kicked by {found.inner:.4g} h · score(x), where h ·"
            " score(x), two half kicks, is due",
        )
    return _kinetic(pairs, found)


#: what is wrong with a proposal's density, in words of trajectories
MOMENTA = {
    "no_proposal_ratio": (
        "the kinetic energies are left out of the ratio: it is exp(H(x, p) - H(y, p')) with H ="
        " -log p + ½ p²"
    ),
    "proposal_inverted": (
        "the kinetic energies are exchanged: log of the ratio has ½ p² of the start minus that of"
        " the end"
    ),
    "proposal_size": (
        "the kinetic energies enter {times}: ½ pᵀ M⁻¹ p, for p from N(0, M), is summed over the"
        " coordinates of a sample"
    ),
}


def of_several(walk: Metropolis, pairs: Pairs) -> bool:
    """Whether a proposal is a trajectory of several steps: one step is a Langevin proposal too."""
    found = _read(walk, pairs)
    return found is not None and not found.single


@dataclass(frozen=True, eq=False)
class Path:
    """Kicks in units of h · score: the first, and those inside, if they are all the same; ``old``:
    of a gradient that was computed before. ``before`` and ``start``: momenta before the last kick,
    and drawn; ``scores``: h · score at both ends; ``single``: one step is all that is seen.
    """

    first: float
    inner: float | None
    old: bool
    start: np.ndarray
    before: np.ndarray
    scores: tuple[np.ndarray, np.ndarray]
    single: bool = False


def _read(walk: Metropolis, pairs: Pairs) -> Path | None:
    ways = positions(walk, pairs.x, pairs.noise[0])
    h = _width(walk, pairs)
    if ways is None or h is None:
        return None
    target = pairs.target
    scores = [h * target.score(w.reshape((-1, *target.shape))).reshape(w.shape) for w in ways]
    momenta = np.diff(ways, axis=0) / h
    kicks = np.diff(np.concatenate([pairs.noise[0][None], momenta]), axis=0)
    first = _part(kicks[0], scores[0])
    if first is None:
        return None
    ends = scores[0], scores[-1]
    inner = [_part(k, s) for k, s in zip(kicks[1:], scores[1:-1], strict=True)]
    if all(c is not None for c in inner):
        sizes = [c for c in inner if c is not None]
        one = sizes[0] if sizes and np.ptp(sizes) <= SAME else None
        return Path(first, one, False, pairs.noise[0], momenta[-1], ends, len(ways) == 2)
    late = [_part(k, s) for k, s in zip(kicks[1:], scores[:-2], strict=True)]
    same = [_part(k, scores[0]) for k in kicks[1:]]
    old = all(c is not None for c in late) or all(c is not None for c in same)
    return Path(first, None, True, pairs.noise[0], momenta[-1], ends) if old else None


def _width(walk: Metropolis, pairs: Pairs) -> float | None:
    """h: the same for all coordinates and places, or no leapfrog of unit mass."""
    d, n = pairs.x.shape[1], len(pairs.x)
    each = np.repeat(pairs.x, d + 1, axis=0)
    unit = np.concatenate([np.zeros((1, d)), np.eye(d)])
    ways = positions(walk, each, np.tile(unit, (n, 1)))
    if ways is None:
        return None
    points = ways[1].reshape(n, d + 1, d)
    slopes = points[:, 1:] - points[:, :1]
    h = float(np.median(np.einsum("nii->ni", slopes)))
    return h if h > 0 and np.max(np.abs(slopes - h * np.eye(d))) <= SAME * h else None


def _part(kick: np.ndarray, score: np.ndarray) -> float | None:
    """c of kick = c · score, the same in all rows."""
    size = float(np.sum(score * score))
    if size == 0:
        return None
    c = float(np.sum(kick * score)) / size
    off = float(np.max(np.abs(kick - c * score)))
    return c if off <= SAME * (np.max(np.abs(score)) + np.max(np.abs(kick))) else None


def _first(c: float) -> Diagnosis:
    if abs(c) <= SAME:
        words = "of the leapfrog is missing, p + h/2 · score(x): the path cannot be walked back"
        return _named("leapfrog_first", f"the first half kick {words}")
    what = "a full step" if abs(c - 1) <= SAME else f"{c:.4g} of a step"
    return _named(
        "leapfrog_first",
        f"the first kick of the leapfrog is {what}, p + {'' if abs(c - 1) <= SAME else f'{c:.4g} '}"
        "h · score(x), where half is due: the path cannot be walked back",
    )


def _kinetic(pairs: Pairs, path: Path) -> Diagnosis | None:
    """The kicks in the ratio: ½ |z + a s_0|² - ½ |p + b s_L|², by least squares in a, a², b, b²."""
    inside = _clear(pairs)
    if np.sum(inside) < 6:
        return None
    z, p, (s, e) = path.start, path.before, path.scores
    rows = [np.sum(v, axis=1) for v in (z * s, s * s / 2, -p * e, -e * e / 2)]
    columns = np.stack(rows, axis=1)[inside]
    rest = _rest(pairs, path)[inside]
    (a, aa, b, bb), *_ = np.linalg.lstsq(columns, rest, rcond=None)
    left = np.max(np.abs(columns @ np.array([a, a * a, b, b * b]) - rest))
    if left > SAME * (1 + np.max(np.abs(rest))) or abs(aa - a * a) + abs(bb - b * b) > 1e-3:
        return None
    if abs(a) > 1e-4:
        return _named(
            "leapfrog_start",
            f"in the acceptance the first kinetic energy is that of p + {a:.4g} h · score(x), after"
            " the momentum was kicked: it is ½ p² of p as it was drawn",
        )
    if abs(b) <= 1e-4:
        words = "the last half kick of the leapfrog is missing: p + h/2 · score(x)"
    elif abs(b - 1) <= 1e-4:
        words = "the last kick of the leapfrog is a full step, where half is due: p + h/2 ·"
        words += " score(x)"
    elif abs(b - 0.5) <= 1e-4:
        return None
    else:
        words = f"the last kick of the leapfrog is {b:.4g} h · score(x), where h/2 · score(x) is"
        words += " due"
    return _named("leapfrog_last", f"in the acceptance {words}")


def _kept(pairs: Pairs, path: Path) -> bool:
    """L steps by the score at x are one of width L h, but for the momentum at its end, p + b s_L +
    c s_0: by least squares in b, c and their products.
    """
    inside = _clear(pairs)
    if not path.single or np.sum(inside) < 8:
        return False
    p, (s, e) = path.before, path.scores
    rows = [np.sum(v, axis=1) for v in (-p * e, -p * s, -e * e / 2, -s * s / 2, -e * s)]
    columns, rest = np.stack(rows, axis=1)[inside], _rest(pairs, path)[inside]
    (b, c, *_), *_ = np.linalg.lstsq(columns, rest, rcond=None)
    left = np.max(np.abs(columns @ np.array([b, c, b * b, c * c, b * c]) - rest))
    return bool(left <= SAME * (1 + np.max(np.abs(rest))) and abs(c) > 1e-4)


def _clear(pairs: Pairs) -> np.ndarray:
    """Pairs whose acceptance tells how large a ratio is."""
    return np.asarray((pairs.log_a[0] < -1e-6) & (pairs.log_a[0] > -13.0))


def _rest(pairs: Pairs, path: Path) -> np.ndarray:
    """log a without what the target and the momenta before any wrong kick bring."""
    pi = pairs.log_p[1] - pairs.log_p[0]
    energies = np.sum(path.start**2 - path.before**2, axis=1) / 2
    return np.asarray(pairs.log_a[0] - pi - energies)


def _named(name: str, words: str) -> Diagnosis:
    return Diagnosis.cause(name, f"Cause: {words}.")
