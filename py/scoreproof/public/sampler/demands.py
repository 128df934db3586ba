"""What a caller asks for beside the laws: an order, and that data at one point are kept exactly.

Conventions: as in `convergence`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared, settled
from scoreproof.public.sampler import words
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.convergence import errors_of, inner, rounding
from scoreproof.public.sampler.runs import Runs

__all__ = ["in_order", "kept"]

#: an order may fall short by so much before it is refuted: it is measured between two numbers of
#: steps, where the next power of the step still has a part in it
SHORT = 0.3


def in_order(job: Job, runs: Runs, order: float) -> Evidence | None:
    """Whether the error falls as fast as was asked for."""
    if job.order is None:
        return None
    chains = runs.chains(True)
    sizes = [float(np.sqrt(np.mean(errors_of(c) ** 2))) for c in chains]
    text = (
        f"{job.name}: the error of the law falls with the power {order:.2f} of the step, asked for"
        f" is {job.order:g} ({words.trend(chains, sizes)}, rms)"
    )
    seen = Coverage({"levels": len(inner(chains[0]))})
    evidence = Evidence.measured(max(0.0, job.order - order), SHORT, text, kind="convergent")
    if evidence.verdict == "refuted":
        whole = max(0, round(order))
        text += (
            f": it converges as a method of order {whole}"
            if whole < job.order
            else ": it falls short of it (steps of a lower order at the start or the end?)"
        )
        evidence = replace(evidence, sentence=text)
    return settled(evidence, resolution=0.0, coverage=seen)


def kept(job: Job, runs: Runs) -> Evidence | None:
    """Whether data at one point keep their law at the caller's own number of steps."""
    if not job.exact:
        return None
    chain = runs.first()
    off, states = errors_of(chain), inner(chain)
    bound = min(max(2 * rounding(chain, s, runs.table) for s in states), 1e-3) + 0 * off
    k = int(np.argmax(np.abs(off).max(axis=(1, 2))))
    law = (
        f"with {chain.steps} steps data at one point have the law of the forward process after"
        f" every step (worst at {words.at_level(states[k].level)})"
    )
    text = f"{job.name}: {law}"
    seen = Coverage({"levels": len(states)})
    evidence = compared(off, bound, text, coverage=seen, tolerance=job.tolerance, kind="float")
    if evidence.verdict != "refuted":
        return evidence
    part, i = np.unravel_index(int(np.argmax(np.abs(off[k]))), off[k].shape)
    where = words.of_the_law(states[k].level, int(part), int(i), float(off[k][part, i]), job.shape)
    text = (
        f"{job.name}: with {chain.steps} steps {where} for data at one point, whose law a step of"
        " DDPM or DDIM keeps at any number of steps"
    )
    return replace(evidence, sentence=text)
