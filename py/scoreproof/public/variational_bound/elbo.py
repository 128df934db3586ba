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
from scoreproof.public.variational_bound.elbo_causes import Bound, added_in_logs, factor_of_the_kl
from scoreproof.public.variational_bound.elbo_terms import decoders, latents, values_of
from scoreproof.public.variational_bound.reading import LOG2, Reading, layouts, picked, reduced
from scoreproof.public.variational_bound.words_other import OF_THE_WHOLE, VAE

__all__ = ["judge_elbo"]

BATCHES = 6
MANY = 16.0


#: what a decoder is, in a sentence
DECODED = {
    "gaussian": "a Gaussian decoder",
    "gaussian_up_to_constant": "a Gaussian decoder, without the constant of its density",
    "bernoulli": "a Bernoulli decoder (x anywhere in [0, 1]: the cross-entropy)",
    "bernoulli_logits": "a Bernoulli decoder of logits (x anywhere in [0, 1]: the cross-entropy)",
}
READ_AS = (
    "It takes no reconstruction outside of [0, 1]: it was read as one of"
    ' decoder="bernoulli"; say so'
)


def judge_elbo(job: Job) -> Evidence:
    """Of functions of x, its reconstruction, and the mean and log variance of q(z | x)."""
    asking = Asking(job, None, batch_of(job))
    said = job.decoder
    job, values = _answers(job, asking)
    notes = (f"{READ_AS}.",) if job.decoder != said else ()
    given = [values_of(job, k) for k in range(BATCHES)]
    value = np.concatenate([np.ravel(v) for v in values])
    wanted = replace(job, dims="sum", units="nats")
    readings = layouts(wanted, values[0].shape, ROWS)
    scale = 1 / (job.d * LOG2) if job.units == "bits_per_dim" else 1.0
    terms = {
        "decoder": decoders(job, given),
        "kl": latents(given, values[0].size == 1),
    }

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
    text = f"{job.name}: -ELBO in {reading.words}, of {DECODED[job.decoder]}, against"
    text += " -log p(x | z) + KL"
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
        notes=notes,
    )
    if evidence.verdict != "refuted":
        return evidence
    fine, limit = limit, np.maximum(limit, 1e-9 * np.abs(due))
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
    bound = Bound(value, limit, terms["decoder"], terms["kl"][""], readings, scale)

    def explain() -> Diagnosis:
        logs = None  # what is so small is an offset to anything coarser
        if job.decoder.startswith("bernoulli"):
            x, p = (np.stack([g[n] for g in given]) for n in ("x0", "probability"))
            logs = added_in_logs(replace(bound, limit=fine), x, p, terms["kl"][""])
        found = logs or diagnose(value, due, guesses, limit=limit, reasons=VAE)
        return found if found.names else factor_of_the_kl(job, bound) or found

    return evidence.with_diagnosis(safely(explain))


def _answers(job: Job, asking: Asking) -> tuple[Job, list[np.ndarray]]:
    """Of data that the decoder is for: where none is said, of a Gaussian's or, if the bound cannot
    be asked there, of a Bernoulli's. Raises ``CallableError``.
    """
    try:
        found = _asked(job, asking)
        if job.decoder_said or all(np.all(np.isfinite(v)) for v in found):
            return job, found
    except CallableError:
        if job.decoder_said:
            raise
        found = None
    other = replace(job, decoder="bernoulli")
    try:
        values = _asked(other, asking)
        if all(np.all(np.isfinite(v)) for v in values):
            return other, values
    except CallableError:
        pass
    return job, _asked(job, asking) if found is None else found


def _asked(job: Job, asking: Asking) -> list[np.ndarray]:
    values = []
    for k in range(BATCHES):
        one = values_of(job, k)
        asking.batch = Batch(one["x0"], asking.batch.noise, one["x0"], one["x0"])
        with np.errstate(invalid="ignore", divide="ignore"):  # logs of what is no probability
            value = picked(asking.at(one, asking.script(None)).value, "")
        if value is None:
            raise CallableError(
                "bound", "return numbers", "it returned something else", "return the loss"
            )
        values.append(value)
    return values
