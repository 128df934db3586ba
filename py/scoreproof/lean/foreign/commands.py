"""A Lean file as a list of commands: keyword, name, attributes, statement, proof, and the variables
in scope.

No type checker and no parser: a command starts where one of Lean's reserved words stands first on
its line (after attributes and modifiers) or outside all brackets, and ends where the next starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from scoreproof.lean.foreign.heads import Binder, close, end_of_head, groups
from scoreproof.lean.tokens import CLOSE, OPEN, Token, tokenize

__all__ = ["DECLARING", "PROVING", "Command", "commands"]

PROVING = {"theorem", "lemma"}
DECLARING = PROVING | {
    *("def", "abbrev", "irreducible_def", "structure", "inductive", "coinductive", "class"),
    *("instance", "opaque", "axiom", "example", "alias", "proof_wanted"),
}
_SCOPES = {"namespace", "section", "mutual", "end", "variable", "universe", "include", "omit"}
_NOTATIONS = {
    *("notation", "notation3", "infix", "infixl", "infixr", "prefix", "postfix", "macro"),
    *("macro_rules", "syntax", "elab", "elab_rules", "binder_predicate"),
}
#: #s is also how Mathlib writes the cardinality of a set.
_ASKING = {"#eval", "#eval!", "#check", "#print", "#reduce", "#guard", "#guard_msgs", "#exit"}
#: Words that are also used inside proofs and terms: a command only at the edge of the page.
_AT_THE_EDGE = _NOTATIONS | {
    *("open", "set_option", "attribute", "export", "deriving", "initialize", "builtin_initialize"),
    *("run_cmd", "declare_syntax_cat", "register_option", "simproc", "dsimproc", "import"),
    *("library_note", "add_decl_doc", "assert_not_exists", "suppress_compilation", "unseal"),
    *("initialize_simps_projections", "recall", "simproc_decl", "unif_hint", "compile_inductive"),
}
_MODIFIERS = {
    *("private", "protected", "public", "noncomputable", "unsafe", "partial", "nonrec"),
    *("local", "scoped", "meta"),
}


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a Lean file; ``name`` is full, ``head`` the statement, ``body`` from ``:=``."""

    keyword: str
    name: str
    line: int
    modifiers: tuple[str, ...] = ()
    attributes: tuple[Token, ...] = ()
    head: tuple[Token, ...] = ()
    body: tuple[Token, ...] = ()
    variables: tuple[Binder, ...] = ()
    included: frozenset[str] = frozenset()
    doc: str = ""


@dataclass(slots=True)
class _Scope:
    """What ``namespace``, ``section`` and ``variable`` have opened."""

    stack: list[tuple[str | None, int, frozenset[str]]] = field(default_factory=list)
    variables: tuple[Binder, ...] = ()
    included: frozenset[str] = frozenset()

    @property
    def prefix(self) -> str:
        return ".".join(part for part, *_ in self.stack if part)

    def open(self, part: str | None) -> None:
        self.stack.append((part, len(self.variables), self.included))

    def close(self, named: str) -> None:
        """``end`` closes one scope, or as many as its name has parts."""
        for _ in range(named.count(".") + 1 if named else 1):
            if self.stack:
                _, many, self.included = self.stack.pop()
                self.variables = self.variables[:many]


def commands(source: str) -> list[Command]:
    """Every command of a Lean file, in order.

    >>> source = "namespace A\\nvariable (n : ℕ)\\ntheorem b (h : 0 < n) : n ≠ 0 := h.ne'\\nend A"
    >>> [(c.keyword, c.name) for c in commands(source)][2:3]
    [('theorem', 'A.b')]
    """
    tokens, docs = [], {}
    doc = ""
    for token in tokenize(source):
        if token.kind == "comment":
            doc = token.text if token.text.startswith("/--") else doc
            continue
        if doc:
            docs[token.start] = doc
            doc = ""
        tokens.append(token)
    starts = list(_starts(source, tokens))
    scope, found = _Scope(), []
    once: tuple[Binder, ...] | None = None  # the variables before a `variable … in`
    for number, (start, key) in enumerate(starts):
        end = starts[number + 1][0] if number + 1 < len(starts) else len(tokens)
        command = _command(tokens[start:end], key - start, scope, docs.get(tokens[start].start, ""))
        found.append(command)
        if once is not None and command.keyword != "variable":
            scope.variables, once = once, None
        once = _enter(command, scope, once)
    return found


def _enter(
    command: Command, scope: _Scope, once: tuple[Binder, ...] | None
) -> tuple[Binder, ...] | None:
    head = command.head
    first = head[0].text if head and head[0].line == command.line else ""
    if command.keyword == "namespace" and first:
        for part in first.split("."):
            scope.open(part)
    elif command.keyword in ("section", "mutual"):
        scope.open(None)
        if first.count("."):
            for _ in range(first.count(".")):
                scope.open(None)
    elif command.keyword == "end":
        scope.close(first)
    elif command.keyword == "variable":
        before = scope.variables
        scope.variables += tuple(b for b in groups(head) if b.names or b.bracket == "[")
        if head and head[-1].text == "in":
            return before if once is None else once
    elif command.keyword == "include":
        scope.included |= {t.text for t in head}
    elif command.keyword == "omit":
        scope.included -= {t.text for t in head}
    return once


def _starts(source: str, tokens: list[Token]) -> Iterator[tuple[int, int]]:
    """Of each command, the index of its first token and of its keyword."""
    depth, last = 0, -1
    for index, token in enumerate(tokens):
        if token.kind == "symbol":
            depth = max(0, depth + (token.text in OPEN) - (token.text in CLOSE))
            continue
        if token.kind != "word":
            continue
        text = token.text
        declares, scopes = text in DECLARING, text in _SCOPES or text in _ASKING
        if not (declares or scopes or text[0] == "#" or text in _AT_THE_EDGE):
            continue
        start = _with_modifiers(tokens, index, last)
        before = tokens[start - 1] if start else None
        edge = tokens[start].start == 0 or source[tokens[start].start - 1] == "\n"
        first = before is None or before.line < tokens[start].line or before.text == "in"
        if before is not None and before.text in ("deriving", "class", "`", "open"):
            continue
        if edge or (declares and (depth == 0 or first)) or (scopes and first and not depth):
            yield start, index
            depth, last = 0, index


def _with_modifiers(tokens: list[Token], index: int, last: int) -> int:
    """The index of the first modifier or attribute before a keyword."""
    while index - 1 > last:
        before = tokens[index - 1]
        if before.text in _MODIFIERS:
            index -= 1
            continue
        opening = _opening(tokens, index - 1, last) if before.text == "]" else None
        if opening is None or tokens[opening - 1].text != "@":
            return index
        index = opening - 1
    return index


def _opening(tokens: list[Token], index: int, last: int) -> int | None:
    depth = 0
    while index - 1 > last:
        depth += (tokens[index].text in CLOSE) - (tokens[index].text in OPEN)
        if not depth:
            return index
        index -= 1
    return None


def _command(tokens: list[Token], key: int, scope: _Scope, doc: str) -> Command:
    keyword, after = tokens[key], tokens[key + 1 :]
    text = keyword.text
    if text == "class" and after and after[0].text in ("inductive", "abbrev"):
        after = after[1:]
    before = tuple(tokens[:key])
    modifiers = _outside(before)
    if text not in DECLARING:
        return Command(text, "", keyword.line, modifiers, before, tuple(after), doc=doc)
    name = ""
    if text == "instance" and [t.text for t in after[:2]] in (["(", "priority"], ["(", "prio"]):
        after = after[close(after, 0) + 1 :]
    if text != "example" and after and after[0].kind == "word":
        name, after = after[0].text, after[1:]
    if len(after) > 1 and after[0].text == "." and after[1].text == "{":  # universes
        after = after[close(after, 1) + 1 :]
    full = ".".join(p for p in (scope.prefix, name) if p) if name else ""
    if name.startswith("_root_."):
        full = name.removeprefix("_root_.")
    cut = end_of_head(after)
    return Command(
        text,
        full,
        keyword.line,
        modifiers,
        before,
        tuple(after[:cut]),
        tuple(after[cut:]),
        scope.variables,
        scope.included,
        doc,
    )


def _outside(before: tuple[Token, ...]) -> tuple[str, ...]:
    """The modifiers before a keyword; @[aesop unsafe] is an attribute."""
    found, depth = [], 0
    for token in before:
        depth += (token.text in OPEN) - (token.text in CLOSE)
        if not depth and token.text in _MODIFIERS:
            found.append(token.text)
    return tuple(found)
