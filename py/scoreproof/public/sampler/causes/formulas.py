"""The formulas of the samplers that people write, by what is known of their forward process.

Conventions: as in `texts`; VP: α² + σ² = 1, VE: α = 1, flow: α + σ = 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from scoreproof.public.sampler.causes import texts
from scoreproof.public.sampler.causes.language import Program, parsed
from scoreproof.public.sampler.causes.twice import TWICE

__all__ = ["RENOISED", "Formula", "formulas"]

#: steps that are right for a model that returns a sample of the data, not their mean
RENOISED = "sampling anew from x_0 (as consistency models are sampled)"


@dataclass(frozen=True)
class Formula:
    """A right step: its ``name`` in a sentence, what ``kind`` of model it is written for, its
    program, whether η is ``free`` in it, whether data at one point keep their law in it; ``start``:
    steps at the beginning that are others; ``by``: what is prescribed when its coefficients are
    measured, x_0, ε or the output (where earlier ones enter).
    """

    name: str
    kind: str
    program: Program
    free: bool = False
    exact: bool = True
    start: int = 0
    by: str = "x_0"
    #: the level of the second call: of the step's end, or between
    second: str = "end"


@cache
def formulas(shape: str, stages: int, table: bool) -> tuple[Formula, ...]:
    """Those that may have been meant, the plainest first."""
    if stages == 1:
        return (*_single(shape, table), *_looking_back(shape, table))
    return tuple(_several(shape, stages))


def _made(
    name: str,
    heads: Mapping[str, str],
    body: str,
    *,
    free: bool = False,
    exact: bool = True,
    start: int = 0,
    by: str = "x_0",
) -> Iterator[Formula]:
    for kind, head in heads.items():
        program = parsed(f"{head.strip()}\n{body.strip()}")
        yield Formula(name, kind, program, free, exact, start, by)


_BARE = {"flow": "v = out", "velocity": "v = out"}


def _single(shape: str, table: bool) -> Iterator[Formula]:
    if shape == "VP" and table:
        for head in (texts.VP, texts.VP_AGAIN):
            yield from _made("DDIM", head, texts.DDIM_ODE)
            yield from _made("DDIM", head, texts.DDIM, free=True)
        yield from _made("DDIM", texts.VP, texts.DDIM_OVER)
        for body in (texts.DDPM, texts.HO):
            yield from _made("DDPM", texts.VP, body)
            large = body.replace("sqrt(var) * z", "sqrt(beta_t) * z")
            yield from _made("DDPM with β", texts.VP, large, exact=False)
    if shape == "VE":
        yield from _made("Euler's method", texts.VE, texts.EULER)
        yield from _made("Euler ancestral", texts.VE, texts.ANCESTRAL, free=True)
        churned = {k: text.replace("sigma_t", "sigma_hat") for k, text in texts.VE.items()}
        yield from _made("EDM", churned, texts.CHURN)
    if shape == "flow":
        name = "Euler ancestral on the straight path"
        yield from _made(name, texts.ANY, texts.FLOW_ANCESTRAL, free=True, exact=True)
    made = {"flow": "v = out"}
    if shape == "flow":
        made |= {"x0": "v = (x - out) / sigma_t", "eps": "v = (out - x) / a_t"}
    yield from _made("Euler's method", made, texts.STRAIGHT)
    yield from _made("Euler's method", {"velocity": "v = out"}, texts.VELOCITY, exact=False)
    if shape != "VE":
        for head in (texts.ANY, texts.ANY_AGAIN):
            yield from _made("DDIM", head, texts.DDIM_ANY_ODE)
            yield from _made("DDIM", head, texts.DDIM_ANY, free=True)
        yield from _made("DDIM", texts.ANY, texts.DDIM_ANY_OVER)
        yield from _made("ancestral sampling (the posterior of DDPM)", texts.ANY, texts.VDM)
    yield from _made("DPM-Solver++", texts.ANY, texts.DPM)
    yield from _made("DPM-Solver", texts.ANY, texts.DPM_EPS)
    yield from _made("SDE-DPM-Solver++", texts.ANY, texts.DPM_SDE)
    yield from _made(RENOISED, texts.ANY, texts.RENOISED)
    yield from _made("Euler–Maruyama", texts.SCORE, texts.MARUYAMA, exact=False)
    yield from _made(
        "Euler's method on the probability-flow ODE", texts.SCORE, texts.ODE, exact=False
    )
    if shape == "VP" and table:
        yield from _made(
            "the reverse diffusion predictor", texts.SCORE, texts.DISCRETE, exact=False
        )
    if shape == "VE":
        yield from _made(
            "the reverse diffusion predictor", texts.SCORE, texts.EXPLODING, exact=False
        )


def _looking_back(shape: str, table: bool) -> Iterator[Formula]:
    name = "DPM-Solver++(2M)"
    yield from _made(name, texts.ANY, texts.DPM_2M, start=1)
    yield from _made(f"{name} SDE", texts.ANY, texts.DPM_2M_SDE, start=1)
    unic = "DPM-Solver++ with a corrector as UniPC's"
    yield from _made(unic, texts.ANY, texts.UNIC, start=1)
    yield from _made("DPM-Solver(2M)", texts.ANY, texts.DPM_2M_EPS, start=1, by="eps")
    if shape == "VE":
        for order, body in texts.MULTISTEP.items():
            yield from _made(f"LMS of order {order}", texts.VE, body, start=order - 1, by="eps")
    elif shape == "flow":
        bare = dict.fromkeys(_BARE, "")
        yield from _made("Adams–Bashforth of order 2", bare, texts.FLOW_AB, start=1, by="out")
    elif shape == "VP" and table:
        yield from _made("PLMS", texts.VP, texts.PLMS, start=3, by="eps")


def _several(shape: str, stages: int) -> Iterator[Formula]:
    if stages == 4:
        yield from _made("RK4", _BARE, texts.RK4, exact=False)
    if stages != 2:
        return
    yield from _made("Heun's method", _BARE, texts.HEUN_FLOW, exact=False)
    for f in _made("the midpoint method", _BARE, texts.MIDPOINT, exact=False):
        yield replace(f, second="middle")
    for f in _made("the midpoint method by a derivative", _BARE, texts.TAYLOR, exact=False):
        yield replace(f, second="middle")
    if shape == "VE":
        second = {"eps": "x_0_2 = mid - {} * out_2", "x0": "x_0_2 = out_2"}
        for name, body, at, free in TWICE:
            for kind, call in second.items():
                lines = f"{texts.VE[kind]}\n{body.strip()}".splitlines()
                k = next(k for k, line in enumerate(lines) if line.startswith("mid ="))
                made = "\n".join([*lines[: k + 1], call.format(at), *lines[k + 1 :]])
                yield Formula(name, kind, parsed(made), free, exact=False, second=at)
    yield from _made(
        "a predictor and a Langevin corrector", {"score": ""}, texts.CORRECTED, exact=False
    )
    yield from _made(
        "Heun's method on the probability-flow ODE", {"score": ""}, texts.HEUN_ODE, exact=False
    )
