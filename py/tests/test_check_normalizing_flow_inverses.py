"""`check_normalizing_flow`: which layer's inverse is wrong, bits of a wrong n, forms of layers."""

from __future__ import annotations

import math

import numpy as np
import pytest

import scoreproof as sp

torch = pytest.importorskip("torch")
nn = torch.nn
check = sp.check_normalizing_flow


class Coupling(nn.Module):
    def __init__(self, flip, back, glow=False, left=False):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 4))
        self.flip, self.back, self.glow, self.left = flip, back, glow, left

    def parts(self, x):
        a, b = x.chunk(2, 1)
        s, t = self.net(a).chunk(2, 1)
        return a, b, torch.tanh(s), t

    def forward(self, x):
        a, b, s, t = self.parts(x.flip(1) if self.flip else x)
        z = torch.cat([a, (b + t) * s.exp() if self.glow else b * s.exp() + t], 1)
        return (z.flip(1) if self.flip and not self.left else z), s.sum(1)

    def inverse(self, z):
        a, b, s, t = self.parts(z.flip(1) if self.flip else z)
        x = torch.cat([a, self.back(b, s, t)], 1)
        return (x.flip(1) if self.flip else x), -s.sum(1)


class Flow(nn.Module):
    def __init__(self, back, turn=False, **more):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.ModuleList(Coupling(k % 2 == 1, back, **more) for k in range(3))
        self.turn = turn

    def forward(self, x):
        total = 0.0
        for layer in self.layers:
            x, log_det = layer(x)
            total = total + log_det
        return (x.roll(1, 1) if self.turn else x), total

    def inverse(self, z):
        for layer in reversed(self.layers):
            z, _ = layer.inverse(z)
        return z


def right(b, s, t):
    return (b - t) * torch.exp(-s)


OF_GLOW = {"right": lambda b, s, t: b * torch.exp(-s) - t}


def test_right_inverses_lead_back():
    for flow in (Flow(right), Flow(OF_GLOW["right"], glow=True)):
        assert check(flow, shape=4), check(flow, shape=4).explain()


@pytest.mark.parametrize(
    ("name", "back", "glow"),
    [
        ("shift_after", lambda b, s, t: b * torch.exp(-s) - t, False),
        ("shift_first", lambda b, s, t: (b - t) * torch.exp(-s), True),
        ("scale_sign", lambda b, s, t: (b - t) * torch.exp(s), False),
        ("scale_sign_after", lambda b, s, t: b * torch.exp(s) - t, False),
        ("scale_sign_of_sum", lambda b, s, t: b * torch.exp(s) - t, True),
        ("shift_sign", lambda b, s, t: (b + t) * torch.exp(-s), False),
    ],
)
def test_the_layer_whose_inverse_is_wrong_is_named(name, back, glow):
    evidence = check(Flow(back, glow=glow), shape=4)
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == (name,), evidence.explain()
    assert "layer layers.0 does not lead back by itself" in evidence.diagnosis.sentence


def test_a_flip_that_forward_leaves_is_named():
    evidence = check(Flow(right, left=True), shape=4)
    assert evidence.diagnosis.names == ("turn_left",), evidence.explain()
    assert "leads back from z in reversed order" in evidence.diagnosis.sentence


def test_layers_that_lead_back_each_by_itself():
    evidence = check(Flow(right, turn=True), shape=4)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ()
    assert "Each of its 3 layers that have an inverse leads back" in evidence.diagnosis.sentence


def test_a_layer_of_which_no_fault_is_known():
    evidence = check(Flow(lambda b, s, t: torch.sin(b) * s.cos()), shape=4)
    assert evidence.diagnosis.names == (), evidence.explain()
    assert "Layer layers.0 does not lead back by itself" in evidence.diagnosis.sentence


@pytest.mark.parametrize(
    ("name", "n", "log_2"),
    [
        ((), 36, True),
        (("log_2_forgotten",), 36, False),
        (("log_p_per_channel",), 4, True),
        (("log_p_per_pixel",), 9, True),
        (("log_p_not_divided",), 1, True),
        (("log_2_forgotten + log_p_per_channel",), 4, False),
    ],
    ids=["right", "log2", "channels", "pixels", "not", "log2_channels"],
)
def test_bits_of_another_n(name, n, log_2):
    def scaled(x):
        return x * 1.3, torch.full((len(x),), 36 * math.log(1.3))

    def bits(x):
        z, log_det = scaled(x)
        log_p = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).flatten(1).sum(1) + log_det
        return -log_p / (n * (math.log(2) if log_2 else 1.0)) + 8

    evidence = check(
        scaled,
        log_prob=bits,
        units="bits_per_dim",
        data_range=(0, 1),
        shape=(4, 3, 3),
        framework="torch",
    )
    assert evidence.verdict == ("refuted" if name else "holds"), evidence.explain()
    assert (evidence.diagnosis.names if name else ()) == name, evidence.explain()


W, U = np.array([0.5, -0.3, 0.8]), np.array([0.4, 0.2, 0.3])


@pytest.mark.parametrize(
    ("name", "inner", "c"),
    [
        ("planar_no_bias", lambda x: x @ W, U @ W),
        ("planar_bias_sign", lambda x: x @ W - 0.1, U @ W),
        ("planar_other_u", lambda x: x @ W + 0.1, 0.4),
        ("", lambda x: x @ W * 1.2 + 0.1, 0.4),
    ],
    ids=["bias", "sign", "u", "unknown"],
)
def test_planar_layers_whose_log_det_takes_other_numbers(name, inner, c):
    def layer(x):
        z = x + np.tanh(x @ W + 0.1)[:, None] * U
        return z, np.log(np.abs(1 + (1 - np.tanh(inner(x)) ** 2) * c))

    evidence = check(layer, shape=3)
    assert evidence.diagnosis.names == ((name,) if name else ()), evidence.explain()
    assert "triangular" not in evidence.explain()
    assert name or "has rank one, as a planar layer's" in evidence.diagnosis.sentence


def test_affine_and_radial_layers_of_which_no_fault_is_known():
    m = np.array([[1.0, 0.4, 0.1], [0.3, 0.9, 0.2], [0.5, 0.1, 1.2]])
    evidence = check(lambda x: (x @ m.T, np.sin(x).sum(axis=1)), shape=3)
    assert "one matrix W at all points" in evidence.diagnosis.sentence, evidence.explain()

    def radial(x):
        r = np.sqrt((x**2).sum(axis=1))
        return x * (1 + 0.5 / (1 + r))[:, None], np.cos(r)

    evidence = check(radial, shape=3)
    assert "as a radial layer's" in evidence.diagnosis.sentence, evidence.explain()
