"""``scoreproof check``: an object of the user's, found by its module and name, handed to one of the
public checks.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scoreproof.apart import apart
from scoreproof.errors import ArgumentError, CallableError, ScoreproofError

__all__ = ["run_check", "writable"]

EXIT = {"holds": 0, "refuted": 1, "undecided": 3, "not run": 3}


def run_check(what: str, target: str, seed: int | None = None, file: Path | None = None) -> int:
    """``scoreproof check WHAT module:object``: print the explanation and return the exit status;
    ``help`` prints what it takes.

    The object is a mapping of the check's arguments, an object with attributes of their names
    (``drift``, ``diffusion``, ``marginal``), or a function without arguments that returns either,
    or for checks of one callable that callable. ``file`` takes the evidence as JSON
    (``report/evidence.schema.json``); ``-`` is standard output, in place of the explanation.
    """
    import scoreproof

    known = sorted(n.removeprefix("check_") for n in scoreproof.__all__ if n.startswith("check_"))
    what = what.removeprefix("check_")
    if what not in known:
        raise ArgumentError(
            "WHAT",
            f"one of {', '.join(known)}",
            what,
            "it is the part after check_ in the function's name",
        )
    if target == "help":
        function = getattr(scoreproof, f"check_{what}")
        print(f"check_{what}{inspect.signature(function)}\n\n{inspect.getdoc(function)}")
        return 0
    if file is not None:
        writable(file)
    found, explanation = apart(lambda: _judged(what, target, seed), target)
    text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    if file is not None and str(file) != "-":
        file.write_text(text, "utf-8")
    sys.stdout.write(text if str(file) == "-" else explanation + "\n")
    return EXIT[found["verdict"]]


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


def _judged(what: str, target: str, seed: int | None) -> tuple[dict[str, Any], str]:
    """The evidence as JSON has it, and in words."""
    import scoreproof

    function = getattr(scoreproof, f"check_{what}")
    arguments = _arguments(function, _load(target), target)
    if seed is not None or "seed" not in arguments:  # the command's own goes before the object's
        arguments["seed"] = seed or 0
    evidence = function(**arguments)
    return evidence.to_dict(), evidence.explain()


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
    parameters = inspect.signature(function).parameters
    needed = [n for n, p in parameters.items() if p.default is p.empty]
    if inspect.isclass(thing) or (callable(thing) and len(needed) > 1 and not _required(thing)):
        try:
            thing = thing()
        except (Exception, SystemExit) as error:
            raise CallableError(
                target,
                "be callable without arguments",
                f"it raised {type(error).__name__}: {error}",
                "name an instance or a factory",
            ) from error
    if isinstance(thing, Mapping):
        unknown = sorted(str(key) for key in set(thing) - set(parameters))
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
        return dict(thing)
    found = {n: getattr(thing, n) for n in needed if hasattr(thing, n)}
    missing = [n for n in needed if n not in found]
    if missing == needed and len(needed) == 1 and callable(thing):
        return {needed[0]: thing}
    if missing:
        remedy = f"name a dict instead, e.g. mine = dict({', '.join(f'{n}=…' for n in needed)})"
        if hasattr(thing, "sde") and hasattr(thing, "marginal_prob"):
            remedy = (
                "wrap it, o being your object: mine = dict(drift=lambda x, t: o.sde(x, t)[0],"
                " diffusion=lambda t: o.sde(np.zeros((1, 2)), t)[1], marginal=o.marginal_prob,"
                " batched_time=True)"
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
