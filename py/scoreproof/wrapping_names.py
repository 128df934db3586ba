"""What members and arguments are called in diffusion code, by what the checks call them.

Conventions: as in `wrapping`; the likeliest name first.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ALIASES", "WANTED", "Wanted"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One argument of a check: the ``names`` that code gives it, and the names of the arguments
    that the check calls it with (empty: it is not called, or as the check recognises it). Where
    there is none it gets ``value``, with a ``remark`` for who fills it in.
    """

    names: tuple[str, ...]
    called: tuple[str, ...] = ()
    value: str = "..."
    remark: str = ""


_DRIFT = Wanted(("drift", "forward_drift", "f", "drift_coeff", "drift_fn"), ("x", "t"))
_DIFFUSION = Wanted(
    ("diffusion", "g", "dispersion", "diffusion_coeff", "diffusion_coefficient", "diffusion_fn"),
    ("t",),
)
WANTED: dict[str, dict[str, Wanted]] = {
    "marginals": {
        "drift": _DRIFT,
        "diffusion": _DIFFUSION,
        "marginal": Wanted(
            ("marginal", "marginal_prob", "marginal_params", "mean_std", "perturbation_kernel"),
            ("x0", "t"),
        ),
    },
    "fokker_planck": {
        "drift": _DRIFT,
        "diffusion": _DIFFUSION,
        "log_density": Wanted(("log_density", "log_prob", "logp", "log_p"), ("x", "t")),
    },
    "reverse_sampler": {
        "sampler": Wanted(
            ("drift_and_noise", "reverse_sde", "reverse_step", "step", "p_sample"),
        ),
        "process": Wanted(
            ("process", "schedule", "forward_process"),
            remark="with drift(x, t), diffusion(t), alpha(t), sigma(t)",
        ),
    },
    "inversion": {
        "inverse": Wanted(("invert", "inverse", "ddim_inversion", "encode", "reverse_sample")),
        "sampler": Wanted(("sample", "decode", "sampler", "ddim_sample", "p_sample_loop")),
    },
    "corrector": {
        "corrector": Wanted(
            ("step_correct", "corrector", "langevin", "update_fn", "kernel", "mcmc_step", "step"),
            ("score", "x", "step_size", "rng"),
        )
    },
    "log_likelihood": {
        "log_likelihood": Wanted(
            ("log_likelihood", "log_prob", "likelihood", "compute_likelihood", "nll", "bpd"),
            ("model", "x"),
        )
    },
    "denoiser": {
        "denoiser": Wanted(("denoise", "denoiser", "__call__", "forward")),
        "prior": Wanted(("data", "dataset", "atoms"), remark="your data, one sample a row"),
        "cov": Wanted(
            ("cov", "variance"),
            remark="σ², of a denoiser of one level; of a network of x and a time: schedule=...",
        ),
    },
    "score": {
        "score": Wanted(("score", "score_fn", "score_net", "__call__", "forward")),
        "prior": Wanted(("data", "atoms"), (), "None", "your data, to hold it against ∇ log p"),
        "cov": Wanted(("cov", "variance"), remark="σ², the variance of the noise"),
    },
    "log_likelihood_gradient": {
        "field": Wanted(("field", "ode_func", "vector_field", "velocity"), ("z", "params", "s")),
        "params": Wanted(("params", "theta"), remark="one array (P,), a module or a tree"),
        "x": Wanted(("x", "data"), remark="rows (n, D)"),
        "gradient": Wanted(("gradient", "grad", "log_prob_grad"), ("x", "params", "nu")),
    },
    "path_kl": {
        "path_kl": Wanted(
            ("logqp", "path_kl", "kl_path", "girsanov", "log_girsanov", "log_weight", "logqp_path"),
            ("drift0", "drift1", "diffusion", "x", "t"),
        )
    },
    "kl": {
        "kl": Wanted(("kl", "kl_divergence", "kl_loss", "analytical_kl", "gaussian_kl")),
        "form": Wanted(("form",), remark='"isotropic", "diagonal" or "full"'),
        "parameterization": Wanted(
            ("parameterization",), remark='"std", "variance", "logvar", "logstd", "precision", …'
        ),
        "against": Wanted(("against",), remark='"pair", or "standard" for N(0, I)'),
    },
    "normalizing_flow": {
        "flow": Wanted(("forward_and_log_det", "forward", "f", "transform", "__call__")),
        "inverse": Wanted(
            ("inverse_and_log_det", "inverse", "reverse", "g", "decode"), (), "None", "z -> x"
        ),
    },
    "trace_estimator": {
        "estimator": Wanted(
            ("divergence", "trace", "hutchinson", "trace_estimator", "estimate"), ("f", "z", "nu")
        )
    },
}
#: Other names of the arguments of people's callables, as the checks call them.
ALIASES = {
    "x0": ("x0", "x_0", "x", "x_start", "mean", "x_init", "y0", "x1", "x_data"),
    "x": ("x", "xt", "x_t", "z", "y", "sample", "state"),
    "t": ("t", "time", "timestep", "s", "ts"),
    "z": ("z", "x", "y", "state"),
    "s": ("s", "t", "time"),
    "params": ("params", "theta", "parameters", "p"),
    "nu": ("nu", "eps", "e", "v", "noise", "probe", "eta"),
    "f": ("f", "field", "fn", "func", "drift"),
}
