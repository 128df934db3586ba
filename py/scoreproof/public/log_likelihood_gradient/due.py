"""What the gradient is held against: the entries due at each question, and how well they are known.

Conventions: ``columns`` ``(P, K)``: directions in θ in which gradients are compared; ``None``: each
of the P parameters by itself. Sizes and floors are per column, in the units of the entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.claims.ffjord.checks_float import orthogonal
from scoreproof.public.black_box_field import BlackBoxField
from scoreproof.public.log_likelihood_gradient.arguments import Given
from scoreproof.public.log_likelihood_gradient.asking import Answer, Question
from scoreproof.public.log_likelihood_gradient.entries import (
    DIRECT,
    DIRECT_STENCIL,
    every_entry,
    value,
)
from scoreproof.public.log_likelihood_gradient.reference import Settled

__all__ = ["Due", "Layout", "designs", "due", "layout", "rows_of"]

#: of the terms of one entry, and of the largest entry, in units of eps
ROUNDINGS, ROUNDINGS_LARGEST = 20.0, 2.0
#: a claimed entry below this part of the largest says nothing of its size
NOTHING = 1e-12


@dataclass(frozen=True, eq=False)
class Layout:
    """How gradients are compared: ``members``: how many parameters a column speaks of.

    A column of several parameters weighs each by a random sign and 1/2 to 2 over the size that the
    user claims for its entry: a relative error of one entry shows as half of it at least. ``least``
    is what that half amounts to; nan where the user claims 0, and what is due counts.
    """

    columns: np.ndarray | None
    members: int = 1
    least: np.ndarray | None = None

    def of(self, gradient: np.ndarray) -> np.ndarray:
        return gradient if self.columns is None else gradient @ self.columns


@dataclass(frozen=True, eq=False)
class Due:
    """At one question: entries ``(G, K)``, log p̂ ``(rows,)``; the floor of each column
    ``(K,)``."""

    gradient: np.ndarray
    value: np.ndarray
    floor: np.ndarray


def layout(field: BlackBoxField, claimed: np.ndarray, rng: np.random.Generator) -> Layout:
    """Every parameter by itself where reverse mode or a bounded number of calls gives that."""
    p = claimed.shape[1]
    most = DIRECT if field.analytic else DIRECT_STENCIL
    if field.ad is not None or p <= most:
        return Layout(None)
    sizes = np.max(np.abs(claimed), axis=0)
    largest = float(np.max(sizes)) or 1.0
    # an entry that is said to be 0 has no size to be weighed by: those are kept apart
    empty = sizes <= NOTHING * largest
    groups = [*_groups(np.flatnonzero(~empty), 3 * most // 4, rng)]
    known = len(groups)
    groups += _groups(np.flatnonzero(empty), most // 4, rng)
    columns = np.zeros((p, len(groups)))
    for k, group in enumerate(groups):
        signs = rng.choice([-1.0, 1.0], group.size)
        size = sizes[group] if k < known else largest
        columns[group, k] = signs * rng.uniform(0.5, 2.0, group.size) / size
    # an error of the part `accuracy` of the largest entry, everywhere, shows as `accuracy`
    scale = np.abs(columns).sum(axis=0) * largest
    least = np.where(np.arange(len(groups)) < known, 0.5 / scale, np.nan)
    return Layout(columns / scale, max(group.size for group in groups), least)


def _groups(entries: np.ndarray, most: int, rng: np.random.Generator) -> list[np.ndarray]:
    """The entries in random groups of nearly equal size, at most ``most`` of them."""
    return np.array_split(rng.permutation(entries), min(most, entries.size)) if entries.size else []


def designs(given: Given, rng: np.random.Generator) -> np.ndarray:
    """D sets of ν ``(D, n, D)``: the vectors √D Q e_i, with another Q for each row."""
    n, d = given.x.shape
    return np.stack([orthogonal(rng, d) for _ in range(n)], axis=1)


def _blocks(asked: list[Question], answers: list[Answer], mean: bool) -> list[np.ndarray]:
    n, v = len(asked[0].nu), len(asked)
    blocks = []
    for k, (question, answer) in enumerate(zip(asked, answers, strict=True)):
        block = np.zeros((len(question.rows), v * n))
        block[np.arange(len(question.rows)), k * n + question.rows] = 1.0
        blocks.append(block.sum(axis=0, keepdims=True) if len(answer.gradient) == 1 else block)
    return [np.sum(blocks, axis=0) / len(blocks)] if mean else blocks


def rows_of(asked: list[Question], answers: list[Answer], mean: bool) -> np.ndarray:
    """``(G, V n)``: which rows of which question each row of the answers adds up."""
    return np.concatenate(_blocks(asked, answers, mean))


def due(
    field: BlackBoxField,
    settled: Settled,
    latent: Any,
    asked: list[Question],
    answers: list[Answer],
    how: Layout,
    mean: bool,
) -> list[Due]:
    """At each question (``mean``: at the mean over all, which have the same rows)."""
    nus = np.stack([q.nu for q in asked])
    n = nus.shape[1]
    blocks = _blocks(asked, answers, mean)
    mix = np.concatenate(blocks)
    fine, size = every_entry(field, settled.prepared, latent, nus, mix, how.columns)
    # how well the reference has settled, entry by entry: at the first question
    few = mix if mean else mix[: len(blocks[0]), :n]
    coarse, _ = every_entry(
        field, settled.before, latent, nus if mean else nus[:1], few, how.columns
    )
    largest = float(np.max(np.abs(fine)))
    rounding = field.guard.eps * (ROUNDINGS * size + ROUNDINGS_LARGEST * largest)
    if field.ad is None and not field.analytic:
        rounding = rounding * (1e-10 / field.guard.eps)  # that of two nested stencils
    moved = np.max(np.abs(fine[: len(coarse)] - coarse), axis=0)
    floor = moved + np.max(rounding, axis=0)
    values = [value(settled.prepared, latent, nu) for nu in nus]
    picked = [values[k][q.rows] for k, q in enumerate(asked)]
    if mean:
        return [Due(fine, np.mean(picked, axis=0), floor)]
    cuts = np.cumsum([len(block) for block in blocks])[:-1]
    parts = np.split(fine, cuts)
    return [Due(g, w, floor) for g, w in zip(parts, picked, strict=True)]
