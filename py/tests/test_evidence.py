"""Evidence: the one rule by which each kind decides, and how an outcome reads."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from flint import acb, arb, fmpq

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import KINDS, VERDICTS, Evidence, strength, worst
from scoreproof.numerics.balls import decide, precision

NAN, INF = math.nan, math.inf


def test_kinds_and_verdicts_by_rank():
    assert [strength(k) for k in KINDS] == [5, 4, 3, 2, 1]
    assert KINDS[0] == "exact" and KINDS[-1] == "statistical"
    assert VERDICTS == ("refuted", "undecided", "not run", "holds")


@pytest.mark.parametrize("verdict", VERDICTS)
def test_only_holds_is_true(verdict):
    assert bool(Evidence("float", verdict, 0.0, 1.0, "x")) is (verdict == "holds")


# -- an error against a bound ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "bound", "verdict"),
    [
        (0.0, 0.0, "holds"),
        (1.0, 1.0, "holds"),
        (1.0 + 1e-15, 1.0, "refuted"),
        (1e-300, 0.0, "refuted"),
        (NAN, 1.0, "undecided"),
        (INF, 1.0, "undecided"),
        (0.0, NAN, "undecided"),
        (-1.0, -1.0, "undecided"),
        (0.5, INF, "holds"),
    ],
)
def test_measured(value, bound, verdict):
    e = Evidence.measured(value, bound, "a against b")
    assert (e.verdict, e.kind, e.sentence) == (verdict, "float", "a against b")
    assert e.value == pytest.approx(value, nan_ok=True)
    assert e.bound == pytest.approx(bound, nan_ok=True)
    assert type(e.value) is float and type(e.bound) is float
    assert (
        Evidence.measured(value, bound, "x", kind="convergent", notes=("n",)).kind == "convergent"
    )


def test_exact_counts():
    assert (Evidence.exact(0, "x").verdict, Evidence.exact(0, "x").kind) == ("holds", "exact")
    e = Evidence.exact(3, "x", kind="float", cost={"cases": 9})
    assert (e.verdict, e.value, e.bound, e.kind) == ("refuted", 3.0, 0.0, "float")
    assert e.cost == {"cases": 9}


# -- balls -----------------------------------------------------------------------------------------


def certified(*balls, radius=1e-10, **more):
    return Evidence.certified(balls, "the residual", radius=radius, **more)


def test_a_ball_about_zero_holds_only_if_it_is_small():
    """An enclosure says no more than its radius: [-1, 1] contains zero and shows nothing."""
    e = certified(arb(0, 1e-12))
    assert (e.verdict, e.kind, e.value) == ("holds", "certified", 0.0)
    assert e.bound == pytest.approx(1e-12)
    for wide in (arb(0, 1), arb(0, 2e-10), arb(1e-11, 1)):
        e = certified(wide)
        assert e.verdict == "undecided"
        assert e.bound >= 2e-10
    assert certified(arb(0, 2e-10), radius=3e-10).verdict == "holds"
    assert certified(arb(0, 1), radius=2.0).verdict == "holds"


def test_the_widest_ball_decides():
    assert certified(arb(0, 1e-12), arb(0, 1), arb(0, 1e-13)).verdict == "undecided"
    assert certified(arb(0, 1), arb(0, 1e-12)).verdict == "undecided"
    assert certified(arb(0, 1e-12), arb(0, 1e-11)).bound == pytest.approx(1e-11)


def test_both_parts_of_a_complex_ball_count():
    tight, wide = arb(0, 1e-12), arb(0, 1)
    assert certified(acb(tight, tight)).verdict == "holds"
    assert certified(acb(wide, tight)).verdict == "undecided"
    assert certified(acb(tight, wide)).verdict == "undecided"
    assert certified(acb(tight, 1)).verdict == "refuted"


def test_the_scale_divides_both():
    assert certified(arb(0, 1e-9)).verdict == "undecided"
    e = certified(arb(0, 1e-9), scale=100.0)
    assert (e.verdict, e.bound) == ("holds", pytest.approx(1e-11))
    assert certified(arb(0, 1e-11), scale=0.01).verdict == "undecided"
    e = certified(arb(3, 1), scale=4.0)
    assert (e.verdict, e.value, e.bound) == ("refuted", pytest.approx(0.5), pytest.approx(0.25))


def test_an_excluded_zero_refutes_whatever_else():
    e = certified(arb(0, 1e-12), arb(1, 0.5), arb(0, 9))
    assert (e.verdict, e.value) == ("refuted", pytest.approx(0.5))
    assert certified(arb(-2, 0.5)).value == pytest.approx(1.5)
    assert certified(arb(1, 0.5), arb(3, 0.5), arb(2, 0.5)).value == pytest.approx(2.5)
    assert certified(arb(1, 0.5), arb("nan")).verdict == "refuted"


def test_an_exclusion_below_the_floats_still_refutes():
    with precision(4000):
        tiny = arb(fmpq(1, 10**500))
        e = certified(tiny)
    assert e.verdict == "refuted"
    assert 0 < e.value < 1e-300
    assert e.separation == INF


def test_no_ball_or_no_finite_ball_decides_nothing():
    empty = certified()
    assert (empty.verdict, empty.value, empty.bound) == ("undecided", 0.0, 0.0)
    assert certified(arb("nan")).verdict == "undecided"
    assert certified(arb(0), arb("nan"), arb(0)).verdict == "undecided"
    assert certified(arb("nan"), arb(0)).verdict == "undecided"
    assert certified(arb(0), arb("inf") * 0).verdict == "undecided"


def test_precision_is_doubled_until_the_balls_are_small():
    seen = []

    def residuals():
        from flint import ctx

        seen.append(ctx.prec)
        return [arb(2).sqrt() ** 2 - 2]

    e = decide(residuals, "√2² - 2", radius=1e-200)
    assert (e.verdict, seen, e.cost) == ("holds", [256, 512, 1024], {"bits": 1024})
    seen.clear()
    e = decide(residuals, "√2² - 2", radius=1e-200, start_bits=64, max_bits=255)
    assert (e.verdict, seen) == ("undecided", [64, 128])
    seen.clear()
    assert decide(residuals, "x", radius=1e-30, scale=1e-150).verdict == "holds"
    assert seen == [256, 512, 1024]
    assert decide(lambda: [arb(1)], "x", radius=1e-9).cost == {"bits": 256}


# -- sequences -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("errors", "order", "verdict"),
    [
        ([1e-3, 1e-6, 1e-9], 4.0, "holds"),
        ([1e-3, 1e-6, 1e-9], 3.5, "holds"),
        ([1e-3, 1e-6, 1e-9], 3.4, "undecided"),
        ([1e-9, 1e-8, 1e-9], 0.0, "holds"),
        ([1.1e-8, 1e-8, 1e-9], 0.0, "undecided"),
        ([1e-3, 1e-6, 1.1e-8], 4.0, "refuted"),
        ([1e-3, 1e-6, 1e-8], 4.0, "holds"),
        ([1e-3, NAN, 1e-9], 4.0, "undecided"),
        ([1e-3, 1e-6, INF], 4.0, "undecided"),
    ],
)
def test_convergent(errors, order, verdict):
    e = Evidence.convergent(errors, order, 4.0, 1e-8, "x")
    assert (e.verdict, e.kind, e.bound) == (verdict, "convergent", 1e-8)
    assert e.value == pytest.approx(errors[-1])


def test_the_order_that_is_missed_may_be_set():
    errors = [1e-3, 1e-6, 1e-9]
    assert Evidence.convergent(errors, 3.0, 4.0, 1e-8, "x", order_slack=1.0).verdict == "holds"
    assert Evidence.convergent(errors, 3.9, 4.0, 1e-8, "x", order_slack=0.0).verdict == "undecided"
    assert Evidence.convergent(errors, 2.0, 2.0, 1e-8, "x").verdict == "holds"
    assert Evidence.convergent(errors, 2.0, 2.0, 1e-10, "x").verdict == "refuted"


# -- tests of hypotheses ---------------------------------------------------------------------------


def test_statistical():
    e = Evidence.statistical(0.2, 1e-6, "a shift of 1 % with 99 %", "means agree")
    assert (e.verdict, e.kind, e.bound) == ("holds", "statistical", 1.0)
    assert e.value == pytest.approx(5e-6)
    assert e.sentence == (
        "means agree (p = 0.2, false-alarm rate 1e-06, power: a shift of 1 % with 99 %)"
    )
    assert Evidence.statistical(1e-6, 1e-6, "w", "x").verdict == "holds"
    e = Evidence.statistical(1e-7, 1e-6, "w", "x")
    assert (e.verdict, e.value) == ("refuted", pytest.approx(10.0))
    assert Evidence.statistical(0.0, 1e-6, "w", "x").value == pytest.approx(1e294)
    assert Evidence.statistical(0.0, 1.0, "w", "x").value == pytest.approx(1e300)
    e = Evidence.statistical(NAN, 1e-6, "w", "x", notes=("n",))
    assert (e.verdict, e.sentence, e.notes) == (
        "undecided",
        "x (no p-value could be computed)",
        ("n",),
    )


def test_neither_way():
    e = Evidence.undecided("certified", "no bits left", cost={"bits": 9})
    assert (e.verdict, e.kind, e.sentence, e.cost) == (
        "undecided",
        "certified",
        "no bits left",
        {"bits": 9},
    )
    assert math.isnan(e.value) and math.isnan(e.bound)
    e = Evidence.not_run("float", "pip install x")
    assert (e.verdict, e.kind, e.sentence) == ("not run", "float", "pip install x")
    assert math.isnan(e.value) and math.isnan(e.bound)


# -- reading ---------------------------------------------------------------------------------------


def test_separation():
    assert Evidence.measured(5.0, 2.0, "x").separation == 2.5
    assert Evidence.measured(1.0, 2.0, "x").separation == 0.5
    assert Evidence.measured(5.0, 0.0, "x").separation == INF
    assert Evidence.measured(0.0, 0.0, "x").separation == 0.0
    assert Evidence.exact(1, "x").separation == INF
    assert Evidence.exact(0, "x").separation == 0.0
    assert certified(arb(3, 1)).separation == INF
    assert certified(arb(0, 1)).separation == 0.0
    e = Evidence.convergent([1.0, 3.0], 1.0, 1.0, 2.0, "x")
    assert (e.verdict, e.separation) == ("refuted", 1.5)


def test_explain():
    seen = Coverage({"points": 2})
    e = Evidence.measured(
        1e-15, 1e-14, "a is b.", resolution=2e-14, coverage=seen, notes=("Note.",)
    )
    assert e.explain() == (
        "Holds (float): a is b (error 1e-15, bound 1e-14). A relative deviation of 2.0e-14 would "
        "have been seen, at the least favourable place. Looked at 2 points; nothing was left out. "
        "Note."
    )
    e = Evidence.measured(1.0, 1e-14, "a is not b", resolution=2e-14, coverage=seen)
    assert e.explain() == "Refuted (float): a is not b (error 1, bound 1e-14)."
    e = Evidence.undecided("float", "lost", resolution=0.5, coverage=seen)
    assert e.explain() == "Undecided (float): lost. Looked at 2 points; nothing was left out."
    e = Evidence.exact(0, "words", resolution=0)
    assert e.explain() == (
        "Holds (exact): words (error 0, bound 0). Any deviation would have been seen: the "
        "arithmetic is exact."
    )
    e = Evidence.measured(0.5, INF, "half").with_diagnosis(
        Diagnosis(("minus",), 0.0, None, "A sign.")
    )
    assert e.explain() == "Holds (float): half. A sign."


def test_repr_is_one_line():
    assert repr(Evidence.measured(0.5, 0.25, "x")) == (
        "<Evidence refuted (float): error 0.5, bound 0.25; x>"
    )


def test_to_dict():
    found = Diagnosis(("minus", "half"), NAN, None, "A sign.")
    e = Evidence.undecided("float", "x", diagnosis=found, notes=("n",), cost={"calls": 3})
    assert e.to_dict() == {
        "kind": "float",
        "verdict": "undecided",
        "value": None,
        "bound": None,
        "resolution": None,
        "coverage": None,
        "sentence": "x",
        "explanation": "Undecided (float): x. A sign. n",
        "diagnosis": {"names": ["minus", "half"], "misfit": None, "sentence": "A sign."},
        "notes": ["n"],
        "cost": {"calls": 3},
        "order": None,
        "table": None,
        "title": "",
    }
    seen = Coverage({"points": 2})
    d = Evidence.measured(Fraction(1, 4), 1, "x", resolution=0.125, coverage=seen).to_dict()
    assert (d["value"], d["bound"], d["resolution"], d["diagnosis"]) == (0.25, 1.0, 0.125, None)
    assert d["coverage"] == seen.to_dict()


def test_worst():
    holds, nearer = Evidence.measured(0.1, 1.0, "a"), Evidence.measured(0.9, 1.0, "b")
    lost, wrong = Evidence.undecided("float", "c"), Evidence.measured(2.0, 1.0, "d")
    missing, far = Evidence.not_run("float", "e"), Evidence.measured(9.0, 1.0, "f")
    assert worst([holds, nearer]) is nearer
    assert worst([nearer, holds]) is nearer
    assert worst([nearer, missing]) is missing
    assert worst([missing, lost, holds]) is lost
    assert worst([wrong, lost, far, holds]) is far
    assert worst([holds]) is holds
    narrow, wide = (Evidence("certified", "holds", 0.0, r, "j") for r in (1e-75, 1e-73))
    assert worst([narrow, wide, narrow]) is wide
    assert worst([lost, Evidence.undecided("float", "g")]) is lost
    small = Evidence("float", "undecided", 0.5, 1.0, "h")
    assert worst([lost, small]) is small, "a value that is no number alarms least"
    assert worst([Evidence("float", "undecided", INF, INF, "i"), small]) is small
    with pytest.raises(ValueError, match="evidence must be a non-empty sequence"):
        worst([])
