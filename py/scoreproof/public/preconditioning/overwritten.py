"""A coefficient with another in it: multiplied or divided by it, or formed with it, or with a
variable that was overwritten, in the place of σ.

Conventions: as in `forms`; EDM's root √(σ² + σ_data²) may have been formed before, or after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from scoreproof.public.preconditioning.forms import Form, built

__all__ = ["plain", "products", "with_another"]


def products(
    name: str, due: Mapping[str, np.ndarray], s: np.ndarray, d: float | None, eps: float
) -> Iterator[tuple[str, np.ndarray]]:
    """Coefficients multiplied with, or divided by, one another, and the formula that this is; ``d``
    is ``None`` for a form without σ_data.
    """
    right = due[name]
    for other, times in due.items():
        if other in (name, "c_noise") or name == "c_noise":
            continue
        twice = f"it is {name} · {other}: {other} enters twice"
        if (name, other) == ("c_skip", "c_in"):
            yield (
                (
                    "the skip takes the scaled x, c_in x, where x itself is due (its coefficient is"
                    " c_skip · c_in): keep the unscaled x for it"
                ),
                right * times,
            )
        else:
            other_form = plain(right * times, s, d, eps)
            yield twice + (f", that is {other_form}" if other_form else ""), right * times
        with np.errstate(all="ignore"):
            other_form = plain(right / times, s, d, eps)
            yield (
                f"it is {f'{other_form}, which is ' if other_form else ''}{name} / {other}",
                right / times,
            )


def plain(values: np.ndarray, s: np.ndarray, d: float | None, eps: float) -> str:
    """The values as a formula in σ, and σ_data where there is one; empty if they are none."""
    with np.errstate(all="ignore"):
        for words, formula in built().items():
            if d is None and "data" in words:
                continue
            likely = formula(s, 1.0 if d is None else d)
            for sign, mark in ((1, ""), (-1, "-")):
                if np.all(np.abs(values - sign * likely) <= 64 * eps * np.abs(likely)):
                    return mark + words.removeprefix("it is ")
    return ""


def with_another(
    name: str, form: Form, due: Mapping[str, np.ndarray], s: np.ndarray, d: float
) -> Iterator[tuple[str, np.ndarray]]:
    """Words for what stands in the place of σ, and the values."""
    formula = form.of(name)
    if formula is None:
        return
    total = s**2 + d**2
    others = dict(due)
    others |= {"log σ": np.log(s), "σ²": s**2, "σ² + σ_data²": total, "√(σ² + σ_data²)": total**0.5}
    others |= {f"σ {other}": s * v for other, v in due.items() if other != "c_noise"}
    others |= {f"{other}²": v**2 for other, v in due.items() if other != "c_noise"}
    others["1/σ"] = 1 / s
    for other, v in others.items():
        text = f"it is formed with {_named(other)} in the place of σ"
        hint = " (is a variable overwritten before it?)"
        yield text + hint, formula(v, d)
        if name == "c_out" and form.words == "EDM's":
            yield f"{text} before the root{hint}", v * d / np.sqrt(total)
            yield f"{text} in the root{hint}", s * d / np.sqrt(v**2 + d**2)


def _named(other: str) -> str:
    return {"c_noise": "c_noise, log(σ)/4,"}.get(other, other)
