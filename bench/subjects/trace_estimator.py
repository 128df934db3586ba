"""Random right and wrong trace estimators: ν given or drawn, all frameworks and types, D to 256."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof import check_trace_estimator

from . import Case

__all__ = ["case"]

Terms = Callable[..., Any]  # (f, z, nu) -> the D terms ν_k (J ν)_k of each row, (n, D)


def _numpy_terms(rng: np.random.Generator, dtype: str) -> Terms:
    step = 10.0 ** -rng.integers(15, 30)
    wide = rng.random() < 0.3 or dtype == "float16"

    def terms(f: Any, z: Any, nu: Any) -> Any:
        kind = np.complex128 if wide or z.dtype == np.float64 else np.complex64
        moved = z.astype(kind) + np.asarray(1j * step, kind) * nu
        return (nu * (np.imag(f(moved)) / z.dtype.type(1) / step)).astype(z.dtype)

    return terms


def _torch_terms(rng: np.random.Generator) -> Terms:
    import torch

    def forward(f: Any, z: Any, nu: Any) -> Any:
        return nu * torch.func.jvp(f, (z,), (nu,))[1]

    def reverse(f: Any, z: Any, nu: Any) -> Any:
        with torch.enable_grad():
            y = z.clone().requires_grad_(True)
            return torch.autograd.grad(f(y), y, nu)[0] * nu

    def pulled(f: Any, z: Any, nu: Any) -> Any:
        return torch.func.vjp(f, z)[1](nu)[0] * nu

    return (forward, reverse, pulled)[rng.integers(3)]


def _jax_terms(rng: np.random.Generator) -> Terms:
    import jax

    return lambda f, z, nu: nu * jax.jvp(f, (z,), (nu,))[1]


def _axis(z: Any, k: int) -> Any:
    """e_k for every row, in z's own arithmetic."""
    axis = np.zeros(tuple(z.shape))
    axis[:, k] = 1.0
    if isinstance(z, np.ndarray):
        return axis.astype(z.dtype)
    import torch

    return torch.tensor(axis, dtype=z.dtype)


def _forms(rng: np.random.Generator, terms: Terms, d: int, plain: bool) -> dict[str, Any]:
    """Right estimators at a given ν, as functions of (f, z, nu)."""
    forms = {
        "sum": lambda f, z, nu: terms(f, z, nu).sum(1),
        "sum, reversed": lambda f, z, nu: terms(f, z[..., :], nu)[
            :, np.arange(z.shape[1])[::-1].copy()
        ].sum(1),
    }
    if plain and d <= 24:
        forms["exact"] = lambda f, z, nu: sum(
            terms(f, z, _axis(z, k))[:, k] for k in range(z.shape[1])
        )
    if plain and d <= 12:
        c = float(rng.uniform(-2, 2))
        forms["diagonal only"] = lambda f, z, nu: sum(
            nu[:, k] ** 2 * terms(f, z, _axis(z, k))[:, k] for k in range(z.shape[1])
        )
        forms["control variate"] = lambda f, z, nu: (
            terms(f, z, nu).sum(1) + c * (z.shape[1] - (nu**2).sum(1))
        )
    if plain and d <= 64 and rng.random() < 0.5:
        forms["sketched"] = _sketched(terms, np.random.default_rng(rng.integers(2**32)))
    if plain:
        forms["row by row"] = lambda f, z, nu: np.concatenate(
            [np.asarray(terms(f, z[i : i + 1], nu[i : i + 1])).sum(1) for i in range(len(z))]
        )
    return forms


def _sketched(terms: Terms, draws: np.random.Generator) -> Any:
    """Hutch++ with one direction of its own: exact along q, Hutchinson's across it."""

    def estimator(f: Any, z: Any, nu: Any) -> Any:
        q = draws.standard_normal(z.shape).astype(z.dtype)
        q = q / np.linalg.norm(q, axis=1, keepdims=True)
        across = nu - (nu * q).sum(1)[:, None] * q
        return terms(f, z, q).sum(1) + terms(f, z, across).sum(1)

    return estimator


def _differences(rng: np.random.Generator) -> Any:
    h = 10.0 ** rng.uniform(-5, -3.5)
    return lambda f, z, nu: ((f(z + h * nu) - f(z - h * nu)) * nu).sum(1) / (2 * h)


def _wrong(
    rng: np.random.Generator, terms: Terms, a: float, d: int, accepted: float
) -> tuple[str, Any]:
    """A wrong estimator at a given ν, off by ``a`` or by far more than is ``accepted``."""
    k = int(rng.integers(d))
    sign, draws = float(rng.choice([-1, 1])), np.random.default_rng(rng.integers(2**32))
    right = lambda f, z, nu: terms(f, z, nu).sum(1)  # noqa: E731

    def where(z: Any, inside: Any) -> Any:
        """1 + a where ``inside``, 1 elsewhere, in the arithmetic at hand."""
        return 1 + sign * a * (inside + 0 * z[:, 0])

    options: dict[str, Any] = {
        "factor": lambda f, z, nu: right(f, z, nu) * (1 + sign * a),
        "a coordinate": lambda f, z, nu: right(f, z, nu) + sign * a * terms(f, z, nu)[:, k],
        "coordinates from k on": lambda f, z, nu: (
            right(f, z, nu) + sign * a * terms(f, z, nu)[:, k:].sum(1)
        ),
        "where z_0 > 0": lambda f, z, nu: right(f, z, nu) * where(z, z[:, 0] > 0),
        "where ν_0 < 0": lambda f, z, nu: right(f, z, nu) * where(z, nu[:, 0] < 0),
        "the last row": lambda f, z, nu: right(f, z, nu) * where(z, _last(z)),
        "batches of one": lambda f, z, nu: right(f, z, nu) * (1 + sign * a * (len(z) == 1)),
        "batches of many": lambda f, z, nu: right(f, z, nu) * (1 + sign * a * (len(z) > 3)),
        "length of ν": lambda f, z, nu: right(f, z, nu) * (1 + a * ((nu**2).mean(1) - 1)),
        "one ν for all rows": lambda f, z, nu: right(f, z, nu[:1] + 0 * nu),
        "ν of the next row": lambda f, z, nu: right(
            f, z, nu[np.roll(np.arange(len(nu)), -1)] if len(nu) > 1 else nu
        ),
        "z of the next row": lambda f, z, nu: right(
            f, z[np.roll(np.arange(len(z)), -1)] if len(z) > 1 else z, nu
        ),
        "mean over the rows": lambda f, z, nu: right(f, z, nu).mean() + 0 * z[:, 0],
        "mean over coordinates": lambda f, z, nu: terms(f, z, nu).sum(1) / z.shape[1],
        "zero": lambda f, z, nu: 0 * z[:, 0],
        "no ν at all": lambda f, z, nu: terms(f, z, 0 * nu + 1).sum(1),
        "minus": lambda f, z, nu: -right(f, z, nu),
        "a ν of its own": lambda f, z, nu: (
            right(f, z, draws.standard_normal(nu.shape).astype(nu.dtype))
            if isinstance(nu, np.ndarray)
            else -right(f, z, nu)
        ),
        "a fixed ν": lambda f, z, nu: right(f, z, (nu > -100) * 1 + 0 * nu),
    }
    if accepted >= 0.1:  # a field that is nearly diagonal makes less of it
        del options["no ν at all"]
    name = str(rng.choice(list(options)))
    return name, options[name]


def _last(z: Any) -> Any:
    inside = np.arange(len(z)) == len(z) - 1
    if isinstance(z, np.ndarray):
        return inside
    if type(z).__module__.startswith("torch"):
        import torch

        return torch.tensor(inside)
    return inside


def _law(rng: np.random.Generator, law: str, shape: tuple[int, ...]) -> np.ndarray:
    if law == "signs":
        return rng.choice([-1.0, 1.0], shape)
    if law == "uniform":
        return rng.uniform(-(3**0.5), 3**0.5, shape)
    nu = rng.standard_normal(shape)
    if law == "sphere":
        nu *= (shape[1] ** 0.5) / np.linalg.norm(nu, axis=1, keepdims=True)
    return nu


def _own(rng: np.random.Generator, options: dict[str, Any], d: int) -> Case:
    """An estimator that draws its own ν."""
    law = str(rng.choice(["signs", "Gaussian", "uniform", "sphere"]))
    terms = _numpy_terms(rng, "float64")
    copies = int(rng.choice([1, 1, 3]))
    draws = np.random.default_rng(rng.integers(2**32))

    def one(f: Any, z: Any) -> Any:
        return terms(f, z, _law(draws, law, z.shape)).sum(1)

    def right(f: Any, z: Any) -> Any:
        return sum(one(f, z) for _ in range(copies)) / copies

    def wrong(a: float) -> tuple[str, Any]:
        sign = float(rng.choice([-1, 1]))
        size = float(min(a, 0.9))
        half = max(1, int(np.ceil(min(1.0, 2 * a) * d)))
        mistakes: dict[str, Any] = {
            "factor": lambda f, z: right(f, z) * (1 + sign * size),
            "half space": lambda f, z: right(f, z) * (1 + 2 * sign * size * (z[:, 0] > 0)),
            "ν uniform on [-1, 1]": lambda f, z: terms(f, z, draws.uniform(-1, 1, z.shape)).sum(1),
            "mean over coordinates": lambda f, z: right(f, z) / z.shape[1],
            "a fixed ν": lambda f, z: terms(f, z, _law(np.random.default_rng(7), law, z.shape)).sum(
                1
            ),
            "coordinates missing": lambda f, z: terms(f, z, _law(draws, law, z.shape))[
                :, half:
            ].sum(1),
            "one ν for all rows": lambda f, z: (
                terms(f, z, _law(draws, law, (1, z.shape[1])) + 0 * z).sum(1) * (1 + sign * size)
            ),
        }
        name = str(rng.choice(list(mistakes)))
        if name == "a fixed ν" and law == "signs" and d < 4:
            name = "factor"
        return name, check_trace_estimator(mistakes[name], **options)

    return Case(
        f"own ν, {law}, {copies} draws, D = {d}",
        lambda: check_trace_estimator(right, **options),
        wrong,
    )


def _field(rng: np.random.Generator, framework: str, d: int) -> Any:
    """A network, or a rotation with friction, as a user's own field."""
    w, v = rng.standard_normal((2, d, d)) / d**0.5
    a = rng.standard_normal((d, d)) * 0.5
    friction = rng.uniform(0.5, 1.5)
    if framework == "torch":
        import torch

        w, v, a = (torch.tensor(m) for m in (w, v, a))
        return lambda z: torch.tanh(z @ w) @ v + friction * z + z @ (a - a.T)
    return lambda z: np.tanh(z @ w) @ v + friction * z + z @ (a - a.T)


def case(rng: np.random.Generator) -> Case:
    """A setting, its right estimator and its wrong ones."""
    d = int(np.exp(rng.uniform(np.log(2), np.log(257))))
    options: dict[str, Any] = {"seed": int(rng.integers(1000)), "dimension": d}
    if rng.random() < 0.15:
        options["dimension"], d = None, 4
    if rng.random() < 0.2:
        return _own(rng, options, d)
    framework = str(rng.choice(["numpy", "torch", "jax"], p=[0.7, 0.27, 0.03]))
    if framework == "jax":
        d = options["dimension"] = 8  # every shape is compiled anew
    dtype = str(rng.choice(["float64", "float32", "float16", "bfloat16"], p=[0.5, 0.3, 0.1, 0.1]))
    if framework == "jax" and dtype == "float64":
        dtype = "float32"  # what jax makes of it
    if framework == "numpy" and dtype == "bfloat16":
        dtype = "float32"
    options |= {"framework": framework, "dtype": dtype}
    if dtype == "bfloat16":
        options["tolerance"] = float(rng.choice([0.05, 0.1, 0.2]))
    terms = {
        "numpy": lambda: _numpy_terms(rng, dtype),
        "torch": lambda: _torch_terms(rng),
        "jax": lambda: _jax_terms(rng),
    }[framework]()
    forms = _forms(rng, terms, d, framework == "numpy" and dtype != "float16")
    name = str(rng.choice(list(forms)))
    right = forms[name]
    if framework == "numpy" and dtype == "float64" and rng.random() < 0.15:
        name, right = "differences", _differences(rng)
        options["tolerance"] = 0.01
    elif framework == "numpy" and rng.random() < 0.1:
        options["points"] = rng.standard_normal((int(rng.integers(1, 6)), d)) * rng.uniform(0.3, 2)
        if dtype == "float16":
            options["tolerance"] = 0.2
    elif framework != "jax" and dtype == "float64" and rng.random() < 0.2:
        options["field"] = _field(rng, framework, d)

    def wrong(a: float) -> tuple[str, Any]:
        fault, estimator = _wrong(rng, terms, a, d, float(options.get("tolerance", 0.0)))
        return fault, check_trace_estimator(estimator, **options)

    return Case(
        f"{framework}, {dtype}, D = {options['dimension'] or '4 and 5'}, {name}"
        + (", own points" if "points" in options else "")
        + (", own field" if "field" in options else ""),
        lambda: check_trace_estimator(right, **options),
        wrong,
    )
