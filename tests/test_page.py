"""The HTML page: complete, self-contained, and readable in a browser where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

pytest.importorskip("jinja2", reason="pip install 'scoreproof[report]'")
pytest.importorskip("latex2mathml", reason="pip install 'scoreproof[report]'")

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)


@pytest.fixture(scope="module")
def page(scoreproof, tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "report.html"
    done = scoreproof(
        "verify", "gaussian_kl", "tweedie", "--profile", "quick", "-q", "--html", str(file)
    )
    assert done.returncode == 0, done.stderr
    return file


def test_page_is_well_formed_and_asks_for_nothing(page):
    text = page.read_text("utf-8")
    open_tags = []

    class Balance(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in {"meta", "br"}:
                open_tags.append(tag)

        def handle_endtag(self, tag):
            assert open_tags.pop() == tag

    Balance().feed(text)
    assert open_tags == []
    assert not re.search(r"<script|(?:src|href)=\"(?!#)", text)
    for name in ("gaussian_kl", "tweedie"):
        assert f'<section id="{name}">' in text
    assert "<math" in text


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_page_renders_in_a_browser(page, tmp_path):
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "holds" in done.stdout
    assert 'id="tweedie"' in done.stdout
