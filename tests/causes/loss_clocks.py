"""Wrong training losses: what the model is told, and from which t it is trained."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_loss

IMAGE = (3, 4, 4)


def col(values):
    return values.reshape(-1, 1, 1, 1)


@wrong(
    "the variance in front of the noise, without a weight",
    says=r"Cause: the model is told s where the noise in x_t has the deviation s²",
    needs="torch",
)
def edm_noised_by_the_variance():
    import torch

    def loss(net, images):
        sigma = (1.4 * torch.randn(len(images), 1, 1, 1) - 0.4).exp()
        noisy = images + sigma**2 * torch.randn_like(images)
        return ((net(noisy, sigma) - images) ** 2).sum()

    return check_loss(loss, prediction="x0", shape=IMAGE)


@wrong(
    "the noise scaled, and the model not told",
    says=r"Cause: the model is told s where the noise in x_t has the deviation 0\.7 s",
    needs="torch",
)
def edm_whose_noise_is_smaller():
    import torch

    def loss(net, images):
        sigma = (1.2 * torch.randn(len(images), 1, 1, 1) - 1.2).exp()
        weight = (sigma**2 + 0.25) / (0.5 * sigma) ** 2
        noisy = images + 0.7 * sigma * torch.randn_like(images)
        return (weight * (net(noisy, sigma) - images) ** 2).sum()

    return check_loss(loss, prediction="x0", weight="edm", shape=IMAGE)


@wrong(
    "timesteps of a flow that run backwards",
    says=r"Cause: the model is told 1000 \(1 - t\) where its x is that of t",
    needs="torch",
)
def flow_told_a_thousand_times_the_other_time():
    import torch

    def loss(model, x1):
        u, noise = torch.rand(len(x1)), torch.randn_like(x1)
        x = col(u) * x1 + (1 - col(u)) * noise
        return ((model(x, 1000 * u) - (noise - x1)) ** 2).mean()

    return check_loss(loss, "flow", prediction="flow", shape=IMAGE)


@wrong(
    "integers of a NumPy generator that end too early",
    says=r"Cause: randint\(0, 119\) draws 0 to 118, its upper end not among them",
)
def numpy_integers_that_leave_out_the_last():
    bar = np.cumprod(1 - np.linspace(1e-3, 0.1, 120))

    def loss(model, x0, rng):
        t = rng.integers(0, len(bar) - 1, size=len(x0))
        noise = rng.standard_normal(x0.shape)
        a, s = np.sqrt(bar)[t][:, None], np.sqrt(1 - bar)[t][:, None]
        return np.mean((model(a * x0 + s * noise, t) - noise) ** 2)

    return check_loss(loss, {"alphas_cumprod": bar}, shape=3)


@wrong(
    "uniform numbers times T - 1, cut to whole ones",
    says=r"Cause: draw it by randint\(0, 120\), and use it as it is",
    needs="torch",
)
def a_uniform_number_that_is_cut_too_early():
    import torch

    bar = torch.cumprod(1 - torch.linspace(1e-3, 0.1, 120, dtype=torch.float64), 0)

    def loss(model, x0):
        t = (torch.rand(len(x0)) * 119).floor().long()
        noise = torch.randn_like(x0)
        x = col(bar[t]).sqrt() * x0 + (1 - col(bar[t])).sqrt() * noise
        return (model(x, t) - noise).square().mean()

    return check_loss(loss, {"alphas_cumprod": bar}, shape=IMAGE)
