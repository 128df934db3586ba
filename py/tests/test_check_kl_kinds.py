"""check_kl: scales of every kind, laws that share or know one, sums and averages, shapes, other
quantities, and what the names of the arguments say; each right in its dialects, and wrong.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.public.kl.laws import Laws
from scoreproof.public.kl.names import named
from scoreproof.public.kl.overlap import finite, log_overlap
from scoreproof.public.kl.wanted import QUANTITIES

LOG_2_PI = float(np.log(2 * np.pi))
ROLES = ("mean0", "scale0", "mean1", "scale1")


def each(m0, v0, m1, v1):
    return 0.5 * ((m1 - m0) ** 2 / v1 + v0 / v1 - 1 - np.log(v0 / v1))


def full(m0, c0, m1, c1):
    gap, inverse = m1 - m0, np.linalg.inv(c1)
    mean = np.einsum("ni,nij,nj->n", gap, inverse, gap)
    trace = np.einsum("nij,nji->n", inverse, c0)
    logs = np.linalg.slogdet(c1)[1] - np.linalg.slogdet(c0)[1]
    return 0.5 * (mean + trace - gap.shape[1] + logs)


def square(factor):
    return factor @ np.swapaxes(factor, -1, -2)


VARIANCES = {
    "std": np.square,
    "variance": np.asarray,
    "logvar": np.exp,
    "logstd": lambda s: np.exp(2 * s),
    "precision": lambda p: 1 / p,
    "logprecision": lambda p: np.exp(-p),
    "softplus": lambda r: np.logaddexp(0, r) ** 2,
}
COVARIANCES = {
    "covariance": np.asarray,
    "scale_tril": square,
    "precision": np.linalg.inv,
    "precision_tril": lambda f: np.linalg.inv(square(f)),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", VARIANCES)
def test_scales_of_every_kind(kind, dtype):
    of = VARIANCES[kind]
    options = {"form": "diagonal", "parameterization": kind, "dtype": dtype}

    def kl(m0, a, m1, b):
        return each(m0, of(a), m1, of(b)).sum(1)

    evidence = sp.check_kl(kl, **options)
    assert evidence, evidence.explain()
    wrong = sp.check_kl(lambda m0, a, m1, b: kl(m0, a, m1, b) * 1.01, **options)
    assert wrong.verdict == "refuted"


@pytest.mark.parametrize("kind", COVARIANCES)
def test_matrices_of_every_kind(kind):
    of = COVARIANCES[kind]
    options = {"form": "full", "parameterization": kind}
    evidence = sp.check_kl(lambda m0, a, m1, b: full(m0, of(a), m1, of(b)), **options)
    assert evidence, evidence.explain()


@pytest.mark.parametrize(
    ("kind", "read", "name"),
    [
        ("logstd", np.exp, "logstd_as_logvar"),
        ("precision", np.asarray, "precision_as_variance"),
        ("precision", np.square, "precision_as_std"),
        ("logprecision", np.exp, "logprecision_as_logvar"),
        ("softplus", lambda r: np.logaddexp(0, r), "softplus_as_softplus_var"),
        ("softplus", lambda r: np.exp(2 * r), "softplus_as_logstd"),
    ],
)
def test_a_scale_of_another_kind_is_named(kind, read, name):
    def kl(m0, a, m1, b):
        return each(m0, read(a), m1, read(b)).sum(1)

    evidence = sp.check_kl(kl, form="diagonal", parameterization=kind)
    assert evidence.diagnosis.names == (name,), evidence.explain()


@pytest.mark.parametrize(
    ("kind", "read", "name"),
    [
        ("scale_tril", np.asarray, "scale_tril_as_covariance"),
        ("scale_tril", lambda f: np.swapaxes(f, 1, 2) @ f, "scale_tril_as_transposed"),
        ("scale_tril", lambda f: np.linalg.inv(square(f)), "scale_tril_as_precision_tril"),
        ("scale_tril", np.linalg.inv, "scale_tril_as_precision"),
        ("scale_tril", lambda f: (f * np.eye(f.shape[1])) ** 2, "scale_tril_as_diagonal"),
        ("precision", np.asarray, "precision_as_covariance"),
        ("precision", lambda p: square(np.tril(p)), "precision_as_cholesky"),
        ("precision_tril", square, "precision_tril_as_scale_tril"),
        ("precision_tril", np.linalg.inv, "precision_tril_as_precision"),
    ],
)
def test_a_matrix_of_another_kind_is_named(kind, read, name):
    def kl(m0, a, m1, b):
        return full(m0, read(a), m1, read(b))

    evidence = sp.check_kl(kl, form="full", parameterization=kind)
    assert evidence.diagnosis.names == (name,), evidence.explain()


def test_laws_of_two_forms():
    def kl(m0, a, m1, b):
        return each(m0, a**2, m1, np.exp(b)).sum(1)

    options = {"form": ("isotropic", "diagonal"), "parameterization": ("std", "logvar")}
    assert sp.check_kl(kl, **options)

    def once(m0, a, m1, b):  # log σ0² is no sum over d there
        mean = each(m0, a**2, m1, np.exp(b)) + np.log(a)
        return mean.sum(1) - np.log(a).sum(1)

    told = sp.check_kl(once, **options)
    assert "log σ0², once and not d times" in told.explain()

    def matrix(m0, f, m1, b):
        return full(m0, square(f), m1, np.exp(b)[:, :, None] * np.eye(b.shape[1]))

    options = {"form": ("full", "diagonal"), "parameterization": ("scale_tril", "logvar")}
    assert sp.check_kl(matrix, **options)
    assert sp.check_kl(lambda m0, f, m1, b: matrix(m0, f, m1, 2 * b), **options).verdict == (
        "refuted"
    )


SHARED = [
    ({}, lambda mu0, mu1, sigma: ((mu0 - mu1) ** 2 / (2 * sigma**2)).sum(1)),
    ({"shapes": {"scale": "()"}}, lambda mu0, mu1, std: ((mu0 - mu1) ** 2).sum(1) / (2 * std**2)),
    (
        {"shapes": {"scale": "(n,)"}},
        lambda mu0, mu1, std: ((mu0 - mu1) ** 2).sum(1) / (2 * std**2),
    ),
    ({"shapes": {"scale": "(d,)"}}, lambda m0, m1, s: ((m0 - m1) ** 2 / (2 * s**2)).sum(1)),
    ({"fixed": {"scale": 0.3}}, lambda mu0, mu1: ((mu0 - mu1) ** 2).sum(1) / 0.18),
    (
        {"fixed": {"mean1": 0.0, "scale1": 2.0}, "form": "diagonal"},
        lambda mu, std: each(mu, std**2, 0.0, 4.0).sum(1),
    ),
    (
        {"fixed": {"mean1": 1.0}, "given": ("mean0", "scale0", "scale1"), "form": "diagonal"},
        lambda mu, std, prior: each(mu, std**2, 1.0, prior**2).sum(1),
    ),
    (
        {"fixed": {"mean0": 1.0, "scale0": 0.5}, "given": ("mean1", "scale1"),
         "form": "diagonal"},
        lambda mu, std: each(1.0, 0.25, mu, std**2).sum(1),
    ),
    (
        {"given": ("scale0", "scale1"), "form": "diagonal"},
        lambda a, b: each(0.0, a**2, 0.0, b**2).sum(1),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(SHARED)))
def test_laws_that_share_a_scale_or_know_it(case):
    options, kl = SHARED[case]
    evidence = sp.check_kl(kl, **options)
    assert evidence, evidence.explain()
    doubled = sp.check_kl(lambda *a: 2 * kl(*a), **{"given": _roles(kl, options), **options})
    assert doubled.verdict == "refuted"
    assert doubled.diagnosis.names, doubled.explain()


def _roles(kl, options):
    return options.get("given") or named(kl).roles


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("dims", ["sum", "mean", "none"])
@pytest.mark.parametrize("units", ["nats", "bits"])
def test_sums_and_averages_in_every_combination(dims, reduction, units):
    over = {"sum": lambda v: v.sum(1), "mean": lambda v: v.mean(1), "none": np.asarray}[dims]
    batch = {"none": np.asarray, "sum": lambda v: v.sum(0), "mean": lambda v: v.mean(0)}[reduction]
    one = np.log(2) if units == "bits" else 1.0
    options = {"dims": dims, "reduction": reduction, "units": units}

    def kl(mu, logvar):
        return batch(over(each(mu, np.exp(logvar), 0.0, 1.0))) / one

    evidence = sp.check_kl(kl, **options)
    assert evidence, evidence.explain()
    wrong = sp.check_kl(lambda mu, logvar: kl(mu, logvar) * one * (1.5 - one / 2), **options)
    assert wrong.verdict == ("refuted" if units == "bits" else "holds")


@pytest.mark.parametrize(
    ("kl", "options", "name"),
    [
        (lambda v: v.mean(), {"reduction": "mean"}, "mean_over_dimensions"),
        (lambda v: v.sum(1), {"dims": "mean"}, "sum_over_dimensions"),
        (lambda v: v.sum(1).mean(), {"dims": "mean", "reduction": "mean"}, "sum_over_dimensions"),
        (lambda v: v.sum(1), {"units": "bits"}, "nats_for_bits"),
        (lambda v: v.mean(1) / v.shape[1], {"dims": "mean"}, "mean_over_dimensions_twice"),
    ],
)
def test_another_sum_is_named(kl, options, name):
    evidence = sp.check_kl(lambda mu, logvar: kl(each(mu, np.exp(logvar), 0.0, 1.0)), **options)
    assert evidence.diagnosis.names == (name,), evidence.explain()


def test_images_have_their_shape():
    def kl(mean1, logvar1, mean2, logvar2):
        return each(mean1, np.exp(logvar1), mean2, np.exp(logvar2)).sum((1, 2, 3))

    evidence = sp.check_kl(kl, shape=(3, 2, 4))
    assert evidence, evidence.explain()
    assert "d = 24;" in evidence.explain()
    averaged = sp.check_kl(lambda *a: kl(*a) / 24, shape=(3, 2, 4), given=ROLES,
                           form="diagonal", parameterization="logvar")  # fmt: skip
    assert averaged.diagnosis.names == ("mean_over_dimensions",), averaged.explain()
    one = {"given": ("mean0", "mean1", "scale"), "shape": (3, 16, 16)}
    assert sp.check_kl(lambda a, b, s: ((a - b) ** 2 / s**2).sum((1, 2, 3)) / 2, **one)


@pytest.mark.parametrize(
    "shapes",
    [
        {"mean1": "(d,)", "scale1": "(d,)"},
        {"mean1": "()", "scale1": "()"},
        {"mean1": "(1, d)", "scale1": "scalar"},
        {"scale0": "(d,)", "scale1": "(d,)"},
    ],
    ids=["d", "numbers", "a row and a number", "scales"],
)
def test_arguments_of_the_whole_batch(shapes):
    def kl(m0, s0, m1, s1):
        return each(m0, s0**2, m1, s1**2).sum(1)

    form = {} if shapes["scale1"] != "(d,)" else {"form": "diagonal"}
    form = form or {"form": ("diagonal", "isotropic")}
    evidence = sp.check_kl(kl, shapes=shapes, **form)
    assert evidence, evidence.explain()
    wrong = sp.check_kl(lambda m0, s0, m1, s1: kl(m0, s0, m1, s1**0.5), shapes=shapes, **form)
    assert wrong.verdict == "refuted"


def test_one_pair_at_a_time():
    shapes = dict.fromkeys(("mean0", "scale0"), "(d,)")

    def kl(mu, logvar):
        assert mu.ndim == 1
        return each(mu, np.exp(logvar), 0.0, 1.0).sum()

    evidence = sp.check_kl(kl, shapes=shapes)
    assert evidence, evidence.explain()
    assert evidence.cost["calls"] > 100
    wrong = sp.check_kl(lambda mu, logvar: kl(mu, logvar) / mu.shape[0], shapes=shapes)
    assert "1/d too many" in wrong.explain()


def renyi(m0, v0, m1, v1, a):
    mixed = a * v1 + (1 - a) * v0
    with np.errstate(all="ignore"):
        logs = np.log(mixed) - (1 - a) * np.log(v0) - a * np.log(v1)
        value = a / 2 * (m0 - m1) ** 2 / mixed - logs / (2 * (a - 1))
    return np.where((mixed > 0).all(1), value.sum(1), np.inf)


def both(m0, v0, m1, v1):
    return each(m0, v0, m1, v1).sum(1) + each(m1, v1, m0, v0).sum(1)


def cross(m0, v0, m1, v1):
    return 0.5 * (LOG_2_PI + np.log(v1) + ((m0 - m1) ** 2 + v0) / v1).sum(1)


DIAGONAL = {
    "kl": (lambda *a: each(*a).sum(1), {}),
    "reverse": (lambda m0, v0, m1, v1: each(m1, v1, m0, v0).sum(1), {}),
    "entropy": (lambda m0, v0: 0.5 * np.log(2 * np.pi * np.e * v0).sum(1), {}),
    "cross_entropy": (cross, {}),
    "jeffreys": (both, {}),
    "symmetric": (lambda *a: both(*a) / 2, {}),
    "renyi": (lambda *a: renyi(*a, 0.3), {"order": 0.3}),
    "renyi 2": (lambda *a: renyi(*a, 2.0), {"order": 2}),
    "bhattacharyya": (lambda *a: renyi(*a, 0.5) / 2, {}),
}
GIVEN = {"form": "diagonal", "parameterization": "variance"}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", DIAGONAL)
def test_quantities_of_diagonal_laws(name, dtype):
    right, more = DIAGONAL[name]
    quantity = name.split()[0]
    arguments = ROLES[: 2 if quantity == "entropy" else 4]
    options = GIVEN | more | {"quantity": quantity, "given": arguments, "dtype": dtype}
    evidence = sp.check_kl(right, **options)
    assert evidence, evidence.explain()
    assert evidence.resolution < 1e-3
    for wrong in (lambda *a: right(*a) * 2, lambda *a: -right(*a)):
        told = sp.check_kl(wrong, **options)
        assert told.verdict == "refuted" and told.diagnosis.names, told.explain()


@pytest.mark.parametrize("due", ["kl", "cross_entropy", "jeffreys", "symmetric", "bhattacharyya"])
@pytest.mark.parametrize("got", ["kl", "reverse", "jeffreys", "bhattacharyya", "cross_entropy"])
def test_one_quantity_for_another_is_named(due, got):
    if due == got or {due, got} <= {"jeffreys", "symmetric"}:
        return
    right, _ = DIAGONAL[got]
    told = sp.check_kl(right, given=ROLES, quantity=due, **GIVEN)
    assert told.verdict == "refuted"
    known = {"reverse": "swapped_arguments", "jeffreys": "both_directions"}
    words = told.diagnosis.names[0]
    assert words.endswith((got, known.get(got, got))) or "KL(N_1 ‖ N_0)" in told.explain()


@pytest.mark.parametrize("quantity", ["entropy", "cross_entropy", "symmetric", "renyi"])
def test_quantities_of_matrices(quantity):
    a = 0.4

    def mixed(m0, c0, m1, c1):
        star, gap = a * c1 + (1 - a) * c0, m1 - m0
        logs = [np.linalg.slogdet(c)[1] for c in (star, c0, c1)]
        mean = np.einsum("ni,ni->n", gap, np.linalg.solve(star, gap[:, :, None])[:, :, 0])
        return a / 2 * mean - (logs[0] - (1 - a) * logs[1] - a * logs[2]) / (2 * (a - 1))

    kl = {
        "entropy": lambda m0, c0: 0.5 * np.linalg.slogdet(2 * np.pi * np.e * c0)[1],
        "cross_entropy": lambda m0, c0, m1, c1: (
            full(m0, c0, m1, c1) + 0.5 * np.linalg.slogdet(2 * np.pi * np.e * c0)[1]
        ),
        "symmetric": lambda m0, c0, m1, c1: (full(m0, c0, m1, c1) + full(m1, c1, m0, c0)) / 2,
        "renyi": mixed,
    }[quantity]
    options = {"form": "full", "quantity": quantity, "order": a if quantity == "renyi" else None}
    options["given"] = ROLES[: 2 if quantity == "entropy" else 4]
    evidence = sp.check_kl(kl, **options)
    assert evidence, evidence.explain()
    assert sp.check_kl(lambda *laws: kl(*laws) * 1.01, **options).verdict == "refuted"


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (0.0, "the term ½ Σ (1 + log 2π) is left out"),
        (LOG_2_PI, "2π stands where 2πe is due"),
        (1.0, "e stands where 2πe is due"),
        (LOG_2_PI - 1, "2π/e stands where 2πe is due"),
        (np.log(np.pi) + 1, "πe stands where 2πe is due"),
        (np.log(2) + 1, "2e stands where 2πe is due"),
        (2 * LOG_2_PI + 1, "½ log 2π for each dimension is doubled"),
        (LOG_2_PI + 2, "½ for each dimension is doubled: log e is 1"),
        ((LOG_2_PI + 1) / np.log(10), "log 2πe is to base 10"),
    ],
)
def test_the_constant_of_an_entropy(factor, words):
    told = sp.check_kl(lambda log_std: (log_std + factor / 2).sum(1), quantity="entropy")
    assert words in told.explain(), told.explain()


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (lambda a: -1, "1/(1 - α) stands where 1/(α - 1) is due"),
        (lambda a: 1 - a, "it is -log of the integral"),
        (lambda a: a - 1, "it is the logarithm of the integral itself"),
        (lambda a: 1 / a, "1/(α (α - 1)) stands where 1/(α - 1) is due"),
        (lambda a: a, "α/(α - 1) stands where 1/(α - 1) is due"),
        (lambda a: (a - 1) / a, "1/α stands where 1/(α - 1) is due"),
    ],
)
def test_the_factor_of_a_renyi_divergence(factor, words):
    a = 0.3
    options = GIVEN | {"quantity": "renyi", "order": a, "given": ROLES}
    told = sp.check_kl(lambda *laws: factor(a) * renyi(*laws, a), **options)
    assert words in told.explain(), told.explain()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda a, *laws: renyi(*laws, 1 - a), "exchanged"),
        (lambda a, *laws: np.expm1((a - 1) * renyi(*laws, a)) / (a - 1), "Tsallis' divergence"),
        (lambda a, *laws: np.exp((a - 1) * renyi(*laws, a)), "without the logarithm"),
        (lambda a, m0, v0, m1, v1: renyi(m1, v1, m0, v0, a), "laws exchanged"),
    ],
)
def test_another_divergence_of_renyi(wrong, words):
    options = GIVEN | {"quantity": "renyi", "order": 0.3, "given": ROLES}
    told = sp.check_kl(lambda *laws: wrong(0.3, *laws), **options)
    assert told.verdict == "refuted"
    assert words in told.explain(), told.explain()


def test_a_renyi_divergence_where_it_is_infinite():
    options = GIVEN | {"quantity": "renyi", "order": 2, "given": ROLES}

    def finite_there(m0, v0, m1, v1):
        mixed = 2 * v1 - v0
        logs = np.log(np.prod(mixed, 1) * np.prod(v0, 1) / np.prod(v1, 1) ** 2)
        return ((m0 - m1) ** 2 / mixed).sum(1) - logs / 2

    told = sp.check_kl(finite_there, **options)
    assert told.diagnosis.names == ("finite_where_infinite",), told.explain()

    def undefined(m0, v0, m1, v1):
        value = renyi(m0, v0, m1, v1, 2.0)
        return np.where(np.isinf(value), np.nan, value)

    evidence = sp.check_kl(undefined, **options)
    assert evidence and "inf is its value there" in evidence.explain()
    assert "inf is its value" not in sp.check_kl(lambda *a: renyi(*a, 2.0), **options).explain()


def test_the_integral_of_powers_is_that_of_a_fine_grid():
    rng = np.random.default_rng(0)
    m0, m1 = rng.normal(size=(2, 3, 1))
    v0, v1 = np.exp(rng.normal(size=(2, 3, 1)) / 2)
    laws = Laws("", m0, v0, m1, v1)
    x, of = np.linspace(-30, 30, 200001), ((m0, v0), (m1, v1))
    for alpha in (0.25, 0.8, 1.3):
        p, q = (-((x - m) ** 2) / (2 * v) - np.log(2 * np.pi * v) / 2 for m, v in of)
        powers = np.exp(alpha * p + (1 - alpha) * q)
        direct = np.log(np.sum(powers, axis=1) * (x[1] - x[0]))
        rows = finite(laws, alpha)
        assert rows.any()
        assert np.allclose(log_overlap(laws, alpha)[rows, 0], direct[rows], atol=1e-9)


def test_the_names_say_what_the_arguments_are():
    for kl, roles, form in (
        (lambda mu, logvar: 0, ROLES[:2], "diagonal"),
        (lambda z_mean, z_log_var: 0, ROLES[:2], "diagonal"),
        (lambda q_mu, q_logvar, p_mu, p_logvar: 0, ROLES, "diagonal"),
        (lambda mu1, sigma1, mu2, sigma2: 0, ROLES, None),
        (lambda m1, m2, v1, v2: 0, ("mean0", "mean1", "scale0", "scale1"), None),
        (lambda mu0, mu1, sigma: 0, ("mean0", "mean1", "scale"), None),
        (lambda mu_q, Sigma_q, mu_p, Sigma_p: 0, ROLES, "full"),
        (lambda mean_old, log_std_old, mean, log_std: 0, ROLES, "diagonal"),
        (lambda q_mu, q_sqrt: 0, ROLES[:2], "full"),
        (lambda mu, P: 0, ROLES[:2], "full"),
        (lambda mu, logvar, prior_mean=0, prior_logvar=0: 0, ROLES[:2], "diagonal"),
    ):
        found = named(kl)
        assert found is not None and (found.roles, found.form) == (roles, form), found
    for kl in (lambda a, b: 0, lambda *laws: 0, lambda x, mu, std: 0, lambda mu, mu1, mu2: 0, min):
        assert named(kl) is None


def test_a_form_that_is_not_said_is_found():
    def kl(mu0, std0, mu1, std1):  # of diagonal laws: it sums the logarithm over them
        logs = np.log(std1).sum(1) - np.log(std0).sum(1)
        return logs + 0.5 * ((std0**2 + (mu0 - mu1) ** 2) / std1**2 - 1).sum(1)

    evidence = sp.check_kl(kl)
    assert evidence, evidence.explain()
    assert "scales (n, d), one for each coordinate" in evidence.coverage.describe()
    assert sp.check_kl(kl, form="isotropic").verdict == "refuted"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_distributions_of_torch(dtype):
    torch = pytest.importorskip("torch")
    d, kl = torch.distributions, torch.distributions.kl_divergence
    assert sp.check_kl(lambda q, p: kl(q, p).sum(-1), law=d.Normal, dtype=dtype)
    assert sp.check_kl(kl, law=d.Independent, dtype=dtype)
    assert sp.check_kl(lambda q: q.entropy(), law=d.Independent, quantity="entropy", dtype=dtype)
    one = {"law": d.Normal, "against": "standard", "dtype": dtype}
    assert sp.check_kl(lambda q: kl(q, d.Normal(0.0, 1.0)).sum(-1), **one)
    exchanged = sp.check_kl(lambda q, p: kl(p, q).sum(-1), law=d.Normal, dtype=dtype)
    assert exchanged.diagnosis.names == ("diagonal_swapped_arguments",)
    reverse = sp.check_kl(lambda q, p: kl(p, q), law=d.Independent, quantity="reverse", dtype=dtype)
    assert reverse, reverse.explain()


def test_distributions_of_matrices_and_of_ones_own():
    torch = pytest.importorskip("torch")
    d, kl = torch.distributions, torch.distributions.kl_divergence

    def of_factor(mean, factor):
        return d.MultivariateNormal(mean, scale_tril=factor)

    options = {"form": "full", "parameterization": "scale_tril", "framework": "torch"}
    assert sp.check_kl(kl, law=of_factor, **options)

    class Law:
        def __init__(self, mean, std):
            self.mean, self.std = mean, std

    def mine(q, p):
        return each(q.mean, q.std**2, p.mean, p.std**2).sum(1)

    assert sp.check_kl(mine, law=Law, form="diagonal")
    assert sp.check_kl(mine, law=(Law, Law), form="isotropic")


def test_jax():
    jax = pytest.importorskip("jax")
    jnp = jax.numpy

    def entropy(log_std):
        return (log_std + 0.5 * jnp.log(2 * jnp.pi * jnp.e)).sum(1)

    assert sp.check_kl(entropy, quantity="entropy", framework="jax", dtype="float32")

    def kl(mu0, mu1, sigma):
        return ((mu0 - mu1) ** 2 / (2 * sigma**2)).sum(1)

    assert sp.check_kl(kl, framework="jax", dtype="float32")


@pytest.mark.parametrize(
    ("kl", "options", "message"),
    [
        (lambda a, b, c: 0, {}, 'name them in order, e.g. given='),
        (lambda mu0, mu1: 0, {}, 'pass fixed={"scale0": 0.5}, or {"scale": 0.5}'),
        (lambda a, b: 0, {"given": ("mu", "std")}, "given must be different ones of mean0"),
        (lambda *a: 0, {"quantity": "renyi"}, "order must be a number > 0 other than 1"),
        (lambda *a: 0, {"order": 2}, 'order must be left away .got 2.; it is for quantity="renyi"'),
        (lambda *a: 0, {"quantity": "distance"}, "quantity must be one of kl, reverse"),
        (lambda *a: 0, {"units": "dits"}, "units must be one of nats, bits"),
        (lambda *a: 0, {"dims": "all"}, "dims must be one of sum, mean, none"),
        (lambda *a: 0, {"form": "full", "dims": "none"}, "sum over them: dims="),
        (lambda *a: 0, {"form": "full", "parameterization": "logstd"}, "one of covariance"),
        (lambda *a: 0, {"form": "diagonal", "parameterization": "scale_tril"}, 'pass form="full"'),
        (lambda *a: 0, {"form": ("full",)}, "form must be one name, or one for each law"),
        (lambda *a: 0, {"shapes": {"scale1": "(x,)"}}, "shapes.'scale1'. must be a shape of n"),
        (lambda *a: 0, {"shapes": "(d,)"}, "shapes must be a dictionary by the roles"),
        (lambda *a: 0, {"fixed": {"mean1": 0}}, "fixed must be of arguments that are not passed"),
        (lambda *a: 0, {"shapes": {"scale": "()"}}, "shapes must be of arguments that are passed"),
        (lambda mu, std: 0, {"fixed": {"mean1": 0, "scale1": -1}}, "a standard deviation > 0"),
        (lambda *a: 0, {"law": 3}, "law must be a class or function of a mean and a scale"),
        (lambda *a: 0, {"shape": (9, 9), "form": "full"}, "shape must be of at most 64 entries"),
        (lambda *a: 0, {"shapes": dict.fromkeys(ROLES, "(d,)"), "reduction": "sum"},
         'reduction must be "none" for one pair of laws at a time'),
        (lambda mu, logvar: mu, {"dims": "sum"}, 'or pass dims="none"'),
        (lambda mu, logvar: mu.sum(1), {"dims": "none"}, 'pass dims="sum" or dims="mean"'),
        (lambda mu, logvar: mu.sum(0), {"dims": "none"}, 'pass reduction="sum" or'),
        (lambda mu, logvar: mu, {"dims": "none", "reduction": "sum"}, 'pass reduction="none" if'),
        (lambda mu, log_std: np.log(log_std[:, 0]), {}, "are log standard deviations, negative"),
    ],
)  # fmt: skip
def test_what_has_to_be_said(kl, options, message):
    with np.errstate(all="ignore"), pytest.raises(sp.ScoreproofError, match=message):
        sp.check_kl(kl, **options)


def test_every_quantity_has_a_test():
    assert {name.split()[0] for name in DIAGONAL} == set(QUANTITIES)


@pytest.mark.parametrize(
    "of",
    [
        lambda mean1, scale1, mean0, scale0: (mean0, scale0, mean1, scale1),
        lambda mean1, mean0, scale0, scale1: (mean0, scale0, mean1, scale1),
        lambda mu2, std2, mu1, std1: (mu1, std1, mu2, std2),
    ],
    ids=["1 then 0", "crossed", "2 then 1"],
)
def test_laws_that_are_numbered_are_in_their_order(of):
    import inspect

    def kl(*laws):
        m0, s0, m1, s1 = of(*laws)
        return (np.log(s1 / s0) + (s0**2 + (m0 - m1) ** 2) / (2 * s1**2) - 0.5 + 0 * m0).sum(1)

    def other(*laws):
        m1, s1, m0, s0 = of(*laws)
        return (np.log(s1 / s0) + (s0**2 + (m0 - m1) ** 2) / (2 * s1**2) - 0.5 + 0 * m0).sum(1)

    kl.__signature__ = other.__signature__ = inspect.signature(of)
    evidence = sp.check_kl(kl)
    assert evidence, evidence.explain()
    wrong = sp.check_kl(other)
    assert wrong.verdict == "refuted", wrong.explain()


def _renyi_of_matrices(m0, c0, m1, c1, fine):
    mixed, gap = 2 * c1 - c0, m1 - m0
    value = np.einsum("ni,nij,nj->n", gap, np.linalg.inv(mixed), gap)
    (sign, log), (_, log0), (_, log1) = (np.linalg.slogdet(c) for c in (mixed, c0, c1))
    return np.where(fine(mixed, sign), value - (log + log0 - 2 * log1) / 2, np.inf)


@pytest.mark.parametrize(
    ("fine", "right"),
    [
        (lambda mixed, sign: np.linalg.eigvalsh(mixed)[:, 0] > 0, True),
        (lambda mixed, sign: sign > 0, False),
        (lambda mixed, sign: np.diagonal(mixed, axis1=1, axis2=2).min(1) > 0, False),
    ],
    ids=["positive definite", "determinant", "diagonal"],
)
def test_a_renyi_divergence_of_matrices_that_is_infinite_in_one_direction(fine, right):
    evidence = sp.check_kl(lambda *laws: _renyi_of_matrices(*laws, fine), form="full",
                           quantity="renyi", order=2, given=ROLES)  # fmt: skip
    assert evidence.verdict == ("holds" if right else "refuted"), evidence.explain()


@pytest.mark.parametrize(
    ("fine", "right"),
    [
        (lambda mixed: (mixed > 0).all(1), True),
        (lambda mixed: mixed[:, 0] > 0, False),
        (lambda mixed: (mixed > 0).any(1), False),
        (lambda mixed: mixed.sum(1) > 0, False),
    ],
    ids=["all", "first", "any", "sum"],
)
def test_a_renyi_divergence_that_is_infinite_in_one_coordinate(fine, right):
    def kl(m0, v0, m1, v1):
        mixed = 2 * v1 - v0
        value = (m0 - m1) ** 2 / mixed - (np.log(np.abs(mixed)) + np.log(v0 / v1**2)) / 2
        return np.where(fine(mixed), value.sum(1), np.inf)

    evidence = sp.check_kl(kl, quantity="renyi", order=2, given=ROLES, **GIVEN)
    assert evidence.verdict == ("holds" if right else "refuted"), evidence.explain()


def test_shapes_are_said_by_the_functions_own_names():
    def kl(mu0, std0, mu1, std1):
        return (np.log(std1 / std0) + (std0**2 + (mu0 - mu1) ** 2) / (2 * std1**2) - 0.5).sum(-1)

    assert sp.check_kl(kl, form="diagonal", shapes={"mu1": "(d,)", "std1": "(d,)"})
    assert sp.check_kl(kl, form="diagonal", shapes={"mean1": "(d,)", "scale1": "(d,)"})
    twice = sp.check_kl(lambda mu0, std0, mu1, std1: 2 * kl(mu0, std0, mu1, std1),
                        form="diagonal", shapes={"std1": "(d,)"})  # fmt: skip
    assert twice.verdict == "refuted"


def test_the_library_is_found_out():
    torch = pytest.importorskip("torch")

    def kl(mu, logvar):
        return 0.5 * torch.sum(mu.pow(2) + logvar.exp() - 1 - logvar, dim=1)

    assert sp.check_kl(kl)
    assert sp.check_kl(lambda mu, logvar: 2 * kl(mu, logvar)).verdict == "refuted"


def test_scales_of_one_number_are_named_where_nobody_said_so():
    def kl(mu_q, std_q, mu_p, std_p):
        each = (std_q**2 + (mu_q - mu_p) ** 2) / std_p**2 / 2 - 0.5
        return each.sum(1) + mu_q.shape[1] * np.log(std_p / std_q)[:, 0]

    evidence = sp.check_kl(kl)
    assert evidence.verdict == "undecided"
    words = "it is right where scales are (n, 1), one for all coordinates, and wrong where they are"
    assert words in evidence.sentence
    assert words not in sp.check_kl(kl, form="isotropic").explain()
    assert sp.check_kl(kl, form="diagonal").verdict == "refuted"


def test_thresholds_are_named_without_a_search_for_terms():
    def each(mu, logvar):
        return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar)

    cases = {
        "free_bits_of_batch_means": sp.check_kl(
            lambda mu, logvar: np.maximum(each(mu, logvar).mean(0), 0.5).sum(), reduction="mean"
        ),
        "distance_clamped": sp.check_kl(
            lambda mu, logvar: (
                each(mu, logvar).sum(1) + 0.5 * (np.minimum(mu**2, 100) - mu**2).sum(1)
            )
        ),
        "one_row_is_zero": sp.check_kl(lambda mu, logvar: each(mu, logvar).sum(1) * (len(mu) > 1)),
    }
    for name, evidence in cases.items():
        assert evidence.verdict == "refuted"
        assert evidence.diagnosis.names[0].split()[0] == name, evidence.explain()


@pytest.mark.parametrize(
    ("axes", "words"),
    [((1,), "the axis of length 4"), ((2, 3), "all but the axis of length 4")],
    ids=["channels", "pixels"],
)
def test_an_average_over_some_axes_is_named(axes, words):
    others = tuple({1, 2, 3} - {*axes})

    def kl(mu, logvar):
        each = 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar)
        return each.mean(axes, keepdims=True).sum(others, keepdims=True)[:, 0, 0, 0]

    assert (
        f"an average over {words} of a sample (4, 3, 3)"
        in sp.check_kl(kl, shape=(4, 3, 3)).explain()
    )


def test_a_factor_next_to_one_is_told_by_its_distance():
    def kl(mu, logvar):
        return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(1) * (1 + 1e-7)

    said = sp.check_kl(kl).explain()
    assert "is (1 + 1e-07) times what is due" in said
    returned, due = re.search(r"returns (\S+) where .* is ([0-9.]+), in d", said).groups()
    assert returned != due
