"""What the build of the site keeps: made once for each state, whole or not at all."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))


@pytest.fixture
def keeper(tmp_path, monkeypatch):
    from pages import kept

    monkeypatch.setattr(kept, "BUILD", tmp_path)
    monkeypatch.setattr(kept, "KEPT", tmp_path / "pages")
    monkeypatch.setattr(kept, "_state", lambda *sources: "0" * 64)
    return kept


def test_code_runs_once_for_each_text(keeper, tmp_path):
    ran = []

    def run(text):
        ran.append(text)
        return {"said": text.upper()}

    for text in ("a", "a", "b", "b"):
        assert keeper.kept("name", text, run) == {"said": text.upper()}
    assert ran == ["a", "b"]
    assert len(list((tmp_path / "pages").iterdir())) == 1  # the old one is gone, and no part left


def test_a_folder_is_whole_or_not_there(keeper, tmp_path):
    def broken(folder):
        (folder / "half").write_text("half", "utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keeper.built("site", ("docs",), broken)
    assert [p.name for p in tmp_path.iterdir()] == ["site.lock"]
    made = keeper.built("site", ("docs",), lambda folder: (folder / "all").touch())
    assert keeper.built("site", ("docs",), broken) == made
    assert (made / "all").exists()


def test_another_version_of_a_library_is_another_state(monkeypatch):
    from pages import kept

    before = kept._state.__wrapped__("mkdocs.yml")
    assert before == kept._state.__wrapped__("mkdocs.yml")
    assert before != kept._state.__wrapped__("pyproject.toml")
    monkeypatch.setattr(kept.importlib.metadata, "version", lambda name: "0")
    assert before != kept._state.__wrapped__("mkdocs.yml")
