"""Do the rows of a batch depend on each other?"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.normalizing_flow.asking import Flow
from scoreproof.public.normalizing_flow.frameworks import module_of
from scoreproof.public.normalizing_flow.look import Look

__all__ = ["mixed"]

ASKED = 3
ROUNDINGS = 256
#: a dependence that an adaptive solver may leave, and what is said of it
SMALL = 1e-3
SOLVER = (
    " So small a dependence is also left by an adaptive solver, whose steps are those of the whole"
    " batch: tolerance= says how much of it is accepted, fixed steps leave none."
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
    """A refutation where z of a row depends on others; and whether log_det alone does."""
    flow = look.flow
    limit = ROUNDINGS * flow.eps * look.x.shape[1]
    limit = max(limit, flow.job.tolerance or 0.0)
    z, det = _dependence(flow, look)
    if not z > limit:
        return None, bool(det > limit)
    training = _in_training(flow.object)
    if training and _cured(flow, look, limit):
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
            " is computed from x to each sample's own axes, and statistics of the data fixed."
            + (SOLVER if z < SMALL else ""),
        )
    text = (
        f"{flow.job.name}: z of a row changes by {z:.3g} of its size when the other rows of the"
        " batch do: log |det ∂z/∂x| of a row is no log-density"
    )
    seen = Coverage({"rows": min(ASKED, len(look.x))})
    return Evidence("float", "refuted", z, limit, text, diagnosis=cause, coverage=seen), False


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
