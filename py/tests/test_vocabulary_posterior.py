"""Each known mistake in a posterior mean or a score, written as a user's code would, is named."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.public.denoiser.words import candidates_of
from scoreproof.public.posterior.cases import made
from scoreproof.public.posterior.due import Due, draw
from scoreproof.public.posterior.explaining import explanation
from scoreproof.public.posterior.prediction import Prediction
from scoreproof.public.posterior.problem import make_problem
from scoreproof.public.score.words import candidates
from scoreproof.streams import stream

RNG = np.random.default_rng(2)
DATA = RNG.normal(size=(30, 3)) * [1.0, 0.7, 1.4] + [0.5, -0.3, 0.2]
SHARES = RNG.uniform(0.5, 1.5, 30)
SHARES /= SHARES.sum()
IMAGES = RNG.uniform(-1, 1, size=(20, 2, 2, 2))
NOISE, ALPHA, SIGMA = 0.3, 0.7, 0.6
EYE = np.eye(2)
WEIGHTS = np.array([0.3, 0.7])
MEANS = np.array([[-1.5, 0.5], [1.0, -0.5]])
COVS = np.array([[[0.5, 0.2], [0.2, 0.3]], [[0.3, -0.1], [-0.1, 0.6]]])
PRIOR = sp.GaussianMixture(WEIGHTS, MEANS, COVS)


def told(wrong, prior, cov, *, kind="x0", alpha=1.0, shape=None, rates=None, m=32):
    """What the check would say of ``wrong``, without asking whether it is wrong."""
    flat = prior.reshape(len(prior), -1) if isinstance(prior, np.ndarray) else prior
    problem = make_problem(
        flat, cov, alpha, points=None, n=m, tolerance=None, seed=0, name="vocabulary"
    )
    due = Due(problem, draw(problem, stream(0, "vocabulary", "y"), m))
    read = Prediction(kind, problem, 0.5, rates)
    value = np.asarray(wrong(due.y), float)
    passes = np.full(value.shape, 1e-12)
    case = made(due, read, value, passes, eps=2.0**-52, shape=shape, again=wrong)
    return explanation(case, candidates(due, read) if kind == "score" else candidates_of(case))


def softmax(logs):
    p = np.exp(logs - logs.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def squares(y, data):
    return ((y[:, None] - data) ** 2).sum(axis=2)


def average(y, data=DATA, variance=NOISE):
    return softmax(-squares(y, data) / (2 * variance)) @ data


def images(y, variance=NOISE):
    return average(y.reshape(len(y), -1), IMAGES.reshape(len(IMAGES), -1), variance)


ARGUMENTS = {
    "minus its own mean, divided by its own standard deviation": (
        lambda y: average((y - y.mean(1, keepdims=True)) / y.std(1, keepdims=True))
    ),
    "x divided by its own standard deviation": lambda y: average(y / y.std(1, keepdims=True)),
    "divided by its own length": (lambda y: average(y / np.linalg.norm(y, axis=1, keepdims=True))),
    "plus the data's mean": lambda y: average(y + DATA.mean(axis=0)),
    "without its sign": lambda y: average(np.abs(y)),
    "minus its own mean": lambda y: average(y - y.mean(1, keepdims=True)),
    "minus the data's mean": lambda y: average(y - DATA.mean(axis=0)),
    "x negated": lambda y: average(-y),
    "clipped to ±1": lambda y: average(np.clip(y, -1, 1)),
    "clipped to ±2": lambda y: average(np.clip(y, -2, 2)),
    "clipped to [0, 1]": lambda y: average(np.clip(y, 0, 1)),
    "rounded to bytes": lambda y: average(np.round((y + 1) * 127.5) / 127.5 - 1),
}


@pytest.mark.parametrize("words", ARGUMENTS)
def test_another_argument(words):
    assert words in told(ARGUMENTS[words], DATA, NOISE).sentence


def test_images_without_the_mean_of_each_channel():
    def wrong(y):
        x = y.reshape(len(y), 2, 2, 2)
        return images(x - x.mean(axis=(2, 3), keepdims=True))

    said = told(wrong, IMAGES, NOISE, shape=(2, 2, 2))
    assert "minus the mean of each channel" in said.sentence


def test_x_divided_by_alpha_with_the_noise_as_it_was():
    def wrong(y):
        return softmax(-squares(y / ALPHA, ALPHA * DATA) / (2 * SIGMA**2)) @ DATA

    assert "1/α: it is given x/α" in told(wrong, DATA, SIGMA**2, alpha=ALPHA).sentence


def chunked(y, how):
    """Ten data at a time, put together by ``how``."""
    logs = -squares(y, DATA) / (2 * NOISE)
    parts = [slice(k, k + 12) for k in range(0, 30, 12)]
    return how([logs[:, p] for p in parts], [DATA[p] for p in parts])


def weighed_by_size(logs, data):
    return sum(softmax(g) @ x * len(x) for g, x in zip(logs, data, strict=True)) / 30


def online(rescale):
    """The largest exponent so far is subtracted; ``rescale``: what is made good as it grows."""

    def how(logs, data):
        top, over, under = np.full((len(logs[0]), 1), -np.inf), 0.0, 0.0
        for g, x in zip(logs, data, strict=True):
            new = np.maximum(top, g.max(axis=1, keepdims=True))
            p, grown = np.exp(g - new), np.exp(top - new)
            over = over + p @ x
            under = under * (grown if rescale else 1.0) + p.sum(axis=1, keepdims=True)
            top = new
        return over / under

    return how


def winner(logs, data):
    each = np.array([softmax(g) @ x for g, x in zip(logs, data, strict=True)])
    best = np.argmax([g.max(axis=1) for g in logs], axis=0)
    return each[best, np.arange(len(best))]


CHUNKS = {
    "the parts' means are averaged by their sizes": weighed_by_size,
    "the sums so far are not rescaled when it grows": online(rescale=False),
    "those of the data are not": online(rescale=True),
    "the part with the largest weight answers alone": winner,
}


@pytest.mark.parametrize("words", CHUNKS)
def test_a_softmax_by_chunks(words):
    said = told(lambda y: chunked(y, CHUNKS[words]), DATA, NOISE)
    assert said.names == ("softmax_by_chunks",) and words in said.sentence


def sparse(y):
    p = softmax(-squares(y, DATA) / (2 * NOISE))
    p = np.where(p < 0.1, 0.0, p)
    return p @ DATA / p.sum(axis=1, keepdims=True)


def nearest(y, k):
    return DATA[np.argsort(squares(y, DATA), axis=1)[:, :k]].mean(axis=1)


AVERAGES = {
    "the distance has the power 3 in the exponent, not 2": (
        lambda y: softmax(-(squares(y, DATA) ** 1.5) / 0.5) @ DATA
    ),
    "weights below 0.1 are set to 0": sparse,
    "the data far away weigh most": lambda y: softmax(squares(y, DATA) / (2 * NOISE)) @ DATA,
    "the datum or component with the largest weight answers alone": lambda y: nearest(y, 1),
    "the 4 nearest data are averaged with equal weights": lambda y: nearest(y, 4),
}
WEIGHED = {
    "added to the exponent without their logarithm": SHARES,
    "the data's weights are counted twice": 2 * np.log(SHARES),
    "the data have other weights in it": np.log(SHARES) + np.linspace(0, 1, 30),
}


@pytest.mark.parametrize("words", AVERAGES)
def test_an_average_of_the_data(words):
    said = told(AVERAGES[words], DATA, NOISE)
    assert said.names and words in said.sentence


@pytest.mark.parametrize("words", WEIGHED)
def test_weights_of_the_data(words):
    def wrong(y):
        return softmax(WEIGHED[words] - squares(y, DATA) / (2 * NOISE)) @ DATA

    said = told(wrong, sp.Atoms(DATA, SHARES), NOISE)
    assert said.names and words in said.sentence


def scaled_to(size):
    def wrong(y):
        return size * (x := average(y)) / np.linalg.norm(x, axis=1, keepdims=True)

    return wrong


ENTRIES = {
    "rounded to bytes of [0, 1]": lambda y: np.round(average(y) * 255) / 255,
    "rounded to bytes of [-1, 1]": lambda y: np.round((average(y) + 1) * 127.5) / 127.5 - 1,
    "each sample is scaled to the length 1": scaled_to(1.0),
    "it is E[x_0 | x] plus the data's mean": lambda y: average(y) + DATA.mean(0),
    "it is E[x_0 | x] minus the data's mean": lambda y: average(y) - DATA.mean(0),
    "it is (x_0 - mean)/std": lambda y: (average(y) - DATA.mean(0)) / DATA.std(0),
    "it is mean + std x_0": lambda y: DATA.mean(0) + DATA.std(0) * average(y),
    "it is multiplied by the data's standard deviation": lambda y: average(y) * DATA.std(0),
    "it is divided by the data's standard deviation": lambda y: average(y) / DATA.std(0),
    "it is multiplied by the data's variance": lambda y: average(y) * DATA.var(0),
    "it is divided by the data's variance": lambda y: average(y) / DATA.var(0),
    "the prior's mean was returned": lambda y: np.broadcast_to(DATA.mean(0), y.shape),
}


@pytest.mark.parametrize("words", ENTRIES)
def test_a_right_average_spoilt_afterwards(words):
    said = told(ENTRIES[words], DATA, NOISE)
    assert said.names and words in said.sentence


TOTAL = COVS + NOISE * EYE
INVERSE = np.linalg.inv(TOTAL)
FACTOR = np.linalg.cholesky(TOTAL)
NOISES = NOISE * np.array([EYE, EYE])


def power(matrices, exponent):
    values, vectors = np.linalg.eigh(matrices)
    return (vectors * values[:, None, :] ** exponent) @ np.swapaxes(vectors, 1, 2)


def gaps(y):
    return y[:, None] - MEANS


def distance(y, inverse=INVERSE):
    return np.einsum("mki,kij,mkj->mk", gaps(y), inverse, gaps(y))


def shares(y, total=TOTAL, weights=WEIGHTS):
    logs = np.log(weights) - np.linalg.slogdet(total)[1] / 2
    return softmax(logs - distance(y, np.linalg.inv(total)) / 2)


DETS = np.linalg.slogdet(TOTAL)[1]


def answer(y, r=None, gain=None, means=None):
    """A mixture's posterior mean from responsibilities and gains, the right ones by default."""
    r = shares(y) if r is None else r
    gain = COVS @ INVERSE if gain is None else gain
    moved = np.einsum("kij,mkj->mki", gain, gaps(y))
    return np.einsum("mk,mkd->md", r, MEANS + moved if means is None else means(moved))


RESPONSIBILITIES = {
    "every component has the same weight, whatever x is": lambda y: np.full((len(y), 2), 0.5),
    "the prior's weights stand where": lambda y: np.tile(WEIGHTS, (len(y), 1)),
    "those of the noise alone": lambda y: shares(y, NOISES),
    "those of the prior, without the noise": lambda y: shares(y, COVS),
    "the prior's weights were taken as equal": lambda y: shares(y, weights=np.full(2, 0.5)),
    "without the components' normalising constants": (
        lambda y: softmax(np.log(WEIGHTS) - distance(y) / 2)
    ),
    "no factor 1/2 in the exponent": (lambda y: softmax(np.log(WEIGHTS) - DETS / 2 - distance(y))),
    "only component 1 (of 2, counted from 0) answers": lambda y: np.tile([0.0, 1.0], (len(y), 1)),
    "the distance is not squared in the responsibilities": (
        lambda y: softmax(np.log(WEIGHTS) - DETS / 2 - np.sqrt(distance(y)) / 2)
    ),
    "divided by the determinant, not by its square root": (
        lambda y: softmax(np.log(WEIGHTS) - DETS - distance(y) / 2)
    ),
    "log det of the factor L, halved again": (
        lambda y: softmax(np.log(WEIGHTS) - DETS / 4 - distance(y) / 2)
    ),
    "multiplied by the root of the determinant": (
        lambda y: softmax(np.log(WEIGHTS) + DETS / 2 - distance(y) / 2)
    ),
    "in the responsibilities' exponent without their logarithm": (
        lambda y: softmax(WEIGHTS - DETS / 2 - distance(y) / 2)
    ),
    "the weights are counted twice in the responsibilities": (
        lambda y: softmax(2 * np.log(WEIGHTS) - DETS / 2 - distance(y) / 2)
    ),
    "the sign of the exponent is wrong in the responsibilities": (
        lambda y: softmax(np.log(WEIGHTS) - DETS / 2 + distance(y) / 2)
    ),
    "the factor of C + Σ was transposed": (
        lambda y: softmax(
            np.log(WEIGHTS)
            - DETS / 2
            - distance(y, np.linalg.inv(np.swapaxes(FACTOR, 1, 2) @ FACTOR)) / 2
        )
    ),
}


@pytest.mark.parametrize("words", RESPONSIBILITIES)
def test_responsibilities(words):
    said = told(lambda y: answer(y, RESPONSIBILITIES[words](y)), PRIOR, NOISE)
    assert said.names and words in said.sentence


GAINS = {
    "the gain is Σ (C + Σ)⁻¹": NOISE * INVERSE,
    "the gain is (C + Σ)⁻¹: C is missing": INVERSE,
    "the gain is C: (C + Σ)⁻¹ is missing": COVS,
    "the gain is C Σ⁻¹": COVS / NOISE,
    "the gain has the wrong sign": -COVS @ INVERSE,
    "the gain is C (C - Σ)⁻¹": COVS @ np.linalg.inv(COVS - NOISE * EYE),
    "L r stands where": COVS @ FACTOR,
    "Lᵀ r stands where": COVS @ np.swapaxes(FACTOR, 1, 2),
    "(C + Σ)^(-1/2) r stands where": COVS @ power(TOTAL, -0.5),
    "(C + Σ)⁻² r stands where": COVS @ INVERSE @ INVERSE,
    "(C + Σ) r stands where": COVS @ TOTAL,
    "r is divided by the roots of the diagonal": (
        COVS * np.einsum("kii->ki", TOTAL)[:, None, :] ** -0.5
    ),
    "r is divided by the diagonal": COVS / np.einsum("kii->ki", TOTAL)[:, None, :],
    "r is multiplied by the diagonal of (C + Σ)⁻¹": (
        COVS * np.einsum("kii->ki", INVERSE)[:, None, :]
    ),
}


@pytest.mark.parametrize("words", GAINS)
def test_gains(words):
    said = told(lambda y: answer(y, gain=GAINS[words]), PRIOR, NOISE)
    assert said.names and words in said.sentence


CORRELATED = np.array([[0.4, 0.15], [0.15, 0.2]])


def test_a_gain_transposed():
    def wrong(y):
        total = COVS + CORRELATED
        return answer(y, shares(y, total), gain=np.linalg.inv(total) @ COVS)

    assert "the gain is transposed, (C + Σ)⁻¹ C" in told(wrong, PRIOR, CORRELATED).sentence


UPDATES = {
    "each component answers with its mean": lambda moved: MEANS + 0 * moved,
    "μ is not added again": lambda moved: moved,
    "μ is left out": lambda moved: moved + np.einsum("kij,kj->ki", COVS @ INVERSE, MEANS),
    "μ is not subtracted from x": (
        lambda moved: MEANS + moved + np.einsum("kij,kj->ki", COVS @ INVERSE, MEANS)
    ),
}


@pytest.mark.parametrize("words", UPDATES)
def test_updates(words):
    said = told(lambda y: answer(y, means=UPDATES[words]), PRIOR, NOISE)
    assert said.names and words in said.sentence


def both(total):
    """What stands for C + Σ in a part, in the gains alone and in the responsibilities alone."""
    return (lambda y: answer(y, gain=COVS @ np.linalg.inv(total))), (
        lambda y: answer(y, shares(y, total))
    )


DIAGONALS = np.einsum("kii->ki", COVS)[:, :, None] * EYE
OTHER_PARTS = {
    "Σ² stands where Σ is due": COVS + NOISE**2 * EYE,
    "2 Σ stands where Σ is due": COVS + 2 * NOISE * EYE,
    "Σ/2 stands where Σ is due": COVS + NOISE / 2 * EYE,
    "the identity stands where Σ is due": COVS + EYE,
    "C alone stands where C + Σ is due": COVS,
    "Σ alone stands where C + Σ is due": NOISES,
    "the identity stands where C + Σ is due": np.array([EYE, EYE]),
    "√C stands where C is due": power(COVS, 0.5) + NOISE * EYE,
    "C² stands where C is due": COVS @ COVS + NOISE * EYE,
    "only the diagonal of C + Σ is used": DIAGONALS + NOISE * EYE,
    "the covariance of component 0 is used for all": TOTAL[[0, 0]],
    "the components' average covariance is used for all": np.array(
        [np.einsum("k,kij->ij", WEIGHTS, TOTAL)] * 2
    ),
    "the covariances are in reverse order": TOTAL[::-1],
}


@pytest.mark.parametrize("words", OTHER_PARTS)
def test_another_covariance_in_one_of_the_parts(words):
    """In a part; or, where a plainer sentence has the same, that one."""
    plainer = {
        "C alone stands where C + Σ is due": (
            "the noisy point is returned",
            "those of the prior, without",
        ),
        "Σ alone stands where C + Σ is due": ("the gain is C Σ⁻¹", "those of the noise alone"),
        "the identity stands where C + Σ is due": ("the gain is C:",),
        "only the diagonal of C + Σ is used": ("r is divided by the diagonal",),
    }
    for wrong in both(OTHER_PARTS[words]):
        said = told(wrong, PRIOR, NOISE)
        assert said.names and any(w in said.sentence for w in (words, *plainer.get(words, ())))


def test_another_covariance_in_both_places_of_the_gains():
    said = told(lambda y: answer(y, gain=EYE - NOISE * np.linalg.inv(TOTAL[::-1])), PRIOR, NOISE)
    assert "in both places the covariances are in reverse order" in said.sentence


@pytest.mark.parametrize("power_of_alpha", [1, 2])
def test_alpha_is_left_out_of_a_covariance(power_of_alpha):
    """alpha² C + σ² is due: a factor α, or α², is missing in the gains."""
    own = ALPHA**2 * COVS
    total = ALPHA ** (2 - power_of_alpha) * COVS + SIGMA**2 * EYE
    words = {1: "C is multiplied by α, not α²", 2: "C is not multiplied by α²"}[power_of_alpha]

    def wrong(y):
        law = sp.GaussianMixture(WEIGHTS, ALPHA * MEANS, own).noised(SIGMA**2 * EYE)
        gap = y[:, None] - ALPHA * MEANS
        moved = np.einsum("kij,mkj->mki", own @ np.linalg.inv(total), gap)
        mean = np.einsum("mk,mkd->md", law.responsibilities(y), ALPHA * MEANS + moved)
        return mean / ALPHA

    assert words in told(wrong, PRIOR, SIGMA**2, alpha=ALPHA).sentence


def under(weights=WEIGHTS, means=MEANS, covs=COVS, cov=NOISE * EYE):
    return lambda y: sp.GaussianMixture(weights, means, covs).posterior_mean(y, cov)


AVERAGED = np.einsum("k,kij->ij", WEIGHTS, COVS)
PRIORS = {
    "covariances are squared: C² where C is due": under(covs=COVS @ COVS),
    "covariances are rooted: √C where C is due": under(covs=power(COVS, 0.5)),
    "precisions stand where their covariances are due": under(covs=np.linalg.inv(COVS)),
    "only the diagonals of the components' covariances are used": under(covs=DIAGONALS),
    "taken for multiples of the identity": under(
        covs=np.einsum("kii->k", COVS)[:, None, None] / 2 * EYE
    ),
    "taken for the identity": under(covs=np.array([EYE, EYE])),
    "only the diagonals are used, rooted": under(covs=np.sqrt(DIAGONALS)),
    "covariances are halved": under(covs=COVS / 2),
    "covariances are doubled": under(covs=COVS * 2),
    "all components have the covariance of component 0": under(covs=COVS[[0, 0]]),
    "all components have the average covariance": under(covs=np.array([AVERAGED] * 2)),
    "each component answers with its mean, whatever x is": under(covs=COVS * 1e-12),
    "means are negated": under(means=-MEANS),
    "means are in reverse order": under(means=MEANS[::-1]),
    "weights are in reverse order": under(weights=WEIGHTS[::-1]),
    "covariances are in reverse order": under(covs=COVS[::-1]),
}


@pytest.mark.parametrize("words", PRIORS)
def test_another_prior(words):
    said = told(PRIORS[words], PRIOR, NOISE)
    assert said.names and words in said.sentence


def test_responsibilities_and_gains_at_once():
    def wrong(y):
        return answer(y, shares(y, weights=np.full(2, 0.5)), gain=-COVS @ INVERSE)

    said = told(wrong, PRIOR, NOISE)
    assert set(said.names) == {"responsibilities", "updates"}
    assert "without the prior's weights; the gain has the wrong sign" in said.sentence


MANY = 34
MANY_MEANS = RNG.normal(size=(MANY, 2)) * 2
ROOTS = RNG.normal(size=(MANY, 2, 2)) * 0.5
MANY_COVS = ROOTS @ np.swapaxes(ROOTS, 1, 2) + 0.2 * EYE
CONSTANTS = {
    "1/√det(C + Σ), are left out": (0.0, MANY_COVS + NOISE * EYE),
    "divided by det(C + Σ), not by its square root": (1.0, MANY_COVS + NOISE * EYE),
    "are those without the noise": (0.5, MANY_COVS),
}


@pytest.mark.parametrize("words", CONSTANTS)
def test_normalising_constants_of_many_components(words):
    exponent, dets = CONSTANTS[words]
    total = MANY_COVS + NOISE * EYE

    def wrong(y):
        gap = y[:, None] - MANY_MEANS
        logs = -np.einsum("mki,kij,mkj->mk", gap, np.linalg.inv(total), gap) / 2
        r = softmax(logs - exponent * np.linalg.slogdet(dets)[1])
        moved = np.einsum("kij,mkj->mki", MANY_COVS @ np.linalg.inv(total), gap)
        return np.einsum("mk,mkd->md", r, MANY_MEANS + moved)

    prior = sp.GaussianMixture(np.full(MANY, 1 / MANY), MANY_MEANS, MANY_COVS)
    assert words in told(wrong, prior, NOISE, m=120).sentence


COVARIANCES = {
    "Σ⁻¹ stands where Σ is due": np.linalg.inv(CORRELATED),
    "only the diagonal of Σ was used": np.diag(np.diag(CORRELATED)),
    "Σ was taken for the identity": EYE,
    "a multiple of the identity, tr(Σ)/d": np.trace(CORRELATED) / 2 * EYE,
    "only the diagonal of Σ was used, its square roots": np.diag(np.diag(CORRELATED) ** 0.5),
}


@pytest.mark.parametrize("words", COVARIANCES)
def test_another_covariance_of_the_noise(words):
    said = told(under(cov=COVARIANCES[words]), PRIOR, CORRELATED)
    assert said.names and words in said.sentence


LEVELS = {
    "2 d = 6: a mean over the coordinates, and a factor 2": 6 * NOISE,
    "d = 3: the squared distance is averaged": 3 * NOISE,
    "1/d: σ² is divided by d = 3": NOISE / 3,
    "half the noise variance": NOISE / 2,
}


@pytest.mark.parametrize("words", LEVELS)
def test_another_noise_level(words):
    assert words in told(lambda y: average(y, variance=LEVELS[words]), DATA, NOISE).sentence


PAIRS = {
    "= σ/α where α = 0.7, σ = 0.6 are due: the noise is that of x/α": (ALPHA**2, SIGMA / ALPHA),
    "= α σ where α = 0.7, σ = 0.6 are due: σ was multiplied by α": (1.0, SIGMA * ALPHA),
    "or α is inverted": (1 / ALPHA, SIGMA),
}


@pytest.mark.parametrize("words", PAIRS)
def test_another_level_and_alpha(words):
    a, sigma = PAIRS[words]

    def wrong(y):
        return softmax(-squares(y, a * DATA) / (2 * sigma**2)) @ DATA

    assert words in told(wrong, DATA, SIGMA**2, alpha=ALPHA).sentence


def mean_at(y):
    return softmax(-squares(y, ALPHA * DATA) / (2 * SIGMA**2)) @ DATA


def eps_at(y):
    return (y - ALPHA * mean_at(y)) / SIGMA


SUMS = {
    "it returns ε - x_0, a straight flow's velocity": lambda y: eps_at(y) - mean_at(y),
    "with the wrong sign inside": lambda y: ALPHA * eps_at(y) + SIGMA * mean_at(y),
    "with α and σ exchanged": lambda y: SIGMA * eps_at(y) - ALPHA * mean_at(y),
    "0.1 = 1/10 times x is added to what is due": lambda y: mean_at(y) + 0.1 * y,
    "it returns v = α ε - σ x_0 where E[x_0 | x] is due: convert it, x_0 = (α x": lambda y: (
        ALPHA * eps_at(y) - SIGMA * mean_at(y)
    ),
    "x_0 = (x - σ ε)/α; if ε is meant, say prediction='eps'": eps_at,
    "x_0 = (x + σ² s)/α; if the score is meant, say prediction='score'": lambda y: (
        -eps_at(y) / SIGMA
    ),
}


@pytest.mark.parametrize("words", SUMS)
def test_another_prediction(words):
    assert words in told(SUMS[words], DATA, SIGMA**2, alpha=ALPHA).sentence


def test_the_velocity_comes_back():
    rates = (-0.8, 1.3)
    said = told(
        lambda y: rates[0] * mean_at(y) + rates[1] * eps_at(y),
        DATA,
        SIGMA**2,
        kind="eps",
        alpha=ALPHA,
        rates=rates,
    )
    assert "it returns the velocity where E[ε | x] is due: convert it" in said.sentence
    assert "if the velocity is meant, say prediction='velocity'" in said.sentence


def wiener(cov):
    return lambda y: (
        DATA.mean(0) + (y - DATA.mean(0)) @ np.linalg.inv(cov + NOISE * np.eye(3)) @ cov
    )


MIXING = RNG.normal(size=(3, 3))
LINEAR = {
    "one Gaussian of the prior's mean and covariance (a Wiener": wiener(np.cov(DATA.T, ddof=0)),
    "mean and variances, coordinate by coordinate": wiener(np.diag(DATA.var(0))),
    "of the prior's mean and average variance": wiener(DATA.var(0).mean() * np.eye(3)),
    "it is linear in x, as if the data were one Gaussian": lambda y: y @ MIXING + 0.4,
}


@pytest.mark.parametrize("words", LINEAR)
def test_linear_answers(words):
    said = told(LINEAR[words], DATA, NOISE)
    assert said.names and words in said.sentence


def turned_image(turn):
    return lambda y: turn(images(y).reshape(len(y), 2, 2, 2)).reshape(len(y), -1)


COMES_BACK = {
    "transposed: height and width are exchanged": lambda x: x.swapaxes(2, 3),
    "with another layout: axes in the order (height, width, channels)": (
        lambda x: x.transpose(0, 2, 3, 1)
    ),
    "with another layout: (channels, height, width) read as if it were (height, width": (
        lambda x: x.transpose(0, 3, 1, 2)
    ),
    "with width in reverse order": lambda x: x[..., ::-1],
    "with channels in reverse order": lambda x: x[:, ::-1],
    "with all its entries in reverse order": lambda x: x[:, ::-1, ::-1, ::-1],
    "with entries shifted by one": lambda x: np.roll(x.reshape(len(x), -1), 1, axis=1),
    "with entries shifted by one to the left": (
        lambda x: np.roll(x.reshape(len(x), -1), -1, axis=1)
    ),
}


@pytest.mark.parametrize("words", COMES_BACK)
def test_images_that_come_back_turned(words):
    said = told(turned_image(COMES_BACK[words]), IMAGES, NOISE, shape=(2, 2, 2))
    assert f"the answer comes back {words}" in said.sentence


def test_a_matrix_that_comes_back_transposed():
    data = RNG.normal(size=(20, 2, 2))

    def transposed(y):
        x = average(y, data.reshape(20, 4)).reshape(-1, 2, 2)
        return x.swapaxes(1, 2).reshape(len(y), 4)

    said = told(transposed, data, NOISE, shape=(2, 2))
    assert "transposed: the last two axes are exchanged" in said.sentence


INPUTS = {
    "as if x were given with coordinates in reverse order": lambda y: average(y[:, ::-1]),
    "data with coordinates in reverse order": lambda y: average(y, DATA[:, ::-1]),
    "as if x were given with coordinates 0 and 2 exchanged": (lambda y: average(y[:, [2, 1, 0]])),
    "as if x were given with entries shifted by one": lambda y: average(np.roll(y, 1, axis=1)),
    "data with coordinates 0 and 1 exchanged": lambda y: average(y, DATA[:, [1, 0, 2]]),
}


@pytest.mark.parametrize("words", INPUTS)
def test_coordinates_of_the_input_or_the_data(words):
    said = told(INPUTS[words], DATA, NOISE)
    assert said.names and words in said.sentence


def other_units(a, b, taken, scaled, back, data=DATA, noise=NOISE):
    """The denoiser of ``a x_0 + b``, with what is converted of x, the noise and the answer."""

    def wrong(y):
        z = a * y + b if taken else y
        mean = average(z, a * data + b, noise * a * a if scaled else noise)
        return (mean - b) / a if back else mean

    return wrong


X, LEVEL, BACK = "x is not taken to its units", "the noise level is not scaled", "x_0 is not taken"
UNITS = {
    "(x_0 + 1)/2, data of [-1, 1] taken to [0, 1]": (0.5, 0.5),
    "127.5 (x_0 + 1), data of [-1, 1] taken to bytes": (127.5, 127.5),
    "2 x_0 - 1, data of [0, 1] taken to [-1, 1]": (2.0, -1.0),
    "255 x_0, bytes": (255.0, 0.0),
}


@pytest.mark.parametrize("words", UNITS)
def test_data_in_other_units(words):
    said = told(other_units(*UNITS[words], True, False, False), DATA, NOISE)
    assert words in said.sentence and f"{LEVEL} and {BACK}" in said.sentence


BYTES = RNG.integers(0, 256, size=(20, 3)).astype(float)
OF_BYTES = {
    "x_0/255, bytes taken to [0, 1]": (1 / 255, 0.0),
    "x_0/127.5 - 1, bytes taken to [-1, 1]": (1 / 127.5, -1.0),
}


@pytest.mark.parametrize("words", OF_BYTES)
def test_bytes_that_are_not_converted(words):
    unconverted = (False, False, False)
    wrong = other_units(*OF_BYTES[words], *unconverted, data=BYTES, noise=100.0)
    said = told(wrong, BYTES, 100.0)
    assert f"{words}: x and the answer are not converted" in said.sentence


def test_what_is_not_converted():
    said = told(other_units(0.5, 0.5, False, True, True), DATA, NOISE)
    assert X in said.sentence
    said = told(other_units(0.5, 0.5, False, False, False), DATA, NOISE)
    assert "x and the answer are not converted" in said.sentence


ONE = np.sqrt(DATA.var(0).mean())
STANDARDISED = {
    "centred data, x_0 - mean: x and the answer are not converted": (1.0, -DATA.mean(0)),
    "data scaled to standard deviation 1, x_0/std: x and": (1 / DATA.std(0), 0.0),
    "standardised data, (x_0 - mean)/std: x and": (1 / DATA.std(0), -DATA.mean(0) / DATA.std(0)),
    "with one std for all: x and the answer are": (1 / ONE, -DATA.mean(0) / ONE),
}


@pytest.mark.parametrize("words", STANDARDISED)
def test_standardised_data(words):
    said = told(other_units(*STANDARDISED[words], False, False, False), DATA, NOISE)
    assert said.names and words in said.sentence


def test_another_x_for_all_points():
    said = told(lambda y: average(y + [0.2, 0.0, -0.5]), DATA, NOISE)
    assert "another x: 0.2, " in said.sentence and "-0.5 is added" in said.sentence


def test_x_rounded_to_a_coarser_type():
    said = told(lambda y: average(y.astype(np.float32).astype(float)), DATA, NOISE)
    assert said.names == ("coarser_type",)
    assert "it answers the same when x is rounded to float32" in said.sentence


def test_a_prior_as_the_type_of_the_callable_holds_it():
    far = DATA + 1e5 + 0.1

    def single(y):
        return average(y.astype(float), far.astype(np.float32).astype(float)).astype(np.float32)

    evidence = sp.check_denoiser(single, far, NOISE)
    assert evidence and "rounded to the callable's type" in evidence.explain()


def test_components_that_the_caller_s_points_do_not_show():
    far = sp.GaussianMixture([0.4, 0.4, 0.2], [[0.0], [1.0], [50.0]], [[[0.1]]] * 3)
    points = np.linspace(-1, 2, 20)[:, None]
    evidence = sp.check_denoiser(lambda y: far.posterior_mean(y, [[0.2]]), far, 0.2, points=points)
    assert "whose weight shows at none of the points" in evidence.explain()


def test_more_data_than_are_looked_at_one_by_one(monkeypatch):
    monkeypatch.setattr("scoreproof.public.posterior.judging.WEIGHED", 1)
    text = sp.check_denoiser(average, DATA, NOISE).explain()
    assert "their weights were not looked at one by one" in text


def test_a_prediction_and_points_that_are_not_named():
    with pytest.raises(sp.ArgumentError, match="name what the callable returns"):
        sp.check_denoiser(average, DATA, NOISE, prediction="mean")
    with pytest.raises(sp.ArgumentError, match="given when prior is None.*at the Jacobian"):
        sp.check_score(lambda y: -y, None, NOISE)
