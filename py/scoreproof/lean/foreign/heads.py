"""The head of a declaration: where it ends, and what its binders bind."""

from __future__ import annotations

from dataclasses import dataclass

from scoreproof.lean.tokens import CLOSE, OPEN, Token

__all__ = ["Binder", "close", "end_of_head", "groups"]


@dataclass(frozen=True, slots=True)
class Binder:
    """``(names : type)``: the tokens of both, and the bracket that opens it."""

    names: tuple[str, ...]
    type: tuple[Token, ...]
    bracket: str
    line: int


def close(tokens: list[Token], index: int) -> int:
    """Index of the bracket that closes the one at ``index`` (or of the last token)."""
    depth = 0
    for position in range(index, len(tokens)):
        depth += (tokens[position].text in OPEN) - (tokens[position].text in CLOSE)
        if not depth:
            return position
    return len(tokens) - 1


def end_of_head(tokens: list[Token]) -> int:
    """Where the statement ends: at ``:=``, ``where``, or the first ``| pattern =>``."""
    depth = lets = 0
    for index, token in enumerate(tokens):
        text = token.text
        if token.kind == "symbol":
            depth += (text in OPEN) - (text in CLOSE)
        if depth > 0 or token.kind == "string":
            continue
        if text in ("let", "letI", "have", "haveI"):
            lets += 1
        elif text == ":=" and lets:
            lets -= 1
        elif text in (":=", "where", "deriving") or (text == "|" and _is_case(tokens, index)):
            return index
    return len(tokens)


def _is_case(tokens: list[Token], start: int) -> bool:
    """Does the ``|`` open its line and a case, and not an absolute value?"""
    if not start or tokens[start - 1].line == tokens[start].line:
        return False
    depth = 0
    for index in range(start, len(tokens)):
        text = tokens[index].text
        depth += (text in OPEN) - (text in CLOSE)
        if depth:
            continue
        if text in ("=>", "↦"):
            return True
        if text in (":=", "fun", "λ", "match", "where"):
            return False
    return False


def groups(tokens: tuple[Token, ...]) -> list[Binder]:
    """The binders in brackets among ``tokens``, outside of each other."""
    found, index = [], 0
    while index < len(tokens):
        if tokens[index].kind == "symbol" and tokens[index].text in "([{⦃":
            end = close(list(tokens[index : index + 4000]), 0) + index
            found.append(_binder(tokens[index : end + 1]))
            index = end
        index += 1
    return found


def _binder(group: tuple[Token, ...]) -> Binder:
    inside, depth = group[1:-1], 0
    if inside and inside[0].text == "{" and group[0].text == "{":  # {{x : α}}
        return _binder(inside)
    colon, stop = None, len(inside)
    for index, token in enumerate(inside):
        depth += (token.text in OPEN) - (token.text in CLOSE)
        if depth:
            continue
        if token.text == ":" and colon is None:
            colon = index
        elif token.text == ":=" and colon is not None:
            stop = index
            break
    line = group[0].line
    if colon is None:
        named = group[0].text != "[" and all(t.kind == "word" for t in inside)
        plain = tuple(t.text for t in inside) if named else ()
        return Binder(plain, () if named else inside, group[0].text, line)
    names = tuple(t.text for t in inside[:colon])
    return Binder(names, inside[colon + 1 : stop], group[0].text, line)
