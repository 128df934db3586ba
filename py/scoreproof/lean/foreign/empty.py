"""Theorems and definitions that say nothing: ``True``, ``x = x``, a hypothesis once more."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scoreproof.lean.conclusions import Text, bare, split_at
from scoreproof.lean.foreign.commands import PROVING, Command
from scoreproof.lean.foreign.findings import Finding
from scoreproof.lean.foreign.statements import (
    Statement,
    canonical,
    conjuncts,
    relation_at,
    texts,
)
from scoreproof.lean.tokens import Token

__all__ = ["both_sides", "definitions", "theorems"]

#: Names that announce it: reflexivity, the identity, an accessor.
_ANNOUNCED = re.compile(
    r"(^|_|\.)(i?refl|rfl|self|id|trivial|true|intro|elim|imp|out|mk|left|right|test\w*)'*(_|$|\.)",
    re.IGNORECASE,
)


def theorems(command: Command, said: Statement, path: str) -> Iterator[Finding]:
    """Findings in the statement of a theorem or an example."""
    if command.keyword not in PROVING and command.keyword != "example":
        return
    if not said.conclusion:
        return
    found = _nothing(command, said)
    if found is None:
        return
    kind, message = found
    name = command.name or "this example"
    announced = bool(_ANNOUNCED.search(command.name.rsplit(".", 1)[-1]))
    if command.keyword == "example":
        kind = "trivial example"
    elif announced and (kind != "says nothing" or said.conclusion != ("True",)):
        return
    yield Finding(path, command.line, kind, f"{name} {message}")


def _nothing(command: Command, said: Statement) -> tuple[str, str] | None:
    free = frozenset(n for b in (*said.binders, *command.variables) for n in b.names)
    known = [(h, canonical(h, free)) for h in said.hypotheses]
    scope = [bare(texts(b.type)) for b in command.variables if b.bracket == "(" and len(b.type) > 1]
    repeated: list[str] = []
    own = True
    for part in conjuncts(said.conclusion):
        if part == ("True",):
            continue
        if both_sides(part):
            continue
        form = canonical(part, free)
        same = [h for h, other in known if other == form]
        own = own and bool(same)
        same = same or [h for h in scope if h == part]
        if not same or not _is_statement(part, command, said):
            break
        repeated.append(" ".join(same[0]))
    else:
        if repeated:
            literally = said.conclusion in said.hypotheses or len(repeated) > 1
            kind = "repeats a hypothesis" if literally else "restates a hypothesis"
            kind = kind if own else "repeats a variable"
            return kind, f"concludes with its hypothesis {repeated[0]}"
        what = "True" if said.conclusion == ("True",) else "the same text on both sides"
        return "says nothing", f"concludes with {what}"
    last = split_at(said.conclusion, (",",))
    if said.conclusion[:1] == ("∃",) and last and bare(said.conclusion[last + 1 :]) == ("True",):
        return "exists only", f"concludes with {' '.join(said.conclusion)}"
    applied = _applied(command, said)
    if applied:
        return "hypothesis applied", f"concludes with its hypothesis {applied} at a value"
    form = canonical(said.conclusion, free)
    for hypothesis, _ in known:
        parts = list(conjuncts(hypothesis))
        if len(parts) > 1 and any(canonical(p, free) == form for p in parts):
            return "conjunct", f"concludes with a part of its hypothesis {' '.join(hypothesis)}"
    return None


def _applied(command: Command, said: Statement) -> str | None:
    """The hypothesis ``h : ∀ v, P v`` whose instance the theorem is, by ``h x`` alone."""
    body = [t.text for t in command.body]
    if body[:2] == [":=", "by"]:
        body = [":=", *body[3:]] if body[2:3] == ["exact"] else []
    if len(body) < 3 or not all(t.isidentifier() for t in body[1:]):
        return None
    for binder in said.binders:
        text = bare(texts(binder.type))
        if body[1] not in binder.names or text[:1] != ("∀",):
            continue
        rest, names = text, {}
        for argument in body[2:]:
            comma = split_at(rest, (",",))
            if rest[:1] != ("∀",) or comma is None:
                return None
            bound, rest = rest[1:comma], bare(rest[comma + 1 :])
            if (
                not bound
                or ":" in bound
                and bound.index(":") != 1
                or (":" not in bound and len(bound) != 1)
            ):
                return None
            names[bound[0]] = argument
        if tuple(names.get(t, t) for t in rest) == said.conclusion:
            return f"{body[1]} : {' '.join(text)}"
    return None


def _is_statement(part: Text, command: Command, said: Statement) -> bool:
    """Not a type: ``(n : ℕ) : ℕ`` is a function's signature, which a theorem seldom has."""
    return len(part) > 1 or any(
        part[0] in b.names and texts(b.type) == ("Prop",)
        for b in (*said.binders, *command.variables)
    )


def both_sides(part: Text) -> bool:
    """A relation of a text to itself."""
    if part and part.count("↔") == 1:
        at = part.index("↔")
        return bare(part[:at]) == bare(part[at + 1 :])
    at_ = relation_at(part)
    return (
        at_ is not None
        and part[at_] in ("=", "≤", "≥", "⊆", "≡", "≈", "∣")
        and bare(part[:at_]) == bare(part[at_ + 1 :])
    )


_EXPECTED = re.compile(
    r"trivial|const|zero|one|top|bot|empty|default|dummy|univ|true|false|none|nil|always|any|unit"
    r"|max|min|size|depth|version|width|tolerance|epsilon|step",
    re.IGNORECASE,
)


def definitions(command: Command, said: Statement, path: str) -> Iterator[Finding]:
    """A predicate that holds of everything, and a function that forgets all its arguments."""
    if command.keyword in ("structure", "class", "inductive"):
        yield from _fields(command, path)
        yield from _everything(command, path)
        return
    if command.keyword not in ("def", "abbrev", "irreducible_def") or not command.name:
        return
    last = command.name.rsplit(".", 1)[-1]
    value = _value(command)
    explicit = any(b.bracket == "(" and b.names for b in said.binders)
    takes = explicit or bool(said.hypotheses) or "→" in texts(command.head)
    if value is None or _EXPECTED.search(last) or not said.typed:
        return
    promised = re.match(r"(Is|Has|is|has)[A-Z_]", last) or takes
    if said.conclusion in (("Prop",), ("Bool",)) and promised:
        if value in ("True", "False", "true", "false"):
            yield Finding(
                path, command.line, "constant", f"{command.name} is {value} of everything"
            )
    elif takes and re.fullmatch(r"[0-9.]+|∅|⊤|⊥", value) and len(said.binders) > 0:
        if "instance" in {t.text for t in command.attributes}:
            return
        yield Finding(
            path, command.line, "constant value", f"{command.name} is {value} whatever it is given"
        )


def _value(command: Command) -> str | None:
    """The value of a definition if it is one token, after any ``fun … =>`` or in every case."""
    body = command.body
    if body and body[0].text == ":=":
        return _one(body[1:])
    if body and body[0].text == "|":
        values, start = set(), None
        for index, token in enumerate(body):
            if token.text in ("=>", "↦") and start is None:
                start = index + 1
            elif token.text == "|" and start is not None and body[index - 1].line < token.line:
                values.add(_one(body[start:index]))
                start = None
        values.add(_one(body[start:]) if start is not None else None)
        return values.pop() if len(values) == 1 else None
    return None


def _one(body: tuple[Token, ...]) -> str | None:
    if body and body[0].text in ("fun", "λ"):
        arrow = next((i for i, t in enumerate(body) if t.text in ("=>", "↦")), None)
        body = () if arrow is None else body[arrow + 1 :]
    return body[0].text if len(body) == 1 else None


def _everything(command: Command, path: str) -> Iterator[Finding]:
    """A field ``∀ p : Prop, p``, or one that is ``False``."""
    body = command.body
    for index, token in enumerate(body):
        after = [t.text for t in body[index : index + 9] if t.text not in ("(", ")", "{", "}")]
        after = after[:6]
        all_true = after[:1] == ["∀"] and after[2:5] == [":", "Prop", ","]
        all_true = all_true and len(after) == 6 and after[1] == after[5]
        ends = index + 2 >= len(body) or body[index + 2].line > token.line
        false = token.text == ":" and after[1:2] == ["False"] and ends
        if all_true or false:
            said = "∀ p : Prop, p" if all_true else "False"
            what = f"{command.name} has a field that says {said}"
            yield Finding(path, token.line, "assumes everything", what)


def _fields(command: Command, path: str) -> Iterator[Finding]:
    """A structure in Prop whose every field is ``True``."""
    if command.keyword == "inductive" or not any(b.text == "Prop" for b in command.head[-1:]):
        return
    colons = [i for i, t in enumerate(command.body) if t.text == ":"]
    types = [command.body[i + 1].text for i in colons if i + 1 < len(command.body)]
    alone = all(
        i + 2 >= len(command.body) or command.body[i + 2].line > command.body[i + 1].line
        for i in colons
    )
    if types and alone and set(types) == {"True"}:
        yield Finding(path, command.line, "constant", f"{command.name} asks for nothing but True")
