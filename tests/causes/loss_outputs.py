"""Losses that do not look at all of their model's output, or at all samples."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_loss

BAR = np.cumprod(1 - np.linspace(2e-4, 0.03, 400))
TABLE = {"alphas_cumprod": BAR}
IMAGE = (2, 4, 6)


def eps(error, **more):
    """An ε loss of PyTorch: ``error(out, noise, x0)``, right in all else."""
    import torch

    bar = torch.from_numpy(BAR)

    def loss(model, x0, t, noise):
        a = bar[t].reshape(-1, 1, 1, 1)
        return error(model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t), noise, x0)

    return check_loss(loss, TABLE, **({"shape": IMAGE, "framework": "torch"} | more))


@wrong(
    "output clamped", says=r"output is clipped before it is compared, at about ±0.7", needs="torch"
)
def clamped():
    return eps(lambda out, e, x: (out.clamp(-0.7, 0.7) - e).square().mean())


@wrong("output clamped, weight claimed", says=r"output is clipped before", needs="torch")
def clamped_with_a_weight():
    return eps(lambda out, e, x: (out.clamp(-2.5, 2.5) - e).square().sum(), weight="eps")


@wrong("a relu after the last layer", says=r"passes a relu", needs="torch")
def rectified():
    return eps(lambda out, e, x: (out.relu() - e).square().mean((1, 2, 3)))


@wrong("mean over the channels first", says=r"only means over axis 1 are trained", needs="torch")
def mean_over_channels():
    return eps(lambda out, e, x: (out.mean(1) - e.mean(1)).square().mean(), weight="eps")


@wrong("mean of the error, squared", says=r"only the mean over a sample's entries is trained")
def mean_then_square():
    def loss(net, x0, t, noise):
        a = BAR[t][:, None]
        return ((net(np.sqrt(a) * x0 + np.sqrt(1 - a) * noise, t) - noise).mean(1) ** 2).mean()

    return check_loss(loss, TABLE, shape=5)


@wrong("gradients of the image only", says=r"only differences between the entries", needs="torch")
def differences():
    return eps(lambda out, e, x: (out - e).diff(dim=-1).square().mean())


@wrong(
    "error pooled",
    says=r"only means over neighbours along axis 2 are trained \(pooling",
    needs="torch",
)
def pooled():
    import torch.nn.functional as F

    return eps(lambda out, e, x: F.avg_pool2d(out - e, 2).square().mean(), weight="eps")


@wrong("low frequencies only", says=r"fine detail is not trained", needs="torch")
def low_frequencies():
    import torch

    def error(out, e, x):
        return torch.fft.rfft2(out - e)[..., :7, :7].abs().square().mean()

    return eps(error, shape=(2, 16, 16))


@wrong("first sample only", says=r"some samples of the batch are left out", needs="torch")
def one_sample():
    return eps(lambda out, e, x: (out - e).square()[0].mean())


@wrong("median of the samples", says=r"some samples of the batch are left out", needs="torch")
def median_of_the_batch():
    return eps(lambda out, e, x: (out - e).square().flatten(1).mean(1).median())


@wrong("loss times 0", says=r"the loss, or its weight, is multiplied by 0", needs="torch")
def nothing():
    return eps(lambda out, e, x: 0.0 * (out - e).square().mean())


@wrong("target flipped", says=r"target is flipped along axis 3, and x_t is not", needs="torch")
def flipped():
    return eps(lambda out, e, x: (out - e.flip(-1)).square().mean())


@wrong("target with its channels last", says=r"target has its channels last", needs="torch")
def channels_last():
    return eps(lambda out, e, x: (out - e.permute(0, 2, 3, 1).reshape(e.shape)).square().mean())


@wrong(
    "pixels weighted by x_0", says=r"weight depends on the sample, not on t alone", needs="torch"
)
def foreground():
    return eps(lambda out, e, x: ((1 + 2 * (x > 0.1)) * (out - e).square()).mean())


@wrong("a target that is 1e-8 off", says=r"1\.00000001 ε where 0 x_0 \+ 1 ε", needs="torch")
def a_little_off():
    return eps(lambda out, e, x: (out - (1 + 1e-8) * e).square().mean())


@wrong("mean weight, no claim", says=r"weights are averaged over the batch before", needs="torch")
def mean_weight():
    import torch

    bar = torch.from_numpy(BAR)

    def loss(model, x0, t, noise):
        a, snr = bar[t].reshape(-1, 1, 1, 1), bar[t] / (1 - bar[t])
        out = model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t)
        weight = (snr.clamp(max=4) / snr).reshape(-1, 1, 1, 1)
        return (weight * (out - noise).square().mean((1, 2, 3))).mean()

    return check_loss(loss, TABLE, shape=IMAGE, framework="torch")


@wrong("EDM with 1.3 σ", says=r"weight is that of the σ that the model is told|told", needs="torch")
def edm_with_other_noise():
    import torch

    def loss(net, x0):
        sigma = (0.9 * torch.randn(len(x0), 1, 1) - 1).exp()
        weight = (sigma**2 + 0.25) / (0.5 * sigma) ** 2
        return (weight * (net(x0 + 1.3 * sigma * torch.randn_like(x0), sigma) - x0) ** 2).mean()

    return check_loss(loss, prediction="x0", weight="edm", shape=(2, 4), framework="torch")


@wrong("σ_min = 2e-5", says=r"x_t keeps noise at its clean end, σ_min = 2e-05", needs="torch")
def a_small_least_noise():
    import torch

    def loss(net, x1):
        x0, t = torch.randn_like(x1), torch.rand(len(x1), 1, 1, 1)
        x = t * x1 + (1 - (1 - 2e-5) * t) * x0
        return (net(x, t.ravel()) - (x1 - (1 - 2e-5) * x0)).square().mean()

    pair = (lambda t: t, lambda t: 1 - t)
    return check_loss(loss, pair, prediction="velocity", shape=IMAGE, framework="torch")
