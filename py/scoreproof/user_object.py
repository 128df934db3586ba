"""``scoreproof check``: an object of the user's, found by its module and name, handed to one of the
public checks.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Mapping
from typing import Any

from scoreproof.errors import ArgumentError, CallableError, ScoreproofError
from scoreproof.evidence import Evidence

__all__ = ["run_check"]

EXIT = {"holds": 0, "refuted": 1, "undecided": 3, "not run": 3}


def run_check(what: str, target: str, seed: int) -> int:
    """``scoreproof check WHAT module:object``: print the explanation and return the exit status;
    ``help`` prints what it takes.

    The object is a mapping of the check's arguments, an object with attributes of their names
    (``drift``, ``diffusion``, ``marginal``), or a function without arguments that returns either,
    or for checks of one callable that callable.
    """
    import scoreproof

    known = sorted(n.removeprefix("check_") for n in scoreproof.__all__ if n.startswith("check_"))
    if what not in known:
        raise ArgumentError(
            "WHAT",
            f"one of {', '.join(known)}",
            what,
            "it is the part after check_ in the function's name",
        )
    function = getattr(scoreproof, f"check_{what}")
    if target == "help":
        print(f"check_{what}{inspect.signature(function)}\n\n{inspect.getdoc(function)}")
        return 0
    evidence: Evidence = function(**_arguments(function, _load(target), target), seed=seed)
    print(evidence.explain())
    return EXIT[evidence.verdict]


def _load(target: str) -> Any:
    module_name, _, path = target.partition(":")
    if not module_name or not path:
        raise ArgumentError(
            "module:object",
            "of the form package.module:name",
            target,
            "e.g. mysde:sde, with mysde.py in this directory",
        )
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        thing: Any = importlib.import_module(module_name)
        for part in path.split("."):
            thing = getattr(thing, part)
    except (ImportError, AttributeError) as error:
        raise ArgumentError(
            "module:object", "importable", target, f"{type(error).__name__}: {error}"
        ) from error
    except Exception as error:
        raise CallableError(
            f"module {module_name}",
            "import without an error",
            f"it raised {type(error).__name__}: {error}",
            "import it by hand",
        ) from error
    return thing


def _arguments(function: Any, thing: Any, target: str) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters
    needed = [n for n, p in parameters.items() if p.default is p.empty]
    if inspect.isclass(thing) or (callable(thing) and len(needed) > 1 and not _required(thing)):
        try:
            thing = thing()
        except Exception as error:
            raise CallableError(
                target,
                "be callable without arguments",
                f"it raised {type(error).__name__}: {error}",
                "name an instance or a factory",
            ) from error
    if isinstance(thing, Mapping):
        unknown = sorted(set(thing) - set(parameters))
        if unknown:
            raise ArgumentError(
                target,
                f"a mapping with keys among {', '.join(parameters)}",
                ", ".join(unknown),
                "rename or drop these keys",
            )
        return dict(thing)
    found = {n: getattr(thing, n) for n in needed if hasattr(thing, n)}
    missing = [n for n in needed if n not in found]
    if missing == needed and len(needed) == 1 and callable(thing):
        return {needed[0]: thing}
    if missing:
        remedy = f"name a dict instead, e.g. mine = dict({', '.join(f'{n}=…' for n in needed)})"
        if hasattr(thing, "sde") and hasattr(thing, "marginal_prob"):
            remedy = (
                "wrap it: mine = dict(drift=lambda x, t: o.sde(x, t)[0], diffusion=lambda t:"
                " o.sde(x, t)[1] for any x, marginal=o.marginal_prob, batched_time=True)"
            )
        raise ArgumentError(
            target,
            f"an object or mapping with {', '.join(needed)}",
            f"no {', '.join(missing)}",
            remedy,
        )
    return found


def _required(thing: Any) -> list[str]:
    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError) as error:
        raise ScoreproofError(
            f"{thing!r} has no readable signature; name a mapping of arguments instead"
        ) from error
    return [
        p.name
        for p in parameters
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
