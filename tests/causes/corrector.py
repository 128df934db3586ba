"""Wrong correctors: Langevin, annealed and SNR-based ones, of score_sde, NCSN and diffusers."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_corrector


def norms(x):
    return np.linalg.norm(x.reshape(len(x), -1), axis=-1)


@wrong("√h for √(2h)", says=r"√2 is missing in the noise")
def root_of_h():
    def ula(x, score, step_size, rng):
        return x + step_size * score(x) + np.sqrt(step_size) * rng.standard_normal(x.shape)

    return check_corrector(ula)


@wrong("half the drift with the whole noise", says=r"a drift of h/2 · score goes with noise √h")
def half_drift():
    def langevin(x, grad_log_prob, eps, rng):
        noise = rng.normal(size=x.shape)
        return x + 0.5 * eps * grad_log_prob(x) + np.sqrt(2 * eps) * noise

    return check_corrector(langevin, step_size=1e-3)


@wrong("the noise multiplied by the step size", says=r"multiplied by the step size")
def no_root():
    def sgld(score, x, lr, random_state):
        return x + lr * score(x) + lr * random_state.randn(*x.shape)

    return check_corrector(sgld)


@wrong("pixels kept positive in every step", says=r"x itself is clipped, to \[0, inf\]")
def positive_pixels():
    def corrector(x, score, step_size, rng):
        x = x + step_size * score(x) + np.sqrt(2 * step_size) * rng.standard_normal(x.shape)
        return np.maximum(x, 0.0)

    return check_corrector(corrector)


@wrong("rand for randn", says=r"uniform on \[0, 1\), of mean ½.*standard_normal")
def uniform_for_normal():
    def ula(x, score, step_size, rng):
        return x + step_size * score(x) + np.sqrt(2 * step_size) * rng.random(x.shape)

    return check_corrector(ula)


@wrong("descending the density", says=r"wrong sign.*-∇U")
def plus_gradient_of_the_energy():
    def step(x, grad_U, h, rng):
        return x + h * grad_U(x) + np.sqrt(2 * h) * rng.standard_normal(x.shape)

    return check_corrector(step)


@wrong("eps not divided by σ", says=r"the score is -ε/σ, and the drift is not divided by it")
def eps_as_score():
    def corrector(model, x, t, step_size, rng):
        score = -model(x, t)
        return x + step_size * score + (2 * step_size) ** 0.5 * rng.standard_normal(x.shape)

    return check_corrector(corrector, prediction="eps")


@wrong("eps added", says=r"wrong sign.*the score is -ε/σ")
def eps_added():
    def corrector(model, x, t, h, rng):
        return x + h * model(x, t) / t + (2 * h) ** 0.5 * rng.standard_normal(x.shape)

    return check_corrector(corrector, prediction="eps")


@wrong("the score of the next level", says=r"asks its model at t = 0\.9.*given t = 1\b")
def next_level():
    def corrector(score_fn, x, t, step_size, rng):
        drift = step_size * score_fn(x, t - 0.1)
        return x + drift + (2 * step_size) ** 0.5 * rng.standard_normal(x.shape)

    return check_corrector(corrector, t=1.0)


@wrong("no noise in the last of its steps", says=r"its variance is 0\.\d+ times what goes with")
def annealed_without_the_last_noise():
    def annealed(x, scorenet, rng, n_steps_each=4, step_lr=2e-5, sigma=0.5, sigma_last=0.01):
        step = step_lr * (sigma / sigma_last) ** 2
        for k in range(n_steps_each):
            noise = rng.standard_normal(x.shape) if k < n_steps_each - 1 else 0 * x
            x = x + step * scorenet(x) + np.sqrt(2 * step) * noise
        return x

    return check_corrector(annealed)


@wrong("the noise is drawn once and used in every step", says=r"its variance is 3 times")
def one_noise():
    def corrector(score, x, rng):
        noise = rng.standard_normal(x.shape)
        for _ in range(3):
            x = x + 1e-3 * score(x) + np.sqrt(2e-3) * noise
        return x

    return check_corrector(corrector)


@wrong("all rows get the same noise", says=r"has no batch: draw it with the shape of x")
def shared_noise():
    import torch

    def corrector(score, x, step_size):
        noise = torch.randn(x.shape[1:])
        return x + step_size * score(x) + (2 * step_size) ** 0.5 * noise

    return check_corrector(corrector, framework="torch")


@wrong("the batch's mean is taken from the noise", says=r"rows of a batch are mixed")
def centred_noise():
    def corrector(score, x, step_size, rng):
        z = rng.standard_normal(x.shape)
        return x + step_size * score(x) + np.sqrt(2 * step_size) * (z - z.mean(axis=0))

    return check_corrector(corrector)


@wrong("a preconditioner in the drift alone", says=r"multiplied by a matrix and the noise is not")
def preconditioned_drift():
    scale = np.array([0.5, 1.0, 2.0, 4.0])

    def psgld(x, score, h, rng):
        return x + h * scale * score(x) + np.sqrt(2 * h) * rng.standard_normal(x.shape)

    return check_corrector(psgld)


@wrong("a preconditioner in the noise without its root", says=r"P itself, where its root is due")
def preconditioner_without_root():
    scale = np.array([0.5, 1.0, 2.0, 4.0])

    def psgld(x, score, h, rng):
        return x + scale * (h * score(x) + np.sqrt(2 * h) * rng.standard_normal(x.shape))

    return check_corrector(psgld)


@wrong("the score is clipped", says=r"clipped to ±0\.8")
def clipped():
    def corrector(score, x, step_size, rng):
        s = np.clip(score(x), -0.8, 0.8)
        return x + step_size * s + np.sqrt(2 * step_size) * rng.standard_normal(x.shape)

    return check_corrector(corrector)


@wrong("friction and noise of the velocity do not go together", says=r"0\.5 times the variance")
def underdamped():
    def obabo(score, x, v, h, rng):
        c = np.exp(-h)
        v = c * v + np.sqrt(1 - c) * rng.standard_normal(x.shape)
        v = v + h / 2 * score(x)
        x = x + h * v
        return x, v + h / 2 * score(x)

    return check_corrector(obabo)


@wrong("twice the force in the velocity's steps", says=r"the force is 2 times the score")
def full_kicks():
    def baoab(score, x, v, h, rng):
        c = np.exp(-2 * h)
        v = v + h * score(x)
        x = x + h / 2 * v
        v = c * v + np.sqrt(1 - c * c) * rng.standard_normal(x.shape)
        x = x + h / 2 * v
        return x, v + h * score(x)

    return check_corrector(baoab)


def langevin_corrector(score_fn, x, t, rng, snr=0.16, rule=None):
    grad = score_fn(x, t)
    noise = rng.standard_normal(x.shape)
    step = rule(norms(grad), norms(noise), snr)
    return x + step * grad + np.sqrt(2 * step) * noise


@wrong("the factor 2 of the SNR rule is missing", says=r"the factor 2 is missing")
def snr_without_two():
    def corrector(score_fn, x, t, rng):
        return langevin_corrector(
            score_fn, x, t, rng, rule=lambda g, z, r: (r * z.mean() / g.mean()) ** 2
        )

    return check_corrector(corrector, snr=0.16)


@wrong("the SNR rule without the square", says=r"is not squared")
def snr_without_square():
    def corrector(score_fn, x, t, rng):
        return langevin_corrector(
            score_fn, x, t, rng, rule=lambda g, z, r: 2 * r * z.mean() / g.mean()
        )

    return check_corrector(corrector, snr=0.16)


@wrong("the norm of the whole batch", says=r"the norms are those of the whole batch at once")
def snr_of_the_batch():
    import torch

    def step_correct(model, sample, t):
        out, noise = model(sample, t), torch.randn_like(sample)
        step = 2 * (0.16 * torch.norm(noise) / torch.norm(out)) ** 2
        return sample + step * out + (2 * step) ** 0.5 * noise

    return check_corrector(step_correct, snr=0.16, shape=(3, 4, 4), framework="torch")


@wrong("α of the VP process is missing in the SNR rule", says=r"α = 0\.9 of the VP process is miss")
def snr_without_alpha():
    def corrector(score_fn, x, t, rng):
        return langevin_corrector(
            score_fn, x, t, rng, rule=lambda g, z, r: 2 * (r * z.mean() / g.mean()) ** 2
        )

    return check_corrector(corrector, snr=0.16, alpha=0.9)


@wrong("the norms exchanged", says=r"the norms are exchanged")
def snr_exchanged():
    def corrector(score_fn, x, t, rng):
        return langevin_corrector(
            score_fn, x, t, rng, rule=lambda g, z, r: 2 * (r * g.mean() / z.mean()) ** 2
        )

    return check_corrector(corrector, snr=0.16)


@wrong("a Gibbs step with the precision's entry for the variance", says=r"it has to keep p_t")
def gibbs():
    def sweep(x, mean, precision, rng):
        x, z = x.copy(), rng.standard_normal(x.shape)
        for i in range(x.shape[1]):
            rest = (x - mean) @ precision[:, i] - precision[i, i] * (x[:, i] - mean[i])
            x[:, i] = mean[i] - rest / precision[i, i] + z[:, i] / precision[i, i]
        return x

    return check_corrector(sweep)


@wrong("x is clamped after the step", says=r"x itself is clipped, to \[-1, 1\]")
def clamped():
    def corrector(score, x, rng, step_size=0.01):
        noise = rng.standard_normal(x.shape)
        return np.clip(x + step_size * score(x) + np.sqrt(2 * step_size) * noise, -1, 1)

    return check_corrector(corrector)


@wrong("x_mean is returned", says=r"returns x without noise \(x_mean\)")
def mean_returned():
    def corrector(score_fn, x, t, rng):
        grad, noise = score_fn(x, t), rng.standard_normal(x.shape)
        step = 2 * (0.16 * norms(noise).mean() / norms(grad).mean()) ** 2
        x_mean = x + step * grad
        return x_mean, x_mean + np.sqrt(2 * step) * noise

    return check_corrector(corrector, snr=0.16)


@wrong("the forward drift is left in the corrector", says=r"beside the score.*a multiple of x")
def forward_drift():
    def corrector(score, x, h, rng):
        noise = rng.standard_normal(x.shape)
        return x + h * (score(x) - 0.5 * x) + np.sqrt(2 * h) * noise

    return check_corrector(corrector)


@wrong("noise of one size at every step size", says=r"noise does not get smaller as the drift")
def constant_noise():
    def corrector(score, x, h, rng, std=0.1):
        return x + h * score(x) + std * rng.standard_normal(x.shape)

    return check_corrector(corrector)


@wrong("a constant is added", says=r"something that is not the score is added to x")
def shifted():
    def corrector(score, x, h, rng):
        noise = rng.standard_normal(x.shape)
        return x + h * (score(x) + 0.05) + np.sqrt(2 * h) * noise

    return check_corrector(corrector)
