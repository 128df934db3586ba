"""Random divergences for `check_kl`: every form, scale, quantity, reduction, framework and type.

Right ones: variances, standard deviations or log-variances inside; quotients or differences of
logarithms; terms summed apart or together, by sums, loops, einsum, solves, inverses or factors;
(n,) or (n, 1). Wrong ones: the claim's faults (whole or in part), factors everywhere or in a window
of laws, batches, dimensions or coordinates, thresholds, clamps, summands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof import check_kl
from scoreproof.claims.gaussian_kl.faults import compose, of_form
from subjects import Case

KL = Callable[..., Any]  # (m0, scale0, m1, scale1) -> (n,), in the framework's arrays
HALF = {"bfloat16": 0.3, "float16": 0.06}
ARGUMENTS = ("mean0", "scale0", "mean1", "scale1")
ORDER = 0.3


def _one_way(m0: Any, v0: Any, m1: Any, v1: Any) -> Any:
    return ((m1 - m0) ** 2 / v1 + (v0 - v1) / v1 - np.log1p((v0 - v1) / v1)) / 2


def _other_order(m0: Any, v0: Any, m1: Any, v1: Any, a: float) -> Any:
    mixed = a * v1 + (1 - a) * v0
    logs = np.log(mixed) - (1 - a) * np.log(v0) - a * np.log(v1)
    return a / 2 * (m0 - m1) ** 2 / mixed - logs / (2 * (a - 1))


#: by coordinates
QUANTITIES: dict[str, KL] = {
    "reverse": lambda m0, v0, m1, v1: _one_way(m1, v1, m0, v0),
    "cross_entropy": lambda m0, v0, m1, v1: (
        (np.log(2 * np.pi * v1) + ((m0 - m1) ** 2 + v0) / v1) / 2
    ),
    "jeffreys": lambda m0, v0, m1, v1: _one_way(m0, v0, m1, v1) + _one_way(m1, v1, m0, v0),
    "symmetric": lambda m0, v0, m1, v1: (_one_way(m0, v0, m1, v1) + _one_way(m1, v1, m0, v0)) / 2,
    "renyi": lambda *laws: _other_order(*laws, ORDER),
    "bhattacharyya": lambda *laws: _other_order(*laws, 0.5) / 2,
}


@dataclass(frozen=True)
class Setting:
    form: str
    parameterization: str
    against: str
    reduction: str
    framework: str
    dtype: str
    seed: int
    quantity: str = "kl"
    dims: str = "sum"
    units: str = "nats"

    @property
    def half(self) -> bool:
        return self.dtype in HALF

    @property
    def tolerance(self) -> float | None:
        """Half precision decides nothing without one; a sum over a batch blurs twice as much."""
        if not self.half:
            return None
        return HALF[self.dtype] * (1 if self.reduction == "none" else 2)

    @property
    def xp(self) -> Any:
        if self.framework == "jax":
            import jax.numpy

            return jax.numpy
        if self.framework == "torch":
            import torch

            return torch
        return np


def setting(rng: np.random.Generator) -> Setting:
    framework = str(rng.choice(["numpy", "torch", "jax"], p=[0.6, 0.37, 0.03]))
    form = str(rng.choice(["isotropic", "diagonal", "full"], p=[0.35, 0.5, 0.15]))
    types = ["float64", "float32"]
    if form != "full":  # there is no linear algebra in half precision
        types += {"numpy": ["float16"], "torch": ["bfloat16", "float16"], "jax": ["bfloat16"]}[
            framework
        ]
    if framework == "jax":
        types.remove("float64")  # jax's own default
    kinds = ["std", "variance", "logvar", "logstd", "precision"]
    kinds = ["covariance", "scale_tril", "precision"] if form == "full" else kinds
    found = Setting(
        form,
        str(rng.choice(kinds)),
        str(rng.choice(["pair", "standard"])),
        str(rng.choice(["none", "sum", "mean"], p=[0.6, 0.2, 0.2])),
        framework,
        str(rng.choice(types)),
        int(rng.integers(1000)),
        dims=str(rng.choice(["sum", "mean"], p=[0.8, 0.2])),
        units=str(rng.choice(["nats", "bits"], p=[0.8, 0.2])),
    )
    if found.half or form == "full" or rng.random() < 0.7:
        return found
    return replace(found, quantity=str(rng.choice(list(QUANTITIES))), against="pair")


def judged(s: Setting, rows: KL, shape: str) -> Any:
    """The check's verdict on ``rows``, reduced, and with the second law left out, as ``s`` says."""

    def kl(m0: Any, scale0: Any, *second: Any) -> Any:
        if not second:
            one = s.xp.ones_like(scale0)
            if s.form == "full":
                one = one * s.xp.eye(m0.shape[1], dtype=m0.dtype)
            elif s.parameterization.startswith("log"):
                one = 0 * one
            second = (0 * m0, one)
        value = rows(m0, scale0, *second)
        value = value / m0.shape[1] if s.dims == "mean" else value
        value = value / float(np.log(2)) if s.units == "bits" else value
        if s.reduction == "none":
            return value[:, None] if shape == "column" else value
        return value.sum() if s.reduction == "sum" else value.mean()

    with np.errstate(all="ignore"):
        return check_kl(
            kl,
            form=s.form,
            parameterization=s.parameterization,
            against=s.against,
            reduction=s.reduction,
            framework=s.framework,
            dtype=s.dtype,
            tolerance=s.tolerance,
            seed=s.seed,
            quantity=s.quantity,
            order=ORDER if s.quantity == "renyi" else None,
            dims=s.dims,
            units=s.units,
            given=ARGUMENTS[: 4 if s.against == "pair" else 2],
        )


def right(s: Setting, rng: np.random.Generator) -> KL:
    """The divergence of each law, written down at random."""
    if s.quantity != "kl":
        return _numpy(s, _reference(s))
    return _full(s, rng) if s.form == "full" else _entrywise(s, rng)


def _entrywise(s: Setting, rng: np.random.Generator) -> KL:
    xp, style = (
        s.xp,
        {k: int(rng.integers(4)) for k in ("square", "ratio", "log", "sum", "inside", "words")},
    )

    def scales(scale: Any) -> tuple[Any, Any, Any]:
        """Standard deviation, variance and log-variance, computed from the one that is passed."""
        if s.parameterization == "std":
            v = scale * scale if style["inside"] % 2 else scale**2
            return scale, v, 2 * xp.log(scale) if style["inside"] > 1 else xp.log(v)
        if s.parameterization == "variance":
            return xp.sqrt(scale), scale, xp.log(scale)
        if s.parameterization == "precision":
            return 1 / xp.sqrt(scale), 1 / scale, -xp.log(scale)
        if s.parameterization == "logstd":
            return xp.exp(scale), xp.exp(2 * scale), 2 * scale
        std = xp.exp(scale / 2)
        return std, std**2 if style["inside"] == 0 else xp.exp(scale), scale

    def kl(m0: Any, scale0: Any, m1: Any, scale1: Any) -> Any:
        (s0, v0, l0), (s1, v1, l1) = scales(scale0), scales(scale1)
        d = m0.shape[1]
        gap = (m1 - m0) ** 2 if style["square"] < 2 else (m0 - m1) * (m0 - m1)
        mean = [lambda: gap / v1, lambda: gap * xp.exp(-l1), lambda: ((m0 - m1) / s1) ** 2,
                lambda: gap / s1 / s1][style["square"]]()  # fmt: skip
        ratio = [lambda: v0 / v1, lambda: xp.exp(l0 - l1), lambda: (s0 / s1) ** 2,
                 lambda: v0 * (1 / v1)][style["ratio"]]()  # fmt: skip
        logs = [lambda: l1 - l0, lambda: -xp.log(ratio), lambda: 2 * xp.log(s1 / s0),
                lambda: xp.log(v1) - xp.log(v0)][style["log"]]()  # fmt: skip
        if style["words"] == 0 and not s.half:  # cross entropy less entropy
            c = float(np.log(2 * np.pi))
            return ((c + l1 + (v0 + gap) / v1) - (c + 1 + l0)).sum(1) / 2
        if style["words"] == 1:  # near equal laws without cancellation
            excess = (s0 - s1) * (s0 + s1) / v1
            return (mean + excess - xp.log1p(excess)).sum(1) / 2
        # isotropic scales are (n, 1) and stand for d coordinates
        each = d / logs.shape[1]
        if style["sum"] == 0:  # broadcast
            return 0.5 * (mean + ratio + logs - 1).sum(1)
        if style["sum"] == 1:
            inner = (ratio.sum(1) + logs.sum(1)) * each - d
            return (mean.sum(1) + inner) / 2
        if style["sum"] == 2 and not s.half:
            total = 0
            for j in range(d):
                k = min(j, logs.shape[1] - 1)
                total = total + (mean[:, j] + (ratio[:, k] - 1) + logs[:, k]) / 2
            return total
        return 0.5 * mean.sum(1) + (0.5 * (ratio - 1 + logs)).sum(1) * each

    return kl


def _full(s: Setting, rng: np.random.Generator) -> KL:
    xp, style = s.xp, {k: int(rng.integers(3)) for k in ("solve", "log", "order")}
    linalg = xp.linalg

    def log_det(c: Any) -> Any:
        if style["log"] == 0:
            return linalg.slogdet(c)[1]
        root = linalg.cholesky(c)
        diagonal = xp.diagonal(root, 0, 1, 2)
        return 2 * xp.log(diagonal).sum(1) if style["log"] == 1 else xp.log(diagonal**2).sum(1)

    def kl(m0: Any, c0: Any, m1: Any, c1: Any) -> Any:
        gap, d = m1 - m0, m0.shape[1]
        if s.parameterization == "scale_tril":
            c0, c1 = (xp.einsum("nij,nkj->nik", c, c) for c in (c0, c1))
        elif s.parameterization == "precision":
            c0, c1 = linalg.inv(c0), linalg.inv(c1)
        if style["solve"] == 0:
            inverse = linalg.inv(c1)
            trace = (
                (inverse * c0).sum((1, 2))
                if style["order"]
                else xp.einsum("nij,nji->n", inverse, c0)
            )
            mean = xp.einsum("ni,nij,nj->n", gap, inverse, gap)
        elif style["solve"] == 1:
            trace = xp.einsum("nii->n", linalg.solve(c1, c0))
            mean = (gap * linalg.solve(c1, gap[:, :, None])[:, :, 0]).sum(1)
        else:
            root = linalg.cholesky(c1)
            trace = (linalg.solve(root, linalg.cholesky(c0)) ** 2).sum((1, 2))
            mean = (linalg.solve(root, gap[:, :, None]) ** 2).sum((1, 2))
        logs = log_det(c1) - log_det(c0)
        return (
            (mean + trace - d + logs) / 2
            if style["order"]
            else 0.5 * (mean + (trace - d)) + 0.5 * logs
        )

    return kl


def _numpy(s: Setting, function: KL) -> KL:
    """A function of float64 NumPy arrays in the setting's framework and type."""

    def kl(*laws: Any) -> Any:
        if s.framework == "torch":
            return s.xp.asarray(function(*(a.double().numpy() for a in laws))).to(laws[0].dtype)
        return s.xp.asarray(function(*(np.asarray(a, float) for a in laws))).astype(laws[0].dtype)

    return kl


def _variances(s: Setting, scale: np.ndarray) -> np.ndarray:
    """``(n, 1 or d)``; of covariances the diagonal."""
    if s.form == "full":
        return np.diagonal(_covariances(s, scale), axis1=1, axis2=2)
    return {
        "std": np.square,
        "variance": np.asarray,
        "logvar": np.exp,
        "logstd": lambda x: np.exp(2 * x),
        "precision": lambda x: 1 / x,
    }[s.parameterization](scale)


def _covariances(s: Setting, scale: np.ndarray) -> np.ndarray:
    if s.parameterization == "scale_tril":
        return scale @ np.swapaxes(scale, 1, 2)
    return np.linalg.inv(scale) if s.parameterization == "precision" else scale


def _fault(s: Setting, rng: np.random.Generator) -> tuple[str, KL]:
    """One of the claim's faults, or a pair, as a function of batches."""
    names = of_form(s.form)
    while True:
        chosen = tuple(rng.choice(names, int(rng.integers(1, 3)), replace=False))
        subject = compose(chosen)
        if subject is not None:
            break

    def kl(m0: Any, scale0: Any, m1: Any, scale1: Any) -> Any:
        rows = []
        if s.form == "full":
            scale0, scale1 = _covariances(s, scale0), _covariances(s, scale1)
        for a, b, c, e in zip(m0, scale0, m1, scale1, strict=True):
            if s.form != "full":
                v0, v1 = _variances(s, b[None])[0], _variances(s, e[None])[0]
                native = (lambda v: np.sqrt(v[0])) if s.form == "isotropic" else np.log
                b, e = native(v0), native(v1)
            rows.append(float(getattr(subject, s.form)(a, b, c, e)))
        return np.array(rows)

    return " + ".join(chosen), kl


def wrong(s: Setting, rng: np.random.Generator, amount: float) -> tuple[str, KL]:
    """Wrong by at least ``amount`` of the divergence, where it is wrong."""
    exact = _reference(s)
    kinds = ["factor", "fault", "floor", "ceiling", "dimension", "zero", "constant"]
    if s.reduction == "none":
        kinds += ["window"] * 4 + ["one row", "equal"]
    if s.quantity != "kl":
        kinds = ["factor", "dimension", "zero"] + (
            ["window", "one row"] if s.reduction == "none" else []
        )
    elif s.form != "full":
        kinds += ["coordinate", "free bits"] + ([] if s.half else ["epsilon", "clamp"])
    kind = str(rng.choice(kinds))
    sign = float(rng.choice([-1, 1]))

    def times(factor: Callable[..., Any]) -> KL:
        return _numpy(s, lambda *a: exact(*a) * factor(*a))

    if kind == "factor":
        return kind, times(lambda *a: 1 + sign * amount)
    if kind == "fault":
        name, faulty = _fault(s, rng)
        part = 1.0 if s.half or rng.random() < 0.5 else min(1.0, 3 * amount)
        return f"{part:.2g} of {name}", _numpy(
            s, lambda *a: exact(*a) + part * (faulty(*a) - exact(*a))
        )
    if kind in ("floor", "free bits", "constant"):
        c = float(np.exp(rng.uniform(np.log(1e-8 if s.dtype == "float64" else 3e-3), 0)))
        c = float(rng.uniform(1.5, 3)) if s.dtype == "bfloat16" else c if not s.half else 0.5
        if kind == "constant":
            return f"{c:.2g} added", _numpy(s, lambda *a: exact(*a) + c)
        if kind == "floor":
            return f"floor {c:.2g}", _numpy(s, lambda *a: np.maximum(exact(*a), c))
        return f"free bits {c:.2g}", _numpy(s, lambda *a: np.maximum(_coordinates(s, *a), c).sum(1))
    if kind == "ceiling":
        c = float(np.exp(rng.uniform(0, np.log(8 if s.half else 3000))))
        return f"ceiling {c:.3g}", _numpy(s, lambda *a: np.minimum(exact(*a), c))
    if kind == "dimension":
        least = int(rng.choice([2, 3, 4, 8, 32, 64] if not s.half else [2, 3, 4]))
        above = bool(rng.integers(2))
        return f"d {'>=' if above else '<'} {least}", times(
            lambda m0, *a: 1 + sign * amount * ((m0.shape[1] >= least) == above)
        )
    if kind == "zero":
        return kind, times(lambda *a: 0.0)
    if kind == "one row":
        one = bool(rng.integers(2))
        return "n = 1" if one else "last row", times(
            lambda m0, *a: (
                1 + sign * amount * (np.arange(len(m0)) == len(m0) - 1) * (len(m0) == 1 or not one)
            )
        )
    if kind == "equal":
        means = bool(rng.integers(2)) or s.against == "standard"

        def equal(m0: Any, b: Any, m1: Any, e: Any) -> Any:
            if means:
                return 1 + sign * amount * (m0 == m1).all(1)
            return 1 + sign * amount * (b == e).reshape(len(b), -1).all(1)

        return f"{'means' if means else 'variances'} equal", times(equal)
    if kind == "coordinate":
        j = int(rng.integers(7 if not s.half else 3))
        c = amount * (1 if s.reduction == "none" else 20)

        def one(*laws: Any) -> Any:
            each = _coordinates(s, *laws)
            return each.sum(1) + sign * c * each[:, j : j + 1].sum(1)

        return f"coordinate {j}", _numpy(s, one)
    if kind == "epsilon":
        c = float(np.exp(rng.uniform(np.log(1e-9 if s.dtype == "float64" else 1e-4), np.log(1e-2))))
        return f"scale + {c:.2g} in the logarithm", _numpy(
            s, lambda *a: exact(*a) + _log_shift(s, c, *a)
        )
    if kind == "clamp":
        low = bool(rng.integers(2))
        at = float(np.exp(rng.uniform(-9.5, 0) if low else rng.uniform(0, 6)))
        return f"variances clamped at {at:.2g}", _numpy(s, lambda *a: _clamped(s, at, low, *a))
    region, inside = _region(s, rng)
    return region, times(lambda *a: 1 + sign * amount * inside(*a))


def _region(s: Setting, rng: np.random.Generator) -> tuple[str, KL]:
    """A window of laws that a random law is in with a chance of a tenth or more."""
    which = str(rng.choice(["mean", "distance", "ratio", "divergence"]))
    if which == "mean":
        j, at = 0, float(rng.uniform(-0.8, 0.8))
        return f"mean {j} > {at:.2g}", lambda m0, *a: m0[:, j] > at
    if which == "distance":
        at, above = float(rng.uniform(0.7, 1.5)), bool(rng.integers(2))

        def distance(m0: Any, b: Any, m1: Any, e: Any) -> Any:
            return (np.sqrt(np.mean((m0 - m1) ** 2, axis=1)) > at) == above

        return f"distance {'>' if above else '<'} {at:.2g}", distance
    if which == "ratio":
        low = float(rng.uniform(-1.5, 0.3)) if not s.half else -1.0
        width = 2.0 if s.half else float(rng.uniform(0.7, 2))

        def ratio(m0: Any, b: Any, m1: Any, e: Any) -> Any:
            r = np.mean(np.log(_variances(s, b) / _variances(s, e)), axis=1)
            return (r > low) & (r < low + width)

        return f"log ratio in {low:.2g} … {low + width:.2g}", ratio
    exact, low = _reference(s), float(np.exp(rng.uniform(0.7 if s.half else -1, 1.5)))
    return (
        f"divergence in {low:.2g} … {4 * low:.2g}",
        lambda *a: (exact(*a) > low) & (exact(*a) < 4 * low),
    )


def _coordinates(s: Setting, m0: Any, b: Any, m1: Any, e: Any) -> np.ndarray:
    v0, v1 = (np.broadcast_to(_variances(s, x), m0.shape) for x in (b, e))
    return ((m1 - m0) ** 2 / v1 + (v0 - v1) / v1 - np.log1p((v0 - v1) / v1)) / 2


def _log_shift(s: Setting, c: float, m0: Any, b: Any, m1: Any, e: Any) -> np.ndarray:
    v0, v1 = (np.broadcast_to(_variances(s, x), m0.shape) for x in (b, e))
    second = 0 * v1 if s.against == "standard" else np.log1p(c / np.sqrt(v1))
    return (second - np.log1p(c / np.sqrt(v0))).sum(1)


def _clamped(s: Setting, at: float, low: bool, m0: Any, b: Any, m1: Any, e: Any) -> np.ndarray:
    clamp = np.maximum if low else np.minimum
    v0, v1 = (clamp(np.broadcast_to(_variances(s, x), m0.shape), at) for x in (b, e))
    return ((m1 - m0) ** 2 / v1 + (v0 - v1) / v1 - np.log1p((v0 - v1) / v1)).sum(1) / 2


def _reference(s: Setting) -> KL:
    """The divergence in float64, for wrong ones to depart from."""
    if s.quantity != "kl":

        def other(m0: Any, b: Any, m1: Any, e: Any) -> Any:
            v0, v1 = (np.broadcast_to(_variances(s, x), m0.shape) for x in (b, e))
            return QUANTITIES[s.quantity](m0, v0, m1, v1).sum(1)

        return other
    if s.form != "full":
        return lambda *a: _coordinates(s, *a).sum(1)

    def full(m0: Any, c0: Any, m1: Any, c1: Any) -> Any:
        c0, c1 = _covariances(s, c0), _covariances(s, c1)
        gap = m1 - m0
        mean = np.einsum("ni,ni->n", gap, np.linalg.solve(c1, gap[:, :, None])[:, :, 0])
        trace = np.einsum("nii->n", np.linalg.solve(c1, c0)) - m0.shape[1]
        return (mean + trace + np.linalg.slogdet(c1)[1] - np.linalg.slogdet(c0)[1]) / 2

    return full


def case(rng: np.random.Generator) -> Case:
    s = setting(rng)
    shape = str(rng.choice(["row", "column"]))
    subject = right(s, rng)
    seed = int(rng.integers(2**32))

    def worse(amount: float) -> tuple[str, Any]:
        name, rows = wrong(s, np.random.default_rng(seed), amount)
        return name, judged(s, rows, shape)

    words = f"{s.form}, {s.parameterization}, {s.against}, {s.reduction}, {s.framework} {s.dtype}"
    words += f", {s.quantity}" if s.quantity != "kl" else ""
    return Case(words, lambda: judged(s, subject, shape), worse)
