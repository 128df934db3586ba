"""What a theorem assumes and concludes, as relations between texts.

Two spellings of one relation are one: ``a > b`` and ``b < a``, ``a ≠ b`` and ``¬ a = b``, ``->``
and ``→``, a bound variable by another name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scoreproof.lean.conclusions import Text, bare, bracketed, split_at
from scoreproof.lean.foreign.commands import Command
from scoreproof.lean.foreign.heads import Binder, groups
from scoreproof.lean.tokens import CLOSE, OPEN, Token

__all__ = ["Statement", "canonical", "conjuncts", "relation_at", "statement", "texts"]

_SAME = {"->": "→", "=>": "↦", "λ": "fun", "Nat": "ℕ", "Int": "ℤ", "Real": "ℝ", "Rat": "ℚ"}
_RELATIONS = ("=", "≠", "<", "≤", ">", "≥", "∈", "∉", "⊆", "⊂", "∣", "≡", "≈", "<=", ">=", "∼")
_CONNECTIVES = (
    "∧",
    "∨",
    "→",
    "↔",
    "∀",
    "∃",
    "fun",
    ",",
    "↦",
    "∃!",
    "if",
    "let",
    "¬",
    "∑",
    "∏",
    "∫",
)
_GLUE = set("<>$*+~&=!:|^∘")
_SUPERSCRIPTS = set("ᵐᶠˢᵖ")


def texts(tokens: tuple[Token, ...]) -> Text:
    """The tokens' texts, one spelling for each; operators that touch are one (``=ᵐ``, ``<+:``)."""
    found: list[str] = []
    end = -1
    for token in tokens:
        text = _SAME.get(token.text, token.text)
        touches = token.start == end and bool(found)
        if (
            touches
            and token.kind == "symbol"
            and found[-1][-1] in _GLUE | _SUPERSCRIPTS | set("∀∃")
        ):
            both = text in _SUPERSCRIPTS or (text in _GLUE and found[-1][-1] in _GLUE)
            if both or (text == "!" and found[-1] == "∃"):
                found[-1] += text
                end = token.end
                continue
        if touches and token.kind == "word" and found[-1] in ("=", "~") and text in _ORDERS:
            found[-1] += text  # f =o[l] g
        else:
            found.append(text)
        end = token.end
    return tuple(found)


_ORDERS = {"o", "O", "Θ", "r", "m"}


@dataclass(frozen=True, slots=True)
class Statement:
    """Binders of its own, its hypotheses (premises before arrows too) and its conclusion."""

    binders: tuple[Binder, ...]
    hypotheses: tuple[Text, ...]
    conclusion: Text
    typed: bool  # is there a colon at all?


def _colon(tokens: tuple[Token, ...]) -> int | None:
    depth = 0
    for index, token in enumerate(tokens):
        if token.kind == "symbol":
            depth += (token.text in OPEN) - (token.text in CLOSE)
            if token.text == ":" and not depth:
                return index
    return None


def statement(command: Command) -> Statement:
    """The statement of a declaration."""
    colon = _colon(command.head)
    before = command.head if colon is None else command.head[:colon]
    own = tuple(groups(before))
    found = [bare(texts(b.type)) for b in own if b.type and b.bracket != "["]
    rest: Text = () if colon is None else bare(texts(command.head[colon + 1 :]))
    free = frozenset(n for b in own for n in b.names)
    while rest and not _assumed(rest, found, free):  # ∀ n, P n is a hypothesis as a whole
        if rest[0] == "∀" and (comma := split_at(rest, (",",))) is not None:
            found += _bound(rest[1:comma])
            rest = bare(rest[comma + 1 :])
            continue
        arrow = split_at(rest, ("→",))
        scope = split_at(rest, ("∃", "∃!", "∀", "∀ᵐ", "∀ᶠ", "∃ᶠ", "fun", "let", "∑", "∏", "↔"))
        if arrow is None or (scope is not None and scope < arrow):
            break
        found.append(bare(rest[:arrow]))
        rest = bare(rest[arrow + 1 :])
    return Statement(own, tuple(f for f in found if f), rest, colon is not None)


def _assumed(text: Text, found: list[Text], free: frozenset[str]) -> bool:
    if text[0] != "∀" and "→" not in text:
        return False
    form = canonical(text, free)
    return any(len(f) == len(text) and canonical(f, free) == form for f in found)


def _bound(text: Text) -> list[Text]:
    """Hypotheses in what ∀ binds: ``x ∈ s``, ``ε > 0``, ``(h : P)``."""
    if text and text[0] not in OPEN:
        return [bare(text)] if any(r in text for r in _RELATIONS) and ":" not in text else []
    found = []
    for group in bracketed(text):
        if (at := split_at(group[1:-1], (":",))) is not None:
            found.append(bare(group[2 + at : -1]))
    return found


def relation_at(text: Text) -> int | None:
    """Where the one relation of ``text`` stands, if it has one and no connective around it."""
    found, depth = None, 0
    for index, token in enumerate(text):
        depth += (token in OPEN) - (token in CLOSE)
        if depth:
            continue
        if token in _CONNECTIVES:
            return None
        if token in _RELATIONS:
            if found is not None:
                return None
            found = index
    return found


def canonical(text: Text, free: frozenset[str] = frozenset()) -> tuple[Any, ...]:
    """One spelling for what is the same relation; ``free`` are names that no ∀ may rename."""
    text = bare(text)
    if text and text[0] in ("¬", "Not") and split_at(text, ("∧", "∨", "→", "↔")) is None:
        inner = canonical(text[1:], free)
        return inner[1] if inner[0] == "¬" else ("¬", inner)
    at = relation_at(text)
    if at is None or at == 0 or at == len(text) - 1:
        return ("", _renamed(text, free))
    left, right = _renamed(bare(text[:at]), free), _renamed(bare(text[at + 1 :]), free)
    sign = text[at]
    if sign in (">", "≥", ">="):
        return ("<" if sign == ">" else "≤", right, left)
    if sign in ("≠", "∉"):
        return ("¬", ("=" if sign == "≠" else "∈", left, right))
    return ({"<=": "≤"}.get(sign, sign), left, right)


def _renamed(text: Text, free: frozenset[str]) -> Text:
    """Bound variables by number, in the order in which they are bound."""
    names: dict[str, str] = {}
    binding = False
    for token in text:
        if token in ("∀", "∃", "fun", "∃!"):
            binding = True
        elif token in (",", "↦", ":", "∈", ">", "<", "≥", "≤"):
            binding = binding and token == ":" and False
        elif binding and token not in OPEN and token not in CLOSE and token not in free:
            names.setdefault(token, f"#{len(names)}")
    return tuple(names.get(t, t) for t in text) if names else text


def conjuncts(text: Text) -> Iterator[Text]:
    """The parts that ∧ joins."""
    text = bare(text)
    at = split_at(text, ("∧",))
    scope = split_at(text, ("∃", "∃!", "∀", "∀ᵐ", "∀ᶠ", "∃ᶠ", "fun", "→", "↔", "∨", "¬", "let"))
    if at is None or scope is not None:
        yield text
        return
    yield from conjuncts(text[:at])
    yield from conjuncts(text[at + 1 :])
