"""A claim for readers: what it says, when it holds, how each check works and what it cannot see."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from scoreproof.claims import NAMES, load

__all__ = ["explain_claim", "list_claims"]


def list_claims() -> str:
    """One paragraph a claim: its formula, its checks by kind, its faults."""
    lines = []
    for name in NAMES:
        claim = load(name)
        lines.append(f"{name}: {claim.statement.title}")
        lines.append(f"    {claim.statement.formula}")
        lines.append("    checks: " + ", ".join(f"{c.name} ({c.kind})" for c in claim.checks))
        lines.append(
            _wrap("    faults: " + ", ".join(f.name for f in claim.faults), "            ")
        )
    return "\n".join(lines)


def explain_claim(name: str) -> str:
    """The statement with its hypotheses, errata and blind spots; each check; each fault; the Lean
    statement.
    """
    from scoreproof import lean

    claim = load(name)
    statement = claim.statement
    blocks = [
        f"{name}: {statement.title}",
        "",
        f"    {statement.formula}",
        "",
        f"Source: {statement.source}",
    ]
    for heading, items in (
        ("Holds when", statement.hypotheses),
        ("What the source prints wrongly or leaves unsaid", statement.errata),
        ("Conventions", statement.conventions),
        ("Where a naive check sees nothing", statement.blind_spots),
        ("What the exact algebraic core does not cover", statement.not_covered),
    ):
        if items:
            blocks += ["", heading, *_bullets(items)]
    blocks += ["", "Checks, strongest first"]
    from scoreproof.evidence import strength

    for check in sorted(claim.checks, key=lambda c: -strength(c.kind)):
        blocks += _bullets([f"{check.name} ({check.kind}): {check.doc}"])
        for fault, reason in check.blind.items():
            blocks.append(_wrap(f"      blind to {fault}: {reason}", "        "))
    blocks += ["", "Planted faults", *_bullets(f"{f.name}: {f.why}" for f in claim.faults)]
    proof = lean.statement_of(name)
    blocks += ["", "Lean", textwrap.indent(proof, "    ") if proof else "    no Lean proof yet"]
    return "\n".join(blocks)


def _bullets(items: Iterable[str]) -> list[str]:
    return [_wrap(f"  - {item}", "    ") for item in items]


def _wrap(text: str, indent: str) -> str:
    return textwrap.fill(
        text, 110, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
