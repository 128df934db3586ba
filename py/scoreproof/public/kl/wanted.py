"""What the function is to return: which quantity of two laws, in which units, over what.

Conventions: every quantity is an integral, and is held against that integral; the laws are p_0 and
p_1 in the order in which they are passed.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

__all__ = ["QUANTITIES", "Wanted", "mirrored"]

#: name -> how it is called, and the integral that it stands for
QUANTITIES = {
    "kl": ("KL", "p_0 log(p_0/p_1)"),
    "reverse": ("reverse KL", "p_1 log(p_1/p_0)"),
    "entropy": ("entropy", "-p_0 log p_0"),
    "cross_entropy": ("cross entropy", "-p_0 log p_1"),
    "jeffreys": ("Jeffreys divergence", "(p_0 - p_1) log(p_0/p_1)"),
    "symmetric": ("symmetric KL", "½ (p_0 - p_1) log(p_0/p_1)"),
    "renyi": ("Rényi divergence", "p_0^α p_1^(1-α), its logarithm over α - 1,"),
    "bhattacharyya": ("Bhattacharyya distance", "√(p_0 p_1), its logarithm with a minus,"),
}


@dataclass(frozen=True)
class Wanted:
    """``quantity`` of `QUANTITIES` (but "reverse": that is ``mirrored``, the KL of the laws
    exchanged), ``order`` α of a Rényi divergence, ``units`` "nats" or "bits", ``dims`` "sum",
    "mean" or "none" over the coordinates.
    """

    quantity: str = "kl"
    order: float = 1.0
    units: str = "nats"
    dims: str = "sum"
    mirrored: bool = False

    @property
    def kl(self) -> bool:
        return self.quantity == "kl"

    @property
    def alpha(self) -> float:
        """The order of the integral of ``p_0^α p_1^(1-α)``."""
        return 0.5 if self.quantity == "bhattacharyya" else self.order

    @property
    def overlap(self) -> bool:
        """It is the logarithm of an integral of powers."""
        return self.quantity in ("renyi", "bhattacharyya")

    @property
    def name(self) -> str:
        text = QUANTITIES["reverse" if self.mirrored else self.quantity][0]
        return f"{text} (α = {self.order:g})" if self.quantity == "renyi" else text

    @property
    def integral(self) -> str:
        return f"the integral of {QUANTITIES['reverse' if self.mirrored else self.quantity][1]}"

    def printed(self, d: int) -> float:
        """What the sum over ``d`` coordinates in nats is multiplied by."""
        return (1 / math.log(2) if self.units == "bits" else 1.0) / (
            d if self.dims == "mean" else 1
        )

    def plain(self, returned: np.ndarray, d: int) -> np.ndarray:
        """What came back as a sum over the coordinates in nats."""
        factor = self.printed(d)
        return returned if factor == 1 else np.asarray(returned / factor)


def mirrored(text: str) -> str:
    """A sentence about two laws with the laws exchanged.

    >>> mirrored("σ0²/σ1² of the first law, p_1")
    'σ1²/σ0² of the second law, p_0'
    """

    def other(match: re.Match[str]) -> str:
        return match[1] + ("1" if match[2] == "0" else "0")

    text = re.sub(r"(μ|σ|C|L|N_|p_)([01])(?![0-9])", other, text)
    swapped = {"first": "second", "second": "first"}
    return re.sub(r"\w+(?= law)", lambda m: swapped.get(m[0], m[0]), text)
