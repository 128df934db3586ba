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

__all__ = ["asked_again"]

#: what two equal calls may differ by
SAME = 1e-3


def asked_again(guard: Guarded, first: Answer, options: Options) -> Diagnosis | None:
    """It is no function, or it works in a coarser type than it is given and returns."""
    again = ask(guard, first.laws, options).returned
    off = np.abs(again - first.returned)
    k = int(np.argmax(off))
    if off[k] > SAME * abs(first.returned[k]):
        return Diagnosis.cause(
            "random",
            f"Cause: two equal calls differ, {first.returned[k]:.6g} and {again[k]:.6g} for the"
            " same laws: it is an estimate from random draws, not the divergence.",
        )
    if np.ptp(first.returned) == 0:  # the same for all laws says nothing
        return None
    for name, rounded, eps in KINDS:
        b, scale = first.laws, (options.variances(rounded(s)) for s in (first.scale0, first.scale1))
        v0, v1 = scale
        laws = replace(b, m0=rounded(b.m0), v0=v0, m1=rounded(b.m1), v1=v1)
        asked = ask(guard, laws, options)
        # the scale goes through the variance, and has to come out as it was rounded
        same = np.array_equal(rounded(asked.scale0), rounded(first.scale0))
        differs = not np.array_equal(asked.scale0, first.scale0)
        if not (same and differs and np.array_equal(asked.returned, first.returned)):
            continue
        moved = replace(b, m0=b.m0 * (1 + 8 * eps), m1=b.m1 * (1 - 8 * eps))
        if np.all(ask(guard, moved, options).returned != first.returned):
            return Diagnosis.cause(
                "rounds_its_arguments",
                f"Cause: it works in {name}, whatever it is given: it returns the same, digit for"
                f" digit, when its arguments are rounded to {name}.",
            )
    return None


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
