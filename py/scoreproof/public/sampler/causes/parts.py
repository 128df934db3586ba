"""The one term that is wrong, where no simple slip explains the steps: its factor in each step.

Conventions: as in `steps`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.public.sampler.causes.coefficients import Question
from scoreproof.public.sampler.causes.confusions import VECTORS
from scoreproof.public.sampler.causes.etas import etas
from scoreproof.public.sampler.causes.formulas import Formula
from scoreproof.public.sampler.causes.language import Tree, evaluated, places, shown, weight
from scoreproof.public.sampler.causes.matching import CLEAR
from scoreproof.public.sampler.causes.mistakes import factors, put
from scoreproof.public.sampler.causes.words import constant

__all__ = ["Part", "nearest"]

#: a power of a number is told if all steps lie on it so far
ON_IT = 1e-6
POWERS = ("dt", "sigma_t", "sigma_next", "a_t", "a_next", "beta_t", "abar_t", "h")


@dataclass(frozen=True)
class Part:
    """``exact``: whether ``text`` says the factor of all steps in one formula."""

    text: str
    exact: bool


def nearest(formulas: Sequence[Formula], q: Question, given: float | None) -> Part | None:
    """The smallest term of a formula that explains all steps if it has a factor of its own in each
    of them.
    """
    best: tuple[tuple[int, int], Formula, float | None, Tree, np.ndarray, Question] | None = None
    for at, f in enumerate(formulas):
        own = q.of(f)
        for eta in etas(f, own, given) if own is not None else ():
            assert own is not None
            free = {} if eta is None else {"eta": eta}
            for m in factors(f.program):
                program = put(f.program, m.statement, m.tree)
                none, one = (own.made(program, {**free, "c": c}) for c in (0.0, 1.0))
                c, left = _each(own, none, one)
                explained = own.inner & (left <= own.tolerance)
                late = f.program[m.statement][0] not in ("x_next", "mean")
                plain = m.was[0] == "*" and _plain(m.was[1])
                key = (2 * int(late) + int(not plain), at * 100 + weight(m.was))
                wrong = own.worst(own.off(one))
                if (
                    np.all(explained == own.inner)
                    and np.any(own.inner)
                    and (wrong > CLEAR * own.tolerance and (best is None or key < best[0]))
                ):
                    best = key, f, eta, m.was, c, own
    if best is None:
        return None
    _, f, eta, was, c, own = best
    ratio = c[own.inner]
    name = f.name + ("" if eta is None else f" (η = {eta:g})")
    target, tree = next(s for s in f.program if any(p == was for p, _ in places(s[1])))
    due = f"right: {shown(('name', target))} = {shown(tree)}"
    head = f"the steps are those of {name}, but {shown(was, 2)} has the factor"
    if was[0] == "*":
        known = {**own.names, **({} if eta is None else {"eta": eta})}
        value = _value_of(was[1], f, known, own)
        stands = _steady(ratio * value) or _less(ratio * value, value, shown(was[1], 2))
        if stands:
            return Part(
                f"the steps are those of {name}, but in front of {shown(was[2], 2)} stands {stands}"
                f" in every step, where {shown(was[1])} is due; {due}",
                True,
            )
    power = _power(ratio, own)
    if power:
        return Part(f"{head} {power} that is not due; {due}", True)
    first, last = own.inner.argmax(), len(own.inner) - 1 - own.inner[::-1].argmax()
    return Part(
        f"{head} {c[first]:.4g} in the first step and {c[last]:.4g} in the last (between"
        f" {np.min(ratio):.4g} and {np.max(ratio):.4g}), where 1 is due; all else is right. Look at"
        f" what stands in front of it; {due}",
        False,
    )


def _plain(tree: Tree) -> bool:
    return not any(p[0] == "name" and p[1] in VECTORS for p, _ in places(tree))


def _value_of(tree: Tree, f: Formula, names: Mapping[str, Any], q: Question) -> np.ndarray:
    """The numbers that a coefficient has, at the steps that are compared."""
    scalars = tuple(s for s in f.program if s[0] not in VECTORS)
    value = evaluated((*scalars, ("coefficient", tree)), names)["coefficient"]
    return np.asarray(np.broadcast_to(value, (len(q.inner),))[q.inner])


def _steady(values: np.ndarray) -> str:
    """A number that is the same in all steps, as 1/n if it is that."""
    if len(values) < 4 or not np.ptp(values) <= ON_IT * abs(values[0]) or values[0] == 0:
        return ""
    n = 1 / abs(values[0])
    whole = f" = {'-' if values[0] < 0 else ''}1/{round(n)}" if abs(n - round(n)) < 1e-6 * n else ""
    return f"{values[0]:.6g}{whole}"


def _less(stands: np.ndarray, due: np.ndarray, name: str) -> str:
    """A level less by the same in all steps, itself or its square, with a root or without."""
    if len(stands) < 4 or name != "σ_next" or np.any(stands <= 0):
        return ""
    with np.errstate(all="ignore"):
        c = float(np.sqrt(due[-1] ** 2 - stands[-1] ** 2))  # a small level tells a small c best
        d = float(np.sqrt(due[-1] ** 2 - stands[-1]))
        e = float(due[-1] - stands[-1])
        for text, value in (
            (f"√(σ_next² - {c:.4g}²)", np.sqrt(due**2 - c**2)),
            (f"σ_next² - {d:.4g}²", due**2 - d**2),
            (f"σ_next - {e:.4g}", due - e),
        ):
            if np.all(np.abs(value - stands) <= ON_IT * stands):
                return text
    return ""


def _each(
    q: Question, none: dict[str, np.ndarray], one: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The factor of each step, and what it leaves."""
    top = bottom = np.zeros(len(q.inner))
    with np.errstate(all="ignore"):
        for n, v in q.measured.items():
            change, due = ((w - none[n]) * q.sizes[n] for w in (one[n], v))
            top, bottom = top + change * due, bottom + change**2
        c = np.where(bottom > 0, top / bottom, np.nan)
        off = [
            np.abs(v - none[n] - c * (one[n] - none[n])) * q.sizes[n] for n, v in q.measured.items()
        ]
        return c, np.nan_to_num(np.max(off, axis=0), nan=np.inf)


def _power(ratio: np.ndarray, q: Question) -> str:
    """``0.5·(t - t_next)^-0.5``, where the ratio is a power of one number of each step."""
    if len(ratio) < 4 or np.any(ratio <= 0):
        return ""
    if np.ptp(ratio) <= ON_IT * ratio[0]:
        return constant(float(ratio[0]))
    for n in POWERS:
        values = q.names.get(n)
        values = None if values is None else np.asarray(values)[q.inner]
        if values is None or not np.all((values > 0) & np.isfinite(values)):
            continue
        if np.ptp(np.log(values)) < 1e-3:
            continue
        p = round(2 * float(np.polyfit(np.log(values), np.log(ratio), 1)[0])) / 2
        rest = ratio / values**p
        if p and np.ptp(rest) <= ON_IT * abs(rest[0]):
            c = "" if abs(rest[0] - 1) < ON_IT else f"{constant(float(rest[0]))}·"
            return f"{c}{shown(('name', n))}^{p:g}"
    return ""
