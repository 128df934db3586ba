"""A run as a table on a terminal, with what a reader must not miss below it."""

from __future__ import annotations

import math
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scoreproof.judge import ClaimResult
from scoreproof.verify import Run

__all__ = ["in_words", "print_run"]

SHORT = {
    "verified elsewhere (receipt matches)": "receipt matches",
    "no Lean proof yet": "no proof yet",
}
#: All columns, and those that a reader needs who only wants to know whether all is well.
COLUMNS = (
    "claim",
    "verdict",
    "strongest evidence",
    "error against bound",
    "faults refuted",
    "smallest ε refuted",
    "Lean",
    "seconds",
)
BRIEF = ("claim", "verdict", "strongest evidence", "faults refuted", "Lean", "seconds")
LEGEND = (
    "The error is relative; a certified bound is the radius of the enclosure, a statistical error"
    " the rate of false alarms over p, against 1; the other bounds are derived from conditioning,"
    " rounding and, of convergent checks, refinement.",
    "ε is a relative error planted in one coefficient. `scoreproof explain CLAIM` says what each"
    " check does and cannot see.",
)
COLOURS = {"holds": "green", "refuted": "bold red", "undecided": "yellow", "not run": "yellow"}


def print_run(
    run: Run, lean: dict[str, Any], console: Console, *, verbose: bool = False, status: int = 0
) -> None:
    """Print the table, then failures and open checks, the Lean status, and last the verdict in
    words; ``status`` is the exit status. ``verbose`` adds how far every claim was put to the test,
    what was found on real input, and a legend.
    """
    columns = COLUMNS if verbose else BRIEF
    table = Table(show_edge=False, pad_edge=False)
    for heading in columns:
        table.add_column(
            heading,
            justify="right" if heading == "seconds" else "left",
            no_wrap=heading in ("claim", "verdict"),
            overflow="fold",
        )
    by_claim = lean.get("claims", {})
    for result in run.results:
        proof = str(by_claim.get(result.name, {}).get("status", lean["status"]))
        row = dict(zip(COLUMNS, _row(result, SHORT.get(proof, proof)), strict=True))
        table.add_row(*(row[heading] for heading in columns))
    console.print(table)
    for result in run.results:
        _print_open(result, console)
    console.print()
    if verbose:
        _print_real_input(run, console)
        for line in LEGEND:
            console.print(line, style="dim")
    reason = lean["reason"].removesuffix("; not checked here")
    here = "" if lean["status"] == "verified here" else "not checked here; "
    console.print(Text(f"Lean: {here}{lean['status']}: {reason}"))
    style = COLOURS[as_verdict(run, status)].removeprefix("bold ")
    console.print(Text(in_words(run, status), style=f"bold {style}"))


def _print_open(result: ClaimResult, console: Console) -> None:
    """Failures of the tool, and every check that does not hold, in full."""
    for failure in result.failures:
        console.print(Text(f"TOOL FAILURE in {result.name}: {failure}", style="bold red"))
    if not result.complete:
        console.print(Text(f"{result.name}: interrupted, not everything ran", style="yellow"))
    for check in result.checks:
        verdict = check.worst.verdict
        if verdict != "holds":
            told = f"{result.name} · {check.check.name}: {check.worst.explain()}"
            console.print(Text(told, style=COLOURS[verdict]))


def as_verdict(run: Run, status: int) -> str:
    """The whole run as one verdict, by which it is coloured: a failure of the tool is no less
    alarming than a refutation, and an interrupted run alarms by what it found.
    """
    if status == 0:
        return "holds"
    found = status == 130 and all(r.verdict != "refuted" for r in run.results)
    return "undecided" if status == 3 or found else "refuted"


def in_words(run: Run, status: int) -> str:
    """The verdict of the whole run in a sentence; ``status`` is the exit status."""
    faults = [fault for result in run.results for fault in result.faults]
    refuted = sum(fault.refuted for fault in faults)
    by_verdict: dict[str, list[str]] = {}
    for result in run.results:
        by_verdict.setdefault(result.verdict, []).append(result.name)
    n = len(run.results)
    if status == 0:
        every = "The claim holds" if n == 1 else f"All {n} claims hold"
        planted = f"{refuted} of {len(faults)} planted faults are refuted"
        return f"{every}; {planted}."
    parts = [
        f"{', '.join(names)}: {verdict}" for verdict, names in by_verdict.items()
        if verdict != "holds"
    ]  # fmt: skip
    if any(result.failures for result in run.results):
        parts.append("the tool itself failed, see TOOL FAILURE above")
    elif status == 4:
        parts.append("a Lean file is not the one that its receipt speaks of")
    head = "Interrupted. " if run.interrupted else ""
    return f"{head}{'; '.join(parts) or 'Nothing was refuted'}."


def _print_real_input(run: Run, console: Console) -> None:
    """What the checks on data and code from outside found: one line an instance."""
    for result in run.results:
        for check in result.checks:
            for evidence in check.evidence.values() if check.check.real_input else ():
                error = (
                    f" (error {_short(evidence.value)} ≤ {_short(evidence.bound)})"
                    if evidence.verdict == "holds"
                    else ""
                )
                console.print(
                    Text(
                        f"{result.name} · {check.check.name}: {evidence.verdict}:"
                        f" {evidence.sentence}{error}"
                    )
                )


def _row(result: ClaimResult, lean: str) -> tuple[Any, ...]:
    strongest = result.strongest
    evidence = (
        f"{strongest.check.kind}: {strongest.check.name}" if strongest is not None else "none"
    )
    hard = result.hardest
    error = (
        f"{_short(hard.worst.value)} ≤ {_short(hard.worst.bound)} ({hard.check.kind})"
        if hard is not None
        else "—"
    )
    if hard is not None and hard.check.kind == "certified" and result.verdict == "holds":
        error = f"0 ± {_short(hard.worst.bound)} (certified)"
    elif hard is not None and hard.worst.verdict == "refuted":
        error = error.replace("≤", ">")
    refuted = sum(f.refuted for f in result.faults)
    smallest = result.smallest_by_kind()
    sharp = ", ".join(f"{_short(v)} {k}" for k, v in smallest.items()) or "any (exact)"
    verdict = Text(
        result.verdict if not result.failures else f"{result.verdict}, TOOL FAILED",
        style=COLOURS[result.verdict] if not result.failures else "bold red",
    )
    return (
        result.name,
        verdict,
        evidence,
        error,
        f"{refuted} of {len(result.faults)}",
        sharp,
        lean,
        f"{result.seconds:.1f}",
    )


def _short(value: float) -> str:
    return "0" if value == 0 else f"{value:.0e}" if math.isfinite(value) else "—"
