"""A small share of `bench/soundness.py`: wrong subjects do not hold, right ones are not refuted."""

from __future__ import annotations

import importlib.util
import sys

import pytest

SEEDS = range(1_000_000, 1_000_006)  # not those of the report


@pytest.fixture(scope="module")
def soundness(root):
    spec = importlib.util.spec_from_file_location("soundness", root / "bench" / "soundness.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(root / "bench"))


CHECKS = (
    "marginals",
    "denoiser",
    "score",
    "kl",
    "trace_estimator",
    "log_likelihood_gradient",
    "backward",
    "fokker_planck",
    "reverse_sampler",
    "sampler",
    "schedule",
    "network",
    "preconditioning",
    "inversion",
    "corrector",
    "loss",
    "path_kl",
    "variational_bound",
    "normalizing_flow",
    "log_likelihood",
)


def test_all_checks_are_here(soundness):
    assert soundness.CHECKS == CHECKS


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("check", CHECKS)
def test_subjects(soundness, check, seed):
    row = soundness.one(check, seed)
    assert row["wrong"] != "holds", row
    assert row["right"] != "refuted", row
