"""What the command ``verify`` does, apart from parsing its arguments."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from scoreproof.evidence import worst
from scoreproof.outputs import Text, check_outputs, deliver, forget_stdout, is_stdout, print_json
from scoreproof.tasks import Outcome
from scoreproof.verify import Run, verify

__all__ = ["run_verify"]


def run_verify(arguments: argparse.Namespace) -> int:
    """``scoreproof verify``: progress while it runs, then the table, then the JSON file and the
    HTML page.
    """
    from scoreproof import lean
    from scoreproof.report.document import document, dumps
    from scoreproof.report.table import print_run

    to_stdout = is_stdout(arguments.json)
    check_outputs(arguments.json, arguments.html)
    if arguments.html is not None:
        from scoreproof.report.page import require_report

        require_report()
    quiet = arguments.quiet or to_stdout
    run = _with_progress(arguments, quiet)
    status = lean.status()
    # a Lean file that is not the one its receipt speaks of is a failure of the tool, as a missed
    # fault is
    exit_status = (
        run.status
        if run.interrupted
        else max(run.status, 4 if lean.exit_status(status) == 4 else 0)
    )
    doc = document(run, status, exit_status=exit_status, timings=not arguments.no_timings)

    def say() -> None:
        if to_stdout:
            print_json(dumps(doc))
        elif not quiet:
            console = _Plain(
                # a table needs room: where output is not a terminal, 80 columns would fold it
                width=None if sys.stdout.isatty() else 190,
                soft_wrap=not sys.stdout.isatty(),
            )
            print_run(run, status, console, verbose=arguments.verbose, status=exit_status)

    def made() -> str:
        from scoreproof.report.page import page

        return page(run, doc)

    complete = deliver(say, Text(arguments.json, lambda: dumps(doc)), Text(arguments.html, made))
    for result in run.results if quiet else ():
        for failure in result.failures:
            print(f"scoreproof: TOOL FAILURE in {result.name}: {failure}", file=sys.stderr)
    return exit_status if complete or run.interrupted else 4


class _Plain(Console):
    """Rich would end the process with status 1, which here says refuted."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def _with_progress(arguments: argparse.Namespace, quiet: bool) -> Run:
    options: dict[str, Any] = {
        "profile": arguments.profile,
        "seed": arguments.seed,
        "workers": arguments.workers,
    }
    if quiet or not (arguments.verbose or sys.stdout.isatty()):
        return verify(arguments.claims, **options)
    if not sys.stdout.isatty():

        def line(outcome: Outcome, done: int, total: int) -> None:
            text = (
                f"[{done:3d}/{total}] {outcome.task.claim} · {outcome.task.check} ·"
                f" {outcome.task.role}: {_brief(outcome)}"
            )
            try:
                print(text, flush=True)
            except BrokenPipeError:  # the status is still due, and the files
                forget_stdout()

        return verify(arguments.claims, progress=line, **options)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, transient=True) as bar:
        shown = bar.add_task("verifying", total=None)

        def tick(outcome: Outcome, done: int, total: int) -> None:
            bar.update(
                shown,
                completed=done,
                total=total,
                description=f"{outcome.task.claim} · {outcome.task.check}",
            )

        return verify(arguments.claims, progress=tick, **options)


def _brief(outcome: Outcome) -> str:
    if outcome.error:
        return f"RAISED {outcome.error}"
    if outcome.task.role == "truth":
        return worst(list(outcome.evidence.values())).verdict
    if outcome.task.role == "faults":
        refuted = sum(e.verdict == "refuted" for e in outcome.evidence.values())
        return f"{refuted} of {len(outcome.evidence)} faults refuted"
    return (
        ", ".join(f"{name} down to {eps:g}" for name, eps in outcome.smallest.items())
        or "nothing refuted"
    )
