"""``check_loss``: is the exact model the minimiser of a training loss, and with which weight?

Conventions: ``x_t = α x_0 + σ ε``; σ is a standard deviation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.loss.arguments import Request, validate
from scoreproof.public.loss.asking import Asking
from scoreproof.public.loss.implicit_verdict import judge_implicit
from scoreproof.public.loss.reading import read
from scoreproof.public.loss.standin import DifferentiatedError
from scoreproof.public.loss.verdict import judge
from scoreproof.public.rule import public_check

__all__ = ["check_loss"]


@public_check
def check_loss(
    loss: Callable[..., Any],
    process: Any = None,
    *,
    prediction: str = "eps",
    weight: str | Callable[[float], float] | None = None,
    times: Sequence[float] | None = None,
    label: Callable[[float], float] | None = None,
    takes: Sequence[str] | None = None,
    shape: int | Sequence[int] = (4,),
    sigma_data: float = 0.5,
    encode: Callable[[Any], Any] | None = None,
    learned_variance: bool = False,
    matching: str | None = None,
    tolerance: float | None = None,
    framework: str | None = None,
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    job = validate(
        Request(
            loss,
            process,
            prediction,
            weight,
            times,
            label,
            takes,
            shape,
            sigma_data,
            encode,
            learned_variance,
            matching,
            tolerance,
            framework,
            dtype,
            seed,
        )
    )
    asking = Asking(job)
    if job.matching == "implicit":
        return judge_implicit(job, asking)
    try:
        found = read(job, asking)
    except DifferentiatedError:
        return judge_implicit(job, asking)
    if isinstance(found, str):
        seen = Coverage({"times": 0})
        return Evidence.undecided("float", found, coverage=seen, cost={"calls": asking.calls})
    return judge(job, found, asking)
