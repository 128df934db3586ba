"""Where a divergence is wrong, and thresholds and summands that somebody put into it, in words."""

from __future__ import annotations

import numpy as np

from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.asking import Answer
from scoreproof.public.kl.batches import EQUAL, SAME_MEANS, SAME_SPREADS
from scoreproof.public.kl.coordinates import by_coordinate
from scoreproof.public.kl.laws import Laws
from scoreproof.public.kl.thresholds import of_batch_means, of_one_row
from scoreproof.public.kl.verdict import Found, called
from scoreproof.words import listed

__all__ = ["REMEDY", "added", "place", "wrong_part"]

REMEDY = {
    "constant": "a constant is added: the divergence of a law to itself is 0",
    "floor": "a threshold (free bits, a clamp) belongs to the loss, not to the divergence",
    "ceiling": "a clamp from above belongs to the loss, not to the divergence",
    "capacity": "how far it is from a capacity C, |KL - C|, belongs to the loss",
    "free_bits": "a threshold on every coordinate (free bits) belongs to the loss",
    "free_bits_of_batch_means": "a threshold on each coordinate's mean over the batch (free bits)"
    " belongs to the loss",
    "one_row_is_zero": "a batch of one row gets 0: its divergence is due as any other's",
    "epsilon_in_log": "what is added inside the logarithm is not small beside small scales",
}


def place(found: Found, answers: list[Answer], options: Options, tolerance: float | None) -> str:
    """What is returned and due at the worst law; how many are wrong, and what they have in
    common.
    """
    beyond = found.beyond(tolerance)
    k = int(np.argmax(beyond))
    laws = answers[int(found.batch[k])].laws
    n, d = laws.shape[0], answers[int(found.batch[k])].asked.shape[1]
    row = f"row {found.row[k]} of {n}" if np.sum(found.batch == found.batch[k]) > 1 else f"n = {n}"
    over = {"none": "", "sum": ", summed over a batch,", "mean": ", averaged over a batch,"}
    what = "laws" if options.reduction == "none" else "batches"
    own = found.printed[k]
    values = (float(found.returned[k] * own), float(found.value[k] * own))
    got, right_one = next(
        p for digits in (6, 10, 17) if (p := _printed(values, digits))[0] != p[1] or digits == 17
    )
    worst = (
        f"{called(options)}{over[options.reduction]} returns"
        f" {got} where {due_in_words(options)} is {right_one},"
        f" in d = {d} ({laws.what}, {row}); wrong for {np.sum(beyond > 1)} of {len(beyond)} {what}"
    )
    wrong = [bool(np.any(beyond[found.batch == b] > 1)) for b in range(len(answers))]
    names = [a.laws.what for a in answers]
    if options.pointwise:  # several batches are about the same
        bad = {n for n, w in zip(names, wrong, strict=True) if w}
        names = list(dict.fromkeys(names))
        wrong = [n in bad for n in names]
    right = [name for name, w in zip(names, wrong, strict=True) if not w]
    if 0 < sum(wrong) <= len(names) / 2:
        worst += f", only for {', '.join(n for n, w in zip(names, wrong, strict=True) if w)}"
    elif right:
        worst += f", right to rounding for {', '.join(right)}"
    return worst + _coordinates(beyond, found, answers)


def _printed(values: tuple[float, float], digits: int) -> tuple[str, str]:
    return f"{values[0]:.{digits}g}", f"{values[1]:.{digits}g}"


def due_in_words(options: Options) -> str:
    """The integral, in the units and over the coordinates that are due."""
    wanted = options.wanted
    over = {"sum": "", "mean": ", a mean over the dimensions,", "none": ", of one coordinate,"}
    bits = " in bits" if wanted.units == "bits" else ""
    return f"{wanted.integral}{bits}{over[wanted.dims]}"


def wrong_part(beyond: np.ndarray, found: Found, answers: list[Answer]) -> str:
    """Which summand it is in, from the batches that lack one; a sentence, or nothing."""
    right = {a.laws.what: not np.any(beyond[found.batch == k] > 1) for k, a in enumerate(answers)}
    means = right.get(SAME_MEANS)
    spreads = next((right[what] for what in SAME_SPREADS.values() if what in right), None)
    if means and spreads is False:
        return " It is right where the means are equal: what is wrong is the mean term."
    if spreads and means is False:
        return " It is right where the variances are equal: what is wrong is the trace or log term."
    return ""


def _coordinates(beyond: np.ndarray, found: Found, answers: list[Answer]) -> str:
    """The coordinates that are wrong by themselves, if some are and others are not."""
    for k, answer in enumerate(answers):
        here = beyond[found.batch == k]
        n, d = answer.laws.shape
        if not answer.laws.alone or here.size != n or n < d:
            continue
        of = np.arange(n) % d
        wrong = np.unique(of[here > 1])
        # some coordinates in all their rows, and no row of another
        if 0 < wrong.size <= d / 2 and np.all((here > 1) == np.isin(of, wrong)):
            return f"; wrong in coordinate {listed(wrong)} of {d} (counted from 0)"
    return ""


def added(
    found: Found, answers: list[Answer], options: Options, laws: list[Laws], truth: list[np.ndarray]
) -> dict[str, np.ndarray]:
    """name -> what the truth with a threshold or a summand inside would have returned."""
    k = next(k for k, a in enumerate(answers) if a.laws.what == EQUAL)
    n, d = answers[k].laws.shape
    lowest = float(np.min(found.returned[found.batch == k]))
    lowest /= n if options.reduction == "sum" else 1
    out: dict[str, list[np.ndarray]] = {}
    if lowest > 0:
        out[f"constant of {lowest:.3g}"] = [v + lowest for v in truth]
        out[f"floor at {lowest:.3g}"] = [np.maximum(v, lowest) for v in truth]
        # equal laws are not quite equal
        short = float(f"{lowest:.3g}")
        c = short if abs(short - lowest) <= 1e-4 * lowest else lowest
        out[f"capacity of {c:.3g}"] = [np.abs(v - c) for v in truth]
        if options.form != "full":
            each = [by_coordinate(batch) for batch in laws]
            out[f"free_bits of {lowest / d:.3g}"] = [
                np.maximum(v, lowest / d).sum(axis=1) for v in each
            ]
    if options.reduction == "none":
        highest = float(np.max(found.returned))
    if options.reduction == "none" and highest > 0:
        out[f"ceiling at {highest:.3g}"] = [np.minimum(v, highest) for v in truth]
    if options.form != "full":
        for exponent in range(-12, -1):
            for factor in (1.0, 2.0, 5.0):
                c = factor * 10.0**exponent
                out[f"epsilon_in_log of {c:g}"] = [
                    v + _shift(batch, options, c).sum(axis=1)
                    for v, batch in zip(truth, laws, strict=True)
                ]
    if any(len(v) == 1 for v in truth):
        out["one_row_is_zero"] = of_one_row(truth)
    made = {n: np.concatenate([options.reduce(v) for v in value]) for n, value in out.items()}
    if lowest > 0 and options.form != "full" and options.reduction != "none":
        c = float(f"{lowest / d:.6g}")
        name = f"free_bits_of_batch_means of {c:.3g}"
        made[name] = of_batch_means(laws, c, options.reduction)
    return made


def _shift(laws: Laws, options: Options, c: float) -> np.ndarray:
    """What ``log(scale + c)`` adds to each coordinate's ``½ log v1 - ½ log v0``."""
    v0, v1 = (np.broadcast_to(v, laws.m0.shape) for v in (laws.v0, laws.v1))
    if options.parameterization == "std":
        first, second = np.log1p(c / np.sqrt(v0)), np.log1p(c / np.sqrt(v1))
    else:
        first, second = np.log1p(c / v0) / 2, np.log1p(c / v1) / 2
    return np.asarray(-first if options.standard else second - first)
