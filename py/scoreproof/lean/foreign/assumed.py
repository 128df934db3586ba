"""Theorems that are a field of a class of the project's own, where nothing is shown to be of it.

A class of assumptions is fine as long as somebody gives an instance: without one its field is an
axiom by another name.
"""

from __future__ import annotations

from collections.abc import Iterator

from scoreproof.lean.foreign.commands import PROVING, Command
from scoreproof.lean.foreign.findings import Finding
from scoreproof.lean.foreign.hollow import Names, Placed, fields
from scoreproof.lean.foreign.statements import statement, texts

__all__ = ["assumed"]


def assumed(made: list[Placed], proofs: list[Placed]) -> Iterator[Finding]:
    """Proofs by ``Class.field`` or ``field`` alone."""
    classes = Names()
    for path, command in made:
        if command.keyword == "class" and command.name:
            classes.add(path, command)
    if not classes.all:
        return
    shown = {c for _, command in (*made, *proofs) for c in _instances(command, classes)}
    of_field = {
        f"{name}.{one}": name
        for name, (_, command) in classes.all.items()
        for one, said in fields(command)
        if len(said) > 1  # a type alone is data
    }
    for path, command in proofs:
        body = [t.text for t in command.body if t.text not in ("by", "exact", "(", ")")]
        if command.keyword not in PROVING or len(body) < 2 or body[0] != ":=":
            continue
        if not all(t.replace(".", "").isidentifier() or t in ("_", ":=") for t in body):
            continue
        for name, class_ in of_field.items():
            if class_ in shown or not _takes(command, class_, classes):
                continue
            if name == body[1] or name.endswith(f".{body[1]}"):
                what = f"{command.name} is the field {name}, and nothing is shown to be of {class_}"
                yield Finding(path, command.line, "assumed by a class", what)
                break


def _takes(command: Command, class_: str, classes: Names) -> bool:
    """``[Class …]`` among its binders or the variables in scope."""
    binders = (*statement(command).binders, *command.variables)
    return any(
        classes.full(texts(b.type)[0], command.name) == class_
        for b in binders
        if b.bracket == "[" and b.type
    )


def _instances(command: Command, classes: Names) -> Iterator[str]:
    """The class that a declaration gives an instance of, or is a consequence in."""
    if command.keyword in ("class", "structure"):
        return
    conclusion = statement(command).conclusion
    full = classes.full(conclusion[0], command.name) if conclusion else None
    if full is not None:
        yield full
