"""What a wrong table is instead: its formula with other arguments, a function of it, a clamp.

Conventions: a cause explains a table if it agrees to the bound that the table was held to, at all
entries or at all that are wrong; clauses without a full stop.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.growth import grows
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.schedule.agreeing import Found, agrees, close, explains
from scoreproof.public.schedule.alternatives import composed, plain
from scoreproof.public.schedule.asides import first_of_next, of_a_root
from scoreproof.public.schedule.factors import product
from scoreproof.public.schedule.misread import meant, shifted
from scoreproof.public.schedule.rescaled import rescaled
from scoreproof.public.schedule.shapes import LEAST, PART, few, shaped, span
from scoreproof.public.schedule.tables import TABLES, Base, Table, named
from scoreproof.public.schedule.unclipped import unclipped

__all__ = ["cause", "entries"]


def cause(
    name: str, values: np.ndarray, base: Base, bound: np.ndarray, wrong: np.ndarray
) -> Diagnosis:
    """What the values are instead, or what is known of their error; ``bound`` and ``wrong`` an
    entry.
    """
    table = TABLES[named(name)]
    with np.errstate(all="ignore"):
        # the first variance is 0, whatever its logarithm is clipped at
        plain_log = named(name) == "posterior_log_variance_clipped"
        due = (TABLES["posterior_log_variance"] if plain_log else table).of(base)
    # a candidate loses digits as the table does
    allowed = np.maximum(4 * bound, 1e-6)
    found = _cause(table, named(name), values, base, due, allowed, wrong)
    if found is not None:
        return Diagnosis.cause(found[0], f"Cause: {found[1]}.")
    with np.errstate(all="ignore"):
        error = np.abs(values / due - 1)
    t = np.arange(len(due))
    growth = grows(t[1:], np.where(wrong, error, 0.0)[1:], "t", bound[1:])
    more = f", its relative error {growth}" if growth else ""
    return Diagnosis.unknown(f"No known cause explains it: {table.due} is due{more}.")


def _cause(
    table: Table,
    name: str,
    values: np.ndarray,
    base: Base,
    due: np.ndarray,
    allowed: np.ndarray,
    wrong: np.ndarray,
) -> tuple[str, str] | None:
    if wrong.sum() < LEAST and len(values) > LEAST:
        return _few(table, values, due, wrong)
    # a source that is read wrongly explains all that follow from it
    if not base.of_betas and (instead := meant(table, values, base, allowed, wrong)):
        text = f"it is right if the table that it follows from holds {instead[1]}, not {instead[0]}"
        return "source_misread", text
    shape = shaped(values, due, allowed, wrong)
    if shape is not None and shape[0] in ("clamped", "half_precision"):
        return shape
    if earlier := rescaled(name, values, base):
        return "rescaled", earlier
    if base.of_betas and (text := unclipped(name, values, base, allowed)):
        return "unclipped", f"{text}, where {table.due} is due"
    known = product(values, base, allowed, due) if np.sum(wrong) >= LEAST else None
    others = close(plain(name, base), composed(name, base), known, values, due, allowed, wrong)
    for other in others[0]:
        return "other_formula", _text(other, table, values, due)
    if shape is not None:
        if shape[0] == "factor":
            return shape[0], f"{shape[1]} {table.words}{of_a_root(table, values, due)}"
        return shape[0], f"{shape[1]}, where {table.due} is due"
    with np.errstate(all="ignore"):  # a product may leave no more than that of the deviation
        plain_off = np.median((np.abs(values / due - 1) / allowed)[wrong]) > 1 / PART
    if known is not None and (plain_off or explains(known[1], values, due, wrong)):
        return "product", f"it is {known[0]}, where {table.due} is due"
    if below := _below(values, base, due, allowed, wrong):
        return "below", f"{below}, where {table.due} is due"
    if "log" in name and np.sum(wrong) >= LEAST and plain_off:
        with np.errstate(all="ignore"):
            inner = product(np.exp(values), base, allowed, np.exp(due))
        if inner is not None:
            text = f"it is the logarithm of {inner[0]}, where {table.due} is due"
            return "product", text
    for other in others[1]:
        return "other_formula", _text(other, table, values, due)
    if ratio := shifted(table, name, values, base, due, allowed, wrong):
        text = f"its signal-to-noise ratio is {ratio} times that of β: the schedule is shifted"
        return "shifted_snr", text
    return None


def _below(
    values: np.ndarray, base: Base, due: np.ndarray, allowed: np.ndarray, wrong: np.ndarray
) -> str:
    """A number that is added to what is divided by."""
    if np.sum(wrong) < LEAST:
        return ""
    with np.errstate(all="ignore"):
        for power, root in ((1.0, ""), (0.5, " inside the root")):
            for words, below in (("1 - ᾱ_t", 1 - base.bar), ("ᾱ_t", base.bar)):
                found = (below * ((due / values) ** (1 / power) - 1))[wrong]
                found = found[np.isfinite(found)]
                if found.size < LEAST:
                    continue
                c = float(np.median(found))
                for number in (float(f"{c:.2g}") if c else c, c):
                    likely = due * (below / (below + number)) ** power
                    if number and agrees(values, likely, due, allowed, wrong) == " ":
                        return f"{number:.4g} is added to {words}{root} below"
    return ""


def _text(found: Found, table: Table, values: np.ndarray, due: np.ndarray) -> str:
    other, where, _ = found
    first = first_of_next(values, due) if where.strip() else ""
    due_of = f"{table.words}{other.of}" if other.of else table.due
    return f"{where.lstrip()}it is {other.words}, where {due_of} is due{first}"


def _few(
    table: Table, values: np.ndarray, due: np.ndarray, wrong: np.ndarray
) -> tuple[str, str] | None:
    """One or two entries: the place is the answer, and the entry whose value it is."""
    at = np.flatnonzero(wrong)
    value = values[at[0]]
    text = f"{few(wrong)}, where {table.due} is due"
    if at.size == 1 and at[0] == 0 and len(due) > 2 and values[0] == values[0]:
        last = float(np.median([due[-1], due[-1]]))
        if abs(values[0] - last) <= 0.05 * abs(last):
            text += "; it is that of the end of the table (an index of -1, a roll)"
    with np.errstate(all="ignore"):
        near = np.flatnonzero(np.abs(due - value) <= 1e-6 * abs(value))
    near = near[near != at[0]]
    if at.size == 1 and np.isfinite(value) and near.size == 1 and value != 0:
        text += f"; it is what is due at entry {near[0]}"
    return "few_entries", text


def entries(wrong: np.ndarray) -> str:
    """``at all 1000 entries`` or ``at 3 of 1000 entries, the first 7``.

    >>> entries(np.array([False, True, False])), entries(np.array([False, True, True]))
    ('at entry 1 alone, of 3', 'at 2 of 3 entries, from entry 1 on')
    """
    n, total = int(wrong.sum()), len(wrong)
    if n == total:
        return f"at all {total} entries"
    if n == 1:
        return f"at entry {int(np.argmax(wrong))} alone, of {total}"
    return f"at {n} of {total} entries, {span(wrong)}"
