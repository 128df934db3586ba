"""A sweep over noise levels in words, as a table and as curves.

Conventions: errors are relative to how far E[x_0 | x] moves, as in `verdict`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.growth import grows
from scoreproof.public.denoiser.sweep import AtLevel, Sweep
from scoreproof.public.denoiser.verdict import measured
from scoreproof.tabular import Table
from scoreproof.words import percent

#: errors from which a multiple is said, not a percentage
MANY = 10.0

__all__ = [
    "curves_of",
    "place",
    "read_as",
    "shares",
    "size_of",
    "size_of_movement",
    "span_of",
    "table_of",
    "when",
    "where",
]


def read_as(sweep: Sweep) -> str:
    return "" if sweep.prediction == "x0" else f", read as {sweep.asked_for},"


def size_of(error: float) -> str:
    """In percent; the sentence says of what."""
    return "0" if error == 0 else percent(error)


def size_of_movement(error: float, least: float | None = None) -> str:
    """In percent, or in multiples, of how far E[x_0 | x] moves; with ``least`` from that on."""
    if error >= MANY:
        low = "" if least is None else f"{least:.3g} to "
        return f"{low}{error:.3g} times the distance that E[x_0 | x] moves"
    low = "" if least is None else f"{size_of(least)} to "
    return f"{low}{size_of(error)}{' of how far E[x_0 | x] moves' if error else ''}"


def when(a: AtLevel, sweep: Sweep) -> str:
    name, t = sweep.levels.name, a.level.when
    return f"at {name} {t:g}" if sweep.levels.whole else f"at {name} = {t:.3g}"


def span_of(judged: list[AtLevel], sweep: Sweep) -> str:
    name = sweep.levels.name
    times = sorted(a.level.when for a in judged)
    ratio = [a.level.ratio for a in judged]
    of = f" (σ/α from {min(ratio):.3g} to {max(ratio):.3g})" if name != "σ" else ""
    return f"{len(judged)} noise levels, {name} {times[0]:.4g} to {times[-1]:.4g}{of}"


def where(wrong: list[AtLevel], sweep: Sweep) -> str:
    """Which levels, where they are a stretch of all."""
    at = list(sweep.at)
    which = [at.index(a) for a in wrong]
    if len(wrong) == len(at):
        return ""
    names = [f"{a.level.when:.4g}" for a in wrong]
    if len(which) > 1 and which == list(range(which[0], which[-1] + 1)):
        if which[0] == 0:
            return f", all with σ/α up to {wrong[-1].level.ratio:.3g}"
        if which[-1] == len(at) - 1:
            return f", all with σ/α from {wrong[0].level.ratio:.3g} on"
        return f", σ/α from {wrong[0].level.ratio:.3g} to {wrong[-1].level.ratio:.3g}"
    return f" ({sweep.levels.name} {', '.join(names[:6])}{', …' if len(names) > 6 else ''})"


def place(a: AtLevel, sweep: Sweep) -> str:
    measure = measured(a.answers, a.request, a.eps)
    k, j = np.unravel_index(int(np.argmax(measure.error / measure.size)), measure.error.shape)
    shape = sweep.network.shape
    entry = f"coordinate {j}"
    if len(shape) > 1:
        index = ", ".join(str(int(i)) for i in np.unravel_index(int(j), shape))
        entry = f"entry ({index}) of a sample of shape {shape}"
    alpha = a.request.problem.alpha
    due = a.answers.due.mean[a.answers.answers.which[k], j] / alpha
    found = a.answers.found[k, j] / alpha
    return (
        f"Worst at {_kind(a)}, {entry}: E[x_0 | x] would be {found:.6g} where {due:.6g} is due"
        f" (off by {abs(found - due):.3g})."
    )


def shares(sweep: Sweep) -> str:
    """How wrong it is on the whole: the rms error by level, and the share of points and levels at
    which it is near.
    """
    rms = [a.rms for a in sweep.at]
    low, high = sweep.at[int(np.argmin(rms))], sweep.at[int(np.argmax(rms))]
    tolerance = sweep.at[0].request.problem.tolerance
    errors = np.concatenate([np.max(_relative(a), axis=1) for a in sweep.at])
    within = [tolerance, 5 * tolerance] if tolerance else [0.01, 0.1]
    near = " and ".join(f"{100 * np.mean(errors <= w):.3g} % within {percent(w)}" for w in within)
    growth = grows(np.array([a.level.ratio for a in sweep.at]), np.array(rms), "σ/α")
    return (
        f"Over draws of x the rms error is {size_of_movement(high.rms, low.rms)} (the"
        f" largest {when(high, sweep)}{', ' + growth if growth else ''}); of all points and levels"
        f" {near}"
        f"{', where ' + percent(tolerance) + ' is the tolerance' if tolerance else ''}."
    )


def _relative(a: AtLevel) -> np.ndarray:
    measure, m = measured(a.answers, a.request, a.eps), len(a.answers.due.y)
    return np.asarray(measure.error[:m] / measure.size[:m])


def _kind(a: AtLevel) -> str:
    between = f"a point between two {a.request.problem.kind}"
    return {"between": between, "far": "a draw far out"}.get(a.where, "a draw of x")


def table_of(sweep: Sweep) -> Table:
    name = sweep.levels.name
    head = ("σ",) if name == "σ" else (name, "σ/α")
    rows = []
    for a in sweep.at:
        at = (a.level.when,) if name == "σ" else (a.level.when, a.level.ratio)
        said = a.idle and f"not judged: {a.idle}" or a.evidence.verdict
        rows.append((*at, a.largest, _kind(a), a.rms, a.shared, said))
    shared = f"{sweep.at[0].request.problem.kind} within reach"
    return Table((*head, "largest error", "at", "rms over draws", shared, "verdict"), tuple(rows))


def curves_of(sweep: Sweep) -> dict[str, tuple[list[float], list[float]]]:
    along = [a.level.ratio for a in sweep.at]
    return {
        "largest error": (along, [a.largest for a in sweep.at]),
        "rms over draws of x": (along, [a.rms for a in sweep.at]),
    }
