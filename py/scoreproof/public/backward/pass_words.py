"""Which known mistake a hand-written pass looks like: faults, alone and in pairs, and others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.claims.backprop.faults import FAULTS, REASONS, compose, version_of
from scoreproof.claims.backprop.statement import Loops
from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.backward.consumers import counting
from scoreproof.public.backward.engine_words import ENGINE_REASONS, distinct
from scoreproof.public.backward.engines import engine_pairs, engines
from scoreproof.public.backward.limits import limited, limiting_reasons, stopping
from scoreproof.public.backward.overwritten import overwritten
from scoreproof.public.backward.path_counts import paths_told
from scoreproof.public.backward.problems import Problem
from scoreproof.public.backward.walks import WALKS

__all__ = ["Answer", "pass_diagnosis", "predicted"]

PAIRS_UP_TO, WALKED_UP_TO = 400, 5000  # slots of all problems
SMALL = 40  # slots of a graph on which faults are tried in pairs
ONCE = "process each node once, after all of its consumers, in reverse topological order"
EXPLAINED = 1e-6  # of the deviation: sums are exact, or rounded by float64


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
    reasons = REASONS | ENGINE_REASONS | limiting_reasons(measured)
    candidates: dict[str, np.ndarray] = {}

    def flat(side: Sequence[np.ndarray]) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.concatenate(
                [(x / s[:, None, None]).ravel() for x, s in zip(side, scales, strict=True)]
            )

    got, right = flat(measured), flat(due)
    blur = flat([np.where(a.exact, 0.0, a.bound * a.absolute) for a in answers])

    def best() -> Diagnosis:
        with np.errstate(over="ignore", invalid="ignore"):
            limit = np.maximum(EXPLAINED * np.linalg.norm(got - right) / got.size**0.5, blur)
            return diagnose(got, right, candidates, reasons=reasons, limit=limit, read=False)

    candidates |= {f.name: predicted(f.subject, f.name, problems) for f in FAULTS}
    slots = sum(len(p.graph.edges) for p in problems)
    if slots <= WALKED_UP_TO:
        walked = {n: flat(x) for n, x in engines(problems, everything).items()}
        candidates |= distinct(walked, candidates)
    if (found := best()).names:
        return _with_paths(found, problems, measured)
    if slots <= WALKED_UP_TO:
        candidates |= {n: flat(x) for n, x in limited(problems, measured, due).items()}
        candidates |= stopping(problems, lambda loops, cut: predicted(loops, "", cut))
    if (found := best()).names:
        return found
    counts = counting(problems, measured)
    if counts is not None and counts.names:
        return counts
    if (one := overwritten(problems, measured)) is not None:
        return one
    if slots <= PAIRS_UP_TO:
        names = [f.name for f in FAULTS]
        for i, a in enumerate(names):
            for b in names[i + 1 :]:
                pair = compose((a, b))
                if pair is not None:
                    candidates[f"{a} + {b}"] = predicted(pair, f"{a} + {b}", problems)
        candidates |= distinct({n: flat(x) for n, x in engine_pairs(problems).items()})
        found = best()
    if not found.names and (paths := paths_told(problems, measured)) is not None:
        name, words = paths
        return Diagnosis.cause(name, f"Cause: {words}; {ONCE} ({name}).")
    if counts is not None and not found.names:
        return replace(found, sentence=f"{counts.sentence} {found.sentence}")
    return found


def _with_paths(
    found: Diagnosis, problems: Sequence[Problem], measured: Sequence[np.ndarray]
) -> Diagnosis:
    """A walk in a wrong order, with who sent too early here, or again."""
    if not {*WALKS, "push_breadth_first"} >= set(found.names):
        return found
    paths = paths_told(problems, measured)
    if paths is None:
        return found
    return replace(found, sentence=f"{found.sentence} {paths[1][0].upper()}{paths[1][1:]}.")
