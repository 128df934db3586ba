"""The notebook of the examples: it is kept without outputs, and runs."""

from __future__ import annotations

import ast
import json

import pytest


def test_it_is_kept_without_outputs(root):
    notebook = json.loads((root / "examples" / "verdicts.ipynb").read_text("utf-8"))
    for cell in notebook["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_it_runs_and_shows_every_verdict(root, tmp_path, monkeypatch):
    """Cell by cell, as a kernel does: a cell shows the value of its last expression."""
    pytest.importorskip("matplotlib", reason="pip install '.[report]'")
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((root / "examples" / "verdicts.ipynb").read_text("utf-8"))
    assert notebook["nbformat"] == 4
    namespace: dict = {"__name__": "__main__"}
    shown = []
    for k, cell in enumerate(c for c in notebook["cells"] if c["cell_type"] == "code"):
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, f"cell {k}", "exec"), namespace)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), f"cell {k}", "eval"), namespace)
            shown.append(value._repr_html_())
    verdicts = ["refuted", "holds", "holds", "refuted"]
    assert [f'data-verdict="{v}"' in html for v, html in zip(verdicts, shown, strict=True)] == [
        True
    ] * 4
    assert all('src="data:image/svg+xml' in html for html in shown[2:])
