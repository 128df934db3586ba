"""Wrong divergences of paths, as latent SDEs of torchsde and diffrax take them."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_path_kl


def quadratic(f, h, g, xs, ts, *, weight=None, square=None):
    """½ Σ |u|² dt along paths, with parts to be replaced."""
    dt = np.diff(ts)
    weight = dt if weight is None else weight(dt)
    total = 0.0
    for k, w in enumerate(weight):
        a, b, s = f(xs[k], ts[k]), h(xs[k], ts[k]), g(ts[k])
        u2 = ((a - b) / s) ** 2 if square is None else square(a, b, s)
        total = total + 0.5 * np.sum(u2, axis=-1) * w
    return total


@wrong("torchsde #82: the ½ of ½((f-h)/g)² is lost", says=r"½ of ½ ∫\|u\|² dt is missing: halve")
def half():
    return check_path_kl(lambda f, h, g, xs, ts: 2 * quadratic(f, h, g, xs, ts))


@wrong("latent SDE: (f-h)²/g, the diffusion not squared", says=r"divided by g: divide by g²")
def diffusion_not_squared():
    def logqp_path(f, h, g, xs, ts):
        return quadratic(f, h, g, xs, ts, square=lambda a, b, s: (a - b) ** 2 / s)

    return check_path_kl(logqp_path)


@wrong("latent SDE: g (f - h) for g⁻¹ (f - h)", says=r"multiplied by g: divide by it")
def diffusion_multiplied():
    def logqp_path(f, h, g, xs, ts):
        return quadratic(f, h, g, xs, ts, square=lambda a, b, s: ((a - b) * s) ** 2)

    return check_path_kl(logqp_path)


@wrong("latent SDE in JAX: the diffusion is forgotten", says=r"noise is left out of u")
def diffusion_forgotten():
    def kl_path(drift_post, drift_prior, sigma, path, ts):
        return quadratic(
            drift_post, drift_prior, sigma, path, ts, square=lambda a, b, s: (a - b) ** 2
        )

    return check_path_kl(kl_path)


@wrong("latent SDE: torch.mean(u**2, dim=-1)", says=r"mean over the coordinates: sum over them")
def mean_over_dimensions():
    def kl(posterior_drift, prior_drift, diffusion, z0, ts, rng):
        z, total = z0, 0.0
        for t, s in zip(ts[:-1], ts[1:], strict=True):
            u = (posterior_drift(t, z) - prior_drift(t, z)) / diffusion(t)
            total = total + 0.5 * np.mean(u**2, axis=-1) * (s - t)
            noise = np.sqrt(s - t) * rng.standard_normal(z.shape)
            z = z + posterior_drift(t, z) * (s - t) + diffusion(t) * noise
        return z, total

    return check_path_kl(kl)


@wrong("the sum over time without dt", says=r"summed without dt: multiply each by its step dt")
def no_dt():
    def kl(f, h, g, xs, ts):
        return quadratic(f, h, g, xs, ts, weight=np.ones_like)

    return check_path_kl(kl)


@wrong("Heun: g of the start at every step", says=r"g is taken at the first place x_0 throughout")
def frozen_noise():
    def kl(f, h, g, x0, ts, rng):
        def rate(x, t):
            return 0.5 * np.sum(((f(t, x) - h(t, x)) / g(t, x0)) ** 2, axis=-1)

        x, total = x0, 0.0
        for t, s in zip(ts[:-1], ts[1:], strict=True):
            dw = np.sqrt(s - t) * rng.standard_normal(x.shape)
            guess = x + f(t, x) * (s - t) + g(t, x0) * dw
            new = x + (f(t, x) + f(s, guess)) / 2 * (s - t) + g(t, x0) * dw
            total = total + (rate(x, t) + rate(new, s)) / 2 * (s - t)
            x = new
        return total

    return check_path_kl(kl, noise="diagonal")


@wrong("u of the step's end with the time of its start", says=r"take x_k with t_k")
def mixed_places():
    def kl(f, h, g, xs, ts):
        total = 0.0
        for k, dt in enumerate(np.diff(ts)):
            u = (f(xs[k + 1], ts[k]) - h(xs[k + 1], ts[k])) / g(xs[k + 1], ts[k])
            total = total + 0.5 * np.sum(u**2, axis=-1) * dt
        return total

    return check_path_kl(kl, noise="diagonal")


@wrong("linearised about the start", says=r"drifts are linearised at the first place x_0")
def linearised_drifts():
    def kl(f, h, g, x0, ts, rng, eps=1e-5):
        def tangent(of, x, t):
            moved = eps * (x - x0)
            return of(x0, t) + (of(x0 + moved, t) - of(x0 - moved, t)) / (2 * eps)

        x, total = x0, 0.0
        for t, s in zip(ts[:-1], ts[1:], strict=True):
            a = tangent(f, x, t)
            u = (a - tangent(h, x, t)) / g(t)
            total = total + 0.5 * np.sum(u**2, axis=-1) * (s - t)
            x = x + a * (s - t) + g(t) * np.sqrt(s - t) * rng.standard_normal(x.shape)
        return total

    return check_path_kl(kl)


@wrong("the sampled start with the wrong sign", says=r"term of the start has the wrong sign")
def sampled_start_subtracted():
    def elbo(f, h, g, mean0, std0, mean1, std1, ts, batch_size, rng):
        x = mean0 + std0 * rng.standard_normal((batch_size, len(mean0)))
        p, q = (-(((x - m) / s) ** 2) / 2 - np.log(s) for m, s in ((mean0, std0), (mean1, std1)))
        total = np.sum(q - p, axis=-1)
        for t, s in zip(ts[:-1], ts[1:], strict=True):
            u = (f(t, x) - h(t, x)) / g(t)
            total = total + 0.5 * np.sum(u**2, axis=-1) * (s - t)
            x = x + f(t, x) * (s - t) + g(t) * np.sqrt(s - t) * rng.standard_normal(x.shape)
        return total

    return check_path_kl(elbo)


@wrong("√dt for dt", says=r"multiplied by √dt: multiply by dt")
def root_of_dt():
    return check_path_kl(lambda f, h, g, xs, ts: quadratic(f, h, g, xs, ts, weight=np.sqrt))


@wrong("diffrax #401: a mean over saved times for the integral", says=r"averaged over the steps")
def mean_over_time():
    def kl(f, h, g, xs, ts):
        return quadratic(f, h, g, xs, ts, weight=lambda dt: np.full(len(dt), 1 / len(dt)))

    return check_path_kl(kl)


@wrong("dt = ts[1] - ts[0] on uneven times", says=r"width of the first.*take t\[k \+ 1\] - t\[k\]")
def one_dt():
    def kl(f, h, g, xs, ts):
        return quadratic(f, h, g, xs, ts, weight=lambda dt: np.full(len(dt), dt[0]))

    return check_path_kl(kl)


@wrong("dt = T / len(ts)", says=r"one step too many.*dt = T/K")
def dt_of_all_times():
    def kl(f, h, g, xs, ts, T):
        return quadratic(f, h, g, xs, ts, weight=lambda dt: np.full(len(dt), T / len(ts)))

    return check_path_kl(kl)


@wrong("range(len(ts) - 2)", says=r"last step is left out")
def last_step():
    return check_path_kl(lambda f, h, g, xs, ts: quadratic(f, h, g, xs[:-1], ts[:-1]))


@wrong("the last step counted twice", says=r"last step is counted twice")
def last_step_twice():
    def kl(f, h, g, xs, ts):
        return quadratic(f, h, g, xs, ts) + quadratic(f, h, g, xs[-2:], ts[-2:])

    return check_path_kl(kl)


@wrong("a path stored backwards", says=r"times run the other way: x_k belongs to t_k")
def backwards():
    def kl(f, h, g, xs, ts):
        total, flipped = 0.0, ts[::-1]
        for k in range(len(ts) - 1):
            u = (f(xs[k], flipped[k]) - h(xs[k], flipped[k])) / g(flipped[k])
            total = total + 0.5 * np.sum(u**2, axis=1) * (ts[k + 1] - ts[k])
        return total

    return check_path_kl(kl)


@wrong("g of the next time", says=r"g is taken at the next time")
def next_noise():
    def kl(f, h, g, xs, ts):
        total = 0.0
        for k in range(len(ts) - 1):
            u = (f(xs[k], ts[k]) - h(xs[k], ts[k])) / g(ts[k + 1])
            total = total + 0.5 * np.sum(u**2, axis=1) * (ts[k + 1] - ts[k])
        return total

    return check_path_kl(kl)


@wrong("a network that is told the number of the step", says=r"told the number k of the step")
def index_for_time():
    def kl(f, h, g, xs, ts):
        total = 0.0
        for k in range(len(ts) - 1):
            u = (f(xs[k], k) - h(xs[k], k)) / g(k)
            total = total + 0.5 * np.sum(u**2, axis=1) * (ts[k + 1] - ts[k])
        return total

    return check_path_kl(kl)


@wrong("torchsde: stable_division adds its eps to all of g", says=r"0\.0001 is added to g before")
def stable_division():
    def logqp_path(f, h, g, xs, ts):
        return quadratic(f, h, g, xs, ts, square=lambda a, b, s: ((a - b) / (s + 1e-4)) ** 2)

    return check_path_kl(logqp_path)


@wrong("stable_division with eps = 0.02", says=r"g is not let fall below 0\.02")
def stable_division_clamps():
    def logqp_path(f, h, g, y0, ts, rng):
        y, total = y0, 0.0
        for t, s in zip(ts[:-1], ts[1:], strict=True):
            noise = g(t, y)
            safe = np.where(np.abs(noise) > 0.02, noise, 0.02 * np.sign(noise))
            total = total + 0.5 * np.sum(((f(t, y) - h(t, y)) / safe) ** 2, axis=1) * (s - t)
            y = y + f(t, y) * (s - t) + noise * np.sqrt(s - t) * rng.normal(size=y.shape)
        return total

    return check_path_kl(logqp_path, noise="diagonal")


@wrong(
    "general noise: the transposed matrix is solved", says=r"g is transposed: u solves g u = a - b"
)
def transposed():
    def kl(f, h, g, xs, ts):
        total = 0.0
        for k in range(len(ts) - 1):
            matrix = np.swapaxes(g(xs[k], ts[k]), 1, 2)
            u = np.linalg.solve(matrix, (f(xs[k], ts[k]) - h(xs[k], ts[k]))[..., None])[..., 0]
            total = total + 0.5 * np.sum(u**2, axis=1) * (ts[k + 1] - ts[k])
        return total

    return check_path_kl(kl, noise="full")


@wrong("general noise: only its diagonal divides", says=r"only the diagonal is used")
def diagonal_of_a_matrix():
    def kl(f, h, g, xs, ts):
        total = 0.0
        for k in range(len(ts) - 1):
            size = np.einsum("nii->ni", g(xs[k], ts[k]))
            u = (f(xs[k], ts[k]) - h(xs[k], ts[k])) / size
            total = total + 0.5 * np.sum(u**2, axis=1) * (ts[k + 1] - ts[k])
        return total

    return check_path_kl(kl, noise="full")


def latent(f, h, g, z, ts, rng):
    """½ Σ |u|² dt along paths of f."""
    total = 0.0
    for t, s in zip(ts[:-1], ts[1:], strict=True):
        total = total + 0.5 * np.sum(((f(t, z) - h(t, z)) / g(t)) ** 2, axis=1) * (s - t)
        z = z + f(t, z) * (s - t) + g(t) * np.sqrt(s - t) * rng.standard_normal(z.shape)
    return total


@wrong("latent SDE: KL of the start is forgotten", says=r"law at the start is left out")
def start_forgotten():
    def elbo(f, h, g, mean0, std0, mean1, std1, ts, batch_size, rng):
        z = mean0 + std0 * rng.standard_normal((batch_size, 3))
        return latent(f, h, g, z, ts, rng).mean()

    return check_path_kl(elbo)


@wrong("latent SDE: kl(pz0, qz0) for kl(qz0, pz0)", says=r"KL\(q0‖p0\): KL\(p0‖q0\) is due")
def start_reversed():
    def elbo(f, h, g, mean0, std0, mean1, std1, ts, batch_size, rng):
        z = mean0 + std0 * rng.standard_normal((batch_size, 3))
        r = std1**2 / std0**2
        start = 0.5 * np.sum(r + (mean0 - mean1) ** 2 / std0**2 - 1 - np.log(r))
        return latent(f, h, g, z, ts, rng).mean() + start

    return check_path_kl(elbo)


@wrong("latent SDE: summed over the batch", says=r"sums over the batch: take the mean")
def batch_summed():
    def loss(f, h, g, z0, ts, rng):
        return latent(f, h, g, z0, ts, rng).sum()

    return check_path_kl(loss)


@wrong("latent SDE: paths of the prior", says=r"paths are those of the other law.*first drift")
def paths_of_the_prior():
    def loss(f, h, g, z0, ts, rng):
        z, total = z0, 0.0
        for t, s in zip(ts[:-1], ts[1:], strict=True):
            total = total + 0.5 * np.sum(((f(t, z) - h(t, z)) / g(t)) ** 2, axis=1) * (s - t)
            z = z + h(t, z) * (s - t) + g(t) * np.sqrt(s - t) * rng.standard_normal(z.shape)
        return total

    return check_path_kl(loss)


@wrong("the noise of the path multiplied by dt", says=r"noise of its paths is multiplied by dt")
def noise_by_dt():
    def loss(f, h, g, z0, ts, rng):
        z, total = z0, 0.0
        for t, s in zip(ts[:-1], ts[1:], strict=True):
            total = total + 0.5 * np.sum(((f(t, z) - h(t, z)) / g(t)) ** 2, axis=1) * (s - t)
            z = z + f(t, z) * (s - t) + g(t) * (s - t) * rng.standard_normal(z.shape)
        return total

    return check_path_kl(loss)
