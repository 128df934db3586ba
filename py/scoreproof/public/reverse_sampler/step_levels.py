"""The levels at the two ends of steps, as slots of a formula; x_0 and ε made of x and the model's
answer.

Conventions: as in `slips`; arrays have an entry for each step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Array", "Form", "Levels", "Slot", "Split", "answers", "level"]

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Slot:
    """A coefficient: what it is in the formula, where, its value, and others by their text."""

    due: str
    where: str
    value: Array
    others: dict[str, Array]


Split = Callable[[dict[str, Array]], tuple[Array, Array, Array, Array]]


@dataclass(frozen=True, eq=False)
class Form:
    """A formula for the step: ``made`` gives A, B and C from the values of its slots."""

    words: str
    slots: dict[str, Slot]
    made: Callable[[dict[str, Array]], tuple[Array, Array, Array]]

    @property
    def right(self) -> dict[str, Array]:
        return {name: slot.value for name, slot in self.slots.items()}


@dataclass(frozen=True, eq=False)
class Levels:
    """α, σ at t and α, σ at t_next (``b``, ``u``); r, β, η and s as in `slips`."""

    a: Array
    s: Array
    b: Array
    u: Array
    eta: Array

    @property
    def named(self) -> dict[str, Array]:
        """The levels, and their squares, by what they are called."""
        found = {"α_t": self.a, "σ_t": self.s, "α_next": self.b, "σ_next": self.u}
        return found | {f"{name}²": value**2 for name, value in found.items()}

    @property
    def r(self) -> Array:
        return np.asarray(self.a / self.b)

    @property
    def q(self) -> Array:
        """e^-h, h the step in log(α/σ)."""
        return np.asarray(self.r * self.u / self.s)

    @property
    def beta(self) -> Array:
        return np.asarray(self.s**2 - self.r**2 * self.u**2)

    @property
    def std(self) -> Array:
        return np.asarray(self.eta * self.u / self.s * np.sqrt(self.beta))


def level(due: str, where: str, values: dict[str, Array], *, squared: bool = False) -> Slot:
    """A level, as a slot: its powers, its sign, and the other levels at either end."""
    own = values[due]
    name = due.rstrip("²")
    others = {"": np.ones_like(own), f"-{due}": -own, f"2 {due}": 2 * own, f"½ {due}": own / 2}
    others |= {f"1/{due}": 1 / own}
    if squared:
        others |= {name: np.sqrt(own), f"{name}⁴": own**2}
    else:
        others |= {f"{due}²": own**2, f"√{due}": np.sqrt(own)}
    tail = "²" if squared else ""
    for other in ("α_t", "σ_t", "α_next", "σ_next"):
        if other != name:
            others[other + tail] = values[other + tail]
            others[other if squared else f"{other}²"] = values[other if squared else f"{other}²"]
    return Slot(due, where, own, others)


def answers(prediction: str, v: dict[str, Array]) -> tuple[dict[str, Slot], Split]:
    """The slots of x_0 and ε made of x and the answer; and, of their values, (x_0's factor of x, of
    the answer, ε's factor of x, of the answer).
    """
    one, nil = np.ones_like(v["α_t"]), np.zeros_like(v["α_t"])
    if prediction == "eps":
        where = "in x_0 = (x - σ_t ε)/α_t"
        slots = {"p": level("σ_t", where, v), "q": level("α_t", where, v)}
        return slots, lambda k: (1 / k["q"], -k["p"] / k["q"], nil, one)
    if prediction == "score":
        where = "in x_0 = (x + σ_t² score)/α_t"
        slots = {
            "p": level("σ_t²", where, v, squared=True),
            "q": level("α_t", where, v),
            "e": level("σ_t", "in ε = -σ_t score", v),
        }
        return slots, lambda k: (1 / k["q"], k["p"] / k["q"], nil, -k["e"])
    if prediction == "x0":
        where = "in ε = (x - α_t x_0)/σ_t"
        slots = {"p": level("α_t", where, v), "q": level("σ_t", where, v)}
        return slots, lambda k: (nil, one, 1 / k["q"], -k["p"] / k["q"])
    first, second = "in x_0 = α_t x - σ_t v", "in ε = σ_t x + α_t v"
    slots = {
        "p": level("α_t", f"before x, {first}", v),
        "q": level("σ_t", f"before v, {first}", v),
        "e": level("σ_t", f"before x, {second}", v),
        "f": level("α_t", f"before v, {second}", v),
    }
    return slots, lambda k: (k["p"], -k["q"], k["e"], k["f"])
