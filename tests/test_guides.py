"""The guides' tests run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

GUIDES = re.findall(
    r"^## (.+?)$.*?```python\n(.*?)```",
    (Path(__file__).parents[1] / "docs" / "guides.md").read_text("utf-8"),
    re.M | re.S,
)


@pytest.mark.parametrize(("title", "code"), GUIDES, ids=[title for title, _ in GUIDES])
def test_guide_runs(title, code):
    for package in ("torch", "jax"):
        if f"import {package}" in code:
            pytest.importorskip(package)
    namespace: dict = {}
    exec(compile(code, "docs/guides.md", "exec"), namespace)
    tests = [f for name, f in namespace.items() if name.startswith("test_")]
    assert tests
    for test in tests:
        test()


def test_every_check_has_a_guide():
    import scoreproof

    text = "".join(code for _, code in GUIDES)
    for name in scoreproof.__all__:
        if name.startswith("check_"):
            assert f"{name}(" in text, f"docs/guides.md has no test with {name}"


def test_the_pages_show_the_pictures_they_make():
    docs = Path(__file__).parents[1] / "docs"
    text = "".join((docs / page).read_text("utf-8") for page in ("index.md", "guides.md"))
    shown = re.findall(r"\]\((pictures/[a-z-]+\.svg)\)", text)
    assert len(shown) == 6
    assert {f"pictures/{p.name}" for p in (docs / "pictures").glob("*.svg")} == set(shown)
