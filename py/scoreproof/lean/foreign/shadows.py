"""Lean's own symbols and names given another meaning, and relations that hold of everything."""

from __future__ import annotations

from collections.abc import Iterator

from scoreproof.lean.foreign.commands import Command
from scoreproof.lean.foreign.findings import Finding
from scoreproof.lean.tokens import CLOSE, OPEN, Token

__all__ = ["LEANS_OWN", "names", "notations", "trivial_instances"]

#: A symbol of a statement's skeleton, and what it may stand for without meaning something else.
_SKELETON: dict[str, tuple[str, ...]] = {
    "=": ("Eq",),
    "≠": ("Ne",),
    "<": ("LT.lt",),
    "≤": ("LE.le",),
    ">": ("GT.gt",),
    "≥": ("GE.ge",),
    "∈": ("Membership.mem",),
    "∉": ("Membership.mem",),
    "⊆": ("HasSubset.Subset",),
    "∣": ("Dvd.dvd",),
    "↔": ("Iff",),
    "→": (),
    "∧": ("And",),
    "∨": ("Or",),
    "¬": ("Not",),
    "∀": (),
    "∃": ("Exists",),
    "∃!": ("ExistsUnique",),
    "True": (),
    "False": (),
    "theorem": (),
    "lemma": ("theorem",),
    "axiom": (),
    "def": (),
    "sorry": (),
    "∫": ("integral", "MeasureTheory.integral"),
    "ℕ": ("Nat",),
    "ℤ": ("Int",),
    "ℚ": ("Rat",),
    "ℝ": ("Real",),
    "ℂ": ("Complex",),
}
_OPERATORS = {
    "+": "HAdd.hAdd",
    "-": "HSub.hSub",
    "*": "HMul.hMul",
    "/": "HDiv.hDiv",
    "^": "HPow.hPow",
    "∑": "Finset.sum",
    "∏": "Finset.prod",
    "|": "abs",
    "‖": "norm",
    "∂": "partial",
    "∘": "Function.comp",
}
_NEUTRAL = {",", "(", ")", "in", ":", "", "∂"}
_DEFINING = ("notation", "notation3", "infix", "infixl", "infixr", "prefix", "postfix")
LEANS_OWN = {"True", "False", "Eq", "Ne", "And", "Or", "Not", "Iff", "Exists", "Nonempty", "Real"}
LEANS_OWN |= {"Nat", "Int", "Prop", "LE.le", "LT.lt", "HEq", "Continuous", "Differentiable"}


def notations(found: list[Command], path: str) -> Iterator[Finding]:
    """Notations and macros all of whose symbols are Lean's own."""
    for command in found:
        word, head = command.keyword, command.head
        if word in _DEFINING or word in ("macro", "syntax"):
            arrow = next((i for i, t in enumerate(head) if t.text == "=>"), len(head))
            quoted = [t.text[1:-1].strip() for t in head[:arrow] if t.kind == "string"]
            if [t.text for t in head[arrow + 1 :]] == ["True"] and set(quoted) - set(_SKELETON):
                what = f"{' '.join(quoted)} stands for True, whatever is written in it"
                yield Finding(path, command.line, "trivial notation", what)
            yield from _redefined(command, quoted, head[arrow + 1 :], path)
        elif word in ("macro_rules", "elab_rules"):
            for pattern, meaning in _rules(head):
                yield from _redefined(command, pattern, meaning, path)


def _redefined(
    command: Command, symbols: list[str], meaning: tuple[Token, ...], path: str
) -> Iterator[Finding]:
    atoms = [s for s in symbols if s not in _NEUTRAL]
    words = {t.text.removeprefix("@") for t in meaning}
    if not atoms or (command.keyword == "syntax" and atoms[0] != "theorem"):
        return
    if all(a in _SKELETON for a in atoms):
        if not any(
            w in words or any(v.endswith("." + w) for v in words)
            for a in atoms
            for w in _SKELETON[a]
        ):
            yield Finding(
                path, command.line, "shadowed", f"{' '.join(atoms)} is given another meaning"
            )
    elif all(a in _OPERATORS for a in atoms) and not any(_OPERATORS[a] in words for a in atoms):
        yield Finding(
            path, command.line, "shadowed operator", f"{' '.join(atoms)} is given another meaning"
        )


def _rules(head: tuple[Token, ...]) -> Iterator[tuple[list[str], tuple[Token, ...]]]:
    """Of ``| `(pattern) => meaning``, the pattern's symbols without its variables."""
    index = 0
    while index + 1 < len(head):
        if not (head[index].text == "`" and head[index + 1].text == "("):
            index += 1
            continue
        end, depth = index + 1, 0
        while end < len(head):
            depth += (head[end].text in OPEN) - (head[end].text in CLOSE)
            end += 1
            if not depth:
                break
        inside = head[index + 2 : end - 1]
        if end < len(head) and head[end].text == "=>":
            yield _symbols(inside), head[end + 1 : end + 40]
        index = end


def _symbols(inside: tuple[Token, ...]) -> list[str]:
    found, index = [], 0
    if len(inside) > 2 and inside[1].text == "|" and inside[0].kind == "word":
        index = 2  # `(term| …)
    while index < len(inside):
        if inside[index].text == "$":
            index += 2  # and what kind of syntax it stands for
            if index + 1 < len(inside) and inside[index].text == ":":
                index += 2
            continue
        found.append(inside[index].text)
        index += 1
    return found


def names(found: list[Command], path: str) -> Iterator[Finding]:
    """A definition that takes one of Lean's own names inside a namespace."""
    for command in found:
        last = command.name.rsplit(".", 1)[-1]
        if command.keyword in ("def", "abbrev") and last in LEANS_OWN and "." in command.name:
            yield Finding(
                path,
                command.line,
                "shadowed name",
                f"inside {command.name.rsplit('.', 1)[0]}, {last} now means {command.name}",
            )


_RELATIONS = {"LE", "LT", "HasSubset", "Membership", "Setoid", "Dvd", "HasEquiv", "Preorder"}
_RELATIONS |= {
    "PartialOrder",
    "LinearOrder",
    "SemilatticeInf",
    "SemilatticeSup",
    "HasSSubset",
    "BEq",
}


def trivial_instances(found: list[Command], path: str) -> Iterator[Finding]:
    """An order, a membership or an equivalence that holds of everything."""
    for command in found:
        if command.keyword not in ("instance", "def", "abbrev"):
            continue
        class_ = next((t.text for t in command.head if t.text in _RELATIONS), None)
        if class_ is None or (command.keyword != "instance" and "instance" not in _words(command)):
            continue
        body = command.body
        for one, two, after in zip(body, body[1:], [*body[2:], None], strict=False):
            ends = after is None or after.text in ("⟩", ",", "}", ")") or after.line > two.line
            if one.text in ("=>", "↦", ":=") and two.text in ("True", "true", "False") and ends:
                whom = " ".join(t.text for t in command.head if t.text != ":")
                yield Finding(
                    path,
                    two.line,
                    "trivial instance",
                    f"instance {whom} is {two.text} for everything",
                )
                break


def _words(command: Command) -> set[str]:
    return {t.text for t in command.attributes}
