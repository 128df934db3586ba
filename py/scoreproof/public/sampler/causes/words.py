"""A mistaken formula in words: what stands in the step, and what is due.

Conventions: clauses without a full stop, except where they are whole sentences.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from scoreproof.public.sampler.causes.language import SIGNS, Program, Tree, places, shown
from scoreproof.public.sampler.causes.matching import Found
from scoreproof.public.sampler.causes.steps import Steps
from scoreproof.public.sampler.data import Level
from scoreproof.public.sampler.words import at_level

__all__ = ["constant", "mistaken", "of_the_churn", "reading", "summed", "where"]

_SIMPLE = {
    np.sqrt(2): "√2",
    1 / np.sqrt(2): "1/√2",
    -0.5: "-1/2",
    2 * np.pi: "2π",
    np.log(10): "ln 10",
    1 / np.log(10): "1/ln 10",
    np.log(2): "ln 2",
    1 / np.log(2): "1/ln 2",
}
#: steps of an equation with noise, whose ODE has half of their score
HALVES = ("Euler–Maruyama", "the reverse diffusion predictor")


#: what a formula is not read without
TOLD = {"var", "std", "sigma_up", "sigma_down", "a_down", "mid_sigma"}
TOLD |= {"r", "s", "q", "k", "c_0", "c_t", "mean", "D", "e", "y"}
#: parts of the posterior's mean
INNER = ("c_0", "c_t")


def constant(c: float) -> str:
    """A fitted number, with its closed form where it is one."""
    for value, name in _SIMPLE.items():
        if abs(c / value - 1) < 1e-6:
            return f"{c:.6g} = {name}"
    return f"{c:.6g}"


def summed(parts: Iterable[tuple[float, str]]) -> str:
    """``0.9684 x - 2.761 x_0``."""
    text = ""
    for c, name in parts:
        sign = (" - " if c < 0 else " + ") if text else ("-" if c < 0 else "")
        text += f"{sign}{abs(c):.4g} {name}"
    return text


def mistaken(answer: Found) -> tuple[str, str]:
    """What is wrong, and what makes it right."""
    program = answer.formula.program
    if answer.instead is not None:
        return answer.instead.text, f"right: {_whole(program)}"
    m = answer.mistake
    assert m is not None
    target, due = program[m.statement]
    left = shown(("name", target))
    churn = _churned(due, m.tree) if answer.factor is None else None
    if churn is not None:
        return churn
    if answer.factor is not None:
        what = shown(m.was, 2)
        c = answer.factor
        if c == 0:
            text = f"{what} is left out of {left}"
        elif c == -1:
            text = f"{what} has the wrong sign in {left} (it is negated, -1 times what is due)"
        elif c == 2:
            text = f"{what} is doubled in {left} (the factor 2)"
        elif c == 0.5:
            text = f"{what} is halved in {left} (the factor 1/2)"
        else:
            text = f"{what} is multiplied by {constant(c)} in {left}"
    else:
        was, now = _terms(due, m.tree)
        sign = was[0] in "+-" and was[1:] == now[1:] and was[0] != now[0]
        gone = _left_out(due, m.tree)
        if gone:
            return f"{gone} is left out of {left}", f"right: {left} = {shown(due)}" + _with(
                program, m.statement
            )
        text = f"it has {now} where {was} is due{' (the sign)' * sign}, in {left}"
    return text, f"right: {left} = {shown(due)}{_with(program, m.statement)}{_of(program, target)}"


def _of(program: Program, target: str) -> str:
    """Where a part of the posterior's mean stands in it, or an x that a step begins with."""
    of = {"y": "x_next", **dict.fromkeys(INNER, "mean")}.get(target, "")
    tree = dict(program).get(of)
    return f", in {of} = {shown(tree)}" if tree else ""


def _churned(due: Tree, tree: Tree) -> tuple[str, str] | None:
    """A mistaken noise of EDM, which a step adds before it goes down; programs have it behind the
    step before, where x has come to σ.
    """
    used = {p[1] for p, _ in places(due) if p[0] == "name"}
    if "sigma_hat_next" not in used or tree[0] != "+" or tree[1] != due[1] or tree == due:
        return None
    was, now = (shown(_renamed(t[2]), 2) for t in (due, tree))
    return (
        f"the noise that is added at the start of a step, to lift x from σ_t to σ̂, is {now} where"
        f" {was} is due",
        f"right: x_hat = x + {was}",
    )


def of_the_churn(answer: Found) -> bool:
    """Whether what is mistaken is the noise that a step of EDM starts with."""
    m = answer.mistake
    if m is None or answer.factor is not None:
        return False
    return _churned(answer.formula.program[m.statement][1], m.tree) is not None


def _renamed(tree: Tree) -> Tree:
    """The numbers of the step before, as those of the step that begins."""
    names = {"sigma_hat_next": "sigma_hat", "sigma_next": "sigma_t"}
    if tree[0] == "name":
        return ("name", names.get(tree[1], tree[1]))
    return tuple(_renamed(t) if isinstance(t, tuple) else t for t in tree)


def reading(answer: Found) -> str:
    """What a mistake amounts to, where it has a name."""
    m, name = answer.mistake, answer.formula.name
    about = shown(m.was) if m is not None else ""
    scored = "score" in about or "out" in about
    if name in HALVES and answer.factor == 0.5 and scored:
        return (
            "; that is the drift of the probability-flow ODE, ½ g² score, kept while noise is"
            " added. Two mends fit: the whole score with the noise (an SDE step, as above), or half"
            " of it without the noise (an ODE step)"
        )
    if answer.factor is not None and about.endswith("z") and name == "EDM":
        return "; that is S_noise, which is 1 in a sampler that keeps the laws"
    used = {p[1] for p, _ in places(m.now) if p[0] == "name"} if m is not None else set()
    for name in sorted(used):
        base, _, where = name.rpartition("_")
        if where == "old" and name in SIGNS:
            return f"; {SIGNS[name]} is that of the step before"
        if where in ("before", "after"):
            return f"; that is a table of {base} read at t {'-' if where == 'before' else '+'} 1"
    return ""


def _terms(due: Tree, tree: Tree) -> tuple[str, str]:
    """The terms of a sum that differ, or the whole."""
    ones, twos = _flat(due), _flat(tree)
    if len(ones) == len(twos) > 1:
        odd = [(a, b) for a, b in zip(ones, twos, strict=True) if a != b]
        if len(odd) == 1:
            (s, was), (r, now) = odd[0]
            if was == now:
                return f"{s} {shown(was, 2)}", f"{r} {shown(now, 2)}"
            return shown(was, 2), shown(now, 2)
    return shown(due), shown(tree)


def _left_out(due: Tree, tree: Tree) -> str:
    """The one term of a sum that is not there."""
    ones, twos = _flat(due), _flat(tree)
    gone = [t for t in ones if t not in twos]
    if len(ones) == len(twos) + 1 and len(gone) == 1 and all(t in ones for t in twos):
        return shown(gone[0][1], 2)
    return ""


def _flat(tree: Tree, sign: str = "+") -> list[tuple[str, Tree]]:
    if tree[0] in "+-" and len(tree) == 3:
        turned = {"+": "-", "-": "+"}
        last = sign if tree[0] == "+" else turned[sign]
        return [*_flat(tree[1], sign), *_flat(tree[2], last)]
    return [(sign, tree)]


def _with(program: Program, k: int) -> str:
    """The statements that the k-th needs, as far as they are not evident; what is used once only
    is put in where it is used.
    """
    made = dict(program[:k])
    for name in INNER:
        own = _uses(program[k][1], name)
        if name in made and not own and sum(_uses(tree, name) for _, tree in program) == 1:
            put = made.pop(name)
            made = {t: _replaced(e, name, put) for t, e in made.items()}
    needed, seen = [program[k][1]], set()
    while needed:
        tree = needed.pop()
        for part, _ in places(tree):
            if part[0] == "name" and part[1] in made and part[1] not in seen:
                seen.add(part[1])
                needed.append(made[part[1]])
    told = [f"{shown(('name', t))} = {shown(e)}" for t, e in made.items() if t in seen & TOLD]
    return f", with {', '.join(told)}" if told else ""


def _uses(tree: Tree, name: str) -> int:
    return sum(part == ("name", name) for part, _ in places(tree))


def _replaced(tree: Tree, name: str, put: Tree) -> Tree:
    if tree == ("name", name):
        return put
    return tuple(_replaced(t, name, put) if isinstance(t, tuple) else t for t in tree)


def _whole(program: Program) -> str:
    target, tree = program[-1]
    return f"{shown(('name', target))} = {shown(tree)}{_with(program, len(program) - 1)}"


def where(steps: Steps, wrong: np.ndarray, start: int = 0) -> str:
    """At which steps, where not at all of them."""
    n = steps.count
    k = np.flatnonzero(wrong)
    if len(k) >= n - 2 - start:
        return ""
    first, last = steps.before[k[0]], steps.before[k[-1]]
    if len(k) == 1:
        return f" in the step from {place(first)} (step {k[0]} of {n})"
    if len(k) == k[-1] - k[0] + 1:
        return f" in the steps from {place(first)} to {place(last)} ({len(k)} of {n})"
    return f" in {len(k)} of {n} steps, the first from {place(first)}"


def place(level: Level) -> str:
    """``980 (σ = 1)``."""
    return at_level(level)
