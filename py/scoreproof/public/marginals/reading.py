"""What was declared, read as a law: at each time the factor of x0, the rest of the mean, and the
standard deviation; beside what is due.

Conventions: one coordinate at m times, arrays ``(m,)``: mean = α x0 + shift. ``tol`` is relative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.causes.growth import grows
from scoreproof.public.laws import Law, law, same
from scoreproof.public.marginals.mistakes import Context
from scoreproof.public.marginals.verdict import Case, errors

__all__ = ["BOUNDS", "LEAST", "Declaration", "Told", "declaration", "parts_wrong"]

#: how much of what rounding may explain a law may be off by, and the least
BOUNDS, LEAST = 8.0, 1e-9


@dataclass(frozen=True)
class Told:
    """A cause: a short name, and a sentence without a full stop."""

    name: str
    text: str
    #: whether no number in it was fitted
    rigid: bool = False


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
        size = np.max(np.abs(self.shift_due)) + np.max(np.abs([self.alpha_due, self.alpha]))
        return bool(np.max(np.abs(self.shift - self.shift_due)) > self.tol * size)

    @property
    def std_wrong(self) -> bool:
        return bool(np.any(np.abs(self.std - self.std_due) > self.tol * self.std_due))

    @property
    def cut(self) -> int:
        """At how many times the standard deviation is wrong."""
        return int(np.sum(np.abs(self.std - self.std_due) > self.tol * self.std_due))

    @property
    def loose(self) -> float:
        """A thousandth of the deviation, no more than 1e-6: for what is fitted or divided."""
        with np.errstate(all="ignore"):
            parts = [
                np.abs(found - due) / np.maximum(np.abs(due), 1e-300)
                for found, due in ((self.alpha, self.alpha_due), (self.std, self.std_due))
            ]
        return max(self.tol, min(1e-6, 1e-3 * float(np.nanmax(parts))))

    def at(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """α and std that are due at other times."""
        m, v = self.context.under(u)
        return m, np.sqrt(np.maximum(v, 0) + m**2 * self.start**2)

    @property
    def total(self) -> float | None:
        """The variance at the end of time, where V = total (1 - α²): it is then all noise."""
        told = self.alpha_due < 0.999
        if self.start or np.sum(told) < 4:
            return None
        with np.errstate(all="ignore"):
            values = (self.std_due**2 / (1 - self.alpha_due**2))[told]
        middle = float(np.median(values))
        return middle if same(values, middle, self.loose) else None

    def whole(self, values: np.ndarray, *, std: bool) -> str | None:
        """The values as another of the functions that such a law is made of."""
        a, s = self.alpha_due, self.std_due
        if np.ptp(a) <= self.tol:
            return None
        with np.errstate(all="ignore"):
            forms = {
                "1 - α": 1 - a,
                "1 - α²": 1 - a**2,
                "√(1 - α)": np.sqrt(1 - a),
                "√(1 - α²)": np.sqrt(1 - a**2),
                "α": a,
                "α²": a**2,
                "√α": np.sqrt(a),
                "1/α": 1 / a,
                "σ": s,
                "σ²": s**2,
                "√σ": np.sqrt(s),
                "1 - σ": 1 - s,
                "1 - σ²": 1 - s**2,
                "√(1 - σ²)": np.sqrt(np.maximum(1 - s**2, 0)),
                "1": np.ones_like(a),
            }
        due = forms["σ" if std else "α"]
        for text, value in forms.items():
            told = np.abs(value) > 1e-6
            if np.sum(told) < 4 or same(value, due, self.tol):
                continue
            if np.all(np.abs(values - value)[told] <= self.loose * np.abs(value)[told]):
                return text
        return None

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


def parts_wrong(d: Declaration) -> str:
    """Which of the parts are wrong, by which factor, and how that grows: a sentence."""
    parts = []
    named = (
        ("the factor of x0 in the mean", d.alpha, d.alpha_due, d.mean_wrong),
        ("the standard deviation", d.std, d.std_due, d.std_wrong),
    )
    for what, found, due, wrong in named:
        with np.errstate(all="ignore"):
            ratio = found / due
        if not wrong or not np.all(np.isfinite(ratio)):
            continue
        first = int(np.argmax(np.abs(ratio - 1) > d.tol))
        some = slice(first, None)  # up to there it is right
        low, high = (first + int(f(ratio[some])) for f in (np.argmin, np.argmax))
        text = (
            f"{what} is {ratio[low]:.4g} (t = {d.t[low]:.3g}) to {ratio[high]:.4g}"
            f" (t = {d.t[high]:.3g}) times the one due"
        )
        if abs(ratio[high] / ratio[low] - 1) <= 10 * d.tol:
            text = f"{what} is {ratio[low]:.6g} times the one due"
        if first > 1:
            text = f"from t = {d.t[first]:.3g} on {text}"
        growth = grows(d.t, ratio - 1, "t", d.tol)
        parts.append(text + (f", its relative error {growth}" if growth else ""))
    if d.shift_wrong:
        k = int(np.argmax(np.abs(d.shift - d.shift_due)))
        parts.append(
            "the part of the mean that does not depend on x0 is"
            f" {d.shift[k]:.4g} where {d.shift_due[k]:.4g} is due at t = {d.t[k]:.3g}"
        )
    if not d.straight:
        parts.append("the declared law is not of the form α x0 + c with one deviation for every x0")
    right = [
        what
        for what, wrong in (("mean", d.mean_wrong or d.shift_wrong), ("deviation", d.std_wrong))
        if not wrong
    ]
    if len(right) == 1 and d.straight:
        parts.append(f"the {'standard ' if right[0] == 'deviation' else ''}{right[0]} is right")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def same_rows(case: Case, keep: slice, c: int, tol: float) -> bool:
    """Whether the standard deviation is the same for every x0."""
    std = case.said.std[keep, :, c]
    return bool(np.all(np.ptp(std, axis=1) <= tol * np.max(np.abs(std), axis=1)))
