"""`check_fokker_planck` with a noise that is a matrix or depends on x, in any reading of dW: right
subjects in several dialects hold, the same with a mistake are refuted, and bad input is told.
"""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError

check = sp.check_fokker_planck
READINGS = {"ito": (0.0, 0.0), "stratonovich": (0.5, 0.0), "fick": (0.0, 1.0), 0.3: (0.3, 0.0)}


# -- geometric Brownian motion in d dimensions: log-normal in every reading ------------------------


def basket(d, reading="ito", seed=0):
    """Drift, Cholesky factor and log p of correlated assets from a spread start."""
    rng = np.random.default_rng(seed)
    chol = np.tril(rng.uniform(0.1, 0.4, (d, d))) + 0.2 * np.eye(d)
    mu = rng.uniform(-0.2, 0.2, d)
    sigma = chol @ chol.T
    alpha, fick = READINGS[reading]
    half = np.diag(sigma) / 2
    # C_i = Σ_ii x_i; ∇·Σ in i: Σ_ii x_i + Σ_ij x_i over j
    rate = mu - half + alpha * 2 * half + fick * (2 * half + sigma.sum(axis=1)) / 2
    precision, log_det = np.linalg.inv(sigma), np.linalg.slogdet(sigma)[1]

    def log_p(x, t):
        y, v = np.log(x) - rate * t, t + 0.2
        square = np.einsum("ni,ij,nj->n", y, precision, y) / v
        return -0.5 * (square + d * np.log(2 * np.pi * v) + log_det) - np.log(x).sum(axis=1)

    def score(x, t):
        return -((np.log(x) - rate * t) @ precision) / (t + 0.2) / x - 1 / x

    return mu, chol, log_p, score


def of_basket(d, reading="ito", **more):
    mu, chol, log_p, _ = basket(d, reading)
    given = {
        "drift": lambda x, t: mu * x,
        "diffusion": lambda x, t: x[:, :, None] * chol,
        "log_density": log_p,
        "interpretation": reading,
        "dimension": d,
        "domain": (0.5, 2.5),
    }
    return given | more


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_a_basket_of_assets_holds_in_every_reading(d, reading):
    evidence = check(**of_basket(d, reading, normalized=False))
    assert evidence, evidence.explain()
    assert evidence.resolution < 1e-5


def test_three_dimensions_say_how_they_were_read():
    for reading, said in (
        ("ito", "(read as Itô)"),
        ("Stratonovich", "(read as Stratonovich, α = ½)"),
        ("Hänggi-Klimontovich", "½ ∇·(Σ ∇p)/p (read as Fick)"),
        (0.3, "(read as α = 0.3)"),
    ):
        known = {"Stratonovich": "stratonovich", "Hänggi-Klimontovich": "fick"}.get(
            reading, reading
        )
        evidence = check(**of_basket(3, known) | {"interpretation": reading})
        assert evidence and said in evidence.sentence, evidence.explain()
        assert evidence.coverage.asked["points"] > 500


@pytest.mark.parametrize("method", ["strong", "weak", "auto"])
def test_both_forms_agree_in_two_dimensions(method):
    assert check(**of_basket(2, "fick", method=method))
    wrong = check(**of_basket(2, "stratonovich", method=method) | {"interpretation": "fick"})
    assert wrong.diagnosis.names == ("stratonovich_read_as_fick",), wrong.explain()


@pytest.mark.parametrize("said", [r for r in READINGS if r != 0.3])
@pytest.mark.parametrize("meant", [r for r in READINGS if r != 0.3])
@pytest.mark.parametrize("d", [1, 3])
def test_the_reading_that_would_agree_is_named(meant, said, d):
    evidence = check(**of_basket(d, meant, normalized=False) | {"interpretation": said})
    if meant == said:
        assert evidence
        return
    names = {f"{meant}_read_as_{said}"}
    if meant == "fick":  # where Σ is no number, Fick's law is more than the drift g ∂g
        names |= {"correction_from_drift", "fick"}
    assert evidence.verdict == "refuted" and set(evidence.diagnosis.names) & names, (
        evidence.explain()
    )
    assert f"interpretation='{meant}'" in evidence.explain(), evidence.explain()


@pytest.mark.parametrize(
    ("name", "text", "meant", "said"),
    [
        ("alpha_from_the_end", "the density belongs to α = 0.3", 0.3, 0.7),
        ("ito_read_as_alpha", "lacks the drift α g ∂g", "ito", 0.3),
        ("fick_read_as_alpha", "that of Fick's law", "fick", 0.3),
        ("stratonovich_read_as_alpha", "interpretation=0.3 was said", "stratonovich", 0.3),
    ],
)
def test_an_alpha_is_named_too(name, text, meant, said):
    evidence = check(**of_basket(3, meant) | {"interpretation": said})
    assert evidence.diagnosis.names == (name,) and text in evidence.explain()


def test_ficks_correction_with_the_wrong_sign():
    d = 3
    mu, chol, log_p, _ = basket(d)
    sigma = chol @ chol.T
    shift = (np.diag(sigma) + sigma.sum(axis=1)) / 2

    def other(x, t):  # log p of the drift μ x - ½ ∇·Σ
        return log_p(x * np.exp(shift * t), t) + shift.sum() * t

    evidence = check(**of_basket(d, log_density=other) | {"interpretation": "fick"})
    assert evidence.diagnosis.names == ("correction_twice",), evidence.explain()
    assert "has the wrong sign in the density" in evidence.explain()


# -- any g(x) with the stationary law e^{-V}: f = -½ Σ ∇V in Fick's law ----------------------------


def wavy(x):
    """g ``(n, 3, 4)``, rectangular, with no symmetry at all."""
    one, zero = 1 + 0 * x[:, 0], 0 * x[:, 0]
    rows = [
        [1.1 + 0.2 * np.sin(x[:, 1]), 0.3 * x[:, 2], zero, 0.2 * x[:, 0]],
        [0.2 * x[:, 1], one, 0.3 * np.cos(x[:, 2]), zero],
        [zero, 0.25 * x[:, 0] * x[:, 1], 0.9 + 0.1 * x[:, 2], 0.4 * np.sin(x[:, 0])],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def wavy_slopes(x):
    """``∂_j g_ik`` ``(n, j, i, k)`` by differences of fourth order, at complex points too."""
    out = []
    for j in range(3):
        step = 1e-3 * np.eye(3)[j]
        # the fourth order is as exact as g is smooth here: entries are linear, or sines
        a, b = wavy(x + step) - wavy(x - step), wavy(x + 2 * step) - wavy(x - 2 * step)
        out.append((8 * a - b) / 12e-3)
    return np.stack(out, axis=1)


def stationary(reading):
    alpha, fick = READINGS[reading]

    def drift(x, t):
        g, slopes = wavy(x), wavy_slopes(x)
        sigma = np.einsum("nik,njk->nij", g, g)
        f = -np.einsum("nij,nj->ni", sigma, x) / 2  # V = |x|²/2
        C = np.einsum("njk,njik->ni", g, slopes)
        E = np.einsum("nik,njjk->ni", g, slopes)
        return f + (1 - fick) * (C + E) / 2 - alpha * C

    return {
        "drift": drift,
        "diffusion": lambda x, t: wavy(x),
        "log_density": lambda x, t: -0.5 * (x**2).sum(axis=1) - 1.5 * np.log(2 * np.pi) + 0 * t,
        "dimension": 3,
        "domain": (-2.0, 2.0),
        "interpretation": reading,
    }


@pytest.mark.parametrize("reading", READINGS)
def test_a_rectangular_noise_of_the_state_keeps_its_law(reading):
    evidence = check(**stationary(reading))
    assert evidence, evidence.explain()


@pytest.mark.parametrize("said", ["ito", "stratonovich", "fick", 1.0])
def test_readings_of_a_matrix_are_told_apart(said):
    for meant in ("ito", "stratonovich", "fick"):
        evidence = check(**stationary(meant) | {"interpretation": said})
        assert (evidence.verdict == "holds") == (meant == said), evidence.explain()


@pytest.mark.parametrize("said", ["covariance", "diffusivity"])
@pytest.mark.parametrize("reading", ["ito", "fick"])
def test_a_covariance_of_the_state_will_do(said, reading):
    factor = 1.0 if said == "covariance" else 0.5

    def sigma(x, t):
        g = wavy(x)
        return factor * np.einsum("nik,njk->nij", g, g)

    given = stationary(reading) | {"diffusion": sigma, "diffusion_is": said}
    assert check(**given)
    with pytest.raises(ArgumentError, match="many g have one g gᵀ"):
        check(**given | {"interpretation": "stratonovich"})
    other = "covariance" if said == "diffusivity" else "diffusivity"
    wrong = check(**given | {"diffusion_is": other})
    names = {"covariance_for_diffusivity", "diffusivity_for_covariance"}
    assert set(wrong.diagnosis.names) & names, wrong.explain()


@pytest.mark.parametrize("said", ["covariance", "diffusivity"])
def test_of_a_covariance_only_ito_and_fick_are_told(said):
    factor = 1.0 if said == "covariance" else 0.5

    def sigma(x, t):
        g = wavy(x)
        return factor * np.einsum("nik,njk->nij", g, g)

    given = stationary("fick") | {"diffusion": sigma, "diffusion_is": said}
    wrong = check(**given | {"interpretation": "ito"})
    assert wrong.diagnosis.names == ("fick",), wrong.explain()
    assert "where the noise is ½ Σ ∂_i∂_j (Σ_ij p) by Itô: pass interpretation='fick'" in (
        wrong.explain()
    )


def test_a_diagonal_covariance_is_read_as_stratonovich_too():
    mu, s = np.array([0.1, -0.2, 0.1]), np.array([0.5, 0.4, 0.3])

    def log_p(x, t):
        y, v = np.log(x) - mu * t, s**2 * (t + 0.2)
        return (-(y**2) / (2 * v) - 0.5 * np.log(2 * np.pi * v) - np.log(x)).sum(axis=1)

    given = {"dimension": 3, "domain": (0.5, 2.5), "log_density": log_p}
    given |= {"diffusion_is": "covariance", "diffusion": lambda x, t: (s * x) ** 2}
    assert check(lambda x, t: mu * x, **given, interpretation="stratonovich")
    assert not check(lambda x, t: mu * x, **given, interpretation="ito")


@pytest.mark.parametrize(("factor", "verdict"), [(2, "holds"), (1, "undecided")])
def test_a_half_line_has_its_mass(factor, verdict):
    """A density that ends within reach is integrated up to there."""

    def density(x, t):
        bell = np.exp(-(x[:, 0] ** 2) / 2 / t) / np.sqrt(2 * np.pi * t)
        return np.where(x[:, 0].real > 0, factor * bell, 0.0)

    found = check(lambda x, t: 0 * x, diffusion=1.0, density=density, domain=(0.1, 3))
    assert found.verdict == verdict, found.sentence
    assert verdict == "holds" or "the mass found is 0.5" in found.sentence


# -- square-root and Bessel noise ------------------------------------------------------------------


@pytest.mark.parametrize("d", [1, 3])
def test_cox_ingersoll_ross_from_zero(d):
    kappa, theta, s = 1.2, 0.9, 0.7
    shape = 2 * kappa * theta / s**2

    def log_p(x, t):
        from scipy.special import gammaln

        rate = 2 * kappa / (s**2 * (1 - np.exp(-kappa * t)))
        each = shape * np.log(rate) - gammaln(shape) + (shape - 1) * np.log(x) - rate * x
        return each.sum(axis=1)

    given = {
        "diffusion": lambda x, t: s * np.sqrt(x),
        "log_density": log_p,
        "dimension": d,
        "domain": (0.3, 2.0),
        "interpretation": "ito",
    }
    assert check(lambda x, t: kappa * (theta - x), **given)
    wrong = check(lambda x, t: kappa * (theta - x), **given | {"interpretation": "stratonovich"})
    assert wrong.diagnosis.names == ("ito_read_as_stratonovich",), wrong.explain()


# -- matrices of t -------------------------------------------------------------------------------


def linear(a, sigma, m0=None, c0=0.3):
    """log p and score of ``dX = a X dt + g dW``, analytic in x and t."""
    d = len(a)
    m0 = np.linspace(0.5, -0.5, d) if m0 is None else m0
    w, v = np.linalg.eig(np.block([[a, sigma], [np.zeros((d, d)), -a.T]]))
    inverse = np.linalg.inv(v)

    def moments(t):
        e = (v * np.exp(w * t)) @ inverse
        flow = e[:d, :d]
        mean, cov = flow @ m0, c0 * flow @ flow.T + e[:d, d:] @ flow.T
        return (mean, cov) if np.iscomplexobj(t) else (mean.real, cov.real)

    def log_p(x, t):
        mean, cov = moments(t)
        y = x - mean
        square = np.einsum("ni,ij,nj->n", y, np.linalg.inv(cov), y)
        return -0.5 * (square + d * np.log(2 * np.pi) + np.log(np.linalg.det(cov)))

    def score(x, t):
        mean, cov = moments(t)
        return -(x - mean) @ np.linalg.inv(cov).T

    return log_p, score


def matrices(d, seed=3):
    rng = np.random.default_rng(seed)
    a = 0.4 * rng.standard_normal((d, d)) / np.sqrt(d) - np.diag(rng.uniform(0.3, 1, d))
    return a, np.tril(rng.uniform(-0.4, 0.4, (d, d))) + 0.6 * np.eye(d)


DIALECTS = {
    "a function": lambda g: {"diffusion": lambda t: g},
    "an array": lambda g: {"diffusion": g},
    "nested lists": lambda g: {"diffusion": g.tolist()},
    "two matrices side by side": lambda g: {"diffusion": np.hstack([0.6 * g, 0.8 * g])},
    "turned from the right": lambda g: {"diffusion": g @ np.linalg.qr(g.T + 1)[0]},
    "of (x, t), and constant": lambda g: {
        "diffusion": lambda x, t: np.broadcast_to(g, (len(x), *g.shape)),
        "interpretation": "stratonovich",
    },
    "one matrix for all rows": lambda g: {"diffusion": lambda x, t: g, "interpretation": "ito"},
    "a covariance": lambda g: {"diffusion": g @ g.T, "diffusion_is": "covariance"},
    "a diffusivity": lambda g: {"diffusion": lambda t: g @ g.T / 2, "diffusion_is": "diffusivity"},
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("d", [2, 3])
def test_a_full_noise_holds_in_every_dialect(d, dialect):
    a, g = matrices(d)
    log_p, _ = linear(a, g @ g.T)
    given = DIALECTS[dialect](g) | {"log_density": log_p, "dimension": d}
    evidence = check(lambda x, t: x @ a.T, **given)
    assert evidence, evidence.explain()
    wrong = check(lambda x, t: x @ a.T, **given | {"log_density": linear(a, 1.01 * g @ g.T)[0]})
    assert wrong.verdict == "refuted" and wrong.diagnosis.names, wrong.explain()


@pytest.mark.parametrize("d", [8, 20])
def test_a_full_noise_in_many_dimensions(d):
    a, g = matrices(d)
    log_p, _ = linear(a, g @ g.T)
    given = {"log_density": log_p, "dimension": d, "normalized": False}
    times = {"times": (0.3, 1.0)} if d == 20 else {}
    assert check(lambda x, t: x @ a.T, g, **given, **times)
    wrong = check(lambda x, t: x @ a.T, g.T, **given, **times)
    assert wrong.diagnosis.names == ("transposed_noise",)


@pytest.mark.parametrize("spread", [1e-2, 1e-5])
def test_an_ill_conditioned_law_is_no_refutation(spread):
    """Of a covariance with condition 1e6 an inverse is right to ten digits, at each t others."""
    rng = np.random.default_rng(8)
    a, d = -np.diag(rng.uniform(0.3, 1, 8)), 8
    g = np.tril(rng.uniform(-0.9, 0.9, (d, d))) + 0.3 * np.eye(d)
    log_p, score = linear(a, g @ g.T, c0=spread)
    given = {"dimension": d, "times": (0.1, 1.0), "normalized": False}
    for law in ({"score": score}, {"log_density": log_p}):
        assert check(lambda x, t: x @ a.T, g, **law, **given).verdict != "refuted"
        off = check(lambda x, t: x @ a.T, 1.01 * g, **law, **given)
        assert off.verdict == "refuted"


def test_a_matrix_in_weak_form():
    a, g = matrices(2)
    log_p, _ = linear(a, g @ g.T)
    given = {"log_density": log_p, "dimension": 2, "method": "weak", "domain": (-4.0, 4.0)}
    assert check(lambda x, t: x @ a.T, g, **given)
    assert check(lambda x, t: x @ a.T, g @ g.T, **given, diffusion_is="covariance")
    wrong = check(lambda x, t: x @ a.T, g @ g.T, **given, diffusion_is="diffusivity")
    assert wrong.diagnosis.names == ("covariance_for_diffusivity",)
    one = check(lambda x, t: x @ a.T, g, **given | {"dimension": 3})
    assert "the weak form needs d <= 2 (here 3)" in one.sentence


@pytest.mark.parametrize("shape", ["rectangular", "diagonal", "matrix", "covariance"])
def test_kinetic_langevin_has_noise_in_the_velocities_only(shape):
    gamma, kick = 0.7, 1.1
    a = np.array([[0, 0, 1, 0], [0, 0, 0, 1], [-1.3, 0, -gamma, 0], [0, -1.3, 0, -gamma]])
    forms = {
        "rectangular": np.vstack([np.zeros((2, 2)), kick * np.eye(2)]),
        "diagonal": np.array([0, 0, kick, kick]),
        "matrix": np.diag([0, 0, kick, kick]),
        "covariance": np.diag([0, 0, kick**2, kick**2]),
    }
    said = {"diffusion_is": "covariance"} if shape == "covariance" else {}
    log_p, score = linear(a, np.diag([0, 0, kick**2, kick**2]))
    for given in ({"log_density": log_p}, {"score": score}):
        evidence = check(lambda x, t: x @ a.T, forms[shape], **given, **said, dimension=4)
        assert evidence, evidence.explain()
    assert "a jump between them is not looked for" in (
        check(lambda x, t: x @ a.T, forms[shape], log_density=log_p, **said, dimension=4).sentence
    )


# -- what is wrong in one entry, by little ---------------------------------------------------------


@pytest.mark.parametrize("scored", [False, True])
@pytest.mark.parametrize(("i", "j"), [(0, 0), (1, 0), (2, 1), (0, 2)])
def test_an_entry_of_the_noise_that_is_slightly_off_is_named(i, j, scored):
    a, g = matrices(3)
    off = g @ g.T
    off[i, j] += 1e-4
    off[j, i] = off[i, j]
    log_p, score = linear(a, off)
    law = {"score": score} if scored else {"log_density": log_p}
    evidence = check(lambda x, t: x @ a.T, g, **law, dimension=3)
    assert evidence.diagnosis.names == ("entries_of_noise",), evidence.explain()
    low, high = sorted((i, j))
    assert f"Σ[{low}, {high}] is to be" in evidence.explain()


@pytest.mark.parametrize("i", range(3))
def test_a_coordinate_of_the_drift_or_a_linear_part_is_named(i):
    a, g = matrices(3)
    off = a.copy()
    off[i] *= 1.001
    wrong = check(lambda x, t: x @ off.T, g, log_density=linear(a, g @ g.T)[0], dimension=3)
    assert wrong.diagnosis.names == ("drift_of_a_coordinate",), wrong.explain()
    off = a.copy()
    off[i, (i + 1) % 3] += 0.01
    wrong = check(lambda x, t: x @ off.T, g, log_density=linear(a, g @ g.T)[0], dimension=3)
    assert wrong.diagnosis.names == ("linear_part_missing",), wrong.explain()
    wrong = check(lambda x, t: x @ a, g, log_density=linear(a, g @ g.T)[0], dimension=3)
    assert wrong.diagnosis.names == ("matrix_transposed",), wrong.explain()


def test_a_matrix_that_is_diagonal_by_mistake():
    a, g = matrices(3)
    log_p, _ = linear(np.diag(np.diag(a)), g @ g.T)
    wrong = check(lambda x, t: x @ a.T, g, log_density=log_p, dimension=3)
    assert wrong.diagnosis.names == ("matrix_diagonal",), wrong.explain()


def test_a_noise_of_another_time_is_named():
    def log_p(x, t):  # ∫ (0.2 + 2 s) ds, twice as large in the second coordinate
        v = 0.3 + np.array([1.0, 2.0]) * (0.2 * t + t * t)
        return -0.5 * (x**2 / v + np.log(2 * np.pi * v)).sum(axis=1)

    def noise(t):
        return np.sqrt((0.2 + 2 * t) * np.array([1.0, 2.0]))

    given = {"log_density": log_p, "dimension": 2}
    assert check(lambda x, t: 0 * x, noise, **given)
    for clock, name in (
        (lambda t: 1.3 - t, "noise_of_reversed_time"),
        (lambda t: 1 - t, "noise_of_reversed_time"),
    ):
        wrong = check(lambda x, t: 0 * x, lambda t, c=clock: noise(c(t)), **given)
        assert wrong.diagnosis.names == (name,), wrong.explain()
    # the density with the noise of the start at all times
    flat = lambda x, t: (  # noqa: E731
        -0.5 * (x**2 / (0.3 + 0.2 * t) + np.log(2 * np.pi * (0.3 + 0.2 * t))).sum(axis=1)
    )
    one = {"log_density": flat, "dimension": 2}
    wrong = check(lambda x, t: 0 * x, lambda t: np.sqrt((0.2 + 2 * t) * np.ones(2)), **one)
    assert wrong.diagnosis.names == ("noise_of_the_start",), wrong.explain()


def test_matrices_that_are_mistaken_for_another():
    a, g = matrices(3)
    sigma, drift = g @ g.T, lambda x, t: x @ a.T
    half = (sigma + np.diag(np.diag(sigma))) / 2
    for needed, given, name in (
        (half, {"diffusion": g}, "off_diagonal_half"),
        (half, {"diffusion": sigma, "diffusion_is": "covariance"}, "off_diagonal_half"),
        (sigma @ sigma, {"diffusion": sigma, "diffusion_is": "covariance"}, "g_for_covariance"),
        (sigma @ sigma, {"diffusion": sigma, "diffusion_is": "diffusivity"}, "g_for_diffusivity"),
        (np.diag(np.diag(sigma)), {"diffusion": sigma, "diffusion_is": "covariance"}, None),
        (sigma[::-1, ::-1], {"diffusion": sigma, "diffusion_is": "covariance"}, "other"),
        (sigma[::-1, ::-1], {"diffusion": sigma / 2, "diffusion_is": "diffusivity"}, "other"),
    ):
        name = {None: "correlation_ignored", "other": "noise_of_another_coordinate"}.get(name, name)
        wrong = check(drift, **given, log_density=linear(a, needed)[0], dimension=3)
        assert wrong.diagnosis.names == (name,), wrong.explain()


# -- other frameworks ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("scored", [False, True])
def test_torch_with_a_matrix_of_the_state(dtype, scored):
    torch = pytest.importorskip("torch")
    mu, chol, _, _ = basket(3)
    sigma = chol @ chol.T

    def to(a, x):
        return torch.as_tensor(a, dtype=x.dtype)

    def log_p(x, t):
        y, v = torch.log(x) - to(mu - np.diag(sigma) / 2, x) * t, t + 0.2
        square = ((y @ to(np.linalg.inv(sigma), x)) * y).sum(-1) / v
        return -0.5 * (square + 3 * torch.log(2 * torch.pi * v)) - torch.log(x).sum(-1)

    def score(x, t):
        y = torch.log(x) - to(mu - np.diag(sigma) / 2, x) * t
        return -(y @ to(np.linalg.inv(sigma), x)) / (t + 0.2) / x - 1 / x

    given = {
        "drift": lambda x, t: to(mu, x) * x,
        "diffusion": lambda x, t: x[:, :, None] * to(chol, x),
        "dimension": 3,
        "domain": (0.5, 2.5),
        "framework": "torch",
        "dtype": dtype,
        "tolerance": None if dtype == "float64" else 0.05 if scored else 0.02,
    }
    law = {"score": score} if scored else {"log_density": log_p, "normalized": False}
    assert check(**given, **law, interpretation="ito")
    wrong = check(**given, **law, interpretation="stratonovich")
    assert wrong.verdict != "holds", wrong.explain()
    if not (scored and dtype == "float32"):  # there a tolerance of 0.05 leaves room for it
        assert wrong.diagnosis.names == ("ito_read_as_stratonovich",), wrong.explain()


def test_a_noise_of_torch_that_hides_its_slopes():
    """A density that forward mode does not see is asked for its values, matrix or not."""
    torch = pytest.importorskip("torch")

    def log_p(x, t):
        v = 0.3 + torch.tensor([1.0, 2.0], dtype=x.dtype) * float(t)
        return -0.5 * (x.detach() ** 2 / v + torch.log(2 * torch.pi * v)).sum(-1)

    evidence = check(
        lambda x, t: 0 * x,
        np.sqrt([1.0, 2.0]),
        log_density=log_p,
        dimension=2,
        framework="torch",
    )
    assert evidence, evidence.explain()
    assert "forward mode does not see all of the density" in evidence.explain()


class SolversSDE:
    """As SDE solvers have it: f(t, y), g(t, y), the last axis of g for the Brownian motions."""

    noise_type, sde_type = "general", "stratonovich"

    def __init__(self):
        self.mu, self.chol, self.log_p, self.slopes = basket(3, "stratonovich")

    def f(self, t, y):
        return self.mu * y

    def g(self, t, y):
        return y[:, :, None] * self.chol


def test_functions_that_name_time_first_are_asked_so():
    sde = SolversSDE()
    given = {"dimension": 3, "domain": (0.5, 2.5), "interpretation": sde.sde_type}
    assert check(sde.f, sde.g, log_density=sde.log_p, **given)
    assert check(
        lambda t, y, args: sde.f(t, y),
        lambda t, y, args: sde.g(t, y),
        score=lambda t, x: sde.slopes(x, t),
        **given,
    )
    assert not check(sde.f, sde.g, log_density=sde.log_p, **given | {"interpretation": "ito"})


def test_a_noise_that_vanishes_in_the_middle_smooths_all_the_same():
    def log_p(x, t):  # dX = x dW by Stratonovich, from a spread start, on both sides of 0
        y, v = 0.5 * np.log(x * x), t + 0.2
        return (-y * y / (2 * v) - 0.5 * np.log(2 * np.pi * v) - y).sum(axis=1) - 3 * np.log(2)

    evidence = check(
        lambda x, t: 0 * x,
        lambda x, t: x,
        log_density=log_p,
        points=np.random.default_rng(0).uniform(0.3, 2.0, (40, 3)),
        interpretation="stratonovich",
        normalized=False,
    )
    assert evidence, evidence.explain()
    assert "does not reach every direction" not in evidence.sentence


# -- bad input -------------------------------------------------------------------------------------


def normal(x, t):
    return -0.5 * (x**2).sum(axis=1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"diffusion": "one"}, "diffusion must be callable, or finite numbers"),
        ({"diffusion": np.ones((2, 2, 2))}, r"an array \(d,\), \(d, d\) or \(d, m\)"),
        ({"diffusion": 1.0, "diffusion_is": "sigma"}, "diffusion_is must be one of 'g', 'cov"),
        ({"diffusion": 1.0, "interpretation": 1.5}, "or an α from 0 to 1"),
        ({"diffusion": 1.0, "interpretation": True}, "or an α from 0 to 1"),
        ({"diffusion": 1.0, "interpretation": "marcus"}, "say which integral your dW means"),
        ({"diffusion": lambda x, t: x}, "the equations differ when the noise depends on x"),
    ],
)
def test_bad_arguments_are_told(given, said):
    with pytest.raises(ArgumentError, match=said):
        check(lambda x, t: -x, log_density=normal, dimension=2, **given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"diffusion": np.ones(3)}, r"a diagonal \(2,\) or a matrix \(2, 2\) or \(2, m\)"),
        ({"diffusion": np.ones((3, 2))}, "the first index of g is that of X: transpose it"),
        ({"diffusion": np.ones((2, 3)), "diffusion_is": "covariance"}, r"a matrix \(2, 2\)"),
        (
            {"diffusion": lambda x, t: np.ones((len(x), 3)), "interpretation": "ito"},
            r"\(n, 2\) or \(n, 2, 2\) or \(n, 2, m\).*points are rows",
        ),
        (
            {"diffusion": [[1.0, 0.5], [0.0, 1.0]], "diffusion_is": "covariance"},
            "return a symmetric Σ = g gᵀ .*pass diffusion_is='g'",
        ),
        (
            {"diffusion": [[1.0, 2.0], [2.0, 1.0]], "diffusion_is": "diffusivity"},
            "without negative eigenvalues .*one is -1",
        ),
        ({"diffusion": lambda t: np.ones(2) * 1j}, "return real numbers"),
        ({"diffusion": lambda t: np.array([np.nan, 1.0])}, "nan or inf"),
    ],
)
def test_bad_noise_is_told(given, said):
    with pytest.raises(CallableError, match=said):
        check(lambda x, t: -x, log_density=normal, dimension=2, **given)


def test_nothing_that_vanishes_is_judged():
    evidence = check(
        lambda x, t: -x,
        np.array([1.0, 2.0, 1.0]),
        lambda x, t: np.exp(-50.0 * (x**2).sum(axis=1)),
        dimension=3,
        domain=(50, 60),
    )
    assert evidence.verdict == "undecided" and "the density vanishes at every" in evidence.sentence
    evidence = check(
        lambda x, t: -x,
        np.array([1.0, 2.0]),
        lambda x, t: np.exp(-50.0 * (x**2).sum(axis=1)),
        dimension=2,
        domain=(50, 60),
    )
    assert evidence.verdict == "undecided" and "The weak form was used" in evidence.explain()


def test_rows_of_the_noise_are_functions_of_one_point():
    mu, chol, log_p, _ = basket(3)
    evidence = check(
        **of_basket(3)
        | {"diffusion": lambda x, t: x[:, :, None] * chol * (1 + 0 * x.mean()) + 1e-3 * x.mean()}
    )
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == ("other_rows",) and "diffusion" in evidence.explain()


def test_a_tolerance_that_one_coordinate_may_use_up_is_undecided():
    d = 6
    a, g = np.diag(-np.linspace(0.5, 1.0, d)), np.diag(np.linspace(0.6, 0.9, d))
    g[1, 0] = 0.1
    off = a.copy()
    off[2, 2] *= 1.1
    log_p, _ = linear(off, g @ g.T)
    evidence = check(
        lambda x, t: x @ a.T, g, log_density=log_p, dimension=d, tolerance=0.05, normalized=False
    )
    assert evidence.verdict != "holds"


@pytest.mark.parametrize("method", ["weak", "strong"])
def test_a_noise_along_the_level_lines_of_the_density_is_decided(method):
    """Stratonovich's ``s J x ∘ dW`` turns a radial density into itself; Itô's needs a drift."""
    size = 0.7

    def around(x, t):
        return (size * np.stack([-x[:, 1], x[:, 0]], axis=1))[:, :, None]

    def log_p(x, t):
        return -(x**2).sum(axis=1) / 2 - np.log(2 * np.pi)

    given = {"diffusion": around, "log_density": log_p, "dimension": 2, "method": method}

    def still(x, t):
        return 0 * x

    def inward(x, t):
        return -(size**2) / 2 * x

    for drift, reading in ((still, "stratonovich"), (inward, "ito")):
        evidence = sp.check_fokker_planck(drift=drift, interpretation=reading, **given)
        assert evidence, evidence.explain()
        assert evidence.resolution < 1e-4
    for drift, reading in ((still, "ito"), (inward, "stratonovich")):
        evidence = sp.check_fokker_planck(drift=drift, interpretation=reading, **given)
        assert evidence.verdict == "refuted", evidence.explain()
