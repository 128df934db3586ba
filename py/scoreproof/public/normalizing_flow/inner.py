"""Which of a flow's layers does not lead back by itself, and forward's turns that are left.

Conventions: layers in the order of their calls in forward, each asked at the points that reach it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import ScoreproofError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import as_numpy
from scoreproof.public.normalizing_flow.asking import Flow
from scoreproof.public.normalizing_flow.frameworks import module_of
from scoreproof.public.normalizing_flow.look import Look, look

__all__ = ["Judge", "of_layers", "turned"]

Judge = Callable[[Look], list[Evidence]]


def of_layers(whole: Look, judge: Judge) -> Diagnosis | None:
    """``judge`` of the inverse of each layer; ``None`` where no layer has one."""
    module = module_of(whole.flow.object)
    if module is None or whole.flow.job.context is not None:
        return None
    seen = []
    for name, layer, x in _layers(whole, module):
        given = replace(
            whole.flow.job,
            flow=layer,
            name=name,
            inverse=None,
            log_prob=None,
            base=None,
            shape=x.shape[1:],
            points=x.reshape(len(x), -1),
            direction=None,
            options={},
        )
        flow = Flow(given, layer, dict(whole.flow.calls))
        try:
            if flow.form(len(x)).inverse is None:
                continue
            found = judge(look(flow))
        except ScoreproofError:
            continue
        seen.append(name)
        first = found[0] if found else None
        if first is None or first.verdict != "refuted":
            continue
        told = f"layer {name} does not lead back by itself"
        cause = first.diagnosis
        if cause is not None and cause.names:
            text = cause.sentence.removeprefix("Cause: ")
            return replace(cause, sentence=f"Cause: {told}: {text}")
        return Diagnosis.unknown(f"No known fault explains it. {told.capitalize()}.")
    if len(seen) < 2:
        return None
    return Diagnosis.unknown(
        f"No known fault explains it. Each of its {len(seen)} layers that have an inverse leads"
        " back by itself: it is their order, or what stands between them (a flip, a permutation)."
    )


def _layers(whole: Look, module: Any) -> Iterator[tuple[str, Any, np.ndarray]]:
    """The outermost submodules that return a pair, with their inputs."""
    calls: list[tuple[str, Any, np.ndarray]] = []
    handles = []

    def noted(name: str) -> Any:
        def hook(layer: Any, given: Any, out: Any) -> None:
            if not isinstance(out, tuple | list) or len(out) != 2 or not given:
                return
            x = np.asarray(as_numpy(given[0]), dtype=float)
            if len(x) == len(whole.x) and x.size == whole.x.size:
                calls.append((name, layer, x))

        return hook

    for name, layer in module.named_modules():
        if name:
            handles.append(layer.register_forward_hook(noted(name)))
    try:
        whole.flow.forward(whole.x)
    finally:
        for handle in handles:
            handle.remove()
    names = {name for name, _, _ in calls}
    for name, layer, x in calls:
        parts = name.split(".")
        if not any(".".join(parts[:k]) in names for k in range(1, len(parts))):
            yield name, layer, x


def turned(whole: Look, limit: np.ndarray) -> Diagnosis | None:
    """x comes back from a z that is flipped, or whose halves change places."""
    flow = whole.flow
    if len(flow.shapes) != 1:
        return None
    z = whole.answer.z.reshape(len(whole.x), *flow.shapes[0])
    kinds = {
        "in reversed order, z.flip(1)": z[:, ::-1],
        "with its halves exchanged": np.roll(z, z.shape[1] // 2, axis=1),
    }
    for told, other in kinds.items():
        if z.shape[1] < 2 or (z.shape[1] % 2 and "halves" in told):
            continue
        try:
            back = flow.inverse(other.reshape(len(z), -1))
        except ScoreproofError:
            continue
        if back is not None and np.all(np.abs(back.z - whole.x) <= limit):
            return Diagnosis.cause(
                "turn_left",
                f"Cause: the inverse leads back from z {told}: forward turns x and returns z as it"
                " is turned, the inverse takes z as if that were undone. Undo it at the end of"
                " forward, or leave it out where the inverse begins.",
            )
    return None
