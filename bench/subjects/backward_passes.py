"""Hand-written backward passes, right ones in many forms and wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import scoreproof as sp
from scoreproof.claims.backprop.faults import FAULTS, compose, version_of
from scoreproof.objects.graphs import BackwardPass, Graph, random_graph

from . import Case

__all__ = ["passes"]

Pass = Callable[[Any, Any, int, Any], Any]


def _push(graph: Any, partials: Any, v_out: int, one: Any) -> list[Any]:
    grad = [0 * one for _ in range(graph.size)]
    grad[v_out] = one
    for v in reversed(graph.order):
        for u, slot in graph.predecessors[v]:
            grad[u] = grad[u] + grad[v] @ partials[slot]
    return grad


def _pull(graph: Any, partials: Any, v_out: int, one: Any) -> list[Any]:
    grad: list[Any] = [None] * graph.size
    for v in reversed(graph.order):
        total = one if v == v_out else 0 * one
        for w, slot in reversed(graph.successors[v]):
            total = total + grad[w] @ partials[slot]
        grad[v] = total
    return grad


def _transposed(graph: Any, partials: Any, v_out: int, one: Any) -> list[Any]:
    turned = [p.T for p in partials]
    grad = [0 * one.T for _ in range(graph.size)]
    grad[v_out] = one.T
    for v in reversed(graph.order):
        for u, slot in graph.predecessors[v]:
            grad[u] = grad[u] + turned[slot] @ grad[v]
    return [g.T for g in grad]


def _recursive(graph: Any, partials: Any, v_out: int, one: Any) -> list[Any]:
    known: dict[int, Any] = {}

    def of(v: int) -> Any:
        if v not in known:
            total = one if v == v_out else 0 * one
            for w, slot in graph.successors[v]:
                total = total + of(w) @ partials[slot]
            known[v] = total
        return known[v]

    return [of(v) for v in range(graph.size)]


def _reached(graph: Any, partials: Any, v_out: int, one: Any) -> dict[int, Any]:
    grad = {v_out: one}
    for v in reversed(graph.order):
        if v in grad:
            for u, slot in graph.predecessors[v]:
                term = grad[v] @ partials[slot]
                grad[u] = grad[u] + term if u in grad else term
    return grad


FORMS: dict[str, Pass] = {
    "push": _push,
    "pull": _pull,
    "transposed": _transposed,
    "recursive": _recursive,
    "reached nodes only": _reached,
}


def _listed(result: Any, graph: Any, one: Any) -> list[Any]:
    if isinstance(result, dict):
        return [result.get(v, 0 * one) for v in range(graph.size)]
    return list(result)


def _graph(rng: np.random.Generator) -> Graph | None:
    kind = rng.choice(["standard", "random", "deep", "wide"], p=[0.6, 0.2, 0.1, 0.1])
    if kind == "standard":
        return None
    if kind == "random":
        size = int(rng.integers(3, 30))
        return random_graph(rng, size, int(rng.integers(1, 5)), None, float(rng.uniform(0, 0.4)))
    if kind == "deep":
        return random_graph(rng, int(rng.integers(60, 150)), 2, 4, 0.1)
    n = int(rng.integers(8, 30))
    return Graph(n + 2, tuple([(0, k) for k in range(1, n)] + [(k, n) for k in range(1, n)]))


def passes(rng: np.random.Generator) -> Case:
    """One form, on the standard graphs or another, in numpy, torch or jax, float64 or float32."""
    form = str(rng.choice(list(FORMS)))
    framework = str(rng.choice(["numpy", "torch", "jax"], p=[0.78, 0.2, 0.02]))
    single = framework == "numpy" and rng.random() < 0.25
    graph, d, seed = _graph(rng), int(rng.choice([1, 2, 3, 5])), int(rng.integers(1000))
    if framework == "jax" and graph is not None and graph.size > 60:
        graph = None
    right = FORMS[form]

    def typed(backward: Pass) -> Pass:
        def run(g: Any, partials: Any, v_out: int, one: Any) -> Any:
            if not single:
                return backward(g, partials, v_out, one)
            few = backward(g, partials.astype(np.float32), v_out, one.astype(np.float32))
            return {v: x.astype(np.float32) for v, x in enumerate(_listed(few, g, one))}

        return run

    def judge(backward: Pass) -> Any:
        return sp.check_backward(
            typed(backward), graph, framework=framework, dimension=d, seed=seed
        )

    def wrong(amount: float) -> tuple[str, Any]:
        if single or framework == "jax":  # smaller ones are no change in float32
            amount = max(amount, 1e-5)
        name, backward = _wrong(right, amount, rng, d, graph, single or framework == "jax")
        return name, judge(backward)

    shape = "standard graphs" if graph is None else f"{graph.size} nodes, {len(graph.edges)} slots"
    setting = f"pass by {form}, {framework}{', float32' if single else ''}, {shape}, d = {d}"
    return Case(setting, lambda: judge(right), wrong)


def _wrong(
    right: Pass, amount: float, rng: np.random.Generator, d: int, graph: Graph | None, single: bool
) -> tuple[str, Pass]:
    """A mistake that shows on the graph: with a graph of one's own many do not."""
    kinds = ["one node", "one entry", "all", "minus at one node"]
    if graph is None:
        kinds += [
            "fault",
            "fault",
            "pair",
            "few arguments",
            "few consumers",
            "stale",
            "seed in place",
        ]
        kinds += ["many arguments ignored", "skips v_out in the middle"]
        if not single:
            kinds += ["rounded", "cut", "clipped", "float32 inside", "small ones dropped"]
    kind = str(rng.choice(kinds))
    if kind == "fault" or kind == "pair":
        return _fault(kind, rng, d)
    if kind in ("few arguments", "few consumers"):
        k = int(rng.integers(1, 23))
        return f"{kind}: {k}", _few(kind, k)
    if kind == "stale":
        memory: dict[Any, list[Any]] = {}

        def stale(g: Any, partials: Any, v_out: int, one: Any) -> Any:
            found = _listed(right(g, partials, v_out, one), g, one)
            old = memory.get((g, v_out))
            memory[g, v_out] = found
            return found if old is None else [a + b for a, b in zip(found, old, strict=True)]

        return "gradients of the run before are added", stale
    pick = float(rng.random())
    sign = rng.choice([-1.0, 1.0])

    def changed(g: Any, partials: Any, v_out: int, one: Any) -> Any:
        found = _listed(right(g, partials, v_out, one), g, one)
        live = [v for v, x in enumerate(found) if bool((abs(x) > 0).any())]
        v = live[int(pick * len(live))]
        if kind == "all":
            return [x * (1 + sign * amount) for x in found]
        if kind == "one node":
            found[v] = found[v] * (1 + sign * amount)
        elif kind == "minus at one node":
            found[v] = -found[v]
        elif kind == "one entry":
            x = np.array(found[v], copy=True)
            i = np.unravel_index(int(np.argmax(np.abs(x) > 0)), x.shape)
            x[i] *= 1 + sign * amount
            found[v] = x
        elif kind == "seed in place":
            found[v_out] = found[v_out] + one
        elif kind == "many arguments ignored":
            for w in range(g.size):
                if len(g.predecessors[w]) > 8:
                    for u, slot in g.predecessors[w]:
                        found[u] = found[u] - (found[w] @ partials[slot]) * amount
        elif kind == "skips v_out in the middle" and v_out != g.order[-1]:
            found = [x if w == v_out else 0 * x for w, x in enumerate(found)]
        elif kind == "rounded":
            found = [(abs(x) + 0.5) // 1 * (2 * (x > 0) - 1) for x in found]
        elif kind == "cut":
            found = [abs(x) // 1 * (2 * (x > 0) - 1) for x in found]
        elif kind == "clipped":
            found = [x * (abs(x) < 1e3) + 1e3 * (x >= 1e3) - 1e3 * (x <= -1e3) for x in found]
        elif kind == "float32 inside":
            found = [np.asarray(x).astype(np.float32).astype(np.float64) for x in found]
        elif kind == "small ones dropped":
            found = [x * (abs(x) > 0.1) for x in found]
        return found

    return f"{kind} ({sign:+.0f})", changed


def _fault(kind: str, rng: np.random.Generator, d: int) -> tuple[str, Pass]:
    hidden = {"operands_swapped"} if d == 1 else set()
    names = [f.name for f in FAULTS if f.name not in hidden]
    name = str(rng.choice(names))
    loops = next(f.subject for f in FAULTS if f.name == name)
    if kind == "pair":
        other = str(rng.choice([n for n in names if n != name]))
        both = compose((name, other))
        if both is not None:
            name, loops = f"{name} + {other}", both
    memory: dict[Any, list[Any]] = {}
    kept = version_of(name)
    version = kept if kept != "both" else str(rng.choice(["push", "pull"]))

    def backward(graph: Any, partials: Any, v_out: int, one: Any) -> Any:
        run = BackwardPass.of(graph, partials, [0 * one] * graph.size, v_out, one)
        state = memory.get((graph, v_out), list(run.zeros))
        loop = loops.push if version == "push" else loops.pull
        memory[graph, v_out] = list(loop(run, loops.prepare(run, list(state))))
        return memory[graph, v_out]

    return f"{name} ({version})", backward


def _few(kind: str, k: int) -> Pass:
    def arguments(graph: Any, partials: Any, v_out: int, one: Any) -> Any:
        grad = [0 * one for _ in range(graph.size)]
        grad[v_out] = one
        for v in reversed(graph.order):
            for u, slot in graph.predecessors[v][:k]:
                grad[u] = grad[u] + grad[v] @ partials[slot]
        return grad

    def consumers(graph: Any, partials: Any, v_out: int, one: Any) -> Any:
        grad = [0 * one for _ in range(graph.size)]
        grad[v_out] = one
        for v in reversed(graph.order):
            for w, slot in graph.successors[v][:k]:
                grad[v] = grad[v] + grad[w] @ partials[slot]
        return grad

    return arguments if kind == "few arguments" else consumers
