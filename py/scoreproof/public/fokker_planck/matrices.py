"""Other matrices than D = g gᵀ that a density may have spread with.

Conventions: g ``(n, d, d)`` is what ``diffusion`` returned; ``flux``: whether the flux is D∇p.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["COVARIANCES", "MATRICES", "Matrix"]

Matrix = Callable[[np.ndarray], np.ndarray]


def _gram(g: np.ndarray) -> np.ndarray:
    return np.einsum("nik,njk->nij", g, g)


def _crossed(factor: float) -> Matrix:
    return lambda D: factor * D + (1 - factor) * _only_diagonal(D)


def _of_gram(of: Matrix) -> Matrix:
    return lambda g: of(_gram(g))


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
        " density; or, if that law is meant, pass interpretation='fick'",
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
        "gᵀ g is needed for g gᵀ: the matrix that diffusion returns is transposed (of a Cholesky"
        " factor the lower one is due, L Lᵀ; scipy.linalg.cholesky returns the upper one), or the"
        " density has gᵀ g",
    ),
    (
        "noise_squared",
        lambda g: _positive(_only_diagonal(g)) if _diagonal(g) else g,
        False,
        "diffusion returns the square g² where g is due, the coefficient of dW: return its square"
        " root (for a matrix: a factor g of D = g gᵀ), or pass diffusion_is='covariance'",
    ),
    (
        "diffusivity_for_g",
        lambda g: 2 * (_positive(_only_diagonal(g)) if _diagonal(g) else g),
        False,
        "diffusion returns the diffusivity D = g²/2 where g = √(2D) is due, the coefficient of dW:"
        " return √(2D), or pass diffusion_is='diffusivity'",
    ),
    (
        "fick_of_the_diffusivity",
        lambda g: 2 * (_positive(_only_diagonal(g)) if _diagonal(g) else g),
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


def _positive(g: np.ndarray) -> np.ndarray:
    """|g|, of complex points too."""
    return np.where(np.real(g) < 0, -g, g)


TWICE = (
    "off_diagonal_twice",
    "the off-diagonal entries of Σ = g gᵀ are to be twice what they are: Σ_ij and Σ_ji both stand"
    " in the sum, and the density has 2 Σ_ij ∂_i∂_j where Σ_ij ∂_i∂_j is due, once for (i, j) and"
    " once for (j, i)",
)
HALF = (
    "off_diagonal_half",
    "the off-diagonal entries of Σ = g gᵀ are to be half of what they are: the density sums over"
    " pairs i < j once, where (i, j) and (j, i) both count",
)
LEFT_OUT = (
    "the off-diagonal part of Σ is left out of the density: the noises of the coordinates are"
    " correlated, and it takes them as independent"
)
LAW = (
    "the density follows Fick's law, ½ ∇·(Σ ∇p) (Hänggi-Klimontovich, anti-Itô), where the noise"
    " is ½ Σ ∂_i∂_j (Σ_ij p) by Itô: pass interpretation='fick' if that law is meant, or add"
    " ½ ∇·Σ to the drift"
)

MATRICES = (
    *MATRICES,
    (TWICE[0], _of_gram(_crossed(2.0)), False, TWICE[1]),
    (HALF[0], _of_gram(_crossed(0.5)), False, HALF[1]),
)


def _covariances(times: float, g_for: tuple[str, str]) -> tuple[tuple[str, Matrix, bool, str], ...]:
    """The same where ``times`` what ``diffusion`` returns is Σ."""
    return (
        (g_for[0], _gram, False, g_for[1]),
        ("fick", lambda D: times * D, True, LAW),
        ("correlation_ignored", lambda D: times * _only_diagonal(D), False, LEFT_OUT),
        (TWICE[0], lambda D: times * _crossed(2.0)(D), False, TWICE[1]),
        (HALF[0], lambda D: times * _crossed(0.5)(D), False, HALF[1]),
    )


#: the same where diffusion returns Σ or D
COVARIANCES = {
    "covariance": _covariances(
        1.0,
        (
            "g_for_covariance",
            "diffusion returns g, the coefficient of dW, where Σ = g gᵀ was said: pass"
            " diffusion_is='g', or return g gᵀ",
        ),
    ),
    "diffusivity": _covariances(
        2.0,
        (
            "g_for_diffusivity",
            "diffusion returns g, the coefficient of dW, where D = ½ g gᵀ was said: pass"
            " diffusion_is='g', or return ½ g gᵀ",
        ),
    ),
}


def _diagonal(g: np.ndarray) -> bool:
    return bool(np.all(g == g * np.eye(g.shape[1])))
