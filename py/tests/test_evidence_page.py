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


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("the ends differ", "The ends differ."),
        ("σ_data is 0.5", "σ_data is 0.5."),
        ("ᾱ falls", "ᾱ falls."),
        ("x_T is not standard", "x_T is not standard."),
        ("c_skip, c_out and c_in are EDM's", "c_skip, c_out and c_in are EDM&#x27;s."),
        ("betas rise.", "betas rise."),
        ("is it?", "is it?"),
    ],
)
def test_names_keep_their_letters(sentence, shown):
    assert f"<p>{shown}</p>" in Evidence.exact(0, sentence).to_html()


@pytest.mark.parametrize("name", ["a$b^{$c", "costs $5 and $6", "half \ud800", "_under", "a\\b"])
def test_a_name_is_drawn_as_it_is(name, tmp_path):
    """Two dollars are no formula, and half a character is no reason to lose the verdict."""
    pytest.importorskip("matplotlib")
    evidence = Evidence.measured(
        0.5, 0.1, name, title=name, curves={name: ((1, 2), (0.1, 0.5))}, labels=(name, "error")
    )
    page = evidence.to_html(tmp_path / "found.html")
    assert "<img" in page and "No picture" not in page
    text = unescape(re.search(r"<pre>(.*?)</pre>", page, re.S)[1])
    assert json.loads(text) == evidence.to_dict()


def test_the_users_settings_of_matplotlib_change_nothing(refuted):
    matplotlib = pytest.importorskip("matplotlib")
    plain = refuted.to_html()
    theirs = {"lines.linewidth": 7, "svg.fonttype": "none", "text.usetex": True}
    with matplotlib.rc_context(theirs):
        assert refuted.to_html() == plain
        assert matplotlib.rcParams["lines.linewidth"] == 7


def test_a_picture_that_fails_costs_no_verdict(refuted, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(Evidence, "plot", lambda self, ax=None: 1 / 0)
    page = refuted.to_html()
    assert "No picture: ZeroDivisionError" in page and 'data-verdict="refuted"' in page


def test_a_page_of_very_much_is_short_and_says_so():
    pytest.importorskip("matplotlib")
    n = 30_000
    evidence = Evidence.measured(
        0.5,
        0.1,
        "wrong",
        curves={"error": (range(n), [0.5 if k == 777 else 0.1 for k in range(n)])},
        table=Table(("row", "error", "where"), tuple((k, 0.1, "here") for k in range(n))),
    )
    page = evidence.to_html()
    assert len(page.encode()) < 3_000_000
    assert "every 60th of 30000 rows" in page.lower()
    assert "error: of each 15 of 30000 points the least and the largest are drawn" in page
    assert len(evidence.to_dict()["table"]["rows"]) == n
    drawn = max(evidence.plot().lines, key=lambda line: len(line.get_ydata()))
    assert max(drawn.get_ydata()) == 0.5 and len(drawn.get_ydata()) < 4100
    assert re.fullmatch(r"error \(\d+ of 30000 points\)", drawn.get_label())


def test_numbers_of_numpy_are_numbers_of_json():
    np = pytest.importorskip("numpy")
    evidence = Evidence.measured(
        np.float32(0.5),
        np.float64(0.1),
        "wrong",
        cost={"evaluations": np.int64(3), "bits": float("nan")},
        table=Table(("σ", "n"), ((np.float32(0.5), np.int64(7)), (np.float64("nan"), 1))),
    )
    found = json.loads(json.dumps(evidence.to_dict(), allow_nan=False))
    assert found["table"]["rows"] == [[0.5, 7], [None, 1]]
    assert found["cost"] == {"evaluations": 3}
    assert "<td>0.5</td>" in evidence.to_html()
