"""Losses that ask their model several times: through which calls they train, and whether a target
is made of another answer of the model.

Conventions: calls go by the order in which they are made. Every call is answered another number,
for answers that are alike hide what is made of their difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.asking import Asking
from scoreproof.public.loss.given import Given
from scoreproof.public.loss.rows import Run

__all__ = ["sorted_out"]

#: relative: what answers may change of a gradient, or of a loss, that is not made of them
NOTHING = 1e-6
OWN_ANSWERS = (
    "its target is made of its model's own answer elsewhere ({calls} calls of the model;"
    " consistency training or distillation, shortcut models, progressive distillation, reflow): the"
    " exact model need not be its minimiser, and this check asks of losses whose target is made of"
    " x_0 and ε alone; pass the part of it that is one, or judge the model that came out"
)
TOGETHER = (
    "it is trained through {calls} calls of its model at once, and the gradient of one is not"
    " judged without the others; pass a loss with one of them (where one is the target of another,"
    " by the parameters of an EMA, it is no regression, and not judged here)"
)


def sorted_out(job: Job, asking: Asking, given: Given, first: Run) -> str | list[int] | None:
    """Why a loss cannot be judged, or which of its calls are to be judged each by itself; ``None``
    where it goes on as it is. ``first``: a run with what is given.
    """
    if asking.sorted_out or len(first.calls) < 2:
        return None
    asking.sorted_out = True
    found = _trained(job, asking, given, first)
    if isinstance(found, str):
        return found
    if len(found) > 1:
        return [k for k in found if k is not None]
    asking.only = found[0]
    # what was read of another call is read anew
    return None if asking.only is None else [asking.only]


def _trained(job: Job, asking: Asking, given: Given, first: Run) -> str | list[int | None]:
    """Which calls are judged (``None``: the only one that is trained), or why none can be."""
    count = len(first.calls)
    rng = np.random.default_rng([job.seed, 47])
    size = np.maximum(np.sqrt(np.mean(given.answers**2, axis=1)), 1e-3)[:, None]
    away = [size * rng.uniform(0.3, 0.9, given.answers.shape) for _ in range(2 * count)]
    apart = away[:count]

    def moved(which: list[int]) -> Run:
        others = [away[count + k] if k in which else apart[k] for k in range(count)]
        return asking.run(replace(given, others=tuple(others)))

    base = asking.run(replace(given, others=tuple(apart)))
    if len(base.calls) != count:
        return [None]
    if job.framework == "numpy":
        return _of_values(base, moved, first)
    trained = [k for k, c in enumerate(base.calls) if _any(c.gradient)]
    rest = [k for k in range(count) if k not in trained]
    if not trained:
        return [None]
    if rest and _changed(base, moved(rest), trained):
        return OWN_ANSWERS.format(calls=count)
    if len(trained) == 1:
        return [None if job.framework == "torch" else trained[0]]
    for k in trained:
        if _changed(base, moved([k]), [j for j in trained if j != k]):
            return TOGETHER.format(calls=len(trained))
    if not _alike(first, trained):
        return TOGETHER.format(calls=len(trained))
    return [*trained]


def _of_values(base: Run, moved: Callable[[list[int]], Run], first: Run) -> str | list[int | None]:
    """Of a NumPy loss, which has no gradients of its own: by what it returns."""
    runs = [moved([k]) for k in range(len(base.calls))]
    size = max(abs(base.value), 1e-300)
    trained = [k for k, r in enumerate(runs) if abs(r.value - base.value) > NOTHING * size]
    if len(trained) < 2:
        return [trained[0] if trained else None]
    if not _alike(first, trained):
        return OWN_ANSWERS.format(calls=len(runs))
    for j in trained:
        for k in [k for k in trained if k > j]:
            mixed = moved([j, k]).value - runs[j].value - runs[k].value + base.value
            if abs(mixed) > NOTHING * size:
                return TOGETHER.format(calls=len(trained))
    return [*trained]


def _any(gradient: np.ndarray | None) -> bool:
    return gradient is not None and bool(np.any(gradient))


def _changed(base: Run, other: Run, which: list[int]) -> bool:
    """Whether the gradient of one of these calls is another."""
    for k in which:
        one, two = base.calls[k].gradient, other.calls[k].gradient
        if one is None or two is None:
            return True
        if np.max(np.abs(two - one)) > NOTHING * np.max(np.abs(one)):
            return True
    return False


def _alike(run: Run, which: list[int]) -> bool:
    """Whether all are asked at one x and are told one time."""
    one = run.calls[which[0]]
    for k in which[1:]:
        other = run.calls[k]
        if not np.array_equal(one.x, other.x):
            return False
        if (one.label is None) != (other.label is None):
            return False
        pair = [a for a in (one.label, other.label) if a is not None]
        if pair and not np.array_equal(pair[0], pair[-1]):
            return False
    return True
