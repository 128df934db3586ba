"""What the check was given, behind guards: which kind of noise, and a density or a score.

Conventions: as in `noise`, `readings` and `subject`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.interop.frameworks import guarded
from scoreproof.public.fokker_planck.arguments import Place, depends_on_state, one_density
from scoreproof.public.fokker_planck.asking import Subject, given
from scoreproof.public.fokker_planck.general.noise import MEANINGS, Noise, constant
from scoreproof.public.fokker_planck.general.order import in_order
from scoreproof.public.fokker_planck.general.readings import ITO, Reading, reading
from scoreproof.public.fokker_planck.general.subject import General

__all__ = ["Asked", "subject"]


@dataclass(frozen=True, eq=False)
class Asked:
    """The arguments that say what is judged."""

    drift: Callable[..., Any]
    diffusion: Any
    density: Any
    log_density: Any
    score: Any
    interpretation: Any
    diffusion_is: str
    method: str
    framework: str
    dtype: Any


def subject(a: Asked, place: Place) -> Subject:
    """A noise that is one number at each time stays the plain `Subject`."""
    law, is_log = one_density(a.density, a.log_density, a.score)
    if a.diffusion_is not in MEANINGS:
        raise ArgumentError(
            "diffusion_is",
            f"one of {', '.join(map(repr, MEANINGS))}",
            repr(a.diffusion_is),
            "'g' is the coefficient of dW, 'covariance' is Σ = g gᵀ, 'diffusivity' D = ½ g gᵀ",
        )
    read = reading(a.interpretation)
    diffusion = in_order(constant(a.diffusion))
    of_state = depends_on_state(diffusion, read, a.method)
    if law is None and a.method == "weak":
        raise ArgumentError(
            "method", "'strong' or 'auto' with score= alone", "'weak'", "pass log_density= too"
        )
    plain = given(
        in_order(a.drift),
        diffusion,
        in_order(a.score if law is None else law),
        is_log,
        of_state,
        a.framework,
        a.dtype,
    )
    g, d = plain.g, place.dimension
    t, sides = place.box.times[0], place.box.sides
    # not the middle itself, where a noise like x may vanish
    inside = (sides @ [0.58, 0.42])[None]
    if not of_state and a.diffusion_is == "g" and a.score is None:
        value = g(plain.clock(t))
        if value.size == 1:
            return plain
    noise = Noise(g, of_state, a.diffusion_is, d)
    if of_state and not noise.is_g and read not in (None, ITO) and not (read and read.fick):
        _root_is_unknown(noise, place, read)
    score = None
    if a.score is not None:
        score = (
            plain.law if law is None else guarded(in_order(a.score), "score", a.framework, a.dtype)
        )
        score.name = "score"
    return General(
        plain.f,
        g,
        plain.law,
        is_log,
        of_state,
        a.framework,
        noise,
        read or ITO,
        score,
        law is None,
        inside,
    )


def _root_is_unknown(noise: Noise, place: Place, read: Reading | None) -> None:
    """Stratonovich's drift is made of g, and not of g gᵀ, unless that is diagonal."""
    x = place.at(0)[:2]
    if noise.value(x, place.box.times[0]).ndim == 2 or place.dimension == 1:
        return
    raise ArgumentError(
        "diffusion_is",
        "'g' for a matrix of x that is not read as Itô or Fick",
        repr(noise.what),
        f"the drift that {read.said if read else 'it'} adds is made of g, and many g have one"
        " g gᵀ: return g itself",
    )
