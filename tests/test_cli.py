"""The command line as its user sees it: a subprocess, its text and its exit status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from scoreproof.claims import NAMES

GOOD = """
from math import exp, sqrt
import numpy as np

class VP:
    def drift(self, x, t): return -0.5 * x
    def diffusion(self, t): return 1.0
    def marginal(self, x0, t): return x0 * exp(-t / 2), sqrt(1 - exp(-t))

class Doubled(VP):
    def marginal(self, x0, t): return x0 * exp(-t / 2), 1 - exp(-t)   # the variance, not a std

class Raises(VP):
    def drift(self, x, t): raise RuntimeError("no GPU")

good, bad, raises = VP(), Doubled(), Raises()
"""


@pytest.fixture
def user(tmp_path):
    (tmp_path / "mysde.py").write_text(GOOD, "utf-8")
    return tmp_path


def test_verify_prints_a_table_and_plain_progress(scoreproof):
    done = scoreproof("verify", "gaussian_kl", "--profile", "quick", "--workers", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "faults refuted" in done.stdout
    assert "gaussian_kl" in done.stdout
    assert "Lean:" in done.stdout
    assert "\x1b[" not in done.stdout, "no terminal, no control characters"
    assert done.stdout.startswith("[  1/")


def test_quiet_prints_nothing(scoreproof):
    done = scoreproof("verify", "gaussian_kl", "--profile", "quick", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "twedie"),
        ("explain", "nothing"),
        ("check", "nothing", "a:b"),
        ("check", "marginals", "nocolon"),
        ("check", "marginals", "no_such_module:x"),
        ("verify", "--workers", "0"),
        ("verify", "--profile", "slow"),
        ("verify", "--json", "no/such/folder/x.json"),
        ("frobnicate",),
        (),
    ],
)
def test_usage_errors_exit_2_in_one_clear_line(scoreproof, arguments):
    done = scoreproof(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "must be" in done.stderr or "usage:" in done.stderr


def test_check_marginals_of_an_object(scoreproof, user):
    good = scoreproof("check", "marginals", "mysde:good", cwd=user)
    assert (good.returncode, good.stdout[:5]) == (0, "Holds"), good.stdout + good.stderr
    bad = scoreproof("check", "marginals", "mysde:bad", cwd=user)
    assert (bad.returncode, bad.stdout[:7]) == (1, "Refuted"), bad.stdout + bad.stderr
    from_class = scoreproof("check", "marginals", "mysde:VP", cwd=user)
    assert from_class.returncode == 0, from_class.stderr


def test_a_callable_that_raises_is_named(scoreproof, user):
    done = scoreproof("check", "marginals", "mysde:raises", cwd=user)
    assert done.returncode == 2
    assert "drift must" in done.stderr
    assert "no GPU" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_explain_says_it_all(scoreproof, name):
    done = scoreproof("explain", name)
    assert done.returncode == 0, done.stderr
    for heading in (
        "Holds when",
        "Where a naive check sees nothing",
        "Checks, strongest first",
        "Planted faults",
        "Lean",
    ):
        assert heading in done.stdout


def test_list_names_every_claim(scoreproof):
    done = scoreproof("list")
    assert done.returncode == 0
    assert all(f"{name}:" in done.stdout for name in NAMES)


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_interrupt_prints_what_is_done_and_exits_130(root):
    process = subprocess.Popen(
        [sys.executable, "-m", "scoreproof", "verify", "--workers", "2"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first.startswith("[  1/")
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "interrupted, not everything ran" in out
    assert "Traceback" not in err


def test_an_edited_lean_file_fails_the_verification(tmp_path, monkeypatch, capsys):
    import json

    from scoreproof import cli, lean

    monkeypatch.setattr(
        lean,
        "status",
        lambda: {"status": "changed since it was verified", "reason": "a test", "claims": {}},
    )
    file = tmp_path / "out.json"
    assert (
        cli.main(
            [
                "verify",
                "gaussian_kl",
                "--profile",
                "quick",
                "--workers",
                "1",
                "-q",
                "--json",
                str(file),
            ]
        )
        == 4
    )
    assert json.loads(file.read_text("utf-8"))["status"] == 4


def test_check_help_prints_what_the_check_takes(scoreproof):
    done = scoreproof("check", "marginals", "help")
    assert done.returncode == 0
    assert "drift" in done.stdout
    assert "Parameters" in done.stdout


def test_a_class_with_marginal_prob_gets_its_adapter(scoreproof, tmp_path):
    (tmp_path / "theirs.py").write_text(
        "class VESDE:\n    def sde(self, x, t): ...\n    def marginal_prob(self, x, t): ...\n",
        "utf-8",
    )
    done = scoreproof("check", "marginals", "theirs:VESDE", cwd=tmp_path)
    assert done.returncode == 2
    assert "marginal=o.marginal_prob" in done.stderr
