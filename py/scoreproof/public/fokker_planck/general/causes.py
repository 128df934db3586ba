"""Why the strong form was refuted for any noise: another reading, coefficient, matrix or time.

Conventions: as in `terms`; `Parts` are what each part brings at all places, one time below the
other. A noise made of another matrix needs all second derivatives, which are asked for here only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.general.affine_scores import of_a_gaussian
from scoreproof.public.fokker_planck.general.entries import of_coordinates, of_entries
from scoreproof.public.fokker_planck.general.hessians import Bank, bank
from scoreproof.public.fokker_planck.general.linear_parts import linear_parts
from scoreproof.public.fokker_planck.general.look import length_of
from scoreproof.public.fokker_planck.general.noise import Noise
from scoreproof.public.fokker_planck.general.other_scores import SCALED, TURNED, other_score
from scoreproof.public.fokker_planck.general.subject import General
from scoreproof.public.fokker_planck.general.swapped import swapped, upper_factor
from scoreproof.public.fokker_planck.matrices import Matrix
from scoreproof.public.fokker_planck.of_state import Asked, explained
from scoreproof.public.fokker_planck.strong import Found

__all__ = ["diagnosed", "of_the_noise"]

#: bounds of the check that an explanation may leave, and the part of the terms in any case
ROOM, NEGLIGIBLE = 8.0, 1e-8
EPS = float(np.finfo(float).eps)
Candidate = tuple[str, np.ndarray, str]


@dataclass(frozen=True, eq=False)
class Parts:
    """What drift ``(d, n)`` and noise ``(n,)`` bring, and what another noise would."""

    g: General
    banks: list[Bank]
    length: float

    def _all(self, of: Callable[[Bank], np.ndarray]) -> np.ndarray:
        return np.concatenate([of(b) for b in self.banks])

    @property
    def drift(self) -> np.ndarray:
        return -self._all(lambda b: b.terms.carried).T

    @property
    def noise(self) -> np.ndarray:
        return self._all(lambda b: b.terms.ito)

    @property
    def correction(self) -> np.ndarray:
        """Not known of a matrix Σ(x), which many g have."""
        value = -self._all(lambda b: b.terms.middle)
        c, one = self.g.coefficient, self.banks[0].terms
        if c.is_g or not c.of_state or c.d == 1 or c.value(one.x[:2], one.t).ndim == 2:
            return value
        return np.full_like(value, np.nan)

    @property
    def fick(self) -> np.ndarray:
        return -self._all(lambda b: b.terms.fick)

    @property
    def spread(self) -> Callable[[Matrix, bool], np.ndarray]:
        def spread(of: Matrix, flux: bool) -> np.ndarray:
            return self.of(replace(self.g.coefficient, of=of), flux)

        return spread

    @property
    def spread_of(self) -> Callable[[Matrix], np.ndarray]:
        def spread_of(of: Matrix) -> np.ndarray:
            return self._all(lambda b: b.of_x(of, self.length))

        return spread_of

    def at(self, clock: Callable[[float], float]) -> np.ndarray:
        """With the noise of another time."""
        return self.of(replace(self.g.coefficient, at=clock))

    def of(self, noise: Noise, flux: bool = False) -> np.ndarray:
        """With another noise, in the same reading or as Fick's law."""
        return self._all(lambda b: b.brought(self.g, noise, flux, self.length))


def diagnosed(
    evidence: Evidence, g: General, found: Found, place: Place, tolerance: float | None
) -> Evidence:
    """With the cause, if one is found."""
    looked: list[Callable[[], Diagnosis | None]] = [lambda: _explained(g, found, place, tolerance)]
    if g.only_score:  # a sign is likelier than a negative noise, a factor of the noise than of s
        first, last = (partial(other_score, g, place, tolerance, of) for of in (TURNED, SCALED))
        a_gaussian = partial(of_a_gaussian, g, place, tolerance)
        looked = [first, *looked, last, a_gaussian]
    causes = [safely(look) for look in looked]
    named = [c for c in causes if c is not None and c.names]
    return evidence.with_diagnosis(named[0] if named else causes[int(g.only_score)])


def _explained(g: General, found: Found, place: Place, tolerance: float | None) -> Diagnosis:
    length = length_of(place)
    banks = bank(g, found, length)
    parts = Parts(g, banks, length)
    gained = np.concatenate([b.terms.rate for b in banks])
    size = np.concatenate([b.terms.size for b in banks])
    limit = _room(banks, tolerance or 0.0) / size
    due = np.concatenate([b.terms.rate - b.terms.residual for b in banks]) / size

    def before() -> Iterator[Candidate]:
        yield from _summands(parts)
        yield from of_coordinates(g, banks, gained, 1 / (size * limit), length)

    def after() -> Iterator[Candidate]:
        drift = parts.drift.sum(axis=0)
        brought = drift + np.concatenate([b.terms.spread for b in banks])
        yield from linear_parts(g, banks, gained, brought, 1 / (size * limit))
        yield from upper_factor(g, drift, parts.of)
        yield from swapped(g, drift, parts.spread, parts.at, place)
        yield from of_entries(g, banks, gained - drift, 1 / (size * limit), parts)

    asked = Asked(g.reading, g.meaning, before, after, tolerance or 0.0)
    return explained(parts, gained, size, due, limit, asked)


def of_the_noise(g: General, found: Found, length: float, tolerance: float) -> Diagnosis | None:
    """The matrix that is needed where the noise was one number, or none."""
    banks = bank(g, found, length)
    parts = Parts(g, banks, length)
    drift = parts.drift.sum(axis=0)
    gained = np.concatenate([b.terms.rate for b in banks])
    room = _room(banks, tolerance)
    for name, value, text in of_entries(g, banks, gained - drift, 1 / room, parts):
        if np.all(np.abs(gained - value) <= room):
            return Diagnosis.cause(name, f"Cause: {text} ({name}).")
    return None


def _room(banks: list[Bank], tolerance: float) -> np.ndarray:
    size = np.concatenate([b.terms.size for b in banks])
    blur = np.concatenate([np.maximum(b.terms.error, 8 * EPS * b.terms.size) for b in banks])
    return np.asarray(ROOM * blur + (tolerance + NEGLIGIBLE) * size)


def _summands(parts: Parts) -> Iterator[Candidate]:
    """A summand left out."""
    g, banks = parts.g, parts.banks
    brought = parts.drift.sum(axis=0) + np.concatenate([b.terms.spread for b in banks])
    squeezed = np.concatenate([b.terms.squeezed.sum(axis=1) for b in banks])
    square = np.concatenate([b.terms.square for b in banks])
    along = np.concatenate([b.terms.along.sum(axis=1) for b in banks])
    score = g.only_score
    yield (
        "gradient_of_divergence" if score else "gradient_outside",
        brought + squeezed,
        "∇(∇·f) is left out of the score's equation ∂_t s = ∇(-∇·f - f·s + …): it is 0 for a"
        " linear drift only"
        if score
        else "p ∇·f is left out, f·∇p for ∇·(f p)",
    )
    yield (
        "squared_gradient",
        brought - square,
        "∇(½ sᵀ Σ s) is left out of the score's equation: ½ tr(Σ ∇s) alone is the noise of an"
        " equation for p, in one for log p the square ½ sᵀ Σ s stands beside it"
        if score
        else "½ ∇log pᵀ Σ ∇log p is left out: the equation for p was taken for one for log p",
    )
    yield (
        "half_of_the_square",
        brought - square / 2,
        "½ sᵀ Σ s is counted by half, where ∂_t log p = … + ½ (tr(Σ ∇s) + sᵀ Σ s)",
    )
    yield (
        "along_only",
        brought + along,
        "f·s is left out: the density is carried with no drift",
    )
