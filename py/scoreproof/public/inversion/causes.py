"""What keeps x from coming back: which of the two, from where on, and what would mend it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.interop.callables import as_numpy
from scoreproof.public.inversion.arguments import Job
from scoreproof.public.inversion.asking import Trip, back
from scoreproof.public.inversion.forms import law_of_rows
from scoreproof.public.inversion.trips import off_home, sizes_of
from scoreproof.public.sampler.convergence import FLOOR
from scoreproof.public.sampler.words import at_level, size_of

__all__ = ["UNKNOWN", "bare", "growing", "of_the_inverse", "of_the_trip", "unlike"]

#: what is asked where no slip is found
UNKNOWN = (
    "; does every step form x_next with α and σ of t_next, from x at t, with the sign of"
    " t_next - t, and is the model told one of these two times?"
)
#: a part of an error that a cause explains it to
NEAR = 0.3
#: the logarithm of a factor by which steps enlarge an error, the narrow ones too
LEAST = 0.01
#: what x_0 taken for a noisy x costs at most
SMALL = 0.1


def of_the_inverse(job: Job, trip: Trip, off: np.ndarray, bound: float) -> str:
    """Of a law that is wrong in the noise by ``off``, known to ``bound``."""
    moved = np.abs(trip.noised[1:] - trip.noised[0]).max()
    if moved <= 1e-9 * np.abs(trip.noised).max():
        return "; what it returns does not depend on x"
    slope = ((trip.noised[1:] - trip.noised[0]) * trip.where[1:]).mean(axis=0)
    if np.all(slope < 0):
        return "; x arrives mirrored: the sign of x is turned, or that of a step"
    if np.abs(trip.noised - trip.start).max() < 0.05 * np.abs(trip.start).max():
        return "; it leaves x nearly as it was: is x_next formed with the α and σ of t_next?"
    known = _tables(job) or _taken_for(trip, off, law_of_rows(_as_if(trip), trip.where), bound)
    return known or UNKNOWN


def bare(sentence: str, last: Sequence[Trip]) -> str:
    """A sentence without its guesses, where the cause is known."""
    guess = growing(last, sizes_of(last, off_home)) if last else ""
    return sentence.replace(UNKNOWN, "").replace(guess, "")


def of_the_trip(job: Job, trip: Trip, off: np.ndarray, bound: float) -> str:
    """Of an x that comes back off by ``off``, although the inverse leads to the right law."""
    known = _tables(job) or _taken_for(trip, off, _as_if(trip), bound)
    if known:
        return known
    away = (back(job, trip) - trip.start) / trip.data.moments(trip.low)[1]
    size = float(np.abs(law_of_rows(away, trip.where)).max())
    if size > max(FLOOR, np.abs(off).max() / 3):
        return (
            f"; the sampler by itself, from the exact law of {at_level(trip.high)}, ends off by"
            f" {size_of(size)}: it is not the inverse's partner (the same table, timesteps and"
            " prediction type?), or is wrong by itself (check_sampler tells)"
        )
    return (
        "; the sampler by itself leads to the right data, but not back to the same x: the inverse"
        " does not take the sampler's steps in reverse"
    )


def growing(trips: Sequence[Trip], sizes: Sequence[float]) -> str:
    """Of an error that every step enlarges by the same factor, whatever its width is."""
    if not (np.all(np.isfinite(sizes)) and min(sizes) > 0 and len(sizes) == 3):
        return ""
    more, count = np.diff(np.log(sizes)), np.diff([float(t.steps[1]) for t in trips])
    rates = more / count
    if min(rates) < LEAST or np.ptp(rates) > NEAR / 3 * max(rates):
        return ""
    return (
        f"; every step enlarges the error by the factor {np.exp(rates[-1]):.3g}, however narrow it"
        " is: something is divided by a fixed number less than 1, or multiplied by one over 1, in"
        " each step (as where two tracks are mixed, x = (x - (1 - p) y)/p, and only one of them is"
        " handed over)"
    )


def unlike(job: Job, trip: Trip) -> str:
    """Timesteps that are not the other's, shifted by less than a step; empty otherwise."""
    up, down = (np.unique(np.round(w, 9)) for w in (trip.told, [v.when for v in trip.levels]))
    if job.follows or not hasattr(job.up, "scheduler") or min(len(up), len(down)) < 3:
        return ""
    gap = np.median(np.diff(down))
    shift = float(np.median(up[-3:]) - np.median(down[-3:]))
    if np.median(np.diff(up)) != gap or shift == 0 or abs(shift) >= gap / 2:
        return ""
    return (
        f"The inverse's timesteps end at {up[-1]:g}, the sampler's begin at {down[-1]:g}: the same"
        " steps_offset and timestep_spacing for both."
    )


def _tables(job: Job) -> str:
    """Tables of two schedulers that differ."""
    both = [getattr(f, "scheduler", None) for f in (job.up, job.down)]
    bars = [getattr(s, "alphas_cumprod", None) for s in both]
    if any(b is None for b in bars):
        return ""
    up, down = (np.asarray(as_numpy(b), dtype=float).ravel() for b in bars)
    if len(up) != len(down):
        return f"; their tables differ: {len(up)} entries of ᾱ, and {len(down)}"
    k = int(np.argmax(np.abs(up - down)))
    if abs(up[k] - down[k]) < 1e-5:
        return ""
    return (
        f"; their tables differ: ᾱ[{k}] is {up[k]:.4g} in the inverse and {down[k]:.4g} in the"
        " sampler; make the one of the other's configuration (from_config)"
    )


def _as_if(trip: Trip) -> np.ndarray:
    """By how many standard deviations x is elsewhere if it is taken to be at the first level that
    the inverse knows.
    """
    if trip.first is None or trip.first.sigma <= 0:
        return 0 * trip.where
    mean, std = trip.data.moments(trip.first)
    return np.asarray((trip.start - mean) / std - trip.where)


def _taken_for(trip: Trip, off: np.ndarray, made: np.ndarray, bound: float) -> str:
    """The clean x_0 taken for an x at the first level that the inverse knows."""
    size = float(np.abs(off).max())
    apart = float(np.abs(off - made).max())
    if trip.low.sigma > 0 or size > SMALL or apart > min(max(NEAR * size, bound), size / 2):
        return ""
    assert trip.first is not None
    return (
        f": the inverse takes x_0 for x at {at_level(trip.first)}, but the data stand at σ = 0. Let"
        " the sampler end where the inverse begins (diffusers: final_sigmas_type='sigma_min', or"
        " set_alpha_to_one the same in both), or accept it: tolerance="
        f"{float(f'{2 * size:.1g}'):g}"
    )
