"""Wrong factors of EDM, tables rescaled on one side, factors along another axis, masks of x_t."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_loss

BAR = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
IMAGE = (2, 4, 4)


def edm(skip=None, out=None, into=None, told=None, **more):
    """EDM's loss around its network, with one of its factors replaced; σ_data = 0.5."""
    import torch

    skip = skip or (lambda s: 0.25 / (s**2 + 0.25))
    out = out or (lambda s: 0.5 * s / (s**2 + 0.25).sqrt())
    into = into or (lambda s: 1 / (s**2 + 0.25).sqrt())
    told = told or (lambda s: s.log() / 4)

    def loss(net, images):
        sigma = (1.2 * torch.randn(len(images), 1, 1, 1) - 1.2).exp()
        x = images + sigma * torch.randn_like(images)
        denoised = skip(sigma) * x + out(sigma) * net(into(sigma) * x, told(sigma).flatten())
        weight = (sigma**2 + 0.25) / (0.5 * sigma) ** 2
        return (weight * (denoised - images) ** 2).sum()

    return check_loss(loss, prediction="F", shape=IMAGE, framework="torch", **more)


@wrong("σ_data in c_skip", says=r"c_skip is wrong: σ_data is not squared in its num", needs="torch")
def first_power_in_c_skip():
    return edm(skip=lambda s: 0.5 / (s**2 + 0.25))


@wrong("1 for σ_data in c_skip", says=r"c_skip is wrong: it has 1 for σ_data", needs="torch")
def no_sigma_data_in_c_skip():
    return edm(skip=lambda s: 1 / (s**2 + 1))


@wrong("no c_skip", says=r"c_skip is wrong: it is 0, x_t is left out", needs="torch")
def no_c_skip():
    return edm(skip=lambda s: 0 * s)


@wrong("root in c_skip", says=r"c_skip is wrong: a root is taken of its denominator", needs="torch")
def root_in_c_skip():
    return edm(skip=lambda s: 0.25 / (s**2 + 0.25).sqrt())


@wrong("no root in c_out", says=r"c_out is wrong: the root of its denominator", needs="torch")
def no_root_in_c_out():
    return edm(out=lambda s: 0.5 * s / (s**2 + 0.25))


@wrong("no σ_data in c_out", says=r"c_out is wrong: σ_data is missing in its num", needs="torch")
def no_sigma_data_in_c_out():
    return edm(out=lambda s: s / (s**2 + 0.25).sqrt())


@wrong("σ_data² in c_out", says=r"c_out is wrong: σ_data is squared in its num", needs="torch")
def sigma_data_squared_in_c_out():
    return edm(out=lambda s: 0.25 * s / (s**2 + 0.25).sqrt())


@wrong("c_skip, c_out exchanged", says=r"c_skip is wrong: it is the formula of c_o", needs="torch")
def c_skip_and_c_out_exchanged():
    return edm(lambda s: 0.5 * s / (s**2 + 0.25).sqrt(), lambda s: 0.25 / (s**2 + 0.25))


@wrong("c_out of its own", says=r"c_out is 0\.\d+ at σ = .* is due", needs="torch")
def another_c_out():
    return edm(out=lambda s: 0.5 * s / (s**2 + 0.3).sqrt())


@wrong("no root in c_in", says=r"whose root is missing \(c_in\)", needs="torch")
def no_root_in_c_in():
    return edm(into=lambda s: 1 / (s**2 + 0.25))


@wrong("c_noise without its logarithm", says=r"told σ/4 \(without the logarithm", needs="torch")
def no_logarithm_in_c_noise():
    return edm(told=lambda s: s / 4)


@wrong("σ for c_noise", says=r"told σ where label\(t\) = log\(σ\)/4 is due", needs="torch")
def sigma_in_the_place_of_c_noise():
    return edm(told=lambda s: s, label=lambda s: np.log(s) / 4)


def rescaled(bar):
    """To zero terminal SNR, as Lin et al. 2024 do."""
    root = np.sqrt(bar)
    return ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2


def v_loss(path, target=None):
    import torch

    tables = [torch.from_numpy(b) for b in (path, path if target is None else target)]

    def loss(model, x0, t, noise):
        a, b = (table[t].reshape(-1, 1, 1, 1) for table in tables)
        v = b.sqrt() * noise - (1 - b).sqrt() * x0
        return ((model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t) - v) ** 2).mean()

    return loss


def v(loss, bar):
    more = {"prediction": "v", "shape": IMAGE, "framework": "torch"}
    return check_loss(loss, {"alphas_cumprod": bar}, **more)


@wrong("table rescaled in the loss", says=r"x_t is made of is rescaled to zero term", needs="torch")
def rescaled_in_the_loss():
    return v(v_loss(rescaled(BAR)), BAR)


@wrong("table not rescaled in the loss", says=r"is not rescaled to zero terminal", needs="torch")
def not_rescaled_in_the_loss():
    return v(v_loss(BAR), rescaled(BAR))


@wrong("target of the plain table", says=r"target is made of is not rescaled to", needs="torch")
def target_not_rescaled():
    return v(v_loss(rescaled(BAR), BAR), rescaled(BAR))


@wrong("σ along the entries", says=r"go along axis 1 of \(17, 17\), which is", needs="torch")
def sigma_along_the_entries():
    def loss(model, x0, t, noise):
        return ((model((1 - t) * x0 + t * noise, t) - (noise - x0)) ** 2).mean()

    return check_loss(loss, "flow", prediction="flow", framework="torch", shape=17)


@wrong("σ along the width", says=r"σ of \(17,\) go along axis 3 of \(17, 2, 3, 17\)", needs="torch")
def sigma_along_the_width():
    def loss(model, x0, sigma, noise):
        return ((model(x0 + sigma * noise, sigma) - x0) ** 2).mean()

    return check_loss(loss, prediction="x0", framework="torch", shape=(2, 3, 17))


@wrong("x_t masked", says=r"entries of x_t are 0 in every sample \(a mask\)", needs="torch")
def masked_input():
    import torch

    bar, mask = torch.from_numpy(BAR), torch.ones(1, 1, 4, 4)
    mask[..., :2] = 0

    def loss(model, x0, t, noise):
        a = bar[t].reshape(-1, 1, 1, 1)
        return ((model(mask * (a.sqrt() * x0 + (1 - a).sqrt() * noise), t) - noise) ** 2).mean()

    return check_loss(loss, {"alphas_cumprod": BAR}, shape=IMAGE, framework="torch")


@wrong("g for g²", says=r"g is in it where g² is due", needs="torch")
def g_in_the_place_of_its_square():
    import torch

    from scoreproof.objects.schedules import VPLinear

    process = VPLinear()

    def loss(model, x0):
        t = 0.999 * torch.rand(len(x0)) + 0.001
        a, s, g = (
            torch.tensor([float(f(float(k))) for k in t])[:, None]
            for f in (process.alpha, process.sigma, process.diffusion)
        )
        noise = torch.randn_like(x0)
        return (g * (model(a * x0 + s * noise, t) + noise / s) ** 2).mean()

    more = {"prediction": "score", "weight": "likelihood", "framework": "torch"}
    return check_loss(loss, process, **more)
