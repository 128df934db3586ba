"""Callables that are no ``sample(model, x, times)``, by what they take: told before they are run.

Conventions: of a module, what its ``forward`` takes.
"""

from __future__ import annotations

from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.interop.signatures import parameters, positional

__all__ = ["COUNTS", "fits_a_loop"]

#: how a number of steps is called
COUNTS = (
    "num_steps",
    "n_steps",
    "nsteps",
    "num_inference_steps",
    "num_timesteps",
    "n_timesteps",
    "sample_steps",
    "sampling_steps",
    "num_sampling_steps",
    "nfe",
)
#: methods of a class that samples by itself, with the network that it holds
LOOPS = ("p_sample", "p_sample_loop", "ddim_sample", "sample", "sample_loop", "generate")
#: what such a method takes first: how many samples, and of what shape
SHAPES = ("shape", "size", "image_size", "n", "num", "batch_size", "num_samples", "n_samples")


def fits_a_loop(sampler: Any) -> None:
    """Raises ``ArgumentError`` for what takes no model, x and times, or a number of steps for the
    times.
    """
    taken = parameters(sampler)
    if taken is None:
        return
    names = [p.name for p in positional(sampler)]
    more = any(p.kind is p.VAR_POSITIONAL for p in taken)
    owner = getattr(sampler, "__self__", sampler)
    name = getattr(sampler, "__qualname__", type(sampler).__name__)
    loops = [n for n in LOOPS if callable(getattr(owner, n, None))]
    own = bool(loops) and any(n.lower() in SHAPES for n in names[:1])
    if own or (len(names) < 3 and not more):
        written = f"{name}({', '.join(names)})"
        why = f", of an object that samples by itself ({', '.join(loops)})" if loops else ""
        raise ArgumentError(
            "sampler",
            "a function sample(model, x, times) or step(x, t, t_next, noise, model), or a scheduler"
            " object with step",
            f"{written}{why}, which takes no model, x and times",
            "write its loop as sample(model, x, times), the model handed in where it holds its"
            " network: `scoreproof check sampler MODULE:CLASS --wrap` writes these lines (see 'A"
            " class that samples by itself' in docs/guides.md)",
        )
    third = positional(sampler)[2] if len(names) > 2 else None
    if third is None:
        return
    number = type(third.default) is int
    if third.name.lower() in COUNTS or number:
        shown = f" = {third.default}" if number else ""
        raise ArgumentError(
            "sampler",
            "a function sample(model, x, times), whose third argument is a list of σ or times",
            f"{name} with {third.name}{shown} in its place, a number of steps",
            f"let it take the list, {name}(model, x, times), and leave out the lines that make one"
            f" of {third.name}; its own list is passed as times=",
        )
