"""A function of time that was fitted, read as a function that the caller gave, or as a polynomial.

Conventions: as in `coefficients`; ``c`` ``(T,)`` is known to ``within``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scoreproof.causes.closed_forms import closed_form, number
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.fokker_planck.summands import Judged

__all__ = ["Polynomials", "factor_of_time", "polynomials"]

#: relative error at most of a form
EXACT = 1e-6
DEGREE = 2
#: times below which a polynomial is no finding
FEW = 8


@dataclass(frozen=True)
class Form:
    """``c(t)`` is ``factor`` times a function of the caller's, or of t."""

    factor: float
    text: str

    @property
    def whole(self) -> str:
        if abs(self.factor - 1) <= EXACT:
            return self.text
        return f"{closed_form(self.factor, EXACT) or f'{self.factor:.5g}'} {self.text}"


def _forms(j: Judged) -> Iterator[tuple[str, np.ndarray]]:
    t = j.times
    if np.ptp(j.rho) > 1e-9 * float(np.max(np.abs(j.rho))):
        rho = np.abs(j.rho)
        for text, value in (
            ("ρ(t)²", rho**2),
            ("ρ(t)", rho),
            ("1/ρ(t)²", rho**-2.0),
            ("1/ρ(t)", 1 / rho),
            ("ρ(t)⁴", rho**4),
            ("t ρ(t)²", t * rho**2),
            ("ρ(t)²/t", rho**2 / t),
        ):
            yield text, value
    for power, text in (
        (1.0, "t"),
        (-1.0, "1/t"),
        (2.0, "t²"),
        (-2.0, "1/t²"),
        (0.5, "√t"),
        (-0.5, "1/√t"),
        (3.0, "t³"),
    ):
        yield text, t**power
    for text, value in (
        ("(1 - t)", 1 - t),
        ("1/(1 - t)", 1 / np.where(t < 1, 1 - t, np.nan)),
        ("exp(-t)", np.exp(-t)),
        ("exp(t)", np.exp(t)),
    ):
        yield text, value


def factor_of_time(j: Judged, what: str, c: np.ndarray, within: np.ndarray) -> Diagnosis | None:
    """``what`` lacks a factor c(t) that is a function of the caller's, or of t."""
    form = _form(j, c, within) or _line(j, c)
    if form is None:
        return None
    one = form.whole
    several = " and " in what
    verb, lacks = ("are", "lack") if several else ("is", "lacks")
    if form.text.startswith("1/"):  # it stands there already
        inverse = Form(1 / form.factor, form.text.removeprefix("1/")).whole
        mend = f"{what} {verb} to be divided by c(t) = {inverse}, which is one factor too many"
        there = "were not there"
    else:
        mend = f"{what} {lacks} the factor c(t) = {one}: multiply by it"
        there = "were there"
    return Diagnosis.cause(
        "factor_of_time",
        f"Cause: {mend}, and all terms agree (factor_of_time). The density depends on t as if that"
        f" factor {there}: if {what} {verb} right as written, mend the density.",
    )


def _form(j: Judged, c: np.ndarray, within: np.ndarray) -> Form | None:
    """The first form that c is at every time; a factor must be a number of closed form."""
    ok = np.isfinite(c)
    with np.errstate(all="ignore"):
        for text, value in _forms(j):
            ratio = (c / value)[ok]
            if not np.all(np.isfinite(ratio)):
                continue
            near = (within[ok] / np.abs(value[ok])) + EXACT * np.abs(ratio)
            middle = float(np.median(ratio))
            if np.any(np.abs(ratio - middle) > near) or closed_form(middle, EXACT) is None:
                continue
            return Form(middle, text)
    return None


def _line(j: Judged, c: np.ndarray) -> Form | None:
    """β₀ + β₁ t with coefficients as people write them, of three digits or fewer."""
    ok = np.isfinite(c)
    if ok.sum() < FEW:
        return None
    line = np.polynomial.Polynomial.fit(j.times[ok], c[ok], 1)
    ends = [float(v) for v in line.convert().coef]
    size = float(np.max(np.abs(c[ok])))
    short = [float(f"{v:.3g}") for v in ends]
    if len(ends) < 2 or min(map(abs, ends)) <= 1e-4 * size:
        return None
    if np.max(np.abs(short[0] + short[1] * j.times[ok] - c[ok])) > EXACT * size:
        return None
    sign = "-" if short[1] < 0 else "+"
    slope = "" if abs(short[1]) == 1 else f"{abs(short[1]):g} "
    return Form(1.0, f"{short[0]:g} {sign} {slope}t")


@dataclass(frozen=True)
class Polynomials:
    """Two functions of time that are polynomials and differ in one coefficient."""

    have: np.ndarray
    need: np.ndarray

    def told(self, name: str) -> str:
        """``ρ² is 0.1 + 20 t, and 0.1 + 19.9 t is needed``."""
        return f"{name} is {_shown(self.have)}, and {_shown(self.need)} is needed"


def polynomials(t: np.ndarray, have: np.ndarray, need: np.ndarray) -> Polynomials | None:
    """Both as polynomials of t of degree 2 or less, if they are and differ in one coefficient; what
    is needed is positive, and what stands there no constant.
    """
    ok = np.isfinite(have) & np.isfinite(need)
    if ok.sum() < FEW or np.any(need[ok] <= 0):
        return None
    found = []
    for values in (have[ok], need[ok]):
        scale = float(np.max(np.abs(values))) or 1.0
        for degree in range(DEGREE + 1):
            p = np.polynomial.Polynomial.fit(t[ok], values, degree)
            if np.max(np.abs(p(t[ok]) - values)) <= EXACT * scale:
                break
        else:
            return None
        p = p.convert()
        coefficients = np.zeros(DEGREE + 1)
        coefficients[: len(p.coef)] = p.coef
        coefficients[np.abs(coefficients) < 1e-5 * scale] = 0.0
        found.append(coefficients)
    a, b = found
    if not np.any(a[1:]):
        return None
    size = float(np.max(np.abs(np.concatenate(found))))
    return Polynomials(a, b) if np.sum(np.abs(a - b) > 1e-4 * size) == 1 else None


def _coefficient(value: float, power: str) -> str:
    return "" if power and abs(value - 1) < 1e-5 else number(value, 1e-5).split(" = ")[0]


def _shown(coefficients: np.ndarray) -> str:
    powers = ("", " t", " t²")
    parts = [
        f"{_coefficient(float(v), power)}{power}"
        for v, power in zip(coefficients, powers, strict=True)
        if v
    ]
    return " + ".join(part.strip() for part in parts).replace("+ -", "- ") or "0"
