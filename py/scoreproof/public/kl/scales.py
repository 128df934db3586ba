"""What a scale may be handed over as: a deviation, a variance, a precision, a logarithm, a factor.

Conventions: variances are ``(n, 1)`` or ``(n, d)``; of the full form they are covariances
``(n, d, d)``, whose factors are lower triangular.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["ALIASES", "ENTRYWISE", "MATRICES", "Side"]

Map = Callable[[np.ndarray], np.ndarray]


def _inverse_softplus(v: np.ndarray) -> np.ndarray:
    std = np.sqrt(v)
    return np.asarray(std + np.log(-np.expm1(-std)))


#: name -> from a variance to what is handed over, and back
ENTRYWISE: dict[str, tuple[Map, Map]] = {
    "std": (np.sqrt, lambda s: s**2),
    "variance": (lambda v: v, lambda s: s),
    "logvar": (np.log, np.exp),
    "logstd": (lambda v: np.log(v) / 2, lambda s: np.exp(2 * s)),
    "precision": (lambda v: 1 / v, lambda s: 1 / s),
    "logprecision": (lambda v: -np.log(v), lambda s: np.exp(-s)),
    "softplus": (_inverse_softplus, lambda s: np.logaddexp(0, s) ** 2),
}


def _transposed(a: np.ndarray) -> np.ndarray:
    return np.swapaxes(a, -1, -2)


def _inverse(a: np.ndarray) -> np.ndarray:
    """Symmetric to the last digit, as what it is the inverse of."""
    inverse = np.linalg.inv(a)
    return np.asarray((inverse + _transposed(inverse)) / 2)


def _product(a: np.ndarray) -> np.ndarray:
    """L Lᵀ of the lower triangle."""
    lower = np.tril(a)
    return np.asarray(lower @ _transposed(lower))


#: the same for matrices
MATRICES: dict[str, tuple[Map, Map]] = {
    "covariance": (lambda c: c, lambda c: c),
    "scale_tril": (np.linalg.cholesky, _product),
    "precision": (_inverse, _inverse),
    "precision_tril": (
        lambda c: np.linalg.cholesky(_inverse(c)),
        lambda a: _inverse(_product(a)),
    ),
}

#: what people call them
ALIASES = {
    "sigma": "std",
    "scale": "std",
    "var": "variance",
    "log_var": "logvar",
    "log_variance": "logvar",
    "log_std": "logstd",
    "log_sigma": "logstd",
    "log_scale": "logstd",
    "log_precision": "logprecision",
    "rho": "softplus",
    "cov": "covariance",
    "covariance_matrix": "covariance",
    "cholesky": "scale_tril",
    "precision_matrix": "precision",
}


@dataclass(frozen=True)
class Side:
    """The form of one law, and what its scale is handed over as.

    >>> Side("diagonal", "logstd").variances(np.zeros((1, 2))).tolist()
    [[1.0, 1.0]]
    """

    form: str
    parameterization: str

    @property
    def kind(self) -> str:
        """The parameterization that counts: covariances have names of their own."""
        if self.form == "full" and self.parameterization not in MATRICES:
            return "covariance"
        return self.parameterization

    def _maps(self) -> tuple[Map, Map]:
        return (MATRICES if self.form == "full" else ENTRYWISE)[self.kind]

    def scale(self, variances: np.ndarray) -> np.ndarray:
        """Variances of this form as the function takes them."""
        return self._maps()[0](variances)

    def variances(self, scale: np.ndarray) -> np.ndarray:
        """The inverse of `scale`."""
        return self._maps()[1](scale)

    def narrowed(self, variances: np.ndarray) -> np.ndarray:
        """Variances of a wider form whose entries are of this one, in this one's shape."""
        if self.form != "full" and variances.ndim == 3:
            variances = np.diagonal(variances, axis1=1, axis2=2)
        return variances[:, :1] if self.form == "isotropic" else variances
