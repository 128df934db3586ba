"""A network, its data and its schedule as they were given to `check_denoiser`, validated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import to_float
from scoreproof.interop.frameworks import guarded
from scoreproof.objects.empirical import Atoms
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.public.arguments import sample_shape
from scoreproof.public.network.levels import NoiseLevel

__all__ = [
    "TIMES",
    "SweepRequest",
    "framework_of",
    "named_options",
    "prior_of",
    "told_of",
]

#: what the network may be told of a level
TIMES: dict[str, Callable[[NoiseLevel], float]] = {
    "t": lambda v: v.when,
    "sigma": lambda v: v.ratio,
    "log_sigma": lambda v: float(np.log(v.ratio)),
    "c_noise": lambda v: float(np.log(v.ratio)) / 4,
    "log_snr": lambda v: -2 * float(np.log(v.ratio)),
}


@dataclass(frozen=True, eq=False)
class SweepRequest:
    """The arguments of `check_denoiser` for a network, as they were given."""

    denoiser: Any
    prior: Any
    schedule: Any
    prediction: str | None
    shape: Any
    levels: Any
    time: Any
    options: Mapping[str, Any]
    framework: str
    dtype: Any
    problem: Mapping[str, Any] = field(default_factory=dict)


def named_options(options: Any) -> dict[str, Any]:
    """Further arguments of the network, by their names."""
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise ArgumentError(
            "options",
            "a mapping of the network's further arguments",
            type(options).__name__,
            "e.g. options={'class_labels': labels}",
        )
    return dict(options)


def prior_of(prior: Any, shape: Any) -> tuple[Any, tuple[int, ...]]:
    """The prior on flat rows, and the shape of one sample."""
    wanted = None if shape is None else sample_shape(shape)
    if prior is None:
        raise ArgumentError(
            "prior", "data, a GaussianMixture or Atoms", None, "what is due follows from the data"
        )
    if isinstance(prior, GaussianMixture | Atoms):
        sizes = wanted or (prior.dimension,)
        known = prior
    else:
        data = to_float("prior", prior)
        if data.ndim < 2 or len(data) == 0:
            raise ArgumentError(
                "prior",
                "data of shape (n, …), a GaussianMixture or Atoms",
                f"shape {data.shape}",
                "the first axis is the data; a single coordinate has shape (n, 1)",
            )
        sizes = wanted or data.shape[1:]
        known = Atoms(data.reshape(len(data), -1))
    if int(np.prod(sizes)) != known.dimension:
        raise ArgumentError(
            "shape",
            f"of {known.dimension} numbers, as the data",
            f"{sizes}",
            "it is the shape of one sample, without the batch",
        )
    return known, sizes


def told_of(time: Any) -> Callable[[NoiseLevel], float]:
    if isinstance(time, str) and time in TIMES:
        return TIMES[time]
    if callable(time):
        return lambda level: _asked(time, level.when)
    raise ArgumentError(
        "time",
        f"one of {', '.join(TIMES)}, or a function of the schedule's time",
        repr(time),
        "it is what the network is told of the noise level",
    )


def _asked(time: Callable[[float], Any], when: float) -> float:
    try:
        told = float(np.ravel(np.asarray(time(when), dtype=float))[0])
    except Exception as error:
        raise ArgumentError(
            "time",
            "a function of the schedule's time that returns a number",
            f"{type(error).__name__}: {error} at {when:g}",
            "it is what the network is told",
        ) from error
    if not np.isfinite(told):
        raise ArgumentError("time", "finite at every level", f"{told} at {when:g}", "mend it there")
    return told


def framework_of(given: SweepRequest) -> tuple[str, Any]:
    """As `guarded` recognises it: a module of PyTorch, or a method of one, says itself."""
    owner = getattr(given.denoiser, "__self__", given.denoiser)
    module = guarded(owner if callable(owner) else given.denoiser, "denoiser", given.framework)
    if module.framework == "torch" and module.prepare is not None and given.dtype is None:
        return "torch", module.prepare(np.zeros(1)).dtype
    return module.framework, given.dtype
