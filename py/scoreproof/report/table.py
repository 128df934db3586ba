"""A run as a table on a terminal, with what a reader must not miss below it."""

from __future__ import annotations

import math
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scoreproof.judge import ClaimResult
from scoreproof.verify import Run

__all__ = ["print_run"]

SHORT = {
    "verified elsewhere (receipt matches)": "receipt matches",
    "no Lean proof yet": "no proof yet",
}
COLOURS = {"holds": "green", "refuted": "bold red", "undecided": "yellow", "not run": "yellow"}


def print_run(run: Run, lean: dict[str, Any], console: Console) -> None:
    """Print the table, then failures, open checks, findings on real input, the Lean status and a
    legend.
    """
    table = Table(show_edge=False, pad_edge=False)
    for heading in (
        "claim",
        "verdict",
        "strongest evidence",
        "error against bound",
        "faults refuted",
        "smallest ε refuted",
        "Lean",
        "seconds",
    ):
        table.add_column(
            heading,
            justify="right" if heading == "seconds" else "left",
            no_wrap=heading in ("claim", "verdict"),
            overflow="fold",
        )
    by_claim = lean.get("claims", {})
    for result in run.results:
        status = str(by_claim.get(result.name, {}).get("status", lean["status"]))
        table.add_row(*_row(result, SHORT.get(status, status)))
    console.print(table)
    for result in run.results:
        for failure in result.failures:
            console.print(Text(f"TOOL FAILURE in {result.name}: {failure}", style="bold red"))
        if not result.complete:
            console.print(Text(f"{result.name}: interrupted, not everything ran", style="yellow"))
        for check in result.checks:
            if check.worst.verdict != "holds":
                console.print(
                    Text(
                        f"{result.name} · {check.check.name}: {check.worst.explain()}",
                        style=COLOURS[check.worst.verdict],
                    )
                )
    console.print()
    _print_real_input(run, console)
    reason = lean["reason"].removesuffix("; not checked here")
    here = "" if lean["status"] == "verified here" else "not checked here; "
    console.print(Text(f"Lean: {here}{lean['status']}: {reason}"))
    console.print(
        "The error is relative; a certified bound is the radius of the enclosure, and every other"
        " is a tolerance derived from rounding.",
        style="dim",
    )
    console.print(
        "ε is a relative error planted in one coefficient. `scoreproof explain CLAIM` says what"
        " each check does and cannot see.",
        style="dim",
    )


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
