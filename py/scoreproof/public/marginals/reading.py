"""What was declared, read as a law: at each time the factor of x0, the rest of the mean, and the
standard deviation; beside what is due.

Conventions: one coordinate at m times, arrays ``(m,)``: mean = α x0 + shift. ``tol`` is relative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.laws import Law, law, same
from scoreproof.public.marginals.mistakes import Context
from scoreproof.public.marginals.verdict import Case, errors

__all__ = ["Told", "Declaration", "declaration"]

#: how much of what rounding may explain a law may be off by, and the least
BOUNDS, LEAST = 8.0, 1e-9


@dataclass(frozen=True)
class Told:
    """A cause: a short name, and a sentence without a full stop."""

    name: str
    text: str


@dataclass(frozen=True, eq=False)
class Declaration:
    """``alpha``, ``shift``, ``std`` as declared; ``…_due`` as implied. ``straight``: whether the
    mean is affine in x0. ``context``: the implied law at any time, the data blurred by ``start``.
    """

    t: np.ndarray
    alpha: np.ndarray
    alpha_due: np.ndarray
    shift: np.ndarray
    shift_due: np.ndarray
    std: np.ndarray
    std_due: np.ndarray
    tol: float
    straight: bool
    start: float
    context: Context

    @property
    def mean_wrong(self) -> bool:
        """Whether the factor of x0 is wrong."""
        return not same(self.alpha, self.alpha_due, self.tol)

    @property
    def shift_wrong(self) -> bool:
        size = np.max(np.abs(self.shift_due)) + np.max(np.abs(self.alpha_due))
        return bool(np.max(np.abs(self.shift - self.shift_due)) > self.tol * size)

    @property
    def std_wrong(self) -> bool:
        return bool(np.any(np.abs(self.std - self.std_due) > self.tol * self.std_due))

    def at(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """α and std that are due at other times."""
        m, v = self.context.under(u)
        return m, np.sqrt(np.maximum(v, 0) + m**2 * self.start**2)

    def law(self, values: np.ndarray) -> Law | None:
        """The values as a formula in what is due."""
        m = self.alpha_due
        parts = {"α": m, "σ": self.std_due, "t": self.t}
        first = {"(1 + α)": 1 + m, "1/(1 + α)": 1 / (1 + m)} if np.ptp(m) > self.tol else {}
        if np.ptp(m) <= self.tol:
            del parts["α"]
        return law(values, parts, self.tol, first=first)


def declaration(case: Case, coordinate: int, context: Context) -> Declaration:
    """The declared law of one coordinate; a limit at the horizon is left out."""
    i, c = case.implied, coordinate
    keep = slice(0, len(i.times) - (1 if i.limit else 0))
    found = errors(case, case.start)
    _, std = case.law(case.start)
    x0 = case.said.rows[:, c]
    said = case.said.mean[keep, :, c]
    design = np.stack([x0, np.ones_like(x0)], axis=1)
    if len(np.unique(x0)) < 2:
        design = design[:, :1]
    fit, *_ = np.linalg.lstsq(design, said.T, rcond=None)
    left = np.abs(said.T - design @ fit)
    size = np.max(np.abs(said), axis=1) + 1e-300
    allowed = found.bound + found.excuse
    tol = max(LEAST, BOUNDS * float(np.median(allowed[:, keep, :, c])))
    shift = fit[1] if len(fit) > 1 else i.shift[keep, c]
    return Declaration(
        t=i.times[keep],
        alpha=fit[0],
        alpha_due=i.mean[keep, c],
        shift=shift,
        shift_due=i.shift[keep, c],
        std=case.said.std[keep, :, c].mean(axis=1),
        std_due=std[keep, c],
        tol=tol,
        straight=bool(np.all(left <= tol * size)) and same_rows(case, keep, c, tol),
        start=float(case.start[c]),
        context=context,
    )


def same_rows(case: Case, keep: slice, c: int, tol: float) -> bool:
    """Whether the standard deviation is the same for every x0."""
    std = case.said.std[keep, :, c]
    return bool(np.all(np.ptp(std, axis=1) <= tol * np.max(np.abs(std), axis=1)))
