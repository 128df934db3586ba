"""What the model is told: t itself, a multiple, a logarithm of σ, or another time than that of its
x.

Conventions: a label is a function of t alone; increasing or falling ones that are not known are
accepted, and said. Without `label` given, t ± 1 of a table and the reversed time are mistakes;
where the time is σ itself, so is another level than that of the noise in x_t.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.other_levels import level_told
from scoreproof.public.loss.weights import Levels

__all__ = ["doubted", "forms", "labelled", "slips"]

#: relative to the span of the labels
SAME = 1e-5
Form = Callable[[Levels], np.ndarray]


def forms(job: Job) -> Mapping[str, Form]:
    """What networks are told, of which each is right."""
    steps = job.process.steps
    out: dict[str, Form] = {"t": lambda v: v.times}
    if steps is not None:
        out |= {
            f"t/{steps}": lambda v: v.times / steps,
            f"t/{steps - 1}": lambda v: v.times / (steps - 1),
            f"(t + 1)/{steps}": lambda v: (v.times + 1) / steps,
            f"1000 t/{steps}": lambda v: v.times * 1000 / steps,
            "α": lambda v: v.alpha,
            "ᾱ": lambda v: v.alpha**2,
        }
    else:
        out |= {f"{n} t": partial(_times, n) for n in (999, 1000, 998)}
        out["t/T"] = lambda v: v.times / v.process.high
    out |= {
        "σ": lambda v: v.sigma,
        "σ/α": lambda v: v.sigma / v.alpha,
        "log(σ)/4": lambda v: np.log(v.sigma / v.alpha) / 4,
        "log σ": lambda v: np.log(v.sigma / v.alpha),
        "250 log σ": lambda v: 250 * np.log(v.sigma / v.alpha),
        "the log-SNR": lambda v: np.log(v.snr),
        "minus the log-SNR": lambda v: -np.log(v.snr),
        "log(999 σ)": lambda v: np.log(999 * v.sigma),
    }
    return out


def _times(factor: float, v: Levels) -> np.ndarray:
    return v.times * factor


def _turned(factor: float, v: Levels) -> np.ndarray:
    return factor * (v.process.low + v.process.high - v.times)


def slips(job: Job) -> Mapping[str, Form]:
    """What is told by mistake."""
    steps, low, high = job.process.steps, job.process.low, job.process.high
    if steps is not None:
        return {
            "t + 1": lambda v: v.times + 1,
            "t - 1": lambda v: v.times - 1,
            f"{steps - 1} - t": lambda v: steps - 1 - v.times,
            f"{steps} - t": lambda v: steps - v.times,
            f"({steps - 1} - t)/{steps}": lambda v: (steps - 1 - v.times) / steps,
            f"({steps - 1} - t)/{steps - 1}": lambda v: (steps - 1 - v.times) / (steps - 1),
            f"1000 ({steps - 1} - t)/{steps}": lambda v: 1000 * (steps - 1 - v.times) / steps,
        }
    if job.process.is_sigma:
        return {
            "σ²": lambda v: v.times**2,
            "σ/4 (without the logarithm of c_noise, ln(σ)/4)": lambda v: v.times / 4,
        }
    top = round(low + high, 9)
    return {
        f"{top:g} - t": lambda v: low + high - v.times,
        **{f"{n} ({top:g} - t)": partial(_turned, n) for n in (999, 1000, 998)},
        "σ²": lambda v: v.sigma**2,
        "sqrt(t)": lambda v: np.sqrt(v.times),
        "t²": lambda v: v.times**2,
    }


def labelled(job: Job, v: Levels, label: np.ndarray) -> tuple[str | None, str | None]:
    """What the label is, and what is wrong about it: of each a few words, or ``None``."""
    if job.label is not None:
        due = np.array([float(job.label(float(t))) for t in v.times])
        if _same(label, due):
            return "label(t)", None
        found = _which(label, v, {**forms(job), **slips(job)})
        wanted = _which(due, v, forms(job))
        is_ = "σ" if found == "t" and job.process.is_sigma else found
        asked = f"label(t){'' if wanted is None else f' = {wanted}'}"
        return found, f"the model is told {is_ or 'another number'} where {asked} is due"
    turned = next(iter(slips(job))) if job.process.steps is None else ""
    found = _which(label, v, forms(job))
    # where σ is 1 - t, the time that runs the other way is no noise level
    back = {turned: slips(job)[turned]} if " - t" in turned else {}
    if found is not None and (found in ("t", "t/T") or not _which(label, v, back)):
        return found, None
    slip = _which(label, v, slips(job)) or _clipped_slip(job, v, label)
    if slip is not None:
        return slip, f"the model is told {slip} where its x is that of t"
    other = level_told(label, v.sigma) if job.process.is_sigma else None
    if other is not None:
        return None, f"the model is told s where the noise in x_t has the deviation {other}"
    order = np.argsort(v.times)
    steps = np.diff(label[order])[np.diff(v.times[order]) > 0]
    if len(steps) and (np.all(steps > 0) or np.all(steps < 0)):
        way = "an increasing" if steps[0] > 0 else "a falling"
        return f"{way} function of t", None
    if np.ptp(label) == 0:
        return None, f"the model is told {label[0]:.4g} whatever t is"
    return None, "what the model is told is not the t of its x"


def _clipped_slip(job: Job, v: Levels, label: np.ndarray) -> str | None:
    """t ± 1 of a table that is clipped at its end."""
    if job.process.steps is None:
        return None
    away = label - v.times
    for slip, by, end in (("t + 1", 1, 0), ("t - 1", -1, job.process.steps - 1)):
        if np.all((away == by) | (v.times == end) & (label == end)) and np.any(away == by):
            return slip
    return None


def doubted(job: Job, v: Levels, label: np.ndarray | None) -> str | None:
    """Why it cannot be told whether the model is told the time of its x: the loss draws t itself,
    so that t is read from x_t, and what the model is told is no known function of that.
    """
    own = job.process.is_sigma or (job.draws_times and not job.process.discrete)
    if label is None or job.label is not None or not own or len(np.unique(v.times)) == 1:
        return None
    name, wrong = labelled(job, v, label)
    if wrong is not None or name is None or not name.endswith(" function of t"):
        return None
    k = int(np.argmax(v.times))
    return (
        f"the model is told {name} that is not known ({label[k]:.5g} where x_t is that of t ="
        f" {v.times[k]:.5g}), and whether that is its time by another clock or a mistake cannot be"
        " told: say label=lambda t: …, with what it is to be told where t is that of the process"
    )


def _which(label: np.ndarray, v: Levels, known: Mapping[str, Form]) -> str | None:
    for name, form in known.items():
        with np.errstate(all="ignore"):
            due = form(v)
        if np.all(np.isfinite(due)) and _same(label, due):
            return name
    return None


def _same(label: np.ndarray, due: np.ndarray) -> bool:
    size = max(float(np.ptp(due)), 1e-3 * float(np.max(np.abs(due))), 1e-30)
    return bool(np.max(np.abs(label - due)) <= SAME * size)
