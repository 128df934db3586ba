"""A Gaussian density and a linear drift: which of mean, variance and normaliser is wrong, and how.

Conventions: at each time log p = -(x-m)ᵀ C⁻¹ (x-m)/2 + c and f = A x + b, both read off by least
squares; due is m' = A m + b, C' = A C + C Aᵀ + ρ² I and the c of mass 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.fokker_planck.strong import Terms
from scoreproof.public.fokker_planck.summands import Judged

__all__ = ["Moments", "gaussian", "wrong_moment"]

MOST = 6


@dataclass(frozen=True, eq=False)
class Moments:
    """At T times: m, m' ``(T, d)``, C, C' ``(T, d, d)``, c' ``(T,)``, A ``(T, d, d)``, b ``(T, d)``,
    ρ and t; ``blur``: how well they are known, relative.
    """

    mean: np.ndarray
    moves: np.ndarray
    cov: np.ndarray
    grows: np.ndarray
    rise: np.ndarray
    a: np.ndarray
    b: np.ndarray
    rho: np.ndarray
    times: np.ndarray
    blur: float

    @property
    def due_mean(self) -> np.ndarray:
        return np.einsum("tij,tj->ti", self.a, self.mean) + self.b

    @property
    def due_cov(self) -> np.ndarray:
        d = self.mean.shape[1]
        turned = np.einsum("tij,tjk->tik", self.a, self.cov)
        return turned + np.swapaxes(turned, 1, 2) + self.rho[:, None, None] ** 2 * np.eye(d)


def gaussian(j: Judged) -> Moments | None:
    """The moments, if log p is quadratic and f affine at every time."""
    d = j.x.shape[1]
    if d > MOST or any(len(t.x) < (d + 1) * (d + 2) // 2 + 2 for t in j.terms):
        return None
    rows = []
    for t in j.terms:
        one = _at(t)
        if one is None:
            return None
        rows.append(one)
    mean, moves, cov, grows, rise, a, b, left = (np.stack(c) for c in zip(*rows, strict=True))
    blur = max(float(np.max(left)), 1e-9)
    return Moments(mean, moves, cov, grows, rise, a, b, j.rho, j.times, blur)


def _fit(design: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Coefficients, and what they leave, relative; ``None`` if that is not little."""
    fit, _, rank, _ = np.linalg.lstsq(design, values, rcond=1e-10)
    if rank < design.shape[1]:
        return None
    left = float(np.max(np.abs(values - design @ fit))) / max(float(np.max(np.abs(values))), 1e-300)
    return (fit, left) if left < 1e-5 else None


def _at(t: Terms) -> tuple[np.ndarray, ...] | None:
    n, d = t.x.shape
    affine = np.column_stack([t.x, np.ones(n)])
    slope, field = _fit(affine, t.first), _fit(affine, t.f)
    pairs = [(i, k) for i in range(d) for k in range(i, d)]
    squares = np.column_stack([*(t.x[:, i] * t.x[:, k] for i, k in pairs), affine])
    rate = _fit(squares, t.rate)
    if slope is None or (field is None and np.any(t.f)) or rate is None:
        return None
    precision = -slope[0][:d].T
    precision = (precision + precision.T) / 2
    if np.any(np.linalg.eigvalsh(precision) <= 0):
        return None
    cov = np.linalg.inv(precision)
    mean = cov @ slope[0][d]
    quadratic = np.zeros((d, d))
    for (i, k), v in zip(pairs, rate[0], strict=False):
        quadratic[i, k] += v / 2
        quadratic[k, i] += v / 2
    linear, rise = rate[0][len(pairs) : len(pairs) + d], float(rate[0][-1])
    turned = -2 * quadratic  # d(C⁻¹)/dt
    grows = -cov @ turned @ cov
    # ∂_t log p = -(x-m)ᵀ (C⁻¹)' (x-m)/2 + (x-m)ᵀ C⁻¹ m' + c'
    moves = cov @ (linear - turned @ mean)
    at_mean = float(mean @ quadratic @ mean + linear @ mean + rise)
    a = field[0][:d].T if field is not None else np.zeros((d, d))
    b = field[0][d] if field is not None else np.zeros(d)
    left = max(slope[1], rate[1], 0.0 if field is None else field[1])
    return mean, moves, cov, grows, np.array(at_mean), a, b, np.array(left)


def wrong_moment(m: Moments) -> Diagnosis | None:
    """Which of the three, and what it is instead."""
    blur = 1e3 * m.blur
    near = blur * (1 + float(np.max(np.abs(m.moves))) + float(np.max(np.abs(m.due_mean))))
    size = float(np.max(np.abs(m.grows))) + float(np.max(np.abs(m.due_cov)))
    off_mean = bool(np.max(np.abs(m.moves - m.due_mean)) > near)
    off_cov = bool(np.max(np.abs(m.grows - m.due_cov)) > blur * size)
    parts: list[tuple[str, str]] = []
    if off_mean:
        parts.append(_mean(m, near))
    if off_cov:
        parts.append(_covariance(m, blur * size))
    volume = -0.5 * np.einsum("tij,tji->t", np.linalg.inv(m.cov), m.grows)
    if np.max(np.abs(m.rise - volume)) > blur * (1 + float(np.max(np.abs(volume)))):
        parts.append(
            (
                "normaliser_of_time",
                "its normaliser is not that of its covariance: 1/√det(2πC(t)) is missing, doubled or"
                " taken of another C; divide by the integral at each t",
            )
        )
    if not parts:
        return None
    right = [name for name, off in (("the mean", off_mean), ("the covariance", off_cov)) if not off]
    d = m.mean.shape[1]
    if d == 1:
        right = [r.replace("covariance", "variance") for r in right]
    also = f"; {' and '.join(right)} {'is' if len(right) == 1 else 'are'} right" if right else ""
    text = ". Besides, ".join(what for _, what in parts)
    return Diagnosis.cause(
        " + ".join(name for name, _ in parts),
        f"Cause: the density is Gaussian, and {text}{also} ({' + '.join(n for n, _ in parts)}).",
    )


def _mean(m: Moments, near: float) -> tuple[str, str]:
    k = int(np.argmax(np.abs(m.moves - m.due_mean).max(axis=1)))
    i = int(np.argmax(np.abs(m.moves - m.due_mean)[k]))
    d = m.mean.shape[1]
    of = "" if d == 1 else f" in coordinate {i}"
    text = (
        f"its mean moves at {m.moves[k, i]:.4g}{of} at t = {m.times[k]:.3g}, where the drift at the"
        f" mean, {m.due_mean[k, i]:.4g}, is due"
    )
    gap = m.moves - m.due_mean
    if np.max(np.ptp(gap, axis=0)) <= near:
        b = ", ".join(number(float(v), near / max(abs(float(v)), 1e-300)) for v in gap[0])
        return (
            "mean_offset",
            f"{text}: the drift lacks the constant {b if d == 1 else f'({b})'}, as a long-run mean,"
            " or the density has one too many",
        )
    ratio = _ratio(m.moves, m.due_mean, near)
    if ratio is not None:
        return (
            "mean_rate",
            f"{text}: it moves {number(ratio, 1e-5)} times as fast as the drift carries it: its mean"
            f" factor e^(At) has {number(ratio, 1e-5)} times the rate of the drift",
        )
    if np.max(np.abs(m.moves)) <= near:
        return "mean_stays", f"{text}: it stays where the drift is to move it"
    return "mean_wrong", text


def _ratio(found: np.ndarray, due: np.ndarray, near: float) -> float | None:
    size = float(np.vdot(due, due))
    if size == 0:
        return None
    c = float(np.vdot(due, found)) / size
    return c if np.max(np.abs(found - c * due)) <= near * max(1.0, abs(c)) else None


def _covariance(m: Moments, near: float) -> tuple[str, str]:
    d = m.mean.shape[1]
    gap = np.abs(m.grows - m.due_cov)
    k, i, l = (int(v) for v in np.unravel_index(int(np.argmax(gap)), gap.shape))
    entry = (
        "variance"
        if d == 1
        else (f"variance of coordinate {i}" if i == l else f"covariance of coordinates {i} and {l}")
    )
    text = (
        f"its {entry} changes at the rate {m.grows[k, i, l]:.4g} at t = {m.times[k]:.3g}, where"
        f" {m.due_cov[k, i, l]:.4g} is due"
    )
    ratio = _ratio(m.grows, m.due_cov, near)
    if ratio is not None and abs(ratio) > 1e-9:
        what = number(ratio, 1e-5)
        why = ": as with θ for 2θ in its exponent" if abs(ratio - 0.5) < 1e-4 else ""
        return "variance_rate", f"{text}: it relaxes {what} times as fast as is due{why}"
    if np.max(np.abs(m.grows)) <= near:
        return "variance_constant", f"{text}: it does not depend on t"
    for name, of, inverse, what in INSTEAD:
        if _obeys(m, of, inverse):
            return name, f"{text}: {what}"
    rate = _own_rate(m)
    return ("variance_wrong", text + (f": {rate}" if rate else ""))


#: w(C) that would obey the equation in place of C, with w'(C)
INSTEAD = (
    (
        "variance_for_std",
        np.sqrt,
        lambda v: 0.5 / np.sqrt(v),
        "its variance is the square of the one due: the variance was passed as a standard"
        " deviation, as to scale=; pass its square root",
    ),
    (
        "std_for_variance",
        np.square,
        lambda v: 2 * v,
        "its variance is the square root of the one due: a standard deviation was passed as a"
        " variance; pass its square",
    ),
    (
        "precision_for_variance",
        np.reciprocal,
        lambda v: -1 / v**2,
        "its variance is 1 over the one due: a precision was passed as a variance",
    ),
    (
        "variance_doubled",
        lambda v: v / 2,
        lambda v: 0.5 + 0 * v,
        "its variance is twice the one due: (x-m)²/(4v) for (x-m)²/(2v), or 2Dt counted twice",
    ),
    (
        "variance_halved",
        lambda v: 2 * v,
        lambda v: 2 + 0 * v,
        "its variance is half of the one due: the ½ of (x-m)²/(2v) is missing",
    ),
    (
        "squared_std_of_square",
        lambda v: v**0.25,
        lambda v: 0.25 * v**-0.75,
        "its variance is the fourth power of the one due",
    ),
    (
        "log_variance",
        np.exp,
        np.exp,
        "its variance is the logarithm of the one due: exponentiate it",
    ),
)


def _obeys(m: Moments, of: object, slope: object) -> bool:
    """Whether w(C) obeys the equation in place of C: for one variance for all coordinates."""
    d = m.mean.shape[1]
    v = m.cov[:, 0, 0]
    if np.max(np.abs(m.cov - v[:, None, None] * np.eye(d))) > 1e-6 * np.max(v):
        return False
    a = m.a[:, 0, 0]
    sym = (m.a + np.swapaxes(m.a, 1, 2)) / 2
    if np.max(np.abs(sym - a[:, None, None] * np.eye(d))) > 1e-6 * (1 + np.max(np.abs(a))):
        return False
    with np.errstate(all="ignore"):
        w, dw = of(v), slope(v)  # type: ignore[operator]
        gap = np.abs(dw * m.grows[:, 0, 0] - 2 * a * w - m.rho**2)
        size = np.abs(dw * m.grows[:, 0, 0]) + np.abs(2 * a * w) + m.rho**2
    return bool(np.all(gap <= 1e3 * m.blur * size))


def _own_rate(m: Moments) -> str:
    """C' = α C + β with constants, in one dimension: its own rate and noise."""
    if m.mean.shape[1] != 1 or np.ptp(m.rho) > 1e-9 or np.ptp(m.a) > 1e-6:
        return ""
    v, g = m.cov[:, 0, 0], m.grows[:, 0, 0]
    design = np.column_stack([v, np.ones_like(v)])
    found = _fit(design, g[:, None])
    if found is None:
        return ""
    alpha, beta = (float(c) for c in found[0][:, 0])
    return (
        f"it obeys v' = {alpha:.5g} v + {beta:.5g} where v' = {2 * float(m.a[0, 0, 0]):.5g} v +"
        f" {float(m.rho[0]) ** 2:.5g} is due"
    )
