"""Right and wrong subjects for `check_marginals`: schedules of every kind, in random units of time,
sizes, types and ways of writing them down.

Conventions: t runs from 0 to ``horizon``; a law is (rate, diffusion, α, σ, shift) of the fraction
u = t/horizon in NumPy, torch or jax alike. A wrong subject's deviation is measured as the check
measures it: of the std to itself, of the mean to the size of X_t.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof import check_marginals
from subjects import Case

__all__ = ["case"]

Function = Callable[[Any], Any]
TYPES = (
    *["numpy64"] * 9,
    *["torch64"] * 2,
    *["torch32"] * 4,
    *["numpy32"] * 2,
    "jax32",
    "bfloat16",
    "float16",
)


@dataclass(frozen=True)
class Law:
    """One process, its horizon being 1: drift ``rate x + push``, ``g``, and α, σ, shift.

    ``numpy_only``: its functions look up tables. ``start``: σ(0) where the data are blurred first.
    """

    name: str
    rate: Function
    g: Function
    alpha: Function
    sigma: Function
    shift: Function | None = None
    push: Function | None = None
    numpy_only: bool = False
    start: float = 0.0
    options: tuple[tuple[str, Any], ...] = ()


def preserving(rng: np.random.Generator, xp: Any) -> Law:
    low, high = 10 ** rng.uniform(-2, 0.5), 10 ** rng.uniform(0.7, 1.5)

    def area(u: Any) -> Any:
        return low * u + (high - low) * u * u / 2

    def beta(u: Any) -> Any:
        return low + (high - low) * u

    return of_area(rng, xp, "VP", beta, area)


def of_area(rng: np.random.Generator, xp: Any, name: str, beta: Function, area: Function) -> Law:
    """α = exp(-½ ∫β) and σ² = 1 - α², or the sub-VP's 1 - α² for σ, in some notation."""
    alpha = pick(
        rng,
        lambda u: xp.exp(-area(u) / 2),
        lambda u: xp.sqrt(xp.exp(-area(u))),
        lambda u: 1 / xp.exp(0.5 * area(u)),
        lambda u: xp.exp(-area(u) / 4) ** 2,
    )
    rate = pick(rng, lambda u: -0.5 * beta(u), lambda u: -(beta(u) / 2), lambda u: beta(u) * -0.5)
    if rng.random() < 0.25:
        sigma = pick(rng, lambda u: -xp.expm1(-area(u)), lambda u: 1 - xp.exp(-area(u)))
        g = pick(
            rng,
            lambda u: xp.sqrt(-beta(u) * xp.expm1(-2 * area(u))),
            lambda u: xp.sqrt(beta(u)) * xp.sqrt(1 - xp.exp(-2 * area(u))),
        )
        return Law(f"sub-{name}", rate, g, alpha, sigma)
    sigma = pick(
        rng,
        lambda u: xp.sqrt(1 - xp.exp(-area(u))),
        lambda u: xp.sqrt(-xp.expm1(-area(u))),
        lambda u: xp.sqrt((1 - xp.exp(-area(u) / 2)) * (1 + xp.exp(-area(u) / 2))),
        lambda u: (1 - xp.exp(-area(u) / 2) ** 2) ** 0.5,
    )
    g = pick(rng, lambda u: xp.sqrt(beta(u)), lambda u: beta(u) ** 0.5)
    return Law(name, rate, g, alpha, sigma)


def exploding(rng: np.random.Generator, xp: Any) -> Law:
    low = 10 ** rng.uniform(-3, -1)
    ratio = 10 ** rng.uniform(1.5, 4.5)
    log = float(np.log(ratio))

    def sigma(u: Any) -> Any:
        return low * xp.exp(log * u)

    g = pick(
        rng, lambda u: sigma(u) * (2 * log) ** 0.5, lambda u: low * ratio**u * np.sqrt(2 * log)
    )
    if rng.random() < 0.5:
        return Law("VE blurred", zero, g, one, sigma, start=low)
    literal = pick(
        rng,
        lambda u: low * xp.sqrt(xp.expm1(2 * log * u)),
        lambda u: xp.sqrt(sigma(u) ** 2 - low**2),
    )
    return Law("VE literal", zero, g, one, literal)


def power(rng: np.random.Generator, xp: Any) -> Law:
    scale, p = 10 ** rng.uniform(-1, 2), float(pick(rng, 1.0, 1.0, 2.0, 0.5))
    return Law(
        f"sigma = t^{p:g}",
        zero,
        lambda u: scale * (2 * p) ** 0.5 * u ** (p - 0.5),
        one,
        lambda u: scale * u**p,
    )


def straight(rng: np.random.Generator, xp: Any) -> Law:
    end = float(pick(rng, 1.0, 0.999, 0.95))
    return Law(
        f"flow matching to {end:g}",
        lambda u: -end / (1 - end * u),
        lambda u: xp.sqrt(2 * end * end * u / (1 - end * u)),
        lambda u: 1 - end * u,
        lambda u: end * u,
    )


def cosine(rng: np.random.Generator, xp: Any) -> Law:
    s, end = 0.008, float(pick(rng, 0.99, 0.95, 1.0))
    half, base = np.pi / 2, float(np.cos(np.pi / 2 * 0.008 / 1.008))
    turn = end * half / (1 + s)

    def angle(u: Any) -> Any:
        return turn * u + s / (1 + s) * half

    return Law(
        f"cosine to {end:g}",
        lambda u: -turn * xp.sin(angle(u)) / xp.cos(angle(u)),
        lambda u: xp.sqrt(2 * turn * xp.sin(angle(u)) / xp.cos(angle(u))),
        lambda u: xp.cos(angle(u)) / base,
        lambda u: xp.sqrt(1 - (xp.cos(angle(u)) / base) ** 2),
    )


def mean_reverting(rng: np.random.Generator, xp: Any) -> Law:
    rate, noise = 10 ** rng.uniform(-3, 5), 10 ** rng.uniform(-1, 1)
    law = Law(
        f"OU {rate:.2g}",
        lambda u: -rate,
        lambda u: noise * rate**0.5,
        lambda u: xp.exp(-rate * u),
        pick(
            rng,
            lambda u: noise * xp.sqrt(-xp.expm1(-2 * rate * u) / 2),
            lambda u: noise * xp.sqrt((1 - xp.exp(-2 * rate * u)) / 2),
        ),
    )
    if rng.random() < 0.5:
        return law
    mu = float(rng.uniform(-3, 3))
    return replace(
        law,
        name=f"{law.name} to {mu:.2g}",
        push=lambda u: rate * mu,
        shift=lambda u: -mu * xp.expm1(-rate * u),
    )


def table(rng: np.random.Generator, xp: Any) -> Law:
    n = int(pick(rng, 20, 100, 300, 1000))
    rough = rng.random() < 0.3
    beta = np.exp(rng.normal(0, 0.5, n)) * 8 if rough else np.linspace(0.1, 20.0, n)
    if rng.random() < 0.5:  # a step an entry
        heights = np.concatenate([[0.0], np.cumsum(beta)]) / n

        def rate(u: float) -> float:
            return float(beta[min(int(u * n), n - 1)])

        def area(u: float) -> float:
            k = min(int(u * n), n - 1)
            return float(heights[k] + beta[k] * (u - k / n))

        name = f"table of {n} steps"
    else:
        grid = np.linspace(0, 1, n)
        heights = np.concatenate([[0.0], np.cumsum((beta[1:] + beta[:-1]) / 2)]) / (n - 1)

        def rate(u: float) -> float:
            return float(np.interp(u, grid, beta))

        def area(u: float) -> float:
            k = min(int(u * (n - 1)), n - 2)
            v = u * (n - 1) - k
            return float(heights[k] + (beta[k] * v + (beta[k + 1] - beta[k]) * v * v / 2) / (n - 1))

        name = f"table of {n} entries, interpolated"
    return replace(of_area(rng, np, name, rate, area), numpy_only=True)


def jump(rng: np.random.Generator, xp: Any) -> Law:
    at, one_side, other = rng.uniform(0.1, 0.9), rng.uniform(0.5, 2), rng.uniform(2, 10)

    def rate(u: float) -> float:
        return one_side if u < at else other

    def area(u: float) -> float:
        return one_side * min(u, at) + other * max(u - at, 0.0)

    return replace(of_area(rng, np, "one jump", rate, area), numpy_only=True)


def zero(u: Any) -> Any:
    return 0 * u


def one(u: Any) -> Any:
    return 1 + 0 * u


FAMILIES = (
    preserving,
    preserving,
    exploding,
    power,
    straight,
    cosine,
    mean_reverting,
    table,
    jump,
)


def pick(rng: np.random.Generator, *options: Any) -> Any:
    return options[int(rng.integers(len(options)))]


@dataclass(frozen=True)
class Setting:
    """How the law is written down: unit of time, size, factors a coordinate, framework, layout."""

    law: Law
    horizon: float
    d: int
    factors: np.ndarray  # of each coordinate's noise
    kind: str
    xp: Any
    batched: bool
    layout: str
    tolerance: float | None
    seed: int

    def column(self, value: Any, x: Any) -> Any:
        """A value of each row's time, or of the one time, ready to be multiplied with ``x``."""
        return value[:, None] if self.batched and getattr(value, "ndim", 0) == 1 else value

    def spread(self, x: Any) -> Any:
        if np.all(self.factors == 1):
            return 1.0
        if self.xp is np:
            return self.factors.astype(x.dtype)
        if self.kind.startswith("jax"):
            return self.xp.asarray(self.factors, dtype=x.dtype)
        return self.xp.tensor(self.factors, dtype=x.dtype)

    def drift(self, x: Any, t: Any) -> Any:
        u, law = t / self.horizon, self.law
        out = self.column(law.rate(u), x) * x / self.horizon
        return out if law.push is None else out + self.column(law.push(u), x) / self.horizon

    def diffusion(self, t: Any) -> Any:
        g = self.law.g(t / self.horizon) / self.horizon**0.5
        if np.all(self.factors == 1):
            return g
        like = np.ones(1) if self.xp is np else t
        g = self.column(g, t) * self.spread(like)
        return np.diag(g) if self.layout == "matrix" and not self.batched and self.xp is np else g

    def marginal(self, x0: Any, t: Any) -> tuple[Any, Any]:
        u, law = t / self.horizon, self.law
        mean = x0 * self.column(law.alpha(u), x0)
        if law.shift is not None:
            mean = mean + self.column(law.shift(u), x0)
        sigma = law.sigma(u)
        if not np.all(self.factors == 1):
            return mean, self.column(sigma, x0) * self.spread(x0) + 0 * x0
        if self.layout == "full":
            return mean, self.column(sigma, x0) + 0 * x0
        if self.layout == "column":
            return mean, self.column(sigma, x0) + 0 * x0[:, :1]
        return mean, sigma

    def judge(self, **replaced: Any) -> Any:
        """`check_marginals` of this writing, some callables replaced."""
        given = {"drift": self.drift, "diffusion": self.diffusion, "marginal": self.marginal}
        options: dict[str, Any] = dict(self.law.options)
        if self.kind != "numpy64":
            framework, dtype = {
                "torch64": ("torch", "float64"),
                "torch32": ("torch", "float32"),
                "numpy32": ("numpy", "float32"),
                "jax32": ("jax", "float32"),
                "bfloat16": ("torch", "bfloat16"),
                "float16": ("torch", "float16"),
            }[self.kind]
            options.update(framework=framework, dtype=dtype)
        if self.law.start:
            options["reading"] = "blurred"
        with np.errstate(all="ignore"):
            return check_marginals(
                **{**given, **replaced},
                horizon=self.horizon,
                d=self.d,
                batched_time=self.batched,
                tolerance=self.tolerance,
                seed=self.seed,
                **options,
            )


def case(rng: np.random.Generator) -> Case:
    kind = str(pick(rng, *TYPES))
    half = kind in ("bfloat16", "float16")
    family = pick(rng, preserving, preserving, exploding, power) if half else pick(rng, *FAMILIES)
    if family in (table, jump):
        kind = "numpy64"
    xp = np if kind.startswith("numpy") else None
    if xp is None:
        xp = importlib.import_module("jax.numpy" if kind.startswith("jax") else "torch")
    law = family(rng, xp)
    d = int(pick(rng, 1, 2, 2, 3, 7, 64, 256))
    factors = rng.uniform(0.5, 2.0, d) if rng.random() < 0.25 and not law.start else np.ones(d)
    batched = bool(rng.random() < 0.2) and not law.numpy_only
    setting = Setting(
        law,
        float(pick(rng, 1.0, 1.0, 1.0, 1000.0, 80.0, 0.01)),
        d,
        factors,
        kind,
        xp,
        batched,
        str(pick(rng, "plain", "full", "column", "matrix")),
        float(pick(rng, 0.1, 0.2)) if half else None,
        int(rng.integers(100)),
    )
    name = (
        f"{law.name}, horizon {setting.horizon:g}, d = {d}, {kind}"
        f"{', batched' if batched else ''}, {setting.layout}"
    )
    return Case(name, setting.judge, lambda amount: wrong(rng, setting, amount))


def wrong(rng: np.random.Generator, s: Setting, amount: float) -> tuple[str, Any]:
    """One deviation of at least ``amount``, or two."""
    sign = float(pick(rng, -1.0, 1.0)) if amount < 0.5 else 1.0
    fault = pick(rng, _std, _std, _mean, _mean, _noise, _rate, _both, _named)
    return fault(rng, s, sign * amount)


@dataclass(frozen=True)
class Where:
    """A region of time, coordinates and rows."""

    name: str
    time: Callable[[float], bool]
    coordinate: int | None = None
    row: Callable[[np.ndarray], np.ndarray] | None = None

    def mask(self, x0: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Ones in the region ``(n, d)``, zeros elsewhere."""
        at = np.array([self.time(float(v)) for v in np.broadcast_to(t, len(x0))], float)
        out = np.ones(x0.shape) * at[:, None]
        if self.coordinate is not None:
            keep = np.zeros(x0.shape[1])
            keep[self.coordinate] = 1
            out = out * keep
        return out if self.row is None else out * self.row(x0)


def region(rng: np.random.Generator, s: Setting) -> Where:
    fine = s.kind in ("numpy64", "torch64")
    h = s.horizon
    name, time = "everywhere", (lambda t: True)
    what = rng.random()
    if what < 0.35:
        width = rng.uniform(0.08, 0.3)
        low = rng.uniform(0.12, 1 - width)
        name = f"for {low:.3f} < t/T < {low + width:.3f}"
        time = lambda t: low * h < t < (low + width) * h  # noqa: E731
    elif what < 0.45 and fine:
        low = 10 ** rng.uniform(-5, -2.5)
        name = f"for {low:.2g} < t/T < {30 * low:.2g}"
        time = lambda t: low * h < t < 30 * low * h  # noqa: E731
    elif what < 0.5:
        name, time = "for t/T > 0.97", (lambda t: t > 0.97 * h)
    where = Where(name, time)
    if rng.random() < 0.3 and s.d > 1:
        c = int(rng.integers(s.d))
        where = replace(where, name=f"{name}, coordinate {c}", coordinate=c)
    elif rng.random() < 0.3:
        label, row = pick(
            rng,
            ("x0 < 0", lambda x: (x < 0).astype(float)),
            ("|x0| > 20", lambda x: (np.abs(x) > 20).astype(float)),
            ("|x0| < 0.4", lambda x: (np.abs(x) < 0.4).astype(float)),
        )
        where = replace(where, name=f"{name}, {label}", row=row)
    return where


def _like(s: Setting, array: np.ndarray, x: Any) -> Any:
    if s.xp is np:
        return array.astype(x.dtype)
    return (
        s.xp.asarray(array, dtype=x.dtype) if "jax" in s.kind else s.xp.tensor(array, dtype=x.dtype)
    )


def _numbers(x: Any) -> np.ndarray:
    return np.asarray(x.float() if hasattr(x, "float") else x, float)


def _std(rng: np.random.Generator, s: Setting, amount: float) -> tuple[str, Any]:
    where = region(rng, s)

    def marginal(x0: Any, t: Any) -> tuple[Any, Any]:
        mean, std = s.marginal(x0, t)
        mask = where.mask(_numbers(x0), _numbers(t))
        return mean, s.column(std, x0) * _like(s, 1 + amount * mask, x0)

    return f"std {where.name}", s.judge(marginal=marginal)


def _mean(rng: np.random.Generator, s: Setting, amount: float) -> tuple[str, Any]:
    where = region(rng, s)

    def marginal(x0: Any, t: Any) -> tuple[Any, Any]:
        mean, std = s.marginal(x0, t)
        x, m = _numbers(x0), _numbers(mean)
        alpha = np.abs(_numbers(s.column(s.law.alpha(t / s.horizon), x0)))
        size = (
            alpha * np.max(np.abs(x), axis=0) / 30 + np.abs(m) + np.abs(_numbers(s.column(std, x0)))
        )
        if s.law.shift is not None:
            size = size + np.abs(_numbers(s.column(s.law.shift(t / s.horizon), x0)))
        added = amount * where.mask(x, _numbers(t)) * size
        return mean + _like(s, added, x0), std

    return f"mean {where.name}", s.judge(marginal=marginal)


def _noise(rng: np.random.Generator, s: Setting, amount: float) -> tuple[str, Any]:
    factor = 1 + amount
    if s.law.start:  # the blur is as it was: where σ has grown, nearly all is noise
        factor = 1 + 1.5 * amount
    return "diffusion", s.judge(diffusion=lambda t: s.diffusion(t) * factor)


def _rate(rng: np.random.Generator, s: Setting, amount: float) -> tuple[str, Any]:
    u = np.linspace(0.02, 0.98, 49)
    rates = [abs(float(s.law.rate(_scalar(s, v)))) for v in u]
    total = float(np.mean(rates))
    if total < 1e-9:
        added = 4 * amount / s.horizon
        return "drift where there is none", s.judge(drift=lambda x, t: s.drift(x, t) + added * x)
    factor = 1 + 4 * amount * max(1.0, 1 / total)
    return "rate of the drift", s.judge(drift=lambda x, t: s.drift(x, t) * factor)


def _scalar(s: Setting, v: float) -> Any:
    return v if s.xp is np else s.xp.asarray(v)


def _both(rng: np.random.Generator, s: Setting, amount: float) -> tuple[str, Any]:
    """Two that partly make up for one another: more noise and a declared std that knows it, but in
    one region.
    """
    where = region(rng, s)

    def marginal(x0: Any, t: Any) -> tuple[Any, Any]:
        mean, std = s.marginal(x0, t)
        mask = where.mask(_numbers(x0), _numbers(t))
        return mean, s.column(std, x0) * _like(s, (1 + 2 * amount) * (1 - amount * mask), x0)

    return (
        f"diffusion, and a std that knows it but {where.name}",
        s.judge(marginal=marginal, diffusion=lambda t: s.diffusion(t) * (1 + 2 * amount)),
    )


def _named(rng: np.random.Generator, s: Setting, amount: float) -> tuple[str, Any]:
    """The mistakes that people make, whatever their size, if it is at least ``amount``."""
    h = s.horizon

    def changed(f: Callable[[Any, Any, Any], tuple[Any, Any]]) -> Callable[[Any, Any], Any]:
        def marginal(x0: Any, t: Any) -> tuple[Any, Any]:
            mean, std = s.marginal(x0, t)
            return f(mean, std, x0)

        return marginal

    limit = 20.0
    options: dict[str, Callable[[Any, Any], Any]] = {
        "variance for std": changed(lambda m, v, x: (m, v * v)),
        "mean not scaled": changed(lambda m, v, x: (x, v)),
        "mean twice": changed(lambda m, v, x: (m + m, v)),
        "std halved": changed(lambda m, v, x: (m, v / 2)),
        "std negative": changed(lambda m, v, x: (m, -v)),
        "log std": changed(lambda m, v, x: (m, s.xp.log(v) if s.xp is not np else np.log(v))),
        "mean of a clipped x0": lambda x0, t: (
            s.marginal(x0.clip(-limit, limit), t)[0],
            s.marginal(x0, t)[1],
        ),
        "mean of |x0|": lambda x0, t: (s.marginal(abs(x0), t)[0], s.marginal(x0, t)[1]),
        "the law at T - t": lambda x0, t: s.marginal(x0, h - t),
        "the law at t/2": lambda x0, t: s.marginal(x0, t / 2),
    }
    names = list(options)
    rng.shuffle(names)
    x0 = np.array([[1.5] * s.d, [-0.7] * s.d, [30.0] * s.d])
    for name in names:
        if _deviation(s, options[name], x0) >= 2 * abs(amount):
            return name, s.judge(marginal=options[name])
    return _std(rng, s, amount)


def _deviation(s: Setting, marginal: Callable[[Any, Any], Any], x0: np.ndarray) -> float:
    """The largest that most of nine times in the middle show."""
    found = []
    for u in np.linspace(0.15, 0.85, 9):
        x, t = (
            _given(s, x0),
            _given(s, np.full(len(x0), u * s.horizon) if s.batched else u * s.horizon),
        )
        with np.errstate(all="ignore"):
            right, said = s.marginal(x, t), marginal(x, t)
        m, v = (_numbers(s.column(p, x)) + 0 * x0 for p in right)
        n, w = (_numbers(s.column(p, x)) + 0 * x0 for p in said)
        size = np.abs(m) + np.abs(v)
        gap = np.maximum(np.abs(n - m) / size, np.abs(w - v) / np.abs(v))
        if not np.all(np.isfinite(gap)):
            return 0.0
        found.append(float(np.max(gap)))
    return float(np.median(found))


def _given(s: Setting, value: Any) -> Any:
    if s.xp is np:
        return value
    dtype = (
        {"64": "float64", "32": "float32"}.get(s.kind[-2:], s.kind)
        if s.kind != "float16"
        else "float16"
    )
    return s.xp.asarray(np.asarray(value), dtype=getattr(s.xp, dtype))
