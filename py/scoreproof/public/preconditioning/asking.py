"""How a preconditioning is read: its functions of σ, or a denoiser around a stand-in."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.interop.callables import as_numpy, unit_roundoff
from scoreproof.interop.frameworks import guarded, require
from scoreproof.public.network.calling import Network, recognised
from scoreproof.public.preconditioning.arguments import Job, Request, is_functions
from scoreproof.public.preconditioning.forms import COEFFICIENTS
from scoreproof.public.preconditioning.standin import ROWS, Found, Runs, Standin, around

__all__ = ["asked"]

#: how public code calls the network inside
INNER = ("inner_model", "model", "network", "net", "unet", "backbone", "F", "_model")
#: the first argument of a function of σ
LEVEL = ("sigma", "sigmas", "s", "std", "noise_level", "t")


def asked(given: Request, job: Job) -> Found:
    """Raises ``ArgumentError`` and ``CallableError``."""
    if is_functions(given.precondition):
        return _of_functions(dict(given.precondition), job)
    if not callable(given.precondition):
        raise ArgumentError(
            "precondition",
            "a mapping of functions, σ -> (c_skip, c_out, c_in[, c_noise]), network -> denoiser,"
            " or a module with its network inside",
            type(given.precondition).__name__,
            "see the docstring of check_preconditioning",
        )
    inner = given.inner or _inner(given.precondition)
    if inner is None and _takes_level(given.precondition):
        return _of_scalings(given.precondition, job)
    return _of_denoiser(given, job, inner)


def _takes_level(function: Any) -> bool:
    try:
        names = [
            p.name
            for p in inspect.signature(function).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        return False
    return bool(names) and names[0] in LEVEL


def _inner(holder: Any) -> str | None:
    if inspect.isfunction(holder) or inspect.ismethod(holder) or isinstance(holder, type):
        return None
    return next((n for n in INNER if callable(getattr(holder, n, None))), None)


def _number(name: str, function: Callable[..., Any], sigma: float) -> tuple[float, float]:
    try:
        out = function(sigma)
    except Exception as first:
        try:  # a function of tensors
            torch = require("torch")
            out = function(torch.tensor(sigma, dtype=torch.float64))
        except Exception:
            raise CallableError(
                name,
                "be a function of σ",
                f"it raised {type(first).__name__}: {first} at σ = {sigma:g}",
                "call it once by hand with a number",
            ) from first
    return float(np.ravel(as_numpy(out))[0]), unit_roundoff(out) if hasattr(out, "dtype") else 0.0


def _of_functions(functions: dict[str, Callable[..., Any]], job: Job) -> Found:
    values, eps = {}, float(np.finfo(float).eps)
    for name, function in functions.items():
        both = [_number(name, function, float(s)) for s in job.sigmas]
        values[name] = np.array([v for v, _ in both])
        eps = max([eps, *(e for _, e in both)])
    return _plain(values, eps, len(values) * len(job.sigmas))


def _plain(values: dict[str, np.ndarray], eps: float, calls: int) -> Found:
    """Of functions of σ alone there is nothing else to see."""
    none = np.zeros(len(next(iter(values.values()))))
    return Found(values, dict.fromkeys(values, none), none, None, eps, calls)


def _of_scalings(function: Callable[..., Any], job: Job) -> Found:
    """A function σ -> (c_skip, c_out, c_in) or with c_noise after them, as k-diffusion has it."""

    def at(sigma: float) -> tuple[Any, ...]:
        try:
            out = function(sigma)
        except Exception:
            torch = require("torch")
            out = function(torch.tensor(sigma, dtype=torch.float64))
        if not isinstance(out, tuple | list) or len(out) not in (2, 3, 4):
            raise CallableError(
                "precondition",
                "return (c_skip, c_out, c_in) or (c_skip, c_out, c_in, c_noise) for σ",
                f"it returned {type(out).__name__}",
                "pass a mapping {'c_skip': …} where the order is another",
            )
        return tuple(out)

    rows = [at(float(s)) for s in job.sigmas]
    # k-diffusion's wrappers of ε- and v-networks leave out c_skip = 1
    names = COEFFICIENTS[1:3] if len(rows[0]) == 2 else COEFFICIENTS[: len(rows[0])]
    values = {
        name: np.array([float(np.ravel(as_numpy(row[k]))[0]) for row in rows])
        for k, name in enumerate(names)
    }
    held = [unit_roundoff(v) for row in rows for v in row if hasattr(v, "dtype")]
    eps = max([float(np.finfo(float).eps), *held])
    return _plain(values, eps, len(rows))


def _of_denoiser(given: Request, job: Job, inner: str | None) -> Found:
    network = Standin()
    denoiser = around(given, inner, network)
    guard = guarded(given.precondition, "precondition", given.framework, given.dtype)
    framework = guard.framework
    asked_ = Network(denoiser, job.shape, framework, given.dtype)
    rng = np.random.default_rng(0)
    d = int(np.prod(job.shape))
    rows = rng.choice([-1.0, 1.0], (ROWS, d)) * rng.uniform(0.5, 1.5, (ROWS, d))
    other = rng.choice([-1.0, 1.0], (ROWS, d)) * rng.uniform(0.5, 1.5, (ROWS, d))
    recognised(asked_, rows, (float(job.sigmas[0]), float(job.sigmas[-1])), False)
    runs = Runs(network, rows, other)
    eps, calls = float(np.finfo(float).eps), 0
    for sigma in job.sigmas:
        answers = []
        for x, answer in ((rows, None), (0 * rows, other), (rows, other)):
            network.given.clear()
            network.answer = answer
            call = guarded(asked_.at(float(sigma)), "precondition", framework, given.dtype)
            answers.append(call(x, shape=rows.shape))
            eps, calls = max(eps, call.eps), calls + 1
        runs.add(answers)
    return runs.found(eps, calls)
