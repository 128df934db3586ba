"""What a table may be in place of itself: its formula with other arguments, or a function of it.

Conventions: the simplest first. ``Mistaken`` is a base whose ᾱ_{t-1} is not that of its ᾱ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from scoreproof.public.schedule.forms import made, names
from scoreproof.public.schedule.tables import TABLES, Base, Table

__all__ = ["Alternative", "alternatives", "composed", "functions", "functions_of", "plain"]


@dataclass(frozen=True)
class Alternative:
    """``words`` for "it is …", and values; ``own``: of the table itself; ``of``: whose is due."""

    words: str
    values: np.ndarray
    own: bool = False
    of: str = ""


@dataclass(frozen=True, eq=False)
class Mistaken(Base):
    """A base whose arguments do not belong together."""

    earlier: np.ndarray | None = None

    @property
    def before(self) -> np.ndarray:
        return Base.before.fget(self) if self.earlier is None else self.earlier  # type: ignore


#: of a table: in words where the table is named beside, of a name, and what it makes of it
FUNCTIONS: tuple[tuple[str, str, Callable[[np.ndarray], np.ndarray]], ...] = (
    ("its square", "the square of {}", np.square),
    ("its square root", "the square root of {}", np.sqrt),
    ("its logarithm", "the logarithm of {}", np.log),
    ("its logarithm to base 10", "the logarithm to base 10 of {}", np.log10),
    ("its logarithm to base 2", "the logarithm to base 2 of {}", np.log2),
    ("its exponential", "the exponential of {}", np.exp),
    ("one minus what is due", "one minus {}", lambda v: 1 - v),
    ("the root of one minus what is due", "√(1 - {})", lambda v: np.sqrt(1 - v)),
    ("its reciprocal", "the reciprocal of {}", lambda v: 1 / v),
    ("its negative: the sign is wrong", "minus {}", np.negative),
)


def functions(due: np.ndarray) -> Iterator[Alternative]:
    """Of a table itself."""
    yield from _moved(due, 1)
    yield Alternative("reversed: entry t holds that of T - 1 - t", due[::-1])
    with np.errstate(all="ignore"):
        for its, _, of in FUNCTIONS:
            yield Alternative(its, of(due), own=True)


def functions_of(one: Alternative) -> Iterator[Alternative]:
    """Of what has a name."""
    with np.errstate(all="ignore"):
        for _, words, of in FUNCTIONS:
            yield Alternative(words.format(one.words), of(one.values))


def _moved(due: np.ndarray, by: int) -> Iterator[Alternative]:
    if len(due) > 2 * by:
        gap, many = np.full(by, np.nan), "one" if by == 1 else "two"
        back, on = np.append(gap, due[:-by]), np.append(due[by:], gap)
        words = f"shifted by {many}: entry t holds that of"
        yield Alternative(f"{words} t - {by}", back)
        yield Alternative(f"{words} t + {by}", on)


def alternatives(name: str, base: Base) -> Iterator[Alternative]:
    """What the table of that name may be, without factors."""
    yield from plain(name, base)
    yield from composed(name, base)


def plain(name: str, base: Base) -> Iterator[Alternative]:
    """Functions of the table, other sums and products, other tables."""
    table = TABLES[name]
    with np.errstate(all="ignore"):
        due = table.of(base)
        yield from functions(due)
        yield from _sums(name, base)
        for other, its in TABLES.items():
            if other != name and not np.array_equal(its.of(base), due, equal_nan=True):
                yield Alternative(f"{other}, {its.words}", its.of(base))
                yield Alternative(f"{its.words.split(',')[0]} - 1", its.of(base) - 1)
        yield from _moved(due, 2)
        yield from _other_times(table, base)
        yield from other_schedules(table, base)


def other_schedules(table: Table, base: Base) -> Iterator[Alternative]:
    """The same table of other β: another form between their ends, or the usual ones; β of a finer
    table.
    """
    n, b = len(base.betas), base.betas
    ends = {"beta_start": float(b[0]), "beta_end": float(b[-1])}
    for form in names():
        for options in (ends, {}) if form in ("linear", "scaled_linear", "sigmoid") else ({},):
            for words, betas in made(form, options, b, False):
                if not np.allclose(betas, b, rtol=1e-6):
                    other = Base(betas, np.cumprod(1 - betas), base.eps)
                    of = " and these ends" if options else ""
                    text = f"{table.words} of other β, of the form {form!r}{words}{of}"
                    yield Alternative(text, table.of(other), of=" of the given ones")
    for by in (2, 4, 5, 10, 20, 25, 40, 50, 100):
        fine = np.interp(np.arange(by * (n - 1) + 1) / by, np.arange(n), b)
        for first in (0, by - 1):
            whole = np.concatenate([b[0] - (b[1] - b[0]) * np.arange(first, 0, -1) / by, fine])
            if np.all((whole > 0) & (whole < 1)):
                bar = np.cumprod(1 - whole)[first::by]
                steps = 1 - np.append(bar[:1], bar[1:] / bar[:-1])
                text = (
                    f"{table.words} of a table {by} times as fine, of which these β are every"
                    f" {by}th: β of the coarse one are 1 - ᾱ_t / ᾱ_{{t-1}} of its own ᾱ"
                )
                yield Alternative(text, table.of(Base(steps, bar, base.eps)))


def composed(name: str, base: Base) -> Iterator[Alternative]:
    """The formula with other arguments, and functions of that."""
    made = list(mistaken(TABLES[name], base))
    yield from made
    for one in made:
        yield from functions_of(one)


def _sums(name: str, base: Base) -> Iterator[Alternative]:
    """Other products of 1 - β, and what is made of them."""
    b, sums = base.betas, np.cumsum(base.betas)
    with np.errstate(all="ignore"):
        yield Alternative("exp(-Σβ), the continuous ᾱ", np.exp(-sums))
        yield Alternative("exp(-½ Σβ), the continuous √ᾱ", np.exp(-sums / 2))
        yield Alternative("1 - Σβ, a sum for the product", 1 - sums)
        yield Alternative("Σβ, the sum of the variances", sums)
        yield Alternative("Σ(1 - β), a sum for the product", np.cumsum(1 - b))
        yield Alternative("the product of β, not of 1 - β", np.cumprod(b))
        yield Alternative("the product of √(1 - β), which is √ᾱ", np.cumprod(np.sqrt(1 - b)))
        yield Alternative("√(1 - Σβ)", np.sqrt(1 - sums))
        yield Alternative("√(Σβ)", np.sqrt(sums))
        yield Alternative("√(1 / ᾱ_t + 1), a plus for a minus", np.sqrt(1 / base.bar + 1))
        if name == "alphas_cumprod":
            words = "the product from step 1: the first β is left out"
            yield Alternative(words, base.bar / (1 - b[0]))
            words = "the product from the end: Π of 1 - β from t to T"
            yield Alternative(words, np.cumprod((1 - b)[::-1])[::-1])
        yield Alternative("β_t²", b**2)
        yield Alternative("√β_t", np.sqrt(b))
        yield Alternative("log β_t", np.log(b))
        yield Alternative("√β̃_t", np.sqrt(base.posterior))


def _other_times(table: Table, base: Base) -> Iterator[Alternative]:
    """The formula with an argument of another time."""
    before, bar, b = base.before, base.bar, base.betas
    late = {"ᾱ_t": bar, "ᾱ_{t-2}": np.concatenate([[1.0], before[:-1]]), "ᾱ_{t+1}": base.after}
    yield from _asked(table, base, "ᾱ_{t-1}", {k: (b, bar, v) for k, v in late.items()})
    early = {"ᾱ_{t-1}": before, "ᾱ_{t+1}": base.after}
    yield from _asked(table, base, "ᾱ_t", {k: (b, v, before) for k, v in early.items()})
    both = Mistaken(b, before, base.eps, base.floored, base.of_betas, late["ᾱ_{t-2}"])
    with np.errstate(all="ignore"):
        yield Alternative(
            f"{table.words}, with ᾱ_{{t-1}} for ᾱ_t and ᾱ_{{t-2}} for ᾱ_{{t-1}}", table.of(both)
        )
    moved = {
        "β_{t-1}": np.concatenate([[np.nan], b[:-1]]),
        "β_{t+1}": np.concatenate([b[1:], [np.nan]]),
    }
    yield from _asked(table, base, "β_t", {k: (v, bar, before) for k, v in moved.items()})


def mistaken(table: Table, base: Base) -> Iterator[Alternative]:
    """The formula with other arguments."""
    before, bar, b = base.before, base.bar, base.betas
    ones = np.ones(len(bar))
    with np.errstate(all="ignore"):
        of_bar = {
            "√ᾱ": bar**0.5,
            "ᾱ²": bar**2,
            "1 - ᾱ": 1 - bar,
            "1 - β": 1 - b,
            "β": b,
            "exp(-Σβ)": np.exp(-np.cumsum(b)),
            "1 - Σβ": 1 - np.cumsum(b),
            "Π β": np.cumprod(b),
            "√(1 - ᾱ)": (1 - bar) ** 0.5,
        }
        of_before = {
            "1": ones,
            "√ᾱ_{t-1}": before**0.5,
            "ᾱ_{t-1}²": before**2,
            "√ᾱ_t": bar**0.5,
            "1 - β_t": 1 - b,
        }
        of_betas = {
            "√β_t": b**0.5,
            "β_t²": b**2,
            "1 - β_t": 1 - b,
            "β̃_t": base.posterior,
            "√β̃_t": base.posterior**0.5,
        }
        yield from _asked(table, base, "ᾱ_{t-1}", {k: (b, bar, v) for k, v in of_before.items()})
        yield from _asked(table, base, "β_t", {k: (v, bar, before) for k, v in of_betas.items()})
        now = {f"{k}_t" if k in ("√ᾱ", "1 - β", "β") else k: v for k, v in of_bar.items()}
        yield from _asked(table, base, "ᾱ_t", {k: (b, v, before) for k, v in now.items()})
        both = {k: (b, v, np.concatenate([[1.0], v[:-1]])) for k, v in of_bar.items()}
        yield from _asked(table, base, "ᾱ", both)
        every = {
            k: (1 - np.concatenate([v[:1], v[1:] / v[:-1]]), v, np.concatenate([[1.0], v[:-1]]))
            for k, v in of_bar.items()
        }
        yield from _asked(table, base, "ᾱ, and β that follow from it", every)
        products = {
            k: (v, np.cumprod(1 - v), np.concatenate([[1.0], np.cumprod(1 - v)[:-1]]))
            for k, v in {"√β": b**0.5, "β²": b**2, "2 β": 2 * b, "β/2": b / 2}.items()
        }
        yield from _asked(table, base, "β, and ᾱ that follows from it", products)


def _asked(
    table: Table,
    base: Base,
    due: str,
    others: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> Iterator[Alternative]:
    right = table.of(base)
    for words, (betas, bar, before) in others.items():
        with np.errstate(all="ignore"):
            values = table.of(Mistaken(betas, bar, base.eps, base.floored, base.of_betas, before))
        if not np.array_equal(values, right, equal_nan=True):
            yield Alternative(_formula(table.words, due, words), values)


def _formula(words: str, due: str, other: str) -> str:
    """The formula as it was written: ``√(1 - √ᾱ_t), with √ᾱ_t for ᾱ_t``."""
    plain = due in ("β_t", "ᾱ_t", "ᾱ_{t-1}") and due in words and "," not in words
    inside = f"({other})" if " " in other and not other.startswith("√(") else other
    made = words.replace(due, inside) if plain else words
    return f"{made}, with {other} for {due}"
