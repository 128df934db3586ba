"""Chains that are not affine: inside, where no law can be read off, or far out only: they clip.

Conventions: as in `rows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.evidence import Evidence
from scoreproof.public.sampler.chain import Chain
from scoreproof.public.sampler.rows import SIZE, Law
from scoreproof.public.sampler.runs import Runs

__all__ = ["Clip", "bent", "clip_of", "left_out"]

#: a deviation of the mean row beyond this is no affine chain
BENT = 1e-6
#: the same of all noise together, which trees of Brownian noise add up to so far
BENT_NOISE = 1e-4
#: roundings of the type that a chain may bend by
ROUGH = 1e3
#: far out a chain that clips bends by more
CLIPS = 1e-3
#: data in [-1, 1] are clipped at ±1, to rounding
USUAL = 0.99


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


@dataclass(frozen=True, slots=True)
class Clip:
    """``most``: the largest |x| that chains end at from far out; ``inside``: up to where the
    prediction stays in what is judged.
    """

    most: float
    inside: float

    @property
    def cuts(self) -> bool:
        """Whether it is closer than the usual one, at the ends of data in [-1, 1]."""
        return self.most < USUAL

    def said(self) -> str:
        text = (
            f"Far out it is not affine: it clips or thresholds the predicted x_0 (x ends within"
            f" ±{self.most:.3g} there). Judged where the prediction stays within"
            f" ±{self.inside:.2g}."
        )
        if self.most < self.inside:
            return f"{text} The clip at ±{self.most:.2g} lies inside that, which moves the law."
        return f"{text} Data beyond ±{self.most:.2g} are cut off by that." if self.cuts else text


def clip_of(chains: Sequence[Chain], eps: float) -> Clip | None:
    """What the chains clip or threshold x_0 to, if they do."""
    laws = [law for c in chains for law in [*(s.law for s in c.states), c.end]]
    far = max((_beyond(law.far, _rounded(law, eps)) for law in laws), default=0.0)
    if far <= CLIPS:
        return None
    width = max(float(np.max(c.data.width)) for c in chains)
    inside = float(np.max(np.abs(chains[0].data.mean))) + SIZE * width
    return Clip(max(c.end.most for c in chains), inside)


def left_out(evidence: Evidence, clip: Clip | None) -> Evidence:
    """What holds but for a clip that is closer than the usual one is undecided: what the clip does
    to the law of data that go beyond it was not looked at.
    """
    if evidence.verdict != "holds" or clip is None or not clip.cuts:
        return evidence
    text = (
        f"{evidence.sentence}; but x_0 is clipped or thresholded at ±{clip.most:.2g}, and the data"
        " go beyond: the law of what is cut off is not judged; clip at the ends of your data (±1"
        " for data in [-1, 1]), or leave the clip out for this check"
    )
    return replace(evidence, verdict="undecided", sentence=text)
