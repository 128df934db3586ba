"""``scoreproof check``: an object of the user's, found by its module and name, handed to one of the
public checks.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from scoreproof.apart import apart
from scoreproof.errors import ArgumentError, CallableError, ScoreproofError

__all__ = ["run_check", "writable"]

EXIT = {"holds": 0, "refuted": 1, "undecided": 3, "not run": 3}


def run_check(asked: argparse.Namespace) -> int:
    """``scoreproof check WHAT module:object``: print the explanation and return the exit status.

    The object is a mapping of the check's arguments, an object with attributes of their names
    (``drift``, ``diffusion``, ``marginal``), or a function without arguments that returns either,
    or for checks of one callable that callable. ``asked.json`` takes the evidence as JSON
    (``report/evidence.schema.json``; ``-`` is standard output, in place of the explanation),
    ``asked.html`` the page of it. Without an object the check explains itself, without a check all
    of them are listed.
    """
    from scoreproof import check_examples

    if asked.what is None:
        print(check_examples.listed())
        return 0
    what = asked.what.removeprefix("check_")
    if what not in check_examples.NAMES:
        raise ArgumentError(
            "WHAT",
            f"one of {', '.join(check_examples.NAMES)}",
            what,
            "it is the part after check_ in the function's name",
        )
    if asked.target == "help":
        print(check_examples.manual(what))
        return 0
    if asked.wrap:
        from scoreproof.wrapping import wrapper

        print(apart(lambda: wrapper(what, asked.target, _load(asked.target)), asked.target), end="")
        return 0
    for file in (asked.json, asked.html):
        if file is not None:
            writable(file)
    command = f"scoreproof check {what} {asked.target}"
    page = command if asked.html is not None else None
    found = apart(lambda: _judged(what, asked.target, asked.seed, page), asked.target)
    text = json.dumps(found.document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    if asked.json is not None and str(asked.json) != "-":
        asked.json.write_text(text, "utf-8")
    if asked.html is not None:
        asked.html.write_text(found.page, "utf-8")
    sys.stdout.write(text if str(asked.json) == "-" else found.explanation + "\n")
    return EXIT[found.document["verdict"]]


class Judged(NamedTuple):
    """The evidence as JSON has it, in words, and as a page (or nothing)."""

    document: dict[str, Any]
    explanation: str
    page: str


def writable(file: Path) -> None:
    """Learn now, not after a minute of work, that an output file cannot be written."""
    if str(file) == "-":
        return
    folder = file.absolute().parent
    if not folder.is_dir():
        raise ArgumentError(
            "the output file", "in an existing directory", file, "create the directory first"
        )
    if file.is_dir() or not os.access(file if file.exists() else folder, os.W_OK):
        raise ArgumentError(
            "the output file", "a file that can be written", file, "name another one"
        )


def _judged(what: str, target: str, seed: int | None, command: str | None) -> Judged:
    """``command``: what a page would say made it; no page without it."""
    import scoreproof

    function = getattr(scoreproof, f"check_{what}")
    arguments = _arguments(function, _load(target), target)
    if "seed" in inspect.signature(function).parameters:
        if seed is not None:  # the command's own goes before the object's
            arguments["seed"] = seed
    elif seed is not None:
        raise ArgumentError("--seed", f"left out: check_{what} draws nothing", seed, "drop it")
    evidence = function(**arguments)
    page = ""
    if command is not None:
        from scoreproof.report.evidence_page import evidence_page

        page = evidence_page(evidence, command)
    return Judged(evidence.to_dict(), evidence.explain(), page)


def _load(target: str) -> Any:
    module_name, _, path = target.partition(":")
    if not module_name or not path or module_name.startswith(".") or "/" in module_name:
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
    except (Exception, SystemExit) as error:
        remedy = "import it by hand"
        if isinstance(error, SystemExit):
            remedy = 'keep a script\'s own part under if __name__ == "__main__"'
        raise CallableError(
            f"module {module_name}",
            "import without an error",
            f"it raised {type(error).__name__}: {error}",
            remedy,
        ) from error
    return thing


def _arguments(function: Any, thing: Any, target: str) -> dict[str, Any]:
    every = inspect.signature(function).parameters
    parameters = {n: p for n, p in every.items() if p.kind is not p.VAR_KEYWORD}
    needed = [n for n, p in parameters.items() if p.default is p.empty]
    # a check of one thing takes whatever that is: a callable, a scheduler, a table
    alone = (needed or list(parameters))[0] if len(needed) < 2 else None
    if _makes_it(thing, alone):
        thing = _made(thing, target)
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


def _made(thing: Any, target: str) -> Any:
    try:
        return thing()
    except (Exception, SystemExit) as error:
        raise CallableError(
            target,
            "be callable without arguments",
            f"it raised {type(error).__name__}: {error}",
            "name an instance or a factory",
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
