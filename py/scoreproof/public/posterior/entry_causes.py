"""What was done to a right answer, entry by entry or row by row: clipped, bent, rounded, multiplied
by a density or by its own length.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.causes.answer import Answer
from scoreproof.causes.wholes import clipped, mapped
from scoreproof.public.posterior.cases import LEFT_RMS, Case, Cause, stated

__all__ = ["as_bytes", "by_row", "clipped_inside"]

#: equal entries that make a clip
PILED = 3


def clipped_inside(case: Case) -> Iterator[Cause]:
    """x_0 in the answer is clipped, or goes through a usual function."""
    if case.kind.name in ("x0", "score") and case.due.problem.noise.variance is None:
        return
    alpha, y = case.due.problem.alpha, case.y
    mean, due = case.mean_of(case.value), case.due.mean
    with np.errstate(all="ignore"):
        per = np.max(np.abs(case.mean_of(case.value + case.limit) - mean), axis=0)
    views = {} if case.kind.name == "x0" else {"x_0": (mean / alpha, due / alpha, per / alpha)}
    views["α x_0 - x" if alpha != 1 else "x_0 - x"] = (mean - y, due - y, per)
    for what, (value, right, limit) in views.items():
        # where the check accepts much, most of the deviation still has to be explained
        most = LEFT_RMS * float(np.sqrt(np.mean((value - right) ** 2)))
        near = np.broadcast_to(np.minimum(limit, most), value.shape)
        answer = Answer.of(value, right, near, case.known)
        for read in (clipped, mapped):
            found = read(answer)
            if found is not None:
                words = f"{what} in it {found.words.removeprefix('it ')}: {found.remedy}"
                yield stated(f"inner_{found.name}", case.value, words)


def as_bytes(case: Case) -> Iterator[Cause]:
    """Rounded to bytes."""
    right = case.right
    options = {
        "rounded to bytes of [-1, 1], 256 values": np.round((right + 1) * 127.5) / 127.5 - 1,
        "rounded to bytes of [0, 1], 256 values": np.round(right * 255) / 255,
        "clipped to ±1 and rounded to bytes": (
            np.round((np.clip(right, -1, 1) + 1) * 127.5) / 127.5 - 1
        ),
    }
    for words, prediction in options.items():
        yield stated("bytes", prediction, f"it is what is due, {words}")


def by_row(case: Case) -> Iterator[Cause]:
    """Each row is a multiple of what is due there: by a density, a length, a thing of the row."""
    value, right = case.value, case.right
    norms = np.sum(right**2, axis=1)
    s = np.sum(value * right, axis=1) / norms
    told = np.max(np.abs(value), axis=1) > 1e3 * np.max(case.allowed, axis=1)
    left = np.abs(value - s[:, None] * right)
    if not np.all(left <= case.limit) or np.sum(told) < 6 or np.ptp(s) <= 1e-6 * np.max(np.abs(s)):
        return
    yield from _by_density(case, s, told)
    lengths = {
        "length": (np.linalg.norm(value, axis=1), np.linalg.norm(right, axis=1)),
        "root mean square": (
            np.sqrt(np.mean(value**2, axis=1)),
            np.sqrt(np.mean(right**2, axis=1)),
        ),
        "largest entry": (np.max(np.abs(value), axis=1), np.max(np.abs(right), axis=1)),
    }
    for name, (own, due) in lengths.items():
        less = np.abs(s - 1) > 1e-9
        reached = int(np.sum(less))
        top = float(np.max(own))
        if np.all(own >= top * (1 - 1e-6)):
            yield stated(
                "normalised",
                right * (top / due)[:, None],
                f"each sample is scaled to the {name} {top:.6g}",
            )
        elif np.sum(less) >= PILED and np.all(own[less] >= top * (1 - 1e-6)):
            yield stated(
                "norm_clipped",
                right * np.minimum(1.0, top / due)[:, None],
                f"the {name} of each sample is clipped at {top:.6g} (reached at {reached} of"
                f" {len(s)} points; where it is smaller the answer is right)",
            )


def _by_density(case: Case, s: np.ndarray, told: np.ndarray) -> Iterator[Cause]:
    good = told & (s > 0)
    if np.sum(good) < 6:
        return
    logs = np.asarray(case.due.problem.law.log_density(case.y))
    basis = np.stack([logs[good], np.ones(int(np.sum(good)))], axis=1)
    (power, shift), *_ = np.linalg.lstsq(basis, np.log(s[good]), rcond=None)
    if abs(power - 1) > 1e-6:
        yield from _small_number_added(case, s, told, logs)
        return
    prediction = np.exp(logs + shift)[:, None] * case.right
    if case.kind.name == "score":
        words = "it is the gradient of the density p itself, not of log p: it is not divided by p"
        if abs(shift) > 1e-6:
            words += f" (times {np.exp(shift):.4g})"
        yield stated("density_gradient", prediction, words)
        return
    yield stated(
        "not_normalised",
        prediction,
        "the weights are not divided by their sum: it is what is due times a constant times"
        " the density of x",
    )


def _small_number_added(
    case: Case, s: np.ndarray, told: np.ndarray, logs: np.ndarray
) -> Iterator[Cause]:
    """``w / (Σ w + ε)``: less the smaller the density is."""
    rest = 1 / np.where(s > 0, s, np.nan) - 1
    good = told & (rest > 1e-6)
    if np.sum(good) < 6:
        return
    shift = float(np.median(np.log(rest[good]) + logs[good]))
    yield stated(
        "denominator",
        case.right / (1 + np.exp(shift - logs))[:, None],
        "a small number is added to the sum of the weights that they are divided by: where x is"
        " unlikely the answer goes to 0; subtract the largest exponent before exp instead",
    )
