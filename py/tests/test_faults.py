"""Each planted fault is what its name says: its numbers at one input, written down once.

A user is told the name of a fault ("a factor 1/2 is missing"), so a fault that turned into another
wrong formula would be refuted as before and name the wrong cause. ``python
py/tests/test_faults.py`` writes `faults.json` anew; read its difference before you commit it.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from flint import fmpq

from scoreproof.claims import NAMES, load
from scoreproof.claims.ffjord.faults import Spare
from scoreproof.claims.fokker_planck.statement import Jets
from scoreproof.claims.variance_exploding.statement import Sigma
from scoreproof.numerics.words import Words
from scoreproof.objects.fields import Dense
from scoreproof.objects.graphs import BackwardPass, Graph
from scoreproof.objects.latents import GaussianLatent

WRITTEN = Path(__file__).with_name("faults.json")

#: Numbers without symmetry: no two coincide, none is 0 or 1.
Y = np.array([[0.7, -1.3], [2.1, 0.4]])
SCORE = np.array([[-0.6, 1.1], [0.3, -1.7]])
COV = np.array([[1.5, 0.4], [0.4, 0.8]])
HESSIAN = np.array([[[-0.9, 0.2], [0.2, -0.5]], [[-0.3, -0.1], [-0.1, -0.7]]])


def tweedie(subject):
    return [subject.mean(Y, SCORE, COV), subject.covariance(HESSIAN, COV)]


def gaussian_kl(subject):
    m0, m1 = np.array([0.3, -1.2, 2.0]), np.array([1.1, 0.4, -0.6])
    v0, v1 = np.array([0.5, -0.7, 0.2]), np.array([-0.3, 0.9, 0.4])
    c0 = np.array([[1.4, 0.3, -0.2], [0.3, 0.9, 0.1], [-0.2, 0.1, 1.1]])
    c1 = np.array([[0.8, -0.1, 0.3], [-0.1, 1.3, 0.2], [0.3, 0.2, 1.6]])
    return [
        subject.isotropic(m0, 0.75, m1, 1.3),
        subject.diagonal(m0, v0, m1, v1),
        subject.full(m0, c0, m1, c1),
    ]


JETS = Jets(0.6, [-0.4, 1.3, 0.7], [0.9, -0.7, 0.5], [1.7, -0.2, 0.8], [0.35, 1.1, -0.6], 1.3, 0.8)


def fokker_planck(subject):
    return [subject(JETS)]


def variance_exploding(subject):
    sigma = Sigma.at(lambda t: 0.3 + 0.9 * t + 0.4 * t * t, 0.6, 1.0)
    law = subject(0.45, sigma)
    parts = (law.mean, law.spread, law.root, law.rate)
    return [c for p in parts for c in getattr(p, "coefficients", [p])]


class Process:
    """Closed forms in x and t that stand for a process; nothing is consistent, and need not be."""

    horizon = 1.0

    def drift(self, x, t):
        return -0.7 * x + 0.2 * t

    def diffusion(self, t):
        return 1.3 + 0.5 * t

    def score(self, x, t):
        return -(1.1 + t) * x + 0.3

    def density(self, x, t):
        return np.exp(-0.6 * x * x) * (0.4 + t)


def reverse_family(subject):
    return list(subject(Process(), np.array([0.4, -0.9]), 0.35, 0.25))


def ffjord(subject):
    r = np.random.default_rng(0)
    here, there = (
        Dense(*(r.uniform(-1, 1, s) for s in ((2, 2), (2, 3), (2, 2, 2), (2, 2, 3))))
        for _ in range(2)
    )
    latent = GaussianLatent(np.array([0.2, -0.4]), COV)
    a, nu, fresh = np.array([0.9, -1.4]), np.array([1.2, 0.7]), np.array([-0.5, 1.6])
    z0, x = np.array([0.6, 1.1]), np.array([-0.8, 0.5])
    return [
        *subject.rates(here, a, nu, Spare(fresh, there)),
        *subject.start(latent, z0, x),
        subject.estimate(latent, z0, x, 0.37),
    ]


def backprop(subject):
    graph = Graph(5, [(0, 1), (0, 2), (1, 2), (1, 2), (2, 3), (0, 3), (2, 4), (3, 4)])
    partials = [Words.letter(c) for c in "abcdefgh"]
    run = BackwardPass.of(graph, partials, [Words.zero()] * 5, 4, Words.letter(""))
    start = [Words.letter(c) for c in "vwxyz"]
    prepared = subject.prepare(run, list(start))
    return [
        *map(repr, prepared),
        *map(repr, subject.pull(run, list(start))),
        *map(repr, subject.push(run, list(start))),
    ]


def plain(value):
    """What JSON holds: numbers to twelve digits, words as they are."""
    if isinstance(value, str):
        return value
    if isinstance(value, fmpq):
        return str(value)
    return [f"{v:.12g}" for v in np.ravel(np.asarray(value, dtype=float))]


def numbers(name):
    """Each fault's, and the truth's."""
    claim = load(name)
    subjects = {"truth": claim.truth, **{f.name: f.subject for f in claim.faults}}
    return {
        fault: [plain(v) for v in globals()[name](subject)] for fault, subject in subjects.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_each_fault_is_what_it_was(name):
    written, found = json.loads(WRITTEN.read_text("utf-8"))[name], numbers(name)
    assert set(written) == set(found), "a fault is new or gone: write faults.json anew"
    for fault, values in found.items():
        for value, expected in zip(values, written[fault], strict=True):
            if isinstance(value, str):
                assert value == expected, fault
            else:
                assert [float(v) for v in value] == pytest.approx(
                    [float(v) for v in expected], rel=1e-10, abs=1e-12, nan_ok=True
                ), fault


#: In the order of the graph nothing is read after it was changed: a stale copy holds the same.
THE_SAME = [{"order_not_reversed", "reads_stale_copy"}]


@pytest.mark.parametrize("name", NAMES)
def test_no_two_faults_are_the_same(name):
    seen = {}
    for fault, values in numbers(name).items():
        key = json.dumps(values)
        same = {fault, seen.get(key)}
        assert key not in seen or same in THE_SAME, f"{same} cannot be told apart here"
        seen[key] = fault


if __name__ == "__main__":
    WRITTEN.write_text(
        json.dumps({name: numbers(name) for name in NAMES}, indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
