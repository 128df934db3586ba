"""How a network is called: any shape, any array library, a time for the batch or one for each row.

Conventions: rows ``(m, d)`` go in and come out, each a sample of ``shape`` laid flat. The form in
which the network takes its time is found by trying: the first in which it answers, and answers a
row whatever the times of the other rows are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy, remedy_for, unit_roundoff
from scoreproof.interop.frameworks import require

__all__ = ["Network", "TimeForm", "odd_batch", "recognised"]

#: what outputs of public code are called where they are not the array itself
OUTPUTS = ("sample", "prediction", "pred", "model_output", "output", "out", "x")
#: of c wanted channels out of 2 c
HALVES: dict[str, Callable[[int], slice]] = {
    "first": lambda c: slice(0, c),
    "second": lambda c: slice(c, 2 * c),
    "even": lambda c: slice(0, 2 * c, 2),
    "odd": lambda c: slice(1, 2 * c, 2),
}
#: roundings that separate a row asked among others from one asked alone
SLACK = 2.0**12


@dataclass(frozen=True)
class TimeForm:
    """How a time is handed over: ``rank`` -1 for a number, 0 for an array without axes, 1 for
    ``(B,)``, 2 for ``(B, 1, …)`` with an axis for each of x.
    """

    rank: int
    whole: bool

    def __str__(self) -> str:
        kind = "integer" if self.whole else "float"
        shape = {-1: "a number", 0: "an array without axes", 1: "(B,)", 2: "(B, 1, …)"}[self.rank]
        return f"{shape} of {kind} type" if self.rank >= 0 else f"a number ({kind})"

    @property
    def by_row(self) -> bool:
        """Whether each row has a time of its own."""
        return self.rank > 0


@dataclass(eq=False)
class Network:
    """``function(x, time, **options)`` of samples of ``shape``.

    ``options`` with a first axis of 1 are repeated for every row. ``form`` is how the time is
    handed over, once it is known; ``halved`` that only one half of the channels was taken (the
    other is a learned variance), ``half`` which: the first, the second, the even or the odd ones.
    """

    function: Callable[..., Any]
    shape: tuple[int, ...]
    framework: str
    dtype: Any
    options: Mapping[str, Any] = field(default_factory=dict)
    form: TimeForm = TimeForm(1, False)
    halved: bool = False
    half: str = "first"

    def at(self, when: float | np.ndarray, form: TimeForm | None = None) -> Callable[[Any], Any]:
        """The function of rows at one time, or at a time for each row."""
        return lambda rows: self._asked(rows, when, form or self.form)

    def _asked(self, rows: Any, when: float | np.ndarray, form: TimeForm) -> Any:
        m = len(rows)
        x = rows.reshape((m, *self.shape))
        time = self._time(when, m, form)
        options = {k: self._repeated(v, m) for k, v in self.options.items()}
        if self.framework == "torch":
            with require("torch").no_grad():
                out = self.function(x, time, **options)
        else:
            out = self.function(x, time, **options)
        return self._rows(_unwrapped(out), m)

    def _time(self, when: float | np.ndarray, m: int, form: TimeForm) -> Any:
        if form.rank < 0:
            return round(float(np.ravel(when)[0])) if form.whole else float(np.ravel(when)[0])
        if form.rank == 0:
            values = np.asarray(float(np.ravel(when)[0]))
        else:
            shape = (m,) if form.rank == 1 else (m, *(1 for _ in self.shape))
            values = np.broadcast_to(np.ravel(when), (m,)).reshape(shape).copy()
        return self._array(values, form.whole)

    def _array(self, values: np.ndarray, whole: bool) -> Any:
        if self.framework == "torch":
            torch = require("torch")
            kind = torch.int64 if whole else _torch_type(torch, self.dtype)
            return torch.tensor(np.round(values) if whole else values, dtype=kind)
        if self.framework == "jax":
            jnp = require("jax").numpy
            return jnp.asarray(np.round(values).astype(int) if whole else values)
        kind = int if whole else (self.dtype or float)
        return (np.round(values) if whole else values).astype(kind)

    @staticmethod
    def _repeated(value: Any, m: int) -> Any:
        shape = getattr(value, "shape", None)
        if shape is None or len(shape) == 0 or shape[0] != 1 or m == 1:
            return value
        if hasattr(value, "expand"):
            return value.expand(m, *shape[1:])
        return np.repeat(value, m, axis=0) if isinstance(value, np.ndarray) else value.repeat(m, 0)

    def _rows(self, out: Any, m: int) -> Any:
        shape = tuple(getattr(out, "shape", ()))
        wanted = (m, *self.shape)
        doubled = (m, 2 * self.shape[0], *self.shape[1:])
        if shape == doubled and len(self.shape) > 1:
            self.halved = True
            out, shape = out[:, HALVES[self.half](self.shape[0])], wanted
        if shape != wanted:
            raise CallableError(
                "denoiser",
                f"return shape {wanted} for x of that shape",
                f"it returned {type(out).__name__} of shape {shape}",
                "name the shape of one sample by shape=, without the batch",
            )
        return out.reshape(m, -1)


def odd_batch(shape: tuple[int, ...]) -> int:
    """A size of a batch that no axis of a sample has: no broadcasting by chance."""
    return next(n for n in (6, 10, 14, 22, 26, 34, 38) if n not in shape)


def recognised(network: Network, rows: np.ndarray, times: tuple[float, float], whole: bool) -> bool:
    """Sets the network's ``form``; false where it takes a time for each row, but answers a row by
    the times of others (then it is told one time for the whole batch, if it takes that).

    ``rows``: two or more, at the first of the two times. Raises ``CallableError`` where it answers
    in no form.
    """
    forms = [TimeForm(r, w) for r in (1, 2, 0, -1) for w in ((True, False) if whole else (False,))]
    first: Exception | None = None
    mixing: TimeForm | None = None
    for form in forms:
        try:
            steady = _steady(network, rows, times, form)
        except Exception as error:
            first = first or error
            continue
        if steady:
            network.form = form
            return form.by_row or mixing is None
        mixing = mixing or form
    if mixing is not None:
        network.form = mixing
        return False
    if isinstance(first, CallableError):
        raise first
    raise CallableError(
        "denoiser",
        "answer at (x, time)",
        f"it raised {type(first).__name__}: {first} for x of shape {(len(rows), *network.shape)},"
        " whether the time is (B,), (B, 1, …), an array without axes or a number",
        f"{'' if first is None else remedy_for(first)}; further arguments go into options={{…}},"
        " arrays of them with a first axis of 1",
    ) from first


def _steady(network: Network, rows: np.ndarray, times: tuple[float, float], form: TimeForm) -> bool:
    x = network._array(rows, False)
    one = network.at(times[0], form)(x)
    if not form.by_row:
        return True
    first = np.arange(len(rows)) < len(rows) // 2
    try:
        both = network.at(np.where(first, times[0], times[1]), form)(x)
        two = network.at(times[1], form)(x)
    except Exception:
        return False
    a, b, mixed = (np.real(as_numpy(v)).astype(float) for v in (one, two, both))
    alone = np.where(first[:, None], a, b)
    size = float(np.max(np.abs(alone), where=np.isfinite(alone), initial=0.0))
    size += float(np.max(np.abs(rows)))
    slack = SLACK * max(unit_roundoff(one), float(np.finfo(float).eps)) * size
    same = np.isnan(alone) == np.isnan(mixed)
    # where the two times have different answers, nearer to its own than to the other's; an answer
    # that is not finite at one of them has no distance from the other
    with np.errstate(invalid="ignore"):
        apart, off = np.abs(a - b), np.abs(alone - mixed)
    near = np.minimum(slack, apart / 4 + slack / SLACK)
    allowed = np.where((a != b) & np.isfinite(apart), near, slack)
    off = np.where(alone == mixed, 0.0, off)
    return bool(np.all(same) and np.all(np.nan_to_num(off, nan=0.0) <= allowed))


def _unwrapped(out: Any) -> Any:
    """The array itself, out of a tuple, a mapping or an output object."""
    if isinstance(out, tuple | list) and out:
        return _unwrapped(out[0])
    if hasattr(out, "dtype"):
        return out
    for name in OUTPUTS:
        value = out.get(name) if isinstance(out, Mapping) else getattr(out, name, None)
        if hasattr(value, "dtype"):
            return value
    return out


def _torch_type(torch: Any, dtype: Any) -> Any:
    return getattr(torch, dtype) if isinstance(dtype, str) else (dtype or torch.float64)
