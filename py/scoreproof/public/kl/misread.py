"""Scales that are read as what they are not: a standard deviation as a variance, a factor as a
matrix.

Conventions: a reading maps the laws that were passed to those that the function then worked with;
scales go through ``Options.scale`` first, for what people mistake is what they are handed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.laws import Laws

__all__ = ["CALLED", "Change", "Reading", "bound", "changed", "scales_misread"]

Change = Callable[[np.ndarray], np.ndarray]
CALLED = {
    "std": "standard deviations",
    "variance": "variances",
    "logvar": "log-variances",
    "logstd": "log standard deviations",
    "precision": "precisions, 1/σ²",
    "logprecision": "log-precisions",
    "covariance": "covariances",
    "scale_tril": "Cholesky factors",
    "precision_tril": "Cholesky factors of precisions",
}
SOFTPLUS = {
    "softplus": "go through softplus, and what it gives is taken for σ",
    "softplus_var": "go through softplus, and what it gives is taken for σ²",
}
#: what a reader makes of a number: its variance
READ_AS: dict[str, Change] = {
    "std": lambda s: s**2,
    "variance": lambda s: s,
    "logvar": np.exp,
    "logstd": lambda s: np.exp(2 * s),
    "precision": lambda s: 1 / s,
    "logprecision": lambda s: np.exp(-s),
    "softplus": lambda s: np.logaddexp(0, s) ** 2,
    "softplus_var": lambda s: np.logaddexp(0, s),
}
#: what is negative here and there, and no variance, deviation or precision
SIGNED = ("logvar", "logstd", "logprecision", "softplus")


@dataclass(frozen=True)
class Reading:
    """``name`` for a program, ``words`` for a person, ``of`` the laws that are read."""

    name: str
    words: str
    of: Callable[[Laws], Laws]


def changed(laws: Laws, change: Change, options: Options, which: str = "both") -> Laws:
    first, second = which in ("both", "first"), which in ("both", "second")
    second = second and not options.standard
    return replace(
        laws,
        v0=change(laws.v0) if first else laws.v0,
        v1=change(laws.v1) if second else laws.v1,
    )


def bound(change: Change, options: Options, which: str) -> Callable[[Laws], Laws]:
    return lambda laws: changed(laws, change, options, which)


def _whose(options: Options) -> list[tuple[str, str]]:
    """Which laws are misread, and the words for it."""
    first, second = ("first", " of the first law"), ("second", " of the second law")
    if options.standard:
        return [("both", "")]
    if options.sides is not None:
        return [first, second]
    return [("both", "")] if options.layout.shared else [("both", ""), first, second]


def scales_misread(options: Options) -> Iterator[Reading]:
    for which, where in _whose(options):
        side = options.side("second" if which == "second" else "first")
        if side.form == "full":
            yield from _matrices(options, which, where)
            continue
        own = side.kind
        for read, variance in READ_AS.items():
            if read == own or (own in SIGNED and read in ("variance", "precision")):
                continue
            change = _reread(options, variance, which)
            words = f"{_called(own)}{where} " + (
                f"are read as {CALLED[read]}" if read in CALLED else SOFTPLUS[read]
            )
            name = f"{own}_as_{read}" + ("" if which == "both" else f"_{which}")
            yield Reading(name, words, bound(change, options, which))
        if own == "std":
            words = f"{CALLED[own]}{where} are squared twice"
            yield Reading("std_squared", words, bound(lambda v: v**2, options, which))


def _called(kind: str) -> str:
    return CALLED.get(kind, "numbers that softplus makes σ of")


def _reread(options: Options, variance: Change, which: str) -> Change:
    side = "second" if which == "second" else "first"

    def change(v: np.ndarray) -> np.ndarray:
        found = variance(options.scale(v, side))
        if options.form == "full":  # the other law's
            return np.asarray(np.broadcast_to(found, v.shape[:2])[:, :, None] * np.eye(v.shape[1]))
        return found

    return change


def _transposed(c: np.ndarray) -> np.ndarray:
    return np.swapaxes(c, 1, 2)


#: name, words, what is made of the matrix that was passed
OF_COVARIANCES: tuple[tuple[str, str, Change], ...] = (
    ("precision", "{} are read as precisions", np.linalg.inv),
    ("diagonal", "only the diagonals of the {} are used", lambda c: c * np.eye(c.shape[1])),
    (
        "cholesky",
        "{} are read as Cholesky factors",
        lambda c: np.tril(c) @ _transposed(np.tril(c)),
    ),
    ("squared", "{} are read as factors: C Cᵀ for C", lambda c: c @ _transposed(c)),
)
OF_FACTORS: tuple[tuple[str, str, Change], ...] = (
    ("covariance", "{} are read as covariances: L for L Lᵀ", lambda c: c),
    ("transposed", "{} are taken as upper triangular: Lᵀ L for L Lᵀ", lambda c: _transposed(c) @ c),
    ("precision", "{} are read as precisions: L⁻¹ for L Lᵀ", np.linalg.inv),
    (
        "precision_tril",
        "{} are read as factors of precisions: (L Lᵀ)⁻¹ for L Lᵀ",
        lambda c: np.linalg.inv(c @ _transposed(c)),
    ),
    (
        "diagonal",
        "only the diagonals of the {} are used",
        lambda c: (c * np.eye(c.shape[1])) ** 2,
    ),
)
OF_PRECISIONS: tuple[tuple[str, str, Change], ...] = (
    ("covariance", "{} are read as covariances, without their inverse", lambda c: c),
    (
        "diagonal",
        "only the diagonals of the {} are used",
        lambda c: np.eye(c.shape[1]) / np.diagonal(c, axis1=1, axis2=2)[:, None, :],
    ),
    (
        "cholesky",
        "{} are read as Cholesky factors",
        lambda c: np.tril(c) @ _transposed(np.tril(c)),
    ),
)
OF_PRECISION_FACTORS: tuple[tuple[str, str, Change], ...] = (
    (
        "scale_tril",
        "{} are read as those of covariances: L Lᵀ for (L Lᵀ)⁻¹",
        lambda c: c @ _transposed(c),
    ),
    ("precision", "{} are read as precisions: L⁻¹ for (L Lᵀ)⁻¹", np.linalg.inv),
    (
        "transposed",
        "{} are taken as upper triangular: (Lᵀ L)⁻¹ for (L Lᵀ)⁻¹",
        lambda c: np.linalg.inv(_transposed(c) @ c),
    ),
)
MATRICES = {
    "covariance": OF_COVARIANCES,
    "scale_tril": OF_FACTORS,
    "precision": OF_PRECISIONS,
    "precision_tril": OF_PRECISION_FACTORS,
}


def _matrices(options: Options, which: str, where: str) -> Iterator[Reading]:
    side = "second" if which == "second" else "first"
    kind = options.side(side).kind
    called = CALLED[kind] if kind != "precision" else "precisions"
    whose = f"{called}{where}" if which == "both" else f"the {which} law's {called}"
    for name, words, of in MATRICES[kind]:

        def change(v: np.ndarray, of: Change = of) -> np.ndarray:
            return of(options.scale(v, side))

        suffix = "" if which == "both" else f"_{which}"
        text = words.format(whose).replace("the the", "the")
        yield Reading(f"{kind}_as_{name}{suffix}", text, bound(change, options, which))
