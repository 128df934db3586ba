"""What `check_schedule` was given, gathered from an object, a mapping or single tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy, to_float, unit_roundoff
from scoreproof.objects.discrete import DiscreteVE, DiscreteVP
from scoreproof.public.arguments import accepted
from scoreproof.public.schedule.forms import BETA_FORMS
from scoreproof.public.schedule.spacing import SPACINGS
from scoreproof.public.schedule.tables import ALIASES, TABLES, Base, named

__all__ = ["Given", "Request", "gathered"]

#: methods that noise data, by the name that public code gives them; the last takes noise last
FORWARD = ("add_noise", "q_sample", "scale_noise")
SETTINGS = {
    "prediction": "prediction_type",
    "spacing": "timestep_spacing",
    "steps_offset": "steps_offset",
    "total": "num_train_timesteps",
}


@dataclass(frozen=True, eq=False)
class Request:
    """The arguments of `check_schedule` as they were given."""

    schedule: Any
    tables: Mapping[str, Any]
    form: str | None
    form_options: Mapping[str, Any]
    spacing: str | None
    steps_offset: int | None
    num_train_timesteps: int | None
    prediction: str | None
    add_noise: Callable[..., Any] | None
    shape: tuple[int, ...]
    tolerance: float | None


@dataclass(frozen=True, eq=False)
class Given:
    """Tables by their names ``(T,)`` with the roundoff of their types, and what else is known.

    ``base`` is what the tables are judged by (``None`` where there is a list of σ only).
    """

    name: str
    base: Base | None
    source: str
    tables: dict[str, tuple[np.ndarray, float]]
    sigmas: np.ndarray | None
    sigmas_eps: float
    timesteps: np.ndarray | None
    start: float | None
    forward: Callable[..., Any] | None
    noise_last: bool
    form: str | None
    form_options: dict[str, Any]
    spacing: str | None
    offset: int
    total: int | None
    prediction: str | None
    shape: tuple[int, ...]
    tolerance: float | None
    notes: tuple[str, ...] = field(default=())


def gathered(request: Request) -> Given:
    """All that is there; raises ``ArgumentError``."""
    holder = request.schedule
    found = _tables(holder, request.tables)
    sigmas, sigmas_eps = found.pop("sigmas", (None, 0.0))
    timesteps, _ = found.pop("timesteps", (None, 0.0))
    base, source = _base(found)
    if base is None and sigmas is None:
        raise ArgumentError(
            "schedule",
            "betas, alphas_cumprod, sigmas or a log-SNR, as an argument or in an object",
            "none of them" if holder is None else f"{type(holder).__name__} without them",
            "pass check_schedule(betas=…) or the scheduler itself",
        )
    if base is not None:
        for name, (values, _) in found.items():
            if len(values) != len(base.bar):
                raise ArgumentError(
                    name,
                    f"of length {len(base.bar)} as {source}",
                    f"length {len(values)}",
                    "all tables have one entry a timestep",
                )
    if sigmas is not None and base is None:
        DiscreteVE(sigmas)  # positive, sorted, none twice
    spacing = request.spacing or _setting(holder, "spacing")
    if spacing is not None and spacing not in SPACINGS:
        raise ArgumentError(
            "spacing", f"one of {', '.join(SPACINGS)}", repr(spacing), "or leave it out"
        )
    total = request.num_train_timesteps or _setting(holder, "total")
    total = len(base.bar) if base is not None else total
    forward = request.add_noise
    name = next((n for n in FORWARD if callable(_member(holder, n))), "")
    start = _member(holder, "init_noise_sigma")
    offset = request.steps_offset
    form, options = request.form, dict(request.form_options)
    if form is None and base is not None:
        form, options = _configured(holder)
    return Given(
        "the tables" if holder is None else type(holder).__name__,
        base,
        source,
        found,
        sigmas,
        sigmas_eps,
        timesteps,
        None if start is None or callable(start) else float(start),
        forward or (_member(holder, name) if name else None),
        forward is None and name == "scale_noise",
        form,
        options,
        spacing,
        int(offset if offset is not None else _setting(holder, "steps_offset") or 0),
        None if total is None else int(total),
        request.prediction or _setting(holder, "prediction"),
        request.shape,
        accepted(request.tolerance),
    )


def _tables(holder: Any, named_tables: Mapping[str, Any]) -> dict[str, tuple[np.ndarray, float]]:
    unknown = [n for n in named_tables if named(n) not in (*TABLES, "sigmas", "timesteps")]
    if unknown:
        raise ArgumentError(
            unknown[0],
            f"a table of a schedule: {', '.join(TABLES)}, sigmas, timesteps",
            repr(unknown[0]),
            "rename it to what it is",
        )
    found: dict[str, tuple[np.ndarray, float]] = {}
    for name in (*TABLES, *ALIASES, "sigmas", "timesteps"):
        value = named_tables.get(name)
        value = _member(holder, name) if value is None else value
        if value is None or callable(value) or np.ndim(as_numpy(value)) != 1:
            if name in named_tables and named_tables[name] is not None:
                to_float(name, value, shape=(None,))
            continue
        raw = as_numpy(value)
        table = to_float(name, value, shape=(None,))
        eps = unit_roundoff(value) if hasattr(value, "dtype") else float(np.finfo(float).eps)
        found[named(name)] = (table, max(eps or 0.0, float(np.finfo(float).eps)))
        del raw
    return found


def _base(found: dict[str, tuple[np.ndarray, float]]) -> tuple[Base | None, str]:
    """β and ᾱ, from the first table that tells them; that one needs no judgement."""
    if "betas" in found:
        betas, eps = found["betas"]
        bar = DiscreteVP(betas).alphas_cumprod
        return Base(betas, np.cumprod(1 - betas) if betas[-1] == 1 else bar, eps), "betas"
    readers: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "alphas_cumprod": lambda v: v,
        "alphas": np.cumprod,
        "sqrt_alphas_cumprod": lambda v: v**2,
        "log_snr": lambda v: 1 / (1 + np.exp(-v)),
        "train_sigmas": lambda v: 1 / (1 + v**2),
    }
    for name, read in readers.items():
        if name in found:
            values, eps = found[name]
            p = DiscreteVP.of_alphas_cumprod(read(values))
            return Base(p.betas, read(values), eps), name
    return None, ""


def _member(holder: Any, name: str) -> Any:
    if holder is None:
        return None
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)


def _configured(holder: Any) -> tuple[str | None, dict[str, Any]]:
    """The form that the object says its β have."""
    config = _member(holder, "config")
    form = _member(config, "beta_schedule")
    if form not in BETA_FORMS or _member(config, "trained_betas") is not None:
        return None, {}
    if _member(config, "rescale_betas_zero_snr"):
        return None, {}
    names = ("beta_start", "beta_end") if form in ("linear", "scaled_linear", "sigmoid") else ()
    found = {n: _member(config, n) for n in names}
    return str(form), {n: float(v) for n, v in found.items() if v is not None}


def _setting(holder: Any, what: str) -> Any:
    config = _member(holder, "config")
    name = SETTINGS[what]
    for place in (config, holder):
        value = _member(place, name)
        if value is not None and not callable(value):
            return value
    return None
