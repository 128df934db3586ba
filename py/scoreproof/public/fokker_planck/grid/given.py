"""A solution as its user has it: an array and its axes, an xarray DataArray, or several of them.

Conventions: as in `solution`. ``axes`` is in the order of the array's axes: ``(t, x)``, time first,
or named in another order, ``{"x": x, "t": t}``. An axis with one entry more than the array holds
the edges of cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy, to_float, unit_roundoff
from scoreproof.public.fokker_planck.grid.axes import axis_of, coordinate, fitted, ordered
from scoreproof.public.fokker_planck.grid.solution import Solution

__all__ = ["BOUNDARIES", "is_grid", "solutions"]

BOUNDARIES = ("truncated", "reflecting", "absorbing", "periodic")
SYNONYMS = {
    "neumann": "reflecting",
    "zero-flux": "reflecting",
    "zero_flux": "reflecting",
    "no-flux": "reflecting",
    "no_flux": "reflecting",
    "dirichlet": "absorbing",
    "wrap": "periodic",
}
#: fewer saved times, or points on an axis, tell nothing of a derivative
LEAST_TIMES, LEAST_POINTS = 4, 12


def is_grid(law: Any, axes: Any) -> bool:
    """Whether a density was given by its values."""
    return axes is not None or (law is not None and not callable(law)) or _labelled(law)


def solutions(law: Any, axes: Any, how: tuple[bool, str | None, bool], name: str) -> list[Solution]:
    """One solution, or several, each on its own grid; ``how``: whether the values are logs, the
    boundary, whether they are averages over cells.
    """
    if axes is None and not _labelled(law):
        if isinstance(law, list | tuple) and law and all(map(_labelled, law)):
            return [_one(p, None, how, name) for p in law]
        raise ArgumentError(
            "axes",
            "given with an array",
            None,
            f"pass axes=(t, x) for {name}[k, i] at times t[k] and points x[i]",
        )
    if callable(law) and not _labelled(law):
        raise ArgumentError(
            "axes",
            "left out with a function",
            f"axes= and a function as {name}",
            "pass times= and domain= for where it is judged, or the array of its values",
        )
    if _several(axes):
        if len(law) != len(axes):
            raise ArgumentError(
                "axes",
                f"one set of axes for each of the {len(law)} solutions",
                f"{len(axes)} sets",
                "pass axes=[(t, x), (t, x_fine)] for two solutions",
            )
        return [_one(p, own, how, name) for p, own in zip(law, axes, strict=True)]
    if isinstance(law, list | tuple) and all(np.ndim(p) == len(axes) for p in law):
        raise ArgumentError(
            "axes",
            f"one set of axes for each of the {len(law)} solutions",
            "one set",
            "pass axes=[(t, x), (t, x_fine)] for two solutions",
        )
    return [_one(law, axes, how, name)]


def _labelled(law: Any) -> bool:
    """An xarray DataArray, or what looks like one."""
    return hasattr(law, "dims") and hasattr(law, "coords") and hasattr(law, "values")


def _several(axes: Any) -> bool:
    """A list of axes of several solutions, and not the axes of one."""
    if not isinstance(axes, list | tuple) or not axes:
        return False
    first = axes[0]
    if isinstance(first, Mapping):
        return True
    return isinstance(first, list | tuple) and bool(len(first)) and np.ndim(first[0]) >= 1


def _one(law: Any, axes: Any, how: tuple[bool, str | None, bool], name: str) -> Solution:
    is_log, boundary, cells = how
    if _labelled(law):
        named = {str(d): coordinate(law, d, name) for d in law.dims}
        law = law.values
    elif isinstance(axes, Mapping):
        named = {str(key): axis_of(str(key), value) for key, value in axes.items()}
    else:
        given = [axis_of(f"axes[{k}]", v) for k, v in enumerate(axes)]
        names = ["t", "x"] if len(given) == 2 else ["t", "x", "y"]
        if len(given) not in (2, 3):
            raise ArgumentError(
                "axes",
                "(t, x) or (t, x, y)",
                f"{len(given)} axes",
                "a solution in more coordinates: judge a marginal of two",
            )
        named = dict(zip(names, given, strict=True))
    values = _values(law, name, is_log)
    eps = unit_roundoff(as_numpy(law)) or float(np.finfo(float).eps)
    values, named, averages = fitted(values, named, name)
    order = ordered(named, name)
    p = np.transpose(values, [list(named).index(n) for n in order])
    axis = [named[n] for n in order]
    for k, v in enumerate(axis):
        if v[0] > v[-1]:
            axis[k], p = v[::-1], np.flip(p, k)
        if np.any(np.diff(axis[k]) <= 0):
            raise ArgumentError(
                f"axes ({order[k]})",
                "increasing",
                f"{order[k]}[{int(np.argmin(np.diff(axis[k])))}] is followed by no larger number",
                "sort it, and the array along it",
            )
    if p.shape[0] < LEAST_TIMES or min(p.shape[1:]) < LEAST_POINTS:
        raise ArgumentError(
            name,
            f"at {LEAST_TIMES} times and {LEAST_POINTS} points of an axis, at least",
            f"shape {p.shape}",
            "save more of the solution",
        )
    return _made((p, axis, tuple(order[1:])), (cells or averages, _boundary(boundary)), eps)


def _made(
    parts: tuple[np.ndarray, list[np.ndarray], tuple[str, ...]], how: tuple[bool, str], eps: float
) -> Solution:
    p, axis, names = parts
    cells, boundary = how
    points, edges = [], []
    for k, v in enumerate(axis[1:]):
        n = p.shape[k + 1]
        if len(v) == n + 1:
            points.append((v[1:] + v[:-1]) / 2)
            edges.append(v)
            continue
        inner = (v[1:] + v[:-1]) / 2
        e = np.concatenate([[1.5 * v[0] - 0.5 * v[1]], inner, [1.5 * v[-1] - 0.5 * v[-2]]])
        if boundary == "periodic" and not cells:
            first, last = (np.take(p, i, k + 1) for i in (0, -1))
            if np.allclose(first, last, rtol=1e-6, atol=1e-9 * float(np.max(np.abs(p)))):
                p, v = np.delete(p, -1, k + 1), v[:-1]  # the same point twice
                e = np.concatenate([e[:-2], [e[0] + axis[k + 1][-1] - axis[k + 1][0]]])
        points.append(v)
        edges.append(e)
    return Solution(p, axis[0], tuple(points), tuple(edges), cells, boundary, names, eps)


def _values(law: Any, name: str, is_log: bool) -> np.ndarray:
    raw = np.asarray(as_numpy(law))
    if is_log and raw.dtype.kind == "f":
        raw = np.where(np.isneginf(raw), -1e300, raw)
    if raw.dtype.kind == "f" and not np.all(np.isfinite(raw)):
        bad = tuple(int(i) for i in np.argwhere(~np.isfinite(raw))[0])
        raise ArgumentError(
            name,
            "finite",
            f"{raw[bad]} at {name}[{', '.join(map(str, bad))}], the first of"
            f" {int(np.sum(~np.isfinite(raw)))}",
            "the solver blew up there: an explicit scheme needs dt <= dx²/ρ²",
        )
    p = to_float(name, raw)
    if is_log:
        return np.asarray(np.exp(p))
    if np.mean(p < 0) > 0.4 or float(np.max(p)) <= 0:
        raise ArgumentError(
            name,
            ">= 0",
            f"{100 * np.mean(p < 0):.0f} % are negative",
            "pass log_density= for a log",
        )
    return p


def _boundary(given: str | None) -> str:
    if given is None:
        return "truncated"
    found = SYNONYMS.get(str(given).lower(), str(given).lower())
    if found not in BOUNDARIES:
        raise ArgumentError(
            "boundary",
            f"one of {', '.join(BOUNDARIES)}",
            repr(given),
            "'truncated' where the density is negligible at the ends of the axes",
        )
    return found


def same_span(several: Sequence[Solution]) -> bool:
    """Whether they solve the same problem over the same times."""
    first = several[0]
    length = first.span[1] - first.span[0]
    return all(
        s.dimension == first.dimension
        and abs(s.span[0] - first.span[0]) + abs(s.span[1] - first.span[1]) <= 1e-6 * length
        for s in several
    )
