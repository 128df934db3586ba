"""findings.md from the rows: one summary table, the refuted rows with their reasons, then all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["COLUMNS", "VERDICTS", "table"]

Row = Mapping[str, Any]
VERDICTS = ("holds", "refuted", "undecided", "not judged")
#: the columns of the summary, and the properties of the rows that are counted in each
COLUMNS = {
    "schedule": ("schedule",),
    "forward process": ("forward process",),
    "denoiser, score, prediction": ("denoiser", "score", "prediction"),
    "sampler": ("sampler",),
    "sampler and its order": ("sampler and order", "order"),
    "likelihood, density, trace": ("likelihood", "density", "trace estimator"),
    "gradient": ("likelihood gradient", "gradient", "backward"),
    "KL": ("KL",),
    "other": ("loss", "corrector", "coupling"),
}
HEAD = """# What scoreproof finds in public code

Written by `make audits` (`python audits/run.py`): {count} rows on {projects} packages at the
versions of `audits/requirements.txt`, judged by scoreproof {scoreproof}. Every row is what one
public check said of the package's own code. **refuted** means: not what the check asks, by more
than its bound. It is not always a bug: where there is a reading under which the code is right, the
row gives it. *not judged*: no public check takes it, or the code raised; the row says which.

| package | {columns} |
|---|{rule}|
"""
REFUTED = """
## Refuted, and the reading under which it is right

| package | object | what is off | reading | script |
|---|---|---|---|---|
"""


def table(found: Mapping[str, Sequence[Row]]) -> str:
    """The text of findings.md."""
    every = [row for rows in found.values() for row in rows]
    parts = [
        HEAD.format(
            count=len(every),
            projects=len(found),
            scoreproof=every[0]["scoreproof"] if every else "",
            columns=" | ".join(COLUMNS),
            rule="|".join(["---"] * len(COLUMNS)),
        )
        + "\n".join(_summary(name, rows) for name, rows in found.items())
        + "\n",
        REFUTED + "\n".join(_refuted(r) for r in every if r["verdict"] == "refuted") + "\n",
    ]
    parts += [_long(name, rows) for name, rows in found.items()]
    return "".join(parts)


def _summary(name: str, rows: Sequence[Row]) -> str:
    cells = []
    for properties in COLUMNS.values():
        here = [r["verdict"] for r in rows if r["property"] in properties]
        counts = [(v, here.count(v)) for v in VERDICTS if v in here]
        cells.append(" · ".join(f"{n} {_loud(v)}" for v, n in counts))
    first = rows[0]
    return f"| [{first['project']} {first['version']}](#{name.replace('_', '-')}) | " + (
        " | ".join(cells) + " |"
    )


def _refuted(row: Row) -> str:
    cells = [
        row["project"],
        f"`{row['object']}`",
        row["sentence"].split(": ", 1)[-1] if row["sentence"].startswith("Refuted") else "",
        row["reading"] or "none found",
        f"[{row['minimal']}.py](minimal/{row['minimal']}.py)" if row["minimal"] else "",
    ]
    return _line(cells)


def _long(name: str, rows: Sequence[Row]) -> str:
    anchor, first = name.replace("_", "-"), rows[0]
    head = (
        f'\n<a id="{anchor}"></a>\n\n## {first["project"]} {first["version"]}\n\n'
        f"`audits/audit_{name}.py`\n\n"
        "| object | property | verdict | order | error | bound | resolution | what was found |\n"
        "|---|---|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(_row(r) for r in rows) + "\n"


def _row(row: Row) -> str:
    numbers = [_number(row[key]) for key in ("order", "error", "bound", "resolution")]
    cells = [f"`{row['object']}`", row["property"], _loud(row["verdict"]), *numbers]
    return _line([*cells, row["sentence"]])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in cells) + " |"


def _loud(verdict: str) -> str:
    return f"**{verdict}**" if verdict == "refuted" else verdict


def _number(x: float | None) -> str:
    return "–" if x is None else f"{x:.2g}"
