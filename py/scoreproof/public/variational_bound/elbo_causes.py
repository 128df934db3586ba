"""What is read off the numbers of a VAE's bound: a factor of its KL, what was added in its logs.

Conventions: as in `elbo_terms`. What is read has to be seen: a factor that rounding does not tell
from 1 is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.variational_bound.arguments import Job
from scoreproof.public.variational_bound.asking import ROWS
from scoreproof.public.variational_bound.reading import Reading, reduced
from scoreproof.public.variational_bound.words_other import VAE

__all__ = ["Bound", "added_in_logs", "factor_of_the_kl"]

#: of what rounding leaves, how much a fit may
MANY = 4.0
#: rounds of Newton's method, which converges at once: what is added is small
ROUNDS = 8
#: decoders that come with a factor of the KL
BESIDE: tuple[str, ...] = (
    "",
    "constant_missing",
    "mean_square",
    "mean_square_of_the_whole",
    "decoder_mean",
)
BESIDE += ("mean_of_the_whole", "square_without_half", "square_alone", "bernoulli_logits_for_it")


@dataclass(frozen=True, eq=False)
class Bound:
    """What came back, flat; the terms, and as what they may be read; ``scale``: of the units."""

    value: np.ndarray
    limit: np.ndarray
    decoders: dict[str, np.ndarray]
    kl: np.ndarray
    readings: Sequence[Reading]
    scale: float

    def of(self, rows: np.ndarray, reading: Reading) -> np.ndarray:
        """A term ``(BATCHES, ROWS)`` as it would be in the answer."""
        return self.scale * np.concatenate([reduced(r[:, None], reading) for r in rows])

    def explained(self, guess: np.ndarray) -> bool:
        """To rounding."""
        return bool(np.all(np.abs(self.value - guess) <= MANY * self.limit))


def factor_of_the_kl(job: Job, bound: Bound) -> Diagnosis | None:
    """β of a β-VAE, or a KL that is divided by a number of the batch."""
    for decoder in BESIDE:
        if decoder not in bound.decoders:
            continue
        for reading in bound.readings:
            a, b = (bound.of(rows, reading) for rows in (bound.decoders[decoder], bound.kl))
            beta = float(np.dot(bound.value - a, b) / np.dot(b, b))
            seen = bool(np.any(np.abs(beta - 1) * np.abs(b) > MANY * bound.limit))
            if not (seen and bound.explained(a + beta * b)):
                continue
            more = f"; and {VAE[decoder]}" if decoder else ""
            whose = _known(job, beta)
            return Diagnosis.cause(
                " + ".join(n for n in ("beta", decoder) if n),
                f"Cause: the KL is multiplied by {beta:.6g}{whose}: in the ELBO it stands once, as"
                f" -log p(x | z) does (of a β-VAE, whose β that is, check it with β = 1){more}.",
            )
    return None


def _known(job: Job, beta: float) -> str:
    """Which number of the batch a factor is."""
    known = {
        f"1/{ROWS}, the number of samples of the batch": 1 / ROWS,
        f"1/{job.d}, the number of entries of x": 1 / job.d,
        f"1/{job.d * ROWS}, the number of entries of the batch": 1 / (job.d * ROWS),
        f"{ROWS}, the number of samples of the batch": float(ROWS),
        f"{job.d}, the number of entries of x": float(job.d),
    }
    found = [name for name, factor in known.items() if abs(beta / factor - 1) < 1e-6]
    return f" = {found[0]}" if found else ""


def added_in_logs(bound: Bound, x: np.ndarray, p: np.ndarray, kl: np.ndarray) -> Diagnosis | None:
    """log(p + ε) for log p, and log(1 - p + ε); ``x``, ``p`` ``(BATCHES, ROWS, d)``."""

    def entries(eps: float) -> np.ndarray:
        return np.asarray(-(x * np.log(p + eps) + (1 - x) * np.log(1 - p + eps)))

    def slopes(eps: float) -> np.ndarray:
        return np.asarray(-(x / (p + eps) + (1 - x) / (1 - p + eps)))

    for reading in bound.readings:
        eps = 0.0
        for _ in range(ROUNDS):
            rest = bound.value - bound.of(entries(eps).sum(axis=2) + kl, reading)
            slope = bound.of(slopes(eps).sum(axis=2), reading)
            eps = max(0.0, eps + float(np.dot(rest, slope) / np.dot(slope, slope)))
        moved = bound.of((entries(eps) - entries(0.0)).sum(axis=2), reading)
        seen = bool(np.any(np.abs(moved) > MANY * bound.limit))
        if seen and bound.explained(bound.of(entries(eps).sum(axis=2) + kl, reading)):
            accepted = 10.0 ** np.ceil(np.log10(2 * np.max(np.abs(moved / bound.value))))
            return Diagnosis.cause(
                "added_in_logs",
                f"Cause: {eps:.2g} is added inside of the logs, log(p + {eps:.2g}) and"
                f" log(1 - p + {eps:.2g}), where log(p) and log(1 - p) are due: take logits"
                f" (decoder='bernoulli_logits'), or accept it by tolerance={accepted:.0e}.",
            )
    return None
