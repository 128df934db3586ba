"""The static audit of the Lean files: clean as they are, and every way to cheat is seen."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreproof.claims import NAMES
from scoreproof.lean import statement_of, status
from scoreproof.lean.audit import audit, audit_source
from scoreproof.lean.conclusions import conclusion, says_nothing
from scoreproof.lean.declarations import declarations
from scoreproof.lean.receipt import CHANGED, CITED, ELSEWHERE, NO_PROOF, NOT, compare, read_receipt
from scoreproof.lean.tokens import LeanSyntaxError, code, tokenize

HEADER = (
    "/-!\n# Title\n\nSource: a sheet.\n\n## Definitions\n\nd\n\n## Main results\n\nr\n\n## Not"
    " proved\n\nn\n-/\n"
)


@pytest.fixture
def project(root, tmp_path):
    """A copy of the Lake project."""
    for name in ("lakefile.lean", "lean-toolchain", "lake-manifest.json"):
        shutil.copy(root / name, tmp_path / name)
    shutil.copytree(root / "lean", tmp_path / "lean")
    return tmp_path


def edit(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def renew(project):
    """Make the receipt's hashes those of the files, as a careless author would."""
    path = project / "lean" / "receipt.json"
    data = json.loads(path.read_text("utf-8"))
    for entry in (*data["files"], *data["other_files"]):
        entry["sha256"] = hashlib.sha256((project / entry["path"]).read_bytes()).hexdigest()
    path.write_text(json.dumps(data), "utf-8")


# --- the repository
# --------------------------------------------------------------------------------------------------


def test_the_lean_files_pass_the_audit(root):
    assert [str(f) for f in audit(root)] == []
    assert compare(root).status in (ELSEWHERE, "verified here")


def test_every_recorded_statement_is_in_its_file(root):
    receipt = read_receipt(root)
    for entry in receipt.data["files"]:
        here = {d.name: d.sha256 for d in declarations((root / entry["path"]).read_text("utf-8"))}
        for recorded in entry["declarations"]:
            assert here[recorded["name"]] == recorded["statement_sha256"], recorded["name"]
        assert len(entry["declarations"]) > 1


def test_cited_theorems_are_the_main_theorems_and_their_axioms_are_the_three(root):
    receipt = read_receipt(root)
    assert set(CITED) == set(receipt.claims)
    assert set(CITED) <= set(NAMES)
    for claim, name in CITED.items():
        assert receipt.claims[claim]["main_theorem"] == name
        assert name in (root / "lean" / "ScoreProof" / "Audit.lean").read_text("utf-8"), (
            "#assert_axioms guards it"
        )
    for entry in receipt.data["files"]:
        for recorded in entry["declarations"]:
            assert set(recorded["direct_axioms"]) <= {"propext", "Classical.choice", "Quot.sound"}


def test_claims_without_a_file_say_so(root):
    found = status()["claims"]
    assert list(found) == list(NAMES)
    for name in NAMES:
        proved = name in CITED
        assert (found[name]["status"] == NO_PROOF) is not proved
        assert (statement_of(name) is None) is not proved
        file = (
            root
            / "lean"
            / "ScoreProof"
            / ("".join(part.capitalize() for part in name.split("_")) + ".lean")
        )
        assert file.is_file() is proved, "one claim, one file of the same stem"


def test_statement_of_keeps_the_line_breaks_of_the_source(root):
    text = statement_of("backprop")
    assert text.startswith(
        "-- ScoreProof.Backprop.homework, in lean/ScoreProof/Backprop.lean: verified"
    )
    assert (
        "theorem homework (h : TopologicalOrder edges nodes) (vout : V) (one : G vout) :\n" in text
    )
    assert not text.rstrip().endswith(":=")


# --- what the audit refuses
# -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cheat",
    [
        "theorem a : 1 = 2 := sorry",
        "theorem a : 1 = 2 := by\n  admit",
        "theorem a : 1 = 2 := by exact sorryAx _ false",
        "axiom a : 1 = 2",
        "theorem a : 1 = 2 := by native_decide",
        "@[implemented_by b] def a := 1",
        '@[extern "b"] def a := 1',
        "unsafe def a := 1",
        "set_option debug.skipKernelTC true in\ntheorem a : 1 = 2 := rfl",
        "theorem a : 1 = 2 := Lean.ofReduceBool _ _ rfl",
        "theorem a : 1 = 2 := «sorryAx» _ false",
        'def a := s!"{(sorry : Nat)}"',
        'def a := s!"{f "x"} {(sorry : Nat)} {g "y"}"',
        "theorem a (h : 1 = 2) : 0 = 1 := by simp [h]; sorryᵀ",
        'macro "easy" : tactic => `(tactic| trivial)',
        'elab "easy" : tactic => pure ()',
        "run_cmd pure ()",
        "#exit\ntheorem a : 1 = 2 := rfl",
        '#eval IO.FS.removeFile "x"',
        "#eval main",
        "#eval! (1 : ℕ)",
        "#eval (do return 1 : ℕ)",
        "#eval (1 : ℕ) |> print",
        "theorem a : True := trivial",
        "theorem a (n : ℕ) : ∀ m : ℕ, n = m → True := fun _ _ => trivial",
        "theorem a (P : Prop) (h : P) : P := h",
        "theorem a (P Q : Prop) : P → Q → P := fun p _ => p",
        "theorem a (P : ℕ → Prop) (h : ∀ n, P n) : (∀ n, P n) := h",
        "variable (P : Prop) (h : P)\ntheorem a : P := h",
        "theorem a (P Q : Prop) (h : P) (k : Q) : P ∧ (True ∧ Q) := ⟨h, trivial, k⟩",
        "theorem a (n : ℕ) : n + 1 = (n + 1) := rfl",
        "theorem a (P : Prop) : P ↔ P := Iff.rfl",
    ],
)
def test_cheats_are_refused(cheat):
    assert audit_source(HEADER + cheat), cheat


@pytest.mark.parametrize(
    "honest",
    [
        "-- sorry\ntheorem a : 1 + 1 = 2 := rfl",
        "/- sorry /- axiom -/ unsafe -/\ntheorem a : 1 + 1 = 2 := rfl",
        "/-- No `sorry` here. -/\ntheorem a : 1 + 1 = 2 := rfl",
        'def a := "sorry"',
        'def a := "a quote \\" and sorry"',
        'def a := r#"a "quoted" sorry"#',
        "def a := '\"'\ndef b := '\\''\ndef c := '-'",
        "def f' (x : ℕ) := x\ndef sorry_not := f' 1",
        "#eval (1 + 1 : ℕ)",
        "#eval ([1, 2].map (· + 1) : List ℕ)",
        "theorem a (P Q : Prop) (h : P) (k : Q) : P ∧ Q := ⟨h, k⟩\n" * 0
        + "theorem a (m n : ℕ) (h : m = n) : n = m := h.symm",
        "theorem a (P Q R : Prop) (h : P → Q) (k : Q → R) : P → R := k ∘ h",
        (
            "section\nvariable (P : Prop) (h : P)\nend\ntheorem a (P Q : Prop) (k : Q → P) (q : Q)"
            " : P := k q"
        ),
        "theorem a : ∃ n : ℕ, n = n → True := ⟨0, fun _ => trivial⟩",
        "theorem a (f : ℕ → ℕ) (h : f = fun n => n) : f 0 = 0 := by rw [h]",
    ],
)
def test_honest_lean_is_not_refused(honest):
    assert [str(f) for f in audit_source(HEADER + honest)] == []


@pytest.mark.parametrize(
    "part", ["# Title", "Source: a sheet.", "## Definitions", "## Main results", "## Not proved"]
)
def test_each_part_of_the_header_is_demanded(part):
    (finding,) = audit_source(HEADER.replace(part, "") + "theorem a : 1 + 1 = 2 := rfl")
    assert "header does not give" in finding.message


def test_a_file_without_header_is_refused_and_audit_may_define_a_command():
    assert "no module header" in audit_source("theorem a : 1 + 1 = 2 := rfl")[0].message
    assert (
        audit_source('/-! # Audit -/\nelab "#a" : command => pure ()', claim=False, meta=True) == []
    )


def test_a_statement_without_end_is_refused():
    (finding,) = audit_source(HEADER + "theorem a : ∀ n : ℕ, n < n + 1\n  | n => n.lt_succ_self")
    assert "does not end in := or where" in finding.message


def test_findings_carry_path_and_line():
    (finding,) = audit_source(
        HEADER + "\n/- a\nb -/ theorem a :\n    1 = 2 := sorry", "lean/X.lean"
    )
    assert str(finding) == f"lean/X.lean:{HEADER.count(chr(10)) + 4}: sorry proves without a proof"


# --- what the comparison sees
# -----------------------------------------------------------------------------------------------


def test_an_edited_file_is_changed(project):
    edit(project / "lean" / "ScoreProof" / "Backprop.lean", "A filtered list", "A sieved list")
    found = compare(project)
    assert (found.status, found.changed) == (CHANGED, ("lean/ScoreProof/Backprop.lean",))
    assert "lean/ScoreProof/Backprop.lean differs from the receipt" in found.reason
    assert status(project)["claims"]["backprop"]["status"] == CHANGED
    assert audit(project)


def test_line_ends_are_bytes(project):
    path = project / "lean" / "ScoreProof" / "Backprop.lean"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert compare(project).status == CHANGED


def test_a_new_file_and_a_missing_file_are_changed(project):
    (project / "lean" / "ScoreProof" / "Tweedie.lean").write_text(
        HEADER + "theorem a : 1 + 1 = 2 := rfl\n", "utf-8"
    )
    assert compare(project).reason.startswith("lean/ScoreProof/Tweedie.lean is not in the receipt")
    (project / "lean" / "ScoreProof" / "Tweedie.lean").unlink()
    (project / "lean" / "ScoreProof" / "Audit.lean").unlink()
    assert compare(project).status == CHANGED
    assert "lean/ScoreProof/Audit.lean is missing" in compare(project).reason


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "theorem homework (h : TopologicalOrder edges nodes)",
            "theorem homework (h : TopologicalOrder edges nodes) (_ : False)",
            "not the one that was compiled",
        ),
        ("theorem homework", "theorem home_work", "in the receipt and not in the file"),
        (
            "theorem homework",
            "theorem extra (n : ℕ) : n + 0 = n := rfl\n\ntheorem homework",
            "not in the receipt",
        ),
        (
            "variable {V : Type*} {G : V → Type*}",
            "variable {V : Type*} {G : V → Type*}\ntheorem extra : 1 = 2 := sorry",
            "sorry proves",
        ),
        ("## Not proved", "## Left out", "header does not give what it does not prove"),
    ],
)
def test_a_renewed_hash_does_not_hide_an_edit(project, old, new, message):
    """Even with the file's hash renewed in the receipt, statements and cheats are seen."""
    edit(project / "lean" / "ScoreProof" / "Backprop.lean", old, new)
    renew(project)
    assert compare(project).status == ELSEWHERE
    assert any(message in str(f) for f in audit(project))


def test_a_receipt_for_another_theorem_is_seen(project):
    edit(
        project / "lean" / "receipt.json",
        '"main_theorem": "ScoreProof.Backprop.homework"',
        '"main_theorem": "ScoreProof.Backprop.loop_iff"',
    )
    assert any("backprop cites ScoreProof.Backprop.homework" in str(f) for f in audit(project))


def test_a_receipt_for_another_revision(project):
    edit(
        project / "lean" / "receipt.json",
        '"toolchain": "leanprover/lean4:v4.27.0"',
        '"toolchain": "leanprover/lean4:v4.26.0"',
    )
    found = compare(project)
    assert found.status == NOT
    assert "another revision (leanprover/lean4:v4.26.0" in found.reason


def test_a_bumped_toolchain_is_another_revision(project):
    (project / "lean-toolchain").write_text("leanprover/lean4:v4.28.0\n", "utf-8")
    assert compare(project).status == NOT
    assert "this project pins leanprover/lean4:v4.28.0" in compare(project).reason


def test_a_broken_manifest_has_its_own_sentence(project):
    (project / "lake-manifest.json").write_text('{"packages": [', "utf-8")
    assert compare(project).status == NOT
    assert "lake-manifest.json cannot be read" in compare(project).reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"toolchain": "t", "mathlib": {"rev": "r"}, "files": [], "other_files": []}',
    ],
)
def test_a_broken_receipt_is_not_verified(project, text):
    (project / "lean" / "receipt.json").write_text(text, "utf-8")
    assert compare(project).status == NOT
    assert "restore it with `git checkout lean/receipt.json`" in compare(project).reason
    assert status(project)["status"] == NOT
    assert len(audit(project)) == 1
    assert NOT in statement_of("backprop", project)


def test_no_receipt_and_no_project(project, tmp_path):
    (project / "lean" / "receipt.json").unlink()
    assert "lean/receipt.json is missing" in compare(project).reason
    assert "has no Lean files" in compare(tmp_path / "nowhere").reason


# --- tokens and statements
# --------------------------------------------------------------------------------------------------


def test_an_ambiguous_comment_is_refused():
    """Read as an empty comment, the string hides the sorry; read as a documentation comment, it
    does not.
    """
    assert (
        "ambiguous" in audit_source(HEADER + '/--/ "-/ theorem a : 1 = 2 := sorry -- "')[0].message
    )


@pytest.mark.parametrize("source", ["/- never", "/- a /- b -/", '"never', 'r#"never"'])
def test_what_does_not_end_is_said(source):
    with pytest.raises(LeanSyntaxError, match="does not end"):
        tokenize(source)
    assert "does not end" in audit_source(source)[0].message


PIECES = st.sampled_from(
    [
        "theorem",
        "«a b»",
        "x.y'",
        "/- c /- d -/ -/",
        "-- e\n",
        '"s\\" /-"',
        'r#"r " -/"#',
        "'\\''",
        "'-'",
        "12",
        ":=",
        "(",
        "→",
        "₀",
        "ℝ",
    ]
)


@given(st.lists(PIECES, max_size=12), st.sampled_from([" ", "\n"]))
def test_tokens_cover_the_source(pieces, blank):
    source = blank.join(pieces)
    tokens = tokenize(source)
    position = 0
    for token in tokens:
        assert source[position : token.start].isspace() or position == token.start
        assert source[token.start : token.end] == token.text
        assert token.line == source.count("\n", 0, token.start) + 1
        position = token.end
    assert not source[position:].strip()
    assert "".join(t.text for t in code(source) if t.kind == "word").count(
        "theorem"
    ) == pieces.count("theorem")


@given(st.lists(st.sampled_from(["/- ", "-/ ", "sorry ", "x ", "- ", "/ ", "\n"]), max_size=14))
def test_nested_comments_hide_exactly_what_lean_hides(pieces):
    depth, visible = 0, 0
    for piece in pieces:  # the model: a counter
        if piece == "/- ":
            depth += 1
        elif piece == "-/ " and depth:
            depth -= 1
        elif piece == "sorry " and not depth:
            visible += 1
    source = "".join(pieces)
    if depth:
        with pytest.raises(LeanSyntaxError):
            tokenize(source)
    else:
        assert sum(t.text == "sorry" for t in code(source)) == visible


def test_names_follow_namespaces_and_sections():
    source = """namespace A.B
section
variable (h : 1 = 1)
theorem c (n : ℕ := 3) : n = n + 0 := rfl
end
theorem _root_.d : f (m := 2) = 1 where
end A.B
noncomputable section Named
def e (x : ℕ) : ℕ := x
end Named
example : 1 = 1 := rfl
"""
    found = declarations(source)
    assert [d.name for d in found] == ["A.B.c", "d", "e", ""]
    assert found[0].statement == "theorem c (n : ℕ := 3) : n = n + 0"
    assert found[1].statement == "theorem _root_.d : f (m := 2) = 1"
    assert found[0].context and not found[1].context


def test_comments_leave_the_statement():
    (found,) = declarations("theorem a /- why -/ (n : ℕ) : -- because\n    n = n + 0 := rfl")
    assert found.statement == "theorem a (n : ℕ) : n = n + 0"


def test_conclusion_of_a_statement_with_premises():
    (found,) = declarations("theorem a {n : ℕ} (h : n = 1) : ∀ m ∈ s, (m = 2 → n < m) := f")
    hypotheses, end = conclusion(found.body, found.context)
    assert end == ("n", "<", "m")
    assert [" ".join(h) for h in hypotheses] == ["ℕ", "n = 1", "m ∈ s", "m = 2"]
    assert says_nothing(found.body, found.context) is None
