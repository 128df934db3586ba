"""What is seen when a wrong function is asked the same once more, and for rounded laws.

Conventions: as in `asking`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.interop.callables import Guarded
from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.asking import Answer, ask
from scoreproof.public.kl.laws import Laws

__all__ = ["asked_again"]

#: what two equal calls may differ by
SAME = 1e-3


def asked_again(guard: Guarded, answers: list[Answer], options: Options) -> Diagnosis | None:
    """It is no function, or it works in a coarser type than it is given and returns. ``answers``:
    those of the first batch.
    """
    whole = answers[0].asked
    first = np.concatenate([a.returned for a in answers])
    again = _returned(guard, whole, options)
    off = np.abs(again - first)
    k = int(np.argmax(off))
    if off[k] > SAME * abs(first[k]):
        return Diagnosis.cause(
            "random",
            f"Cause: two equal calls differ, {first[k]:.6g} and {again[k]:.6g} for the"
            " same laws: it is an estimate from random draws, not the divergence.",
        )
    if np.ptp(first) == 0:  # the same for all laws says nothing
        return None
    d = whole.shape[1]
    scales = (options.scale(whole.v0), options.scale(whole.v1, "second"))
    for name, rounded, eps in KINDS:
        v0, v1 = (
            options.variances(rounded(s), which, d)
            for s, which in zip(scales, ("first", "second"), strict=True)
        )
        laws = replace(whole, m0=rounded(whole.m0), v0=v0, m1=rounded(whole.m1), v1=v1)
        asked = options.scale(laws.v0)
        # the scale goes through the variance, and has to come out as it was rounded
        same = np.array_equal(rounded(asked), rounded(scales[0]))
        differs = not np.array_equal(asked, scales[0])
        if not (same and differs and np.array_equal(_returned(guard, laws, options), first)):
            continue
        moved = replace(whole, m0=whole.m0 * (1 + 8 * eps), m1=whole.m1 * (1 - 8 * eps))
        if np.all(_returned(guard, moved, options) != first):
            return Diagnosis.cause(
                "rounds_its_arguments",
                f"Cause: it works in {name}, whatever it is given: it returns the same, digit for"
                f" digit, when its arguments are rounded to {name}.",
            )
    return None


def _returned(guard: Guarded, laws: Laws, options: Options) -> np.ndarray:
    return np.concatenate([a.returned for a in ask(guard, laws, options)])


def _single(a: np.ndarray) -> np.ndarray:
    return np.asarray(a, np.float32).astype(float)


def _half(a: np.ndarray) -> np.ndarray:
    return np.asarray(a, np.float16).astype(float)


def _bfloat16(a: np.ndarray) -> np.ndarray:
    bits = np.asarray(a, np.float32).view(np.uint32).astype(np.uint64)
    whole = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return whole.astype(np.uint32).view(np.float32).astype(float)


#: the coarsest first: what is rounded to half precision is no other in single
KINDS = (
    ("float16", _half, 2.0**-10),
    ("bfloat16", _bfloat16, 2.0**-7),
    ("float32", _single, 2.0**-23),
)
