"""``check_schedule``: do the tables of a noise schedule agree with one another?

Conventions: β_t is the variance of step t, ᾱ_t the product of 1 - β; lists of σ fall.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scoreproof.evidence import Evidence
from scoreproof.public.rule import public_check
from scoreproof.public.schedule.arguments import Request, gathered
from scoreproof.public.schedule.verdict import judge

__all__ = ["check_schedule"]


@public_check
def check_schedule(
    schedule: Any = None,
    *,
    form: str | None = None,
    form_options: Mapping[str, Any] | None = None,
    spacing: str | None = None,
    steps_offset: int | None = None,
    num_train_timesteps: int | None = None,
    prediction: str | None = None,
    add_noise: Callable[..., Any] | None = None,
    shape: Sequence[int] | None = None,
    tolerance: float | None = None,
    **tables: Any,
) -> Evidence:
    """Judge the tables of a schedule as they are, entry by entry.

    Parameters
    ----------
    schedule: an object or mapping that has some of the tables below, as attributes or entries: a
        scheduler of diffusers, the ``GaussianDiffusion`` of guided-diffusion or
        denoising-diffusion-pytorch. Its ``add_noise`` or ``q_sample`` is judged too, and the
        methods that follow from the tables alone: ``q_posterior``, ``predict_start_from_noise``,
        ``predict_noise_from_start``, ``predict_v``, ``predict_start_from_v``, ``get_velocity``.
    tables: the same as arguments, arrays of any library ``(T,)``: ``betas``, ``alphas``,
        ``alphas_cumprod``, ``alphas_cumprod_prev``, ``sqrt_alphas_cumprod``,
        ``sqrt_one_minus_alphas_cumprod``, ``posterior_variance``,
        ``posterior_log_variance_clipped``, ``posterior_mean_coef1``, ``posterior_mean_coef2``,
        ``log_snr``, …; ``sigmas``, a falling list as in k-diffusion; ``timesteps`` of an inference.
    form, form_options: the form that ``betas`` (linear, scaled_linear, cosine, exp, sigmoid) or
        ``sigmas`` (karras, exponential, polyexponential, linear, shifted, vp) are to have, and its
        parameters (``{"rho": 7.0}``, ``{"mu": 0.8}`` of a dynamic shift,
        ``{"rescale_betas_zero_snr": True}``); the ends of a list of σ are its own.
    spacing, steps_offset, num_train_timesteps: of ``timesteps``, which fall: leading, trailing or
        linspace; by default as the object is configured.
    prediction: what the model predicts, to say whether it can be used where no signal is left.
    add_noise: ``add_noise(x_0, noise, t)``, or with t before noise if its arguments are named so;
        t are integer timesteps, one a sample (σ, where there is no table); arrays are of the
        library that it takes. ``shape``: of one sample, by default (2,), or (3, 4, 5) where that
        does not fit.
    tolerance: the relative error of an entry that is accepted.

    All follow from the first of betas, alphas_cumprod, alphas, sqrt_alphas_cumprod, log_snr, … that
    is there. An entry may be off by the roundings of its type, t of them for ᾱ_t; where signal or
    noise is 0 an entry may be infinite. A list of σ that belongs to no timesteps and to no form is
    judged by the table's range alone, timesteps of no spacing by their order; the sentence says so.

    Returns ``Evidence`` of kind float; a refutation names the table and the entries, and its
    ``diagnosis`` what it is instead, if that explains all of it: another table, the formula with
    another argument, shifted by one index, squared, clamped, half precision, … ``add_noise`` is
    called with x_0 alone, with noise alone and with both random, in blocks of 2^18 numbers, at the
    timesteps of the inference or at all of the table (2048 of a longer one, fewer for large
    samples).

    Raises ``ArgumentError`` (β outside of (0, 1), unsorted σ, timesteps that the table has not,
    unequal lengths) and ``CallableError``.
    Source: Ho et al. 2020 (the tables of a DDPM), Karras et al. 2022, Lin et al. 2024 (zero
    terminal SNR).

    >>> import numpy as np
    >>> betas = np.linspace(1e-4, 0.02, 1000)
    >>> bool(check_schedule(betas=betas, alphas_cumprod=np.cumprod(1 - betas), form="linear"))
    True
    >>> check_schedule(betas=betas, alphas_cumprod=np.exp(-np.cumsum(betas))).verdict
    'refuted'
    """
    return judge(
        gathered(
            Request(
                schedule,
                tables,
                form,
                form_options,
                spacing,
                steps_offset,
                num_train_timesteps,
                prediction,
                add_noise,
                shape,
                tolerance,
            )
        )
    )
