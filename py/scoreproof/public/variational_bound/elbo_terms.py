"""The two terms of a VAE's bound, right and with each known mistake, of data that are made up.

Conventions: arrays are ``(BATCHES, ROWS)``, summed over a sample's entries; nats. The right term is
called "".
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.variational_bound.arguments import Job
from scoreproof.public.variational_bound.asking import ROWS

__all__ = ["LATENT", "decoders", "latents", "values_of"]

#: entries of the latent: no number that a sample's entries divide
LATENT = 11


def values_of(job: Job, k: int) -> dict[str, np.ndarray]:
    """Data, a reconstruction and a latent, of other sizes in each batch."""
    rng = np.random.default_rng([23, job.seed, k])
    shape = (ROWS, job.d)
    spread = 0.5 * 1.5**k
    if job.decoder.startswith("bernoulli"):
        x, p = rng.uniform(0, 1, shape), rng.uniform(0.05, 0.95, shape)
        recon = np.log(p / (1 - p)) if job.decoder == "bernoulli_logits" else p
    else:
        x = rng.uniform(-1, 1, shape)
        recon = x + 0.3 * spread * rng.standard_normal(shape)
    mu = spread * rng.standard_normal((ROWS, LATENT))
    logvar = rng.uniform(-2, 1, (ROWS, LATENT))
    latent = {"mu": mu, "logvar": logvar, "logstd": logvar / 2, "std": np.exp(logvar / 2)}
    found = {"x0": x, "recon": recon, "var": np.exp(logvar)} | latent
    if job.decoder.startswith("bernoulli"):
        found["probability"] = p
    return found


def decoders(job: Job, given: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """-log p(x | z) ``(BATCHES, ROWS)``; the right one is called ""."""
    x, y = (np.stack([g[n] for g in given]) for n in ("x0", "recon"))
    if job.decoder.startswith("bernoulli"):
        p = y if job.decoder == "bernoulli" else 1 / (1 + np.exp(-y))
        entries = -(x * np.log(p) + (1 - x) * np.log1p(-p))
        found = {"": entries, "decoder_sign": -entries, "square_for_cross_entropy": (x - p) ** 2}
        found["half_of_the_cross_entropy"] = -x * np.log(p)
        found["cross_entropy_exchanged"] = -(p * np.log(x) + (1 - p) * np.log1p(-x))
        if job.decoder == "bernoulli_logits":
            q = 1 / (1 + np.exp(-p))
            found["sigmoid_twice"] = -(x * np.log(q) + (1 - x) * np.log1p(-q))
        means = {"decoder_mean": entries / job.d}
    else:
        square, v = (x - y) ** 2, job.decoder_std**2
        constant = 0.5 * np.log(2 * np.pi * v) + 0 * square
        kept = 0.0 if job.decoder == "gaussian_up_to_constant" else 1.0
        right = square / (2 * v) + kept * constant
        found = {
            "": right,
            "decoder_sign": -right,
            "square_without_half": square / v,
            "square_and_constant_without_half": square / v + kept * constant,
            "square_alone": square,
            "no_square": constant,
            "two_pi_missing": square / (2 * v) + kept * 0.5 * np.log(v) + 0 * square,
            "bernoulli_logits_for_it": np.logaddexp(0, y) - x * y,
            "constant_doubled": square / (2 * v) + 2 * kept * constant,
        }
        if kept:
            found["constant_missing"] = square / (2 * v)
        if abs(v - 1) > 1e-9:
            found["unit_variance"] = square / 2 + kept * 0.5 * np.log(2 * np.pi)
            found["std_for_variance"] = square / (2 * job.decoder_std) + kept * constant
        means = {"decoder_mean": right / job.d, "mean_square": square / job.d}
    batch = {"mean_of_the_whole": found[""] / (job.d * ROWS)}
    if not job.decoder.startswith("bernoulli"):
        batch["mean_square_of_the_whole"] = (x - y) ** 2 / (job.d * ROWS)
    return {n: e.sum(axis=2) for n, e in (found | means | batch).items()}


def latents(given: list[dict[str, np.ndarray]], whole: bool) -> dict[str, np.ndarray]:
    """KL ``(BATCHES, ROWS)``; the right one is called ""; ``whole``: of one number a batch."""
    mu, logvar = (np.stack([g[n] for g in given]) for n in ("mu", "logvar"))
    right = 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar)
    found = {
        "": right,
        "kl_sign": -right,
        "kl_no_half": 2 * right,
        "kl_one_missing": right + 0.5,
        "kl_log_sign": right + logvar,
        "kl_of_log_std": 0.5 * (mu**2 + np.exp(2 * logvar) - 1 - 2 * logvar),
        "kl_std_for_variance": 0.5 * (mu**2 + np.exp(0.5 * logvar) - 1 - logvar),
        "kl_mean_not_squared": 0.5 * (mu + np.exp(logvar) - 1 - logvar),
        "kl_mean": right / LATENT,
        "kl_mean_of_the_whole": right / (LATENT * ROWS),
        "kl_missing": 0 * right,
        "kl_swapped": 0.5 * ((mu**2 + 1) * np.exp(-logvar) - 1 + logvar),
        "kl_halved_again": 0.5 * right,
        "kl_variance_squared": 0.5 * (mu**2 + np.exp(2 * logvar) - 1 - logvar),
        "kl_log_doubled": 0.5 * (mu**2 + np.exp(logvar) - 1 - 2 * logvar),
    }
    if whole:
        found |= {"kl_summed_over_batch": right * ROWS, "kl_averaged_over_batch": right / ROWS}
    return {n: e.sum(axis=2) for n, e in found.items()}
