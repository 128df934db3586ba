"""A density in another form than was said: a logarithm of another base, a root, a pdf as a log.

Conventions: as in `summands`; the equation is tried on k log p, and on log p taken for p itself.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.fokker_planck.summands import Judged

__all__ = ["another_form"]

MULTIPLES = (
    (
        np.log(10),
        "log_base_10",
        "log_density is in base 10 where a natural logarithm is due: multiply it by ln 10 ="
        " 2.302585,"
        " use log for log10",
    ),
    (
        np.log(2),
        "log_base_2",
        "log_density is in base 2 where a natural logarithm is due: multiply it by ln 2 = 0.693147,"
        " use log for log2",
    ),
    (-1.0, "negative_log", "it is -log p, an energy or a loss, where log p is due: flip its sign"),
    (2.0, "root_of_density", "it is √p, or ½ log p, where p or log p is due: square it"),
    (0.5, "square_of_density", "it is p², or 2 log p, where p or log p is due: take its root"),
    (-2.0, "twice_negative_log", "it is -½ log p where log p is due: multiply it by -2"),
    (-0.5, "negative_twice_log", "it is -2 log p, a deviance, where log p is due: divide it by -2"),
)


def another_form(j: Judged, is_log: bool) -> Diagnosis | None:
    """The form in which the equation holds, up to a factor."""
    first = np.concatenate([t.first for t in j.terms])
    second = np.concatenate([t.second for t in j.terms])
    f = np.concatenate([t.f for t in j.terms])
    half = j.rho[j.which] ** 2 / 2
    bend = second - first**2

    df = np.concatenate([np.abs(t.df).sum(axis=1) for t in j.terms])

    def left(
        rate: np.ndarray, slope: np.ndarray, curve: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """What is left of the equation, and the size of its terms."""
        gap = rate + (f * slope).sum(axis=1) + j.squeezed - half * curve.sum(axis=1)
        size = np.abs(rate) + np.abs(f * slope).sum(axis=1) + df
        return gap, size + half * np.abs(curve).sum(axis=1)

    for k, name, text in MULTIPLES:
        # a density falls off: its negative logarithm bends upward
        if k < 0 and float(np.median(bend.sum(axis=1))) <= 0:
            continue
        gap, size = left(k * j.rate, k * first, k * bend + (k * first) ** 2)
        if j.explained(gap, 4 * max(abs(k), 1.0) ** 2, size):
            return Diagnosis.cause(name, f"Cause: {text} ({name}).")
    if is_log and np.all(j.logs > 0):
        value = j.logs
        gap, size = left(j.rate / value, first / value[:, None], bend / value[:, None])
        if np.all(np.abs(gap) <= 4 * j.blur * (1 + 1 / value) + j.accepted * size):
            return Diagnosis.cause(
                "pdf_as_log",
                "Cause: what is passed as log_density= is the density itself, not a logarithm"
                " (pdf_as_log). Pass it as density=, or take its log.",
            )
    return None
