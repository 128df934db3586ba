"""What a kernel takes, known by the names of its positional arguments or by ``given=``.

Conventions: a role is what stands for all names of one thing; arguments with a default are handed
over where they are a law or a step size.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.interop import signatures
from scoreproof.public.called import (
    LEVELS,
    LOG_DENSITIES,
    MODELS,
    NOISY,
    RANDOM,
    STEP_SIZES,
    role_of,
)

__all__ = [
    "BY_HAND",
    "ONE_CHAIN",
    "OF_GAUSSIANS",
    "OF_THE_LAW",
    "ROLES",
    "positional",
    "roles_of",
]

#: what a kernel may take, and the names that it goes by
ROLES: dict[str, tuple[str, ...]] = {
    "x": ("x", *NOISY, "x0", "xs", "sample", "samples", "state", "position", "q", "theta"),
    "v": ("v", "p", "momentum", "velocity", "vel", "mom"),
    "score": (*MODELS, "s"),
    "grad_log_prob": (
        *("grad_log_prob", "grad", "grad_fn", "grad_logp", "grad_log_p", "grad_log_density"),
        *("dlogp", "glogp"),
    ),
    "log_prob": LOG_DENSITIES,
    "potential": ("potential", "potential_fn", "energy", "energy_fn", "U"),
    "grad_potential": ("grad_potential", "grad_energy", "grad_U", "dU"),
    "t": ("t", "time", "timestep", *LEVELS, "level"),
    "t_batch": ("vec_t", "t_vec", "labels", "t_batch", "ts"),
    "step_size": (
        *STEP_SIZES,
        "h",
        "eps",
        "epsilon",
        "step",
        "step_lr",
        "lr",
        "delta",
        "tau",
        "eta",
    ),
    "snr": ("snr", "target_snr"),
    "noise": ("noise", "noises", "gaussian_noise", "z", "xi"),
    "uniform": ("uniform", "u", "unif"),
    "mean": ("mean", "mu"),
    "cov": ("cov", "covariance", "Sigma"),
    "precision": ("precision", "prec", "Lambda"),
}
#: whatever a kernel takes of the law
OF_THE_LAW = ("score", "grad_log_prob", "log_prob", "potential", "grad_potential")
OF_GAUSSIANS = ("mean", "cov", "precision")

BY_HAND = "call it once by hand; name its arguments by given="
ONE_CHAIN = (
    "it is called with a batch: map a kernel of one chain over the rows, lambda key, x, log_prob,"
    " h: jax.vmap(lambda k, x: kernel(k, x, lambda y: log_prob(y[None])[0], h))("
    "jax.random.split(key, len(x)), x), or take the gradient of log_prob(x).sum()"
)


def positional(function: Any) -> tuple[list[str], int]:
    """Names of the positional arguments, and how many have no default."""
    return [p.name for p in signatures.positional(function)], len(signatures.needed(function))


def roles_of(function: Any, given: Any, options: Mapping[str, Any]) -> tuple[str, ...]:
    """What a kernel's positional arguments are; raises ``ArgumentError``."""
    if given is not None:
        said = (given,) if isinstance(given, str) else tuple(given)
        known = [str(n) if str(n) in RANDOM else role_of(str(n), ROLES) for n in said]
        unknown = [str(n) for n, r in zip(said, known, strict=True) if r is None]
        if unknown or "x" not in known:
            raise ArgumentError(
                "given",
                f"the corrector's arguments in order, each one of {', '.join(ROLES)}, rng, key; x"
                " among them",
                ", ".join(unknown) or ", ".join(map(str, said)),
                'e.g. given=("score", "x", "step_size")',
            )
        return tuple(r for r in known if r is not None)
    names, needed = positional(function)
    roles: list[str] = []
    for k, name in enumerate(names):
        role = role_of(name, ROLES)
        if name in RANDOM and any(
            n not in options and role_of(n, ROLES) for n in names[k + 1 : needed]
        ):
            roles.append(name)  # in its place, as more are needed after it
            continue
        if name in RANDOM or name in options:
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
