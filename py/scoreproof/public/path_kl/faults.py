"""What functions of two SDEs get wrong: each as what it returns along a path.

Conventions: ``c`` is how often ∫ u·dW is added, 1 in log dP/dQ, 0 or 1 in an estimate of KL.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scoreproof.public.path_kl.looks import Look
from scoreproof.public.path_kl.tracks import Track, euler, solve

__all__ = ["consistent", "predictions"]

Values = dict[str, np.ndarray]


def consistent(look: Look, c: float) -> Values:
    """Other rules for the integral over time; they have the same limit."""
    track = look.track
    assert track is not None
    square = 0.5 * np.sum(track.u**2, axis=-1)
    x, t = (track.x[1:] + track.x[:-1]) / 2, (track.t[1:] + track.t[:-1]) / 2
    middle = 0.5 * np.sum(Track(look.problem, t, x).u ** 2, axis=-1)
    average = 0.5 * np.sum(((track.u[1:] + track.u[:-1]) / 2) ** 2, axis=-1)
    rest = c * track.ito.sum(0) + sum(look.ends().values())
    rules = {
        "the trapezoidal rule": (square[1:] + square[:-1]) / 2,
        "the right end of each step": square[1:],
        "the middle of each step": middle,
        "the mean u of both ends of a step": average,
    }
    rules |= _variances(track)
    return {name: np.sum(rule * track.dt, axis=0) + rest for name, rule in rules.items()}


def _variances(track: Track) -> Values:
    """½ (a - b)ᵀ Σ⁻¹ (a - b) with another mean Σ of g gᵀ over each step, drifts at its start."""
    p, x, t = track.problem, track.x[:-1], track.t[:, None, None]
    if p.kind != "drifts":
        return {}

    def at(x: np.ndarray, t: np.ndarray) -> np.ndarray:
        g = p.matrix(x, t)
        return np.asarray(g @ np.swapaxes(g, -1, -2))

    apart = (track.both[0] - track.both[1])[:-1]
    start, middle, end = at(x, t[:-1]), at(x, (t[:-1] + t[1:]) / 2), at(x, t[1:])
    means = {
        "the mean of g² at both ends of a step": (start + end) / 2,
        "the mean of g² at both ends of a step, at the places there": (
            start + at(track.x[1:], t[1:])
        )
        / 2,
        "g² in the middle of each step": middle,
        "g² by Simpson's rule over each step": (start + 4 * middle + end) / 6,
    }
    return {n: 0.5 * np.sum(apart * solve(v, apart), axis=-1) for n, v in means.items()}


def predictions(look: Look, c: float) -> Values:
    """Every known fault that does not coincide with the truth."""
    track = look.track
    assert track is not None
    ends = look.ends()
    rest = sum(ends.values()) + np.zeros(look.n)
    found = _sums(track, c, rest)
    found |= {n: v + rest for n, v in _other_u(track, c).items()}
    a, m = track.energy.sum(0), track.ito.sum(0)
    for name, value in ends.items():
        found[f"{name}_left_out"] = a + c * m + rest - value
        found[f"{name}_subtracted"] = a + c * m + rest - 2 * value
        if name == "initial" and not look.job.ratio:
            other = look.problem.initial_kl(swapped=True)
            found["initial_reversed"] = a + c * m + rest - value + other
    if look.z is not None and look.job.simulates:
        found |= _other_paths(look, c)
    if look.scalar:
        whole = a + c * m + rest
        found["sum_over_batch"] = np.full(look.n, whole.sum())
        found["mean_over_batch"] = np.full(look.n, whole.mean() / look.n)
    return found


def _sums(track: Track, c: float, rest: np.ndarray) -> Values:
    """The right terms, summed or weighted otherwise."""
    e, i, dt = track.energy, track.ito, track.dt
    steps, d = len(dt), track.problem.d
    a, m = e.sum(0), i.sum(0)
    rate = e / dt
    right = solve(track.g[1:], track.both[0][1:] - track.both[1][1:])
    at_right = np.sum(right * track.dw, axis=(0, 2))
    moved = solve(track.g[:-1], track.dx)
    found = {
        "half_missing": 2 * a + c * m,
        "half_twice": a / 2 + c * m,
        "dt_missing": rate.sum(0) + c * m,
        "root_of_dt": (rate * np.sqrt(dt)).sum(0) + c * m,
        "dt_squared": (e * dt).sum(0) + c * m,
        "mean_over_coordinates": (a + c * m) / d,
        "mean_of_squares_over_coordinates": a / d + c * m,
        "mean_over_steps": rate.mean(0) + c * m,
        "mean_of_terms_over_steps": (a + c * m) / steps,
        "last_step_left_out": (e + c * i)[:-1].sum(0),
        "first_step_left_out": (e + c * i)[1:].sum(0),
        "last_step_twice": a + c * m + (e + c * i)[-1],
        "first_step_twice": a + c * m + (e + c * i)[0],
        "first_width_for_all": (rate * dt[0]).sum(0) + c * m,
        "one_width_too_many": a * steps / (steps + 1) + c * m,
        "energy_subtracted": c * m - a,
        "whole_sign": -(a + c * m),
    }
    if c:
        found |= {
            "ito_subtracted": a - c * m,
            "ito_left_out": a,
            "energy_left_out": c * m,
            "steps_of_one": (rate + c * i / np.sqrt(dt)).sum(0),
            "noise_of_q": a + c * (m + 2 * a),
            "increments_for_noise": a + c * np.sum(track.u[:-1] * moved, axis=(0, 2)),
            "z_for_dw": a + c * (i / np.sqrt(dt)).sum(0),
            "dt_for_dw": a + c * (i * np.sqrt(dt)).sum(0),
            "ito_at_the_right": a + c * at_right,
            "ito_in_the_middle": a + c * (at_right + m) / 2,
        }
    return {name: value + rest for name, value in found.items()}


def _other_u(track: Track, c: float) -> Values:
    """Another u in both terms, or in the square alone."""
    p, g = track.problem, track.g[:-1]
    a, b = (v[:-1] for v in track.both)
    apart, u = a - b, track.u[:-1]
    transposed = np.swapaxes(g, -1, -2)
    us = {
        "noise_multiplied": np.einsum("...ij,...j->...i", g, apart),
        "noise_left_out": apart,
        "noise_twice": solve(g, solve(g, apart)),
        "transposed": solve(transposed, apart),
        "only_p": solve(g, a),
        "only_q": solve(g, b),
        "drifts_added": solve(g, a + b),
    }
    if p.kind == "scores":
        us["scores_alone"] = solve(g, solve(transposed, apart))
        us["scores_of_p_alone"] = np.einsum(
            "...ji,...j->...i", g, p.net(0, track.x, track.when)[:-1]
        )
    if p.noise in ("full", "matrix"):
        us["only_the_diagonal"] = apart / np.einsum("...ii->...i", g)
    for name, moved in _moved(track).items():
        us[name] = moved[:-1]
    found = {n: _of(track, v, c) for n, v in us.items()}
    found |= {f"{n}_in_the_square": _of(track, v, c, u) for n, v in us.items() if c}
    found |= {f"{n}_in_the_noise": _of(track, u, c, v) for n, v in us.items() if c}
    with np.errstate(all="ignore"):
        size = np.abs(np.einsum("...ii->...i", g))
        found["root_of_noise"] = _of(track, apart / np.sqrt(size), c, u)
        found["cube_of_noise"] = _of(track, apart / size**1.5, c, u)
    lengths = 0.5 * np.linalg.norm(u, axis=-1) * track.dt
    found["length_for_square"] = (lengths + c * track.ito).sum(0)
    return found


def _moved(track: Track) -> dict[str, np.ndarray]:
    """u where drifts, noise, or both are of another time."""
    p, t = track.problem, track.t
    later = Track(p, t, track.x, np.append(t[1:], t[-1]))
    back, mirrored = (Track(p, t, track.x, v) for v in (t[::-1], t[0] + t[-1] - t))
    index = Track(p, t, track.x, np.arange(len(t), dtype=float))
    start = Track(p, t, track.x, np.full(len(t), t[0]))
    here, apart = track, track.both[0] - track.both[1]
    return {
        "next_time": later.u,
        "noise_of_the_next_time": solve(later.g, apart),
        "drifts_of_the_next_time": solve(here.g, later.both[0] - later.both[1]),
        "time_reversed": back.u,
        "time_mirrored": mirrored.u,
        "noise_time_reversed": solve(back.g, apart),
        "index_for_time": index.u,
        "noise_of_the_start": solve(start.g, apart),
        "prior_at_the_next_time": solve(here.g, here.both[0] - later.both[1]),
        **_elsewhere(track),
    }


def _elsewhere(track: Track) -> dict[str, np.ndarray]:
    """u where drifts, noise, or both are of another place, at the right time."""
    p, t, x = track.problem, track.t, track.x
    apart = track.both[0] - track.both[1]
    next_ = Track(p, t, np.concatenate([x[1:], x[-1:]]))
    first = Track(p, t, np.broadcast_to(x[0], x.shape))
    touched = Track(replace(p, touched=x[0]), t, x)
    found = {
        "next_place": next_.u,
        "prior_at_the_next_place": solve(track.g, track.both[0] - next_.both[1]),
        "first_place": first.u,
        "drifts_linearised_at_the_start": touched.u,
    }
    if p.noise in ("diagonal", "full"):
        found |= {
            "noise_of_the_next_place": solve(next_.g, apart),
            "drifts_of_the_next_place": solve(track.g, next_.both[0] - next_.both[1]),
            "noise_of_the_first_place": solve(first.g, apart),
            "drifts_of_the_first_place": solve(track.g, first.both[0] - first.both[1]),
        }
    return found


def _of(track: Track, u: np.ndarray, c: float, other: np.ndarray | None = None) -> np.ndarray:
    energy = 0.5 * np.sum(u**2, axis=-1) * track.dt
    ito = np.sum((u if other is None else other) * track.dw, axis=-1)
    return np.asarray((energy + c * ito).sum(0))


def _other_paths(look: Look, c: float) -> Values:
    """Along another path than the one that the noise makes."""
    assert look.z is not None and look.track is not None
    t, z = look.batch.t, look.z
    under = 0 if look.job.said["simulated"] == "P" else 1
    ways: dict[str, Callable[[], Track]] = {
        "paths_of_the_other": lambda: euler(look.problem, t, look.start, z, under=1 - under),
        "noise_by_dt": lambda: euler(look.problem, t, look.start, z, under=under, scale="dt"),
        "noise_by_one": lambda: euler(look.problem, t, look.start, z, under=under, scale="one"),
        "drifts_linearised_at_the_start_in_the_paths": lambda: euler(
            replace(look.problem, touched=look.start), t, look.start, z, under=under
        ),
    }
    if look.problem.noise in ("diagonal", "full"):
        ways["noise_of_the_first_place_in_the_paths"] = lambda: euler(
            replace(look.problem, held=look.start), t, look.start, z, under=under
        )
    found = {}
    noise = z * np.sqrt(np.diff(t))[:, None, None]
    for name, way in ways.items():
        track = way()
        ito = np.sum(track.u[:-1] * noise, axis=(0, 2))
        rest = sum(look.ends(track.x).values())
        found[name] = track.energy.sum(0) + c * ito + rest
        if name == "paths_of_the_other" and c:
            found["reversed_along_the_other"] = ito - track.energy.sum(0) + rest
    return found
