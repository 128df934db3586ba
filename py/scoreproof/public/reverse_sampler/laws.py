"""A factor measured at several times and members: is it a number, a function of λ, or of t?

Conventions: values are ``(m,)`` at times ``t`` and members ``lam``; a law is words for a function
that gives them all, to a relative ``tol``. Functions of t are products of powers of g, σ and α.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from scoreproof.causes.closed_forms import closed_form
from scoreproof.causes.closed_forms import number as digits
from scoreproof.public.reverse_sampler.targets import Diffused

__all__ = ["Law", "law", "number", "same", "share"]

Function = Callable[[float], float]

#: a function of t is told from others by as many times as this, or more
LEAST = 3


@dataclass(frozen=True)
class Law:
    """``text`` in words; ``constant``: the number, where it is one."""

    text: str
    constant: float | None = None


def same(values: np.ndarray, others: np.ndarray | float, tol: float) -> bool:
    """Whether all agree, relative to the larger (to 1 where both are small)."""
    size = np.maximum(np.maximum(np.abs(values), np.abs(others)), 1e-3)
    return bool(np.all(np.abs(values - others) <= tol * size))


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
                times = {1.0: "", 2.0: "2 ", 0.5: "½ "}[k]
                inner = in_eta if parameter == "eta" else in_lambda
                plain = times == "" or not any(c in inner[1:] for c in "+- ")
                return times + (inner if plain else f"({inner})")
    return None


def law(
    values: np.ndarray, t: np.ndarray, target: Diffused, tol: float, *, reverse: bool = True
) -> Law | None:
    """The values as a number, or as a function of t."""
    if not np.all(np.isfinite(values)):
        return None
    middle = float(np.median(values))
    if same(values, middle, tol):
        return Law(number(middle), middle)
    times = np.unique(t)
    if len(times) < LEAST or np.any(values == 0):
        return None
    for text, function in _functions(target, reverse):
        with np.errstate(all="ignore"):
            due = np.array([function(u) for u in t])
            ratio = values / due
        if not np.all(np.isfinite(ratio)):
            continue
        k = float(np.median(ratio))
        if same(ratio, k, tol) and (abs(abs(k) - 1) <= tol or _is_plain(k)):
            sign = "-" if k < 0 else ""
            factor = "" if abs(abs(k) - 1) <= tol else f"{number(abs(k))} "
            return Law(f"{sign}{factor}{text}")
    return None


def _functions(target: Diffused, reverse: bool) -> Iterator[tuple[str, Function]]:
    """Simple ones first."""

    def g(t: float) -> float:
        return target.diffusion(t)

    def sigma(t: float) -> float:
        return float(target.level(t)[2] ** 0.5)

    def alpha(t: float) -> float:
        return float(target.level(t)[0])

    parts: tuple[tuple[str, Function], ...] = (
        ("σ(t)", sigma),
        ("α(t)", alpha),
        ("g(t)", g),
        ("t", float),
    )
    if reverse:
        for name, inner in (("g", g), ("σ", sigma), ("α", alpha)):
            for p, mark in ((2, "²"), (1, "")):
                text = f"{name}(T-t){mark}/{name}(t){mark}"
                yield text, _mirrored(inner, p, target.horizon)
    for name, inner in parts:
        for power in (1.0, -1.0, 2.0, -2.0, 0.5, -0.5):
            yield _power(name, power), _product(inner, power, inner, 0.0)
    for k, (one, first) in enumerate(parts):
        for other, second in parts[k + 1 :]:
            for p, q in product((1, -1, 2, -2), repeat=2):
                up = [_power(n, e) for n, e in ((one, p), (other, q)) if e > 0]
                down = [_power(n, -e) for n, e in ((one, p), (other, q)) if e < 0]
                text = " ".join(up) or "1"
                if down:
                    text += "/" + (f"({' '.join(down)})" if len(down) > 1 else down[0])
                yield text, _product(first, p, second, q)


def _mirrored(inner: Function, power: float, horizon: float) -> Function:
    return lambda t: (inner(horizon - t) / inner(t)) ** power


def _product(first: Function, p: float, second: Function, q: float) -> Function:
    return lambda t: first(t) ** p * second(t) ** q


def _power(name: str, p: float) -> str:
    if p < 0:
        return f"1/{_power(name, -p)}"
    return {1: name, 2: f"{name}²", 0.5: f"√{name}"}[p]


def _is_plain(k: float) -> bool:
    return float(f"{k:.3g}") == k or closed_form(k, 1e-6) is not None


def number(k: float) -> str:
    """A number, and its closed form where that is shorter.

    >>> number(1.5), number(2**0.5), number(0.25)
    ('1.5', '1.41421 = √2', '0.25')
    """
    if abs(k - round(k)) <= 1e-6:
        return f"{round(k)}"
    short = float(f"{k:.3g}")
    return f"{short:g}" if abs(k - short) <= 1e-7 * abs(k) else digits(k, 1e-6)
