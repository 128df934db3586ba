"""How a preconditioning is read: its functions of σ, or a denoiser around a stand-in."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.interop.callables import as_numpy, unit_roundoff
from scoreproof.interop.frameworks import guarded, require
from scoreproof.interop.signatures import positional
from scoreproof.public.network.calling import Network, odd_batch, recognised
from scoreproof.public.preconditioning.arguments import Job, Request, is_functions
from scoreproof.public.preconditioning.forms import COEFFICIENTS
from scoreproof.public.preconditioning.standin import Found, Runs, Standin, around

__all__ = ["asked"]

#: how public code calls the network inside
INNER = ("inner_model", "model", "network", "net", "unet", "backbone", "F", "_model")
DOUBLE = float(np.finfo(float).eps)
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
    first = next(iter(positional(function)), None)
    return first is not None and first.name in LEVEL


def _inner(holder: Any) -> str | None:
    if inspect.isfunction(holder) or inspect.ismethod(holder) or isinstance(holder, type):
        return None
    return next((n for n in INNER if callable(getattr(holder, n, None))), None)


def _called(name: str, function: Callable[..., Any], sigma: float) -> Any:
    """``function`` of a number, or where it is one of tensors, of a tensor."""
    try:
        return function(sigma)
    except Exception as first:
        try:
            torch = require("torch")
            return function(torch.tensor(sigma, dtype=torch.float64))
        except Exception:
            raise CallableError(
                name,
                "be a function of σ",
                f"it raised {type(first).__name__}: {first} at σ = {sigma:g}",
                "call it once by hand with a number",
            ) from first


def _number(name: str, value: Any, sigma: float) -> tuple[float, float]:
    """The value, and the spacing at 1 of its type."""
    try:
        number = float(np.ravel(np.asarray(as_numpy(value), dtype=float))[0])
    except (TypeError, ValueError, IndexError):
        number = np.nan
    if not np.isfinite(number):
        raise CallableError(
            name, "be finite", f"it is {value!r} at σ = {sigma:g}", "call it once by hand there"
        )
    return number, unit_roundoff(value) if hasattr(value, "dtype") else 0.0


def _of_functions(functions: dict[str, Callable[..., Any]], job: Job) -> Found:
    found = {
        name: [_number(name, _called(name, f, float(s)), float(s)) for s in job.sigmas]
        for name, f in functions.items()
    }
    return _plain(found)


def _plain(found: dict[str, list[tuple[float, float]]]) -> Found:
    """Of functions of σ alone there is nothing else to see."""
    values = {name: np.array([v for v, _ in both]) for name, both in found.items()}
    eps = {name: max(DOUBLE, *(e for _, e in both)) for name, both in found.items()}
    none = np.zeros(len(next(iter(values.values()))))
    calls = sum(len(v) for v in values.values())
    return Found(values, eps, dict.fromkeys(values, none), none, calls=calls)


def _of_scalings(function: Callable[..., Any], job: Job) -> Found:
    """A function σ -> (c_skip, c_out, c_in) or with c_noise after them, as k-diffusion has it."""
    rows: list[Any] = []
    for s in job.sigmas:
        out = _called("precondition", function, float(s))
        same = not rows or isinstance(out, tuple | list) and len(out) == len(rows[0])
        if not isinstance(out, tuple | list) or len(out) not in (2, 3, 4) or not same:
            raise CallableError(
                "precondition",
                "return (c_skip, c_out, c_in) or (c_skip, c_out, c_in, c_noise) for σ",
                f"it returned {type(out).__name__} at σ = {s:g}",
                "pass a mapping {'c_skip': …} where the order is another",
            )
        rows.append(out)
    # k-diffusion's wrappers of ε- and v-networks leave out c_skip = 1
    names = COEFFICIENTS[1:3] if len(rows[0]) == 2 else COEFFICIENTS[: len(rows[0])]
    return _plain(
        {
            name: [_number(name, row[k], float(s)) for row, s in zip(rows, job.sigmas, strict=True)]
            for k, name in enumerate(names)
        }
    )


def _of_denoiser(given: Request, job: Job, inner: str | None) -> Found:
    network = Standin()
    denoiser = around(given, inner, network)
    framework = guarded(given.precondition, "precondition", given.framework, given.dtype).framework
    asked_ = Network(denoiser, job.shape, framework, given.dtype)
    eps, calls = DOUBLE, 0

    def ask(x: np.ndarray, sigma: Any) -> np.ndarray:
        nonlocal eps, calls
        call = guarded(asked_.at(sigma), "precondition", framework, given.dtype)
        out = call(x, shape=x.shape)
        eps, calls = max(eps, call.eps), calls + 1
        return out

    many, d, rng = odd_batch(job.shape), int(np.prod(job.shape)), np.random.default_rng(0)
    x, answer = _signed(rng, (many, d)), _signed(rng, (many, d))
    network.answer = answer
    # as large as samples at that level are
    lengths = np.hypot(job.sigmas, job.sigma_data or job.spread or 0.5)
    steady = recognised(
        asked_, x * lengths[-1], (float(job.sigmas[0]), float(job.sigmas[-1])), False
    )
    runs = Runs(network, ask)
    for sigma, length in zip(job.sigmas, lengths, strict=True):
        runs.level(x * length, answer, float(sigma))
    mixed = {} if steady else {"D": np.inf}
    if steady and asked_.form.by_row:
        own, reply = (_signed(rng, (len(job.sigmas), d)) for _ in range(2))
        mixed = runs.among_others(own * lengths[:, None], reply, job.sigmas)
    return Found(
        {k: np.array(v) for k, v in runs.values.items()},
        {k: max(eps, network.eps[k]) for k in COEFFICIENTS},
        {k: np.array(v) for k, v in runs.uneven.items()},
        np.array(runs.apart),
        runs.clip,
        mixed,
        str(asked_.form),
        runs.reach,
        calls,
    )


def _signed(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Entries of either sign from 0.5 to 3: none is 0, and none is beyond three deviations."""
    return np.asarray(rng.choice([-1.0, 1.0], shape) * rng.uniform(0.5, 3.0, shape))
