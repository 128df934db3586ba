"""denoising-diffusion-pytorch: the tables of its GaussianDiffusion, its samplers step by step, the
network wrapper of its ElucidatedDiffusion, and the KL divergence of its loss.
"""

from __future__ import annotations

from types import SimpleNamespace

import torch
from absent import absent
from report import judge, not_judged

absent("torchvision", "accelerate", "ema_pytorch", "pytorch_fid")

from denoising_diffusion_pytorch import (  # noqa: E402
    ContinuousTimeGaussianDiffusion,
    ElucidatedDiffusion,
    GaussianDiffusion,
)
from denoising_diffusion_pytorch.learned_gaussian_diffusion import normal_kl  # noqa: E402
from denoising_diffusion_pytorch.v_param_continuous_time_gaussian_diffusion import (  # noqa: E402
    VParamContinuousTimeGaussianDiffusion,
)

from scoreproof import (  # noqa: E402
    GaussianMixture,
    check_denoiser,
    check_kl,
    check_sampler,
    check_schedule,
)
from scoreproof.objects.discrete import DiscreteVP  # noqa: E402

PROJECT = "denoising-diffusion-pytorch"
SHAPE = (1, 2, 2)
PREDICTIONS = {"pred_noise": "eps", "pred_x0": "x0", "pred_v": "v"}
GAUSSIAN = GaussianMixture.gaussian([0.1, 0.0, -0.2, 0.1], 0.04 * torch.eye(4).numpy() + 0.02)


class Network(torch.nn.Module):
    """The network that the package wants; ``answer(x, t)`` is put in by the audit."""

    channels, out_dim, self_condition, learned_sinusoidal_cond = 1, 1, False, False
    random_or_learned_sinusoidal_cond = False

    def __init__(self, continuous: bool = False) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
        self.random_or_learned_sinusoidal_cond = continuous
        self.answer = None

    def forward(self, x, t, *more):
        return self.answer(x, t)


def discrete(schedule: str, objective: str = "pred_noise", steps: int = 1000, **more):
    return GaussianDiffusion(
        Network(),
        image_size=2,
        timesteps=steps,
        beta_schedule=schedule,
        objective=objective,
        auto_normalize=False,
        **more,
    )


def ancestral(objective: str):
    """`p_sample` in a loop over all timesteps, as `p_sample_loop` has it."""
    diffusion = discrete("linear", objective, 200)

    def sample(model, x, times):
        diffusion.model.answer = lambda x, t: model(x, t)
        for t in times[:-1]:
            x, _ = diffusion.p_sample(x, int(t))
        return x

    return check_sampler(
        sample,
        DiscreteVP(diffusion.betas.double()),
        times=list(range(199, -2, -1)),
        prediction=PREDICTIONS[objective],
        shape=SHAPE,
        framework="torch",
        exact=True,
    )


def continuous(kind, schedule: str, prediction: str, clip: bool):
    diffusion = kind(
        Network(True),
        image_size=2,
        channels=1,
        **({"noise_schedule": schedule} if schedule else {}),
        clip_sample_denoised=clip,
    ).double()

    def noised(x, noise, t):
        at = torch.full((1,), float(t), dtype=torch.float64)
        one = torch.ones(1, 1, 1, 1, dtype=torch.float64)
        return diffusion.q_sample(x * one, at, noise=noise * one)[0].reshape(())

    process = SimpleNamespace(
        alpha=lambda t: noised(1.0, 0.0, t), sigma=lambda t: noised(0.0, 1.0, t)
    )

    def sample(model, x, times):
        for t, t_next in zip(times[:-1], times[1:], strict=True):
            diffusion.model.answer = lambda x, log_snr, t=t: model(x, t)
            x = diffusion.p_sample(x, t, t_next)
        return x

    return check_sampler(
        sample,
        process,
        times=[0.95 - 0.03 * k for k in range(30)],
        prediction=prediction,
        shape=SHAPE,
        framework="torch",
        exact=True,
    )


def elucidated() -> ElucidatedDiffusion:
    return ElucidatedDiffusion(Network(True), image_size=2, channels=1)


def preconditioned(sigma: float):
    """F for Gaussian data inside, E[x₀ | x] outside."""
    edm = elucidated()
    mean, cov = (torch.tensor(v) for v in (GAUSSIAN.mean(), GAUSSIAN.covariance()))

    def network(scaled, c_noise):
        level = (4 * c_noise[0]).exp()
        x = scaled.flatten(1) * (level**2 + 0.25) ** 0.5
        noisy = cov + level**2 * torch.eye(4, dtype=torch.float64)
        clean = mean + (x - mean) @ torch.linalg.solve(noisy, cov)
        skip, out = 0.25 / (level**2 + 0.25), level * 0.5 / (level**2 + 0.25) ** 0.5
        return ((clean - skip * x) / out).reshape(scaled.shape)

    edm.net.answer = network
    levels = torch.full((1,), sigma, dtype=torch.float64)
    return check_denoiser(
        lambda y: edm.preconditioned_network_forward(
            y.reshape(-1, *SHAPE), levels.expand(len(y))
        ).flatten(1),
        GAUSSIAN,
        sigma**2,
        framework="torch",
    )


def kl(mu0, logvar0, mu1, logvar1):
    """The package's, in bits for each coordinate in its loss; here summed, in nats."""
    return normal_kl(mu0, logvar0, mu1, logvar1).sum(1)


def run() -> None:
    for schedule in ("linear", "cosine", "sigmoid"):
        table = discrete(schedule)
        judge(
            PROJECT,
            f"GaussianDiffusion(beta_schedule='{schedule}'): its tables and q_sample",
            "schedule",
            lambda d=table, s=schedule: check_schedule(
                d, form=s if s != "sigmoid" else None, shape=SHAPE
            ),
        )
    for objective in PREDICTIONS:
        judge(
            PROJECT,
            f"GaussianDiffusion(timesteps=200, objective='{objective}').p_sample, exact",
            "sampler",
            lambda o=objective: ancestral(o),
        )
    for kind, schedule, prediction in (
        (ContinuousTimeGaussianDiffusion, "linear", "eps"),
        (ContinuousTimeGaussianDiffusion, "cosine", "eps"),
        (VParamContinuousTimeGaussianDiffusion, "", "v"),
    ):
        for clip in (False, True):
            judge(
                PROJECT,
                f"{kind.__name__}({schedule and repr(schedule) + ', '}clip_sample_denoised={clip})"
                ".p_sample, exact",
                "sampler",
                lambda k=kind, s=schedule, p=prediction, c=clip: continuous(k, s, p, c),
            )
    judge(
        PROJECT,
        "ElucidatedDiffusion.sample_schedule(18)",
        "schedule",
        lambda: check_schedule(
            sigmas=elucidated().sample_schedule(18), form="karras", form_options={"rho": 7.0}
        ),
    )
    judge(
        PROJECT,
        "ElucidatedDiffusion.preconditioned_network_forward around an exact network, σ = 0.7",
        "denoiser",
        lambda: preconditioned(0.7),
    )
    judge(
        PROJECT,
        "learned_gaussian_diffusion.normal_kl",
        "KL",
        lambda: check_kl(kl, form="diagonal", parameterization="logvar", framework="torch"),
    )
    for name in ("GaussianDiffusion.ddim_sample", "ElucidatedDiffusion.sample, sample_using_dpmpp"):
        not_judged(
            PROJECT,
            name,
            "sampler",
            "it draws where it starts itself, and its grid is fixed when it is made:"
            " check_sampler hands x and the grid to the sampler",
        )


if __name__ == "__main__":
    run()
