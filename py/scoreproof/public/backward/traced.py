"""Judging a graph read from a framework: node by node, both loops, and the gradient, all by
pairings with random tangents.

Why these bounds
----------------
One identity carries everything: for gradients g of a seed and tangents t with injections i, ``Σ_v
⟨g_v, i_v⟩ = ⟨seed, t_out⟩``, both being the sum over all paths. If a slot's product ``J t`` is off
by δ, the right side moves by ``⟨g, δ⟩``; if ``g J`` is off by ε, the left side moves by ``⟨ε, t⟩``:
to first order the two sides differ by at most the sum over slots of ``c (|g| |J t| + |g J| |t|)``,
c the relative (normwise) rounding of one product. An inner product of m terms rounds by at most m
units, and a node's product is made of inner products over its inputs and outputs and of a few
elementary operations per entry, hence ``c = (inputs + outputs + 32) eps``; for a node without
forward mode the error of the differences is added.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.claims.backprop.faults import FAULTS, REASONS, compose, version_of
from scoreproof.claims.backprop.statement import TRUTH
from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import Guarded
from scoreproof.interop.traced import Leaves, TracedGraph
from scoreproof.objects.graphs import BackwardPass, tangents

__all__ = ["judge_traced"]

PROBES = 3  # random directions per comparison; each sees any fixed error with probability 1
MARGIN = 10.0  # by differences: up to this multiple of the estimated error nothing is decided
PAIRS_UP_TO = 60  # slots: beyond it a diagnosis tries single faults only


@dataclass(frozen=True)
class Finding:
    """Two numbers that must agree, as a relative difference against its bound. ``node`` is the node
    it concerns, if one.
    """

    value: float
    bound: float
    node: int | None = None
    estimated: bool = (
        False  # the bound holds an estimate (a node without forward mode), so a margin is left
    )

    @property
    def wrong(self) -> bool:
        return self.ratio > (MARGIN if self.estimated else 1)

    @property
    def ratio(self) -> float:
        return self.value / self.bound if self.bound > 0 else (np.inf if self.value > 0 else 0.0)


def _size(leaves: Leaves) -> int:
    return sum(a.size for a in leaves.arrays)


def _unit(traced: TracedGraph, slot: int, tangent: Leaves) -> tuple[float, bool]:
    """The relative error of a slot's products, and whether it is an estimate."""
    u, w = traced.graph.edges[slot]
    error = traced.slots[slot].error(tangent)
    return (_size(traced.values[u]) + _size(traced.values[w]) + 32) * traced.eps + error, error > 0


def _node_findings(
    traced: TracedGraph, rng: np.random.Generator
) -> list[tuple[int, float, float, Finding]]:
    """For each slot and probe: (slot, ⟨g J, t⟩, ⟨g, J t⟩, finding)."""
    out = []
    for slot, (u, w) in enumerate(traced.graph.edges):
        for _ in range(PROBES):
            g, t = traced.random(rng, w), traced.random(rng, u)
            back, forth = g @ traced.slots[slot], traced.slots[slot] @ t
            left, right = back.dot(t), g.dot(forth)
            scale = g.norm() * forth.norm() + back.norm() * t.norm()
            unit, estimated = _unit(traced, slot, t)
            finding = (
                Finding(abs(left - right) / scale, unit, w, estimated)
                if scale > 0
                else Finding(0.0, traced.eps, w)
            )
            out.append((slot, left, right, finding))
    return out


def _path_finding(
    traced: TracedGraph,
    run: BackwardPass,
    grads: list[Leaves],
    inner: list[Leaves],
    at: list[int],
    rng: np.random.Generator,
) -> Finding:
    """``Σ ⟨grads_v, i_v⟩`` over the nodes ``at`` against ``⟨seed, t_out⟩``, tangents injected
    there; ``inner`` are the loop's gradients.
    """
    injected = list(run.zeros)
    for v in at:
        injected[v] = traced.random(rng, v)
    t = tangents(run, injected)
    left = sum(g.dot(injected[v]) for g, v in zip(grads, at, strict=True))
    right = run.one.dot(t[run.v_out])
    slack, scale, estimated = 0.0, 0.0, False
    for slot, (u, w) in enumerate(traced.graph.edges):
        forth, back = traced.slots[slot] @ t[u], inner[w] @ traced.slots[slot]
        unit, by_differences = _unit(traced, slot, t[u])
        estimated = estimated or by_differences
        slack += unit * (inner[w].norm() * forth.norm() + back.norm() * t[u].norm())
    for v in at:
        size = inner[v].norm() * injected[v].norm()
        scale += size
        slack += (_size(injected[v]) + len(run.successors[v]) + 1) * traced.eps * size
    scale = max(scale, abs(left), abs(right))
    return (
        Finding(abs(left - right) / scale, slack / scale, None, estimated)
        if scale > 0
        else Finding(0.0, traced.eps)
    )


def judge_traced(
    traced: TracedGraph,
    framework: str,
    gradient: Callable[..., Any] | None,
    given: tuple[Any, ...],
    rng: np.random.Generator,
) -> Evidence:
    """The evidence of ``check_backward`` on a graph read from a framework (see there)."""
    if gradient is not None and _size(traced.values[traced.v_out]) != 1:
        raise ArgumentError(
            "backward",
            "a function whose value is one number when gradient is given",
            f"{_size(traced.values[traced.v_out])}",
            "sum it",
        )
    if not traced.sources:
        raise ArgumentError(
            "inputs",
            "at least one floating input or parameter",
            "none",
            "gradients are taken with respect to floating arrays",
        )
    seed = traced.random(rng, traced.v_out)
    if gradient is not None:
        seed = Leaves([np.ones_like(a) for a in seed.arrays])
    run = traced.backward_pass(seed)
    loops = [version(run, run.seeded()) for version in (TRUTH.pull, TRUTH.push)]
    nodes = _node_findings(traced, rng)
    everywhere = [v for v in range(traced.graph.size) if traced.values[v].arrays]
    by_loops = [
        _path_finding(traced, run, [g[v] for v in everywhere], g, everywhere, rng) for g in loops
    ]
    at = list(traced.sources if gradient is None else traced.inputs)
    found = traced.gradient(seed) if gradient is None else _users(gradient, traced, given)
    by_framework = [_path_finding(traced, run, found, loops[0], at, rng) for _ in range(PROBES)]

    per_node = [f for _, _, _, f in nodes]
    everything = [*per_node, *by_loops, *by_framework]
    worst = max(everything, key=lambda f: f.ratio)
    who = "the given gradient" if gradient is not None else f"{framework}'s gradient"
    bad = sorted({f.node for f in per_node if f.wrong and f.node is not None})
    off = max(by_framework, key=lambda f: f.ratio)
    slots = len(traced.slots)
    diagnosis: Diagnosis | None = None
    undecided = False
    if bad:
        named = "; ".join(traced.labels[v] for v in bad[:3]) + (
            f" and {len(bad) - 3} more" if len(bad) > 3 else ""
        )
        worst = max((f for f in per_node if f.node in bad), key=lambda f: f.ratio)
        inherits = (
            f", and {who} inherits it ({off.value:.2g} off the sum over paths)" if off.wrong else ""
        )
        sentence = (
            f"the backward of [{named}] is not the transpose of its forward derivative: ⟨g J, t⟩"
            f" and ⟨g, J t⟩ differ{inherits}"
        )
        diagnosis = _node_diagnosis(traced, nodes, bad[0])
    elif off.wrong:
        worst = off
        sentence = (
            f"every node's backward is right, but {who} is not the sum over paths of the {slots}"
            " slots"
        )
        diagnosis = _gradient_diagnosis(run, found, loops[0], at, slots)
    elif worst.ratio > 1:
        undecided = True
        sentence = (
            f"the two sides differ by {worst.value:.2g}, too close to the error of the differences"
            f" ({worst.bound:.2g}); try float64 inputs"
        )
    else:
        sentence = (
            f"every node's backward, both loops and {who} agree with forward mode and the sum over"
            f" paths ({traced.graph.size} nodes, {slots} slots)"
        )
    differences = sorted(
        {
            traced.labels[w]
            for k, (u, w) in enumerate(traced.graph.edges)
            if traced.slots[k].error(traced.random(rng, u)) > 0
        }
    )
    notes = traced.notes + (
        (f"Without forward mode, judged by differences: {', '.join(differences[:3])}.",)
        if differences
        else ()
    )
    x = [float(slot) for slot, _, _, _ in nodes]
    more: dict[str, Any] = {
        "cost": {"nodes": traced.graph.size, "slots": slots},
        "notes": notes,
        "curves": {
            "measured": (x, [f.value for f in per_node]),
            "bound": (x, [f.bound for f in per_node]),
        },
        "labels": ("slot", "relative difference of ⟨g J, t⟩ and ⟨g, J t⟩"),
    }
    if undecided:
        return Evidence.undecided("float", sentence, **more)
    return Evidence.measured(worst.value, worst.bound, sentence, diagnosis=diagnosis, **more)


def _users(
    gradient: Callable[..., Any], traced: TracedGraph, given: tuple[Any, ...]
) -> list[Leaves]:
    """The hand-written gradient, one array per floating input."""
    guard = Guarded(gradient, "gradient")
    result = guard.raw(*given)
    parts = list(result) if isinstance(result, tuple | list) else [result]
    if len(parts) != len(traced.inputs):
        raise ArgumentError(
            "gradient",
            f"a function that returns {len(traced.inputs)} arrays, one per floating input",
            len(parts),
            "return a tuple",
        )
    shapes = [traced.values[v].arrays[0].shape for v in traced.inputs]
    return [
        Leaves([guard.accept(p, s, f"the gradient of input {i}")])
        for i, (p, s) in enumerate(zip(parts, shapes, strict=True))
    ]


def _node_diagnosis(
    traced: TracedGraph, nodes: list[tuple[int, float, float, Finding]], node: int
) -> Diagnosis:
    """What the wrong backward of one node looks like: its pairings against those of simple
    mistakes.
    """
    mine = [(slot, left, right) for slot, left, right, f in nodes if f.node == node]
    right = np.array([r for _, _, r in mine])
    candidates = {
        "minus": -right,
        "factor_2": 2 * right,
        "factor_half": right / 2,
        "gradient_missing": 0 * right,
    }
    slots = sorted({slot for slot, _, _ in mine})
    for slot in slots if len(slots) > 1 else ():
        at = np.array([s == slot for s, _, _ in mine])
        which = f"argument_{slots.index(slot) + 1}"
        candidates |= {
            f"minus in {which}": np.where(at, -right, right),
            f"gradient_missing in {which}": np.where(at, 0, right),
        }
        candidates |= {
            f"factor_2 in {which}": np.where(at, 2 * right, right),
            f"factor_half in {which}": np.where(at, right / 2, right),
        }
    return diagnose(np.array([left for _, left, _ in mine]), right, candidates, reasons=REASONS)


def _gradient_diagnosis(
    run: BackwardPass, found: list[Leaves], loop: list[Leaves], at: list[int], slots: int
) -> Diagnosis:
    """Which known fault of a backward pass the gradient looks like, on this graph."""
    measured, truth = (
        np.concatenate([g.flat() for g in found]),
        np.concatenate([loop[v].flat() for v in at]),
    )
    names = [f.name for f in FAULTS]
    candidates: dict[str, np.ndarray] = {"whole_gradient_negated": -truth, "factor_half": truth / 2}

    def predict(name: str, subject: Any) -> None:
        version = subject.push if version_of(name) == "push" else subject.pull
        try:
            state = version(run, subject.prepare(run, list(run.zeros)))
            prediction = np.concatenate([state[v].flat() for v in at])
        except Exception:  # shapes do not allow this mistake here
            return
        if prediction.shape == truth.shape:
            candidates[name] = prediction

    for fault in FAULTS:
        predict(fault.name, fault.subject)
    single = diagnose(measured, truth, candidates, reasons=REASONS)
    if (single.names and single.misfit < 1e-6) or slots > PAIRS_UP_TO:
        return single
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            pair = compose((a, b))
            if pair is not None:
                predict(f"{a} + {b}", pair)
    return diagnose(measured, truth, candidates, reasons=REASONS)
