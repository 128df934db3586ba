"""The arguments of `check_corrector`, validated once.

Conventions: what the kernel takes is known by the names of its positional arguments, or by
``given=``; a role is what stands for all names of one thing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.frameworks import FRAMEWORKS, require
from scoreproof.public.arguments import accepted, sample_shape, seeded
from scoreproof.public.sampler.data import Level
from scoreproof.public.sampler.functions import GENERATORS, KEYS, STATES
from scoreproof.public.sampler.levels import level_of_sigma, levels_of_process

__all__ = ["OF_THE_LAW", "RANDOM", "ROLES", "STEP", "Job", "Request", "validate"]

#: what a kernel may take, and the names that it goes by
ROLES: dict[str, tuple[str, ...]] = {
    "x": ("x", "x_t", "xt", "x0", "xs", "sample", "samples", "state", "position", "q", "theta"),
    "v": ("v", "p", "momentum", "velocity", "vel", "mom"),
    "score": (
        "score",
        "score_fn",
        "score_model",
        "scorenet",
        "model",
        "model_fn",
        "net",
        "network",
        "unet",
        "eps_model",
        "denoiser",
        "s",
    ),
    "grad_log_prob": (
        "grad_log_prob",
        "grad",
        "grad_fn",
        "grad_logp",
        "grad_log_p",
        "grad_log_density",
        "dlogp",
        "glogp",
    ),
    "log_prob": (
        "log_prob",
        "logp",
        "log_p",
        "log_density",
        "logdensity",
        "logdensity_fn",
        "log_density_fn",
        "logprob",
        "logprob_fn",
        "log_prob_fn",
        "logpdf",
        "target_log_prob",
        "target_log_prob_fn",
    ),
    "potential": ("potential", "potential_fn", "energy", "energy_fn", "U"),
    "grad_potential": ("grad_potential", "grad_energy", "grad_U", "dU"),
    "t": ("t", "time", "timestep", "sigma", "noise_level", "level"),
    "t_batch": ("vec_t", "t_vec", "labels", "t_batch", "ts"),
    "step_size": (
        "step_size",
        "stepsize",
        "h",
        "eps",
        "epsilon",
        "dt",
        "step",
        "step_lr",
        "lr",
        "delta",
        "tau",
        "eta",
    ),
    "snr": ("snr", "target_snr"),
    "noise": ("noise", "z", "xi", "gaussian_noise"),
    "uniform": ("uniform", "u", "unif"),
    "mean": ("mean", "mu"),
    "cov": ("cov", "covariance", "Sigma"),
    "precision": ("precision", "prec", "Lambda"),
}
#: whatever a kernel takes of the law
OF_THE_LAW = ("score", "grad_log_prob", "log_prob", "potential", "grad_potential")
OF_GAUSSIANS = ("mean", "cov", "precision")
#: handed over by name: where its random numbers come from
RANDOM = {*GENERATORS, *STATES, *KEYS}
PREDICTIONS = ("score", "eps", "x0", "v", "F")
STEP = 0.1


@dataclass(frozen=True, eq=False)
class Request:
    """The arguments of `check_corrector` as they were given."""

    corrector: Any
    process: Any
    t: Any
    given: Any
    prediction: str
    step_size: Any
    snr: Any
    alpha: Any
    shape: Any
    options: Mapping[str, Any]
    tolerance: Any
    framework: str
    dtype: Any
    seed: int


@dataclass(frozen=True, eq=False)
class Job:
    """A validated request. ``roles``: what the positional arguments are. ``h``: the step size that
    is handed over first, ``None`` where the kernel takes none. ``level_of``: α and σ at a time.
    """

    function: Callable[..., Any]
    name: str
    roles: tuple[str, ...]
    names: tuple[str, ...]
    level_of: Callable[[float], Level]
    t: float | int
    prediction: str
    h: float | None
    snr: float | None
    alpha: float
    shape: tuple[int, ...]
    options: Mapping[str, Any]
    tolerance: float | None
    framework: str
    dtype: Any
    seed: int

    @property
    def d(self) -> int:
        return int(np.prod(self.shape))

    @property
    def two(self) -> bool:
        """The state is x and v."""
        return "v" in self.roles

    @property
    def gaussians_only(self) -> bool:
        """It is told mean and covariance."""
        return any(r in OF_GAUSSIANS for r in self.roles)


def validate(given: Request) -> Job:
    """The request as a job; raises ``ArgumentError``."""
    if not callable(given.corrector):
        raise ArgumentError(
            "corrector",
            "a function of a score and x",
            type(given.corrector).__name__,
            "pass corrector(score, x), or a lambda around the method that makes the step",
        )
    if given.framework not in FRAMEWORKS:
        raise ArgumentError(
            "framework",
            f"one of {', '.join(FRAMEWORKS)}",
            repr(given.framework),
            "name the library the corrector is written in",
        )
    if given.framework != "numpy":
        require(given.framework)
    if given.prediction not in PREDICTIONS:
        raise ArgumentError(
            "prediction",
            f"one of {', '.join(PREDICTIONS)}",
            repr(given.prediction),
            "it is what the model returns that the corrector is handed",
        )
    roles = _roles(given)
    level_of, t = _level(given)
    h = _positive("step_size", STEP if given.step_size is None else given.step_size)
    takes = "step_size" in roles
    if given.step_size is not None and not takes:
        raise ArgumentError(
            "step_size",
            "left away for a corrector that takes none",
            given.step_size,
            "let the corrector take an argument step_size, or name it by given=",
        )
    snr = None if given.snr is None else _positive("snr", given.snr)
    if "snr" in roles and snr is None:
        snr = 0.16
    return Job(
        given.corrector,
        str(getattr(given.corrector, "__name__", type(given.corrector).__name__)),
        roles,
        tuple(_positional(given.corrector)[0]),
        level_of,
        t,
        given.prediction,
        h if takes else None,
        snr,
        1.0 if given.alpha is None else _positive("alpha", given.alpha),
        sample_shape(given.shape),
        dict(given.options),
        accepted(given.tolerance),
        given.framework,
        given.dtype,
        seeded(given.seed),
    )


def _positive(name: str, value: Any) -> float:
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 < float(value) < np.inf:
        raise ArgumentError(name, "a number > 0", repr(value), "e.g. 0.1")
    return float(value)


def _level(given: Request) -> tuple[Callable[[float], Level], float | int]:
    t = given.t
    if t is not None and (not isinstance(t, Real) or not np.isfinite(float(t)) or t < 0):
        raise ArgumentError("t", "a number >= 0", repr(t), "the time, timestep or σ of p_t")
    if given.process is None:
        return level_of_sigma, 0.5 if t is None else t
    level_of = levels_of_process(given.process, False)
    if t is None:
        whole = getattr(given.process, "timesteps", None)
        length = getattr(given.process, "horizon", None)
        if whole is not None:
            t = int(np.ravel(whole)[-1]) // 2
        else:
            t = 0.5 * float(length if isinstance(length, Real) else 1.0)
    return level_of, t


def _positional(function: Any) -> tuple[list[str], int]:
    """Names of the positional arguments, and how many have no default."""
    try:
        taken = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return [], 0
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in taken if p.kind in kinds]
    return names, sum(p.kind in kinds and p.default is p.empty for p in taken)


def _role(name: str) -> str | None:
    return next((r for r, names in ROLES.items() if name == r or name in names), None)


def _roles(given: Request) -> tuple[str, ...]:
    if given.given is not None:
        said = (given.given,) if isinstance(given.given, str) else tuple(given.given)
        roles = [_role(str(n)) for n in said]
        unknown = [str(n) for n, r in zip(said, roles, strict=True) if r is None]
        if unknown or "x" not in roles:
            raise ArgumentError(
                "given",
                f"the corrector's arguments in order, each one of {', '.join(ROLES)}, x among them",
                ", ".join(unknown) or ", ".join(map(str, said)),
                'e.g. given=("score", "x", "step_size")',
            )
        return tuple(r for r in roles if r is not None)
    names, needed = _positional(given.corrector)
    roles = []
    for k, name in enumerate(names):
        role = _role(name)
        if name in RANDOM or name in given.options:
            break  # by name, with all that follow
        if role is None:
            if k >= needed:
                break
            raise ArgumentError(
                "corrector",
                "a function whose arguments are known by their names",
                f"{name} among {', '.join(names)}",
                'say what they are, e.g. given=("score", "x", "step_size"), or fix it by options=',
            )
        if k >= needed and role not in ("step_size", *OF_THE_LAW):
            break
        roles.append(role)
    if "x" not in roles:
        raise ArgumentError(
            "corrector",
            "a function of x",
            f"one of ({', '.join(names)})",
            'name its arguments by given=, e.g. given=("score", "x")',
        )
    return tuple(roles)
