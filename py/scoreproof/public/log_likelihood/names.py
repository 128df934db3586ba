"""What somebody's log-likelihood takes, known by the names of its arguments or by ``given=``.

Conventions: a role is what stands for all names of one thing. Positional arguments without a
default are handed over in order; those with one by name, where they say how finely it is solved or
between which times.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.interop import signatures
from scoreproof.public.called import COUNTS, DATA, MODELS, RANDOM, STEP_SIZES, role_of

__all__ = ["FINER", "ROLES", "Taken", "roles_of"]

ROLES: dict[str, tuple[str, ...]] = {
    "x": ("x", *DATA, "batch", "samples", "sample", "xs", "x1", "x_1", "y", "theta", "inputs")
    + ("z", "z1"),
    "model": (*MODELS, "noise_pred", "velocity", "v", "v_fn", "field", "drift", "func", "f")
    + ("ode_func", "odefunc", "node", "dynamics", "flow", "cnf", "u", "b"),
    "nu": ("nu", "epsilon", "noise", "probe", "probes", "hutchinson", "e", "rademacher", "hutch")
    + ("hutchinson_epsilon", "eps_probe", "z_probe", "vec"),
    "div": ("div", "divergence", "div_fn", "trace", "trace_fn", "divergence_fn"),
    "process": ("sde", "process", "schedule", "noise_schedule", "diffusion", "scheduler", "path"),
    "log_prior": ("log_prior", "prior_logp", "log_p0", "logp0", "log_prob_prior", "log_pz")
    + ("prior_log_prob", "base_log_prob", "prior_fn", "logp_prior"),
    "n_steps": (*COUNTS, "steps", "n", "nfe"),
    "step_size": (*STEP_SIZES, "h", "dt0"),
    "rtol": ("rtol", "rel_tol"),
    "atol": ("atol", "abs_tol"),
    "tol": ("tol", "tolerance"),
    "times": ("times", "ts", "t_span", "time_grid", "sigmas", "t_steps", "timesteps", "t_eval")
    + ("grid",),
    "t_min": ("t_min", "eps", "t_eps", "sigma_min", "t0", "tmin", "epsilon_t", "t_start"),
    "t": ("t", "time", "t_data"),
    "t_max": ("t_max", "T", "sigma_max", "t1", "tmax", "t_end"),
}
#: what says how finely the ODE is solved
FINER = ("n_steps", "times", "step_size", "rtol", "atol", "tol")
EXAMPLE = 'e.g. given=("model", "x"), or fix it by options='


@dataclass(frozen=True)
class Taken:
    """``positional``: roles, in order. ``named``: role -> name, of those that are passed by name;
    ``defaults``: role -> the value that it has by default.
    """

    positional: tuple[str, ...]
    named: Mapping[str, str]
    defaults: Mapping[str, Any]
    #: an argument without a default is named eps
    eps_needed: bool = False

    @property
    def all(self) -> set[str]:
        return {*self.positional, *self.named}

    @property
    def of_two_minds(self) -> bool:
        """Whether an argument ``eps`` may as well be the probe: nothing else is, nor draws one."""
        other = {"nu", "div", *RANDOM}
        return self.eps_needed and not other & self.all

    @property
    def finer(self) -> tuple[str, ...]:
        return tuple(r for r in FINER if r in self.all)


def roles_of(function: Any, given: Any, options: Mapping[str, Any]) -> Taken:
    """Raises ``ArgumentError`` where an argument is not known."""
    parameters = signatures.parameters(function) or []
    in_order = signatures.positional(function)
    said: list[str] | None = None
    if given is not None:
        said = [given] if isinstance(given, str) else [str(n) for n in given]
        unknown = [n for n in said if role_of(n, ROLES) is None and n not in RANDOM]
        if unknown or "x" not in [role_of(n, ROLES) for n in said]:
            raise ArgumentError(
                "given",
                f"the arguments in order, each one of {', '.join(ROLES)}, rng, key; x among them",
                ", ".join(unknown) or ", ".join(said),
                'e.g. given=("model", "x")',
            )
    positional: list[str] = []
    if said is not None:
        positional = [n if n in RANDOM else str(role_of(n, ROLES)) for n in said]
        rest = in_order[len(said) :]
    else:
        needed = [p for p in in_order if p.default is p.empty]
        for k, p in enumerate(needed):
            role = p.name if p.name in RANDOM else role_of(p.name, ROLES)
            if p.name in options:
                if any(q.name not in options for q in needed[k:]):
                    raise ArgumentError(
                        "options",
                        "of arguments after those that the check hands over",
                        p.name,
                        "fix it by a lambda or functools.partial around the function",
                    )
                break
            if role is None or role in positional:
                raise ArgumentError(
                    "log_likelihood",
                    "a function whose arguments are known by their names",
                    f"{p.name} among {', '.join(q.name for q in in_order)}",
                    f"say what they are, {EXAMPLE}",
                )
            positional.append(role)
        rest = [p for p in in_order if p not in needed]
    rest += [p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
    named: dict[str, str] = {}
    defaults: dict[str, Any] = {}
    for p in rest:
        role = p.name if p.name in RANDOM else role_of(p.name, ROLES)
        if p.name in options or role is None or role in positional:
            continue
        if p.default is p.empty or role in (*RANDOM, *FINER, "t_min", "t_max", "t", "nu"):
            named[role] = p.name
            if p.default is not p.empty:
                defaults[role] = p.default
    if "x" not in positional:
        raise ArgumentError(
            "log_likelihood",
            "a function of x",
            f"one of ({', '.join(p.name for p in in_order)})",
            'name its arguments by given=, e.g. given=("model", "x")',
        )
    if "model" not in positional:
        raise ArgumentError(
            "log_likelihood",
            "a function that is handed its model",
            f"one of ({', '.join(p.name for p in in_order)})",
            "let it take the model as an argument: log_likelihood(model, x)",
        )
    eps = any(p.name == "eps" and p.default is p.empty and "eps" not in options for p in parameters)
    return Taken(tuple(positional), named, defaults, eps)
