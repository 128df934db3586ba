"""``scoreproof check … --wrap``: a module that hands a class of the user's to a check.

Its members are found by the names that diffusion code gives them; arguments in another order are
put into the check's. What is not found stays an ellipsis for the user to fill in: nothing is
guessed that the names do not say.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from scoreproof.check_examples import EXAMPLES

__all__ = ["handed", "wrapper"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One argument of a check: the ``names`` that code gives it, and the names of the arguments
    that the check calls it with (empty: it is not called, or as the check recognises it). Where
    there is none it gets ``value``, with a ``remark`` for who fills it in.
    """

    names: tuple[str, ...]
    called: tuple[str, ...] = ()
    value: str = "..."
    remark: str = ""


_DRIFT = Wanted(("drift", "forward_drift", "f", "drift_coeff", "drift_fn"), ("x", "t"))
_DIFFUSION = Wanted(
    ("diffusion", "g", "dispersion", "diffusion_coeff", "diffusion_coefficient", "diffusion_fn"),
    ("t",),
)
WANTED: dict[str, dict[str, Wanted]] = {
    "marginals": {
        "drift": _DRIFT,
        "diffusion": _DIFFUSION,
        "marginal": Wanted(
            ("marginal", "marginal_prob", "marginal_params", "mean_std", "perturbation_kernel"),
            ("x0", "t"),
        ),
    },
    "fokker_planck": {
        "drift": _DRIFT,
        "diffusion": _DIFFUSION,
        "log_density": Wanted(("log_density", "log_prob", "logp", "log_p"), ("x", "t")),
    },
    "reverse_sampler": {
        "sampler": Wanted(
            ("drift_and_noise", "reverse_sde", "reverse_step", "step", "p_sample"),
        ),
        "process": Wanted(
            ("process", "schedule", "forward_process"),
            remark="with drift(x, t), diffusion(t), alpha(t), sigma(t)",
        ),
    },
    "inversion": {
        "inverse": Wanted(("invert", "inverse", "ddim_inversion", "encode", "reverse_sample")),
        "sampler": Wanted(("sample", "decode", "sampler", "ddim_sample", "p_sample_loop")),
    },
    "corrector": {
        "corrector": Wanted(
            ("step_correct", "corrector", "langevin", "update_fn", "kernel", "mcmc_step", "step"),
            ("score", "x", "step_size", "rng"),
        )
    },
    "denoiser": {
        "denoiser": Wanted(("denoise", "denoiser", "__call__", "forward")),
        "prior": Wanted(("data", "dataset", "atoms"), remark="your data, one sample a row"),
        "cov": Wanted(
            ("cov", "variance"),
            remark="σ², of a denoiser of one level; of a network of x and a time: schedule=...",
        ),
    },
    "score": {
        "score": Wanted(("score", "score_fn", "score_net", "__call__", "forward")),
        "prior": Wanted(("data", "atoms"), (), "None", "your data, to hold it against ∇ log p"),
        "cov": Wanted(("cov", "variance"), remark="σ², the variance of the noise"),
    },
    "log_likelihood_gradient": {
        "field": Wanted(("field", "ode_func", "vector_field", "velocity"), ("z", "params", "s")),
        "params": Wanted(("params", "theta"), remark="one array (P,)"),
        "x": Wanted(("x", "data"), remark="rows (n, D)"),
        "gradient": Wanted(("gradient", "grad", "log_prob_grad"), ("x", "params", "nu")),
    },
    "kl": {
        "kl": Wanted(("kl", "kl_divergence", "kl_loss", "analytical_kl", "gaussian_kl")),
        "form": Wanted(("form",), remark='"isotropic", "diagonal" or "full"'),
        "parameterization": Wanted(("parameterization",), remark='"std", "variance" or "logvar"'),
        "against": Wanted(("against",), remark='"pair", or "standard" for N(0, I)'),
    },
    "trace_estimator": {
        "estimator": Wanted(
            ("divergence", "trace", "hutchinson", "trace_estimator", "estimate"), ("f", "z", "nu")
        )
    },
}
#: How a wrapper makes an array, by the library of what it wraps.
ARRAYS = {"numpy": "np", "torch": "torch", "jax": "jnp"}
IMPORTS = {
    "numpy": "import numpy as np",
    "torch": "import torch",
    "jax": "import jax.numpy as jnp",
}
#: Other names of the arguments of people's callables, as the checks call them.
ALIASES = {
    "x0": ("x0", "x_0", "x", "x_start", "mean", "x_init", "y0", "x1", "x_data"),
    "x": ("x", "xt", "x_t", "z", "y", "sample", "state"),
    "t": ("t", "time", "timestep", "s", "ts"),
    "z": ("z", "x", "y", "state"),
    "s": ("s", "t", "time"),
    "params": ("params", "theta", "parameters", "p"),
    "nu": ("nu", "eps", "e", "v", "noise", "probe", "eta"),
    "f": ("f", "field", "fn", "func", "drift"),
}


def wrapper(what: str, target: str, thing: Any) -> str:
    """The text of a module whose ``mine`` hands ``thing``, found at ``target``, to a check."""
    module, _, path = target.partition(":")
    made = path + (f"({_constructed(thing)})" if inspect.isclass(thing) else "")
    body = handed(what, thing)
    imported = IMPORTS[_library(thing)] if any(".zeros(" in e for e in body) else ""
    return "\n".join(
        [
            f'"""{path} as check_{what} takes it: {EXAMPLES[what].judges}.',
            "",
            f"Every ... is to be filled in. Then: scoreproof check {what} FILE:mine",
            '"""',
            "",
            *([imported] if imported else []),
            f"from {module} import {path.partition('.')[0]}",
            "",
            f"o = {made}",
            *body,
            "",
        ]
    )


def handed(what: str, thing: Any) -> list[str]:
    """The lines that make ``mine`` of ``o``, which is ``thing`` or an instance of it."""
    wanted = WANTED.get(what)
    if wanted is None or inspect.isroutine(thing):
        return _whole(what, thing)
    library = _library(thing)
    entries = [_entry(argument, one, thing, library) for argument, one in wanted.items()]
    if what == "marginals" and not _member(wanted["drift"], thing) and hasattr(thing, "sde"):
        entries.append("batched_time=True,  # if it takes a time for each row, as score_sde's")
    if library != "numpy" and "framework" in _parameters(what):
        entries.append(f'framework="{library}",  # its module imports it: drop this for NumPy')
    return ["mine = dict(", *(f"    {e}" for e in entries), ")"]


def _whole(what: str, thing: Any) -> list[str]:
    """An object that the check takes whole, if it takes it at all: the check says what is amiss."""
    needed = [n for n, p in _parameters(what).items() if p.default is p.empty]
    first = needed[0] if needed else next(iter(_parameters(what)))
    more = "".join(f"    {n}=...,\n" for n in needed[1:])
    names = _names(thing)
    takes = f"  # called with ({', '.join(names)})" if names else ""
    if not more:
        return [f"mine = o{takes}"]
    return [f"mine = dict(\n    {first}=o,{takes}\n{more})"]


def _entry(argument: str, wanted: Wanted, thing: Any, library: str) -> str:
    name = _member(wanted, thing)
    if name is not None:
        own = "o" if name == "__call__" else f"o.{name}"
        return f"{argument}={_ordered(own, getattr(thing, name), wanted)}"
    if argument in ("drift", "diffusion") and callable(getattr(thing, "sde", None)):
        # both at once, as score_sde's classes return them
        zeros = f"{ARRAYS[library]}.zeros((1, 2))"
        x = "x" if argument == "drift" else zeros
        asked = f"t, {x}" if _swapped(thing.sde) else f"{x}, t"
        taken = ("x, t", 0) if argument == "drift" else ("t", 1)
        return f"{argument}=lambda {taken[0]}: o.sde({asked})[{taken[1]}],"
    how = f"called ({', '.join(wanted.called)}); " if wanted.called else ""
    of = "the class has" if inspect.isclass(thing) else "o has"
    tried = ", ".join(n for n in wanted.names if not n.startswith("__"))
    remark = wanted.remark or f"{how}{of} no {tried}"
    return f"{argument}={wanted.value},  # {remark}"


def _member(wanted: Wanted, thing: Any) -> str | None:
    """The first of the names that it has; ``__call__`` of a class is its constructor, where its
    instances have none of their own.
    """
    own = [n for n in wanted.names if n != "__call__" or "__call__" in dir(_class(thing))]
    return next((n for n in own if hasattr(thing, n)), None)


def _ordered(own: str, member: Any, wanted: Wanted) -> str:
    """``member`` as it is if it takes its arguments in the check's order; else a lambda that puts
    them into its own. What the names do not say is left open.
    """
    names, called = _names(member), wanted.called
    if not called or names is None:
        return f"{own},"
    place = {n: _place(n, called) for n in names}
    strange = [n for n in names if place[n] is None]
    left = [c for c in called if c not in place.values()]
    if len(strange) == len(left) == 1:  # one name is unknown, and one argument left for it
        place[strange[0]], strange = left[0], []
    if [place[n] for n in names] == list(called):
        return f"{own},"
    passed = ", ".join(f"{n}={place[n] or '?'}" for n in names)
    if strange:
        return f"...,  # lambda {', '.join(called)}: {own}({passed})"
    return f"lambda {', '.join(called)}: {own}({passed}),"


def _place(name: str, called: tuple[str, ...]) -> str | None:
    return next((c for c in called if name == c or name in ALIASES.get(c, ())), None)


def _swapped(member: Any) -> bool:
    names = _names(member) or []
    return [_place(n, ("x", "t")) for n in names] == ["t", "x"]


def _names(member: Any) -> list[str] | None:
    """The names of the arguments that it needs, without ``self``; nothing where they cannot be
    read, or are positional only.
    """
    try:
        parameters = list(inspect.signature(member).parameters.values())
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.POSITIONAL_ONLY for p in parameters):
        return None
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [
        p.name for p in parameters if p.kind in kinds and p.default is p.empty and p.name != "self"
    ]


def _constructed(thing: Any) -> str:
    return ", ".join(f"{n}=..." for n in _names(thing) or ())


def _class(thing: Any) -> Any:
    return thing if inspect.isclass(thing) else type(thing)


def _library(thing: Any) -> str:
    """What the class's own module works with."""
    used = vars(inspect.getmodule(_class(thing)) or object)
    return "torch" if "torch" in used else "jax" if "jax" in used or "jnp" in used else "numpy"


def _parameters(what: str) -> Any:
    import scoreproof

    every = inspect.signature(getattr(scoreproof, f"check_{what}")).parameters
    return {n: p for n, p in every.items() if p.kind is not p.VAR_KEYWORD}
