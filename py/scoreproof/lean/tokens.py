"""Lean source as tokens: nested comments, strings, raw strings, characters, identifiers by Lean's
own rule.

The rule for identifiers is Lean's (ASCII letters, Greek without λ Π Σ, letter-like symbols,
subscripts), not Python's: a word that Lean reads as ``sorry`` followed by a postfix symbol must not
pass here as one harmless longer word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["LeanSyntaxError", "Token", "code", "tokenize"]

OPEN, CLOSE = "([{⟨⦃", ")]}⟩⦄"
_PAIRS = (":=", "=>", "->", "<-", "..")
_LETTERS = ((0x391, 0x3FB), (0x1F00, 0x1FFE), (0x2100, 0x214F), (0x1D49C, 0x1D59F), (0xC0, 0x17F))
_NOT_LETTERS = "λΠΣ×÷"
_SUBSCRIPTS = ((0x2080, 0x2089), (0x2090, 0x209C), (0x1D62, 0x1D6A))


class LeanSyntaxError(ValueError):
    """A comment or a string that does not end, or a comment that can be read in two ways."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its kind (``comment string char number word symbol``), text, offset in the source
    and line from 1.
    """

    kind: str
    text: str
    start: int
    line: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def _class(ranges: tuple[tuple[int, int], ...], less: str = "") -> str:
    """The ranges inside a regular expression's brackets, without the characters in ``less``."""
    characters = (chr(c) for low, high in ranges for c in range(low, high + 1))
    return "".join(re.escape(c) for c in characters if c not in less)


#: Of Lean's identifiers: their first character, the characters after it, and what skips ahead.
_FIRST = "A-Za-z_" + _class(_LETTERS, _NOT_LETTERS)
_is_first = re.compile(f"[{_FIRST}]").match
_is_rest = re.compile(f"[{_FIRST}0-9'!?{_class(_SUBSCRIPTS)}]").match
_rest_of_word = re.compile(f"[{_FIRST}0-9'!?{_class(_SUBSCRIPTS)}]*").match
_number = re.compile("[0-9A-Za-z]*").match
_comment_mark = re.compile("/-|-/").search
_string_mark = re.compile(r'"|\\', re.DOTALL).search


def _first(character: str) -> bool:
    return _is_first(character) is not None


def _rest(character: str) -> bool:
    return _is_rest(character) is not None


def tokenize(source: str) -> list[Token]:
    """All tokens of ``source``, comments included; raises ``LeanSyntaxError`` where a comment or
    string does not end.

    >>> [t.text for t in tokenize("theorem x' : a₀ -/- b /- c -/ -/ = '\\\\'' := r#\\"sorry\\"#")]
    ['theorem', "x'", ':', 'a₀', '-', '/- b /- c -/ -/', '=', "'\\\\''", ':=', 'r#"sorry"#']
    """
    tokens: list[Token] = []
    position, line = 0, 1
    while position < len(source):
        if source[position].isspace():
            line += source[position] == "\n"
            position += 1
            continue
        kind, end = _scan(source, position, line)
        text = source[position:end]
        tokens.append(Token(kind, text, position, line))
        line += text.count("\n")
        position = end
    return tokens


def code(source: str) -> list[Token]:
    """The tokens that Lean compiles: no comments, and the terms inside interpolated strings besides
    the strings.

    Which strings are interpolated depends on the macro before them, so every ``{…}`` in an ordinary
    string counts.
    """
    found: list[Token] = []
    for token in tokenize(source):
        if token.kind == "comment":
            continue
        found.append(token)
        if token.kind == "string" and token.text[0] == '"' and "{" in token.text:
            inside = token.text[1:-1].split("{", 1)[1]
            try:
                found += [
                    Token(t.kind, t.text, token.start, token.line)
                    for t in tokenize(inside)
                    if t.kind == "word"
                ]
            except (
                LeanSyntaxError
            ):  # a quotation mark cut the term in two; its words are still words
                words = "".join(c if _rest(c) or c == "." else " " for c in inside).split()
                found += [Token("word", word, token.start, token.line) for word in words]
    return found


def _end(match: re.Match[str] | None) -> int:
    return match.end() if match else 0  # the patterns in use match the empty text too


def _scan(source: str, start: int, line: int) -> tuple[str, int]:
    """Kind and end of the token at ``start``."""
    two, character = source[start : start + 2], source[start]
    if two == "--":
        stop = source.find("\n", start)
        return "comment", len(source) if stop < 0 else stop
    if two == "/-":
        return "comment", _block_comment(source, start, line)
    if character == '"':
        return "string", _string(source, start, line)
    if character == "r" and (raw := _raw_string(source, start, line)):
        return "string", raw
    if character == "'" and (quoted := _character(source, start)):
        return "char", quoted
    if _first(character) or character == "«":
        return "word", _word(source, start)
    if (
        character == "#" and start + 1 < len(source) and _first(source[start + 1])
    ):  # #eval, #exit, …
        return "word", _word(source, start + 1)
    if character.isascii() and character.isdigit():
        return "number", _end(_number(source, start))
    return "symbol", start + (2 if two in _PAIRS else 1)


def _block_comment(source: str, start: int, line: int) -> int:
    if source.startswith(
        "/--/", start
    ):  # empty, or a documentation comment that goes on? Code could hide in the difference
        raise LeanSyntaxError(f"line {line}: /--/ is ambiguous; write /- -/")
    depth, position = 1, start + 2
    while mark := _comment_mark(source, position):
        depth, position = depth + (1 if mark[0] == "/-" else -1), mark.end()
        if not depth:
            return position
    raise LeanSyntaxError(f"line {line}: a comment does not end")


def _string(source: str, start: int, line: int) -> int:
    position = start + 1
    while mark := _string_mark(source, position):
        if mark[0] == '"':
            return mark.end()
        position = mark.end() + 1
    raise LeanSyntaxError(f"line {line}: a string does not end")


def _raw_string(source: str, start: int, line: int) -> int | None:
    position = start + 1
    while position < len(source) and source[position] == "#":
        position += 1
    if position >= len(source) or source[position] != '"':
        return None
    stop = source.find('"' + "#" * (position - start - 1), position + 1)
    if stop < 0:
        raise LeanSyntaxError(f"line {line}: a raw string does not end")
    return stop + position - start


def _character(source: str, start: int) -> int | None:
    if source[start + 1 : start + 2] == "\\":
        stop = source.find("'", start + 3)  # after the escaped character, which may be a quote
        return stop + 1 if 0 < stop <= start + 8 else None
    return start + 3 if source[start + 2 : start + 3] == "'" else None


def _word(source: str, start: int) -> int:
    position = start
    while True:
        if source[position] == "«":
            stop = source.find("»", position)
            position = len(source) if stop < 0 else stop + 1
        else:
            position = _end(_rest_of_word(source, position))
        dotted = source[position : position + 1] == "." and position + 1 < len(source)
        if not dotted or not (_first(source[position + 1]) or source[position + 1] == "«"):
            return position
        position += 1
