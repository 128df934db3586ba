"""The published preconditionings, and what mistakes make of them.

Conventions: ``D(x, σ) = c_skip x + c_out F(c_in x, c_noise)``; σ is a standard deviation, s is
σ_data. Formulas take arrays of σ.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["COEFFICIENTS", "FORMS", "Form", "as_spread", "built", "slips", "spread_in"]

COEFFICIENTS = ("c_skip", "c_out", "c_in", "c_noise")

Formula = Callable[[np.ndarray, float], np.ndarray]


@dataclass(frozen=True)
class Form:
    """Formulas of the four coefficients; ``c_noise`` may be the network's own business."""

    words: str
    c_skip: Formula
    c_out: Formula
    c_in: Formula
    c_noise: Formula | None
    source: str

    def of(self, name: str) -> Formula | None:
        found: Formula | None = getattr(self, name)
        return found


def _one(s: np.ndarray, _: float) -> np.ndarray:
    return np.ones_like(s)


def _unit(s: np.ndarray, d: float) -> np.ndarray:
    return 1 / np.sqrt(s**2 + d**2)


FORMS: dict[str, Form] = {
    "edm": Form(
        "EDM's",
        lambda s, d: d**2 / (s**2 + d**2),
        lambda s, d: s * d / np.sqrt(s**2 + d**2),
        _unit,
        lambda s, d: np.log(s) / 4,
        "Karras et al. 2022, Table 1",
    ),
    "ve": Form(
        "the variance-exploding score network's",
        _one,
        lambda s, d: s,
        _one,
        lambda s, d: np.log(s / 2),
        "Karras et al. 2022, Table 1",
    ),
    "eps": Form(
        "an ε-network's (iDDPM, VP)",
        _one,
        lambda s, d: -s,
        lambda s, d: _unit(s, 1.0),
        None,
        "Karras et al. 2022, Table 1",
    ),
    "v": Form(
        "a v-network's",
        lambda s, d: 1 / (s**2 + 1),
        lambda s, d: -s / np.sqrt(s**2 + 1),
        lambda s, d: _unit(s, 1.0),
        None,
        "Salimans and Ho 2022, with α = 1/√(1 + σ²)",
    ),
}


def spread_in(name: str, s: np.ndarray, c: np.ndarray) -> np.ndarray:
    """The σ_data that EDM's ``name`` has at these σ, from its value; nan where it has none."""
    with np.errstate(all="ignore"):
        if name == "c_skip":
            return np.asarray(s * np.sqrt(c / (1 - c)))
        if name == "c_out":
            return np.asarray(s * c / np.sqrt(s**2 - c**2))
        if name == "c_in":
            return np.asarray(np.sqrt(c**-2 - s**2))
    return np.full_like(s, np.nan)


def slips(name: str) -> dict[str, Formula]:
    """What mistakes make of EDM's ``name``, by what they are in words."""
    edm = FORMS["edm"]
    found: dict[str, Formula] = {
        f"it is {other}": f
        for other in COEFFICIENTS
        if other != name and (f := edm.of(other)) is not None
    }
    right = edm.of(name)
    assert right is not None
    found["its sign is wrong"] = lambda s, d: -right(s, d)
    inverse, squared = f"it is 1/{name}", f"it is {name}²"
    if name == "c_in":
        inverse += ", √(σ² + σ_data²): it multiplies where it should divide"
        squared += ", 1 / (σ² + σ_data²): the square root is missing, or x is scaled twice"
    found[inverse] = lambda s, d: 1 / right(s, d)
    found[squared] = lambda s, d: right(s, d) ** 2
    found[f"it is √{name}"] = lambda s, d: np.abs(right(s, d)) ** 0.5
    found |= _SLIPS[name]
    return found


def built() -> dict[str, Formula]:
    """Quotients of σ, σ_data and what stands under the root, with a power or a square misplaced."""
    over: dict[str, Formula] = {
        "1": _one,
        "σ": lambda s, d: s,
        "σ²": lambda s, d: s**2,
        "σ_data": lambda s, d: 0 * s + d,
        "σ_data²": lambda s, d: 0 * s + d**2,
        "σ σ_data": lambda s, d: s * d,
        "σ² σ_data": lambda s, d: s**2 * d,
        "σ σ_data²": lambda s, d: s * d**2,
    }
    under: dict[str, Formula] = {
        "σ² + σ_data²": lambda s, d: s**2 + d**2,
        "σ² + σ_data": lambda s, d: s**2 + d,
        "σ + σ_data²": lambda s, d: s + d**2,
        "σ + σ_data": lambda s, d: s + d,
        "σ² - σ_data²": lambda s, d: np.abs(s**2 - d**2),
        "σ² + σ_data⁴": lambda s, d: s**2 + d**4,
        "σ⁴ + σ_data²": lambda s, d: s**4 + d**2,
        "σ² + 1": lambda s, d: s**2 + 1,
        "σ + 1": lambda s, d: s + 1,
    }
    found: dict[str, Formula] = {
        "it is σ": lambda s, d: s,
        "it is σ²": lambda s, d: s**2,
        "it is 1/σ": lambda s, d: 1 / s,
        "it is 1/σ²": lambda s, d: s**-2.0,
    }
    for (a, top), (b, low) in itertools.product(over.items(), under.items()):
        for text, power in (("{} / √({})", -0.5), ("{} / ({})", -1.0), ("{} / ({})²", -2.0)):
            found[f"it is {text.format(a, b)}"] = _quotient(top, low, power)
        times = "" if a == "1" else f"{a} "
        found[f"it is {times}√({b})"] = _quotient(top, low, 0.5)
        found[f"it is {times}({b})" if times else f"it is {b}"] = _quotient(top, low, 1.0)
    return found


def _quotient(top: Formula, low: Formula, power: float) -> Formula:
    return lambda s, d: top(s, d) * low(s, d) ** power


#: how exponents are read
HALVED = "the exponent 1/2 needs parentheses, for ** 1/2 is ** 1, divided by 2"
RIGHTMOST = "parentheses are missing, for ** 2 ** 0.5 is ** (2 ** 0.5)"
_SLIPS: dict[str, dict[str, Formula]] = {
    "c_skip": {
        "σ and σ_data are exchanged: it is σ² / (σ² + σ_data²)": lambda s, d: s**2 / (s**2 + d**2),
        "squares are missing: it is σ_data / (σ + σ_data)": lambda s, d: d / (s + d),
        "it is σ_data / √(σ² + σ_data²)": lambda s, d: d / np.sqrt(s**2 + d**2),
        "σ is left out of it: it is 1": _one,
        "it is a consistency model's, with σ - 0.002 for σ": lambda s, d: (
            d**2 / ((s - 0.002) ** 2 + d**2)
        ),
        "parentheses are missing: it is σ_data² / σ² + σ_data²": lambda s, d: d**2 / s**2 + d**2,
    },
    "c_out": {
        f"{HALVED}: it is σ σ_data / (2 (σ² + σ_data²))": lambda s, d: s * d / (s**2 + d**2) / 2,
        f"{HALVED}: it is 2 σ σ_data / (σ² + σ_data²)": lambda s, d: 2 * s * d / (s**2 + d**2),
        "the square root is missing: it is σ σ_data / (σ² + σ_data²)": lambda s, d: (
            s * d / (s**2 + d**2)
        ),
        "σ is missing: it is σ_data / √(σ² + σ_data²)": lambda s, d: d / np.sqrt(s**2 + d**2),
        "σ_data is missing: it is σ / √(σ² + σ_data²)": lambda s, d: s / np.sqrt(s**2 + d**2),
        "it is multiplied by the square root, not divided": lambda s, d: (
            s * d * np.sqrt(s**2 + d**2)
        ),
        "the square is outside: it is σ σ_data / (σ + σ_data)": lambda s, d: s * d / (s + d),
        "it is σ": lambda s, d: s,
        "it is 1: the network's answer is not scaled": _one,
        "it is a consistency model's, (σ - 0.002) σ_data / √(σ² + σ_data²)": lambda s, d: (
            (s - 0.002) * d / np.sqrt(s**2 + d**2)
        ),
    },
    "c_in": {
        f"{HALVED}: it is 1 / (2 (σ² + σ_data²))": lambda s, d: 1 / (s**2 + d**2) / 2,
        f"{HALVED}: it is 2 / (σ² + σ_data²)": lambda s, d: 2 / (s**2 + d**2),
        f"{RIGHTMOST}: it is 1 / (σ² + σ_data^√2)": lambda s, d: 1 / (s**2 + d**2**0.5),
        "the square is outside: it is 1 / (σ + σ_data)": lambda s, d: 1 / (s + d),
        "σ_data is left out: it is 1 / σ": lambda s, d: 1 / s,
        "it is 1: x is not scaled": _one,
    },
    "c_noise": {
        "it is log(σ/σ_data) / 4: σ is divided by σ_data": lambda s, d: np.log(s / d) / 4,
        "it is log(σ/2), a VE network's": lambda s, d: np.log(s / 2),
        "the quarter is missing: it is log σ": lambda s, d: np.log(s),
        "it is a decimal logarithm": lambda s, d: np.log10(s) / 4,
        "it is a binary logarithm": lambda s, d: np.log2(s) / 4,
        "it is half of log σ, log(σ²)/4: σ was squared": lambda s, d: np.log(s) / 2,
        "it is σ itself": lambda s, d: s,
        "it is σ/4, without the logarithm": lambda s, d: s / 4,
        "it is log(1 + σ) / 4": lambda s, d: np.log1p(s) / 4,
        "it is 1000 times as large": lambda s, d: 250 * np.log(s),
    },
}


#: relative: a factor this near to a power of σ_data is that
NEAR = 1e-6
POWERS = {
    -2.0: "1/σ_data²: σ_data² is missing in it",
    -1.0: "1/σ_data: σ_data is missing in it",
    1.0: "σ_data: σ_data is once too often in it",
    2.0: "σ_data²: σ_data² is once too often in it",
    -0.5: "1/√σ_data",
    0.5: "√σ_data",
}
#: what the usual of them make, as formulas
NUMERATORS = {
    ("c_skip", -2.0): "1 / (σ² + σ_data²)",
    ("c_skip", -1.0): "σ_data / (σ² + σ_data²)",
    ("c_out", -1.0): "σ / √(σ² + σ_data²)",
    ("c_out", 1.0): "σ σ_data² / √(σ² + σ_data²)",
    ("c_in", 1.0): "σ_data / √(σ² + σ_data²)",
}


def as_spread(ratio: float | None, name: str, spread: float) -> str:
    """What a factor is of σ_data, and the formula that it makes."""
    if ratio is None or name == "c_noise":
        return ""
    for power, words in POWERS.items():
        if abs(ratio / spread**power - 1) <= NEAR:
            of = NUMERATORS.get((name, power), "")
            return f", {words}" + (f" (it is {of})" if of else "")
    return ""
