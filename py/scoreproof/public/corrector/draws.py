"""What a kernel draws: noise of its rows, uniform numbers to accept by, and what rows share.

Conventions: a draw of noise has a batch's shape ``(n, *shape)``, or fewer numbers a row, which are
the first of what is served; one to accept by has one uniform number a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.interop.draws import Draw
from scoreproof.public.corrector.arguments import Job
from scoreproof.public.corrector.asking import Answer, Kernel, Script, zeros
from scoreproof.public.corrector.target import gaussian

__all__ = ["Drawn", "drawn", "noise_script", "refused"]

#: rows of the call that counts the draws; no size that a sample would have
ROWS = 7


@dataclass(frozen=True, eq=False)
class Drawn:
    """``noise``: kinds of the draws for rows, in order, and whether each has the ``whole`` shape of
    x; ``accepts``: how many are to accept by.
    """

    noise: tuple[str, ...]
    whole: bool
    accepts: int
    odd: tuple[Draw, ...]
    answer: Answer
    rows: int

    @property
    def ones(self) -> list[Draw]:
        """One number for all rows, beside those to accept by: a step size that is drawn, say."""
        return [d for d in self.odd if self.accepts and d.kind == "uniform" and _single(d)]


def is_noise(draw: Draw, rows: int, job: Job) -> bool:
    """Noise of x's shape, or normal numbers for some coordinates of each row."""
    if draw.kind == "uniform":
        return draw.shape == (rows, *job.shape) and job.d > 1
    some = draw.shape[:1] == (rows,) and int(np.prod(draw.shape)) <= rows * job.d
    return draw.kind == "normal" and some and not accepts(draw, rows, job)


def accepts(draw: Draw, rows: int, job: Job) -> bool:
    """One number a row, uniform; JAX inside `jit` does not say what its bits are for."""
    single = draw.shape[:1] == (rows,) and int(np.prod(draw.shape)) == rows
    blind = job.framework == "jax" and draw.kind == "normal" and job.d > 1
    return single and (draw.kind in ("uniform", "exponential") or blind)


def _some(draw: Draw) -> np.ndarray:
    """Numbers that are not 0, which somebody's code may divide by."""
    if draw.kind == "uniform":
        return zeros(draw)
    k = np.arange(int(np.prod(draw.shape)))
    return np.asarray(np.cos(0.9 * k + draw.index)).reshape(draw.shape)


def drawn(kernel: Kernel, h: float | None) -> Drawn:
    """Two calls, to see what is drawn, and whether in double precision."""
    job = kernel.job
    target = gaussian(job.shape)
    k = np.arange(ROWS * (2 if job.two else 1) * job.d).reshape(ROWS, -1)
    state = np.sin(1.7 * k + 0.3)
    answer = kernel(target, state, _some, h)
    again = kernel(target, state + 1e-10, _some, h).state
    same = np.mean(again == answer.state) > 0.5
    # it was computed in single precision, unless x is not in it at all
    if same and np.mean(kernel(target, state + 1e-3, _some, h).state == answer.state) < 0.5:
        kernel.eps = max(kernel.eps, float(np.finfo(np.float32).eps))
    noise, whole, count, odd = [], True, 0, []
    for draw in answer.draws:
        if is_noise(draw, ROWS, job):
            noise.append(draw.kind)
            whole &= draw.shape == (ROWS, *job.shape)
        elif accepts(draw, ROWS, job):
            count += 1
        else:
            odd.append(draw)
    return Drawn(tuple(noise), whole, count, tuple(odd), answer, ROWS)


def noise_script(
    job: Job, noise: np.ndarray, uniform: Callable[[int], np.ndarray] | None = None
) -> Script:
    """Serves ``noise`` ``(draws, n, d)``, and ``uniform(k)`` to the k-th draw to accept by."""
    seen = {"noise": 0, "accept": 0}

    def script(draw: Draw) -> np.ndarray:
        rows = noise.shape[1]
        if is_noise(draw, rows, job):
            k = seen["noise"]
            seen["noise"] += 1
            if k >= len(noise):
                return zeros(draw)
            each = int(np.prod(draw.shape)) // rows
            return np.asarray(noise[k][:, :each].reshape(draw.shape))
        if uniform is not None and accepts(draw, rows, job):
            seen["accept"] += 1
            u = uniform(seen["accept"] - 1)
            if draw.kind == "exponential":
                u = -np.log(u)
            elif draw.kind == "normal":
                from scipy.special import ndtri

                u = ndtri(u)
            return np.asarray(u).reshape(draw.shape)
        return zeros(draw)

    return script


def refused(kernel: Kernel, found: Drawn) -> Evidence | None:
    """Noise that a batch shares, and random numbers that cannot be replaced."""
    job = kernel.job
    odd = [d for d in found.odd if d not in found.ones]
    one = odd[0] if odd else None
    name = job.name
    used = next((n for n in found.answer.notes if "global generator" in n), None)
    if used is not None:
        text = (
            f"{name} {used}, which cannot be replaced: let it take an argument rng (a"
            " numpy.random.Generator), and draw from that"
        )
        return Evidence.undecided("float", text)
    if one is not None and one.kind in ("normal", "uniform", "exponential"):
        size = int(np.prod(one.shape))
        if size in (1, job.d) and _same_for_more_rows(found) and _decides(kernel, one):
            if _single(one) and one.kind != "normal" and _whatever_x(kernel):
                text = (
                    f"{name} draws one {one.kind} number for the whole batch ({one.where}), by"
                    " which all rows stay or move, wherever they are: each row keeps the law that"
                    " the step itself keeps; pass that step, without the number"
                )
                return Evidence.undecided("float", text)
            return _shared(one, size, job)
    if one is not None and _single(one):
        text = (
            f"{name} draws one {one.kind} number for the whole batch ({one.where}), as a random"
            " step"
            " size would be: pass a corrector in which it is fixed"
        )
        return Evidence.undecided("float", text)
    if one is not None:
        text = (
            f"{name} draws {one.kind} numbers of shape {one.shape} ({one.where}) for a batch of"
            f" {found.rows} samples of shape {job.shape}, so that no row can be told what it gets:"
            " draw noise with the shape of x, and one uniform number a row to accept by"
        )
        return Evidence.undecided("float", text)
    if job.two or found.noise or found.accepts:
        return None
    text = f"{name} draws no random numbers: x moves as it must, and no law with a width is kept"
    cause = Diagnosis.cause(
        "no_noise",
        "Cause: it draws no noise. A Langevin step ends in + √(2h) z; a kernel of NumPy or JAX code"
        " takes its rng or key as an argument, so that its draws are seen.",
    )
    return _certain(text, cause, 1)


def _single(draw: Draw) -> bool:
    return int(np.prod(draw.shape)) == 1


def _decides(kernel: Kernel, one: Draw) -> bool:
    """Of one uniform number: whether x stays where it is for some of its values."""
    if not (_single(one) and one.kind in ("uniform", "exponential")):
        return True
    return any(_stays(kernel, u) for u in (1e-12, 1 - 2.0**-20))


def _whatever_x(kernel: Kernel) -> bool:
    """Whether x stays for the same values of the number, near to the mode and far from it."""
    grid = [1e-12, *((np.arange(20) + 0.5) / 20), 1 - 2.0**-20]
    seen = [[_stays(kernel, float(u), size) for u in grid] for size in (0.3, 1.0, 3.0)]
    return any(seen[0]) and not all(seen[0]) and all(v == seen[0] for v in seen)


def _stays(kernel: Kernel, u: float, size: float = 1.0) -> bool:
    """Whether x stays where it is, with one uniform number ``u``."""
    job = kernel.job
    state = size * np.cos(np.arange(ROWS * (2 if job.two else 1) * job.d)).reshape(ROWS, -1)

    def script(draw: Draw) -> np.ndarray:
        if _single(draw) and draw.kind in ("uniform", "exponential"):
            return np.full(draw.shape, u if draw.kind == "uniform" else -np.log(u))
        return _some(draw)

    out = kernel(gaussian(job.shape), state, script, job.h).state
    return bool(np.all(out == kernel.rounded(state)))


def _same_for_more_rows(found: Drawn) -> bool:
    """Not one draw a row, in a loop over the rows."""
    alike = [d for d in found.odd if d.where == found.odd[0].where]
    return len(alike) % found.rows != 0


def _shared(one: Draw, size: int, job: Job) -> Evidence:
    what = "number" if size == 1 else "noise"
    if one.kind in ("uniform", "exponential") and size == 1:
        text = (
            f"{job.name} draws one {one.kind} number for the whole batch ({one.where}): all rows"
            " are"
            " accepted or rejected by the same number"
        )
        cause = Diagnosis.cause(
            "accepted_together",
            "Cause: acceptance is decided for the batch, not for each row. Draw u of shape (n,),"
            " and"
            " keep x where u >= a row by row (where(accept[:, None], y, x)).",
        )
    else:
        text = (
            f"{job.name} draws {one.kind} noise of shape {one.shape} ({one.where}): all rows of a"
            f" batch get the same {what}"
        )
        cause = Diagnosis.cause(
            "noise_shared", "Cause: the noise has no batch: draw it with the shape of x."
        )
    return _certain(text, cause, 1)


def _certain(text: str, cause: Diagnosis, draws: int) -> Evidence:
    return Evidence(
        "float", "refuted", 1.0, 0.0, text, diagnosis=cause, coverage=Coverage({"draws": draws})
    )
