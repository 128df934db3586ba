"""What `check_variational_bound` was given, validated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy, to_float, unit_roundoff
from scoreproof.interop.frameworks import FRAMEWORKS
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.public.arguments import accepted, count, one_of, sample_shape, seeded
from scoreproof.public.loss.library import library_of
from scoreproof.public.variational_bound.continuous import Clock, clock_of
from scoreproof.public.variational_bound.takes import Takes, name_of, takes_of, term_of

__all__ = ["Job", "Request", "validate"]

DOUBLE = float(np.finfo(float).eps)
PREDICTIONS = ("eps", "x0", "v", "score", "mean")
VARIANCES = ("fixed_small", "fixed_large", "learned", "learned_range")
DECODERS = ("discretized", "gaussian", "gaussian_up_to_constant", "bernoulli", "bernoulli_logits")
UNITS = ("nats", "bits_per_dim")
REDUCTIONS = ("sum", "mean")
#: names of a thing that grows as a model gets better
RISES = ("elbo", "log_prob", "loglik", "log_likelihood", "lower_bound")


@dataclass(frozen=True, eq=False)
class Request:
    """The arguments as they were given."""

    bound: Any
    process: Any
    term: Any
    prediction: str
    variance: Any
    decoder: str | None
    decoder_std: float
    units: str | None
    reduction: str | None
    steps: int | None
    probabilities: Any
    given: Any
    shape: Any
    tolerance: float | None
    framework: str | None
    dtype: Any
    seed: int


@dataclass(frozen=True, eq=False)
class Job:
    """``table``: a process of β, or ``None`` where ``clock`` is a continuous one, or neither is
    asked for. ``table_eps``: the spacing at 1 of the β that were handed over.
    """

    bound: Callable[..., Any]
    name: str
    takes: Takes
    term: str
    table: DiscreteVP | None
    clock: Clock | None
    table_eps: float
    prediction: str
    variance: Any
    decoder: str
    decoder_std: float
    units: str
    reduction: str | None
    steps: int | None
    probabilities: np.ndarray | None
    shape: tuple[int, ...]
    tolerance: float | None
    framework: str
    dtype: Any
    seed: int

    @property
    def roles(self) -> list[str]:
        return [r for r, _ in self.takes]

    @property
    def d(self) -> int:
        return int(np.prod(self.shape))

    @property
    def learned(self) -> bool:
        return isinstance(self.variance, str) and self.variance.startswith("learned")

    @property
    def rises(self) -> bool:
        """Whether the name says that it is the bound itself, not its negative."""
        low = self.name
        return any(n in low for n in RISES) and not any(n in low for n in ("loss", "neg", "nll"))


def validate(given: Request) -> Job:
    """Raises ``ArgumentError``."""
    if not callable(given.bound):
        raise ArgumentError(
            "bound",
            "callable",
            type(given.bound).__name__,
            "pass lambda model, x0, x_t, t: …, or a method",
        )
    one_of("prediction", given.prediction, PREDICTIONS, "it is what the model returns")
    framework = given.framework or library_of(given.bound)
    one_of("framework", framework, FRAMEWORKS, "name the library that the bound is written in")
    takes = takes_of(given.bound, given.given)
    process, clock, eps = _process(given)
    term = term_of(given.bound, takes, given.term, clock is not None)
    _wants(term, process, clock)
    if clock is not None and given.prediction == "mean":
        raise ArgumentError(
            "prediction", "another than 'mean' in continuous time", "'mean'", "it has no t - 1"
        )
    name = name_of(given.bound)
    if given.units is not None:
        one_of("units", given.units, UNITS, "bits per dimension are nats / (d log 2)")
    if given.reduction is not None:
        one_of("reduction", given.reduction, REDUCTIONS, "it is over the entries of a sample")
    units = given.units or ("bits_per_dim" if "bpd" in name or "bits" in name else "nats")
    decoder = given.decoder or ("gaussian" if term == "elbo" else "discretized")
    one_of("decoder", decoder, DECODERS, "it is what x is given what the model says")
    if term != "elbo" and decoder not in DECODERS[:2]:
        raise ArgumentError(
            "decoder", "discretized or gaussian", repr(decoder), "the others are a VAE's"
        )
    if term == "elbo" and decoder == "discretized":
        raise ArgumentError("decoder", ", ".join(DECODERS[1:]), repr(decoder), "of a VAE")
    shape = sample_shape(given.shape)
    if int(np.prod(shape)) < 3:
        raise ArgumentError(
            "shape", "of three entries or more", shape, "sum and mean are told apart by them"
        )
    if not (np.isfinite(given.decoder_std) and given.decoder_std > 0):
        raise ArgumentError(
            "decoder_std", "finite and > 0", given.decoder_std, "a standard deviation"
        )
    return Job(
        given.bound,
        name,
        takes,
        term,
        process,
        clock,
        eps,
        given.prediction,
        _variance(given.variance, process),
        decoder,
        float(given.decoder_std),
        units,
        given.reduction,
        None if given.steps is None else count("steps", given.steps, 1, "T, or leave it out"),
        _probabilities(given.probabilities, process),
        shape,
        accepted(given.tolerance),
        framework,
        given.dtype,
        seeded(given.seed),
    )


def _wants(term: str, process: DiscreteVP | None, clock: Clock | None) -> None:
    if term == "elbo" or (term == "diffusion" and (clock or process)):
        return
    if process is None and not (term == "L_T" and clock):
        raise ArgumentError(
            "process",
            "a table of β (betas, DiscreteVP, or an object that has betas or alphas_cumprod)"
            if term != "diffusion"
            else "one with gamma(t), or alpha(t) and sigma(t)",
            "none",
            f"the terms of {term} are made of it",
        )


def _process(given: Request) -> tuple[DiscreteVP | None, Clock | None, float]:
    """A table, or a continuous process; the one of the object whose method ``bound`` is."""
    source = given.process
    if source is None:
        source = getattr(given.bound, "__self__", None)
        if not any(hasattr(source, n) for n in ("betas", "alphas_cumprod")):
            return None, None, DOUBLE
    if isinstance(source, DiscreteVP):
        return source, None, DOUBLE
    clock = clock_of(source)
    if clock is not None:
        return None, clock, DOUBLE
    for name in ("betas", "alphas_cumprod"):
        value = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
        if value is not None and not callable(value):
            break
    else:
        name, value = "betas", source
    array = to_float("process", as_numpy(value) if hasattr(value, "dtype") else value)
    if array.ndim != 1 or len(array) < 3:
        raise ArgumentError(
            "process",
            "a table of three β or more",
            f"shape {array.shape}",
            "pass betas, {'alphas_cumprod': …}, or a process with gamma(t) or alpha(t), sigma(t)",
        )
    eps = (unit_roundoff(value) if hasattr(value, "dtype") else DOUBLE) or DOUBLE
    # entries of float32 are exact; what is made of them may be made in float32
    if name == "betas":
        return DiscreteVP(array), None, eps
    return DiscreteVP.of_alphas_cumprod(array), None, eps


def _variance(value: Any, process: DiscreteVP | None) -> Any:
    if isinstance(value, str):
        one_of("variance", value, VARIANCES, "it is that of p(x_{t-1} | x_t); or variances (T,)")
        return value
    if process is None:
        raise ArgumentError("variance", "a name", type(value).__name__, "there is no table")
    array = to_float("variance", value, shape=(process.steps,))
    if np.any(array <= 0):
        raise ArgumentError("variance", "> 0", array.min(), "pass variances, not their logs")
    return array


def _probabilities(value: Any, process: DiscreteVP | None) -> np.ndarray | None:
    if value is None or process is None:
        return None
    array = to_float("probabilities", value, shape=(process.steps,))
    if np.any(array <= 0) or abs(np.sum(array) - 1) > 1e-6:
        raise ArgumentError(
            "probabilities",
            "> 0, with the sum 1",
            f"a sum of {np.sum(array):g}",
            "they are those by which t is drawn: weights / weights.sum()",
        )
    return array
