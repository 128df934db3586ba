"""How a network of x and t is called: the shape in which it takes time, the order of what it takes,
and the column that it returns.

Conventions: as in `statement`; inside of the check every function is ``f(x, t)`` of rows x ``(n,
d)`` and one time t, and returns ``(n,)`` (a score ``(n, d)``). What is found here is a `Guarded`
that is so.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded, as_numpy, remedy_for
from scoreproof.interop.frameworks import guarded
from scoreproof.interop.signatures import fits
from scoreproof.interop.widened import widened
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.calls import ways
from scoreproof.public.fokker_planck.general.given import Given
from scoreproof.public.fokker_planck.order import in_order, told

__all__ = ["Asked", "as_called", "beside", "as_networks", "coefficients", "held", "spoken"]

#: rows of the first trial; no usual dimension
ROWS = 7
IN_DOUBLE = (
    "Judged in double precision: a copy of the network with the same weights, so that the rounding"
    " of its float32 is not in the derivatives."
)


@dataclass(frozen=True, eq=False)
class Asked:
    """A network behind the guard; ``how`` it is called, in words; ``joined``: of one array, in an
    order that its shapes do not tell; ``wide``: a copy in double precision.
    """

    guard: Guarded
    how: str
    joined: bool = False
    wide: bool = False


def spoken(function: Any, framework: str) -> str:
    """The framework, also where only the object itself says it: a PyTorch or an Equinox module."""
    if framework != "numpy":
        return framework
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    if torch is not None and isinstance(function, torch.nn.Module):
        return "torch"
    if jax is not None and any(c.__module__.startswith("equinox.") for c in type(function).__mro__):
        return "jax"
    return framework


def as_called(
    function: Any,
    name: str,
    how: tuple[str, Any, str | None],
    where: tuple[int, float],
    *,
    rows: bool = False,
) -> Asked:
    """``function`` behind a guard of one convention.

    Parameters
    ----------
    function: what the caller gave as ``name``.
    how: framework, dtype and ``inputs``: the order in which x and t go in, if he says it.
    where: the dimension, and a time at which it may be asked.
    rows: it returns a row for each row (a score), not a number.

    What takes ``(x, t)`` with one t and returns the right shape is taken as it is; else t is given
    as ``(n,)``, as ``(n, 1)``, or as a last column of x, and last point by point (``jax.vmap``).
    """
    framework, dtype, inputs = how
    plain = guarded(function if inputs else in_order(function), name, framework, dtype)
    if plain.framework == "numpy" and inputs is None and fits(plain.function, 2):
        return Asked(plain, "(x, t)")
    wide = widened(function) if plain.framework == "torch" and dtype is None else None
    first, tried = inputs or told(function) or "xt", dict[str, list[str]]()
    for candidate, wider in ((wide, True), (function, False)):
        if candidate is None:
            continue
        guard = guarded(candidate, name, framework, dtype)
        for words, call, joined in ways(candidate, guard.framework, first, rows):
            if _answers(call, guard, where, rows, tried.setdefault(words, [])):
                asked = guarded(_column(call, rows), name, guard.framework, dtype or _type(guard))
                open_ = joined and inputs is None
                return Asked(_counted(asked, guard), words, open_, wider)
    if fits(plain.function, 2) and inputs is None and not _module(function):
        return Asked(plain, "(x, t)")  # what is wrong with it is said where it is asked
    gave = "; ".join(f"as {words} it gave {why[-1]}" for words, why in tried.items() if why)
    wanted = f"({ROWS}, {where[0]})" if rows else f"({ROWS},) or ({ROWS}, 1)"
    raise CallableError(
        name,
        f"take {ROWS} rows x of dimension {where[0]} and a time, and return shape {wanted}",
        gave or "it takes neither one array nor two",
        remedy_for(TypeError(gave), "wrap it: lambda x, t: …, with x (n, d) and one t", plain.eps),
    )


def either(function: Any, name: str, framework: str, call: tuple[Any, ...]) -> Guarded:
    """A function of which only the other says what it is written in: in that, or in NumPy."""
    guard = guarded(function, name, framework)
    try:
        result = guard.raw(*call)
    except CallableError:
        return guarded(function, name)
    return guarded(function, name) if isinstance(result, np.ndarray) else guard


def as_networks(a: Given, inputs: str | None, place: Place) -> tuple[Given, Asked]:
    """``a`` with each function asked as it is called, and the density's own way, or the score's."""
    how = (spoken(a.score if a.law is None else a.law, a.framework), a.dtype, inputs)
    where = (place.dimension, float(place.own[0]))
    name = "log_density" if a.is_log else "density"
    law = None if a.law is None else as_called(a.law, name, how, where)
    score = None if a.score is None else as_called(a.score, "score", how, where, rows=True)
    net = score if law is None else law
    assert net is not None
    drift, diffusion = beside(
        (a.drift, a.diffusion), net, (a.framework, a.dtype, a.of_state, inputs), place
    )
    return replace(
        a,
        drift=drift,
        diffusion=diffusion,
        law=None if law is None else law.guard,
        score=None if score is None else score.guard,
        framework=net.guard.framework,
    ), net


def beside(
    functions: tuple[Any, Any],
    net: Asked,
    how: tuple[Any, Any, bool, str | None],
    place: Place,
) -> tuple[Any, Any]:
    """Drift and diffusion that go with a network: written in its framework, or in NumPy's where
    only the network itself says which one that is.
    """
    framework, dtype, of_state, inputs = how
    where = (place.dimension, float(place.own[0]))
    drift, diffusion = coefficients(functions, (framework, dtype, inputs), where, of_state)
    spoken_in = net.guard.framework
    if spoken_in == "numpy" or framework != "numpy":
        return drift, diffusion
    call = _trial(where, of_state)
    if not isinstance(drift, Guarded):
        drift = either(drift, "drift", spoken_in, _trial(where, True))
    return drift, either(diffusion, "diffusion", spoken_in, call)


def coefficients(
    functions: tuple[Any, Any],
    how: tuple[str, Any, str | None],
    where: tuple[int, float],
    of_state: bool,
) -> tuple[Any, Any]:
    """Drift and diffusion, where they are networks as they are called, and in double precision.

    Parameters
    ----------
    how, where: as in `as_called`; ``inputs`` where the drift's own names do not tell.
    of_state: the diffusion takes (x, t).
    """
    (drift, diffusion), (framework, dtype, inputs) = functions, how
    language = spoken(drift, framework)
    plain = fits(drift, 2) and not _module(drift)
    if not (plain and (language == "numpy" or widened(drift) is None)):
        how = (language, dtype, told(drift) or inputs)
        drift = as_called(drift, "drift", how, where, rows=True).guard
    wide = widened(diffusion) if framework == "torch" and dtype is None else None
    if wide is not None:
        try:
            guarded(wide, "diffusion", framework).raw(*_trial(where, of_state))
        except CallableError:  # it is asked as it is
            return drift, diffusion
        return drift, wide
    return drift, diffusion


def _trial(where: tuple[int, float], of_state: bool) -> tuple[np.ndarray, ...]:
    """A first call: rows and a time, or a time."""
    (d, t), n = where, ROWS
    x = np.linspace(0.1, 0.9, n * d).reshape(n, d)
    return (x, np.asarray(t)) if of_state else (np.asarray(t),)


def held(asked: Asked) -> tuple[str, ...]:
    """What is said of a network that is not asked as it is written."""
    return (IN_DOUBLE,) if asked.wide else ()


def _module(function: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(function, torch.nn.Module)


def _type(guard: Guarded) -> Any:
    """The floating type of what the guard hands over."""
    if guard.framework == "numpy" or guard.prepare is None:
        return None
    return guard.prepare(np.zeros(1)).dtype


def _counted(asked: Guarded, tried: Guarded) -> Guarded:
    asked.calls += tried.calls
    return asked


def _column(call: Callable[[Any, Any], Any], rows: bool) -> Callable[[Any, Any], Any]:
    def asked(x: Any, t: Any) -> Any:
        value = call(x, t)
        shape: tuple[int, ...] = getattr(value, "shape", ())
        return value[:, 0] if not rows and len(shape) == 2 and shape[1] == 1 else value

    return asked


def _answers(
    call: Callable[[Any, Any], Any],
    guard: Guarded,
    where: tuple[int, float],
    rows: bool,
    failed: list[str],
) -> bool:
    """Whether it takes that, and returns what is wanted of it."""
    d, n = where[0], ROWS
    x, when = _trial(where, True)
    prepare = guard.prepare or (lambda a: a)
    guard.calls += 1
    try:
        value = as_numpy(call(prepare(x), prepare(when)))
    except (Exception, SystemExit) as error:
        failed.append(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
        return False
    if value.shape in (((n, d),) if rows else ((n,), (n, 1))):
        return True
    failed.append(f"shape {value.shape}")
    return False
