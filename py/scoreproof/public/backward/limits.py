"""Gradients of a graph that were changed at the end or on the way: clipped, rounded, stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from scoreproof.claims.backprop.statement import TRUTH, Loops
from scoreproof.objects.graphs import BackwardPass
from scoreproof.public.backward.problems import Problem

__all__ = ["limited", "limiting_reasons", "stopping"]

STOPS = (*range(1, 9), 12, 16, 20)

LIMIT_REASONS = {
    "rounded_to_integers": "the right gradients, rounded to integers",
    "cut_to_integers": "the right gradients without their fractions (an integer type)",
    "float32": "the right gradients, rounded to float32 on the way",
}
LIMIT_REASONS |= {
    f"first_{k}_arguments": f"the loop stops after {k} arguments of a node" for k in STOPS
}
LIMIT_REASONS |= {
    f"first_{k}_consumers": f"the loop stops after {k} consumers of a node" for k in STOPS
}
DEPTHS = (*range(1, 9), 10, 12, 16, 20, 24, 32, 40)
LIMIT_REASONS |= {
    f"paths_up_to_{k}": f"only paths of up to {k} edges count: the pass ends after {k} steps back"
    for k in DEPTHS
}


def limiting_reasons(measured: Sequence[np.ndarray]) -> dict[str, str]:
    """What the names mean, with the limits that were seen."""
    entry, norm = _limits(measured)
    every = "every gradient is clipped"
    return LIMIT_REASONS | {
        "clipped": f"the right gradients, clipped to [-{entry:.6g}, {entry:.6g}] at the end",
        "clipped_on_the_way": f"{every} to [-{entry:.6g}, {entry:.6g}] before it is sent on",
        "norm_clipped": f"the right gradients, each shortened to the norm {norm:.6g} at the end",
        "norm_clipped_on_the_way": f"{every} (shortened) to the norm {norm:.6g} before it is sent"
        " on",
        "normalized": f"every gradient is brought to the norm {norm:.6g} before it is sent on",
    }


def _limits(measured: Sequence[np.ndarray]) -> tuple[float, float]:
    """The size and the norm that return most often, or the largest size."""
    sizes = np.concatenate([np.abs(m).ravel() for m in measured])
    norms = np.concatenate([np.linalg.norm(m, axis=(1, 2)) for m in measured])

    def usual(x: np.ndarray) -> float:
        x = x[np.isfinite(x) & (x > 0)]
        # equal up to rounding
        values, counts = np.unique(np.round(np.log(x), 10), return_counts=True)
        if counts.size == 0 or counts.max() < 3:
            return float(x.max(initial=0.0))
        at = np.abs(np.log(x) - values[np.argmax(counts)]) < 1e-9
        return float(np.median(x[at]))

    with np.errstate(over="ignore", invalid="ignore"):
        return usual(sizes), usual(norms)


def limited(
    problems: Sequence[Problem], measured: Sequence[np.ndarray], due: Sequence[np.ndarray]
) -> dict[str, list[np.ndarray]]:
    """Candidates: an answer a run."""
    entry, norm = _limits(measured)

    def clip(g: np.ndarray) -> np.ndarray:
        return np.clip(g, -entry, entry)

    def shorten(g: np.ndarray) -> np.ndarray:
        return g * min(1.0, norm / max(float(np.linalg.norm(g)), 1e-300))

    def bring(g: np.ndarray) -> np.ndarray:
        return g * (norm / max(float(np.linalg.norm(g)), 1e-300))

    with np.errstate(over="ignore", invalid="ignore"):
        return _short(problems) | {
            "rounded_to_integers": [np.rint(x) for x in due],
            "cut_to_integers": [np.trunc(x) for x in due],
            "float32": [x.astype(np.float32).astype(float) for x in due],
            "clipped": [clip(x) for x in due],
            "norm_clipped": [np.stack([shorten(g) for g in x]) for x in due],
            "clipped_on_the_way": _on_the_way(problems, clip),
            "norm_clipped_on_the_way": _on_the_way(problems, shorten),
            "normalized": _on_the_way(problems, bring),
        }


def _short(problems: Sequence[Problem]) -> dict[str, list[np.ndarray]]:
    """The sums over the short paths."""
    sums: dict[str, list[np.ndarray]] = {f"paths_up_to_{k}": [] for k in DEPTHS}
    for problem in problems:
        for run in problem.runs:
            out = [np.array(g, float) for g in run.seeded()]
            layer = {run.v_out: np.asarray(run.one, float)}
            for k in range(1, DEPTHS[-1] + 1):
                following: dict[int, np.ndarray] = {}
                for v, g in layer.items():
                    for u, slot in run.predecessors[v]:
                        following[u] = following.get(u, 0.0) + g @ run.partials[slot]
                for u, g in following.items():
                    out[u] = out[u] + g
                layer = following
                if k in DEPTHS:
                    sums[f"paths_up_to_{k}"].append(np.stack(out))
    return sums


def _on_the_way(
    problems: Sequence[Problem], change: Callable[[np.ndarray], np.ndarray]
) -> list[np.ndarray]:
    def one(run: BackwardPass) -> np.ndarray:
        grad = run.seeded()
        for v in reversed(run.order):
            grad[v] = change(np.asarray(grad[v], float))
            for u, slot in run.predecessors[v]:
                grad[u] = grad[u] + grad[v] @ run.partials[slot]
        return np.stack(grad)

    return [one(run) for p in problems for run in p.runs]


def stopping(
    problems: Sequence[Problem], predict: Callable[[Loops, Sequence[Problem]], np.ndarray]
) -> dict[str, np.ndarray]:
    """Loops over the first k neighbours only, each predicted in one vector."""
    out = {}
    for k in STOPS:
        cut = [replace(p, runs=(_cut(p.runs[0], k), _cut(p.runs[1], k))) for p in problems]
        out[f"first_{k}_arguments"] = predict(Loops(pull=TRUTH.push), cut)
        out[f"first_{k}_consumers"] = predict(TRUTH, cut)
    return out


def _cut(run: BackwardPass, k: int) -> BackwardPass:
    return replace(
        run,
        predecessors=[links[:k] for links in run.predecessors],
        successors=[links[:k] for links in run.successors],
    )
