"""Wrong Metropolis kernels: random walks, independence, MALA and HMC of NumPy, torch and jax."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_corrector


def kept(accept, y, x):
    return np.where(accept[:, None], y, x)


def mala(log_prob, grad, x, h, rng, ratio):
    y = x + h * grad(x) + np.sqrt(2 * h) * rng.standard_normal(x.shape)

    def q(b, a, g, var=2 * h):
        return -np.sum((b - a - h * g) ** 2, axis=1) / (2 * var)

    return kept(np.log(rng.random(len(x))) < ratio(log_prob, grad, x, y, q), y, x)


@wrong("MALA accepted as if it were symmetric", says=r"proposal's densities are left out")
def mala_without_q():
    def step(log_prob, grad, x, h, rng):
        return mala(log_prob, grad, x, h, rng, lambda p, g, x, y, q: p(y) - p(x))

    return check_corrector(step)


@wrong("the proposal's densities exchanged", says=r"proposal's densities are exchanged")
def mala_exchanged():
    def step(log_prob, grad, x, h, rng):
        return mala(
            log_prob,
            grad,
            x,
            h,
            rng,
            lambda p, g, x, y, q: p(y) - p(x) + q(y, x, g(x)) - q(x, y, g(y)),
        )

    return check_corrector(step)


@wrong("the way back with the gradient at x", says=r"the way back uses the drift at x")
def mala_old_gradient():
    def step(log_prob, grad, x, h, rng):
        return mala(
            log_prob,
            grad,
            x,
            h,
            rng,
            lambda p, g, x, y, q: p(y) - p(x) + q(x, y, g(x)) - q(y, x, g(x)),
        )

    return check_corrector(step)


@wrong("2h in the noise, 4h in its density", says=r"twice that of its noise \(4h for 2h\)")
def mala_another_variance():
    import torch

    def step(log_prob, x, h):
        def grad(x):
            x = x.detach().requires_grad_(True)
            return torch.autograd.grad(log_prob(x).sum(), x)[0]

        y = x + h * grad(x) + (2 * h) ** 0.5 * torch.randn_like(x)

        def q(b, a):
            return -((b - a - h * grad(a)) ** 2).sum(-1) / (8 * h)

        log_ratio = log_prob(y) - log_prob(x) + q(x, y) - q(y, x)
        accept = torch.rand(len(x)).log() < log_ratio
        return torch.where(accept[:, None], y, x)

    return check_corrector(step, framework="torch")


@wrong("u against the logarithm of the ratio", says=r"compared with the logarithm of the ratio")
def log_missing():
    def step(log_prob, x, h, rng):
        y = x + h * rng.standard_normal(x.shape)
        return kept(rng.random(len(x)) < log_prob(y) - log_prob(x), y, x)

    return check_corrector(step, step_size=0.5)


@wrong("log u against the ratio", says=r"every proposal is accepted")
def never_rejects():
    def step(log_prob, x, h, rng):
        y = x + h * rng.standard_normal(x.shape)
        return kept(np.log(rng.random(len(x))) < np.exp(log_prob(y) - log_prob(x)), y, x)

    return check_corrector(step, step_size=0.5)


@wrong("p(x) over p(y)", says=r"p\(x\) is above, where p\(y\) is due")
def inverted():
    def step(potential, x, h, rng):
        y = x + h * rng.standard_normal(x.shape)
        return kept(rng.random(len(x)) < np.exp(potential(y) - potential(x)), y, x)

    return check_corrector(step, step_size=0.5)


@wrong("accepted where it is to be rejected", says=r"accepts where u is above the ratio")
def above():
    def step(log_prob, x, h, rng):
        y = x + h * rng.standard_normal(x.shape)
        reject = rng.random(len(x)) < np.exp(log_prob(y) - log_prob(x))
        return kept(~reject, y, x)

    return check_corrector(step, step_size=0.5)


@wrong("a temperature of 2", says=r"multiplied by 0\.5.*a temperature")
def tempered():
    def step(log_prob, x, h, rng):
        y = x + h * rng.standard_normal(x.shape)
        return kept(np.log(rng.random(len(x))) < (log_prob(y) - log_prob(x)) / 2, y, x)

    return check_corrector(step, step_size=0.5)


@wrong("the drifted x is kept on rejection", says=r"with x from before the step")
def drifted_on_rejection():
    def step(log_prob, grad, x, h, rng):
        start = x
        x = x + h * grad(x)
        y = x + np.sqrt(2 * h) * rng.standard_normal(x.shape)

        def q(b, a):
            return -np.sum((b - a - h * grad(a)) ** 2, axis=1) / (4 * h)

        ratio = log_prob(y) - log_prob(start) + q(start, y) - q(y, start)
        return kept(np.log(rng.random(len(x))) < ratio, y, x)

    return check_corrector(step)


@wrong("one uniform number for the batch", says=r"decided for the batch, not for each row")
def one_uniform():
    import torch

    def step(log_prob, x, h):
        y = x + h * torch.randn_like(x)
        ratio = (log_prob(y) - log_prob(x)).mean()
        return y if torch.rand(()) < ratio.exp() else x

    return check_corrector(step, framework="torch")


@wrong("the ratio summed over the batch", says=r"sum over the axes of a sample only")
def summed_over_the_batch():
    def step(log_prob, x, h, rng):
        y = x + h * rng.standard_normal(x.shape)
        ratio = np.sum(log_prob(y) - log_prob(x))
        return kept(np.log(rng.random(len(x))) < ratio, y, x)

    return check_corrector(step, step_size=0.3)


@wrong("an independence sampler as a random walk", says=r"the proposal is not symmetric")
def independence():
    def step(log_prob, x, rng):
        y = 2.0 * rng.standard_normal(x.shape)
        return kept(np.log(rng.random(len(x))) < log_prob(y) - log_prob(x), y, x)

    return check_corrector(step)


@wrong("noise of one sign", says=r"its noise has to be symmetric about 0")
def one_sided():
    def step(log_prob, x, h, rng):
        y = x + h * rng.random(x.shape)
        return kept(np.log(rng.random(len(x))) < log_prob(y) - log_prob(x), y, x)

    return check_corrector(step)


def hmc(log_prob, grad, x, h, rng, *, first=0.5, last=0.5, half=0.5):
    p = start = rng.standard_normal(x.shape)
    y = x
    p = p + first * h * grad(y)
    for k in range(4):
        y = y + h * p
        p = p + (h if k < 3 else last * h) * grad(y)
    change = half * np.sum(start**2 - p**2, axis=1)
    return kept(np.log(rng.random(len(x))) < log_prob(y) - log_prob(x) + change, y, x)


@wrong("p² for p²/2", says=r"the ½ of the kinetic energy")
def kinetic_energy():
    def step(log_prob, grad, x, h, rng):
        return hmc(log_prob, grad, x, h, rng, half=1.0)

    return check_corrector(step, step_size=0.3)


@wrong("no kinetic energy in the ratio", says=r"kinetic energies are left out")
def no_kinetic_energy():
    def step(log_prob, grad, x, h, rng):
        return hmc(log_prob, grad, x, h, rng, half=0.0)

    return check_corrector(step, step_size=0.3)


@wrong("a full kick at the end of the leapfrog", says=r"the last kick of the leapfrog is a full")
def full_last_kick():
    def step(log_prob, grad, x, h, rng):
        return hmc(log_prob, grad, x, h, rng, last=1.0)

    return check_corrector(step, step_size=0.3)


@wrong("a full kick at its beginning", says=r"the first kick of the leapfrog is a full step")
def full_first_kick():
    def step(log_prob, grad, x, h, rng):
        return hmc(log_prob, grad, x, h, rng, first=1.0)

    return check_corrector(step, step_size=0.3)


@wrong("p(y)/p(x) left out of the ratio", says=r"left out of the ratio|p\(y\)/p\(x\) is left out")
def no_target():
    def step(log_prob, grad, x, h, rng):
        return mala(
            log_prob,
            grad,
            x,
            h,
            rng,
            lambda p, g, x, y, q: q(x, y, g(y)) - q(y, x, g(x)) + 0 * p(y),
        )

    return check_corrector(step)


@wrong("q with a drift of h for h/2", says=r"of another proposal: with 2 times the drift")
def mala_two_conventions():
    def step(log_prob, grad, x, eps, rng):
        y = x + eps / 2 * grad(x) + np.sqrt(eps) * rng.standard_normal(x.shape)

        def log_q(b, a):
            return -np.sum((b - a - eps * grad(a)) ** 2, axis=1) / (2 * eps)

        ratio = log_prob(y) - log_prob(x) + log_q(x, y) - log_q(y, x)
        return kept(np.log(rng.random(len(x))) < ratio, y, x)

    return check_corrector(step)


@wrong("a mass in the momentum's draw and not in its energy", says=r"weighs the momenta by")
def mass_in_the_draw_alone():
    mass = np.array([1.0, 2.0, 0.5, 4.0])

    def step(log_prob, grad, x, h, rng):
        p = start = np.sqrt(mass) * rng.standard_normal(x.shape)
        y = x
        p = p + h / 2 * grad(y)
        for k in range(4):
            y = y + h * p / mass
            p = p + (h if k < 3 else h / 2) * grad(y)
        change = np.sum(start**2 - p**2, axis=1) / 2
        return kept(np.log(rng.random(len(x))) < log_prob(y) - log_prob(x) + change, y, x)

    return check_corrector(step, step_size=0.3)


@wrong("the width follows x, its normalisation left out", says=r"what normalises its density")
def width_without_its_determinant():
    def step(log_prob, x, h, rng):
        def width(a):
            return h * np.sqrt(1 + 0.4 * np.sum(a * a, axis=1, keepdims=True))

        def log_q(b, a):
            return -np.sum(((b - a) / width(a)) ** 2, axis=1) / 2

        y = x + width(x) * rng.standard_normal(x.shape)
        ratio = log_prob(y) - log_prob(x) + log_q(x, y) - log_q(y, x)
        return kept(np.log(rng.random(len(x))) < ratio, y, x)

    return check_corrector(step, step_size=0.3)


def trajectory(log_prob, grad, x, rng, *, old=False, kinetic=1.0):
    """A width of its own, and the gradient of a step kept for the next."""
    h, p = 0.25, rng.standard_normal(x.shape)
    start, y, g = p, x, grad(x)
    p = p + h / 2 * g
    for k in range(5):
        y = y + h * p
        g = g if old and k < 4 else grad(y)
        p = p + (h if k < 4 else h / 2) * g
    change = kinetic * np.sum(start**2 - p**2, axis=1) / 2
    return kept(np.log(rng.random(len(x))) < log_prob(y) - log_prob(x) + change, y, x)


@wrong(
    "the gradient at x for all kicks of a trajectory", says=r"compute score\(x\) anew after each"
)
def old_gradients_in_a_trajectory():
    def step(log_prob, grad, x, rng):
        return trajectory(log_prob, grad, x, rng, old=True)

    return check_corrector(step)


@wrong("kinetic energies averaged over the coordinates", says=r"summed over the coordinates")
def averaged_kinetic_energy():
    def step(log_prob, grad, x, rng):
        return trajectory(log_prob, grad, x, rng, kinetic=1 / x.shape[1])

    return check_corrector(step)


@wrong("kinetic energies with the wrong sign", says=r"the kinetic energies are exchanged")
def exchanged_kinetic_energies():
    def step(log_prob, grad, x, rng):
        return trajectory(log_prob, grad, x, rng, kinetic=-1.0)

    return check_corrector(step)
