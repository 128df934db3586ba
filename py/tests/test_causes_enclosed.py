"""What is found by putting a formula together, or by asking at another time: each mechanism where
it explains, and not where it nearly does.
"""

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.objects.schedules import FlowMatching
from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.summand import constants
from scoreproof.public.network.calling import Network, recognised

RNG = np.random.default_rng(3)
DATA = RNG.normal(size=(16, 3)) * [1.0, 0.7, 1.2]
IMAGES = RNG.normal(size=(12, 2, 3, 2))


def average(x, alpha, sigma, data=DATA):
    logits = -((x[:, None] - alpha[:, None, None] * data) ** 2).sum(-1) / (2 * sigma[:, None] ** 2)
    weights = np.exp(logits - logits.max(1, keepdims=True))
    return weights @ data / weights.sum(1, keepdims=True)


def flow(told, more=0.0):
    def network(x, t):
        s = told(t)
        return (x - average(x, 1 - s, s)) / s[:, None] + more * t[:, None]

    evidence = sp.check_denoiser(network, DATA, schedule=FlowMatching(), prediction="flow")
    assert evidence.verdict == "refuted"
    return evidence.diagnosis


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (lambda t: 30 * t, "told t / 30: its time is multiplied by 30 once too often"),
        (lambda t: t / 30, "told 30 t: its time is not multiplied by 30"),
        (lambda t: t + 0.02, "told t - 0.02"),
        (lambda t: 1.25 - t, "told 1.25 - t: its time runs the other way"),
        (lambda t: 0.5 * t**0.5, "told 4 t^2"),
        (lambda t: t / (3 - 2 * t), "told 3 t / (1 + 2 t), a shift of the timesteps"),
        (lambda t: 0.05 / t, "told 0.05 / t"),
    ],
)
def test_the_time_that_makes_it_right_is_told_by_its_rule(told, says):
    found = flow(told)
    assert found.names and says in found.sentence, found.sentence


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: flow(lambda t: 30 * t, more=0.1),  # wrong at whatever time it is told
        lambda: flow(lambda t: t * (1 + 0.3 * np.sin(9 * t))),  # by no rule of two numbers
        lambda: flow(lambda t: 0 * t + 0.4),  # the time is not used
    ],
)
def test_no_time_is_told_that_does_not_make_it_right(wrong):
    assert "right when told" not in wrong().sentence


def table(bars, levels):
    def network(x, t):
        return average(x, np.sqrt(bars[t]), np.sqrt(1 - bars[t]))

    right = np.cumprod(1 - np.linspace(1e-3, 0.05, 200))
    evidence = sp.check_denoiser(network, DATA, schedule={"alphas_cumprod": right}, levels=levels)
    return evidence.explain()


def test_an_index_that_is_off_at_the_end_of_a_table():
    bars = np.cumprod(1 - np.linspace(1e-3, 0.05, 200))
    early = np.append(1 - 1e-9, bars[:-1])
    assert "told t + 1: its index is off by one" in table(early, [0, 40, 90, 199])
    far = np.append(1 - 1e-9 * np.arange(1, 6), bars[:-5])
    assert "5 earlier" in (text := table(far, [0, 40, 90, 199])) or "off by 5" in text
    # of another table no index is said
    assert "index is off" not in table(
        np.cumprod(1 - np.linspace(1e-3, 0.06, 200)), [0, 40, 90, 199]
    )


@pytest.mark.parametrize(
    ("at_nothing", "steady"),
    [(np.nan, True), (np.inf, True), (None, False)],
)
def test_an_answer_that_is_not_finite_at_one_time_is_no_mixing_of_rows(at_nothing, steady):
    def network(x, t):
        t = t if at_nothing is not None else np.full_like(t, t[0])
        value = at_nothing if at_nothing is not None else 0.0
        return np.where(t[:, None] == 0, value, x * t[:, None])

    asked = Network(network, (3,), "numpy", None)
    assert recognised(asked, RNG.normal(size=(6, 3)), (0.0, 0.5), False) is steady


LAID_OUT = {
    "data with another layout: axes in the order (height, width, channels)": (0, 2, 3, 1),
    "data with another layout: axes in the order (width, height, channels)": (0, 3, 2, 1),
    "data transposed: height and width are exchanged": (0, 1, 3, 2),
}


@pytest.mark.parametrize("words", LAID_OUT)
def test_the_data_in_another_layout(words):
    bank = IMAGES.transpose(LAID_OUT[words]).reshape(len(IMAGES), -1)

    def network(x, sigma):
        flat = x.reshape(len(x), -1)
        return average(flat, np.ones(len(x)), sigma, bank).reshape(x.shape)

    evidence = sp.check_denoiser(network, IMAGES, schedule=[0.5, 1.0, 3.0])
    assert words in evidence.explain()


def guided(strength):
    part = DATA[:4] * 0.4 + 1.0

    def network(x, sigma):
        one = np.ones(len(x))
        own, other = average(x, one, sigma, part), average(x, one, sigma, DATA)
        return own + strength * (own - other)

    return sp.check_denoiser(network, part, schedule=[0.5, 1.0, 4.0, 30.0]).explain()


def test_answers_that_leave_the_data_are_said_to():
    text = guided(1.5)
    assert "outside the range of the data" in text
    assert "nearly the same at all points" in text


def test_a_wrong_average_of_the_data_does_not_leave_them():
    def network(x, sigma):
        one = np.ones(len(x))
        return 0.7 * average(x, one, sigma) + 0.3 * average(x, one, sigma + 1)

    text = sp.check_denoiser(network, DATA, schedule=[0.5, 1.0, 4.0]).explain()
    assert "No known fault explains it" in text and "outside the range" not in text


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0, 0.0])
def test_what_x_is_multiplied_by_where_v_is_given(power):
    alpha, sigma = 0.6, 0.8

    def denoiser(y):
        x0 = average(y, np.full(len(y), alpha), np.full(len(y), sigma))
        return (alpha**power - alpha) * y + x0

    evidence = sp.check_denoiser(denoiser, DATA, sigma**2, alpha=alpha)
    shown = {0.5: "√α", 2.0: "α²", 0.0: "1"}
    if power == 1.0:
        assert evidence
    else:
        assert f"x is multiplied by {shown[power]} where α is due" in evidence.explain()


def divergence(put_together, **options):
    def kl(m0, v0, m1, v1):
        ratio, trace, squares = v1 / v0, v0 / v1, (m1 - m0) ** 2 / v1
        return put_together(ratio, trace, squares)

    return sp.check_kl(kl, form="diagonal", parameterization="variance", **options).diagnosis


def test_a_function_around_more_than_its_part(monkeypatch):
    # combinations of summands are looked at by themselves, and take their time
    monkeypatch.setattr("scoreproof.public.kl.diagnosing.explained", lambda places: None)
    found = divergence(lambda r, t, m: (np.log(r + m) + t - 1).sum(1) / 2)
    assert found.names == ("logarithm_of_more",)
    assert "½ log[(σ1²/σ0²) + (μ1 - μ0)²/σ1²]" in found.sentence
    found = divergence(lambda r, t, m: (np.log(r.prod(1) + t.sum(1)) + (m - 1).sum(1)) / 2)
    assert found.names == ("logarithm_of_more",)
    found = divergence(lambda r, t, m: (np.log(r) + m - 1 + np.exp(t)).sum(1) / 2)
    assert found.names == ("exponential_of_a_part",)
    for nearly in (
        lambda r, t, m: (np.log(r + 1.001 * m) + t - 1).sum(1) / 2,
        lambda r, t, m: (np.log(r) - 1 + np.sqrt(t + 0.999 * m)).sum(1) / 2,
    ):
        assert divergence(nearly).names == ()


def test_numbers_that_stand_for_the_dimension():
    words = {s.words: s.counts for s in constants()}
    assert words["n (the number of rows)"] == "rows" and words["1, once"] == "once"
    found = divergence(lambda r, t, m: ((np.log(r) + t + m).sum(1) - r.shape[1] - 1) / 2)
    assert "-½ (d + 1) stands where -½ d is due" in found.sentence
    assert Options("full", "variance").form == "full"


def jacobian(f, z):
    h = 1e-30
    units = np.eye(z.shape[1])
    return np.stack([np.imag(f(z + 1j * h * e)) / h for e in units], axis=2)


PRODUCTS = {
    "left_product_squared": lambda j, f, z, v: (np.einsum("nk,nkj->nj", v, j) ** 2).sum(1),
    "field_for_first_nu": lambda j, f, z, v: np.einsum("nk,nkj,nj->n", f, j, v),
    "field_for_nu": lambda j, f, z, v: np.einsum("nk,nkj,nj->n", f, j, f),
    "point_for_nu": lambda j, f, z, v: np.einsum("nk,nkj,nj->n", z, j, z),
    "point_for_last_nu": lambda j, f, z, v: np.einsum("nk,nkj,nj->n", v, j, z),
    "length_of_left_product": lambda j, f, z, v: np.linalg.norm(
        np.einsum("nk,nkj->nj", v, j), axis=1
    ),
    "length_of_right_product": lambda j, f, z, v: np.linalg.norm(
        np.einsum("nkj,nj->nk", j, v), axis=1
    ),
    "trace_of_the_square": lambda j, f, z, v: np.einsum("nkj,njk->n", j, j),
    "determinant": lambda j, f, z, v: np.linalg.det(j),
    "squared_estimate": lambda j, f, z, v: np.einsum("nk,nkj,nj->n", v, j, v) ** 2,
    "rooted_estimate": lambda j, f, z, v: np.abs(np.einsum("nk,nkj,nj->n", v, j, v)) ** 0.5,
    "off_diagonal_alone": lambda j, f, z, v: j.sum((1, 2)) - np.einsum("nkk->n", j),
    "field_summed": lambda j, f, z, v: f.sum(1),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_with_the_jacobian(name):
    evidence = sp.check_trace_estimator(
        lambda f, z, nu: PRODUCTS[name](jacobian(f, z), np.real(f(z)), z, nu), dimension=4
    )
    assert evidence.diagnosis.names == (name,), evidence.explain()


def test_a_product_that_is_nearly_one_of_them_is_not_named():
    def estimator(f, z, nu):
        left = np.einsum("nk,nkj->nj", nu, jacobian(f, z))
        return (left**2).sum(1) * (1 + 0.05 * np.tanh(z[:, 0]))

    evidence = sp.check_trace_estimator(estimator, dimension=4)
    assert evidence.verdict == "refuted" and not evidence.diagnosis.names
    assert "with ν twice" not in evidence.explain()


def drawing(nu_of):
    def estimator(f, z):
        nu = nu_of(z)
        return np.einsum("nk,nkj,nj->n", nu, jacobian(f, z), nu)

    return sp.check_trace_estimator(estimator, dimension=4)


def test_a_nu_that_does_not_vary_is_read():
    evidence = drawing(lambda z: np.full(z.shape, 0.5))
    assert "(0.5, …, 0.5)" in evidence.explain() and "randint" not in evidence.explain()
    evidence = drawing(lambda z: np.broadcast_to([1.0, -2.0, 0.5, 1.0], z.shape))
    assert "(1, -2, 0.5, 1) or its negative" in evidence.explain()
    evidence = drawing(lambda z: np.random.default_rng(1).choice([-1.0, 1.0], z.shape))
    assert "each row has one that is the same at every call" in evidence.explain()
    # more than one ν: there is none to be read
    evidence = drawing(lambda z: np.sin(z))
    assert evidence.diagnosis.names == ("fixed_nu",)
    assert "given ν" not in evidence.sentence


def test_no_weights_are_fitted_to_as_few_points_as_there_are_coordinates():
    """The caller's own field is looked at in three points, again and again."""
    turn = RNG.normal(size=(3, 3))

    def estimator(f, z):
        return jacobian(f, z).sum((1, 2))

    evidence = sp.check_trace_estimator(estimator, field=lambda z: np.tanh(z @ turn.T), dimension=3)
    assert evidence.diagnosis.names == ("constant_nu",), evidence.explain()


def test_an_estimator_that_fails_at_the_nu_of_its_mean_is_undecided():
    def estimator(f, z, nu):
        if len(z) > 8 and np.all(np.abs(nu) == 1):
            raise ValueError("signs")
        own = np.einsum("nk,nkj,nj->n", nu, jacobian(f, z), nu)
        return own + 0.3 * (nu**2).sum(1) - 0.3 * z.shape[1]

    evidence = sp.check_trace_estimator(estimator, dimension=4)
    assert evidence.verdict == "undecided"
    assert "cannot be seen, as the estimator fails" in evidence.sentence


COMPONENTS = np.array([0.5, 0.9])
CENTRES = np.array([[-1.0, 0.0, 0.5], [1.0, 0.5, -0.5]])
PRIOR = sp.GaussianMixture([0.4, 0.6], CENTRES, [s**2 * np.eye(3) for s in COMPONENTS])


def round_score(variances):
    def score(y):
        gap = y[:, None] - CENTRES
        logs = np.log([0.4, 0.6]) - (gap**2).sum(-1) / (2 * variances) - 1.5 * np.log(variances)
        p = np.exp(logs - logs.max(1, keepdims=True))
        return -np.einsum("mk,mkd->md", p / p.sum(1, keepdims=True) / variances, gap)

    evidence = sp.check_score(score, PRIOR, 0.7**2)
    assert evidence.verdict == "refuted"
    return evidence.explain()


def test_other_sums_of_two_covariances():
    own, noise = COMPONENTS**2, 0.7**2
    assert "(√C + √Σ)² stands where C + Σ is due" in round_score((COMPONENTS + 0.7) ** 2)
    assert "√C + √Σ stands where C + Σ is due: standard" in round_score(COMPONENTS + 0.7)
    assert "√C √Σ stands" in round_score(COMPONENTS * 0.7)
    assert "C Σ stands" in round_score(own * noise)
    assert "(C + Σ)² stands" in round_score((own + noise) ** 2)
    assert "in the responsibilities and in the" not in round_score((COMPONENTS + 0.69) ** 2)


def test_a_standard_deviation_for_a_variance_is_said_before_a_factor_of_it():
    def score(y):
        one = np.ones(len(y))
        return (average(y, one, 0.7 * one) - y) / 0.7

    text = sp.check_score(score, DATA, 0.7**2).explain()
    assert "Cause: E[x|y] - y was divided by a standard deviation" in text
    assert "Cholesky" not in text
