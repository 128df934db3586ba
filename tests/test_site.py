"""The site: it builds strictly, asks for nothing from elsewhere, and its code runs."""

from __future__ import annotations

import doctest
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scoreproof.check_examples import EXAMPLES

DOCS = Path(__file__).parents[1] / "docs"
sys.path.insert(0, str(DOCS))  # of what builds the site: pages
#: Pages that are made from other tests, and the one whose tests have a file of their own.
ELSEWHERE = ("causes", "sentences", "guides.md")
PAGES = [
    path
    for path in sorted(DOCS.rglob("*.md"))
    if path.relative_to(DOCS).parts[0] not in ELSEWHERE and "```python" in path.read_text("utf-8")
]
#: A block of code, and what the page says that it prints: a quotation, a table, or text as it is.
BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n+(?:(?:prints|The first rows of the table:)\n+)?"
    r"(?P<said>(?:^[>|][^\n]*\n)+|^```text\n.*?^```)?",
    re.M | re.S,
)
#: How much of what pages say is held to what is printed; of a page on the theory one block.
COMPARED = {
    "checks/denoiser.md": 1, "checks/loss.md": 1, "checks/schedule.md": 1, "checks/score.md": 1,
    "conformance.md": 1, "index.md": 1, "now-what.md": 7, "start.md": 10,
}  # fmt: skip


def plain(text):
    """Words alone, without Markdown's signs and breaks."""
    text = re.sub(r"^(?:> ?|```\w*)", "", text, flags=re.M)
    text = re.sub(r"\\([\W_])", r"\1", text)
    text = re.sub(r"-{3,}", "---", re.sub(r"\s*\|\s*", "|", text))  # however wide a table is
    return " ".join(text.split())


def agrees(said, printed):
    """Where the page leaves something out it writes … or [...]."""
    parts = [re.escape(part.strip()) for part in re.split(r"…|\[\.\.\.\]", plain(said))]
    return re.search(".*".join(parts), plain(printed), re.S) is not None


@pytest.mark.parametrize("page", PAGES, ids=[str(p.relative_to(DOCS)) for p in PAGES])
def test_the_code_of_a_page_runs_and_prints_what_it_says(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = page.read_text("utf-8")
    for package in ("torch", "jax", "diffusers"):
        if re.search(rf"^import {package}|^from {package}", text, re.M):
            pytest.importorskip(package)
    (tmp_path / "audits").symlink_to(DOCS.parent / "audits")  # one page reads the findings
    namespace: dict = {"__name__": "page"}
    compared = 0
    for block in BLOCK.finditer(text):
        capsys.readouterr()
        exec(compile(block["code"], str(page.relative_to(DOCS)), "exec"), namespace)
        printed = capsys.readouterr().out
        for name in re.findall(r"^def (test_\w+)\(\):", block["code"], re.M):
            namespace[name]()
        if block["said"]:
            assert agrees(block["said"], printed), printed
            compared += 1
    name = page.relative_to(DOCS).as_posix()
    assert compared == COMPARED.get(name, 1 if name.startswith("theory/") else 0)


@pytest.mark.parametrize(
    "module", ["docstrings", "kept", "links", "plain", "tables", "wrong_subjects"]
)
def test_the_examples_of_what_builds_the_site_run(module):
    ran = doctest.testmod(importlib.import_module(f"pages.{module}"))
    assert ran.failed == 0 and (ran.attempted > 0 or module == "kept")


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_what_the_page_of_a_check_quotes_its_example_is_told(name):
    pytest.importorskip("mkdocs", reason="pip install '.[docs]'")
    from pages.checks import found

    text = (DOCS / "checks" / f"{name}.md").read_text("utf-8")
    said = re.findall(r"example:mine` prints\n+((?:^>[^\n]*\n)+)", text, re.M)
    assert len(said) == len(re.findall(r"example:mine`\s+prints\n", text))
    for quoted in said:
        assert agrees(quoted, found(name, "right")["explanation"])


@pytest.fixture(scope="module")
def site():
    """The site as `make site` builds it: a warning is an error. It is built once for each state of
    what it is made of.
    """
    pytest.importorskip("material", reason="pip install '.[docs]'")
    from pages.kept import built

    return built("site", ("docs", "py/scoreproof", "lean", "mkdocs.yml"), _build)


def _build(folder):
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)],
        cwd=DOCS.parent,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_builds_and_asks_for_nothing_from_elsewhere(site):
    import scoreproof

    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 60
    fetched = re.compile(
        r"""<(?:link|script|img|iframe|source)[^>]*(?:src|href)=["']?(?:https?:)?//[^"'>]*"""
    )
    for page in pages:
        found = fetched.findall(page.read_text("utf-8"))
        assert not [f for f in found if 'rel="canonical"' not in f], page
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//", style.read_text("utf-8")), style
    for name in scoreproof.__all__:
        if name.startswith("check_"):
            text = (site / "checks" / f"{name.removeprefix('check_')}.html").read_text("utf-8")
            assert "Holds (" in text, name
            assert re.search(r"Refuted \(.*?Cause[:,] ", text, re.S), name
            assert text.count("<img") >= 1, name


#: What a page is made of: HTML, drawings, formulas. A quoted <lambda> would be something else.
ELEMENTS = """
    a article aside b blockquote body br button circle code dd details div dl dt em figcaption
    figure footer form g h1 h2 h3 h4 h5 h6 head header hr html i img input kbd label li line link
    main math meta mfrac mi mn mo mover mrow mspace msqrt mstyle msub msubsup msup mtable mtd
    mtext mtr munder munderover nav ol p path pre rect script section small span strong style sub
    summary sup svg table tbody td text th thead title tr ul
"""


def test_no_word_of_a_page_is_taken_for_an_element(site):
    for page in site.rglob("*.html"):
        text = re.sub(
            r"<(script|style)\b.*?</\1>|<!--.*?-->", "", page.read_text("utf-8"), flags=re.S
        )
        assert set(re.findall(r"<([a-zA-Z][^\s/>]*)", text)) <= {*ELEMENTS.split()}, page


#: So many tests look at the pages, for as many processes to share.
PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_works_in_a_browser(site, look, part):
    """Which also serves the site, as the search and the anchors need it. The long lists are of one
    make: axe-core looks at the shortest of each kind.
    """
    pages = sorted(site.rglob("*.html"), key=lambda p: -p.stat().st_size)
    names = [str(p.relative_to(site)) for p in pages]
    lists = [[n for n in names if n.startswith(kind)] for kind in ("causes/", "sentences/")]
    like = {name for kind in lists for name in kind if name != least(site, kind)}
    look(site, sorted(name for name in names if name not in like)[part::PARTS])
    look(site, sorted(like)[part::PARTS], axe=False)


def least(site, kind):
    """The shortest list, the page that leads to the lists aside."""
    return min(
        (n for n in kind if not n.endswith(("index.html", "README.html"))),
        key=lambda n: (site / n).stat().st_size,
    )


def test_the_examples_of_the_sentences_stand_each_with_its_own(site):
    """A list that is indented by less than four is one long paragraph on the site."""
    for page in sorted((DOCS / "sentences").glob("*.md")):
        if page.stem == "README":
            continue
        entries = re.split(r"^- ", page.read_text("utf-8"), flags=re.M)[1:]
        html = (site / "sentences" / f"{page.stem}.html").read_text("utf-8")
        assert html.count("<li>\n<p><code>") == len(entries), page.stem
        quoted = re.findall(r"<blockquote>(.*?)</blockquote>", html, re.S)
        assert len(quoted) == sum("\n    > " in e for e in entries), page.stem
        assert not [q for q in quoted if "::test_" in q], page.stem
