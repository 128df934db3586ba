"""What came back, by its parts: numbers for each row, for the batch, or for each entry.

Conventions: ``dims`` says whether entries are summed or averaged over a sample ("none": they came
one by one), ``rows`` whether there is a number a row, or a mean or sum over the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy
from scoreproof.public.variational_bound.arguments import Job

__all__ = ["Reading", "layouts", "picked", "reduced"]

#: where a dictionary has a term, the best names first
KEYS = {
    "": ("output", "vb", "kl", "loss", "nll", "elbo", "vlb", "bpd", "total_bpd", "total"),
    "total": ("total_bpd", "total", "bpd", "vlb", "nll", "elbo", "loss", "total_loss", "neg_elbo"),
    "L_T": (
        "prior_bpd",
        "prior",
        "L_T",
        "l_T",
        "kl_prior",
        "loss_prior",
        "prior_kl",
        "lt",
        "latent",
        "loss_klz",
        "bpd_latent",
        "latent_loss",
    ),
    "diffusion": (
        "loss_diff",
        "diff_loss",
        "diffusion_loss",
        "loss_diffusion",
        "bpd_diff",
        "diffusion",
        "output",
        "loss",
    ),
    "vb": ("vb", "terms_bpd", "vb_terms", "kls", "L_t", "terms", "vb_terms_bpd", "diffusion"),
}
LOG2 = float(np.log(2.0))


@dataclass(frozen=True)
class Reading:
    """``factor``: -1 for what grows as the model gets better."""

    dims: str
    rows: str
    bits: bool = False
    factor: float = 1.0

    @property
    def words(self) -> str:
        unit = "bits" if self.bits else "nats"
        over = {"sum": "summed over a sample's entries", "mean": "per dimension"}
        batch = {"mean": ", averaged over the batch", "sum": ", summed over the batch"}
        return f"{unit} {over.get(self.dims, 'for each entry')}{batch.get(self.rows, '')}"


def picked(value: Any, part: str) -> np.ndarray | None:
    """The part of what came back that is the term; ``None`` where there is none."""
    if isinstance(value, Mapping):
        names = KEYS.get(part, KEYS[""])
        found = next((value[n] for n in names if n in value), None)
        if found is None and part in ("", "diffusion") and value:
            found = next(iter(value.values()))
        value = found
    elif hasattr(value, "_asdict") and part:
        return picked(value._asdict(), part)
    elif isinstance(value, tuple | list) and not _numbers(value):
        places = {"": 0, "diffusion": 0, "total": 0, "vb": 1, "L_T": 2}
        value = value[places[part]] if len(value) > places[part] else None
    elif part in ("L_T", "vb"):
        return None
    if value is None:
        return None
    try:
        array = np.asarray(as_numpy(value))
    except Exception:
        return None
    return array.astype(float) if array.dtype.kind in "fiu" and array.size else None


def _numbers(value: Any) -> bool:
    return all(np.ndim(v) == 0 and not hasattr(v, "dtype") for v in value) and len(value) > 3


def layouts(job: Job, shape: tuple[int, ...], rows: int) -> list[Reading]:
    """What a number may be by the declared units. Raises ``CallableError`` for other shapes."""
    bits = job.units == "bits_per_dim"
    dims = [job.dims] if job.dims else ["mean"] if bits else ["sum", "mean"]
    signs = (1.0, -1.0) if job.rises else (1.0,)
    flat = [n for n in shape if n != 1]
    if flat == [rows]:
        how = [(d, "rows") for d in dims]
    elif not flat:
        how = [(d, b) for d in dims for b in ("mean", "sum")]
    elif shape == (rows, *job.shape) or shape == (rows, job.d):
        how = [("none", "rows")]
    else:
        raise CallableError(
            "bound",
            f"return one number, one for each sample, ({rows},), or one for each entry",
            f"it returned shape {shape}",
            "a dictionary is read by its names: output, or total_bpd, vb and prior_bpd",
        )
    return [Reading(d, b, bits, s) for d, b in how for s in signs]


def reduced(entries: np.ndarray, how: Reading) -> np.ndarray:
    """The entries ``(n, d)`` as a function would return them, flat."""
    value = entries * (how.factor / (LOG2 if how.bits else 1.0))
    if how.dims == "none":
        return value.ravel()
    value = value.sum(axis=1) if how.dims == "sum" else value.mean(axis=1)
    if how.rows == "rows":
        return np.asarray(value)
    return np.atleast_1d(value.sum() if how.rows == "sum" else value.mean())
