"""Which of mean, variance and normaliser of a Gaussian density is wrong, and what it is instead.

Conventions: as in `moments`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.fokker_planck.moments import Moments, fit
from scoreproof.public.fokker_planck.other_variances import another, normaliser
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
    near_rise = blur * (1 + float(np.max(np.abs(volume))))
    if np.max(np.abs(m.rise - volume)) > near_rise:
        other = another(m) if off_cov else None
        if other is not None and np.max(np.abs(m.rise - other.volume)) <= near_rise:
            name, text = parts.pop()
            parts.append(
                (
                    name,
                    f"{text}. That is so in the exponent alone: the normaliser is that"
                    " of the variance which is due",
                )
            )
        else:
            parts.append(("normaliser_of_time", normaliser(m, volume, near_rise)))
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
        return "mean_offset", f"{text}: {_levels(m, gap.mean(axis=0))}"
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


def _levels(m: Moments, gap: np.ndarray) -> str:
    """Where the mean tends to by itself, and where the drift pulls it; ``gap``: their rates'."""
    d = m.mean.shape[1]

    def shown(v: np.ndarray) -> str:
        inner = ", ".join(f"{float(c) + 0.0:.5g}" for c in np.where(np.abs(v) < 1e-9, 0.0, v))
        return inner if d == 1 else f"({inner})"

    a, b = m.a[0], m.b[0]
    steady = np.ptp(m.a, axis=0).max() < 1e-6 and np.ptp(m.b, axis=0).max() < 1e-6
    if not steady or not np.all(np.linalg.eigvals(a).real < -1e-6):
        return (
            f"it moves as if the drift held the constant {shown(gap)} more than it does; take that"
            " from the mean, or give it to the drift"
        )
    own, pull = np.linalg.solve(-a, b + gap), np.linalg.solve(-a, b)
    return (
        f"it tends to {shown(own)}, at the drift's own rate, while the drift pulls to"
        f" {shown(pull)}; give both the same long-run mean μ: m(t) = μ + e^(At) (m(0) - μ) for the"
        " drift A (x - μ)"
    )


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
    alone = _of_coordinates(m, near)
    if alone is not None:
        return "variance_rate", f"{text}: {alone}"
    if np.max(np.abs(m.grows)) <= near:
        return "variance_constant", f"{text}: it does not depend on t"
    other = another(m)
    if other is not None:
        return other.name, f"{text}: {other.words}"
    rate = _own_rate(m)
    return ("variance_wrong", text + (f": {rate}" if rate else ""))


def _of_coordinates(m: Moments, near: float) -> str | None:
    """One coordinate's variance that relaxes at another rate, the others being right."""
    d = m.mean.shape[1]
    gap = np.abs(m.grows - m.due_cov).max(axis=0) > near
    off = [i for i in range(d) if gap[i, i]]
    if d == 1 or len(off) != 1 or np.any(gap & ~np.eye(d, dtype=bool)):
        return None
    (i,) = off
    c = _ratio(m.grows[:, i, i], m.due_cov[:, i, i], near)
    if c is None or abs(c) < 1e-9 or abs(c - 1) <= PLAIN:
        return None
    rates = m.a[0][np.arange(d), np.arange(d)]
    others = [k for k in range(d) if k != i and rates[i] and abs(rates[k] / rates[i] - c) < 1e-5]
    like = f", as with the rate of coordinate {others[0]} in its exponent" if others else ""
    return (
        f"it relaxes {number(c, 1e-5)} times as fast as is due{like}; the other coordinates are"
        " right"
    )


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
