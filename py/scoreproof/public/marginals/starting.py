"""A declared law that is right, but starts elsewhere, or has its coordinates in another order.

Conventions: as in `reading`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes import batches
from scoreproof.causes.answer import Answer
from scoreproof.public.laws import number, same
from scoreproof.public.marginals.mistakes import Context
from scoreproof.public.marginals.reading import BOUNDS, LEAST, Declaration, Told
from scoreproof.public.marginals.verdict import Case, errors

__all__ = ["constant", "exchanged", "of_other_coordinates", "started"]

#: coordinates whose g are tried in place of one another
SEVERAL = 6


def exchanged(case: Case) -> str | None:
    """The order of the coordinates, if that is what is wrong in the declared law."""
    i, said = case.implied, case.said
    _, std = case.law(case.start)
    if std.shape[1] < 2:
        return None
    big = int(np.argmax(np.min(np.abs(said.rows), axis=1)))
    found = np.concatenate([said.mean[:, big] / said.rows[big], said.std.mean(axis=1)])
    due = np.concatenate([i.mean + i.shift / said.rows[big], std])
    alike = np.ptp(said.std, axis=2) <= 1e-9 * np.max(np.abs(said.std), axis=2)
    if np.all(alike) and np.any(np.ptp(std, axis=1) > 1e-3 * np.max(std, axis=1)):
        squares = np.mean(std**2, axis=1) ** 0.5
        k = float(np.median(said.std[:, 0, 0] / squares))
        of = (
            ", the root of the mean of their variances"
            if same(said.std[:, 0, 0], squares, 1e-9)
            else ""
        )
        if of or abs(k - 1) > 1e-9:
            return (
                f"the declared standard deviation is the same in all coordinates{of}, where"
                " drift and diffusion imply another in each: return one for each coordinate"
            )
    read = batches.exchanged(Answer.of(found, due, 1e-7 * np.abs(due)))
    return None if read is None else f"in the declared law {read.words}; {read.remedy}"


def of_other_coordinates(case: Case) -> str | None:
    """Standard deviations that are made of the g of other coordinates, the mean being right."""
    i, said = case.implied, case.said
    keep = slice(0, len(i.times) - (1 if i.limit else 0))
    found = errors(case, case.start)
    wrong = np.flatnonzero((found.ratio()[1] > 1).any(axis=(0, 1)))
    if not 1 < len(wrong) <= SEVERAL or np.any(found.ratio()[0] > 1) or np.any(case.start):
        return None
    each = [Context(i.quadrature, int(c)) for c in range(said.rows.shape[1])]
    if len(each) > SEVERAL:
        return None
    allowed = BOUNDS * (found.bound + found.excuse)[1][keep].max(axis=1)
    names = []
    for c in wrong.tolist():
        std = said.std[keep, :, c].mean(axis=1)
        for other, context in enumerate(each):
            due = np.sqrt(each[c].under(i.times[keep], 1.0, context.g2)[1])
            if other != c and np.all(np.abs(std - due) <= np.maximum(LEAST, allowed[:, c]) * due):
                names.append(f"{c} has the g of coordinate {other}")
                break
        else:
            return None
    return f"in the declared standard deviation coordinate {', coordinate '.join(names)}"


def constant(d: Declaration) -> Told | None:
    """A standard deviation that is the same at all times, the mean being right."""
    level = float(d.std[-1])
    if d.mean_wrong or d.shift_wrong or level <= 0 or not same(d.std, level, d.tol):
        return None
    if np.min(d.std_due) > 0.5 * np.max(d.std_due):
        return None
    end = ", which is due at the end of time only" if same(d.std_due[-1:], level, 1e-3) else ""
    return Told(
        "constant_std",
        f"the standard deviation is {level:.6g} at all times{end}: use the time given",
    )


def started(d: Declaration) -> Told | None:
    """A law that starts from another point, or blurred: right for the SDE from there on."""
    if d.shift_wrong or not d.straight or not (d.mean_wrong or d.std_wrong) or len(d.t) < 5:
        return None
    factor = d.alpha / d.alpha_due
    blur = (d.std**2 - d.std_due**2) / d.alpha_due**2
    told = d.alpha_due > 1e-3 * np.max(d.alpha_due)
    k, s2 = (float(np.median(v[told])) for v in (factor, blur))
    if not same(factor[told], k, d.loose) or s2 < 0:
        return None
    if not np.all(np.abs(blur - s2)[told] * d.alpha_due[told] ** 2 <= d.loose * d.std[told] ** 2):
        return None
    if k <= 0 or s2 <= 0 or abs(k - 1) <= d.loose:  # the blurred reading has a name of its own
        return None
    return Told(
        "start",
        f"the declared law is that of the SDE started at t = 0 from {number(k)} x0 with standard"
        f" deviation {s2**0.5:.6g}, not from x0: at t = 0 α = 1 and σ = 0 are due (divide ᾱ by"
        " its value at 0)",
    )
