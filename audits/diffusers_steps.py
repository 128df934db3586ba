"""Steps on the scheduler's own grid: for data at one point and the exact model, every one should
carry q(x_t | x_0) to q at the next timestep.
"""

from __future__ import annotations

import diffusers
import numpy as np
from common import measured
from diffusers_chains import ATOM, EPS32, EPSILON, TRAIN, P, after, chain, law_error, make


def audit_grid() -> None:
    """Data at one point: with the exact model every one of these steps should carry q(x_t | x_0) to
    q at the next timestep.
    """
    what = (
        "data at one point, exact ε: step keeps add_noise's marginals from each timestep to the"
        " next and to the data (error in units of σ)"
    )
    for name in EPSILON:
        for spacing in ("linspace", "leading", "trailing"):
            worst, texts, reading = (-1.0, 0.0, 0.0), [], ""
            for n in (50, 30):
                scheduler = make(name, timestep_spacing=spacing)
                c = chain(scheduler, n, ATOM, 0.0)
                error, bound, k = law_error(c, ATOM, 0.0)
                worst = max(worst, (error / bound, error, bound))
                texts.append(f"n = {n}: {error:.1g} at worst, {after(scheduler, k)}")
                if name.startswith("DEIS"):
                    first = float(scheduler.alphas_cumprod[0])
                    own = law_error(c, ATOM, 0.0, ends_at=(first**0.5, (1 - first) ** 0.5))
                    reading = (
                        "right with the marginal of training timestep 0 (σ ="
                        f" {(1 - first) ** 0.5:.2g}), where this scheduler's grid ends, as the"
                        f" target ({own[0]:.1g} σ, bound {own[1]:.1g})"
                    )
            if name.startswith("DDIM"):
                reading = (
                    "right where consecutive timesteps differ by 1000 // n: step goes to timestep -"
                    " 1000 // n, not to the next of the scheduler's own timesteps"
                )
            label = f"{called(name)}timestep_spacing={spacing!r})"
            measured(P, label, what, worst[1], worst[2], "; ".join(texts), reading)
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    error, bound, k = law_error(chain(scheduler, 50, ATOM, 0.0), ATOM, 0.0)
    measured(
        P,
        "FlowMatchEulerDiscreteScheduler()",
        "data at one point, exact velocity: step keeps scale_noise's marginals",
        error,
        bound,
        f"n = 50: {error:.1g} at worst, {after(scheduler, k)}",
    )


def called(name: str) -> str:
    """The call that makes the scheduler, up to its last argument."""
    return f"{name.split(' ')[0]}({'sde-dpmsolver++, ' if 'sde' in name else ''}"


def audit_predictions() -> None:
    """The same with the other kinds of prediction."""
    for name in EPSILON:
        for prediction in ("v_prediction", "sample"):
            scheduler = make(name, prediction_type=prediction, timestep_spacing="leading")
            label = f"{called(name)}prediction_type={prediction!r})"
            try:
                c = chain(scheduler, 50, ATOM, 0.0)
            except NotImplementedError:
                continue  # it says itself that it does not offer this
            first = float(scheduler.alphas_cumprod[0])
            ends = (first**0.5, (1 - first) ** 0.5) if name.startswith("DEIS") else (1.0, 0.0)
            error, bound, k = law_error(c, ATOM, 0.0, ends_at=ends)
            measured(
                P,
                label,
                f"data at one point, exact {prediction.removesuffix('_prediction')}: step keeps"
                " add_noise's marginals",
                error,
                bound,
                (
                    f"n = 50: {error:.1g} at worst, {after(scheduler, k)}"
                    if np.isfinite(error)
                    else "step returns nan"
                ),
            )


def audit_told_level() -> None:
    """The model is told a timestep; the step assumes a σ. Do the two name the same noise level of
    the training schedule?
    """
    for name in (
        "EulerDiscreteScheduler",
        "DPMSolverMultistepScheduler",
        "UniPCMultistepScheduler",
        "HeunDiscreteScheduler",
    ):
        for karras in (False, True):
            scheduler = make(name, use_karras_sigmas=karras)
            scheduler.set_timesteps(30)
            trained = scheduler.alphas_cumprod.double().numpy()
            log_trained = 0.5 * np.log((1 - trained) / trained)
            told, used = (
                scheduler.timesteps.double().numpy(),
                scheduler.sigmas.double().numpy()[: len(scheduler.timesteps)],
            )
            said = np.exp(np.interp(told, np.arange(TRAIN), log_trained))
            gap = np.abs(said / used - 1)
            k = int(np.argmax(gap))
            repeated = len(told) - len(np.unique(told)) if "Heun" not in name else 0
            text = (
                f"n = 30: worst where the model is told timestep {told[k]:g} (σ = {said[k]:.4g})"
                f" and step uses σ = {used[k]:.4g}"
            )
            text += f"; {repeated} timesteps occur twice" if repeated else ""
            # between two training levels σ may be interpolated linearly or in its logarithm: these
            # differ by (Δ log σ)² / 8
            between = (
                float(np.max(np.diff(log_trained)[1:] ** 2)) / 8
                if np.any(told != np.round(told))
                else 0.0
            )
            measured(
                P,
                f"{name}(use_karras_sigmas={karras})",
                "the σ that step assumes is the training schedule's at the timestep that the model"
                " is told",
                float(gap[k]),
                64 * EPS32 + between,
                text,
                (
                    "the timestep that the model is told is rounded to a training timestep: the"
                    " nearest level that an integer timestep can name"
                    if np.all(told == np.round(told)) and karras
                    else ""
                ),
            )


def audit_ddpm_variance() -> None:
    """fixed_small is exact for data at one point, fixed_large for white data N(0, 1) (Ho et al.
    2020, section 3.2).
    """
    for kind in ("fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log"):
        results = {}
        for data, (mean, var) in {
            "data at one point": (ATOM, 0.0),
            "white data N(0, 1)": (0.0, 1.0),
        }.items():
            scheduler = make("DDPMScheduler", variance_type=kind)
            # the last step goes to the data and draws no noise by design: judged up to it
            results[data] = law_error(chain(scheduler, 50, mean, var), mean, var, ends_at=None)
        for (data, (error, bound, k)), (other, (elsewhere, limit, _)) in zip(
            results.items(), reversed(results.items()), strict=True
        ):
            if np.isfinite(error):
                text = (
                    f"n = 50: the law of x_t is off by {error:.2g} of its std at worst,"
                    f" {after(scheduler, k)}"
                )
                reading = (
                    f"exact for {other} ({elsewhere:.1g}, bound {limit:.1g})"
                    if elsewhere <= limit
                    else ""
                )
            else:
                beta = 1 - float(scheduler.alphas_cumprod[500] / scheduler.alphas_cumprod[480])
                text = (
                    "step returns nan from the first step on: at timestep 500 _get_variance"
                    f" returns {float(scheduler._get_variance(500)):.4g}, and the log of β ="
                    f" {beta:.4g} is {np.log(beta):.4g}; a standard deviation cannot be its root"
                )
                reading = "none found"
            measured(
                P,
                f"DDPMScheduler(variance_type={kind!r}).step",
                f"{data}, exact ε: the law after each of 50 steps but the last",
                error,
                bound,
                text,
                reading,
            )
