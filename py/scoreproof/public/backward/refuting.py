"""Refutations of a function of PyTorch or JAX: what is wrong, how much, where, what is due."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.claims.backprop.statement import TRUTH
from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.errors import ScoreproofError
from scoreproof.evidence import Evidence
from scoreproof.interop.running import backward_pass, gradients
from scoreproof.public.backward import words
from scoreproof.public.backward.buffers import buffer_diagnosis
from scoreproof.public.backward.entries import Entries, flat
from scoreproof.public.backward.gradient_causes import gradient_diagnosis
from scoreproof.public.backward.own_rules import rule_diagnosis
from scoreproof.public.backward.probes import Probe
from scoreproof.public.backward.seen import Seen
from scoreproof.public.backward.side_effects import side_effect, side_effects
from scoreproof.public.backward.slots import SlotFinding
from scoreproof.public.backward.through_integers import Passed
from scoreproof.public.backward.whole import along, nearby_point
from scoreproof.public.rule import compared
from scoreproof.words import percent

__all__ = ["by_values", "not_finite", "through_integers", "wrong_gradient", "wrong_rule"]


def _refuted(
    seen: Seen, error: float, bound: float, sentence: str, diagnosis: Diagnosis | None
) -> Evidence:
    return compared(
        [error],
        [bound],
        sentence,
        coverage=seen.coverage(),
        tolerance=seen.question.tolerance,
        **seen.more(),
    ).with_diagnosis(diagnosis)


def _undecided(seen: Seen, sentence: str) -> Evidence:
    return Evidence.undecided("float", sentence, coverage=seen.coverage(), **seen.more())


def wrong_rule(seen: Seen, rules: Sequence[SlotFinding], rng: np.random.Generator) -> Evidence:
    """The user's own rule of a node is not the derivative of the node."""
    tolerance = seen.question.tolerance
    nodes = sorted({f.node for f in rules})
    worst = max(rules, key=lambda f: f.error(tolerance)[0])
    named = words.listed([seen.program.nodes[v].label for v in nodes])
    sentence = (
        f"the backward of [{named}] is not the derivative of its values"
        f"{words.along(seen, rules)}{_inherited(seen, rng)}"
    )
    diagnosis = _of_rule(seen, nodes[0], rng)
    return _refuted(seen, *worst.error(tolerance), sentence, diagnosis)


def _of_rule(seen: Seen, node: int, rng: np.random.Generator) -> Diagnosis | None:
    """What the rule of a node does, by its Jacobian, or by its pairings alone."""

    def found() -> Diagnosis | None:
        try:
            effect = side_effect(seen.program, node, rng)
            return effect or rule_diagnosis(seen.program, node, rng)
        except ScoreproofError:  # it fails at other gradients
            return None

    return safely(lambda: found() or words.node_diagnosis(seen.findings, node))


def _inherited(seen: Seen, rng: np.random.Generator) -> str:
    """Whether the whole gradient is off as well, by how much of a directional derivative."""
    probe = _whole(seen, rng)
    off = probe.off / max(abs(probe.back), abs(probe.value), 1e-300)
    if not probe.usable or probe.off <= probe.slack or off < 4 * seen.program.eps:
        return ""
    part = percent(off)
    return f"; {seen.question.who} of the whole function inherits it ({part} off along a direction)"


def _whole(seen: Seen, rng: np.random.Generator) -> Probe:
    point = seen.program.point()
    found = [*seen.found, *[x.zeros() for x in point[len(seen.found) :]]]
    found = [x.like(np.nan_to_num(x.flat(), posinf=0, neginf=0)) for x in found]
    (probe,) = along(seen.program, point, seen.seed, found, rng, [range(len(seen.found))])
    return probe


def through_integers(seen: Seen, passed: Passed) -> Evidence:
    """A part of the derivative that no gradient holds."""
    node = seen.program.nodes[passed.node]
    sentence = (
        f"the value changes through the integers that node [{node.shown}] makes of floating"
        f" numbers, at the rate {passed.rate:.4g} along a random direction of the inputs, and no"
        f" gradient passes through integers: {seen.question.who} holds nothing of it"
    )
    cause = Diagnosis.cause(
        "bits_of_a_float",
        f"Cause: [{node.label}] reads the bits of floating numbers as integers; the gradient stops"
        " there, and the value does not: give that part a backward of its own (custom_vjp,"
        " autograd.Function), or compute it without bits (bits_of_a_float).",
    )
    return _refuted(seen, 1.0, passed.rounding / abs(passed.rate), sentence, cause)


def wrong_gradient(seen: Seen, rng: np.random.Generator) -> Evidence:
    """The gradient of the whole is not the sum over paths."""
    program, who, entries = seen.program, seen.question.who, seen.entries
    wrong = entries.wrong(seen.question.tolerance)
    with np.errstate(divide="ignore"):
        ratio = np.where(wrong, entries.error / np.maximum(entries.bound, 1e-300), 0.0)
    i = int(np.argmax(ratio))
    tolerance, p = seen.question.tolerance, int(entries.source[i])
    if tolerance and entries.off_by_norm(tolerance)[p]:
        places = entries.by_norms()
        error, bound = float(places.error[p]), float(places.bound[p])
    else:
        scale = max(abs(entries.due[i]), abs(entries.found[i]))
        if tolerance:
            scale = max(float(entries.size[i]), 1e-300)
        error, bound = float(entries.error[i] / scale), float(entries.bound[i] / scale)
    where = words.entry(seen, i, int(np.count_nonzero(wrong)))
    if _right_if_held(seen):
        held = words.listed([program.nodes[v].shown for v in sorted(program.held)])
        sentence = (
            f"{who} is that of another function: a straight-through or detached path at node"
            f" [{held}], {where}; if that is what you want, it is right with these nodes held"
            " constant, but it is not the derivative"
        )
        return _refuted(seen, error, bound, sentence, None)
    sentence = f"{who} is not the derivative, the sum over all paths of the graph, {where}"
    diagnosis = safely(lambda: _besides(seen, rng) or gradient_diagnosis(seen, rng))
    if seen.question.gradient is None and not (diagnosis and diagnosis.names):
        sentence += (
            "; the usual causes are a part that is detached out of the graph's sight"
            " (torch.no_grad() inside, say) and a hook that changes a gradient"
        )
    return _refuted(seen, error, bound, sentence, diagnosis)


def _besides(seen: Seen, rng: np.random.Generator) -> Diagnosis | None:
    """What a call does besides computing: buffers that it writes, and what own rules overwrite."""
    if seen.question.gradient is not None:
        return None
    return buffer_diagnosis(seen) or side_effects(seen.program, rng)


def _right_if_held(seen: Seen) -> bool:
    """Whether the gradient is right if detached nodes are read as constants."""
    if not seen.program.held or seen.nearby:
        return False
    run = backward_pass(seen.program, seen.seed, held=True)
    state = TRUTH.push(run, run.seeded())
    due, e = flat([state[v] for v in seen.at]), seen.entries
    read = Entries(e.found, due, due, e.rounding, e.source, e.eps, e.unit, e.stored)
    return not np.any(read.wrong(seen.question.tolerance))


def not_finite(seen: Seen, rng: np.random.Generator) -> Evidence:
    """nan or inf, at inputs where the function is finite: wrong where it can be differentiated."""
    p = next(i for i, g in enumerate(seen.found) if not np.all(np.isfinite(g.flat())))
    bad = ~np.isfinite(seen.found[p].flat())
    label = seen.program.nodes[seen.at[p]].label
    where = seen.found[p].where(int(np.argmax(bad)))
    sentence = (
        f"{seen.question.who} is nan or inf in {np.count_nonzero(bad)} of {bad.size} entries of"
        f" {label}, first at {where}, where the function is finite: the usual causes are an"
        " infinite derivative (sqrt, or a norm, at 0), a where() whose unused branch is infinite,"
        " and overflow"
    )
    probe = _whole(seen, rng)
    if probe.usable and not probe.kinked and probe.slack < 1e-3 * abs(probe.value):
        return _refuted(seen, 1.0, seen.program.eps, sentence, None)
    return _undecided(seen, sentence)


def by_values(seen: Seen, rng: np.random.Generator) -> Evidence | None:
    """A framework's own rule differs from its node's values: does the whole gradient differ?"""
    program = seen.program
    nodes = sorted({f.node for f in seen.bad})
    named = words.listed([program.nodes[v].label for v in nodes])
    point = nearby_point(program, rng)
    if point is None:
        return _undecided(
            seen,
            f"the backward of [{named}] is not the derivative of its values, and whether it matters"
            " cannot be seen: the function is not finite around the inputs",
        )
    _, found = gradients(program, point, seen.seed)
    blocks = [[p] for p in range(len(point))]
    probes = along(program, point, seen.seed, found, rng, blocks * 2)
    accepted = seen.question.tolerance or 0.0
    off = [p for p in probes if p.usable and p.off > p.slack + accepted * p.scale]
    if not off:
        return None
    worst = max(off, key=lambda p: p.off / max(p.scale, 1e-300))
    scale = worst.scale or abs(worst.value)
    sentence = (
        f"the backward of [{named}] is not the derivative of its values (a straight-through or"
        f" detached path in it, or a wrong rule){words.along(seen, seen.bad)}; {seen.question.who}"
        " of the whole function inherits it"
    )
    diagnosis = safely(lambda: buffer_diagnosis(seen)) or _of_rule(seen, nodes[0], rng)
    return _refuted(seen, worst.off / scale, worst.slack / scale, sentence, diagnosis)
