"""reverse_family: the family's own properties and known values."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreproof.claims.reverse_family import CLAIM
from scoreproof.claims.reverse_family.checks_gaussian import romberg
from scoreproof.claims.reverse_family.checks_identity import floating_process
from scoreproof.claims.reverse_family.checks_joint import scaled_variance_ratio
from scoreproof.claims.reverse_family.checks_samplers import LEVEL, ddim_step
from scoreproof.claims.reverse_family.faults import Variant
from scoreproof.claims.reverse_family.processes import AffineMixture, Benes
from scoreproof.claims.reverse_family.statement import formula, truth
from scoreproof.core import PROFILES
from scoreproof.numerics.jets import Jet
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.objects.schedules import VPLinear

VP = VPLinear(0.3, 4.3)  # g² from 0.3 to 4.3: not constant, never 1 at the times judged
numbers = st.floats(-3, 3)


# -- the formula ---------------------------------------------------------------------------------


@given(f=numbers, g=st.floats(0.1, 3), s=numbers, lam=st.floats(-3, 1))
def test_the_marginals_velocity_does_not_depend_on_lambda(f, g, s, lam):
    b, c2 = formula(f, g, s, lam)
    assert c2 >= 0
    assert b + c2 / 2 * s == pytest.approx(f - g * g / 2 * s, abs=1e-12)


def test_known_members():
    assert formula(1.0, 2.0, 0.5, 0.0) == (-1.0, 4.0)  # Anderson: f - g² s, noise g
    assert formula(1.0, 2.0, 0.5, 1.0) == (0.0, 0.0)  # the ODE: f - g²/2 s


def test_the_template_without_edits_is_the_formula():
    process, x = floating_process(), np.linspace(-2, 2, 7)
    for lam in (-2.0, 0.3, 1.0):
        b, c2 = truth(process, x, 0.4, lam)
        b_, c2_ = Variant()(process, x, 0.4, lam)
        assert np.allclose(b, b_, rtol=1e-15, atol=0)
        assert c2 == c2_


def test_two_edits_of_one_slot_do_not_compose():
    assert CLAIM.compose(("noise_full", "noise_half")) is None
    assert CLAIM.compose(("noise_full", "f_sign")) is not None


# -- the processes -----------------------------------------------------------------------------


@given(
    means=st.lists(st.floats(-2, 2), min_size=1, max_size=3),
    t=st.floats(0.05, 1.0),
    x=st.floats(-2.5, 2.5),
)
def test_affine_mixture_against_general_code(means, t, x):
    k = len(means)
    process = AffineMixture((1 / k,) * k, means, (0.3,) * k, (0.35, 0.15), (0.8, 1.3), 1.0)
    alpha, noise = process.alpha(t), process.noise_variance(t)
    law = GaussianMixture(
        np.full(k, 1 / k), np.array(means)[:, None], np.full((k, 1, 1), 0.3)
    ).affine(np.array([[alpha]]), np.zeros(1))
    law = law.noised(np.array([[noise]]))
    assert process.density(x, t) == pytest.approx(float(law.density(np.array([[x]]))[0]), rel=1e-12)
    assert process.score(x, t) == pytest.approx(
        float(law.score(np.array([[x]]))[0, 0]), rel=1e-9, abs=1e-9
    )


@pytest.mark.parametrize(
    "process",
    [floating_process(), Benes((0.3, 0.7), (-0.5, 0.8), (0.6, 0.4), 1.0)],
    ids=["affine", "Benes"],
)
def test_processes_satisfy_their_own_fokker_planck_equation(process):
    x, t = np.linspace(-2, 2, 21), 0.6
    p, f = process.density(Jet.variable(x, 2), t), process.drift(Jet.variable(x, 1), t)
    p_t = process.density(x, Jet.variable(t, 1)).derivative(1)
    flux = f.coefficients[0] * p.derivative(1) + f.coefficients[1] * p.coefficients[0]
    assert np.max(np.abs(p_t + flux - process.diffusion(t) ** 2 / 2 * p.derivative(2))) < 1e-14


# -- known values ------------------------------------------------------------------------------


def test_what_a_wrong_score_does():
    assert [round(0.5 * scaled_variance_ratio(13**-0.5, 1.1, lam), 3) for lam in (-3, 1)] == [
        0.444,
        0.387,
    ]
    for lam in (-2.0, 0.0, 0.5, 1.0):
        assert scaled_variance_ratio(0.3, 1.0, lam) == pytest.approx(1.0, abs=1e-14)
        kappa = 1 / (2 - lam)  # m = 0: the general expression, next to its limit
        assert scaled_variance_ratio(0.3, kappa, lam) == pytest.approx(
            scaled_variance_ratio(0.3, kappa * (1 + 1e-7), lam), rel=1e-5
        )


@given(t=st.floats(0.1, 0.95), shrink=st.floats(0.1, 0.95), eta=st.floats(0, 1), x0=numbers)
def test_ddim_keeps_the_conditional_law_at_any_step(t, shrink, eta, x0):
    after = (VP.alpha(t * shrink), VP.sigma(t * shrink) ** 2)
    before = (VP.alpha(t), VP.sigma(t) ** 2)
    points = before[0] * x0 + np.array([0.0, 1.0])  # the mean of q(x_t | x_0), and one off it
    mean, spread = ddim_step(points, -(points - before[0] * x0) / before[1], before, after, eta**2)
    slope = mean[1] - mean[0]
    assert mean[0] == pytest.approx(after[0] * x0, abs=1e-12)
    assert slope**2 * before[1] + spread == pytest.approx(after[1], rel=1e-11, abs=1e-13)


def test_joint_law_agrees_at_lambda_zero_only():
    evidence = CLAIM.check("two_time_correlation")
    built = evidence.instances("default")[0].build(np.random.default_rng(0))
    rho = built.correlation
    found = evidence.run(CLAIM.truth, built, None)
    assert found
    assert [abs(rho ** (1 - lam) - rho) < 1e-12 for lam in built.lambdas] == [
        lam == 0 for lam in built.lambdas
    ]


def test_romberg_removes_powers_of_h():
    h = 0.5 ** np.arange(5)
    assert romberg([np.array([2 + 3 * k - k**2 + 4 * k**3]) for k in h])[-1][0] == pytest.approx(
        2.0, abs=1e-12
    )


# -- what the statement says of churn and of particles ---------------------------------------------


def member(sigmas, churn):
    """λ = 1 - γσ_i/h of each step, γ = min(S_churn/steps, √2 - 1), h = σ_i - σ_{i+1}."""
    gamma = min(churn / (len(sigmas) - 1), 2**0.5 - 1)
    return 1 + gamma * sigmas[:-1] / np.diff(sigmas)


def test_churn_is_one_member_on_a_geometric_list_and_none_on_karras():
    high, low, churn = 80.0, 0.002, 4.0
    assert any("S_churn/log(σ_max/σ_min)" in text for text in CLAIM.statement.conventions)
    limit = 1 - churn / np.log(high / low)
    off = []
    for steps in (50, 3200):
        geometric = member(np.geomspace(high, low, steps + 1), churn)
        assert np.ptp(geometric) < 1e-9
        off.append(abs(geometric[0] - limit))
        ramp = np.linspace(high ** (1 / 7), low ** (1 / 7), steps + 1) ** 7
        assert np.ptp(member(ramp, churn)) > 0.5
        assert np.all(member(ramp, 0.0) == 1)
    assert off[1] < 1e-3 < off[0] / 40


def test_what_particles_see_is_what_the_blind_spot_says():
    from scipy.special import kolmogi

    (reason,) = CLAIM.check("particles").blind.values()
    said = dict(re.findall(r"(\d{5,})(?: particles \(.*?\))? see (0\.\d+)", reason))
    counts = {i.name.split()[0] for p in PROFILES for i in CLAIM.check("particles").instances(p)}
    assert said.keys() == counts
    for count, distance in said.items():
        assert float(distance) == float(f"{kolmogi(LEVEL) / int(count) ** 0.5:.2g}")
        assert float(distance) > float(re.search(r"by (0\.\d+) at most", reason)[1])
