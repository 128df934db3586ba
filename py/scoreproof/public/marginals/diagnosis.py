"""Which known mistake the deviation looks like, and the reading under which there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.marginals.candidates import candidates
from scoreproof.public.marginals.mistakes import Context
from scoreproof.public.marginals.verdict import Case, errors
from scoreproof.public.marginals.words import reason, short

__all__ = ["diagnosed", "digits_lost", "remarks"]

LIKELY = (
    "sigma0_missing",
    "variance_for_std",
    "std_as_variance",
    "rate_no_two",
    "rate_squared_again",
    "mean_not_scaled",
    "coefficients_reversed",
)
#: times that explanations are held against: some hundreds of pairs are tried
MOST = 20
#: spacing of float32 at 1
SINGLE = 2.0**-23


def diagnosed(case: Case) -> Diagnosis:
    """The known mistake (or pair) that explains mean and std; the worst coordinate is looked at."""
    with np.errstate(all="ignore"):
        return _diagnosed(case)


def _diagnosed(case: Case) -> Diagnosis:
    found = errors(case, case.start)
    which = _some(case, found.ratio().max(axis=(0, 2, 3)))
    mean, std = (part[which] for part in case.law(case.start))
    said_mean, said_std = case.said.mean[which], case.said.std[which]
    gaps = np.abs(said_std - std[:, None, :]) / np.maximum(std, 1e-300)[:, None, :]
    c = int(np.argmax(np.max(gaps, axis=(0, 1))))
    row = int(np.argmax(np.abs(case.said.rows[:, c])))
    i = case.implied
    at = {name: getattr(i.quadrature, name)[which] for name in ("log_mean", "shift", "variance")}
    context = Context(replace(i.quadrature, times=i.quadrature.times[which], **at), c)
    factor = (said_mean[:, row, c] - i.shift[which, c]) / case.said.rows[row, c]
    said = said_std[:, row, c]

    def flat(pair: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        # relative to the larger of right and said, so that no time outweighs the others
        m, s = (
            np.maximum(context.M, np.abs(factor)),
            np.maximum(np.maximum(np.sqrt(context.V), np.abs(said)), 1e-300),
        )
        return np.concatenate([pair[0] / np.maximum(m, 1e-300), pair[1] / s])

    truth, measured = flat((context.M, std[:, c])), flat((factor, said))
    resolution = max(1e-6, 1e3 * case.eps, 1e3 * case.said.law.eps)
    best: Diagnosis | None = None
    guesses: dict[str, np.ndarray] = {}
    for pairs in (False, True):
        found_now = candidates(context, factor, said, pairs=pairs)
        guesses.update({name: flat(value) for name, value in found_now.items()})
        # where a mistake is none (a mean factor that is 1 anyway) it explains nothing
        size = 1e-9 * np.linalg.norm(truth)
        guesses = {n: g for n, g in guesses.items() if not np.linalg.norm(g - truth) <= size}
        best = diagnose(measured, truth, guesses, resolution=resolution, read=False)
        if best.names and best.misfit <= 1e3 * resolution:
            break
    assert best is not None
    # within a class, the mistake most often made comes first
    order = tuple(
        sorted(best.names, key=lambda n: (n not in LIKELY, LIKELY.index(n) if n in LIKELY else 0))
    )
    sentence = best.sentence.replace(", ".join(best.names), ", ".join(order))
    return replace(best, names=order, sentence=sentence)


def _some(case: Case, ratio: np.ndarray) -> np.ndarray:
    """Some of the times, evenly, the worst and the last among them; never a limit."""
    count = len(case.implied.times) - case.implied.limit
    if count <= MOST:
        return np.arange(count)
    even = np.linspace(0, count - 1, MOST - 1).round().astype(int)
    return np.unique(np.append(even, int(np.argmax(ratio[:count]))))


def remarks(case: Case, found: Diagnosis) -> tuple[str, ...]:
    """What the mistake means, and the reading under which there is none."""
    notes = []
    if found.names:
        notes.append(f"({found.names[0]}: {reason(found.names[0])}.)")
    error = float(np.max(errors(case, case.start).error))
    if not found.names and max(case.eps, case.said.law.eps) < SINGLE / 1e3 and error < 32 * SINGLE:
        notes.append(
            f"Nowhere is it off by more than {error:.1g} (relative), a few roundings of float32: is"
            " something in it computed in single precision (a table, a tensor of the default type,"
            ' a quotient of integers in torch)? Make it float64, or pass dtype="float32" or'
            " tolerance=."
        )
    own = case.at_zero
    if (
        own is not None
        and np.any(own > 0)
        and not np.array_equal(own, case.start)
        and case.fits(own)
    ):
        error = float(np.max(errors(case, own).error[1]))
        read = (
            f"the data were blurred by {short(case.start)} first"
            if np.any(case.start)
            else "this is the literal reading (the SDE started at x0)"
        )
        notes.append(
            f"{read[0].upper()}{read[1:]}; with the data first blurred by a standard deviation of"
            f" {short(own)}, which is what your marginal declares "
            f'at t=0, it is right to {error:.1g}: if that is meant, pass reading="blurred".'
        )
    elif np.any(case.start) and case.fits(0 * case.start):
        notes.append('It is right for the SDE started at x0 itself: pass reading="literal".')
    return tuple(notes)


def digits_lost(case: Case) -> tuple[str, ...]:
    """A marginal that loses digits to cancellation at small times holds, with a remark."""
    lost = errors(case, case.start).error[1].max(axis=(1, 2))
    k = int(np.argmax(lost))
    if lost[k] <= 1e5 * case.said.law.eps:
        return ()
    where = (
        f"At t = {case.implied.times[k]:.3g} the declared standard deviation is off by"
        f" {lost[k]:.1g} (relative)"
    )
    return (f"{where}: a difference such as 1 - exp(-x) loses digits, expm1 does not.",)
