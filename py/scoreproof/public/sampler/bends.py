"""Chains that are not affine: inside, where no law can be read off, or far out only: they clip.

Conventions: as in `rows`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.evidence import Evidence
from scoreproof.public.sampler.chain import Chain
from scoreproof.public.sampler.rows import SIZE, Law
from scoreproof.public.sampler.runs import Runs

__all__ = ["bent", "said"]

#: a deviation of the mean row beyond this is no affine chain
BENT = 1e-6
#: the same of all noise together, which trees of Brownian noise add up to so far
BENT_NOISE = 1e-4
#: roundings of the type that a chain may bend by
ROUGH = 1e3
#: far out a chain that clips bends by more
CLIPS = 1e-3


def _rounded(law: Law, eps: float) -> float:
    """What rounding may bend a law by, in standard deviations: where x has gone down to (nearly)
    one point, or has grown beyond all measure, its numbers are far larger than these are.
    """
    return float(np.nan_to_num(ROUGH * eps * law.lost, nan=np.inf))


def bent(chain: Chain, runs: Runs) -> Evidence | None:
    """A chain that is not affine where it is asked has no law that could be read off."""
    laws = [s.law for s in chain.states]
    rough = max(BENT, ROUGH * runs.eps)
    bend, joint, tail, far = (
        max(_beyond(getattr(law, part), _rounded(law, runs.eps)) for law in laws)
        for part in ("bend", "joint", "tail", "far")
    )
    if bend > rough:
        text = (
            "x after a step is no affine function of x before it, although the model is (off by "
            f"{bend:.2g} standard deviations): it clips or bends x, or draws numbers that are not"
            " replaced (a generator of its own); switch clipping and thresholding off, or hand the"
            " generator in"
        )
        return Evidence.undecided("convergent", text)
    # where the start bends far out, x_0 is clipped, and far draws are no sign of anything else
    bent = max(BENT_NOISE, 10 * rough)  # a sum of many rows
    if joint > bent or (tail > bent and far <= rough):
        text = (
            "x is no affine function of the noise that is drawn (off by "
            f"{max(joint, tail):.2g} standard deviations): it bends, clips or weighs its noise, or"
            " rows depend on each other, so that the law cannot be read off; add the noise as drawn"
        )
        return Evidence.undecided("convergent", text)
    return None


def _beyond(size: float, rounding: float) -> float:
    return 0.0 if size <= rounding else size


def said(chains: Sequence[Chain], eps: float) -> list[str]:
    """That the chains clip or threshold x_0: to what, and where they were judged."""
    laws = [law for c in chains for law in [*(s.law for s in c.states), c.end]]
    far = max((_beyond(law.far, _rounded(law, eps)) for law in laws), default=0.0)
    if far <= CLIPS:
        return []
    data = chains[0].data
    width = max(float(np.max(c.data.width)) for c in chains)
    inside = float(np.max(np.abs(data.mean))) + SIZE * width
    most = max(c.end.most for c in chains)
    cut = f" Data beyond ±{most:.2g} are cut off by that." if most < 0.99 else ""
    return [
        f"Far out it is not affine: it clips or thresholds the predicted x_0 (x ends within"
        f" ±{most:.3g} there). Judged where the prediction stays within ±{inside:.2g}.{cut}"
    ]
