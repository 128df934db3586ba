"""What `check_kl` was told about the function: one small frozen type, validated once.

Conventions: a quantity of the laws exchanged is that of the same function with its arguments named
the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.public.kl.layout import Layout
from scoreproof.public.kl.scales import ENTRYWISE, MATRICES, Side
from scoreproof.public.kl.wanted import Wanted

__all__ = ["KNOWN", "Options"]

FORMS = ("isotropic", "diagonal", "full")
KNOWN = {
    "form": FORMS,
    "parameterization": tuple(dict.fromkeys([*ENTRYWISE, *MATRICES])),
    "against": ("pair", "standard"),
    "reduction": ("none", "sum", "mean"),
}


@dataclass(frozen=True)
class Options:
    """The form of both laws (the wider of two), what the scales are, whether the second law is
    N(0, I) and not passed, what is done over the batch; ``sides``: each law's own, where they
    differ. Raises ``ArgumentError`` naming the option that is none of the known.
    """

    form: str = "isotropic"
    parameterization: str = "std"
    against: str = "pair"
    reduction: str = "none"
    sides: tuple[Side, Side] | None = None
    layout: Layout = Layout()
    wanted: Wanted = Wanted()

    def __post_init__(self) -> None:
        for name, known in KNOWN.items():
            value = getattr(self, name)
            if value not in known:
                raise ArgumentError(
                    name, f"one of {', '.join(known)}", repr(value), f"e.g. {name}={known[0]!r}"
                )

    @property
    def standard(self) -> bool:
        """The second law is N(0, I), or none, and is not passed."""
        return self.against == "standard"

    @property
    def classic(self) -> bool:
        """A divergence of any two laws of one form, or of one and N(0, I)."""
        return self.wanted.kl and self.sides is None and not self.layout.tied

    @property
    def pointwise(self) -> bool:
        """A batch of laws may hold some whose value says nothing: each is judged by itself."""
        return not self.classic or self.wanted.dims == "none"

    def side(self, which: str = "first") -> Side:
        if self.sides is None:
            return Side(self.form, self.parameterization)
        return self.sides[which == "second"]

    def scale(self, variances: np.ndarray, which: str = "first") -> np.ndarray:
        """Variances ``(n, 1 or d)`` or covariances ``(n, d, d)`` as the function takes them."""
        side = self.side(which)
        return side.scale(side.narrowed(variances))

    def variances(self, scale: np.ndarray, which: str = "first", d: int = 1) -> np.ndarray:
        """The inverse of `scale`, in the form of both laws."""
        side = self.side(which)
        found = side.variances(scale)
        if self.form == "full" and side.form != "full":
            return np.asarray(np.broadcast_to(found, (len(found), d))[:, :, None] * np.eye(d))
        return found

    def reduce(self, values: np.ndarray) -> np.ndarray:
        """One number a law ``(n,)`` as the function hands them back: ``(n,)`` or ``(1,)``."""
        if self.reduction == "none":
            return values
        return np.atleast_1d(values.sum() if self.reduction == "sum" else values.mean())
