"""A user's object by its module and name, and the arguments of a check that it is or has."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from scoreproof.errors import ArgumentError, CallableError, ScoreproofError

__all__ = ["arguments_of", "load", "parts_of"]


def parts_of(target: str) -> tuple[str, str]:
    module, _, path = target.partition(":")
    if not module or not path or module.startswith(".") or "/" in module:
        raise ArgumentError(
            "module:object",
            "of the form package.module:name",
            target,
            "e.g. mysde:sde, with mysde.py in this directory",
        )
    return module, path


def load(target: str) -> Any:
    module_name, path = parts_of(target)
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        thing: Any = importlib.import_module(module_name)
        for part in path.split("."):
            thing = getattr(thing, part)
    except (ImportError, AttributeError) as error:
        told = f"{type(error).__name__}: {error}{_where(error)}"
        if module_name.endswith(".py"):
            told = f"a module is named without .py: {module_name.removesuffix('.py')}:{path}"
        raise ArgumentError("module:object", "importable", target, told) from error
    except (Exception, SystemExit) as error:
        remedy = "mend the module, or import another"
        if isinstance(error, SystemExit):
            remedy = 'keep a script\'s own part under if __name__ == "__main__"'
        raise CallableError(
            f"module {module_name}",
            "import without an error",
            f"it raised {type(error).__name__}: {error}{_where(error)}",
            remedy,
        ) from error
    return thing


def _where(error: BaseException) -> str:
    """The line of the user's that an error went through last: in this folder, and not installed."""
    here = os.getcwd() + os.sep
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = frame.filename
        if file.startswith(here) and "site-packages" not in file and file != __file__:
            return f", line {frame.lineno} of {file.removeprefix(here)}"
    return ""


def arguments_of(function: Any, thing: Any, target: str) -> dict[str, Any]:
    every = inspect.signature(function).parameters
    parameters = {n: p for n, p in every.items() if p.kind is not p.VAR_KEYWORD}
    needed = [n for n, p in parameters.items() if p.default is p.empty]
    # a check of one thing takes whatever that is: a callable, a scheduler, a table
    alone = (needed or list(parameters))[0] if len(needed) < 2 else None
    if _makes_it(thing, alone):
        thing = _made(thing, function.__name__.removeprefix("check_"), target)
    if isinstance(thing, Mapping):
        _keys(thing, parameters, needed, target, open_ended=len(parameters) < len(every))
        return dict(thing)
    found = {n: getattr(thing, n) for n in needed if hasattr(thing, n)}
    missing = [n for n in needed if n not in found]
    if alone is not None and not found:
        return {alone: thing}
    if missing:
        what = function.__name__.removeprefix("check_")
        remedy = (
            f"name a dict instead, e.g. mine = dict({', '.join(f'{n}=…' for n in needed)});"
            f" `scoreproof check {what} {target} --wrap` writes it"
        )
        if hasattr(thing, "sde") and hasattr(thing, "marginal_prob"):
            from scoreproof.check_examples import in_one_line
            from scoreproof.wrapping import handed

            code = "\n".join(line.partition("  #")[0] for line in handed(what, thing))
            remedy = f"wrap it, o being your object: {in_one_line(code)} (--wrap writes it)"
        raise ArgumentError(
            target,
            f"an object or mapping with {', '.join(needed)}",
            f"no {', '.join(missing)}",
            remedy,
        )
    return found


def _makes_it(thing: Any, alone: str | None) -> bool:
    """A class, or a function without arguments, of which the object is what it returns."""
    if inspect.isclass(thing):
        return True
    if alone is not None:  # it may itself be what is judged, and then it takes arguments
        return inspect.isfunction(thing) and not inspect.signature(thing).parameters
    return callable(thing) and not _required(thing)


def _made(thing: Any, what: str, target: str) -> Any:
    try:
        return thing()
    except (Exception, SystemExit) as error:
        raise CallableError(
            target,
            "be callable without arguments",
            f"it raised {type(error).__name__}: {error}",
            f"name an instance or a factory; `scoreproof check {what} {target} --wrap` writes one",
        ) from error


def _keys(
    thing: Mapping[Any, Any],
    parameters: Mapping[str, Any],
    needed: list[str],
    target: str,
    *,
    open_ended: bool,
) -> None:
    """Refuse keys that the check does not take (one that takes tables by their names says itself
    which), and a mapping that lacks what it needs.
    """
    unknown = [] if open_ended else sorted(str(key) for key in set(thing) - set(parameters))
    if unknown:
        raise ArgumentError(
            target,
            f"a mapping with keys among {', '.join(parameters)}",
            ", ".join(unknown),
            "rename or drop these keys",
        )
    missing = [n for n in needed if n not in thing]
    if missing:
        raise ArgumentError(
            target,
            f"a mapping with {', '.join(needed)}",
            f"no {', '.join(missing)}",
            "add what is missing",
        )


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
