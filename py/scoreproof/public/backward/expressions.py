"""Derivatives of functions of one number by their closed form, entry by entry.

Conventions
-----------
- ``x`` is the argument, ``y`` the value; a form is a multiple c of one of the expressions.
- A form is believed only if it fits every entry and there are more of them than forms could fit by
  chance; entries at which it is not finite decide nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from scoreproof.causes.closed_forms import closed_form, number

__all__ = ["EXPRESSIONS", "Form", "form_of", "product_rules", "products", "sigmoid_rules"]

Expression = Callable[[np.ndarray, np.ndarray], np.ndarray]
LEAST = 3  # distinct entries

#: simplest first
EXPRESSIONS: dict[str, Expression] = {
    "1": lambda x, y: np.ones_like(x),
    "x": lambda x, y: x,
    "y": lambda x, y: y,
    "1/x": lambda x, y: 1 / x,
    "1/y": lambda x, y: 1 / y,
    "x²": lambda x, y: x**2,
    "y²": lambda x, y: y**2,
    "(1 - y)": lambda x, y: 1 - y,
    "(1 - y²)": lambda x, y: 1 - y**2,
    "y (1 - y)": lambda x, y: y * (1 - y),
    "(1 - x)": lambda x, y: 1 - x,
    "(1 - x²)": lambda x, y: 1 - x**2,
    "x (1 - x)": lambda x, y: x * (1 - x),
    "(1 + y)": lambda x, y: 1 + y,
    "(1 + y²)": lambda x, y: 1 + y**2,
    "(1 + x²)": lambda x, y: 1 + x**2,
    "1/x²": lambda x, y: x**-2.0,
    "1/y²": lambda x, y: y**-2.0,
    "x³": lambda x, y: x**3,
    "y³": lambda x, y: y**3,
    "x⁴": lambda x, y: x**4,
    "x⁵": lambda x, y: x**5,
    "1/x³": lambda x, y: x**-3.0,
    "√x": lambda x, y: np.sqrt(x),
    "1/√x": lambda x, y: 1 / np.sqrt(x),
    "√y": lambda x, y: np.sqrt(y),
    "1/√y": lambda x, y: 1 / np.sqrt(y),
    "|x|": lambda x, y: np.abs(x),
    "sign(x)": lambda x, y: np.sign(x),
    "[x > 0]": lambda x, y: (x > 0) * 1.0,
    "[x < 0]": lambda x, y: (x < 0) * 1.0,
    "exp(x)": lambda x, y: np.exp(x),
    "exp(-x)": lambda x, y: np.exp(-x),
    "exp(y)": lambda x, y: np.exp(y),
    "exp(-y)": lambda x, y: np.exp(-y),
    "exp(-x²)": lambda x, y: np.exp(-(x**2)),
    "exp(-x²/2)": lambda x, y: np.exp(-(x**2) / 2),
    "sin(x)": lambda x, y: np.sin(x),
    "cos(x)": lambda x, y: np.cos(x),
    "log(x)": lambda x, y: np.log(x),
    "tanh(x)": lambda x, y: np.tanh(x),
    "(1 - tanh(x))": lambda x, y: 1 - np.tanh(x),
    "(1 - tanh(x)²)": lambda x, y: 1 - np.tanh(x) ** 2,
    "(1 - tanh(y)²)": lambda x, y: 1 - np.tanh(y) ** 2,
    "sigmoid(x)": lambda x, y: _sigmoid(x),
    "(1 - sigmoid(x))": lambda x, y: 1 - _sigmoid(x),
    "sigmoid(x) (1 - sigmoid(x))": lambda x, y: _sigmoid(x) * (1 - _sigmoid(x)),
    "sigmoid(y) (1 - sigmoid(y))": lambda x, y: _sigmoid(y) * (1 - _sigmoid(y)),
    "y + sigmoid(x) (1 - y)": lambda x, y: y + _sigmoid(x) * (1 - y),
    "1/(1 + x²)": lambda x, y: 1 / (1 + x**2),
    "1/(1 + |x|)²": lambda x, y: 1 / (1 + np.abs(x)) ** 2,
    "1/(1 + |x|)": lambda x, y: 1 / (1 + np.abs(x)),
    "x y": lambda x, y: x * y,
    "x/y": lambda x, y: x / y,
    "y/x": lambda x, y: y / x,
    "y/x²": lambda x, y: y / x**2,
    "(1 - y)²": lambda x, y: (1 - y) ** 2,
    "(1 - y²)²": lambda x, y: (1 - y**2) ** 2,
    "√(1 - y²)": lambda x, y: np.sqrt(1 - y**2),
    "1/√(1 - x²)": lambda x, y: 1 / np.sqrt(1 - x**2),
}


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


@dataclass(frozen=True)
class Form:
    """``factor`` times ``expression``; ``text`` says it."""

    expression: str
    factor: float
    text: str


def form_of(
    values: np.ndarray, x: np.ndarray, y: np.ndarray, within: float, first: str | None = None
) -> Form | None:
    """The simplest form of ``values``, which are known to the relative error ``within``; the
    expression ``first`` is tried before the others.

    >>> x = np.linspace(0.1, 2.0, 7)
    >>> form_of(2 * np.cos(x), x, np.sin(x), 1e-9).text, form_of(x + 1 / x, x, x, 1e-9)
    ('2 cos(x)', None)
    """
    values, x, y = (np.asarray(a, float).ravel() for a in (values, x, y))
    scale = float(np.max(np.abs(values), initial=0.0))
    if scale == 0:
        return Form("0", 0.0, "0")
    if np.unique(np.round(x, 12)).size < LEAST:
        return None
    names = [first] if first else []
    for name in [*names, *(n for n in EXPRESSIONS if n != first)]:
        with np.errstate(all="ignore"):
            e = EXPRESSIONS[name](x, y)
        good = np.isfinite(e)
        if np.sum(good) < LEAST or np.mean(good) < 0.9:
            continue
        e, v = e[good], values[good]
        c = float(e @ v / max(float(e @ e), 1e-300))
        limit = 8 * within * np.maximum(np.abs(v), np.abs(c * e)) + 8 * within * scale * 1e-3
        if np.any(np.abs(v - c * e) > limit) or np.unique(np.round(v, 12)).size < _least(name):
            continue
        if closed_form(c, 4 * within) is None and name not in ("1", "x", "y"):
            continue
        return Form(name, c, _said(c, name, within))
    return None


def _least(name: str) -> int:
    """How many distinct values a form needs to be believed."""
    return 1 if name == "1" else 2 if name[0] in "[s" else LEAST


def _said(c: float, name: str, within: float) -> str:
    if name == "1":
        return number(c, within).split(" = ")[-1]
    if abs(c - 1) <= 4 * within:
        return name.strip("()") if name.count("(") == 1 and name[0] == "(" else name
    if abs(c + 1) <= 4 * within:
        return f"-{name}"
    return f"{number(c, within).split(' = ')[-1]} {name}"


def products(x: np.ndarray, y: np.ndarray, d: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """What a derivative d may have been multiplied by: ``("x", d x)`` and the like."""
    with np.errstate(all="ignore"):
        yield "x times what is due (an exponent that is one too large)", d * x
        yield "1/x times what is due (an exponent that is one too small)", d / x
        for name in ("y", "1/y", "x²", "1/x²", "(1 - y)", "(1 + y)", "√x", "1/√x"):
            yield f"{name} times what is due", d * EXPRESSIONS[name](x, y)
        yield "the square of what is due", d**2
        yield "the root of what is due", np.sqrt(np.abs(d)) * np.sign(d)
        yield "1 / what is due", 1 / d


def product_rules(x: np.ndarray, y: np.ndarray, d: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """What becomes of the derivative d of x h(x) where its product rule is miswritten."""
    with np.errstate(all="ignore"):
        h = y / x  # f = x h: the product rule is h + x h'
        if np.any(np.abs(d - h) > 1e-9 * np.abs(d)):
            legend = " (the product rule of x h(x), with h = y/x)"
            yield f"h + h' where h + x h' is due: the factor x is missing{legend}", h + (d - h) / x
            yield f"h alone where h + x h' is due: the second term is missing{legend}", h
            yield f"x h' alone where h + x h' is due: the first term is missing{legend}", d - h
            yield f"h - x h' where h + x h' is due: a sign is wrong{legend}", 2 * h - d


def sigmoid_rules(x: np.ndarray, y: np.ndarray, d: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """What becomes of the derivative d of x s, s a sigmoid of x (SiLU), where it is miswritten."""
    with np.errstate(all="ignore"):
        h = y / x
    scale = np.max(np.abs(d), initial=0.0)
    if not np.all((h > 0) & (h < 1)) or np.any(np.abs(d - h - x * h * (1 - h)) > 1e-6 * scale):
        return
    due = " where s (1 + x (1 - s)) is due, s = sigmoid(x)"
    yield f"s (1 + x s){due}: s stands for 1 - s", h * (1 + x * h)
    yield f"s + x (1 - s){due}: a factor s is missing", h + x * (1 - h)
    yield f"s (1 + x s (1 - s)){due}: s is there twice", h * (1 + x * h * (1 - h))
    yield f"1 + x s (1 - s){due}: 1 stands for s", 1 + x * h * (1 - h)
    yield f"s (x + 1 - s){due}: x and 1 are exchanged", h * (x + 1 - h)
    yield f"s + s (1 - s){due}: the factor x is missing", h + h * (1 - h)
