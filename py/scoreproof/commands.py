"""What the commands ``verify`` and ``check`` do, apart from parsing their arguments."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from scoreproof.errors import ArgumentError, CallableError, ScoreproofError
from scoreproof.evidence import Evidence, worst
from scoreproof.tasks import Outcome
from scoreproof.verify import Run, verify

__all__ = ["run_check_command", "run_verify"]


def run_verify(arguments: argparse.Namespace) -> int:
    """``scoreproof verify``: progress while it runs, then the table, the JSON file and the HTML page."""
    from scoreproof import lean
    from scoreproof.report.document import document, dumps
    from scoreproof.report.table import print_run

    to_stdout = arguments.json is not None and str(arguments.json) == "-"
    for path in (arguments.json, arguments.html):  # learn now, not after a minute of work
        if path is not None and not to_stdout and not path.absolute().parent.is_dir():
            raise ArgumentError("the output file", "in an existing directory", path, "create the directory first")
    if arguments.html is not None:
        from scoreproof.report.page import require_report

        require_report()
    quiet = arguments.quiet or to_stdout
    run = _with_progress(arguments, quiet)
    status = lean.status()
    # a Lean file that is not the one its receipt speaks of is a failure of the tool, as a missed fault is
    exit_status = run.status if run.interrupted else max(run.status, 4 if lean.exit_status(status) == 4 else 0)
    doc = document(run, status, exit_status=exit_status, timings=not arguments.no_timings)
    if to_stdout:
        sys.stdout.write(dumps(doc))
    elif arguments.json is not None:
        arguments.json.write_text(dumps(doc), "utf-8")
    if arguments.html is not None:
        from scoreproof.report.page import page

        arguments.html.write_text(page(run, doc), "utf-8")
    if not quiet:
        # a table needs room: where output is not a terminal, 80 columns would fold every cell
        print_run(run, status, Console(width=None if sys.stdout.isatty() else 190, soft_wrap=not sys.stdout.isatty()))
    for result in run.results if quiet else ():
        for failure in result.failures:
            print(f"scoreproof: TOOL FAILURE in {result.name}: {failure}", file=sys.stderr)
    return exit_status


def _with_progress(arguments: argparse.Namespace, quiet: bool) -> Run:
    options: dict[str, Any] = {"profile": arguments.profile, "seed": arguments.seed, "workers": arguments.workers}
    if quiet:
        return verify(arguments.claims, **options)
    if not sys.stdout.isatty():

        def line(outcome: Outcome, done: int, total: int) -> None:
            print(f"[{done:3d}/{total}] {outcome.task.claim} · {outcome.task.check} · {outcome.task.role}: {_brief(outcome)}", flush=True)

        return verify(arguments.claims, progress=line, **options)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, transient=True) as bar:
        shown = bar.add_task("verifying", total=None)

        def tick(outcome: Outcome, done: int, total: int) -> None:
            bar.update(shown, completed=done, total=total, description=f"{outcome.task.claim} · {outcome.task.check}")

        return verify(arguments.claims, progress=tick, **options)


def _brief(outcome: Outcome) -> str:
    if outcome.error:
        return f"RAISED {outcome.error}"
    if outcome.task.role == "truth":
        return worst(list(outcome.evidence.values())).verdict
    if outcome.task.role == "faults":
        refuted = sum(e.verdict == "refuted" for e in outcome.evidence.values())
        return f"{refuted} of {len(outcome.evidence)} faults refuted"
    return ", ".join(f"{name} down to {eps:g}" for name, eps in outcome.smallest.items()) or "nothing refuted"


def run_check_command(what: str, target: str, seed: int) -> Evidence:
    """``scoreproof check WHAT module:object``: print the explanation and return the evidence.

    The object is a mapping of the check's arguments, an object with attributes of their names (``drift``, ``diffusion``,
    ``marginal``), or a function without arguments that returns either, or for checks of one callable that callable.
    """
    import scoreproof

    known = sorted(n.removeprefix("check_") for n in scoreproof.__all__ if n.startswith("check_"))
    if what not in known:
        raise ArgumentError("WHAT", f"one of {', '.join(known)}", what, "it is the part after check_ in the function's name")
    function = getattr(scoreproof, f"check_{what}")
    evidence: Evidence = function(**_arguments(function, _load(target), target), seed=seed)
    print(evidence.explain())
    return evidence


def _load(target: str) -> Any:
    module_name, _, path = target.partition(":")
    if not module_name or not path:
        raise ArgumentError("module:object", "of the form package.module:name", target, "e.g. mysde:sde, with mysde.py in this directory")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        thing: Any = importlib.import_module(module_name)
        for part in path.split("."):
            thing = getattr(thing, part)
    except (ImportError, AttributeError) as error:
        raise ArgumentError("module:object", "importable", target, f"{type(error).__name__}: {error}") from error
    except Exception as error:
        raise CallableError(
            f"module {module_name}", "import without an error", f"it raised {type(error).__name__}: {error}", "import it by hand"
        ) from error
    return thing


def _arguments(function: Any, thing: Any, target: str) -> dict[str, Any]:
    import inspect

    parameters = inspect.signature(function).parameters
    needed = [n for n, p in parameters.items() if p.default is p.empty]
    if inspect.isclass(thing) or (callable(thing) and len(needed) > 1 and not _required(thing)):
        try:
            thing = thing()
        except Exception as error:
            raise CallableError(
                target, "be callable without arguments", f"it raised {type(error).__name__}: {error}", "name an instance or a factory"
            ) from error
    if isinstance(thing, Mapping):
        unknown = sorted(set(thing) - set(parameters))
        if unknown:
            raise ArgumentError(target, f"a mapping with keys among {', '.join(parameters)}", ", ".join(unknown), "rename or drop these keys")
        return dict(thing)
    found = {n: getattr(thing, n) for n in needed if hasattr(thing, n)}
    missing = [n for n in needed if n not in found]
    if missing == needed and len(needed) == 1 and callable(thing):
        return {needed[0]: thing}
    if missing:
        raise ArgumentError(target, f"an object or mapping with {', '.join(needed)}", f"no {', '.join(missing)}", "add what is missing")
    return found


def _required(thing: Any) -> list[str]:
    import inspect

    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError) as error:
        raise ScoreproofError(f"{thing!r} has no readable signature; name a mapping of arguments instead") from error
    return [p.name for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
