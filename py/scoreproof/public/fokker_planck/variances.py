"""A variance written with another power of α(t), as 1 - α where 1 - α² is due.

Conventions: a drift A(t) x + b(t), α(t) = exp(∫₀ᵗ A); due is V' = 2 A V + ρ². ``needed`` is V' - 2
A V of the density that was given, so that the error of V is seen in needed - ρ², whatever the
density's start, and also where it is a mixture.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.summands import Judged

__all__ = ["apart", "start_undecayed", "variance_of_alpha"]

NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)

#: w in place of 1 - α², with α w'(α)
WRITTEN = (
    (lambda a: 1 - a, lambda a: -a, "1 - α"),
    (lambda a: np.sqrt(1 - a), lambda a: -a / (2 * np.sqrt(1 - a)), "√(1 - α)"),
    (lambda a: np.sqrt(1 - a**2), lambda a: -(a**2) / np.sqrt(1 - a**2), "√(1 - α²)"),
    (lambda a: (1 - a**2) ** 2, lambda a: -4 * a**2 * (1 - a**2), "(1 - α²)²"),
    (lambda a: (1 - a) ** 2, lambda a: -2 * a * (1 - a), "(1 - α)²"),
    (lambda a: 1 - a**4, lambda a: -4 * a**4, "1 - α⁴"),
    (lambda a: 1 - np.sqrt(a), lambda a: -np.sqrt(a) / 2, "1 - √α"),
    (lambda a: 1 + a**2, lambda a: 2 * a**2, "1 + α²"),
    (lambda a: 1 / a**2 - 1, lambda a: -2 / a**2, "1/α² - 1"),
)


def variance_of_alpha(
    s: Subject, j: Judged, needed: np.ndarray, within: np.ndarray, ok: np.ndarray
) -> Diagnosis | None:
    """The form that stands for 1 - α² in V = … α² + v (1 - α²), v = -ρ²/(2A), a constant."""
    try:
        slopes = np.array([_slope(s, float(t), j.x.shape[1]) for t in j.times])
        with np.errstate(all="ignore"):
            level = -(j.rho**2) / (2 * slopes)
            if np.all(np.abs(needed + 2 * slopes)[ok] <= within[ok] + 1e-6 * needed[ok]):
                return _preserving(j, needed, ok, _is_sub_vp(s, j, slopes))
            if not np.all(np.isfinite(level)):
                return None
            alpha = np.array([_alpha(s, float(t), j.x.shape[1]) for t in j.times])
            if not np.all(np.isfinite(alpha)):
                return None
            start = None
            if len(ok) == len(j.times):
                start = _start_of_alpha(j, needed, within, (slopes, alpha))
            if np.ptp(level) > 1e-6 * np.max(np.abs(level)):
                return start
    except CallableError:
        return None
    v = float(level.mean())
    if v <= 0:
        return start
    for value, slope, text in WRITTEN:
        with np.errstate(all="ignore"):
            due = v * slopes * (slope(alpha) - 2 * value(alpha))
        near = within[ok] + 1e-6 * np.abs(due[ok])
        if np.all(np.abs(needed[ok] - due[ok]) <= near):
            k = int(ok[np.argmax(np.abs(needed[ok] - j.rho[ok] ** 2))])
            is_, other = apart(float(j.rho[k] ** 2), float(needed[k]))
            sub = SUB_VP if text == "(1 - α²)²" else ""
            times = "" if abs(v - 1) < 1e-6 else f"{v:.5g} "
            found = f"{times}({text})" if times and text[0] not in "(√" else f"{times}{text}"
            right = f"{times}({RIGHT})" if times else RIGHT
            return Diagnosis.cause(
                "variance_of_alpha",
                f"Cause: the variance of the density holds {found} where {right} is due,"
                f" α(t) = exp(∫₀ᵗ A ds) with A the slope of the drift: use {right}; or, which fits"
                f" as well, the noise is wrong: ρ² = {is_} at t = {j.times[k]:.3g} where this"
                f" density needs {other}{sub} (variance_of_alpha).",
            )
    return start


def start_undecayed(s: Subject, j: Judged, needed: np.ndarray) -> list[tuple[str, str]]:
    """A constant v₀ in the variance where α² v₀ is due: V' - 2 A V is larger by -2 A v₀."""
    try:
        slopes = np.array([_slope(s, float(t), j.x.shape[1]) for t in j.times])
    except CallableError:
        return []
    with np.errstate(all="ignore"):
        v0 = (needed - j.rho**2) / (-2 * slopes)
    if not np.all(np.isfinite(v0)) or np.ptp(v0) > 1e-6 * np.max(np.abs(v0)) or v0[0] <= 0:
        return []
    text = (
        f"the variance of the density holds the constant {float(v0.mean()):.5g} where"
        f" {float(v0.mean()):.5g} e^(2∫A dt) is due, A the slope of the drift: the variance of the"
        " start decays with it"
    )
    return [("start_undecayed", text)]


#: powers of α that stand for α² before the variance of the start
POWERS = ((1.0, "α"), (0.5, "√α"), (3.0, "α³"), (4.0, "α⁴"))


def _start_of_alpha(
    j: Judged, needed: np.ndarray, within: np.ndarray, known: tuple[np.ndarray, ...]
) -> Diagnosis | None:
    """Another power of α before the variance v₀ of the start: V' - 2 A V - ρ² is (p - 2) A αᵖ v₀.
    ``known``: A and α.
    """
    slopes, alpha = known
    extra = needed - j.rho**2
    for power, text in POWERS:
        with np.errstate(all="ignore"):
            unit = (power - 2) * slopes * alpha**power
            v0 = float(unit @ extra) / float(unit @ unit)
        if (
            np.isfinite(v0)
            and v0 > 0
            and np.all(np.abs(extra - v0 * unit) <= within + 1e-6 * np.abs(extra))
        ):
            return Diagnosis.cause(
                "start_of_alpha",
                f"Cause: the variance of the density holds {text} v₀ where α² v₀ is due, v₀ ="
                f" {v0:.5g} the variance of the start and α(t) = exp(∫₀ᵗ A ds), A the slope of the"
                " drift: the square is missing or too much (start_of_alpha).",
            )
    return None


def _is_sub_vp(s: Subject, j: Judged, slopes: np.ndarray) -> bool:
    """Whether ρ² is -2 A (1 - α⁴)."""
    alpha = np.array([_alpha(s, float(t), j.x.shape[1]) for t in j.times])
    due = -2 * slopes * (1 - alpha**4)
    return bool(np.all(np.abs(j.rho**2 - due) <= 1e-6 * np.abs(due)))


def _preserving(j: Judged, needed: np.ndarray, ok: np.ndarray, sub: bool) -> Diagnosis:
    k = int(ok[np.argmax(np.abs(needed[ok] - j.rho[ok] ** 2))])
    is_, other = apart(float(j.rho[k] ** 2), float(needed[k]))
    own = ", that of the sub-VP SDE: its variance is (1 - α²)²" if sub else ""
    return Diagnosis.cause(
        "variance_preserving",
        f"Cause: the noise is wrong for this density: ρ² is {is_} at t = {j.times[k]:.3g} and the"
        f" density needs {other} = -2 A, A the slope of the drift, as that of the"
        " variance-preserving SDE does (β for a drift -β x/2) (variance_preserving). Return"
        f" √(-2 A), or the density of your own noise{own}.",
    )


RIGHT = "1 - α²"
SUB_VP = ": ρ² (1 - α⁴). That is the sub-VP SDE, whose density this is; the noise is the VP SDE's"


def _slope(s: Subject, t: float, d: int) -> float:
    """A(t), the same in every coordinate and at every x; nan where it is not one number."""
    x = np.concatenate([np.zeros((1, d)), np.eye(d), -2 * np.eye(d)])
    f = s.drift(x, t)
    matrix, other = f[1 : d + 1] - f[0], (f[0] - f[d + 1 :]) / 2
    a = float(np.trace(matrix)) / d
    size = 1e-9 * (1 + float(np.max(np.abs(f))))
    whole = np.abs(np.stack([matrix, other]) - a * np.eye(d))
    return a if np.all(whole <= size) else float("nan")


def _alpha(s: Subject, t: float, d: int) -> float:
    nodes = t * (1 + NODES) / 2
    return float(np.exp(t / 2 * np.dot(WEIGHTS, [_slope(s, float(n), d) for n in nodes])))


def apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to tell them apart.

    >>> apart(0.81, 0.810002)
    ('0.81', '0.810002')
    """
    for digits in range(4, 17):
        shown = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if shown[0] != shown[1] and (abs(a - b) > 10 ** (1 - digits) * max(abs(a), abs(b))):
            return shown
    return f"{a:.17g}", f"{b:.17g}"
