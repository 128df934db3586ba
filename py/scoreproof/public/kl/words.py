"""What a wrong KL may have been: each known fault (and pair) predicts what it would have returned
for the laws that were measured.

Conventions: laws are ``(m0, c0, m1, c1)`` with means ``(n, d)`` and covariances ``(n, d, d)``,
whatever the user's form is.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np

from scoreproof.claims.gaussian_kl.faults import FAULTS, compose, of_form
from scoreproof.claims.gaussian_kl.statement import TRUTH

__all__ = ["Laws", "REASONS", "REDUCE", "candidates", "gather", "native"]

Laws = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

REDUCE: dict[str, Callable[[np.ndarray], Any]] = {
    "none": lambda v: v,
    "sum": lambda v: v.sum(axis=-1),
    "mean": lambda v: v.mean(axis=-1),
}

#: (declared, read as) -> the variance that the reader gets from a declared variance v
_MISREAD: dict[tuple[str, str], Callable[[np.ndarray], np.ndarray]] = {
    ("std", "variance"): np.sqrt,
    ("std", "logvar"): lambda v: np.exp(np.sqrt(v)),
    ("std", "logstd"): lambda v: np.exp(2 * np.sqrt(v)),
    ("variance", "std"): lambda v: v**2,
    ("variance", "logvar"): np.exp,
    ("variance", "logstd"): lambda v: np.exp(2 * v),
    ("logvar", "std"): lambda v: np.log(v) ** 2,
    ("logvar", "logstd"): lambda v: v**2,
}

#: what each name means, in words
REASONS = {f.name: f.why for f in FAULTS} | {
    "half_of_everything": "the whole divergence is halved",
    "twice_everything": "the whole divergence is doubled: a factor 1/2 is missing",
    "minus_everything": "the whole divergence has the wrong sign",
    "bits_for_nats": "logarithms to base 2: bits where nats are due",
    "sum_for_mean": "the batch was summed where it is to be averaged",
    "mean_for_sum": "the batch was averaged where it is to be summed",
    **{f"{a}_as_{b}": f"scales declared as {a} are read as {b}" for a, b in _MISREAD},
}

#: constant factors on the whole divergence
_FACTORS = {
    "half_of_everything": 0.5,
    "twice_everything": 2.0,
    "minus_everything": -1.0,
    "bits_for_nats": 1 / np.log(2),
}


def native(cov: np.ndarray, form: str) -> Any:
    """One covariance as the claim's formula takes it: std, log-variances, or the matrix."""
    return {
        "isotropic": lambda: np.sqrt(cov[0, 0]),
        "diagonal": lambda: np.log(np.diagonal(cov)),
        "full": lambda: cov,
    }[form]()


def values(formula: Callable[..., Any], batches: list[Laws], form: str) -> list[np.ndarray]:
    """``formula`` on every law, ``(n,)`` for each batch; nan where it cannot be computed."""
    with np.errstate(all="ignore"):
        return [
            np.array(
                [
                    float(formula(m0, native(c0, form), m1, native(c1, form)))
                    for m0, c0, m1, c1 in zip(*b, strict=True)
                ]
            )
            for b in batches
        ]


def gather(batches: list[np.ndarray], reduction: str) -> np.ndarray:
    """Each batch reduced as the user's function does, all in one vector."""
    return np.concatenate([np.atleast_1d(REDUCE[reduction](v)) for v in batches])


def candidates(
    batches: list[Laws], form: str, parameterization: str, against: str, reduction: str
) -> dict[str, np.ndarray]:
    """name -> what a function with that fault would have returned, reduced over each batch."""
    truth = values(getattr(TRUTH, form), batches, form)
    single = {name: [factor * v for v in truth] for name, factor in _FACTORS.items()}
    for name in of_form(form):
        single[name] = values(getattr(compose((name,)), form), batches, form)
    if form != "full":
        for (declared, read), transform in _MISREAD.items():
            # "logvar_as_logstd" is one of the claim's own faults for the diagonal form
            if declared == parameterization and f"{declared}_as_{read}" not in single:
                single[f"{declared}_as_{read}"] = values(
                    getattr(TRUTH, form), [_misread(b, transform, against) for b in batches], form
                )
    found = {name: gather(value, reduction) for name, value in single.items()}
    for pair in combinations(of_form(form), 2):
        subject = compose(pair)
        if subject is not None:
            found[" + ".join(pair)] = gather(
                values(getattr(subject, form), batches, form), reduction
            )
    if reduction != "none":
        slip = "sum_for_mean" if reduction == "mean" else "mean_for_sum"
        other = "sum" if reduction == "mean" else "mean"
        found |= {slip: gather(truth, other)} | {
            f"{slip} + {name}": gather(value, other) for name, value in single.items()
        }
    return found


def _misread(laws: Laws, transform: Callable[[np.ndarray], np.ndarray], against: str) -> Laws:
    m0, c0, m1, c1 = laws

    def changed(cov: np.ndarray) -> np.ndarray:
        return np.stack([np.diag(transform(np.diagonal(c))) for c in cov])

    return m0, changed(c0), m1, c1 if against == "standard" else changed(c1)
