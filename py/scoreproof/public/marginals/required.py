"""The drift and the diffusion that the declared law would need, beside yours.

Conventions: of mean α x0 + shift and std S they are a = α'/α and g² = (S²)' - 2 a S²; derivatives
are central differences of the declared law, good to six digits.
"""

from __future__ import annotations

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.laws import Law, law, of_time, same
from scoreproof.public.marginals.asking import NotAffine
from scoreproof.public.marginals.reading import Declaration, Told
from scoreproof.public.marginals.verdict import Case

__all__ = ["needs", "required", "tabled"]

#: the step of the differences, as a part of t and of T - t; what they leave; times
STEP, LEFT, TIMES = 2e-3, 1e-5, 12
#: times at which coefficients are asked whether they are constant in between
FINE = 997
SYMBOLS = {"α": "factor of x0", "σ": "standard deviation"}


def required(case: Case, d: Declaration, c: int) -> Told | None:
    """What drift or diffusion are of those that the declared law needs."""
    read = _read(case, d, c)
    if read is None:
        return None
    t, alpha, std, a, g2, rate, noise = read
    still = np.max(np.abs(a)) <= LEFT * max(1.0, float(np.max(np.abs(rate))))
    if still and np.any(rate):
        return Told("drift_extra", "the declared mean is x0 at all times: there must be no drift")
    with np.errstate(all="ignore"):
        of_drift = np.ones_like(t) if still else rate / a
        of_noise = noise / g2
        logs = {"log α/(log α)'": np.log(alpha) / a, "t": t} if not still else {"t": t}
        first = {
            "(1 - α²)": 1 - alpha**2,
            "(1 - α)": 1 - alpha,
            "1/(1 + α²)": 1 / (1 + alpha**2),
            "(1 + α²)": 1 + alpha**2,
            "1/(1 + α)": 1 / (1 + alpha),
            "1/√t": t**-0.5,
        }
    parts = {"α": alpha, "σ": std, "t": t} if not still else {"σ": std, "t": t}
    drift_right, noise_right = same(of_drift, 1, LEFT), same(of_noise, 1, LEFT)
    # a wrong rate moves the factor of x0, and with it a shift that is due; nothing else
    if (drift_right and (d.mean_wrong or d.shift_wrong)) or (
        d.shift_wrong and not np.any(d.shift_due)
    ):
        return None
    if np.any(g2 < -LEFT * np.max(np.abs(g2))):
        return None  # no noise does that
    if drift_right and noise_right:
        return None
    drift = law(of_drift, parts, LEFT, first=logs | (first if not still else {}))
    both = law(of_noise, parts, LEFT, first=logs | (first if not still else {}))
    if not drift_right and drift is not None and "log α" in drift.text:
        text = "the drift's rate is log α, an integral, where its derivative (log α)' is due"
        if noise_right:
            return Told("drift_integral", text)
    forms = [of_time(v, t, LEFT) for v in (noise, g2)]
    if drift_right and both is not None:
        mine, due = ("" if v is None else f", {v}," for v in forms)
        return Told(
            "diffusion_required",
            f"drift and mean agree; your g²{mine} is {both.text} times the one that the declared"
            f" standard deviation needs{due.rstrip(',')}{_symbols(both)}",
        )
    if noise_right and drift is not None:
        return Told(
            "drift_required",
            f"g is the one that the declared law needs; your drift is {drift.text} times the one it"
            f" needs{_symbols(drift)}",
        )
    if drift is not None and both is not None:
        text = f"your drift is {drift.text} times, and your g² {both.text} times"
        if same(of_drift, of_noise, LEFT):
            text = f"your drift and g² are {drift.text} times"
        return Told(
            "coefficients_required",
            f"{text} those that the declared law needs{_symbols(drift, both)}",
        )
    texts = []
    for name, right, own, need in (
        ("the drift's rate", drift_right, rate, a),
        ("g²", noise_right, noise, g2),
    ):
        one, other = (of_time(v, t, LEFT) for v in (own, need))
        if not right and (one is None or other is None):
            return None
        if not right:
            texts.append(f"{name} is {one}, and must be {other} for the declared law")
    return Told("schedule", "; ".join(texts))


def _symbols(*laws: Law) -> str:
    """What α and σ are, where they are named."""
    named = [(k, v) for k, v in SYMBOLS.items() if any(k in found.text for found in laws)]
    if not named:
        return ""
    return f" ({' and '.join(f'{k} is the declared {what}' for k, what in named)})"


def _read(case: Case, d: Declaration, c: int) -> tuple[np.ndarray, ...] | None:
    """Times; α and std as declared, the a and g² that they need; those that are."""
    if case.implied.origin or not d.straight or len(d.t) < 4:
        return None
    end = float(d.t[-1])
    inner = d.t[(d.t > 0.02 * end) & (d.t < 0.98 * end)]
    if len(inner) < 4:
        return None
    t = inner[np.unique(np.linspace(0, len(inner) - 1, TIMES).round().astype(int))]
    try:
        needed = _needed(case, t, c, end)
    except CallableError:
        return None
    moments = d.context.moments
    return t, *needed, moments.value(moments.a, t)[:, c], moments.value(moments.g2, t)[:, c]


def needs(case: Case, d: Declaration, c: int) -> str:
    """What drift and diffusion would have to be, at two times: a sentence, or nothing."""
    read = _read(case, d, c)
    if read is None:
        return ""
    t, _, _, a, g2, rate, noise = read
    parts = []
    for name, own, due in (("the drift's rate", rate, a), ("g²", noise, g2)):
        k = int(np.argmax(np.abs(own - due) / np.maximum(np.abs(own), np.abs(due))))
        if not same(own, due, LEFT):
            parts.append(f"{name} must be {due[k]:.4g} at t = {t[k]:.3g} (it is {own[k]:.4g})")
    return f" For the declared law {' and '.join(parts)}." if parts else ""


def tabled(case: Case, d: Declaration, c: int) -> Told | None:
    """Coefficients that are constant for a while: those of a table, read at its entries."""
    end = float(d.t[-1])
    probe = case.said.probe
    times = (np.arange(FINE) + 0.618) / FINE * end
    try:
        a, _, g2 = (v[:, c] for v in probe.coefficients(times))
    except (CallableError, NotAffine):
        return None
    values = a if np.ptp(a) > 0 else g2
    held = np.flatnonzero(np.diff(values) != 0)
    if not 3 <= len(held) <= FINE / 4:
        return None
    gaps = np.diff(times[held])
    count = round(end / float(np.median(gaps)))
    if np.max(np.abs(gaps - end / count)) > 2 * end / FINE:
        return None
    return Told(
        "table",
        f"drift and diffusion are constant for {end / count:.3g} at a time, a table of {count}"
        " entries, while the declared law is that of coefficients that vary smoothly: interpolate"
        " the table, or declare the law of its steps",
    )


def _needed(
    case: Case, t: np.ndarray, c: int, end: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """α and std as declared, and the a and g² that they need."""
    h = STEP * np.minimum(t, end - t)
    values = []
    x0 = case.said.rows[:, c]
    for k in (-2, -1, 0, 1, 2):
        means, stds = zip(*(case.said.alone(u) for u in t + k * h), strict=True)
        mean, std = np.array(means)[:, :, c], np.array(stds)[:, :, c]
        centred = x0 - x0.mean() if np.ptp(x0) else x0
        values.append((mean @ centred / (centred @ x0), std.mean(axis=1) ** 2))
    alphas, squares = (np.array(v) for v in zip(*values, strict=True))

    def slope(v: np.ndarray) -> np.ndarray:
        return (v[0] - 8 * v[1] + 8 * v[3] - v[4]) / (12 * h)

    a = slope(np.log(np.abs(alphas)))
    return alphas[2], np.sqrt(squares[2]), a, slope(squares) - 2 * a * squares[2]
