"""How many roundings an entry of a list of σ may be off by, if the list has its form.

Conventions: relative, in units of the roundoff. A form is a function of a straight ramp between the
images of its two ends. A rounding of an end moves the entries between; one of the ramp is a part of
the whole way, however small the entry is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.public.schedule.forms import made

__all__ = ["roundings"]

#: of a formula's entry: powers, exponentials, cosines
ROUNDINGS = 64
#: of an end, which is a power or a quotient itself; and of the ramp, a product and a sum
OF_END, OF_RAMP = 16, 8
#: by which the ends are moved, inwards
MOVED = 1e-6


def roundings(
    form: str, options: Mapping[str, Any], values: np.ndarray, eps: float = 2.0**-52
) -> np.ndarray:
    """An entry each; ``eps``: the roundoff of the type of the list.

    >>> few = roundings("exponential", {}, np.geomspace(1, 0.5, 6))
    >>> many = roundings("linear", {}, np.linspace(1, 1e-3, 1000))
    >>> bool(few.max() < 100), bool(many[0] < 100), bool(many[-2] > 1000)
    (True, True, True)
    """
    due = made(form, options, values, True)[0][1]
    found = np.full(len(due), float(ROUNDINGS))
    if len(due) < 3:
        return found
    with np.errstate(all="ignore"):
        step = np.abs(np.diff(due))
        # the larger of the steps beside an entry
        slope = np.maximum(np.append(step[0], step), np.append(step, step[-1])) * (len(due) - 1)
        found += OF_RAMP * slope / np.abs(due)
        for name, sign, k in (("sigma_max", -1, 0), ("sigma_min", 1, -1)):
            end = float(options.get(name, values[k]))
            try:
                other = made(form, {**options, name: end * (1 + sign * MOVED)}, values, True)[0][1]
            except ArgumentError:
                continue
            found += OF_END * np.abs(other / due - 1) / MOVED
        rho = float(options.get("rho", 1.0))
        if form == "polyexponential" and 0 < rho < 1:  # r^ρ is steep where the ramp r ends at 0
            ramp = np.linspace(*((1, 0) if due[0] > due[-1] else (0, 1)), len(due))
            moved = (ramp + OF_RAMP * eps) ** rho - ramp**rho
            found += moved / eps * abs(np.log(due[0] / due[-1]))
    return np.where(np.isfinite(found), found, ROUNDINGS)
