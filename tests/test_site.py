"""The site: it builds strictly, asks for nothing from elsewhere, and its code runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
#: Pages that are made from other tests, and the one whose tests have a file of their own.
ELSEWHERE = ("causes", "sentences", "guides.md")
PAGES = [
    path
    for path in sorted(DOCS.rglob("*.md"))
    if path.relative_to(DOCS).parts[0] not in ELSEWHERE and "```python" in path.read_text("utf-8")
]
#: A block of code, and what the page says that it prints: a quotation, or text as it is.
BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n+(?:prints\n+)?"
    r"(?P<said>(?:^>[^\n]*\n)+|^```text\n.*?^```)?",
    re.M | re.S,
)


def plain(text):
    """Words alone, without Markdown's signs and breaks."""
    text = re.sub(r"^(?:> ?|```\w*)", "", text, flags=re.M)
    return " ".join(re.sub(r"\\([\W_])", r"\1", text).split())


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
    for block in BLOCK.finditer(text):
        capsys.readouterr()
        exec(compile(block["code"], str(page.relative_to(DOCS)), "exec"), namespace)
        printed = capsys.readouterr().out
        for name in re.findall(r"^def (test_\w+)\(\):", block["code"], re.M):
            namespace[name]()
        if printed and block["said"]:
            assert agrees(block["said"], printed), printed


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site as `make site` builds it: a warning is an error."""
    pytest.importorskip("material", reason="pip install '.[docs]'")
    built = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(built)],
        cwd=DOCS.parent,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return built


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
            assert re.search(r"Refuted \(.*?Cause: ", text, re.S), name
            assert text.count("<img") >= 1, name


def test_every_page_works_in_a_browser(site, look):
    """Which also serves the site, as the search and the anchors need it. The long lists are of one
    make: axe-core looks at the longest of each kind.
    """
    pages = sorted(site.rglob("*.html"), key=lambda p: -p.stat().st_size)
    names = [str(p.relative_to(site)) for p in pages]
    lists = [[n for n in names if n.startswith(kind)] for kind in ("causes/", "sentences/")]
    like = {name for kind in lists for name in kind[1:]}
    look(site, sorted(name for name in names if name not in like))
    look(site, sorted(like), axe=False)
