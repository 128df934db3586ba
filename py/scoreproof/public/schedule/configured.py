"""What an object says of itself: the settings that public schedulers keep.

Conventions: a setting is an entry of ``config``, else an attribute of the object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.public.schedule.forms import BETA_FORMS
from scoreproof.public.schedule.reading import member

__all__ = [
    "BLIND",
    "Formula",
    "flow",
    "form_of_betas",
    "form_of_sigmas",
    "prediction_of",
    "setting",
    "visits_its_own",
]

SETTINGS = {
    "prediction": ("prediction_type", "objective", "model_mean_type"),
    "spacing": ("timestep_spacing",),
    "steps_offset": ("steps_offset",),
    "total": ("num_train_timesteps",),
}
#: predictions from which x_0 cannot be had without signal
BLIND = ("epsilon", "eps", "noise", "pred_noise", "score")
SEEING = ("sample", "x0", "x_0", "x_start", "start_x", "pred_x0", "previous_x")
VELOCITY = ("v", "v_prediction", "pred_v", "velocity", "flow_prediction", "flow")


@dataclass(frozen=True)
class Formula:
    """The name of a form and its parameters."""

    form: str
    options: Mapping[str, Any]


def setting(holder: Any, what: str) -> Any:
    """One of `SETTINGS`, ``None`` if the object has none."""
    for place in (member(holder, "config"), holder):
        for name in SETTINGS[what]:
            value = member(place, name)
            if value is not None and not callable(value):
                return value
    return None


def prediction_of(asked: Any, holder: Any) -> str | None:
    """What the model predicts: one of the known names. Raises ``ArgumentError``."""
    known = (*BLIND, *SEEING, *VELOCITY)
    if asked is not None and str(asked) not in known:
        raise ArgumentError(
            "prediction", f"one of {', '.join(known)}", repr(asked), "or leave it out"
        )
    found = setting(holder, "prediction") if asked is None else asked
    name = str(getattr(found, "name", found)).lower()  # an enumeration, in guided-diffusion
    return name if name in known else None


def _config(holder: Any, name: str) -> Any:
    return member(member(holder, "config"), name)


def flow(holder: Any) -> bool:
    """x_t = (1 - σ) x_0 + σ noise."""
    return _config(holder, "prediction_type") == "flow_prediction" or bool(
        _config(holder, "use_flow_sigmas")
    )


def visits_its_own(holder: Any) -> bool:
    """The timesteps follow from a list of σ, not from a spacing."""
    config = member(holder, "config")
    items = dict(config).items() if isinstance(config, Mapping) else ()
    return any(
        value is True and name.startswith("use_") and name.endswith(("_sigmas", "_lambdas"))
        for name, value in items
    )


def form_of_betas(holder: Any) -> Formula | None:
    """The form that the object says its β have."""
    form = _config(holder, "beta_schedule")
    if form not in BETA_FORMS or _config(holder, "trained_betas") is not None:
        return None
    names = ("beta_start", "beta_end") if form in ("linear", "scaled_linear", "sigmoid") else ()
    found = {n: _config(holder, n) for n in names}
    options: dict[str, Any] = {n: float(v) for n, v in found.items() if v is not None}
    if _config(holder, "rescale_betas_zero_snr"):
        options["rescale_betas_zero_snr"] = True
    return Formula(str(form), options)


def form_of_sigmas(holder: Any) -> Formula | None:
    """The form that the object says its σ have."""
    if _config(holder, "use_karras_sigmas") or _config(holder, "sigma_schedule") == "karras":
        rho = _config(holder, "rho")
        return Formula("karras", {} if rho is None else {"rho": float(rho)})
    if _config(holder, "use_exponential_sigmas"):
        return Formula("exponential", {})
    if _config(holder, "sigma_schedule") == "exponential":
        return Formula("exponential", {})
    shift, more = _config(holder, "shift"), ("use_dynamic_shifting", "shift_terminal")
    fixed = not any(_config(holder, name) for name in more) and not visits_its_own(holder)
    if isinstance(shift, float) and fixed and _config(holder, more[0]) is not None:
        return Formula("shifted", {"shift": shift})
    return None
