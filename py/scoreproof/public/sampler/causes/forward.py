"""A scheduler's own forward process, ``add_noise`` or ``scale_noise``, against its tables.

Conventions: ``x = α x_0 + σ ε``, α and σ as the object's forward process has them.
"""

from __future__ import annotations

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes.numbers import table_of

__all__ = ["mistaken"]

NEAR = 1e-4


def mistaken(job: Job) -> str:
    """What ``add_noise`` or ``scale_noise`` does wrongly; empty where it does not."""
    form = job.form
    if job.kind != "scheduler" or form.level_of is not None:
        return ""
    try:
        s, timesteps = form.prepared(form.fresh(), job.steps)
        levels = form.levels(s, timesteps)
    except (CallableError, ArgumentError):
        return ""
    name = "scale_noise" if hasattr(s, "scale_noise") else "add_noise"
    alpha, sigma = (np.array([getattr(v, n) for v in levels]) for n in ("alpha", "sigma"))
    grows = _falls(alpha) is True and _falls(sigma) is False and len(alpha) > 2
    if grows and np.ptp(sigma) > 0.5:
        return (
            f"{name} exchanges x_0 and the noise: at the first timestep, {levels[0].when:g}, it"
            f" gives x_0 the factor {alpha[0]:.3g} and the noise {sigma[0]:.3g}, at the last, "
            f"{levels[-1].when:g}, {alpha[-1]:.3g} and {sigma[-1]:.3g}, although timesteps run from"
            f" noise to data. Call it {name}(x_0, "
            f"{'t, noise' if name == 'scale_noise' else 'noise, t'}), and let it give x_0 the"
            " factor that is 1 at the data"
        )
    bar = table_of(job)
    when = np.array([v.when for v in levels])
    if bar is None or np.any(when != np.round(when)) or np.any((when < 0) | (when >= len(bar))):
        return ""
    bar = bar[when.astype(int)]
    due = {"√ᾱ": np.sqrt(bar), "√(1 - ᾱ)": np.sqrt(1 - bar)}
    if not (_near(alpha, due["√ᾱ"]) or _near(sigma, due["√(1 - ᾱ)"])):
        return ""  # of another scaling than ᾱ's
    told = []
    for what, found, right in (("x_0", alpha, "√ᾱ"), ("the noise", sigma, "√(1 - ᾱ)")):
        if _near(found, due[right]):
            continue
        known = {
            "ᾱ": bar,
            "1 - ᾱ": 1 - bar,
            "√(1 - ᾱ)": np.sqrt(1 - bar),
            "√ᾱ": np.sqrt(bar),
            "1": np.ones_like(bar),
            "√(1 - ᾱ)/√ᾱ": np.sqrt((1 - bar) / bar),
            "(1 - ᾱ)²": (1 - bar) ** 2,
        }
        name_of = next((n for n, v in known.items() if _near(found, v)), None)
        k = int(np.argmax(np.abs(found - due[right])))
        size = f"{found[k]:.4g} at timestep {when[k]:g}, where {due[right][k]:.4g} is due"
        told.append(
            f"{name} gives {what} the factor {name_of} where {right} is due ({size})"
            if name_of
            else f"{name} gives {what} another factor than {right} of its table ({size})"
        )
    return "; ".join(told)


def _near(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.all(np.abs(a - b) <= NEAR * np.maximum(np.abs(b), 1e-3)))


def _falls(values: np.ndarray) -> bool | None:
    change = np.diff(values)
    if np.all(change <= 1e-12):
        return True
    return False if np.all(change >= -1e-12) else None
