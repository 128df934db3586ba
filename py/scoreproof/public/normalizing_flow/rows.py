"""Do the rows of a batch depend on each other, or on how many there are?"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.normalizing_flow.asking import Flow
from scoreproof.public.normalizing_flow.frameworks import module_of
from scoreproof.public.normalizing_flow.look import ITERATED, Look
from scoreproof.public.rule import compared

__all__ = ["mixed", "of_sizes"]

ASKED = 3
ROUNDINGS = 256
#: rows of a larger batch, and numbers in it
LARGE, MOST = 80, 20_000
SOLVER = (
    "an adaptive solver's steps are those of the whole batch: fixed steps leave no such dependence,"
    " and tolerance= says how much of it is accepted"
)


def _dependence(flow: Flow, look: Look) -> tuple[float, float]:
    """By how much z, and log_det, of a row change when all other rows do."""
    z = det = 0.0
    for i in range(min(ASKED, len(look.x))):
        # between two rows: in the domain, and of another mean and extent than all of them
        others = (np.roll(look.x, 1, axis=0) + np.roll(look.x, 2, axis=0)) / 2
        others[i] = look.x[i]
        answer = flow.forward(others)
        size = 1 + float(np.max(np.abs(look.answer.z[i])))
        z = max(z, float(np.max(np.abs(answer.z[i] - look.answer.z[i]))) / size)
        if answer.how in ("rows", "entries") and answer.log_det is not None:
            assert look.answer.log_det is not None
            gap = abs(float(answer.log_det[i] - look.answer.log_det[i]))
            det = max(det, gap / (1 + abs(float(answer.log_det[i]))))
    return z, det


def mixed(look: Look) -> tuple[Evidence | None, bool]:
    """What is said of a z that depends on other rows; and whether log_det alone does."""
    flow = look.flow
    limit = ROUNDINGS * flow.eps * look.x.shape[1]
    z, det = _dependence(flow, look)
    if not z > limit:
        return None, bool(det > max(limit, flow.job.tolerance or 0.0))
    text = (
        f"{flow.job.name}: z of a row changes by {z:.3g} of its size when the other rows of the"
        " batch do: log |det ∂z/∂x| of a row is no log-density"
    )
    evidence = compared(
        [z],
        [limit],
        text,
        coverage=Coverage({"rows": min(ASKED, len(look.x))}),
        excuse=ITERATED,
        tolerance=flow.job.tolerance,
        remedy=SOLVER,
    )
    if evidence.verdict != "refuted":
        return evidence, False
    if _in_training(flow.object) and _cured(flow, look, limit):
        cause = Diagnosis.cause(
            "batch_statistics",
            "Cause: a batch normalisation in training mode takes mean and variance from the batch,"
            " so that the map is another one for each batch, and its log_det not that of a row's"
            " map. Judge, evaluate and sample with running statistics: call .eval() first.",
        )
    else:
        cause = Diagnosis.cause(
            "rows_mixed",
            "Cause: the rows of a batch are mixed, as by a mean or a norm over axis 0. Keep what"
            " is computed from x to each sample's own axes, and statistics of the data fixed.",
        )
    return replace(evidence, diagnosis=cause), False


def of_sizes(look: Look) -> Evidence | None:
    """z and log_det of the same rows in a batch of one, and in a larger one; ``None`` for a flow
    that draws random numbers, other ones for another number of rows.
    """
    flow, (n, d) = look.flow, look.x.shape
    if look.noise or look.answer.how == "part":
        return None
    copies = max(2, min(-(-LARGE // n), MOST // (n * d)))
    errors, bounds, sizes = [], [], []
    for x in (look.x[:1], np.tile(look.x, (copies, 1))):
        k = np.arange(len(x)) % n
        try:
            answer = flow.forward(x)
        except CallableError as raised:
            return _fails(look, len(x), raised)
        size = 1 + np.max(np.abs(look.answer.z), axis=1)
        blur = ROUNDINGS * flow.eps * d + 8 * np.max(look.rounding, axis=1) / size
        error = np.max(np.abs(answer.z - look.answer.z[k]), axis=1) / size[k]
        blur = blur[k]
        if answer.log_det is not None and look.answer.log_det is not None:
            due = look.answer.log_det[k]
            blur = blur + 8 * look.spread[k]
            gap = np.where(np.isfinite(due), np.abs(answer.log_det - due), 0.0)
            error = np.fmax(error, gap / (1 + np.abs(np.nan_to_num(due))))
        errors.append(np.max(error - blur))
        bounds.append(float(np.max(blur)))
        sizes.append(len(x))
    worst = int(np.argmax(errors))
    if not errors[worst] > 0:
        return None
    text = (
        f"{flow.job.name}: z and log_det of a row are others in a batch of {sizes[worst]} than in"
        f" one of {n}"
    )
    evidence = compared(
        [errors[worst] + bounds[worst]],
        [bounds[worst]],
        text,
        coverage=Coverage({"rows": sizes[worst]}),
        excuse=ITERATED,
        tolerance=flow.job.tolerance,
        remedy=SOLVER,
    )
    if evidence.verdict != "refuted":
        return evidence
    return replace(
        evidence,
        diagnosis=Diagnosis.cause(
            "batch_size",
            "Cause: what a row gets depends on how many rows there are, as by squeeze() of a batch"
            " of one, a size that is kept from another batch, or a sum over axis 0. Take the size"
            " from x, and name the axes that are squeezed and summed.",
        ),
    )


def _fails(look: Look, n: int, error: CallableError) -> Evidence:
    text = f"{look.flow.job.name}: it takes {len(look.x)} rows, and not {n}: {error.got}"
    cause = Diagnosis.cause(
        "batch_size_raises",
        f"Cause: a batch of {n} is of another shape to it, as by squeeze() or a size that is kept:"
        " name the axes that are squeezed, and take the size from x.",
    )
    return Evidence(
        "float", "refuted", np.inf, 0.0, text, diagnosis=cause, coverage=Coverage({"rows": n})
    )


def _in_training(flow: Any) -> bool:
    module = module_of(flow)
    return module is not None and any(m.training for m in module.modules())


def _cured(flow: Flow, look: Look, limit: float) -> bool:
    """Whether rows are apart with ``.eval()``; the mode is given back."""
    assert "torch" in sys.modules
    module = module_of(flow.object)
    before = [(m, m.training) for m in module.modules()]
    module.eval()
    try:
        still = Look(
            flow, look.where, look.x, flow.forward(look.x), look.jac, look.det, look.spread,
            look.rounding, look.noise,
        )  # fmt: skip
        return bool(_dependence(flow, still)[0] <= limit)
    finally:
        for m, mode in before:
            m.training = mode
