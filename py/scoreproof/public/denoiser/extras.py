"""What else a wrong network is asked: with other options (labels), and for the other half of its
channels.

Conventions: said only where nothing explains the answers themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.frameworks import guarded
from scoreproof.public.denoiser.retold import Tried, tried_levels
from scoreproof.public.denoiser.sweep import AtLevel, Sweep
from scoreproof.words import enumerated, percent

__all__ = ["by_options", "other_half"]

#: levels at which the other half of the channels has to be right
AT = 3
#: roundings that two answers to the same may differ by
ROUNDING = 2.0**12
#: relative: what guidance may leave, and the least that is any
FIT, FEW = 1e-5, 1e-3


def other_half(sweep: Sweep, wrong: list[AtLevel]) -> Diagnosis | None:
    """The prediction is in the second half of the channels, or in every other one."""
    if not sweep.network.halved:
        return None
    tried = _tried(sweep, wrong)
    for half, words in (
        ("second", "in the second half of the channels"),
        ("even", "in every other channel, 0, 2, 4, …"),
        ("odd", "in every other channel, 1, 3, 5, …"),
    ):
        offs = [_off(sweep, a, half) for a in tried]
        if all(a.passes_at(off) for a, off in zip(tried, offs, strict=True)):
            return Diagnosis.cause(
                "other_half_of_the_channels",
                f"Cause: twice the channels come back, and what is due is {words}: take them (what"
                f" is left of the error: {percent(max(offs))}).",
            )
    return None


def _tried(sweep: Sweep, wrong: list[AtLevel]) -> list[Tried]:
    spread = np.unique(np.linspace(0, len(wrong) - 1, min(AT, len(wrong))).round().astype(int))
    return tried_levels(sweep, [wrong[k] for k in spread])


def _off(sweep: Sweep, a: Tried, half: str) -> float:
    other = replace(sweep.network, half=half)
    answer = _answer(other, sweep.told(a.at.level), a.y)
    return np.inf if answer is None else a.off(sweep, answer)


def _answer(network: Any, when: float, rows: np.ndarray) -> np.ndarray | None:
    guard = guarded(network.at(when), "denoiser", network.framework, network.dtype)
    try:
        with np.errstate(all="ignore"):
            out = np.real(np.asarray(as_numpy(guard.raw(rows)))).astype(float)
    except (Exception, SystemExit):
        return None
    return out if np.all(np.isfinite(out)) else None


def by_options(sweep: Sweep, wrong: list[AtLevel]) -> Diagnosis | None:
    """Options (labels, an embedding) that change nothing, or of which others are right; guidance
    away from another.
    """
    tried = _tried(sweep, wrong)
    own = [_answer(sweep.network, sweep.told(a.at.level), a.y) for a in tried]
    if any(v is None for v in own):
        return None
    mine = [a.mean(sweep, v) for a, v in zip(tried, own, strict=True) if v is not None]
    unused = []
    for name, value in sweep.network.options.items():
        moved = []
        for words, v in _others(name, value):
            network = replace(sweep.network, options={**sweep.network.options, name: v})
            there = [_answer(network, sweep.told(a.at.level), a.y) for a in tried]
            other = [a.mean(sweep, u) for a, u in zip(tried, there, strict=True) if u is not None]
            if len(other) < len(tried):
                continue
            moved.append(
                any(
                    np.any(np.abs(u - v) > ROUNDING * a.at.eps * np.max(np.abs(v)))
                    for a, u, v in zip(tried, other, mine, strict=True)
                )
            )
            found = _told_by(words, tried, mine, other) if moved[-1] else None
            if found is not None:
                return found
        if moved and not any(moved):
            unused.append(name)
    if not unused:
        return None
    which, one = enumerated(unused), len(unused) == 1
    return Diagnosis.cause(
        "options_unused",
        f"Cause: {which} {'is' if one else 'are'} not used: the answer is the same, to rounding,"
        f" whatever {'it is' if one else 'they are'}. If the data are those of one label, the"
        " answer for that label is due, not that for all (is the conditioning dropped, or the"
        " unconditional half taken?).",
    )


def _told_by(
    words: str, tried: list[Tried], mine: list[np.ndarray], other: list[np.ndarray]
) -> Diagnosis | None:
    """What the answers with another option say: that they are right, or that it is guidance."""
    if all(
        a.passes_at(float(np.max(np.abs(u - a.due) / a.size)))
        for a, u in zip(tried, other, strict=True)
    ):
        return Diagnosis.cause("option", f"Cause: it is right when told {words}.")
    away = np.concatenate([(a.due - u).ravel() for a, u in zip(tried, other, strict=True)])
    off = np.concatenate([(v - a.due).ravel() for a, v in zip(tried, mine, strict=True)])
    size = float(np.sum(away**2))
    if size == 0:
        return None
    k = float(np.sum(away * off)) / size
    if abs(k) < FEW or np.max(np.abs(off - k * away)) > FIT * np.max(np.abs(off)):
        return None
    return Diagnosis.cause(
        "guidance",
        f"Cause: it is guided: what is due and {k:.6g} times its distance from the answer to"
        f" {words} more; without guidance (a scale of 1, or 0 where it is written 1 + w) it is"
        " right.",
    )


def _others(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Other values of the same kind, in words; nothing for what is no array of numbers."""
    dtype = str(getattr(value, "dtype", ""))
    if not hasattr(value, "shape") or "bool" in dtype:
        return
    if "int" in dtype:
        yield f"{name} + 1", value + 1
        yield f"{name} - 1", value - 1
        yield f"0 for {name}", value * 0
        yield f"-1 for {name}", value * 0 - 1
    elif "float" in dtype:
        yield f"0 for {name}", value * 0
        yield f"{name} + 1", value + 1
