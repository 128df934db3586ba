"""What the arguments of a function of two SDEs are, by their names.

Conventions: P has the drift that is named first, Q the other; a control is P's.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.interop.signatures import parameters
from scoreproof.public.called import (
    COUNTS,
    NOISES,
    NOISY,
    RANDOM,
    STEP_SIZES,
    TIMES,
    role_of,
)

__all__ = ["ROLES", "by_keyword", "roles_of"]

#: pairs of drifts or scores as they are called, P's first; f and h are torchsde's
PAIRS = (
    ("drift0", "drift1"),
    ("drift1", "drift2"),
    ("drift_a", "drift_b"),
    ("f0", "f1"),
    ("f1", "f2"),
    ("b0", "b1"),
    ("b1", "b2"),
    ("mu0", "mu1"),
    ("f", "h"),
    ("f", "f_prior"),
    ("a", "b"),
    ("f_post", "f_prior"),
    ("drift_post", "drift_prior"),
    ("posterior_drift", "prior_drift"),
    ("post_drift", "prior_drift"),
    ("drift", "prior_drift"),
    ("drift", "drift_ref"),
    ("drift", "reference_drift"),
    ("biased_drift", "drift"),
    ("drift_biased", "drift"),
    ("drift_model", "drift_ref"),
)
#: of these the one that stands first is P's: both orders are written
EITHER = (("drift_p", "drift_q"), ("f_p", "f_q"), ("b_p", "b_q"), ("mu_p", "mu_q"))
SCORES = (
    ("score0", "score1"),
    ("score", "model"),
    ("score", "score_model"),
    ("score", "score_theta"),
    ("score", "s_theta"),
    ("true_score", "model"),
    ("true_score", "score_model"),
    ("score_true", "score_model"),
    ("score_p", "score_q"),
)
ROLES = {
    "drift0": (),
    "drift1": ("base_drift", "uncontrolled_drift"),
    "score0": (),
    "score1": (),
    "control": ("u", "policy", "control_fn"),
    "sde": (),
    "diffusion": ("g", "sigma", "diff", "diffusion_fn", "diffusion_coeff", "gamma", "noise_scale"),
    "cov": ("covariance", "Cov", "Sigma", "Q"),
    "x0": ("y0", "z0", "x_init", "x_start", "start"),
    "x": ("xs", "path", "paths", "traj", "trajectory", "X", "ys", "zs", *NOISY),
    "t": (*TIMES, "time_grid", "tgrid"),
    "dt": STEP_SIZES,
    "steps": COUNTS,
    "batch_size": ("batch", "n_samples", "num_samples", "n_paths", "num_paths", "samples"),
    "t0": ("t_start", "t_min"),
    "t1": ("T", "t_end", "t_max", "horizon"),
    "dW": ("dw", "dB", "increments", "brownian", "dWs"),
    "z": (*NOISES, "xi"),
    "mean0": ("m0",),
    "std0": ("s0",),
    "mean1": ("m1",),
    "std1": ("s1",),
    "log_p0": ("log_prob0", "logp0"),
    "log_q0": ("log_prob1", "logq0"),
    "boundary": ("kl0", "kl_0", "initial_kl", "kl_initial", "kl_T", "kl_prior", "prior_kl"),
    "terminal": ("terminal_cost", "terminal_loss", "psi", "final_cost", "Psi"),
}
REMEDY = 'say what they are, e.g. given=("drift0", "drift1", "diffusion", "x", "t"), or fix it by'


def _parameters(function: Any) -> list[inspect.Parameter]:
    return [
        p for p in parameters(function) or () if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]


def by_keyword(function: Any, given: Any) -> bool:
    """Whether its arguments go in by name."""
    return given is None and all(p.kind != p.POSITIONAL_ONLY for p in _parameters(function))


def _paired(names: list[str]) -> dict[str, str]:
    """The names that are half of a pair, with what they are."""
    for kind, pairs in (("drift", PAIRS), ("score", SCORES)):
        for first, second in pairs:
            if first in names and second in names:
                return {first: f"{kind}0", second: f"{kind}1"}
    for pair in EITHER:
        if all(n in names for n in pair):
            first, second = sorted(pair, key=names.index)
            return {first: "drift0", second: "drift1"}
    return {}


def _role(name: str, paired: Mapping[str, str]) -> str | None:
    if name in paired:
        return paired[name]
    return role_of(name, ROLES)


def _said(given: Any) -> dict[str, str]:
    listed = isinstance(given, Sequence)
    said = [given] if isinstance(given, str) else [str(n) for n in given] if listed else []
    paired = _paired(said)
    known = {n: n if n in RANDOM else _role(n, paired) for n in said}
    unknown = [n for n, role in known.items() if role is None]
    roles = {n: role for n, role in known.items() if role is not None}
    if unknown or not said or len(set(roles.values())) < len(said):
        raise ArgumentError(
            "given",
            f"the arguments in order, each one of {', '.join(ROLES)}, rng, generator, key",
            ", ".join(unknown or said) or repr(given),
            'e.g. given=("drift0", "drift1", "diffusion", "x", "t")',
        )
    return roles


def roles_of(function: Any, given: Any, options: Mapping[str, Any]) -> dict[str, str]:
    """Argument → what it is, in order; of ``given`` the arguments have no names. Raises
    ``ArgumentError``.
    """
    if given is not None:
        return _said(given)
    taken = [p for p in _parameters(function) if p.name not in options]
    names = [p.name for p in taken]
    paired = _paired(names)
    lone = not paired and ("control" in names or any(n in names for n in ROLES["control"]))
    if lone:
        paired = dict.fromkeys(("drift", "f", "b", "drift_ref", "prior_drift"), "drift1")
    roles: dict[str, str] = {}
    for p in taken:
        role = p.name if p.name in RANDOM else _role(p.name, paired)
        small = p.default is not p.empty and role in ("z", "boundary", "terminal")
        if role is None or small or role in roles.values():
            if p.default is not p.empty:
                continue
            raise ArgumentError(
                "path_kl",
                "a function whose arguments are known by their names",
                f"{p.name} among {', '.join(names)}",
                f"{REMEDY} options={{{p.name!r}: …}}",
            )
        roles[p.name] = role
    return roles
