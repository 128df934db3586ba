"""The formulas of the samplers that people write, as they stand in code.

Conventions: ``x``, ``out`` (what the model returned), ``z`` come in; ``x_next`` goes out, and
``mid`` where a step asks its model twice. ``ᾱ`` where there is a table, else α and σ.
"""

from __future__ import annotations

from dataclasses import dataclass

from scoreproof.public.sampler.causes.language import Program, parsed

__all__ = ["NOISES", "OTHERS", "VECTORS", "Formula", "formulas"]

#: names that are no plain numbers
VECTORS = frozenset(
    {
        "x",
        "out",
        "out_2",
        "z",
        "x_0",
        "x_0_old",
        "x_0_2",
        "eps",
        "eps_2",
        "d",
        "d_2",
        "mid",
        "mean",
        "x_next",
        "score",
        "D",
    }
)
#: what stands for a name by mistake
OTHERS: dict[str, tuple[str, ...]] = {
    "abar_t": ("abar_prev", "alpha_t"),
    "abar_prev": ("abar_t", "alpha_t"),
    "alpha_t": ("abar_t", "abar_prev", "beta_t"),
    "beta_t": ("alpha_t", "var", "beta_table"),
    "var": ("beta_t", "beta_table"),
    "std": ("var", "eta"),
    "a_t": ("a_next", "sigma_t"),
    "a_next": ("a_t", "sigma_next"),
    "sigma_t": ("sigma_next", "a_t", "sigma_down"),
    "sigma_next": ("sigma_t", "a_next"),
    "sigma_down": ("sigma_next", "sigma_up", "sigma_t"),
    "sigma_up": ("sigma_down", "sigma_next", "sigma_t"),
    "sigma_hat": ("sigma_t", "sigma_next"),
    "sigma_hat_next": ("sigma_hat",),
    "h": ("h_log10", "h_log2", "h_prev"),
    "h_prev": ("h",),
    "g2": ("g", "g2_next"),
    "f": ("f_next",),
    "t_next": ("t",),
    "t": ("t_next",),
    "d_2": ("d",),
    "d": ("d_2",),
    "x_0": ("eps",),
    "eps": ("x_0",),
    "mid": ("x",),
}

#: what stands in front of z by mistake
NOISES = (
    "sqrt(1 - abar_prev)",
    "sqrt(1 - abar_t)",
    "sqrt(beta_t)",
    "beta_t",
    "sigma_next",
    "sigma_t",
    "sqrt(1 - alpha_t)",
    "eta",
    "eta * sqrt(1 - abar_prev)",
    "eta * sqrt(1 - abar_t)",
    "eta * sqrt(beta_t)",
    "sqrt(sigma_t**2 - sigma_next**2)",
    "sqrt(sigma_t - sigma_next)",
    "sigma_t - sigma_next",
    "sqrt(dt)",
    "dt",
    "sqrt(2 * dt)",
    "sqrt(h)",
)

#: x_0 and ε of what the model returned
_VP = {
    "eps": "x_0 = (x - sqrt(1 - abar_t) * out) / sqrt(abar_t)\neps = out",
    "x0": "x_0 = out\neps = (x - sqrt(abar_t) * x_0) / sqrt(1 - abar_t)",
    "v": "x_0 = sqrt(abar_t) * x - sqrt(1 - abar_t) * out\n"
    "eps = sqrt(abar_t) * out + sqrt(1 - abar_t) * x",
    "score": "eps = -sqrt(1 - abar_t) * out\nx_0 = (x - sqrt(1 - abar_t) * eps) / sqrt(abar_t)",
}
#: with ε formed anew from x_0
_VP_AGAIN = {
    kind: text.split("\n")[0] + "\neps = (x - sqrt(abar_t) * x_0) / sqrt(1 - abar_t)"
    for kind, text in _VP.items()
    if kind in ("eps", "v")
}
_ANY = {
    "eps": "x_0 = (x - sigma_t * out) / a_t\neps = out",
    "x0": "x_0 = out\neps = (x - a_t * x_0) / sigma_t",
    "v": "x_0 = a_t * x - sigma_t * out\neps = a_t * out + sigma_t * x",
    "score": "eps = -sigma_t * out\nx_0 = (x - sigma_t * eps) / a_t",
    "flow": "x_0 = x - sigma_t * out\neps = x + a_t * out",
}
_VE = {
    "eps": "x_0 = x - sigma_t * out",
    "x0": "x_0 = out",
    "v": "x_0 = x / (sigma_t**2 + 1) - sigma_t / sqrt(sigma_t**2 + 1) * out",
    "score": "x_0 = x + sigma_t**2 * out",
}
_DDIM = """
var = (1 - abar_prev) / (1 - abar_t) * (1 - abar_t / abar_prev)
std = eta * sqrt(var)
x_next = sqrt(abar_prev) * x_0 + sqrt(1 - abar_prev - std**2) * eps + std * z
"""
_DDIM_ODE = """
x_next = sqrt(abar_prev) * x_0 + sqrt(1 - abar_prev) * eps
"""
_DDIM_ANY_ODE = """
x_next = a_next * x_0 + sigma_next * eps
"""
_EULER = """
d = (x - x_0) / sigma_t
x_next = x + (sigma_next - sigma_t) * d
"""
_DDPM = """
var = (1 - abar_prev) / (1 - abar_t) * beta_t
mean = sqrt(abar_prev) * beta_t / (1 - abar_t) * x_0 + sqrt(alpha_t) * (1 - abar_prev) / (1 - abar_t) * x
x_next = mean + sqrt(var) * z
"""
_HO = """
var = (1 - abar_prev) / (1 - abar_t) * beta_t
x_next = (x - beta_t / sqrt(1 - abar_t) * eps) / sqrt(alpha_t) + sqrt(var) * z
"""
_LARGE = {
    _DDPM: _DDPM.replace("mean + sqrt(var)", "mean + sqrt(beta_t)"),
    _HO: _HO.replace("+ sqrt(var)", "+ sqrt(beta_t)"),
}
_DDIM_ANY = """
var = (sigma_next / sigma_t)**2 * (1 - (a_t / a_next)**2)
std = eta * sqrt(var)
x_next = a_next * x_0 + sqrt(sigma_next**2 - std**2) * eps + std * z
"""
_ANCESTRAL = """
sigma_up = eta * sqrt(sigma_next**2 * (sigma_t**2 - sigma_next**2) / sigma_t**2)
sigma_down = sqrt(sigma_next**2 - sigma_up**2)
d = (x - x_0) / sigma_t
x_next = x + (sigma_down - sigma_t) * d + sigma_up * z
"""
_CHURN = """
d = (x - x_0) / sigma_hat
x_next = x + (sigma_next - sigma_hat) * d + sqrt(sigma_hat_next**2 - sigma_next**2) * z
"""
_HEUN = """
d = (x - x_0) / sigma_t
mid = x + (sigma_next - sigma_t) * d
d_2 = (mid - x_0_2) / sigma_next
x_next = x + (sigma_next - sigma_t) * (0.5 * d + 0.5 * d_2)
"""
_HEUN_FLOW = """
mid = x + (t_next - t) * out
x_next = x + (t_next - t) * (0.5 * out + 0.5 * out_2)
"""
_DPM = """
x_next = sigma_next / sigma_t * x - a_next * (exp(-h) - 1) * x_0
"""
_DPM_2M = """
r = h_prev / h
q = 1 / (2 * r)
D = (1 + q) * x_0 - q * x_0_old
x_next = sigma_next / sigma_t * x - a_next * (exp(-h) - 1) * D
"""
_STRAIGHT = """
x_next = x + (sigma_next - sigma_t) * out
"""
_VELOCITY = """
x_next = x + (t_next - t) * out
"""
_MARUYAMA = """
x_next = x - (f * x - g2 * score) * dt + sqrt(g2) * sqrt(dt) * z
"""
_ODE = """
x_next = x - (f * x - 0.5 * g2 * score) * dt
"""
_DISCRETE = """
x_next = (2 - sqrt(1 - beta_t)) * x + beta_t * score + sqrt(beta_t) * z
"""
_EXPLODING = """
x_next = x + (sigma_t**2 - sigma_next**2) * score + sqrt(sigma_t**2 - sigma_next**2) * z
"""


@dataclass(frozen=True)
class Formula:
    """A right step: its ``name`` in a sentence, what ``kind`` of model it is written for, its
    program, whether η is free in it, and whether data at one point keep their law in it.
    """

    name: str
    kind: str
    program: Program
    free: bool = False
    exact: bool = True


def _made(name: str, heads: dict[str, str], body: str, **more: bool) -> list[Formula]:
    return [
        Formula(name, kind, parsed(f"{head}\n{body.strip()}"), **more)
        for kind, head in heads.items()
    ]


def formulas(shape: str, stages: int, table: bool) -> list[Formula]:
    """Those that may have been meant; ``shape`` of the forward process: VP, VE, flow or other."""
    scores = {
        "score": "score = out",
        "eps": "score = -out / sigma_t",
        "x0": "score = (a_t * out - x) / sigma_t**2",
        "v": "eps = a_t * out + sigma_t * x\nscore = -eps / sigma_t",
    }
    if stages == 2:
        second = {"eps": "x_0_2 = mid - sigma_next * out_2", "x0": "x_0_2 = out_2"}
        return [
            Formula("Heun", k, _second(f"{_VE[k]}\n{_HEUN.strip()}", second[k]), exact=False)
            for k in second
        ] + [
            Formula("Heun", k, parsed(_HEUN_FLOW.strip()), exact=False)
            for k in ("flow", "velocity")
        ]
    found: list[Formula] = []
    if shape == "VP" and table:
        for head in (_VP, _VP_AGAIN):
            found += _made("DDIM", head, _DDIM_ODE)
            found += _made("DDIM", head, _DDIM, free=True)
        for body in (_DDPM, _HO):
            found += _made("DDPM", _VP, body)
            found += _made("DDPM with β", _VP, _LARGE[body], exact=False)
        found += _made("the reverse diffusion predictor", scores, _DISCRETE, exact=False)
    if shape == "VE":
        found += _made("Euler's method", _VE, _EULER)
        found += _made("Euler ancestral", _VE, _ANCESTRAL, free=True)
        found += _made("EDM", _VE, _CHURN)
        found += _made("the reverse diffusion predictor", scores, _EXPLODING, exact=False)
    found += [Formula("Euler's method", "flow", parsed(_STRAIGHT.strip()))]
    found += [Formula("Euler's method", "velocity", parsed(_VELOCITY.strip()), exact=False)]
    if shape != "VE":
        found += _made("DDIM", _ANY, _DDIM_ANY_ODE)
        found += _made("DDIM", _ANY, _DDIM_ANY, free=True)
    found += _made("DPM-Solver++", _ANY, _DPM)
    found += _made("DPM-Solver++(2M)", _ANY, _DPM_2M)
    found += _made("Euler–Maruyama", scores, _MARUYAMA, exact=False)
    found += _made("Euler's method on the probability-flow ODE", scores, _ODE, exact=False)
    return found


def _second(text: str, call: str) -> Program:
    """With what the second call predicts, after the statement that makes ``mid``."""
    lines = text.splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("mid"))
    return parsed("\n".join([*lines[: at + 1], call, *lines[at + 1 :]]))
