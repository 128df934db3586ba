"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys

TESTS = """
from math import exp, sqrt
import scoreproof as sp

def marginals(std):
    return sp.check_marginals(
        drift=lambda x, t: -x,
        diffusion=lambda t: sqrt(2.0),
        marginal=lambda x0, t: (x0 * exp(-t), std(t)),
    )

def test_right():
    assert marginals(lambda t: sqrt(1 - exp(-2 * t)))

def test_wrong():
    assert marginals(lambda t: 1 - exp(-2 * t))

def test_wrong_by_its_verdict():
    assert marginals(lambda t: 1 - exp(-2 * t)).verdict == "holds"

def test_options(scoreproof_seed, scoreproof_profile):
    assert (scoreproof_seed, scoreproof_profile) == (7, "deep")
"""


def test_a_failing_assert_shows_the_explanation(tmp_path):
    (tmp_path / "test_mine.py").write_text(TESTS, "utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "--scoreproof-seed=7",
            "--scoreproof-profile=deep",
            "test_mine.py",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "2 failed, 2 passed" in done.stdout
    assert "- scoreproof -" in done.stdout
    assert "Refuted (" in done.stdout
    of_the_verdict = done.stdout.split("test_wrong_by_its_verdict", 1)[1]
    assert "'refuted' == 'holds'" in of_the_verdict and "Refuted (" in of_the_verdict
    assert "scoreproof, verdicts that tests asked for: 1 holds, 1 refuted" in done.stdout


def test_the_plugin_imports_nothing_until_used(tmp_path):
    (tmp_path / "test_none.py").write_text(
        "import sys\ndef test(): assert not [m for m in sys.modules if m.split('.')[0] in"
        " ('scoreproof', 'numpy')]\n",
        "utf-8",
    )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:hypothesispytest",
            "test_none.py",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
