"""What a wrong table is instead: other tables, shifted, squared, reversed.

Conventions: a candidate explains a table if it agrees to the bound that the table was held to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from scoreproof.public.schedule.factors import product
from scoreproof.public.schedule.reading import READERS
from scoreproof.public.schedule.tables import TABLES, Base, Table, named

__all__ = ["cause", "entries"]


def cause(name: str, values: np.ndarray, base: Base, bound: np.ndarray, wrong: np.ndarray) -> str:
    """What the values are instead, or what is constant about their error; ``bound`` and ``wrong``
    an entry.
    """
    table = TABLES[named(name)]
    with np.errstate(all="ignore"):
        due = table.of(base)
    if wrong.sum() == 1 and (alone := _alone(values, due, int(np.argmax(wrong)))):
        return f"{table.words} is due; {alone}"
    # a candidate loses digits as the table does
    allowed = np.maximum(4 * bound, 1e-6)
    # a source that is read wrongly explains all that follow from it
    if not base.of_betas and (meant := _meant(table, values, base, allowed, wrong)):
        return f"it is right if the table that it follows from holds {meant[1]}, not {meant[0]}"
    for text, candidate in _candidates(named(name), base, due):
        with np.errstate(all="ignore"):
            inner = np.isfinite(candidate)
            off = np.abs(values - candidate) <= allowed * np.maximum(np.abs(candidate), 1e-12)
        # what it explains has to be most of what is wrong
        if np.sum(inner & wrong) > 2 and np.all(off[inner]):
            return f"it is {text}, where {table.words} is due"
    if known := _constant(values, due, allowed, wrong):
        return f"it is {known} {table.words}"
    if base.of_betas and (meant := _meant(table, values, base, allowed, wrong)):
        return f"it is made of {meant[0]} where {meant[1]} is due"
    if known := _snr(named(name), values, base, wrong):
        return f"its signal-to-noise ratio is {known} times that of β"
    if np.sum(wrong) > 2 and (known := product(values, base, allowed)):
        return f"it is {known}, where {table.words} is due"
    return f"{table.words} is due"


def _meant(
    table: Table, values: np.ndarray, base: Base, allowed: np.ndarray, wrong: np.ndarray
) -> tuple[str, str] | None:
    """Which numbers took the place of which others, if the formula is right for those."""
    places = (
        ("√ᾱ", "ᾱ", base.bar**0.5),
        ("ᾱ", "√ᾱ", base.bar**2),
        ("1 - β", "ᾱ", 1 - base.betas),
    )
    for found, due, bar in places:
        with np.errstate(all="ignore"):
            betas = 1 - np.append(bar[0], bar[1:] / bar[:-1])
            likely = table.of(replace(base, betas=betas, bar=bar))
            off = np.abs(values - likely) <= allowed * np.maximum(np.abs(likely), 1e-12)
        if np.sum(wrong) > 2 and np.all(off):
            return found, due
    return None


def _snr(name: str, values: np.ndarray, base: Base, wrong: np.ndarray) -> str:
    """A shifted schedule: ᾱ / (1 - ᾱ) times a constant."""
    if name not in READERS or name == "alphas" or np.sum(wrong) < 3:
        return ""
    with np.errstate(all="ignore"):
        bar = READERS[name](values)
        ratio = bar / (1 - bar) * (1 - base.bar) / base.bar
    ratio = ratio[np.isfinite(ratio)]
    middle = float(np.median(ratio)) if ratio.size > 2 else 0.0
    return f"{middle:.6g}" if middle > 0 and np.ptp(ratio) <= 1e-3 * middle else ""


def _constant(values: np.ndarray, due: np.ndarray, allowed: np.ndarray, wrong: np.ndarray) -> str:
    with np.errstate(all="ignore"):
        ratio = values / due
    fits = np.isfinite(ratio) & (due != 0)
    if np.sum(fits & wrong) < 3:
        return ""
    middle = float(np.median(ratio[fits]))
    if abs(middle - 1) < 1e-9 or np.any(np.abs(ratio - middle)[fits] > allowed[fits] * abs(middle)):
        return ""
    base = {1 / np.log(10): " (log₁₀ for log)", 1 / np.log(2): " (log₂ for log)"}
    of = next((text for v, text in base.items() if abs(middle / v - 1) < 1e-5), "")
    return f"{middle:.6g} times{of}"


def _alone(values: np.ndarray, due: np.ndarray, k: int) -> str:
    """Where one entry is wrong: the entry whose value it has."""
    value = values[k]
    if not np.isfinite(value):
        return ""
    with np.errstate(all="ignore"):
        near = np.flatnonzero(np.abs(due - value) <= 1e-6 * abs(value))
    near = near[near != k]
    return f"it is what is due at entry {near[0]}" if near.size == 1 and value != 0 else ""


def _candidates(name: str, base: Base, due: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
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
        yield (
            "the product from step 1: the first β is left out",
            (due / (1 - base.betas[0]) if name == "alphas_cumprod" else np.full(len(due), np.nan)),
        )
        yield "√β̃_t", np.sqrt(base.posterior)
        yield "√β_t", np.sqrt(base.betas)
        yield "log β_t", np.log(base.betas)
        yield "β_t (1 - ᾱ_t) / (1 - ᾱ_{t-1})", base.betas * (1 - base.bar) / (1 - base.before)
        one = base.betas * base.bar**0.5 / (1 - base.bar)
        yield "β_t √ᾱ_t / (1 - ᾱ_t): ᾱ_t for ᾱ_{t-1}", one
        yield (
            "β_t ᾱ_{t-1} / (1 - ᾱ_t): ᾱ_{t-1} for its root",
            (base.betas * base.before / (1 - base.bar)),
        )
        twice = (1 - base.before) * (1 - base.betas) / (1 - base.bar)
        yield "(1 - ᾱ_{t-1}) (1 - β_t) / (1 - ᾱ_t): 1 - β_t for its root", twice
        two = (1 - base.bar) * (1 - base.betas) ** 0.5 / (1 - base.bar)
        yield "(1 - ᾱ_t) √(1 - β_t) / (1 - ᾱ_t): ᾱ_t for ᾱ_{t-1}", two


def entries(wrong: np.ndarray) -> str:
    """``at all 1000 entries`` or ``at 3 of 1000 entries, the first 7``."""
    n, total = int(wrong.sum()), len(wrong)
    if n == total:
        return f"at all {total} entries"
    return f"at {n} of {total} entries, the first {int(np.argmax(wrong))}"
