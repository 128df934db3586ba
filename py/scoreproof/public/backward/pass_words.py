"""Which known mistake a hand-written pass looks like: faults, alone and in pairs, and others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.claims.backprop.faults import FAULTS, REASONS, compose, version_of
from scoreproof.claims.backprop.statement import TRUTH, Loops
from scoreproof.diagnosis import diagnose
from scoreproof.objects.graphs import BackwardPass
from scoreproof.public.backward.problems import Problem

__all__ = ["Answer", "pass_diagnosis", "predicted"]

PAIRS_UP_TO = 400  # slots of all problems
SMALL = 40  # slots of a graph on which faults are tried in pairs


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


def pass_diagnosis(problems: Sequence[Problem], answers: Sequence[Answer]) -> Any:
    """Which known fault it is, on the smaller problems if it shows there."""
    small = [k for k, p in enumerate(problems) if len(p.graph.edges) <= SMALL]
    if any(np.any(a.error > a.bound * a.absolute) for a in answers if a.problem in small):
        answers = [a for a in answers if a.problem in small]
        problems = [problems[k] for k in small]
    scales = [s for p in problems for s in p.scales]

    def flat(side: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate(
            [(x / s[:, None, None]).ravel() for x, s in zip(side, scales, strict=True)]
        )

    got, right = flat([a.measured for a in answers]), flat([a.due for a in answers])
    candidates = {f.name: predicted(f.subject, f.name, problems) for f in FAULTS}
    with np.errstate(over="ignore", invalid="ignore"):
        found = diagnose(got, right, candidates, reasons=REASONS | _REASONS)
    if found.names and found.misfit < 1e-6:
        return found
    candidates |= _rounded(answers, flat) | _stopping(problems)
    with np.errstate(over="ignore", invalid="ignore"):
        found = diagnose(got, right, candidates, reasons=REASONS | _REASONS)
    if found.names and found.misfit < 1e-6:
        return found
    if sum(len(p.graph.edges) for p in problems) > PAIRS_UP_TO:
        return found
    names = [f.name for f in FAULTS]
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            pair = compose((a, b))
            if pair is not None:
                candidates[f"{a} + {b}"] = predicted(pair, f"{a} + {b}", problems)
    with np.errstate(over="ignore", invalid="ignore"):
        return diagnose(got, right, candidates, reasons=REASONS | _REASONS)


_REASONS = {
    "rounded_to_integers": "the right gradients, rounded to integers",
    "cut_to_integers": "the right gradients without their fractions (an integer type)",
    "float32": "the right gradients, rounded to float32 on the way",
    "clipped": "the right gradients, clipped",
}
_STOPS = (*range(1, 9), 12, 16, 20)
_REASONS |= {
    f"first_{k}_arguments": f"the loop stops after {k} arguments of a node" for k in _STOPS
}
_REASONS |= {
    f"first_{k}_consumers": f"the loop stops after {k} consumers of a node" for k in _STOPS
}


def _stopping(problems: Sequence[Problem]) -> dict[str, np.ndarray]:
    """Loops over the first k neighbours only."""
    out = {}
    for k in _STOPS:
        cut = [replace(p, runs=(_cut(p.runs[0], k), _cut(p.runs[1], k))) for p in problems]
        out[f"first_{k}_arguments"] = predicted(Loops(pull=TRUTH.push), "", cut)
        out[f"first_{k}_consumers"] = predicted(TRUTH, "", cut)
    return out


def _rounded(
    answers: Sequence[Answer], flat: Callable[[Sequence[np.ndarray]], np.ndarray]
) -> dict[str, np.ndarray]:
    """Right gradients that were changed at the end."""
    due = [a.due for a in answers]
    largest = max(float(np.abs(a.measured).max()) for a in answers)
    with np.errstate(over="ignore"):
        return {
            "rounded_to_integers": flat([np.rint(x) for x in due]),
            "cut_to_integers": flat([np.trunc(x) for x in due]),
            "float32": flat([x.astype(np.float32).astype(float) for x in due]),
            "clipped": flat([np.clip(x, -largest, largest) for x in due]),
        }


def _cut(run: BackwardPass, k: int) -> BackwardPass:
    return replace(
        run,
        predecessors=[links[:k] for links in run.predecessors],
        successors=[links[:k] for links in run.successors],
    )
