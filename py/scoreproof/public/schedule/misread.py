"""Tables whose ᾱ is another: read from the wrong numbers, or with a shifted signal-to-noise ratio.

Conventions: as in `words`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.public.schedule.agreeing import agrees
from scoreproof.public.schedule.reading import READERS
from scoreproof.public.schedule.shapes import LEAST
from scoreproof.public.schedule.tables import Base, Table

__all__ = ["meant", "shifted"]


def meant(
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
        if np.sum(wrong) >= LEAST and np.all(off):
            return found, due
    return None


def shifted(
    table: Table,
    name: str,
    values: np.ndarray,
    base: Base,
    due: np.ndarray,
    allowed: np.ndarray,
    wrong: np.ndarray,
) -> str:
    """A shifted schedule: ᾱ / (1 - ᾱ) times a constant."""
    if name not in READERS or name == "alphas" or np.sum(wrong) < LEAST:
        return ""
    with np.errstate(all="ignore"):
        bar = READERS[name](values)
        ratio = bar / (1 - bar) * (1 - base.bar) / base.bar
        middle = float(np.median(ratio[np.isfinite(ratio)])) if np.isfinite(ratio).any() else 0.0
        shifted = middle * base.bar / (1 - base.bar + middle * base.bar)
        likely = table.of(replace(base, bar=shifted))
    found = middle > 0 and agrees(values, likely, due, allowed, wrong)
    return f"{middle:.6g}" if found else ""
