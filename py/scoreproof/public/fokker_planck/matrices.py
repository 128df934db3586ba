"""Other matrices than D = g gᵀ that a density may have spread with.

Conventions: g ``(n, d, d)`` is what ``diffusion`` returned; ``flux``: whether the flux is D∇p.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["MATRICES"]

Matrix = Callable[[np.ndarray], np.ndarray]


def _gram(g: np.ndarray) -> np.ndarray:
    return np.einsum("nik,njk->nij", g, g)


def _only_diagonal(D: np.ndarray) -> np.ndarray:
    return D * np.eye(D.shape[1])


#: other matrices for D: name -> (D of g, whether the flux is D∇p, in words)
MATRICES: tuple[tuple[str, Matrix, bool, str], ...] = (
    (
        "fick",
        _gram,
        True,
        "the density follows Fick's law, ½ ∇·(D ∇p) (Hänggi-Klimontovich, anti-Itô), where the"
        " noise"
        " is ½ Σ ∂_i∂_j (D_ij p) by Itô: add ½ ∇·D = ½ Σ_j ∂_j D_ij to the drift, or mend the"
        " density",
    ),
    (
        "correlation_ignored",
        lambda g: _only_diagonal(_gram(g)),
        False,
        "the off-diagonal part of D = g gᵀ is left out of the density: the noises of the"
        " coordinates"
        " are correlated, and it takes them as independent",
    ),
    (
        "transposed_noise",
        lambda g: np.einsum("nki,nkj->nij", g, g),
        False,
        "gᵀ g is needed for g gᵀ: the matrix that diffusion returns is transposed",
    ),
    (
        "noise_squared",
        lambda g: np.abs(_only_diagonal(g)) if _diagonal(g) else g,
        False,
        "diffusion returns the square g² where g is due, the coefficient of dW: return its square"
        " root (for a matrix: a factor g of D = g gᵀ)",
    ),
    (
        "diffusivity_for_g",
        lambda g: 2 * (np.abs(_only_diagonal(g)) if _diagonal(g) else g),
        False,
        "diffusion returns the diffusivity D = g²/2 where g = √(2D) is due, the coefficient of dW:"
        " return √(2D)",
    ),
    (
        "fick_of_the_diffusivity",
        lambda g: 2 * (np.abs(_only_diagonal(g)) if _diagonal(g) else g),
        True,
        "diffusion returns the diffusivity D = g²/2 where g = √(2D) is due, and the density follows"
        " Fick's law ∇·(D ∇p)",
    ),
    (
        "noise_rooted",
        lambda g: _gram(_gram(g)),
        False,
        "diffusion returns √g where g is due: return its square",
    ),
    (
        "noise_of_one",
        lambda g: np.broadcast_to(np.eye(g.shape[1]), g.shape),
        False,
        "the density spreads as with g = 1",
    ),
    (
        "first_noise_only",
        lambda g: _gram(g[:, :, :1]),
        False,
        "the density has the noise of the first column of g only",
    ),
    (
        "noise_with_itself",
        lambda g: np.einsum("nik,nkj->nij", g, g),
        False,
        "the matrix product g g is needed for g gᵀ: a transposition is missing in one of the two",
    ),
)


def _diagonal(g: np.ndarray) -> bool:
    return bool(np.all(g == g * np.eye(g.shape[1])))
