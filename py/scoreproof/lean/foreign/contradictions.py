"""Hypotheses of one theorem that cannot hold together, as far as their texts show it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from scoreproof.lean.conclusions import Text, bare
from scoreproof.lean.foreign.commands import PROVING, Command
from scoreproof.lean.foreign.findings import Finding
from scoreproof.lean.foreign.heads import Binder, groups
from scoreproof.lean.foreign.statements import Statement, canonical, conjuncts, texts
from scoreproof.lean.tokens import CLOSE, OPEN

__all__ = ["contradictions"]

_NATURAL = {"ℕ", "ℝ≥0", "ℝ≥0∞", "ENNReal", "NNReal", "ℕ∞"}
#: types whose numerals are all different; squares are not below 0 in those that are ordered fields
_REAL = {"ℕ", "ℤ", "ℚ", "ℝ", "ℝ≥0"}
_DISTINCT = _REAL | {"ℂ", "ℝ≥0∞", "ℕ∞"}
_NOBODY = {("Fin", "0"), ("Empty",), ("PEmpty",), ("False",)}
_ABSURD = re.compile(r"absurd|elim|false|contradict|asymm|irrefl|vacuous|empty|trichotomy", re.I)
_Form = tuple[Any, ...]


def contradictions(command: Command, said: Statement, path: str) -> Iterator[Finding]:
    """Pairs of hypotheses at odds, unless the theorem's point is that they are."""
    if command.keyword not in PROVING or not command.head:
        return
    last = command.name.rsplit(".", 1)[-1]
    if said.conclusion in (("False",), ()) or _ABSURD.search(last):
        return
    binders = (*said.binders, *command.variables)
    if len(said.conclusion) == 1 and _is_goal(said.conclusion[0], binders):
        return
    free = frozenset(n for b in binders for n in b.names)
    typed = {n: "".join(texts(b.type)) for b in binders for n in b.names}
    assumed = (*said.hypotheses, *_in_scope(command))
    parts = [p for h in assumed for p in conjuncts(h)]
    forms = [(p, canonical(p, free)) for p in parts]
    found = _nobody(said.binders) or _alone(forms, typed) or _pair(forms)
    found = found or _bounds(forms) or _values(forms, typed)
    if found:
        yield Finding(path, command.line, "contradiction", f"{command.name} assumes {found}")


def _in_scope(command: Command) -> Iterator[Text]:
    """Variables that the theorem has: included, or named in it; and facts among its instances."""
    words: set[str] | None = None
    for binder in command.variables:
        if binder.bracket != "[" and binder.type:
            words = words or {t.text.split(".", 1)[0] for t in (*command.head, *command.body)}
            if set(binder.names) & (words | command.included) and len(binder.type) != 1:
                yield bare(texts(binder.type))
            elif set(binder.names) & (words | command.included) and binder.type[0].text == "False":
                yield ("False",)
    for binder in (*command.variables, *groups(command.head)):
        said = texts(binder.type)
        if binder.bracket == "[" and said[:1] == ("Fact",):
            yield bare(said[1:])


def _is_goal(name: str, binders: tuple[Any, ...]) -> bool:
    """Is the conclusion a variable, as in ``(h : False) : P``?"""
    return any(name in b.names for b in binders)


def _nobody(binders: tuple[Binder, ...]) -> str | None:
    """A variable of a type without members."""
    for binder in binders:
        kind = bare(texts(binder.type))
        if binder.bracket in "({" and binder.names and kind in _NOBODY - {("False",)}:
            return f"{binder.names[0]} : {' '.join(kind)}, a type without members"
    return None


def _everything(text: Text) -> bool:
    """∀ p : Prop, p."""
    plain = tuple(t for t in text if t not in OPEN + CLOSE)
    return (
        len(plain) == 6
        and plain[::2] == ("∀", ":", ",")
        and (plain[3] == "Prop" and plain[1] == plain[5])
    )


def _of_all_numbers(text: Text) -> bool:
    """∀ x : ℝ, x < c, in any of the four relations, for a type without a least or a last number."""
    if len(text) != 8 or text[::2][:3] != ("∀", ":", ",") or text[3] not in ("ℝ", "ℚ", "ℤ"):
        return False
    one, sign, two = text[5:]
    return sign in ("<", "≤", ">", "≥") and (one == text[1]) != (two == text[1])


def _alone(forms: list[tuple[Text, _Form]], typed: Mapping[str, str]) -> str | None:
    for text, form in forms:
        said = " ".join(text)
        if text == ("False",):
            return "False"
        if _everything(text):
            return f"{said}, which says that everything is true"
        if _of_all_numbers(text):
            return f"{said}, which is never so"
        if form[0] == "∈" and form[2] in (("∅",), ("[", "]"), ("{", "}"), ("(", "∅")):
            return f"{said}, and nothing is in there"
        if form[0] == "∈" and form[2][:2] == ("∅", ":"):
            return f"{said}, and nothing is in there"
        if form[0] == "<" and form[1] == form[2]:
            return f"{said}, which is never so"
        if form[0] == "¬" and form[1][0] in ("=", "≤") and form[1][1] == form[1][2]:
            return f"{said}, which is never so"
        if form[0] in ("<", "≤", "="):
            one, two = _number(form[1]), _number(form[2])
            if one is not None and two is not None and not _holds(form, one, two):
                return f"{said}, which is never so"
        natural = len(form[1]) == 1 and typed.get(form[1][0]) in _NATURAL
        if form[0] == "<" and form[2] == ("0",) and natural:
            return f"{said}, of a type without negative numbers"
        if form[0] == "<" and _number(form[2]) == 0 and _not_below_0(form[1], typed):
            return f"{said}, which is never so"
    return None


def _holds(form: _Form, one: Fraction, two: Fraction) -> bool:
    if form[0] != "=":
        return one < two if form[0] == "<" else one <= two
    # (1 : R) = 0 holds in the trivial ring, and is assumed to say that a ring is it; 1 = 0 is in ℕ
    kinds = [_ascribed(side) for side in form[1:]]
    return one == two or any(k is not None and k not in _DISTINCT for k in kinds)


def _ascribed(text: Text) -> str | None:
    text = bare(text)
    return "".join(text[text.index(":") + 1 :]) if ":" in text else None


def _not_below_0(text: Text, typed: Mapping[str, str]) -> bool:
    """Even powers of a real number, absolute values, norms."""
    text = bare(text)
    power = len(text) == 3 and text[1] == "^" and text[2].isdigit() and int(text[2]) % 2 == 0
    if power and typed.get(text[0]) in _REAL:
        return True
    size = len(text) > 2 and text[0] == text[-1] and text[0] in ("|", "‖")
    return size and text[0] not in text[1:-1]


def _number(text: Text) -> Fraction | None:
    text = bare(text)
    if ":" in text:
        text = text[: text.index(":")]
    sign = 1
    if text and text[0] == "-":
        sign, text = -1, text[1:]
    if text and all(re.fullmatch(r"[0-9]+|[./]", t) for t in text):
        try:
            return sign * Fraction("".join(text))
        except (ValueError, ZeroDivisionError):
            return None
    return None


def _pair(forms: list[tuple[Text, _Form]]) -> str | None:
    known: dict[_Form, Text] = {}
    for text, form in forms:
        for other in _against(form):
            if other in known:
                return f"{' '.join(known[other])} and {' '.join(text)}"
        known.setdefault(form, text)
    return None


def _against(form: _Form) -> list[_Form]:
    """What cannot hold beside ``form``."""
    if form[0] == "¬":
        inner = form[1]
        swapped = [("=", inner[2], inner[1])] if inner[0] == "=" else []
        return [inner, *swapped]
    against: list[_Form] = [("¬", form)]
    if form[0] == "<":
        one, two = form[1:]
        against += [("<", two, one), ("≤", two, one), ("=", one, two), ("=", two, one)]
    elif form[0] == "≤":
        against.append(("<", form[2], form[1]))
    elif form[0] == "=":
        one, two = form[1:]
        against += [("<", one, two), ("<", two, one), ("¬", ("=", two, one))]
    return against


def _values(forms: list[tuple[Text, _Form]], typed: Mapping[str, str]) -> str | None:
    """Two numbers that one variable is equal to."""
    known: dict[str, tuple[Fraction, Text]] = {}
    for text, form in forms:
        for name, other in (form[1:], form[:0:-1]) if form[0] == "=" else ():
            value = _number(other)
            if value is None or len(name) != 1 or typed.get(name[0]) not in _DISTINCT:
                continue
            first, said = known.setdefault(name[0], (value, text))
            if first != value:
                return f"{' '.join(said)} and {' '.join(text)}"
    return None


def _bounds(forms: list[tuple[Text, _Form]]) -> str | None:
    """A number above and a number below that leave no room."""
    low: dict[Text, tuple[Fraction, bool, Text]] = {}
    high: dict[Text, tuple[Fraction, bool, Text]] = {}
    for text, form in forms:
        if form[0] not in ("<", "≤", "="):
            continue
        strict = form[0] == "<"
        for subject, bound, into in ((2, 1, low), (1, 2, high)):
            value = _number(form[bound])
            if value is None or _number(form[subject]) is not None:
                continue
            key = form[subject]
            worse = key in into and (
                into[key][0] >= value if into is low else into[key][0] <= value
            )
            if not worse:
                into[key] = (value, strict, text)
        if form[0] == "=" and (value := _number(form[2])) is not None:
            low.setdefault(form[1], (value, False, text))
    for key, (below, strict, text) in low.items():
        if key in high:
            above, also, other = high[key]
            if below > above or (below == above and (strict or also)):
                return f"{' '.join(text)} and {' '.join(other)}"
    return None
