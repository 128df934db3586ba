"""Each known mistake of a flow's layer, of its inverse and of its density is named."""

import numpy as np
import pytest

import scoreproof as sp

check = sp.check_normalizing_flow
LOG_2PI = np.log(2 * np.pi)


def softplus(x):
    return np.logaddexp(0, x)


def nets(a):
    return np.tanh(a), a**2 + 1


def coupling(x):
    s, t = nets(x[:, :2])
    return np.hstack([x[:, :2], x[:, 2:] * np.exp(s) + t]), s.sum(axis=1)


def uncoupling(z):
    s, t = nets(z[:, :2])
    return np.hstack([z[:, :2], (z[:, 2:] - t) * np.exp(-s)]), -s.sum(axis=1)


def named(evidence, name):
    assert evidence.verdict == "refuted", evidence.explain()
    assert name in evidence.diagnosis.names, evidence.explain()


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("half", lambda log_det: log_det / 2),
        ("twice", lambda log_det: 2 * log_det),
        ("averaged_over_batch", lambda log_det: log_det.mean()),
        ("no_log", np.exp),
        ("inverse_determinant", lambda log_det: np.exp(-log_det)),
        ("constant", lambda log_det: log_det + 0.7),
        ("log_2", lambda log_det: log_det + 4 * np.log(2)),
        ("log_2pi", lambda log_det: log_det - 2 * LOG_2PI),
    ],
)
def test_of_any_log_det(name, how):
    # three of four coordinates move, so that half is no mean
    def layer(x):
        s = np.tanh(x[:, :1]) * [1.0, 0.5, -0.3] + 0.1
        return np.hstack([x[:, :1], x[:, 1:] * np.exp(s)]), how(s.sum(axis=1))

    named(check(layer, shape=4), name)


def test_the_mean_over_all_coordinates():
    named(check(lambda x: (np.sinh(x), np.log(np.cosh(x)).mean(axis=1)), shape=4), "mean_over_dims")


def scaled(log_scale, log_det):
    def layer(x):
        s = x[:, :2] ** 2 / 9
        return np.hstack([x[:, :2], x[:, 2:] * np.exp(log_scale(s))]), log_det(s).sum(axis=1)

    return check(layer, shape=4)


@pytest.mark.parametrize(
    ("name", "log_scale", "log_det"),
    [
        ("not_logged_sign", lambda s: s, lambda s: -np.exp(s)),
        ("sigmoid_shift_back", lambda s: -softplus(-s), lambda s: -softplus(-s - 2)),
        ("sigmoid_raw", lambda s: -softplus(-s), lambda s: s),
        ("sigmoid_raw_shifted", lambda s: -softplus(-s - 2), lambda s: s),
        ("softplus_raw", lambda s: np.log(softplus(s)), lambda s: s),
        ("tanh_raw", np.tanh, lambda s: s),
        ("wrong_sign_of_part", lambda s: np.sin(9 * s), lambda s: np.abs(np.sin(9 * s))),
    ],
)
def test_of_scales(name, log_scale, log_det):
    named(scaled(log_scale, log_det), name)


@pytest.mark.parametrize(
    ("name", "log_det"),
    [
        ("tanh_of_x", lambda x: np.log(1 - x**2)),
        ("softplus_sign", lambda x: 2 * (np.log(2) - x - softplus(2 * x))),
        ("softplus_argument", lambda x: 2 * (np.log(2) - x - softplus(-x))),
        ("no_log_2", lambda x: 2 * (-x - softplus(-2 * x))),
    ],
)
def test_of_tanh(name, log_det):
    points = np.random.default_rng(0).uniform(-0.9, 0.9, (9, 3))
    named(check(lambda x: (np.tanh(x), log_det(x).sum(axis=1)), points=points), name)


@pytest.mark.parametrize(
    ("name", "log_det"),
    [
        ("log_one_minus_sigmoid_only", lambda x: -softplus(x)),
        ("sigmoid_softplus_factor", lambda x: -x - softplus(-x)),
        ("sigmoid_softplus_sign", lambda x: -x + 2 * softplus(-x)),
    ],
)
def test_of_a_sigmoid(name, log_det):
    named(check(lambda x: (1 / (1 + np.exp(-x)), log_det(x).sum(axis=1)), shape=3), name)


def test_of_a_leaky_relu_everywhere():
    def layer(x):
        return np.where(x > 0, x, 0.1 * x), np.full(len(x), 3 * np.log(0.1))

    named(check(layer, shape=3), "everywhere")


def to_logits(x, how):
    y = 0.05 + 0.9 * x
    with np.errstate(all="ignore"):
        return np.log(y) - np.log1p(-y), how(x, y).sum(axis=1)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("squeeze_sign", lambda x, y: -np.log(y) - np.log1p(-y) - np.log(0.9)),
        ("logit_as_if_unscaled", lambda x, y: -np.log(x) - np.log1p(-x) + np.log(0.9)),
    ],
)
def test_of_a_squeezed_logit(name, how):
    named(check(lambda x: to_logits(x, how), shape=3, data_range=None), name)


def planar(log_det):
    u, w = np.array([0.4, -0.3, 0.5]), np.array([0.7, 1.1, 0.4])

    def layer(x):
        h = np.tanh(x @ w + 0.3)
        return x + h[:, None] * u, log_det((1 - h**2) * (u @ w))

    return check(layer, shape=3)


@pytest.mark.parametrize(
    ("name", "log_det"),
    [
        ("planar_no_one", lambda p: np.log(np.abs(p))),
        ("planar_sign", lambda p: np.log(np.abs(1 - p))),
    ],
)
def test_of_planar_flows(name, log_det):
    named(planar(log_det), name)


def test_of_a_radial_flow():
    def layer(x):
        r = np.linalg.norm(x, axis=1)
        h = 1 / (1 + r)
        return x + 0.7 * h[:, None] * x, np.log(1 + 0.7 * h - 0.7 * r * h**2)

    named(check(layer, shape=4), "radial_only")


@pytest.mark.parametrize(
    ("name", "factor"), [("pixels_twice", 36.0), ("one_axis", 2.0), ("channels_only", 2.0)]
)
def test_of_a_convolution(name, factor):
    w = np.array([[1.0, 0.5, 0.2], [0.3, -2.0, 0.7], [0.1, 0.4, 1.5]])
    log_det = np.linalg.slogdet(w)[1] * factor
    if name == "channels_only":
        log_det = np.linalg.slogdet(w)[1] * 6 / 3

    def layer(x):
        return np.einsum("ij,njhw->nihw", w, x), np.full(len(x), log_det)

    named(check(layer, shape=(3, 3, 2)), name)


def test_a_sum_over_some_axes_only():
    def layer(x):
        return np.sinh(x), np.log(np.cosh(x)).sum(axis=(2, 3))

    named(check(layer, shape=(3, 2, 2)), "not_summed")


def test_the_inverses_log_det_at_x():
    def inverse(z):
        x = z.copy()
        for _ in range(100):
            x = x - (x + 0.5 * np.sin(x) - z) / (1 + 0.5 * np.cos(x))
        return x

    def layer(x):
        return x + 0.5 * np.sin(x), -np.log1p(0.5 * np.cos(inverse(x))).sum(axis=1)

    named(check(layer, inverse=inverse, shape=2), "inverse_at_x")


def test_a_diagonal_that_is_not_all():
    w = np.array([[2.0, 0.5, 0.0], [0.3, 1.5, 0.2], [0.1, 0.4, 3.0]])

    def layer(x):
        return x @ w.T, np.full(len(x), np.log(np.diag(w)).sum())

    named(check(layer, shape=3), "diagonal_only")


def test_what_is_said_of_a_jacobian_that_is_not_triangular():
    def layer(x):
        s = np.tanh(x + x[:, ::-1])
        return x * np.exp(s), s.sum(axis=1)

    evidence = check(layer, shape=3)
    assert "No order of the coordinates makes the Jacobian triangular" in evidence.explain()


def test_what_is_said_of_a_mask_that_is_not_strict():
    def layer(x):
        s = np.tanh(np.cumsum(x, axis=1) / 3)
        return x * np.exp(s), s.sum(axis=1)

    evidence = check(layer, shape=3)
    assert "its mask has to be strict" in evidence.explain()


def test_a_scale_that_is_clamped_in_one_of_two():
    def layer(x):
        s = x[:, :1]
        return np.hstack([s, x[:, 1:] * np.exp(np.clip(s, -2, 2))]), s[:, 0]

    named(check(layer, shape=2), "far_out")


def test_a_log_det_that_mixes_rows():
    def layer(x):
        z, log_det = coupling(x)
        return z, log_det + 0.1 * x.max(axis=0).sum()

    named(check(layer, shape=4), "log_det_mixes_rows")


@pytest.mark.parametrize(
    ("name", "inverse"),
    [
        ("forward_again", lambda z: coupling(z)[0]),
        ("nothing_done", lambda z: z),
        ("shift_missing", lambda z: np.hstack([z[:, :2], z[:, 2:] * np.exp(-nets(z[:, :2])[0])])),
        ("scale_missing", lambda z: np.hstack([z[:, :2], z[:, 2:] - nets(z[:, :2])[1]])),
        ("inverse_missing", lambda z: (uncoupling(z)[0], np.zeros(len(z)))),
        ("inverse_mean", lambda z: (uncoupling(z)[0], uncoupling(z)[1] / 4)),
    ],
)
def test_of_inverses(name, inverse):
    named(check(coupling, inverse=inverse, shape=4), name)


def test_the_inverses_log_det_at_z():
    def inverse(z):
        return np.arcsinh(z), -np.log(np.cosh(z)).sum(axis=1)

    def layer(x):
        return np.sinh(x), np.log(np.cosh(x)).sum(axis=1)

    points = np.random.default_rng(0).uniform(-1.5, 1.5, (9, 2))
    named(check(layer, inverse=inverse, points=points), "inverse_at_z")


def test_some_coordinates_that_do_not_come_back():
    def inverse(z):
        x = uncoupling(z)[0]
        return np.hstack([x[:, :3], np.sin(x[:, 3:])])

    assert (
        "Coordinates 3 of 4 do not come back" in check(coupling, inverse=inverse, shape=4).explain()
    )


def test_halves_that_are_joined_in_another_way():
    def inverse(z):
        return uncoupling(z)[0][:, [0, 2, 1, 3]]

    named(check(coupling, inverse=inverse, shape=4), "exchanged")


def test_an_inverse_that_is_not_a_number():
    def inverse(z):
        x = uncoupling(z)[0]
        return np.where(x > 1, np.nan, x)

    evidence = check(coupling, inverse=inverse, shape=4)
    assert evidence.verdict == "refuted" and "numbers that are nan or inf" in evidence.sentence


@pytest.mark.parametrize(
    ("name", "inverse"),
    [
        ("bias_left", lambda z, w: np.linalg.solve(w, z.T).T),
        ("matrix_again", lambda z, w: (z - 1) @ w.T),
    ],
)
def test_of_a_matrix_and_a_bias(name, inverse):
    w = np.random.default_rng(0).standard_normal((3, 3))
    log_det = np.linalg.slogdet(w)[1]
    named(check(lambda x: (x @ w.T + 1, log_det), inverse=lambda z: inverse(z, w), shape=3), name)


def test_an_inverse_that_looks_up():
    """What led to z is remembered; other z find the nearest."""
    seen = {}

    def layer(x):
        z = np.sinh(x)
        seen.update({tuple(np.round(b, 9)): a for a, b in zip(x, z, strict=True)})
        return z, np.log(np.cosh(x)).sum(axis=1)

    def inverse(z):
        keys = np.array(list(seen))
        near = [tuple(keys[np.argmin(np.abs(keys - row).sum(axis=1))]) for row in z]
        return np.array([seen[k] for k in near])

    named(check(layer, inverse=inverse, shape=2), "not_onto")


def test_noise_that_differs_on_the_way_back():
    def layer(x):
        return x + np.random.rand(*x.shape), np.zeros(len(x))

    def inverse(z):
        np.random.rand()
        return z - np.random.rand(*z.shape)

    named(check(layer, inverse=inverse, shape=3), "noise")


def test_an_estimate_is_left_open():
    def layer(x):
        z, log_det = coupling(x)
        return z, log_det + 0.1 * np.random.randn(len(x))

    evidence = check(layer, shape=4)
    assert (
        evidence.verdict == "undecided" and "is drawn at random and z is not" in evidence.sentence
    )


def normal(z):
    return -0.5 * (z**2).sum(axis=1) - 2 * LOG_2PI


@pytest.mark.parametrize(
    ("name", "log_prob"),
    [
        ("one_constant", lambda z, det: normal(z) + 1.5 * LOG_2PI + det),
        ("no_half", lambda z, det: -(z**2).sum(axis=1) - 2 * LOG_2PI + det),
        ("base_of_batch", lambda z, det: normal(z).sum() + det),
        ("log_det_mean", lambda z, det: normal(z) + det / 4),
        ("log_det_twice", lambda z, det: normal(z) + 2 * det),
        ("log_det_of_batch", lambda z, det: normal(z) + det.sum()),
        ("summed", lambda z, det: (normal(z) + det).sum()),
        ("per_dimension", lambda z, det: (normal(z) + det) / 4),
        ("no_log_det", lambda z, det: normal(z)),
    ],
)
def test_of_densities(name, log_prob):
    named(check(coupling, log_prob=lambda x: log_prob(*coupling(x)), shape=4), name)


def test_a_density_that_is_not_summed():
    def log_prob(x):
        z, _ = coupling(x)
        return -0.5 * z**2 - 0.5 * LOG_2PI

    named(check(coupling, log_prob=log_prob, shape=4), "not_summed")


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("levels_sign", lambda nats: -nats / (12 * np.log(2)) - 8),
        ("levels_of_half", lambda nats: -nats / (12 * np.log(2)) + 7),
        ("levels_minus_one", lambda nats: -nats / (12 * np.log(2)) + np.log2(255)),
        ("per_pixel", lambda nats: -nats / (4 * np.log(2)) + 8 * 3),
        ("not_divided", lambda nats: -nats / np.log(2) + 8 * 12),
    ],
)
def test_of_bits(name, bits):
    def layer(x):
        return np.sinh(x), np.log(np.cosh(x)).sum(axis=(1, 2, 3))

    def log_prob(x):
        z, log_det = layer(x)
        return bits(-0.5 * (z**2).sum(axis=(1, 2, 3)) - 6 * LOG_2PI + log_det)

    named(
        check(layer, log_prob=log_prob, units="bits_per_dim", data_range=(0, 1), shape=(3, 2, 2)),
        name,
    )
