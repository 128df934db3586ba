"""What `check_variational_bound` was given, validated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.public.arguments import (
    a_function,
    a_library,
    accepted,
    count,
    one_of,
    sample_shape,
    seeded,
)
from scoreproof.public.variational_bound.continuous import Clock
from scoreproof.public.variational_bound.process import chances, needed, process_of, variance_of
from scoreproof.public.variational_bound.takes import Takes, name_of, takes_of, term_of

__all__ = ["Job", "Request", "validate"]

PREDICTIONS = ("eps", "x0", "v", "score", "mean")
DECODERS = ("discretized", "gaussian", "gaussian_up_to_constant", "bernoulli", "bernoulli_logits")
UNITS = ("nats", "bits_per_dim")
DIMS = ("sum", "mean")
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
    dims: str | None
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
    decoder_said: bool
    decoder_std: float
    units: str
    dims: str | None
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
    a_function("bound", given.bound, "callable", "pass lambda model, x0, x_t, t: …, or a method")
    one_of("prediction", given.prediction, PREDICTIONS, "it is what the model returns")
    framework = a_library(given.framework, given.bound, "bound")
    takes = takes_of(given.bound, given.given)
    process, clock, eps = process_of(given.process, given.bound, given.steps)
    term = term_of(given.bound, takes, given.term, clock is not None)
    needed(term, process, clock)
    if clock is not None and given.prediction == "mean":
        raise ArgumentError(
            "prediction",
            "another than 'mean' in continuous time",
            "'mean'",
            'there is no t - 1: prediction="eps"',
        )
    name = name_of(given.bound)
    if given.units is not None:
        one_of("units", given.units, UNITS, "bits per dimension are nats / (d log 2)")
    if given.dims is not None:
        one_of("dims", given.dims, DIMS, "it is over the entries of a sample")
    units = given.units or ("bits_per_dim" if "bpd" in name or "bits" in name else "nats")
    decoder = given.decoder or ("gaussian" if term == "elbo" else "discretized")
    one_of("decoder", decoder, DECODERS, "it is what x is given what the model says")
    if term != "elbo" and decoder not in DECODERS[:2]:
        raise ArgumentError(
            "decoder",
            "discretized or gaussian",
            repr(decoder),
            "the others are a VAE's: leave it away",
        )
    if term == "elbo" and decoder == "discretized":
        raise ArgumentError(
            "decoder", ", ".join(DECODERS[1:]), repr(decoder), 'of a VAE pass "gaussian"'
        )
    shape = sample_shape(given.shape)
    if int(np.prod(shape)) < 3:
        raise ArgumentError(
            "shape",
            "of three entries or more",
            shape,
            "say shape=(5,): sum and mean are told apart by them",
        )
    _fits(given, term)
    return Job(
        given.bound,
        name,
        takes,
        term,
        process,
        clock,
        eps,
        given.prediction,
        variance_of(given.variance, process),
        decoder,
        given.decoder is not None,
        float(given.decoder_std),
        units,
        given.dims,
        given.steps,
        chances(given.probabilities, process),
        shape,
        accepted(given.tolerance),
        framework,
        given.dtype,
        seeded(given.seed),
    )


def _fits(given: Request, term: str) -> None:
    """What is said has to be of this term, and in itself no contradiction."""
    std = given.decoder_std
    real = isinstance(std, Real) and not isinstance(std, bool)
    if not (real and 0 < float(std) < float("inf")):
        raise ArgumentError(
            "decoder_std", "a finite number > 0", repr(std), "it is a deviation: decoder_std=1.0"
        )
    if given.steps is not None:
        count("steps", given.steps, 1, "T, or leave it out")
    strays = (
        ("steps", given.steps is not None, "diffusion"),
        ("probabilities", given.probabilities is not None, "total"),
        ("decoder_std", std != 1, "elbo"),
    )
    for name, said, home in strays:
        if said and term != home:
            raise ArgumentError(
                name,
                f"left away for {term}",
                repr(getattr(given, name)),
                f'it is of term="{home}"',
            )
    if given.units == "bits_per_dim" and given.dims == "sum":
        raise ArgumentError(
            "dims",
            '"mean", or left away, in bits per dimension',
            "'sum'",
            'a sum over the entries is not one per dimension: say units="nats"',
        )
