"""The cause of each wrong subject of the corpus is named; no other is claimed."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from pathlib import Path

import pytest
from causes import corpus

CORPUS = corpus()


@pytest.mark.parametrize("subject", CORPUS, ids=[f"{w.check}-{w.name}" for w in CORPUS])
def test_the_cause_is_named(subject):
    if subject.needs is not None:
        pytest.importorskip(subject.needs)
    rated = subject.rate()
    if subject.known is None:
        assert rated.rating == "right", f"{subject.cause}: {rated.explanation}"
    else:  # left open, with the reason; but nothing false is claimed
        assert rated.rating != "wrong", f"{subject.cause}: {rated.explanation}"


def test_the_corpus_is_large_and_little_of_it_is_left_open():
    assert len(CORPUS) >= 150
    assert len({(w.check, w.name) for w in CORPUS}) == len(CORPUS)
    left = [w for w in CORPUS if w.known is not None]
    assert len(left) <= 0.1 * len(CORPUS)
    assert all(len(w.known.split()) > 3 for w in left)


def test_what_counts_as_named_is_no_word_that_every_refutation_has():
    common = "Refuted (float): the error is off at time, index, row, coordinate, step 1 of 2 (error"
    for subject in CORPUS:
        assert not re.search(subject.says, common, re.IGNORECASE), subject.name


def test_none_is_made_with_the_packages_own_faults():
    for path in (Path(__file__).parent / "causes").glob("*.py"):
        assert "faults" not in re.findall(r"^(?:from|import) (\S+)", path.read_text("utf-8"), re.M)
        assert ".faults" not in path.read_text("utf-8"), path.name


def test_every_check_has_wrong_subjects():
    import scoreproof

    counts = Counter(w.check for w in CORPUS)
    checks = {n.removeprefix("check_") for n in scoreproof.__all__ if n.startswith("check_")}
    assert checks <= set(counts) and min(counts.values()) >= 8
    assert importlib.util.find_spec("causes") is not None
