"""``check_fokker_planck``: does a density solve the Fokker–Planck equation of a drift and a
diffusion?

Conventions: as in `statement`; points are rows, t is a float that every row shares, ``diffusion``
is ρ, not ρ².
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from scoreproof.claims.fokker_planck.faults import FAULTS, compose
from scoreproof.claims.fokker_planck.statement import truth
from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import Guarded
from scoreproof.interop.frameworks import guarded
from scoreproof.public.fokker_planck import strong, weak
from scoreproof.public.fokker_planck.arguments import at_start, depends_on_state, number, where
from scoreproof.public.fokker_planck.mass import mass_notes

__all__ = ["check_fokker_planck"]

METHODS = ("auto", "strong", "weak")
#: a weak form whose quadrature is worse than this decides nothing
COARSEST = 1e-3
#: a refutation by less than so many bounds is reviewed: two rules that are both too coarse can
#: agree by chance
CLOSE = 100


REASONS = {f.name: f.why for f in FAULTS}


def check_fokker_planck(
    drift: Callable[..., Any],
    diffusion: Callable[..., Any],
    density: Callable[..., Any] | None = None,
    *,
    log_density: Callable[..., Any] | None = None,
    times: Sequence[float] = (0.3, 0.6, 1.0),
    domain: Sequence[Any] = (-3.0, 3.0),
    dimension: int | None = None,
    points: Any = None,
    method: str = "auto",
    interpretation: str | None = None,
    framework: str = "numpy",
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Check ``∂_t p = -∇·(f p) + (ρ²/2) Δp`` for your drift f, diffusion ρ and density p.

    Parameters
    ----------
    drift: ``drift(x, t)``, x ``(n, d)``, t a float, returns ``(n, d)``.
    diffusion: ``diffusion(t)``, a number: the coefficient of dW, not its square. With
        ``interpretation`` also ``diffusion(x, t)``, which returns ``(n,)`` (times the identity),
        ``(n, d)`` (a diagonal) or ``(n, d, d)`` (the matrix g; its first index is that of X).
    density or log_density: ``density(x, t)``, returns ``(n,)``. Exactly one of them.
    times: where the strong form is checked; the weak form uses the interval from the first to the
        last. All > 0 and increasing.
    domain: ``(low, high)`` for every coordinate, or a list of such pairs: where points are drawn,
        and the box of the weak form.
    dimension: d; taken from ``points`` or ``domain`` when they tell, else 1.
    points: ``(n, d)`` points of the strong form; 64 uniform ones by default.
    method: ``"strong"`` takes derivatives of your functions (Cauchy circles and complex steps for
        analytic NumPy code, forward-mode autodiff for PyTorch and JAX); ``"weak"`` takes none: it
        integrates p against the adjoint operator on smooth test functions of compact support in
        space and time (d = 1 or 2); ``"auto"``: strong where possible, else weak.
    interpretation: ``"ito"`` or ``"stratonovich"``, required when the diffusion depends on x. Then
        the equation has ``½ Σ ∂_i ∂_j ((g gᵀ)_ij p)`` and is checked in weak form. Irrelevant where
        it depends on t only: both agree.
    framework, dtype: what your callables are written in ("numpy", "torch", "jax") and the floating
    type of what they are given.

    Returns
    -------
    Evidence; on a refutation ``diagnosis`` names the planted fault (or pair) under which your three
    functions would agree. For d <= 2 ``notes`` say where a hypothesis fails: the mass is not 1, or
    mass flows out through infinity.

    Batched calls with T times. Strong, NumPy: the density 5 T, the drift 2 T. Strong, autodiff:
    (d+2) T and (d+1) T. Weak: 34 of each in d = 1, 28 in d = 2, and 28 or 20 more to review a
    refutation by less than a hundred bounds.
    The diffusion: one a time, and one at t = 0. For the notes: in d = 1 the density 6 times and
    the drift twice, in d = 2 the density 4 times. An ``"auto"`` that falls back pays for both
    forms, and so does one whose strong form holds in d <= 2: it is confirmed in weak form (on the
    box spanned by ``points=`` if given, else on the domain), for a density that jumps between the
    points; where the density is 0 at a point the weak form alone decides, and with ``"strong"`` or
    d > 2 nothing does.

    Raises ``ArgumentError`` for bad arguments and ``CallableError`` for callables that raise or
    return nan or a wrong shape.
    Source: homework on generative models, spring 2024, problem 5.

    >>> import numpy as np
    >>> evidence = check_fokker_planck(
    ...     drift=lambda x, t: -x, diffusion=lambda t: np.sqrt(2.0),
    ...     log_density=lambda x, t: -0.5 * x[:, 0] ** 2 / (1 + np.exp(-2 * t)) - 0.5 * np.log(2 * np.pi * (1 + np.exp(-2 * t))))
    >>> bool(evidence), evidence.kind
    (True, 'float')
    """
    box, d, x = where(times, domain, dimension, points, seed)
    if (density is None) == (log_density is None):
        raise ArgumentError(
            "density",
            "given, or log_density, but not both",
            "both" if density is not None else "neither",
            "pass one of them",
        )
    if method not in METHODS:
        raise ArgumentError(
            "method", f"one of {', '.join(METHODS)}", repr(method), "use 'auto' if in doubt"
        )
    is_log = log_density is not None
    given: Any = log_density if is_log else density
    law = guarded(given, "log_density" if is_log else "density", framework, dtype)
    f, g = (
        guarded(drift, "drift", framework, dtype),
        guarded(diffusion, "diffusion", framework, dtype),
    )
    # PyTorch and JAX get t as an array of theirs: a Python float would often become float32 on its
    # way
    clock: Callable[[float], Any] = float if framework == "numpy" else np.asarray
    of_state = depends_on_state(diffusion, interpretation)
    if of_state and method == "strong":
        raise ArgumentError(
            "method",
            "'weak' or 'auto' when diffusion depends on x",
            "'strong'",
            "the strong form here is for a diffusion of t only",
        )
    why = "the diffusion depends on x" if of_state else ""
    why_weak = ""
    evidence = None
    with warnings.catch_warnings():
        # complex steps through code that casts to real are noticed by their result, not by NumPy's
        # warning
        warnings.simplefilter("ignore")
        if method != "weak" and not of_state:
            try:
                evidence = _strong(
                    law, is_log, f, g, x, np.asarray(times, dtype=float), box, framework, clock
                )
            except strong.NotAnalytic as error:
                why = str(error)
                if method == "strong":
                    return Evidence.undecided(
                        "float", f"the strong form could not be evaluated: {why}; use method='weak'"
                    )
        if evidence is None:
            if d > 2:
                return Evidence.undecided(
                    "float",
                    f"the weak form needs d <= 2 (here {d}){', and ' + why if why else ''}; use"
                    " torch or jax callables",
                )
            evidence = _weak(law, is_log, f, g, box, clock, interpretation if of_state else None)
        elif evidence.verdict != "refuted" and method == "auto" and d <= 2:
            evidence, why_weak = _confirmed(
                evidence,
                lambda seen: _weak(law, is_log, f, g, seen, clock, None),
                box if points is None else _spanned(box, x),
            )
        elif evidence.verdict == "holds":
            evidence = replace(
                evidence,
                sentence=(
                    f"{evidence.sentence}; at these points only: a jump between them is not seen"
                ),
            )
        notes = mass_notes(law, is_log, f, box, clock) if d <= 2 else ()
    if why and method == "auto" and not of_state:
        why_weak = f"The weak form was used, since {why}."
    return replace(evidence, notes=(*evidence.notes, *((why_weak,) if why_weak else ()), *notes))


def _spanned(box: weak.Box, x: np.ndarray) -> weak.Box | None:
    """The box that the points span: the domain may reach where the callables promise nothing."""
    sides = tuple(
        (float(low), float(high)) for low, high in zip(x.min(axis=0), x.max(axis=0), strict=True)
    )
    return weak.Box(box.times, sides) if all(low < high for low, high in sides) else None


def _confirmed(
    pointwise: Evidence, weakly: Callable[[weak.Box], Evidence], box: weak.Box | None
) -> tuple[Evidence, str]:
    """A strong form that is not refuted, against integrals: they alone see a jump of the density
    between the points.
    """
    if box is None:
        return (
            replace(
                pointwise,
                sentence=(
                    f"{pointwise.sentence}; at these points only: a jump between them is not seen"
                ),
            ),
            "",
        )
    try:
        found = weakly(box)
    except CallableError as error:
        return (
            Evidence.undecided(
                "float",
                f"{pointwise.sentence}: no error there, but the weak form could not be evaluated:"
                f" {error}; narrow domain=",
            ),
            "",
        )
    if found.verdict == "refuted":
        return (
            found,
            "The strong form holds at its points; between them the density jumps or bends.",
        )
    if pointwise.verdict == "holds" and found.verdict == "holds":
        return (
            replace(pointwise, sentence=f"{pointwise.sentence}, and in weak form", cost=found.cost),
            "",
        )
    if found.verdict == "holds":
        return found, "The weak form was used, since the density is 0 at some of the points."
    hint = (
        "The strong form holds at its points; whether the density jumps between them is not seen"
        " (method='strong' looks at the points only)."
    )
    return found, hint


# -- the two forms ---------------------------------------------------------------------------------


def _candidates(predict: Callable[[Any], np.ndarray]) -> dict[str, np.ndarray]:
    subjects: dict[tuple[str, ...], Any] = {(f.name,): f.subject for f in FAULTS}
    subjects |= {pair: compose(pair) for pair in combinations([f.name for f in FAULTS], 2)}
    with np.errstate(all="ignore"):
        return {
            " + ".join(names): np.asarray(predict(subject))
            for names, subject in subjects.items()
            if subject is not None
        }


def _strong(
    law: Guarded,
    is_log: bool,
    f: Guarded,
    g: Guarded,
    x: np.ndarray,
    times: np.ndarray,
    box: weak.Box,
    framework: str,
    clock: Callable[[float], Any],
) -> Evidence:
    rho0, parts = at_start(g, clock), []
    length = 0.5 * min(high - low for low, high in box.domain) / 2
    for t in times:
        rho = number(g, clock(t))
        if framework == "numpy":
            parts.append(strong.by_circles(law, is_log, f, x, float(t), rho, rho0, length))
        else:
            parts.append(strong.by_forward_mode(law, is_log, f, x, float(t), rho, rho0, framework))
    found = strong.join(parts)
    right = truth(found.jets)
    gap = np.abs(found.rate - right)
    scale = np.maximum(
        found.scale, 1e-300
    )  # where every term vanishes (f = 0, ρ = 0) the error is 0 of nothing
    relative, bounds = gap / scale, np.maximum(found.bound / scale, 8 * float(np.finfo(float).eps))
    worst = int(np.argmax(relative / bounds))
    value, bound = float(relative[worst]), float(bounds[worst])
    sizes = [part.rate.size for part in parts]
    blocks = np.split(relative, np.cumsum(sizes)[:-1])
    evidence = Evidence.measured(
        value,
        bound,
        f"∂_t p against -∇·(f p) + (ρ²/2) Δp at {found.rate.size} of {len(x) * len(times)} points"
        f" and times in R^{x.shape[1]}, relative to the size of the terms (worst near t ="
        f" {times[int(np.searchsorted(np.cumsum(sizes), worst, side='right'))]:.3g})",
        cost={"density": law.calls, "drift": f.calls, "diffusion": g.calls},
        curves={"largest error": ([float(t) for t in times], [float(np.max(b)) for b in blocks])},
        labels=("t", "relative error"),
    )
    if evidence.verdict == "holds" and found.empty:
        sentence = (
            f"{evidence.sentence}: no error there, but the density is 0 at {found.empty} more;"
            " choose points= where it is positive, or method='weak'"
        )
        return Evidence.undecided(
            "float", sentence, cost=evidence.cost, curves=evidence.curves, labels=evidence.labels
        )
    if evidence.verdict != "refuted":
        return evidence
    # every point counts by its own size, so that no fault hides behind a few large values
    weight = 1 / scale
    candidates = _candidates(
        lambda subject: np.broadcast_to(subject(found.jets), right.shape) * weight
    )
    return evidence.with_diagnosis(
        diagnose(found.rate * weight, right * weight, candidates, reasons=REASONS)
    )


def _weak(
    law: Guarded,
    is_log: bool,
    f: Guarded,
    g: Guarded,
    box: weak.Box,
    clock: Callable[[float], Any],
    interpretation: str | None,
) -> Evidence:
    d, of_state = len(box.domain), interpretation is not None
    logs: list[float] = []

    def density(x: np.ndarray, t: float) -> np.ndarray:
        value = law(x, clock(t), shape=(len(x),)).real
        p = np.exp(value) if is_log else value
        if np.any(p < 0):
            raise CallableError(
                law.name,
                "return non-negative densities",
                f"its smallest value is {p.min():.3g}",
                "pass log_density= for a log",
            )
        logs.append(float(np.max(np.abs(np.log(p[p > 1e-12 * p.max()])), initial=0.0)))
        return p

    def noise(x: np.ndarray, t: float) -> np.ndarray:
        if not of_state:
            return np.broadcast_to(number(g, clock(t)) * np.eye(d), (len(x), d, d))
        value = g(x, clock(t)).real
        if value.shape in ((), (1,), (len(x),), (len(x), 1)) and not (d == 1 and value.ndim == 3):
            return np.broadcast_to(value.reshape(-1, 1, 1) * np.eye(d), (len(x), d, d))
        if value.shape == (len(x), d):
            return value[:, :, None] * np.eye(d)
        if value.shape in ((d, d), (len(x), d, d)):
            return np.broadcast_to(value, (len(x), d, d))
        raise CallableError(
            "diffusion",
            f"return shape (n,), (n, {d}) or (n, {d}, {d})",
            f"it returned shape {value.shape}",
            "points are rows",
        )

    def field(x: np.ndarray, t: float) -> np.ndarray:
        return f(x, clock(t), shape=x.shape).real

    rho_start = float("nan") if of_state else at_start(g, clock)
    coarse, fine = (
        weak.measure(density, field, noise, box, level, rho_start) for level in range(2)
    )
    stratonovich = 1.0 if interpretation == "stratonovich" else 0.0

    def right(w: weak.Weak) -> np.ndarray:
        return w.drift_part + w.noise_part + stratonovich * w.correction

    scale = np.maximum(fine.scale, np.max(fine.scale) * 1e-9 + 1e-300)
    gaps = [w.left - right(w) for w in (coarse, fine)]
    eps = max(law.eps, f.eps, g.eps)
    # the two resolutions bound the quadrature; a density's values carry the rounding of their
    # exponents
    bounds = 2 * np.abs(gaps[1] - gaps[0]) / scale + eps * (16 + max(logs, default=0.0))
    errors = np.abs(gaps[1]) / scale
    k = int(np.argmax(errors / bounds))
    value, bound = float(errors[k]), float(bounds[k])
    curves = {
        "error": (list(range(len(errors))), [float(e) for e in errors]),
        "bound": (list(range(len(errors))), [float(b) for b in bounds]),
    }
    reading = f", read as {'Stratonovich' if stratonovich else 'Itô'}" if of_state else ""
    sentence = (
        f"the weak form{reading} on {len(errors)} smooth test functions in [{box.times[0]:g},"
        f" {box.times[1]:g}] × {box.domain}"
    )
    cost = {"density": law.calls, "drift": f.calls, "diffusion": g.calls}
    evidence = Evidence.measured(
        value, bound, sentence, cost=cost, curves=curves, labels=("test function", "relative error")
    )
    if evidence.verdict == "holds" and float(np.max(bounds)) > COARSEST:
        return Evidence.undecided(
            "float",
            f"{sentence}: the quadrature is only good to {np.max(bounds):.2g}; narrow domain= or"
            " times=",
            cost=cost,
        )
    if evidence.verdict != "refuted":
        return evidence
    if value < CLOSE * bound:
        finest = weak.measure(density, field, noise, box, 2, rho_start)
        gaps.append(finest.left - right(finest))
        again = np.abs(gaps[2]) / (
            2 * np.abs(gaps[2] - gaps[1]) + scale * eps * (16 + max(logs, default=0.0))
        )
        if float(again[k]) <= 1:
            text = (
                f"{sentence}: the quadrature is not good enough (the error changed from {value:.2g}"
                f" to {abs(gaps[2][k]) / scale[k]:.2g} on a finer rule)"
            )
            return Evidence.undecided(
                "float",
                f"{text}; narrow domain= or times=",
                cost={**cost, "density": law.calls, "drift": f.calls, "diffusion": g.calls},
            )
    measured, expected = fine.left / scale, right(fine) / scale
    if of_state:
        return evidence.with_diagnosis(
            _diagnose_state(fine, scale, measured, expected, stratonovich)
        )
    return evidence.with_diagnosis(
        diagnose(
            measured,
            expected,
            _candidates(lambda subject: fine.predict(subject) / scale),
            reasons=REASONS,
        )
    )


def _diagnose_state(
    w: weak.Weak, scale: np.ndarray, measured: np.ndarray, expected: np.ndarray, stratonovich: float
) -> Diagnosis:
    """The explanations that a noise of the state allows: the other reading of dW, and the plain
    faults.
    """
    rest = w.noise_part + stratonovich * w.correction
    other = "stratonovich_read_as_ito" if stratonovich == 0 else "ito_read_as_stratonovich"
    candidates = {
        other: w.drift_part + w.noise_part + (1 - stratonovich) * w.correction,
        "drift_sign": -w.drift_part + rest,
        "half_missing": w.drift_part + 2 * rest,
        "half_twice": w.drift_part + rest / 2,
        "laplacian_sign": w.drift_part - rest,
        "reversed_clock": -w.drift_part - rest,
        "half_correction": w.drift_part + w.noise_part + 0.5 * w.correction,
    }
    return diagnose(
        measured,
        expected,
        {name: value / scale for name, value in candidates.items()},
        reasons=REASONS,
    )
