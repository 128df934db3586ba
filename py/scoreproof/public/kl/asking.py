"""How the user's function is asked: rounded to its own floating type first, in its own order.

Conventions: `Answer` holds the parameters as the function got them, in float64: what rounding them
did is no error of the function's. What came back is a sum over the coordinates in nats; of a
function that does not sum them it is one law of one coordinate for each number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded, as_numpy, unit_roundoff
from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.laws import Laws
from scoreproof.public.kl.layout import arranged
from scoreproof.public.kl.returned import coordinates, shaped

__all__ = ["Answer", "ask", "passed"]

#: what a function that returns nan may have done with its scales
LOGS = "negative and 0 among them: take no logarithm or root of them, and pass parameterization="
FINITE = {
    "std": "scales are standard deviations, all positive: is a logarithm of them exponentiated?",
    "variance": "scales are variances, all positive: is a logarithm of them exponentiated?",
    "logvar": f"scales are log-variances, {LOGS} if it is to take others",
    "logstd": f"scales are log standard deviations, {LOGS} if it is to take others",
    "precision": "scales are precisions, all positive: is a logarithm of them exponentiated?",
    "logprecision": f"scales are logarithms of precisions, {LOGS} if it is to take others",
    "softplus": f"scales are what softplus makes σ of, {LOGS} if it is to take others",
}
FULL = "covariances are positive definite, with determinants from 1e-12 to 1e12: use slogdet"


@dataclass(frozen=True, eq=False)
class Answer:
    """One batch with the scales that were passed and what came back: ``(n,)``, or ``(1,)`` when the
    batch is reduced. ``whole``: the batch that was asked, where this is a part of it.
    """

    laws: Laws
    scale0: np.ndarray
    scale1: np.ndarray
    returned: np.ndarray
    whole: Laws | None = None

    @property
    def asked(self) -> Laws:
        return self.laws if self.whole is None else self.whole


def passed(guard: Guarded, array: np.ndarray) -> tuple[np.ndarray, float]:
    """``array`` as the function gets it, in float64, and the spacing of its floating type at 1."""
    if guard.prepare is None:
        return array, float(np.finfo(float).eps)
    given = guard.prepare(array)
    return as_numpy(given).astype(float), unit_roundoff(given)


def ask(guard: Guarded, laws: Laws, options: Options, *, finite: bool = True) -> list[Answer]:
    """Call it once, or once a row if it takes one pair of laws at a time. Raises ``CallableError``
    when it raises, or returns another shape, or NaN where numbers are ``finite``.
    """
    layout, d = options.layout, laws.shape[1]
    rows = {
        "mean0": laws.m0,
        "mean1": laws.m1,
        "scale0": options.scale(laws.v0),
        "scale1": options.scale(laws.v1, "second"),
    }
    known = {role for role in rows if role in layout.numbers}
    known |= {"scale0", "scale1"} if "scale" in layout.numbers else set()
    got = {r: a if r in known else passed(guard, a)[0] for r, a in rows.items()}
    if layout.shared:
        got["scale1"] = got["scale0"]
    returned = _called(guard, got, laws, options, finite)
    scale0, scale1 = got["scale0"], got["scale1"]
    # what is standard, or known to the function, is no argument
    v0 = options.variances(scale0, "first", d) if "scale0" not in known else laws.v0
    v1 = options.variances(scale1, "second", d) if "scale1" not in known else laws.v1
    seen = replace(laws, m0=got["mean0"], v0=v0, m1=got["mean1"], v1=v1)
    if options.wanted.dims == "none":
        return [
            Answer(part, options.scale(part.v0), options.scale(part.v1, "second"), value, seen)
            for part, value in coordinates(seen, returned, options)
        ]
    return [Answer(seen, scale0, scale1, options.wanted.plain(returned, d))]


def _called(
    guard: Guarded, got: dict[str, np.ndarray], laws: Laws, options: Options, finite: bool
) -> np.ndarray:
    layout, (n, d) = options.layout, laws.shape
    sample = layout.sample or (d,)
    got = got | {"scale": got["scale0"]}
    roles = layout.roles if not options.standard else layout.roles[:2]
    form = {r: options.side("second" if r[-1] == "1" else "first").form for r in roles}
    axes = {r: layout.axes_of(r, form[r]) for r in roles}

    def called(given: list[np.ndarray]) -> np.ndarray:
        return guard.accept(guard.raw(*given), None, finite=finite)

    try:
        if layout.unbatched:
            values = []
            for k in range(n):
                given = [arranged(got[r][k : k + 1], axes[r], sample) for r in roles]
                values.append(shaped(guard, called(given), (1, d), options))
            return np.concatenate(values)
        given = [arranged(got[r], axes[r], sample) for r in roles]
        return shaped(guard, called(given), laws.shape, options)
    except CallableError as error:
        text = f"{error.got}, for {laws.what}"
        remedy = error.remedy
        if "nan or inf" in text:
            remedy = FULL if options.form == "full" else FINITE[options.side().kind]
        raise type(error)(error.name, error.expected, text, remedy) from error
