"""A flow as people write it, known by the names of its methods and of their arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.interop.signatures import parameters
from scoreproof.public.normalizing_flow.frameworks import module_of

__all__ = ["called_with", "of_names", "untaken"]

REVERSE = ("reverse", "rev", "inverse", "invert", "inv", "backward", "is_reverse", "reversed")
MODES = {"mode": ("direct", "inverse"), "direction": ("forward", "inverse")}
SUMS: tuple[str, ...] = (
    "logdet",
    "log_det",
    "ldj",
    "sldj",
    "log_det_jac",
    "log_det_jacobian",
    "logdets",
    "logp",
)
SUMS += ("sum_log_det", "log_dets", "logabsdet", "log_df_dz", "log_jac", "objective")
CONTEXTS = ("context", "condition", "cond", "cond_inputs", "c", "h", "y", "cond_y", "conds")
FORWARDS = ("forward", "f", "__call__", "encode")
INVERSES = ("inverse", "reverse", "backward", "g", "invert", "inv", "decode", "_inverse")
LOG_DETS = ("log_abs_det_jacobian", "log_det_jacobian", "log_det", "forward_log_det_jacobian")
BASES: tuple[str, ...] = (
    "base_dist",
    "base_distribution",
    "_distribution",
    "q0",
    "prior",
    "base",
    "latent",
)
BASES += ("distribution", "base_law", "p_z", "prior_dist")
LATENT = ("z", "u", "noise", "eps", "latent", "latents")


def _parameters(function: Any) -> dict[str, inspect.Parameter]:
    return {p.name: p for p in parameters(function) or ()}


def called_with(
    function: Any, options: Mapping[str, Any], context: Any, **more: Any
) -> Callable[[Any], Any]:
    """A function of x alone: options that it takes, and the context by its name."""
    taken = _parameters(function)
    whatever = any(p.kind is p.VAR_KEYWORD for p in taken.values())
    fixed = {k: v for k, v in options.items() if k in taken or whatever} | more
    name = _context_name(list(taken), context)
    if name:
        fixed[name] = context
    return (lambda x: function(x, **fixed)) if fixed else function


def untaken(flow: Any, beside: Iterable[Any], options: Mapping[str, Any]) -> list[str]:
    """Options that neither forward, nor the inverse, nor log_prob takes."""
    forward, owner = _forward_of(flow)
    names = (*INVERSES, "log_prob") if owner is not None else ()
    functions = [forward, *(getattr(owner, n, None) for n in names), *beside]
    taken = [p for f in functions if callable(f) for p in _parameters(f).values()]
    if any(p.kind is p.VAR_KEYWORD for p in taken):
        return []
    return [k for k in options if k not in {p.name for p in taken}]


def _context_name(names: list[str], context: Any) -> str | None:
    if context is None:
        return None
    known = next((n for n in CONTEXTS if n in names[1:]), None)
    if known is None and len(names) > 1 and names[1] not in (*SUMS, *REVERSE, *MODES):
        known = names[1]
    return known


def _forward_of(flow: Any) -> tuple[Any, Any]:
    """``(forward, owner)``; no owner of a function."""
    if inspect.isroutine(flow):
        return flow, getattr(flow, "__self__", None) if inspect.ismethod(flow) else None
    empty = module_of(flow) is flow and type(flow).forward.__name__ == "_forward_unimplemented"
    if callable(flow) and not empty:
        return flow, flow
    names = [n for n in FORWARDS if not (empty and n in ("forward", "__call__"))]
    name = next((n for n in names if callable(getattr(flow, n, None))), None)
    if name is None:
        raise ArgumentError(
            "flow",
            "a function x -> (z, log_det), or an object with forward",
            type(flow).__name__,
            "pass its method that returns z and log_det",
        )
    return getattr(flow, name), flow


def of_names(flow: Any, options: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """What `Form` is made of."""
    forward, owner = _forward_of(flow)
    taken = _parameters(forward)
    names = list(taken)
    sums = next((n for n in SUMS if n in names[1:]), None)
    back = next((n for n in (*REVERSE, *MODES) if n in names[1:]), None)
    block = hasattr(owner, "dims_in") and hasattr(owner, "output_dims")  # of FrEIA

    def call(x: Any, reverse: bool, total: Any) -> Any:
        more: dict[str, Any] = {}
        if back is not None and (reverse or _told(taken[back].default)):
            more[back] = MODES[back][reverse] if back in MODES else reverse
        if sums is not None:
            more[sums] = total
        return called_with(forward, options, context, **more)((x,) if block else x)

    def run(x: Any) -> Any:
        found = call(x, False, _nothing(x))
        if isinstance(found, tuple | list | dict):
            return found
        own = _log_det_of(owner)
        if own is None:
            return found
        two = len(_parameters(own)) > 1
        return found, (own(x, found) if two else own(x))

    whole = getattr(owner, "log_prob", None)
    bases = (getattr(owner, n, None) for n in BASES)
    inverse, handed = _inverse_of(owner, forward, call if back else None, (options, context))
    return {
        "forward": run,
        "inverse": inverse,
        "handed": None if back and sums is None else handed,
        "log_prob": called_with(whole, options, context) if callable(whole) else None,
        "base": next((b for b in bases if callable(getattr(b, "log_prob", None))), None),
        "adding": None if sums is None else lambda x, s: call(x, False, s),
        "to_data": bool(names) and names[0] in LATENT,
    }


def _told(default: Any) -> bool:
    """Whether a flag has to be told forward: it has no default, or the one that leads back."""
    return default is inspect.Parameter.empty or default is True or default == "inverse"


def _nothing(x: Any) -> Any:
    """0 for each row, of the type of x."""
    return 0 * x.reshape(x.shape[0], -1).sum(-1)


def _log_det_of(owner: Any) -> Any:
    return next((m for n in LOG_DETS if callable(m := getattr(owner, n, None))), None)


def _inverse_of(owner: Any, forward: Any, call: Any, how: tuple[Any, Any]) -> tuple[Any, Any]:
    """The inverse as a function of z, and of z and a log_det that it is handed."""
    if call is not None:
        return (lambda z: call(z, True, _nothing(z))), (lambda z, s: call(z, True, s))
    methods = (getattr(owner, n, None) for n in INVERSES)
    method = next((m for m in methods if callable(m) and m != forward), None)
    if method is None:
        return None, None
    sums = next((n for n in SUMS if n in list(_parameters(method))[1:]), None)
    if sums is None:
        return called_with(method, *how), None

    def handed(z: Any, s: Any) -> Any:
        return called_with(method, *how, **{sums: s})(z)

    return (lambda z: handed(z, _nothing(z))), handed
