"""The static audit: what can be held against the Lean files without running Lean.

It does not replace a build. It finds what a build accepts all the same (``sorry`` is only a
warning, an axiom is legal, a theorem may say nothing) and ties the theorems that the Python claims
cite to the text that was compiled.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from scoreproof.lean.conclusions import says_nothing
from scoreproof.lean.declarations import declarations
from scoreproof.lean.receipt import CITED, Receipt, ReceiptError, compare, lean_files, read_receipt
from scoreproof.lean.tokens import CLOSE, OPEN, LeanSyntaxError, Token, code, tokenize

__all__ = ["Finding", "audit", "audit_source"]

_TRUST = "proves without a proof"
_COMPILED = "trusts compiled code instead of the kernel"
_BYPASS = "goes around the kernel"
FORBIDDEN = {
    **dict.fromkeys(("sorry", "admit", "axiom", "sorryAx", "proofAsSorry"), _TRUST),
    **dict.fromkeys(
        (
            "native_decide",
            "implemented_by",
            "extern",
            "csimp",
            "ofReduceBool",
            "ofReduceNat",
            "trustCompiler",
        ),
        _COMPILED,
    ),
    **dict.fromkeys(
        ("unsafe", "skipKernelTC", "addDeclWithoutChecking", "setEnv", "modifyEnv", "#exit"),
        _BYPASS,
    ),
}
#: A claim's file states and proves; only Audit.lean may define a command, for its `#assert_axioms`.
META = {
    "elab",
    "elab_rules",
    "macro",
    "macro_rules",
    "syntax",
    "run_cmd",
    "run_tac",
    "run_meta",
    "run_elab",
    "initialize",
    "builtin_initialize",
}
PURE = {
    "ℕ",
    "ℤ",
    "ℚ",
    "Nat",
    "Int",
    "Rat",
    "Bool",
    "String",
    "Char",
    "Fin",
    "List",
    "Array",
    "Option",
    "×",
}
EFFECTS = {"IO", "do", "dbg_trace", "←", "<-", "unsafeIO", "panic", "panic!"}
HEADER = (
    ("its title and main results", r"^# .+", r"^## (Main results?|Statement)\b"),
    ("its source", r"^(Source|## Source)\b", ""),
    ("its hypotheses (a section Hypotheses or Definitions)", r"^## (Hypotheses|Definitions)\b", ""),
    ("what it does not prove (a section Not proved)", r"^## Not proved\b", ""),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, with its place."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return (
            f"{self.path}:{self.line}: {self.message}"
            if self.line
            else f"{self.path}: {self.message}"
        )


def audit(root: Path) -> list[Finding]:
    """Everything wrong with the project at ``root``; empty when nothing is."""
    try:
        receipt = read_receipt(root)
    except ReceiptError as error:
        return [Finding("lean/receipt.json", 0, str(error))]
    findings: list[Finding] = []
    comparison = compare(root)
    if comparison.changed or comparison.status == "not verified":
        findings += [
            Finding(path, 0, "is not the file of the receipt") for path in comparison.changed
        ]
        findings.append(Finding("lean", 0, comparison.reason))
    claim_files = {entry["path"] for entry in receipt.data["files"]}
    for path in lean_files(root):
        meta = path == "lean/ScoreProof/Audit.lean"
        findings += audit_source(
            (root / path).read_text("utf-8"),
            path,
            claim=not meta and path != "lean/ScoreProof.lean",
            meta=meta,
        )
    for path in sorted(claim_files & set(lean_files(root))):
        findings += _against(receipt, path, (root / path).read_text("utf-8"))
    return findings + _citations(receipt, root)


def audit_source(
    source: str, path: str = "Some.lean", *, claim: bool = True, meta: bool = False
) -> list[Finding]:
    """Findings in one file. ``claim``: it is a claim's file and owes the full header. ``meta``: it
    may define commands.
    """
    try:
        tokens = code(source)
        found = _words(tokens, path, meta) + _evaluations(tokens, path)
        header = next(
            (t.text for t in tokenize(source) if t.kind == "comment" and t.text.startswith("/-!")),
            None,
        )
        things = declarations(source)
    except LeanSyntaxError as error:
        return [Finding(path, 0, str(error))]
    if header is None:
        found.append(Finding(path, 1, "has no module header /-! … -/"))
    elif claim:
        for what, *patterns in HEADER:
            if not all(re.search(p, header, re.M) for p in patterns):
                found.append(Finding(path, 1, f"its header does not give {what}"))
    for thing in things:
        if thing.kind in ("theorem", "lemma"):
            if not thing.complete:
                found.append(
                    Finding(
                        path,
                        thing.line,
                        f"the statement of {thing.name} does not end in := or where",
                    )
                )
            if nothing := says_nothing(thing.body, thing.context):
                found.append(Finding(path, thing.line, f"{thing.name} says nothing: {nothing}"))
    return found


def _words(tokens: list[Token], path: str, meta: bool) -> list[Finding]:
    found = []
    for token in tokens:
        if token.kind != "word":
            continue
        for part in {token.text, *token.text.replace("«", "").replace("»", "").split(".")}:
            if part in FORBIDDEN:
                found.append(Finding(path, token.line, f"{part} {FORBIDDEN[part]}"))
            elif part in META and not meta:
                found.append(Finding(path, token.line, f"{part} extends Lean; only Audit.lean may"))
    return found


def _evaluations(tokens: list[Token], path: str) -> list[Finding]:
    """``#eval`` runs code when the file is compiled. It has no side effect for certain only where
    Lean itself checks that its value
    is plain data: ``#eval (term : ℕ)``.
    """
    found = []
    for index, token in enumerate(tokens):
        if token.text not in ("#eval", "#eval!"):
            continue
        depth, group, rest = 0, [], tokens[index + 1 :]
        for inner in rest:
            depth += (inner.text in OPEN) - (inner.text in CLOSE)
            group.append(inner.text)
            if not depth:
                break
        colons = [i for i, text in enumerate(group) if text == ":"]
        kind = group[colons[-1] + 1 : -1] if colons and group[0] == "(" else []
        typed = bool(kind) and all(text in PURE or text in "()" or text.isdigit() for text in kind)
        after = rest[len(group)] if len(rest) > len(group) else None
        alone = after is None or after.line > rest[len(group) - 1].line
        if token.text == "#eval!" or not typed or not alone or EFFECTS & set(group):
            found.append(
                Finding(
                    path,
                    token.line,
                    f"{token.text} may have side effects; write #eval (term : type) with a type of"
                    " plain data",
                )
            )
    return found


def _against(receipt: Receipt, path: str, source: str) -> list[Finding]:
    """The declarations of a claim's file against the receipt."""
    try:
        here = {d.name: d for d in declarations(source) if d.name}
    except LeanSyntaxError:
        return []  # reported by audit_source
    (entry,) = [e for e in receipt.data["files"] if e["path"] == path]
    found = []
    recorded = {d["name"]: d for d in entry["declarations"]}
    for name, declaration in recorded.items():
        if name not in here:
            found.append(Finding(path, 0, f"{name} is in the receipt and not in the file"))
        elif here[name].sha256 != declaration["statement_sha256"]:
            found.append(
                Finding(
                    path,
                    here[name].line,
                    f"the statement of {name} is not the one that was compiled",
                )
            )
    found += [
        Finding(path, here[name].line, f"{name} is not in the receipt")
        for name in here
        if name not in recorded
    ]
    if entry["main_theorem"] not in recorded:
        found.append(
            Finding(
                path,
                0,
                f"the receipt's main theorem {entry['main_theorem']} is not among its declarations",
            )
        )
    return found


def _citations(receipt: Receipt, root: Path) -> list[Finding]:
    """Each claim cites its own file's main theorem, and every claim of the receipt is cited."""
    found = []
    for claim, name in CITED.items():
        entry = receipt.claims.get(claim)
        if entry is None or entry["main_theorem"] != name:
            found.append(
                Finding(
                    "lean/receipt.json",
                    0,
                    f"{claim} cites {name}, which the receipt does not have as its main theorem",
                )
            )
        elif not (root / entry["path"]).is_file():
            found.append(Finding(entry["path"], 0, f"is missing, and {claim} cites {name}"))
    found += [
        Finding("lean/receipt.json", 0, f"has {claim}, which no claim cites")
        for claim in receipt.claims
        if claim not in CITED
    ]
    return found
