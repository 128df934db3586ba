"""audits/: the rows are well-formed, come from the pinned versions, every refuted one has a script
that shows it, and they are found again where the package is installed.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AUDITS = ROOT / "audits"


def load(name: str):
    spec = importlib.util.spec_from_file_location(name, AUDITS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


table = load("table")
run = load("run")
STORE = json.loads((AUDITS / "findings.json").read_text())
PINS = dict(line.split("==") for line in run.LOCK.read_text().split())
EVERY = [row for rows in STORE.values() for row in rows]
MINIMAL = sorted(path.stem for path in (AUDITS / "minimal").glob("*.py"))


def test_every_audit_has_a_script_a_pin_and_rows():
    assert set(STORE) == set(run.PROJECTS)
    assert {p.stem.removeprefix("audit_") for p in AUDITS.glob("audit_*.py")} == set(run.PROJECTS)
    assert all(re.fullmatch(r"\d+(\.\d+)+(\.post\d+)?", v) for v in PINS.values())
    assert all(len(rows) >= 3 for rows in STORE.values())


@pytest.mark.parametrize("name", run.PROJECTS)
def test_rows_are_of_the_pinned_version_and_verdicts_follow_from_numbers(name):
    project = run.PROJECTS[name]
    properties = {p for column in table.COLUMNS.values() for p in column}
    for row in STORE[name]:
        assert row["project"] == project and row["version"] == PINS[project]
        assert row["verdict"] in table.VERDICTS and row["property"] in properties
        assert row["sentence"] and row["object"] and row["scoreproof"]
        if row["verdict"] == "holds":
            assert row["error"] <= row["bound"] and row["resolution"] is not None
        elif row["verdict"] == "refuted" and row["error"] is not None:
            assert row["error"] > row["bound"]
        elif row["verdict"] == "not judged":
            assert row["error"] is None
        assert all(row[n] is None or math.isfinite(row[n]) for n in ("error", "bound", "order"))


def test_every_refuted_row_has_a_reading_and_a_script():
    for row in EVERY:
        if row["verdict"] == "refuted":
            assert row["reading"] and row["minimal"], row["object"]
        elif row["verdict"] != "not judged":
            assert not row["reading"] and not row["minimal"], row["object"]
    assert {row["minimal"] for row in EVERY} - {""} == set(MINIMAL)


@pytest.mark.parametrize("name", MINIMAL)
def test_a_minimal_script_is_short_and_asks_a_public_check(name):
    text = (AUDITS / "minimal" / f"{name}.py").read_text()
    assert len(text.splitlines()) <= 50 and re.search(r"from scoreproof import .*check_", text)


def test_the_table_is_made_from_the_rows():
    text = (AUDITS / "findings.md").read_text()
    assert text == table.table(STORE)
    summary = [line for line in text.splitlines() if line.startswith("| [")][: len(STORE)]
    assert {len(re.split(r"(?<!\\)\|", row)) for row in summary} == {len(table.COLUMNS) + 3}


def test_no_audit_has_a_verdict_written_in_or_reaches_inside():
    """Verdicts are a check's: their names stand where rows are made and counted. And the audits
    use the public checks and objects alone.
    """
    for script in [*AUDITS.glob("audit_*.py"), *(AUDITS / "minimal").glob("*.py")]:
        text = script.read_text()
        assert not re.search(r"[\"'](holds|refuted|undecided)[\"']", text), script
        used = set(re.findall(r"(?:from|import) (scoreproof[\w.]*)", text))
        assert {u for u in used if u != "scoreproof"} <= {
            "scoreproof.objects.discrete",
            "scoreproof.objects.schedules",
        }, script
        assert "setattr(" not in text and "monkeypatch" not in text and "mock" not in text, script


def test_an_unknown_audit_is_an_error(capsys):
    assert run.main(["nothing"]) == 2
    assert "no audit is called nothing" in capsys.readouterr().err


@pytest.mark.parametrize("name", run.PROJECTS)
def test_an_installed_package_gives_the_rows_again(name):
    """The audit itself, in this environment, if the pinned version is here: the same objects, the
    same verdicts.
    """
    wanted = {run.PROJECTS[name], "torch", "jax", "torchdiffeq", "torchsde"}
    for package in sorted(wanted):
        try:
            found = version(package).split("+")[0]
        except PackageNotFoundError:
            pytest.skip(f"{package} is not installed here; `make audits` makes an environment")
        if found != PINS[package]:
            pytest.skip(f"{package} {found} is installed, the rows are of {PINS[package]}")
    result = subprocess.run(
        [sys.executable, AUDITS / f"audit_{name}.py"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, **run.SINGLE},
    )
    lines = [x.removeprefix("ROW ") for x in result.stdout.splitlines() if x.startswith("ROW ")]
    rows = [json.loads(line) for line in lines]
    assert [(r["object"], r["verdict"]) for r in rows] == [
        (r["object"], r["verdict"]) for r in STORE[name]
    ]
