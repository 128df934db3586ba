"""From outcomes to verdicts: per claim, per fault, and the exit status of a run.

Rules
-----
- A claim is refuted when any check refutes its truth. It holds when some check that is not
  statistical holds and every check that is undecided or not run has stronger cover: a check of a
  strictly stronger kind that holds.
- The kill matrix is two-sided. A pair (check, fault) declared visible must be refuted, one declared
  blind must hold, and every fault must be refuted by a deterministic check that separates it by
  ``SEPARATION``.
- Exit status: 0 all hold; 1 refuted; 3 undecided or not run without stronger cover; 4 the tool
  itself failed. 4 goes before 1 before 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from scoreproof.claims import load
from scoreproof.core import Check
from scoreproof.evidence import Evidence, Verdict, strength, worst
from scoreproof.tasks import Outcome

__all__ = ["SEPARATION", "CheckResult", "ClaimResult", "FaultResult", "exit_status", "judge"]

SEPARATION = 1e9


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check on the truth: its evidence by instance and the worst of it (``None`` until it has
    run).
    """

    check: Check
    evidence: dict[str, Evidence]
    seconds: float
    smallest: dict[str, float] = field(default_factory=dict)

    @property
    def worst(self) -> Evidence:
        return worst(list(self.evidence.values()))


@dataclass(frozen=True, slots=True)
class FaultResult:
    """One planted fault: the checks that refute it, and by how much the best deterministic one
    separates it.
    """

    name: str
    by: tuple[str, ...]
    separation: float

    @property
    def refuted(self) -> bool:
        return bool(self.by)


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """Everything found about one claim. ``failures`` lists what makes the tool itself unfit to
    judge it.
    """

    name: str
    verdict: Verdict
    checks: tuple[CheckResult, ...]
    faults: tuple[FaultResult, ...]
    failures: tuple[str, ...]
    seconds: float
    complete: bool

    @property
    def strongest(self) -> CheckResult | None:
        """The strongest check that decided as the claim did (the first of its kind in the claim's
        own order).
        """
        agreeing = [c for c in self.checks if c.worst.verdict == self.verdict]
        return max(agreeing, key=lambda c: strength(c.check.kind), default=None)

    @property
    def hardest(self) -> CheckResult | None:
        """The strongest check that carries a number against a bound (exact ones have neither)."""
        measured = [
            c
            for c in self.checks
            if c.worst.verdict == self.verdict and c.check.kind != "exact" and c.worst.bound > 0
        ]
        return max(measured, key=lambda c: strength(c.check.kind), default=None)

    def smallest_by_kind(self) -> dict[str, float]:
        """The smallest relative error of a coefficient that was refuted, by kind of evidence."""
        out: dict[str, float] = {}
        for result in self.checks:
            for value in result.smallest.values():
                out[result.check.kind] = min(value, out.get(result.check.kind, value))
        return out


def _fold(checks: Sequence[CheckResult]) -> Verdict:
    verdicts = [(c.check.kind, c.worst.verdict) for c in checks]
    if any(v == "refuted" for _, v in verdicts):
        return "refuted"
    holding = [strength(k) for k, v in verdicts if v == "holds" and k != "statistical"]
    open_ones = [strength(k) for k, v in verdicts if v in ("undecided", "not run")]
    if not holding:
        return "undecided" if verdicts else "not run"
    return "holds" if all(any(h > o for h in holding) for o in open_ones) else "undecided"


def _matrix_failures(check: Check, found: dict[str, Evidence]) -> Iterable[str]:
    for fault, evidence in found.items():
        if evidence.verdict == "not run":
            continue  # an extra is missing: the check saw nothing, on purpose and in print
        if fault in check.blind:
            if evidence.verdict != "holds":
                yield (
                    f"{check.name} declares itself blind to {fault}, yet finds it"
                    f" {evidence.verdict}"
                )
        elif evidence.verdict != "refuted":
            yield f"{check.name} should refute {fault}, yet finds it {evidence.verdict}"


def judge(name: str, outcomes: Sequence[Outcome]) -> ClaimResult:
    """Fold the outcomes of one claim's tasks (all of them, or those done before an interrupt)."""
    claim = load(name)
    by_role: dict[tuple[str, str], Outcome] = {(o.task.check, o.task.role): o for o in outcomes}
    failures = [f"{o.task.check} ({o.task.role}) raised {o.error}" for o in outcomes if o.error]
    checks, complete = [], True
    killers: dict[str, list[str]] = {f.name: [] for f in claim.faults}
    separation: dict[str, float] = {f.name: 0.0 for f in claim.faults}
    for check in claim.checks:
        truth, faults, sharp = (
            by_role.get((check.name, role)) for role in ("truth", "faults", "sharpness")
        )
        complete = complete and truth is not None and faults is not None
        if truth is not None and truth.evidence:
            checks.append(
                CheckResult(
                    check,
                    truth.evidence,
                    truth.seconds,
                    sharp.smallest if sharp is not None else {},
                )
            )
        if faults is not None:
            failures.extend(_matrix_failures(check, faults.evidence))
            for fault, evidence in faults.evidence.items():
                if evidence.verdict == "refuted":
                    killers[fault].append(check.name)
                    if check.kind != "statistical":
                        separation[fault] = max(separation[fault], evidence.separation)
    results = tuple(FaultResult(f, tuple(killers[f]), separation[f]) for f in killers)
    if complete:
        failures.extend(
            f"no deterministic check separates {r.name} by {SEPARATION:g} (best {r.separation:.3g})"
            for r in results
            if r.separation < SEPARATION
        )
    return ClaimResult(
        name,
        _fold(checks),
        tuple(checks),
        results,
        tuple(failures),
        sum(o.seconds for o in outcomes),
        complete,
    )


def exit_status(results: Sequence[ClaimResult]) -> int:
    """0, 1, 3 or 4, as in the module's docstring."""
    if any(r.failures for r in results):
        return 4
    if any(r.verdict == "refuted" for r in results):
        return 1
    if any(r.verdict != "holds" or not r.complete for r in results):
        return 3
    return 0
