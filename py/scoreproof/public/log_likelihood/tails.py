"""A log p that is right where the data are and wrong far out: what is clamped there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.log_likelihood.law import OUT
from scoreproof.public.log_likelihood.runs import Run

__all__ = ["of_tails"]


def of_tails(runs: Sequence[Run]) -> Diagnosis | None:
    """``None`` where it is wrong near by too, or was not asked far out."""
    run = next((r for r in runs if r.far), None)
    if run is None or not all(_fits(r) for r in runs if not r.far):
        return None
    k = int(np.argmax(np.abs(run.error)))
    way = "more" if run.error[k] > 0 else "less"
    return Diagnosis.cause(
        "tails",
        f"Cause: log p is right where the data are, and {abs(run.error[k]):.3g} nats {way} than"
        f" what is due {OUT:.3g} standard deviations out: something is clamped or clipped there."
        " Let no clamp act on x, on z, on the model's answer or on log p.",
    )


def _fits(run: Run) -> bool:
    allowed = run.bound + run.excuse + (run.due.job.tolerance or 0.0) * run.gain
    return bool(np.max(np.abs(run.error)) <= allowed)
