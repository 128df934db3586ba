"""What the check was given, behind guards: which kind of noise, and a density or a score.

Conventions: as in `noise`, `readings` and `subject`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.frameworks import guarded
from scoreproof.public.fokker_planck.arguments import Place, depends_on_state
from scoreproof.public.fokker_planck.asking import Subject, given
from scoreproof.public.fokker_planck.general.noise import MEANINGS, Noise, constant
from scoreproof.public.fokker_planck.general.subject import General
from scoreproof.public.fokker_planck.order import in_order
from scoreproof.public.fokker_planck.readings import ITO, Reading, reading

#: the order in which x and t go into functions
INPUTS = ("xt", "tx")

__all__ = ["Given", "Probe", "prepared", "subject"]


@dataclass(frozen=True, eq=False)
class Given:
    """What is judged, asked as ``(x, t)``; ``law`` is ``None`` where a score stands for it."""

    drift: Callable[..., Any]
    diffusion: Callable[..., Any]
    law: Any
    is_log: bool
    score: Any
    read: Reading | None
    of_state: bool
    diffusion_is: str
    framework: str
    dtype: Any


@dataclass(frozen=True, eq=False)
class Probe:
    """Where the noise is looked at first: a time, and a point ``(1, d)`` inside of the domain that
    is not its middle, where a noise like x may vanish.
    """

    t: float
    inside: np.ndarray

    @classmethod
    def of(cls, t: float, sides: np.ndarray) -> Probe:
        """``sides``: low and high of each coordinate ``(d, 2)``."""
        return cls(t, (np.asarray(sides) @ [0.58, 0.42])[None])

    @classmethod
    def at(cls, place: Place) -> Probe:
        return cls.of(place.box.times[0], place.box.sides)


def prepared(
    functions: tuple[Any, Any],
    law: tuple[Any, bool, Any],
    meant: tuple[Any, str, str],
    how: tuple[str, Any],
    inputs: str | None = None,
) -> Given:
    """Arguments that say what is judged, held to what they must be.

    Parameters
    ----------
    functions: drift and diffusion.
    law: a density, whether it is a log, and a score.
    meant: interpretation, diffusion_is, method.
    how: framework and dtype.
    inputs: the order of x and t where no name tells.
    """
    interpretation, diffusion_is, method = meant
    if inputs is not None and inputs not in INPUTS:
        raise ArgumentError(
            "inputs",
            f"one of {', '.join(map(repr, INPUTS))}",
            repr(inputs),
            "'tx' is a network of (t, x), or of one array whose first column is t",
        )
    if diffusion_is not in MEANINGS:
        raise ArgumentError(
            "diffusion_is",
            f"one of {', '.join(map(repr, MEANINGS))}",
            repr(diffusion_is),
            "'g' is the coefficient of dW, 'covariance' is Σ = g gᵀ, 'diffusivity' D = ½ g gᵀ",
        )
    read = reading(interpretation)
    if not callable(functions[0]):
        raise ArgumentError(
            "drift", "callable", type(functions[0]).__name__, "pass a function, f(x, t) -> (n, d)"
        )
    diffusion = in_order(constant(functions[1]), inputs)
    of_state = depends_on_state(diffusion, read, method)
    if law[0] is None and method == "weak":
        raise ArgumentError(
            "method", "'strong' or 'auto' with score= alone", "'weak'", "pass log_density= too"
        )
    # a module is asked as it is called, later
    drift = functions[0] if hasattr(functions[0], "parameters") else in_order(functions[0], inputs)
    return Given(drift, diffusion, *law, read, of_state, diffusion_is, *how)


def subject(a: Given, probe: Probe) -> Subject:
    """A noise that is one number at each time stays the plain `Subject`."""
    law, of_state, read, how = a.law, a.of_state, a.read, (a.framework, a.dtype)
    asked = in_order(a.score) if law is None else law
    plain = given(a.drift, a.diffusion, asked, a.is_log, of_state, how)
    g, d = plain.g, probe.inside.shape[1]
    if not of_state and a.diffusion_is == "g" and a.score is None:
        value = g(plain.clock(probe.t))
        if value.size == 1:
            return plain
    noise = Noise(g, of_state, a.diffusion_is, d)
    if of_state and not noise.is_g and read not in (None, ITO) and not (read and read.fick):
        _root_is_unknown(noise, probe, read)
    score = None
    if a.score is not None:
        score = plain.law if law is None else guarded(in_order(a.score), "score", *how)
        score.name = "score"
    return General(
        plain.f,
        g,
        plain.law,
        a.is_log,
        of_state,
        a.framework,
        noise,
        read or ITO,
        score,
        law is None,
        probe.inside,
    )


def _root_is_unknown(noise: Noise, probe: Probe, read: Reading | None) -> None:
    """Stratonovich's drift is made of g, and not of g gᵀ, unless that is diagonal."""
    x = np.repeat(probe.inside, 2, axis=0)
    if noise.value(x, probe.t).ndim == 2 or noise.d == 1:
        return
    raise ArgumentError(
        "diffusion_is",
        "'g' for a matrix of x that is not read as Itô or Fick",
        repr(noise.what),
        f"the drift that {read.said if read else 'it'} adds is made of g, and many g have one"
        " g gᵀ: return g itself",
    )
