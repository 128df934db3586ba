"""Which of mean, variance and normaliser of a Gaussian density is wrong, and what it is instead.

Conventions: as in `moments`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.fokker_planck.moments import Moments, fit
from scoreproof.public.fokker_planck.variances import apart

__all__ = ["wrong_moment"]


#: of these no more is known than that two sides disagree
VAGUE = ("mean_wrong", "variance_wrong")
#: a rate nearer to what is due is no wrong rate, but an error of another kind
PLAIN = 1e-3


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
                "its normaliser is not that of its covariance: 1/√det(2πC(t)) is missing, doubled"
                " or"
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
    if any(name in VAGUE for name, _ in parts):
        what = "mean or the drift" if not off_cov else "variance or the noise (or the drift)"
        if off_mean and off_cov:
            what = "two moments or drift and noise"
        return Diagnosis.unknown(
            f"The density is Gaussian, and {text}{also}. Either its {what} is wrong: which, the"
            " equation does not tell."
        )
    return Diagnosis.cause(
        " + ".join(name for name, _ in parts),
        f"Cause: the density is Gaussian, and {text}{also} ({' + '.join(n for n, _ in parts)}).",
    )


def _mean(m: Moments, near: float) -> tuple[str, str]:
    k = int(np.argmax(np.abs(m.moves - m.due_mean).max(axis=1)))
    i = int(np.argmax(np.abs(m.moves - m.due_mean)[k]))
    d = m.mean.shape[1]
    of = "" if d == 1 else f" in coordinate {i}"
    found, due = apart(float(m.moves[k, i]), float(m.due_mean[k, i]))
    text = (
        f"its mean moves at {found}{of} at t = {m.times[k]:.3g}, where the drift at the mean,"
        f" {due}, is due"
    )
    gap = m.moves - m.due_mean
    if np.max(np.ptp(gap, axis=0)) <= near:
        b = ", ".join(number(float(v), near / max(abs(float(v)), 1e-300)) for v in gap[0])
        return (
            "mean_offset",
            f"{text}: the drift lacks the constant {b if d == 1 else f'({b})'}, as a long-run mean,"
            " or the density has one too many",
        )
    if np.max(np.abs(m.moves)) <= near:
        return "mean_stays", f"{text}: it stays where the drift is to move it"
    ratio = _ratio(m.moves, m.due_mean, near)
    if ratio is not None and abs(ratio - 1) > PLAIN:
        return (
            "mean_rate",
            f"{text}: it moves {number(ratio, 1e-5)} times as fast as the drift carries it: its"
            f" mean"
            f" factor e^(At) has {number(ratio, 1e-5)} times the rate of the drift",
        )
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
    entry = f"covariance of coordinates {i} and {l}"
    if i == l:
        entry = "variance" if d == 1 else f"variance of coordinate {i}"
    found, due = apart(float(m.grows[k, i, l]), float(m.due_cov[k, i, l]))
    text = f"its {entry} changes at the rate {found} at t = {m.times[k]:.3g}, where {due} is due"
    ratio = _ratio(m.grows, m.due_cov, near)
    if ratio is not None and abs(ratio) > 1e-9 and abs(ratio - 1) > PLAIN:
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
    found = fit(design, g[:, None])
    if found is None:
        return ""
    alpha, beta = (float(c) for c in found[0][:, 0])
    return (
        f"it obeys v' = {alpha:.5g} v + {beta:.5g} where v' = {2 * float(m.a[0, 0, 0]):.5g} v +"
        f" {float(m.rho[0]) ** 2:.5g} is due"
    )
