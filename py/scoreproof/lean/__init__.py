"""The Lean half seen from Python: which claim is proved, whether its file is what was verified, and how to build it.

Nothing here reads like a pass without a build or a matching receipt.
"""

from __future__ import annotations

from typing import Any

from scoreproof.errors import ScoreproofError
from scoreproof.lean.command import add_arguments, run
from scoreproof.lean.receipt import load

__all__ = ["NO_PROOF", "add_arguments", "run", "statement_of", "status"]

NO_PROOF = "no Lean proof yet"


def status() -> dict[str, Any]:
    """The Lean status for a report: ``status``, ``reason`` and, by claim, ``theorem``, ``file`` and ``status``.

    No Lean is run: the status is "not checked here" unless the files differ from their receipt.
    """
    from scoreproof.claims import NAMES

    try:
        receipt = load()
    except ScoreproofError as error:
        return {"status": "not checked here", "reason": str(error), "claims": {name: _no_proof() for name in NAMES}}
    comparison = receipt.compare()
    if comparison.matches:
        overall, each = "not checked here", "verified elsewhere (receipt matches)"
        reason = f"verified elsewhere with {receipt.data['toolchain']}, and the files match that receipt; `scoreproof lean --build` checks them here"
    else:
        overall = each = "changed since it was verified"
        reason = comparison.sentence()
    claims = {}
    for name in NAMES:
        entry = receipt.file_of(name)
        claims[name] = _no_proof() if entry is None else {"theorem": entry["main_theorem"], "file": entry["path"], "status": each}
    return {"status": overall, "reason": reason, "claims": claims}


def _no_proof() -> dict[str, Any]:
    return {"theorem": None, "file": None, "status": NO_PROOF}


def statement_of(claim: str) -> str | None:
    """The Lean statement of a claim's main theorem with its name and file, or ``None`` when there is no proof yet."""
    try:
        entry = load().file_of(claim)
    except ScoreproofError:
        return None
    if entry is None:
        return None
    main = next(d for d in entry["declarations"] if d["name"] == entry["main_theorem"])
    return f"{main['name']} ({entry['path']})\n{main['statement']}"
