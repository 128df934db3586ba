"""Which known fault does a wrong measurement look like?

Each candidate explanation (a planted fault, or a pair of them) predicts what a subject with that
fault would have returned at the very points where the user's was measured. The best candidate is
the one that leaves the smallest part of the deviation unexplained; candidates whose predictions
cannot be told apart there are named together as a class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

__all__ = ["Diagnosis", "diagnose"]

#: A fault that leaves more than this part of the deviation unexplained is no explanation. There are
#: many pairs of faults, and some pair comes near almost anything: of a pair more is asked.
UNEXPLAINED, UNEXPLAINED_BY_PAIR = 0.05, 1e-3


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The best explanation of a deviation.

    ``names``: the class of faults that explain it equally well (empty when none does). ``misfit``:
    the part of the deviation they leave unexplained (0 = all explained, 1 = nothing).
    ``runner_up``: the next best and its misfit.
    """

    names: tuple[str, ...]
    misfit: float
    runner_up: tuple[str, float] | None
    sentence: str


def diagnose(
    measured: np.ndarray,
    truth: np.ndarray,
    candidates: Mapping[str, np.ndarray],
    *,
    resolution: float = 1e-6,
    reasons: Mapping[str, str] | None = None,
) -> Diagnosis:
    """Name the candidate whose prediction is closest to ``measured``.

    Parameters
    ----------
    measured, truth: what the subject returned and what the formula gives, arrays of one shape (any;
        complex allowed).
    candidates: name -> prediction of that fault, same shape. Non-finite predictions are passed
        over.
    reasons: name -> what the fault is, in words; added to the sentence for the faults that are
        named.
    resolution: two predictions closer than this part of the deviation count as indistinguishable.

    >>> d = diagnose(np.array([2.0, 4.0]), np.array([1.0, 2.0]),
    ...              {"factor_2": np.array([2.0, 4.0]), "minus": np.array([-1.0, -2.0])})
    >>> d.names, d.sentence
    (('factor_2',), 'It matches the known fault factor_2 to 0; the next best, minus, explains
    nothing.')
    """
    measured, truth = np.asarray(measured), np.asarray(truth)
    deviation = float(np.linalg.norm((measured - truth).ravel()))
    if not np.isfinite(deviation) or deviation == 0:
        return Diagnosis((), float("nan"), None, "There is no deviation to explain.")
    misfits: dict[str, float] = {}
    for name, prediction in candidates.items():
        misfit = float(np.linalg.norm((measured - np.asarray(prediction)).ravel())) / deviation
        if np.isfinite(misfit):
            misfits[name] = misfit
    if not misfits:
        return Diagnosis((), float("nan"), None, "No known fault could be compared with it.")
    # a single fault goes before a pair that fits as well: the simpler explanation
    ranked = sorted(
        misfits,
        key=lambda n: (
            misfits[n] > misfits_floor(misfits, resolution),
            n.count(" + "),
            misfits[n],
            n,
        ),
    )
    best = ranked[0]
    if misfits[best] > (UNEXPLAINED_BY_PAIR if " + " in best else UNEXPLAINED):
        return Diagnosis(
            (),
            misfits[best],
            (best, misfits[best]),
            f"No known fault explains it (the nearest leaves {100 * min(misfits[best], 1):.0f} % of"
            " it).",
        )
    reference = np.asarray(candidates[best])
    depth = best.count(" + ")
    alike = [
        n
        for n in ranked
        if n.count(" + ") == depth
        and float(np.linalg.norm((np.asarray(candidates[n]) - reference).ravel()))
        <= resolution * deviation
    ]
    alike = [best, *[n for n in alike if n != best]]
    rest = [n for n in misfits if n not in alike and misfits[n] > misfits[best] + resolution]
    runner = min(rest, key=lambda n: misfits[n]) if rest else None
    what = (
        f"the known fault {best}"
        if len(alike) == 1
        else "a class of faults that these points cannot tell apart: " + ", ".join(alike)
    )
    tail = f"; the next best, {runner}, {_explains(misfits[runner])}" if runner is not None else ""
    sentence = f"It matches {what} to {misfits[best]:.1g}{tail}.{_why(alike, reasons or {})}"
    return Diagnosis(
        tuple(alike),
        misfits[best],
        (runner, misfits[runner]) if runner is not None else None,
        sentence,
    )


def _why(names: list[str], reasons: Mapping[str, str]) -> str:
    """What the named faults are, in words, each once and three at the most."""
    parts = dict.fromkeys(part for name in names for part in name.split(" + ") if part in reasons)
    told = [f"{part}: {reasons[part].rstrip('.')}" for part in list(parts)[:3]]
    return f" ({'; '.join(told)}.)" if told else ""


def misfits_floor(misfits: Mapping[str, float], resolution: float) -> float:
    """The misfit up to which candidates count as equally good."""
    return min(misfits.values()) * 2 + resolution


def _explains(misfit: float) -> str:
    part = 1 - misfit
    return "explains nothing" if part <= 0.005 else f"explains {100 * part:.0f} %"
