"""Predicates that hold of everything by their definition, however many definitions are between, and
the theorems that conclude with one.

A text is hollow if it is ``True``, the same on both sides, or made of hollow texts alone: joined by
∧, behind ∀, after →, or the name of a definition or structure whose every part is. No definition of
an imported package is looked into.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from scoreproof.lean.conclusions import Text, bare, split_at
from scoreproof.lean.foreign.commands import PROVING, Command
from scoreproof.lean.foreign.empty import both_sides
from scoreproof.lean.foreign.findings import Finding
from scoreproof.lean.foreign.shadows import LEANS_OWN
from scoreproof.lean.foreign.statements import conjuncts, statement, texts
from scoreproof.lean.tokens import CLOSE, OPEN

__all__ = ["Names", "fields", "hollow"]

Placed = tuple[str, Command]
_MADE = ("def", "abbrev", "irreducible_def", "structure", "class")


@dataclass(slots=True)
class Names:
    """The project's declarations by full name, and which of them a word stands for."""

    all: dict[str, Placed] = field(default_factory=dict)
    ends: dict[str, list[str]] = field(default_factory=dict)

    def add(self, path: str, command: Command) -> None:
        self.all[command.name] = (path, command)
        self.ends.setdefault(command.name.rsplit(".", 1)[-1], []).append(command.name)

    def full(self, word: str, inside: str) -> str | None:
        """``inside``: the name of the declaration that it stands in. A name of another namespace,
        which may be open there, is taken if no other has its end.
        """
        spaces = inside.split(".")[:-1]
        for many in range(len(spaces), -1, -1):
            whole = ".".join([*spaces[:many], word])
            if whole in self.all:
                return whole
        # x.IsGood is of a variable, Foo.IsGood is not; Continuous may be Lean's own
        if "." in word and not word[0].islower() or word in LEANS_OWN:
            return None
        same = self.ends.get(word.rsplit(".", 1)[-1], [])
        return same[0] if len(same) == 1 else None


def hollow(made: list[Placed], proofs: list[Placed]) -> Iterator[Finding]:
    """Definitions that are hollow by others, and theorems that say no more than one of them."""
    names = Names()
    for path, command in made:
        if command.keyword in _MADE and command.name:
            names.add(path, command)
    parts = {name: p for name, (_, c) in names.all.items() if (p := _parts(c))}
    known: set[str] = set()
    while True:  # each round finds what is hollow by those before
        more = {
            name
            for name, own in parts.items()
            if name not in known and all(_why(t, name, names, known) is not None for t in own)
        }
        if not more:
            break
        known |= more
    for name in sorted(known):
        path, command = names.all[name]
        if any(t != ("True",) for t in parts[name]):  # what is plainly True is said already
            yield Finding(path, command.line, "constant", f"{name} holds of everything")
    for path, command in proofs:
        if command.keyword not in PROVING:
            continue
        said = statement(command)
        of = _why(said.conclusion, command.name, names, known)
        if of:  # what is plainly True is said elsewhere
            what = f"{command.name} concludes with {of}, which holds of everything"
            yield Finding(path, command.line, "says nothing", what)


def fields(command: Command) -> list[tuple[str, Text]]:
    """Of a structure or class: the names of its fields, and what is said of each."""
    body = [t for t in command.body if t.text != "where"]
    found: list[tuple[str, Text]] = []
    for line in sorted({t.line for t in body}):
        text = texts(tuple(t for t in body if t.line == line))
        colon = split_at(text, (":",))
        if colon is not None and all(t.isidentifier() for t in _outside(text[:colon])):
            found.append((text[0], text[colon + 1 :]))
        elif found:  # a line that goes on
            found[-1] = (found[-1][0], (*found[-1][1], *text))
    return found


def _outside(text: Text) -> Iterator[str]:
    """What stands outside of brackets: a field's name, before its binders."""
    depth = 0
    for token in text:
        depth -= token in CLOSE
        if not depth and token not in CLOSE and token not in OPEN:
            yield token
        depth += token in OPEN


def _parts(command: Command) -> list[Text]:
    """What a predicate asks for: nothing where it is none, or cannot be read."""
    if command.keyword in ("structure", "class"):
        # what it extends may ask for more
        if not command.head or command.head[-1].text != "Prop" or "extends" in texts(command.head):
            return []
        return [text for _, text in fields(command)]
    if statement(command).conclusion != ("Prop",):
        return []
    body = texts(command.body)
    if body[:1] != (":=",):
        return []
    body = bare(body[1:])
    while body[:1] == ("fun",) and (arrow := split_at(body, ("↦",))) is not None:
        body = bare(body[arrow + 1 :])
    return [body] if body else []


def _why(text: Text, inside: str, names: Names, known: set[str]) -> str | None:
    """``None``: not hollow; else the predicate that makes it so, "" where none has to."""
    text = bare(text)
    while text[:1] == ("∀",) and (comma := split_at(text, (",",))) is not None:
        text = bare(text[comma + 1 :])
    arrow = split_at(text, ("→",))
    if arrow is not None and split_at(text, ("∃", "∃!", "fun", "↔")) is None:
        return _why(text[arrow + 1 :], inside, names, known)
    parts = list(conjuncts(text))
    if len(parts) > 1:
        each = [_why(p, inside, names, known) for p in parts]
        return None if None in each else next((w for w in each if w), "")
    if text == ("True",) or both_sides(text):
        return ""
    # an application: no operator stands outside of brackets
    if not text or split_at(text, _OPERATORS) is not None:
        return None
    full = names.full(text[0], inside)
    return full if full in known else None


_OPERATORS: tuple[str, ...] = (
    "=",
    "≠",
    "<",
    "≤",
    ">",
    "≥",
    "∈",
    "∉",
    "⊆",
    "∨",
    "↔",
    "∃",
    "∃!",
    "¬",
    "≡",
    "≈",
    "∣",
)
_OPERATORS += ("fun", "if", "let", "+", "-", "*", "/", "^", "•")
