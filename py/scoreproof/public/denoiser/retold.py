"""What would make a wrong network right: asked again at other times, of x in other units, and its
answer read as another kind of prediction.

Conventions: a question is a change of the time, of the scale of x, or none; an answer to it is read
in every way. Of what explains the deviation the one with the fewest changes is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.frameworks import guarded
from scoreproof.public.denoiser.sweep import AtLevel, Sweep
from scoreproof.public.denoiser.verdict import measured
from scoreproof.public.network.calling import TimeForm
from scoreproof.public.network.levels import NoiseLevel
from scoreproof.public.posterior.causes import told
from scoreproof.public.words import percent

__all__ = ["retold"]

#: levels that an explanation has to explain
AT = 3
#: what it may leave of the deviation
LEFT = 0.05

#: what else the network may want to be told, by what that is in words
TIMES: dict[str, tuple[Callable[[NoiseLevel, float], float], str]] = {
    "time_plus_1": (lambda v, T: v.when + 1, "t + 1: its index is off by one"),
    "time_minus_1": (lambda v, T: v.when - 1, "t - 1: its index is off by one"),
    "time_reversed": (lambda v, T: T - 1 - v.when, "T - 1 - t: its time runs the other way"),
    "time_from_the_end": (lambda v, T: T - v.when, "T - t: its time runs the other way"),
    "time_over_T": (lambda v, T: v.when / T, "t / T, in place of the timestep"),
    "time_over_T_minus_1": (lambda v, T: v.when / max(T - 1, 1), "t / (T - 1)"),
    "time_1_based_over_T": (lambda v, T: (v.when + 1) / T, "(t + 1) / T"),
    "time_times_1000": (lambda v, T: 1000 * v.when, "1000 t"),
    "time_times_999": (lambda v, T: 999 * v.when, "999 t"),
    "time_halved": (lambda v, T: v.when / 2, "t / 2"),
    "time_doubled": (lambda v, T: 2 * v.when, "2 t"),
    "level_ratio": (lambda v, T: v.ratio, "σ/α"),
    "level_sigma": (lambda v, T: v.sigma, "σ"),
    "level_variance": (lambda v, T: v.sigma**2, "σ²: a variance, where it was told another level"),
    "level_root": (lambda v, T: v.when**0.5, "the square root of what it was told"),
    "level_square": (lambda v, T: v.when**2, "the square of what it was told"),
    "level_log": (lambda v, T: float(np.log(v.ratio)), "log(σ/α)"),
    "level_log10": (lambda v, T: float(np.log10(v.ratio)), "log₁₀(σ/α)"),
    "level_c_noise": (lambda v, T: float(np.log(v.ratio)) / 4, "log(σ/α) / 4, EDM's c_noise"),
    "level_log_snr": (lambda v, T: -2 * float(np.log(v.ratio)), "the log-SNR, log(α²/σ²)"),
    "level_alpha_bar": (lambda v, T: v.alpha**2, "ᾱ = α²"),
    "level_alpha": (lambda v, T: v.alpha, "α"),
}
#: what else x may be, by what that is in words
SCALES: dict[str, tuple[Callable[[NoiseLevel], float], str]] = {
    "x_over_alpha": (lambda v: 1 / v.alpha, "x / α, which is x_0 + (σ/α) ε"),
    "x_at_unit_length": (
        lambda v: 1 / float(np.hypot(v.alpha, v.sigma)),
        "x / √(α² + σ²): scale_model_input, or c_in, is missing",
    ),
    "x_of_unit_variance_ratio": (
        lambda v: v.alpha / float(np.hypot(v.alpha, v.sigma)),
        "α x / √(α² + σ²)",
    ),
}


@dataclass(frozen=True)
class _Found:
    names: tuple[str, ...]
    words: tuple[str, ...]
    left: float
    error: float


def retold(sweep: Sweep, wrong: list[AtLevel]) -> Diagnosis | None:
    """The change that makes the network right at every wrong level that is tried, if there is one.

    Calls the network once a question and level, about 30 times at the first level and seldom at
    the others.
    """
    spread = np.unique(np.linspace(0, len(wrong) - 1, min(AT, len(wrong))).round().astype(int))
    tried = [_tried(a, sweep) for a in sorted((wrong[k] for k in spread), key=lambda a: -a.largest)]
    best: _Found | None = None
    for names, words, when, scale in _questions(sweep):
        open_: dict[str, _Found] | None = None
        for a in tried:
            level = a.at.level
            answer = _asked(sweep, a, when(level), scale(level))
            here = {} if answer is None else _read(a, answer)
            open_ = here if open_ is None else _both(open_, here)
            if not open_:
                break
        for name, found in (open_ or {}).items():
            kinds = () if name == sweep.prediction else (name,)
            if not names and not kinds:
                continue
            full = _Found((*names, *_kind_names(kinds)), (*words, *_kind_words(kinds)), *_of(found))
            best = full if best is None or _better(full, best) else best
    if best is None:
        return None
    return Diagnosis(best.names, best.left, None, _sentence(best))


def _of(found: _Found) -> tuple[float, float]:
    return found.left, found.error


def _better(one: _Found, other: _Found) -> bool:
    if len(one.names) != len(other.names):
        return len(one.names) < len(other.names)
    return one.left < other.left


def _both(one: dict[str, _Found], other: dict[str, _Found]) -> dict[str, _Found]:
    return {
        k: _Found((), (), max(v.left, other[k].left), max(v.error, other[k].error))
        for k, v in one.items()
        if k in other
    }


_Question = tuple[
    tuple[str, ...], tuple[str, ...], Callable[[NoiseLevel], float], Callable[[NoiseLevel], float]
]


def _questions(sweep: Sweep) -> Iterator[_Question]:
    total = sweep.levels.total
    same: list[tuple[str, Callable[[NoiseLevel], float], str]] = [("", sweep.told, "")]
    times = same + [
        (name, lambda v, f=f: f(v, total), f"it is right when told {words}")
        for name, (f, words) in TIMES.items()
    ]
    scales: list[tuple[str, Callable[[NoiseLevel], float], str]] = [("", lambda v: 1.0, "")]
    scales += [(n, f, f"it is right when x is given as {w}") for n, (f, w) in SCALES.items()]
    for s_name, scale, s_words in scales:
        for t_name, when, t_words in times:
            yield (
                tuple(n for n in (t_name, s_name) if n),
                tuple(w for w in (t_words, s_words) if w),
                when,
                scale,
            )


@dataclass(frozen=True, eq=False)
class _Tried:
    """The rows of a wrong level that tell most: what is due, what passes, how wrong it was."""

    at: AtLevel
    y: np.ndarray
    due: np.ndarray
    size: np.ndarray
    passes: np.ndarray
    old: float
    readings: list[tuple[str, int]]


def _tried(a: AtLevel, sweep: Sweep) -> _Tried:
    tolerance = a.request.problem.tolerance
    measure, m = measured(a.answers, a.request, a.eps), len(a.answers.due.y)
    rows = told(np.any(measure.excessive(tolerance)[:m], axis=1))
    size, due = measure.size[rows], a.answers.due.mean[rows]
    passes = (measure.granted(tolerance) + measure.rounding)[rows] + (tolerance or 0.0) * size
    old = float(np.max(np.abs(a.answers.found[rows] - due) / size))
    return _Tried(a, a.answers.due.y[rows], due, size, passes, old, _readings(a, sweep))


def _asked(sweep: Sweep, a: _Tried, when: float, scale: float) -> np.ndarray | None:
    """The network's answers at the rows that tell most; ``None`` where it has none."""
    if not (np.isfinite(when) and np.isfinite(scale)):
        return None
    network, y = sweep.network, a.y * scale
    whole = network.form.whole and float(when).is_integer()
    for form in dict.fromkeys((TimeForm(network.form.rank, whole), network.form)):
        if form.whole and not float(when).is_integer():
            continue
        guard = guarded(network.at(when, form), "denoiser", network.framework, network.dtype)
        try:
            with np.errstate(all="ignore"):
                out = np.asarray(as_numpy(guard.raw(y)), dtype=float)
        except Exception:
            continue
        if np.all(np.isfinite(out)):
            return out
    return None


def _read(a: _Tried, answer: np.ndarray) -> dict[str, _Found]:
    """The ways to read the answer in which it is right: by kind of prediction, and its negative."""
    found = {}
    for name, sign in a.readings:
        error = np.abs(_mean(a.at, sign * answer, name, a.y) - a.due)
        largest = float(np.max(error / a.size))
        left = largest / a.old if a.old > 0 else np.inf
        if np.all(error <= a.passes) and left < 1 or left <= LEFT:
            found[("-" if sign < 0 else "") + name] = _Found((), (), left, largest)
    return found


def _readings(a: AtLevel, sweep: Sweep) -> list[tuple[str, int]]:
    kinds = ["x0", "eps", "score", "v", "F"] + ["velocity"] * (a.level.rates is not None)
    kinds.sort(key=lambda k: k != sweep.prediction)
    return [(k, s) for k in kinds for s in (1, -1)]


def _mean(a: AtLevel, value: np.ndarray, name: str, y: np.ndarray) -> np.ndarray:
    kind, problem = a.request.kind, a.request.problem
    if name == kind.name:
        return kind.to_mean(value, y)
    with np.errstate(all="ignore"):
        return np.asarray(problem.alpha * kind.convert(value, y, name, "x0"))


def _kind_names(kinds: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        f"returns_{k}" if not k.startswith("-") else f"returns_minus_{k[1:]}" for k in kinds
    )


def _kind_words(kinds: tuple[str, ...]) -> tuple[str, ...]:
    def words(k: str) -> str:
        if k.startswith("-"):
            return f"it is right with the other sign, as prediction={k[1:]!r}"
        return f"it is right as prediction={k!r}"

    return tuple(words(k) for k in kinds)


def _sentence(found: _Found) -> str:
    text = "; ".join(found.words)
    return f"{text[0].upper()}{text[1:]} (what is left of the error: {percent(found.error)})."
