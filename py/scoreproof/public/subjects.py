"""What the object that a check judges is called, for the title of what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["called_of"]

#: What is judged where it is not the first argument: a flow's ``field``, say, is what its
#: ``gradient`` is compared with.
JUDGED = ("gradient", "log_density", "density")


def called_of(given: Mapping[str, Any], first: str) -> str:
    """The name of the judged object among the arguments ``given``, of which ``first`` is the
    check's first parameter; empty if it has none.

    >>> called_of({"denoiser": lambda y: y, "schedule": print}, "denoiser")
    ''
    >>> called_of({"field": abs, "gradient": print}, "field")
    'print'
    """
    return _name(_subject(given, first))


def _subject(given: Mapping[str, Any], first: str) -> Sequence[Any]:
    """What may have the name of the judged object: that object. Where it is handed over in parts
    (tables, and a function), all of them.
    """
    for name in (*JUDGED, first):
        if given.get(name) is not None:
            return (given[name],)
    return tuple(given.values())


def _name(values: Sequence[Any]) -> str:
    """What the first calls itself that has a name of its own; empty if none has."""
    for value in values:
        name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
        if name is None and callable(getattr(value, "func", None)):  # functools.partial
            name = getattr(value.func, "__name__", None)
        if name is None and type(value).__module__ not in ("builtins", "numpy", "torch"):
            name = type(value).__qualname__
        if name is not None and not str(name).endswith("<lambda>"):
            return str(name).rpartition("<locals>.")[2]
    return ""
