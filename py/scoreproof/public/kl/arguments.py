"""What `check_kl` was told about the function: one small frozen type, validated once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.errors import ArgumentError

__all__ = ["Options"]

KNOWN = {
    "form": ("isotropic", "diagonal", "full"),
    "parameterization": ("std", "variance", "logvar"),
    "against": ("pair", "standard"),
    "reduction": ("none", "sum", "mean"),
}


@dataclass(frozen=True)
class Options:
    """The form, what the scales are, whether the second law is passed, and what is done over the
    batch. Raises ``ArgumentError`` naming the option that is none of the known.
    """

    form: str = "isotropic"
    parameterization: str = "std"
    against: str = "pair"
    reduction: str = "none"

    def __post_init__(self) -> None:
        for name, known in KNOWN.items():
            value = getattr(self, name)
            if value not in known:
                raise ArgumentError(
                    name, f"one of {', '.join(known)}", repr(value), "see the docstring of check_kl"
                )

    @property
    def standard(self) -> bool:
        """The second law is N(0, I) and is not passed."""
        return self.against == "standard"

    def scale(self, variances: np.ndarray) -> np.ndarray:
        """Variances ``(n, 1 or d)`` or covariances ``(n, d, d)`` as the function takes them."""
        if self.form == "full" or self.parameterization == "variance":
            return variances
        return np.sqrt(variances) if self.parameterization == "std" else np.log(variances)

    def variances(self, scale: np.ndarray) -> np.ndarray:
        """The inverse of `scale`."""
        if self.form == "full" or self.parameterization == "variance":
            return scale
        return scale**2 if self.parameterization == "std" else np.exp(scale)

    def reduce(self, values: np.ndarray) -> np.ndarray:
        """One number a law ``(n,)`` as the function hands them back: ``(n,)`` or ``(1,)``."""
        if self.reduction == "none":
            return values
        return np.atleast_1d(values.sum() if self.reduction == "sum" else values.mean())
