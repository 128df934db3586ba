"""A whole project: every file by itself, and what only all files together show."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from scoreproof.lean.foreign import trust
from scoreproof.lean.foreign.assumed import assumed
from scoreproof.lean.foreign.commands import DECLARING, PROVING, Command, commands
from scoreproof.lean.foreign.contradictions import contradictions
from scoreproof.lean.foreign.empty import definitions, theorems
from scoreproof.lean.foreign.files import PathError, Sources, read
from scoreproof.lean.foreign.findings import DOUBTFUL, NOTE, SERIOUS, Finding
from scoreproof.lean.foreign.hollow import hollow
from scoreproof.lean.foreign.names import promises
from scoreproof.lean.foreign.shadows import names, notations, trivial_instances
from scoreproof.lean.foreign.statements import statement
from scoreproof.lean.foreign.unused import unused
from scoreproof.lean.tokens import LeanSyntaxError

__all__ = ["Audited", "audit_project", "audit_text"]

_ORDER = {SERIOUS: 0, DOUBTFUL: 1, NOTE: 2}


@dataclass(slots=True)
class Audited:
    """What was found, what was read, what could not be read."""

    root: Path
    findings: list[Finding] = field(default_factory=list)
    maybe: list[Finding] = field(default_factory=list)  # unused, unless a tactic uses them
    unread: list[tuple[str, str]] = field(default_factory=list)
    left_out: tuple[str, ...] = ()
    files: int = 0
    theorems: int = 0

    def count(self, weight: str) -> int:
        return sum(f.weight == weight for f in self.findings)


@dataclass(slots=True)
class _Known:
    """What is remembered of each file for the end."""

    axioms: set[str] = field(default_factory=set)
    ends: dict[tuple[str, str], str] = field(default_factory=dict)  # file, end of a name: the name
    proofs: list[tuple[str, Command]] = field(default_factory=list)
    made: list[tuple[str, Command]] = field(default_factory=list)
    printed: set[str] = field(default_factory=set)
    guarded: bool = False


def audit_text(source: str, path: str, into: Audited, known: _Known | None = None) -> None:
    """The audit of one file; raises ``LeanSyntaxError`` if it cannot be read in one way."""
    found = commands(source)
    add = into.findings.extend
    add(trust.in_tokens(source, path))
    add(trust.in_commands(found, path))
    add(notations(found, path))
    add(names(found, path))
    add(trivial_instances(found, path))
    proved = evaluated = 0
    for command in found:
        if command.keyword in DECLARING:
            said = statement(command)
            add(theorems(command, said, path))
            add(definitions(command, said, path))
            add(contradictions(command, said, path))
            add(unused(command, said, path, into.maybe))
            add(promises(command, said, path))
        proved += command.keyword in PROVING or command.keyword in ("instance", "example")
        into.theorems += command.keyword in PROVING
        if command.keyword in ("#eval", "#eval!") and evaluated == 0:
            evaluated = command.line if _is_claim(command) else 0
        if known is not None:
            _remember(command, path, known)
    if evaluated and not proved:
        what = "claims are evaluated, and the file has no theorem"
        add([Finding(path, evaluated, "only evaluated", what)])


def _is_claim(command: Command) -> bool:
    """Does an ``#eval`` ask for a truth value?"""
    return any(t.text in ("=", "≤", "<", "decide", "==", "∀", "all") for t in command.head)


def _remember(command: Command, path: str, known: _Known) -> None:
    if command.keyword in ("def", "abbrev", "irreducible_def", "structure", "class", "instance"):
        known.made.append((path, command))
    if command.keyword == "axiom":
        known.axioms.add(command.name)
        known.ends[path, command.name.rsplit(".", 1)[-1]] = command.name
    elif command.keyword in PROVING or command.keyword in ("def", "instance"):
        known.proofs.append((path, command))
    elif command.keyword == "#print" and [t.text for t in command.head[:1]] == ["axioms"]:
        known.printed |= {t.text.rsplit(".", 1)[-1] for t in command.head[1:]}
        known.guarded = True
    elif "axioms" in command.keyword:  # #assert_axioms and the like
        known.guarded = True


def audit_project(found: Sources) -> Audited:
    """The audit of all files, sorted by weight, then by place."""
    into, known = Audited(found.root, left_out=found.left_out), _Known()
    for file in found.files:
        path = file.relative_to(found.root).as_posix()
        try:
            audit_text(read(file), path, into, known)
            into.files += 1
        except PathError as error:
            into.unread.append((path, str(error)))
        except LeanSyntaxError as error:
            into.unread.append((path, f"cannot be read as Lean: {error}"))
    into.findings += _from_axioms(known)
    into.findings += hollow(known.made, known.proofs)
    into.findings += assumed(known.made, known.proofs)
    into.findings += _unguarded(known, into)
    into.findings += _lakefile(found.root)
    if any(f.kind == trust.TRUSTS_CODE for f in into.findings):
        into.findings = [
            replace(f, kind="compiled") if f.kind == "other code" else f for f in into.findings
        ]
    key = lambda f: (_ORDER[f.weight], f.path, f.line, f.kind, f.message)  # noqa: E731
    into.findings = sorted(set(into.findings), key=key)
    into.maybe.sort(key=key)
    return into


def _from_axioms(known: _Known) -> list[Finding]:
    """Theorems that name one of the project's axioms, and ``False`` drawn from one."""
    found: list[Finding] = []
    if not known.axioms:
        return found
    for path, command in known.proofs:
        for index, token in enumerate(command.body):
            axiom = _axiom(token.text, command, path, known) if token.kind == "word" else None
            if axiom is None:
                continue
            before = {t.text for t in command.body[max(0, index - 3) : index]}
            if before & {"False.elim", "absurd", "False.rec"} or token.text.endswith(".elim"):
                what = f"{command.name} draws everything from the axiom {axiom}"
                found.append(Finding(path, token.line, "false from an axiom", what))
            elif command.keyword in PROVING:
                what = f"{command.name} rests on the axiom {axiom}"
                found.append(Finding(path, command.line, "an axiom's theorem", what))
            break
    return found


def _axiom(text: str, command: Command, path: str, known: _Known) -> str | None:
    """The project's axiom that ``text`` names, by its full name, or by its end in the same file."""
    text = text.removesuffix(".elim")
    spaces = command.name.split(".")[:-1]
    for many in range(len(spaces), -1, -1):
        full = ".".join([*spaces[:many], text])
        if full in known.axioms:
            return full
    return known.ends.get((path, text))


_MAIN = re.compile(r"^(main|final)(_|$)|_main$|^main_?(theorem|result)|[tT]heorem_?\d*$")


def _unguarded(known: _Known, into: Audited) -> list[Finding]:
    """Main theorems whose axioms no file prints."""
    if not into.theorems or (known.guarded and not known.printed):
        return []
    found = []
    for path, command in known.proofs:
        last = command.name.rsplit(".", 1)[-1]
        main = _MAIN.search(last) or re.search(r"\bmain (theorem|result)", command.doc, re.I)
        if command.keyword in PROVING and main and last not in known.printed:
            what = f"no file prints the axioms of {command.name}"
            found.append(Finding(path, command.line, "not guarded", what))
    if not found and not known.guarded:
        what = "no file prints the axioms of any theorem"
        found.append(Finding("", 0, "not guarded", what))
    return found


def _lakefile(root: Path) -> list[Finding]:
    """Options that the project's lakefile sets for every file."""
    found = []
    for name, comment in (("lakefile.toml", "#"), ("lakefile.lean", "--")):
        try:
            lines = (root / name).read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        for number, line in enumerate(lines, start=1):
            text = line.split(comment, 1)[0]
            if re.search(r"skipKernelTC\W+true", text):
                what = "debug.skipKernelTC is switched on for every file"
                found.append(Finding(name, number, "no kernel", what))
            elif re.search(r"autoImplicit\W+true", text):
                what = "autoImplicit is switched on for every file"
                found.append(Finding(name, number, "autoImplicit", what))
    return found
