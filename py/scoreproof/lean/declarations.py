"""The declarations of a Lean file: full name, kind, statement and the variables in scope, all read
from the source.

A statement is normalised as the receipt says: the source text from the keyword to the ``:=`` or
``where`` that ends it, comments removed, white space collapsed to single blanks.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from scoreproof.lean.conclusions import Text, binder_types
from scoreproof.lean.tokens import CLOSE, OPEN, Token, tokenize

__all__ = ["Declaration", "declarations"]

KINDS = {
    "theorem",
    "lemma",
    "def",
    "abbrev",
    "structure",
    "inductive",
    "class",
    "instance",
    "opaque",
    "axiom",
    "example",
}


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declaration of the source. ``name`` is full, with its namespaces; ``example`` and nameless
    instances have ``""``.
    """

    name: str
    kind: str
    source: str  # the statement with its line breaks
    statement: str  # normalised
    line: int
    complete: bool  # did a := or where end it?
    context: tuple[Text, ...]  # the types of the variables in scope
    body: Text  # the statement's tokens after the name

    @property
    def sha256(self) -> str:
        """Hash of the normalised statement, as in the receipt."""
        return hashlib.sha256(self.statement.encode()).hexdigest()


def declarations(source: str) -> list[Declaration]:
    """Every declaration of a Lean file, in order.

    >>> source = "namespace A\\ntheorem b (n : ℕ) : n = n := rfl\\nend A\\ndef c := 1"
    >>> [d.name for d in declarations(source)]
    ['A.b', 'c']
    """
    everything = tokenize(source)
    tokens = [t for t in everything if t.kind != "comment"]
    comments = [t for t in everything if t.kind == "comment"]
    found: list[Declaration] = []
    scopes: list[
        tuple[str | None, int]
    ] = []  # component of a namespace or None for a section, variables before it
    variables: list[Text] = []
    for index, token in enumerate(tokens):
        if token.kind != "word":
            continue
        if token.text == "namespace" and index + 1 < len(tokens):
            scopes += [(part, len(variables)) for part in tokens[index + 1].text.split(".")]
        elif token.text in ("section", "mutual"):
            scopes.append((None, len(variables)))
        elif token.text == "end":
            for _ in range(_closed(tokens, index, scopes)):
                del variables[scopes.pop()[1] :]
        elif token.text == "variable":
            variables += [t for group in _groups(tokens, index + 1) for t in binder_types(group)]
        elif token.text in KINDS:
            prefix = ".".join(part for part, _ in scopes if part)
            found.append(_declaration(source, tokens, comments, index, prefix, tuple(variables)))
    return found


def _closed(tokens: list[Token], index: int, scopes: list[tuple[str | None, int]]) -> int:
    """How many scopes the ``end`` at ``index`` closes."""
    if not scopes:
        return 0
    if scopes[-1][0] is None:
        return 1
    after = tokens[index + 1] if index + 1 < len(tokens) else None
    named = after is not None and after.kind == "word" and after.line == tokens[index].line
    return min(len(scopes), after.text.count(".") + 1) if named and after else 1


def _groups(tokens: list[Token], index: int) -> list[Text]:
    """The bracketed groups that start at ``index``, one after another."""
    groups: list[Text] = []
    while index < len(tokens) and tokens[index].text in OPEN:
        depth, start = 0, index
        while index < len(tokens):
            depth += (tokens[index].text in OPEN) - (tokens[index].text in CLOSE)
            index += 1
            if not depth:
                break
        groups.append(tuple(t.text for t in tokens[start:index]))
    return groups


def _declaration(
    source: str,
    tokens: list[Token],
    comments: list[Token],
    index: int,
    prefix: str,
    context: tuple[Text, ...],
) -> Declaration:
    keyword = tokens[index]
    named = (
        index + 1 < len(tokens) and tokens[index + 1].kind == "word" and keyword.text != "example"
    )
    name = tokens[index + 1].text if named else ""
    full = (
        name.removeprefix("_root_.")
        if name.startswith("_root_.")
        else ".".join(p for p in (prefix, name) if p and name)
    )
    depth, stop, complete = 0, index + 1, False
    while stop < len(tokens):
        text = tokens[stop].text
        depth += (text in OPEN) - (text in CLOSE)
        if not depth and tokens[stop].kind != "string" and text in (":=", "where"):
            complete = True
            break
        if (
            not depth
            and tokens[stop].kind == "word"
            and text in KINDS | {"end", "namespace", "section"}
        ):
            break
        stop += 1
    end = tokens[stop].start if stop < len(tokens) else len(source)
    text, position = "", keyword.start
    for comment in comments:
        if keyword.start <= comment.start < end:
            text, position = text + source[position : comment.start], comment.end
    text += source[position:end]
    body = tuple(t.text for t in tokens[index + 1 + named : stop])
    return Declaration(
        full,
        keyword.text,
        text.rstrip(),
        " ".join(text.split()),
        keyword.line,
        complete,
        context,
        body,
    )
