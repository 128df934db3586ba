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

__all__ = ["wrapper"]


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


_DRIFT = Wanted(("drift", "forward_drift", "f", "drift_fn"), ("x", "t"))
_DIFFUSION = Wanted(("diffusion", "g", "dispersion", "diffusion_coeff", "diffusion_fn"), ("t",))
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
        "process": Wanted(("process", "sde", "schedule", "forward_process")),
    },
    "inversion": {
        "inverse": Wanted(("invert", "inverse", "ddim_inversion", "encode", "reverse_sample")),
        "sampler": Wanted(("sample", "decode", "sampler", "ddim_sample", "p_sample_loop")),
    },
    "denoiser": {
        "denoiser": Wanted(("denoise", "denoiser", "forward", "__call__")),
        "prior": Wanted(("data", "dataset", "atoms"), remark="your data, one sample a row"),
        "cov": Wanted(("cov", "variance"), remark="σ², the variance of the noise"),
    },
    "score": {
        "score": Wanted(("score", "score_fn", "score_net", "forward", "__call__")),
        "prior": Wanted(("data", "atoms"), (), "None", "your data, to hold it against ∇ log p"),
        "cov": Wanted(("cov", "variance"), remark="σ², the variance of the noise"),
    },
    "log_likelihood_gradient": {
        "field": Wanted(("field", "ode_func", "vector_field", "velocity"), ("z", "params", "s")),
        "params": Wanted(("params", "theta"), remark="one array (P,)"),
        "x": Wanted(("x", "data"), remark="rows (n, D)"),
        "gradient": Wanted(("gradient", "grad", "log_prob_grad"), ("x", "params", "nu")),
    },
    "kl": {"kl": Wanted(("kl", "kl_divergence", "kl_loss", "analytical_kl", "gaussian_kl"))},
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
    "x0": ("x0", "x_0", "x", "x_start", "mean", "x_init"),
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
    name = path.partition(".")[0]
    made = path
    if inspect.isclass(thing):
        made += f"({', '.join(f'{n}=...' for n in _names(thing) or ())})"
    library = _library(thing)
    wanted = WANTED.get(what)
    if wanted is None or (len(wanted) == 1 and not inspect.isclass(thing) and callable(thing)):
        body = ["mine = o  # it goes in as it is"]
    else:
        entries = [_entry(argument, one, thing, library) for argument, one in wanted.items()]
        if what == "marginals" and hasattr(thing, "sde"):
            entries.append("batched_time=True,  # as score_sde's classes, a time for each row")
        if library != "numpy" and "framework" in _parameters(what):
            entries.append(f'framework="{library}",')
        body = ["mine = dict(", *(f"    {e}" for e in entries), ")"]
    imported = IMPORTS[library] if any(".zeros(" in e for e in body) else ""
    return "\n".join(
        [
            f'"""{path} as check_{what} takes it: {EXAMPLES[what].judges}.',
            "",
            f"    scoreproof check {what} FILE:mine      (FILE: the name of this file)",
            '"""',
            "",
            *([imported] if imported else []),
            f"from {module} import {name}",
            "",
            f"o = {made}",
            *body,
            "",
        ]
    )


def _entry(argument: str, wanted: Wanted, thing: Any, library: str) -> str:
    name = _member(wanted, thing)
    if name is not None:
        own = "o" if name == "__call__" else f"o.{name}"
        return f"{argument}={_ordered(own, getattr(thing, name), wanted.called)},"
    if hasattr(thing, "sde") and argument in ("drift", "diffusion"):  # drift and diffusion at once
        zeros = f"{ARRAYS[library]}.zeros((1, 2))"
        both = {"drift": "lambda x, t: o.sde(x, t)[0]",
                "diffusion": f"lambda t: o.sde({zeros}, t)[1]"}  # fmt: skip
        return f"{argument}={both[argument]},"
    how = f"called ({', '.join(wanted.called)}); " if wanted.called else ""
    tried = ", ".join(n for n in wanted.names if not n.startswith("__"))
    remark = wanted.remark or f"{how}o has no {tried}"
    return f"{argument}={wanted.value},  # {remark}"


def _member(wanted: Wanted, thing: Any) -> str | None:
    return next((n for n in wanted.names if hasattr(thing, n) and not _is_trivial(thing, n)), None)


def _is_trivial(thing: Any, name: str) -> bool:
    """``__call__`` of a class is its constructor; its instances may have none of their own."""
    return name == "__call__" and inspect.isclass(thing) and "__call__" not in dir(thing)


def _ordered(own: str, member: Any, called: tuple[str, ...]) -> str:
    """``member`` as it is if it takes its arguments in the check's order, else a lambda that puts
    them into its own, with an ellipsis for what the check does not have.
    """
    names = _names(member)
    if not called or names is None:
        return own
    place = {n: next((c for c in called if n in ALIASES.get(c, (c,))), None) for n in names}
    if [place[n] for n in names] == list(called) or (
        len(names) == len(called) and None in place.values()
    ):
        return own
    passed = ", ".join(place[n] or f"{n}=..." for n in names)
    return f"lambda {', '.join(called)}: {own}({passed})"


def _names(member: Any) -> list[str] | None:
    """The names of the arguments that it needs, without ``self``."""
    try:
        parameters = list(inspect.signature(member).parameters.values())
    except (TypeError, ValueError):
        return None
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [
        p.name for p in parameters if p.kind in kinds and p.default is p.empty and p.name != "self"
    ]


def _library(thing: Any) -> str:
    """What the class's own module works with."""
    cls = thing if inspect.isclass(thing) else type(thing)
    used = vars(inspect.getmodule(cls) or object)
    return "torch" if "torch" in used else "jax" if "jax" in used or "jnp" in used else "numpy"


def _parameters(what: str) -> Any:
    import scoreproof

    return inspect.signature(getattr(scoreproof, f"check_{what}")).parameters
