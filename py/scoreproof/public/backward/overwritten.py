"""Does every node of a wrong pass hold one of the terms that its consumers send, the last one?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.backward.problems import Problem

__all__ = ["overwritten"]

SAME = 1e-9  # relative; sums are exact or rounded by float64


def overwritten(problems: Sequence[Problem], measured: Sequence[np.ndarray]) -> Diagnosis | None:
    """Claimed only if it is so of every node of every run, whichever the last term is."""
    chosen = 0
    for k, problem in enumerate(problems):
        for run, grad in zip(problem.runs, measured[2 * k : 2 * k + 2], strict=True):
            for v, out in enumerate(problem.graph.successors):
                if v == run.v_out:
                    continue
                terms = [grad[w] @ run.partials[s] for w, s in out if np.any(grad[w])]
                if not terms:
                    continue
                size = SAME * float(np.abs(grad[v]).max())
                if not any(np.all(np.abs(grad[v] - t) <= size) for t in terms):
                    return None
                chosen += len(terms) > 1
    if not chosen:
        return None
    return Diagnosis.cause(
        "assigns_in_another_order",
        "Cause: = for +=: a contribution overwrites those before it (every node holds one of the"
        " terms that its consumers send, where their sum is due). Add to the gradient (+=).",
    )
