"""Where nothing explains a deviation: which part of the sampler it is in, beyond what, and how it
grows.

Conventions: a part is wrong beside what the λ asked for demands; deviations are in units of the
terms of the velocity, as the check's errors are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scoreproof.causes.growth import grows
from scoreproof.causes.places import beyond, indices
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.laws import number
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.terms import Told
from scoreproof.public.reverse_sampler.velocity import Found
from scoreproof.words import part_of

__all__ = ["beyond_which", "part_wrong", "rows_wrong"]

#: places at which the same rows must be wrong
LEAST = 4


def part_wrong(target: Diffused, places: list[Found], known: Diagnosis) -> str:
    """Drift or noise; beyond what; how it grows with t and x; and the nearest known fault."""
    parts = [_part(target, places), _where(target, places), *_growth(places)]
    text = "; ".join(p for p in parts if p)
    return f"{known.sentence} {text}."


def _part(target: Diffused, places: list[Found]) -> str:
    noise, drift = [], []
    for f in places:
        g2, keep = target.diffusion(f.t) ** 2, ~f.jumps
        noise.append(abs(_share(target, f) - (1 - f.lam)))
        b = target.drift(f.x, f.t) - (1 - f.lam / 2) * g2 * target.score(f.x, f.t)
        off = np.max(np.abs(f.b - b), axis=1) / f.size
        drift.append(float(np.max(off[keep], initial=0.0)))
    allowed = max(1e-6, 100 * max(float(np.max(f.bound)) for f in places))
    if max(noise) <= allowed:
        return (
            "The noise is right, √(1-λ) g; the drift differs from f - (1 - λ/2) g² ∇log p, by up"
            f" to {part_of(max(drift), 'its terms')}"
        )
    if max(drift) <= allowed:
        return (
            "The drift is right, f - (1 - λ/2) g² ∇log p; the noise differs from √(1-λ) g: its"
            f" variance is off by up to {max(noise):.3g} g²"
        )
    shares = sorted((f.t, 1 - _share(target, f)) for f in places)
    (first, one), (last, other) = shares[0], shares[-1]
    of = f"λ = {number(float(f'{one:.4g}'))}"
    if max(abs(s - one) for _, s in shares) > 1e-3:
        of += f" at t = {first:.3g} and of λ = {other:.4g} at t = {last:.3g}"
    return (
        f"The noise is that of {of}, and the drift is not the one that belongs to it,"
        " f - ½ (g² + c²) ∇log p with c² its variance per unit of time"
    )


def _share(target: Diffused, f: Found) -> float:
    return float(np.trace(f.cov)) / (len(f.cov) * target.diffusion(f.t) ** 2)


def _where(target: Diffused, places: list[Found]) -> str:
    wrong = [(f.error > 16 * f.bound) & ~f.jumps for f in places]
    found = _separated(target, places, wrong, [~f.jumps for f in places])
    return f"it is wrong only {found}" if found else ""


def rows_wrong(places: list[Found], turned: Callable[[Found], Found]) -> Told | None:
    """The rows of a batch that are wrong at all places, whatever their points are. ``turned``: a
    place with its points in reverse order.
    """
    wrong = [(f.error > 16 * f.bound) & ~f.jumps for f in places]
    if len(places) < LEAST or any(len(w) != len(wrong[0]) for w in wrong):
        return None
    where = indices(wrong[0], "row")
    if not where or any(not np.array_equal(w, wrong[0]) for w in wrong):
        return None
    for f in places[:2]:
        again = turned(f)
        if not np.array_equal((again.error > 16 * again.bound) & ~again.jumps, wrong[0]):
            return None
    text = f"in {where} of a batch only, whatever their points are: each row must be treated alike"
    return Told("rows", f"it is wrong {text}")


def beyond_which(target: Diffused, places: list[Found], wrong: list[np.ndarray]) -> str:
    """The one quantity beyond which the rows of these places are wrong, if there is one."""
    return _separated(target, places, wrong, [w | True for w in wrong])


def _separated(
    target: Diffused, places: list[Found], wrong: list[np.ndarray], kept: list[np.ndarray]
) -> str:
    sizes: dict[str, list[np.ndarray]] = {"‖x‖": [], "‖∇log p‖": [], "|σ ∇log p|": [], "|x0|": []}
    for f, keep in zip(places, kept, strict=True):
        x = f.x[keep]
        score, (alpha, shift, var) = target.score(x, f.t), target.level(f.t)
        sizes["‖x‖"].append(np.linalg.norm(x, axis=1))
        sizes["‖∇log p‖"].append(np.linalg.norm(score, axis=1))
        sizes["|σ ∇log p|"].append(np.max(np.abs(score), axis=1) * var**0.5)
        sizes["|x0|"].append(np.max(np.abs((x - shift + var * score) / alpha), axis=1))
    bad = np.concatenate([w[k] for w, k in zip(wrong, kept, strict=True)])
    return beyond(bad, {name: np.concatenate(v) for name, v in sizes.items()}, least=4)


def _growth(places: list[Found]) -> list[str]:
    t = np.array([f.t for f in places])
    error = np.array([float(np.max(np.abs(f.excess[~f.jumps]), initial=0.0)) for f in places])
    in_time = grows(t, error, "t") if len(np.unique(t)) >= 5 else ""
    x = np.concatenate([np.linalg.norm(f.x[~f.jumps], axis=1) for f in places])
    off = np.concatenate([f.error[~f.jumps] for f in places])
    in_space = grows(x, off, "‖x‖", 16 * max(float(np.max(f.bound)) for f in places))
    return [
        f"{what}: {text}"
        for what, text in (("the deviation of the velocity, over t", in_time), ("over x", in_space))
        if text
    ]
