"""Which known mistake a hand-written pass looks like: faults, alone and in pairs, and others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.claims.backprop.faults import FAULTS, REASONS, compose, version_of
from scoreproof.claims.backprop.statement import Loops
from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.backward.consumers import counting
from scoreproof.public.backward.engines import ENGINE_REASONS, engine_pairs, engines
from scoreproof.public.backward.limits import limited, limiting_reasons, stopping
from scoreproof.public.backward.problems import Problem

__all__ = ["Answer", "pass_diagnosis", "predicted"]

PAIRS_UP_TO = 400  # slots of all problems
SMALL = 40  # slots of a graph on which faults are tried in pairs
EXPLAINED = 1e-6  # of the deviation: sums are exact, or rounded by float64
NEAR = 0.5  # a fault that leaves more than this is no hint


@dataclass(frozen=True, eq=False)
class Answer:
    """One run of the pass: what it returned, what was due, and what rounding may explain."""

    problem: int
    second: bool
    measured: np.ndarray
    due: np.ndarray
    absolute: np.ndarray
    bound: np.ndarray  # relative to ``absolute``
    exact: bool

    @property
    def wrong(self) -> bool:
        """Whether any entry is further off than rounding explains."""
        return bool(np.any(self.error > (0 if self.exact else self.bound * self.absolute)))

    @property
    def error(self) -> np.ndarray:
        return np.abs(self.measured - self.due)


def predicted(subject: Loops, name: str, problems: Sequence[Problem]) -> np.ndarray:
    """What a pass with this fault returns in both runs of every problem, in one vector, each
    gradient relative to its size.
    """
    version = subject.push if version_of(name) == "push" else subject.pull
    out = []
    with np.errstate(all="ignore"):
        for problem in problems:
            state = list(problem.runs[0].zeros)
            for run, scale in zip(problem.runs, problem.scales, strict=True):
                state = list(version(run, subject.prepare(run, list(state))))
                out.append((np.stack(state) / scale[:, None, None]).ravel())
    return np.concatenate(out)


def pass_diagnosis(problems: Sequence[Problem], answers: Sequence[Answer]) -> Diagnosis:
    """Which known mistake it is, on the smaller problems if it shows there; else the place."""
    everything = problems
    small = [k for k, p in enumerate(problems) if len(p.graph.edges) <= SMALL]
    if any(np.any(a.error > a.bound * a.absolute) for a in answers if a.problem in small):
        answers = [a for a in answers if a.problem in small]
        problems = [problems[k] for k in small]
    scales = [s for p in problems for s in p.scales]
    measured, due = [a.measured for a in answers], [a.due for a in answers]
    reasons = ENGINE_REASONS | REASONS | limiting_reasons(measured)
    candidates: dict[str, np.ndarray] = {}

    def flat(side: Sequence[np.ndarray]) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.concatenate(
                [(x / s[:, None, None]).ravel() for x, s in zip(side, scales, strict=True)]
            )

    def best() -> Diagnosis:
        with np.errstate(over="ignore", invalid="ignore"):
            return diagnose(flat(measured), flat(due), candidates, reasons=reasons)

    candidates |= {f.name: predicted(f.subject, f.name, problems) for f in FAULTS}
    candidates |= {n: flat(x) for n, x in engines(problems, everything).items()}
    if _explains(found := best()):
        return found
    candidates |= {n: flat(x) for n, x in limited(problems, measured, due).items()}
    candidates |= stopping(problems, lambda loops, cut: predicted(loops, "", cut))
    if _explains(found := best()):
        return found
    counts = counting(problems, measured)
    if counts is not None and counts.names:
        return counts
    if sum(len(p.graph.edges) for p in problems) <= PAIRS_UP_TO:
        names = [f.name for f in FAULTS]
        for i, a in enumerate(names):
            for b in names[i + 1 :]:
                pair = compose((a, b))
                if pair is not None:
                    candidates[f"{a} + {b}"] = predicted(pair, f"{a} + {b}", problems)
        candidates |= {n: flat(x) for n, x in engine_pairs(problems).items()}
        if _explains(found := best()):
            return found
    return _nearest(found, counts)


def _explains(found: Diagnosis) -> bool:
    return bool(found.names) and found.misfit < EXPLAINED


def _nearest(found: Diagnosis, counts: Diagnosis | None) -> Diagnosis:
    """No cause: where it is wrong, and the nearest known fault if it is near."""
    near = found.names[0] if found.names else found.runner_up[0] if found.runner_up else None
    text = "No known fault explains it."
    if near is not None and found.misfit <= NEAR:
        text = (
            "No known fault explains it; the nearest is"
            f" {near}, which leaves {100 * found.misfit:.2g} % of it."
        )
    if counts is not None:
        text = f"{counts.sentence} {text}"
    return replace(found, names=(), sentence=text)
