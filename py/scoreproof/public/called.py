"""What arguments are called in diffusion code, once for all checks.

Conventions: only names that mean one thing wherever they stand. A check adds those that mean
something else in another's code (``z``: noise, a latent or a state; ``tau``: a time or a step), and
says by its order which of two roles a name has there.
"""

from __future__ import annotations

from collections.abc import Mapping

from scoreproof.interop.sources import GENERATORS, KEYS, STATES

__all__ = [
    "COUNTS",
    "DATA",
    "DENOISERS",
    "LEVELS",
    "LOG_DENSITIES",
    "MODELS",
    "NETWORKS",
    "NOISES",
    "NOISE_MODELS",
    "NOISY",
    "PREDICTED",
    "PREDICTED_DATA",
    "RANDOM",
    "SCORES",
    "STEP_SIZES",
    "TIMES",
    "VELOCITIES",
    "role_of",
]

#: networks by what they predict
SCORES = ("score", "score_fn", "score_model", "score_net", "scorenet", "score_network", "s_theta")
NOISE_MODELS = (
    *("eps_model", "eps_fn", "eps_net", "eps_theta", "epsilon_model", "epsilon_theta"),
    *("noise_model", "noise_pred_net", "noise_predictor"),
)
DENOISERS = ("denoiser", "denoise_fn", "denoiser_model", "denoiser_fn", "denoising_model")
VELOCITIES = ("velocity_model", "velocity_net", "velocity_fn", "vector_field", "vf")
#: networks that do not say
NETWORKS = (
    *("model", "model_fn", "net", "network", "unet", "predictor", "backbone", "transformer"),
    *("dit", "nn"),
)
MODELS = (*NETWORKS, *SCORES, *NOISE_MODELS, *DENOISERS, *VELOCITIES)
#: clean samples
DATA = (
    *("x0", "x_0", "x_start", "xstart", "x_clean", "clean", "images", "image", "img", "imgs"),
    *("data", "latents", "original_samples", "x_data"),
)
#: what a network predicts in place of clean samples
PREDICTED_DATA = ("x_recon", "pred_xstart", "pred_x_start", "pred_x0", "x0_pred", "x0_hat")
#: noised samples
NOISY = (
    *("x_t", "xt", "z_t", "zt", "noisy", "noised", "x_noisy", "noisy_x", "noisy_samples"),
    *("noisy_latents", "noisy_images", "perturbed", "perturbed_data"),
)
NOISES = ("noise", "noises", "eps", "epsilon", "gaussian_noise")
#: what a network answered
PREDICTED = (
    *("model_output", "model_out", "out", "output", "pred", "prediction", "noise_pred"),
    *("pred_noise", "predicted_noise", "eps_pred", "pred_eps", "eps_hat", "epsilon_hat"),
    *("noise_hat", "v_pred", "pred_v", "v_hat"),
)
TIMES = ("t", "time", "times", "timestep", "timesteps", "ts", "t_batch", "vec_t", "t_vec")
#: times by their noise
LEVELS = ("sigma", "sigmas", "noise_level", "noise_levels", "noise_labels")
STEP_SIZES = ("step_size", "stepsize", "dt", "delta_t", "h_step")
#: how many steps
COUNTS = ("n_steps", "num_steps", "nsteps", "n_timesteps", "num_timesteps", "N", "K")
LOG_DENSITIES = (
    *("log_prob", "logprob", "log_p", "logp", "log_density", "logdensity", "logpdf"),
    *("log_prob_fn", "logprob_fn", "log_density_fn", "logdensity_fn", "logp_fn"),
    *("target_log_prob", "target_log_prob_fn"),
)
#: where random numbers come from
RANDOM = frozenset({*GENERATORS, *STATES, *KEYS})


def role_of(name: str, roles: Mapping[str, tuple[str, ...]]) -> str | None:
    """The first role that is called so; capitals count where a name is one letter, ``T`` is no
    time.

    >>> role_of("X_Start", {"x": ("sample",), "x0": DATA}), role_of("colour", {"x0": DATA})
    ('x0', None)
    >>> role_of("T", {"t": TIMES}), role_of("T", {"t": TIMES, "t_max": ("T",)})
    (None, 't_max')
    """
    bare = name.strip("_")
    for spelled in (name, bare, bare.lower() if len(bare) > 1 else bare):
        for role, names in roles.items():
            if spelled == role or spelled in names:
                return role
    return None
