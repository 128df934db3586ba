"""`check_fokker_planck` of a score, alone or beside its density."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError

check = sp.check_fokker_planck


def mixture(d, seed=0):
    """A score and log p of two Gaussians that relax: dX = -θ X dt + σ dW, a σ a coordinate."""
    rng = np.random.default_rng(seed)
    means, starts = rng.standard_normal((2, d)), np.array([0.4, 0.9])
    theta, sigma = 0.8, np.linspace(0.7, 1.1, d)

    def parts(x, t):
        logs, slopes = [], []
        for m, c in zip(means, starts, strict=True):
            e = np.exp(-theta * t)
            v = c * e * e + sigma**2 * (1 - e * e) / (2 * theta)
            r = x - m * e
            logs.append(-0.5 * (r * r / v + np.log(2 * np.pi * v)).sum(axis=1) + np.log(0.5))
            slopes.append(-r / v)
        return np.array(logs), np.array(slopes)

    def log_p(x, t):
        logs, _ = parts(x, t)
        top = logs.real.max(axis=0)
        return top + np.log(np.exp(logs - top).sum(axis=0))

    def score(x, t):
        logs, slopes = parts(x, t)
        w = np.exp(logs - logs.real.max(axis=0))
        return (w[:, :, None] * slopes).sum(axis=0) / w.sum(axis=0)[:, None]

    return {"drift": lambda x, t: -theta * x, "diffusion": sigma}, log_p, score


@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_a_mixtures_score_holds(d):
    given, log_p, score = mixture(d)
    evidence = check(**given, score=score, dimension=d)
    assert evidence, evidence.explain()
    assert evidence.resolution < 1e-7
    assert "a factor of time alone, the normaliser, is not in a score" in evidence.sentence
    assert ("its Jacobian is symmetric" in evidence.sentence) == (d > 1)
    assert evidence.coverage.asked["segments"] > 0 and evidence.cost["score"] > 0
    both = check(**given, log_density=log_p, score=score, dimension=d)
    assert both and "the score is the gradient of log p" in both.sentence
    assert check(**given, density=lambda x, t: np.exp(log_p(x, t)), score=score, dimension=d)


def test_what_a_score_cannot_see_is_a_factor_of_time():
    given, log_p, score = mixture(2)
    assert check(**given, log_density=lambda x, t: log_p(x, t) + t, dimension=2).verdict == (
        "refuted"
    )
    assert check(**given, score=score, dimension=2)


@pytest.mark.parametrize("size", [1e-2, 1e-5])
def test_a_rotation_that_leaves_the_divergence_alone_is_seen(size):
    given, log_p, score = mixture(3)
    turn = size * np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 0]])
    evidence = check(**given, score=lambda x, t: score(x, t) + x @ turn, dimension=3)
    assert evidence.diagnosis.names == ("score_not_gradient",), evidence.explain()
    assert "at all points and times ∂s[0]/∂x[1]" in evidence.explain() or (
        "at all points and times ∂s[1]/∂x[0]" in evidence.explain()
    )
    bent = check(**given, score=lambda x, t: score(x, t) + np.sin(x) @ turn, dimension=3)
    assert bent.diagnosis.names == ("score_not_gradient",)
    assert "at all points and times" not in bent.explain()
    both = check(
        **given,
        log_density=log_p,
        score=lambda x, t: score(x, t) + np.sin(x) @ turn,
        dimension=3,
    )
    assert both.verdict == "refuted" and "is not the gradient of log p" in both.sentence


@pytest.mark.parametrize(
    ("said", "change"),
    [
        ("score_sign", lambda s, x, t: -s),
        (None, lambda s, x, t: s + 1e-4 * x),
        (None, lambda s, x, t: s * (1 + 1e-5)),
        (None, lambda s, x, t: s + 1e-5 * np.sin(t)),
        (None, lambda s, x, t: s + 1e-5 * np.cos(x)),
    ],
)
def test_a_wrong_score_is_refuted(said, change):
    given, _, score = mixture(2)
    evidence = check(**given, score=lambda x, t: change(score(x, t), x, t), dimension=2)
    assert evidence.verdict == "refuted", evidence.explain()
    assert "the score changes in time at another rate" in evidence.sentence
    assert "segments and times" in evidence.sentence
    if said:
        assert evidence.diagnosis.names == (said,)


@pytest.mark.parametrize(
    ("name", "text", "score"),
    [
        ("score_halved", "half of what is due", lambda x, v: -x / (2 * v)),
        ("score_doubled", "twice what is due", lambda x, v: -2 * x / v),
    ],
)
def test_a_factor_of_the_score_is_named(name, text, score):
    """With a drift, a factor of s is no factor of the noise."""

    def variance(t):
        return 0.3 * np.exp(-1.6 * t) + (1 - np.exp(-1.6 * t)) / 1.6 * 0.81

    evidence = check(
        lambda x, t: -0.8 * x, 0.9, score=lambda x, t: score(x, variance(t)), dimension=2
    )
    assert evidence.verdict == "refuted"
    assert name in evidence.diagnosis.names or evidence.diagnosis.names, evidence.explain()


@pytest.mark.parametrize(
    ("name", "drift", "score"),
    [
        (
            "gradient_of_divergence",
            lambda x, t: -np.tanh(x),
            lambda x, t: (1 - np.tanh(x) ** 2) / (2 + np.tanh(x)) + 0 * t,
        ),
        (
            "squared_gradient",
            lambda x, t: 0 * x,
            lambda x, t: -x - 0.6 * np.sin(2 * x) * np.exp(-2 * t),
        ),
    ],
)
def test_a_summand_that_its_equation_lacks_is_named(name, drift, score):
    evidence = check(drift, 1.0, score=score)
    assert evidence.diagnosis.names == (name,), evidence.explain()
    assert "is left out of the score's equation" in evidence.explain()


def test_a_summand_that_an_equation_for_log_p_lacks_is_named():
    def log_p(x, t):  # of the heat equation for log p
        return -0.5 * (x**2).sum(axis=1) - t + 0.3 * np.cos(2 * x).sum(axis=1) * np.exp(-2 * t)

    evidence = check(
        lambda x, t: 0 * x, np.ones(2), log_density=log_p, dimension=2, normalized=False
    )
    assert evidence.diagnosis.names == ("squared_gradient",), evidence.explain()


def test_half_of_a_square_is_named():
    """½ s² counted by half: ∂_t u = ½ u'' + ¼ u'², which e^{u/2} solves as the heat equation."""

    def score(x, t):  # u = 2 log(2 + cosh(x) e^{t/2})
        e = np.exp(t / 2)
        return 2 * np.sinh(x) * e / (2 + np.cosh(x) * e)

    evidence = check(lambda x, t: 0 * x, 1.0, score=score)
    assert evidence.diagnosis.names == ("half_of_the_square",), evidence.explain()
    assert "½ sᵀ Σ s is counted by half" in evidence.explain()


def test_a_bessel_process_and_its_score():
    """|W| in δ dimensions, from 0: dX = (δ - 1)/(2 X) dt + dW."""
    delta = 3.4

    def score(x, t):
        return (delta - 1) / x - x / t

    given = {"score": score, "domain": (0.4, 3.0)}
    assert check(lambda x, t: (delta - 1) / (2 * x), 1.0, **given)
    wrong = check(lambda x, t: (delta - 1) / x, 1.0, **given)
    assert wrong.verdict == "refuted" and wrong.diagnosis.names


def test_points_of_the_callers_own_are_joined():
    given, _, score = mixture(2)
    points = np.random.default_rng(0).uniform(-1, 1, (9, 2))
    evidence = check(**given, score=score, points=points)
    assert evidence and "the points you named" in evidence.coverage.describe()
    assert check(**given, score=score, points=points[:1])


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_scores_of_frameworks(framework):
    package = pytest.importorskip(framework)
    xp = package if framework == "torch" else package.numpy

    def score(x, t):
        return -x / (0.3 + 0.81 * t) + 0 * xp.exp(-t)

    given = {"framework": framework, "dimension": 2, "tolerance": 0.02, "times": (0.3, 1.0)}
    assert check(lambda x, t: 0 * x, lambda t: 0.9, score=score, **given)
    wrong = check(lambda x, t: 0 * x, lambda t: 0.81, score=score, **given)
    assert wrong.verdict == "refuted"


def test_a_torch_score_that_forward_mode_cannot_follow():
    torch = pytest.importorskip("torch")

    def score(x, t):
        v = 0.3 + 0.81 * float(t)
        return torch.as_tensor(-x.detach().numpy() / v)

    evidence = check(lambda x, t: 0 * x, 0.9, score=score, dimension=2, framework="torch")
    assert evidence.verdict != "refuted", evidence.explain()


def test_rows_of_a_score_are_functions_of_one_point():
    given, _, score = mixture(2)
    evidence = check(**given, score=lambda x, t: score(x, t) + 1e-3 * x.mean(), dimension=2)
    assert evidence.diagnosis.names == ("other_rows",) and "the score at a point" in (
        evidence.explain()
    )


def test_bad_scores_are_told():
    given, _, score = mixture(2)
    with pytest.raises(ArgumentError, match="pass one of them, or score= alone"):
        check(**given, dimension=2)
    with pytest.raises(ArgumentError, match="with score= alone"):
        check(**given, score=score, dimension=2, method="weak")
    with pytest.raises(CallableError, match="score must return real numbers"):
        check(**given, score=lambda x, t: score(x, t) + 0j, dimension=2)
    with pytest.raises(CallableError, match="score must return an array of shape"):
        check(**given, score=lambda x, t: score(x, t)[:, 0], dimension=2)


def test_a_score_that_is_nowhere_known_is_undecided():
    rng = np.random.default_rng(0)
    evidence = check(
        lambda x, t: 0 * x,
        1.0,
        score=lambda x, t: -x + np.where(np.iscomplexobj(x), np.nan, rng.normal(size=x.shape)),
    )
    assert evidence.verdict == "undecided", evidence.explain()


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (lambda t: t, "c(t) = t ("),
        (lambda t: np.sqrt(t), "c(t) = √t ("),
        (lambda t: 2 * np.exp(-t), "c(t) = 2 · exp(-t) ("),
        (lambda t: 1 + 0.3 * np.sin(3 * t), "t only, c(t) ("),
    ],
    ids=["time", "root", "decay", "no form"],
)
def test_a_factor_of_time_of_a_score_is_named(factor, said):
    given, log_p, score = mixture(1)
    evidence = check(
        **given, log_density=log_p, score=lambda x, t: factor(t) * score(x, t), dimension=1
    )
    assert evidence.diagnosis.names == ("score_factor_of_time",), evidence.explain()
    assert said in evidence.explain() and "divide it by c(t)" in evidence.explain()
    assert "σ(t)" not in evidence.explain()  # a mixture has none


@pytest.mark.parametrize("power", [1, -2], ids=["deviation", "precision"])
def test_a_factor_of_time_made_of_a_gaussian_s_deviation_is_told_by_it(power):
    def variance(t):
        return 1 + np.exp(-2 * t)

    evidence = check(
        lambda x, t: -x,
        np.sqrt(2),
        log_density=lambda x, t: -(x[:, 0] ** 2) / 2 / variance(t) - np.log(variance(t)) / 2,
        score=lambda x, t: -x / variance(t) * variance(t) ** (power / 2),
        normalized=False,
    )
    form = {1: "σ(t)", -2: "1/σ(t)²"}[power]
    assert f"c(t) = {form}, σ(t)² the variance of the density" in evidence.explain()


def test_a_factor_that_depends_on_x_or_is_one_number_is_none_of_time():
    given, log_p, score = mixture(1)
    for factor in (lambda x, t: 1 + 0.1 * t * np.cos(x), lambda x, t: 2.0):
        evidence = check(
            **given,
            log_density=log_p,
            score=lambda x, t, factor=factor: factor(x, t) * score(x, t),
            dimension=1,
        )
        assert evidence.verdict == "refuted"
        assert "score_factor_of_time" not in evidence.diagnosis.names


def vortex(x, t, middle=(0.0, 0.0)):
    """The gradient of an angle: its Jacobian is symmetric, and it is no gradient."""
    y = x - np.array(middle)
    return np.stack([-y[:, 1], y[:, 0]], axis=1) / (y**2).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("middle", [(0.0, 0.0), (1.1, -1.2)], ids=["middle", "quarter"])
def test_a_vortex_is_no_gradient(middle):
    evidence = check(
        lambda x, t: 0.5 * vortex(x, t, middle),
        1.0,
        score=lambda x, t: vortex(x, t, middle),
        dimension=2,
    )
    assert evidence.diagnosis.names == ("score_circulates",), evidence.explain()
    assert "∮ s · dx is 6.28319, 1 times 2π" in evidence.sentence


def test_two_vortices_that_turn_against_each_other_are_seen_in_their_quarters():
    def score(x, t):
        return 0.3 * vortex(x, t, (1.2, 1.2)) - 0.3 * vortex(x, t, (-1.2, -1.2))

    evidence = check(lambda x, t: 0.5 * score(x, t), 1.0, score=score, dimension=2)
    assert evidence.diagnosis.names == ("score_circulates",), evidence.explain()


def test_around_a_score_with_a_jump_nothing_is_known_and_nothing_refuted():
    """Laplace densities, right: no loop tells anything of them, wherever their kink is."""
    for k in range(4):
        at = 0.3 * k - 0.37

        def score(x, t, at=at):
            return -2 * np.sign(x - at)

        evidence = check(
            lambda x, t, at=at: -np.sign(x - at), 1.0, score=score, dimension=2, seed=k
        )
        assert "score_circulates" not in str(evidence.diagnosis), evidence.explain()


def test_where_a_score_cannot_be_asked_no_loop_is_looked_at():
    given, _, score = mixture(2)
    points = np.stack([np.linspace(-1, 1, 12), np.zeros(12)], axis=1)
    evidence = check(**given, score=score, dimension=2, points=points)
    assert "its Jacobian is symmetric at the points, around no loop was looked" in (
        evidence.explain()
    )


@pytest.mark.parametrize("seed", [0, 2, 3])
def test_a_few_segments_across_a_jump_give_no_cause_of_all_places(seed):
    def score(x, t):
        return np.stack([-np.sign(x[:, 0] - 0.2), -x[:, 1] / t], axis=1)

    evidence = check(lambda x, t: 0 * x, 1.0, score=score, dimension=2, seed=seed)
    if evidence.verdict == "refuted":
        assert evidence.diagnosis.names == (), evidence.explain()
        assert "No cause is claimed: all but " in evidence.explain()


def test_a_pair_of_faults_that_comes_near_a_kink_is_no_cause():
    evidence = check(
        lambda x, t: 0 * x,
        1.0,
        log_density=lambda x, t: np.log(9 - np.abs(x[:, 0] + x[:, 1] - 0.2)),
        normalized=False,
        dimension=2,
    )
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == (), evidence.explain()


def test_rounding_times_a_large_number_is_no_clock():
    """A stationary density that decays: the right side is 0 to rounding, whatever multiplies it."""
    for seed in range(3):
        evidence = check(
            lambda x, t: -x,
            1.0,
            log_density=lambda x, t: -(x[:, 0] ** 2) - t,
            normalized=False,
            seed=seed,
        )
        assert "normaliser_of_time" in evidence.diagnosis.names
        assert "clock_factor" not in evidence.diagnosis.names, evidence.explain()
