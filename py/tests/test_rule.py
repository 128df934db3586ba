"""The rule of a verdict: what holds, what is refuted, and what does not suffice for either."""

from __future__ import annotations

import math
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreproof.coverage import Coverage, Omission
from scoreproof.errors import CallableError, ScoreproofError
from scoreproof.evidence import Evidence
from scoreproof.public.rule import COARSEST, compared, public_check, settled, weakest
from scoreproof.public.subjects import called_of

SEEN = Coverage({"points": 3})


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def judged(error, bound, **more):
    return compared(error, bound, "f against its formula", coverage=SEEN, **more)


# -- errors against bounds -------------------------------------------------------------------------


def test_within_rounding_it_holds_with_twice_the_bound_as_resolution():
    e = judged([0.0, 1e-12, 5e-13], [1e-12, 1e-12, 3e-12], cost={"calls": 2})
    assert (e.verdict, e.resolution, e.coverage) == ("holds", 6e-12, SEEN)
    assert (e.value, e.bound, e.kind) == (1e-12, 1e-12, "float")
    assert e.cost == {"calls": 2}
    assert "6.0e-12 would have been seen" in e.explain()
    assert "Looked at 3 points" in e.explain()


def test_one_place_beyond_its_bound_refutes():
    e = judged([0.0, 2e-12, 1.0], [1e-12, 1e-12, 2.0])
    assert (e.verdict, e.value, e.bound) == ("refuted", 2e-12, 1e-12)


def test_an_error_beyond_a_bound_of_zero_refutes():
    assert judged([0.0, 1e-300], 0.0).verdict == "refuted"
    assert judged([0.0, 0.0], 0.0).resolution == 0


def test_the_sign_of_an_error_does_not_acquit():
    assert judged([-1.0, 0.0], 1e-12).verdict == "refuted"


def test_a_negative_bound_is_the_checks_mistake():
    with pytest.raises(ValueError, match=r"bound must be >= 0 \(got -1\)"):
        judged([0.0, 0.0], [1e-9, -1.0])


def test_a_coarse_bound_acquits_nobody():
    e = judged(1e-3, COARSEST / 2 * 1.01, remedy="use float64, or a larger t_min")
    assert e.verdict == "undecided"
    assert e.sentence == (
        "f against its formula: no error is seen, but a relative deviation below 1.01 % would not "
        "have been seen (a verdict needs 1 %): use float64, or a larger t_min"
    )
    assert judged(1e-3, COARSEST / 2).verdict == "holds"


def test_the_least_favourable_place_decides():
    assert judged(np.zeros(3), [1e-9, 1e-9, 0.4]).verdict == "undecided"
    assert judged(np.zeros(3), 1e-9, gain=[1.0, 1.0, 1e-8]).verdict == "undecided"
    assert judged(np.zeros(3), 1e-9, gain=[1.0, 1.0, 1e-4]).resolution == pytest.approx(2e-5)


def test_nothing_compared_with_nothing():
    for gain in (0.0, [1.0, 1.0, 0.0], np.nan):
        e = judged(np.zeros(3), 0.0, gain=gain)
        assert (e.verdict, e.resolution) == ("undecided", math.inf)
        assert "below any size would not have been seen" in e.sentence or gain is np.nan
    e = judged([], [])
    assert e.verdict == "undecided"
    assert e.resolution == math.inf
    assert e.sentence.endswith("nothing was compared")
    assert judged(0.0, 1e-9).verdict == "holds", "one place is a place"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_not_judged(bad):
    for e in (judged([0.0, bad], 1e-9), judged([0.0, 0.0], [1e-9, abs(bad)])):
        assert e.verdict == "undecided"
        assert e.sentence == "f against its formula: the error or its bound is not finite"
        assert e.resolution == math.inf
    assert not math.isfinite(judged([0.0, bad, 0.0], 1e-9).value)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_wrong_place_refutes_whatever_is_not_finite_at_others(bad):
    for e in (judged([bad, 0.5], 1e-9), judged([0.0, 0.5], [bad, 1e-9])):
        assert (e.verdict, e.value, e.bound) == ("refuted", 0.5, 1e-9)
    assert judged([bad, 1e-9], 1e-9).verdict == "undecided", "on the bound is not beyond it"


# -- a tolerance -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (0.04, "holds"),
        (0.0489, "holds"),
        (0.0495, "undecided"),
        (0.0505, "undecided"),
        (0.0511, "refuted"),
    ],
)
def test_between_surely_accepted_and_surely_not_nothing_is_decided(error, verdict):
    e = judged([0.0, error, 0.0], 1e-3, tolerance=0.05)
    assert e.verdict == verdict
    assert e.resolution == 0.05
    if verdict == "undecided":
        assert e.value == error
        assert "is within rounding of the tolerance 0.05" in e.sentence


def test_the_tolerance_scales_with_the_gain():
    assert judged([0.4], 1e-9, gain=10.0, tolerance=0.05).verdict == "holds"
    assert judged([0.6], 1e-9, gain=10.0, tolerance=0.05).verdict == "refuted"
    assert judged([0.6], 1e-9, gain=-10.0, tolerance=0.05).verdict == "refuted"


def test_a_tolerance_never_makes_up_for_a_coarse_bound():
    e = judged([0.0], 0.1, tolerance=0.1)
    assert e.verdict == "undecided"
    assert "below 20 % would not have been seen (the tolerance is 10 %)" in e.sentence
    assert judged([0.0], 0.05, tolerance=0.1).verdict == "holds"


def test_a_tight_tolerance_asks_for_more():
    assert judged([0.0], 1e-4).verdict == "holds"
    e = judged([0.0], 1e-4, tolerance=1e-6)
    assert e.verdict == "undecided"
    assert "(the tolerance is 1.0e-06)" in e.sentence


@given(
    deviation=st.floats(0, 1),
    tolerance=st.sampled_from([None, 0.003, 0.05, 0.3]),
    bound=st.floats(1e-12, 0.4),
    gain=st.floats(1e-3, 1e3),
    rounding=st.floats(-1, 1),
)
def test_no_deviation_beyond_the_stated_resolution_holds(
    deviation, tolerance, bound, gain, rounding
):
    """Whatever rounding does within its bound: a ``holds`` keeps its word, a refutation is due."""
    e = judged(abs(gain * deviation + rounding * bound), bound, gain=gain, tolerance=tolerance)
    if e.verdict == "holds":
        assert deviation <= e.resolution * (1 + 1e-9)
        assert e.resolution <= (tolerance or COARSEST)
    if e.verdict == "refuted":
        assert deviation > (tolerance or 0.0) * (1 - 1e-9)


# -- what was left out -----------------------------------------------------------------------------


def test_gaps_forbid_a_holds_and_are_named():
    gap = Omission("times", 2, "where the drift is not finite", "t = 0.999, 1")
    e = compared(0.0, 1e-9, "f", coverage=Coverage({"times": 32}, (gap,)))
    assert e.verdict == "undecided"
    assert e.sentence == (
        "f: no error is seen, but what was left out is not judged: 2 times (t = 0.999, 1), where "
        "the drift is not finite"
    )
    assert compared(1.0, 1e-9, "f", coverage=Coverage({"times": 32}, (gap,))).verdict == "refuted"


def test_a_small_part_is_named_and_allowed():
    part = Omission("points", 3, "where p underflows", scattered=True)
    e = compared(0.0, 1e-9, "f", coverage=Coverage({"points": 64}, (part,)))
    assert e.verdict == "holds"
    assert "left out: 3 points, where p underflows" in e.explain()


def test_all_left_out_is_nothing_to_judge():
    every = Omission("points", 64, "as you asked", wished=True)
    e = compared(0.0, 1e-9, "f.", coverage=Coverage({"points": 64}, (every,)))
    assert (e.verdict, e.sentence) == ("undecided", "f: there are no points to judge")
    assert compared(0.0, 1e-9, "f", coverage=Coverage({})).verdict == "undecided"


# -- evidence that a check made itself -------------------------------------------------------------


def test_settled_carries_both_and_lets_refutations_pass():
    refuted = settled(
        Evidence.measured(2.0, 1.0, "off"), resolution=0.5, coverage=Coverage({"points": 0})
    )
    assert (refuted.verdict, refuted.resolution) == ("refuted", 0.5)
    exact = settled(Evidence.exact(0, "words agree"), resolution=0, coverage=SEEN)
    assert (exact.verdict, exact.resolution) == ("holds", 0)
    assert "the arithmetic is exact" in exact.explain()
    assert (
        settled(Evidence.exact(0, "x"), resolution=math.nan, coverage=SEEN).verdict == "undecided"
    )
    assert (
        settled(Evidence.exact(0, "x"), resolution=0, coverage=SEEN, tolerance=0.1).resolution
        == 0.1
    )
    assert (
        settled(Evidence.undecided("float", "x"), resolution=0, coverage=SEEN).verdict
        == "undecided"
    )


# -- the guard -------------------------------------------------------------------------------------


def check(evidence):
    @public_check
    def check_something(x, tolerance=None):
        """Judges x."""
        return evidence

    return check_something


def test_the_guard_lets_honest_evidence_pass():
    holds = judged([0.0], 1e-9)
    assert check(holds)(1) == replace(holds, title="check_something")
    assert check(holds).__doc__ == "Judges x."
    refuted = Evidence.measured(2.0, 1.0, "off")
    assert check(refuted)(1).sentence == "off"
    accepted = judged([0.0], 0.02, tolerance=0.05)
    assert check(accepted)(1, tolerance=0.05).verdict == "holds"
    assert check(accepted)(1, 0.05).verdict == "holds"


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"denoiser": abs, "schedule": Coverage({})}, "abs"),
        ({"denoiser": lambda y: y, "schedule": Coverage({})}, ""),
        ({"denoiser": Coverage({})}, "Coverage"),
        ({"field": abs, "params": 0, "gradient": max}, "max"),
        ({"field": abs, "params": 0, "gradient": lambda x: x}, ""),
        ({"drift": abs, "density": None, "log_density": max}, "max"),
        ({"betas": np.ones(3), "add_noise": max}, "max"),
    ],
)
def test_a_title_names_what_is_judged_and_nothing_else(arguments, name):
    first = "schedule" if "betas" in arguments else next(iter(arguments))
    assert called_of(arguments, first) == name


def bare(**more):
    return Evidence.measured(0.0, 1.0, "fine", **more)


@pytest.mark.parametrize(
    "evidence",
    [
        bare(),
        bare(resolution=1e-9),
        bare(coverage=SEEN),
        bare(coverage=SEEN, resolution=0.02),
        bare(coverage=SEEN, resolution=math.nan),
        bare(coverage=Coverage({"points": 0}), resolution=1e-9),
        bare(coverage=Coverage({}), resolution=1e-9),
        bare(coverage=Coverage({"times": 9}, (Omission("times", 1, "lost"),)), resolution=1e-9),
    ],
)
def test_the_guard_stops_a_holds_that_says_nothing(evidence):
    with pytest.raises(ScoreproofError, match=r"check_something returned `holds` without saying"):
        check(evidence)(1)


def test_the_guard_holds_a_check_to_the_callers_tolerance():
    accepted = bare(coverage=SEEN, resolution=0.05)
    assert check(accepted)(1, tolerance=0.05).verdict == "holds"
    with pytest.raises(ScoreproofError, match="mistake of scoreproof's"):
        check(accepted)(1, tolerance=0.04)
    with pytest.raises(ScoreproofError, match="mistake of scoreproof's"):
        check(bare(coverage=SEEN, resolution=1e-3))(1, tolerance=1e-4)


def test_what_the_subjects_own_rounding_may_explain_is_neither_granted_nor_refuted():
    for error, verdict in ((0.001, "holds"), (0.02, "undecided"), (0.2, "refuted")):
        e = compared(
            [error, 0.0], 0.002, "f", coverage=SEEN, excuse=[0.1, 0.0], remedy="use float64"
        )
        assert e.verdict == verdict
        assert e.resolution == 0.004
        assert (verdict == "undecided") == ("what could be passed over: use float64" in e.sentence)
    # it excuses its own place only
    assert compared([0.0, 0.02], 0.002, "f", coverage=SEEN, excuse=[0.1, 0.0]).verdict == "refuted"
    with pytest.raises(ValueError, match="excuse must be >= 0"):
        compared([0.0], 0.1, "f", coverage=SEEN, excuse=-1.0)


def test_a_callable_that_leaves_is_an_error_wherever_it_is_called():
    @public_check
    def check_leaver(leave, **options):
        return leave()

    with pytest.raises(CallableError, match=r"check_leaver must .* \(it called sys.exit\(0\)\)"):
        check_leaver(lambda: sys.exit(0))


# -- what a check says itself, and several verdicts as one -----------------------------------------


def test_a_resolution_of_the_checks_own_replaces_that_of_the_bound():
    assert judged([0.0], 1e-12, resolution=1e-3).resolution == 1e-3
    coarse = judged([0.0], 1e-12, resolution=0.2, remedy="take more points")
    assert coarse.verdict == "undecided"
    assert "below 20 % would not have been seen (a verdict needs 1 %): take more points" in str(
        coarse.sentence
    )
    assert judged([0.0], 0.02, resolution=1e-3).verdict == "holds"
    # it changes neither a refutation nor a place of which nothing is known
    assert judged([1.0], 1e-12, resolution=0.5).verdict == "refuted"
    assert judged([0.0], math.inf, resolution=1e-9).resolution == math.inf


def test_the_weakest_of_several():
    fine, rough = judged([0.0], 1e-12), judged([0.0], 1e-3)
    unsure, wrong = judged([0.0], 0.1), judged([1.0], 1e-3)
    assert weakest([fine]) is fine
    assert weakest([fine, rough]) is rough
    assert weakest([rough, unsure, fine]) is unsure
    assert weakest([unsure, wrong, fine]) is wrong
    # of one that says nothing of what it saw nothing is known
    assert weakest([rough, bare(coverage=SEEN)]).resolution is None
