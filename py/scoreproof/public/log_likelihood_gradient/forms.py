"""A field as its author has it: its arguments in his order, its time and its rows in his form.

Conventions: ``field(z, params, s)`` here, rows z ``(n, D)`` and a number s. The time is handed over
as a number of the framework (as torchdiffeq and diffrax do), or as one for each row, ``(n,)`` or
``(n, 1)``; the rows all at once, or (JAX) one by one under ``vmap``. Which, is seen at the first
call: at D + 1 rows, so that no square array is taken for another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.interop.frameworks import require

__all__ = ["FieldAsWritten"]

#: how the time may be handed over, the first that works is kept
TIMES = ("number", "(n,)", "(n, 1)")


class FieldAsWritten:
    """``of(params)`` is what is called; ``rows_first`` False: one row at a time is tried first."""

    def __init__(
        self,
        of: Callable[[Any], Any],
        roles: tuple[str, ...],
        framework: str,
        rows_first: bool = True,
    ) -> None:
        self.of, self.roles, self.framework, self.rows_first = of, roles, framework, rows_first
        self.form: tuple[bool, str] | None = None

    def __call__(self, z: Any, params: Any, s: Any) -> Any:
        if self.form is None:
            self.form = self._found(z, params, s)
        return self._by(self.form, z, params, s)

    def _found(self, z: Any, params: Any, s: Any) -> tuple[bool, str]:
        many = z.shape[1] + 1
        rows = z[np.arange(many) % z.shape[0]]
        at_once = [(True, time) for time in TIMES]
        forms = at_once
        if self.framework == "jax":
            one_by_one = [(False, time) for time in TIMES[::2]]
            forms = [*at_once, *one_by_one] if self.rows_first else [*one_by_one, *at_once]
        if "s" not in self.roles:
            forms = [f for f in forms if f[1] == "number"]
        returned: tuple[bool, str] | None = None
        for form in forms:
            try:
                shape = getattr(self._by(form, rows, params, s), "shape", None)
            except Exception:  # said at the call that is judged
                continue
            if shape is not None and tuple(shape) == tuple(rows.shape):
                return form
            returned = returned or form
        return returned or forms[0]

    def _by(self, form: tuple[bool, str], z: Any, params: Any, s: Any) -> Any:
        batch, time = form
        function = self.of(params)

        def called(z: Any, s: Any) -> Any:
            have = {"z": z, "params": params, "s": s}
            return function(*(have[role] for role in self.roles))

        if batch:
            return called(z, self._time(z, s, time))
        one = self._time(z[0], s, "number" if time == "number" else "(1,)")
        return require("jax").vmap(lambda row: called(row, one))(z)

    def _time(self, z: Any, s: Any, form: str) -> Any:
        shape = {"number": (), "(n,)": (len(z),), "(n, 1)": (len(z), 1), "(1,)": (1,)}[form]
        if self.framework == "torch":
            torch = require("torch")
            return torch.full(shape, float(s), dtype=z.dtype)
        if self.framework == "jax":
            numpy = require("jax").numpy
            return numpy.broadcast_to(numpy.asarray(s, dtype=z.dtype), shape)
        return float(s) if form == "number" else np.full(shape, float(s))
