"""Numbers that are kept in float32: their rounding is no fault, and what is more than it is one."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.public.fokker_planck.single import AS_ROUNDED, coarsest

check = sp.check_fokker_planck
RATE, STEP = np.float32(0.7), 2.0**-23


def log_density(x, t, rate=RATE):
    end = 0.81 / (2 * rate)
    v = end + (0.3 - end) * np.exp(-2 * rate * t)
    return -(x[:, 0] ** 2) / 2 / v - 0.5 * np.log(2 * np.pi * v)


class Model:
    def __init__(self, rate):
        self.parts = {"rate": [np.asarray(rate)]}

    def __call__(self, x, t):
        return log_density(x, t, float(self.parts["rate"][0]))


def test_a_rate_in_float32_is_that_number_to_its_rounding():
    for law in (log_density, Model(RATE), functools.partial(log_density, rate=RATE)):
        evidence = check(lambda x, t: -0.7 * x, 0.9, log_density=law)
        assert evidence.verdict == "holds", evidence.explain()
        assert evidence.resolution > 1e-6 and AS_ROUNDED in evidence.notes


def test_in_double_precision_the_same_deviation_is_refuted():
    exact = check(lambda x, t: -(0.7 + 1e-8) * x, 0.9, log_density=_double)
    assert exact.verdict == "refuted", exact.explain()


def _double(x, t):
    end = 0.81 / 1.4
    v = end + (0.3 - end) * np.exp(-1.4 * t)
    return -(x[:, 0] ** 2) / 2 / v - 0.5 * np.log(2 * np.pi * v)


@pytest.mark.parametrize("size", [1e-3, 1e-2])
def test_what_is_more_than_rounding_is_refuted_with_its_cause(size):
    evidence = check(lambda x, t: -0.7 * (1 + size) * x, 0.9, log_density=Model(RATE))
    assert evidence.verdict == "refuted" and evidence.diagnosis.names
    assert AS_ROUNDED not in evidence.notes


def test_what_is_held_in_less_than_double_precision_is_found():
    class Call:
        def __init__(self):
            self.low = np.zeros(2, np.float16)

        def method(self, x, t):
            return x

    single = np.float32(1.0)
    assert coarsest(lambda x: x * single) == STEP
    assert coarsest(lambda x: (lambda y: y * RATE)(x)) == STEP
    assert coarsest(lambda x: np.asarray(x, dtype="float32")) == STEP
    assert coarsest(lambda x: x.astype(np.float32)) == STEP
    assert coarsest(Call().method) == 2.0**-10
    assert coarsest(functools.partial(np.add, single)) == STEP
    assert coarsest(lambda x, c=single: x) == STEP
    assert coarsest(lambda x: x, None, 2.0, np.float64(1.0), np.sin) == 0.0


def test_a_network_s_rate_in_float32_is_judged_to_its_rounding():
    torch = pytest.importorskip("torch")

    class Law(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rate = torch.nn.Parameter(torch.tensor(0.7))

        def forward(self, x, t):
            end = 0.81 / (2 * self.rate)
            v = end + (0.3 - end) * torch.exp(-2 * self.rate * t)
            return (-(x**2) / 2 / v - 0.5 * torch.log(2 * np.pi * v)).sum(-1)

    law = Law()
    evidence = check(lambda x, t: -0.7 * x, 0.9, log_density=law)
    assert evidence and AS_ROUNDED in evidence.notes, evidence.explain()
    assert check(lambda x, t: -law.rate * x, 0.9, log_density=law).resolution < 1e-5
    wrong = check(lambda x, t: -0.7 * x, 0.91, log_density=law)
    assert wrong.verdict == "refuted"
