"""Sentences about densities, inverses, traces and log-likelihoods that no other test is told: each
mistake is made in a right subject, and named.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.interop.frameworks import guarded
from scoreproof.numerics.adjoint import Grid
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.public.black_box_field import BlackBoxField
from scoreproof.public.fokker_planck import strong
from scoreproof.public.fokker_planck.arguments import where
from scoreproof.public.fokker_planck.asking import given
from scoreproof.public.fokker_planck.causes import explained
from scoreproof.public.inversion import means
from scoreproof.public.log_likelihood_gradient.flows import Wanted, another_flow
from scoreproof.public.log_likelihood_gradient.latent import Normal
from scoreproof.public.log_likelihood_gradient.linearization import path_of, prepare_black_box
from scoreproof.public.log_likelihood_gradient.parts import Multiples
from scoreproof.public.log_likelihood_gradient.priors import another_prior, power_of_std
from scoreproof.public.log_likelihood_gradient.traced_at import traced_elsewhere

# -- Fokker-Planck: an Ornstein-Uhlenbeck process that relaxes at the rate θ -----------------------

THETA, RHO = 0.8, 1.3
TIMES = np.linspace(0.2, 1.2, 8)


def variance(t, square=RHO**2):
    a = np.exp(-2 * THETA * t)
    return 0.6 * a + square / (2 * THETA) * (1 - a)


def exponent(x, mean, v):
    return -0.5 * np.sum((x - mean) ** 2, axis=1) / v


def gaussian(x, mean, v):
    return exponent(x, mean, v) - 0.5 * x.shape[1] * np.log(2 * np.pi * v)


def normalised(c):
    """Right up to its normaliser: ``c`` of its variance's logarithm, a coordinate, and of t."""
    return lambda x, t: (
        exponent(x, np.exp(-THETA * t), variance(t)) + c(np.log(2 * np.pi * variance(t)), t)
    )


def pulled(x, t):
    return -THETA * x


def spread(square):
    return lambda x, t: gaussian(x, np.exp(-THETA * t), variance(t, square))


#: the words: density, drift, noise, dimension
DENSITIES = {
    "the density's variance has d = 3 times the noise, as in E|dW|² = d dt": (
        spread(3 * RHO**2),
        pulled,
        lambda t: RHO,
        3,
    ),
    "the mean of the second derivatives stands for their sum": (
        spread(RHO**2 / 3),
        pulled,
        lambda t: RHO,
        3,
    ),
    "the noise and the density differ in a coefficient: ": (
        lambda x, t: gaussian(x, 0.0, 1 + t + t**2 / 2 + t**3),
        lambda x, t: 0 * x,
        lambda t: np.sqrt(1 + t + t**2),
        1,
    ),
    "1/√(2πv(t)) is due, and it is missing, doubled or taken of another variance": (
        normalised(lambda log, t: -0.5 * np.log(1 + t**3)),
        pulled,
        lambda t: RHO,
        1,
    ),
    "it is the square root of that: 1/√(2πσ) for 1/√(2πσ²), or -¼ log for -½ log": (
        normalised(lambda log, t: -0.25 * log),
        pulled,
        lambda t: RHO,
        1,
    ),
    "1/√det(2πC(t)) is due, and it is the power d = 3 of that: d is counted twice": (
        normalised(lambda log, t: -4.5 * log),
        pulled,
        lambda t: RHO,
        3,
    ),
    "it is 1 over that: the sign of ½ log det(2πC) is wrong": (
        normalised(lambda log, t: 0.5 * log),
        pulled,
        lambda t: RHO,
        1,
    ),
    "it moves as if the drift held the constant 0.4 more than it does; take that from the mean": (
        lambda x, t: gaussian(x, 5 * np.exp(t / 10) - 4, 9 * np.exp(t / 5) - 5 * RHO**2),
        lambda x, t: x / 10,
        lambda t: RHO,
        1,
    ),
}


@pytest.mark.parametrize("words", DENSITIES)
def test_a_mistake_in_a_density_is_named(words):
    log_density, drift, rho, d = DENSITIES[words]
    s = given(drift, rho, log_density, True, False, ("numpy", None))
    place = where(TIMES, (-3, 3), d, None, 0)
    found = explained(
        s, strong.look(s, replace(place, times=replace(place.times, times=TIMES))), None, 1.5
    )
    assert found.names and words in found.sentence, found.sentence


def test_a_density_of_itos_equation_is_no_density_of_stratonovichs():
    def log_normal(x, t):  # of dX = s X dW, Itô, from X = 1 at t = -0.5
        s, u = 0.6, t + 0.5
        y = np.log(x[:, 0])
        return -((y + s**2 * u / 2) ** 2) / (2 * s**2 * u) - y - 0.5 * np.log(2 * np.pi * s**2 * u)

    told = sp.check_fokker_planck(
        lambda x, t: 0 * x,
        lambda x, t: 0.6 * x,
        log_density=log_normal,
        interpretation="stratonovich",
        domain=(0.4, 2.0),
    ).explain()
    assert "the density is that of the Itô equation, and interpretation='stratonovich' was" in told
    assert "it lacks the drift ½ g ∂g, so mend the density; or, if Itô's equation" in told


# -- inverses and noise maps -----------------------------------------------------------------------

BAR = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
TABLE = DiscreteVP(np.linspace(1e-4, 0.02, 1000))


def right(a, b):
    """The coefficients of a step: σ of x's own level, the slope's, and the noise's."""
    var = (1 - b) / (1 - a) * (1 - a / b)
    return (1 - a) ** 0.5, (1 - b - var) ** 0.5, var**0.5


def mean_of(x, t, n, eps, of):
    a, b = BAR[int(t)], BAR[int(n)]
    sigma, slope, std = of(a, b)
    return (b / a) ** 0.5 * (x - sigma * eps) + slope * eps, std


def encode(model, xs, times, of=right, shift=0):
    found = []
    for k, (t, n) in enumerate(zip(times[:-1], times[1:], strict=True)):
        mean, std = mean_of(xs[max(k + shift, 0)], t, n, model(xs[k], t), of)
        found.append((xs[k + 1] - mean) / std)
    return found


def decode(model, x, noises, times, of=right, silent=None):
    for k, (z, t, n) in enumerate(zip(noises, times[:-1], times[1:], strict=True)):
        mean, std = mean_of(x, t, n, model(x, t), of)
        x = mean + std * z * (k != silent)
    return x


def no_room(a, b):
    """The slope is not shortened by the noise."""
    sigma, _, std = right(a, b)
    return sigma, (1 - b) ** 0.5, std


def squared(a, b):
    """σ² for σ."""
    _, slope, std = right(a, b)
    return 1 - a, slope, std


MAPS = {
    "decode adds no noise in the step from 500 to 300, encode took one out there": (
        encode,
        partial(decode, silent=2),
    ),
    "the mean is formed of xs[k - 1] (in the first step, from 900 to 700, of x at 900), not of": (
        partial(encode, shift=-1),
        decode,
    ),
    "the mean is formed of xs[k + 1] (in the first step, from 900 to 700, of x at 700), not of": (
        partial(encode, shift=1),
        decode,
    ),
}


@pytest.mark.parametrize("words", MAPS)
def test_noise_maps_that_differ(words):
    up, down = MAPS[words]
    times = np.arange(900, 99, -200)
    told = sp.check_inversion(up, down, TABLE, form="noises", times=times, shape=1).explain()
    assert words in told, told


def test_an_encoder_and_a_decoder_that_are_both_wrong(monkeypatch):
    """Of the steps that are looked for, DDIM's alone: all of them cost seconds."""
    every = means.formulas
    monkeypatch.setattr(
        means, "formulas", lambda *of: [f for f in every(*of) if f.name.startswith("DDIM")]
    )
    up, down = partial(encode, of=no_room), partial(decode, of=squared)
    times = [900, 500, 100]
    told = sp.check_inversion(up, down, TABLE, form="noises", times=times, shape=1).explain()
    assert "both are wrong: in encode, the steps are those of DDIM" in told, told
    assert "; in decode, the steps are those of DDIM (η = 1), except that it has (x - (1 " in told


def euler(model, x, sigmas, factor=1.0):
    for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
        x = x + factor * (n - s) * (x - model(x, s)) / s
    return x


@pytest.mark.parametrize(
    ("verdict", "factor", "curve", "label"),
    [
        ("holds", 1.0, "x that came back", "error of x, relative to its std"),
        (
            "refuted",
            0.9,
            "x on the way of the inverse",
            "deviation of mean and std of x (in std)",
        ),
    ],
)
def test_an_inverse_shows_the_curve_of_its_error(monkeypatch, verdict, factor, curve, label):
    monkeypatch.setattr("scoreproof.public.inversion.slips.slip", lambda *_: None)  # costs a second
    found = sp.check_inversion(
        partial(euler, factor=factor), partial(euler, factor=factor), shape=1
    )
    assert found.verdict == verdict, found.explain()
    assert list(found.curves) == [curve] and found.labels == ("steps", label)


# -- estimates of a trace --------------------------------------------------------------------------


def jvp(f, z, v):
    return np.imag(f(z + 1e-30j * v)) / 1e-30


def column(f, z, k):
    return jvp(f, z, np.broadcast_to(np.eye(z.shape[1])[k], z.shape))


ENTRIES = {
    "the sum of the first row of J, ∂f_0/∂z_i over all i, as where one output is": (
        lambda f, z: jvp(f, z, np.ones_like(z))[:, 0]
    ),
    "the sum of the first column of J, ∂f_i/∂z_0 over all i": (
        lambda f, z: column(f, z, 0).sum(axis=1)
    ),
    "the sum of ∂f_i/∂z_(i+1) over i: the entries beside the diagonal of J": (
        lambda f, z: sum(column(f, z, (i + 1) % z.shape[1])[:, i] for i in range(z.shape[1]))
    ),
}


@pytest.mark.parametrize("words", ENTRIES)
def test_other_entries_of_the_jacobian_are_named(words):
    told = sp.check_trace_estimator(ENTRIES[words], dimension=4).explain()
    assert words in told, told


def test_a_length_of_nu_and_what_mends_it():
    rng = np.random.default_rng(3)

    def estimator(f, z):
        nu = rng.standard_normal(z.shape)
        nu *= 0.5 / np.linalg.norm(nu, axis=1, keepdims=True)
        return (nu * jvp(f, z, nu)).sum(axis=1)

    told = sp.check_trace_estimator(estimator, dimension=3).explain()
    assert "(nu_of_one_length): multiply the estimate by " in told, told


def test_a_mean_that_few_draws_carry_is_no_refutation():
    rng = np.random.default_rng(5)

    def estimator(f, z):
        nu = rng.choice([-1.0, 1.0], z.shape)
        rare = (rng.random(len(z)) < 1e-4) * 1e4
        return rare * (nu * jvp(f, z, nu)).sum(axis=1)

    found = sp.check_trace_estimator(estimator, dimension=2, draws=20_000)
    assert found.verdict == "undecided"
    told = found.explain()
    assert "of them carry it (the others are 0 or small beside these), too few to tell" in told


# -- log-likelihoods of a flow ---------------------------------------------------------------------

RNG = np.random.default_rng(0)
PARAMS = np.array([0.5, 0.3, -0.2, 0.4, 0.1, 0.7])
X, NU = RNG.standard_normal((3, 2)), RNG.standard_normal((3, 2))
NODES = 201


def field(z, p, s):
    """Two coordinates that mix, and a time that matters."""
    a, b = z[:, 0], z[:, 1]
    first = p[0] * a + p[1] * b * (1 + np.sin(s)) + 0.2 * p[4] * a * b
    second = p[2] * a + p[3] * b + p[5] * np.sin(s) * b + 0.2 * p[4] * a * a
    return np.stack([first, second], axis=1)


def rate(z, p, s):
    """νᵀJν of it."""
    a, b = z[:, 0], z[:, 1]
    first = (p[0] + 0.2 * p[4] * b) * NU[:, 0] + (p[1] * (1 + np.sin(s)) + 0.2 * p[4] * a) * NU[
        :, 1
    ]
    second = (p[2] + 0.4 * p[4] * a) * NU[:, 0] + (p[3] + p[5] * np.sin(s)) * NU[:, 1]
    return NU[:, 0] * first + NU[:, 1] * second


def flowed(f, p):
    """Times from 1 to 0, and z there, by Runge and Kutta's rule."""
    times, h = np.linspace(1, 0, NODES), -1 / (NODES - 1)
    z = [X.astype(complex)]
    for s in times[:-1]:
        one = f(z[-1], p, s)
        two = f(z[-1] + h / 2 * one, p, s + h / 2)
        three = f(z[-1] + h / 2 * two, p, s + h / 2)
        four = f(z[-1] + h * three, p, s + h)
        z.append(z[-1] + h / 6 * (one + 2 * two + 2 * three + four))
    return times, np.array(z)


def log_p(p, f=field, traced=lambda z, z0, p, s: rate(z, p, s), score=None):
    """log p̂ of each row; ``score``: a(0) prescribed, of which the gradient alone is right."""
    times, z = flowed(f, p)
    values = np.array([traced(v, z[-1], p, s) for v, s in zip(z, times, strict=True)])
    simpson = np.full(NODES, 2.0)
    simpson[1::2] = 4.0
    simpson[[0, -1]] = 1.0
    prior = -(z[-1] ** 2) / 2 if score is None else score * z[-1]
    return prior.sum(axis=1) - simpson @ values / (3 * (NODES - 1))


def gradient(**wrong):
    """Row by row, by complex steps."""
    return np.stack(
        [log_p(PARAMS + 1e-30j * unit, **wrong).imag / 1e-30 for unit in np.eye(6)], axis=1
    )


@pytest.fixture(scope="module")
def reference():
    flow = BlackBoxField(guarded(field, "field", "numpy"), PARAMS, np.eye(6)[:, :1], "numpy", X)
    return flow, prepare_black_box(flow, path_of(flow, X, Grid(2, 8)))


@pytest.fixture(scope="module")
def due():
    return gradient()


def wanted(found, due):
    limit = np.full(due.shape, 1e-7)
    return Wanted(found, due, limit, (np.eye(3), None), NU[None], X, Normal(), Grid(2, 8))


TURNED = {
    "by integrating from 1 down to 0; the log-determinant is subtracted, as is due then": {
        "f": lambda z, p, s: -field(z, p, 1 - s),
        "traced": lambda z, z0, p, s: rate(z, p, 1 - s),
    },
    "that is so in the velocity alone: νᵀJν is that of f, as is due": {
        "f": lambda z, p, s: -field(z, p, s),
    },
}
TRACED = {
    "at z(0), where the flow ends, and not at z(s) on the way": (
        lambda z, z0, p, s: rate(z0, p, s)
    ),
    "at the time 1 - s, and not at the s of z(s)": lambda z, z0, p, s: rate(z, p, 1 - s),
    "at the time 0, and not at the s of z(s)": lambda z, z0, p, s: rate(z, p, 0 * s),
    "at the time 1, and not at the s of z(s)": lambda z, z0, p, s: rate(z, p, 0 * s + 1),
}


@pytest.mark.parametrize("words", TURNED)
def test_a_flow_whose_velocity_alone_is_turned(words, reference, due):
    found = another_flow(reference[0], wanted(gradient(**TURNED[words]), due))
    assert found is not None and words in found.sentence, found


@pytest.mark.parametrize("words", TRACED)
def test_a_log_determinant_taken_elsewhere(words, reference, due):
    found = traced_elsewhere(*reference, wanted(gradient(traced=TRACED[words]), due))
    assert found is not None and words in found.sentence, found


def test_a_priors_score_at_x(reference, due):
    found = another_prior(*reference, wanted(gradient(score=-X), due))
    assert found is not None, found
    assert "Cause: the prior's score is taken at x, not at z(0) (latent_at_x)" in found.sentence


def test_a_power_of_std_that_is_also_a_factor_two():
    class Wide:
        def score(self, z):
            return -z / 4

    found = power_of_std(Multiples(np.array([2.0, 1, 1]), np.full(3, 1e-6)), Wide(), X)
    assert found is not None and "it is divided by σ, once" in found.sentence, found
    assert "; it may be counted twice as well, which gives the same here" in found.sentence


def linear(z, p, s):
    return p[0] * z + p[1]


def of_linear(x, p):
    """Of log p: its rows' gradients, and log p_Z(z(0)); z(0) = e^-p0 (x + p1/p0) - p1/p0."""
    decay, centre = np.exp(-p[0]), p[1] / p[0]
    z0 = decay * (x + centre) - centre
    first = -decay * (x + centre) + (1 - decay) * centre / p[0]
    rows = np.concatenate([-z0 * first - 1, -z0 * (decay - 1) / p[0]], axis=1)
    return rows, -(z0[:, 0] ** 2) / 2 - 0.5 * np.log(2 * np.pi)


def of_estimate(x, p, nu):
    return of_linear(x, p)[0] + np.concatenate([1 - nu**2, 0 * nu], axis=1)


def test_a_log_likelihood_of_the_other_sign_beside_a_right_gradient():
    told = sp.check_log_likelihood_gradient(
        linear,
        [0.5, 0.3],
        X[:, :1],
        of_estimate,
        log_likelihood=lambda x, p, nu: of_linear(x, p)[1] + p[0] * nu[:, 0] ** 2,
        in_expectation=True,
    ).explain()
    assert "the sign of the log-determinant: it is log p̂ = log p_Z(z(0)) - ∫νᵀJν ds" in told, told
    assert "the sign of the log-determinant: it is ℓ̂' = -νᵀJν, so that log p̂ = log p_Z -" in told


def test_a_solver_shows_how_its_gradient_changes():
    found = sp.check_log_likelihood_gradient(
        linear, [0.5, 0.3], X[:, :1], lambda x, p, nu, tol: of_estimate(x, p, nu) * (1 + tol)
    )
    assert found.verdict == "holds", found.explain()
    assert list(found.curves) == ["error", "change to the finest"]
