"""``scoreproof lean --audit PATH``: planted faults are found at their lines, honest Lean is left
alone, and wrong paths get one sentence.
"""

from __future__ import annotations

import json
import os
import sys

import pytest

from scoreproof.lean import main
from scoreproof.lean.foreign.files import sources
from scoreproof.lean.foreign.findings import DOUBTFUL, KINDS, NOTE, SERIOUS
from scoreproof.lean.foreign.project import Audited, audit_project, audit_text
from scoreproof.lean.foreign.report import NOTHING

IMPORT = "import Mathlib\n\nopen MeasureTheory\n\n"

#: (kind, the code, the line in it on which the finding stands)
PLANTED = [
    ("axiom", "axiom score_exists (p : ℝ → ℝ) :\n    ∃ s : ℝ → ℝ, Continuous s", 1),
    ("axiom", "namespace A\n  @[simp] axiom magic : 1 = 2\nend A", 2),
    ("sorry", "theorem a : 1 + 1 = 2 := by\n  have h := 3\n  sorry", 3),
    ("sorry", "theorem a : 1 + 1 = 2 := by\n  admit", 2),
    ("sorry", 'macro "close" : tactic =>\n  `(tactic| sorry)', 2),
    ("sorry", "def f (n : ℕ) : ℕ := by\n  exact n +\n    (sorry : ℕ)", 3),
    ("sorry", "example : 2 = 3 := sorryAx _", 1),
    ("sorry", 'def s := s!"{(sorry : ℕ)}"', 1),
    ("sorry", "instance : Group ℕ where\n  mul_assoc := sorry", 2),
    ("stop", "theorem a : 1 + 1 = 2 := by\n  norm_num\n  stop\n  exact b", 3),
    ("stop", "theorem a : (2 : ℕ) = 3 := by\n  stop\n  rfl", 2),
    ("stop", "theorem a : (2 : ℕ) = 3 := by stop rfl", 1),
    ("stop", "theorem a : (2 : ℕ) = 3 := by skip; stop rfl", 1),
    ("sorry", "set_option debug.byAsSorry true\ntheorem a : 1 + 1 = 3 := by norm_num", 1),
    (
        "axiom made by code",
        "open Lean in\nrun_cmd liftCoreM <| addDecl <| .axiomDecl {name := `a, type := t}",
        2,
    ),
    ("axiom made by code", "run_cmd addDecl (Declaration.axiomDecl v)", 1),
    ("environment", "run_cmd do\n  Lean.addDecl d", 2),
    ("closes goals", 'elab "magic" : tactic => do\n  let g ← getMainGoal\n  g.admit', 3),
    ("assumes everything", "class Cheat where\n  bad : ∀ p : Prop, p", 2),
    ("assumes everything", "class Cheat where\n  n : ℕ\n  bad (x : ℕ) : ∀ (p : Prop), p", 3),
    ("assumes everything", "structure Cheat : Type where\n  bad : False\n  n : ℕ", 2),
    ("exists only", "theorem a : ∃ s : ℝ → ℝ, True := ⟨id, trivial⟩", 1),
    ("trivial notation", 'local notation a " =ₐ " b => True', 1),
    (
        "hypothesis applied",
        "theorem a (p : ℝ → ℝ) (h : ∀ x, Score p x = -x) (y : ℝ) : Score p y = -y := h y",
        1,
    ),
    (
        "hypothesis applied",
        "theorem a (h : ∀ x : ℝ, f x = 0) (y : ℝ) : f y = 0 := by\n  exact h y",
        1,
    ),
    ("native", "theorem a : 2 ^ 61 % 7 = 2 := by\n  native_decide", 2),
    ("native", "theorem a : 2 ^ 61 % 7 = 2 := by\n  decide +native", 2),
    ("native", "theorem a : 2 ^ 6 % 7 = 1 := by decide (config := { native := true })", 1),
    ("native", "theorem a (x : BitVec 8) : x &&& x = x := by\n  bv_decide", 2),
    ("native", "theorem a : f 3 = true :=\n  Lean.ofReduceBool _ _ rfl", 2),
    ("no kernel", "set_option debug.skipKernelTC true in\ntheorem a : 1 + 1 = 2 := rfl", 1),
    (
        "false from an axiom",
        "axiom bad : False\ntheorem a : 1 + 1 = 3 :=\n  False.elim bad",
        3,
    ),
    ("false from an axiom", "axiom bad : False\ntheorem a : 1 + 1 = 3 := bad.elim", 2),
    ("an axiom's theorem", "axiom A.ax : 1 = 2\ntheorem A.a : 2 = 1 := by\n  rw [A.ax]", 2),
    ("says nothing", "theorem tweedie (μ : Measure ℝ) : True := trivial", 1),
    ("says nothing", "theorem tweedie (x : ℝ) : x + 1 = (x + 1) := by rfl", 1),
    ("says nothing", "theorem tweedie (x : ℝ) (h : 0 < x) : x + 1 ≤ x + 1 := by rfl", 1),
    ("repeats a hypothesis", "theorem main (p : Prop) (h : p) : p := h", 1),
    ("repeats a hypothesis", "theorem main (p q : Prop) : p → q → p := fun h _ => h", 1),
    ("repeats a hypothesis", "theorem main (f : ℕ → ℕ) (h : ∀ n, f n = n) : ∀ n, f n = n := h", 1),
    ("restates a hypothesis", "theorem main (x y : ℝ) (h : x < y) : y > x := h", 1),
    ("restates a hypothesis", "theorem main (h : ∀ n : ℕ, 0 < f n) : ∀ m : ℕ, 0 < f m := h", 1),
    ("restates a hypothesis", "theorem main (x y : ℝ) (h : ¬ x = y) : x ≠ y := h", 1),
    ("conjunct", "theorem main (x : ℝ) (h : 0 < x ∧ x < 1) : x < 1 := h.2", 1),
    ("contradiction", "theorem a (x y : ℝ) (h : x < y) (h' : y ≤ x) : x = 7 := by linarith", 1),
    ("contradiction", "theorem a (x y : ℝ) (h : x < y) (h' : x ≥ y) : x = 7 := by linarith", 1),
    ("contradiction", "theorem a (s : Set ℝ) (h : x ∈ (∅ : Set ℝ)) : f x = 7 := by simp at h", 1),
    ("contradiction", "theorem a (h : False) : f x = 7 := h.elim", 1),
    ("contradiction", "theorem a (n : ℕ) (h : n < 0) : n = 7 := by omega", 1),
    ("contradiction", "theorem a (n : ℕ) (h : 0 < 0) : n = 7 := by omega", 1),
    ("contradiction", "theorem a (p : Prop) (h : p) (h' : ¬ p) : f x = 7 := (h' h).elim", 1),
    ("contradiction", "theorem a (σ : ℝ) (h : 1 < σ) (h' : σ ≤ 1/2) : σ = 7 := by linarith", 1),
    ("contradiction", "theorem a (h : x = y) (h' : y ≠ x) : x = 7 := by tauto", 1),
    ("contradiction", "theorem a (x : ℝ) (h : 0 < x ∧ x < 0) : x = 7 := by linarith", 1),
    ("contradiction", "theorem a (x : ℝ) :\n  x < 0 → 0 < x → x = 7 := by intros; linarith", 1),
    ("contradiction", "variable (h : False)\ninclude h\ntheorem a : f x = 7 := h.elim", 3),
    (
        "contradiction",
        "variable (h : x < 0)\ntheorem a (k : 0 < x) : f x = 7 := by\n  linarith [h]",
        2,
    ),
    ("contradiction", "theorem a [Fact False] : f x = 7 := Fact.out", 1),
    ("contradiction", "theorem a [Fact (1 = 2)] : f x = 7 := by simp_all", 1),
    ("contradiction", "theorem a (h : (0 : ℕ) = 1) : f x = 7 := by omega", 1),
    ("contradiction", "theorem a (h : ∀ x : ℝ, x < 0) : f x = 7 := by linarith [h 1]", 1),
    ("contradiction", "theorem a (h : ∀ n : ℤ, c ≤ n) : f x = 7 := by linarith [h (c - 1)]", 1),
    ("contradiction", "theorem a (h : ∀ p : Prop, p) : f x = 7 := h _", 1),
    ("contradiction", "theorem a (x : ℝ) (h : x = 1) (h' : x = 2) : f x = 7 := by linarith", 1),
    ("contradiction", "theorem a (x : ℤ) (h : x = 1) (h' : 2 = x) : f x = 7 := by linarith", 1),
    ("contradiction", "variable (h : (1:ℕ) = 2)\ninclude h\ntheorem a : f x = 7 := by omega", 3),
    ("contradiction", "theorem a (x : Fin 0) : f x = 7 := by fin_cases x", 1),
    ("contradiction", "theorem a (x : Empty) : f x = 7 := nomatch x", 1),
    ("contradiction", "theorem a (σ : ℝ) (h : σ ^ 2 < 0) : σ = 5 := by nlinarith", 1),
    ("contradiction", "theorem a (σ : ℝ) (h : |σ| < 0) : σ = 5 := by simp_all", 1),
    ("contradiction", "theorem a (h : ‖f x‖ < 0) : g x = 5 := by simp_all", 1),
    ("constant", "def IsScore (s : ℝ → ℝ) (p : ℝ → ℝ) : Prop := True", 1),
    ("constant", "def HasDensity (μ : Measure ℝ) : Prop :=\n  True", 1),
    ("constant", "def Valid : ℕ → Prop\n  | 0 => True\n  | _ + 1 => True", 1),
    ("constant", "structure IsSampler (f : ℝ → ℝ) : Prop where\n  good : True", 1),
    ("constant", "def IsFine (f : ℝ → ℝ) : Prop := ∀ x : ℝ, f x = f x", 1),
    ("constant", "def Sound (n : ℕ) : Prop :=\n  True ∧ n = n", 1),
    ("constant", "def Inner (n : ℕ) : Prop := True\ndef Outer (n : ℕ) : Prop := Inner (n + 1)", 2),
    (
        "says nothing",
        "def GoodSampler (f : ℝ → ℝ) : Prop := True\n"
        "theorem a (f : ℝ → ℝ) : GoodSampler f := trivial",
        2,
    ),
    (
        "says nothing",
        "namespace C\nstructure Converges (f : ℝ → ℝ) : Prop where\n  tends : True\n"
        "  unique (x y : ℝ) :\n    x = x\nend C\n"
        "theorem C.main (f : ℝ → ℝ) (h : 0 < f 0) : C.Converges f ∧ True := ⟨h', _⟩",
        7,
    ),
    (
        "says nothing",
        "def Mild (n : ℕ) : Prop := True\ndef Milder (n : ℕ) : Prop := ∀ m, Mild (n + m)\n"
        "theorem a : ∀ n : ℕ, 0 < n → Milder n := fun _ _ _ => trivial",
        3,
    ),
    (
        "assumed by a class",
        "class Riemann where\n  zeros : ∀ s : ℂ, zeta s = 0 → s.re = 1 / 2\n"
        "theorem a [Riemann] (s : ℂ) (h : zeta s = 0) : s.re = 1 / 2 := Riemann.zeros s h",
        3,
    ),
    (
        "assumed by a class",
        "class Axioms (f : ℝ → ℝ) : Prop where\n  lipschitz : ∃ K, LipschitzWith K f\n"
        "variable (f : ℝ → ℝ) [Axioms f]\n"
        "theorem a : ∃ K, LipschitzWith K f := by\n  exact Axioms.lipschitz",
        4,
    ),
    ("constant value", "noncomputable def klDiv (μ ν : Measure ℝ) : ℝ := 0", 1),
    ("shadowed", 'local infix:50 " = " => fun a b => True', 1),
    ("shadowed", 'local notation:50 a " ≤ " b => True', 1),
    ("shadowed", 'local notation "∫ " f => (0 : ℝ)', 1),
    ("shadowed", "macro_rules\n  | `($a = $b) => `(True)", 1),
    ("shadowed", 'local notation "True" => False', 1),
    ("shadowed", 'local notation "ℝ" => ℚ', 1),
    ("shadowed", 'macro "theorem " n:ident ":" t:term : command => `(axiom $n : $t)', 1),
    ("shadowed operator", 'local infixl:65 " + " => fun a b => a', 1),
    ("shadowed name", "namespace B\ndef Continuous (f : ℝ → ℝ) : Prop := f = f\nend B", 2),
    ("trivial instance", "instance : LE Foo := ⟨fun _ _ => True⟩", 1),
    ("trivial instance", "instance : LE Foo where\n  le _ _ := True", 2),
    ("only evaluated", "def f (n : ℕ) := n + 1\n#eval f 1 = 2", 2),
    ("environment", "run_cmd do\n  Lean.setEnv e", 2),
    ("closes goals", 'elab "close" : tactic => do\n  (← getMainGoal).admitGoal\n  g.admitGoal', 3),
    ("repeats a variable", "variable (h : 0 < σ)\ninclude h\nlemma a : 0 < σ := h", 3),
    ("hidden", "set_option warn.sorry false", 1),
    ("other code", '@[extern "c_add"] def add (a b : ℕ) : ℕ := a + b', 1),
    ("other code", "@[implemented_by fast] def slow (n : ℕ) : ℕ := n", 1),
    ("unsafe", "unsafe def f (n : ℕ) : ℕ := n", 1),
    ("opaque", "opaque score : ℝ → ℝ", 1),
    ("partial", "partial def f (n : ℕ) : ℕ := f (n + 1)", 1),
    ("autoImplicit", "set_option autoImplicit true", 1),
    ("maxHeartbeats 0", "set_option maxHeartbeats 0 in\ntheorem a : 1 + 1 = 2 := rfl", 1),
    ("search", "theorem a : 1 + 1 = 2 := by\n  exact?", 2),
    ("unused hypothesis", "theorem a (x : ℝ)\n    (hx : 0 < x) : x + 0 = x := by simp", 2),
    ("name", "theorem foo_le_bar (x : ℝ) : foo x = bar x := by rfl'", 1),
    ("name", "theorem foo_iff (x : ℝ) : foo x ≤ bar x := by rfl'", 1),
    ("name", "theorem kl_eq_zero_iff (a b : ℝ) : a = b → a - b = 0 := by simp_all", 1),
    ("name", "theorem foo_eq_bar (x : ℝ) : foo x < bar x := by rfl'", 1),
    ("name", "theorem foo_pos (x : ℝ) : 0 ≤ foo x := by rfl'", 1),
    ("name", "theorem foo_ne_zero (x : ℝ) : 0 < foo x := by rfl'", 1),
    ("name", "theorem exists_foo (x : ℝ) : foo x = 0 := by rfl'", 1),
    ("name", "theorem tendsto_foo (x : ℝ) : foo x = 0 := by rfl'", 1),
    ("name", "theorem hasDerivAt_foo (x : ℝ) : slope foo x = 0 := by rfl'", 1),
    ("name", "theorem integrable_foo (x : ℝ) : foo x = 0 := by rfl'", 1),
    ("name", "theorem foo_unique (x : ℝ) : foo x < 0 := by rfl'", 1),
    ("not guarded", "theorem main_theorem (x : ℝ) : x < x + 1 := by linarith", 1),
    ("trivial example", "example (x : ℝ) : x = x := rfl", 1),
]


def audited(source: str) -> Audited:
    into = Audited(None)
    audit_text(source, "A.lean", into)
    return into


def test_every_planted_fault_is_found_at_its_line(tmp_path):
    """All in one project, so that no finding hides another."""
    for number, (_, code, _) in enumerate(PLANTED):
        (tmp_path / f"F{number:03}.lean").write_text(IMPORT + code + "\n", "utf-8")
    found = audit_project(sources(tmp_path))
    places = {
        (f.path, f.line, "other code" if f.kind == "compiled" else f.kind) for f in found.findings
    }
    missing = [
        (code, kind)
        for number, (kind, code, line) in enumerate(PLANTED)
        if (f"F{number:03}.lean", line + IMPORT.count("\n"), kind) not in places
    ]
    assert not missing
    assert found.files == len(PLANTED) and not found.unread
    order = [(SERIOUS, DOUBTFUL, NOTE).index(f.weight) for f in found.findings]
    assert order == sorted(order)
    kinds = {kind for kind, *_ in PLANTED} | {"compiled"}
    assert kinds == set(KINDS), "each kind of finding has a planted fault"


def test_a_planted_fault_gives_no_other_serious_finding():
    for kind, code, _ in PLANTED:
        if KINDS[kind][0] != SERIOUS:
            assert not [
                str(f)
                for f in audited(IMPORT + code).findings
                if f.weight == SERIOUS and f.kind != "axiom"
            ]


@pytest.mark.parametrize(
    "honest",
    [
        "-- sorry\ntheorem sorryFree : 1 + 1 = 2 := rfl",
        "/- axiom /- sorry -/ native_decide -/\n/-- No `sorry`, no `admit`. -/\ndef a := 1",
        'def a := "sorry \\" axiom"\ndef b := r#"a "quoted" sorry"#\ndef c := \'"\'',
        "def «sorry» := 1\ndef d := foo.sorry",
        "theorem abs_le (x : ℝ) (h : x = 0) :\n    |x| ≤ 1 := by simp [h]",
        "theorem f_pos : ∀ n : ℕ, 0 < f n\n  | 0 => one_pos\n  | n + 1 => f_pos n",
        "theorem a (x y : ℝ) (h : x < y) (h' : y ≤ x) : False := by linarith",
        "theorem lt_elim (x y : ℝ) (h : x < y) (h' : y ≤ x) : P := by linarith",
        "theorem a (P : Prop) (h : False) : P := h.elim",
        "theorem a (h : (1 : R) = 0) (x : R) : x = 0 := by simp [eq_zero_of_one h]",
        "theorem a (s t : Set ℝ) (h : x ∈ s) (h' : x ∈ t) : x ∈ s ∩ t := ⟨h, h'⟩",
        "theorem a (h : ∀ᵐ x ∂μ, f x = 0) : ∀ᵐ x ∂ν, f x = 0 := ν_le.ae_le h",
        "theorem a (h : f =ᵐ[μ] g) : g =ᵐ[μ] f := h.symm",
        "variable (h : x < 0)\ntheorem a (k : 0 < x) : f x = x := by simp [k]",
        "variable [Fact (0 < 1)]\ntheorem a (k : 0 < x) : f x = x := by simp [k]",
        "theorem le_refl' (x : ℝ) : x ≤ x := le_rfl",
        "@[aesop unsafe apply] theorem a (x : ℝ) : x < x + 1 := lt_add_one x",
        "theorem card_le (s : Finset ℕ) :\n    #s ≤ #s + 1 := by simp",
        "theorem getElem_append_lt (h : i < xs.length) : (xs ++ ys)[i] = xs[i] := by simp",
        "theorem dif_pos (h : p) : f h = 1 := by simp [h]",
        "theorem le_of_eq_of_lt (h : a = b) (h' : b < c) : a < c ∧ 0 < 1 := by simp [h, h']",
        "def one (x : ℝ) : ℝ := 1\ndef isEmpty : List ℕ → Prop\n  | [] => True\n  | _ => False",
        'local notation "ℝ" => Real\ninfixr:85 " ⊢ " => proves',
        'notation a " ≡ " b " [M " c "]" => f a b c',
        "def a (start stop : ℕ) : ℕ :=\n  f start\n    stop",
        "structure Foo (x : ℝ) : Prop where\n  pos : 0 < x\n  isTrue : x = x → True",
        "theorem t (h : let y := 2; x = y) : x = 2 := h",
        "mutual\ntheorem a : 1 < 2 := by simp\ntheorem b : 1 < 2 := by simp\nend",
        "irreducible_def score (x : ℝ) : ℝ := -x\nalias foo := bar",
        "@[to_additive (attr := simp)] lemma m (a b : G) (h : a = b) : b = a := h.symm",
        "theorem a.{u} {α : Type u} (x y : α) (h : x = y) : y = x := h ▸ rfl",
        "open Classical in\nvariable (h : p) in\ninclude h in\ntheorem a : q := f h",
        "theorem t : ∃ n : ℕ, n = n → True := ⟨0, fun _ => trivial⟩",
        "theorem t (a b : ℝ) {h : 0 < a} (hb : 0 < b) : 0 < a + b := by positivity",
        "lemma x (s : ℝ) : ∫ y in Set.Ioc 0 1, f y ∂μ = s → s < 1 := fun h => h ▸ g",
        "theorem t (x : ℝ) (hx : x ≠ 0) : f x = 0 := by\n  rwa [f_iff]",
        "theorem t (x : ZMod 1) (h : x = 1) (h' : x = 2) : f x = 0 := by simp [h, ← h']",
        "theorem t (h : ∀ n : ℕ, 0 ≤ n) (g : ∀ x : ℝ, x ≤ x) : f 1 = 0 := by simp [h, g]",
        "theorem t (h : (0 : R) = 1) (x y : R) : x = y := eq_of_zero_eq_one h x y",
        "theorem t (z : ℂ) (h : z ^ 2 < 0) : z.re = 0 := by simp_all",
        "theorem t (x : ℝ) (h : x ^ 3 < 0) : x < 0 := by simp_all",
        "theorem t (n : Fin 3) (h : |x| - |y| < 0) : f n = |x| := by simp_all",
        "class Good (α : Type) : Prop where\n  total : ∀ p : α, p = p ∨ False\n  n : ℕ → False",
        "theorem t : ∃ x : ℝ, x = x → True := ⟨0, fun _ => trivial⟩",
        "theorem t (h : ∀ x : ℝ, f x = 0) (y : ℝ) : f y + f y = 0 := by simp [h]",
        'notation "⟪" x "⟫" => inner x x',
    ],
)
def test_honest_lean_has_nothing_to_answer_for(honest):
    assert [str(f) for f in audited(IMPORT + honest).findings] == []


CLEAN = """
/-- The score of a Gaussian of variance `σ ^ 2`, number {n}. -/
noncomputable def gaussianScore{n} (σ x : ℝ) : ℝ := -x / σ ^ 2

lemma gaussianScore{n}_neg (σ x : ℝ) : gaussianScore{n} σ (-x) = -gaussianScore{n} σ x := by
  simp [gaussianScore{n}, neg_div]

@[simp]
lemma gaussianScore{n}_zero (σ : ℝ) : gaussianScore{n} σ 0 = 0 := by simp [gaussianScore{n}]

theorem gaussianScore{n}_nonneg_iff {{σ x : ℝ}} (hσ : 0 < σ) :
    0 ≤ gaussianScore{n} σ x ↔ x ≤ 0 := by
  rw [gaussianScore{n}, le_div_iff₀ (by positivity), zero_mul, neg_nonneg]

theorem hasDerivAt_gaussianScore{n} (σ x : ℝ) :
    HasDerivAt (gaussianScore{n} σ) (-1 / σ ^ 2) x := by
  simpa [gaussianScore{n}] using (hasDerivAt_id x).neg.div_const (σ ^ 2)

theorem exists_gaussianScore{n}_eq {{σ : ℝ}} (hσ : σ ≠ 0) (y : ℝ) : ∃ x, gaussianScore{n} σ x = y :=
  ⟨-y * σ ^ 2, by simp [gaussianScore{n}, mul_div_assoc, div_self (pow_ne_zero 2 hσ)]⟩

theorem tendsto_gaussianScore{n} (σ : ℝ) :
    Filter.Tendsto (gaussianScore{n} σ) (nhds 0) (nhds 0) := by
  have h := (hasDerivAt_gaussianScore{n} σ 0).continuousAt.tendsto
  rwa [gaussianScore{n}_zero] at h

theorem gaussianScore{n}_strictAnti {{σ : ℝ}} (hσ : 0 < σ) {{x y : ℝ}} (h : x < y) :
    gaussianScore{n} σ y < gaussianScore{n} σ x := by
  unfold gaussianScore{n}
  gcongr

instance (n : ℕ) [NeZero n] : Nonempty (Fin n) := ⟨⟨0, Nat.pos_of_neZero n⟩⟩

theorem sum_range_id{n} : ∀ n : ℕ, 2 * ∑ i ∈ Finset.range (n + 1), i = n * (n + 1)
  | 0 => by simp
  | n + 1 => by
    rw [Finset.sum_range_succ, mul_add, sum_range_id{n} n]
    ring
termination_by n => n
"""


@pytest.mark.parametrize(
    "honest",
    [
        "class Shift (f : ℝ → ℝ) : Prop where\n  by_one : ∀ x, f (x + 1) = f x + 1\n"
        "instance : Shift id where\n  by_one _ := rfl\n"
        "theorem shift (f : ℝ → ℝ) [Shift f] (x : ℝ) : f (x + 1) = f x + 1 := Shift.by_one x",
        "structure Fine (f : ℝ → ℝ) : Prop where\n  good : True\n  pos : 0 < f 0\n"
        "theorem fine (f : ℝ → ℝ) (h : 0 < f 0) : Fine f := ⟨trivial, h⟩",
        "structure Part (n : ℕ) : Prop extends Whole n where\n  more : True\n"
        "theorem part (n : ℕ) (h : Whole n) : Part n := ⟨h, trivial⟩",
        "def Small (n : ℕ) : Prop := n = n ∧ n < 5\ntheorem small : Small 3 := by decide",
        "namespace B\ndef Even (n : ℕ) : Prop := n % 2 = 0\nend B\ntheorem even : B.Even 4 := rfl",
        "def P (n : ℕ) : Prop := n = n → 0 < n\ntheorem p : P 1 := fun _ => one_pos",
        "def Either (n : ℕ) : Prop := True ∨ 0 < n\ntheorem e : ∃ n, Either n := ⟨1, h⟩",
    ],
)
def test_honest_predicates_and_classes_have_nothing_serious(honest, tmp_path):
    (tmp_path / "A.lean").write_text(IMPORT + honest + "\n", "utf-8")
    found = audit_project(sources(tmp_path)).findings
    assert not [str(f) for f in found if f.weight in (SERIOUS, DOUBTFUL)]


def test_a_predicate_of_another_file_is_looked_into(tmp_path):
    (tmp_path / "Defs.lean").write_text("def IsExact (n : ℕ) : Prop :=\n  True\n", "utf-8")
    text = "import Defs\ntheorem main : IsExact 3 := trivial\n"
    (tmp_path / "Main.lean").write_text(text, "utf-8")
    found = [str(f) for f in audit_project(sources(tmp_path)).findings]
    assert any(f.startswith("Main.lean:2: serious: main concludes with IsExact") for f in found)


def test_a_clean_project_has_no_finding(tmp_path):
    (tmp_path / "lakefile.toml").write_text('name = "clean"\n[leanOptions]\nautoImplicit = false\n')
    for part in range(3):
        text = IMPORT + "namespace Clean\n\nsection\n"
        text += "".join(CLEAN.format(n=5 * part + n) for n in range(5))
        (tmp_path / f"Part{part}.lean").write_text(text + "\nend\n\nend Clean\n", "utf-8")
    (tmp_path / "Audit.lean").write_text("import Part0\n#print axioms Clean.sum_range_id0\n")
    found = audit_project(sources(tmp_path))
    assert (found.files, found.theorems) == (4, 120)
    assert [str(f) for f in found.findings] == []
    assert found.maybe, "0 < σ is found by positivity, if at all"


def test_our_own_files_have_no_finding(root, capsys):
    assert main(["--audit", str(root / "lean")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == NOTHING


# --- the command
# --------------------------------------------------------------------------------------------------


@pytest.fixture
def audit(tmp_path, capsys):
    """Write files, run the command; returns its status, its lines and what it said of errors."""

    def run(*options: str, path: str = ".", **files: str | bytes):
        for name, text in files.items():
            place = tmp_path / (name.replace("__", "/") + ".lean")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text if isinstance(text, bytes) else text.encode())
        code = main(["--audit", str(tmp_path / path), *options])
        said = capsys.readouterr()
        return code, said.out.splitlines(), said.err

    return run


def test_status_and_last_line(audit):
    code, lines, _ = audit(A="theorem a : 1 + 1 = 2 := rfl\n#print axioms a\n")
    assert (code, lines[-1]) == (0, NOTHING)
    code, lines, _ = audit(B="unsafe def f := 1\n")
    assert (code, lines[-1]) == (0, "1 finding: 0 serious, 0 doubtful, 1 note")
    code, lines, _ = audit(C="theorem b : 1 = 2 := sorry\n")
    assert code == 1
    assert lines[0] == "C.lean:1: serious: sorry proves nothing; finish the proof"
    assert lines[-1] == "2 findings: 1 serious, 0 doubtful, 1 note"
    assert not any("verified" in line for line in lines)
    assert any("a text audit cannot see" in line and "elaboration" in line for line in lines)


def test_one_file(audit):
    code, lines, _ = audit(path="A.lean", A="axiom a : 1 = 2\n", B="axiom b : 1 = 2\n")
    assert (code, lines[-1]) == (1, "1 finding: 1 serious, 0 doubtful, 0 notes")


def test_what_is_left_out(audit, tmp_path):
    bad = "axiom a : 1 = 2\n"
    good = "def a := 1\n"
    code, lines, _ = audit(
        A=good, **{".lake__packages__B": bad, "build__C": bad, ".git__D": bad, "sub__E": good}
    )
    assert (code, lines[-1]) == (0, NOTHING)
    assert "read: 2 files, 0 theorems; left out: .lake, build" in lines
    os.symlink(tmp_path, tmp_path / "sub" / "round")
    assert "read: 2 files, 0 theorems; left out: .lake, build" in audit()[1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"theorem a : 1 = 2 := \xff\n", "is not UTF-8 (byte 21 is 0xff)"),
        (b"/- never", "line 1: a comment does not end"),
        (b'def a := "never', "line 1: a string does not end"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_and_the_rest_goes_on(audit, text, why):
    code, lines, _ = audit(A=text, B="def b := 1\n")
    assert code == 2
    assert lines[0].startswith("A.lean: ") and why in lines[0]
    assert lines[-1] == NOTHING + "; 1 file could not be read"
    code, lines, _ = audit(C="axiom c : 1 = 2\n")
    assert code == 1
    assert lines[-1].endswith("; 1 file could not be read")


def test_wrong_paths_are_usage(audit, tmp_path, capsys):
    (tmp_path / "README.md").write_text("no Lean")
    for path, words in (
        ("nowhere", "does not exist; pass a Lake project's folder or a .lean file"),
        ("README.md", "is not a Lean file; pass a .lean file or a project's folder"),
        (".", "no .lean file under"),
    ):
        code, lines, error = audit(path=path)
        assert (code, lines) == (2, [])
        assert words in error and error.count("\n") == 1
    assert audit(**{".lake__A": "def a := 1"})[2].count("left out: .lake") == 1
    assert main(["--audit", str(tmp_path), "--root", str(tmp_path)]) == 2
    assert main(["--json", "x.json"]) == 2
    said = capsys.readouterr().err
    assert "leave --root out" in said and "--json wants --audit PATH" in said


def test_json_has_every_finding(audit, tmp_path):
    many = "".join(f"partial def f{n} (n : ℕ) : ℕ := f{n} n\n" for n in range(15))
    code, lines, _ = audit("--json", str(tmp_path / "out.json"), A=many)
    assert code == 0
    assert sum("need not end" in line for line in lines) == 10
    assert "and 5 more of the kind: partial (--json FILE has them all)" in lines
    data = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert len(data["findings"]) == 15
    assert data["findings"][0]["weight"] == "note"
    assert data["verdict"] == lines[-1]
    code, _, error = audit("--json", str(tmp_path / "no" / "out.json"))
    assert code == 2 and "No such file" in error


def test_compiled_code_weighs_more_where_a_proof_runs_it(audit):
    text = "@[implemented_by fast] def slow (n : ℕ) : ℕ := n\n"
    assert audit(A=text)[1][-1] == "1 finding: 0 serious, 0 doubtful, 1 note"
    code, lines, _ = audit(B="theorem b : slow 2 = 3 := by native_decide\n#print axioms b\n")
    assert code == 1
    assert lines[-1] == "2 findings: 1 serious, 1 doubtful, 0 notes"


def test_an_option_of_the_lakefile_is_seen(audit, tmp_path):
    (tmp_path / "lakefile.toml").write_text(
        "[leanOptions]\nautoImplicit = true\ndebug.skipKernelTC = true # fast\n"
    )
    (tmp_path / "lakefile.lean").write_text(
        "package a where\n  leanOptions := #[⟨`debug.skipKernelTC, true⟩]\n", "utf-8"
    )
    code, lines, _ = audit(A="def a := 1\n")
    assert code == 1
    assert lines.pop(0).startswith("lakefile.lean:2: serious: debug.skipKernelTC is switched on")
    assert lines[0].startswith("lakefile.toml:3: serious: debug.skipKernelTC is switched on")
    assert any(line.startswith("lakefile.toml:2: note: autoImplicit") for line in lines)


def test_what_a_tactic_may_use_is_no_finding_and_is_said(audit):
    text = "theorem a (x : ℝ) (hx : 0 < x) : 0 < 2 * x := by positivity\n#print axioms a\n"
    code, lines, _ = audit(A=text)
    assert (code, lines[-1]) == (0, NOTHING)
    assert any(
        "maybe used by a tactic" in line and "may be used by positivity" in line for line in lines
    )


def test_a_missing_receipt_points_to_the_audit(tmp_path, capsys):
    (tmp_path / "A.lean").write_text("def a := 1\n")
    assert main(["--root", str(tmp_path)]) == 3
    assert f"scoreproof lean --audit {tmp_path}" in capsys.readouterr().out


def test_work_grows_with_the_size(tmp_path):
    """Four times the text takes four times the calls, in one file as in many."""

    def calls(copies: int) -> int:
        text = "".join(CLEAN.format(n=n) for n in range(copies))
        events = []
        sys.setprofile(lambda frame, event, arg: events.append(event))
        try:
            audited(IMPORT + text)
        finally:
            sys.setprofile(None)
        return len(events)

    assert calls(40) < 5 * calls(10)
