"""What every audit prints: one JSON line for each finding. Verdicts and numbers come from the
script, never from a person.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

__all__ = ["Finding", "emit", "judged", "measured"]


@dataclass(frozen=True)
class Finding:
    """One row of findings.md. ``reading`` says under which reading the code is right, where the
    verdict alone would mislead.
    """

    project: str
    version: str
    object: str
    checked: str
    verdict: str
    error: float
    bound: float
    sentence: str
    reading: str = ""


def emit(finding: Finding) -> None:
    print("FINDING " + json.dumps(asdict(finding), ensure_ascii=False), flush=True)


def judged(project: str, name: str, checked: str, evidence: Any, reading: str = "") -> None:
    """A finding from an `Evidence`; a reading is kept only where the code does not hold."""
    text = " ".join(evidence.explain().split())
    keep = reading if evidence.verdict != "holds" else ""
    emit(
        Finding(
            project,
            version(project),
            name,
            checked,
            evidence.verdict,
            float(evidence.value),
            float(evidence.bound),
            text,
            keep,
        )
    )


def measured(
    project: str,
    name: str,
    checked: str,
    error: float,
    bound: float,
    sentence: str,
    reading: str = "",
) -> None:
    """A finding from an error and the bound it is held against; not finite is refuted (the code
    returned no number).
    """
    verdict = "holds" if error <= bound else "refuted"
    emit(
        Finding(
            project,
            version(project),
            name,
            checked,
            verdict,
            float(error),
            float(bound),
            sentence,
            reading if verdict != "holds" else "",
        )
    )
