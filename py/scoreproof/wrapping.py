"""``scoreproof check … --wrap``: a module that hands a class of the user's to a check.

Its members are found by the names that diffusion code gives them; arguments in another order are
put into the check's. What is not found stays an ellipsis for the user to fill in: nothing is
guessed that the names do not say.
"""

from __future__ import annotations

import inspect
from typing import Any

from scoreproof.check_examples import EXAMPLES
from scoreproof.wrapping_losses import loss_lines
from scoreproof.wrapping_names import ALIASES, WANTED, Wanted
from scoreproof.wrapping_samplers import NETWORKS, sampler_lines

__all__ = ["handed", "wrapper"]


#: How a wrapper makes an array, by the library of what it wraps.
ARRAYS = {"numpy": "np", "torch": "torch", "jax": "jnp"}
IMPORTS = {
    "numpy": "import numpy as np",
    "torch": "import torch",
    "jax": "import jax.numpy as jnp",
}
DISCRETE = "from scoreproof.objects.discrete import DiscreteVP"


def wrapper(what: str, target: str, thing: Any) -> str:
    """The text of a module whose ``mine`` hands ``thing``, found at ``target``, to a check."""
    module, _, path = target.partition(":")
    needed = (_names(thing) or []) if inspect.isclass(thing) else []
    library = _library(thing)
    loop = sampler_lines(thing, library, needed) if what == "sampler" else None
    loop = loss_lines(thing, library, needed) if what == "loss" else loop
    body = handed(what, thing) if loop is None else loop
    made = path
    if inspect.isclass(thing):
        network = NETWORKS if loop is not None and any("exact" in e for e in loop) else ()
        values = [f"{n}={'exact' if n in network else '...'}" for n in needed]
        made += f"({', '.join(values)})"
    numpy = [IMPORTS["numpy"]] if library != "numpy" and any("np." in e for e in body) else []
    marks = ("np.",) if library == "numpy" else (f"{ARRAYS[library]}.",)
    imported = IMPORTS[library] if any(m in e for m in marks for e in body) else ""
    return "\n".join(
        [
            f'"""{path} as check_{what} takes it: {EXAMPLES[what].judges}.',
            "",
            f"Every ... is to be filled in. Then: scoreproof check {what} FILE:mine",
            '"""',
            "",
            *numpy,
            *([imported] if imported else []),
            f"from {module} import {path.partition('.')[0]}",
            *([DISCRETE] if any("DiscreteVP" in e for e in body) else []),
            "",
            *([f"o = {made}"] if loop is None else []),
            *(line.replace("MADE", made) for line in body),
            "",
        ]
    )


def handed(what: str, thing: Any) -> list[str]:
    """The lines that make ``mine`` of ``o``, which is ``thing`` or an instance of it."""
    wanted = WANTED.get(what)
    if wanted is None or inspect.isroutine(thing):
        return _whole(what, thing)
    library = _library(thing)
    entries = [_entry(argument, one, thing, library) for argument, one in wanted.items()]
    if what == "marginals" and not _member(wanted["drift"], thing) and hasattr(thing, "sde"):
        entries.append("batched_time=True,  # if it takes a time for each row, as score_sde's")
    if library != "numpy" and "framework" in _parameters(what):
        entries.append(f'framework="{library}",  # its module imports it: drop this for NumPy')
    return ["mine = dict(", *(f"    {e}" for e in entries), ")"]


def _whole(what: str, thing: Any) -> list[str]:
    """An object that the check takes whole, if it takes it at all: the check says what is amiss."""
    needed = [n for n, p in _parameters(what).items() if p.default is p.empty]
    first = needed[0] if needed else next(iter(_parameters(what)))
    more = "".join(f"    {n}=...,\n" for n in needed[1:])
    # a class's own names are its constructor's, not those that its instances are called with
    names = _names(vars(thing).get("__call__")) if inspect.isclass(thing) else _names(thing)
    takes = f"  # called with ({', '.join(names)})" if names else ""
    if not more:
        parameters, library = _parameters(what), _library(thing)
        extra = []
        if what == "sampler" and hasattr(thing, "betas"):
            extra.append("    process=DiscreteVP(o.betas),")
        if "framework" in parameters and library != "numpy" and not hasattr(thing, "set_timesteps"):
            extra.append(f'    framework="{library}",')
        if extra:
            return ["mine = dict(", f"    {first}=o,{takes}", *extra, ")"]
        return [f"mine = o{takes}"]
    return [f"mine = dict(\n    {first}=o,{takes}\n{more})"]


def _entry(argument: str, wanted: Wanted, thing: Any, library: str) -> str:
    name = _member(wanted, thing)
    if name is not None:
        own = "o" if name == "__call__" else f"o.{name}"
        return f"{argument}={_ordered(own, getattr(thing, name), wanted)}"
    if argument in ("drift", "diffusion") and callable(getattr(thing, "sde", None)):
        # both at once, as score_sde's classes return them
        zeros = f"{ARRAYS[library]}.zeros((1, 2))"
        x = "x" if argument == "drift" else zeros
        asked = f"t, {x}" if _swapped(thing.sde) else f"{x}, t"
        taken = ("x, t", 0) if argument == "drift" else ("t", 1)
        return f"{argument}=lambda {taken[0]}: o.sde({asked})[{taken[1]}],"
    how = f"called ({', '.join(wanted.called)}); " if wanted.called else ""
    of = "the class has" if inspect.isclass(thing) else "o has"
    tried = ", ".join(n for n in wanted.names if not n.startswith("__"))
    remark = wanted.remark or f"{how}{of} no {tried}"
    return f"{argument}={wanted.value},  # {remark}"


def _member(wanted: Wanted, thing: Any) -> str | None:
    """The first of the names that it has; ``__call__`` of a class is its constructor, where its
    instances have none of their own.
    """
    own = [n for n in wanted.names if n != "__call__" or "__call__" in dir(_class(thing))]
    return next((n for n in own if hasattr(thing, n)), None)


def _ordered(own: str, member: Any, wanted: Wanted) -> str:
    """``member`` as it is if it takes its arguments in the check's order; else a lambda that puts
    them into its own. What the names do not say is left open.
    """
    names, called = _names(member), wanted.called
    if not called or names is None:
        return f"{own},"
    place = {n: _place(n, called) for n in names}
    strange = [n for n in names if place[n] is None]
    left = [c for c in called if c not in place.values()]
    if len(strange) == len(left) == 1:  # one name is unknown, and one argument left for it
        place[strange[0]], strange = left[0], []
    if [place[n] for n in names] == list(called):
        return f"{own},"
    passed = ", ".join(f"{n}={place[n] or '?'}" for n in names)
    if strange:
        return f"...,  # lambda {', '.join(called)}: {own}({passed})"
    return f"lambda {', '.join(called)}: {own}({passed}),"


def _place(name: str, called: tuple[str, ...]) -> str | None:
    return next((c for c in called if name == c or name in ALIASES.get(c, ())), None)


def _swapped(member: Any) -> bool:
    names = _names(member) or []
    return [_place(n, ("x", "t")) for n in names] == ["t", "x"]


def _names(member: Any) -> list[str] | None:
    """The names of the arguments that it needs, without ``self``; nothing where they cannot be
    read, or are positional only.
    """
    try:
        parameters = list(inspect.signature(member).parameters.values())
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.POSITIONAL_ONLY for p in parameters):
        return None
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [
        p.name for p in parameters if p.kind in kinds and p.default is p.empty and p.name != "self"
    ]


def _class(thing: Any) -> Any:
    return thing if inspect.isclass(thing) else type(thing)


def _library(thing: Any) -> str:
    """What the class's own module works with."""
    used = vars(inspect.getmodule(_class(thing)) or object)
    return "torch" if "torch" in used else "jax" if "jax" in used or "jnp" in used else "numpy"


def _parameters(what: str) -> Any:
    import scoreproof

    every = inspect.signature(getattr(scoreproof, f"check_{what}")).parameters
    return {n: p for n, p in every.items() if p.kind is not p.VAR_KEYWORD}
