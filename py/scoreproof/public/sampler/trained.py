"""What a scheduler object says of the levels that its network was trained at, beside its steps.

Conventions: ``x = α x_0 + σ ε``; the level of a timestep is what the object's own ``add_noise``
makes of it. Its table of ᾱ says σ/α = √((1 - ᾱ) / ᾱ) of the same timestep: where a timestep lies
between two entries, or was rounded to a whole one, the level lies between those around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import as_numpy
from scoreproof.public.rule import COARSEST, settled
from scoreproof.public.sampler.data import Level
from scoreproof.public.sampler.hooks import Hooks

__all__ = ["contradicted"]

#: levels of so few timesteps do not tell which clock they are on
FEWEST = 4
#: numbers are proportional to others, or affine in them, to this part of their range
SAME = 1e-4
#: a timestep that was rounded is off by less than one of the table
ROUNDED = 1.0
#: relative: beyond the entries around a timestep by more than a table in single precision may be
SLACK = 1e-3


def contradicted(name: str, s: Any, levels: Sequence[Level], hooks: Hooks) -> Evidence | None:
    """Members of the object that contradict each other about the levels of x; ``None`` where there
    are none.
    """
    table = _table(s)
    for found in (
        None if table is None else _of_the_table(table, levels),
        _of_the_start(hooks, levels[0], table),
        _of_the_input(hooks, table is not None),
    ):
        if found is not None:
            cause, off, text, remedy = found
            if not cause:
                return Evidence.undecided("convergent", f"{name}: {text}")
            seen = Coverage({"levels": len(levels)})
            wrong = Evidence("convergent", "refuted", off, COARSEST, f"{name}: {text}")
            wrong = settled(wrong, resolution=2 * COARSEST, coverage=seen)
            return wrong.with_diagnosis(Diagnosis.cause(cause, f"Cause: {remedy}."))
    return None


Found = tuple[str, float, str, str] | None


def _table(s: Any) -> np.ndarray | None:
    """σ/α of each entry of the object's ᾱ."""
    held = getattr(s, "alphas_cumprod", None)
    try:
        bar = np.asarray(as_numpy(held), dtype=float) if held is not None else np.zeros(0)
    except (TypeError, ValueError):
        return None
    if bar.ndim != 1 or len(bar) < FEWEST or np.any((bar < 0) | (bar >= 1)):
        return None
    with np.errstate(all="ignore"):
        return np.asarray(np.sqrt((1 - bar) / bar))


def _of_the_table(table: np.ndarray, levels: Sequence[Level]) -> Found:
    """A level that is not that of its timestep. σ beyond those of the table have its last timestep,
    which is a convention of lists of σ.
    """
    when, ratio = np.array([(v.when, v.sigma / v.alpha) for v in levels if v.alpha > 0]).T
    if not _counts(when, ratio, levels, len(table)):
        return None
    last = len(table) - 1
    low, high = (
        table[np.clip(f(when + by), 0, last).astype(int)]
        for f, by in ((np.floor, -ROUNDED), (np.ceil, ROUNDED))
    )
    low, high = np.minimum(low, high), np.maximum(low, high)
    inside = (when > ROUNDED) & (when < last - ROUNDED) & (ratio > 0)
    wrong = inside & ((ratio < low * (1 - SLACK)) | (ratio > high * (1 + SLACK)))
    if not np.any(wrong):
        return None
    due = np.interp(when, np.arange(last + 1), table)
    off = np.where(wrong, np.abs(np.log(np.maximum(ratio, 1e-300) / due)), 0.0)
    k = int(np.argmax(off))
    text = (
        f"its steps keep the law of its own add_noise, but not the one of its alphas_cumprod: at"
        f" timestep {when[k]:g} add_noise makes σ/α = {ratio[k]:.4g}, where its table says"
        f" √((1 - ᾱ) / ᾱ) = {due[k]:.4g}, the level that a network trained by that table is told"
        f" by this timestep ({np.sum(wrong)} of {len(when)} timesteps are off)"
    )
    known = {
        "σ is (1 - ᾱ) / ᾱ: the root is missing": table**2,
        "σ is ((1 - ᾱ) / ᾱ)^(1/4): the root is taken twice": np.sqrt(table),
        "σ is √(1 - ᾱ): the division by √ᾱ is missing": table / np.hypot(1, table),
        "σ is 1 - ᾱ: the root and the division by √ᾱ are missing": 1 / (1 + table**-2.0),
        "σ is √(ᾱ / (1 - ᾱ)), upside down": 1 / table,
        "they are those of the table in reverse order": table[::-1],
    }
    for words, values in known.items():
        likely = np.interp(when, np.arange(last + 1), values)
        near = np.abs(ratio / likely - 1)[inside]
        if np.all(near <= COARSEST):
            return "table", float(off[k]), text, f"{words}; √((1 - ᾱ) / ᾱ) is due"
    remedy = (
        "sigmas (or add_noise) and alphas_cumprod are of two schedules: make the one of the other,"
        " σ/α = √((1 - ᾱ) / ᾱ) at each timestep, or set the timesteps that belong to these σ"
    )
    return "table", float(off[k]), text, remedy


def _counts(when: np.ndarray, ratio: np.ndarray, levels: Sequence[Level], total: int) -> bool:
    """Whether the timesteps count entries of the table: and are no σ, log σ or t/T, nor levels of a
    straight path, which has no use for the table.
    """
    if len(np.unique(when)) < FEWEST or np.any(when < 0) or not 1 < np.max(when) <= total:
        return False
    if all(abs(v.alpha + v.sigma - 1) < SAME for v in levels):
        return False
    sigma = np.array([v.sigma for v in levels if v.alpha > 0])
    with np.errstate(all="ignore"):
        clocks = [ratio, sigma, np.log(ratio), ratio**2]
    kept = ratio > 0
    for clock in clocks:
        line = np.stack([clock[kept], np.ones(int(np.sum(kept)))]).T
        left = when[kept] - line @ np.linalg.lstsq(line, when[kept], rcond=None)[0]
        if np.max(np.abs(left)) <= SAME * np.ptp(when):
            return False
    return True


def _of_the_start(hooks: Hooks, first: Level, table: np.ndarray | None) -> Found:
    if hooks.starts(first):
        return None
    start = hooks.start or 0.0
    whole = float(np.hypot(first.alpha, first.sigma))
    text = (
        f"init_noise_sigma is {start:.4g}, but x at the first timestep, {first.when:g}, has noise"
        f" of standard deviation {first.sigma:.4g}, by its own add_noise: a pipeline that starts"
        f" from noise times init_noise_sigma starts with {start / first.sigma:.3g} times the noise"
        " that its first step takes x for"
    )
    if table is not None and first.alpha == 1:  # that of all training levels, set once
        top = float(table[-1])
        if any(abs(start / v - 1) < COARSEST for v in (top, float(np.hypot(1, top)))):
            more = "; it is that of the table's last timestep: let it follow set_timesteps"
            return "", 0.0, text + more, ""
    due = f"{first.sigma:.4g}"
    due += f", or {whole:.4g}, x_0 of variance 1 included" if whole > 1.001 * first.sigma else ""
    remedy = f"init_noise_sigma is to be the width of x at the first timestep, {due}"
    if first.alpha == 1 and abs(start - 1) < COARSEST:
        remedy = f"init_noise_sigma = 1 is that of a variance-preserving x; {remedy}"
    return "start", float(abs(np.log(max(start, 1e-300) / first.sigma))), text, remedy


def _of_the_input(hooks: Hooks, by_table: bool) -> Found:
    """A factor of the network's input that no network of its family expects."""
    scaled = hooks.scaled
    if not scaled:
        return None
    levels, factors = [v for v, _ in scaled], np.array([f for _, f in scaled])
    families = hooks.families(levels, by_table)
    off = {n: np.abs(factors / due - 1) for n, due in families.items()}
    # a step's middle may be scaled as its beginning: it is the rule that counts
    if any(np.mean(v > COARSEST) <= 0.5 for v in off.values()):
        return None
    name = next(iter(families))
    k = int(np.argmax(np.abs(np.log(np.maximum(factors, 1e-300) / families[name]))))
    level, factor, due = levels[k], factors[k], families[name][k]
    text = (
        f"scale_model_input multiplies x by {factor:.3g} at timestep {level.when:g}, where x has"
        f" α = {level.alpha:.3g}, σ = {level.sigma:.3g}: its network"
        f"{', trained by its alphas_cumprod,' if by_table else ''} wants {due:.3g}, {name}"
    )
    total = np.array([(v.alpha * hooks.length) ** 2 + v.sigma**2 for v in levels])
    sigma = np.array([v.sigma for v in levels])
    instead = "it is no factor that is known"
    for words, values in (
        ("x is left as it is", np.ones(len(levels))),
        ("it divides by α² + σ²: the root is missing", 1 / total),
        ("it multiplies where it has to divide", np.sqrt(total)),
        ("it divides by σ alone", 1 / sigma),
        ("it divides by 1 + σ", 1 / (1 + sigma)),
    ):
        if np.mean(np.abs(factors / values - 1) > COARSEST) <= 0.5:
            instead = words
            break
    return "input", float(abs(np.log(max(factor, 1e-300) / due))), text, f"{instead}; {name} is due"
