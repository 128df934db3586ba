"""The lines of ``--wrap`` for a class around a network, whose training loss is judged.

Conventions: as in `wrapping`; names are those of public DDPM code. The check hands in the network,
so that an object is made for each call.
"""

from __future__ import annotations

import inspect
from typing import Any

from scoreproof.wrapping_samplers import NETWORKS

__all__ = ["loss_lines"]

#: methods that return a loss, the whole one first
LOSSES = ("forward", "__call__", "training_losses", "get_loss", "compute_loss", "loss", "p_losses")
TIMES = ("t", "time", "times", "timestep", "timesteps")
NOISES = ("noise", "eps", "epsilon")
#: tables that say what the process is
TABLES = ("betas", "alphas_cumprod")
#: how a class writes a member down, a buffer too
MEMBERS = ("self.{}", '"{}"', "'{}'")


def loss_lines(thing: Any, library: str, needed: list[str]) -> list[str] | None:
    """The lines after the imports, or ``None`` where neither the constructor (``needed`` are its
    arguments) nor the method that returns the loss takes a network.
    """
    network = next((n for n in needed if n in NETWORKS), None)
    method = next((n for n in LOSSES if _written(thing, n)), None)
    if method is None or not inspect.isclass(thing):
        return None
    handed = _first(getattr(thing, method)) in NETWORKS
    if network is None and not handed:
        return None
    name = thing.__name__
    rest = [f"{n}=..." for n in needed if n != network]
    called = "" if method in ("forward", "__call__") else f".{method}"
    taken, passed, strange = _arguments(getattr(thing, method), 2 if handed else 1)
    torch = library == "torch"
    stand_in = "torch.nn.Identity()" if torch else "lambda *x: x[0]"
    source = _source(thing)
    tables = [n for n in TABLES if any(s.format(n) in source for s in MEMBERS)][:1]
    process = (
        f'process={{"{tables[0]}": o.{tables[0]}}},' if tables else "process=...,  # its betas"
    )
    its = [] if network is None else [f"{network}={stand_in}"]
    made = f"o = {name}({', '.join([*its, *rest])})"
    own = "o" if handed else f"{name}({', '.join([f'{network}=model', *rest])})"
    asked = [*(["model"] if handed else []), *passed, *strange]
    return [
        "",
        *([made, "", ""] if handed or tables else [""]),
        f"def loss({', '.join(['model', *taken])}):",
        f"    return {own}{called}({', '.join(asked)})",
        "",
        "",
        "mine = dict(",
        "    loss=loss,",
        f"    {process}",
        '    prediction="eps",  # what the network predicts: "eps", "x0" or "v"',
        "    shape=(3, 8, 8),  # of one sample, as the class takes it",
        *([f'    framework="{library}",'] if library != "numpy" else []),
        ")",
    ]


def _written(thing: Any, name: str) -> bool:
    """Whether the class, or one that it inherits from in code of its own, has that method."""
    own = [c for c in getattr(thing, "__mro__", ()) if not c.__module__.startswith("torch.")]
    return callable(next((vars(c)[name] for c in own if name in vars(c)), None))


def _first(member: Any) -> str:
    """The first of its arguments after ``self``."""
    try:
        return next(iter(list(inspect.signature(member).parameters)[1:]), "")
    except (TypeError, ValueError):
        return ""


def _arguments(member: Any, skipped: int) -> tuple[list[str], list[str], list[str]]:
    """What the check hands in, how that is passed, and what the names do not say."""
    try:
        every = list(inspect.signature(member).parameters.values())[skipped:]
    except (TypeError, ValueError):
        return ["x0"], ["x0"], []
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    names = [p.name for p in every if p.kind in kinds and p.default is p.empty] or ["x0"]
    taken, passed = ["x0"], ["x0"]
    strange = []
    for n in names[1:]:
        known = "t" if n.lower() in TIMES else "noise" if n.lower() in NOISES else None
        if known is None:
            strange.append(f"{n}=...")
        else:
            taken.append(known)
            passed.append(f"{n}={known}")
    return taken, passed, strange


def _source(thing: Any) -> str:
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):
        return ""
