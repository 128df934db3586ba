"""What the claims say, drawn from the package's own objects: one figure an idea.

Each is an SVG that needs nothing else; colours are chosen to be told apart without hue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.plotting import as_image

__all__ = ["PICTURES", "Picture"]

INK, FIRST, SECOND, THIRD = "#1f2328", "#0550ae", "#bc4c00", "#57606a"


@dataclass(frozen=True, slots=True)
class Picture:
    """``data``: the source of an ``<img>``; ``said``: what it shows, for those who cannot see it
    as well.
    """

    title: str
    said: str
    data: str


def digits() -> Picture:
    """Needs scikit-learn's handwritten digits."""
    from sklearn.datasets import load_digits

    atoms = load_digits().data / 8.0 - 1.0
    rng = np.random.default_rng(0)
    shown = [0, 1, 2, 3, 5, 8]
    sigma = 1.5  # from where on more than one digit has weight in every column
    noisy = atoms[shown] + sigma * rng.standard_normal((len(shown), atoms.shape[1]))
    logits = -((noisy[:, None] - atoms) ** 2).sum(axis=2) / (2 * sigma**2)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    perplexity = np.exp(-np.sum(weights * np.log(np.maximum(weights, 1e-300)), axis=1))
    figure = _figure(6.4, 3.4)
    axes = figure.subplots(3, len(shown))
    for row, (name, images) in enumerate(
        (("x", atoms[shown]), ("y = x + σ ε", noisy), ("E[x | y]", weights @ atoms))
    ):
        for column, image in enumerate(images):
            axes[row, column].imshow(image.reshape(8, 8), cmap="gray", vmin=-1.5, vmax=1.5)
            axes[row, column].set_xticks([])
            axes[row, column].set_yticks([])
        axes[row, 0].set_ylabel(name)
    for column, effective in enumerate(perplexity):
        axes[2, column].set_xlabel(f"{effective:.0f}")
    return _made(
        figure,
        "Digits, with noise, and the ideal denoiser's answer",
        f"Six handwritten digits, the same with noise of σ = {sigma}, and below the average of all"
        f" {len(atoms)} digits weighted by how likely each is to have led there: y + σ² ∇ log p(y)."
        " The number under a column says how many digits share the weight: its softmax perplexity,"
        f" {perplexity.min():.0f} to {perplexity.max():.0f}. The average need not be the digit"
        " above.",
    )


def score_field() -> Picture:
    mixture = _mixture(2)
    figure = _figure(6.4, 3.2)
    for axes, sigma in zip(figure.subplots(1, 2, sharey=True), (0.3, 1.0), strict=True):
        noised = mixture.noised(sigma**2 * np.eye(2))
        line = np.linspace(-3.2, 3.2, 81)
        grid = np.stack(np.meshgrid(line, line), axis=-1)
        axes.contourf(line, line, noised.density(grid.reshape(-1, 2)).reshape(81, 81), cmap="Blues")
        coarse = np.stack(np.meshgrid(line[::8], line[::8]), axis=-1).reshape(-1, 2)
        score = noised.score(coarse)
        axes.quiver(*coarse.T, *(score / np.linalg.norm(score, axis=1, keepdims=True)).T, color=INK)
        axes.set_title(f"σ = {sigma}")
        axes.set_xlabel("first coordinate")
        axes.set_aspect("equal")
    figure.axes[0].set_ylabel("second coordinate")
    return _made(
        figure,
        "The score points where the density grows",
        "The direction of ∇ log p of two Gaussians with noise of σ = 0.3 and of σ = 1, drawn over"
        " the density: with more noise one hill is left.",
    )


def density_over_time() -> Picture:
    from scoreproof.objects.schedules import VPLinear

    process, mixture = VPLinear(beta_min=0.1, beta_max=10.0), _mixture(1)
    times, line = np.linspace(1e-3, 1.0, 120), np.linspace(-3.5, 3.5, 141)
    columns = []
    for t in times:
        alpha, sigma = process.alpha(t), process.sigma(t)
        law = mixture.affine(np.array([[alpha]]), 0.0).noised(np.array([[sigma**2]]))
        columns.append(law.density(line[:, None]))
    figure = _figure(6.4, 3.0)
    axes = figure.add_subplot()
    axes.pcolormesh(times, line, np.array(columns).T ** 0.5, cmap="Blues", rasterized=True)
    axes.set_xlabel("t")
    axes.set_ylabel("x")
    return _made(
        figure,
        "A density in time",
        "The square root of the density of x_t (so that the tails show) for two Gaussians under the"
        " variance-preserving process, from the data at t = 0 to nearly the standard normal law:"
        " what the Fokker–Planck equation says of it. Darker is more.",
    )


def declared_and_implied() -> Picture:
    low, high = 0.05, 10.0
    times = np.geomspace(1e-4, 1.0, 200)
    declared = low * (high / low) ** times
    implied = np.sqrt(declared**2 - low**2)
    figure = _figure(6.4, 3.0)
    axes = figure.add_subplot()
    axes.loglog(times, implied, color="0.8", linewidth=5, label="√∫ρ², from the SDE")
    axes.loglog(times, declared, color=FIRST, label="σ(t), as classes declare it")
    axes.axhline(low, color=THIRD, linestyle="--", label="σ(0)")
    axes.set_xlabel("t")
    axes.set_ylabel("standard deviation of X_t given X_0")
    axes.legend()
    return _made(
        figure,
        "σ(0) is not in the variance",
        "For the variance-exploding schedule from 0.05 to 10: the SDE implies √(σ(t)² - σ(0)²),"
        " which falls to 0 at the start where the declared σ(t) stays at σ(0).",
    )


def family() -> Picture:
    """X_s and X_t of the stationary process: the variance is 1 for every λ, the correlation over
    a gap h is exp(-(1 - λ) h).
    """
    gap, circle = 0.7, np.linspace(0, 2 * np.pi, 200)
    figure = _figure(6.4, 3.2)
    left, right = figure.subplots(1, 2)
    line = np.linspace(-3, 3, 200)
    styles = zip((1.0, 0.0, -1.0), (FIRST, SECOND, THIRD), ("-", "--", ":"), strict=True)
    for lam, colour, style in styles:
        drawn = {"color": colour, "linestyle": style, "label": f"λ = {lam:g}"}
        left.plot(line, np.exp(-(line**2) / 2) / np.sqrt(2 * np.pi), **drawn)
        rho = np.exp(-(1 - lam) * gap)
        root = np.linalg.cholesky(np.array([[1.0, rho], [rho, 1.0 + 1e-12]]))
        right.plot(*(2 * root @ np.array([np.cos(circle), np.sin(circle)])), **drawn)
    left.set_xlabel("x at one time")
    left.set_ylabel("density")
    right.set_xlabel(f"x at t + {gap:g}")
    right.set_ylabel("x at t")
    right.set_aspect("equal")
    right.legend(loc="upper left")
    return _made(
        figure,
        "One marginal, many joint laws",
        "Reverse-time SDEs of λ = 1 (the ODE), 0 and -1 for the stationary process dX = -X dt + √2"
        " dW: at each time the law is the same, and the joint law of two times is not. The curves"
        " on the right are level lines of it, two standard deviations out.",
    )


#: By the claim that each belongs to.
PICTURES: dict[str, tuple[Callable[[], Picture], ...]] = {
    "tweedie": (digits, score_field),
    "fokker_planck": (density_over_time,),
    "variance_exploding": (declared_and_implied,),
    "reverse_family": (family,),
}


def _mixture(dimension: int) -> Any:
    from scoreproof.objects.mixtures import GaussianMixture

    means = np.array([[-1.2, -0.6], [1.0, 0.9]])[:, :dimension]
    covariance = np.array([[0.12, 0.05], [0.05, 0.2]])[:dimension, :dimension]
    return GaussianMixture(np.array([0.4, 0.6]), means, np.array([covariance, covariance]))


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _made(figure: Any, title: str, said: str) -> Picture:
    return Picture(title, said, as_image(figure))
