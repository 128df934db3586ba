"""`Evidence.to_html()` and what a notebook shows: complete, escaped, and in need of nothing."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from scoreproof import check_kl
from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import MissingExtraError
from scoreproof.evidence import Evidence
from scoreproof.tabular import Table


@pytest.fixture
def refuted():
    return Evidence.measured(
        0.5,
        1e-14,
        "<b>bold</b> & wrong",
        title="check_kl of <lambda>",
        diagnosis=Diagnosis.cause("twice", "Cause: it is doubled."),
        curves={"error": ((1.0, 2.0), (0.1, 0.5))},
        labels=("law", "error"),
        coverage=Coverage({"laws": 3}),
        table=Table(("law", "error"), ((1, 0.1), ("a|b", 0.5))),
        notes=("A note.",),
    )


def test_it_says_all_that_explain_says(refuted):
    pytest.importorskip("matplotlib")
    page = refuted.to_html()
    text = unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.S))
    for said in (
        "check_kl of <lambda>",
        "<b>bold</b> & wrong.",
        "Cause: it is doubled.",
        "A note.",
    ):
        assert said in text
    for said in ("error 0.5, bound 1e-14", "a|b", "Looked at 3 laws"):
        assert said in text
    assert 'alt="error: error against law"' in page
    assert json.loads(text[text.index("{") : text.rindex("}") + 1]) == refuted.to_dict()


def test_it_needs_nothing_and_is_the_same_each_time(refuted, tmp_path):
    page = refuted.to_html(tmp_path / "found.html")
    assert (tmp_path / "found.html").read_text("utf-8") == page == refuted.to_html()
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["'](?!data:)|url\((?!data:)|@import""", page)
    assert "<b>bold" not in page


def test_a_notebook_gets_a_part_of_a_page(refuted):
    shown = refuted._repr_html_()
    assert "<html" not in shown
    assert "<h3>check_kl of &lt;lambda&gt;</h3>" in shown


def test_without_matplotlib_the_page_says_what_is_missing(refuted, monkeypatch):
    def missing(self, ax=None):
        raise MissingExtraError("report", "matplotlib")

    monkeypatch.setattr(Evidence, "plot", missing)
    assert "No picture: matplotlib is not installed" in refuted.to_html()


@pytest.mark.parametrize(
    "evidence",
    [
        Evidence.undecided("float", "no draw was made"),
        Evidence.exact(0, "no term is left"),
        Evidence.not_run("float", "torch is not installed"),
        Evidence.measured(float("inf"), 1e-14, "nothing finite"),
    ],
    ids=["undecided", "exact", "not run", "infinite"],
)
def test_whatever_the_verdict_there_is_a_page(evidence):
    page = evidence.to_html()
    assert f'data-verdict="{evidence.verdict}"' in page
    assert "nan" not in re.sub(r"<style>.*?</style>", "", page, flags=re.S).lower()


def test_a_check_has_its_picture_and_its_numbers():
    pytest.importorskip("matplotlib")
    evidence = check_kl(lambda m0, s0, m1, s1: ((m1 - m0) ** 2).sum(axis=1))
    page = evidence.to_html()
    assert 'src="data:image/svg+xml;base64,' in page
    assert f"error {evidence.value:.3g}, bound {evidence.bound:.3g}" in page
