"""Docstrings as Markdown: the sections that this package's docstrings have, and their examples."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

__all__ = ["expanded", "reference"]

SECTION = re.compile(
    r"^(Parameters|Returns|Raises|Attributes|Notes|Yields|Conventions)\n-+\n", re.M
)
#: ``name, other: what they are``, the rest indented below.
ENTRY = re.compile(r"^(``[^`]+``|[\w*]+(?:, [\w*]+)*):(?= |\n|$)", re.M)
EXAMPLE = re.compile(r"^>>> .*(?:\n(?!\n).*)*", re.M)


#: A line of a page that stands for the reference of what it names.
NAMED = re.compile(r"^::: ([\w.]+)$", re.M)


def expanded(page: str) -> str:
    """``page`` with each line ``::: module.name`` replaced by its reference."""
    return NAMED.sub(lambda m: reference(m[1]), page)


def reference(path: str, level: int = 3) -> str:
    """The Markdown of ``module.name``: its heading, its signature, its docstring; of a class also
    the public methods that have one.
    """
    module, _, name = path.rpartition(".")
    thing = getattr(importlib.import_module(module), name)
    parts = [f"{'#' * level} `{name}` {{ #{path} }}", _signature(name, thing)]
    parts.append(markdown(inspect.getdoc(thing) or ""))
    if inspect.isclass(thing):
        for member, value in vars(thing).items():
            doc = inspect.getdoc(getattr(thing, member))
            if member.startswith("_") or not doc or member in _fields(thing):
                continue
            plain = value.__func__ if isinstance(value, classmethod | staticmethod) else value
            if inspect.isfunction(plain):
                parts.append(_signature(f"{name}.{member}", getattr(thing, member)))
            else:
                parts.append(f"**`{name}.{member}`**")
            parts.append(markdown(doc))
    return "\n\n".join(p for p in parts if p)


def markdown(doc: str) -> str:
    """A docstring's text as Markdown.

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
        parts.append(_entries(text) if title in ("Parameters", "Attributes") else _prose(text))
    return "\n\n".join(p for p in parts if p)


def _signature(name: str, thing: Any) -> str:
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return f"**`{name}`**"
    shown = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    plain = signature.replace(parameters=shown, return_annotation=inspect.Signature.empty)
    text = f"{name}{plain}"
    if len(text) > 90:
        text = text.replace("(", "(\n    ", 1).replace(", ", ",\n    ")
        text = re.sub(r"\)$", ",\n)", text)
    return f"```python\n{text}\n```"


def _entries(text: str) -> str:
    lines: list[str] = []
    after = ""
    for block in re.split(r"\n(?=\S)", text.strip("\n")):
        entry = ENTRY.match(block)
        if entry is None:  # prose, or an example, that follows the list
            after += block + "\n"
            continue
        said = inspect.cleandoc(block[entry.end() :].strip(" "))
        lines.append(f"- **`{entry[1].strip('`')}`**: " + _indented(_prose(said)))
    return "\n".join(lines) + ("\n\n" + _prose(after) if after else "")


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
    """Paragraphs in one line each; lists stay lists."""
    text = re.sub(r"``(.+?)``", r"`\1`", text.strip("\n"), flags=re.S)
    paragraphs = re.split(r"\n\s*\n", text)
    return "\n\n".join(re.sub(r"\n(?! *[-\d]+[ .])\s*", " ", p) for p in paragraphs if p.strip())


def _fields(thing: Any) -> set[str]:
    return set(getattr(thing, "__dataclass_fields__", ()))
