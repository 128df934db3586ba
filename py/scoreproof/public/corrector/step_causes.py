"""Why steps are no Langevin steps: clipped, mixed, of another size, by another rule.

Conventions: as in `steps` and `rules`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.public.corrector.asking import Kernel
from scoreproof.public.corrector.rules import RULE, due, mistakes
from scoreproof.public.corrector.steps import Placed, Steps, read_steps
from scoreproof.public.corrector.target import gaussian

__all__ = ["cause_of", "saturates"]

#: relative: sizes that agree to this are the same
SAME = 1e-6
#: of the score's entries: where it saturates, at least so many lie beyond
BEYOND = 3


def saturates(kernel: Kernel, draws: int) -> float | None:
    """Where the drift stops growing with the score, coordinate by coordinate: its bound on the
    score.
    """
    job = kernel.job
    if draws != 1:
        return None
    try:
        found = read_steps(kernel, gaussian(job.shape), draws, job.h, Placed(still=True))
    except CallableError:  # it divides by the size of its noise
        found = None
    if found is None:
        return None
    s, m = found.scores.ravel(), found.moved.ravel()
    order = np.argsort(np.abs(s))
    ratio = m[order] / s[order]
    first = float(np.median(ratio[: len(ratio) // 4]))
    c = np.max(np.abs(m)) / abs(first)
    clipped = first * np.clip(s, -c, c)
    fits = np.max(np.abs(m - clipped)) <= 1e-4 * np.max(np.abs(m))
    return float(c) if fits and np.sum(np.abs(s) > c * (1 + 1e-6)) >= BEYOND else None


def cause_of(
    kernel: Kernel, found: Steps, mixed: float, blur: float, draws: int
) -> Diagnosis | None:
    job = kernel.job
    if np.max(found.left) > 1e-3:
        c = saturates(kernel, draws)
        if c is not None:
            return Diagnosis.cause(
                "clipped",
                f"Cause: the score is clipped to ±{c:.4g}: beyond, x is pulled back less than p_t"
                " asks for. Take smaller steps instead of clipping.",
            )
        if mixed > 1e-3:
            return Diagnosis.cause(
                "rows_mixed",
                "Cause: the rows of a batch are mixed: what becomes of one sample depends on the"
                " others. Keep batch means out of the update.",
            )
        return None
    ratio = found.b**2 / (2 * found.a)
    if np.max(np.abs(found.b[-1])) <= 1e3 * blur * float(np.max(np.abs(found.b))) or not np.any(
        np.abs(found.b) > 1e-12
    ):
        return Diagnosis.cause(
            "mean_returned",
            "Cause: its last step returns x without noise (x_mean), as the end of a sampler may; a"
            " corrector returns x with it.",
        )
    c = float(np.median(ratio))
    if np.max(np.abs(ratio / c - 1)) <= 1e-3 and abs(c - 1) > 1e-4:
        if found.a.max() < 0:
            return Diagnosis.cause(
                "sign", "Cause: the drift has the wrong sign: it is + ε · score(x) (- ε · eps/σ)."
            )
        named = {
            0.5: ("root_two", "√2 is missing in the noise: √(2ε) z"),
            2.0: ("half", "the noise is √(2ε) z where the drift is ε/2 · score"),
        }
        for value, (name, words) in named.items():
            if abs(c / value - 1) <= 1e-3:
                return Diagnosis.cause(name, f"Cause: {words}.")
        text = f"Cause: the noise's variance is {c:.4g} times the 2ε that go with ε · score."
        return Diagnosis.cause("noise_size", text)
    if abs(c - 1) > 1e-4:
        whole = found.b / found.a
        if np.max(np.abs(whole / np.median(whole) - 1)) <= 1e-3:
            text = (
                "Cause: the noise is multiplied by the step size, where the root of twice the step"
                " is due: √(2ε) z."
            )
            return Diagnosis.cause("no_root", text)
        return None
    if not job.rule or job.snr is None:
        return None
    other = mistakes(found, job.snr, job.alpha)
    off = {n: float(np.max(np.abs(found.a / rule - 1))) for n, (rule, _) in other.items()}
    name = min(off, key=lambda n: off[n])
    if off[name] <= min(10 * blur, 1e-3) + SAME:
        return Diagnosis.cause(name, f"Cause: {other[name][1]} ({RULE}).")
    factor = found.a / due(found, job.snr, job.alpha)["mean"]
    if job.alpha == 1 and np.max(np.abs(factor / np.median(factor) - 1)) <= 1e-3:
        return Diagnosis.unknown("If the process is a VP one, its α, 1 - β_t, is named by alpha=.")
    return None
