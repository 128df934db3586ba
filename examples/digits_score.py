"""Train a small score network on scikit-learn's digits, then let scoreproof judge it against the
exact answer.

The data are 1797 images, so the exact denoiser is known: the softmax average of the images. Under a
minute on one core of a CPU:

    python examples/digits_score.py [--steps 4000] [--samples 1000]

Conventions: y = x_0 + σ z (variance exploding, t = σ, g = √(2t)); the network returns E[x_0 | y]; λ
≤ 1 names the reverse-time SDE, λ = 1 the ODE.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from sklearn.datasets import load_digits

from scoreproof import check_denoiser, check_reverse_sampler, check_score
from scoreproof.objects.empirical import Atoms
from scoreproof.objects.schedules import EDM

LEVELS = (0.3, 0.6, 1.0, 1.5, 2.5, 5.0, 10.0)
LAMBDAS = (-1.0, 0.0, 0.5, 1.0)
SIGMA_MAX, SIGMA_MIN = 20.0, 0.3
TOLERANCE = 0.05  # accepted of a learned denoiser: 5 % of how far the exact one moves, or c_out


class Denoiser(torch.nn.Module):
    """c_skip y + c_out F(c_in y, log σ), as Karras et al. 2022 scale it; F is a perceptron of two
    hidden layers.
    """

    def __init__(self, dimension: int, spread: float, width: int = 256) -> None:
        super().__init__()
        self.spread = spread
        layers = (
            torch.nn.Linear(dimension + 8, width),
            torch.nn.SiLU(),
            torch.nn.Linear(width, width),
            torch.nn.SiLU(),
            torch.nn.Linear(width, dimension),
        )
        self.net = torch.nn.Sequential(*layers)

    def forward(self, y: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        total = sigma**2 + self.spread**2
        level = torch.log(sigma) / 4
        waves = torch.cat(
            [f(2.0**k * level) for k in range(4) for f in (torch.sin, torch.cos)], dim=1
        )
        out = self.net(torch.cat([y / total.sqrt(), waves], dim=1))
        return self.spread**2 / total * y + sigma * self.spread / total.sqrt() * out


def train(data: torch.Tensor, steps: int, seed: int = 0) -> Denoiser:
    """Denoising score matching: mean squared error, weighted so that every noise level counts
    alike.
    """
    torch.manual_seed(seed)
    model = Denoiser(data.shape[1], float(data.std()))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(steps, 1))
    low, high = np.log(0.1), np.log(SIGMA_MAX)
    for _ in range(steps):
        x0 = data[torch.randint(len(data), (256,))]
        sigma = torch.exp(low + (high - low) * torch.rand(256, 1))
        y = x0 + sigma * torch.randn_like(x0)
        weight = (sigma**2 + model.spread**2) / (sigma * model.spread) ** 2
        loss = (weight * (model(y, sigma) - x0) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.double().eval()


def judge_model(model: Denoiser, data: np.ndarray) -> None:
    print("1. The denoiser against E[x_0 | x], at each noise level\n")
    evidence = check_denoiser(model, data, schedule=LEVELS, levels=LEVELS, tolerance=TOLERANCE)
    print(f"{evidence.explain()}\n\n{evidence.table}\n")
    print("Is it a posterior mean of anything? (its Jacobian alone, no data)\n")
    for sigma in LEVELS:

        def denoiser(y: torch.Tensor, sigma: float = sigma) -> torch.Tensor:
            return model(y, torch.full((len(y), 1), sigma, dtype=y.dtype))

        y = data[:8] + sigma * np.random.default_rng(0).standard_normal((8, data.shape[1]))
        possible = check_score(
            denoiser,
            None,
            sigma**2,
            prediction="x0",
            points=y,
            tolerance=1e-2,
            framework="torch",
        )
        print(
            f"- σ = {sigma:g}: {possible.verdict} (asymmetry and negative part"
            f" {possible.value:.2g})"
        )
    print()


def drift_and_noise(x, t, score, lam):
    """The λ-family for f = 0, g² = 2t; the drift is for dt < 0."""
    return -(1 - lam / 2) * 2 * t * score(x, t), ((1 - lam) * 2 * t) ** 0.5


def sample(score, atoms: Atoms, lam: float, count: int, steps: int = 150) -> np.ndarray:
    """Euler–Maruyama on a geometric grid, from exact draws at SIGMA_MAX: what is wrong at the end
    was made on the way.
    """
    rng = np.random.default_rng(1)
    x = atoms.sample(rng, count) + SIGMA_MAX * rng.standard_normal((count, atoms.dimension))
    grid = np.geomspace(SIGMA_MAX, SIGMA_MIN, steps + 1)
    for t, after in zip(grid[:-1], grid[1:], strict=True):
        drift, noise = drift_and_noise(x, t, score, lam)
        x = x - (t - after) * drift + noise * (t - after) ** 0.5 * rng.standard_normal(x.shape)
    return x


def distance(x: np.ndarray, atoms: Atoms) -> tuple[float, float, float]:
    """Of samples that should have the exact law at SIGMA_MIN: the relative error of their
    covariance (Frobenius), by how many nats the mean of log p falls short of that of exact draws,
    and the median distance to the nearest image.
    """
    cov = SIGMA_MIN**2 * np.eye(atoms.dimension)
    law, right = atoms.noised(cov), atoms.covariance() + cov
    rng = np.random.default_rng(3)
    draws = atoms.sample(rng, 2000) + SIGMA_MIN * rng.standard_normal((2000, atoms.dimension))
    near = np.sqrt(
        np.maximum(
            0,
            np.sum(x**2, axis=1)[:, None]
            - 2 * x @ atoms.points.T
            + np.sum(atoms.points**2, axis=1),
        ).min(axis=1)
    )
    shortfall = float(law.log_density(draws).mean() - law.log_density(x).mean())
    return (
        float(np.linalg.norm(np.cov(x.T) - right) / np.linalg.norm(right)),
        shortfall,
        float(np.median(near)),
    )


def judge_sampler(model: Denoiser, atoms: Atoms, count: int) -> None:
    print("2. The sampler, with an exact score: is its λ-family right?\n")
    print(check_reverse_sampler(drift_and_noise, EDM(horizon=2.0), LAMBDAS, dimension=1).explain())

    def exact(x: np.ndarray, t: float) -> np.ndarray:
        return (atoms.posterior_mean(x, t**2 * np.eye(atoms.dimension)) - x) / t**2

    def learned(x: np.ndarray, t: float) -> np.ndarray:
        with torch.no_grad():
            return (
                model(torch.tensor(x), torch.full((len(x), 1), t, dtype=torch.float64)).numpy() - x
            ) / t**2

    rng = np.random.default_rng(2)
    print("\n3. The sampler with the learned score\n")
    print(
        "The velocity b + c²/2 ∇log p of the marginals, relative rms error (exact; it is the"
        " score's error times 1 - λ/2):\n"
    )
    print("| λ |" + "".join(f" σ = {s:g} |" for s in LEVELS) + "\n|---|" + "---|" * len(LEVELS))
    rows = {lam: [] for lam in LAMBDAS}
    for sigma in LEVELS:
        y = atoms.sample(rng, 256) + sigma * rng.standard_normal((256, atoms.dimension))
        right = exact(y, sigma)
        velocity = -sigma * right  # f - g²/2 ∇log p
        for lam in LAMBDAS:
            drift, noise = drift_and_noise(y, sigma, learned, lam)
            rows[lam].append(
                np.linalg.norm(drift + noise**2 / 2 * right - velocity) / np.linalg.norm(velocity)
            )
    for lam, values in rows.items():
        print(f"| {lam:g} |" + "".join(f" {v:.1%} |" for v in values))
    print(
        f"\nThe law at σ = {SIGMA_MIN:g} of {count} samples, started from exact draws at σ ="
        f" {SIGMA_MAX:g} (150 Euler–Maruyama steps);"
    )
    print("the exact score shows what is due to the steps and to the number of samples:\n")
    print(
        "| λ | covariance, learned score | exact score | log p too low by (nats), learned | exact |"
        " distance to the nearest image, learned | exact |"
    )
    print("|---|---|---|---|---|---|---|")
    for lam in LAMBDAS:
        (c1, p1, n1), (c2, p2, n2) = (
            distance(sample(score, atoms, lam, count), atoms) for score in (learned, exact)
        )
        print(f"| {lam:g} | {c1:.1%} | {c2:.1%} | {p1:.1f} | {p2:.1f} | {n1:.2f} | {n2:.2f} |")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=4000, help="training steps")
    parser.add_argument("--samples", type=int, default=1000, help="samples of the chains")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    data = load_digits().data / 8 - 1  # 1797 images of 8 x 8, in [-1, 1]
    model = train(torch.tensor(data, dtype=torch.float32), options.steps)
    atoms = Atoms(data)
    print(f"Digits: {atoms.size} images in R^{atoms.dimension}; {options.steps} training steps.\n")
    judge_model(model, data)
    judge_sampler(model, atoms, options.samples)


if __name__ == "__main__":
    main()
