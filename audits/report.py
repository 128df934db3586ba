"""What every audit prints: one JSON line a row. A row is what a public check of scoreproof said, as
it said it, or why nothing could be put to a check.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version

from scoreproof import ArgumentError, CallableError, Evidence

__all__ = ["NOT_JUDGED", "Row", "judge", "not_judged"]

NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class Row:
    """One row of findings.md. ``reading``: under which reading a refuted object is right.
    ``minimal``: the script of audits/minimal that shows it.
    """

    project: str
    version: str
    scoreproof: str
    object: str
    property: str
    verdict: str
    error: float | None
    bound: float | None
    resolution: float | None
    order: float | None
    sentence: str
    reading: str = ""
    minimal: str = ""


def judge(
    project: str,
    name: str,
    property: str,
    ask: Callable[[], Evidence],
    *,
    reading: str = "",
    minimal: str = "",
) -> None:
    """The row of ``ask()``, a call of a public check. A reading and a script are kept only where
    it refutes; an error that it raises is the row.
    """
    try:
        evidence = ask()
    except (ArgumentError, CallableError) as error:
        _emit(project, name, property, NOT_JUDGED, _plain(str(error)), reading, minimal)
        return
    wrong = evidence.verdict == "refuted"
    _emit(
        project,
        name,
        property,
        evidence.verdict,
        _plain(evidence.explain()),
        reading if wrong else "",
        minimal if wrong else "",
        evidence,
    )


def not_judged(project: str, name: str, property: str, why: str) -> None:
    """A row for what no public check takes."""
    _emit(project, name, property, NOT_JUDGED, why, "", "")


def _emit(
    project: str,
    name: str,
    property: str,
    verdict: str,
    sentence: str,
    reading: str,
    minimal: str,
    evidence: Evidence | None = None,
) -> None:
    def number(x: float | None) -> float | None:
        return float(x) if x is not None and math.isfinite(x) else None

    row = Row(
        project,
        version(project).split("+")[0],
        version("scoreproof"),
        name,
        property,
        verdict,
        number(evidence.value) if evidence else None,
        number(evidence.bound) if evidence else None,
        number(evidence.resolution) if evidence else None,
        number(getattr(evidence, "order", None)) if evidence else None,
        sentence,
        reading,
        minimal,
    )
    print("ROW " + json.dumps(asdict(row), ensure_ascii=False), flush=True)


def _plain(text: str) -> str:
    return " ".join(text.split())
