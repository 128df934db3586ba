"""Processes with a matrix noise and their laws in closed form, as the wrong subjects need them."""

from __future__ import annotations

from typing import Any

import numpy as np

MU = np.array([0.12, -0.05, 0.2])
L = np.array([[0.5, 0.0, 0.0], [0.2, 0.4, 0.0], [-0.1, 0.25, 0.45]])
SPREAD = 0.2  # the variance of log X_0 in units of L Lᵀ
BASKET = {"dimension": 3, "domain": (0.5, 2.5)}


def log_normal(mu: Any, chol: Any) -> Any:
    """log p of ``X_i = exp(mu_i t + (chol W)_i)`` from a spread start."""
    sigma = chol @ chol.T
    precision, log_det = np.linalg.inv(sigma), np.linalg.slogdet(sigma)[1]

    def log_p(x: Any, t: Any) -> Any:
        y, v = np.log(x) - mu * t, t + SPREAD
        square = np.einsum("ni,ij,nj->n", y, precision, y) / v
        whole = len(mu) * np.log(2 * np.pi * v) + log_det
        return -0.5 * (square + whole) - np.log(x).sum(axis=1)

    return log_p


def basket_noise(x: Any, t: Any) -> Any:
    return x[:, :, None] * L


def linear(a: Any, sigma: Any, m0: Any, c0: Any) -> tuple[Any, Any]:
    """Mean and covariance at t of ``dX = a X dt + g dW``, Σ = g gᵀ, for complex t too."""
    d = len(a)
    w, v = np.linalg.eig(np.block([[a, sigma], [np.zeros((d, d)), -a.T]]))
    inverse = np.linalg.inv(v)

    def moments(t: Any) -> tuple[Any, Any]:
        e = (v * np.exp(w * t)) @ inverse
        flow = e[:d, :d]
        mean, cov = flow @ m0, flow @ c0 @ flow.T + e[:d, d:] @ flow.T
        return (mean, cov) if np.iscomplexobj(t) else (mean.real, cov.real)

    def log_p(x: Any, t: Any) -> Any:
        mean, cov = moments(t)
        y = x - mean
        square = np.einsum("ni,ij,nj->n", y, np.linalg.inv(cov), y)
        return -0.5 * (square + d * np.log(2 * np.pi) + np.log(np.linalg.det(cov)))

    def score(x: Any, t: Any) -> Any:
        mean, cov = moments(t)
        return -(x - mean) @ np.linalg.inv(cov).T

    return log_p, score


GAMMA, OMEGA2, KT = 0.7, 1.3, 0.8
KICK = float(np.sqrt(2 * GAMMA * KT))
LANGEVIN = np.array([[0, 0, 1, 0], [0, 0, 0, 1], [-OMEGA2, 0, -GAMMA, 0], [0, -OMEGA2, 0, -GAMMA]])
START = np.array([0.6, -0.4, 0.2, 0.5])


def langevin(kick: float = KICK) -> tuple[Any, Any]:
    """Underdamped Langevin dynamics in a well, two positions and two velocities."""
    sigma = np.diag([0.0, 0.0, kick**2, kick**2])
    return linear(LANGEVIN, sigma, START, 0.3 * np.eye(4))


def langevin_drift(x: Any, t: Any) -> Any:
    return x @ LANGEVIN.T


A = np.array([[-0.8, 0.5, 0.0], [-0.3, -0.6, 0.2], [0.1, -0.4, -0.9]])
G = np.array([[0.7, 0.0, 0.0], [0.3, 0.5, 0.0], [-0.2, 0.4, 0.6]])
FIRST = np.array([0.5, -0.3, 0.1])


def ou_drift(x: Any, t: Any) -> Any:
    return x @ A.T


def ou(sigma: Any) -> tuple[Any, Any]:
    return linear(A, sigma, FIRST, 0.3 * np.eye(3))
