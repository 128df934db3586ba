"""Words that prove nothing, or that put something other than the kernel in charge of a proof."""

from __future__ import annotations

from collections.abc import Iterator

from scoreproof.lean.foreign.commands import PROVING, Command
from scoreproof.lean.foreign.findings import Finding
from scoreproof.lean.tokens import LeanSyntaxError, Token, tokenize

__all__ = ["TRUSTS_CODE", "in_commands", "in_tokens"]

_WORDS = {
    **dict.fromkeys(("sorry", "admit"), ("sorry", "{} proves nothing")),
    **dict.fromkeys(("sorryAx", "proofAsSorry"), ("sorry", "{} is a sorry by another name")),
    **dict.fromkeys(
        ("native_decide", "bv_decide", "bv_decide?", "bv_check", "ofReduceBool", "ofReduceNat"),
        ("native", "{} trusts compiled code instead of the kernel (Lean.ofReduceBool)"),
    ),
    "trustCompiler": ("native", "{} trusts the compiler instead of the kernel"),
    "addDeclWithoutChecking": ("no kernel", "{} adds what the kernel has not checked"),
    **dict.fromkeys(("lcProof", "lcUnreachable"), ("unsafe", "{} stands where a proof is due")),
    **dict.fromkeys(
        ("axiomDecl", "mkAxiom", "addAxiom"), ("axiom made by code", "{} makes an axiom")
    ),
    **dict.fromkeys(
        ("setEnv", "modifyEnv", "addDecl", "addAndCompile"),
        ("environment", "{} changes Lean's table of declarations"),
    ),
    **dict.fromkeys(
        ("admitGoal", "mkSorry", "mkLabeledSorry", "mkUniqueSorry"),
        ("closes goals", "{} makes a sorry"),
    ),
    **dict.fromkeys(
        ("implemented_by", "extern", "csimp"),
        ("other code", "{} makes compiled code run something else than the definition"),
    ),
    **dict.fromkeys(
        ("exact?", "apply?", "rw?", "hint", "by?", "show_term"),
        ("search", "{} searches for a proof at every build"),
    ),
}
#: Where proofs rest on compiled code, what that code is begins to matter.
TRUSTS_CODE = "native"
_OPTIONS = {
    ("debug.skipKernelTC", "true"): ("no kernel", "the kernel is switched off"),
    ("debug.byAsSorry", "true"): ("sorry", "every proof by tactics is a sorry"),
    ("debug.terminalTacticsAsSorry", "true"): ("sorry", "every tactic that ends a proof is one"),
    ("warn.sorry", "false"): ("hidden", "the warning of a sorry is switched off"),
    ("autoImplicit", "true"): ("autoImplicit", "unknown names become variables"),
    ("maxHeartbeats", "0"): ("maxHeartbeats 0", "a proof may run without end"),
    ("synthInstance.maxHeartbeats", "0"): ("maxHeartbeats 0", "a search may run without end"),
}
_INTERPOLATING = ("s!", "m!", "f!", "println!", "panic!", "throwError", "logInfo", "logWarning")


def in_tokens(source: str, path: str) -> Iterator[Finding]:
    """Findings in the words of a file, wherever they stand; comments, strings and quoted names are
    left out.
    """
    tokens = [t for t in tokenize(source) if t.kind != "comment"]
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else None
        if token.kind == "string":
            if before is not None and before.text in _INTERPOLATING and "{" in token.text:
                yield from _interpolated(token, path)
            continue
        if token.kind != "word":
            continue
        if before is not None and _mentions(before, token) and not _constructs(before, token):
            continue
        yield from _word(token, path, before)
        if token.text == "set_option":
            yield from _option(tokens[index + 1 : index + 3], path)
        if token.text in ("decide", "decide!") and index + 2 < len(tokens):
            yield from _native(tokens[index + 1 : index + 12], path)


def _mentions(before: Token, token: Token) -> bool:
    """Is this a name in quotes: `name, or the field .name of something?"""
    return before.text in ("`", "``", ".") and before.end == token.start


def _constructs(before: Token, token: Token) -> bool:
    """Is this ``.axiomDecl``, an axiom whose type is left to Lean to find out?"""
    return before.text == "." and token.text in ("axiomDecl", "mkAxiom")


def _word(token: Token, path: str, before: Token | None) -> Iterator[Finding]:
    last = token.text.rsplit(".", 1)[-1]
    if last == "admit" and token.text != last:
        yield Finding(path, token.line, "closes goals", f"{token.text} closes a goal by a sorry")
    if last not in _WORDS or (last in ("sorry", "admit", "hint") and last != token.text):
        return
    kind, says = _WORDS[last]
    if kind in ("other code", "search") and last == "hint" and not _opens_a_tactic(token, before):
        return
    if last == "csimp" and (before is None or before.text not in ("[", ",")):
        return
    yield Finding(path, token.line, kind, says.format(last))


def _opens_a_tactic(token: Token, before: Token | None) -> bool:
    return before is None or before.text in ("by", ";", "·") or before.line < token.line


def _option(rest: list[Token], path: str) -> Iterator[Finding]:
    if len(rest) == 2 and (rest[0].text, rest[1].text) in _OPTIONS:
        kind, says = _OPTIONS[(rest[0].text, rest[1].text)]
        yield Finding(path, rest[0].line, kind, f"{rest[0].text} {rest[1].text}: {says}")


def _native(rest: list[Token], path: str) -> Iterator[Finding]:
    says = "decide +native trusts compiled code instead of the kernel (Lean.ofReduceBool)"
    for one, two, three in zip(rest, rest[1:], [*rest[2:], None], strict=False):
        plus = one.text == "+" and two.text == "native"
        config = one.text == "native" and two.text == ":=" and three and three.text == "true"
        if plus or config:
            yield Finding(path, one.line, "native", says)
            return
        if one.text not in ("+", "-", "(", "config", ":=", "{") and one.kind != "word":
            return


def _interpolated(token: Token, path: str) -> Iterator[Finding]:
    for piece in token.text.split("{")[1:]:
        try:
            words = [t for t in tokenize(piece.split("}")[0]) if t.kind == "word"]
        except LeanSyntaxError:
            continue
        for word in words:
            if word.text in ("sorry", "admit", "sorryAx"):
                yield Finding(path, token.line, "sorry", f"{word.text} inside a string's braces")


def in_commands(found: list[Command], path: str) -> Iterator[Finding]:
    """Findings in declarations: axioms, `stop`, and what no proof can look into."""
    for command in found:
        word, name = command.keyword, command.name or f"this {command.keyword}"
        if word == "axiom":
            yield Finding(path, command.line, "axiom", f"{name} is assumed, not proved")
        elif word == "opaque":
            yield Finding(path, command.line, "opaque", f"{name} hides its value")
        if "unsafe" in command.modifiers:
            yield Finding(path, command.line, "unsafe", f"{name} is unsafe")
        if "partial" in command.modifiers:
            yield Finding(path, command.line, "partial", f"{name} need not end")
        if word in PROVING | {"example", "def", "instance"}:
            yield from _stops(command, path)


def _stops(command: Command, path: str) -> Iterator[Finding]:
    body, tactics = command.body, False
    for index, token in enumerate(body):
        tactics = tactics or token.text == "by"
        if token.text != "stop" or not tactics or token.kind != "word" or not index:
            continue
        after = body[index + 1] if index + 1 < len(body) else None
        opens = body[index - 1].text in ("by", ";", "·", "<;>")
        alone = body[index - 1].line < token.line and (after is None or after.line > token.line)
        if alone or opens:
            yield Finding(path, token.line, "stop", "stop leaves the rest of this proof out")
