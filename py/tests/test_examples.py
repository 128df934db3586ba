"""examples/: the judgement of a trained model runs, and judges what is right as right."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from scoreproof import check_denoiser, check_reverse_sampler
from scoreproof.objects.empirical import Atoms
from scoreproof.objects.schedules import EDM

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def digits():
    pytest.importorskip("torch", reason="the example trains a PyTorch model")
    pytest.importorskip("sklearn", reason="the example's data are scikit-learn's digits")
    spec = importlib.util.spec_from_file_location("digits_score", EXAMPLES / "digits_score.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_hardly_trained_model_is_refuted_and_the_tables_are_printed(digits, capsys, monkeypatch):
    monkeypatch.setattr(digits, "LEVELS", (0.6, 2.5))
    monkeypatch.setattr(digits, "LAMBDAS", (0.0, 1.0))
    digits.main(["--steps", "3", "--samples", "8"])
    out = capsys.readouterr().out
    rows = [line.split("|")[1:-1] for line in out.splitlines() if line.startswith("| ")]
    committed = " ".join((EXAMPLES / "README.md").read_text("utf-8").split())
    assert " ".join(next(line for line in out.splitlines() if "| at " in line).split()) in committed
    assert {len(r) for r in rows} == {6, 3, 7}
    first = next(r for r in rows if r[0].strip() == "0.6" and len(r) == 6)
    assert first[5].strip() == "refuted" and float(first[1]) > 0.05
    assert "Holds (float)" in out  # the λ-family of the example's own sampler, with the exact score
    # the velocity's error is the score's times 1 - λ/2
    velocity = {
        r[0].strip(): [float(c.strip(" %")) for c in r[1:]]
        for r in rows
        if len(r) == 3 and "σ" not in r[1]
    }
    assert np.allclose(velocity["1"], np.array(velocity["0"]) / 2, atol=0.1)


def test_training_is_deterministic(digits):
    import torch

    data = torch.linspace(-1, 1, 40).reshape(10, 4)
    first, second = (digits.train(data, 5) for _ in range(2))
    assert all(
        torch.equal(p, q) for p, q in zip(first.parameters(), second.parameters(), strict=True)
    )


def test_the_exact_denoiser_passes_where_the_network_is_judged(digits):
    rng = np.random.default_rng(0)
    atoms = Atoms(rng.standard_normal((20, 3)))
    y = atoms.sample(rng, 8) + rng.standard_normal((8, 3))
    assert check_denoiser(
        lambda x: atoms.posterior_mean(x, np.eye(3)),
        atoms,
        1.0,
        points=y,
        tolerance=digits.TOLERANCE,
    )


def test_the_sampler_of_the_example_is_the_family_and_a_wrong_one_is_not(digits):
    assert check_reverse_sampler(digits.drift_and_noise, EDM(horizon=2.0), (0.0, 1.0), dimension=1)

    def halved(x, t, score, lam):
        drift, noise = digits.drift_and_noise(x, t, score, lam)
        return drift / 2, noise

    assert (
        check_reverse_sampler(halved, EDM(horizon=2.0), (0.0, 1.0), dimension=1).verdict
        == "refuted"
    )


def test_the_committed_output_has_all_that_the_script_prints():
    """Every text that it prints, around the numbers, and a row for each of its noise levels."""
    tree = ast.parse((EXAMPLES / "digits_score.py").read_text("utf-8"))
    text = (EXAMPLES / "README.md").read_text("utf-8")
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
    printed = [n for n in calls if isinstance(n.func, ast.Name) and n.func.id == "print"]
    said = [
        line.strip()
        for call in printed
        for n in ast.walk(call)
        if isinstance(n, ast.Constant) and isinstance(n.value, str)
        for line in n.value.splitlines()
    ]
    assert len([line for line in said if len(line) > 6]) > 8
    assert [line for line in said if line not in text and len(line) > 6] == []
    (levels,) = (
        n.value
        for n in tree.body
        if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "LEVELS"
    )
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]
    assert {f"{level:g}" for level in ast.literal_eval(levels)} <= set(rows)
