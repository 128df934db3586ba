"""Which known mistake the deviation looks like, in each coordinate that is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.causes.places import indices
from scoreproof.diagnosis import Diagnosis, diagnose, safely
from scoreproof.public.families import family_of
from scoreproof.public.marginals.blurred import of_blurred_data
from scoreproof.public.marginals.candidates import candidates, swings
from scoreproof.public.marginals.forms import formed
from scoreproof.public.marginals.mistakes import OUTPUTS, STARTS, Context
from scoreproof.public.marginals.pieces import pieces
from scoreproof.public.marginals.reading import (
    BOUNDS,
    LEAST,
    Declaration,
    Told,
    declaration,
    parts_wrong,
)
from scoreproof.public.marginals.required import Needed, needs
from scoreproof.public.marginals.retiming import asked_at_other_times, retimed
from scoreproof.public.marginals.starting import constant, exchanged, of_other_coordinates, started
from scoreproof.public.marginals.tables import tabled
from scoreproof.public.marginals.telling import (
    OF_OTHERS,
    both_sides,
    in_words,
    likely_first,
    of_another_beta,
)
from scoreproof.public.marginals.upto import held_from_a_time, right_up_to
from scoreproof.public.marginals.verdict import Case, errors
from scoreproof.public.marginals.words import REASONS, WITH_DRIFT

__all__ = ["by_coefficients", "diagnosed"]

#: mistakes with a σ_0 that is fitted to the deviation
FITTED = {n for n, (fits, _) in OUTPUTS.items() if fits} | {*STARTS} - {"sigma0_missing"}
#: times that explanations are held against: some hundreds of pairs are tried
MOST = 20
#: at fewer times no number is fitted: one or two are met by too many laws
FEW = 4
#: what is said of a variance that is another function of time: g² may be what is wrong
OF_VARIANCE = ("variance_factor", "variance_offset")
#: coordinates that are explained one by one
SEVERAL = 4


def diagnosed(case: Case) -> Diagnosis:
    """The known mistake (or pair) that explains mean and std; the worst coordinate is looked at."""
    with np.errstate(all="ignore"):
        found = safely(lambda: _diagnosed(case))
    assert found is not None
    return found


def by_coefficients(case: Case, later: Case) -> Diagnosis | None:
    """What drift and g² are of those that the declared law needs, where their integrals from 0
    diverge; ``later`` starts at the first time.
    """

    def found() -> Diagnosis | None:
        ratio = errors(later, later.start).ratio()
        c = int(np.argmax(np.max(ratio, axis=(0, 1, 2))))
        d = declaration(later, c, Context(later.implied.quadrature, c))
        told = Needed(case, d, c).told
        return None if told is None else Diagnosis.cause(told.name, f"Cause: {told.text}.")

    with np.errstate(all="ignore"):
        return safely(found)


def _diagnosed(case: Case) -> Diagnosis:
    """One cause for all coordinates that are wrong, or one for each."""
    blurred = of_blurred_data(case)
    if blurred is not None:
        return blurred
    ratio = errors(case, case.start).ratio()
    wrong = np.atleast_1d((ratio > 1).any(axis=(0, 1, 2)))
    order = np.argsort(-np.max(ratio, axis=(0, 1, 2)), kind="stable")[: max(1, int(wrong.sum()))]
    said = {int(c): _of_coordinate(case, int(c)) for c in order[:SEVERAL]}
    first = said[int(order[0])]
    texts = list(dict.fromkeys(d.sentence for d in said.values()))
    whole = len(texts) == 1 or {*first.names} & {"coordinates_exchanged", "table"}
    if not any(d.names for d in said.values()):
        return first
    if whole:
        return _placed(first, wrong)
    groups = [[c for c, d in said.items() if d.sentence == text] for text in texts]
    parts = [
        f"coordinate{'s' if len(g) > 1 else ''} {', '.join(map(str, sorted(g)))}:"
        f" {said[g[0]].sentence.removeprefix('Cause: ').rstrip('.')}"
        for g in sorted(groups, key=min)
    ]
    text = "; ".join(parts)
    known = all(d.names for d in said.values()) and wrong.sum() <= SEVERAL
    if not known:
        return replace(first, names=(), sentence=f"No one cause explains it. In {text}.")
    together = " + ".join(dict.fromkeys(d.names[0] for d in said.values()))
    return replace(first, names=(together,), sentence=f"Cause: {text}.")


def _placed(found: Diagnosis, wrong: np.ndarray) -> Diagnosis:
    """With the coordinates in which it is so, if not in all."""
    where = indices(wrong, "coordinate")
    head, _, rest = found.sentence.partition(": ")
    return replace(found, sentence=f"{head}: in {where}: {rest}") if where else found


def _of_coordinate(case: Case, c: int) -> Diagnosis:
    found = errors(case, case.start)
    which = _some(case, found.ratio()[..., c].max(axis=(0, 2)))
    mean, std = (part[which] for part in case.law(case.start))
    said_mean, said_std = case.said.mean[which], case.said.std[which]
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
    allowed = (found.bound + found.excuse)[:, which, row, c]
    limit = np.maximum(LEAST, BOUNDS * np.concatenate([allowed[0], allowed[1]]))
    resolution = max(1e-6, 1e3 * case.eps, 1e3 * case.said.law.eps)

    def named(pairs: bool) -> Diagnosis:
        guesses = candidates(context, factor, said, pairs=pairs)
        flats = {name: flat(value) for name, value in guesses.items()}
        # where a mistake is none (a mean factor that is 1 anyway) it explains nothing
        size = 1e-9 * np.linalg.norm(truth)
        flats = {n: g for n, g in flats.items() if not np.linalg.norm(g - truth) <= size}
        if len(which) < FEW:
            flats = {n: g for n, g in flats.items() if not swings(tuple(n.split(" + ")))}
        return diagnose(
            measured,
            truth,
            flats,
            resolution=resolution,
            reasons=reasons,
            read=False,
            limit=limit,
        )

    reasons = REASONS if np.ptp(context.M) <= resolution else REASONS | WITH_DRIFT
    d = declaration(case, c, Context(i.quadrature, c))
    needed = Needed(case, d, c)
    if first := right_up_to(d):  # no cause of all times is right at those
        piece = pieces(d) or held_from_a_time(needed, first)
        if piece is not None:
            return Diagnosis.cause(piece.name, f"Cause: {piece.text}.")
        where = f"The law is right up to t = {d.t[first - 1]:.3g}: it is no mistake of all times."
        return Diagnosis.unknown(f"No known fault explains it. {where} {parts_wrong(d)}")
    best = named(False)
    sure = bool(best.names)
    # where there is a drift, what contains a σ_0 that was fitted may be something simpler
    fitted = np.ptp(context.M) > resolution and {*best.names} <= FITTED
    flat_std = constant(d)
    if flat_std is not None:
        return Diagnosis.cause(flat_std.name, f"Cause: {flat_std.text}.")
    # a law that is made of α alone is no mistake of the marginal where the one due is none
    own = bool(best.names) and {*best.names} <= {*OF_OTHERS} and not _is_preserving(context)
    if sure and not fitted and not own:
        told_first = both_sides(likely_first(best, reasons), needed)
        return of_another_beta(told_first, reasons, together=_is_preserving(context, (1,)))
    swapped = exchanged(case) or of_other_coordinates(case)
    if swapped is not None:
        return Diagnosis.cause("coordinates_exchanged", f"Cause: {swapped}.")
    if own and needed.told is not None:
        return Diagnosis.cause(needed.told.name, f"Cause: {needed.told.text}.")
    steps = None if sure else tabled(case, d, c)
    if steps is not None and steps.rigid:  # no number in it was fitted, and it is cheaper to find
        return Diagnosis.cause(steps.name, f"Cause: {steps.text}.")
    told = _read_off(case, c, d)
    of_family = bool(family_of(d.alpha, d.std, d.tol)) and not d.mean_wrong
    if len(told) == 1 and needed.told is not None and told[0].name == "std_form" and of_family:
        # a law that is right for another g² may be meant; where g² is that of no law, it is
        need, two = needed.told, needed.told.name == "two_families"
        told = [Told(told[0].name, f"{told[0].text}; or {need.text}") if two else need]
    if len(told) == 1 and needed.told is not None and told[0].name in OF_VARIANCE:
        # nothing is added to a variance: g² is another
        text = f"{told[0].text}: {needed.told.text}"
        fitted = told[0].name == "variance_offset" and needed.told.name == "diffusion_required"
        told = [needed.told if fitted else Told(told[0].name, text)]
    if told:
        text = "; and ".join(cause.text for cause in told)
        return Diagnosis.cause(" + ".join(cause.name for cause in told), f"Cause: {text}.")
    if needed.told is not None and not sure:
        return Diagnosis.cause(needed.told.name, f"Cause: {needed.told.text}.")
    if steps is not None:
        return Diagnosis.cause(steps.name, f"Cause: {steps.text}.")
    pair = best if sure else named(True)
    if pair.names:
        return likely_first(pair, reasons)
    return replace(best, sentence=f"{in_words(best, reasons)} {parts_wrong(d)}{needs(needed)}")


def _is_preserving(context: Context, powers: tuple[int, ...] = (1, 2)) -> bool:
    """Whether the variance due is 1 - α², or its square."""
    lost = 1 - context.M**2
    return any(np.allclose(context.V, lost**p, rtol=1e-6, atol=1e-12) for p in powers)


def _read_off(case: Case, c: int, d: Declaration) -> list[Told]:
    """The declared law as another time's, or as formulas in the law that is due."""
    means, _ = case.law(case.start)
    keep = slice(0, len(d.t))
    start = started(d)
    if start is not None:
        return [start]
    time = retimed(d)
    if time is not None and d.mean_wrong and d.std_wrong:
        return [time]
    found = formed(d, case.said.mean[keep, :, c], means[keep, :, c])
    if found is None and (piece := pieces(d)) is not None:
        return [piece]
    if found is None and time is None:
        time = asked_at_other_times(case)
    return found or ([] if time is None else [time])


def _some(case: Case, ratio: np.ndarray) -> np.ndarray:
    """Some of the times, evenly, the worst and the last among them; never a limit."""
    count = len(case.implied.times) - case.implied.limit
    if count <= MOST:
        return np.arange(count)
    even = np.linspace(0, count - 1, MOST - 1).round().astype(int)
    return np.unique(np.append(even, int(np.argmax(ratio[:count]))))
