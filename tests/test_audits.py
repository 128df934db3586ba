"""audits/: the findings are well-formed, come from the pinned versions, and are found again where
the package is installed.
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


def load_run():
    spec = importlib.util.spec_from_file_location("audits_run", AUDITS / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


run = load_run()
STORE = json.loads((AUDITS / "findings.json").read_text())


def pinned(name: str) -> dict[str, str]:
    return dict(
        line.split("==") for line in (AUDITS / "requirements" / f"{name}.txt").read_text().split()
    )


def test_every_audit_has_a_script_pins_and_findings():
    assert set(STORE) == set(run.NAMES)
    for name in run.NAMES:
        assert (AUDITS / f"audit_{name}.py").is_file()
        assert all(re.fullmatch(r"\d+(\.\d+)+", v) for v in pinned(name).values())
        assert len(STORE[name]) >= 3


@pytest.mark.parametrize("name", run.NAMES)
def test_findings_are_of_the_pinned_version_and_verdicts_follow_from_numbers(name):
    for row in STORE[name]:
        assert row["project"] == name and row["version"] == pinned(name)[name]
        assert (
            row["verdict"] in ("holds", "refuted", "undecided")
            and row["sentence"]
            and row["checked"]
            and row["object"]
        )
        if row["verdict"] == "undecided":
            assert row["error"] is None
        elif row["error"] is None:
            assert row["verdict"] == "refuted" and "nan" in row["sentence"]
        else:
            assert (row["error"] <= row["bound"]) == (row["verdict"] == "holds")
            assert math.isfinite(row["bound"]) and row["bound"] >= 0
        assert not (row["reading"] and row["verdict"] == "holds")


def test_the_table_is_made_from_the_findings():
    text = (AUDITS / "findings.md").read_text()
    assert text == run.table(STORE)
    assert all(
        f"`audits/audit_{name}.py`" in text and f"## {name} {pinned(name)[name]}" in text
        for name in run.NAMES
    )
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert {len(re.split(r"(?<!\\)\|", row)) for row in rows} == {11}


def test_no_script_of_an_audit_has_a_verdict_written_in():
    """Verdicts are computed: the words stand where verdicts are made (common.py) and counted
    (run.py).
    """
    for script in AUDITS.glob("*.py"):
        if script.name not in ("common.py", "run.py"):
            assert not re.search(r"[\"'](holds|refuted|undecided)[\"']", script.read_text()), script


def test_an_unknown_audit_is_an_error(capsys):
    assert run.main(["nothing"]) == 2
    assert "no audit is called nothing" in capsys.readouterr().err


@pytest.mark.parametrize("name", run.NAMES)
def test_an_installed_package_gives_the_findings_again(name):
    """The audit itself, in this environment, if the pinned version is here: the same objects, the
    same verdicts.
    """
    for package, wanted in pinned(name).items():
        try:
            found = version(package).split("+")[0]
        except PackageNotFoundError:
            pytest.skip(
                f"{package} is not installed here; `make audits` runs this audit in an environment"
                " of its own"
            )
        if found != wanted:
            pytest.skip(f"{package} {found} is installed, the findings are of {wanted}")
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "JAX_PLATFORMS": "cpu",
        "HF_HUB_OFFLINE": "1",
    }
    result = subprocess.run(
        [sys.executable, AUDITS / f"audit_{name}.py"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=environment,
    )
    rows = [
        json.loads(line.removeprefix("FINDING "))
        for line in result.stdout.splitlines()
        if line.startswith("FINDING ")
    ]
    assert [(r["object"], r["verdict"]) for r in rows] == [
        (r["object"], r["verdict"]) for r in STORE[name]
    ]
