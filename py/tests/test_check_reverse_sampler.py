"""`check_reverse_sampler` on right and wrong samplers: the family's faults, windows of time, noise
that is no multiple of the identity, rows that depend on each other, precision.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof import check_reverse_sampler
from scoreproof.claims.reverse_family import CLAIM
from scoreproof.claims.reverse_family.statement import formula, truth
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.objects.linear_sde import LinearSDE
from scoreproof.objects.parameterizations import convert
from scoreproof.objects.schedules import EDM, SCHEDULES, VE, VPLinear
from scoreproof.public.reverse_sampler.targets import PREDICTIONS, gaussian, mixture

VP = VPLinear(0.3, 4.3)  # g² from 0.3 to 4.3: not constant, never 1 at the times judged
LAMBDAS = (-0.6, 0.2, 0.7)
FEW = (0.15, 0.3, 0.45, 0.6, 0.75, 0.85)  # times enough for what is wrong, or right, at all of them
FAULTS = [f.name for f in CLAIM.faults]


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


# -- the public check on drift and noise ---------------------------------------------------------


def test_the_truth_holds_and_calls_are_counted():
    evidence = check_reverse_sampler(as_drift_and_noise(truth, mixture(VP, 1, None)), VP)
    assert evidence
    assert evidence.kind == "float"
    assert evidence.cost["calls"] == 3 * 4 * 32
    assert evidence.resolution < 1e-12
    assert evidence.coverage.looked_at["times"] == 3 * 32
    assert set(evidence.curves) == {"λ = -1", "λ = 0", "λ = 0.5", "λ = 1"}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_refuted_and_named(name):
    evidence = check_reverse_sampler(
        as_drift_and_noise(CLAIM.fault(name).subject, mixture(VP, 1, None)), VP, LAMBDAS, at=FEW
    )
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == (name,)
    assert f"({name}" not in evidence.explain()  # in words, not by its name
    assert evidence.explain().count(". ") <= 4


def test_pairs_of_faults_are_named():
    target, right, seen = mixture(VP, 1, None), 0, 0
    pairs = [p for p in combinations(FAULTS, 2) if CLAIM.compose(p) is not None]
    for pair in pairs[::5]:
        evidence = check_reverse_sampler(
            as_drift_and_noise(CLAIM.compose(pair), target), VP, LAMBDAS, at=FEW
        )
        seen += 1
        right += evidence.diagnosis is not None and " + ".join(pair) in evidence.diagnosis.names
    assert seen > 28
    assert right >= 0.9 * seen


def test_what_the_two_famous_members_hide():
    target = mixture(VP, 1, None)

    def hidden(lam):
        return {
            n
            for n in FAULTS
            if check_reverse_sampler(
                as_drift_and_noise(CLAIM.fault(n).subject, target), VP, (lam,), at=FEW
            )
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

    assert check_reverse_sampler(drift_and_noise, VP, at=FEW, prediction=prediction)
    assert not check_reverse_sampler(
        drift_and_noise, VP, at=FEW, prediction="score" if prediction != "score" else "eps"
    )


# -- the public check on steps -------------------------------------------------------------------


def test_euler_holds_with_its_order():
    evidence = check_reverse_sampler(as_euler_step(truth, gaussian(VP, 1, None)), VP)
    assert evidence
    assert evidence.kind == "convergent"
    assert "h^2.0" in evidence.explain()
    assert "point mass" not in evidence.explain()
    most = 4 * 3 * 4 * 32 + 3 * (2 + 4 * 2 * 4) + 4 * (56 + 12)  # as the docstring says
    assert most - 36 <= evidence.cost["calls"] <= most
    steps, errors = evidence.curves["λ = 0"]
    assert steps == [8.0, 16.0, 32.0]
    assert errors[0] > 1.5 * errors[1] > 2 * errors[2]


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_in_a_step_is_refuted_and_named(name):
    evidence = check_reverse_sampler(
        as_euler_step(CLAIM.fault(name).subject, mixture(VP, 1, None)), VP, LAMBDAS, at=FEW
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

    for sampler in (with_rotation, step):
        evidence = check_reverse_sampler(sampler, VP, dimension=2, at=FEW)
        assert evidence.verdict == "undecided"
    for name in ("score_sign", "noise_half", "reversed_clock"):
        wrong = check_reverse_sampler(
            as_euler_step(CLAIM.fault(name).subject, gaussian(VP, 2, None)),
            VP,
            LAMBDAS,
            dimension=2,
            at=FEW,
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
                check_reverse_sampler(
                    sampler, VP, (0.0, 0.5), at=FEW, framework="torch", dtype=dtype
                ).verdict
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

    assert check_reverse_sampler(drift_and_noise, VP, (0.0, 0.5), at=FEW, framework="jax")


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
        (0.0,),
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
    assert sp.check_reverse_sampler(euler, ornstein_uhlenbeck(), (0.0, 0.5))
    evidence = sp.check_reverse_sampler(clipped, ornstein_uhlenbeck(), (0.0, 0.5))
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
        lambda x, t, tn, z, s, lam: euler(x, t, tn, np.clip(z, -1, 1), s, lam),
        ornstein_uhlenbeck(),
        (0.0, 0.5),
    )
    assert noise.verdict == "refuted"
    assert "0.516 of the variance" in noise.explain()  # E min(Z², 1)
    state = sp.check_reverse_sampler(
        lambda x, t, tn, z, s, lam: np.clip(euler(x, t, tn, z, s, lam), -2, 2.5),
        ornstein_uhlenbeck(),
        (0.0, 0.5),
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

    assert sp.check_reverse_sampler(total, VP, (0.0, 0.5), dimension=1)
    assert not sp.check_reverse_sampler(total, VP, (0.0, 0.5))


def test_three_dimensions_are_judged_where_no_one_says_which():
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
    per_dimension = 2 + 2 * (32 * 4 + 2 * 4)
    assert [seen.count(d) for d in (2, 3)] == [per_dimension] * 2
    assert per_dimension + 2 * 56 < seen.count(1) <= per_dimension + 2 * (56 + 12)


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


# -- isolated times --------------------------------------------------------------------------------


def family(x, t, score, lam, *, scale=1.0, quiet=1.0, process=VP):
    """Drift and noise coefficient; the score times ``scale``, the noise times ``quiet``."""
    g2 = process.diffusion(t) ** 2
    b = process.drift(x, t) - (1 - lam / 2) * g2 * scale * score(x, t)
    return b, quiet * np.sqrt((1 - lam) * g2)


def em(x, t, t_next, noise, score, lam, **wrong):
    b, c = family(x, t, score, lam, **wrong)
    return x - (t - t_next) * b + (t - t_next) ** 0.5 * c * noise


def as_step(inner):
    return lambda x, t, tn, z, score, lam: inner(em, x, t, tn, z, score, lam)


WINDOWS = {
    "the score doubled": (0.62, 0.89, {"scale": 2.0}),
    "the noise off below": (0.0, 0.29, {"quiet": 0.0}),
    "a window as EDM's": (0.35, 0.55, {"quiet": 1.2}),
    "the score 3 % small": (0.41, 0.5, {"scale": 0.97}),
    "near the end": (0.84, 1.0, {"scale": 1.1}),
}


@pytest.mark.parametrize("form", ["sde", "step"])
@pytest.mark.parametrize("name", WINDOWS)
def test_a_window_of_time_is_refuted_and_told(name, form):
    low, high, wrong = WINDOWS[name]

    def inside(t):
        return wrong if low < t < high else {}

    def drift_and_noise(x, t, score, lam):
        return family(x, t, score, lam, **inside(t))

    def step(x, t, tn, z, score, lam):
        return em(x, t, tn, z, score, lam, **inside(t))

    sampler = drift_and_noise if form == "sde" else step
    evidence = check_reverse_sampler(sampler, VP, (0.0, 0.5))
    assert evidence.verdict == "refuted", evidence.explain()
    assert " of " in evidence.sentence
    assert " times, t = " in evidence.sentence


def test_lambda_may_vary_with_time():
    """EDM's churn in a window keeps the marginals: it holds, with a note."""

    def churn(x, t, tn, z, score):
        return em(x, t, tn, z, score, -0.7 if 0.3 < t < 0.6 else 1.0)

    evidence = check_reverse_sampler(churn, VP, (1.0,))
    assert evidence, evidence.explain()
    assert "it varies with t" in evidence.explain()
    smooth = check_reverse_sampler(lambda x, t, s, lam: family(x, t, s, lam * t), VP, (1.0,))
    assert smooth, smooth.explain()


def test_the_caller_names_the_times():
    def wrong(x, t, score, lam):
        return family(x, t, score, lam, scale=2.0 if 0.62 < t < 0.89 else 1.0)

    assert check_reverse_sampler(wrong, VP, at=(0.3, 0.5))
    assert "t = 0.3, 0.5, as asked" in check_reverse_sampler(wrong, VP, at=(0.5, 0.3)).explain()
    assert check_reverse_sampler(wrong, VP, at=(0.3, 0.7)).verdict == "refuted"
    assert check_reverse_sampler(em, VP, (0.0,), at=(0.3, 0.5))
    with pytest.raises(ArgumentError, match="at must be inside times"):
        check_reverse_sampler(wrong, VP, times=(0.4, 0.8), at=(0.3, 0.7))


def test_noise_added_in_the_last_step():
    def last(x, t, tn, z, score, lam):
        return em(x, t, tn, z, score, lam) + (0.3 * z if tn <= 0.1 else 0.0)

    assert check_reverse_sampler(last, VP, (0.0,), times=(0.1, 0.9)).verdict == "refuted"


# -- the whole noise -------------------------------------------------------------------------------

CORRELATED = np.linalg.cholesky(np.array([[1.0, 0.5, 0.2], [0.5, 1.0, -0.3], [0.2, -0.3, 1.0]]))
NOISES = {
    "one draw for all coordinates": lambda z: z[:, :1] + 0 * z,
    "correlated": lambda z: z @ CORRELATED[: z.shape[1], : z.shape[1]].T,
    "variances 1/2 and 3/2": lambda z: z * np.sqrt([0.5, 1.5, 1.0])[: z.shape[1]],
    "trace right, one coordinate silent": lambda z: z * np.sqrt([0.0, 2.0, 1.0])[: z.shape[1]],
    "the last coordinate a copy": lambda z: np.concatenate([z[:, :-1], z[:, :1]], axis=1),
    "the coordinates' mean": lambda z: 0 * z + z.sum(axis=1, keepdims=True) / z.shape[1] ** 0.5,
    "1 % too much": lambda z: 1.01 * z,
    "clipped at 2": lambda z: np.clip(z, -2, 2),
}


@pytest.mark.parametrize("dimension", [None, 2, 3])
@pytest.mark.parametrize("name", NOISES)
def test_the_noise_matrix_belongs_to_the_verdict(name, dimension):
    evidence = check_reverse_sampler(
        as_step(lambda em, x, t, tn, z, score, lam: em(x, t, tn, NOISES[name](z), score, lam)),
        VP,
        (0.0,),
        at=FEW,
        dimension=dimension,
    )
    if name == "variances 1/2 and 3/2" and dimension is None:
        assert evidence.verdict == "refuted"  # in d = 1 already
    assert evidence.verdict == "refuted", evidence.explain()
    if name == "one draw for all coordinates":
        assert "shared by the coordinates" in evidence.sentence
    if name == "variances 1/2 and 3/2" and dimension == 2:
        assert "0.5 g²" in evidence.sentence


def test_correlated_noise_in_a_window():
    def step(x, t, tn, z, score, lam):
        return em(x, t, tn, z[:, :1] + 0 * z if 0.3 < t < 0.45 else z, score, lam)

    evidence = check_reverse_sampler(step, VP, (0.0,))
    assert evidence.verdict == "refuted", evidence.explain()
    assert "one draw is shared" in evidence.sentence


def test_a_rotated_noise_is_the_same_noise():
    turned = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]

    def step(x, t, tn, z, score, lam):
        return em(x, t, tn, z @ turned if z.shape[1] == 3 else -z[:, ::-1], score, lam)

    assert check_reverse_sampler(step, VP, (0.0, 0.5))


def test_noise_by_coordinate_in_the_form_of_drift_and_noise():
    def uneven(x, t, score, lam, right):
        # another member of the family in each coordinate keeps the marginals, if the drift goes
        # with it
        g2 = VP.diffusion(t) ** 2
        each = np.array([0.5, 1.5, 1.0])[: x.shape[1]] if x.shape[1] > 1 else 1.0
        s = score(x, t)
        b = VP.drift(x, t) - g2 / 2 * s - ((1 - lam) * (each if right else 1.0)) * g2 / 2 * s
        return b, np.sqrt((1 - lam) * g2 * each) * np.ones_like(x)

    assert check_reverse_sampler(lambda x, t, s, lam: uneven(x, t, s, lam, True), VP)
    evidence = check_reverse_sampler(lambda x, t, s, lam: uneven(x, t, s, lam, False), VP)
    assert evidence.verdict == "refuted", evidence.explain()
    assert "in coordinate" in evidence.sentence


@pytest.mark.parametrize("shape", ["number", "(1,)", "(n, 1)", "(n, d)", "(1, d)"])
def test_shapes_of_a_noise_coefficient(shape):
    def drift_and_noise(x, t, score, lam):
        b, c = family(x, t, score, lam)
        n, d = x.shape
        sizes = {"number": (), "(1,)": (1,), "(n, 1)": (n, 1), "(n, d)": (n, d), "(1, d)": (1, d)}
        return b, np.broadcast_to(c, sizes[shape])

    assert check_reverse_sampler(drift_and_noise, VP)


# -- the rows of a batch
# -----------------------------------------------------------------------------

ROWS = {
    "the first row's noise for all": lambda x, z: (x, z[:1] + 0 * z),
    "noise centred over the batch": lambda x, z: (x, z - z.mean(axis=0)),
    "noise scaled to unit variance": lambda x, z: (x, z / z.std()),
    "points centred over the batch": lambda x, z: (x - x.mean(axis=0), z),
}


@pytest.mark.parametrize("window", [(0.0, 1.0), (0.3, 0.5)], ids=["everywhere", "in a window"])
@pytest.mark.parametrize("name", ROWS)
def test_rows_must_be_apart(name, window):
    def step(x, t, tn, z, score, lam):
        y, w = ROWS[name](x, z) if window[0] < t < window[1] else (x, z)
        return em(y, t, tn, w, score, lam)

    evidence = check_reverse_sampler(step, VP, (0.0,))
    assert evidence.verdict == "refuted", evidence.explain()
    if window[0] == 0.0:
        assert "rows" in evidence.sentence


def test_a_permutation_of_the_noise_is_no_error():
    evidence = check_reverse_sampler(
        as_step(lambda em, x, t, tn, z, s, lam: em(x, t, tn, np.roll(z, 1, 0), s, lam)), VP, (0.0,)
    )
    assert evidence.verdict == "undecided", evidence.explain()
    assert "another row" in evidence.sentence


def test_a_drift_that_uses_the_batch():
    def drift_and_noise(x, t, score, lam):
        b, c = family(x, t, score, lam)
        return b + 0.01 * x.mean(axis=0), c

    assert check_reverse_sampler(drift_and_noise, VP).verdict == "refuted"


# -- weak noises ---------------------------------------------------------------------------------

WEAK = {
    "two points": np.sign,
    "three points": lambda z: np.sqrt(3) * np.sign(z) * (np.abs(z) > 0.9674215661017014),
    "uniform": lambda z: np.sqrt(12) * (_normal_cdf(z) - 0.5),
}


def _normal_cdf(z):
    from scipy.special import ndtr

    return ndtr(z)


@pytest.mark.parametrize("name", WEAK)
def test_weak_noises_hold(name):
    evidence = check_reverse_sampler(
        as_step(lambda em, x, t, tn, z, s, lam: em(x, t, tn, WEAK[name](z), s, lam)), VP, (0.0, 0.5)
    )
    assert evidence, evidence.explain()
    assert "weak" in evidence.explain()


@pytest.mark.parametrize("dimension", [16, 40])
@pytest.mark.parametrize("name", WEAK)
def test_weak_noises_in_many_dimensions(name, dimension):
    """Once refuted beyond d = 16: not all sign vectors were given, so chance correlated them."""

    def judged(inner):
        sampler = as_step(lambda em, x, t, tn, z, s, lam: em(x, t, tn, inner(z), s, lam))
        return check_reverse_sampler(sampler, VP, (0.0,), dimension=dimension, at=(0.3, 0.7))

    weak = WEAK[name]
    assert judged(weak)
    last = np.where(np.arange(dimension) == dimension - 1, 1.05, 1.0)
    assert judged(lambda z: weak(z) * last).verdict == "refuted"
    shared = judged(lambda z: weak(z[:, :1]) + 0 * z)
    assert shared.verdict == "refuted"
    assert "not affine" not in shared.sentence
    assert "shared by the coordinates" in shared.sentence


def test_weak_noises_that_mix_coordinates():
    turned = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    slanted = np.array([[1.0, 0.1, 0.0], [0.1, 1.0, 0.0], [0.0, 0.0, 1.0]])

    def judged(matrix):
        return check_reverse_sampler(
            as_step(lambda em, x, t, tn, z, s, lam: em(x, t, tn, np.sign(z) @ matrix, s, lam)),
            VP,
            (0.0,),
            dimension=3,
        )

    assert judged(turned)
    assert judged(slanted).verdict == "refuted"


def test_the_mean_of_a_weak_noise_counts():
    def lopsided(x, t, tn, z, s, lam):  # odd at ±1, but E = -0.13
        return em(x, t, tn, np.sign(z) - 0.5 * (np.abs(z) > 1.2) + 0.1, s, lam)

    evidence = check_reverse_sampler(lopsided, VP, (0.0,), dimension=1)
    assert evidence.verdict != "holds", evidence.explain()


@pytest.mark.parametrize(
    "process",
    [
        LinearSDE(-0.5, 0.0, 1.0),
        LinearSDE(-0.5, 0.3, [0.8, 0.5]),
        LinearSDE(-0.7, 0.1, lambda t: 1 + t),
    ],
    ids=["numbers", "with a shift", "a callable"],
)
def test_numbers_only_do_not_say_what_d_is(process):
    def step(x, t, tn, z, score, lam):
        h, g = t - tn, process.diffusion(t)
        b = process.drift(x, t) - (1 - lam / 2) * g**2 * score(x, t)
        return x - h * b + np.sqrt((1 - lam) * h) * g * z

    def judged(noise, **more):
        return check_reverse_sampler(
            lambda x, t, tn, z, s, lam: step(x, t, tn, noise(z), s, lam),
            process,
            (0.0,),
            at=FEW,
            **more,
        )

    evidence = judged(lambda z: z)
    assert evidence, evidence.explain()
    assert evidence.coverage.looked_at["dimensions"] == 3
    assert judged(lambda z: z[:, :1] + 0 * z).verdict == "refuted"
    assert judged(NOISES["variances 1/2 and 3/2"]).verdict == "refuted"
    alone = judged(lambda z: z[:, :1] + 0 * z, dimension=1)
    assert alone, "in d = 1 it is right"
    assert "noise that coordinates share" in alone.explain()


def test_a_step_for_one_coordinate_is_told_so():
    process = LinearSDE(-0.5, 0.0, 1.0)

    def step(x, t, tn, z, score, lam):
        return x @ process.transition(tn, t)[0].T

    with pytest.raises(CallableError, match="pass dimension=1"):
        check_reverse_sampler(
            lambda x, t, tn, z, s, lam: em(x, t, tn, z, s, lam) + 0 * step(x, t, tn, z, s, lam),
            VP,
            (0.0,),
        )


def test_a_weak_noise_of_the_wrong_variance_is_refuted():
    evidence = check_reverse_sampler(
        as_step(lambda em, x, t, tn, z, s, lam: em(x, t, tn, 1.2 * np.sign(z), s, lam)), VP, (0.0,)
    )
    assert evidence.verdict == "refuted"
    coarse = check_reverse_sampler(
        as_step(lambda em, x, t, tn, z, s, lam: em(x, t, tn, np.round(z), s, lam)), VP, (0.0,)
    )
    assert coarse.verdict == "refuted"  # E round(Z)² = 1.08


# -- other ways to be wrong or right ---------------------------------------------------------------


def test_a_rotation_that_does_not_keep_the_law():
    def turned(x, t, score, lam):
        b, c = family(x, t, score, lam)
        return (b + np.stack([-x[:, 1], x[:, 0]], axis=1) if x.shape[1] == 2 else b), c

    evidence = check_reverse_sampler(turned, VP)
    assert evidence.verdict == "refuted", evidence.explain()


def test_a_drift_wrong_in_one_coordinate():
    def one(x, t, score, lam):
        b, c = family(x, t, score, lam)
        return b * np.where(np.arange(x.shape[1]) == 2, 1.02, 1.0), c

    assert check_reverse_sampler(one, VP).verdict == "refuted"


def test_a_step_that_ignores_t_next():
    evidence = check_reverse_sampler(
        as_step(lambda em, x, t, tn, z, s, lam: em(x, t, t - 0.02, z, s, lam)), VP, (0.0,)
    )
    assert evidence.verdict == "refuted", evidence.explain()
    assert "does not tend to x" in evidence.sentence


def test_clips_far_from_the_mean_do_not_hold():
    def clipped(x, t, tn, z, s, lam):
        return np.clip(em(x, t, tn, z, s, lam), -3, 3)

    assert check_reverse_sampler(clipped, VP, (0.0, 0.5)).verdict != "holds"
    assert (
        check_reverse_sampler(lambda x, t, s, lam: family(np.clip(x, -3, 3), t, s, lam), VP).verdict
        == "refuted"
    )


def test_higher_orders_and_exponential_integrators_hold():
    def heun(x, t, tn, z, score):
        a = family(x, t, score, 1.0)[0]
        b = family(x - (t - tn) * a, tn, score, 1.0)[0]
        return x - (t - tn) / 2 * (a + b)

    def midpoint(x, t, tn, z, score):
        m = (t + tn) / 2
        return x - (t - tn) * family(x - (t - m) * family(x, t, score, 1.0)[0], m, score, 1.0)[0]

    def exponential(x, t, tn, z, score, lam):
        # the linear part solved exactly, the score frozen
        growth = VP.alpha(tn) / VP.alpha(t)
        noise = growth**2 * VP.sigma(t) ** 2 - VP.sigma(tn) ** 2
        return (
            growth * x
            + (1 - lam / 2) * noise / growth * score(x, t)
            + np.sqrt((1 - lam) * noise / growth) * z
        )

    assert check_reverse_sampler(heun, VP, (1.0,))
    assert check_reverse_sampler(midpoint, VP, (1.0,))
    assert check_reverse_sampler(exponential, VP, (0.0, 0.5))


def test_score_at_the_other_end_of_the_step_is_consistent():
    def late(x, t, tn, z, score, lam):
        return em(x, t, tn, z, lambda y, _: score(y, tn), lam)

    assert check_reverse_sampler(late, VP, (0.0, 0.5))
    reversed_time = check_reverse_sampler(
        lambda x, t, tn, z, score, lam: em(x, t, tn, z, lambda y, u: score(y, 1 - u), lam),
        VP,
        (0.0, 0.5),
    )
    assert reversed_time.verdict == "refuted"


# -- precision -------------------------------------------------------------------------------------


def single(inner):
    """All arrays and scalars in single precision."""

    def step(x, t, tn, z, model, last):
        f = np.float32
        return inner(np.asarray(x, f), f(t), f(tn), np.asarray(z, f), model, f(last))

    return step


class Single(VPLinear):
    """The schedule in single precision."""

    def alpha(self, t):
        return np.float32(super().alpha(t))

    def sigma(self, t):
        return np.float32(super().sigma(t))

    def diffusion(self, t):
        return np.float32(super().diffusion(t))


def test_ddim_and_euler_in_single_precision():
    process = VPLinear()
    evidence = check_reverse_sampler(
        single(ddim(Single())), process, prediction="eps", parameter="eta", dtype="float32"
    )
    assert evidence, evidence.explain()
    assert evidence.resolution < 0.01
    wrong = check_reverse_sampler(
        single(lambda x, t, tn, z, s, lam: em(x, t, tn, z, s, lam, scale=1.03)), VP, dtype="float32"
    )
    assert wrong.verdict == "refuted", wrong.explain()


def test_a_schedule_in_single_precision_behind_double_arrays():
    """What single precision explains is not called wrong, and the remedy works."""

    def rounded(x, t, tn, z, score, lam):
        g2 = float(np.float32(VP.diffusion(t) ** 2))
        return (
            x
            - (t - tn) * (VP.drift(x, t) - (1 - lam / 2) * g2 * (1 + 1e-7) * score(x, t))
            + np.sqrt((1 - lam) * (t - tn) * g2) * z
        )

    evidence = check_reverse_sampler(rounded, VP, (0.0, 0.5))
    assert evidence.verdict == "undecided", evidence.explain()
    assert "tolerance=0.01" in evidence.sentence
    assert check_reverse_sampler(rounded, VP, (0.0, 0.5), tolerance=0.01)
    single_ddim = check_reverse_sampler(
        ddim(Single()), VPLinear(), (0.0, 1.0), prediction="eps", parameter="eta"
    )
    assert single_ddim.verdict == "undecided", single_ddim.explain()
    assert check_reverse_sampler(
        ddim(Single()),
        VPLinear(),
        (0.0, 1.0),
        prediction="eps",
        parameter="eta",
        tolerance=0.01,
    )


def test_a_long_span_is_swept_in_log_t_as_well():
    edm = EDM()

    def step(x, t, tn, z, score, lam, right=False):
        quiet = 1.0 if right or not 0.05 < t < 1 else 1.05
        return em(x, t, tn, z, score, lam, quiet=quiet, process=edm)

    evidence = check_reverse_sampler(step, edm, (0.0,), times=(0.002, 79.0))
    assert evidence.verdict == "refuted", evidence.explain()
    assert check_reverse_sampler(
        lambda x, t, tn, z, s, lam: step(x, t, tn, z, s, lam, True),
        edm,
        (0.0,),
        times=(0.002, 79.0),
    )


def test_half_precision_is_judged_at_the_callers_tolerance():
    torch = pytest.importorskip("torch")

    def drift_and_noise(x, t, score, lam, scale=1.0):
        g2 = float(VP.diffusion(t)) ** 2
        return float(VP.rate(t)) * x - (1 - lam / 2) * g2 * scale * score(x, t), (
            (1 - lam) * g2
        ) ** 0.5

    half = {"framework": "torch", "dtype": "bfloat16"}
    unsure = check_reverse_sampler(drift_and_noise, VP, (0.0, 1.0), **half)
    assert unsure.verdict == "undecided"
    assert "use float64" in unsure.sentence
    assert check_reverse_sampler(drift_and_noise, VP, (0.0, 1.0), tolerance=0.4, **half)
    wrong = check_reverse_sampler(
        lambda x, t, s, lam: drift_and_noise(x, t, s, lam, 2.0), VP, (0.0, 1.0), **half
    )
    assert wrong.verdict == "refuted"
    assert torch is not None


def test_tolerance():
    def off(x, t, score, lam):
        return family(x, t, score, lam, scale=1.005)

    assert check_reverse_sampler(off, VP).verdict == "refuted"
    evidence = check_reverse_sampler(off, VP, tolerance=0.02)
    assert evidence
    assert evidence.resolution == 0.02
    assert check_reverse_sampler(off, VP, tolerance=0.001).verdict == "refuted"
    with pytest.raises(ArgumentError, match="tolerance"):
        check_reverse_sampler(off, VP, tolerance=2)


@pytest.mark.parametrize("dimension", [8, 64])
def test_many_dimensions(dimension):
    assert check_reverse_sampler(em, VP, (0.0,), dimension=dimension)
    assert check_reverse_sampler(family, VP, dimension=dimension)
    last = np.where(np.arange(dimension) == dimension - 1, 1.02, 1.0)
    for wrong in (
        lambda x, t, tn, z, s, lam: em(x, t, tn, z * last, s, lam),
        lambda x, t, tn, z, s, lam: em(x, t, tn, z[:, :1] + 0 * z, s, lam),
    ):
        evidence = check_reverse_sampler(wrong, VP, (0.0,), dimension=dimension)
        assert evidence.verdict == "refuted", evidence.explain()


def test_what_a_verdict_says_it_looked_at():
    for sampler in (em, family):
        evidence = check_reverse_sampler(sampler, VP, (0.0, 0.5))
        assert evidence.verdict == "holds"
        assert 0 < evidence.resolution < 1e-3
        assert evidence.coverage.looked_at["times"] == 96
        assert evidence.coverage.looked_at["dimensions"] == 3
        text = evidence.explain()
        assert "would have been seen" in text
        assert "t from 0.1 to 0.9" in text
        assert "d = 1, 2, 3" in text


class Slow:
    """So slow that steps could be longer than the span."""

    horizon = 100.0

    def drift(self, x, t):
        return -0.001 * x

    def diffusion(self, t):
        return 0.05

    def alpha(self, t):
        return np.exp(-0.001 * t)

    def sigma(self, t):
        return np.sqrt(0.05**2 * (1 - np.exp(-0.002 * t)) / 0.002)


def test_no_step_leaves_the_span():
    asked = []

    def step(x, t, t_next, noise, model):
        asked.append((float(t_next), float(t)))
        h = t - t_next
        return x + h * (0.001 * x + 0.05**2 * model(x, t)) + np.sqrt(h) * 0.05 * noise

    assert check_reverse_sampler(step, Slow(), (0.0,), times=(60.0, 90.0), dimension=1)
    assert min(asked)[0] >= 60 and max(t for _, t in asked) <= 90


def test_the_order_is_measured_inside_the_span():
    from scoreproof.public.reverse_sampler.arguments import Request, validate
    from scoreproof.public.reverse_sampler.chain import order_and_exactness

    asked = []

    def step(x, t, t_next, noise, model):
        asked.append(t_next)
        h = t - t_next
        return x + h * (0.001 * x + 0.05**2 * model(x, t)) + np.sqrt(h) * 0.05 * noise

    given = (step, Slow(), (0.0,), None, "score", "lambda", "t", (60.0, 90.0), None, None, 1)
    job = validate(Request(*given, None, "numpy", None, 0))
    point = gaussian(Slow(), 1, None, point_mass=True)
    order_and_exactness(job, gaussian(Slow(), 1, None), point, [60.25])
    assert min(asked) >= 60


def test_the_points_of_the_sentence_are_those_of_the_coverage():
    def family(x, t, score, lam):
        rate = VP.diffusion(t) ** 2
        return VP.drift(x, t) - (1 - lam / 2) * rate * score(x, t), ((1 - lam) * rate) ** 0.5

    for more, where in (({}, "d = 1, 2, 3"), ({"dimension": 2}, "d = 2")):
        held = sp.check_reverse_sampler(family, VP, (0.0, 1.0), **more)
        assert held and f"in {where}, at {held.coverage.asked['points']} points" in held.sentence
