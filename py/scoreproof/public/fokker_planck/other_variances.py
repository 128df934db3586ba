"""What stands for the variance of a Gaussian density, and what for its normaliser.

Conventions: as in `moments`; with the right variance w(C) in place of C, w' = 2 a w + ρ².
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.public.fokker_planck.moments import Moments

__all__ = ["Another", "another", "normaliser"]


@dataclass(frozen=True, eq=False)
class Another:
    """A name, what is written, and the c'(t) of a normaliser with the variance that is due."""

    name: str
    words: str
    volume: np.ndarray


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


def another(m: Moments) -> Another | None:
    """The form of the one variance of all coordinates, or of the only one that is wrong."""
    d = m.mean.shape[1]
    whole = _isotropic(m)
    which = None if whole else _wrong_alone(m)
    if not whole and which is None:
        return None
    i = which or 0
    v, grows, a = m.cov[:, i, i], m.grows[:, i, i], m.a[:, i, i]
    for name, of, slope, words in INSTEAD:
        with np.errstate(all="ignore"):
            w, dw = of(v), slope(v)
            gap = np.abs(dw * grows - 2 * a * w - m.rho**2)
            size = np.abs(dw * grows) + np.abs(2 * a * w) + m.rho**2
            if not np.all(gap <= 1e3 * m.blur * size):
                continue
        volume = -0.5 * dw * grows / w
        if which is None:
            return Another(name, words, d * volume)
        others = [k for k in range(d) if k != i]
        rest = -0.5 * (m.grows[:, others, others] / m.cov[:, others, others]).sum(axis=1)
        return Another(name, f"{words} (in coordinate {i} alone)", volume + rest)
    return None


def _isotropic(m: Moments) -> bool:
    eye = np.eye(m.mean.shape[1])
    a = m.a[:, :1, :1]
    sym = (m.a + np.swapaxes(m.a, 1, 2)) / 2
    same = np.max(np.abs(m.cov - m.cov[:, :1, :1] * eye)) <= 1e-6 * np.max(m.cov)
    return bool(same and np.max(np.abs(sym - a * eye)) <= 1e-6 * (1 + np.max(np.abs(a))))


def _wrong_alone(m: Moments) -> int | None:
    """The one coordinate whose variance is wrong, if nothing joins it to others."""
    gap = np.abs(m.grows - m.due_cov).max(axis=0)
    off = np.argwhere(gap > 1e3 * m.blur * (np.abs(m.grows) + np.abs(m.due_cov)).max())
    if len(off) != 1 or off[0, 0] != off[0, 1]:
        return None
    i = int(off[0, 0])
    apart = np.delete(np.abs(m.a[:, i, :]) + np.abs(m.a[:, :, i]), i, axis=1)
    return i if np.max(apart, initial=0.0) <= 1e-6 * (1 + np.max(np.abs(m.a))) else None


def normaliser(m: Moments, volume: np.ndarray, near: float) -> str:
    """What the normaliser is, if it is a power of the one that is due; ``volume``: the c' due."""
    d = m.mean.shape[1]
    text = "its normaliser is not that of its covariance"
    due = "1/√det(2πC(t)) is due" if d > 1 else "1/√(2πv(t)) is due"
    size = float(volume @ volume)
    c = float(volume @ m.rise) / size if size else 0.0
    if not size or np.max(np.abs(m.rise - c * volume)) > near * (1 + abs(c)):
        return (
            f"{text}: {due}, and it is missing, doubled or taken of another variance; divide by"
            " the integral at each t"
        )
    power = number(c, 1e-6)
    for value, what in (
        (0.0, "there is none that depends on t"),
        (1 / d, f"it is that of one coordinate; take it to the power d = {d}, -½ d log(2πv)"),
        (2.0, "it is 1 over the variance: a square root, the ½ of -½ log det C, is missing"),
        (0.5, "it is the square root of that: 1/√(2πσ) for 1/√(2πσ²), or -¼ log for -½ log"),
        (float(d), f"it is the power d = {d} of that: d is counted twice"),
        (-1.0, "it is 1 over that: the sign of ½ log det(2πC) is wrong"),
    ):
        if abs(c - value) <= 1e-5 and value != 1:
            return f"{text}: {due}, and {what}"
    return f"{text}: {due}, and it changes in t as the power {power} of that"
