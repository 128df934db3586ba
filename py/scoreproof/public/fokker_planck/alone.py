"""What a tolerance on all terms together leaves for one coordinate alone: in R^d all of them are d
times as large.

Conventions: as in `strong`; ``room[i]``: the part of coordinate i's own terms that the residual
would be, if all of it were theirs, at the least favourable time and point; or a factor on its
drift, fitted for all coordinates together, and what that leaves, if it is less.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck import words
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.strong import Found

__all__ = ["each_alone", "room"]

#: a factor on one coordinate's part that leaves less than this of the residual explains it, if
#: there are at least so many points: fewer are met by chance
REST, ROWS = 0.1, 12


def room(found: Found) -> np.ndarray:
    """``(d,)``; 0 for a coordinate without terms."""
    whole = _part(found, [t.residual for t in found.terms])
    fitted = _fitted(found)
    if fitted is None:
        return whole
    factors, rest = fitted
    return np.minimum(whole, factors + _part(found, rest))


def _part(found: Found, left: list[np.ndarray]) -> np.ndarray:
    worst = np.zeros(found.terms[0].x.shape[1])
    for t, r in zip(found.terms, left, strict=True):
        # where a coordinate's terms pass through 0, what is usual for them counts
        size = t.own
        size = np.maximum(size, np.median(size, axis=0))
        with np.errstate(all="ignore"):
            alone = np.max(np.abs(r)[:, None] / size, axis=0)
        worst = np.maximum(worst, np.where(size.any(axis=0), alone, 0.0))
    return worst


def _fitted(found: Found) -> tuple[np.ndarray, list[np.ndarray]] | None:
    """A factor on each coordinate's drift that explains most of what is left: what it is at most
    ``(d,)``, and the rest; ``None`` where points are too few to tell coordinates apart.
    """
    design = np.concatenate([np.column_stack([t.carried, t.spread]) for t in found.terms])
    residual = np.concatenate([t.residual for t in found.terms])
    n, d = len(design), design.shape[1] - 1
    if n < 2 * (d + 1):
        return None
    lengths = np.linalg.norm(design, axis=0)
    kept = lengths > 0
    u, singular, vt = np.linalg.svd(design[:, kept] / lengths[kept], full_matrices=False)
    if singular.size == 0 or singular[-1] < 1e-6:
        return None
    fit = vt.T @ ((u.T @ residual) / singular)
    rest = residual - design[:, kept] @ (fit / lengths[kept])
    noise = np.linalg.norm(rest) / np.sqrt(n - kept.sum())
    spread = noise * np.linalg.norm(vt.T / singular, axis=1)
    most = np.zeros(d + 1)
    most[kept] = (np.abs(fit) + 4 * spread) / lengths[kept]
    ends = np.cumsum([len(t.x) for t in found.terms])[:-1]
    return np.maximum(most[:d], most[d]), np.split(rest, ends)


def each_alone(
    evidence: Evidence, s: Subject, found: Found, how: tuple[Place, float | None]
) -> Evidence:
    """A ``holds`` within a tolerance, if no coordinate alone is off by more than it."""
    tolerance = how[1]
    if tolerance is None or evidence.verdict != "holds" or found.terms[0].x.shape[1] == 1:
        return evidence
    left = room(found)
    i = int(np.argmax(left))
    if left[i] <= tolerance:
        return evidence
    explained = _explained(found, np.flatnonzero(left > tolerance), tolerance)
    if explained is not None:
        k, wrong = explained
        text = (
            f"{evidence.sentence}: within the tolerance {tolerance:g} of all terms together, but "
            f"what is left is {left[k]:.3g} of the terms of coordinate {k}, and has their form: "
            f"drift(x, t)[:, {k}] is wrong"
        )
        refuted = replace(
            evidence, verdict="refuted", sentence=text, value=float(left[k]), bound=tolerance
        )
        return words.diagnosed(refuted, s, found, wrong, how)
    would = (
        f"pass tolerance={_up(float(left[i])):g} if you accept that, or "
        if _up(float(left[i])) < 1
        else "pass a density that is closer, or "
    )
    text = (
        f"{evidence.sentence}: within the tolerance {tolerance:g} of all terms together, but all "
        f"of what is left may be the error of one coordinate, {left[i]:.3g} of the terms of "
        f"coordinate {i}: {would}judge the coordinates by themselves"
    )
    return replace(evidence, verdict="undecided", sentence=text, resolution=float(left[i]))


def _up(value: float) -> float:
    """To two digits, upwards."""
    unit = 10.0 ** (np.floor(np.log10(value)) - 1)
    return float(np.ceil(value / unit) * unit)


def _explained(found: Found, which: np.ndarray, tolerance: float) -> tuple[int, np.ndarray] | None:
    """The coordinate of which a factor would explain what is left, and where it is too much."""
    residual = np.concatenate([t.residual for t in found.terms])
    error = np.concatenate([t.error for t in found.terms])
    best: tuple[float, int, np.ndarray] | None = None
    for i in which:
        column = np.concatenate([t.carried[:, i] for t in found.terms])
        size = np.concatenate([t.own[:, i] for t in found.terms])
        wrong = np.abs(residual) - error > tolerance * size
        r, c = residual[wrong], column[wrong]
        if len(r) < ROWS or not np.any(c):
            continue
        rest = float(np.linalg.norm(r - (r @ c) / (c @ c) * c) / np.linalg.norm(r))
        if rest < REST and (best is None or rest < best[0]):
            best = (rest, int(i), wrong)
    return None if best is None else (best[1], best[2])
