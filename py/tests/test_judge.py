"""From outcomes to verdicts: folding, the two-sided kill matrix, separation, exit status."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from scoreproof import judge as module
from scoreproof.claims import load
from scoreproof.core import Check, Claim, Fault, Instance
from scoreproof.evidence import Evidence
from scoreproof.judge import SEPARATION, CheckResult, ClaimResult, exit_status, judge
from scoreproof.tasks import Outcome, Task


def evidence(verdict, kind="float", value=0.5, bound=1.0):
    return Evidence(kind, verdict, value, bound, verdict)


def check(name, kind, **more):
    return Check(
        name, kind, lambda s, i, r: evidence("holds"), lambda p: (Instance("i", id),), **more
    )


STRONG = check("strong", "exact", blind={"third": "it does not look there"})
MIDDLE = check("middle", "convergent", probes=("score",))
WEAK = check("weak", "float")
DRAWN = check("drawn", "statistical")


@pytest.fixture
def claim(monkeypatch):
    """Four checks, three faults; `judge` finds it under any name."""
    made = Claim(
        replace(load("tweedie").statement, name="some_claim"),
        None,
        (STRONG, MIDDLE, WEAK, DRAWN),
        tuple(Fault(n, None, "people write it") for n in ("first", "second", "third")),
        {},
    )
    monkeypatch.setattr(module, "load", lambda name: made)
    return made


def outcome(name, role, found=None, *, error=None, smallest=None, seconds=1.0):
    task = Task("some_claim", name, role, "quick", 0)
    return Outcome(task, found or {}, smallest or {}, seconds, error)


REFUTED = {
    "exact": evidence("refuted", "exact", 3.0, 0.0),
    "float": evidence("refuted", "float", 2e9),
}


def clean(**verdicts):
    """Outcomes of a run in which all is well, with the truth's verdicts as given."""
    out = []
    for c in (STRONG, MIDDLE, WEAK, DRAWN):
        verdict = verdicts.get(c.name, "holds")
        out.append(outcome(c.name, "truth", {"i": evidence(verdict, c.kind)}))
        found = {
            f: evidence("holds" if f in c.blind else "refuted", c.kind, 2e9)
            for f in ("first", "second", "third")
        }
        out.append(outcome(c.name, "faults", found))
    out.append(outcome("middle", "sharpness", smallest={"score": 1e-12}))
    return out


def test_all_is_well(claim):
    result = judge("some_claim", clean())
    assert (result.name, result.verdict, result.failures, result.complete) == (
        "some_claim",
        "holds",
        (),
        True,
    )
    assert result.seconds == 9.0
    assert [c.check.name for c in result.checks] == ["strong", "middle", "weak", "drawn"]
    assert [f.name for f in result.faults] == ["first", "second", "third"]
    assert result.faults[0].by == ("strong", "middle", "weak", "drawn")
    assert result.faults[2].by == ("middle", "weak", "drawn")
    assert result.faults[0].separation == math.inf, "an exact check refutes without a doubt"
    assert result.faults[2].separation == 2e9
    assert [f.refuted for f in result.faults] == [True] * 3
    assert judge("some_claim", clean()[::2]).faults[0].refuted is False
    assert result.smallest_by_kind() == {"convergent": 1e-12}
    assert exit_status([result]) == 0


# -- folding ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "expected", "status"),
    [
        ({"weak": "refuted"}, "refuted", 1),
        ({"drawn": "refuted"}, "refuted", 1),
        ({"weak": "undecided"}, "holds", 0),
        ({"weak": "not run"}, "holds", 0),
        ({"strong": "undecided"}, "undecided", 3),
        ({"strong": "not run"}, "undecided", 3),
        ({"middle": "undecided", "drawn": "not run"}, "holds", 0),
        ({"strong": "undecided", "middle": "undecided", "weak": "undecided"}, "undecided", 3),
        (
            {"strong": "not run", "middle": "not run", "weak": "not run", "drawn": "not run"},
            "undecided",
            3,
        ),
        ({"strong": "refuted", "weak": "undecided"}, "refuted", 1),
    ],
)
def test_open_checks_need_stronger_cover(claim, verdicts, expected, status):
    result = judge("some_claim", clean(**verdicts))
    assert result.verdict == expected
    assert exit_status([result]) == status


def test_statistics_alone_hold_nothing(claim):
    found = [o for o in clean() if o.task.check == "drawn"]
    result = judge("some_claim", found)
    assert (result.verdict, result.complete) == ("undecided", False)


def test_two_checks_of_one_kind_do_not_cover_each_other(claim):
    object.__setattr__(claim, "checks", (WEAK, replace(WEAK, name="other")))
    found = [
        outcome("weak", "truth", {"i": evidence("undecided")}),
        outcome("other", "truth", {"i": evidence("holds")}),
    ]
    assert judge("some_claim", found).verdict == "undecided"


def test_nothing_run_is_not_run(claim):
    result = judge("some_claim", [])
    assert (result.verdict, result.complete, result.checks, result.failures) == (
        "not run",
        False,
        (),
        (),
    )
    assert exit_status([result]) == 3


@pytest.mark.parametrize("missing", ["truth", "faults"])
def test_a_run_cut_short_is_not_complete(claim, missing):
    found = [o for o in clean() if not (o.task.check == "weak" and o.task.role == missing)]
    result = judge("some_claim", found)
    assert result.verdict == "holds" and not result.complete
    assert exit_status([result]) == 3
    assert result.failures == ()


def test_the_worst_instance_is_the_checks(claim):
    found = clean()
    both = {"i": evidence("holds"), "j": evidence("refuted"), "k": evidence("undecided")}
    found[4] = outcome("weak", "truth", both)
    result = judge("some_claim", found)
    assert result.checks[2].worst.verdict == "refuted"
    assert result.verdict == "refuted"


# -- the kill matrix -------------------------------------------------------------------------------


def with_fault(name, fault, seen):
    found = clean()
    for k, o in enumerate(found):
        if o.task.check == name and o.task.role == "faults":
            found[k] = replace(o, evidence={**o.evidence, fault: seen})
    return found


@pytest.mark.parametrize("verdict", ["holds", "undecided"])
def test_a_visible_fault_must_be_refuted(claim, verdict):
    result = judge("some_claim", with_fault("weak", "second", evidence(verdict)))
    assert result.failures == (f"weak should refute second, yet finds it {verdict}",)
    assert exit_status([result]) == 4


@pytest.mark.parametrize("verdict", ["refuted", "undecided"])
def test_a_blind_check_must_not_see(claim, verdict):
    result = judge("some_claim", with_fault("strong", "third", evidence(verdict, "exact", 1e10)))
    assert result.failures == (f"strong declares itself blind to third, yet finds it {verdict}",)


def test_a_check_that_could_not_run_fails_nothing(claim):
    for name, fault in (("weak", "second"), ("strong", "third")):
        assert judge("some_claim", with_fault(name, fault, evidence("not run"))).failures == ()


def far(value):
    """Only the float check separates the third fault, by so much."""
    found = with_fault("weak", "third", evidence("refuted", "float", value))
    for k, o in enumerate(found):
        if o.task.role == "faults" and o.task.check == "middle":
            found[k] = replace(o, evidence={**o.evidence, "third": evidence("not run")})
    return found


def test_every_fault_is_far_away(claim):
    assert judge("some_claim", far(SEPARATION)).failures == ()
    (failure,) = judge("some_claim", far(0.9 * SEPARATION)).failures
    assert failure == "no deterministic check separates third by 1e+09 (best 9e+08)"


def test_a_statistical_check_separates_nothing(claim):
    found = far(10.0)
    for k, o in enumerate(found):
        if o.task.role == "faults" and o.task.check == "drawn":
            seen = evidence("refuted", "statistical", 1e200)
            found[k] = replace(o, evidence={**o.evidence, "third": seen})
    (failure,) = judge("some_claim", found).failures
    assert "separates third" in failure and "(best 10)" in failure


def test_the_best_separation_counts(claim):
    found = with_fault("middle", "third", evidence("refuted", "convergent", 5e9))
    assert judge("some_claim", found).faults[2].separation == 5e9
    found = with_fault("middle", "third", evidence("refuted", "convergent", 5.0))
    assert judge("some_claim", found).faults[2].separation == 2e9


def test_an_exception_is_the_tools_failure(claim):
    found = [*clean()[:-1], outcome("middle", "sharpness", error="ValueError: no (at f, line 3)")]
    result = judge("some_claim", found)
    assert result.failures == ("middle (sharpness) raised ValueError: no (at f, line 3)",)
    assert result.verdict == "holds"
    assert exit_status([result]) == 4
    assert result.smallest_by_kind() == {}


# -- what a report shows ---------------------------------------------------------------------------


def claim_result(verdict, *checks, failures=(), complete=True):
    return ClaimResult("c", verdict, checks, (), failures, 0.0, complete)


def result_of(c, verdict, bound=1.0, smallest=None):
    return CheckResult(c, {"i": evidence(verdict, c.kind, bound=bound)}, 0.0, smallest or {})


def test_the_strongest_check_that_agrees():
    strong, weak = result_of(STRONG, "undecided", 0.0), result_of(WEAK, "holds")
    middle, other = result_of(MIDDLE, "holds"), result_of(replace(MIDDLE, name="other"), "holds")
    assert claim_result("holds", strong, weak, middle, other).strongest is middle
    assert claim_result("holds", other, middle).strongest is other, "the first of its kind"
    assert claim_result("undecided", weak, strong).strongest is strong
    assert claim_result("refuted", weak).strongest is None
    assert claim_result("holds").strongest is None


def test_the_hardest_carries_a_number():
    strong, weak = result_of(STRONG, "holds"), result_of(WEAK, "holds")
    empty = result_of(MIDDLE, "holds", bound=0.0)
    open_one = result_of(MIDDLE, "undecided")
    assert claim_result("holds", strong, empty, open_one, weak).hardest is weak
    assert claim_result("holds", weak, result_of(MIDDLE, "holds")).hardest.check is MIDDLE
    assert claim_result("holds", result_of(MIDDLE, "holds"), weak).hardest.check is MIDDLE
    assert claim_result("holds", strong, empty).hardest is None
    tiny = result_of(WEAK, "holds", bound=1e-15)
    assert claim_result("holds", tiny).hardest is tiny


def test_the_smallest_error_by_kind():
    results = (
        result_of(WEAK, "holds", smallest={"a": 1e-9, "b": 1e-12}),
        result_of(replace(WEAK, name="other"), "holds", smallest={"a": 1e-10}),
        result_of(MIDDLE, "holds", smallest={"a": 1e-6}),
    )
    assert claim_result("holds", *results).smallest_by_kind() == {
        "float": 1e-12,
        "convergent": 1e-6,
    }
    assert claim_result("holds").smallest_by_kind() == {}


def test_exit_status_takes_the_gravest():
    well, wrong = claim_result("holds"), claim_result("refuted")
    lost, absent = claim_result("undecided"), claim_result("not run")
    broken = claim_result("holds", failures=("raised",))
    assert exit_status([]) == 0
    assert exit_status([well, well]) == 0
    assert exit_status([well, lost]) == 3
    assert exit_status([absent, well]) == 3
    assert exit_status([lost, wrong, well]) == 1
    assert exit_status([wrong, broken, lost]) == 4
    assert exit_status([well, claim_result("holds", complete=False)]) == 3
