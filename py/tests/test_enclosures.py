"""What claims to enclose does: proved tails at few bits, where they matter; narrow balls."""

from __future__ import annotations

import importlib
import math
import pkgutil
from functools import cache

import pytest
from flint import acb, arb, fmpq

import scoreproof.claims
from scoreproof.claims import NAMES, load
from scoreproof.claims.gaussian_kl.checks_certified import _one_dimension
from scoreproof.claims.tweedie.checks_certified import Moments, sech
from scoreproof.claims.variance_exploding.checks_certified import _line
from scoreproof.numerics.balls import ball, precision
from scoreproof.tasks import run_check

CERTIFIED = [(n, c.name) for n in NAMES for c in load(n).checks if c.kind == "certified"]


@pytest.mark.parametrize(("name", "check"), CERTIFIED)
def test_an_enclosure_that_holds_is_narrow(name, check):
    claim = load(name)
    for evidence in run_check(claim, claim.check(check), claim.truth, "faults", 0).values():
        assert evidence.verdict == "holds" and evidence.bound <= 1e-50


def test_no_check_grants_itself_a_wide_enclosure():
    found = 0
    for module in pkgutil.walk_packages(scoreproof.claims.__path__, "scoreproof.claims."):
        radius = getattr(importlib.import_module(module.name), "RADIUS", None)
        if radius is not None:
            found += 1
            assert radius <= 1e-50, module.name
    assert found >= 5


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize(
    "laws", [("0", "7/5", "0", "1"), ("1/2", "1", "-2/3", "3/2"), ("3", "2/3", "1/5", "1/4")]
)
def test_a_divergence_cut_short_stays_enclosed(bits, laws):
    """At few bits most of an integral lies in the tails: their bound must hold it."""
    with precision(200):
        m0, s0, m1, s1 = (ball(v) for v in laws)
        found = _one_dimension(m0, s0, m1, s1, bits)
        ratio = s0 * s0 / (s1 * s1)
        exact = (m1 - m0) ** 2 / (2 * s1 * s1) + (ratio - 1) / 2 - ratio.log() / 2
        assert found.overlaps(exact)
        left_out = abs(float(found.mid()) - float(exact))
        assert float(found.rad()) <= 30 * left_out + 1e-30, "a bound that holds anything"


@cache
def sech_moments(y, s):
    return Moments(sech, None, fmpq(*y), fmpq(*s))


@pytest.mark.parametrize("bits", [2, 4, 8, 16])
@pytest.mark.parametrize(("y", "s"), [((-3, 4), (7, 4)), ((5, 2), (2, 5)), ((0, 1), (1, 1))])
def test_moments_cut_short_stay_enclosed(bits, y, s):
    with precision(200):
        moments = sech_moments(y, s)
        short, exact = moments.at(bits), moments.at(100)
        for found, due in zip(short[2:], exact[2:], strict=True):
            assert found.overlaps(due) or not found.is_finite()
        assert all(float(v.rad()) < 1e-15 for v in exact[2:])


@pytest.mark.parametrize("prec", [24, 53, 120])
def test_a_line_is_integrated_with_its_tails(prec):
    with precision(prec):
        width, height = arb(fmpq(3, 2)), arb(2)

        def bump(z, analytic):
            return (-((z - acb(1)) ** 2) / (2 * acb(width))).exp() * acb(height)

        found = _line(bump, arb(1), width, height)
        assert found.overlaps(height * (2 * arb.pi() * width).sqrt())
        assert float(found.rad()) < 2.0 ** (10 - prec)
        wrong = _line(bump, arb(1), -width, height)
        assert math.isfinite(float(wrong)), "an exponent of the wrong sign: only the inner part"
