"""The declarations of a Lean file: full name, kind, statement, hypotheses and conclusion, all read from the source.

A statement is normalised as the receipt says: the source text from the keyword to the ``:=`` or ``where`` that ends it, comments
removed, white space collapsed to single blanks.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from scoreproof.lean.tokens import CLOSE, OPEN, Token, tokenize

__all__ = ["Declaration", "conclusion", "declarations", "says_nothing"]

KINDS = {"theorem", "lemma", "def", "abbrev", "structure", "inductive", "class", "instance", "opaque", "axiom", "example"}
Text = tuple[str, ...]  # the texts of tokens


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declaration of the source. ``name`` is full, with its namespaces; ``example`` and nameless instances have ``""``."""

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

    >>> [d.name for d in declarations("namespace A\\ntheorem b (n : ℕ) : n = n := rfl\\nend A\\ndef c := 1")]
    ['A.b', 'c']
    """
    everything = tokenize(source)
    tokens = [t for t in everything if t.kind != "comment"]
    comments = [t for t in everything if t.kind == "comment"]
    found: list[Declaration] = []
    scopes: list[tuple[str | None, int]] = []  # component of a namespace or None for a section, variables before it
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
            variables += [t for group in _groups(tokens, index + 1) for t in _types(group)]
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


def _declaration(source: str, tokens: list[Token], comments: list[Token], index: int, prefix: str, context: tuple[Text, ...]) -> Declaration:
    keyword = tokens[index]
    named = index + 1 < len(tokens) and tokens[index + 1].kind == "word" and keyword.text != "example"
    name = tokens[index + 1].text if named else ""
    full = name.removeprefix("_root_.") if name.startswith("_root_.") else ".".join(p for p in (prefix, name) if p and name)
    depth, stop, complete = 0, index + 1, False
    while stop < len(tokens):
        text = tokens[stop].text
        depth += (text in OPEN) - (text in CLOSE)
        if not depth and tokens[stop].kind != "string" and text in (":=", "where"):
            complete = True
            break
        if not depth and tokens[stop].kind == "word" and text in KINDS | {"end", "namespace", "section"}:
            break
        stop += 1
    end = tokens[stop].start if stop < len(tokens) else len(source)
    text, position = "", keyword.start
    for comment in comments:
        if keyword.start <= comment.start < end:
            text, position = text + source[position : comment.start], comment.end
    text += source[position:end]
    body = tuple(t.text for t in tokens[index + 1 + named : stop])
    return Declaration(full, keyword.text, text.rstrip(), " ".join(text.split()), keyword.line, complete, context, body)


def _types(group: Text) -> list[Text]:
    """The type in a binder such as ``(h : P)``; ``[P]`` is its own type."""
    inside = group[1:-1]
    depth = 0
    for index, text in enumerate(inside):
        depth += (text in OPEN) - (text in CLOSE)
        if text == ":" and not depth:
            return [_bare(inside[index + 1 :])]
    return [_bare(inside)] if group[0] == "[" else []


def _bare(text: Text) -> Text:
    """Without parentheses around the whole."""
    while len(text) > 2 and text[0] == "(" and text[-1] == ")" and _split(text, (")",), around=True) is None:
        text = text[1:-1]
    return text


def _split(text: Text, at: Text, *, around: bool = False) -> int | None:
    """Index of the first of ``at`` outside all brackets; ``around``: of a closing bracket that is not the last token."""
    depth = 0
    for index, token in enumerate(text):
        depth += (token in OPEN) - (token in CLOSE)
        if around:
            if not depth and index < len(text) - 1:
                return index
        elif not depth and token in at:
            return index
    return None


def conclusion(declaration: Declaration) -> tuple[list[Text], Text]:
    """Hypotheses (binders, variables in scope, premises before arrows) and the conclusion, as token texts."""
    body, hypotheses = declaration.body, list(declaration.context)
    colon = _split(body, (":",))
    if colon is None:
        return hypotheses, ()
    hypotheses += _binders(body[:colon])
    rest = _bare(body[colon + 1 :])
    while rest and rest not in hypotheses:  # h : ∀ n, P n is a hypothesis as a whole
        if rest[0] in ("∀", "Π") and (comma := _split(rest, (",",))) is not None:
            binders = rest[1:comma]
            hypotheses += _binders(binders) if any(t in OPEN for t in binders) and binders[0] in OPEN else [_bare(binders)]
            if (kind := _split(binders, (":",))) is not None:
                hypotheses.append(_bare(binders[kind + 1 :]))
            rest = _bare(rest[comma + 1 :])
            continue
        arrow, scope = _split(rest, ("→", "->")), _split(rest, ("∃", "∀", "fun", "λ", "let", "∑", "∏"))
        if arrow is None or (scope is not None and scope < arrow):
            return hypotheses, rest
        hypotheses.append(_bare(rest[:arrow]))
        rest = _bare(rest[arrow + 1 :])
    return hypotheses, rest


def _binders(text: Text) -> list[Text]:
    found, start, depth = [], 0, 0
    for index, token in enumerate(text):
        if token in OPEN:
            start, depth = (index, 1) if not depth else (start, depth + 1)
        elif token in CLOSE:
            depth -= 1
            if not depth:
                found += _types(text[start : index + 1])
    return found


def says_nothing(declaration: Declaration) -> str | None:
    """Why a theorem's conclusion is empty (``True``, a hypothesis, the same text on both sides), or None.

    >>> says_nothing(declarations("theorem a (P : Prop) (h : P) : P := h")[0])
    'its conclusion is one of its hypotheses: P'
    """
    hypotheses, end = conclusion(declaration)
    return _nothing(hypotheses, end)


def _nothing(hypotheses: list[Text], end: Text) -> str | None:
    if not end:
        return None
    if (both := _split(end, ("∧",))) is not None and not {"∃", "∀", "fun", "→"} & set(end[:both]):
        left, right = _nothing(hypotheses, _bare(end[:both])), _nothing(hypotheses, _bare(end[both + 1 :]))
        return left and right and f"{left}, and {right}"
    if end == ("True",):
        return "its conclusion is True"
    if end in hypotheses:
        return "its conclusion is one of its hypotheses: " + " ".join(end)
    middle = _split(end, ("↔",)) or _split(end, ("=",))
    if middle is not None and _bare(end[:middle]) == _bare(end[middle + 1 :]):
        return "both sides of its conclusion are the same text"
    return None
