"""Right and wrong solutions on grids for `check_fokker_planck`: a solver of second order, and what
it saves.

Right: random drifts and noises, grids, saved times, layouts. Wrong: a deviation of ``amount`` in
the drift or in ρ² of the solver, everywhere, on one side or in a window of time; the clock; the
mass; a fault.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import scoreproof as sp
from subjects import Case

Field = Callable[[Any, Any], Any]


def _solved(f: Field, D: Field, x: np.ndarray, t: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Crank–Nicolson in flux form with ``∂_t p = ∂(-f p + ∂(D p))`` and zero flux at the ends."""
    n, h = len(x), x[1] - x[0]
    i, eye, out, p = np.arange(n - 1), np.eye(n), [start], start
    middle = (x[1:] + x[:-1]) / 2
    kept: dict[bytes, np.ndarray] = {}
    for a, b in zip(t, t[1:], strict=False):
        s = (a + b) / 2
        drift, noise = f(middle, s) + 0 * middle, D(x, s) + 0 * x
        key = drift.tobytes() + noise.tobytes() + np.float64(round(b - a, 12)).tobytes()
        if key not in kept:
            up, down = drift / 2 + noise[:-1] / h, drift / 2 - noise[1:] / h
            A = np.zeros((n, n))
            A[i, i] -= up / h
            A[i, i + 1] -= down / h
            A[i + 1, i] += up / h
            A[i + 1, i + 1] += down / h
            kept[key] = np.linalg.solve(eye - (b - a) / 2 * A, eye + (b - a) / 2 * A)
        p = kept[key] @ p
        out.append(p)
    return np.array(out)


def case(rng: np.random.Generator) -> Case:
    a, b, c = rng.uniform(0.3, 1.5), rng.uniform(-0.6, 0.6), float(rng.choice([0.0, 0.05]))
    rho2, slope = rng.uniform(0.5, 2.0), float(rng.choice([0.0, 0.0, 0.5]))
    of_x = float(rng.choice([0.0, 0.0, 0.15]))
    n, steps = int(rng.choice([161, 221])), int(rng.choice([160, 240]))
    x, t = np.linspace(-7, 7, n), np.linspace(0, rng.uniform(0.6, 1.2), steps + 1)
    spread, middle = rng.uniform(0.15, 0.6), rng.uniform(-1, 1)
    start = np.exp(-((x - middle) ** 2) / (2 * spread)) / np.sqrt(2 * np.pi * spread)
    save = int(rng.choice([1, 2, 4]))
    accepted = float(rng.choice([0.02, 0.05])) if rng.random() < 0.5 else None
    layout = str(rng.choice(["t, x", "x, t", "log", "float32"]))

    def f(z: Any, s: Any) -> Any:
        return -a * z + b - c * z**3

    def D(z: Any, s: Any) -> Any:
        return (rho2 + slope * s) / 2 * (1 + of_x * np.sin(z)) ** 2

    def judge(p: np.ndarray, times: np.ndarray) -> Any:
        p = p[::save]
        given: dict[str, Any] = {"density": p, "axes": (times[::save], x)}
        if layout == "x, t":
            given = {"density": p.T, "axes": {"x": x, "t": times[::save]}}
        elif layout == "log":
            given["log_density"] = np.log(np.maximum(given.pop("density"), 1e-300))
        elif layout == "float32":
            given["density"] = p.astype(np.float32)
        noise: Any = lambda s: np.sqrt(2 * D(0.0, s))  # noqa: E731
        if of_x:
            noise = lambda z, s: np.sqrt(2 * D(z, s))  # noqa: E731
            given["interpretation"] = "ito"
        return sp.check_fokker_planck(f, noise, **given, tolerance=accepted)

    def wrong(amount: float) -> tuple[str, Any]:
        kind = str(rng.choice(["drift", "rho", "clock", "mass", "half", "sign"]))
        scope = str(rng.choice(["everywhere", "window", "side"]))
        begin, width = rng.uniform(0, 0.6), rng.uniform(0.3, 0.4)
        side = float(rng.choice([-1, 1]))

        def part(z: Any, s: Any) -> Any:
            if scope == "window":
                return amount * (begin * t[-1] <= s <= (begin + width) * t[-1])
            if scope == "side":
                return amount * (side * (z - middle) > 0)
            return amount

        if kind == "drift":
            p = _solved(lambda z, s: f(z, s) * (1 + part(z, s)), D, x, t, start)
            return f"drift {scope}", judge(p, t)
        if kind == "rho":
            p = _solved(f, lambda z, s: D(z, s) * (1 + part(z, s)), x, t, start)
            return f"ρ² {scope}", judge(p, t)
        if kind == "half":
            return "half missing", judge(_solved(f, lambda z, s: 2 * D(z, s), x, t, start), t)
        if kind == "sign":
            return "drift sign", judge(_solved(lambda z, s: -f(z, s), D, x, t, start), t)
        p = _solved(f, D, x, t, start)
        if kind == "clock":
            return "clock", judge(p, t / (1 + amount))
        return "mass", judge(p * (1 + amount), t)

    setting = f"grid of {n} points, {steps // save} times, {layout}, ρ² {rho2:.2g} + {slope:g} t"
    setting += f", sin {of_x:g}, cubic {c:g}, tolerance {accepted}"
    return Case(setting, lambda: judge(_solved(f, D, x, t, start), t), wrong)
