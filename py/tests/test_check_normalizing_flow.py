"""`check_normalizing_flow` on right flows in many dialects, and on what it has to leave open."""

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError

check = sp.check_normalizing_flow


def nets(a):
    return np.tanh(a), a**2 + 1


def coupling(x):
    s, t = nets(x[:, :2])
    return np.hstack([x[:, :2], x[:, 2:] * np.exp(s) + t]), s.sum(axis=1)


def uncoupling(z):
    s, t = nets(z[:, :2])
    return np.hstack([z[:, :2], (z[:, 2:] - t) * np.exp(-s)]), -s.sum(axis=1)


def normal(z):
    return -0.5 * (z**2).sum(axis=1) - 0.5 * z.shape[1] * np.log(2 * np.pi)


def log_prob(x):
    z, log_det = coupling(x)
    return normal(z) + log_det


def test_a_function_and_its_inverse():
    evidence = check(coupling, inverse=uncoupling, log_prob=log_prob, shape=4)
    assert evidence, evidence.explain()
    assert evidence.resolution < 1e-8
    assert evidence.cost["forward"] > 0 and evidence.cost["inverse"] == 2
    assert "log p is that of z and the Jacobian" in evidence.sentence


def test_the_shape_is_found_and_said():
    evidence = check(coupling)
    assert evidence and any("shape (4,)" in note for note in evidence.notes)
    assert any("inverse= takes one" in note for note in evidence.notes)


def test_no_jacobian_needs_to_be_triangular():
    w = np.random.default_rng(0).standard_normal((5, 5))
    log_det = np.linalg.slogdet(w)[1]
    assert check(
        lambda x: (x @ w.T + 1, log_det), inverse=lambda z: np.linalg.solve(w, (z - 1).T).T
    )


def test_float32_has_the_resolution_of_float32():
    def single(x):
        z, log_det = coupling(x)
        return z.astype(np.float32), log_det.astype(np.float32)

    evidence = check(single, shape=4, dtype="float32")
    assert evidence, evidence.explain()
    assert 1e-7 < evidence.resolution < 1e-2


@pytest.mark.parametrize("by", [3e-9, 1e-6, 1e-3, -1.0])
def test_what_is_off_by_more_than_the_resolution_is_refuted(by):
    assert check(lambda x: (coupling(x)[0], coupling(x)[1] + by), shape=4).verdict == "refuted"


def test_a_tolerance_is_in_nats():
    def near(x):
        return coupling(x)[0], coupling(x)[1] + 1e-3

    assert check(near, shape=4, tolerance=0.01)
    assert check(near, shape=4, tolerance=1e-4).verdict == "refuted"
    assert check(near, shape=4, tolerance=1e-3 * (1 + 1e-12)).verdict == "undecided"


def test_an_inverse_that_iterates_is_left_open_or_accepted():
    def newton(z):
        x = z.copy()
        for _ in range(6):
            x = x - (x + 0.5 * np.sin(x) - z) / (1 + 0.5 * np.cos(x)) * 0.9
        return x

    def layer(x):
        return x + 0.5 * np.sin(x), np.log1p(0.5 * np.cos(x)).sum(axis=1)

    evidence = check(layer, inverse=newton, shape=3)
    assert evidence.verdict == "undecided" and "needs more steps" in evidence.sentence
    assert check(layer, inverse=newton, shape=3, tolerance=1e-4)


def test_the_identity_shows_nothing():
    evidence = check(lambda x: (x * np.ones(4), np.zeros(len(x))), shape=4)
    assert evidence.verdict == "undecided" and "is the identity at the points" in evidence.sentence


def test_a_log_det_that_is_0_by_rounding_shows_nothing():
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((4, 4)))[0]
    evidence = check(lambda x: (x @ turn, np.linalg.slogdet(turn)[1] + 1e-17), shape=4)
    assert evidence.verdict == "undecided"
    assert "or less wherever it was looked at" in evidence.sentence


def test_a_layer_that_says_that_it_keeps_volumes():
    def nice(x):
        return np.hstack([x[:, :2], x[:, 2:] + np.sin(x[:, :2])]), np.zeros(len(x))

    assert check(nice, shape=4)


def test_points_of_its_domain_are_found():
    def layer(x):
        with np.errstate(all="ignore"):
            return np.log(x) - np.log1p(-x), -(np.log(x) + np.log1p(-x)).sum(axis=1)

    evidence = check(layer, inverse=lambda z: 1 / (1 + np.exp(-z)), shape=3)
    assert evidence and "points in (0, 1)" in evidence.coverage.span

    def positive(x):
        with np.errstate(all="ignore"):
            return np.log(x) * 2, (np.log(2) - np.log(x)).sum(axis=1)

    assert check(positive, shape=3)

    def nowhere(x):
        return x * np.nan, np.zeros(len(x))

    with pytest.raises(CallableError, match="pass points= of its domain"):
        check(nowhere, shape=3)


def test_its_own_points():
    points = np.random.default_rng(0).uniform(2, 3, (6, 4))
    assert check(coupling, points=points).coverage.asked["rows"] == 6
    with pytest.raises(ArgumentError, match=r"points must be rows"):
        check(coupling, points=points[0])


def test_squashing_far_out():
    def squash(x):
        return np.tanh(x), 2 * (np.log(2) - x - np.logaddexp(0, -2 * x)).sum(axis=1)

    assert check(squash, shape=3)


def test_options_go_to_what_takes_them():
    def scaled(x, gain=1.0):
        return gain * x, np.full(len(x), x.shape[1] * np.log(2.0))

    def back(z, gain=1.0, hint=0):
        return z / gain

    assert check(scaled, inverse=back, shape=3, options={"gain": 2.0, "hint": 1})
    assert check(scaled, shape=3, options={"gain": 3.0}).verdict == "refuted"

    def whatever(x, **more):
        return scaled(x, more["gain"])

    assert check(whatever, shape=3, options={"gain": 2.0})


class Reversing:
    """RealNVP of public code: it leads back unless it is told, and hands log_det through then."""

    def __init__(self, sign=1.0):
        self.sign = sign

    def __call__(self, x, sldj=None, reverse=True):
        a, b = x[:, :2], x[:, 2:]
        s = np.tanh(a)
        if reverse:
            return np.hstack([a, b * np.exp(-s) - a]), sldj
        return np.hstack([a, (b + a) * np.exp(s)]), sldj + self.sign * s.sum(axis=1)


def test_a_flag_that_is_set_by_default_and_a_log_det_that_is_handed_through():
    evidence = check(Reversing(), shape=4)
    assert evidence, evidence.explain()
    assert any("hands log_det through" in note for note in evidence.notes)
    assert "sign" in check(Reversing(-1.0), shape=4).diagnosis.names


@pytest.mark.parametrize(
    "more", [lambda n: n == 1, lambda n: n > 64, lambda n: np.arange(n) >= 16],
    ids=["one", "many", "later"],
)  # fmt: skip
def test_what_a_row_gets_may_not_depend_on_how_many_there_are(more):
    def doubled(x):
        return 2 * x, np.full(len(x), 4 * np.log(2)) + 0.01 * more(len(x))

    evidence = check(doubled, shape=4)
    assert evidence.diagnosis.names == ("batch_size",), evidence.explain()


def test_a_batch_of_one_may_not_raise():
    def squeezed(x):
        scale = np.squeeze(np.full((len(x), 1), np.log(2.0)))
        return 2 * x, 4 * np.stack([scale[i] for i in range(len(x))])

    evidence = check(squeezed, shape=4)
    assert evidence.diagnosis.names == ("batch_size_raises",) and "not 1" in evidence.sentence


@pytest.mark.parametrize(("size", "verdict"), [(1e-9, "undecided"), (1e-3, "refuted")])
def test_what_an_adaptive_solver_leaves_between_rows(size, verdict):
    def near(x, sign=1.0):
        return 2 * x + size * x.mean(axis=0), sign * np.full(len(x), 4 * np.log(2))

    evidence = check(near, shape=4)
    assert evidence.verdict == verdict, evidence.explain()
    assert ("adaptive solver" in evidence.sentence) == (verdict == "undecided")
    if verdict == "undecided":
        assert check(near, shape=4, tolerance=1e-3)
        assert check(lambda x: near(x, -1.0), shape=4).verdict == "refuted"


def test_bits_of_continuous_data_and_plain_bits():
    def bits(x):
        return log_prob(x) / np.log(2)

    said = {"units": "bits_per_dim", "levels": 1}
    for shape in (None, 4):
        assert check(coupling, log_prob=lambda x: -bits(x) / 4, shape=shape, **said)
        assert check(coupling, log_prob=bits, shape=shape, units="bits")
    wrong = check(coupling, log_prob=lambda x: 8 - bits(x) / 4, shape=4, **said)
    assert wrong.verdict == "refuted"
    assert check(coupling, log_prob=log_prob, shape=4, units="bits").verdict == "refuted"


@pytest.mark.parametrize("mean", [True, False])
@pytest.mark.parametrize(("span", "bits"), [((0, 1), 8), ((-1, 1), 7), ((-0.5, 0.5), 8)])
def test_bits_per_dimension(mean, span, bits):
    def bits_per_dim(x):
        found = -log_prob(x) / (4 * np.log(2)) + bits
        return found.mean() if mean else found

    more = {"units": "bits_per_dim", "shape": 4, "data_range": span}
    assert check(coupling, log_prob=bits_per_dim, **more)
    assert check(coupling, log_prob=bits_per_dim, levels=32, **more).verdict == "refuted"


def test_negative_log_likelihoods():
    assert check(coupling, log_prob=lambda x: -log_prob(x), units="nll", shape=4)
    evidence = check(coupling, log_prob=lambda x: -log_prob(x), shape=4)
    assert evidence.diagnosis.names == ("negative",)


def test_a_base_law_of_its_own():
    def laplace(z):
        return -np.abs(z).sum(axis=1) - z.shape[1] * np.log(2)

    def mine(x):
        z, log_det = coupling(x)
        return laplace(z) + log_det

    assert check(coupling, log_prob=mine, base=laplace, shape=4)
    assert check(coupling, log_prob=mine, shape=4).verdict == "refuted"
    with pytest.raises(ArgumentError, match="base must be a law whose log_prob"):
        check(coupling, log_prob=mine, base=lambda z: 1.0, shape=4)


def test_from_z_to_x():
    def generate(z):
        return uncoupling(z)

    assert check(generate, inverse=coupling, log_prob=log_prob, shape=4)  # its argument is z
    assert check(lambda a: uncoupling(a), log_prob=log_prob, shape=4, direction="z_to_x")
    wrong = check(lambda a: uncoupling(a), log_prob=log_prob, shape=4)
    assert wrong.verdict == "refuted"


def test_a_log_det_to_add_to_and_a_way_back():
    def layer(x, logdet, reverse=False):
        z, log_det = uncoupling(x) if reverse else coupling(x)
        return z, logdet + log_det

    assert check(layer, shape=4)

    def lost(x, ldj, reverse=False):
        return layer(x, 0 * ldj, reverse)

    assert check(lost, shape=4).diagnosis.names == ("not_added",)

    def taken(x, ldj, reverse=False):
        return layer(x, -ldj, reverse)

    assert check(taken, shape=4).diagnosis.names == ("subtracted",)

    def other(x, ldj, reverse=False):
        return layer(x, ldj**2, reverse)

    evidence = check(other, shape=4)
    assert evidence.verdict == "refuted" and "has to come back with" in evidence.explain()


def test_modes_and_conditions():
    def layer(inputs, cond_inputs=None, mode="direct"):
        s = np.tanh(inputs[:, :1] + cond_inputs[:, :1])
        way = {"direct": 1, "inverse": -1}[mode]
        z = np.hstack([inputs[:, :1], inputs[:, 1:] * np.exp(way * s)])
        return z, way * s.sum(axis=1, keepdims=True)

    assert check(layer, shape=2, context=[0.3, 0.1])
    assert check(layer, shape=2, context=np.random.default_rng(0).standard_normal((3, 2)))


def test_an_object_with_methods():
    class Flow:
        dim = 4

        def f(self, x):
            return coupling(x)

        def g(self, z):
            return uncoupling(z)[0]

        def log_prob(self, x):
            return log_prob(x)

    evidence = check(Flow())
    assert evidence, evidence.explain()
    assert "log p" in evidence.sentence and "the inverse leads back" in evidence.sentence


def test_a_log_det_by_a_method_of_its_own():
    class Layer:
        def forward(self, x):
            return coupling(x)[0]

        def log_det_jacobian(self, x):
            return coupling(x)[1]

    assert check(Layer(), shape=4)


def test_dictionaries_lists_and_named_returns():
    assert check(lambda x: dict(zip(("z", "log_det"), coupling(x), strict=True)), shape=4)
    assert check(lambda x: ([x, coupling(x)[0]], coupling(x)[1]), shape=4)
    assert check(
        lambda x: ([coupling(x)[0][:, :1], coupling(x)[0][:, 1:]], coupling(x)[1]), shape=4
    )

    def three(x):
        z, log_det = coupling(x)
        return z, normal(z), log_det

    assert check(three, shape=4, returns=("z", "prior", "log_det"))
    with pytest.raises(CallableError, match='returns=\\("z", "prior", "log_det"\\)'):
        check(three, shape=4)


def test_a_log_det_of_each_coordinate_is_summed():
    evidence = check(lambda x: (np.sinh(x), np.log(np.cosh(x))), shape=3)
    assert evidence and any("for each coordinate" in n for n in evidence.notes)


def test_random_numbers_are_held_fixed():
    def dequantised(x):
        return coupling(x + 0.1 * np.random.rand(*x.shape))

    evidence = check(dequantised, shape=4)
    assert evidence and any("draws random numbers" in n for n in evidence.notes)


def test_a_state_that_changes_is_an_error():
    calls = []

    def layer(x):
        calls.append(0)
        return coupling(x + 0.01 * len(calls))

    with pytest.raises(CallableError, match="let no call change its state"):
        check(layer, shape=4)


def test_no_bijection():
    evidence = check(lambda x: (np.hstack([x[:, :1], x[:, :1]]), np.zeros(len(x))), shape=2)
    assert evidence.diagnosis.names == ("not_invertible",)


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"flow": None}, "flow must be a function"),
        ({"flow": 3}, "flow must be a function"),
        ({"inverse": 3}, "inverse must be a function"),
        ({"units": "bpd"}, "units must be one of nats, bits, nll, bits_per_dim"),
        ({"units": "nll"}, "log_prob must be given"),
        ({"direction": "up"}, "direction must be one of"),
        ({"returns": ("z",)}, "returns must be the names"),
        ({"returns": 3}, "returns must be the names"),
        ({"options": "gain"}, "options must be arguments by their names"),
        ({"options": ["a"]}, "options must be arguments by their names"),
        ({"options": {"gian": 2.0}}, "options must be of arguments that .* 'gian'.*mend its name"),
        ({"data_range": (1, 0), "log_prob": log_prob}, r"data_range must be \(low, high\)"),
        ({"units": "bits_per_dim", "log_prob": log_prob}, "pass data_range=.* or levels=1 where"),
        ({"units": "bits_per_dim", "levels": 8}, "None, with levels=8"),
        ({"levels": 32, "log_prob": log_prob}, "levels must be left away in nats"),
        (
            {"levels": 1, "units": "bits_per_dim", "data_range": (0, 1)},
            "levels must be an integer >= 2",
        ),
        (
            {"levels": 2.5, "units": "bits_per_dim", "data_range": (0, 1)},
            "levels must be an integer >= 2",
        ),
        ({"shape": (3, 64, 64)}, "shape must be of at most 3072"),
        ({"tolerance": 2}, r"tolerance must be in \(0, 1\)"),
        ({"framework": "tf"}, "framework must be one of"),
    ],
)
def test_arguments(more, text):
    with pytest.raises(ArgumentError, match=text):
        check(**{"flow": coupling, "shape": 4} | more)


def test_what_returns_no_flow_is_an_error():
    with pytest.raises(CallableError, match="returned z alone"):
        check(lambda x: 2 * x, shape=4)
    with pytest.raises(CallableError, match="as many numbers as x"):
        check(lambda x: (x[:, :1], x[:, 0]), shape=4)
    with pytest.raises(CallableError, match=r"log_det of shape \(11,\)"):
        check(lambda x: (x, np.zeros(3)), shape=4)
    with pytest.raises(CallableError, match="or say shape="):
        check(lambda x: (x.reshape(0), x))
    with pytest.raises(CallableError, match=r"return shape \(11,\)"):
        check(coupling, log_prob=lambda x: np.zeros(3), shape=4)
    with pytest.raises(ArgumentError, match="object with forward"):
        check(object())


def test_a_coordinate_that_the_inverse_leaves_out_is_named():
    def back(z):
        x = np.zeros_like(z)
        x[:, :2] = z[:, :2]
        x[:, 2] = uncoupling(z)[0][:, 2]
        return x

    evidence = check(coupling, inverse=back, shape=4)
    assert evidence.diagnosis.names == ("left_out",)
    assert "coordinate 3 comes back as 0 at all points" in evidence.explain()


def test_another_dimension_has_no_log_det():
    def longer(x):
        return np.hstack([x, x[:, :1]]), np.zeros(len(x))

    with pytest.raises(CallableError, match="a map into another dimension"):
        check(longer, shape=3)
