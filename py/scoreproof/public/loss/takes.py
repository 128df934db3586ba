"""Which arguments a loss takes: the model and the data, and perhaps t, the noise, a generator.

Conventions: the first is the model, the second x_0; the others go by their names, or else by their
places (t, then the noise).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.interop.signatures import fits, parameters
from scoreproof.public.called import DATA, LEVELS, MODELS, NOISES, RANDOM, TIMES, role_of

__all__ = ["ROLES", "Takes", "noise_is_optional", "takes_of"]

ROLES = ("model", "x0", "t", "noise", "rng")
#: what goes in behind the model and the data
BEHIND = {
    "t": (*TIMES, *LEVELS, "step", "s", "tau"),
    "noise": (*NOISES, "z", "e", "n"),
    "rng": (*RANDOM, "seed", "gen", "rngs"),
}
SAMPLES = (*DATA, "x", "x1", "x_1", "batch")

#: role -> how it is passed: a place, or a keyword
Takes = tuple[tuple[str, str | None], ...]


def takes_of(loss: Any, given: Any) -> Takes:
    """Raises ``ArgumentError``."""
    if given is not None:
        return _said(given, loss)
    taking = parameters(loss)
    if taking is None:
        return _said(("model", "x0", "t", "noise"), loss)
    places = ("model", "x0")
    names = [p.name.lower().strip("_") for p in taking]
    late = [k for k, n in enumerate(names) if n in MODELS]
    if len(late) == 1 and late[0] > 0 and names[0] in SAMPLES:
        # the model has another place: the order is that of the names
        model = late[0]
        order = [
            "model" if k == model else "x0" if k == 0 else _role(n) for k, n in enumerate(names)
        ]
        plain = all(p.kind is p.POSITIONAL_OR_KEYWORD for p in taking)
        if plain and None not in order and len(set(order)) == len(order):
            return tuple((str(r), None) for r in order)
    found: list[tuple[str, str | None]] = []
    for k, p in enumerate(taking):
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        role = places[k] if k < 2 else _role(p.name)
        optional = p.default is not p.empty
        taken = [r for r, _ in found]
        if role is None and not optional:
            role = next((r for r in ("t", "noise") if r not in taken), None)
            if role is None:
                raise _unknown(p.name)
        # a time that may be left out is drawn by the loss itself, and then its law is seen; a
        # number that may be left out (eps=1e-5) is no noise
        mine = role == "t" or optional and p.default is not None
        if role is None or role in taken or optional and mine:
            continue
        by_name = p.kind is p.KEYWORD_ONLY or len(taken) < k
        found.append((role, p.name if by_name else None))
    if [r for r, _ in found][:2] != ["model", "x0"]:
        raise ArgumentError(
            "loss",
            "a function of the model and the data, and perhaps of t and the noise",
            f"one of {len(found)} arguments",
            "pass lambda model, x0, t, noise: …",
        )
    return tuple(found)


def noise_is_optional(loss: Any, takes: Takes) -> bool:
    """Whether a noise is passed that the loss can do without."""
    if "noise" not in [r for r, _ in takes]:
        return False
    named = [p for p in parameters(loss) or () if _role(p.name) == "noise"]
    return any(p.default is not p.empty for p in named)


def _role(name: str) -> str | None:
    return role_of(name, BEHIND)


def _unknown(name: str) -> ArgumentError:
    return ArgumentError(
        "loss",
        "a function of (model, x0), (model, x0, t) or (model, x0, t, noise), perhaps with rng",
        f"one that wants {name!r} too",
        f"fix it: lambda model, x0, t, noise: loss(model, x0, t, noise, {name}=…)",
    )


def _said(given: Any, loss: Any) -> Takes:
    roles = tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else ()
    once = len(set(roles)) == len(roles) and fits(loss, len(roles))
    if not {"model", "x0"} <= set(roles) <= set(ROLES) or not once:
        raise ArgumentError(
            "takes",
            f"a sequence of {', '.join(ROLES)}, each once, with model and x0, as many as the loss"
            " takes",
            repr(given),
            'name what the loss is called with, in its order: ("model", "x0", "t", "noise")',
        )
    return tuple((r, None) for r in roles)
