"""Wrong losses that pair their batch anew, and wrong parts of hybrid losses."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_loss

TO_DATA = (lambda t: t, lambda t: 1 - t)


def assigned(noise, data):
    from scipy.optimize import linear_sum_assignment
    from torch import cdist

    i, j = linear_sum_assignment((cdist(noise.flatten(1), data.flatten(1)) ** 2).numpy())
    return noise[i], data[j]


def flow(loss, **more):
    return check_loss(loss, TO_DATA, **({"prediction": "velocity", "framework": "torch"} | more))


@wrong("data permuted in the path alone", says=r"x_t has the x_0 of other samples", needs="torch")
def ot_pairs_in_the_path_alone():
    import torch

    def loss(model, x1):
        x0, t = torch.randn_like(x1), torch.rand(len(x1))
        a, b = assigned(x0, x1)
        s = t[:, None]
        return ((model((1 - s) * a + s * b, t) - (x1 - x0)) ** 2).mean()

    return flow(loss)


@wrong("pairs in the target alone", says=r"target is made of other samples of the", needs="torch")
def ot_pairs_in_the_target_alone():
    import torch

    def loss(model, x1):
        x0, t = torch.randn_like(x1), torch.rand(len(x1))
        a, b = assigned(x0, x1)
        s = t[:, None]
        return ((model((1 - s) * x0 + s * x1, t) - (b - a)) ** 2).mean()

    return flow(loss)


@wrong("noise of the old order", says=r"in the target the noise is not: take both", needs="torch")
def ot_with_the_noise_of_before():
    import torch

    def loss(model, x1):
        x0, t = torch.randn_like(x1), torch.rand(len(x1))
        order = torch.argsort(x0[:, 0])
        a, b = x0[order], x1[x1[:, 0].argsort()]
        s = t[:, None]
        return ((model((1 - s) * a + s * b, t) - (b - x0)) ** 2).mean()

    return flow(loss)


@wrong("OT-CFM with its ends reversed", says=r"minus the velocity", needs="torch")
def ot_with_reversed_ends():
    import torch

    def loss(model, x1):
        x0, t = torch.randn_like(x1), torch.rand(len(x1))
        x0, x1 = assigned(x0, x1)
        s = t[:, None]
        return ((model((1 - s) * x0 + s * x1, t) - (x0 - x1)) ** 2).mean()

    return flow(loss)


@wrong("nearest noise", says=r"nearest, or best, partner \(argmin, argmax\)", needs="torch")
def nearest_noise():
    import torch

    def loss(model, x1):
        x0, t = torch.randn_like(x1), torch.rand(len(x1))
        x0 = x0[torch.cdist(x1, x0).argmin(1)]
        s = t[:, None]
        return ((model((1 - s) * x0 + s * x1, t) - (x1 - x0)) ** 2).mean()

    return flow(loss)


@wrong("score from coupled noise", says=r"where ε is independent of x_0: do not", needs="torch")
def score_of_coupled_noise():
    import torch

    bar = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))

    def loss(model, x0, t, noise):
        e, x0 = assigned(noise, x0)
        a = torch.from_numpy(bar)[t][:, None]
        std = (1 - a).sqrt()
        return ((std * model(a.sqrt() * x0 + std * e, t) + e) ** 2).mean()

    return check_loss(loss, {"alphas_cumprod": bar}, prediction="score", framework="torch")


@wrong("constant velocity on a curved path", says=r"is ε - x_0|inner derivative", needs="torch")
def velocity_without_its_inner_derivative():
    import torch

    def loss(model, x1):
        x0, t = torch.randn_like(x1), torch.rand(len(x1))
        a, b = (f(torch.pi * t / 2)[:, None] for f in (torch.sin, torch.cos))
        return ((model(a * x1 + b * x0, t) - (b * x1 - a * x0)) ** 2).mean()

    pair = (lambda t: np.sin(np.pi * t / 2), lambda t: np.cos(np.pi * t / 2))
    return check_loss(loss, pair, prediction="velocity", framework="torch")


@wrong("mean not detached in L_hybrid", says=r"mean is not detached in L_vlb", needs="torch")
def hybrid_with_a_mean_in_the_bound():
    import torch

    bar = torch.from_numpy(np.cumprod(1 - np.linspace(1e-4, 0.02, 1000)))
    before = torch.cat([torch.ones(1, dtype=torch.float64), bar[:-1]])
    beta = 1 - bar / before
    least = (beta * (1 - before) / (1 - bar)).clamp(min=1e-6)

    def loss(model, x0, t, noise):
        def at(table):
            return table[t].reshape(-1, 1, 1, 1)

        x = at(bar).sqrt() * x0 + (1 - at(bar)).sqrt() * noise
        out, part = model(x, t).chunk(2, dim=1)
        log = (1 + part) / 2 * at(beta).log() + (1 - part) / 2 * at(least).log()
        gap = at(beta) / ((1 - at(bar)) * (at(bar) / at(before))).sqrt() * (out - noise)
        kl = 0.5 * (log - at(least).log() - 1 + (at(least) + gap**2) / log.exp())
        return ((out - noise) ** 2 + kl).mean((1, 2, 3))

    more = {"learned_variance": True, "weight": "eps", "framework": "torch"}
    return check_loss(loss, {"alphas_cumprod": bar.numpy()}, shape=(2, 4, 4), **more)


@wrong("posterior mean for ε", says=r"the mean of x_\{t-1\} given x_t and x_0", needs="torch")
def model_mean_type_previous():
    import torch

    bar = torch.from_numpy(np.cumprod(1 - np.linspace(1e-4, 0.02, 1000)))
    before = torch.cat([torch.ones(1, dtype=torch.float64), bar[:-1]])
    beta = 1 - bar / before

    def loss(model, x0, t, noise):
        a, b, beta_t = (k[t][:, None] for k in (bar, before, beta))
        x = a.sqrt() * x0 + (1 - a).sqrt() * noise
        mean = b.sqrt() * beta_t / (1 - a) * x0 + (1 - beta_t).sqrt() * (1 - b) / (1 - a) * x
        return ((model(x, t) - mean) ** 2).mean()

    return check_loss(loss, {"alphas_cumprod": bar.numpy()}, framework="torch")
