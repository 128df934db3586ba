"""Tables as they are found, in an argument or in an object, and what the others are judged by.

Conventions: a table keeps the name it was found under; ``named`` says which of `TABLES` it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy, unit_roundoff
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.public.schedule.rounding import SINGLE, in_single
from scoreproof.public.schedule.tables import ALIASES, LISTS, TABLES, Base, named

__all__ = ["READERS", "Read", "base_of", "finite", "member", "read"]

#: values and the unit roundoff of the type they have been computed in
Read = tuple[np.ndarray, float]
DOUBLE = float(np.finfo(float).eps)
#: an ᾱ that ends at 0 is often kept from it by one of this size
FLOOR = 1e-6


def member(holder: Any, name: str) -> Any:
    """An entry or attribute, ``None`` if there is none."""
    if holder is None:
        return None
    if isinstance(holder, Mapping):
        return holder.get(name)
    try:
        return getattr(holder, name, None)
    except Exception as error:  # a table that is made when it is first asked for
        raise ArgumentError(
            "schedule",
            f"an object whose {name} can be read",
            f"{type(error).__name__}: {error}",
            "make its tables first (set_timesteps, say), or pass them one by one",
        ) from error


def read(holder: Any, given: Mapping[str, Any]) -> dict[str, Read]:
    """All tables that are there, by the names they have there."""
    unknown = [n for n in given if named(n) not in (*TABLES, *LISTS)]
    if unknown:
        raise ArgumentError(
            unknown[0],
            f"a table of a schedule: {', '.join((*TABLES, *LISTS))}",
            repr(unknown[0]),
            "rename it to what it is",
        )
    found: dict[str, Read] = {}
    for name in (*TABLES, *ALIASES, *LISTS):
        asked = given.get(name) is not None
        value = given[name] if asked else member(holder, name)
        table = _table(name, value, asked) if value is not None else None
        if table is not None:
            found[name] = (table, _eps(value, table))
    return found


def finite(name: str, values: np.ndarray) -> np.ndarray:
    """``values``, or an ``ArgumentError`` that says which entry is not a number."""
    if not np.all(np.isfinite(values)):
        k = int(np.argmin(np.isfinite(values)))
        raise ArgumentError(
            name,
            "finite",
            f"{name}[{k}] = {values[k]:g}",
            "all else follows from this table; mend the entry",
        )
    return values


def _table(name: str, value: Any, asked: bool) -> np.ndarray | None:
    """As ``(T,)``, from ``(T, 1, 1, 1)`` too; what an object has under that name may be none."""
    raw = None if callable(value) else _numbers(value)
    if raw is None:
        if not asked:
            return None
        raise ArgumentError(
            name,
            "an array of real numbers",
            type(value).__name__,
            "convert it with numpy.asarray first",
        )
    if raw.ndim > 1 and raw.size == max(raw.shape):
        raw = raw.reshape(-1)
    if raw.ndim == 1:
        return np.asarray(raw, dtype=float)
    if asked:
        raise ArgumentError(
            name, "of shape (n,)", f"shape {raw.shape}", "a table has one entry a timestep"
        )
    return None


def _numbers(value: Any) -> np.ndarray | None:
    try:
        raw = as_numpy(value)
    except Exception:
        return None
    return raw if raw.dtype.kind in "fiu" else None


def _eps(value: Any, table: np.ndarray) -> float:
    eps = max(unit_roundoff(value) if hasattr(value, "dtype") else 0.0, DOUBLE)
    # a list, or a table that was computed in single precision and then converted
    return max(eps, SINGLE) if in_single(table) else eps


#: how ᾱ is read from a table that tells it
READERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "alphas_cumprod": lambda v: v,
    "alphas": np.cumprod,
    "sqrt_alphas_cumprod": lambda v: v**2,
    "alpha_t": lambda v: v**2,
    "log_snr": lambda v: 1 / (1 + np.exp(-v)),
    "lambda_t": lambda v: 1 / (1 + np.exp(-2 * v)),
    "snr": lambda v: v / (1 + v),
    "train_sigmas": lambda v: 1 / (1 + v**2),
    "sqrt_recipm1_alphas_cumprod": lambda v: 1 / (1 + v**2),
    "sqrt_recip_alphas_cumprod": lambda v: v**-2,
    "sqrt_one_minus_alphas_cumprod": lambda v: 1 - v**2,
    "sigma_t": lambda v: 1 - v**2,
    "log_one_minus_alphas_cumprod": lambda v: -np.expm1(v),
}


def base_of(found: Mapping[str, Read]) -> tuple[Base | None, str]:
    """β and ᾱ, from the first table that tells them; that one needs no judgement. They are as
    precise as the least precise of the tables that others are made of.
    """
    made_of = ("alphas", "alphas_cumprod")
    coarse = max([eps for name, (_, eps) in found.items() if named(name) in made_of], default=0.0)
    for name, (values, eps) in found.items():
        if named(name) == "betas":
            betas = DiscreteVP(finite(name, values)).betas
            return _floored(
                Base(betas, np.cumprod(1 - betas), max(eps, coarse), of_betas=True), found
            ), name
    for reader, bar_of in READERS.items():
        for name, (values, eps) in found.items():
            if named(name) != reader:
                continue
            with np.errstate(all="ignore"):
                bar = bar_of(finite(name, values))
            try:
                betas = DiscreteVP.of_alphas_cumprod(bar).betas
                return Base(betas, bar, max(eps, coarse)), name
            except ArgumentError as error:
                if reader == "alphas_cumprod":
                    raise ArgumentError(name, error.expected, error.got, error.remedy) from None
                if reader == "alphas":
                    error.remedy = "alphas are 1 - β; pass ᾱ as alphas_cumprod="
                raise ArgumentError(
                    name, f"so that its ᾱ is {error.expected}", error.got, error.remedy
                ) from None
    return None, ""


def _floored(base: Base, found: Mapping[str, Read]) -> Base:
    """An ᾱ that is 0 at the end of β, and in its own table is a small number instead: the other
    tables are made of that.
    """
    last = [v[-1] for n, (v, _) in found.items() if named(n) == "alphas_cumprod" and len(v)]
    if base.bar[-1] > 0 or not last or not 0 < last[0] <= FLOOR:
        return base
    return replace(base, bar=np.append(base.bar[:-1], last[0]), floored=True)
