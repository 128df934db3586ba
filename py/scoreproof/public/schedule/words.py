"""What a wrong table is instead: other tables, shifted, squared, reversed.

Conventions: a candidate explains a table if it agrees to the bound that the table was held to.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.public.schedule.tables import TABLES, Base

__all__ = ["cause", "entries"]


def cause(name: str, values: np.ndarray, base: Base, allowed: float) -> str:
    """What the values are instead, or what is constant about their error."""
    due = TABLES[name].of(base)
    for text, candidate in _candidates(name, base):
        if candidate.shape != values.shape:
            continue
        with np.errstate(all="ignore"):
            inner = np.isfinite(candidate)
            off = np.abs(values - candidate) <= allowed * np.maximum(np.abs(candidate), 1e-12)
        if np.sum(inner) > 2 and np.all(off[inner]):
            return f"it is {text}, where {TABLES[name].words} is due"
    with np.errstate(all="ignore"):
        ratio = values / due
    ratio = ratio[np.isfinite(ratio)]
    if ratio.size > 2 and np.ptp(ratio) <= allowed * abs(float(np.median(ratio))):
        return f"it is {float(np.median(ratio)):.6g} times {TABLES[name].words}"
    return f"{TABLES[name].words} is due"


def _candidates(name: str, base: Base) -> Iterator[tuple[str, np.ndarray]]:
    due = TABLES[name].of(base)
    with np.errstate(all="ignore"):
        yield "shifted by one: entry t holds that of t - 1", np.concatenate([[np.nan], due[:-1]])
        yield "shifted by one: entry t holds that of t + 1", np.concatenate([due[1:], [np.nan]])
        yield "reversed: entry t holds that of T - 1 - t", due[::-1]
        yield "its square", due**2
        yield "its square root", np.sqrt(due)
        yield "its logarithm", np.log(due)
        yield "its exponential", np.exp(due)
        yield "one minus it", 1 - due
        yield "its reciprocal", 1 / due
        yield "its negative", -due
        yield "exp(-Σβ), the continuous ᾱ", np.exp(-np.cumsum(base.betas))
        yield "exp(-½ Σβ), the continuous √ᾱ", np.exp(-np.cumsum(base.betas) / 2)
        yield "1 - Σβ, a sum for the product", 1 - np.cumsum(base.betas)
        for other, table in TABLES.items():
            if other != name and not np.array_equal(table.of(base), due):
                yield f"{other}, {table.words}", table.of(base)
        yield "√β̃_t", np.sqrt(base.posterior)
        yield "√β_t", np.sqrt(base.betas)
        yield "log β_t", np.log(base.betas)
        yield "β_t (1 - ᾱ_t) / (1 - ᾱ_{t-1})", base.betas * (1 - base.bar) / (1 - base.before)
        one = base.betas * base.bar**0.5 / (1 - base.bar)
        yield "β_t √ᾱ_t / (1 - ᾱ_t): ᾱ_t for ᾱ_{t-1}", one
        two = (1 - base.bar) * (1 - base.betas) ** 0.5 / (1 - base.bar)
        yield "(1 - ᾱ_t) √(1 - β_t) / (1 - ᾱ_t): ᾱ_t for ᾱ_{t-1}", two


def entries(wrong: np.ndarray) -> str:
    """``at all 1000 entries`` or ``at 3 of 1000 entries, the first 7``."""
    n, total = int(wrong.sum()), len(wrong)
    if n == total:
        return f"at all {total} entries"
    return f"at {n} of {total} entries, the first {int(np.argmax(wrong))}"
