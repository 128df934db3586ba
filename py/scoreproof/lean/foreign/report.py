"""What the foreign audit prints, its exit status, and its result as JSON."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from scoreproof.lean.foreign.files import PathError, sources
from scoreproof.lean.foreign.findings import DOUBTFUL, NOTE, SERIOUS, Finding
from scoreproof.lean.foreign.project import Audited, audit_project

__all__ = ["NOTHING", "run"]

NOTHING = "no finding a text can show"
_SHOWN = 10  # notes of one kind, after which they are counted
CANNOT = (
    "what the terms mean: elaboration, coercions, implicit arguments, which instance is found",
    "notations, options and axioms of imported packages, and whether the files compile at all",
    "a false or trivial statement behind definitions: nothing is unfolded",
    "Lean's conventions: 2 - 3 = 0 in ℕ, x / 0 = 0, deriv f x = 0 where f has no derivative",
    "whether the theorem is the one that its name, its comment or a paper means",
)


def run(path: Path, json_file: Path | None) -> int:
    """Audit ``path``, print, and return 0 (nothing serious), 1 (serious) or 2 (nothing to read)."""
    try:
        found = audit_project(sources(path))
    except PathError as error:
        print(f"scoreproof lean: {error}", file=sys.stderr)
        return 2
    for line in lines(found):
        print(line)
    if json_file is not None:
        try:
            json_file.write_text(
                json.dumps(as_json(found), indent=1, ensure_ascii=False) + "\n", "utf-8"
            )
        except OSError as error:
            print(
                f"scoreproof lean: --json {json_file}: {error.strerror or error}", file=sys.stderr
            )
            return 2
    sys.stdout.flush()
    return status(found)


def status(found: Audited) -> int:
    """1 with a serious finding, else 2 if a file could not be read, else 0."""
    if found.count(SERIOUS):
        return 1
    return 2 if found.unread else 0


def lines(found: Audited) -> list[str]:
    """The report, its verdict last."""
    out = [f"{path}: {why}; it was not audited" for path, why in found.unread]
    seen: Counter[str] = Counter()
    for finding in found.findings:
        seen[finding.kind] += 1
        if finding.weight == SERIOUS or seen[finding.kind] <= _SHOWN:
            out.append(str(finding))
    out += [
        f"and {many - _SHOWN} more of the kind: {kind} (--json FILE has them all)"
        for kind, many in seen.items()
        if many > _SHOWN and Finding("", 0, kind, "").weight != SERIOUS
    ]
    if found.maybe:
        first = found.maybe[0]
        out.append(
            f"{_many(len(found.maybe), 'hypothesis', 'hypotheses')} named nowhere but maybe used by"
            f" a tactic, not counted; the first: {first.path}:{first.line}: {first.message}"
        )
    read = f"read: {_many(found.files, 'file')}, {_many(found.theorems, 'theorem')}"
    out.append(f"{read}; left out: {', '.join(found.left_out)}" if found.left_out else read)
    out += [f"a text audit cannot see: {what}" for what in CANNOT]
    out.append(verdict(found))
    return out


def verdict(found: Audited) -> str:
    """The last line."""
    unread = f"; {_many(len(found.unread), 'file')} could not be read" if found.unread else ""
    if not found.findings:
        return NOTHING + unread
    parts = ", ".join(f"{found.count(w)} {w}" for w in (SERIOUS, DOUBTFUL))
    return (
        f"{_many(len(found.findings), 'finding')}: {parts},"
        f" {_many(found.count(NOTE), 'note')}{unread}"
    )


def _many(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"


def as_json(found: Audited) -> dict[str, object]:
    """The result for machines; every finding is in it."""
    return {
        "verdict": verdict(found),
        "files": found.files,
        "theorems": found.theorems,
        "counts": {w: found.count(w) for w in (SERIOUS, DOUBTFUL, NOTE)},
        "findings": [_entry(f) for f in found.findings],
        "maybe_unused": [_entry(f) for f in found.maybe],
        "unread": [{"path": path, "why": why} for path, why in found.unread],
        "left_out": list(found.left_out),
        "cannot_see": list(CANNOT),
    }


def _entry(found: Finding) -> dict[str, object]:
    return {
        "path": found.path,
        "line": found.line,
        "weight": found.weight,
        "kind": found.kind,
        "message": found.message,
        "remedy": found.remedy,
    }
