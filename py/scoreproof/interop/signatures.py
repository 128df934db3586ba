"""What the author of a function called its arguments, and the lines that he wrote."""

from __future__ import annotations

import inspect
import linecache
from typing import Any

__all__ = [
    "argument_names",
    "fits",
    "needed",
    "parameters",
    "positional",
    "source_line",
    "written_signature",
]

LONGEST_LINE = 70


def _written(thing: Any) -> Any:
    """Where the author wrote what it takes: of a PyTorch module its ``forward``."""
    return getattr(thing, "forward", thing) if hasattr(thing, "parameters") else thing


def parameters(thing: Any) -> list[inspect.Parameter] | None:
    """All that it takes, in order; ``None`` of a builtin that does not say."""
    try:
        return list(inspect.signature(_written(thing)).parameters.values())
    except (TypeError, ValueError):
        return None


def positional(thing: Any) -> list[inspect.Parameter]:
    """Those that go in by their place; none of a builtin that does not say.

    >>> [p.name for p in positional(lambda x, t=0, *, rng=None: x)]
    ['x', 't']
    """
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p for p in parameters(thing) or () if p.kind in kinds]


def needed(thing: Any) -> list[str]:
    """The names of the positional ones that have no default.

    >>> needed(lambda x, t, scale=1.0: x)
    ['x', 't']
    """
    return [p.name for p in positional(thing) if p.default is p.empty]


def argument_names(thing: Any, count: int) -> list[str]:
    """The names of the first ``count`` positional arguments, as its author wrote them."""
    given = parameters(thing) or ()
    names = [p.name for p in positional(thing)]
    more = next((p.name for p in given if p.kind == p.VAR_POSITIONAL), "input")
    return [*names, *(f"{more}_{i}" for i in range(count - len(names)))][:count]


def written_signature(thing: Any) -> str:
    """``(x, w, scale=2.0)``, without self; ``(…)`` where it has none."""
    try:
        given = inspect.signature(_written(thing))
    except (TypeError, ValueError):
        return "(…)"
    return str(given.replace(return_annotation=inspect.Signature.empty))


def fits(thing: Any, count: int) -> bool:
    """Whether it can be called with so many positional arguments."""
    try:
        inspect.signature(_written(thing)).bind(*range(count))
    except ValueError:  # a builtin
        return True
    except TypeError:
        return False
    return True


def source_line(file: str, number: int) -> str:
    """A line of a file without its indentation; empty where it cannot be read, or is long."""
    line = linecache.getline(file, number).strip()
    return line if len(line) <= LONGEST_LINE else ""
