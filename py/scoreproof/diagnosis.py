"""What explains a wrong answer?

Each candidate (a known fault, or a pair of them) predicts what a subject with that fault would have
returned at the very points where the user's was measured. A single fault that explains the answer
to the check's resolution is the cause; candidates whose predictions cannot be told apart there are
named together. Where there is none, the answer is read off its own numbers (`causes.answers`): a
factor, an offset, coordinates exchanged, clipped. Pairs of faults come last: there are many, and
some pair comes near almost anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from scoreproof.causes.answers import Answer, Reading, reading

__all__ = ["Diagnosis", "diagnose"]

#: Where the check does not say what its resolution leaves of the deviation.
UNEXPLAINED, UNEXPLAINED_BY_PAIR = 1e-3, 1e-6
#: However coarse the check is, an explanation leaves no more than this.
MOST = 0.1
#: A fault that leaves more than this part of the deviation is not named as the nearest.
NEAR = 0.5


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The best explanation of a deviation.

    ``names``: the class of faults that explain it equally well (empty when none does: no cause is
    claimed). ``misfit``: the part of the deviation they leave unexplained (0 = all explained, 1 =
    nothing). ``runner_up``: the next best and its misfit.
    """

    names: tuple[str, ...]
    misfit: float
    runner_up: tuple[str, float] | None
    sentence: str

    @classmethod
    def cause(cls, name: str, sentence: str, misfit: float = 0.0) -> Diagnosis:
        """A cause that was found by other means than candidates.

        >>> Diagnosis.cause("rows_mixed", "The rows are mixed: keep each in its place.").names
        ('rows_mixed',)
        """
        return cls((name,), misfit, None, sentence)

    @classmethod
    def unknown(cls, sentence: str) -> Diagnosis:
        """No cause is claimed; the sentence says what is known: where, and how it grows."""
        return cls((), float("nan"), None, sentence)


@dataclass(frozen=True)
class _Ranked:
    """The candidates' misfits. ``limit``: what the resolution leaves of the deviation; ``floor``:
    up to it two misfits count as equal.
    """

    candidates: Mapping[str, np.ndarray]
    deviation: float
    resolution: float
    limit: float | None
    misfits: dict[str, float] = field(default_factory=dict)

    def best(self, pairs: bool) -> str | None:
        """The best single fault, or pair, that explains."""
        names = [n for n in self.misfits if (" + " in n) == pairs]
        default = UNEXPLAINED_BY_PAIR if pairs else max(UNEXPLAINED, 10 * self.resolution)
        # where rounding explains most of the deviation, the truth itself would be a candidate
        most = default if self.limit is None else min(self.limit, MOST)
        name = min(names, key=lambda n: (self.misfits[n], n), default=None)
        return name if name is not None and self.misfits[name] <= most else None

    def alike(self, best: str) -> list[str]:
        """``best``, and what predicts the same."""
        reference, depth = np.asarray(self.candidates[best]), best.count(" + ")
        others = [
            n
            for n in sorted(self.misfits, key=lambda n: (self.misfits[n], n))
            if n != best
            and n.count(" + ") == depth
            and float(np.linalg.norm((np.asarray(self.candidates[n]) - reference).ravel()))
            <= self.resolution * self.deviation
        ]
        return [best, *others]


def diagnose(
    measured: np.ndarray,
    truth: np.ndarray,
    candidates: Mapping[str, np.ndarray],
    *,
    resolution: float = 1e-6,
    reasons: Mapping[str, str] | None = None,
    limit: np.ndarray | float | None = None,
    known: Mapping[str, float] | None = None,
    read: Answer | bool = True,
) -> Diagnosis:
    """Name what explains ``measured``.

    Parameters
    ----------
    measured, truth: what the subject returned and what the formula gives, arrays of one shape (any;
        complex allowed); of two axes, rows come first and coordinates last.
    candidates: name -> prediction of that fault, same shape; ``"a + b"`` is a pair. Non-finite
        predictions are passed over.
    resolution: two predictions closer than this part of the deviation count as indistinguishable.
    reasons: name -> what the fault is and what would make it right, in words.
    limit: what the check cannot tell from nothing, absolute, an entry each or one number: a
        candidate explains if it leaves no more than that. Without it, 1e-3 of the deviation.
    known: numbers of the problem by their symbols, ``{"d": 3, "σ": 0.5}``: a factor that is one of
        them is named by it.
    read: the answer whose own numbers are read where no single fault explains: ``measured``, unless
        that is weighted or made of several quantities; then the answer itself, or ``False``.

    >>> d = diagnose(np.array([2.0, 4.0]), np.array([1.0, 2.0]),
    ...              {"doubled": np.array([2.0, 4.0]), "minus": np.array([-1.0, -2.0])},
    ...              reasons={"doubled": "a factor 1/2 is missing"})
    >>> d.names, d.sentence
    (('doubled',), 'Cause: a factor 1/2 is missing (doubled).')
    >>> diagnose(np.array([3.0, 6.0]), np.array([1.0, 2.0]), {}).sentence
    'Cause: it is 3 times what is due: divide it by 3.'
    """
    measured, truth = np.asarray(measured), np.asarray(truth)
    deviation = float(np.linalg.norm((measured - truth).ravel()))
    if not np.isfinite(deviation) or deviation == 0:
        return Diagnosis.unknown("There is no deviation to explain.")
    blur = None
    if limit is not None:
        blur = float(np.linalg.norm(np.broadcast_to(limit, measured.shape).ravel())) / deviation
    ranked = _Ranked(candidates, deviation, resolution, blur)
    for name, prediction in candidates.items():
        misfit = float(np.linalg.norm((measured - np.asarray(prediction)).ravel())) / deviation
        if np.isfinite(misfit):
            ranked.misfits[name] = misfit
    single = ranked.best(pairs=False)
    if single is not None:
        return _named(ranked, single, reasons or {})
    if read is True:
        entries = resolution * deviation / max(measured.size, 1) ** 0.5 if limit is None else limit
        read = Answer.of(measured, truth, entries, known)
    simple = reading(read) if read else None
    if simple is not None:
        return Diagnosis((simple.name,), 0.0, None, _read(simple))
    pair = ranked.best(pairs=True)
    if pair is not None:
        return _named(ranked, pair, reasons or {})
    return _nearest(ranked, reasons or {})


def _named(ranked: _Ranked, best: str, reasons: Mapping[str, str]) -> Diagnosis:
    alike, misfit = ranked.alike(best), ranked.misfits[best]
    rest = [n for n in ranked.misfits if n not in alike]
    runner = min(rest, key=lambda n: ranked.misfits[n]) if rest else None
    told = [_told(name, reasons) for name in alike]
    if len(told) == 1:
        what = told[0]
    else:
        more = f"; or {len(told) - 3} more" if len(told) > 3 else ""
        what = f"one of these, which cannot be told apart here: {'; or '.join(told[:3])}{more}"
    left = f", all but {misfit:.1g} of the deviation" if misfit > 1e-6 else ""
    return Diagnosis(
        tuple(alike),
        misfit,
        (runner, ranked.misfits[runner]) if runner is not None else None,
        f"Cause{left}: {what}.",
    )


def _told(name: str, reasons: Mapping[str, str]) -> str:
    """What a fault, or each of a pair, is in words, with its name."""
    parts = [
        f"{reasons[part].rstrip('.')} ({part})" if part in reasons else part.replace("_", " ")
        for part in name.split(" + ")
    ]
    return parts[0] if len(parts) == 1 else f"two at once: {' and '.join(parts)}"


def _read(simple: Reading) -> str:
    return f"Cause: {simple.words}: {simple.remedy}."


def _nearest(ranked: _Ranked, reasons: Mapping[str, str]) -> Diagnosis:
    """No cause; the nearest single fault with what it leaves open, if that is less than half."""
    names = [n for n in ranked.misfits if " + " not in n]
    best = min(names, key=lambda n: (ranked.misfits[n], n), default=None)
    text = "No known fault explains it"
    if best is None or ranked.misfits[best] > NEAR:
        runner = None if best is None else (best, ranked.misfits[best])
        return Diagnosis((), float("nan") if runner is None else runner[1], runner, f"{text}.")
    left = ranked.misfits[best]
    near = f"the nearest, {_told(best, reasons)}, leaves {100 * left:.2g} % of it open"
    return Diagnosis((), left, (best, left), f"{text}; {near}.")
