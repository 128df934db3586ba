"""Hypotheses that a theorem names nowhere after assuming them."""

from __future__ import annotations

from collections.abc import Iterator

from scoreproof.lean.foreign.commands import PROVING, Command
from scoreproof.lean.foreign.findings import Finding
from scoreproof.lean.foreign.statements import Statement, texts

__all__ = ["unused"]

#: Tactics that look through the hypotheses by themselves.
TAKES_ANY = {
    *("simp_all", "simp_all?", "simpa", "simpa?", "rwa", "erwa", "omega", "assumption", "lia"),
    *("assumption'", "positivity", "linarith", "nlinarith", "polyrith", "grind", "aesop", "aesop?"),
    *("tauto", "itauto", "contradiction", "bound", "gcongr", "grw", "fun_prop", "measurability"),
    *("continuity", "trivial", "field_simp", "finiteness", "exact?", "apply?", "solve_by_elim"),
    *("apply_assumption", "split_ifs", "interval_cases", "subst_vars", "order", "cutsat", "duper"),
    *("simp_arith", "bv_decide", "bv_omega", "infer_instance", "inferInstance", "congr", "congr!"),
    *(
        "convert",
        "decreasing_tactic",
        "subsingleton",
        "assumption_mod_cast",
        "casesm",
        "cc",
        "mono",
    ),
}
_SIGNS = {"=", "≠", "<", "≤", ">", "≥", "∈", "∉", "⊆", "↔", "∧", "∨", "¬", "∀", "∃", "∣", "→", "≡"}


def unused(command: Command, said: Statement, path: str, maybe: list[Finding]) -> Iterator[Finding]:
    """Hypotheses named nowhere; those that a tactic may use all the same go to ``maybe``."""
    if command.keyword not in PROVING or not command.body or _unfinished(command):
        return
    candidates = [
        (name, b)
        for b in said.binders
        if b.bracket in "({" and _is_hypothesis(texts(b.type))
        for name in b.names
    ]
    if not candidates:
        return
    words: dict[str, int] = {}
    for token in (*command.head, *command.body):
        if token.kind == "word":
            root = token.text.split(".", 1)[0].replace("«", "").replace("»", "")
            words[root] = words.get(root, 0) + 1
    helped = sorted(TAKES_ANY & set(words)) + (
        ["the tactics that take all hypotheses"] if _takes_context(command) else []
    )
    for name, binder in candidates:
        if name != "_" and words.get(name.replace("«", "").replace("»", ""), 0) > 1:
            continue
        text = " ".join(texts(binder.type))
        what = f"{command.name} assumes {name} : {text} and names it nowhere"
        if helped:
            tactics = ", ".join(helped[:3])
            maybe.append(
                Finding(path, binder.line, "unused hypothesis", f"{what}; may be used by {tactics}")
            )
        else:
            yield Finding(path, binder.line, "unused hypothesis", what)


def _is_hypothesis(text: tuple[str, ...]) -> bool:
    """Does the type read like a statement?"""
    return any(t in _SIGNS - {"→", "∀"} for t in text) and text[:1] != ("{",)


def _unfinished(command: Command) -> bool:
    return any(t.text in ("sorry", "admit", "stop") for t in command.body)


def _takes_context(command: Command) -> bool:
    """``at *``, ``[*]``, ``‹…›``, or an index ``xs[i]`` whose bound is found by a tactic."""
    for tokens in (command.head, command.body):
        for one, two in zip(tokens, tokens[1:], strict=False):
            if (one.text == "at" and two.text in ("*", "⊢")) or one.text == "‹":
                return True
            if (one.text in "[," and two.text == "*") or (one.text == "*" and two.text == "]"):
                return True
            if two.text == "[" and one.end == two.start and (one.kind == "word" or one.text == ")"):
                return True
    return False
