"""A drift or a score that jumps where the other does not go with it: no point shows it."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp

check = sp.check_fokker_planck


def normal(x, t):
    return -(x**2).sum(axis=1) / 2 - x.shape[1] / 2 * np.log(2 * np.pi)


def leaking(x, t):
    """No flux left of 0.3, and 0.1 right of it."""
    return -0.5 * x + 0.1 * (x.real > 0.3) * np.exp(x**2 / 2) * np.sqrt(2 * np.pi)


def turning(x, inside):
    sign = np.where(inside, 1.0, -1.0)[:, None]
    return -0.5 * x + 0.7 * sign * np.stack([-x[:, 1], x[:, 0]], axis=1)


def quadrants(x, t):
    return turning(x, (x[:, 0].real > 0) == (x[:, 1].real > 0))


def rings(x, t):
    return turning(x, (x.real**2).sum(axis=1) > 1)


LAW = {"log": {"log_density": normal}, "score": {"score": lambda x, t: -x}}


@pytest.mark.parametrize("law", LAW)
@pytest.mark.parametrize(("drift", "d"), [(leaking, 1), (quadrants, 2)], ids=["line", "quadrants"])
def test_flux_that_is_made_at_a_jump_of_the_drift_is_seen(drift, d, law):
    evidence = check(drift, 1.0, **LAW[law], dimension=d)
    assert evidence.diagnosis is not None, evidence.explain()
    assert evidence.diagnosis.names == ("flux_jumps",), evidence.explain()
    assert "flux is made or lost at t = " in evidence.sentence
    assert ("across the surface there" in evidence.sentence) == (d > 1)


@pytest.mark.parametrize("law", LAW)
def test_a_drift_that_jumps_along_its_surface_holds(law):
    evidence = check(rings, 1.0, **LAW[law], dimension=2)
    assert evidence, evidence.explain()


@pytest.mark.parametrize("d", [1, 2])
def test_a_bend_that_goes_with_the_drift_holds(d):
    for seed in range(3):
        evidence = check(
            lambda x, t: -np.sign(x),
            1.0,
            log_density=lambda x, t: -2 * np.abs(x).sum(axis=1),
            dimension=d,
            seed=seed,
        )
        assert evidence, evidence.explain()


def test_a_bend_across_a_slanted_plane_in_three_dimensions_is_not_refuted():
    def drift(x, t):
        one = np.sign(x[:, 0] + x[:, 1]) / 2
        return -np.stack([one, one, 2 * x[:, 2]], axis=1)

    def score(x, t):
        one = np.sign(x[:, 0] + x[:, 1])
        return -np.stack([one, one, 4 * x[:, 2]], axis=1)

    right = check(drift, 1.0, score=score, dimension=3)
    assert right.verdict == "undecided", right.explain()
    assert "points= away from its jumps, where its derivatives are not 0" in right.explain()
    wrong = check(drift, 1.2, score=score, dimension=3)
    assert wrong.verdict == "refuted"


def test_a_steep_drift_is_no_jump():
    for steep in (1e2, 3e3, 1e5):
        evidence = check(
            lambda x, t, k=steep: -np.tanh(k * x),
            1.0,
            log_density=lambda x, t, k=steep: (
                -2 * np.logaddexp(k * x[:, 0].real, -k * x[:, 0].real) / k
            ),
            normalized=False,
        )
        assert "flux_jumps" not in str(evidence.diagnosis), evidence.explain()


def test_a_piecewise_score_is_seen_where_its_derivatives_are_none():
    def score(x, t):
        return np.stack([np.where(x[:, 0].real > 0.2, -1.0, 1.0), -x[:, 1] / t], axis=1)

    for seed in range(3):
        evidence = check(lambda x, t: 0 * x, 1.0, score=score, dimension=2, seed=seed)
        assert evidence.verdict == "refuted", evidence.explain()


def test_a_torch_score_of_a_kink_is_refuted():
    torch = pytest.importorskip("torch")

    class Kink(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

        def forward(self, x, t):
            return torch.stack([-torch.sign(x[:, 0] - 0.2), -x[:, 1] / t.reshape(-1)], 1)

    evidence = check(lambda x, t: 0 * x, 1.0, score=Kink(), dimension=2)
    assert evidence.diagnosis.names == ("flux_jumps",), evidence.explain()
