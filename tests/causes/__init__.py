"""Wrong subjects as people write them in code, each with its cause in words.

Conventions
-----------
- Modules are named after their check, ``kl`` and ``kl_more``. A subject is a function without
  arguments that builds the wrong object and returns the check's evidence; ``@wrong`` registers it.
  None is made with the package's own faults.
- ``says`` is searched, ignoring case, in ``evidence.explain()``: what names the cause, or the
  place where the place is the answer, and no other.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import scoreproof
from scoreproof import Evidence

__all__ = ["RATINGS", "Rated", "Wrong", "corpus", "wrong"]

Rating = Literal["right", "wrong", "not named", "not refuted"]
RATINGS: tuple[Rating, ...] = ("right", "wrong", "not named", "not refuted")


@dataclass(frozen=True)
class Rated:
    """What the check said of a wrong subject."""

    rating: Rating
    explanation: str


@dataclass(frozen=True)
class Wrong:
    """A wrong subject. ``needs``: a framework without which it cannot be run; ``known``: why its
    cause is not named, if that is known and left.
    """

    check: str
    name: str
    cause: str
    says: str
    run: Callable[[], Evidence]
    needs: str | None = None
    known: str | None = None

    def rate(self) -> Rated:
        """Right if the explanation names the cause; wrong if it claims another."""
        evidence = self.run()
        text = evidence.explain()
        if evidence.verdict != "refuted":
            return Rated("not refuted", text)
        if re.search(self.says, text, re.IGNORECASE):
            return Rated("right", text)
        found = evidence.diagnosis
        return Rated("wrong" if found is not None and found.names else "not named", text)


#: the public checks by their names after ``check_``; a network is `check_denoiser` over levels
CHECKS = sorted(
    [n.removeprefix("check_") for n in scoreproof.__all__ if n.startswith("check_")] + ["network"]
)

_REGISTERED: list[Wrong] = []


def wrong(
    cause: str, *, says: str, needs: str | None = None, known: str | None = None
) -> Callable[[Callable[[], Evidence]], Callable[[], Evidence]]:
    """Registers a wrong subject under its function's name and its module's check."""
    re.compile(says)

    def register(run: Callable[[], Evidence]) -> Callable[[], Evidence]:
        check = _check_of(run.__module__.rsplit(".", 1)[-1])
        _REGISTERED.append(Wrong(check, run.__name__, cause, says, run, needs, known))
        return run

    return register


def corpus(checks: Sequence[str] = ()) -> list[Wrong]:
    """The wrong subjects of some checks, or of all, by check."""
    names = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    for name in names:
        if not checks or _check_of(name) in checks:
            importlib.import_module(f"{__name__}.{name}")
    found = [w for w in _REGISTERED if not checks or w.check in checks]
    return sorted(found, key=lambda w: w.check)


def _check_of(module: str) -> str:
    """The check whose name a module's begins with."""
    return max((c for c in CHECKS if module.startswith(c)), key=len)
