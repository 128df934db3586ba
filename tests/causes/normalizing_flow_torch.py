"""Wrong layers of normalizing flows in PyTorch, in the dialects of public repositories."""

from __future__ import annotations

from typing import Any

import numpy as np

from causes import wrong
from scoreproof import check_normalizing_flow

IMAGE = (4, 2, 3)


def glow(change: Any = None, inverse: Any = None):
    """glow-pytorch's 1x1 convolution: ``change(log_det, weight, pixels)``."""
    torch = __import__("torch")

    class InvertibleConv1x1(torch.nn.Module):
        def __init__(self):
            super().__init__()
            start = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]
            if np.linalg.det(start) > 0:
                start[0] *= -1
            self.weight = torch.nn.Parameter(torch.tensor(start, dtype=torch.float32))

        def forward(self, input, logdet=None, reverse=False):
            pixels = input.size(2) * input.size(3)
            dlogdet = torch.slogdet(self.weight)[1] * pixels
            if change is not None:
                dlogdet = change(dlogdet, self.weight, pixels)
            weight = self.weight
            if reverse:
                weight = torch.inverse(weight) if inverse is None else inverse(weight)
            z = torch.nn.functional.conv2d(input, weight[:, :, None, None])
            return z, logdet + (-dlogdet if reverse else dlogdet)

    return check_normalizing_flow(InvertibleConv1x1(), shape=IMAGE)


@wrong("glow-tts: the number of places missing", says=r"factor H·W is missing", needs="torch")
def pixels_missing():
    return glow(lambda log_det, weight, pixels: log_det / pixels)


@wrong("glow-pytorch: logdet of a negative determinant", says=r"slogdet", needs="torch")
def logdet_of_weight():
    return glow(lambda log_det, weight, pixels: weight.logdet() * pixels)


@wrong("the transposed weight in the inverse", says=r"multiplies by the transposed", needs="torch")
def transposed():
    return glow(inverse=lambda weight: weight.t())


@wrong(
    "the logdet that is handed in is lost",
    says=r"log_det that is handed in is overwritten",
    needs="torch",
)
def not_added():
    torch = __import__("torch")

    class ActNorm(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bias, self.logs = (torch.nn.Parameter(torch.zeros(1, 4, 1, 1)) for _ in "bl")

        def forward(self, input, logdet=None, reverse=False):
            pixels = input.size(2) * input.size(3)
            if reverse:
                return input * torch.exp(-self.logs) - self.bias, -self.logs.sum() * pixels
            return (input + self.bias) * torch.exp(self.logs), self.logs.sum() * pixels

    return check_normalizing_flow(ActNorm(), shape=IMAGE)


@wrong(
    "actnorm without H·W, not by itself",
    says=r"scale.* counts once.*multiply it by H·W",
    needs="torch",
)
def actnorm_among_others():
    torch = __import__("torch")

    class Step(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(4, 1, 1))
            self.net = torch.nn.Conv2d(2, 4, 3, padding=1)

        def forward(self, x):
            x, log_det = x * self.scale, self.scale.abs().log().sum()
            a, b = x.chunk(2, 1)
            s, t = self.net(a).chunk(2, 1)
            s = torch.tanh(s)
            return torch.cat([a, b * s.exp() + t], 1), log_det + s.flatten(1).sum(1)

    return check_normalizing_flow(Step(), shape=IMAGE)


def affine(scale: Any = None, half: int = 0):
    """rosinality's coupling, its last layer 0: ``scale(log_s)`` is what log_det takes."""
    torch = __import__("torch")

    class AffineCoupling(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Conv2d(2, 4, 3, padding=1)
            torch.nn.init.zeros_(self.net.weight)
            torch.nn.init.zeros_(self.net.bias)

        def forward(self, input):
            in_a, in_b = input.chunk(2, 1)
            log_s, t = self.net((in_a, in_b)[half]).chunk(2, 1)
            s = torch.sigmoid(log_s + 2)
            log_det = torch.log(s if scale is None else scale(log_s)).flatten(1).sum(1)
            return torch.cat([in_a, (in_b + t) * s], 1), log_det

        def reverse(self, output):
            out_a, out_b = output.chunk(2, 1)
            log_s, t = self.net(out_a).chunk(2, 1)
            return torch.cat([out_a, out_b / torch.sigmoid(log_s + 2) - t], 1)

    return check_normalizing_flow(AffineCoupling(), shape=IMAGE)


@wrong(
    "log sigmoid(s) of a scale sigmoid(s + 2)", says=r"log_det that of sigmoid\(s\)", needs="torch"
)
def sigmoid_shift():
    return affine(lambda log_s: log_s.sigmoid())


@wrong("the net reads the half that it scales", says=r"net reads the coordinates", needs="torch")
def own_half():
    return affine(half=1)


def real_nvp(**methods):
    """senya-ashukha's RealNVP with methods of another kind."""
    torch = __import__("torch")
    nn = torch.nn

    class RealNVP(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.prior = torch.distributions.MultivariateNormal(torch.zeros(2), torch.eye(2))
            self.register_buffer("mask", torch.tensor([[0.0, 1.0], [1.0, 0.0]] * 2))
            s = [nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2), nn.Tanh())]
            t = [nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))]
            for _ in range(3):
                s.append(nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2), nn.Tanh()))
                t.append(nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2)))
            self.s, self.t = nn.ModuleList(s), nn.ModuleList(t)

        def parts(self, i, x):
            held = self.mask[i] * x
            free = 1 - self.mask[i]
            return held, free, self.s[i](held) * free, self.t[i](held) * free

        def g(self, z):
            for i in range(4):
                held, free, s, t = self.parts(i, z)
                z = held + free * (z * torch.exp(s) + t)
            return z

        def f(self, x):
            log_det, z = x.new_zeros(x.shape[0]), x
            for i in reversed(range(4)):
                held, free, s, t = self.parts(i, z)
                z = held + free * (z - t) * torch.exp(-s)
                log_det = log_det - s.sum(dim=1)
            return z, log_det

        def log_prob(self, x):
            z, log_det = self.f(x)
            return self.prior.log_prob(z) + log_det

    return check_normalizing_flow(type("RealNVP", (RealNVP,), methods)())


@wrong("RealNVP: the prior at x", says=r"base law is evaluated at x", needs="torch")
def prior_of_real_nvp():
    def log_prob(self, x):
        return self.prior.log_prob(x) + self.f(x)[1]

    return real_nvp(log_prob=log_prob)


@wrong("RealNVP: g in forward's order", says=r"inverse goes through the layers", needs="torch")
def order():
    def g(self, z):
        for i in reversed(range(4)):
            held, free, s, t = self.parts(i, z)
            z = held + free * (z * s.exp() + t)
        return z

    return real_nvp(g=g)


@wrong("log_det detached", says=r"no gradient of log_det reaches", needs="torch")
def detached():
    def f(self, x):
        log_det, z = x.new_zeros(x.shape[0]), x
        for i in reversed(range(4)):
            held, free, s, t = self.parts(i, z)
            z = held + free * (z - t) * (-s).exp()
            log_det = log_det - s.sum(dim=1).detach()
        return z, log_det

    return real_nvp(f=f)


def autoregressive(**methods):
    """pytorch-flows' MADE layer."""
    torch = __import__("torch")

    class MADE(torch.nn.Module):
        def __init__(self):
            super().__init__()
            rng = np.random.default_rng(1)
            weights = torch.tensor(0.5 * rng.standard_normal((2, 4, 4)), dtype=torch.float32)
            self.weights = torch.nn.Parameter(weights)
            self.register_buffer("mask", torch.tril(torch.ones(4, 4), -1))

        def net(self, x):
            return torch.tanh(x @ (self.weights[0] * self.mask).T), x @ (
                self.weights[1] * self.mask
            ).T

        def forward(self, inputs, mode="direct"):
            if mode == "direct":
                a, m = self.net(inputs)
                return (inputs - m) * torch.exp(-a), -a.sum(-1, keepdim=True)
            x = torch.zeros_like(inputs)
            for i in range(4):
                a, m = self.net(x)
                x = x.clone()
                x[:, i] = inputs[:, i] * torch.exp(a[:, i]) + m[:, i]
            return x, self.sign * self.net(x)[0].sum(-1, keepdim=True)

        sign = 1

    return check_normalizing_flow(type("MADE", (MADE,), methods)())


@wrong(
    "pytorch-flows: minus in the reverse log-density",
    says=r"inverse returns forward's",
    needs="torch",
)
def reverse_sign():
    return autoregressive(sign=-1)


def batch_norm(**methods):
    torch = __import__("torch")

    class BatchNormFlow(torch.nn.Module):
        eps = 1e-2

        def __init__(self):
            super().__init__()
            rng = np.random.default_rng(2)
            self.log_gamma = torch.nn.Parameter(torch.tensor(0.3 * rng.standard_normal(4)))
            self.beta = torch.nn.Parameter(torch.tensor(rng.standard_normal(4)))
            self.register_buffer("mean", torch.tensor(rng.standard_normal(4)))
            self.register_buffer("var", torch.tensor(rng.uniform(0.3, 2, 4)))
            self.training = False

        def statistics(self, x):
            if self.training:
                return x.mean(0), x.var(0, unbiased=False)
            return self.mean, self.var

        def log_det(self, x):
            var = self.statistics(x)[1]
            return (self.log_gamma - 0.5 * torch.log(var + self.eps)).sum()

        def forward(self, x):
            mean, var = self.statistics(x)
            hat = (x - mean) / (var + self.eps).sqrt()
            return self.log_gamma.exp() * hat + self.beta, self.log_det(x).expand(len(x))

        def inverse(self, y):
            return (y - self.beta) * (-self.log_gamma).exp() * self.deviation() + self.mean

        def deviation(self):
            return (self.var + self.eps).sqrt()

    return type("BatchNormFlow", (BatchNormFlow,), methods)()


@wrong("MAF: batch norm in training mode", says=r"batch normalisation in training", needs="torch")
def training():
    return check_normalizing_flow(batch_norm().train())


@wrong(
    "batch norm's γ left out of log_det", says=r"log_gamma is missing from log_det", needs="torch"
)
def gamma():
    def log_det(self, x):
        return -0.5 * (self.var + self.eps).log().sum()

    return check_normalizing_flow(batch_norm(log_det=log_det))


@wrong("batch norm's inverse without its ε", says=r"other constants than forward", needs="torch")
def epsilon_of_inverse():
    return check_normalizing_flow(batch_norm(deviation=lambda self: self.var.sqrt()))
