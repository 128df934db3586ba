"""A kernel without acceptance whose noise is uniform: whether that has the mean 0.

Conventions: only the first two moments of the noise count as steps get smaller; the second is read
off normal noise alone.
"""

from __future__ import annotations

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.corrector.asking import Kernel, zeros
from scoreproof.public.corrector.target import gaussian

__all__ = ["judge"]

ROWS = 16
#: what the step is divided by: a drift falls as much, noise by the root of it
FINER = 256.0
#: the first step, beside the target's widths
LARGEST = 1e-2


def judge(kernel: Kernel) -> Evidence:
    """Refuted where the middle of what is drawn moves x as noise does; else undecided."""
    job = kernel.job
    name = job.name
    text = (
        f"{name} draws uniform noise and accepts nothing: its law is no Gaussian one, so that it is"
        " not read off; draw normal noise (standard_normal, randn_like): a uniform number from 0 to"
        " 1 has the mean ½ and the variance 1/12"
    )
    undecided = Evidence.undecided("float", text)
    if job.h is None or job.two:
        return undecided
    target = gaussian(job.shape)
    k = np.arange(ROWS * job.d).reshape(ROWS, job.d)
    state = kernel.rounded(target.mean + np.sin(1.7 * k + 0.3) @ target.root.T)
    sizes = []
    for h in (LARGEST * job.h, LARGEST * job.h / FINER):
        moved = kernel(target, state, zeros, h).state - state
        sizes.append(float(np.sqrt(np.mean(moved**2))))
    blur = 64 * kernel.eps * float(np.max(np.abs(state)))
    ratio = sizes[0] / max(sizes[1], 1e-300)
    if sizes[1] <= blur or ratio > FINER**0.75:
        return undecided
    seen = Coverage({"rows": ROWS, "steps": 2}, span="what is drawn at its middle, ½")
    said = (
        f"{name}: its noise is drawn uniformly and has no mean 0: with all of it at the middle, ½,"
        f" x moves {ratio:.3g} times less for a step {FINER:g} times smaller, as noise does"
        f" (√{FINER:g} = {FINER**0.5:g}), and not as a drift"
    )
    cause = Diagnosis.cause(
        "uniform_noise",
        "Cause: the noise is uniform on [0, 1), of mean ½ and variance 1/12. Draw it by"
        " rng.standard_normal (torch.randn_like, jax.random.normal).",
    )
    return Evidence("float", "refuted", 1.0, 0.0, said, diagnosis=cause, coverage=seen)
