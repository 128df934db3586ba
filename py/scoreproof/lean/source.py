"""Lean source as text: comments and strings recognised (nested ones too), declarations found, statements normalised.

This reads just enough Lean to audit files that Lean itself has checked: it is no parser, and it errs on the side of
seeing too much.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

__all__ = ["Declaration", "code_of", "declarations", "header_of", "statement_sha256"]

KEYWORDS = ("theorem", "lemma", "def", "abbrev", "structure", "inductive", "instance", "class", "opaque")
_OPEN, _CLOSE = "([{⟨⦃", ")]}⟩⦄"


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declaration: its full name, keyword, line, and statement (normalised as in the receipt)."""

    name: str
    keyword: str
    line: int
    statement: str


def code_of(text: str, *, strings: bool = False) -> str:
    """``text`` with comments (and strings, unless kept) blanked out, line breaks kept so that lines still count.

    >>> code_of('a /- b /- c -/ d -/ e -- f').split()
    ['a', 'e']
    >>> code_of('x "sorry -- no" y').split()
    ['x', 'y']
    """
    out, i, depth = [], 0, 0

    def blank(chunk: str) -> None:
        out.append("".join(c if c == "\n" else " " for c in chunk))

    while i < len(text):
        two = text[i : i + 2]
        if depth:
            if two in ("/-", "-/"):
                depth += 1 if two == "/-" else -1
                blank(two)
                i += 2
            else:
                blank(text[i])
                i += 1
        elif two == "/-":
            depth, i = 1, i + 2
            blank(two)
        elif two == "--":
            end = text.find("\n", i)
            end = len(text) if end < 0 else end
            blank(text[i:end])
            i = end
        elif text[i] == '"' or re.match(r'r#*"', text[i:]) and not re.match(r"\w", text[i - 1 : i] or " "):
            match = re.match(r'r(#*)".*?"\1', text[i:], re.S) if text[i] == "r" else re.match(r'"(?:\\.|[^"\\])*"', text[i:], re.S)
            chunk = match.group(0) if match else text[i:]
            out.append(chunk) if strings else blank(chunk)
            i += len(chunk)
        elif char := re.match(r"'(?:\\.[^']*|[^'\\\n])'", text[i:]):
            if re.match(r"[\w'!?]", text[i - 1 : i] or " "):  # x' is a name
                out.append(text[i])
                i += 1
            else:
                blank(char.group(0))
                i += len(char.group(0))
        else:
            out.append(text[i])
            i += 1
    return "".join(out)


def header_of(text: str) -> str:
    """The first module comment ``/-! … -/``, or an empty string."""
    match = re.search(r"/-!(.*?)-/", text, re.S)
    return match.group(1) if match else ""


def declarations(text: str) -> list[Declaration]:
    """The named declarations of a file, in order, with their namespaces resolved."""
    code = code_of(text, strings=True)
    found: list[Declaration] = []
    scopes: list[tuple[str, str]] = []  # (kind, name)
    pattern = re.compile(rf"^[ \t]*(?:(namespace|section|end)\b[ \t]*([\w.«»]*)|(?:@\[[^\]]*\]\s*|private\s+|protected\s+|noncomputable\s+|nonrec\s+)*({'|'.join(KEYWORDS)})\s+([^\s:({{\[⦃]+))", re.M)
    for match in pattern.finditer(code):
        scope, scope_name, keyword, name = match.groups()
        if scope == "end":
            if scopes:
                scopes.pop()
        elif scope:
            scopes.append((scope, scope_name))
        else:
            prefix = ".".join(n for kind, n in scopes if kind == "namespace")
            full = name.removeprefix("_root_.") if name.startswith("_root_.") else f"{prefix}.{name}" if prefix else name
            found.append(Declaration(full, keyword, code.count("\n", 0, match.start(3)) + 1, _statement(code, match.start(3))))
    return found


def _statement(code: str, start: int) -> str:
    """From the keyword to the ``:=``, ``where`` or ``|`` that ends the statement at bracket depth 0, blanks collapsed."""
    depth, i = 0, start
    while i < len(code):
        if code[i] in _OPEN:
            depth += 1
        elif code[i] in _CLOSE:
            depth -= 1
        elif depth == 0 and (code.startswith(":=", i) or re.match(r"\bwhere\b", code[i:]) and not re.match(r"\w", code[i - 1])):
            break
        i += 1
    return " ".join(code[start:i].split())


def statement_sha256(statement: str) -> str:
    """The hash the receipt records."""
    return hashlib.sha256(statement.encode()).hexdigest()
