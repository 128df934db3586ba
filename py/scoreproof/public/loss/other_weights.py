"""Why the weight is not the one that is claimed: another known one, a slip in it, a power of σ.

Conventions: weights are of the prediction in question, each up to one positive number.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.averaged import averaged
from scoreproof.public.loss.fits import clamp_of, spread_of
from scoreproof.public.loss.limits import weight_bound
from scoreproof.public.loss.matched import constant
from scoreproof.public.loss.noised import other_levels
from scoreproof.public.loss.reading import Found
from scoreproof.public.loss.weights import GAMMA, NAMED, WORDS, Levels, known_weights

__all__ = ["cause_of_weight", "due_weight", "name_of_weight"]

#: the named weights that are written for the error of x_0
OF_X0 = ("snr", "min-snr", "truncated-snr", "p2", "edm")
SYMBOL = {"eps": "ε", "x0": "x_0", "score": "the score", "flow": "ε - x_0", "velocity": "velocity"}


def due_weight(job: Job, v: Levels) -> np.ndarray | None:
    """What is claimed, of the model's own prediction; ``None`` without a claim."""
    if job.weight is None:
        return None
    if callable(job.weight):
        return np.array([float(job.weight(float(t))) for t in v.times])
    if job.weight == "uniform":
        return np.ones_like(v.times)
    return known_weights(v)[job.weight]


def name_of_weight(found: Found) -> str | None:
    """Which known weight it is, in words."""
    v = found.v
    if constant(found.weight, weight_bound(found)) is not None:
        return f"uniform in {SYMBOL.get(v.prediction, v.prediction)}"
    for name, value in known_weights(v).items():
        if constant(found.weight / value, weight_bound(found)) is not None:
            return WORDS[name]
    gamma = clamp_of(found)
    return None if gamma is None else f"min(SNR, {gamma:.4g}), for x_0"


def cause_of_weight(job: Job, found: Found, due: np.ndarray) -> tuple[str, str]:
    """A name and words; both empty if none is known."""
    read, bound = found.weight, 4 * weight_bound(found)

    def is_(value: np.ndarray) -> bool:
        with np.errstate(all="ignore"):
            ratio = read / value
        return bool(np.all(value > 0)) and constant(ratio, bound) is not None

    other = _of_told(job, found)
    if other is not None and is_(other):
        return "noise", (
            "the weight is that of the σ that the model is told, and the noise in x_t has another"
            " σ: make x_t as x_0 + σ ε with the σ that is told"
        )
    spread = spread_of(found) if job.weight == "edm" else None
    if spread is not None and abs(spread / found.v.sigma_data - 1) > 1e-6:
        told = " (it is SNR + 1)" if abs(spread - 1) < 1e-6 else ""
        if abs(spread**2 / found.v.sigma_data - 1) < 1e-6:
            told = " (σ_data is not squared)"
        if abs(spread / found.v.sigma_data**2 - 1) < 1e-6:
            told = " (σ_data is squared once more)"
        return "sigma_data", (
            f"σ_data is {spread:.4g} in it where {found.v.sigma_data:g} is declared{told}"
        )
    of_others = averaged(found, due, is_(np.ones_like(read)))
    if of_others:
        return "averaged", of_others
    for words, value in _slips(job, found.v, due):
        if is_(value):
            return "slip", words
    known = name_of_weight(found)
    if known is not None:
        return "another", f"the loss's weight is {known}{_no_weight(known, job)}"
    power = _powers(job, found, due)
    return ("powers", power) if power else ("", "")


def _of_told(job: Job, found: Found) -> np.ndarray | None:
    """The claimed weight at the σ that the model is told, where t is σ and another."""
    label = found.label
    if label is None or not job.process.is_sigma or callable(job.weight) or np.any(label <= 0):
        return None
    if np.all(np.abs(label / found.v.times - 1) < 1e-9):
        return None
    return due_weight(job, job.levels(label))


def _no_weight(known: str, job: Job) -> str:
    plain = f"uniform in {SYMBOL.get(job.prediction, job.prediction)}"
    return (
        ": the error has no weight at all, or one that does not depend on t"
        if (known == plain)
        else ""
    )


def _slips(job: Job, v: Levels, due: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The claimed weight with one mistake, of the prediction in question."""
    snr, own = v.snr, SYMBOL.get(v.prediction, v.prediction)
    square = v.slope() ** 2
    if isinstance(job.weight, str) and job.weight in NAMED:
        plain = due / square  # the formula for x_0
        if v.prediction != "x0" and job.weight in OF_X0:
            yield (
                f"it is {WORDS[job.weight]}, but multiplies the error of {own}: divide it by the"
                f" factor between them ({_between(v)})",
                plain,
            )
        if v.prediction != "eps" and job.weight == "min-snr":
            yield (
                f"it is the min-SNR weight of an ε model, min(SNR, γ)/SNR, and the model answers"
                f" {own}: {_min_snr(v.prediction)} is due",
                np.minimum(snr, GAMMA) / snr,
            )
        if v.prediction != "v" and job.weight == "min-snr":
            yield (
                "it is the min-SNR weight of a v model, min(SNR, γ)/(SNR + 1), and the model"
                f" answers {own}: {_min_snr(v.prediction)} is due",
                np.minimum(snr, GAMMA) / (snr + 1),
            )
    if job.weight == "min-snr":
        yield (
            "the SNR is clamped on the wrong side: max(SNR, γ) where min(SNR, γ) is due",
            np.maximum(snr, GAMMA) * square,
        )
        yield "the SNR in it is α/σ where α²/σ² is due", np.minimum(np.sqrt(snr), GAMMA) * square
        if v.prediction == "v":
            yield (
                "1 is added to the SNR under the minimum too: min(SNR + 1, γ)/(SNR + 1) where"
                " min(SNR, γ)/(SNR + 1) is due",
                np.minimum(snr + 1, GAMMA) / (snr + 1),
            )
            yield (
                "1 is added to the whole weight, min(SNR, γ)/SNR + 1, where min(SNR, γ)/(SNR + 1)"
                " is due",
                np.minimum(snr, GAMMA) / snr + 1,
            )
        yield "the SNR in it is squared twice: α⁴/σ⁴", np.minimum(snr**2, GAMMA) * square
        root = np.sqrt(snr)
        per = {"eps": root, "v": root + 1}.get(v.prediction)
        if per is not None:
            yield "the SNR in it is α/σ where α²/σ² is due", np.minimum(root, GAMMA) / per
        fourth = {"eps": snr**2, "v": snr**2 + 1}.get(v.prediction)
        if fourth is not None:
            words = "the SNR in it is α⁴/σ⁴ where α²/σ² is due (ᾱ is squared once more)"
            yield words, np.minimum(snr**2, GAMMA) / fourth
        yield (
            "SNR is turned over in it: σ²/α² where α²/σ² is due",
            np.minimum(1 / snr, GAMMA)
            * {"eps": snr, "v": snr / (snr + 1)}.get(v.prediction, np.ones_like(snr)),
        )
    if job.weight == "likelihood" and v.process.g2 is not None:
        g2 = np.array([v.process.g2(float(t)) for t in v.times])
        yield "g is in it where g² is due: square the diffusion coefficient", due / np.sqrt(g2)
        yield "g⁴ is in it where g² is due: the diffusion coefficient is squared twice", due * g2
    if job.weight == "edm":
        for words, value in _edm_slips(v):
            yield words, value * square
    yield "it is the root of the weight that is due: a square is missing", np.sqrt(due)
    yield "it is the square of the weight that is due", due**2
    yield "the weight is turned over: it divides where it must multiply", 1 / due
    yield "it is one over the root of the weight that is due", 1 / np.sqrt(due)
    for words, w in other_levels(job, v):
        if np.all(w.sigma > 0):
            other = due_weight(job, w) if not callable(job.weight) else None
            if other is not None and np.all(np.isfinite(other)):
                yield f"it is the weight of {words} where that of t is due", other


def _edm_slips(v: Levels) -> Iterator[tuple[str, np.ndarray]]:
    level, spread = v.sigma / v.alpha, v.sigma_data
    total = level**2 + spread**2
    yield "the square of σ σ_data is missing in its denominator", total / (level * spread)
    yield (
        "the denominator is σ² + σ_data² and the numerator (σ σ_data)²: turned over",
        ((level * spread) ** 2 / total),
    )
    yield "the denominator is (σ + σ_data)² where (σ σ_data)² is due", total / (level + spread) ** 2
    yield (
        "the numerator is (σ + σ_data)² where σ² + σ_data² is due",
        ((level + spread) ** 2 / (level * spread) ** 2),
    )
    yield (
        "it is 1/c_out², and F's weight is that already: 1 is due for F",
        ((total / (level * spread) ** 2) ** 2),
    )


def _between(v: Levels) -> str:
    return {"eps": "SNR", "v": "SNR + 1", "score": "α²/σ⁴", "flow": "(α + σ)²/σ²"}.get(
        v.prediction, "the square of ∂x_0/∂(prediction)"
    )


def _min_snr(prediction: str) -> str:
    forms = {"x0": "min(SNR, γ)", "eps": "min(SNR, γ)/SNR", "v": "min(SNR, γ)/(SNR + 1)"}
    return forms.get(prediction, "min(SNR, γ) (∂x_0/∂(prediction))²")


def _powers(job: Job, found: Found, due: np.ndarray) -> str:
    """The weight as what is due times a power of σ and of α."""
    v = found.v
    with np.errstate(all="ignore"):
        logs = np.log(found.weight / due)
        columns = {"σ": np.log(v.sigma), "α": np.log(v.alpha)}
    used = {n: c for n, c in columns.items() if np.ptp(c) > 0.1}
    if not used or not np.all(np.isfinite(logs)):
        return ""
    design = np.stack([*used.values(), np.ones_like(logs)], axis=1)
    power, *_ = np.linalg.lstsq(design, logs, rcond=None)
    whole = np.round(power[:-1])
    rest = logs - design[:, :-1] @ whole
    if np.max(np.abs(rest - rest[int(np.argmin(weight_bound(found)))])) > 1e-6 + 8 * np.max(
        weight_bound(found)
    ):
        return ""
    parts = [_power(n, int(k)) for n, k in zip(used, whole, strict=True) if k]
    return f"it is what is due times {' '.join(parts)}" if parts else ""


def _power(symbol: str, k: int) -> str:
    digits = str(k).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return symbol if k == 1 else f"{symbol}{digits}"
