"""Why the rule of one node is wrong: asked with other gradients, and against the right rule.

Conventions
-----------
- The rule is a user's ``autograd.Function`` or ``custom_vjp``, or a node of a framework that does
  not differentiate what it computes.
- Words continue "for `argument`, the backward of [node] returns …".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoreproof.causes.closed_forms import closed_form, number
from scoreproof.diagnosis import Diagnosis
from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Local, Program
from scoreproof.public.backward.compared import undone
from scoreproof.public.backward.rule_terms import scaled_argument, term_missing
from scoreproof.public.backward.sites import Site
from scoreproof.public.backward.surrogates import surrogate
from scoreproof.public.backward.true_rules import TrueRule, true_rule
from scoreproof.public.backward.wrong_parts import wrong_parts
from scoreproof.words import enumerated

__all__ = ["rule_diagnosis"]

FINE = 1e-6  # relative to the argument's gradient, where differences are no coarser
FLAT = 1e-7


@dataclass(frozen=True, eq=False)
class _Rule:
    """The node's own rule and the right one, at its arguments, with one random gradient."""

    program: Program
    v: int
    own: Local
    right: Local
    truth: TrueRule
    g: Leaves
    found: list[Leaves]
    due: list[Leaves]

    @property
    def limit(self) -> float:
        return max(FINE, 20 * self.truth.error)

    def name(self, k: int) -> str:
        node = self.program.nodes[self.v]
        u = self.program.nodes[node.arguments[k]]
        return f"`{u.name}`" + (f" (argument {k + 1})" if len(node.arguments) > 1 else "")

    def known(self, k: int) -> bool:
        return self.truth.jacobians[k] is not None

    def wrong(self) -> list[int]:
        return [k for k in range(len(self.due)) if self.known(k) and not self.same(k, self.due[k])]

    def same(self, k: int, sent: Leaves, factor: float = 1.0) -> bool:
        gap = np.abs(self.found[k].flat() - factor * sent.flat())
        size = max(self.found[k].norm(), self.due[k].norm()) / max(gap.size, 1) ** 0.5
        return bool(np.all(gap <= self.limit * max(size, 1e-300)))

    def alike(self, k: int, sent: Leaves) -> bool:
        """Whether this is what is due."""
        gap = np.abs(self.due[k].flat() - sent.flat())
        size = self.due[k].norm() / max(gap.size, 1) ** 0.5
        return bool(np.all(gap <= self.limit * max(size, 1e-300)))


def rule_diagnosis(program: Program, v: int, rng: np.random.Generator) -> Diagnosis | None:
    """The cause, or None if it is not seen."""
    right, truth = true_rule(program, v)
    own = program.local(v)
    g = own.value.like(rng.standard_normal(own.value.size))
    rule = _Rule(program, v, own, right, truth, g, own.pull(g), right.pull(g))
    wrong = rule.wrong()
    if not wrong:
        return None
    found = _of_the_gradient(rule) or _exchanged(rule, wrong)
    if found is None:
        told = [_argument(rule, k) for k in wrong]
        if len(set(told)) == 1:
            name = told[0][0]
            words = f"for {enumerated([rule.name(k) for k in wrong])}, {told[0][1]}"
        else:
            name = next((n for n, _ in told if n), "")
            words = "; ".join(
                f"for {rule.name(k)}, {t}" for k, (_, t) in zip(wrong, told, strict=True)
            )
        found = name, words
    name, words = found
    rest = [rule.name(k) for k in range(len(rule.due)) if rule.known(k) and k not in wrong]
    tail = f" {enumerated(rest)} {'is' if len(rest) == 1 else 'are'} right." if rest else ""
    text = f"the backward of [{program.nodes[v].shown}] returns, {words}.{tail}"
    if not name:
        return Diagnosis.unknown(f"{text[0].upper()}{text[1:]} No known fault explains it.")
    return Diagnosis.cause(name, f"Cause: {text}")


def _of_the_gradient(rule: _Rule) -> tuple[str, str] | None:
    """What it does with the gradient that arrives: nothing, or something that is not linear."""
    if not any(x.norm() for x in rule.found):
        return None
    of_zeros = rule.own.pull(0.0 * rule.g)
    if any(x.norm() > 1e-12 * y.norm() for x, y in zip(of_zeros, rule.found, strict=True)) and (
        any(
            np.linalg.norm(x.flat() - y.flat()) > 1e-9 * y.norm()
            for x, y in zip(of_zeros, rule.found, strict=True)
        )
    ):
        return (
            "term_without_gradient",
            "for a gradient of zeros, something else than zeros: a term of it is not multiplied by"
            " the incoming gradient (grad_output)",
        )
    flipped = rule.own.pull(-rule.g)
    large = rule.own.pull(1e8 * rule.g)
    sizes = [max(x.norm(), 1e-300) for x in rule.found]

    def alike(a: Sequence[Leaves], b: Sequence[Leaves]) -> bool:
        return all(
            float(np.linalg.norm(x.flat() - y.flat())) <= 1e-9 * s
            for x, y, s in zip(a, b, sizes, strict=True)
        )

    if alike(flipped, rule.found) and alike(large, rule.found):
        return (
            "incoming_ignored",
            "for every gradient that arrives, the same: the incoming gradient (grad_output) is"
            " ignored; multiply by it",
        )
    # 1e8 times the rounding of what was found is no difference
    if alike([1e-8 * x for x in large], rule.found):
        return None if alike(flipped, [-x for x in rule.found]) else _masked(rule, flipped)
    limits = [float(np.max(np.abs(x.flat()), initial=0.0)) for x in large]
    if max(limits) < 1e6 * max(sizes):
        shown = number(max(limits), 1e-9)
        return (
            "clipped",
            f"for large gradients, no more than {shown}: the gradient is clipped to ±{shown} in it",
        )
    return None


def _masked(rule: _Rule, flipped: Sequence[Leaves]) -> tuple[str, str] | None:
    """g and -g are treated differently."""
    k = next((k for k, x in enumerate(rule.found) if x.size == rule.g.size), None)
    if k is not None:
        g, f, b = rule.g.flat(), rule.found[k].flat(), flipped[k].flat()
        if not np.any(f[g < 0]) and not np.any(b[g > 0]):
            return (
                "masked_by_gradient",
                f"for {rule.name(k)}, 0 wherever the arriving gradient is negative: the mask is"
                " taken from the sign of the gradient, not from the argument",
            )
    return (
        "not_linear",
        "for g and -g, what is not the negative of one another: it depends on the sign of the"
        " arriving gradient, and a derivative multiplies it",
    )


def _exchanged(rule: _Rule, wrong: Sequence[int]) -> tuple[str, str] | None:
    """Each wrong argument gets what is due to another."""
    taken = {}
    for k in wrong:
        for j in range(len(rule.due)):
            alike = [a.shape for a in rule.due[j].arrays] == [a.shape for a in rule.due[k].arrays]
            if j != k and alike and rule.same(k, rule.due[j]):
                taken[k] = j
    if sorted(taken) != sorted(wrong) or sorted(taken.values()) != sorted(wrong):
        return None
    names = enumerated([rule.name(k) for k in wrong])
    return "exchanged", f"for {names}, each other's gradients: they are exchanged"


def _argument(rule: _Rule, k: int) -> tuple[str, str]:
    """What is returned for one argument; no name where no cause is seen."""
    if not np.any(rule.found[k].flat()):
        return "no_gradient", "nothing (0 or None): it gets no gradient"
    j = rule.truth.jacobians[k]
    assert j is not None
    if float(np.max(np.abs(j), initial=0.0)) <= FLAT * max(
        1.0, float(np.max(np.abs(rule.own.value.flat()), initial=0.0))
    ):
        return surrogate(rule.program, rule.v, k, rule.own)
    factor = _fitted(rule, k, rule.due[k])
    if factor is not None:
        if abs(factor + 1) <= rule.limit:
            return "sign", "the negative of what is due: flip the sign"
        shown = number(factor, rule.limit)
        form = closed_form(factor, rule.limit) or shown
        return "factor", f"{shown} times what is due{_of_axis(rule, k, factor)}: {undone(form)}"
    site = Site(rule.program, rule.v, k, rule.right, rule.g, others=False)
    for part in wrong_parts(site):
        c = _fitted(rule, k, part.sent) if part.scaled else 1.0 * rule.same(k, part.sent)
        if c and (abs(c - 1) <= rule.limit or closed_form(c, rule.limit) is not None):
            shown = "" if abs(c - 1) <= rule.limit else number(c, rule.limit).split(" = ")[-1]
            return part.name, part.told(shown)
    due, found = rule.due[k], rule.found[k]
    return (
        term_missing(due, found, rule.own, k, rule.g, rule.limit)
        or scaled_argument(due, rule.own, k, rule.g, lambda sent: rule.alike(k, sent))
        or ("", _ratios(rule, k))
    )


def _ratios(rule: _Rule, k: int) -> str:
    """How far off it is, entry by entry."""
    due, found = rule.due[k].flat(), rule.found[k].flat()
    sure = np.abs(due) > 1e-6 * np.max(np.abs(due))
    ratio = found[sure] / due[sure]
    alike = float(found @ due / max(np.linalg.norm(found) * np.linalg.norm(due), 1e-300))
    return (
        f"{float(ratio.min()):.3g} to {float(ratio.max()):.3g} times what is due, entry by entry"
        f" (as vectors the two have the cosine {alike:.3g})"
    )


def _of_axis(rule: _Rule, k: int, factor: float) -> str:
    """The factor by the length of the last axis, if it is one of n/(n - 1) and the like."""
    shape = rule.due[k].arrays[0].shape
    n = shape[-1] if shape else 0
    form = closed_form(factor, rule.limit, {"n": float(n)}) if n > 2 else None
    by_axis = form is not None and form != closed_form(factor, rule.limit)
    return f" ({form} for n = {n}, its last axis)" if by_axis else ""


def _fitted(rule: _Rule, k: int, sent: Leaves) -> float | None:
    """The factor by which this is what was found."""
    x, y = sent.flat(), rule.found[k].flat()
    size = float(x @ x)
    if not np.isfinite(size) or size == 0 or np.unique(np.round(y, 12)).size < 2:
        return None
    c = float(x @ y) / size
    return c if rule.same(k, sent, c) else None
