"""reverse_family: the family's own properties, known values, and `check_reverse_sampler` on right
and wrong samplers.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoreproof as sp
from scoreproof import check_reverse_sampler
from scoreproof.claims.reverse_family import CLAIM
from scoreproof.claims.reverse_family.checks_gaussian import romberg
from scoreproof.claims.reverse_family.checks_identity import floating_process
from scoreproof.claims.reverse_family.checks_joint import scaled_variance_ratio
from scoreproof.claims.reverse_family.checks_samplers import ddim_step
from scoreproof.claims.reverse_family.faults import Variant
from scoreproof.claims.reverse_family.processes import AffineMixture, Benes
from scoreproof.claims.reverse_family.statement import formula, truth
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.numerics.jets import Jet
from scoreproof.objects.linear_sde import LinearSDE
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.objects.parameterizations import convert
from scoreproof.objects.schedules import EDM, SCHEDULES, VPLinear
from scoreproof.public.reverse_sampler.targets import PREDICTIONS, gaussian, mixture

VP = VPLinear(0.3, 4.3)  # g² from 0.3 to 4.3: not constant, never 1 at the times judged
LAMBDAS = (-0.6, 0.2, 0.7)
FAULTS = [f.name for f in CLAIM.faults]
numbers = st.floats(-3, 3)


class Carrier:
    """A user's process with the score it was handed, so that a planted fault can be run as if it
    were a user's sampler.
    """

    horizon = 1.0

    def __init__(self, target, score):
        self.drift, self.diffusion, self.density, self.score = (
            VP.drift,
            VP.diffusion,
            target.density,
            score,
        )


def as_drift_and_noise(subject, target):
    def drift_and_noise(x, t, score, lam):
        b, c2 = subject(Carrier(target, score), x, t, lam)
        return b, float(np.ravel(c2)[0]) ** 0.5

    return drift_and_noise


def as_euler_step(subject, target):
    inner = as_drift_and_noise(subject, target)

    def step(x, t, t_next, noise, score, lam):
        b, c = inner(x, t, score, lam)
        return x - (t - t_next) * b + (t - t_next) ** 0.5 * c * noise

    return step


def ddim(schedule=VP):
    def step(x, t, t_next, noise, eps, eta):
        a, s, a_, s_ = (
            schedule.alpha(t),
            schedule.sigma(t),
            schedule.alpha(t_next),
            schedule.sigma(t_next),
        )
        e = eps(x, t)
        spread = eta * s_ / s * np.sqrt(s * s - (a / a_ * s_) ** 2)
        return a_ * (x - s * e) / a + np.sqrt(s_ * s_ - spread**2) * e + spread * noise

    return step


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


# -- the public check on drift and noise ---------------------------------------------------------


def test_the_truth_holds_and_calls_are_counted():
    evidence = check_reverse_sampler(as_drift_and_noise(truth, mixture(VP, 1, None)), VP)
    assert evidence
    assert evidence.kind == "float"
    assert evidence.cost["calls"] == 4 * (4 + 32)
    assert set(evidence.curves) == {"λ = -1", "λ = 0", "λ = 0.5", "λ = 1"}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_refuted_and_named(name):
    evidence = check_reverse_sampler(
        as_drift_and_noise(CLAIM.fault(name).subject, mixture(VP, 1, None)), VP, LAMBDAS
    )
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == (name,)
    assert name in evidence.explain()
    assert evidence.explain().count(". ") <= 4


def test_pairs_of_faults_are_named():
    target, right, seen = mixture(VP, 1, None), 0, 0
    pairs = [p for p in combinations(FAULTS, 2) if CLAIM.compose(p) is not None]
    for pair in pairs[::2]:
        evidence = check_reverse_sampler(
            as_drift_and_noise(CLAIM.compose(pair), target), VP, LAMBDAS
        )
        seen += 1
        right += evidence.diagnosis is not None and " + ".join(pair) in evidence.diagnosis.names
    assert seen > 70
    assert right >= 0.9 * seen


def test_what_the_two_famous_members_hide():
    target = mixture(VP, 1, None)

    def hidden(lam):
        return {
            n
            for n in FAULTS
            if check_reverse_sampler(as_drift_and_noise(CLAIM.fault(n).subject, target), VP, (lam,))
        }

    assert hidden(0.0) == {
        "one_minus_lambda",
        "half_lambda_missing",
        "half_lambda_added",
        "noise_lambda_squared",
        "noise_without_root",
        "noise_full",
        "noise_half",
        "noise_sign",
    }
    assert hidden(1.0) == {
        "always_half",
        "noise_lambda_squared",
        "noise_without_root",
        "noise_g_without_square",
        "noise_without_g",
        "noise_variance_for_coefficient",
    }


def test_another_member_holds_with_a_note():
    target = mixture(VP, 1, None)
    anderson = as_drift_and_noise(lambda process, x, t, lam: truth(process, x, t, 0.0), target)
    evidence = check_reverse_sampler(anderson, VP, (0.5,))
    assert evidence
    assert "asked for λ = 0.5 it is the member λ = 0" in evidence.explain()


def test_the_other_clock():
    inner = as_drift_and_noise(truth, mixture(VP, 1, None))

    def forward_clock(x, t, score, lam):
        b, c = inner(x, t, score, lam)
        return -b, c

    assert check_reverse_sampler(forward_clock, VP, clock="s")
    assert check_reverse_sampler(forward_clock, VP).diagnosis.names == ("reversed_clock",)


def test_a_pair_of_callables_and_a_linear_sde():
    ou = LinearSDE(-0.5, 0.3, [0.8, 0.5], dimension=1)
    pair = (
        lambda x, t, score, lam: (
            ou.drift(x, t) - (1 - lam / 2) * ou.diffusion(t) ** 2 * score(x, t)
        ),
        lambda t, lam: -((1 - lam) ** 0.5) * ou.diffusion(t),
    )
    assert check_reverse_sampler(pair, ou)


def test_an_unknown_error_is_not_named():
    evidence = check_reverse_sampler(
        lambda x, t, s, lam: (
            VP.drift(x, t) - (1 - lam / 2) * VP.diffusion(t) ** 2 * s(x, t) + 0.3 * np.cos(3 * x),
            (1 - lam) ** 0.5 * VP.diffusion(t),
        ),
        VP,
    )
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == ()


def test_small_errors_are_seen():
    def off(x, t, score, lam):
        return VP.drift(x, t) - (1 - lam / 2) * VP.diffusion(t) ** 2 * (1 + 1e-11) * score(x, t), (
            1 - lam
        ) ** 0.5 * VP.diffusion(t)

    assert check_reverse_sampler(off, VP).verdict == "refuted"


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_predictions(prediction):
    def drift_and_noise(x, t, model, lam):
        dots = dict(zip(("alpha_dot", "sigma_dot"), VP.derivatives(t), strict=True))
        score = convert(model(x, t), x, prediction, "score", VP.alpha(t), VP.sigma(t), **dots)
        return VP.drift(x, t) - (1 - lam / 2) * VP.diffusion(t) ** 2 * score, (
            1 - lam
        ) ** 0.5 * VP.diffusion(t)

    assert check_reverse_sampler(drift_and_noise, VP, prediction=prediction)
    assert not check_reverse_sampler(
        drift_and_noise, VP, prediction="score" if prediction != "score" else "eps"
    )


# -- the public check on steps -------------------------------------------------------------------


def test_euler_holds_with_its_order():
    evidence = check_reverse_sampler(as_euler_step(truth, gaussian(VP, 1, None)), VP)
    assert evidence
    assert evidence.kind == "convergent"
    assert "h^2.0" in evidence.explain()
    assert "point mass" not in evidence.explain()
    assert evidence.cost["calls"] == 2 + 4 * 86
    steps, errors = evidence.curves["λ = 0"]
    assert steps == [8.0, 16.0, 32.0]
    assert errors[0] > 1.5 * errors[1] > 2 * errors[2]


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_in_a_step_is_refuted_and_named(name):
    evidence = check_reverse_sampler(
        as_euler_step(CLAIM.fault(name).subject, gaussian(VP, 1, None)), VP, LAMBDAS
    )
    assert evidence.verdict == "refuted"
    assert name in evidence.diagnosis.names
    assert len(evidence.diagnosis.names) == 1


@pytest.mark.parametrize(
    "schedule", SCHEDULES.values() if isinstance(SCHEDULES, dict) else SCHEDULES, ids=str
)
def test_ddim_is_exact_on_point_masses_for_every_schedule(schedule):
    schedule = schedule() if isinstance(schedule, type) else schedule
    evidence = check_reverse_sampler(
        ddim(schedule), schedule, (0.0, 0.5, 1.0), prediction="eps", parameter="eta"
    )
    assert evidence
    assert "keeps q(x_t | x_0) exactly" in evidence.explain()


def test_eta_taken_for_lambda_is_explained():
    evidence = check_reverse_sampler(ddim(), VP, (0.0, 0.5), prediction="eps")
    assert evidence
    assert "asked for λ = 0 it is the member λ = 1" in evidence.explain()


def test_edm_heun_without_churn_is_the_ode():
    edm = EDM()

    def heun(x, t, t_next, noise, denoiser):
        d = (x - denoiser(x, t)) / t
        guess = x + (t_next - t) * d
        return x + (t_next - t) / 2 * (d + (guess - denoiser(guess, t_next)) / t_next)

    evidence = check_reverse_sampler(heun, edm, 1.0, prediction="x0")
    assert evidence
    assert "h^3" in evidence.explain()


def test_two_dimensions():
    target = gaussian(VP, 2, None)
    assert check_reverse_sampler(as_euler_step(truth, target), VP, dimension=2)
    assert check_reverse_sampler(as_drift_and_noise(truth, mixture(VP, 2, None)), VP, dimension=2)
    wrong = check_reverse_sampler(
        as_drift_and_noise(CLAIM.fault("noise_half").subject, mixture(VP, 2, None)),
        VP,
        LAMBDAS,
        dimension=2,
    )
    assert wrong.diagnosis.names == ("noise_half",)


def test_a_rotation_is_not_called_wrong():
    def with_rotation(x, t, score, lam):
        s = score(x, t)  # the score turned by 90° is free of divergence against p
        b, c2 = formula(VP.drift(x, t), VP.diffusion(t), s, lam)
        return b + np.stack([-s[:, 1], s[:, 0]], axis=1), c2**0.5

    def step(x, t, t_next, noise, score, lam):
        b, c = with_rotation(x, t, score, lam)
        return x - (t - t_next) * b + (t - t_next) ** 0.5 * c * noise

    assert check_reverse_sampler(with_rotation, VP, dimension=2).verdict == "undecided"
    assert check_reverse_sampler(step, VP, dimension=2).verdict == "undecided"
    for name in ("score_sign", "noise_half", "reversed_clock"):
        wrong = check_reverse_sampler(
            as_euler_step(CLAIM.fault(name).subject, gaussian(VP, 2, None)),
            VP,
            LAMBDAS,
            dimension=2,
        )
        assert wrong.diagnosis.names == (name,)


# -- other frameworks ----------------------------------------------------------------------------


def test_torch_in_single_and_double_precision():
    torch = pytest.importorskip("torch")

    def drift_and_noise(x, t, score, lam):
        g2 = torch.as_tensor(VP.diffusion(t) ** 2, dtype=x.dtype)
        return VP.rate(t) * x - (1 - lam / 2) * g2 * score(x, t), (
            (1 - lam) * g2
        ) ** 0.5 * torch.ones(1, dtype=x.dtype)

    def step(x, t, t_next, noise, score, lam):
        b, c = drift_and_noise(x, t, score, lam)
        return x - (t - t_next) * b + (t - t_next) ** 0.5 * c * noise

    for dtype in ("float64", "float32"):
        for sampler in (drift_and_noise, step):
            assert (
                check_reverse_sampler(sampler, VP, framework="torch", dtype=dtype).verdict
                == "holds"
            ), (dtype, sampler)
    evidence = check_reverse_sampler(
        lambda x, t, s, lam: (
            drift_and_noise(x, t, s, lam)[0] * 1.01,
            drift_and_noise(x, t, s, lam)[1],
        ),
        VP,
        framework="torch",
        dtype="float32",
    )
    assert evidence.verdict == "refuted"
    assert 1e-6 < evidence.bound < 1e-3


def test_jax():
    jnp = pytest.importorskip("jax.numpy")

    def drift_and_noise(x, t, score, lam):
        g = float(VP.diffusion(t))
        return float(VP.rate(t)) * x - (1 - lam / 2) * g**2 * score(x, t), jnp.sqrt(1 - lam) * g

    assert check_reverse_sampler(drift_and_noise, VP, framework="jax")


# -- bad input -----------------------------------------------------------------------------------


def good(x, t, score, lam):
    return x, 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lambdas": (0.0, 1.5)}, r"lambdas must be <= 1 \(got 1.5\)"),
        ({"lambdas": ()}, "lambdas must be one or more finite numbers"),
        ({"lambdas": (float("nan"),)}, "lambdas must be one or more finite numbers"),
        ({"prediction": "noise"}, "prediction must be one of"),
        ({"parameter": "churn"}, "parameter must be one of"),
        ({"clock": "up"}, "clock must be one of"),
        ({"form": "sampler"}, "form must be one of"),
        ({"times": (0.5, 0.2)}, "times must be"),
        ({"times": (0.0, 0.2)}, "times must be"),
        ({"times": (0.1, 2.0)}, "times must be"),
        ({"sampler": 3}, "sampler must be callable"),
        ({"sampler": lambda x, t: x}, "sampler must be drift_and_noise"),
        ({"sampler": (good, good, good)}, "sampler must be a pair"),
        ({"sampler": lambda x, t, score: (x, 1.0)}, "lambdas must be one value"),
        ({"process": object()}, "process must be an object with drift"),
        ({"process": LinearSDE([[-1.0, 0.5], [0.0, -1.0]], 0.0, 1.0)}, "process must be isotropic"),
    ],
)
def test_bad_arguments(change, message):
    arguments = {"sampler": good, "process": VP} | change
    with pytest.raises(ArgumentError, match=message):
        check_reverse_sampler(arguments.pop("sampler"), arguments.pop("process"), **arguments)


def test_a_process_that_contradicts_itself():
    class Wrong(VPLinear):
        def sigma(self, t):
            return super().sigma(t) ** 2

    with pytest.raises(ArgumentError, match="check_marginals"):
        check_reverse_sampler(good, Wrong())


@pytest.mark.parametrize(
    ("sampler", "message"),
    [
        (lambda x, t, score, lam: x, "return the pair"),
        (lambda x, t, score, lam: (x[:3], 1.0), "shape"),
        (lambda x, t, score, lam: (x * np.nan, 1.0), "finite"),
        (lambda x, t, score, lam: (x, np.abs(x)), "depends on t only"),
        (lambda x, t, score, lam: (x, 1j), "real numbers"),
        (lambda x, t, score, lam: 1 / 0, "ZeroDivisionError"),
        (lambda x, t, score, lam: (score(x.ravel(), t), 1.0), "points of shape"),
        (lambda x, t, t_next, noise, score, lam: x[0, 0] * "a", "sampler must"),
        (lambda x, t, t_next, noise, score, lam: x * np.inf, "finite"),
    ],
)
def test_callables_that_cannot_be_judged(sampler, message):
    with pytest.raises(CallableError, match=message):
        check_reverse_sampler(sampler, VP)


def test_a_callable_that_writes_into_its_input():
    def spoil(x, t, score, lam):
        x *= 2
        return x, 1.0

    with pytest.raises(CallableError, match="leave its input unchanged"):
        check_reverse_sampler(spoil, VP)


def test_a_clipping_sampler_is_said_to_clip():
    inner = as_euler_step(truth, gaussian(VP, 1, None))
    evidence = check_reverse_sampler(
        lambda x, t, t_next, noise, score, lam: np.clip(
            inner(x, t, t_next, noise, score, lam), -0.5, 0.5
        ),
        VP,
    )
    assert not evidence
    assert "not affine" in evidence.explain()


def test_a_step_that_is_not_smooth_is_not_acquitted():
    inner = as_euler_step(truth, gaussian(VP, 1, None))

    def jumpy(x, t, t_next, noise, score, lam):
        return inner(x, t, t_next, noise, score, lam) + 0.3 * (t - t_next) * np.sin(
            40 / (t - t_next)
        )

    assert not check_reverse_sampler(jumpy, VP, (0.0,))


def euler(x, t, t_next, noise, score, lam):
    h = t - t_next
    return x - h * (-0.5 * x - (1 - lam / 2) * score(x, t)) + np.sqrt((1 - lam) * h) * noise


def ornstein_uhlenbeck():
    from scoreproof.objects.linear_sde import LinearSDE

    return LinearSDE(-0.5, 0.0, 1.0, dimension=1)


@pytest.mark.parametrize(
    "clipped",
    [
        lambda x, t, tn, z, s, lam: np.clip(euler(x, t, tn, z, s, lam), -2, 2.5),
        lambda x, t, tn, z, s, lam: euler(x, t, tn, np.clip(z, -1, 1), s, lam),
    ],
    ids=["the state", "the noise"],
)
def test_a_step_that_clips_does_not_hold(clipped):
    assert sp.check_reverse_sampler(euler, ornstein_uhlenbeck())
    evidence = sp.check_reverse_sampler(clipped, ornstein_uhlenbeck())
    assert evidence.verdict != "holds", evidence.explain()
    assert "affine" in evidence.explain()


def test_a_step_that_draws_its_own_noise_is_named():
    rng = np.random.default_rng(0)
    with pytest.raises(sp.CallableError, match="sampler must use the noise it is given"):
        sp.check_reverse_sampler(
            lambda x, t, tn, z, s, lam: euler(x, t, tn, rng.standard_normal(x.shape), s, lam),
            ornstein_uhlenbeck(),
        )


def test_a_sampler_right_on_the_line_only_does_not_hold():
    from scoreproof.objects.schedules import VPLinear

    process = VPLinear()

    def drift_and_noise(x, t, score, lam, total=False):
        s = score(x, t)
        s = s.sum(axis=1, keepdims=True) if total else s
        g2 = process.diffusion(t) ** 2
        return process.drift(x, t) - (1 - lam / 2) * g2 * s, np.sqrt((1 - lam) * g2)

    assert sp.check_reverse_sampler(
        lambda x, t, score, lam: drift_and_noise(x, t, score, lam), process
    )
    assert not sp.check_reverse_sampler(
        lambda x, t, score, lam: drift_and_noise(x, t, score, lam, True), process
    )


def test_ddim_with_eta_holds_by_default():
    from scoreproof.objects.schedules import VPLinear

    process = VPLinear()

    def ddim(x, t, t_next, noise, model, eta):
        a, s, b, r = (
            process.alpha(t),
            process.sigma(t),
            process.alpha(t_next),
            process.sigma(t_next),
        )
        eps = model(x, t)
        x0 = (x - s * eps) / a
        c = eta * r / s * np.sqrt(1 - a**2 / b**2)
        return b * x0 + np.sqrt(r**2 - c**2) * eps + c * noise

    evidence = sp.check_reverse_sampler(ddim, process, prediction="eps", parameter="eta")
    assert evidence, evidence.explain()


def test_clipped_noise_is_refuted_and_a_clipped_state_is_open():
    noise = sp.check_reverse_sampler(
        lambda x, t, tn, z, s, lam: euler(x, t, tn, np.clip(z, -1, 1), s, lam), ornstein_uhlenbeck()
    )
    assert noise.verdict == "refuted"
    assert "0.516 of the variance" in noise.explain()  # E min(Z², 1)
    assert noise.cost["calls"] == 2 + 4 * 80 + 1
    state = sp.check_reverse_sampler(
        lambda x, t, tn, z, s, lam: np.clip(euler(x, t, tn, z, s, lam), -2, 2.5),
        ornstein_uhlenbeck(),
    )
    assert state.verdict == "undecided"
    assert "not affine in x" in state.sentence
    assert "clips" in state.sentence


def test_a_step_with_a_linearised_score_does_not_hold():
    def linearised(x, t, tn, z, score, lam):
        at = np.full_like(x, 0.2)
        slope = (score(at + 0.5, t) - score(at - 0.5, t)) / 1.0
        return euler(x, t, tn, z, lambda y, u: score(at, u) + slope * (y - at), lam)

    evidence = sp.check_reverse_sampler(linearised, ornstein_uhlenbeck())
    assert evidence.verdict == "refuted", evidence.explain()
    assert "mixture" in evidence.sentence


def test_a_step_right_on_the_line_only_does_not_hold():
    def total(x, t, tn, z, score, lam):
        h, g2 = t - tn, VP.diffusion(t) ** 2
        return (
            x
            - h * (VP.drift(x, t) - (1 - lam / 2) * g2 * score(x, t).sum(axis=1, keepdims=True))
            + np.sqrt((1 - lam) * h * g2) * z
        )

    assert sp.check_reverse_sampler(total, VP, dimension=1)
    assert not sp.check_reverse_sampler(total, VP)


def test_calls_double_where_no_one_says_the_dimension():
    seen = []

    def counted(x, t, tn, z, score, lam):
        seen.append(x.shape[1])
        h, g2 = t - tn, VP.diffusion(t) ** 2
        return (
            x
            - h * (VP.drift(x, t) - (1 - lam / 2) * g2 * score(x, t))
            + np.sqrt((1 - lam) * h * g2) * z
        )

    assert sp.check_reverse_sampler(counted, VP, (0.0, 1.0))
    assert [seen.count(d) for d in (1, 2)] == [2 + 2 * 86] * 2


def test_a_sigma_that_jumps_late_is_refused():
    class Jumps(VPLinear):
        def sigma(self, t):
            return super().sigma(t) * (1.5 if t > 0.75 else 1.0)

    with pytest.raises(ArgumentError, match="check_marginals"):
        sp.check_reverse_sampler(good, Jumps(0.3, 4.3))

    class Slightly(VPLinear):
        def sigma(self, t):
            return super().sigma(t) * (1 + 2e-4 * t)

    with pytest.raises(ArgumentError, match="check_marginals"):
        sp.check_reverse_sampler(good, Slightly(0.3, 4.3))


def test_a_bound_that_says_nothing_acquits_no_one():
    from scoreproof.objects.schedules import VE

    ve = VE()

    def drift_and_noise(x, t, score, lam, factor=1.0):
        g2 = ve.diffusion(t) ** 2
        return (-(1 - lam / 2) * g2 * score(x, t) * factor).astype(np.float32), np.float32(
            np.sqrt((1 - lam) * g2)
        )

    evidence = sp.check_reverse_sampler(
        drift_and_noise, ve, prediction="score", times=(0.01, 0.9), dtype="float32"
    )
    assert evidence.verdict == "undecided", evidence.explain()
    assert "use float64" in evidence.sentence
