"""What ``scoreproof lean`` does: compare, audit or build, and end in exactly one of four lines."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from pathlib import Path

from scoreproof.lean.audit import audit
from scoreproof.lean.failures import explain_failure
from scoreproof.lean.lake import (
    BuildError,
    Needs,
    find_lake,
    lean_version,
    needs,
    run_lake,
    share_packages,
)
from scoreproof.lean.receipt import (
    CHANGED,
    CITED,
    ELSEWHERE,
    HERE,
    INSTALLED,
    NOT,
    RECEIPT,
    STAMP,
    Comparison,
    Receipt,
    ReceiptError,
    compare,
    project_root,
    read_receipt,
)

__all__ = ["EXIT", "run"]

#: A Lean file that differs from its receipt is 4; everything else that is not verified is 3.
EXIT = {HERE: 0, ELSEWHERE: 0, NOT: 3, CHANGED: 4}


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status; the last line printed is the verdict."""
    root = Path(arguments.root).resolve() if arguments.root else project_root()
    comparison = compare(root)
    if arguments.receipt:
        _show_receipt(root)
    findings = audit(root) if root.is_dir() else []
    texts = [str(f) for f in findings if f.message != comparison.reason]
    for text in texts:
        _say(f"audit: {text}")
    if not texts and comparison.status != NOT:
        _say(
            "audit: no sorry, no axiom, no way around the kernel; every cited theorem is the one"
            " that was compiled"
        )
    _say(f"receipt: {comparison.reason}")
    if arguments.root and not (root / RECEIPT).is_file() and root.is_dir():
        _say(f"audit: for a project that is not ours: scoreproof lean --audit {arguments.root}")
    if findings and comparison.status in (
        HERE,
        ELSEWHERE,
    ):  # the receipt itself is at odds with the audit
        comparison = Comparison(NOT, "the audit found something")
    if arguments.build:
        comparison = _build(root, comparison, arguments.silence)
    print(comparison.status, flush=True)
    return EXIT[comparison.status]


def _say(line: str) -> None:
    print(line, flush=True)


def _show_receipt(root: Path) -> None:
    try:
        receipt = read_receipt(root)
    except ReceiptError:
        return  # the comparison says it
    data = receipt.data
    _say(
        f"{data['date']}: {receipt.toolchain}, Mathlib {data['mathlib'].get('tag', '')}"
        f" ({receipt.mathlib})"
    )
    for claim, entry in receipt.claims.items():
        theorems = sum(d["kind"] == "theorem" for d in entry["declarations"])
        _say(f"{claim}: {entry['main_theorem']} in {entry['path']} ({theorems} theorems)")
    for heading, key in (("checked", "checked"), ("not checked", "not_checked")):
        for line in data.get(key, ()):
            _say(f"{heading}: {line}")


def _build(root: Path, comparison: Comparison, silence: float) -> Comparison:
    """Build with Lake. Whatever goes wrong is one sentence, and never ends in a line that reads
    like a pass.
    """
    failed = Comparison(
        CHANGED if comparison.status == CHANGED else NOT, "the build did not succeed"
    )
    try:
        receipt = read_receipt(root)
        version = _run_steps(root, receipt, silence)
    except (BuildError, ReceiptError) as error:
        _say(f"build: {error}")
        if comparison.status in (HERE, ELSEWHERE):
            _say(f"build: without it, the files are: {comparison.status}")
        return failed
    if comparison.status == CHANGED:
        _say(
            "build: it compiles, but it is not the text of the receipt; renew the receipt for these"
            " files"
        )
        return comparison
    if comparison.status == NOT:
        _say(f"build: it compiles, but {comparison.reason}")
        return failed
    (root / STAMP).write_text(
        json.dumps({"files": receipt.hashes, "lean": version}, indent=1) + "\n", "utf-8"
    )
    _say(
        f"build: every file compiles with Lean {version}; Audit.lean accepts the axioms of"
        f" {', '.join(CITED.values())}"
    )
    return Comparison(HERE, "built here")


def _run_steps(root: Path, receipt: Receipt, silence: float) -> str:
    """Everything up to the compiled files; returns the version of Lean."""
    if not os.access(root, os.W_OK) or not (root / "lakefile.lean").is_file():
        raise BuildError(
            "there is no Lake project that can be written to here; clone the repository and build"
            " there"
        )
    if root == INSTALLED:
        raise BuildError(
            "the Lean files of an installed package are for reading; clone the repository and build"
            " there"
        )
    lake = find_lake()
    if lake is None:
        raise BuildError(
            "no lake on PATH, in ELAN_HOME or in ~/.elan/bin; install elan"
            " (https://github.com/leanprover/elan)"
        )
    shared = share_packages(root)
    wanted = receipt.toolchain.rsplit(":", 1)[-1].removeprefix("v")
    need = needs(root, receipt.toolchain, receipt.mathlib_imports)
    _announce(root, lake, shared, receipt, need)
    version = lean_version(lake, root, _say, silence)
    if version != wanted:
        raise BuildError(
            f"{lake} runs Lean {version or 'of an unknown version'}, and the project pins {wanted};"
            " use elan's lake, which follows lean-toolchain"
        )
    if need.mathlib:
        _step(lake, ["exe", "cache", "get"], root, silence)
    printed = _step(lake, ["build"], root, silence)
    if any(
        "declaration uses 'sorry'" in line or "declaration uses `sorry`" in line for line in printed
    ):
        raise BuildError("lake build succeeded with a sorry; the line above names it")
    compiled = root / ".lake" / "build" / "lib"
    for module in ("Audit", *(Path(entry["path"]).stem for entry in receipt.data["files"])):
        if not any(compiled.rglob(f"ScoreProof/{module}.olean")):
            raise BuildError(
                f"lake build ended without an error, but did not compile ScoreProof.{module}; is"
                f" {lake} really Lake?"
            )
    return version


def _announce(root: Path, lake: Path, shared: Path | None, receipt: Receipt, need: Needs) -> None:
    """Say what would be used and fetched before anything is; refuse where the disk is small."""
    where = shared or root / ".lake" / "packages"
    _say(
        f"build: {lake}, {receipt.toolchain}, Mathlib {receipt.data['mathlib'].get('tag', '')}"
        f" ({receipt.mathlib[:12]}) in {where}"
    )
    if not need.download:
        _say("build: the toolchain and Mathlib are here; nothing to fetch")
        return
    missing = " and ".join(
        name
        for name, due in (
            ("the toolchain", need.toolchain),
            ("Mathlib with its compiled files", need.mathlib),
        )
        if due
    )
    _say(f"build: to fetch: {missing}, about {need.download:g} GB, about {need.disk:g} GB on disk")
    free = shutil.disk_usage(where if where.exists() else root).free / 1e9
    if free < need.disk:
        raise BuildError(
            f"the disk has {free:.1f} GB free and about {need.disk:g} GB are needed; free some, or"
            " put SCOREPROOF_LAKE_PACKAGES elsewhere"
        )


def _step(lake: Path, arguments: list[str], root: Path, silence: float) -> list[str]:
    _say(f"build: lake {' '.join(arguments)}")
    ran = run_lake(lake, arguments, root, _say, silence)
    if ran.status:
        raise BuildError(explain_failure(f"lake {' '.join(arguments)}", ran.status, ran.lines))
    return ran.lines
