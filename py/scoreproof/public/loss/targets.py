"""Why the minimiser is not the exact model: the target is another one, or no mean of it is taken.

Conventions: as in `reading`; a target is read where the loss is quadratic in the answer.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.arguments import KINDS, Job
from scoreproof.public.loss.limits import off_bound
from scoreproof.public.loss.matched import apart, constant, matched
from scoreproof.public.loss.noised import other_levels
from scoreproof.public.loss.other_targets import of_other_pairs, one_step_back, turned
from scoreproof.public.loss.pairing import rows_of
from scoreproof.public.loss.preconditioned import cause_of_factors
from scoreproof.public.loss.reading import Found
from scoreproof.public.loss.terminal import rescaled_elsewhere
from scoreproof.public.loss.times import mixed
from scoreproof.public.loss.weights import Levels

__all__ = ["SYMBOLS", "cause_of_target"]

SYMBOLS = {
    "eps": "ε",
    "x0": "x_0",
    "v": "v = α ε - σ x_0",
    "score": "the score's target -ε/σ",
    "F": "EDM's F",
    "flow": "ε - x_0",
    "velocity": "the velocity dα/dt x_0 + dσ/dt ε",
}


def cause_of_target(job: Job, found: Found) -> tuple[str, str]:
    """A name and words; both empty if none is known. For a loss that is quadratic."""
    size = np.maximum(found.size, np.sqrt(np.mean(found.targets**2, axis=(0, 2))))
    blur = 8 * (off_bound(found) * size)[None, :, None]
    own = _other_spread(job, found) if job.prediction == "F" else ""
    if own:
        return "sigma_data", own
    made = _mixture(found)
    factors = cause_of_factors(found, *made) if job.prediction == "F" else ""
    if factors and _made_of(found, made, blur):
        return "preconditioning", factors
    with np.errstate(all="ignore"):
        ratio = found.targets / found.due
    factor = constant(ratio, np.broadcast_to(np.maximum(blur, 1e-9), ratio.shape))
    plain = factor is None or min(abs(factor - 1), abs(factor + 1)) <= 1e-6
    if job.prediction == "velocity" and not plain:
        return "factor", (
            f"the target is {factor:.6g} times {SYMBOLS[job.prediction]}: is an inner derivative"
            " missing, or is t of another length?"
        )
    candidates = _candidates(job, found)
    words = matched(found.targets, found.due, candidates, blur)
    if words is not None:
        return "target", words
    if factor is not None and abs(factor - 1) > 1e-6:
        return "factor", f"the target is {factor:.6g} times {SYMBOLS[job.prediction]}"
    return _by_shape(job, found, blur)


def _candidates(job: Job, found: Found) -> dict[str, np.ndarray]:
    v, pairs = found.v, found.pairs
    x0s = pairs.x0 if job.encode is None else np.stack([job.encode(x) for x in pairs.x0])
    e, own = pairs.noise, SYMBOLS[job.prediction]
    a, s = v.alpha[:, None], v.sigma[:, None]
    xt = a * x0s + s * e

    def of(kind: str, levels: Levels | None = None) -> np.ndarray:
        with np.errstate(all="ignore"):
            w = v if levels is None else levels
            return np.stack([w.target(x, n, kind) for x, n in zip(x0s, e, strict=True)])

    told = f"where the model is said to answer {own}"
    out = {f"the sign of the target is wrong: it is minus {own}": -found.due}
    if job.prediction == "score":
        out |= {
            "the target is -ε/σ² where -ε/σ is due": -e / s**2,
            "the target is -ε where -ε/σ is due": -e,
            "the target is -σ ε where -ε/σ is due": -s * e,
        }
    for kind in KINDS:
        if kind == job.prediction or kind == "velocity" and v.rates is None:
            continue
        out[f"the target is {SYMBOLS[kind]}, {told} (prediction={kind!r}?)"] = of(kind)
        out[f"the target is minus {SYMBOLS[kind]}, {told}"] = -of(kind)
    out |= {
        f"the target is x_t itself, {told}": xt,
        f"the target is σ ε, the noise as it is added, {told}": s * e,
        f"the target is -σ ε, {told}": -s * e,
        f"the target is α x_0, {told}": a * x0s,
        "α and σ are exchanged in the target: it is σ ε - α x_0": s * e - a * x0s,
        "the target is α x_0 - σ ε": a * x0s - s * e,
        "the target is α ε + σ x_0: the sign of σ x_0 is wrong": a * e + s * x0s,
        "σ² and α² are in v where their roots are due": a**2 * e - s**2 * x0s,
        "α² is in v where α is due": a**2 * e - s * x0s,
        "the target is x_t - x_0, the noise as it is added": xt - x0s,
        "the target is ε - x_t": e - xt,
        "the target is x_0 - x_t": x0s - xt,
        "the target is ε + x_0 where ε - x_0 is due": e + x0s,
    }
    if job.prediction in ("flow", "velocity"):
        sign = np.sign(np.sum(found.due * (e - x0s)))
        for least in (1e-4, 1e-5, 1e-3, 0.01, 0.1):
            line = e - (1 - least) * x0s, (1 - least) * e - x0s
            for part in line:
                out[f"the target has σ_min = {least:g} in it, and x_t has not"] = sign * part
                out[f"the target has σ_min = {least:g} in it, and x_t has not "] = -sign * part
    if job.process.steps is not None:
        words = f"the target is the mean of x_{{t-1}} given x_t and x_0, {told}"
        out[words] = one_step_back(job, v, x0s, xt)
    for words, w in other_levels(job, v):
        if np.all(w.sigma > 0) or job.prediction not in ("score", "F"):
            out[f"the target is that of {words} where x_t is that of t"] = of(job.prediction, w)
    for k, other in enumerate(found.extra):
        fresh = np.broadcast_to(other, e.shape)
        with np.errstate(all="ignore"):
            value = np.stack([v.target(x, n) for x, n in zip(x0s, fresh, strict=True)])
        out["the target has another draw of noise than x_t" + " " * k] = value
    for words, order in (("next", -1), ("previous", 1)):
        out[f"the target is that of the {words} sample of the batch"] = np.roll(
            found.due, order, axis=1
        )
    mean = np.mean(found.due, axis=1, keepdims=True)
    out[
        "the target is the mean over the batch: (B,) met (B, 1), which makes (B, B) pairs; give"
        " both the same shape"
    ] = mean
    out |= turned(job, found)
    if found.coupling is not None:
        out |= of_other_pairs(found)
    out["the target is 0"] = np.zeros_like(found.due)
    out["the target is the mean over the sample's entries: a mean was taken too early"] = np.mean(
        found.due, axis=2, keepdims=True
    )
    return out


def _by_shape(job: Job, found: Found, blur: np.ndarray) -> tuple[str, str]:
    """What is read off the targets alone: rows that are wrong, σ_data of F, its two factors."""
    wrong = np.any(np.abs(found.targets - found.due) > blur, axis=(0, 2))
    if np.any(wrong) and not np.all(wrong):
        zero = np.all(np.abs(found.targets[:, wrong]) <= blur[:, wrong])
        if zero:
            return "rows", (
                f"of {int(wrong.sum())} of {wrong.size} samples the target is 0 (is x_0 dropped"
                " together with the label?)"
            )
    if _permuted(found, blur):
        return "rows", "the target is that of another sample of the batch (is it shuffled?)"
    v = found.v
    x0, noise = found.inside[0], found.pairs.noise[0]
    others = rows_of(found.targets[0], x0, noise, max(found.eps, float(np.max(found.blur))))
    if others is not None and any(np.any(r != np.arange(len(r))) for r in others):
        return "rows", (
            "the target is made of other samples of the batch than x_t (are they paired anew, or"
            " shuffled, after x_t is made?): make both of the same pairs"
        )
    p, q = _mixture(found)
    if not _made_of(found, (p, q), blur):
        return "", ""
    other = rescaled_elsewhere(v, q) if job.prediction == "v" else ""
    if other:
        return "terminal", f"the table that the target is made of {other}"
    k = int(np.argmax(np.max(np.abs(found.targets - found.due), axis=(0, 2))))
    due = np.linalg.lstsq(
        np.stack([found.inside[0][k], found.pairs.noise[0][k]], 1), found.due[0][k], rcond=None
    )[0]
    tiny = 64 * found.eps * max(map(abs, due))
    both = [(0.0 if abs(x) <= tiny else float(x)) for x in (p[k], q[k], *due)]
    (p_is, p_due), (q_is, q_due) = apart(both[0], both[2]), apart(both[1], both[3])
    return "", (
        f"at t = {v.times[k]:.4g} the target is {p_is} x_0 + {q_is} ε where {p_due} x_0 + {q_due} ε"
        " is due"
    )


def _made_of(found: Found, factors: tuple[np.ndarray, np.ndarray], blur: np.ndarray) -> bool:
    """Whether the targets of the first pair are such sums of x_0 and ε."""
    p, q = factors
    made = p[:, None] * found.inside[0] + q[:, None] * found.pairs.noise[0]
    return bool(np.all(np.abs(found.targets[0] - made) <= 8 * blur[0]))


def _permuted(found: Found, blur: np.ndarray) -> bool:
    """Whether each target is what is due for some row, and not always for its own."""
    away = np.abs(found.targets[0][:, None, :] - found.due[0][None, :, :])
    near = np.all(away <= np.max(blur), axis=2)
    return bool(np.all(np.sum(near, axis=1) == 1) and not np.all(np.diag(near)))


def _other_spread(job: Job, found: Found) -> str:
    """EDM's target with another σ_data: of ε it has -σ_data/√(σ² + σ_data²)."""
    v = found.v
    q = _mixture(found)[1]
    level = v.sigma / v.alpha
    with np.errstate(all="ignore"):
        spread = level * np.abs(q) / np.sqrt(1 - q**2)
    value = constant(spread, 1e-3)
    if value is None or abs(value / job.sigma_data - 1) < 1e-6:
        return ""
    other = Levels(v.times, v.process, "F", value)
    due = np.stack(
        [other.target(x, e) for x, e in zip(found.pairs.x0, found.pairs.noise, strict=True)]
    )
    if not np.allclose(found.targets, due, rtol=1e-3, atol=1e-3 * float(np.max(np.abs(due)))):
        return ""
    return f"σ_data is {value:.4g} in the target where {job.sigma_data:g} is declared"


def _mixture(found: Found) -> tuple[np.ndarray, np.ndarray]:
    """The factors of x_0 and of ε in the targets of the first pair."""
    return mixed(found.targets[0], found.inside[0], found.pairs.noise[0])
