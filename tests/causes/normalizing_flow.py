"""Wrong layers of normalizing flows in NumPy: couplings, squashing, planar, radial, bits."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_normalizing_flow

LOG_2PI = np.log(2 * np.pi)


def nets(a):
    return np.tanh(a), a**2 + 1


def coupling(x):
    s, t = nets(x[:, :2])
    return np.hstack([x[:, :2], x[:, 2:] * np.exp(s) + t]), s.sum(axis=1)


def uncoupling(z):
    s, t = nets(z[:, :2])
    return np.hstack([z[:, :2], (z[:, 2:] - t) * np.exp(-s)]), -s.sum(axis=1)


def changed(how):
    """The coupling with its log_det made another one."""

    def layer(x):
        z, log_det = coupling(x)
        return z, how(x, z, log_det)

    return check_normalizing_flow(layer, inverse=uncoupling, shape=4)


def undone(inverse):
    return check_normalizing_flow(coupling, inverse=inverse, shape=4)


@wrong("normflows: the sign of forward_and_log_det", says=r"log_det has the wrong sign")
def sign_of_forward():
    return changed(lambda x, z, log_det: -log_det)


@wrong("bayesflow: standardize adds log σ where it takes it away", says=r"wrong sign.*way back")
def standardize():
    mean, std = np.array([0.3, -1.0, 2.0]), np.array([0.5, 1.7, 3.0])

    def transform(x):
        return (x - mean) / std, np.full(len(x), np.log(std).sum())

    return check_normalizing_flow(transform, inverse=lambda z: z * std + mean, shape=3)


@wrong("flowtorch, flowjax: the inverse's log_det has forward's sign", says=r"has to be minus that")
def sign_of_inverse():
    return undone(lambda z: (uncoupling(z)[0], -uncoupling(z)[1]))


@wrong("exp(s) summed for s", says=r"sum of the scales themselves.*not_logged")
def scale_for_log_scale():
    return changed(lambda x, z, log_det: np.exp(nets(x[:, :2])[0]).sum(axis=1))


@wrong("the mean over the coordinates", says=r"averaged over the coordinates that are transformed")
def mean_of_half():
    return changed(lambda x, z, log_det: log_det / 2)


@wrong("semi-supervised-pytorch: summed over the batch as well", says=r"summed over the rows")
def sum_of_all():
    return changed(lambda x, z, log_det: log_det.sum())


@wrong("summed over axis 0", says=r"summed over the batch, axis 0")
def axis_0():
    def layer(x):
        z, _ = coupling(x)
        return z, np.hstack([0 * x[:, :2], nets(x[:, :2])[0]]).sum(axis=0)

    return check_normalizing_flow(layer, shape=4)


@wrong("no log_det at all", says=r"own log-determinant is missing")
def forgotten():
    return changed(lambda x, z, log_det: np.zeros(len(x)))


@wrong("log_det at z", says=r"evaluated at z, where x is due")
def of_z():
    def layer(x):
        z = x + 0.5 * np.sin(x)
        return z, np.log1p(0.5 * np.cos(z)).sum(axis=1)

    return check_normalizing_flow(layer, shape=3)


@wrong("the inverse divides before it subtracts", says=r"z exp\(-s\) - t.*shift_after")
def shift_after():
    def inverse(z):
        s, t = nets(z[:, :2])
        return np.hstack([z[:, :2], z[:, 2:] * np.exp(-s) - t])

    return undone(inverse)


@wrong("exp(s) in the inverse", says=r"multiplies by the scale, where it has to divide")
def scale_again():
    def inverse(z):
        s, t = nets(z[:, :2])
        return np.hstack([z[:, :2], (z[:, 2:] - t) * np.exp(s)])

    return undone(inverse)


@wrong("t added in the inverse", says=r"adds t, where it has to take it away")
def shift_added():
    def inverse(z):
        s, t = nets(z[:, :2])
        return np.hstack([z[:, :2], (z[:, 2:] + t) * np.exp(-s)])

    return undone(inverse)


@wrong("the mask the wrong way round in the inverse", says=r"the inverse the other ones: its mask")
def mask_of_inverse():
    def inverse(z):
        s, t = nets(z[:, 2:])
        return np.hstack([(z[:, :2] - t) * np.exp(-s), z[:, 2:]])

    return undone(inverse)


@wrong("the inverse clips", says=r"what the inverse returns is clipped.*at -2 and 2")
def clipped():
    return undone(lambda z: np.clip(uncoupling(z)[0], -2, 2))


@wrong("a permutation applied again for its inverse", says=r"permutes forward once more")
def permutation():
    order = np.array([2, 0, 1, 3])
    scale = np.array([1.0, 2.0, 0.5, 3.0])

    def forward(x):
        return scale * x[:, order], np.full(len(x), np.log(scale).sum())

    return check_normalizing_flow(forward, inverse=lambda z: (z / scale)[:, order], shape=4)


@wrong("Hands-on-RL: tanh twice", says=r"tanh is applied twice")
def tanh_twice():
    def squash(u):
        a = np.tanh(u)
        return a, np.log(1 - np.tanh(a) ** 2).sum(axis=1)

    return check_normalizing_flow(squash, shape=3)


@wrong("spinningup: 1 - tanh² with an ε inside the log", says=r"1e-06 is added inside the log")
def epsilon():
    def squash(u):
        a = np.tanh(u)
        return a, np.log(1 - a**2 + 1e-6).sum(axis=1)

    return check_normalizing_flow(squash, shape=3)


@wrong("the square forgotten", says=r"log\(1 - z\) in place of log\(1 - z²\)")
def no_square():
    def squash(u):
        a = np.tanh(u)
        return a, np.log1p(-a).sum(axis=1)

    return check_normalizing_flow(squash, shape=3)


@wrong("half of the stable form", says=r"the factor 2 is missing")
def half_of_softplus():
    def squash(u):
        return np.tanh(u), (np.log(2) - u - np.logaddexp(0, -2 * u)).sum(axis=1)

    return check_normalizing_flow(squash, shape=3)


@wrong("a sigmoid's slope with one factor", says=r"where log σ\(x\) \+ log\(1 - σ\(x\)\) is due")
def sigmoid():
    def layer(x):
        return 1 / (1 + np.exp(-x)), -np.logaddexp(0, -x).sum(axis=1)

    return check_normalizing_flow(layer, shape=3)


@wrong("the slope of a leaky ReLU on the wrong side", says=r"counted where it is 1")
def leaky():
    def layer(x):
        return np.where(x > 0, x, 0.1 * x), np.log(0.1) * (x > 0).sum(axis=1)

    return check_normalizing_flow(layer, shape=3)


@wrong("the slope itself for its logarithm", says=r"slopes themselves are summed")
def slope():
    def layer(x):
        return np.where(x > 0, x, 0.1 * x), 0.1 * (x < 0).sum(axis=1)

    return check_normalizing_flow(layer, shape=3)


def planar(h_prime):
    u, w = np.array([0.4, -0.3, 0.5]), np.array([0.7, 1.1, 0.4])

    def layer(x):
        h = np.tanh(x @ w + 0.3)
        return x + h[:, None] * u, np.log(np.abs(1 + h_prime(h) * (u @ w)))

    return check_normalizing_flow(layer, shape=3)


@wrong("planar: tanh for its derivative", says=r"ψ is tanh\(wᵀx \+ b\) w")
def planar_tanh():
    return planar(lambda h: h)


@wrong("planar: 1 - tanh", says=r"h' is 1 - tanh, where 1 - tanh²")
def planar_no_square():
    return planar(lambda h: 1 - h)


@wrong("planar: no h'", says=r"h' is missing from log")
def planar_no_h():
    return planar(lambda h: 1 + 0 * h)


@wrong("planar: tanh twice", says=r"h' is 1 - tanh\(tanh")
def planar_twice():
    return planar(lambda h: 1 - np.tanh(h) ** 2)


def radial(factors):
    centre, alpha, beta = np.array([0.1, -0.2, 0.3, 0.4]), 1.1, 0.7

    def layer(x):
        r = np.linalg.norm(x - centre, axis=1)
        h = 1 / (alpha + r)
        one, last = 1 + beta * h, 1 + beta * h - beta * r * h**2
        return x + beta * h[:, None] * (x - centre), factors(np.log(one), np.log(last))

    return check_normalizing_flow(layer, shape=4)


@wrong("radial: the power d", says=r"to the power d, where d - 1 is due")
def radial_power():
    return radial(lambda one, last: 4 * one + last)


@wrong("radial: once for d - 1 times", says=r"counts once, where it counts d - 1 times")
def radial_once():
    return radial(lambda one, last: one + last)


@wrong("radial: without its own direction", says=r"of the radial direction is missing")
def radial_last():
    return radial(lambda one, last: 3 * one)


def to_logits(x, constant):
    y = 0.05 + 0.9 * x
    with np.errstate(all="ignore"):
        return np.log(y) - np.log1p(-y), (-np.log(y) - np.log1p(-y) + constant).sum(axis=1)


@wrong("log(1 - 2α) of the logit missing", says=r"log\(1 - 2α\) for each coordinate is missing")
def squeeze():
    return check_normalizing_flow(lambda x: to_logits(x, 0.0), shape=3, data_range=None)


@wrong("log(1 - α) for log(1 - 2α)", says=r"log\(1 - α\) in place of log\(1 - 2α\)")
def squeeze_half():
    return check_normalizing_flow(lambda x: to_logits(x, np.log(0.95)), shape=3)


@wrong("uvadlc: the data's /256 left out of the logit's log_det", says=r"log 256: the scale")
def levels_forgotten():
    pixels = np.random.default_rng(0).uniform(2, 254, (9, 4))
    return check_normalizing_flow(lambda x: to_logits(x / 256, np.log(0.9)), points=pixels)


@wrong("the identity tails of a spline have a derivative", says=r"in the tails the log-derivative")
def tails():
    def spline(x):  # smooth in [-3, 3], the identity beyond
        inside = np.abs(x) <= 3
        u = np.clip(x, -3, 3) * np.pi / 3
        z = x + np.where(inside, 0.3 * np.sin(u), 0.0)
        return z, np.log(1 + 0.1 * np.pi * np.cos(np.pi * x / 3)).sum(axis=1)

    return check_normalizing_flow(spline, shape=2)


@wrong("batch statistics in the layer", says=r"the rows of a batch are mixed")
def whitened():
    def layer(x):
        std = x.std(axis=0)
        return (x - x.mean(axis=0)) / std, np.full(len(x), -np.log(std).sum())

    return check_normalizing_flow(layer, shape=3)


@wrong("log of a negative scale", says=r"logarithm of a negative number.*absolute value is due")
def no_abs():
    def layer(x):
        s = 1 + 2 * np.sin(x[:, :1])
        with np.errstate(all="ignore"):
            return np.hstack([x[:, :1], s * x[:, 1:]]), np.log(s)[:, 0]

    return check_normalizing_flow(layer, shape=2)


def density(log_prob, **more):
    return check_normalizing_flow(coupling, log_prob=log_prob, shape=4, **more)


def normal(z):
    return -0.5 * (z**2).sum(axis=1) - 2 * LOG_2PI


@wrong("the base law at x", says=r"base law is evaluated at x, where z is due")
def prior_at_x():
    return density(lambda x: normal(x) + coupling(x)[1])


@wrong("log_det taken away", says=r"log_det is taken away, where it has to be added")
def log_det_minus():
    return density(lambda x: normal(coupling(x)[0]) - coupling(x)[1])


@wrong("no d/2 log 2π", says=r"constant -d/2 log 2π .* is missing")
def no_constant():
    return density(lambda x: -0.5 * (coupling(x)[0] ** 2).sum(axis=1) + coupling(x)[1])


@wrong("the mean of the base law", says=r"averaged over the coordinates, where the sum is due")
def base_mean():
    return density(lambda x: normal(coupling(x)[0]) / 4 + coupling(x)[1])


@wrong("the base law at x and no log_det", says=r"two at once: .*at x.*log_det is missing")
def two_at_once():
    return density(lambda x: normal(x))


def bits(how, data_range=(0, 1), **more):
    def bits_per_dim(x):
        z, log_det = coupling(x)
        return how(normal(z) + log_det)

    return density(bits_per_dim, units="bits_per_dim", data_range=data_range, **more)


@wrong("8 bits for data in (-1, 1)", says=r"one bit too many")
def eight_for_seven():
    return bits(lambda log_p: -log_p / (4 * np.log(2)) + 8, data_range=(-1, 1))


@wrong("nats per dimension", says=r"nats per dimension: divide by log 2")
def nats():
    return bits(lambda log_p: -log_p / 4 + np.log(256))


@wrong("no log 256", says=r"log of the number of levels is missing")
def no_levels():
    return bits(lambda log_p: np.mean(-log_p / (4 * np.log(2))))


@wrong("log 256 added to bits", says=r"log 256 is added to bits as it is")
def log_of_levels():
    return bits(lambda log_p: -log_p / (4 * np.log(2)) + np.log(256))


def planar_by(inner, c=None):
    u, w = np.array([0.4, -0.3, 0.5]), np.array([0.7, 1.1, 0.4])

    def layer(x):
        h = np.tanh(inner(x @ w))
        return x + np.tanh(x @ w + 0.3)[:, None] * u, np.log(
            np.abs(1 + (1 - h**2) * (u @ w if c is None else c))
        )

    return check_normalizing_flow(layer, shape=3)


@wrong("planar: no bias in h'", says=r"bias b is left out of h'")
def planar_no_bias():
    return planar_by(lambda a: a)


@wrong("planar: -b in h'", says=r"bias b has the wrong sign in h'")
def planar_bias_sign():
    return planar_by(lambda a: a - 0.3)


@wrong("planar: û in z, u in log_det", says=r"uᵀw is that of another u or w")
def planar_other_u():
    return planar_by(lambda a: a + 0.3, 0.45)


@wrong("-log p / n + 8", says=r"log 2 is forgotten")
def log_2_forgotten():
    return bits(lambda log_p: -log_p / 4 + 8)


@wrong("-log p / log 2 + 8", says=r"log p is not divided by the number of dimensions")
def bits_not_divided():
    return bits(lambda log_p: -log_p / np.log(2) + 8)
