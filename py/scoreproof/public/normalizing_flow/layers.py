"""The log_dets of a flow's own layers, where their sum is right and what is returned is not.

Conventions: layers in the order in which they are run; nats, ``(n,)`` each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.interop.callables import as_numpy
from scoreproof.public.normalizing_flow.frameworks import module_of
from scoreproof.public.normalizing_flow.look import Look

__all__ = ["REASONS", "Layers", "added", "layers_of", "reasons_of"]

REASONS = {
    "last_layer_only": "log_det is that of the last layer alone, it is overwritten from layer to"
    " layer (log_det = …): add them up, log_det = log_det + …",
    "first_layer_only": "log_det is that of the first layer alone: those of the others are to be"
    " added",
    "mean_over_layers": "log_det is averaged over the layers, where it is their sum",
    "last_layer_left_out": "log_det of the last layer is not added: all others are",
    "first_layer_left_out": "log_det of the first layer is not added: all others are",
    "exp_of_a_layer": "the log_det of one layer is exponentiated before it is added",
}


@dataclass(frozen=True)
class Layers:
    """``names`` of the layers, ``own`` ``(layers, n)``."""

    names: tuple[str, ...]
    own: np.ndarray


def layers_of(look: Look, ok: np.ndarray) -> Layers | None:
    """The submodules of one parent that return (z, log_det), in the order of their calls, if their
    log_dets add up to what is due.
    """
    module = module_of(look.flow.object)
    if module is None:
        return None
    n, calls, handles = len(look.x), [], []

    def noted(name: str) -> Any:
        def hook(module: Any, given: Any, out: Any) -> None:
            if isinstance(out, tuple | list) and len(out) == 2:
                value = np.asarray(as_numpy(out[1]), dtype=float)
                if value.shape in ((n,), (n, 1), (), (1,)):
                    calls.append((name, np.broadcast_to(value.reshape(-1), (n,))))

        return hook

    for name, layer in module.named_modules():
        if name:
            handles.append(layer.register_forward_hook(noted(name)))
    try:
        look.flow.forward(look.x)
    finally:
        for handle in handles:
            handle.remove()
    for parent in dict.fromkeys(name.rpartition(".")[0] for name, _ in calls):
        mine = [(name, v) for name, v in calls if name.rpartition(".")[0] == parent]
        own = np.array([v for _, v in mine])
        off = np.abs(own.sum(axis=0) - look.det.log_det)[ok]
        if len(own) > 1 and np.all(off <= 2 * look.bound[ok]):
            return Layers(tuple(name for name, _ in mine), own)
    return None


def added(layers: Layers) -> dict[str, np.ndarray]:
    """What comes of other sums than that of all layers."""
    own, whole = layers.own, layers.own.sum(axis=0)
    found = {"last_layer_only": own[-1], "mean_over_layers": whole / len(own)}
    if len(own) > 2:
        found |= {"first_layer_only": own[0], "last_layer_left_out": whole - own[-1]}
        found["first_layer_left_out"] = whole - own[0]
    with np.errstate(over="ignore"):
        found |= {
            f"exp_of_a_layer {name}": whole - v + np.exp(v)
            for name, v in zip(layers.names, own, strict=True)
        }
    return found


def reasons_of(predicted: dict[str, np.ndarray]) -> dict[str, str]:
    """In words, with the layer where it is one."""
    found = {}
    for name in predicted:
        kind, _, layer = name.partition(" ")
        found[name] = REASONS[kind] + (f": {layer}" if layer else "")
    return found
