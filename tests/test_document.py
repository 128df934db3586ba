"""The JSON document: its schema, its honesty about failure, and that it does not depend on the
number of workers.
"""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from scoreproof.claims import load
from scoreproof.evidence import Evidence
from scoreproof.judge import exit_status, judge
from scoreproof.report.document import document, dumps, schema
from scoreproof.tasks import Outcome, plan, run_task
from scoreproof.verify import Run

LEAN = {"status": "not checked here", "reason": "a test"}
CLAIM = "gaussian_kl"


@pytest.fixture(scope="module")
def outcomes():
    return [run_task(task) for task in plan((CLAIM,), "quick", 0)]


def altered(outcomes, check, **evidence_changes):
    """The same outcomes with one check's truth changed."""
    return [
        (
            replace(o, evidence={n: replace(e, **evidence_changes) for n, e in o.evidence.items()})
            if (o.task.check, o.task.role) == (check, "truth")
            else o
        )
        for o in outcomes
    ]


def names(kind):
    return [c.name for c in load(CLAIM).checks if c.kind == kind]


def test_document_satisfies_its_schema(outcomes):
    run = Run((judge(CLAIM, outcomes),), "quick", 0, False)
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(json.loads(dumps(document(run, LEAN))), schema())
    partial = Run((judge(CLAIM, outcomes[:2]), judge(CLAIM, [])), "quick", 0, True)
    jsonschema.validate(json.loads(dumps(document(partial, LEAN))), schema())
    assert partial.status == 130


def test_same_bytes_for_one_and_two_workers(scoreproof, tmp_path):
    texts = []
    for workers in ("1", "2"):
        file = tmp_path / f"{workers}.json"
        done = scoreproof(
            "verify",
            "backprop",
            "variance_exploding",
            "--profile",
            "quick",
            "--workers",
            workers,
            "--no-timings",
            "-q",
            "--json",
            str(file),
        )
        assert done.returncode == 0, done.stderr
        texts.append(file.read_bytes())
    assert texts[0] == texts[1]


def test_json_to_standard_output_is_only_json(scoreproof):
    done = scoreproof("verify", CLAIM, "--profile", "quick", "--json", "-")
    assert json.loads(done.stdout)["status"] == done.returncode == 0


def test_a_refuted_truth_is_status_1(outcomes):
    result = judge(CLAIM, altered(outcomes, names("certified")[0], verdict="refuted"))
    assert (result.verdict, exit_status([result])) == ("refuted", 1)


def test_undecided_without_stronger_cover_is_status_3(outcomes):
    exact = altered(outcomes, names("exact")[0], verdict="undecided")
    for other in names("exact")[1:]:
        exact = altered(exact, other, verdict="undecided")
    result = judge(CLAIM, exact)
    assert (result.verdict, exit_status([result])) == ("undecided", 3)


def test_not_run_under_stronger_cover_is_no_failure_but_is_in_the_document(outcomes):
    check = names("float")[0]
    result = judge(CLAIM, altered(outcomes, check, verdict="not run"))
    assert (result.verdict, exit_status([result])) == ("holds", 0)
    doc = document(Run((result,), "quick", 0, False), LEAN)
    assert [c["verdict"] for c in doc["claims"][0]["checks"] if c["name"] == check] == ["not run"]


def test_a_missed_fault_is_status_4_before_1(outcomes):
    check = load(CLAIM).check(names("exact")[0])
    fault = next(f.name for f in load(CLAIM).faults if f.name not in check.blind)
    missed = [
        (
            replace(o, evidence={**o.evidence, fault: Evidence.exact(0, "planted")})
            if (o.task.check, o.task.role) == (check.name, "faults")
            else o
        )
        for o in outcomes
    ]
    result = judge(CLAIM, altered(missed, check.name, verdict="refuted"))
    assert exit_status([result]) == 4
    assert any(fault in failure for failure in result.failures)


def test_a_blind_pair_that_sees_is_status_4(outcomes):
    check, fault = next(((c.name, f) for c in load(CLAIM).checks for f in c.blind), (None, None))
    if check is None:
        pytest.skip("no blind pair here")
    seen = [
        (
            replace(o, evidence={**o.evidence, fault: Evidence.exact(1, "planted")})
            if (o.task.check, o.task.role) == (check, "faults")
            else o
        )
        for o in outcomes
    ]
    assert exit_status([judge(CLAIM, seen)]) == 4


def test_a_check_that_raises_is_status_4_and_loses_nothing(outcomes):
    last = outcomes[-1]
    result = judge(CLAIM, [*outcomes[:-1], Outcome(last.task, error="ValueError: planted")])
    assert exit_status([result]) == 4
    assert len(result.checks) == len(judge(CLAIM, outcomes).checks)


def test_statistical_evidence_alone_never_holds(outcomes):
    weak = outcomes
    for check in load(CLAIM).checks:
        weak = (
            altered(weak, check.name, verdict="undecided") if check.kind != "statistical" else weak
        )
    assert judge(CLAIM, weak).verdict != "holds"


def test_a_run_is_as_red_as_what_it_found():
    from scoreproof.report.table import as_verdict
    from scoreproof.verify import Run

    run = Run((), "quick", 0, False)
    said = {status: as_verdict(run, status) for status in (0, 1, 3, 4, 130)}
    assert said == {0: "holds", 1: "refuted", 3: "undecided", 4: "refuted", 130: "undecided"}
