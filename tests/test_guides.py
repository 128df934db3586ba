"""The guides' tests run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SECTIONS = re.split(
    r"^## ", (Path(__file__).parents[1] / "docs" / "guides.md").read_text("utf-8"), flags=re.M
)
BLOCKS = {s.partition("\n")[0]: re.findall(r"```python\n(.*?)```", s, re.S) for s in SECTIONS}
#: The blocks of a section go on from one another.
GUIDES = [(title, "\n".join(blocks)) for title, blocks in BLOCKS.items() if blocks]


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


def test_the_pictures_in_the_tree_are_those_that_a_build_makes(monkeypatch):
    pytest.importorskip("mkdocs")
    docs = Path(__file__).parents[1] / "docs"
    monkeypatch.syspath_prepend(str(docs))
    from pages import sections

    made = sections.drawn()
    assert "pictures/ddim-step.svg" in made
    for path, picture in made.items():
        assert words(picture) == words((docs / path).read_text("utf-8")), f"make pictures: {path}"


def words(picture: str) -> list[str]:
    """What is written in it: the lines themselves may differ with the version of the plotter."""
    return re.findall(r"<!-- (.*?) -->", picture)


def test_a_section_without_its_package_keeps_its_picture(monkeypatch):
    pytest.importorskip("mkdocs")
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "docs"))
    from pages import sections

    monkeypatch.setattr(
        sections, "sections", lambda: {"pictures/none.svg": "import no_such_package"}
    )
    assert sections.drawn() == {}
    monkeypatch.setattr(sections, "sections", lambda: {"pictures/wrong.svg": "assert False"})
    with pytest.raises(AssertionError):
        sections.drawn()
