"""A factor measured at several times and members: a function of λ, or of t by g, σ and α.

Conventions: values are ``(m,)`` at times ``t`` and members ``lam``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scoreproof.public import laws
from scoreproof.public.laws import Law, is_plain, number, of_time, same
from scoreproof.public.reverse_sampler.targets import Diffused

__all__ = ["Law", "is_plain", "law", "level_at", "number", "of_time", "same", "share"]

#: what a share of the noise, or of the drift that belongs to it, may be as a function of λ
SHARES: tuple[tuple[str, str, Callable[[np.ndarray], np.ndarray]], ...] = (
    ("1 - λ", "η²", lambda m: 1 - m),
    ("√(1-λ)", "η", lambda m: np.sqrt(1 - m)),
    ("(1-λ)²", "η⁴", lambda m: (1 - m) ** 2),
    ("(1-λ)^(3/2)", "η³", lambda m: (1 - m) ** 1.5),
    ("(1-λ)^(1/4)", "√η", lambda m: (1 - m) ** 0.25),
    ("1 - λ/2", "(1+η²)/2", lambda m: 1 - m / 2),
    ("1 - λ²", "1 - (1-η²)²", lambda m: 1 - m * m),
    ("1 + λ", "2 - η²", lambda m: 1 + m),
    ("1 - 2λ", "2η² - 1", lambda m: 1 - 2 * m),
    ("λ", "1 - η²", lambda m: m),
    ("√λ", "√(1-η²)", lambda m: np.sqrt(np.abs(m))),
    ("-(1-λ)", "-η²", lambda m: m - 1),
    ("1 - √(1-λ)", "1 - η", lambda m: 1 - np.sqrt(1 - m)),
)


def share(values: np.ndarray, lam: np.ndarray, parameter: str, tol: float) -> str | None:
    """The values as a multiple of a function of λ (of η, if that is the ``parameter``)."""
    if len(np.unique(lam)) < 2:
        return None
    for in_lambda, in_eta, function in SHARES:
        due = function(lam)
        if not np.any(due):
            continue
        factor = float(values @ due / (due @ due))
        for k in (1.0, 2.0, 0.5):
            if abs(factor - k) <= tol and same(values, k * due, tol):
                inner = in_eta if parameter == "eta" else in_lambda
                return {1.0: "", 2.0: "2 ", 0.5: "½ "}[k] + _as_a_factor(inner)
    return None


def _as_a_factor(text: str) -> str:
    """In parentheses, if it is a sum: it stands before g².

    >>> _as_a_factor("1 - λ"), _as_a_factor("-(1-λ)"), _as_a_factor("λ")
    ('(1 - λ)', '-(1-λ)', 'λ')
    """
    outside = text[: text.find("(")] if "(" in text else text
    return f"({text})" if " + " in outside or " - " in outside or "/" in outside else text


def level_at(
    values: np.ndarray, t: np.ndarray, target: Diffused, tol: float
) -> tuple[str, str] | None:
    """The values as a quotient of a level at another time and at t: the quotient, and the time."""
    if len(np.unique(t)) < laws.LEAST:
        return None
    grid = np.linspace(0, target.horizon, 4001)[1:-1]

    def sigma(u: float) -> float:
        return float(target.level(u)[2] ** 0.5)

    def alpha(u: float) -> float:
        return float(target.level(u)[0])

    for name, function in (("σ", sigma), ("g", target.diffusion), ("α", alpha)):
        table = np.array([function(u) for u in grid])
        steps = np.diff(table)
        if not (np.all(steps > 0) or np.all(steps < 0)):
            continue
        now = np.array([function(u) for u in t])
        for power in (1, 2, -1, -2):
            wanted = now * np.abs(values) ** (1 / power)
            u = _solved(function, grid, table, wanted)
            if u is None:
                continue
            shift, factor = u - t, u / t
            mark = "²" if abs(power) == 2 else ""
            for by, text in (
                (shift, "t {sign} {size:g}"),
                (factor, "{size:g} t"),
            ):
                middle = float(np.median(by))
                if not np.all(np.abs(by - middle) <= max(tol, 1e-6) * (1 + np.abs(middle))):
                    continue
                short = float(f"{middle:.3g}")
                if short == 0 or abs(short - middle) > 1e-4 * abs(middle):
                    continue
                time = text.format(sign="+" if short > 0 else "-", size=abs(short))
                up, down = f"{name}({time}){mark}", f"{name}(t){mark}"
                return (f"{up}/{down}" if power > 0 else f"{down}/{up}"), time
    return None


def _solved(
    function: Callable[[float], float], grid: np.ndarray, table: np.ndarray, wanted: np.ndarray
) -> np.ndarray | None:
    """The times at which a monotone function has these values, by bisection."""
    if np.any(wanted <= table.min()) or np.any(wanted >= table.max()):
        return None
    rising, found = table[-1] > table[0], []
    for value in wanted:
        k = int(np.searchsorted(table if rising else -table, value if rising else -value))
        low, high = grid[max(k - 1, 0)], grid[min(k, len(grid) - 1)]
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if (function(middle) < value) == rising else (low, middle)
        found.append((low + high) / 2)
    return np.array(found)


def _diffusion(target: Diffused, t: float) -> float:
    """g, or nan where the process has none."""
    try:
        return target.diffusion(t)
    except (ArithmeticError, ValueError):
        return float("nan")


def law(
    values: np.ndarray, t: np.ndarray, target: Diffused, tol: float, *, reverse: bool = True
) -> Law | None:
    """The values as a number, or as a function of t."""

    def at(times: np.ndarray) -> dict[str, np.ndarray]:
        level = [target.level(u) for u in times]
        return {
            "σ": np.array([v[2] ** 0.5 for v in level]),
            "α": np.array([v[0] for v in level]),
            "g": np.array([target.diffusion(u) for u in times]),
        }

    now, others = (
        at(t),
        {"(1 + t)": 1 + t, "(1 - t)": 1 - t, "√(1 - t²)": np.sqrt(np.abs(1 - t * t))},
    )
    if reverse and np.all(t < target.horizon):
        for name, value in at(target.horizon - t).items():
            with np.errstate(all="ignore"):
                ratio = value / now[name]
            others[f"{name}(T-t)²/{name}(t)²"] = ratio**2
            others[f"{name}(T-t)/{name}(t)"] = ratio
    rate = np.array([target.rate(u) for u in t])
    if np.any(rate):
        # as a schedule's integral, or its value at an end, in place of its value
        with np.errstate(all="ignore"):
            others["log α(t)/(log α)'(t)"] = np.log(now["α"]) / rate
    for name, end in (("0", 1e-12 * target.horizon), ("T", target.horizon)):
        with np.errstate(all="ignore"):
            edge = _diffusion(target, end)
            others[f"g({name})²/g(t)²"] = (edge / now["g"]) ** 2
            others[f"g({name})/g(t)"] = edge / now["g"]
    parts = {f"{name}(t)": value for name, value in now.items()} | {"t": t}
    return laws.law(values, parts, tol, first=others)
