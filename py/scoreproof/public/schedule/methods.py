"""The methods that follow from the tables, beside the one that noises data: which they are, by the
names of public code, and what each multiplies its arguments by.

Conventions: a method is a sum of its arguments, each times a number of the timestep; ``TERMS`` are
those numbers. A name that fits none of its arguments leaves a method unasked: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.interop.signatures import positional
from scoreproof.public.schedule.libraries import WHEN
from scoreproof.public.schedule.tables import TABLES, Base, Table

__all__ = ["Bound", "Method", "methods_of", "placed"]

#: what arguments are called, by what they are
NAMES: dict[str, tuple[str, ...]] = {
    "x_0": (
        *("x_start", "x_0", "x0", "xstart", "x_recon", "pred_xstart", "pred_x_start", "x_clean"),
        *("pred_x0", "original_samples", "x0_pred", "start"),
    ),
    "x_t": ("x_t", "xt", "x_noisy", "noisy", "noisy_samples", "z_t", "zt", "z"),
    "noise": ("noise", "eps", "epsilon", "pred_noise", "pred_eps", "noise_pred", "eps_pred", "e"),
    "v": ("v", "velocity", "v_pred", "pred_v", "v_t"),
    "x_{t-1}": ("xprev", "x_prev", "prev", "x_t_minus_1", "pred_xprev"),
    "t": WHEN,
}
#: names that say no more than that it is the one array of its kind
PLAIN = ("x", "sample", "samples", "y", "model_output", "model_out", "out", "pred", "output")


def _table(words: str, of: Callable[[Base], np.ndarray], loss: str) -> Table:
    return Table(words, of, TABLES[loss].loss)


_FIRST, _SECOND = TABLES["posterior_mean_coef1"], TABLES["posterior_mean_coef2"]
_RECIP, _RECIPM1 = TABLES["sqrt_recip_alphas_cumprod"], TABLES["sqrt_recipm1_alphas_cumprod"]
_SIGNAL, _NOISE = TABLES["sqrt_alphas_cumprod"], TABLES["sqrt_one_minus_alphas_cumprod"]
_BY_NOISE = _table("1 / √(1 - ᾱ_t)", lambda b: (1 - b.bar) ** -0.5, "snr")
_SNR = _table("√(ᾱ_t / (1 - ᾱ_t))", lambda b: (b.bar / (1 - b.bar)) ** 0.5, "snr")
_ONE = Table("1", lambda b: np.ones(len(b.bar)))
_SIGMA = TABLES["train_sigmas"]


def _minus(table: Table) -> Table:
    return Table(table.words, lambda b: -table.of(b), table.loss)


@dataclass(frozen=True, eq=False)
class Method:
    """``terms``: what each argument (but t) is multiplied by. ``moments``: it may
    return the posterior's variance, or its logarithm, too. ``ve``: the terms where x_t = x_0 + σ_t
    noise, if they are others.
    """

    names: tuple[str, ...]
    terms: dict[str, Table]
    words: str
    moments: bool = False
    ve: dict[str, Table] | None = None
    ve_words: str = ""


METHODS = (
    Method(
        ("q_posterior", "q_posterior_mean_variance", "_q_posterior", "q_posterior_mean"),
        {"x_0": _FIRST, "x_t": _SECOND},
        "c_1 x_0 + c_2 x_t with posterior_mean_coef1 and posterior_mean_coef2",
        moments=True,
    ),
    Method(
        (
            *("predict_start_from_noise", "_predict_xstart_from_eps", "predict_xstart_from_eps"),
            *("predict_x0_from_noise", "predict_x0_from_eps", "_predict_x0_from_eps"),
            "predict_start_from_eps",
        ),
        {"x_t": _RECIP, "noise": _minus(_RECIPM1)},
        "√(1 / ᾱ_t) x_t - √(1 / ᾱ_t - 1) noise",
        ve={"x_t": _ONE, "noise": _minus(_SIGMA)},
        ve_words="x_t - σ_t noise",
    ),
    Method(
        (
            *("predict_noise_from_start", "_predict_eps_from_xstart", "predict_eps_from_xstart"),
            *("predict_noise_from_x0", "predict_eps_from_x0", "predict_eps_from_start"),
        ),
        {"x_t": _BY_NOISE, "x_0": _minus(_SNR)},
        "(x_t - √ᾱ_t x_0) / √(1 - ᾱ_t)",
        ve={
            "x_t": _table("1 / σ_t", lambda b: 1 / _SIGMA.of(b), "train_sigmas"),
            "x_0": _minus(_table("1 / σ_t", lambda b: 1 / _SIGMA.of(b), "train_sigmas")),
        },
        ve_words="(x_t - x_0) / σ_t",
    ),
    Method(
        ("predict_v", "get_velocity", "get_v", "_predict_v", "v_target", "get_v_target"),
        {"x_0": _minus(_NOISE), "noise": _SIGNAL},
        "√ᾱ_t noise - √(1 - ᾱ_t) x_0",
    ),
    Method(
        (
            *("predict_start_from_v", "predict_start_from_z_and_v", "_predict_xstart_from_v"),
            *("predict_xstart_from_v", "predict_x0_from_v"),
        ),
        {"x_t": _SIGNAL, "v": _minus(_NOISE)},
        "√ᾱ_t x_t - √(1 - ᾱ_t) v",
    ),
    Method(
        ("predict_eps_from_z_and_v", "predict_noise_from_v", "_predict_eps_from_v"),
        {"x_t": _NOISE, "v": _SIGNAL},
        "√(1 - ᾱ_t) x_t + √ᾱ_t v",
    ),
    Method(
        ("_predict_xstart_from_xprev", "predict_xstart_from_xprev", "predict_start_from_xprev"),
        {
            "x_t": _minus(
                _table("c_2 / c_1", lambda b: _SECOND.of(b) / _FIRST.of(b), "posterior_variance")
            ),
            "x_{t-1}": _table("1 / c_1", lambda b: 1 / _FIRST.of(b), "posterior_variance"),
        },
        "(x_{t-1} - c_2 x_t) / c_1 with posterior_mean_coef1 and posterior_mean_coef2",
    ),
)


@dataclass(frozen=True, eq=False)
class Bound:
    """A method of the object: ``order``: what each of its arguments is; empty if that is not known,
    and then the names that it has.
    """

    name: str
    method: Method
    function: Callable[..., Any]
    order: tuple[str, ...]
    has: tuple[str, ...]


def methods_of(get: Callable[[str], Any]) -> Iterator[Bound]:
    """Those that are there under any of their names."""
    for method in METHODS:
        for name in method.names:
            function = get(name)
            if callable(function):
                has = _arguments(function, method)
                yield Bound(name, method, function, placed(has, method), has)


def _arguments(function: Any, method: Method) -> tuple[str, ...]:
    """The names of those that it needs, and of those without need that are among the method's."""
    known = {name for role in (*method.terms, "t") for name in NAMES[role]}
    return tuple(p.name for p in positional(function) if p.default is p.empty or p.name in known)


def placed(names: tuple[str, ...], method: Method) -> tuple[str, ...]:
    """What each name stands for, empty if one is left open.

    >>> placed(("x", "noise", "t"), METHODS[3]), placed(("log_x_start", "log_x_t", "t"), METHODS[0])
    (('x_0', 'noise', 't'), ())
    """
    roles = (*method.terms, "t")
    found = {n: next((r for r in roles if n in NAMES[r]), None) for n in names}
    open_names = [n for n, role in found.items() if role is None]
    left = [r for r in roles if r not in found.values()]
    if len(open_names) == len(left) == 1 and open_names[0] in PLAIN and left[0] != "t":
        found[open_names[0]] = left[0]
    order = tuple(r for r in found.values() if r is not None)
    return order if sorted(order) == sorted(roles) else ()
