"""What the author of a function called its arguments, and the lines that he wrote."""

from __future__ import annotations

import inspect
import linecache
from typing import Any

__all__ = ["argument_names", "fits", "source_line", "written_signature"]

LONGEST_LINE = 70


def argument_names(thing: Any, count: int) -> list[str]:
    """The names of the first ``count`` positional arguments, as its author wrote them."""
    function = getattr(thing, "forward", thing) if hasattr(thing, "parameters") else thing
    try:
        given = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a builtin
        given = ()  # type: ignore[assignment]
    names = [p.name for p in given if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    more = next((p.name for p in given if p.kind == p.VAR_POSITIONAL), "input")
    return [*names, *(f"{more}_{i}" for i in range(count - len(names)))][:count]


def written_signature(thing: Any) -> str:
    """``(x, w, scale=2.0)``, without self; ``(…)`` where it has none."""
    function = getattr(thing, "forward", thing) if hasattr(thing, "parameters") else thing
    try:
        given = inspect.signature(function)
    except (TypeError, ValueError):
        return "(…)"
    return str(given.replace(return_annotation=inspect.Signature.empty))


def fits(thing: Any, count: int) -> bool:
    """Whether it can be called with so many positional arguments."""
    function = getattr(thing, "forward", thing) if hasattr(thing, "parameters") else thing
    try:
        inspect.signature(function).bind(*range(count))
    except ValueError:  # a builtin
        return True
    except TypeError:
        return False
    return True


def source_line(file: str, number: int) -> str:
    """A line of a file without its indentation; empty where it cannot be read, or is long."""
    line = linecache.getline(file, number).strip()
    return line if len(line) <= LONGEST_LINE else ""
