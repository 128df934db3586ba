"""The notebook of the examples: it is kept without outputs, and runs."""

from __future__ import annotations

import json

import pytest


def test_it_is_kept_without_outputs(root):
    notebook = json.loads((root / "examples" / "verdicts.ipynb").read_text("utf-8"))
    for cell in notebook["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_it_runs_and_shows_every_verdict(root, tmp_path):
    nbclient = pytest.importorskip("nbclient", reason="pip install '.[docs]'")
    nbformat = pytest.importorskip("nbformat", reason="pip install '.[docs]'")
    pytest.importorskip("ipykernel", reason="pip install '.[docs]'")
    pytest.importorskip("matplotlib", reason="pip install '.[report]'")
    notebook = nbformat.read(root / "examples" / "verdicts.ipynb", as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": tmp_path}}
    ).execute()
    shown = [
        output["data"]["text/html"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "execute_result"
    ]
    verdicts = ["refuted", "holds", "holds", "refuted"]
    assert [f'data-verdict="{v}"' in html for v, html in zip(verdicts, shown, strict=True)] == [
        True
    ] * 4
    assert all('src="data:image/svg+xml' in html for html in shown[2:])
