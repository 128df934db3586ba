"""An invariant law, and the steps that it was looked at with, in words."""

from __future__ import annotations

from collections.abc import Sequence as Many

import numpy as np

from scoreproof.public.corrector.affine import Affine
from scoreproof.public.corrector.arguments import Job
from scoreproof.public.corrector.refining import Law, Sequence

__all__ = ["factor_words", "of_the_law", "steps_words", "target_words"]

#: relative: entries that differ by less are told as one number
ALIKE = 1e-3


def steps_words(seen: Sequence, found: Many[Affine]) -> str:
    """``step_size 0.1 to 0.00039``."""
    if seen.by_step and found[0].h is not None and found[-1].h is not None:
        return f"step_size {found[0].h:.3g} to {found[-1].h:.2g}"
    return f"{found[0].rate:.2g} to {found[-1].rate:.2g} of the width"


def target_words(job: Job) -> str:
    """The law that is due."""
    if job.d == 1:
        text = "a Gaussian of one coordinate"
    else:
        text = f"a Gaussian of {job.d} correlated coordinates"
    return f"{text}, independent of v" if job.two else text


def of_the_law(law: Law, job: Job) -> str:
    """What is wrong with a law in whitened coordinates, the largest deviation first."""
    d = job.d
    parts = []
    blocks = [("the variance of x", slice(0, d))]
    if job.two:
        blocks.append(("the variance of v", slice(d, 2 * d)))
    for what, where in blocks:
        block = law.cov[where, where]
        values = np.linalg.eigvalsh(block)
        if values[-1] - values[0] <= ALIKE * max(abs(values[-1]), 1.0):
            if abs(values.mean()) <= ALIKE * ALIKE:
                parts.append(f"{what} is 0")
            elif abs(values.mean() - 1) > ALIKE * ALIKE:
                parts.append(f"{what} is {factor_words(float(values.mean()))} what is due")
        else:
            parts.append(
                f"{what} is {values[0]:.4g} times what is due in one direction and"
                f" {values[-1]:.4g} times in another"
            )
    mean = float(np.max(np.abs(law.mean)))
    if mean > ALIKE * ALIKE:
        parts.append(f"the mean is off by up to {mean:.3g} standard deviations")
    if not parts:
        parts.append(f"it is off by {np.max(np.abs(law.off(job.d))):.2g} standard deviations")
    return ", ".join(parts)


def factor_words(c: float) -> str:
    """``half``, ``twice``, ``3 times``.

    >>> factor_words(0.5), factor_words(2.0), factor_words(0.25)
    ('half of', 'twice', '0.25 times')
    """
    for value, words in ((0.5, "half of"), (2.0, "twice")):
        if abs(c - value) <= ALIKE * value:
            return words
    return f"{c:.4g} times"
