"""A run as one JSON document (schema: ``report/schema.json``; `schema()` returns it).

With ``timings=False`` every ``seconds`` is null, and the document is the same byte for byte for any
number of workers.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
from importlib import resources
from typing import Any

from scoreproof.evidence import counted, number
from scoreproof.judge import CheckResult, ClaimResult
from scoreproof.verify import Run

__all__ = ["SCHEMA_VERSION", "document", "dumps", "evidence_schema", "schema"]

SCHEMA_VERSION = 1
LIBRARIES = (
    "numpy",
    "scipy",
    "python-flint",
    "threadpoolctl",
    "rich",
    "scikit-learn",
    "torch",
    "jax",
)


def schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) that every document satisfies."""
    return _loaded("schema.json")


def evidence_schema() -> dict[str, Any]:
    """The JSON schema of one `Evidence`, as ``scoreproof check … --json`` writes it."""
    return _loaded("evidence.schema.json")


def _loaded(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        resources.files("scoreproof.report").joinpath(name).read_text("utf-8")
    )
    return loaded


def document(
    run: Run, lean: dict[str, Any], *, exit_status: int | None = None, timings: bool = True
) -> dict[str, Any]:
    """``run`` and the Lean status as a JSON-ready dictionary; ``exit_status`` is the process's,
    where it is not the run's own.
    """
    from scoreproof import __version__

    return {
        "schema_version": SCHEMA_VERSION,
        "scoreproof": __version__,
        "platform": {
            "python": platform.python_version(),
            "system": platform.system(),
            "machine": platform.machine(),
        },
        "libraries": _libraries(),
        "seed": run.seed,
        "profile": run.profile,
        "interrupted": run.interrupted,
        "status": run.status if exit_status is None else exit_status,
        "claims": [_claim(result, timings) for result in run.results],
        "lean": lean,
    }


def dumps(doc: dict[str, Any]) -> str:
    """The document as text: sorted where order carries no meaning, no NaN."""
    return json.dumps(doc, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _libraries() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _seconds(value: float, timings: bool) -> float | None:
    return round(value, 3) if timings else None


def _check(result: CheckResult, timings: bool) -> dict[str, Any]:
    worst = result.worst
    return {
        "name": result.check.name,
        "kind": result.check.kind,
        "value": number(worst.value),
        "bound": number(worst.bound),
        "verdict": worst.verdict,
        "seconds": _seconds(result.seconds, timings),
        "instances": [
            {
                "name": name,
                "verdict": e.verdict,
                "value": number(e.value),
                "bound": number(e.bound),
                "sentence": e.sentence,
                "cost": counted(e.cost),
            }
            for name, e in result.evidence.items()
        ],
        "smallest_error_refuted": dict(result.smallest),
    }


def _claim(result: ClaimResult, timings: bool) -> dict[str, Any]:
    smallest = result.smallest_by_kind()
    return {
        "name": result.name,
        "verdict": result.verdict,
        "complete": result.complete,
        "checks": [_check(c, timings) for c in result.checks],
        "faults": [
            {
                "name": f.name,
                "refuted": f.refuted,
                "by": list(f.by),
                "separation": number(f.separation),
            }
            for f in result.faults
        ],
        "blind_spots": [
            {"check": c.check.name, "fault": fault, "reason": reason}
            for c in result.checks
            for fault, reason in c.check.blind.items()
        ],
        "smallest_error_refuted": min(smallest.values(), default=None),
        "smallest_error_refuted_by_kind": smallest,
        "failures": list(result.failures),
        "seconds": _seconds(result.seconds, timings),
    }
