"""What `check_schedule` was given, gathered from an object, a mapping or single tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.objects.discrete import DiscreteVE
from scoreproof.public.arguments import accepted, count
from scoreproof.public.schedule.configured import (
    Formula,
    flow,
    form_of_betas,
    form_of_sigmas,
    prediction_of,
    setting,
    visits_its_own,
)
from scoreproof.public.schedule.forms import BETA_FORMS, SIGMA_FORMS
from scoreproof.public.schedule.reading import Read, base_of, finite, member, read
from scoreproof.public.schedule.spacing import SPACINGS
from scoreproof.public.schedule.tables import Base, named

__all__ = ["Formula", "Given", "Request", "gathered"]

#: methods that noise data, by the name that public code gives them; the last takes noise last
FORWARD = ("add_noise", "q_sample", "scale_noise")


@dataclass(frozen=True, eq=False)
class Request:
    """The arguments of `check_schedule` as they were given."""

    schedule: Any
    tables: Mapping[str, Any]
    form: str | None
    form_options: Mapping[str, Any] | None
    spacing: str | None
    steps_offset: int | None
    num_train_timesteps: int | None
    prediction: str | None
    add_noise: Callable[..., Any] | None
    shape: Any
    tolerance: float | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Given:
    """Tables by their names ``(T,)`` with the roundoff of their types, and what else is known.

    ``base`` is what the tables are judged by (``None`` where there is a list of σ only), ``flow``:
    x_t = (1 - σ) x_0 + σ noise. ``asked``: the spacing was named by the caller, ``listed``: the
    timesteps were. ``own``: σ have a form of their own, which timesteps follow.
    """

    name: str
    holder: Any
    base: Base | None
    source: str
    tables: dict[str, Read]
    sigmas: np.ndarray | None
    sigmas_eps: float
    timesteps: np.ndarray | None
    start: float | None
    final: float | None
    forward: Callable[..., Any] | None
    noise_last: bool
    flow: bool
    betas_form: Formula | None
    sigmas_form: Formula | None
    spacing: str | None
    asked: bool
    listed: bool
    own: bool
    offset: int
    total: int | None
    prediction: str | None
    shape: tuple[int, ...] | None
    tolerance: float | None


def gathered(request: Request) -> Given:
    """All that is there; raises ``ArgumentError``."""
    holder = request.schedule
    found = read(holder, request.tables)
    sigmas, sigmas_eps = _list("sigmas", found)
    timesteps, _ = _list("timesteps", found)
    base, source = base_of(found)
    if base is None and (sigmas is None or found):
        if isinstance(holder, (list, tuple)) or hasattr(holder, "shape"):
            raise ArgumentError(
                "schedule",
                "an object or mapping that says which table it has",
                f"a bare {type(holder).__name__}",
                "name it: check_schedule(betas=…) or (sigmas=…); for the shell, a dict of it,"
                " mine = dict(sigmas=…)",
            )
        raise ArgumentError(
            "schedule",
            "betas, alphas_cumprod, sigmas or a log-SNR, as an argument or in an object",
            ", ".join(found) or ("none of them" if holder is None else _type(holder)),
            "pass check_schedule(betas=…) or the scheduler itself",
        )
    if base is not None:
        _lengths(found, base, source)
    if sigmas is not None:
        _sorted(sigmas, named_by_caller=request.tables.get("sigmas") is not None)
    spacing = request.spacing or setting(holder, "spacing")
    if spacing is not None and spacing not in SPACINGS:
        raise ArgumentError(
            "spacing", f"one of {', '.join(SPACINGS)}", repr(spacing), "or leave it out"
        )
    total = _total(request, base)
    name = next((n for n in FORWARD if callable(member(holder, n))), "")
    forward = request.add_noise or (member(holder, name) if name else None)
    if forward is not None and not callable(forward):
        raise ArgumentError("add_noise", "callable", type(forward).__name__, "pass a function")
    betas_form, sigmas_form = _forms(request, base, sigmas)
    offset = request.steps_offset
    if offset is None:
        offset = setting(holder, "steps_offset") or 0
    return Given(
        holder=holder,
        name="the tables" if holder is None else getattr(holder, "__name__", type(holder).__name__),
        base=base,
        source=source,
        tables=found,
        sigmas=sigmas,
        sigmas_eps=sigmas_eps,
        timesteps=timesteps,
        start=_number(member(holder, "init_noise_sigma")),
        final=_number(member(holder, "final_alpha_cumprod")),
        forward=forward,
        noise_last=request.add_noise is None and name == "scale_noise",
        flow=flow(holder) or (request.add_noise is None and name == "scale_noise"),
        betas_form=betas_form,
        sigmas_form=sigmas_form,
        spacing=None if request.spacing is None and visits_its_own(holder) else spacing,
        asked=request.spacing is not None,
        listed=request.tables.get("timesteps") is not None,
        own=visits_its_own(holder) or sigmas_form is not None,
        offset=count("steps_offset", offset, 0, "it is added to leading timesteps"),
        total=total,
        prediction=prediction_of(request.prediction, holder),
        shape=_shape(request.shape),
        tolerance=accepted(request.tolerance),
    )


def _type(holder: Any) -> str:
    return f"{type(holder).__name__} without them"


def _list(which: str, found: dict[str, Read]) -> tuple[np.ndarray | None, float]:
    lists = {name: found.pop(name) for name in list(found) if named(name) == which}
    if not lists:
        return None, 0.0
    name = which if which in lists else next(iter(lists))
    values, eps = lists[name]
    if len(values) == 0:
        raise ArgumentError(name, "one entry or more", "none", "pass the whole list")
    return finite(name, values), eps


def _lengths(found: Mapping[str, Read], base: Base, source: str) -> None:
    for name, (values, _) in found.items():
        if len(values) != len(base.bar):
            remedy = "all tables have one entry a timestep"
            if len(values) == len(base.bar) + 1 and values[0] in (0.0, 1.0):
                remedy = f"{name}[0] is the data: leave it out"
            raise ArgumentError(
                name, f"of length {len(base.bar)} as {source}", f"length {len(values)}", remedy
            )


def _sorted(sigmas: np.ndarray, *, named_by_caller: bool) -> None:
    """Positive, sorted, none twice; a second-order scheduler keeps each twice."""
    once = np.append(True, np.diff(sigmas) != 0)
    DiscreteVE(sigmas if named_by_caller else sigmas[once])


def _total(request: Request, base: Base | None) -> int | None:
    total = request.num_train_timesteps
    if total is not None:
        count("num_train_timesteps", total, 1, "it is the length of the table")
        if base is not None and total != len(base.bar):
            raise ArgumentError(
                "num_train_timesteps",
                f"{len(base.bar)}, the length of the tables",
                total,
                "leave it out, or pass the tables of so many timesteps",
            )
    total = len(base.bar) if base is not None else total
    total = setting(request.schedule, "total") if total is None else total
    return None if total is None else int(total)


def _forms(
    request: Request, base: Base | None, sigmas: np.ndarray | None
) -> tuple[Formula | None, Formula | None]:
    """What β and σ are to be: as named, else as the object is configured."""
    options = request.form_options or {}
    if not isinstance(options, Mapping):
        raise ArgumentError(
            "form_options", "a mapping", type(options).__name__, 'pass {"rho": 7.0}, say'
        )
    of_betas = form_of_betas(request.schedule) if base is not None else None
    of_sigmas = form_of_sigmas(request.schedule) if sigmas is not None else None
    if request.form is None and options:
        raise ArgumentError("form", "named with its form_options", None, 'pass form="karras", say')
    if request.form is None:
        return of_betas, of_sigmas
    asked = Formula(request.form, dict(options))
    only_sigmas = request.form in SIGMA_FORMS and request.form not in BETA_FORMS
    if base is None or (only_sigmas and sigmas is not None):
        return of_betas, asked
    return asked, of_sigmas


def _number(value: Any) -> float | None:
    try:
        return None if value is None or callable(value) else float(value)
    except (TypeError, ValueError):
        return None


def _shape(shape: Any) -> tuple[int, ...] | None:
    if shape is None:
        return None
    try:
        sizes = tuple(shape)
    except TypeError:
        sizes = (shape,)
    return tuple(count("shape", n, 1, "the shape of one sample, e.g. (3, 8, 8)") for n in sizes)
