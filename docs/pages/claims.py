"""The pages of the claims: the statement, what it needs, what its source prints wrongly, the Lean
theorem and its status. The prose about them is the page's own.
"""

from __future__ import annotations

from pages.plain import plain
from scoreproof import lean
from scoreproof.claims import load

__all__ = ["statement"]

#: Where in a page the package's part goes.
HERE = "<!-- statement -->"


def statement(name: str, markdown: str) -> str:
    """``markdown`` with the statement of the claim ``name`` at its mark."""
    assert markdown.count(HERE) == 1, f"theory/{name}.md has no {HERE}"
    return markdown.replace(HERE, _statement(name))


def _statement(name: str) -> str:
    said = load(name).statement
    parts = [f"$$\n{said.latex}\n$$", f"Source: {said.source}.", "**It holds when**"]
    parts.append(_list(said.hypotheses))
    parts += ["**What the source prints wrongly or leaves unsaid**", _list(said.errata)]
    if said.conventions:
        parts += ["**Conventions**", _list(said.conventions)]
    parts += ["**Where a naive check sees nothing**", _list(said.blind_spots)]
    parts += ["**What the exact core does not cover**", _list(said.not_covered)]
    status = lean.status()["claims"][name]["status"]
    parts.append(f"**Lean**: {status}; see [the Lean half](../lean.md).")
    return "\n\n".join(parts)


def _list(items: tuple[str, ...]) -> str:
    return "\n".join(f"- {plain(item)}" for item in items) if items else "- nothing"
