"""A rule of a node with several outputs: with which output's gradient it goes wrong.

Conventions: as in `own_rules`. What the rule returns for an argument is a sum of one part an
output; asked with zeros for the gradients of the others, it shows that part alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Local
from scoreproof.public.backward.rules import Rule, rule_of

__all__ = ["by_output"]

Told = tuple[str, str]


def by_output(
    rule: Rule,
    wrong: Sequence[int],
    rng: np.random.Generator,
    argument: Callable[[Rule, int], Told],
) -> Told | None:
    """``argument``: what is wrong for one argument of a rule with one output."""
    if len(rule.own.value.arrays) < 2:
        return None
    parts = [
        rule_of(rule.program, rule.v, _one_output(rule.own, o), rng)
        for o in range(len(rule.own.value.arrays))
    ]
    told = [_of_argument(parts, k, argument) for k in wrong]
    name = next((n for n, _ in told if n), "")
    words = "; ".join(f"for {rule.name(k)}, {t}" for k, (_, t) in zip(wrong, told, strict=True))
    return name, words


def _one_output(own: Local, o: int) -> Local:
    """The node with the others of its outputs left out."""

    def pull(g: Leaves) -> list[Leaves]:
        whole = list(own.value.zeros().arrays)
        whole[o] = g.arrays[0]
        return own.pull(Leaves(whole))

    return Local(
        own.arguments,
        lambda arguments: Leaves([own.function(arguments).arrays[o]]),
        Leaves([own.value.arrays[o]]),
        pull,
        lambda arguments: _one_output(own.elsewhere(arguments), o),
    )


def _of_argument(parts: Sequence[Rule], k: int, argument: Callable[[Rule, int], Told]) -> Told:
    off = [o for o, part in enumerate(parts) if part.known(k) and k in part.wrong()]
    if not off:  # it goes wrong only with several gradients at once
        return "", "what is due for each output's gradient by itself, and not for all together"
    if len(off) == 2:
        for o, p in (off, off[::-1]):
            found = _taken(parts, k, o, p)
            if found is not None:
                return found
    told = [(o, *argument(parts[o], k)) for o in off]
    right = [o for o in range(len(parts)) if o not in off]
    also = f" ({_listed(right)} {_is(right)} right)" if right else ""
    name = next((n for _, n, _ in told if n), "")
    words = "; ".join(
        f"of the part that the gradient of output {o + 1} brings, {text}" for o, _, text in told
    )
    return name, f"{words}{also}"


def _taken(parts: Sequence[Rule], k: int, o: int, p: int) -> Told | None:
    """The gradient of output o stands where that of output p is due."""
    one, other = parts[o], parts[p]
    try:
        in_place = other.right.pull(other.g.like(one.g.flat()))[k]
    except ValueError:  # outputs of other sizes
        return None
    c = _slope(other, k)
    times = "" if c is None else f"{number(c, other.limit)} times "
    first, second = f"the gradient of output {o + 1}", f"that of output {p + 1}"
    if one.same(k, in_place):
        exchanged = one.right.pull(one.g.like(other.g.flat()))[k]
        if other.same(k, exchanged):
            return "exchanged", f"{first} where {second} is due, and the reverse: exchange them"
    if np.any(other.found[k].flat()) or not one.same(k, one.due[k] + in_place):
        return None
    return (
        "other_outputs_gradient",
        f"{times}{first} where {times}{second} is due: it takes the gradient of output {o + 1}"
        " twice",
    )


def _slope(rule: Rule, k: int) -> float | None:
    """The number that the part is of the gradient, if it is one."""
    due, g = rule.due[k].flat(), rule.g.flat()
    if due.shape != g.shape:
        return None
    c = float(due @ g) / float(g @ g)
    close = float(np.linalg.norm(due - c * g)) <= rule.limit * float(np.linalg.norm(due))
    return c if close and c else None


def _listed(outputs: Sequence[int]) -> str:
    return "that of output " + " and ".join(str(o + 1) for o in outputs)


def _is(outputs: Sequence[int]) -> str:
    return "is" if len(outputs) == 1 else "are"
