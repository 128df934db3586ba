"""What a wrong KL may have been: each known fault (and pair) predicts what it would have returned
for the laws that were measured.

Conventions: pairs of laws are ``(m0, c0, m1, c1)`` with means ``(n, d)`` and covariances
``(n, d, d)``, whatever the user's form is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from scoreproof.claims.gaussian_kl.edits import ALL, TERMS
from scoreproof.claims.gaussian_kl.faults import EDITS, FAULTS, of_form
from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.laws import Laws

__all__ = ["REASONS", "Pairs", "candidates", "native", "pairs"]

Pairs = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

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
    "zero_everywhere": "it returns nothing but zero",
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
    "zero_everywhere": 0.0,
    "bits_for_nats": 1 / np.log(2),
}


def native(cov: np.ndarray, form: str) -> Any:
    """One covariance as the claim's formula takes it: std, log-variances, or the matrix."""
    return {
        "isotropic": lambda: np.sqrt(cov[0, 0]),
        "diagonal": lambda: np.log(np.diagonal(cov)),
        "full": lambda: cov,
    }[form]()


def pairs(laws: Laws) -> Pairs:
    """The laws of a batch with their covariances."""
    d = laws.shape[1]
    v0, v1 = (v if v.ndim == 3 else v[:, :, None] * np.eye(d) for v in (laws.v0, laws.v1))
    return laws.m0, v0, laws.m1, v1


def candidates(laws: list[Laws], options: Options) -> dict[str, np.ndarray]:
    """name -> what a function with that fault would have returned, reduced over each batch."""
    form = options.form
    ends = np.cumsum([batch.shape[0] for batch in laws])[:-1]
    batches = [pairs(batch) for batch in laws]
    terms, edited = _terms(batches, form)
    truth = terms.sum(axis=0)
    single = {name: factor * truth for name, factor in _FACTORS.items()}
    single |= {name: _replaced(terms, edited, (name,)) for name in edited}
    for (written, read), transform in _MISREAD.items():
        # "logvar_as_logstd" is one of the claim's own faults for the diagonal form
        name = f"{written}_as_{read}"
        alike = options.sides is None and form != "full"
        if alike and written == options.parameterization and name not in single:
            misread = [_misread(b, transform, options.standard) for b in batches]
            single[name] = _terms(misread, form, ())[0].sum(axis=0)
    every = dict(single)
    for pair in combinations(edited, 2):
        first, second = (EDITS[name][1] for name in pair)
        if first != second and ALL not in (first, second):
            every[" + ".join(pair)] = _replaced(terms, edited, pair)

    def gathered(values: np.ndarray, how: Options) -> np.ndarray:
        """Each batch reduced as the user's function does, all in one vector."""
        return np.concatenate([how.reduce(v) for v in np.split(values, ends)])

    found = {name: gathered(value, options) for name, value in every.items()}
    if options.reduction != "none":
        mean = options.reduction == "mean"
        slip, other = ("sum_for_mean", "sum") if mean else ("mean_for_sum", "mean")
        slipped = replace(options, reduction=other)
        found[slip] = gathered(truth, slipped)
        found |= {f"{slip} + {name}": gathered(value, slipped) for name, value in single.items()}
    return found


def _terms(
    batches: list[Pairs], form: str, faults: tuple[str, ...] | None = None
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The three terms ``(3, laws)``, and for each fault what it has in place of its term; nan where
    it cannot be computed.
    """
    faults = of_form(form) if faults is None else faults
    terms, edited = [], []
    with np.errstate(all="ignore"):
        for batch in batches:
            for m0, c0, m1, c1 in zip(*batch, strict=True):
                law = (m0, native(c0, form), m1, native(c1, form))
                three = TERMS[form](*law)
                terms.append([float(t) for t in three])
                edited.append([float(EDITS[name][2](three, *law)) for name in faults])
    return np.array(terms).T, dict(zip(faults, np.array(edited).T, strict=True))


def _replaced(
    terms: np.ndarray, edited: dict[str, np.ndarray], names: tuple[str, ...]
) -> np.ndarray:
    """The divergence with the terms of these faults in place of the right ones."""
    out = terms.copy()
    for name in names:
        term = EDITS[name][1]
        if term == ALL:
            return edited[name]
        out[term] = edited[name]
    return out.sum(axis=0)


def _misread(laws: Pairs, transform: Callable[[np.ndarray], np.ndarray], standard: bool) -> Pairs:
    m0, c0, m1, c1 = laws

    def changed(cov: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.stack([np.diag(transform(np.diagonal(c))) for c in cov])

    return m0, changed(c0), m1, c1 if standard else changed(c1)
