"""A wrong gradient, array by array: none at all, exchanged, transposed, a factor, clipped.

Conventions
-----------
- ``Compared`` holds what was found and what is due of every asked gradient, and what rounding may
  explain; a reading explains only to that.
- The arrays are called as the author of the function called them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoreproof.causes.answers import Answer, reading
from scoreproof.causes.closed_forms import closed_form, number
from scoreproof.diagnosis import Diagnosis
from scoreproof.interop.leaves import Leaves
from scoreproof.words import enumerated

__all__ = ["Compared", "array_causes", "late_causes", "places"]

ROUND = 1e-6  # how sharply a norm must be a round number


@dataclass(frozen=True, eq=False)
class Compared:
    """``values``: the arrays at which the gradients are taken; ``eps``: the spacing of numbers at 1
    in their type; ``known``: sizes that a factor may be made of.
    """

    names: tuple[str, ...]
    found: tuple[Leaves, ...]
    due: tuple[Leaves, ...]
    values: tuple[Leaves, ...]
    bound: np.ndarray
    eps: float
    known: dict[str, float]

    def part(self, flat: np.ndarray, p: int) -> np.ndarray:
        start = sum(x.size for x in self.due[:p])
        return flat[start : start + self.due[p].size]

    @property
    def all_found(self) -> np.ndarray:
        return np.concatenate([np.zeros(0), *[x.flat() for x in self.found]])

    @property
    def all_due(self) -> np.ndarray:
        return np.concatenate([np.zeros(0), *[x.flat() for x in self.due]])

    @property
    def limit(self) -> np.ndarray:
        """What is no difference, where the answer may be larger than what is due."""
        found, due = self.all_found, self.all_due
        typical = np.concatenate(
            [np.zeros(0), *[np.full(x.size, x.norm() / max(x.size, 1) ** 0.5) for x in self.found]]
        )
        with np.errstate(all="ignore"):
            grown = np.maximum(1.0, np.abs(found) / np.maximum(np.abs(due), 1e-300))
        grown = np.where(due == 0, 1.0, np.minimum(grown, 1e6))
        return 2 * self.bound * grown + 32 * self.eps * (np.abs(found) + typical)

    @property
    def wrong(self) -> list[int]:
        """Which arrays are off."""
        off = np.abs(self.all_found - self.all_due) > self.bound
        return [p for p in range(len(self.names)) if np.any(self.part(off, p))]

    def explained(self, flat: np.ndarray) -> bool:
        """Whether these entries are what was found."""
        with np.errstate(all="ignore"):
            return bool(np.all(np.abs(self.all_found - flat) <= self.limit))

    def same(self, p: int, array: np.ndarray) -> bool:
        """Whether this is what was found in array p."""
        gap = np.abs(self.found[p].flat() - np.asarray(array).ravel())
        return bool(np.all(gap <= self.part(self.limit, p)))

    def called(self, places: Sequence[int]) -> str:
        return enumerated([f"`{self.names[p]}`" for p in places])

    def rest(self, wrong: Sequence[int]) -> str:
        """``; `x` and `b` are right`` or nothing."""
        right = [p for p in range(len(self.names)) if p not in wrong]
        if not right:
            return ""
        shown = self.called(right[:6]) + (" …" if len(right) > 6 else "")
        return f" {shown} {'is' if len(right) == 1 else 'are'} right."


def array_causes(c: Compared) -> Diagnosis | None:
    """What needs no look into the function."""
    wrong = c.wrong
    for cause in (_nothing, _exchanged, _transposed, _common_factor):
        found = cause(c, wrong)
        if found is not None:
            return found
    return None


def late_causes(c: Compared) -> Diagnosis | None:
    """What is said only if no rule of a node explains it."""
    wrong = c.wrong
    for cause in (_weight_decay, _own_factors, _signs, _same_reading):
        found = cause(c, wrong)
        if found is not None:
            return found
    return None


def _of(c: Compared, wrong: Sequence[int]) -> str:
    return f"the gradient{'s' if len(wrong) > 1 else ''} of {c.called(wrong)}"


def _nothing(c: Compared, wrong: Sequence[int]) -> Diagnosis | None:
    if any(np.any(c.found[p].flat()) for p in wrong):
        return None
    verb = "gets" if len(wrong) == 1 else "get"
    text = (
        f"Cause: {c.called(wrong)} {verb} no gradient: it is 0 in every entry, or None."
        " Look for a detach, a .data, a no_grad() on the way, or a gradient that is never"
        f" assigned.{c.rest(wrong)}"
    )
    return Diagnosis.cause("no_gradient", text)


def _exchanged(c: Compared, wrong: Sequence[int]) -> Diagnosis | None:
    taken = {}
    for p in wrong:
        shape = [a.shape for a in c.due[p].arrays]
        for q in range(len(c.names)):
            if q != p and [a.shape for a in c.due[q].arrays] == shape and c.same(
                p, c.due[q].flat()
            ):
                taken[p] = q
    if len(taken) < len(wrong) or not wrong:
        return None
    if sorted(taken) == sorted(taken.values()):
        text = f"the gradients of {c.called(wrong)} are exchanged: "
        text += "; ".join(
            f"`{c.names[p]}` gets what is due to `{c.names[q]}`" for p, q in taken.items()
        )
        return Diagnosis.cause(
            "exchanged", f"Cause: {text}. Return them in the order of the inputs.{c.rest(wrong)}"
        )
    text = "; ".join(f"`{c.names[p]}` gets the gradient of `{c.names[q]}`" for p, q in taken.items())
    return Diagnosis.cause("another_gradient", f"Cause: {text}.{c.rest(wrong)}")


def _transposed(c: Compared, wrong: Sequence[int]) -> Diagnosis | None:
    for p in wrong:
        a = c.due[p].arrays[0]
        if a.ndim < 2 or a.shape[-1] != a.shape[-2] or not c.same(p, np.swapaxes(a, -1, -2)):
            return None
    if not wrong:
        return None
    verb = "is" if len(wrong) == 1 else "are"
    text = f"Cause: {_of(c, wrong)} {verb} transposed: transpose back.{c.rest(wrong)}"
    return Diagnosis.cause("transposed", text)


def _factor(c: Compared, places: Sequence[int]) -> tuple[float, float] | None:
    """``(factor, how well it is known)`` of some arrays together."""
    found = np.concatenate([c.found[p].flat() for p in places])
    due = np.concatenate([c.due[p].flat() for p in places])
    limit = np.concatenate([c.part(c.limit, p) for p in places])
    size = float(due @ due)
    if size == 0:
        return None
    factor = float(found @ due) / size
    if np.any(np.abs(found - factor * due) > limit):
        return None
    told = np.unique(np.round(due / np.max(np.abs(due)), 9)).size
    within = max(float(np.linalg.norm(limit)) / size**0.5, 1e-12)
    if told < 2 and closed_form(factor, within, c.known) is None:
        return None
    return factor, within


def _common_factor(c: Compared, wrong: Sequence[int]) -> Diagnosis | None:
    fit = _factor(c, wrong) if wrong else None
    if fit is None:
        return None
    factor, within = fit
    verb = "is" if len(wrong) == 1 else "are"
    what = _of(c, wrong) if len(wrong) < len(c.names) else "the whole gradient"
    verb = verb if len(wrong) < len(c.names) else "is"
    if abs(factor + 1) <= 2 * within:
        text = f"{what} {verb} the negative of what is due: flip the sign"
        return Diagnosis.cause("sign", f"Cause: {text}.{c.rest(wrong)}")
    shown = number(factor, within, c.known)
    form = closed_form(factor, within, c.known) or shown
    hint = _sizes(form, c) + _norm(c, factor)
    undo = f"multiply by {form[2:]}" if form.startswith("1/") else f"divide by {form}"
    text = f"{what} {verb} {shown} times what is due: {undo}{hint}"
    return Diagnosis.cause("factor", f"Cause: {text}.{c.rest(wrong)}")


def _sizes(form: str, c: Compared) -> str:
    """What the names in a closed form stand for."""
    named = [f"{k} = {v:g}" for k, v in c.known.items() if k in form]
    if not named:
        return ""
    hint = {"n": ": a sum where a mean is due", "1/n": ": a mean where a sum is due"}.get(form, "")
    return f" ({', '.join(named)} rows{hint})"


def _norm(c: Compared, factor: float) -> str:
    """A gradient that was shortened to a round norm."""
    size = float(np.linalg.norm(c.all_found))
    form = closed_form(size, ROUND)
    if not 0 < factor < 1 or form is None or abs(size - float(f"{size:.2g}")) > ROUND * size:
        return ""
    return f" (its norm is {size:.3g}: it looks clipped to that norm)"


def _own_factors(c: Compared, wrong: Sequence[int]) -> Diagnosis | None:
    """Each array has a factor of its own."""
    fits = [_factor(c, [p]) for p in wrong]
    if not wrong or any(f is None for f in fits):
        return None
    parts = [
        f"`{c.names[p]}` by {number(f[0], f[1], c.known)}"
        for p, f in zip(wrong, fits, strict=True)
        if f is not None
    ]
    text = f"Cause: each gradient is multiplied by a number of its own: {enumerated(parts[:8])}."
    return Diagnosis.cause("factors", text + c.rest(wrong))


def _weight_decay(c: Compared, wrong: Sequence[int]) -> Diagnosis | None:
    """A multiple of the array itself was added."""
    gap, value = (
        np.concatenate([np.zeros(0), *parts])
        for parts in (
            [c.found[p].flat() - c.due[p].flat() for p in wrong],
            [c.values[p].flat() for p in wrong],
        )
    )
    limit = np.concatenate([np.zeros(0), *[c.part(c.limit, p) for p in wrong]])
    size = float(value @ value)
    if size == 0 or value.size < 3:
        return None
    factor = float(gap @ value) / size
    if np.any(np.abs(gap - factor * value) > limit) or np.ptp(value) == 0:
        return None
    within = max(float(np.linalg.norm(limit)) / (abs(factor) * size**0.5), 1e-12)
    shown = number(factor, within, c.known)
    text = (
        f"Cause: {_of(c, wrong)} {'has' if len(wrong) == 1 else 'have'} {shown} times the array"
        f" itself on top, as a weight decay has that the function does not.{c.rest(wrong)}"
    )
    return Diagnosis.cause("weight_decay", text)


def _signs(c: Compared, wrong: Sequence[int]) -> Diagnosis | None:
    """All entries have one size, and the sign of what is due."""
    found = np.concatenate([np.zeros(0), *[c.found[p].flat() for p in wrong]])
    due = np.concatenate([np.zeros(0), *[c.due[p].flat() for p in wrong]])
    size = float(np.max(np.abs(found), initial=0.0))
    if found.size < 4 or np.any(np.abs(found - size * np.sign(due)) > 1e-6 * size):
        return None
    least = float(np.min(np.abs(due)))
    kind = f", clipped to [-{size:.6g}, {size:.6g}]" if least >= size else ""
    text = (
        f"Cause: every entry of {_of(c, wrong)} is {size:.6g} or -{size:.6g}: the sign of what is"
        f" due{kind}.{c.rest(wrong)}"
    )
    return Diagnosis.cause("clipped" if kind else "sign_alone", text)


def _same_reading(c: Compared, wrong: Sequence[int]) -> Diagnosis | None:
    """One reading of every wrong array: clipped, an offset, rows exchanged."""
    parts, names = [], set()
    for p in wrong:
        array, due = (_array(x) for x in (c.found[p], c.due[p]))
        limit = c.part(c.limit, p).reshape(due.shape)
        read = reading(Answer.of(array, due, limit, c.known))
        if read is None:
            return None
        names.add(read.name)
        parts.append(f"of `{c.names[p]}`: {read.words}: {read.remedy}")
    if not parts or len(names) > 1:
        return None
    return Diagnosis.cause(
        names.pop(), f"Cause: the gradient {'; '.join(parts[:3])}.{c.rest(wrong)}"
    )


def _array(x: Leaves) -> np.ndarray:
    return np.asarray(x.arrays[0], float)


def places(c: Compared) -> str:
    """Which arrays are wrong, and which are right."""
    wrong = c.wrong
    if not wrong:
        return ""
    verb = "is" if len(wrong) == 1 else "are"
    rest = c.rest(wrong).rstrip(".") or " all that were asked for"
    return f"{_of(c, wrong)[0].upper()}{_of(c, wrong)[1:]} {verb} wrong;{rest}"

