"""k-diffusion: its lists of σ against their formulas, its samplers as they are, and its wrappers of
a network.
"""

from __future__ import annotations

from functools import partial

import torch
from absent import absent
from report import judge, not_judged

absent("accelerate", "cleanfid", "clip", "dctorch", "jsonmerge", "kornia", "skimage")
absent("torchvision", "wandb")

from k_diffusion import sampling  # noqa: E402
from k_diffusion.external import DiscreteEpsDDPMDenoiser, VDenoiser  # noqa: E402
from k_diffusion.layers import Denoiser  # noqa: E402

from scoreproof import GaussianMixture, check_denoiser, check_sampler, check_schedule  # noqa: E402

#: the order that the sampler's paper promises for the law, None where it promises none
ORDERS = {
    "sample_euler": 1,
    "sample_heun": 2,
    "sample_dpm_2": 2,
    "sample_lms": None,
    "sample_dpmpp_2m": 2,
    "sample_euler_ancestral": None,
    "sample_dpm_2_ancestral": None,
    "sample_dpmpp_2s_ancestral": None,
}
BROWNIAN = ("sample_dpmpp_sde", "sample_dpmpp_2m_sde", "sample_dpmpp_3m_sde")
LISTS = {
    "get_sigmas_karras": ("karras", {"rho": 7.0}),
    "get_sigmas_exponential": ("exponential", {}),
    "get_sigmas_polyexponential": ("polyexponential", {"rho": 1.0}),
}
GAUSSIAN = GaussianMixture.gaussian([0.3, -0.2], [[0.5, 0.1], [0.1, 0.25]])


class Exact(torch.nn.Module):
    """What ``Denoiser`` or ``VDenoiser`` wants of the network inside, for Gaussian data: F or v."""

    def __init__(self, level, output) -> None:
        super().__init__()
        self.level, self.output = level, output

    def forward(self, scaled, told):
        sigma = self.level(told).reshape(-1, 1)
        mean = torch.tensor(GAUSSIAN.mean(), dtype=torch.float64)
        cov = torch.tensor(GAUSSIAN.covariance(), dtype=torch.float64)
        return self.output(scaled, sigma, mean, cov)


def denoised(x, sigma, mean, cov):
    noisy = cov + sigma[0] ** 2 * torch.eye(2, dtype=torch.float64)
    return mean + (x - mean) @ torch.linalg.solve(noisy, cov)


def f_of_edm(scaled, sigma, mean, cov):
    data = 0.5
    total = (sigma**2 + data**2) ** 0.5
    x = scaled * total
    skip, out = data**2 / total**2, sigma * data / total
    return (denoised(x, sigma, mean, cov) - skip * x) / out


def v_of_vp(scaled, sigma, mean, cov):
    total = (1 + sigma**2) ** 0.5
    x = scaled * total
    # v = α ε - σ x₀ with α = 1/total, σ/total, and ε = (x - x₀)/σ
    clean = denoised(x, sigma, mean, cov)
    return ((x - clean) / sigma - sigma * clean) / total


def eps_of_vp(scaled, sigma, mean, cov):
    x = scaled * (1 + sigma**2) ** 0.5
    return (x - denoised(x, sigma, mean, cov)) / sigma


def denoiser(wrapper, sigma: float):
    return check_denoiser(
        lambda y: wrapper(y, sigma * torch.ones(len(y), dtype=y.dtype)),
        GAUSSIAN,
        sigma**2,
        framework="torch",
    )


def run() -> None:
    for name, (form, options) in LISTS.items():
        sigmas = getattr(sampling, name)(20, 0.03, 15.0)
        judge(
            "k-diffusion",
            f"{name}(20, 0.03, 15)",
            "schedule",
            lambda s=sigmas, f=form, o=options: check_schedule(sigmas=s, form=f, form_options=o),
        )
    judge(
        "k-diffusion",
        "get_sigmas_vp(20)",
        "schedule",
        lambda: check_schedule(sigmas=sampling.get_sigmas_vp(20)),
    )
    for name, order in ORDERS.items():
        judge(
            "k-diffusion",
            f"{name}" + (f", order {order}" if order else ""),
            "sampler and order" if order else "sampler",
            lambda n=name, o=order: check_sampler(
                getattr(sampling, n), framework="torch", options={"disable": True}, order=o
            ),
        )
    for name in BROWNIAN:
        judge(
            "k-diffusion",
            f"{name}, with its Brownian tree",
            "sampler",
            lambda n=name: check_sampler(
                getattr(sampling, n), framework="torch", options={"disable": True}
            ),
        )
    judge(
        "k-diffusion",
        "sample_dpmpp_2m_sde(solver_type='heun'), with its Brownian tree",
        "sampler",
        lambda: check_sampler(
            sampling.sample_dpmpp_2m_sde,
            framework="torch",
            options={"disable": True, "solver_type": "heun"},
        ),
    )
    judge(
        "k-diffusion",
        "sample_lms(order=4), 80 levels, order 4",
        "order",
        lambda: check_sampler(
            sampling.sample_lms,
            framework="torch",
            options={"disable": True},
            times=[float(s) for s in sampling.get_sigmas_karras(80, 0.03, 15.0)],
            order=4,
        ),
        reading="order=4 is that of the formula with four values of the past; the first three"
        " steps have fewer, and what they err stays",
        minimal="k_diffusion_lms",
    )
    edm = Denoiser(Exact(lambda told: told, f_of_edm), sigma_data=0.5)
    vp = VDenoiser(Exact(lambda told: torch.tan(told * torch.pi / 2), v_of_vp))
    bar = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), 0)
    sigmas = ((1 - bar) / bar).sqrt()
    ddpm = DiscreteEpsDDPMDenoiser(Exact(lambda told: sigmas[told.long()], eps_of_vp), bar, True)
    wrappers = {
        "Denoiser(sigma_data=0.5)": (edm, 0.7),
        "VDenoiser": (vp, 0.7),
        "DiscreteEpsDDPMDenoiser(quantize=True)": (ddpm, float(sigmas[300])),
    }
    for name, (wrapper, sigma) in wrappers.items():
        judge(
            "k-diffusion",
            f"{name} around an exact network, σ = {sigma:.2g}",
            "denoiser",
            partial(denoiser, wrapper, sigma),
        )
    for name in ("sample_dpm_fast", "sample_dpm_adaptive"):
        not_judged(
            "k-diffusion",
            name,
            "sampler",
            "it takes sigma_min and sigma_max and chooses its own levels; check_sampler wants a"
            " grid, and the law after every step of it",
        )
    not_judged(
        "k-diffusion",
        "log_likelihood",
        "likelihood",
        "no public check takes log p itself without its gradient in parameters",
    )


if __name__ == "__main__":
    run()
