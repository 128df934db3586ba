"""What a flow is: functions of x that return z and log_det, and of z that lead back.

Conventions: all functions here take and return what the user's library does, with the batch first.
``to_data``: forward leads from z to x, so that ``log p(x) = log p_Z(z) - log_det(z)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.interop.frameworks import require
from scoreproof.public.normalizing_flow.arguments import Job
from scoreproof.public.normalizing_flow.libraries import of_library
from scoreproof.public.normalizing_flow.written import called_with, of_names, untaken

__all__ = ["Form", "recognised"]


@dataclass(frozen=True, eq=False)
class Form:
    """``forward(x)`` and ``inverse(z)`` as described; ``adding(x, sums)`` is forward where it is
    handed a log_det to add to, ``handed(z, sums)`` the inverse. ``shape`` of a sample, where the
    object says so.
    """

    forward: Callable[[Any], Any]
    inverse: Callable[[Any], Any] | None = None
    log_prob: Callable[[Any], Any] | None = None
    base: Any = None
    adding: Callable[[Any, Any], Any] | None = None
    handed: Callable[[Any, Any], Any] | None = None
    to_data: bool = False
    shape: tuple[int, ...] | None = None


def recognised(flow: Any, job: Job, context: Any) -> Form:
    """The form of ``flow``, a copy of the job's or itself; ``context`` of the batch, or none."""
    known = of_library(flow, context)
    if job.options:
        beside = (job.inverse, job.log_prob)
        left = list(job.options) if known else untaken(flow, beside, job.options)
        if left:
            raise ArgumentError(
                "options",
                "of arguments that forward, the inverse or log_prob takes",
                ", ".join(map(repr, left)),
                "leave it away, or mend its name"
                if known is None
                else "pass a lambda: a transform of a library is asked without them",
            )
    form = Form(**(known or of_names(flow, job.options, context)))
    if job.inverse is not None:
        own = called_with(job.inverse, job.options, context)
        form = replace(form, inverse=own, handed=None)
    if job.log_prob is not None:
        form = replace(form, log_prob=called_with(job.log_prob, job.options, context))
    if job.base is not None:
        form = replace(form, base=job.base)
    if job.direction is not None:
        form = replace(form, to_data=job.direction == "z_to_x")
    if job.framework == "jax":
        parts = ("forward", "inverse", "log_prob")
        form = replace(form, **{p: _compiled(getattr(form, p)) for p in parts})
    return form


def _compiled(function: Any) -> Any:
    """By `jax.jit`, where that works: flows of many small operations take minutes without it."""
    if function is None:
        return None
    fast = [require("jax").jit(function)]

    def either(x: Any) -> Any:
        if fast:
            try:
                return fast[0](x)
            except Exception:  # it asks its argument for a value
                fast.clear()
        return function(x)

    return either
