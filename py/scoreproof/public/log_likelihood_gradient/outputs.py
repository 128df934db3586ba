"""What was done to a right gradient on its way out: zeroed, reordered, clipped, added up, decayed.

Conventions: ``found`` and ``due`` ``(G, P)`` at all questions together, ``limit`` per entry.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np

from scoreproof.causes.answers import Answer, reading
from scoreproof.causes.closed_forms import number
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.log_likelihood_gradient.leaves import Leaves

__all__ = [
    "MEAN_OVER_THE_BATCH",
    "changed",
    "clipped_to_a_norm",
    "decayed",
    "divided_by_rows",
    "missing",
    "negated",
    "placed",
    "the_same_for_all_rows",
]


def missing(
    found: np.ndarray,
    due: np.ndarray,
    limit: np.ndarray,
    leaves: Leaves,
    none: Collection[str] = (),
) -> Diagnosis | None:
    """Some entries 0, the rest right; ``none``: leaves for which it returned None."""
    zero = np.all(found == 0, axis=0) & np.any(np.abs(due) > limit, axis=0)
    if not np.any(zero) or np.all(zero) or np.any(np.abs(found - due)[:, ~zero] > limit[:, ~zero]):
        return None
    which = leaves.which(zero)
    one = zero.sum() == 1
    empty = [n for n in none if np.all(zero[leaves.by_name[n].place])]
    if empty:
        which += f", None for {', '.join(sorted(empty)[:3])},"
    return Diagnosis.cause(
        "entries_missing",
        f"Cause: {'the entry' if one else 'the entries'} of {which} {'is' if one else 'are'} 0, the"
        f" rest is right: {'it gets' if one else 'they get'} no gradient: detached, not among the"
        " parameters that are differentiated, or a None that was made 0 (entries_missing). Let the"
        " graph reach them.",
    )


OF_THE_LOSS = Diagnosis.cause(
    "gradient_of_the_loss",
    "Cause: it is the gradient of -log p, the loss; return that of log p (gradient_of_the_loss).",
)


MEAN_OVER_THE_BATCH = (
    "mean_over_the_batch",
    "Cause: the batch was averaged where it is to be summed: the gradient is 1/n of what is due, n"
    " the number of rows; take the sum over the rows, not the mean (mean_over_the_batch).",
)
OF_THE_MEAN_LOSS = (
    "gradient_of_the_mean_loss",
    "Cause: it is the gradient of the loss, -log p averaged over the batch: -1/n of what is due, n"
    " the number of rows; return that of the sum of log p (gradient_of_the_mean_loss).",
)
TIMES_THE_BATCH = (
    "times_the_batch",
    "Cause: the gradient is n times what is due, n the number of rows: do not multiply by the size"
    " of the batch (times_the_batch).",
)


def negated(found: np.ndarray, due: np.ndarray, limit: np.ndarray) -> Diagnosis | None:
    """The gradient of the loss."""
    if np.any(np.abs(found + due) > limit) or not np.any(np.abs(due) > 4 * limit):
        return None
    return OF_THE_LOSS


def decayed(
    found: np.ndarray, due: np.ndarray, limit: np.ndarray, params: np.ndarray
) -> Diagnosis | None:
    """A multiple of the parameters, or of their signs, added."""
    gap = found - due
    for name, extra, what, loss in (
        ("weight_decay", params, "the parameters", "(c/2) |params|²"),
        ("sign_decay", np.sign(params), "the signs of the parameters", "c Σ|params|"),
    ):
        size = float(extra @ extra) * len(gap)
        if size == 0 or params.size < 3:
            continue
        c = float((gap @ extra).sum()) / size
        if abs(c) > 0 and np.all(np.abs(gap - c * extra) <= limit):
            within = float(np.max(limit)) / max(abs(c) * float(np.max(np.abs(extra))), 1e-300)
            shown = number(c, max(within, 1e-9))
            return Diagnosis.cause(
                name,
                f"Cause: {shown} times {what} is added to a right gradient: weight decay, a"
                f" regulariser {loss} in the loss ({name}). Leave it to the optimiser.",
            )
    return None


def clipped_to_a_norm(blocks: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Diagnosis | None:
    """Each question's gradient shortened by a number of its own, to one norm; ``blocks``: (found,
    due, limit) question by question.
    """
    norms, factors = [], []
    for found, due, limit in blocks:
        whole = float(np.vdot(due, found)) / float(np.vdot(due, due) or 1.0)
        each = (found * due).sum(axis=1) / np.maximum((due * due).sum(axis=1), 1e-300)
        if np.all(np.abs(found - whole * due) <= limit):
            norms.append(float(np.linalg.norm(found)))
            factors.append(whole)
        elif np.all(np.abs(found - each[:, None] * due) <= limit):
            norms += np.linalg.norm(found, axis=1).tolist()
            factors += each.tolist()
        else:
            return None
    value, cut = np.array(norms), np.array(factors) < 1 - 1e-4
    most = float(np.max(value))
    if len(value) < 2 or not np.any(cut) or np.any(np.array(factors) > 1 + 1e-4):
        return None
    if np.ptp(value[cut]) > 1e-3 * most or np.any(value[~cut] > most * (1 + 1e-3)):
        return None
    if np.ptp(np.array(factors)[cut]) < 1e-3 and np.all(cut):
        return None  # one factor for all
    return Diagnosis.cause(
        "clipped_norm",
        f"Cause: the direction is right and the norm is cut to {number(most, 1e-4)}: the gradient"
        f" is"
        " clipped by its norm (clipped_norm). Clip after the check, in the training loop.",
    )


def divided_by_rows(
    blocks: list[tuple[np.ndarray, np.ndarray, np.ndarray]], rows: list[int]
) -> Diagnosis | None:
    """Each question's gradient over the number of its rows."""
    if len(set(rows)) < 2:
        return None
    for sign, power, cause in (
        (1, -1, MEAN_OVER_THE_BATCH),
        (-1, -1, OF_THE_MEAN_LOSS),
        (1, 1, TIMES_THE_BATCH),
    ):
        if all(
            np.all(np.abs(found - sign * due * float(n) ** power) <= limit * max(1, n))
            for (found, due, limit), n in zip(blocks, rows, strict=True)
        ):
            return Diagnosis.cause(*cause)
    return None


def the_same_for_all_rows(
    blocks: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> Diagnosis | None:
    """Every row gets the mean, or the sum, of the gradients of all rows of its batch."""
    if all(len(found) < 2 for found, _, _ in blocks):
        return None
    for of, name, what, mend in (
        (np.mean, "mean_for_each_row", "averaged", "mean"),
        (np.sum, "sum_for_each_row", "summed", "sum"),
    ):
        if all(
            np.all(np.abs(found - of(due, axis=0)) <= limit * len(found))
            for found, due, limit in blocks
        ):
            return Diagnosis.cause(
                name,
                f"Cause: the gradients of the rows are {what} over the batch, and every row gets"
                f" that {mend} in place of its own gradient: rows are mixed ({name}). Return row i"
                " the gradient of log p̂ of row i, or the sum over the batch as one vector (P,).",
            )
    return None


def changed(
    found: np.ndarray, due: np.ndarray, limit: np.ndarray, leaves: Leaves
) -> Diagnosis | None:
    """Reordered, clipped entry by entry, a factor for some entries, rows mixed."""
    simple = reading(Answer.of(found, due, limit))
    if simple is None:
        return None
    if simple.name == "sign":
        return OF_THE_LOSS
    wrong = np.any(np.abs(found - due) > limit, axis=0)
    words = _in_leaves(simple.words, leaves, wrong).replace("of the answer", "as returned")
    mend = simple.remedy.replace("coordinate", "parameter")
    if simple.name == "coordinates_exchanged":
        return Diagnosis.cause(
            "parameters_exchanged",
            f"Cause: the entries are right and in another order: {words}: a matrix transposed when"
            " flattened, or blocks in another order? Put them back in the order of params"
            " (parameters_exchanged).",
        )
    return Diagnosis.cause(simple.name, f"Cause: {words}: {mend} ({simple.name}).")


def _in_leaves(words: str, leaves: Leaves, wrong: np.ndarray) -> str:
    """Coordinates by the names that the parameters have; ``wrong``: which entries are."""
    if leaves.plain:
        return words.replace("coordinate", "parameter")

    which = leaves.which(wrong) or "all entries"
    words = re.sub(r"(the (even|odd) )?coordinates [^(;]*? of \d+", which, words, count=1)
    words = re.sub(r"coordinate (\d+)(?: of \d+)?", lambda m: leaves.name(int(m[1])), words)
    return words.replace("coordinate", "parameter")


def placed(found: np.ndarray, due: np.ndarray, limit: np.ndarray, leaves: Leaves) -> str:
    """Which parameters are off, if not all; else how nearly the direction is right."""
    wrong = np.any(np.abs(found - due) > limit, axis=0)
    which = leaves.which(wrong)
    if which:
        return f"It is wrong for {which} only."
    sizes = float(np.linalg.norm(found)) * float(np.linalg.norm(due))
    cosine = float(np.vdot(found, due)) / sizes if sizes else 0.0
    return (
        f"All parameters are off; the cosine of what is returned and what is due is {cosine:.3g}."
    )
