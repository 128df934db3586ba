"""The verdict on a loss with the model's derivative in x, and its causes.

Conventions: as in `implicit`. A loss c (½|s|² + tr ∂s) has slope c (E[s · h] + E[tr ∂h]) = 0; what
is left is told as a part of c E[s · h].
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence
from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.asking import Asking
from scoreproof.public.loss.half import HALF
from scoreproof.public.loss.implicit import Derivatives, derivatives
from scoreproof.public.rule import compared

__all__ = ["judge_implicit"]

ROUNDINGS = 64.0
#: relative: a part so near to a number is it
SAME = 1e-5
CAUSES = {
    0.5: "½ is missing in front of |s|²: the loss is ½|s|² + tr ∂s, or |s|² + 2 tr ∂s",
    1.0: "the trace of the model's Jacobian is missing, or is not trained",
    2.0: "the sign of the trace is wrong: ½|s|² + tr ∂s is due",
    -1.0: "the trace counts twice: the loss is ½|s|² + tr ∂s, or |s|² + 2 tr ∂s",
    0.75: "½ is missing in front of |s|², and there is one in front of the trace",
}


def judge_implicit(job: Job, asking: Asking) -> Evidence:
    """Raises ``ArgumentError`` and ``CallableError``."""
    if job.prediction != "score":
        raise ArgumentError(
            "prediction",
            "'score' for a loss with the model's derivative in x",
            repr(job.prediction),
            "such a loss trains a score; wrap the model if it answers something else",
        )
    found = derivatives(job, asking)
    if found is None:
        text = "it noises its data at levels that it draws itself; let it take t as an argument"
        return Evidence.undecided("float", text, coverage=Coverage({"times": 0}))
    where = f" at t = {', '.join(f'{t:.4g}' for t in found.times)}" if found.noisy else ""
    span = (
        "Gaussian data in which coordinates depend on each other; model = score + θ h, h affine or"
        f" of second degree{where}; of laws that are not Gaussian the value is not looked at"
    )
    seen = Coverage({"times": len(found.times), "directions": found.slope.shape[1]}, (), span)
    unit = _unit(found)
    cost = {"calls": asking.calls}
    if np.any(unit <= 0):
        text = "the loss is not convex at the exact score: its second derivative is not above 0"
        cause = Diagnosis.cause("sign", "Cause: the sign of |s|² is wrong, or it is missing.")
        return Evidence(
            "float", "refuted", 1.0, 0.0, text, diagnosis=cause, coverage=seen, cost=cost
        )
    size = unit[:, None] * np.abs(found.inner)
    part = found.slope / (unit[:, None] * found.inner)
    bound = ROUNDINGS * asking.eps * (1 + found.size / size)
    evidence = compared(
        np.abs(part),
        bound,
        "the exact score is a stationary point of the loss, in"
        f" {part.shape[1]} directions{where}: its weight is {_shown(unit)}",
        coverage=seen,
        tolerance=job.tolerance,
        cost=cost,
    )
    if evidence.verdict == "holds" and asking.half:
        text = HALF.format(kind=" and ".join(sorted(asking.half)))
        return Evidence.undecided("float", text, coverage=seen, cost=cost)
    if evidence.verdict != "refuted":
        return evidence
    i, j = np.unravel_index(int(np.argmax(np.abs(part) / bound)), part.shape)
    text = (
        "the exact score is no stationary point of the loss: along one direction its derivative is"
        f" {part[i, j]:.4g} times that of its term ½|s|²"
        + (f" at t = {found.times[i]:.4g}" if found.noisy else "")
    )
    return _with(evidence, text, _cause(found, part, unit, bound))


def _with(evidence: Evidence, text: str, cause: Diagnosis) -> Evidence:
    return replace(evidence, sentence=text, diagnosis=cause)


def _unit(found: Derivatives) -> np.ndarray:
    """c of each time, of the affine directions."""
    return np.asarray(np.nanmean(found.curve / found.square, axis=1))


def _shown(unit: np.ndarray) -> str:
    if len(unit) == 1 or np.ptp(unit) <= 1e-6 * np.max(unit):
        return f"{unit[0]:.4g}"
    return ", ".join(f"{c:.4g}" for c in unit)


def _cause(found: Derivatives, part: np.ndarray, unit: np.ndarray, bound: np.ndarray) -> Diagnosis:
    by_value = found.by_value / (unit[:, None] * found.inner)
    if np.all(np.abs(by_value) <= 8 * bound):
        return Diagnosis.cause(
            "graph",
            "Cause: the loss has the right value, but training does not see all of it: the gradient"
            " in x is taken without create_graph=True, or is detached.",
        )
    value = float(part.ravel()[int(np.argmin(bound))])
    if np.all(np.abs(part - value) <= SAME + 8 * bound):
        for number, words in CAUSES.items():
            if abs(value - number) <= SAME + 8 * float(np.min(bound)):
                return Diagnosis.cause("trace", f"Cause: {words}.")
        return Diagnosis.cause(
            "trace",
            f"Cause: next to ½|s|² the trace of the Jacobian counts {1 - value:.4g} times what is"
            " due.",
        )
    return Diagnosis.unknown("No known fault explains it.")
