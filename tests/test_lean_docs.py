"""What is written about the Lean half agrees with the receipt: the page, the graph,
formalization.yaml, the workflow.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from scoreproof.claims import NAMES
from scoreproof.lean import statement_of
from scoreproof.lean.graph import draw, layers, reduced
from scoreproof.lean.receipt import CITED, COVERED, NO_PROOF, read_receipt

yaml = pytest.importorskip("yaml")


def test_the_graph_is_up_to_date(root):
    drawn = draw(read_receipt(root))
    assert drawn == (root / "docs" / "lean-graph.svg").read_text("utf-8"), (
        "run: python -m scoreproof.lean.graph > docs/lean-graph.svg"
    )


def test_the_graph_shows_every_declaration_inside_the_page(root):
    receipt = read_receipt(root)
    svg = "{http://www.w3.org/2000/svg}"
    tree = ET.parse(root / "docs" / "lean-graph.svg").getroot()
    statements = {title.text for title in tree.iter(f"{svg}title")}
    recorded = [d for entry in receipt.data["files"] for d in entry["declarations"]]
    assert {d["statement"] for d in recorded} <= statements
    boxes = [
        [float(rect.get(k)) for k in ("x", "y", "width", "height")]
        for rect in tree.iter(f"{svg}rect")
        if rect.get("rx")
    ]
    assert len(boxes) == len(recorded)
    for i, (x, y, width, height) in enumerate(boxes):
        assert (
            x >= 0
            and x + width <= float(tree.get("width"))
            and y >= 0
            and y + height <= float(tree.get("height"))
        )
        for u, v, w, h in boxes[:i]:
            assert x + width < u or u + w < x or y + height < v or v + h < y, "boxes overlap"
    assert sum(rect.get("class") == "main" for rect in tree.iter(f"{svg}rect")) == len(CITED)


def test_reduction_keeps_what_can_be_reached(root):
    declarations = {
        d["name"]: tuple(d["uses"])
        for entry in read_receipt(root).data["files"]
        for d in entry["declarations"]
    }

    def below(graph, name):
        return set(graph[name]).union(*(below(graph, used) for used in graph[name]))

    small = reduced(declarations)
    assert sum(map(len, small.values())) < sum(map(len, declarations.values()))
    for name in declarations:
        assert below(small, name) == below(declarations, name)
    with pytest.raises(ValueError, match="in a circle: a → b → a"):
        layers({"a": ("b",), "b": ("a",)})


def test_the_page_sets_every_claim_and_quotes_the_compiled_statement(root):
    text = (root / "docs" / "lean.md").read_text("utf-8")
    for name in NAMES:
        (row,) = re.findall(rf"^\| `{name}` \|.*$", text, re.M)
        assert (NO_PROOF in row) is (name not in CITED)
        if name in CITED:
            assert CITED[name] in row
            assert statement_of(name).split("\n", 1)[1] in text
    receipt = read_receipt(root)
    names = {
        d["name"].rpartition(".")[2]
        for entry in receipt.data["files"]
        for d in entry["declarations"]
    }
    for cited in re.findall(r"^\| `([a-zA-Z0-9_]+)` \| (?!\| no Lean|\[)", text, re.M):
        assert cited in names
    assert receipt.mathlib in text
    for word in ("propext", "Classical.choice", "Quot.sound", "lean4checker", "comparator"):
        assert word in text


def test_what_is_proved_of_backprop_is_said_wherever_it_is_called_proved(root):
    """The cited theorem and those behind it speak of no paths."""
    assert "path" not in (root / "lean" / "ScoreProof" / "Backprop.lean").read_text("utf-8")
    assert COVERED["backprop"].endswith("not the sum over paths")
    said = "two loops and the chain rule: **proved**; sum over paths: not"
    assert said in (root / "docs" / "theory" / "index.md").read_text("utf-8")
    assert said.replace("**", "").split(";")[0] in (root / "docs" / "lean.md").read_text("utf-8")
    page = " ".join((root / "docs" / "theory" / "backprop.md").read_text("utf-8").split())
    assert "the sum over paths (step 5) is not proved in Lean." in page


def test_only_the_claims_with_a_theorem_are_called_stated(root):
    text = " ".join((root / "docs" / "faq.md").read_text("utf-8").split())
    assert list(CITED) == ["backprop"]
    assert "One claim, `backprop`, is stated and proved in Lean 4" in text
    assert "The other six are not stated in Lean yet" in text


def test_the_page_says_which_theorem_the_audit_restates(root):
    audit = (root / "lean" / "ScoreProof" / "Audit.lean").read_text("utf-8")
    restated = re.findall(r"^example .*?:=\n  (\w+)", audit, re.M | re.S)
    page = " ".join((root / "docs" / "lean.md").read_text("utf-8").split())
    (told,) = re.findall(r"`Audit.lean` states the equality of the two loops, `(\w+)`", page)
    assert restated == [told]


def test_formalization_yaml_agrees_with_the_receipt(root):
    data = yaml.safe_load((root / "formalization.yaml").read_text("utf-8"))
    receipt = read_receipt(root)
    results = {r["claim"]: r for r in data["status"]["main_results"]}
    assert {c: (r["declaration"], r["file"]) for c, r in results.items()} == {
        c: (CITED[c], e["path"]) for c, e in receipt.claims.items()
    }
    statements = {s["claim"]: s for s in data["alignment"]["statements"]}
    assert list(statements) == list(NAMES)
    for name, entry in statements.items():
        assert entry["status"] == ("proved" if name in CITED else "not-formalized")
        assert entry["lean"] == CITED.get(name, "")
    for required in ("name", "authors", "license"):
        assert data["project"][required]
    assert (
        data["automation"]["methods"][0]["method"]
        and data["review"]["status"]
        and data["sources"][0]["id"]
    )


def test_the_workflow_pins_every_action_and_runs_both_halves(root):
    text = (root / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    for line in re.findall(r"uses: .*", text):
        assert re.fullmatch(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    jobs = yaml.safe_load(text)["jobs"]
    assert jobs["python"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    (action,) = [
        step
        for step in jobs["lean"]["steps"]
        if step.get("uses", "").startswith("leanprover/lean-action@")
    ]
    assert (
        action["with"]["leanchecker"] is True
        and action["with"]["use-mathlib-cache"] is True
        and action["with"]["build"] is True
    )
    assert jobs["both"]["needs"] == ["python", "lean"]
    makefile = (root / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"run: make ((?:\w+ ?)+)", text)):
        for name in target.split():
            assert re.search(rf"^{name}:", makefile, re.M), f"ci.yml names make {name}"
