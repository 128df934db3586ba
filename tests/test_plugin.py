"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

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


@pytest.fixture(scope="module")
def guide(root):
    """docs/ci.md: its first test, with the mistake that the text names, and what it says is printed
    then: lines are broken for the page, and … stands for what is left away.
    """
    text = (root / "docs" / "ci.md").read_text("utf-8")
    code = re.search(r"^```python\n(.*?)^```", text, re.S | re.M).group(1)
    quoted = re.search(r"^```text\n(> .*?)^```", text, re.S | re.M).group(1)
    mistaken = code.replace("sqrt(1 - exp(-2 * t))", "1 - exp(-2 * t)")
    assert mistaken != code
    return mistaken, [" ".join(part.split()) for part in quoted.split("\n…\n")]


@pytest.fixture(scope="module")
def done(guide, tmp_path_factory):
    """One run for the tests below: most of it is imports."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "test_guide.py").write_text(guide[0], "utf-8")
    (folder / "test_mine.py").write_text(TESTS, "utf-8")
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "--scoreproof-seed=7",
            "--scoreproof-profile=deep",
            "test_guide.py",
            "test_mine.py",
        ],
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
    )


def test_a_failing_assert_shows_the_explanation(done):
    assert done.returncode == 1
    assert "3 failed, 2 passed" in done.stdout
    assert "- scoreproof -" in done.stdout
    assert "Refuted (" in done.stdout
    of_the_verdict = done.stdout.split("test_wrong_by_its_verdict", 1)[1]
    # With CI set, pytest's own summary repeats the first message whole below the failures.
    of_the_verdict = of_the_verdict.split("short test summary info", 1)[0]
    assert "'refuted' == 'holds'" in of_the_verdict and "Refuted (" in of_the_verdict
    assert of_the_verdict.count("Refuted (") == 1
    assert "scoreproof, verdicts that tests asked for: 1 holds, 3 refuted" in done.stdout


def test_the_guide_quotes_what_is_printed(done, guide):
    printed = " ".join(done.stdout.split())
    failing, told = guide[1]
    assert failing in printed
    assert told + " ____" in printed, "and the next failure follows"


EXAMPLES = """
import scoreproof as sp
from hypothesis import given, settings
from hypothesis import strategies as st

@settings(max_examples=20, deadline=None, database=None, derandomize=True)
@given(st.integers(1, 100))
def test_examples(k):
    assert sp.Evidence.measured(float(k), 10.5, "at an example")

def test_held():
    assert sp.Evidence.measured(0.0, 1.0, "nothing")

def test_held_by_its_verdict():
    one = sp.Evidence.measured(0.0, 1.0, "nothing")
    assert one and one.verdict == "holds" and one.verdict != "refuted"
"""


def test_workers_send_their_counts_and_one_example_is_explained(tmp_path):
    (tmp_path / "test_mine.py").write_text(EXAMPLES, "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_mine.py"]
    lines = []
    for more in ((), ("-n", "2")):
        done = subprocess.run([*command, *more], cwd=tmp_path, capture_output=True, text=True)
        assert "1 failed, 2 passed" in done.stdout, done.stdout
        explained = [line for line in done.stdout.splitlines() if line.startswith("Refuted (")]
        assert explained == ["Refuted (float): at an example (error 11, bound 10.5)."]
        lines += [x for x in done.stdout.splitlines() if x.startswith("scoreproof, verdicts")]
    assert len(lines) == 2 and lines[0] == lines[1]


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
            "-p",
            "no:jaxtyping",
            "test_none.py",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
