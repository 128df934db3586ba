"""The Lean half: its status for ``verify``, its statements for ``explain``, and the command
``scoreproof lean``.

Four words for what the files are worth: ``verified here``, ``verified elsewhere (receipt
matches)``, ``changed since it was verified``, ``not verified``. A claim without a compiled file has
``no Lean proof yet``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["add_arguments", "exit_status", "main", "run", "statement_of", "status"]

_SILENCE = 900.0  # cloning Mathlib prints nothing for minutes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``scoreproof lean``."""
    parser.description = (
        "Compare the Lean files with their receipt and audit them; with --build, compile them with"
        " Lake; with --audit PATH, read another project's files for what a text can show."
    )
    parser.epilog = (
        "The last line is one of: verified here · verified elsewhere (receipt matches) · changed"
        " since it was verified · not verified. Exit status: 0 verified · 2 usage · 3 not verified"
        " · 4 a Lean file differs from its receipt · 130 interrupted. SCOREPROOF_LAKE_PACKAGES"
        " names a packages folder to share with other Lake projects. With --audit PATH the last"
        " line is a count of findings, and the exit status 0 nothing serious · 1 a serious finding"
        " (axiom, sorry, native_decide, a statement that says nothing, …) · 2 usage, or a file that"
        " cannot be read."
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        "--build", action="store_true", help="compile with Lake; says first what it would fetch"
    )
    action.add_argument(
        "--audit",
        nargs="?",
        const=True,
        default=False,
        metavar="PATH",
        help="without PATH: the static audit and the comparison with the receipt (the default);"
        " with PATH: audit somebody else's Lake project, folder of Lean files, or one file",
    )
    action.add_argument(
        "--receipt",
        action="store_true",
        help="also print what was checked when the receipt was made, and what was not",
    )
    parser.add_argument(
        "--silence",
        type=_positive,
        default=_SILENCE,
        metavar="SECONDS",
        help="end a lake that prints nothing for so long (default: 900)",
    )
    parser.add_argument(
        "--root",
        type=Path,
        default=None,
        metavar="DIR",
        help="the Lake project (default: this checkout, or the copy that was installed)",
    )
    parser.add_argument(
        "--json",
        type=Path,
        default=None,
        metavar="FILE",
        help="with --audit PATH: also write the findings to FILE",
    )


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number > 0 (got {text})")
    return value


def run(arguments: argparse.Namespace) -> int:
    """Run ``scoreproof lean`` with parsed arguments and return its exit status (130 when
    interrupted).
    """
    from scoreproof.lean.command import run as command
    from scoreproof.lean.receipt import NOT

    try:
        if isinstance(arguments.audit, str):
            return _foreign(arguments)
        if arguments.json:
            return _usage("--json wants --audit PATH")
        return command(arguments)
    except KeyboardInterrupt:
        print(NOT, flush=True)
        return 130


def _foreign(arguments: argparse.Namespace) -> int:
    """``--audit PATH``."""
    from scoreproof.lean.foreign.report import run as audit

    if arguments.root:
        return _usage("--audit PATH names the project; leave --root out")
    return audit(Path(arguments.audit), arguments.json)


def _usage(sentence: str) -> int:
    print(f"scoreproof lean: {sentence}", file=sys.stderr)
    return 2


def main(argv: Sequence[str] | None = None) -> int:
    """``scoreproof lean`` on its own: parse, run, return the exit status."""
    parser = argparse.ArgumentParser(prog="scoreproof lean")
    add_arguments(parser)
    return run(parser.parse_args(argv))


def status(root: Path | None = None) -> dict[str, Any]:
    """What the Lean files are worth, without running anything: overall, and for each claim.

    >>> sorted(status()), status()["claims"]["tweedie"]["status"]
    (['claims', 'reason', 'status'], 'no Lean proof yet')
    """
    from scoreproof.claims import NAMES
    from scoreproof.lean.receipt import (
        CITED,
        NO_PROOF,
        ReceiptError,
        compare,
        project_root,
        read_receipt,
    )

    root = root or project_root()
    found = compare(root)
    claims: dict[str, dict[str, str | None]] = {}
    try:
        files = {claim: str(entry["path"]) for claim, entry in read_receipt(root).claims.items()}
    except ReceiptError:
        files = {}
    for name in NAMES:
        theorem = CITED.get(name)
        claims[name] = {
            "theorem": theorem,
            "file": files.get(name) if theorem else None,
            "status": found.status if theorem else NO_PROOF,
        }
    return {"status": found.status, "reason": found.reason, "claims": claims}


def exit_status(found: dict[str, Any]) -> int:
    """The exit status of ``scoreproof lean`` for a ``status()``: 0, 3 or 4."""
    from scoreproof.lean.command import EXIT

    return EXIT[found["status"]]


def statement_of(claim: str, root: Path | None = None) -> str | None:
    """The Lean statement that ``claim`` cites, with its place and what it is worth; None if it has
    no Lean proof.
    """
    from scoreproof.lean.declarations import declarations
    from scoreproof.lean.receipt import (
        CITED,
        COVERED,
        ReceiptError,
        compare,
        project_root,
        read_receipt,
    )

    name = CITED.get(claim)
    if name is None:
        return None
    root = root or project_root()
    found = compare(root)
    try:
        receipt = read_receipt(root)
    except ReceiptError:
        return f"{name}: {found.status} ({found.reason})"
    entry, recorded = receipt.claims.get(claim), receipt.declaration(name)
    if entry is None or recorded is None:
        return f"{name}: not in the receipt"
    text = str(recorded["statement"])
    with suppress(OSError, ValueError):  # else the receipt's text, on one line
        text = next(
            (
                d.source
                for d in declarations((root / entry["path"]).read_text("utf-8"))
                if d.name == name
            ),
            text,
        )
    head = f"-- {name}, in {entry['path']}: {found.status}; covers {COVERED[claim]}"
    return f"{head}\n{text}"
