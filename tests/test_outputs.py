"""Where the command line's verdict goes, and what could lose it: encodings, readers who go away,
files that fail late, objects that print or leave something running.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

OBJECTS = """
import math, os, subprocess, sys, time
import numpy as np

def right(m0, s0, m1, s1):
    return ((m1 - m0) ** 2 / (2 * s1**2) + (s0**2 / s1**2 - 1) / 2 + np.log(s1 / s0)).sum(axis=1)

def twice(*a): return 2 * right(*a)
def prints(*a):
    print("hello")
    return right(*a)

def talks(*a):
    print("hello")
    os.write(1, b"as C prints\\n")
    return right(*a)

σ = right
mine = dict(kl=twice, seed=1)
"""


@pytest.fixture
def objects(tmp_path):
    (tmp_path / "objects.py").write_text(OBJECTS, "utf-8")
    return tmp_path


def test_an_encoding_without_the_letters_loses_no_verdict(scoreproof, objects):
    """As Windows has it where output is piped: cp1252."""
    file = objects / "f.json"
    done = scoreproof(
        *("check", "kl", "objects:σ", "--json", str(file)),
        cwd=objects,
        encoding="cp1252",
    )
    assert (done.returncode, done.stdout[:5], done.stderr) == (0, "Holds", "")
    assert json.loads(file.read_text("utf-8"))["explanation"]


def test_ascii_is_enough_for_help_and_for_a_table(scoreproof):
    assert scoreproof("--help", encoding="ascii").returncode == 0
    told = scoreproof("verify", "gaussian_kl", "--profile", "quick", "-v", encoding="ascii")
    assert told.returncode == 0, told.stderr
    assert "\\u03b5 is a relative error" in told.stdout


def gone(*arguments, cwd):
    """Run with a standard output that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "scoreproof", *arguments],
        cwd=cwd,
        stdout=writing,
        stderr=subprocess.PIPE,
        env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"},
        encoding="utf-8",
        timeout=120,
    )
    os.close(writing)
    return done.returncode, done.stderr


@pytest.mark.skipif(os.name != "posix", reason="pipes as POSIX has them")
def test_a_reader_who_goes_away_changes_no_verdict(objects):
    quick = ("verify", "gaussian_kl", "--profile", "quick", "--workers", "1", "-v")
    assert gone(*quick, "--json", "run.json", cwd=objects) == (0, "")
    assert json.loads((objects / "run.json").read_text("utf-8"))["status"] == 0
    assert gone("check", "kl", "objects:twice", "--json", "kl.json", cwd=objects) == (1, "")
    assert json.loads((objects / "kl.json").read_text("utf-8"))["verdict"] == "refuted"
    assert gone("check", "kl", "objects:prints", cwd=objects) == (0, "")
    assert gone("list", cwd=objects) == (0, "")


@pytest.mark.skipif(os.name != "posix", reason="descriptors as POSIX has them")
def test_closed_streams_leave_the_status_and_the_files(objects):
    done = subprocess.run(
        [*(sys.executable, "-m", "scoreproof", "check", "kl", "objects:prints"), "--json", "f"],
        cwd=objects,
        preexec_fn=lambda: os.closerange(1, 3),
        timeout=120,
    )
    assert done.returncode == 0
    assert json.loads((objects / "f").read_text("utf-8"))["verdict"] == "holds"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_file_that_fails_late_loses_no_verdict(in_process, objects, option):
    done = in_process("check", "kl", "objects:twice", option, "/dev/full", cwd=objects)
    assert done.returncode == 4
    assert done.stdout.startswith("Refuted")
    assert "/dev/full was not written: OSError" in done.stderr
    if option == "--json":
        quick = ("verify", "gaussian_kl", "--profile", "quick", "--workers", "1")
        done = in_process(*quick, option, "/dev/full")
        assert done.returncode == 4
        assert "The claim holds" in done.stdout
        assert "/dev/full was not written: OSError" in done.stderr


def test_a_page_that_cannot_be_drawn_loses_no_verdict(in_process, objects, monkeypatch):
    from scoreproof.report import evidence_page

    def fails(*_):
        raise ValueError("no such font")

    monkeypatch.setattr(evidence_page, "evidence_page", fails)
    files = ("--json", "f.json", "--html", "f.html")
    done = in_process("check", "kl", "objects:twice", *files, cwd=objects)
    assert (done.returncode, done.stdout[:7]) == (4, "Refuted")
    assert "f.html was not written: ValueError: no such font" in done.stderr
    assert (objects / "f.json").exists() and not (objects / "f.html").exists()


def test_an_output_file_is_tried_and_left_as_it_was(in_process, objects):
    (objects / "f.json").write_text("before", "utf-8")
    asked = ("--json", "f.json", "--html", "f.html")
    assert in_process("check", "kl", "no_such_module:x", *asked, cwd=objects).returncode == 2
    assert (objects / "f.json").read_text("utf-8") == "before"
    assert not (objects / "f.html").exists()


def test_json_on_standard_output_is_nothing_but_json(scoreproof, objects):
    done = scoreproof("check", "kl", "objects:talks", "--json", "-", cwd=objects)
    assert json.loads(done.stdout)["verdict"] == "holds"
    assert "hello" in done.stderr and "as C prints" in done.stderr


def test_json_on_standard_output_where_there_is_no_fork(in_process, objects):
    done = in_process("check", "kl", "objects:prints", "--json", "-", cwd=objects)
    assert json.loads(done.stdout)["verdict"] == "holds"
    assert done.stderr.startswith("hello")


def test_a_page_says_the_command_that_makes_it(in_process, objects):
    done = in_process(
        *("check", "kl", "objects:mine", "--seed", "5", "--html", "f.html"), cwd=objects
    )
    assert done.returncode == 1
    text = (objects / "f.html").read_text("utf-8")
    assert "<code>scoreproof check kl objects:mine --seed 5</code>" in text


def test_the_report_of_one_claim_says_so_in_its_command(in_process, tmp_path):
    for package in ("jinja2", "latex2mathml", "matplotlib"):
        pytest.importorskip(package, reason="pip install '.[report]'")
    file = tmp_path / "f.html"
    quick = ("verify", "gaussian_kl", "--profile", "quick", "--workers", "1", "-q")
    assert in_process(*quick, "--html", str(file)).returncode == 0
    command = "scoreproof verify gaussian_kl --profile quick --seed 0 --html FILE"
    assert f">{command}</pre>" in file.read_text("utf-8")


def test_all_that_a_report_lacks_is_named_at_once(in_process, tmp_path, monkeypatch):
    for package in ("latex2mathml", "matplotlib"):
        monkeypatch.setitem(sys.modules, package, None)
    pytest.importorskip("jinja2", reason="pip install '.[report]'")
    done = in_process("verify", "--html", str(tmp_path / "f.html"))
    assert done.returncode == 2
    assert "latex2mathml and matplotlib are not installed; run: pip install" in done.stderr
    assert "pip install latex2mathml matplotlib (" in done.stderr


DAEMON = """
import multiprocessing, time
multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,), daemon=True).start()
"""
ORPHAN = """
import os, time
if os.fork() == 0:
    for stream in (0, 1, 2):
        os.close(stream)
    time.sleep(30)
    os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("code", [DAEMON, ORPHAN], ids=["daemon", "orphan"])
def test_what_the_object_leaves_running_is_not_waited_for(scoreproof, objects, code):
    (objects / "leaving.py").write_text(f"{code}\nfrom objects import right\n", "utf-8")
    started = time.monotonic()
    done = scoreproof("check", "kl", "leaving:right", cwd=objects, timeout=60)
    assert (done.returncode, done.stdout[:5]) == (0, "Holds"), done.stderr
    assert time.monotonic() - started < 25
