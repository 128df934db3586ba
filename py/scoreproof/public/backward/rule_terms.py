"""A rule that leaves a term of the derivative out, or is taken at another scale of its argument.

Conventions: J is the right Jacobian, x the argument, y the node's value, g the gradient that
arrives; results are ``(name, words)`` as in `own_rules`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Local
from scoreproof.numerics.minimum import least

__all__ = ["scaled_argument", "term_missing"]

SCALES = 0.05 * 1.35 ** np.arange(21)  # 0.05 to 20
NARROW = 1e-10  # of the logarithm of a scale
APART = 1e-3  # a scale that is 1 is no cause
#: scales beside one that is a cause, at which the rule is another
ASIDE = (0.7, 1.4)


def term_missing(
    due: Leaves, found: Leaves, local: Local, g: Leaves, limit: float
) -> tuple[str, str] | None:
    """What is missing is, along an axis, a multiple of 1 or of the output: a sum over that axis."""
    gap = (due.flat() - found.flat()).reshape(due.arrays[0].shape)
    size = float(np.max(np.abs(gap)))
    within = limit * max(float(np.max(np.abs(due.flat()))), size)
    for axis in range(gap.ndim):
        if gap.shape[axis] > 2 and np.all(np.ptp(gap, axis=axis) <= 10 * limit * size):
            return (
                "mean_term_missing",
                f"all but a term that is the same for all entries along axis {axis}: the term of a"
                " mean or a sum over that axis is missing",
            )
    if len(local.value.arrays) != 1 or local.value.arrays[0].shape != gap.shape:
        return None
    y, arriving = local.value.arrays[0], g.arrays[0]
    for axis in range(gap.ndim):
        if gap.shape[axis] < 3:
            continue
        with np.errstate(all="ignore"):
            outputs = (("y", y, arriving * y, "Σ g y"), ("exp(y)", np.exp(y), arriving, "Σ g"))
        for name, u, terms, words in outputs:
            term = u * terms.sum(axis=axis, keepdims=True)
            for sign, shown in ((-1, "-"), (1, "+")):
                if np.all(np.abs(gap - sign * term) <= 10 * within):
                    return (
                        "sum_term_missing",
                        f"what is due without its term {shown}{name} {words} (the sum over axis"
                        f" {axis}; y is the node's value, g the arriving gradient): every output"
                        f" along axis {axis} depends on every argument; add that term",
                    )
    return None


def scaled_argument(
    due: Leaves, local: Local, k: int, g: Leaves, same: Callable[[Leaves], bool]
) -> tuple[str, str] | None:
    """Whether the rule is J(c x) for one number c: then it gives at x/c what is due at x.

    ``same``: whether this is what is due.
    """
    x, size = local.arguments[k], due.norm()
    if len(x.arrays) != 1 or x.size < 3 or size == 0:
        return None

    def sent(c: float) -> Leaves:
        moved = list(local.arguments)
        moved[k] = (1 / c) * x
        return local.elsewhere(moved).pull(g)[k]

    def off(c: float) -> float:
        gap = float(np.linalg.norm(sent(c).flat() - due.flat())) / size
        return gap if np.isfinite(gap) else np.inf

    try:
        coarse = [off(c) for c in SCALES]
        i = int(np.argmin(coarse))
        low, high = np.log(SCALES[max(i - 1, 0)]), np.log(SCALES[min(i + 1, SCALES.size - 1)])
        c = float(np.exp(least(lambda t: off(float(np.exp(t))), float(low), float(high), NARROW)))
        found = sent(c)
    except Exception:  # an argument that the function refuses
        return None
    if abs(c - 1) < APART or not same(found):
        return None
    for factor in ASIDE:  # a mask has the same slopes at many scales: then none is the cause
        with contextlib.suppress(Exception):
            if same(sent(c * factor)):
                return None
    shown, inverse = number(c, 1e-5), number(1 / c, 1e-5)
    return (
        "argument_scaled",
        f"what is due at {shown} times its argument: a factor on the argument is wrong or missing"
        f" in the backward (a temperature, a scale); multiply the argument by {inverse} in it",
    )
