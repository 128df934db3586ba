"""The code of the corpus's wrong subjects, and how each asks its check: for the pages of causes."""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import scoreproof

__all__ = ["around", "folded", "listening", "source"]

#: Of lists and dictionaries so many entries are written out, of a text so many letters.
MOST, LETTERS = 6, 60


def source(function: Callable[..., Any]) -> str:
    """Its code without its decorators, which only say what is expected of the check."""
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    tree = ast.parse("\n".join(lines)).body[0]
    return "\n".join(lines[tree.lineno - 1 :])


def around(subjects: Sequence[Any]) -> dict[str, str]:
    """What the code of the subjects uses, by file: their modules without the subjects, and the
    modules of the corpus that they share.
    """
    modules = {sys.modules[s.run.__module__] for s in subjects}
    shared = {
        sys.modules[value.__module__]
        for module in modules
        for value in vars(module).values()
        if str(getattr(value, "__module__", "")).startswith("causes._")
    }
    found = {}
    for module in sorted(modules | shared, key=lambda m: m.__name__):
        text = Path(str(module.__file__)).read_text("utf-8")
        found[f"tests/causes/{Path(str(module.__file__)).name}"] = without_subjects(text)
    return found


def without_subjects(text: str) -> str:
    """A module of the corpus without its docstring, its imports of the corpus and its subjects.

    >>> text = "X = 1  # one\\n\\n\\n@wrong('it')\\ndef f():\\n    pass"
    >>> print(without_subjects(text))
    X = 1  # one
    """
    lines, kept = text.splitlines(), []
    for node in ast.parse(text).body:
        doc = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        future = isinstance(node, ast.ImportFrom) and node.module in ("__future__", "causes")
        marks = [ast.unparse(d) for d in getattr(node, "decorator_list", ())]
        if doc or future or any(mark.startswith("wrong(") for mark in marks):
            continue
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        gap = "\n\n" if isinstance(node, ast.FunctionDef | ast.ClassDef) and kept else ""
        kept.append(gap + "\n".join(lines[first - 1 : node.end_lineno]))
    return "\n".join(kept)


def folded(title: str, code: str) -> list[str]:
    """Markdown of code that is shown when asked for, on the site and in a checkout."""
    head = f'<details markdown="1"><summary>{title}</summary>'
    return [head, "", "```python", code, "```", "", "</details>"]


@contextmanager
def listening() -> Iterator[list[str]]:
    """The calls of public checks by the corpus within, as text, in their order."""
    calls: list[str] = []
    checks = {
        check: name
        for name in scoreproof.__all__
        if name.startswith("check_") and (check := getattr(scoreproof, name))
    }

    def noted(check: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(check)
        def judge(*args: Any, **kwargs: Any) -> Any:
            calls.append(written(checks[check], args, kwargs))
            return check(*args, **kwargs)

        return judge

    replaced = [
        (module, name, value)
        for path, module in list(sys.modules.items())
        if path.startswith("causes.")
        for name, value in list(vars(module).items())
        if inspect.isfunction(value) and value in checks
    ]
    for module, name, check in replaced:
        setattr(module, name, noted(check))
    try:
        yield calls
    finally:
        for module, name, check in replaced:
            setattr(module, name, check)


def written(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """A call as one would write it, values that are long to write by what they are.

    >>> written("check_kl", [print], {"form": "full", "at": (1, 2.5), "seen": range(99)})
    "check_kl(print, form='full', at=(1, 2.5), seen=…)"
    """
    parts = [_shown(value) for value in args]
    return f"{name}({', '.join([*parts, *(f'{k}={_shown(v)}' for k, v in kwargs.items())])})"


def _shown(value: Any) -> str:
    if isinstance(value, str | bool | int | float | None):
        text = repr(value)
        return text if len(text) <= LETTERS else "…"
    if isinstance(value, list | tuple | dict):
        if len(value) > MOST:
            return f"… {len(value)} …"
        if isinstance(value, dict):
            return f"{{{', '.join(f'{k!r}: {_shown(v)}' for k, v in value.items())}}}"
        inner = ", ".join(map(_shown, value)) + ("," if len(value) == 1 else "")
        return f"({inner})" if isinstance(value, tuple) else f"[{', '.join(map(_shown, value))}]"
    if getattr(value, "shape", None) == ():
        return f"{float(value):.6g}"
    if hasattr(value, "shape") and not callable(value):
        return f"array{tuple(value.shape)}"
    name = getattr(value, "__name__", None)
    if callable(value) and name is not None:
        return "lambda" if name == "<lambda>" else str(name)
    kind = type(value)
    return "…" if kind.__module__ == "builtins" else f"{kind.__name__}(…)"
