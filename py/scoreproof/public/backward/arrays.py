"""A wrong gradient, array by array: none at all, exchanged, transposed, a factor, clipped.

Conventions: a reading explains only to what rounding may explain (``Compared.limit``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.causes.answers import Answer, reading
from scoreproof.causes.closed_forms import closed_form, number
from scoreproof.diagnosis import Diagnosis
from scoreproof.interop.leaves import Leaves
from scoreproof.public.backward.compared import NO_FACTOR, Compared, gradients_of, undone

__all__ = ["array_causes", "common_factor", "late_causes"]

ROUND = 1e-6  # how sharply a norm must be a round number


def array_causes(c: Compared, wrong: Sequence[int] | None = None) -> Diagnosis | None:
    """What needs no look into the function, of all wrong arrays or of those given."""
    wrong = c.wrong if wrong is None else wrong
    for cause in (_nothing, _exchanged, _transposed, _common_factor):
        found = cause(c, wrong)
        if found is not None:
            return found
    return None


def late_causes(c: Compared) -> Diagnosis | None:
    """What is said only if no rule of a node explains it."""
    wrong = c.wrong
    for cause in (_each_alone, _weight_decay, _signs, _same_reading):
        found = cause(c, wrong)
        if found is not None:
            return found
    return None


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
            if (
                q != p
                and [a.shape for a in c.due[q].arrays] == shape
                and c.same(p, c.due[q].flat())
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
    text = "; ".join(
        f"`{c.names[p]}` gets the gradient of `{c.names[q]}`" for p, q in taken.items()
    )
    return Diagnosis.cause("another_gradient", f"Cause: {text}.{c.rest(wrong)}")


def _transposed(c: Compared, wrong: Sequence[int]) -> Diagnosis | None:
    for p in wrong:
        a = c.due[p].arrays[0]
        if a.ndim < 2 or a.shape[-1] != a.shape[-2] or not c.same(p, np.swapaxes(a, -1, -2)):
            return None
    if not wrong:
        return None
    verb = "is" if len(wrong) == 1 else "are"
    text = f"Cause: {gradients_of(c, wrong)} {verb} transposed: transpose back.{c.rest(wrong)}"
    return Diagnosis.cause("transposed", text)


def common_factor(c: Compared, places: Sequence[int]) -> tuple[float, float] | None:
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
    fit = common_factor(c, wrong) if wrong else None
    if fit is None:
        return None
    factor, within = fit
    if abs(factor - 1) <= NO_FACTOR:  # it prints as 1, and the arrays agree with what is due
        return None
    verb = "is" if len(wrong) == 1 else "are"
    what = gradients_of(c, wrong) if len(wrong) < len(c.names) else "the whole gradient"
    verb = verb if len(wrong) < len(c.names) else "is"
    if abs(factor + 1) <= 2 * within:
        text = f"{what} {verb} the negative of what is due: flip the sign"
        return Diagnosis.cause("sign", f"Cause: {text}.{c.rest(wrong)}")
    shown = number(factor, within)
    form = closed_form(factor, within) or shown
    hint = _sizes(factor, within, c) + _norm(c, wrong, factor)
    text = f"{what} {verb} {shown} times what is due: {undone(form)}{hint}"
    return Diagnosis.cause("factor", f"Cause: {text}.{c.rest(wrong)}")


def _sizes(factor: float, within: float, c: Compared) -> str:
    """The same factor by the sizes of the problem."""
    form = closed_form(factor, within, c.known)
    named = [f"{k} = {v:g}" for k, v in c.known.items() if form is not None and k in form]
    if not named or form == closed_form(factor, within):
        return ""
    hint = {"n": ": a sum where a mean is due", "1/n": ": a mean where a sum is due"}
    return f" (it is {form} for {', '.join(named)} rows{hint.get(str(form), '')})"


def _norm(c: Compared, wrong: Sequence[int], factor: float) -> str:
    """A gradient that was shortened to a round norm."""
    size = float(np.linalg.norm([c.found[p].norm() for p in wrong]))
    form = closed_form(size, ROUND)
    if not 0 < factor < 1 or form is None or abs(size - float(f"{size:.2g}")) > ROUND * size:
        return ""
    return f" (its norm is {size:.3g}: it looks clipped to that norm)"


def _each_alone(c: Compared, wrong: Sequence[int]) -> Diagnosis | None:
    """Each array has a simple cause of its own."""
    if len(wrong) < 2:
        return None
    told = []
    for p in wrong:
        found = array_causes(c, [p])
        if found is None:
            return None
        told.append(found.sentence.removeprefix("Cause: ").partition(c.rest([p]))[0].rstrip("."))
    text = f"Cause: several mistakes: {'; '.join(told)}.{c.rest(wrong)}"
    return Diagnosis.cause("several", text)


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
    verb = "has" if len(wrong) == 1 else "have"
    text = (
        f"Cause: {gradients_of(c, wrong)} {verb} {shown} times the array itself on top, as of a"
        f" weight decay that the function does not have.{c.rest(wrong)}"
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
        f"Cause: every entry of {gradients_of(c, wrong)} is {size:.6g} or -{size:.6g}: the sign of"
        f" what is due{kind}.{c.rest(wrong)}"
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
