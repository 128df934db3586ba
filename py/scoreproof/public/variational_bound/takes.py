"""Which arguments a bound takes, by their names, and which term it is.

Conventions: roles are ``model``, ``out`` (what the model answered), ``x0``, ``xt``, ``t``,
``noise``, ``rng``, and ``clip``, which is switched off; of a VAE ``x0``, ``recon``, ``mu`` and
``logvar``, or ``logstd``, ``std``, ``var`` in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.interop.signatures import parameters
from scoreproof.public.called import DATA, MODELS, NOISES, NOISY, PREDICTED, RANDOM, TIMES, role_of

__all__ = ["ROLES", "TERMS", "Takes", "name_of", "takes_of", "term_of"]

NAMES = {
    "model": (*MODELS, "fn"),
    "out": (*PREDICTED, "x0_hat", "pred_x0", "x0_pred", "pred_xstart"),
    "x0": (*DATA, "x", "batch", "f", "inputs", "target", "targets", "samples", "x_in", "original"),
    "xt": (*NOISY, "x_1", "x1", "z_0", "z0"),
    "t": (*TIMES, "step", "k", "i", "idx"),
    "noise": (*NOISES, "z", "e"),
    "rng": (*RANDOM, "gen", "rngs"),
    "clip": ("clip_denoised", "clip", "clip_x0", "clip_x_start", "clamp", "clip_x0_hat"),
    "recon": ("recon", "recon_x", "x_hat", "xhat", "reconstruction", "x_recon", "recons", "logits")
    + ("x_rec", "recon_batch", "x_reconstructed", "decoded", "x_pred", "recon_logits", "x_logit"),
    "mu": ("mu", "mean", "z_mean", "mu_z", "means", "q_mu", "z_mu"),
    "logvar": ("logvar", "log_var", "z_log_var", "log_variance", "z_logvar", "logvar_z", "q_logvar")
    + ("log_sigma2", "log_sigma_sq", "log_sigma_squared"),
    "logstd": ("log_std", "logstd", "log_sigma", "logsigma", "log_stddev", "z_log_std")
    + ("z_log_sigma", "log_scale", "logscale"),
    "std": ("std", "sigma", "stddev", "scale", "z_std", "z_sigma", "q_std"),
    "var": ("var", "variance", "sigma2", "sigma_sq", "sigma_squared", "z_var"),
}
ROLES = tuple(NAMES)
TERMS = ("L_T", "L_t", "L_0", "vb", "total", "diffusion", "elbo")
#: what other names the terms go by
ALSO = {"prior": "L_T", "L_{t-1}": "L_t", "L_t-1": "L_t", "decoder": "L_0", "reconstruction": "L_0"}
#: by which the width of q(z | x) goes in
WIDTH = {"logvar", "logstd", "std", "var"}
LATENT = {"recon", "mu"} | WIDTH

#: role, and the keyword it is passed by, if it is
Takes = tuple[tuple[str, str | None], ...]


def name_of(bound: Any) -> str:
    """What a function is called, in lower case; of a `functools.partial` what is inside."""
    inner = getattr(bound, "func", bound)
    return str(getattr(inner, "__name__", type(inner).__name__)).lower()


def takes_of(bound: Any, given: Any) -> Takes:
    """Raises ``ArgumentError``."""
    if given is not None:
        return _said(given)
    taken = parameters(bound)
    if taken is None:
        return (("model", None), ("x0", None), ("xt", None), ("t", None))
    latent = sum(_role(p.name) in LATENT for p in taken) >= 2
    found: list[tuple[str, str | None]] = []
    for place, p in enumerate(taken):
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        role = _role(p.name)
        if role is not None and (role in LATENT) != latent and role not in ("x0", "rng"):
            role = None
        optional = p.default is not p.empty
        if role is None and not optional:
            raise _unknown(p.name, latent)
        if role is None or role in [r for r, _ in found] or optional and role in ("t", "out"):
            continue
        named = p.kind is p.KEYWORD_ONLY or len(found) < place
        found.append((role, p.name if named else None))
    _complete([r for r, _ in found])
    return tuple(found)


def _role(name: str) -> str | None:
    return role_of(name, NAMES)


def _complete(roles: Sequence[str]) -> None:
    if not ("x0" in roles or "mu" in roles and WIDTH & set(roles)):
        raise ArgumentError(
            "bound",
            "a function of x_0, and perhaps of the model, x_t, t and the noise",
            f"one of {', '.join(roles) or 'nothing'}",
            'say what its arguments are: given=("model", "x0", "xt", "t")',
        )


def _unknown(name: str, latent: bool) -> ArgumentError:
    takes = "x, recon, mu, logvar" if latent else "model, x0, x_t, t"
    known = '"x0", "recon", "mu", "logvar"' if latent else '"model", "x0", "xt", "t"'
    return ArgumentError(
        "bound",
        "a function of what is known by its names (model, x0, x_t, t, noise, rng; of a VAE x,"
        " recon, mu, logvar, log_std, std or var)",
        f"one that wants {name!r} too",
        f"fix it, lambda {takes}: bound({takes}, {name}=…), or say what all arguments are:"
        f" given=({known})",
    )


def _said(given: Any) -> Takes:
    said = [str(n) for n in given] if isinstance(given, Sequence) else []
    known = [n if n in ROLES else _role(n) for n in ([] if isinstance(given, str) else said)]
    roles = tuple(r for r in known if r is not None)
    if not roles or len(set(roles)) < len(known):
        raise ArgumentError(
            "given",
            f"a sequence of {', '.join(ROLES)}, each once",
            repr(given),
            'name what the bound is called with, in its order: ("model", "x0", "xt", "t")',
        )
    _complete(roles)
    return tuple((r, None) for r in roles)


def term_of(bound: Any, takes: Takes, term: str | None, continuous: bool) -> str:
    """Raises ``ArgumentError`` where neither ``term`` nor the arguments say it."""
    roles = {r for r, _ in takes}
    if term is not None:
        term = ALSO.get(term, term)
        if term not in TERMS:
            raise ArgumentError(
                "term",
                f"one of {', '.join(TERMS)}",
                repr(term),
                '"vb" is L_{t-1}, and L_0 at t = 0; leave it out where the arguments say it',
            )
        return term
    if roles & LATENT:
        return "elbo"
    if continuous:
        return "diffusion"
    if roles <= {"x0", "rng"}:
        return "L_T"
    if "t" in roles or "xt" in roles:
        name = name_of(bound)
        decodes = "t" not in roles or any(n in name for n in ("l_0", "l0", "decoder", "nll"))
        return "L_0" if decodes else "vb"
    return "total"
