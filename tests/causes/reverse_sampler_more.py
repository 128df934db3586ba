"""Further wrong reverse-time samplers, written when the check was mended for the first ones."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_reverse_sampler
from scoreproof.objects.linear_sde import LinearSDE
from scoreproof.objects.schedules import EDM, VE, FlowMatching, VPLinear

VP, KARRAS, GEOMETRIC, STRAIGHT = VPLinear(0.1, 20.0), EDM(), VE(0.01, 50.0), FlowMatching()


def beta(t):
    return 0.1 + t * 19.9


def alpha_bar(t):
    return np.exp(-0.1 * t - 19.9 * t**2 / 2)


@wrong("β/(1-ᾱ) ε where β/√(1-ᾱ) ε is due", says=r"1/σ\(t\)|σ²[^.]*where")
def ddpm_mean_without_root():
    def step(x, t, t_next, z, eps):
        b = beta(t) * (t - t_next)
        mean = (x - b / (1 - alpha_bar(t)) * eps(x, t)) * np.exp(b / 2)
        return mean + np.sqrt(b) * z

    return check_reverse_sampler(step, VP, (0.0,), prediction="eps")


@wrong(
    "after the churn the step goes down by t - t_next only, not from the raised level",
    says=r"ODE's drift[^.]*noise is added",
)
def churn_not_removed():
    def step(x, t, t_next, z, denoiser):
        t_hat = t + 0.5 * (t - t_next)
        x_hat = x + np.sqrt(t_hat**2 - t**2) * z
        d = (x_hat - denoiser(x_hat, t_hat)) / t_hat
        return x_hat + (t_next - t) * d

    return check_reverse_sampler(step, KARRAS, (0.5,), prediction="x0", times=(0.1, 50.0))


@wrong(
    "a corrector x + ε s + √ε z where √(2ε) z is due",
    says=r"v - c² ∇log p where v - ½ c² ∇log p|noise[^.]*(1/√2|√2|0\.707)",
)
def corrector_without_two():
    def step(x, t, t_next, z, score):
        h, g2 = t - t_next, beta(t)
        x = x - h * (-0.5 * g2 * x - 0.5 * g2 * score(x, t))
        size = 0.3 * g2 * h
        return x + size * score(x, t_next) + np.sqrt(size) * z

    return check_reverse_sampler(step, VP, (0.7,))


@wrong(
    "ε = σ v + α x where α v + σ x is due",
    says=r"ε = α x \+ σ v is made where ε = σ x \+ α v is due",
)
def v_with_levels_exchanged():
    class Sampler:
        def alphas(self, t):
            return np.sqrt(alpha_bar(t)), np.sqrt(1 - alpha_bar(t))

        def __call__(self, x, t, model):
            a, s = self.alphas(t)
            eps = s * model(x, t) + a * x
            return -0.5 * beta(t) * x + beta(t) * eps / s, np.sqrt(beta(t))

    return check_reverse_sampler(Sampler(), VP, (0.0,), form="sde", prediction="v")


@wrong(
    "x + h v where t goes down and x - h v is due",
    says=r"sign of (the whole drift|dt|the model)|negated",
)
def flow_uphill():
    def step(x, t, t_next, z, velocity):
        return x + (t - t_next) * velocity(x, t)

    return check_reverse_sampler(step, STRAIGHT, (1.0,), prediction="velocity")


@wrong("-σ' s where -σ' σ s is due in the ODE", says=r"1/σ\(t\)|σ[^.]*(missing|left out)")
def ve_ode_without_sigma():
    def sampler(x, t, score):
        slope = np.log(5000.0) * 0.01 * 5000.0**t
        return -slope * score(x, t), 0.0

    return check_reverse_sampler(sampler, GEOMETRIC, (1.0,), form="sde")


@wrong("the drift is clipped to [-5, 5]", says=r"drift[^.]*clipped[^.]*5\b")
def drift_clipped():
    def sampler(x, t, score, lam):
        g2 = beta(t)
        drift = -0.5 * g2 * x - (1 - lam / 2) * g2 * score(x, t)
        return np.clip(drift, -5, 5), np.sqrt((1 - lam) * g2)

    return check_reverse_sampler(sampler, VP)


@wrong("Heun's ½ is missing", says=r"whole drift[^.]*2\b|missing ½")
def heun_without_half():
    def step(x, t, t_next, z, denoiser):
        d = (x - denoiser(x, t)) / t
        y = x + (t_next - t) * d
        return x + (t_next - t) * (d + (y - denoiser(y, t_next)) / t_next)

    return check_reverse_sampler(step, KARRAS, (1.0,), prediction="x0", times=(0.1, 50.0))


@wrong("the noise is divided by √d", says=r"1/√2|√d")
def noise_over_root_of_dimension():
    def step(x, t, t_next, z, score):
        h, g2 = t - t_next, beta(t)
        noise = z / np.sqrt(x.shape[1])
        return x + h * (0.5 * g2 * x + g2 * score(x, t)) + np.sqrt(g2 * h) * noise

    return check_reverse_sampler(step, VP, (0.0,))


@wrong(
    "the mean μ to which the process reverts is left out of the drift",
    says=r"-?0\.45[^.]*(added|drift)|constant|independent of x",
)
def reversion_mean_missing():
    ou = LinearSDE(-1.5, 0.45, 0.9, dimension=1)

    def sampler(x, t, score):
        return -1.5 * x - 0.81 * score(x, t), 0.9

    return check_reverse_sampler(sampler, ou, (0.0,), form="sde")
