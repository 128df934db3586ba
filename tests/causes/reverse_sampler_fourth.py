"""A fourth round of wrong reverse-time samplers, held out like the second and third."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_reverse_sampler
from scoreproof.objects.schedules import EDM, VPLinear

VP, KARRAS = VPLinear(0.1, 20.0), EDM()


def beta(t):
    return 0.1 + t * 19.9


def log_mean(t):
    return -0.25 * t**2 * 19.9 - 0.05 * t


def std(t):
    return np.sqrt(1 - np.exp(2 * log_mean(t)))


def anderson(x, t, score):
    return -0.5 * beta(t) * x - beta(t) * score, np.sqrt(beta(t))


def judged(sampler, lam=0.0, **more):
    return check_reverse_sampler(sampler, VP, (lam,), form="sde", **more)


@wrong("σ is taken one index too late where ε is divided by it", says=r"σ\(t \+ 0\.001\)")
def deviation_of_the_next_index():
    return judged(lambda x, t, eps: anderson(x, t, -eps(x, t) / std(t + 1e-3)), prediction="eps")


@wrong("σ_data = 1 where 0.5 is due", says=r"σ_data")
def data_deviation():
    def step(x, t, t_next, z, network):
        skip, out = 1 / (1 + t**2), t / np.sqrt(1 + t**2)
        d = (x - skip * x - out * network(x, t)) / t
        return x + (t_next - t) * d

    return check_reverse_sampler(step, KARRAS, (1.0,), prediction="F", times=(0.1, 50.0))


@wrong("x/(1 - β) where x/√(1 - β) is due", says=r"f enters 2 times")
def ddpm_without_root():
    def step(x, t, t_next, z, eps):
        b = beta(t) * (t - t_next)
        return (x - b / std(t) * eps(x, t)) * np.exp(b) + np.sqrt(b) * z

    return check_reverse_sampler(step, VP, (0.0,), prediction="eps")


@wrong(
    "the predictor returns its mean, without noise",
    says=r"without its noise|noise is missing|noise of λ = 1",
)
def mean_returned():
    class Predictor:
        def update(self, x, t, h, z, score):
            drift, g = anderson(x, t, score)
            x_mean = x - h * drift
            return x_mean + g * np.sqrt(h) * z, x_mean

        def __call__(self, x, t, t_next, z, model):
            _, x = self.update(x, t, t - t_next, z, model(x, t))
            return x

    return check_reverse_sampler(Predictor(), VP, (0.0,))


@wrong("x0 is clipped, and ε is not made anew from it", says=r"x_0[^.]*clipped to \[-1, 1\]")
def clipped_without_new_eps():
    def step(x, t, t_next, z, model):
        eps = model(x, t)
        x0 = np.clip((x - std(t) * eps) / np.exp(log_mean(t)), -1, 1)
        return np.exp(log_mean(t_next)) * x0 + std(t_next) * eps

    return check_reverse_sampler(step, VP, (1.0,), prediction="eps", times=(0.1, 0.6))


@wrong(
    "the model is asked at a shifted time 3t/(1 + 2t)",
    says=r"model is asked at (another time|3 t/\(1 \+ 2 t\))",
)
def shifted_time():
    return judged(lambda x, t, score: anderson(x, t, score(x, 3 * t / (1 + 2 * t))))


@wrong("the model's answer is rotated by a quarter turn", says=r"rotated by|rotated[\s\S]*-?90")
def score_rotated():
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    return judged(lambda x, t, score: anderson(x, t, score(x, t) @ turn), dimension=2)


@wrong(
    "Langevin dynamics: ½ g² s, without f",
    says=r"f is left out, the score's term is multiplied by 0\.5",
)
def langevin():
    return judged(lambda x, t, s: (-0.5 * beta(t) * s(x, t), np.sqrt(beta(t))))


@wrong(
    "churn: (t_hat - t) z where √(t_hat² - t²) z is due",
    says=r"multiplied by the step h[^.]*√h is due",
)
def churn_without_root():
    def step(x, t, t_next, z, denoiser):
        t_hat = t + 0.5 * (t - t_next)
        x = x + (t_hat - t) * z
        return x + (t_next - t_hat) * (x - denoiser(x, t_hat)) / t_hat

    return check_reverse_sampler(step, KARRAS, (0.5,), prediction="x0", times=(0.1, 50.0))


@wrong("g² is twice too large in the score's term and in the noise", says=r"g² enters 2 times")
def double_diffusion():
    def sampler(x, t, score, lam):
        g2 = 2 * beta(t)
        return -0.5 * beta(t) * x - (1 - lam / 2) * g2 * score(x, t), np.sqrt((1 - lam) * g2)

    return check_reverse_sampler(sampler, VP)
