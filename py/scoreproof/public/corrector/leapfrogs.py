"""A leapfrog whose first or last kick is not half a step, recognised by where it ends.

Conventions: p + h/2 · score(x), then x + h p and p + h · score(x) in turn, then p + h/2 · score(x).
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.corrector.asking import Kernel
from scoreproof.public.corrector.pairs import Pairs

__all__ = ["of_the_path"]


def _named(name: str, words: str) -> Diagnosis:
    return Diagnosis.cause(name, f"Cause: {words}.")


def of_the_path(kernel: Kernel, pairs: Pairs) -> Diagnosis | None:
    """A leapfrog with a full step where half of one is due, recognised by where it ends."""
    h, target = kernel.job.h, pairs.target
    if h is None:
        return None
    gradient = lambda x: target.score(x.reshape((-1, *target.shape))).reshape(x.shape)  # noqa: E731
    for steps in range(1, 65):
        for name, (first, last, words) in PATHS.items():
            x, p = pairs.x, pairs.noise[0]
            p = p + first * h * gradient(x)
            for k in range(steps):
                x = x + h * p
                if k < steps - 1:
                    p = p + h * gradient(x)
            p = p + last * h * gradient(x)
            if np.max(np.abs(x - pairs.y)) <= 1e-6 and name == "right":
                # it goes the right way; the end of it is in the ratio alone
                return _kinetic(pairs, x, p, h, gradient(x))
            if np.max(np.abs(x - pairs.y)) <= 1e-6:
                return _named("leapfrog_first", words)
    return None


#: the first and last kick of a leapfrog, in steps
PATHS = {
    "right": (0.5, 0.5, ""),
    "full_first": (
        1.0,
        0.5,
        "the first kick of the leapfrog is a full step, p + h · score(x), where half is due: the"
        " path"
        " cannot be walked back",
    ),
    "none_first": (
        0.0,
        0.5,
        "the first half kick of the leapfrog is missing, p + h/2 · score(x): the path cannot be"
        " walked"
        " back",
    ),
}


def _kinetic(
    pairs: Pairs, x: np.ndarray, p: np.ndarray, h: float, gradient: np.ndarray
) -> Diagnosis | None:
    """The last kick in the ratio: by how much it is off."""
    start = np.sum(pairs.noise[0] ** 2, axis=1) / 2
    pi = pairs.log_p[1] - pairs.log_p[0]
    inside = pairs.log_a[0] < -1e-6
    for kick, words in (
        (
            0.5,
            "the last kick of the leapfrog is a full step, where half is due: p + h/2 · score(x)",
        ),
        (-0.5, "the last half kick of the leapfrog is missing: p + h/2 · score(x)"),
    ):
        end = p + kick * h * gradient
        value = np.minimum(pi + start - np.sum(end * end, axis=1) / 2, 0)
        if np.sum(inside) >= 2 and np.max(np.abs(value - pairs.log_a[0])) <= 1e-5:
            return _named("leapfrog_last", f"in the acceptance {words}")
    return None
