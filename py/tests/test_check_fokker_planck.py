"""`check_fokker_planck` on the truth, on every fault, on pairs, on what hides, and on bad input."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scoreproof as sp
from scoreproof.claims.fokker_planck import CLAIM
from scoreproof.claims.fokker_planck.faults import FAULTS, compose
from scoreproof.claims.fokker_planck.series import jets_at
from scoreproof.claims.fokker_planck.statement import Jets, truth
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.objects.h_transform import HTransform
from scoreproof.objects.linear_sde import LinearSDE
from scoreproof.objects.mixtures import GaussianMixture

check = sp.check_fokker_planck


def _variance(t):
    return 1 + np.exp(-2 * t)


def ou_log(x, t):
    return -0.5 * x[:, 0] ** 2 / _variance(t) - 0.5 * np.log(2 * np.pi * _variance(t))


def ou(x, t):
    return np.exp(ou_log(x, t))


def pull(x, t):
    return -x


def root2(t):
    return np.sqrt(2.0)


# -- the public check on the truth -----------------------------------------------------------------


@settings(max_examples=4)
@given(st.integers(0, 2**16), st.sampled_from(["strong", "weak"]), st.integers(1, 2))
def test_linear_sdes_hold(seed, method, d):
    r = np.random.default_rng(seed)
    sde = LinearSDE(r.standard_normal((d, d)) * 0.5, r.standard_normal(d) * 0.3, [0.8, 0.3])
    start = GaussianMixture(
        [0.4, 0.6], r.standard_normal((2, d)), np.stack([np.eye(d), 0.7 * np.eye(d)])
    )
    evidence = check(
        sde.drift,
        sde.diffusion,
        log_density=lambda x, t: sde.log_density(x, t, start),
        dimension=d,
        method=method,
    )
    assert evidence, evidence.explain()
    assert evidence.bound < 1e-10


@settings(max_examples=4)
@given(st.integers(0, 2**16), st.sampled_from(["strong", "weak"]))
def test_nonlinear_processes_hold(seed, method):
    r = np.random.default_rng(seed)
    h = HTransform(
        r.uniform(0.3, 1, 3).tolist(),
        r.uniform(-1, 1, (3, 1)).tolist(),
        (0.7, 0.4),
        (0.5, 0.5),
        r.uniform(-1, 1, (2, 1)).tolist(),
        (0.4, 0.6),
    )
    evidence = check(
        lambda x, t: np.stack(h.drift([x[:, 0]], t), axis=1),
        h.diffusion,
        lambda x, t: h.density([x[:, 0]], t),
        method=method,
    )
    assert evidence, evidence.explain()


def test_many_dimensions_strong():
    r = np.random.default_rng(3)
    sde, start = (
        LinearSDE(r.standard_normal((8, 8)) * 0.3, 0.1, [0.6, 0.5]),
        GaussianMixture.gaussian(np.zeros(8), np.eye(8)),
    )
    evidence = check(
        sde.drift, sde.diffusion, log_density=lambda x, t: sde.log_density(x, t, start), dimension=8
    )
    assert evidence and evidence.bound < 1e-11


# -- refutations and their diagnosis ---------------------------------------------------------------


RHO, RHO_START, T0 = 1.3, 0.8, 0.5


def _planted(subject):
    """Callables in the plane whose density obeys ``subject`` in place of the equation, at T0 (and
    to first order around it).
    """
    means = np.array([[0.5, -0.3], [-0.6, 0.4]])

    def base(x):
        total = 0
        for m, v, w in zip(means, (0.8, 1.1), (0.4, 0.6), strict=True):
            r2 = (x[0] - m[0]) * (x[0] - m[0]) + (x[1] - m[1]) * (x[1] - m[1])
            exponent = r2 * (-0.5 / v)
            total = total + (exponent.exp() if hasattr(exponent, "exp") else np.exp(exponent)) * (
                w / (2 * np.pi * v)
            )
        return total

    def field(x):
        return [x[0] * 0.7 + x[1] * x[1] * 0.2 + 0.3, x[1] * 0.4 - x[0] * x[1] * 0.3 - 0.2]

    def density(x, t):
        columns = list(x.T)
        return base(columns) + (t - T0) * subject(jets_at(base, field, columns, RHO, RHO_START))

    return (
        lambda x, t: np.stack(field(list(x.T)), axis=1),
        lambda t: RHO if t > 0 else RHO_START,
        density,
    )


def _judge(subject, method):
    drift, diffusion, density = _planted(subject)
    wide = 1e-9 if method == "strong" else 1e-3
    return check(
        drift,
        diffusion,
        density,
        dimension=2,
        domain=(-1.5, 1.5),
        times=(T0 - wide, T0 + wide),
        method=method,
    )


def test_the_planted_truth_holds():
    # second-order terms in t - T0 are left out of the density: visible at 1e-9
    evidence = _judge(truth, "strong")
    assert evidence.value < 1e-8


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_every_single_fault_is_refuted_and_named_or_its_class_is(fault):
    evidence = _judge(fault.subject, "strong")
    assert evidence.verdict == "refuted"
    # in the plane a factor d is the missing ½, and 1/d the ½ taken twice: a class
    assert fault.name in evidence.diagnosis.names, evidence.explain()
    known = {f.name for f in FAULTS}
    assert all(_same((fault.name,), n) for n in evidence.diagnosis.names if n in known)
    assert fault.name in evidence.explain()


@pytest.mark.parametrize(
    "name",
    [
        "drift_sign",
        "gradient_outside",
        "half_missing",
        "rho_not_squared",
        "first_coordinate",
        "reversed_clock",
    ],
)
def test_the_weak_form_names_it_too(name):
    evidence = _judge(CLAIM.fault(name).subject, "weak")
    assert evidence.verdict == "refuted"
    assert name in evidence.diagnosis.names, evidence.explain()


def test_nine_of_ten_pairs_are_named():
    pairs = [p for p in combinations([f.name for f in FAULTS], 2) if compose(p) is not None]
    right = 0
    for pair in pairs[::9]:
        names = _judge(compose(pair), "strong").diagnosis.names
        # two faults of one coefficient may be read as the number that they make of it
        right += any(n.endswith("_factor") or _same(pair, n) for n in names)
    assert right >= 0.9 * len(pairs[::9])


def _same(pair, name):
    """Whether another name describes the very same operator (drift_sign + reversed_clock is
    laplacian_sign, say).
    """
    r = np.random.default_rng(0)
    jets = Jets(r.random(), *(list(r.standard_normal(2)) for _ in range(4)), r.random(), r.random())
    if not set(name.split(" + ")) <= {f.name for f in FAULTS}:
        return False
    other = compose(tuple(name.split(" + ")))
    return other is not None and np.isclose(compose(pair)(jets), other(jets), rtol=1e-12)


def test_a_users_mistakes():
    sentence = check(lambda x, t: x, root2, ou).explain()
    assert "drift_sign" in sentence and "Refuted" in sentence
    assert "half_missing" in check(pull, lambda t: 1.0, ou).explain()
    assert check(
        pull, lambda t: 2.0, ou
    ).diagnosis.names  # √2 squared twice: rho for ρ², or the ½ twice: a class
    assert not check(pull, root2, lambda x, t: np.exp(ou_log(x, 1.001 * t)))


def test_a_coefficient_off_by_1e_minus_12_is_refuted():
    assert check(lambda x, t: -(1 + 1e-12) * x, root2, ou).verdict == "refuted"
    assert check(lambda x, t: -(1 + 1e-12) * x, root2, ou, method="weak").verdict == "refuted"


# -- black boxes, hypotheses, noise of the state ---------------------------------------------------


def test_what_is_not_analytic_is_differentiated_by_differences():
    evidence = check(
        pull,
        root2,
        lambda x, t: (
            np.exp(-(np.abs(x[:, 0]) ** 2) / (2 * _variance(t))) / np.sqrt(2 * np.pi * _variance(t))
        ),
    )
    # what takes no complex numbers is differentiated by differences, at a coarser resolution
    assert evidence and 1e-13 < evidence.resolution < 1e-4
    real = check(pull, root2, lambda x, t: ou(x, float(np.real(t))), method="strong")
    assert real and real.resolution < 1e-4, real.explain()
    scalar_only = check(pull, lambda t: math.sqrt(2), lambda x, t: ou(x, math.fabs(t)))
    assert scalar_only, scalar_only.explain()


def test_float32_gets_a_bound_of_its_own():
    evidence = check(pull, root2, lambda x, t: ou(x, t).astype(np.float32), method="weak")
    assert evidence and 1e-7 < evidence.bound < 1e-4


def test_mass_and_flux_are_noted():
    cauchy = check(
        lambda x, t: 1 + x * x, lambda t: 0.0, lambda x, t: 1 / (np.pi * (1 + x[:, 0] ** 2))
    )
    assert cauchy and "flux" in cauchy.explain()
    twice = check(pull, root2, lambda x, t: 2 * ou(x, t))
    assert twice.verdict == "refuted" and "integral of the density is 2" in twice.explain()
    assert not check(pull, root2, ou).notes


def _geometric(mean):
    def density(x, t):
        v = 0.25 * t + 0.1
        return (
            np.exp(-((np.log(x[:, 0]) - mean * t) ** 2) / (2 * v))
            / x[:, 0]
            / np.sqrt(2 * np.pi * v)
        )

    return density


def test_noise_of_the_state_needs_an_interpretation():
    drift, noise = (lambda x, t: 0.1 * x), (lambda x, t: 0.5 * x)
    with pytest.raises(ArgumentError, match="interpretation must be 'ito' or 'stratonovich'"):
        check(drift, noise, _geometric(0.1))
    itos, stratonovichs = (
        _geometric(0.1 - 0.125),
        _geometric(0.1),
    )  # log X has drift μ - σ²/2 by Itô, μ by Stratonovich
    assert check(drift, noise, itos, domain=(0.2, 4), interpretation="ito")
    assert check(drift, noise, stratonovichs, domain=(0.2, 4), interpretation="stratonovich")
    wrong = check(drift, noise, stratonovichs, domain=(0.2, 4), interpretation="ito")
    assert wrong.verdict == "refuted" and wrong.diagnosis.names == ("stratonovich_read_as_ito",)


def test_the_interpretation_is_idle_for_a_noise_of_time_only():
    assert check(pull, root2, ou, interpretation="ito") and check(
        pull, root2, ou, interpretation="stratonovich"
    )


def test_a_quadrature_that_resolves_nothing_decides_nothing():
    def narrow(x, t):
        return np.exp(-0.5 * (x[:, 0] - 0.3) ** 2 / (1e-6 * t)) / np.sqrt(2 * np.pi * 1e-6 * t)

    assert check(lambda x, t: 0 * x, lambda t: 1e-3, narrow, method="weak").verdict in (
        "undecided",
        "holds",
    )


# -- frameworks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_torch(dtype):
    torch = pytest.importorskip("torch")

    def log_density(x, t):
        v = 1 + torch.exp(-2 * torch.as_tensor(t))
        return -0.5 * x[:, 0] ** 2 / v - 0.5 * torch.log(2 * torch.pi * v)

    evidence = check(
        pull, lambda t: 2**0.5, log_density=log_density, framework="torch", dtype=dtype
    )
    assert evidence and evidence.bound < (1e-12 if dtype == "float64" else 1e-4)
    assert (
        "drift_sign"
        in check(
            lambda x, t: x,
            lambda t: 2**0.5,
            log_density=log_density,
            framework="torch",
            dtype=dtype,
        ).explain()
    )
    assert check(
        pull,
        lambda t: 2**0.5,
        log_density=log_density,
        framework="torch",
        dtype=dtype,
        method="weak",
    )


def test_jax():
    jax = pytest.importorskip("jax")

    def log_density(x, t):
        v = 1 + jax.numpy.exp(-2 * t)
        return -0.5 * x[:, 0] ** 2 / v - 0.5 * jax.numpy.log(2 * jax.numpy.pi * v)

    assert check(pull, lambda t: 2**0.5, log_density=log_density, framework="jax")
    assert not check(pull, lambda t: 2.0, log_density=log_density, framework="jax")


# -- calls and bad input ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "dimension", "counts"),
    [
        ("strong", 3, (1520, 220, 165)),
        ("strong", 1, (1400, 110, 45)),
        ("weak", 1, (122 + 300, 104 + 2 + 4, 106)),
        ("weak", 2, (122 + 300, 104 + 4, 106)),
    ],
)
def test_number_of_calls(method, dimension, counts):
    seen = [0, 0, 0]

    def counted(k, function):
        def wrapper(*arguments):
            seen[k] += 1
            return function(*arguments)

        return wrapper

    def density(x, t):
        return np.exp(-0.5 * (x * x).sum(axis=1) / _variance(t)) / (2 * np.pi * _variance(t)) ** (
            dimension / 2
        )

    def diffusion(t):
        seen[2] += 1
        return np.sqrt(2.0)

    assert check(
        counted(1, pull), diffusion, counted(0, density), dimension=dimension, method=method
    )
    assert all(n <= most for n, most in zip(seen, counts, strict=True)), seen


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"density": None}, "density must be given"),
        ({"log_density": ou_log}, "density must be given, or log_density, but not both"),
        ({"method": "other"}, "method must be one of auto, strong, weak"),
        ({"times": (0.0, 1.0)}, "times must be two or more increasing numbers > 0"),
        ({"times": (1.0, 0.5)}, "times must be"),
        ({"times": (0.5, np.nan)}, "times must be finite"),
        ({"domain": (3.0, -3.0)}, "domain must be pairs with low < high"),
        ({"domain": (1.0, 2.0, 3.0)}, "domain must be"),
        ({"dimension": 2, "domain": [(-1, 1)]}, "domain must be one pair for each"),
        ({"dimension": 2, "points": np.zeros((3, 1))}, "points must be of shape"),
        ({"points": np.zeros(3)}, "points must be of shape"),
        ({"framework": "other"}, "framework must be one of"),
        ({"interpretation": "other"}, "interpretation must be"),
        ({"drift": 3}, "drift must be callable"),
    ],
)
def test_bad_arguments(change, match):
    arguments = {"drift": pull, "diffusion": root2, "density": ou} | change
    with pytest.raises(ArgumentError, match=match):
        check(**arguments)


def _spoils(x, t):
    x *= 2
    return -x


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"drift": lambda x, t: x @ np.ones((3, 3))}, "drift must return normally"),
        ({"drift": lambda x, t: np.zeros((7, 5))}, "drift must return an array of shape"),
        ({"drift": lambda x, t: x * np.nan}, "drift must return an array of finite numbers"),
        ({"drift": _spoils}, "drift must leave its input unchanged"),
        ({"density": lambda x, t: ou(x, t)[:, None]}, "density must return an array of shape"),
        ({"density": lambda x, t: "no"}, "density must return an array of numbers"),
        ({"density": ou_log}, "density must return non-negative"),
        ({"diffusion": lambda t: np.ones(2)}, "diffusion must return one number"),
        ({"diffusion": lambda t: np.inf}, "diffusion must return an array of finite numbers"),
    ],
)
@pytest.mark.parametrize("method", ["strong", "weak"])
def test_bad_callables(change, match, method):
    arguments = {"drift": pull, "diffusion": root2, "density": ou, "method": method} | change
    with pytest.raises(CallableError, match=match):
        check(**arguments)


@pytest.mark.parametrize("jump", ["higher on one side", "half of a normal"])
def test_a_density_that_jumps_between_the_points_does_not_hold(jump):
    import scoreproof as sp

    def log_normal(x, t):
        v = 1 + np.exp(-2 * t)
        return -0.5 * x[:, 0] ** 2 / v - 0.5 * np.log(2 * np.pi * v)

    given = {"drift": lambda x, t: -x, "diffusion": lambda t: 2**0.5}
    assert sp.check_fokker_planck(log_density=log_normal, **given)
    if jump == "half of a normal":
        evidence = sp.check_fokker_planck(
            density=lambda x, t: np.where(x[:, 0].real < 0.3, 0, 2 * np.exp(log_normal(x, t))),
            **given,
        )
    else:
        evidence = sp.check_fokker_planck(
            log_density=lambda x, t: log_normal(x, t) + np.where(x[:, 0].real < 0, 1.0, 0.0),
            **given,
        )
    assert evidence.verdict == "refuted", evidence.explain()
    assert "jumps" in evidence.explain()


def _step_up(x, t):
    return ou_log(x, t) + np.where(x[:, 0].real < 0, 1.0, 0.0)


def _half(x, t):
    return np.where(x[:, 0].real < 0, 0, 2 * np.exp(ou_log(x, t)))


def test_a_strong_form_asked_for_says_what_it_looked_at():
    evidence = check(pull, root2, log_density=_step_up, method="strong")
    assert evidence.verdict == "refuted" and "jumps by the factor 2.7183" in evidence.sentence
    assert "2112 points and times" in check(pull, root2, ou).sentence
    point = check(pull, root2, ou, points=np.array([[0.4]]))
    assert "a jump between them is not seen" in point.sentence


def test_points_without_density_are_not_dropped_silently():
    evidence = check(pull, root2, _half, method="strong")
    assert evidence.verdict == "refuted", evidence.explain()
    assert "falls to 0 at" in evidence.explain()

    def in_three(x, t):
        return np.where(
            x[:, 0].real < -1,
            0,
            np.exp(-0.5 * (x * x).sum(axis=1) / _variance(t)) / (2 * np.pi * _variance(t)) ** 1.5,
        )

    assert check(pull, root2, in_three, dimension=3).verdict == "refuted"


def _narrow(w):
    return lambda x, t: (
        np.exp(-0.5 * x[:, 0] ** 2 / (w * _variance(t))) / np.sqrt(2 * np.pi * w * _variance(t))
    )


def test_a_narrow_density_in_a_wide_domain_holds():
    given = {
        "drift": pull,
        "diffusion": lambda t: np.sqrt(0.03),
        "log_density": lambda x, t: np.log(_narrow(0.015)(x, t)),
        "times": (0.02, 0.05, 6.0),
    }
    evidence = check(**given, domain=(-3, 3))
    assert evidence, evidence.explain()
    assert check(**given, domain=(-1, 1))


def test_where_the_density_underflows_the_weak_form_decides():
    points = np.append(np.linspace(-6.0, 2.0, 12), 50.0)[
        :, None
    ]  # at 50 the density is below 1e-290
    strong = check(pull, root2, ou, points=points, method="strong")
    assert strong.verdict == "undecided" and "33 points (t = 0.3" in strong.sentence
    evidence = check(pull, root2, ou, points=points)
    assert (
        evidence
        and "The weak form was used, since the density is 0 at some of the points."
        in evidence.notes
    )


def test_points_of_ones_own_are_confirmed_where_they_lie():
    def log_normal(x, t):  # log X is Brownian; negative x give nan
        y = np.log(x[:, 0])
        return -y * y / (2 * (t + 0.1)) - y - 0.5 * np.log(2 * np.pi * (t + 0.1))

    def outward(
        x, t
    ):  # chosen so that the flux f p = ½ ∂_x p - ∫ ∂_t p: f = ½ ∂ log p + y / (2 (t + 0.1)) · x
        y, v = np.log(x[:, 0]), t + 0.1
        return (0.5 * (-y / v - 1) / x[:, 0] + y / (2 * v) * x[:, 0])[:, None]

    evidence = check(
        outward, lambda t: 1.0, log_density=log_normal, points=np.linspace(0.5, 2.0, 12)[:, None]
    )
    assert evidence, evidence.explain()


def test_a_wide_box_that_is_mostly_empty_holds():
    points = np.append(np.linspace(-2.0, 2.0, 12), [-40.0, 50.0])[:, None]
    evidence = check(pull, root2, ou, points=points)
    assert evidence, evidence.explain()
    assert check(pull, root2, ou, domain=(-40.0, 50.0), method="weak")
    assert check(pull, root2, log_density=ou_log, domain=(-150.0, 150.0))
    assert check(pull, root2, ou, domain=(-150.0, 150.0))
    wrong = check(lambda x, t: -1.001 * x, root2, ou, domain=(-150.0, 150.0), method="weak")
    assert wrong.verdict == "refuted"


# -- what hides a wrong density --------------------------------------------------------------------


def normal_log(x, t):  # dX = -X dt + √2 dW from N(0, 2 I), in any dimension
    v = _variance(t)
    return -0.5 * (x * x).sum(axis=1) / v - 0.5 * x.shape[1] * np.log(2 * np.pi * v)


def normal(x, t):
    return np.exp(normal_log(x, t))


def too_fast(x, t):
    return -1.001 * x


FAR = {
    "a box far out": {"domain": (100.0, 105.0)},
    "a wide box": {"domain": (-150.0, 150.0)},
    "points far out": {"points": np.linspace(-90.0, 90.0, 10)[:, None] * np.ones(4)},
}


@pytest.mark.parametrize("place", FAR.values(), ids=FAR)
def test_a_log_density_does_not_underflow(place):
    right = check(pull, root2, log_density=normal_log, **place)
    assert right, right.explain()
    assert check(too_fast, root2, log_density=normal_log, **place).verdict == "refuted"


@pytest.mark.parametrize("method", ["auto", "weak"])
def test_a_box_without_density_decides_nothing(method):
    for drift in (pull, too_fast):
        evidence = check(drift, root2, normal, domain=(100.0, 105.0), method=method)
        assert evidence.verdict == "undecided" and "no density in the box" in evidence.sentence
        assert "log_density=" in evidence.explain()
    wide = check(pull, root2, normal, domain=(-80.0, 80.0), dimension=3)
    assert wide.verdict == "undecided" and "less than floats hold" in wide.sentence


def test_memory_is_bounded_in_many_dimensions():
    largest = 0

    def log_density(x, t):
        nonlocal largest
        largest = max(largest, x.size)
        return normal_log(x, t)

    evidence = check(pull, root2, log_density=log_density, points=np.ones((1, 400)), times=(0.5, 1))
    assert evidence and largest <= 2**21, (largest, evidence.explain())
    assert "whether its mass is 1 is not looked at" in evidence.sentence


def _nonsense(x, t):  # for x[0] > 1/2, and not analytic there
    wrong = np.abs(x[:, 0]) * np.abs(np.sin(5 * x[:, 1]))
    return normal_log(x, t) + np.where(x[:, 0].real > 0.5, wrong, 0.0)


def _rough(x, t):  # no derivative at all for x[1] < -1
    wrong = 1e-3 * np.sign(np.sin(1e9 * x[:, 0].real))
    return normal_log(x, t) + np.where(x[:, 1].real < -1, wrong, 0.0)


def _two(x, t, second=abs):  # a minority of the points sees abs(t)
    parts = []
    for m, w, clock in ((2.0, 0.9, t), (-2.0, 0.1, second(t))):
        r, v = x - m * np.exp(-clock), _variance(clock)
        square = -0.5 * (r * r).sum(axis=1) / v
        parts.append(np.log(w) + square - 0.5 * x.shape[1] * np.log(2 * np.pi * v))
    return np.logaddexp(parts[0].real, parts[1].real) if _real(parts) else _log_sum(parts)


def _real(parts):
    return not any(np.iscomplexobj(part) for part in parts)


def _log_sum(parts):
    top = np.maximum(parts[0].real, parts[1].real)
    return top + np.log(sum(np.exp(part - top) for part in parts))


def test_points_that_are_not_analytic_are_judged_all_the_same():
    for wrong in (_nonsense, _rough):
        evidence = check(pull, root2, log_density=wrong, dimension=3)
        assert evidence.verdict != "holds", evidence.explain()
    assert check(pull, root2, log_density=_nonsense, dimension=3).verdict == "refuted"
    for d in (1, 3):
        right = check(pull, root2, log_density=_two, dimension=d)
        assert right, right.explain()
        assert check(too_fast, root2, log_density=_two, dimension=d).verdict == "refuted"


@pytest.mark.parametrize("d", [1, 2, 3, 8])
@pytest.mark.parametrize("factor", [2.0, 1.01, 0.999, 0.5])
def test_mass(d, factor):
    evidence = check(
        pull, root2, log_density=lambda x, t: normal_log(x, t) + np.log(factor), dimension=d
    )
    if d <= 2 or factor > 1:
        assert evidence.verdict == "refuted" and f"{1 / factor:.6g}" in evidence.sentence
    else:  # a part of the density could lie where nobody looked
        assert evidence.verdict == "undecided" and f"{factor:.5g}" in evidence.sentence


@pytest.mark.parametrize("d", [11, 40])
def test_a_mass_that_is_not_1_never_holds(d):
    """A holding verdict beside "0.9 of its mass was found" was none."""

    def scaled(by):
        return lambda x, t: normal_log(x, t) + np.log(by)

    short = check(pull, root2, log_density=scaled(0.9), dimension=d, times=(0.5, 1))
    assert short.verdict == "undecided" and "the mass found is 0.9 " in short.sentence
    heavy = check(pull, root2, log_density=scaled(1.1), dimension=d, times=(0.5, 1))
    assert heavy.verdict == "refuted" and "multiply the density by 0.909" in heavy.sentence


def test_what_is_not_known_of_a_mass_is_in_the_first_sentence():
    evidence = check(
        pull, root2, log_density=lambda x, t: normal_log(x, t) - 0.1, points=np.ones((1, 70))
    )
    assert evidence and "whether its mass is 1 is not looked at (d > 64)" in evidence.sentence


def test_named_points_lead_to_mass_far_from_the_box():
    far = np.full(12, 40.0)

    def log_density(x, t):
        other = normal_log(x - far * np.exp(-t), t) + np.log(0.5)
        return np.logaddexp(normal_log(x, t) + np.log(0.5), other)

    def real(x, t):  # the maximum makes it real
        return log_density(x.real, np.real(t))

    kept = {"log_density": real, "dimension": 12, "times": (0.5, 1)}
    assert check(pull, root2, **kept).verdict == "undecided"
    points = np.random.default_rng(0).standard_normal((40, 12))
    points[20:] += far * np.exp(-0.75)
    evidence = check(pull, root2, points=points, **kept)
    assert evidence and "its mass is 1" in evidence.sentence, evidence.explain()


@pytest.mark.parametrize("d", [8, 24])
@pytest.mark.parametrize("narrow, verdict", [(0.4, "holds"), (0.5, "refuted"), (0.2, "undecided")])
def test_a_narrow_part_is_found_where_the_noise_has_widened_it(d, narrow, verdict):
    """At the first time it is 0.1 wide and seen from nowhere: points come back from the last."""
    where = np.random.default_rng(d).standard_normal((2, d)) * 2.0

    def log_density(x, t):
        parts = []
        for weight, mean, wide in zip((0.6, narrow), where, (1.0, 1e-4), strict=True):
            v = wide + t
            square = ((x - mean) ** 2).sum(1)
            parts.append(np.log(weight) - 0.5 * square / v - d / 2 * np.log(2 * np.pi * v))
        return np.logaddexp(*parts)

    def real(x, t):
        return log_density(x.real, np.real(t))

    evidence = check(
        lambda x, t: 0 * x,
        lambda t: 1.0,
        log_density=real,
        dimension=d,
        times=(0.01, 4.0),
        domain=(-4, 4),
    )
    assert evidence.verdict == verdict, evidence.explain()
    assert verdict != "holds" or "its mass is 1 to" in evidence.sentence


def test_a_mass_that_is_no_concern():
    def heavy(x, t):
        return 3 * normal(x, t)

    assert check(pull, root2, heavy).verdict == "refuted"
    evidence = check(pull, root2, heavy, normalized=False)
    assert evidence and "its mass is not judged" in evidence.sentence
    assert check(pull, root2, lambda x, t: 0.97 * normal(x, t), tolerance=0.05)
    changing = check(pull, root2, lambda x, t: (1 + 1e-5 * t) * normal(x, t), method="weak")
    assert changing.verdict == "refuted"


def _slower(x, t, where):
    return -x * np.where(where, 1 + 1e-5, 1.0)


WINDOWS = {
    "a window of time": lambda x, t: _slower(x, t, 0.62 < np.real(t) < 0.7),
    "far out": lambda x, t: _slower(x, t, np.abs(x.real) > 2.4),
    "one side": lambda x, t: _slower(x, t, x[:, 1:2].real > 0.5),
    "one coordinate": lambda x, t: _slower(x, t, np.arange(x.shape[1]) == 5),
}


@pytest.mark.parametrize("drift", WINDOWS.values(), ids=WINDOWS)
def test_a_drift_that_is_wrong_in_a_part(drift):
    evidence = check(drift, root2, log_density=normal_log, dimension=16)
    assert evidence.verdict == "refuted", evidence.explain()


def test_a_noise_that_is_wrong_for_a_while_and_where():
    evidence = check(
        pull,
        lambda t: np.sqrt(2.0) * (1.001 if t > 0.9 else 1),
        log_density=normal_log,
        dimension=2,
    )
    assert evidence.verdict == "refuted"
    assert "t from 0.9" in evidence.explain() and "ρ² is to be 0.998" in evidence.explain()


@pytest.mark.parametrize("d", [1, 3, 12])
def test_a_jump_between_the_points(d):
    def in_space(x, t):
        return normal_log(x, t) + np.where(x.sum(axis=1).real > 0.4, 1e-4, 0.0)

    def in_time(x, t):
        return normal_log(x, t) + (1e-4 if np.real(t) > 0.55 else 0.0)

    for law, where in ((in_space, "x = "), (in_time, "t = 0.55")):
        evidence = check(pull, root2, log_density=law, dimension=d)
        assert evidence.verdict == "refuted" and where in evidence.sentence, evidence.explain()


def test_a_density_may_bend_where_the_drift_jumps():
    def laplace(x, t):
        return -2 * np.abs(x[:, 0]) + 0 * t

    assert check(lambda x, t: -np.sign(x.real), lambda t: 1.0, log_density=laplace)
    off = check(lambda x, t: -1.01 * np.sign(x.real), lambda t: 1.0, log_density=laplace)
    assert off.verdict == "refuted"
    bent = check(  # the equation holds on both sides
        lambda x, t: 0 * x, lambda t: 1.0, log_density=lambda x, t: laplace(x, t) + 2 * t
    )
    assert bent.verdict == "refuted" and "bends" in bent.sentence


def test_nothing_compared_with_nothing():
    evidence = check(lambda x, t: 0 * x, lambda t: 0.0, lambda x, t: ou(x, 0.5) + 0 * t)
    assert evidence.verdict == "undecided", evidence.explain()


def _learned(x, t):
    return normal_log(x, t) + 0.002 * np.sin(3 * x[:, 0]) * np.cos(t)


def test_tolerance_is_for_learned_densities():
    assert check(pull, root2, log_density=_learned).verdict == "refuted"
    evidence = check(pull, root2, log_density=_learned, tolerance=0.1)
    assert evidence and evidence.resolution == 0.1
    wrong = check(lambda x, t: -1.5 * x, root2, log_density=_learned, tolerance=0.1)
    assert wrong.verdict == "refuted"
    weak = {"log_density": normal_log, "method": "weak", "tolerance": 0.05}
    assert check(lambda x, t: -1.01 * x, root2, **weak)
    assert check(lambda x, t: -1.5 * x, root2, **weak).verdict == "refuted"
    with pytest.raises(ArgumentError, match="tolerance must be"):
        check(pull, root2, ou, tolerance=2.0)


def _one_more(x, t):
    return -x * np.where(np.arange(x.shape[1]) == 5, 2.0, 1.0)


def _two_exchanged(x, t):
    y = -x
    y[:, [5, 6]] = y[:, [6, 5]]
    return y


def test_a_tolerance_is_not_spent_on_one_coordinate():
    """In R^d the terms together are d times those of one coordinate."""
    kept = {"log_density": normal_log, "dimension": 24, "times": (0.5, 1)}
    evidence = check(_one_more, root2, tolerance=0.1, **kept)
    assert evidence.verdict == "refuted" and "drift(x, t)[:, 5] is wrong" in evidence.sentence
    assert "multiply it by 0.5" in evidence.explain()
    evidence = check(_two_exchanged, root2, tolerance=0.3, **kept)
    assert evidence.verdict == "undecided" and "error of one coordinate" in evidence.sentence
    evidence = check(lambda x, t: -1.0001 * x, root2, tolerance=0.1, **kept)
    assert evidence and evidence.resolution == 0.1
    assert check(lambda x, t: -1.04 * x, root2, tolerance=0.05, **kept)
    assert not check(lambda x, t: -1.04 * x, root2, tolerance=0.03, **kept)


def test_single_precision_out_of_sight_is_not_refuted():
    """A time made float32 inside leaves noise in the values that their type does not tell."""

    def log_density(x, t):
        v = np.float64(np.float32(1 + np.exp(-2 * np.float32(t))))
        return -0.5 * (x * x).sum(axis=1) / v - x.shape[1] / 2 * np.log(2 * np.pi * v)

    for seed in range(3):
        evidence = check(pull, root2, log_density=log_density, dimension=3, seed=seed)
        assert evidence.verdict != "refuted", evidence.explain()
    off = check(lambda x, t: -1.001 * x, root2, log_density=log_density, dimension=3)
    assert off.verdict == "refuted"


@pytest.mark.parametrize("moves", [True, False], ids=["carried", "left behind"])
@pytest.mark.parametrize("outside", [np.log(0.5), -np.inf], ids=["lower", "none"])
def test_a_jump_without_noise_moves_with_the_drift(moves, outside):
    """Translation by 1 a unit of time in R^3: a jump at x[0] = t is carried, one at 1/2 is not."""

    def log_density(x, t):
        level = -0.5 * ((x - np.array([t, 0, 0])) ** 2).sum(axis=1)
        edge = t if moves else 0.5
        return level + np.where(np.real(x[:, 0] - edge) > 0.0, 0.0, outside)

    points = np.random.default_rng(0).uniform([1.1, -2, -2], [3, 2, 2], (40, 3))
    points = np.concatenate([points, points * [-1, 1, 1]]) if np.isfinite(outside) else points
    kept = {"points": points, "normalized": False, "times": (0.5, 1.0)}
    evidence = check(
        lambda x, t: np.array([1.0, 0, 0]) + 0 * x, lambda t: 0.0, log_density=log_density, **kept
    )
    if moves or not np.isfinite(outside):  # there the points lie on one side only
        assert evidence.verdict != "refuted", evidence.explain()
    else:
        assert evidence.verdict == "refuted" and "moves with the drift" in evidence.sentence


def test_nothing_to_compare_is_not_a_density_that_vanishes():
    still = check(
        lambda x, t: 0 * x,
        lambda t: 0.0,
        lambda x, t: np.full(len(x), 0.2) + 0 * x[:, 0],
        dimension=3,
        normalized=False,
    )
    assert still.verdict == "undecided" and "terms are all 0" in still.sentence


def test_coarse_types_hold_at_their_resolution_or_not_at_all():
    def half(x, t):
        return normal_log(x, t).real.astype(np.float16)

    assert check(pull, root2, log_density=half).verdict == "undecided"
    single = check(pull, root2, log_density=normal_log, dtype="float32", dimension=3)
    assert single and 1e-5 < single.resolution < 0.01
    wrong = check(lambda x, t: -1.05 * x, root2, log_density=normal_log, dtype="float32")
    assert wrong.verdict == "refuted"


def test_torch_in_bfloat16_and_what_forward_mode_does_not_see():
    torch = pytest.importorskip("torch")

    def log_density(x, t):
        v = 1 + torch.exp(-2 * torch.as_tensor(t))
        return -0.5 * (x * x).sum(1) / v - 0.5 * x.shape[1] * torch.log(2 * torch.pi * v)

    given = {"drift": pull, "diffusion": lambda t: 2**0.5, "framework": "torch", "dimension": 3}
    coarse = check(log_density=log_density, dtype="bfloat16", **given)
    assert coarse.verdict == "undecided" and "use float64" in coarse.sentence
    hidden = check(
        log_density=lambda x, t: (log_density(x, t) + log_density(x, t).detach()) / 2, **given
    )
    assert hidden and "detach" in hidden.explain()
    wrong = check(
        log_density=lambda x, t: log_density(x, t) + (0.01 * x[:, 0] ** 3).detach(), **given
    )
    assert wrong.verdict == "refuted"


def test_a_verdict_says_what_it_looked_at():
    evidence = check(pull, root2, log_density=normal_log, dimension=3, seed=3)
    # 1e-6: what a mass may be off without a word
    assert 1e-6 < evidence.resolution < 1.1e-6 and not evidence.coverage.gaps
    assert evidence.coverage.asked["masses"] == 2
    assert evidence.coverage.looked_at["times"] >= 32
    text = evidence.explain()
    assert "would have been seen" in text and "Looked at" in text and "its mass is 1 to" in text
    named = check(pull, root2, ou, times=(0.311, 0.777, 0.9))
    assert {0.311, 0.777, 0.9} <= set(named.curves["largest error"][0])


def test_a_rate_of_1e4_and_a_small_time():
    rate = 1e4
    fast = {
        "drift": lambda x, t: -rate * x,
        "diffusion": lambda t: np.sqrt(2 * rate),
        "log_density": lambda x, t: normal_log(x, rate * t),
    }
    assert check(**fast) and check(**fast, times=(1e-5, 2e-4))
    exploding = check(
        lambda x, t: 0 * x,
        lambda t: np.sqrt(2 * t),
        log_density=lambda x, t: -0.5 * x[:, 0] ** 2 / t**2 - 0.5 * np.log(2 * np.pi * t**2),
        times=(0.002, 0.1, 80.0),
    )
    assert exploding, exploding.explain()


@pytest.mark.parametrize("turned", [False, True])
def test_an_edge_keeps_its_side(turned):
    """Mass on the other side of an edge, a moment later, is not what the drift carried there."""
    from scoreproof.public.fokker_planck.carried import _kept

    class Uniform:
        def change(self, x, t, base):
            right = (x[:, 0] > 0) != (turned and t > 0.5)
            return np.where(right, 0.0, -np.inf)

        def drift(self, x, t):
            return 0 * x

    jump, kept = _kept(Uniform(), 0.5, 1.0, np.array([[-0.1], [0.1]]), 1.0)
    assert jump == np.inf and kept != turned


def test_a_torch_density_that_leaves_torch_is_asked_for_values():
    torch = pytest.importorskip("torch")

    def log_density(x, t):
        return torch.from_numpy(ou_log(x.detach().numpy(), float(t)))

    evidence = check(pull, lambda t: 2.0**0.5, log_density=log_density, framework="torch")
    assert evidence, evidence.explain()
