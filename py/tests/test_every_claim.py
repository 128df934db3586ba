"""What every claim owes: the truth holds, the kill matrix is two-sided, every fault is far away,
the texts are there.
"""

from __future__ import annotations

import inspect
import re
from functools import cache

import pytest
from flint import fmpq

from scoreproof.claims import NAMES, load
from scoreproof.evidence import KINDS
from scoreproof.judge import SEPARATION, judge
from scoreproof.tasks import plan, run_check, run_task

CHECKS = [(name, check.name) for name in NAMES for check in load(name).checks]


@cache
def quick(name):
    """Everything `verify` does for one claim in the quick profile, once for all tests here."""
    outcomes = tuple(run_task(task) for task in plan((name,), "quick", 0))
    return outcomes, judge(name, outcomes)


@pytest.mark.parametrize("name", NAMES)
def test_truth_holds_and_every_fault_is_refuted(name):
    _, result = quick(name)
    assert not result.failures, "\n".join(result.failures)
    assert result.verdict == "holds"
    assert len(result.faults) >= 8
    assert all(fault.refuted and fault.separation >= SEPARATION for fault in result.faults)


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_kill_matrix_is_two_sided(name, check):
    outcomes, _ = quick(name)
    declared = load(name).check(check)
    (found,) = [o.evidence for o in outcomes if o.task.check == check and o.task.role == "faults"]
    assert set(declared.blind) <= {f.name for f in load(name).faults}
    for fault, evidence in found.items():
        if evidence.verdict == "not run":
            pytest.skip(evidence.sentence)
        expected = "holds" if fault in declared.blind else "refuted"
        assert evidence.verdict == expected, f"{check} on {fault}: {evidence.explain()}"
    assert all(len(reason) > 10 for reason in declared.blind.values())
    assert set(declared.blind) < set(found), "a check that sees no fault cannot fail"


@pytest.mark.parametrize("name", NAMES)
def test_sharpness_is_reported(name):
    _, result = quick(name)
    smallest = result.smallest_by_kind()
    assert smallest, "no check probes a coefficient"
    for kind, value in smallest.items():
        assert value <= {"certified": 1e-40, "float": 1e-13, "convergent": 1e-6}[kind], (
            kind,
            value,
        )


@pytest.mark.parametrize(("name", "check"), CHECKS)
def test_a_coefficient_off_by_nothing_is_the_truth(name, check):
    claim = load(name)
    declared = claim.check(check)
    assert set(declared.probes) <= set(claim.perturbations)
    for probe in declared.probes:
        subject = claim.perturbations[probe](0.0 if declared.kind != "certified" else fmpq(0))
        for evidence in run_check(claim, declared, subject, "faults", 0).values():
            assert evidence.verdict in ("holds", "not run"), (probe, evidence.explain())


@pytest.mark.parametrize("name", NAMES)
def test_evidence_is_more_than_statistical(name):
    kinds = {check.kind for check in load(name).checks}
    assert "exact" in kinds
    assert kinds <= set(KINDS)


@pytest.mark.parametrize("name", NAMES)
def test_another_seed_gives_the_same_verdict(name):
    tasks = [task for task in plan((name,), "quick", 20260401) if task.role == "truth"]
    for outcome in map(run_task, tasks):
        assert outcome.error is None
        for instance, evidence in outcome.evidence.items():
            assert evidence.verdict in ("holds", "not run"), (
                outcome.task.check,
                instance,
                evidence.explain(),
            )


@pytest.mark.parametrize("name", NAMES)
def test_texts_are_there(name):
    claim = load(name)
    statement = claim.statement
    assert statement.name == name
    for part in (
        statement.title,
        statement.formula,
        statement.latex,
        statement.source,
        statement.hypotheses,
        statement.errata,
        statement.blind_spots,
        statement.not_covered,
    ):
        assert part
    for check in claim.checks:
        assert len(check.doc) > 40, f"{check.name} does not say how it works"
    for fault in claim.faults:
        assert len(fault.why) > 10
    names = [f.name for f in claim.faults]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", NAMES)
def test_modules_open_with_their_conventions(name):
    import importlib

    module = importlib.import_module(f"scoreproof.claims.{name}.statement")
    assert "onvention" in (inspect.getdoc(module) or ""), (
        "the statement's module has no convention box"
    )


@pytest.mark.parametrize("name", NAMES)
def test_what_the_exact_core_leaves_out_names_the_dimensions(name):
    """Where an exact check is done in some dimensions, the others are not covered by it."""
    claim = load(name)
    named = {
        i.name
        for check in claim.checks
        if check.kind == "exact" and check.name != "designs"
        for i in check.instances("default")
        if re.search(r"\b[dD] = \d|dimension \d|plane", i.name)
    }
    told = any("imensions" in text for text in claim.statement.not_covered)
    assert told is bool(named), named
