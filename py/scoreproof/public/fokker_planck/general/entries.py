"""A factor on the drift or the noise of one coordinate, or on each entry of a noise of t only.

Conventions: as in `causes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.public.fokker_planck.general.curls import noise_at
from scoreproof.public.fokker_planck.general.hessians import Bank
from scoreproof.public.fokker_planck.general.linear_parts import other_entries
from scoreproof.public.fokker_planck.general.subject import General
from scoreproof.public.fokker_planck.matrices import Matrix

__all__ = ["of_coordinates", "of_entries"]

#: entries of a matrix that are fitted at most, and named
MOST, NAMED = 36, 4
#: a factor nearer to 1 than this is one
SAME = 1e-5


def of_coordinates(
    g: General, banks: list[Bank], gained: np.ndarray, weight: np.ndarray, length: float
) -> Iterator[tuple[str, np.ndarray, str]]:
    """A factor on one coordinate's drift, or its noise where Σ is diagonal."""
    d = g.coefficient.d
    if d == 1:
        return
    drift = -np.concatenate([b.terms.carried for b in banks])
    noise = np.concatenate([b.terms.spread for b in banks])
    brought = drift.sum(axis=1) + noise

    def factor(column: np.ndarray) -> tuple[float, float] | None:
        """What it is to be multiplied by, and how well that is known."""
        w = column * weight
        if not np.any(w):
            return None
        c = 1 + float(w @ ((gained - brought) * weight)) / float(w @ w)
        return c, 2 * float(np.sqrt(len(w) / (w @ w)))

    for i in range(d):
        found = factor(drift[:, i])
        if found is not None:
            c, within = found
            made = brought + (c - 1) * drift[:, i]
            text = (
                f"drift(x, t)[:, {i}], coordinate {i} of {d}, is to be"
                f" {_shown(c, within)} times what it is"
            )
            same: list[str] = []
            if np.all(np.abs(gained - made) * weight <= 1):
                same = other_entries(g, banks, gained, brought, (weight, i))
            if same:
                others = "; or ".join(same[:2])
                text = f"one of these, which this density cannot tell apart: {text}; or {others}"
            else:
                text = f"{text}, the others are right"
            yield "drift_of_a_coordinate", made, text
    if all(noise_at(g.coefficient, b.terms.x[:1], b.terms.t, length).diagonal for b in banks):
        for i in range(d):
            own = _own(g, banks, np.eye(d)[i], length)
            found = factor(own)
            if found is not None:
                c, within = found
                yield (
                    "noise_of_a_coordinate",
                    brought + (c - 1) * own,
                    f"Σ[{i}, {i}], the noise of coordinate {i} of {d}, is to be"
                    f" {_shown(c, within)} times what it is, the others are right",
                )


def _own(g: General, banks: list[Bank], only: np.ndarray, length: float) -> np.ndarray:
    """What one coordinate's noise brings, where Σ is diagonal."""
    noise = replace(g.coefficient, only=only)
    return np.concatenate([b.brought(g, noise, False, length) for b in banks])


class Brought(Protocol):
    """What the drift brings, and what another noise would."""

    @property
    def drift(self) -> np.ndarray: ...
    @property
    def spread(self) -> Callable[[Matrix, bool], np.ndarray]: ...


def of_entries(
    g: General, banks: list[Bank], goal: np.ndarray, weight: np.ndarray, parts: Brought
) -> Iterator[tuple[str, np.ndarray, str]]:
    """The Σ that is needed, each entry a multiple of what it is, or a constant where it is 0;
    ``goal`` is all but the drift.
    """
    d = g.coefficient.d
    if d == 1 or (g.of_state and g.reading.alpha):
        return
    i, j = np.triu_indices(d)
    if len(i) > MOST or len(goal) < 2 * len(i):
        return
    sigmas = [noise_at(g.coefficient, b.terms.x[:2], b.terms.t, 1.0).sigma for b in banks]
    zero = np.all([np.all(s == 0, axis=0) for s in sigmas], axis=0)
    columns = []
    for a, b in zip(i, j, strict=True):
        if zero[a, b]:  # a constant entry, which has no derivatives
            column = np.concatenate(
                [bank.whole(lambda end, a=a, b=b: end.bent[:, a, b]) for bank in banks]  # type: ignore[misc]
            )
            columns.append(column * (0.5 if a == b else 1.0))
            continue
        only = np.zeros((d, d))
        only[a, b] = only[b, a] = 1.0
        columns.append(parts.spread(_masked(g.meaning, only), bool(g.reading.fick)))
    design = np.column_stack(columns)
    scaled = design * weight[:, None]
    length = np.linalg.norm(scaled, axis=0)
    if not np.all(length > 0):
        return
    fit, _, rank, singular = np.linalg.lstsq(scaled / length, goal * weight, rcond=1e-10)
    if rank < len(i) or singular[-1] < 1e-6 * singular[0]:
        return
    fit = fit / length
    due = np.where(zero[i, j], 0.0, 1.0)
    within = 4 * np.sqrt(len(goal)) / (length * singular[-1]) + SAME
    off = np.flatnonzero(np.abs(fit - due) > within)
    if not off.size:
        return
    told = [
        f"Σ[{i[k]}, {j[k]}] is to be {0.0 if abs(fit[k]) <= within[k] else fit[k]:.5g}"
        + (" where it is 0" if zero[i[k], j[k]] else " times what it is")
        for k in off[:NAMED]
    ]
    rest = f" and {len(off) - NAMED} more" if len(off) > NAMED else ""
    text = (
        "the density spreads with another Σ = g gᵀ than diffusion gives:"
        f" {', '.join(told)}{rest}; the other entries agree"
    )
    yield "entries_of_noise", parts.drift.sum(axis=0) + design @ fit, text


def _masked(meaning: str, only: np.ndarray) -> Matrix:
    """Some entries of Σ, as `Noise.of` takes them."""

    def of(raw: np.ndarray) -> np.ndarray:
        if meaning == "g":
            return np.einsum("nik,njk->nij", raw, raw) * only
        return raw * only * (2 if meaning == "diffusivity" else 1)

    return of


def _shown(c: float, within: float) -> str:
    return number(c, within / max(abs(c), 1e-9)) if abs(c) > within else "0"
