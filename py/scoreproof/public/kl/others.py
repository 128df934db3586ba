"""Another quantity than the one that is due: the other direction, an entropy, both directions.

Conventions: each up to a factor, which is said if it is not 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from scoreproof.public.kl.fit import Places
from scoreproof.public.kl.integrals import other_way
from scoreproof.public.kl.laws import Laws
from scoreproof.public.kl.summands import divergence, due_summands
from scoreproof.public.kl.wanted import Wanted

__all__ = ["other_quantity"]

#: name, words, the quantity, whether of the laws exchanged
QUANTITIES = (
    ("kl", "KL(N_0 ‖ N_1)", Wanted("kl"), False),
    ("reverse", "KL(N_1 ‖ N_0), the other direction", Wanted("kl"), True),
    ("jeffreys", "KL(N_0 ‖ N_1) + KL(N_1 ‖ N_0), the sum of both directions", Wanted("jeffreys"),
     False),
    ("symmetric", "½ KL(N_0 ‖ N_1) + ½ KL(N_1 ‖ N_0), the average of both directions",
     Wanted("symmetric"), False),
    ("entropy", "the entropy of the first law", Wanted("entropy"), False),
    ("entropy_of_the_second", "the entropy of the second law", Wanted("entropy"), True),
    ("cross_entropy", "the cross entropy -E_0 log p_1", Wanted("cross_entropy"), False),
    ("cross_entropy_reversed", "the cross entropy -E_1 log p_0", Wanted("cross_entropy"), True),
    ("bhattacharyya", "the Bhattacharyya distance", Wanted("bhattacharyya"), False),
)  # fmt: skip
#: alone, of this factor, each is a quantity with a name of its own
SAME = {("jeffreys", "symmetric"), ("symmetric", "jeffreys")}


def other_quantity(places: Places) -> tuple[str, str] | None:
    """The name of what was returned in place of what is due, and a clause."""
    own = places.options.wanted.quantity
    with np.errstate(all="ignore"):
        for name, words, values in _candidates(places):
            if name == own or not np.all(np.isfinite(values)) or not np.any(values):
                continue
            unit = 1 / places.rounding
            ratio = float((values * unit) @ (places.returned * unit))
            ratio /= float(np.linalg.norm(values * unit) ** 2)
            for factor in (1.0, -1.0, 0.5, 2.0):
                if (name, own) in SAME and factor != 1:
                    continue
                if abs(ratio / factor - 1) < 1e-3 and places.explained(factor * values, values):
                    times = {1.0: "", -1.0: "minus ", 0.5: "half of ", 2.0: "twice "}[factor]
                    due = QUANTITY_DUE.get(own, "the divergence")
                    return name, f"it is {times}{words}, where {due} is due{_remedy(places, name)}"
    return None


QUANTITY_DUE = {
    "kl": "KL(N_0 ‖ N_1)",
    "entropy": "the entropy",
    "cross_entropy": "the cross entropy -E_0 log p_1",
    "jeffreys": "the sum of both directions",
    "symmetric": "the average of both directions",
    "renyi": "the Rényi divergence",
    "bhattacharyya": "the Bhattacharyya distance",
}


def _remedy(places: Places, name: str) -> str:
    """The option with which it would be right."""
    known = ("kl", "reverse", "entropy", "jeffreys", "symmetric", "cross_entropy", "bhattacharyya")
    mirrored = places.options.wanted.mirrored
    if name not in known or (mirrored and name not in ("reverse", "jeffreys", "symmetric")):
        return ""
    name = {"reverse": "kl"}.get(name, name) if mirrored else name
    return f' (or pass quantity="{name}")'


def _candidates(places: Places) -> Iterator[tuple[str, str, np.ndarray]]:
    for name, words, wanted, back in QUANTITIES:
        if places.options.standard and (back or wanted.quantity not in ("kl", "cross_entropy")):
            continue
        yield name, words, _values(places, wanted, back)
    if places.options.wanted.quantity == "renyi":
        yield from _orders(places)


def _values(places: Places, wanted: Wanted, back: bool) -> np.ndarray:
    options = replace(places.options, wanted=wanted)
    due = due_summands(options)

    def of(laws: Laws) -> np.ndarray:
        return divergence(other_way(laws) if back else laws, due)

    return places.column([of(b) for b in places.laws])


def _orders(places: Places) -> Iterator[tuple[str, str, np.ndarray]]:
    a = places.options.wanted.order
    for name, words, order in (
        ("order_exchanged", "that of order 1 - α, the weights of the laws exchanged", 1 - a),
        ("order_inverted", "that of order 1/α", 1 / a),
    ):
        if order > 0 and order != a:
            yield name, words, _values(places, Wanted("renyi", order), False)
    swapped = _values(places, Wanted("renyi", a), True)
    yield "swapped_arguments", "that of the laws exchanged, D_α(N_1 ‖ N_0)", swapped
    value = places.value
    power = np.exp((a - 1) * value)
    yield (
        "tsallis",
        "Tsallis' divergence (∫ - 1)/(α - 1), without the logarithm",
        (power - 1) / (a - 1),
    )
    yield "integral", "the integral of p_0^α p_1^(1-α) itself, without the logarithm", power
