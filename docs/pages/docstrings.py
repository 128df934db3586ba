"""Docstrings as Markdown: the sections that this package's docstrings have, and their examples."""

from __future__ import annotations

import importlib
import inspect
import re
from functools import cached_property
from typing import Any

__all__ = ["expanded", "reference"]

SECTION = re.compile(
    r"^(Parameters|Returns|Raises|Attributes|Notes|Yields|Conventions)\n-+\n", re.M
)
#: ``name, other: what they are``, the rest indented below.
ENTRY = re.compile(r"^(``[^`]+``|[\w*]+(?:, [\w*]+)*):(?= |\n|$)", re.M)
EXAMPLE = re.compile(r"^>>> .*(?:\n(?!\n).*)*", re.M)


#: A line of a page that stands for the reference of what it names, and of what a reader is given.
NAMED = re.compile(r"^::: ([\w.]+)( \(given\))?$", re.M)


def expanded(page: str) -> str:
    """``page`` with each line ``::: module.name`` replaced by its reference."""
    return NAMED.sub(lambda m: reference(m[1], given=bool(m[2])), page)


def reference(path: str, level: int = 3, *, given: bool = False) -> str:
    """The Markdown of ``module.name``: its heading, its signature, its docstring; of a class also
    the public methods that have one. Of what a reader is ``given`` the ways to make one come last,
    folded.
    """
    module, _, name = path.rpartition(".")
    thing = getattr(importlib.import_module(module), name)
    parts = [f"{'#' * level} `{name}` {{ #{path} }}"]
    made = [_signature(name, thing)]
    if not given:
        parts += made
    parts.append(markdown(inspect.getdoc(thing) or "", _parameters(thing)))
    for member, value in vars(thing).items() if inspect.isclass(thing) else ():
        doc = _member_doc(thing, member, value)
        if member.startswith("_") or not doc or member in _fields(thing):
            continue
        of = made if given and isinstance(value, classmethod) else parts
        of += [_member(name, thing, member), markdown(doc)]
    if given and any(made):
        folded = "\n\n".join(p for p in made if p).replace("\n", "\n    ")
        parts.append(f'??? note "How checks make one"\n\n    {folded}')
    return "\n\n".join(p for p in parts if p)


def _member(name: str, thing: Any, member: str) -> str:
    """How it is called, or that it is a property."""
    value = vars(thing)[member]
    plain = value.__func__ if isinstance(value, classmethod | staticmethod) else value
    if inspect.isfunction(plain):
        return _signature(f"{name}.{member}", getattr(thing, member))
    return f"**`{name}.{member}`**"


def _member_doc(thing: Any, member: str, value: Any) -> str | None:
    """The docstring of a method or a property, its own or inherited; of a plain value none, since
    that would be its type's.
    """
    if inspect.isfunction(value) or isinstance(value, classmethod | staticmethod):
        return inspect.getdoc(getattr(thing, member))
    homes = [vars(base)[member] for base in thing.__mro__ if member in vars(base)]
    docs = [v.__doc__ for v in homes if isinstance(v, property | cached_property)]
    return inspect.cleandoc(docs[0]) if docs and docs[0] else None


def _parameters(thing: Any) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        return ()


def markdown(doc: str, names: tuple[str, ...] = ()) -> str:
    """A docstring's text as Markdown. ``names``: the parameters; an entry that goes on with another
    of them is two.

    >>> print(markdown("Add.\\n\\nParameters\\n----------\\nx, y: two numbers,\\n    finite"))
    Add.
    <BLANKLINE>
    **Parameters**
    <BLANKLINE>
    - **`x, y`**: two numbers, finite
    """
    pieces = SECTION.split(doc)
    parts = [_prose(pieces[0])]
    for title, text in zip(pieces[1::2], pieces[2::2], strict=True):
        parts.append(f"**{title}**")
        listed = title in ("Parameters", "Attributes")
        parts.append(_entries(text, names) if listed else _prose(text))
    return "\n\n".join(p for p in parts if p)


def _signature(name: str, thing: Any) -> str:
    """Empty where there is none to read."""
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return ""
    shown = [
        p.replace(annotation=p.empty, default=_default(p.default))
        for p in signature.parameters.values()
        if p.name != "self"
    ]
    plain = signature.replace(parameters=shown, return_annotation=inspect.Signature.empty)
    text = f"{name}{plain}"
    if len(text) > 90:
        lines = [f"    {part},\n" for part in _apart(plain)]
        text = f"{name}(\n{''.join(lines)})"
    return f"```python\n{text}\n```"


class _Made:
    """A default that is made anew at each call, as dataclasses have them."""

    def __init__(self, made: str) -> None:
        self.made = made

    def __repr__(self) -> str:
        return self.made


def _default(value: Any) -> Any:
    return _Made("{}") if repr(value) == "<factory>" else value


def _apart(signature: inspect.Signature) -> list[str]:
    """The parameters one by one, with the bare star of those that are named."""
    parts, starred = [], False
    for p in signature.parameters.values():
        starred = starred or p.kind is p.VAR_POSITIONAL
        if p.kind is p.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        parts.append(str(p))
    return parts


def _entries(text: str, names: tuple[str, ...]) -> str:
    lines: list[str] = []
    after = ""
    for block in re.split(r"\n(?=\S)", text.strip("\n")):
        entry = ENTRY.match(block)
        if entry is None:  # prose, or an example, that follows the list
            after += block + "\n"
            continue
        name = entry[1].strip("`")
        for said in _split(inspect.cleandoc(block[entry.end() :].strip(" ")), names):
            name, body = said if said[0] else (name, said[1])
            lines.append(f"- **`{name}`**: " + _indented(_prose(body)))
    return "\n".join(lines) + ("\n\n" + _prose(after) if after else "")


def _split(said: str, names: tuple[str, ...]) -> list[tuple[str, str]]:
    """What is said of one parameter, and of others in the same lines (with their names).

    >>> _split("the times. horizon: the end", ("times", "horizon"))
    [('', 'the times.'), ('horizon', 'the end')]
    """
    found, at, name = [], 0, ""
    for match in re.finditer(r"(?<=[.)])\s+(\w+(?:, \w+)*):\s+", said):
        if set(match[1].split(", ")) <= set(names):
            found.append((name, said[at : match.start()]))
            at, name = match.end(), match[1]
    return [*found, (name, said[at:])]


def _indented(text: str) -> str:
    return text.replace("\n", "\n    ")


def _prose(text: str) -> str:
    """Double backquotes are code in reStructuredText; examples become blocks of their own."""
    parts, at = [], 0
    for example in EXAMPLE.finditer(text):
        parts += [_joined(text[at : example.start()]), f"```pycon\n{example[0]}\n```"]
        at = example.end()
    parts.append(_joined(text[at:]))
    return "\n\n".join(p for p in parts if p)


def _joined(text: str) -> str:
    """Paragraphs in one line each; lists, which begin a paragraph, stay lists."""
    text = re.sub(r"``(.+?)``", r"`\1`", text.strip("\n"), flags=re.S)
    paragraphs = re.split(r"\n\s*\n", text)
    return "\n\n".join(_line(p) for p in paragraphs if p.strip())


def _line(paragraph: str) -> str:
    item = r" *(?:-|\d+\.) "
    kept = rf"(?!{item})" if re.match(item, paragraph) else ""
    return re.sub(rf"\n{kept}\s*", " ", paragraph)


def _fields(thing: Any) -> set[str]:
    return set(getattr(thing, "__dataclass_fields__", ()))
