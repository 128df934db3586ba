"""What a theorem's name promises, by Mathlib's naming convention, against the relation it ends in.

Only a note: a name is held to its words before ``_of_`` (hypotheses follow there), and only where
the conclusion is a relation in plain sight.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from scoreproof.lean.conclusions import Text
from scoreproof.lean.foreign.commands import PROVING, Command
from scoreproof.lean.foreign.findings import Finding
from scoreproof.lean.foreign.statements import Statement, relation_at

__all__ = ["promises"]

#: word of a name: (what the conclusion shows then, in words; signs or parts of names that show it)
_PROMISES: dict[str, tuple[str, tuple[str, ...]]] = {
    "iff": ("↔", ("↔", "iff", "=")),
    "eq": ("=", ("=", "≡", "↔", "≃", "∼", "~", "≈", "eq", "≠")),
    "le": ("≤", ("≤", "≥", "⊆", "≼", "⊑", "≪", "≲", "le", "mono", "bounded", "→")),
    "lt": ("<", ("<", ">", "⊂", "≺", "lt", "mono")),
    "pos": ("0 <", ("<", ">", "pos", "≠", "1 ≤")),
    "nonneg": ("0 ≤", ("≤", "≥", "nonneg")),
    "exists": ("∃", ("∃", "exists", "nonempty", "¬")),
    "tendsto": ("Tendsto", ("tendsto", "𝓝", "→")),
    "hasDerivAt": ("HasDerivAt", ("hasderiv", "deriv")),
    "integrable": ("Integrable", ("integrable",)),
    "unique": ("=", ("=", "∃!", "unique", "subsingleton", "≡", "≃", "≅")),
}
_FIRST_ONLY = {"exists", "tendsto", "hasDerivAt", "integrable"}
_LAST_ONLY = {"pos", "nonneg", "unique"}
#: Relations beside which the word says when, or what follows is hidden: getElem_append_lt, dif_pos.
_ELSEWHERE = {
    "pos": ("=", "↔", "∈", "∃"),
    "nonneg": ("=", "↔", "∈", "∃"),
    "eq": ("∃",),
    "le": ("∃", "≠", "∈", "↔"),
    "lt": ("∃", "≠", "∈", "↔"),
}
_IN_SIGHT = {"=", "<", "≤", ">", "≥", "≠", "∈", "⊆", "↔", "∃", "True", "False"}


def promises(command: Command, said: Statement, path: str) -> Iterator[Finding]:
    """A note where name and conclusion differ."""
    if command.keyword not in PROVING or not command.name:
        return
    words = [w for w in command.name.rsplit(".", 1)[-1].rstrip("'₀₁₂!?").split("_") if w]
    for stop in ("of", "from", "imp", "implies"):
        if stop in words:
            words = words[: words.index(stop)]
    if not words:
        return
    end = said.conclusion
    head = _head(end)
    if head is None:
        return
    if words[-1] == "iff" and len(words) > 1 and said.hypotheses and not _shows(end, ("↔", "iff")):
        what = f"the name {command.name} promises ↔, and the theorem goes one way"
        yield Finding(path, command.line, "name", what)
        return
    for word, (shows, signs) in _PROMISES.items():
        if word not in words or (word in _FIRST_ONLY and words[0] != word):
            continue
        if (word in _LAST_ONLY or (word == "iff" and len(words) < 2)) and words[-1] != word:
            continue
        if word in ("eq", "le", "lt") and (len(words) < 2 or words[0] == word):
            continue
        if head in _ELSEWHERE.get(word, ()) or (word in ("le", "lt") and words[-1] == word):
            continue
        if not _shows(end, signs):
            yield Finding(
                path,
                command.line,
                "name",
                f"the name {command.name} promises {shows}, and the conclusion shows {head}",
            )
            return
    if words[-2:] == ["ne", "zero"] and not _shows(end, ("≠", "¬", "nezero", "ne")):
        yield Finding(
            path,
            command.line,
            "name",
            f"the name {command.name} promises ≠ 0, and the conclusion shows {head}",
        )


def _head(end: Text) -> str | None:
    if end in (("True",), ("False",)):
        return end[0]
    if "↔" in end:
        return "↔"
    if end[:1] == ("∃",):
        return "∃"
    at = relation_at(end)
    return end[at] if at is not None and end[at] in _IN_SIGHT else None


def _shows(end: Text, signs: tuple[str, ...]) -> bool:
    for token in end:
        lower = token.lower()
        for sign in signs:
            if re.match("[a-z]", sign):
                if sign in lower:
                    return True
            elif sign in token:
                return True
    return False
