"""Why the x that the model is asked at is not x_t.

Conventions: it is ``a x_0 + b ε`` with a and b of each row; α x_0 + σ ε is due.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.coupled_words import paired_otherwise
from scoreproof.public.loss.laid_out import laid_out, masked
from scoreproof.public.loss.limits import input_bound, input_size
from scoreproof.public.loss.matched import apart, constant, matched
from scoreproof.public.loss.reading import Found
from scoreproof.public.loss.scaled import least_noise, scale_of
from scoreproof.public.loss.terminal import rescaled_elsewhere
from scoreproof.public.loss.weights import Levels

__all__ = ["cause_of_input", "other_levels"]


def other_levels(job: Job, v: Levels) -> Iterator[tuple[str, Levels]]:
    """The levels of other times than t, in words."""
    steps, times = job.process.steps, v.times
    if steps is not None:
        for words, shift in (("t + 1", 1), ("t - 1", -1)):
            yield words, job.levels(np.clip(times + shift, -1, steps - 1))
            yield f"{words} ", job.levels(np.clip(times + shift, 0, steps - 1))
        yield f"{steps - 1} - t", job.levels(steps - 1 - times)
    elif not job.process.is_sigma:
        top = round(job.process.low + job.process.high, 9)
        yield f"{top:g} - t", job.levels(job.process.low + job.process.high - times)
    else:
        yield "σ²", job.levels(times**2)
        yield "the root of σ", job.levels(np.sqrt(times))


def cause_of_input(job: Job, found: Found) -> tuple[str, str]:
    """A name and words; both empty if none is known."""
    v = found.v
    a, s = v.alpha, v.sigma
    run, x0, noise = found.runs[0], found.inside[0], found.pairs.noise[0]
    blur = (4 * input_bound(found) * input_size(found)[0])[:, None]
    candidates = {
        words: p[:, None] * x0 + q[:, None] * noise for words, (p, q) in _candidates(job, v).items()
    }
    due = a[:, None] * x0 + s[:, None] * noise
    words = matched(run.asked.x, due, candidates, blur + 8 * found.eps * np.abs(run.asked.x))
    if words is not None:
        return "x_t", words.strip()
    least = least_noise(found)
    if least is not None:
        return (
            "x_t",
            f"x_t keeps noise at its clean end, σ_min = {least:.3g}: give the process so too",
        )
    table = rescaled_elsewhere(v, found.a[0])
    if table and np.max(np.abs(np.hypot(found.a[0], found.b[0]) - 1)) <= 1e-6:
        return "terminal", f"the table that x_t is made of {table}"
    tight = np.max(found.rest / (s * np.sqrt(np.mean(found.pairs.noise**2, axis=2))), axis=0)
    if np.any(tight > max(1e-6, 100 * found.eps) + 8 * input_bound(found)):
        return _of_rest(job, found)
    fine = 100 * input_bound(found)
    at, bt = found.a[0] / a, found.b[0] / s
    gone = np.abs(at) <= fine
    if np.any(gone) and np.all(np.abs(at[~gone] - 1) <= fine[~gone]) and not np.all(gone):
        return "dropped", (
            f"x_0 is 0 in x_t at {int(gone.sum())} of {gone.size} samples: what is dropped there"
            " must be the label, and not the data"
        )
    one, other = constant(at, fine), constant(bt, fine)
    if one is not None and other is not None:
        if abs(one - 1) < 1e-6:
            return "noise_scaled", f"the noise is multiplied by {other:.6g} in x_t"
        if abs(other - 1) < 1e-6:
            return "data_scaled", f"x_0 is multiplied by {one:.6g} before it is noised"
    if np.all(np.abs(at / bt - 1) <= 2 * fine):
        scaled = scale_of(v, at)
        due = "x_t is due (prediction='F' is for EDM's network, inside of c_in and c_out)"
        if job.prediction == "F":
            due = f"1/√(σ² + σ_data²) with σ_data = {v.sigma_data:g} is due"
        return "scaled", f"the model is given x_t times {scaled}, where {due}"
    for k, (name, due_of, read_of) in enumerate((("x_0", a, at), ("ε", s, bt))):
        if np.all(np.abs((bt, at)[k] - 1) <= fine):
            i = int(np.argmax(np.abs(read_of - 1)))
            symbol = "ασ"[k]
            is_, due = apart(float(read_of[i] * due_of[i]), float(due_of[i]))
            return "", (
                f"only the factor of {name} is off: {is_} for {symbol} = {due} at t ="
                f" {v.times[i]:.4g}"
            )
    return "", ""


def _candidates(job: Job, v: Levels) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    a, s = v.alpha, v.sigma
    table = job.process.steps is not None
    bar, rest = ("ᾱ", "1 - ᾱ") if table else ("α²", "σ²")
    one = np.ones_like(a)
    out = {
        f"x_0 is multiplied by {bar} where its root is due (√{bar})": (a**2, s),
        f"the noise is multiplied by {rest} where its root is due": (a, s**2),
        f"x_0 and the noise are multiplied by {bar} and {rest} where their roots are due": (
            a**2,
            s**2,
        ),
        "α is missing in front of x_0: x_t = α x_0 + σ ε, not x_0 + σ ε": (one, s),
        "σ is missing in front of the noise": (a, one),
        "α and σ are exchanged: x_0 is multiplied by σ and the noise by α"
        + (" (which end of the time is noise?)" if not table else ""): (s, a),
        "the noise is subtracted: x_t = α x_0 - σ ε": (a, -s),
        "the noise is not added: the model is given α x_0": (a, 0 * s),
        "the noise is multiplied by 1 - α where √(1 - α²) is due": (a, 1 - a),
        "the noise is multiplied by √(1 - α) where √(1 - α²) is due": (
            a,
            np.sqrt(np.maximum(1 - a, 0)),
        ),
        "the model is given the clean x_0 in place of x_t": (one, 0 * s),
        "the model is given the noise in place of x_t": (0 * a, one),
        "the noise is multiplied by √σ where σ is due": (a, np.sqrt(s)),
    }
    if table:
        with np.errstate(all="ignore"):
            before = job.levels(v.times - 1).alpha
            keep = (a / before) ** 2
        out["β_t is in the place of 1 - ᾱ_t: this is one step of the chain, not t of them"] = (
            np.sqrt(keep),
            np.sqrt(1 - keep),
        )
    for words, w in other_levels(job, v):
        out[f"x_t is that of {words}, where the α and σ of t are due"] = (
            w.alpha,
            w.sigma,
        )
    line = 1 - 1e-4
    for least in (1e-4, 1e-5, 1e-3, 0.1, 0.01):
        line = 1 - least
        out[f"x_t keeps noise at its clean end, σ_min = {least:g}: give the process so too"] = (
            a,
            1 - line * a,
        )
    return out


def _of_rest(job: Job, found: Found) -> tuple[str, str]:
    """x_t has something in it that is neither x_0 nor ε."""
    v, pairs = found.v, found.pairs
    run, x0 = found.runs[0], pairs.x0[0]
    inside = x0 if job.encode is None else np.asarray(job.encode(x0), dtype=float)
    x, noise = run.asked.x, pairs.noise[0]
    a, s = v.alpha[:, None], v.sigma[:, None]
    fine = 1e-4 * s + 1e3 * found.eps

    def is_(other: np.ndarray) -> bool:
        return bool(np.all(np.abs(x - other) <= fine))

    if is_(a * (2 * inside - 1) + s * noise):
        return "encoded", (
            "the loss maps the data to 2 x_0 - 1 before it noises them: pass"
            " encode=lambda x0: 2 * x0 - 1"
        )
    if is_(a * ((inside + 1) / 2) + s * noise):
        return "encoded", (
            "the loss maps the data to (x_0 + 1)/2 before it noises them: pass"
            " encode=lambda x0: (x0 + 1) / 2"
        )
    pixels = ((x - a * inside - s * noise) / s).reshape(len(x), job.shape[0], -1)
    if pixels.shape[2] > 1 and np.all(np.ptp(pixels, axis=2) <= 1e-4 + 1e3 * found.eps):
        return "offset", (
            "a number that is the same at all pixels of a channel is added to the noise (offset"
            " noise): it is no white noise then, and E[ε | x_t] another one"
        )
    if run.served.uniforms and not run.served.passed and not run.served.noises:
        flat = run.served.first_uniform.reshape(noise.shape)
        if is_(a * inside + s * flat) or is_(a * inside + s * (2 * flat - 1)):
            return "uniform_noise", "the noise is uniform (rand_like): draw it by randn_like"
    if run.served.uniforms:
        return "dequantised", (
            "a uniform number is drawn for every entry and is in x_t (dequantisation?): leave it"
            " out of the loss that is judged"
        )
    drawn = run.served.noises
    for k in range(max(len(drawn), 1 + len(found.extra))):
        other = drawn[k] if k < len(drawn) else found.extra[min(k - 1, len(found.extra) - 1)]
        if other is noise or not len(drawn):
            continue
        if is_(a * inside + s * other):
            return "another_draw", (
                "x_t is made with another draw of noise than the one that is"
                + (" drawn first" if job.draws_times or k else " passed")
                + ": draw it once, and use it in x_t and in the target"
            )
        both = [
            np.linalg.lstsq(np.stack(c, 1), y, rcond=None)
            for c, y in zip(zip(inside, noise, other, strict=True), x, strict=True)
        ]
        left = np.array(
            [
                np.max(np.abs(np.stack(c, 1) @ f[0] - y))
                for f, c, y in zip(both, zip(inside, noise, other, strict=True), x, strict=True)
            ]
        )
        if np.all(left <= fine[:, 0]):
            return "two_draws", (
                "x_t has a second draw of noise in it: the noise that is the target and the noise"
                " in x_t are not the same"
            )
    due = a * inside + s * noise
    wrong = laid_out(job.shape, v, x, inside, noise, fine) or masked(x, due, fine)
    if wrong:
        return "laid_out", wrong
    for words, order in (("next", -1), ("previous", 1)):
        if is_(a * inside + s * np.roll(noise, order, axis=0)):
            return "rows", f"x_t has the noise of the {words} sample of the batch"
        if is_(a * np.roll(inside, order, axis=0) + s * noise):
            return "rows", f"x_t has the x_0 of the {words} sample of the batch"
    other = paired_otherwise(x, inside, noise, found.eps)
    if other:
        return "rows", other
    top = float(np.max(np.abs(x)))
    if np.all((np.abs(x - due) <= fine) | (np.abs(np.abs(x) - top) <= 1e-6 * top)):
        return "clipped", f"x_t is clipped to ±{top:.4g}: leave it as it is"
    shifted = x - due
    if np.ptp(shifted / a) <= 1e-3 * abs(float(np.mean(shifted / a))):
        return "shifted", f"x_0 is shifted by {float(np.mean(shifted / a)):.4g} before it is noised"
    return "", ""
