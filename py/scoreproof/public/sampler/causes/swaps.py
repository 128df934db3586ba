"""Levels of other indices in the place of those of a step, in words and as numbers.

Conventions: as in `numbers`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes.matching import Swap
from scoreproof.public.sampler.causes.numbers import names, of_levels, table_of
from scoreproof.public.sampler.causes.question import shape_of
from scoreproof.public.sampler.causes.steps import Steps
from scoreproof.public.sampler.data import Level

__all__ = ["swaps"]


def swaps(job: Job, steps: Steps) -> list[Swap]:
    """Levels of other indices in the place of those of the step, in words and as numbers."""
    grid = (*steps.before, steps.after[-1])
    n = steps.count

    def at(shift: int, end: int) -> tuple[Level, ...]:
        return tuple(grid[min(max(k + end + shift, 0), n)] for k in range(n))

    now, after = steps.before, steps.after
    found = [
        # its end taken from k has the same numbers in every right step: x itself
        Swap(
            "all that belongs to the step's start (α, σ at t) is taken from the next index of the"
            " grid (k + 1 for k), or all that belongs to its end from the index before (k for"
            " k + 1): x stays at the level it is at",
            of_levels(at(1, 0), after),
        ),
        Swap(
            "all that belongs to the step's start (α, σ at t) is taken from the index before"
            " (k - 1 for k)",
            of_levels(at(-1, 0), after),
        ),
        Swap(
            "all that belongs to the step's end (α, σ at t_next) is taken one index too far down"
            " the grid (k + 2 for k + 1)",
            of_levels(now, at(1, 1)),
        ),
        Swap(
            "all that belongs to the step's end (α, σ at t_next) is taken from the index before its"
            " start (k - 1 for k + 1): x is led back to where it came from",
            of_levels(now, at(-2, 1)),
        ),
        Swap(
            "the two ends of the step are exchanged (α, σ of t_next for those of t, and the"
            " reverse)",
            of_levels(after, now),
            late=True,
        ),
        Swap(
            "both ends of the step are taken one index too far down the grid (k + 1 for k)",
            of_levels(at(1, 0), at(1, 1)),
        ),
        Swap(
            "both ends of the step are taken one index too early (k - 1 for k)",
            of_levels(at(-1, 0), at(-1, 1)),
        ),
    ]
    own = of_levels(now, after)
    for name, base in (("log10", 10.0), ("log2", 2.0)):
        log = {n: own[n] / np.log(base) for n in ("h", "h_prev")}
        found.append(
            Swap(f"h = λ_next - λ_t is formed with {name}, where the natural log is due", log)
        )
    table = table_of(job)
    if table is not None:
        found += _of_table(table, steps)
        beta = names(job, steps)["beta_table"]
        found.append(
            Swap(
                "β_t is the training table's betas[t], which covers one timestep only; this list"
                " skips timesteps, and its step needs β_t = 1 - ᾱ_t/ᾱ_prev (and α_t ="
                " ᾱ_t/ᾱ_prev)",
                {"beta_t": beta, "alpha_t": 1 - beta},
            )
        )
    return found


def _of_table(table: np.ndarray, steps: Steps) -> list[Swap]:
    t = np.round([v.when for v in steps.before]).astype(int)
    last = steps.after[-1]
    listed = np.append(t[1:], -1 if last.sigma == 0 else round(last.when))
    vp = shape_of(steps) == "VP"
    found: list[Swap] = []
    total, n = len(table), steps.count
    ends = [(f"t - {total // n}, the stride {total} // {n}", t - total // n)]
    ends += [("t - 1, the entry of the table before", t - 1)]
    ends += [
        (f"one entry {w} the next timestep", listed + k) for w, k in (("above", 1), ("below", -1))
    ]
    for text, at in ends:
        if np.all(at == listed):
            continue
        bar = np.where(at >= 0, table[np.clip(at, 0, total - 1)], 1.0)
        made = of_levels(steps.before, tuple(_level(b, vp) for b in bar))
        k = int(np.argmax(at != listed))
        found.append(
            Swap(
                f"the step leads to timestep {text} (from {t[k]} to {at[k]}), but the next one of"
                f" timesteps is {listed[k]}: take it from the list of timesteps",
                made,
            )
        )
    for name, k in (("before", -1), ("after", 1)):
        shifted = [
            tuple(
                _level(table[min(max(j + k, 0), total - 1)] if j + k >= 0 else 1.0, vp) for j in at
            )
            for at in (t, listed)
        ]
        same = steps.after
        both = (shifted[0], (*shifted[1][:-1], shifted[1][-1] if listed[-1] >= 0 else same[-1]))
        sign = "-" if k < 0 else "+"
        say = f"ᾱ is taken from the entry of the table {name} the timestep (t {sign} 1 for t)"
        found.append(Swap(f"{say}, at both ends of the step", of_levels(*both)))
        found.append(Swap(f"{say}, at the step's start", of_levels(shifted[0], same)))
    return found


def _level(bar: float, vp: bool) -> Level:
    if vp:
        return Level(0.0, float(np.sqrt(bar)), float(np.sqrt(1 - bar)))
    return Level(0.0, 1.0, float(np.sqrt((1 - bar) / bar)))
