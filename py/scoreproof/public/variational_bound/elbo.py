"""The bound of a variational autoencoder: what the decoder says of x, and the KL of the latent.

Conventions: ``-ELBO = -log p(x | z) + KL(N(mu, exp(logvar)) ‖ N(0, I))``, each summed over a
sample's entries; nats.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis, diagnose, safely
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared
from scoreproof.public.variational_bound.arguments import Job
from scoreproof.public.variational_bound.asking import ROWS, Asking, Batch, batch_of
from scoreproof.public.variational_bound.reading import LOG2, Reading, layouts, picked, reduced
from scoreproof.public.variational_bound.words import OF_THE_WHOLE, VAE

__all__ = ["judge_elbo"]

#: entries of the latent: no number that a sample's entries divide
LATENT = 5
BATCHES = 6
MANY = 16.0


def judge_elbo(job: Job) -> Evidence:
    """Of functions of x, its reconstruction, and the mean and log variance of q(z | x)."""
    asking = Asking(job, None, batch_of(job))
    given = [_values(job, k) for k in range(BATCHES)]
    values = []
    for one in given:
        asking.batch = Batch(one["x0"], asking.batch.noise, one["x0"], one["x0"])
        value = picked(asking.at(one, asking.script(None)).value, "")
        if value is None:
            raise CallableError(
                "bound", "return numbers", "it returned something else", "return the loss"
            )
        values.append(value)
    value = np.concatenate([np.ravel(v) for v in values])
    wanted = replace(job, dims="sum", units="nats")
    readings = layouts(wanted, values[0].shape, ROWS)
    scale = 1 / (job.d * LOG2) if job.units == "bits_per_dim" else 1.0
    terms = {"decoder": _decoders(job, given), "kl": _latents(given)}

    def whole(decoder: str, latent: str, reading: Reading) -> np.ndarray:
        rows = terms["decoder"][decoder] + terms["kl"][latent]  # (BATCHES, ROWS)
        return scale * np.concatenate([reduced(r[:, None], reading) for r in rows])

    def misfit(reading: Reading) -> float:
        return float(np.median(np.abs(value - whole("", "", reading))))

    reading = min(readings, key=misfit)
    due = whole("", "", reading)
    size = np.abs(terms["decoder"][""]) + np.abs(terms["kl"][""]) + 4 * job.d
    blur = np.concatenate([reduced(r[:, None], replace(reading, factor=1.0)) for r in size])
    blur = MANY * asking.eps * scale * blur
    parts = [
        np.abs(np.concatenate([reduced(r[:, None], reading) for r in terms[name][""]])) * scale
        for name in terms
    ]
    resolution = float(2 * np.max(blur / np.min(parts, axis=0)))
    limit = blur + (job.tolerance or 0.0) * np.abs(due)
    k = int(np.argmax(np.abs(value - due) / limit))
    over = abs(value[k] - due[k]) > limit[k]
    text = f"{job.name}: -ELBO in {reading.words}, against -log p(x | z) + KL"
    if job.tolerance:
        text += OF_THE_WHOLE
        resolution = float(2 * np.max(blur / np.abs(due)))
    if over:
        text = f"{job.name}: -ELBO is {value[k]:.6g} where {due[k]:.6g} is due, in {reading.words}"
    evidence = compared(
        np.abs(value - due),
        blur,
        text,
        coverage=Coverage({"batches": BATCHES, "numbers": len(value)}),
        gain=np.abs(due),
        resolution=resolution,
        tolerance=job.tolerance,
        cost={"calls": asking.calls},
    )
    if evidence.verdict != "refuted":
        return evidence
    guesses: dict[str, np.ndarray] = {}
    for layout in readings:
        for a in terms["decoder"]:
            for b in terms["kl"]:
                name = " + ".join(n for n in (a, b) if n)
                guess = whole(a, b, layout)
                if not name:
                    continue
                old = guesses.get(name)
                if old is None or np.linalg.norm(guess - value) < np.linalg.norm(old - value):
                    guesses[name] = guess
        guesses["sign"] = -due
        guesses["elbo_in_bits"] = due / LOG2
        guesses["elbo_per_dimension"] = due / job.d
    limit = np.maximum(limit, 1e-9 * np.abs(due))

    def explain() -> Diagnosis:
        found = diagnose(value, due, guesses, limit=limit, reasons=VAE)
        return found if found.names else _factors(value, terms, readings, scale, limit) or found

    return evidence.with_diagnosis(safely(explain))


def _values(job: Job, k: int) -> dict[str, np.ndarray]:
    """Data, a reconstruction and a latent, of other sizes in each batch."""
    rng = np.random.default_rng([23, job.seed, k])
    shape = (ROWS, job.d)
    spread = 0.5 * 1.5**k
    if job.decoder.startswith("bernoulli"):
        x, recon = rng.uniform(0, 1, shape), rng.uniform(0.05, 0.95, shape)
        if job.decoder == "bernoulli_logits":
            recon = np.log(recon / (1 - recon))
    else:
        x = rng.uniform(-1, 1, shape)
        recon = x + 0.3 * spread * rng.standard_normal(shape)
    mu = spread * rng.standard_normal((ROWS, LATENT))
    return {"x0": x, "recon": recon, "mu": mu, "logvar": rng.uniform(-2, 1, (ROWS, LATENT))}


def _decoders(job: Job, given: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """-log p(x | z) ``(BATCHES, ROWS)``; the right one is called ""."""
    x, y = (np.stack([g[n] for g in given]) for n in ("x0", "recon"))
    if job.decoder.startswith("bernoulli"):
        p = y if job.decoder == "bernoulli" else 1 / (1 + np.exp(-y))
        entries = -(x * np.log(p) + (1 - x) * np.log1p(-p))
        found = {"": entries, "decoder_sign": -entries, "square_for_cross_entropy": (x - p) ** 2}
        found["square_for_cross_entropy"] = (x - p) ** 2
        found["half_of_the_cross_entropy"] = -x * np.log(p)
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


def _latents(given: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """KL ``(BATCHES, ROWS)``; the right one is called ""."""
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
    }
    return {n: e.sum(axis=2) for n, e in found.items()}


def _factors(
    value: np.ndarray,
    terms: dict[str, dict[str, np.ndarray]],
    readings: list[Reading],
    scale: float,
    limit: np.ndarray,
) -> Diagnosis | None:
    """Another factor of the KL, β of a β-VAE."""
    for decoder in ("", "constant_missing"):
        if decoder not in terms["decoder"]:
            continue
        for reading in readings:
            a, b = (
                scale * np.concatenate([reduced(r[:, None], reading) for r in rows])
                for rows in (terms["decoder"][decoder], terms["kl"][""])
            )
            beta = float(np.dot(value - a, b) / np.dot(b, b))
            if np.all(np.abs(value - a - beta * b) <= 4 * limit):
                names = ("beta", decoder) if decoder else ("beta",)
                more = f"; and {VAE[decoder]}" if decoder else ""
                return Diagnosis.cause(
                    " + ".join(n for n in names if n),
                    f"Cause: the KL is multiplied by {beta:.6g}: in the ELBO it stands once{more}.",
                )
    return None
