"""Steps as members of the λ-family, in double precision, between any two times of a continuous
schedule.
"""

from __future__ import annotations

from typing import Any

import diffusers
import numpy as np
import torch
from common import judged, measured
from diffusers_chains import ATOM, P, chain, law_error, make, with_noise

from scoreproof import check_reverse_sampler


class VP:
    """dX = -β/2 X dt + √β dW, β = 0.1 + 19.9 t (Song et al. 2021)."""

    horizon = 1.0

    def total(self, t: float) -> float:
        return 0.1 * t + 9.95 * t * t

    def drift(self, x: np.ndarray, t: float) -> np.ndarray:
        return -0.5 * (0.1 + 19.9 * t) * x

    def diffusion(self, t: float) -> float:
        return (0.1 + 19.9 * t) ** 0.5

    def alpha(self, t: float) -> float:
        return float(np.exp(-0.5 * self.total(t)))

    def sigma(self, t: float) -> float:
        return float(np.sqrt(-np.expm1(-self.total(t))))


class VE:
    """dX = √(2t) dW: σ = t (Karras et al. 2022)."""

    horizon = 2.0

    def drift(self, x: np.ndarray, t: float) -> np.ndarray:
        return 0 * x

    def diffusion(self, t: float) -> float:
        return (2 * t) ** 0.5

    def alpha(self, t: float) -> float:
        return 1.0

    def sigma(self, t: float) -> float:
        return float(t)


class FlowMatching:
    """X = (1 - t) X_0 + t Z: f = -x / (1 - t), g² = 2 t / (1 - t)."""

    horizon = 1.0

    def drift(self, x: np.ndarray, t: float) -> np.ndarray:
        return -x / (1 - t)

    def diffusion(self, t: float) -> float:
        return (2 * t / (1 - t)) ** 0.5

    def alpha(self, t: float) -> float:
        return 1.0 - t

    def sigma(self, t: float) -> float:
        return float(t)


def two_levels(name: str, process: Any, t: float, t_next: float, **more: Any) -> Any:
    """A scheduler whose two training levels are t_next and t, ᾱ in double precision."""
    a0, a1 = process.alpha(t_next) ** 2, process.alpha(t) ** 2
    scheduler = make(name, num_train_timesteps=2, trained_betas=[1 - a0, 1 - a1 / a0], **more)
    scheduler.set_timesteps(2)
    scheduler.alphas_cumprod = torch.tensor([a0, a1], dtype=torch.float64)
    return scheduler


def sigma_pair(name: str, sigmas: list[float], **more: Any) -> Any:
    """A scheduler whose inference grid is these noise levels, in double precision."""
    scheduler = make(name, **more)
    scheduler.set_timesteps(len(sigmas))
    scheduler.sigmas = torch.tensor([*sigmas, 0.0], dtype=torch.float64)
    scheduler.is_scale_input_called = True
    return scheduler


def audit_family() -> None:
    vp, ve = VP(), VE()

    def ddim(x, t, t_next, noise, model, eta):
        s = two_levels("DDIMScheduler", vp, float(t), float(t_next), timestep_spacing="leading")
        return with_noise(s, noise, model(x, t), 1, x, eta=float(eta))

    evidence = check_reverse_sampler(
        ddim, vp, (0.0, 0.5, 1.0), form="step", prediction="eps", parameter="eta", framework="torch"
    )
    judged(
        P,
        "DDIMScheduler(clip_sample=False).step",
        "a member of the λ-family with λ = 1 - η², for η = 1, 0.71, 0 (in double precision)",
        evidence,
    )

    for kind in ("fixed_small", "fixed_large"):

        def ddpm(x, t, t_next, noise, model, kind=kind):
            s = two_levels(
                "DDPMScheduler",
                vp,
                float(t),
                float(t_next),
                variance_type=kind,
                timestep_spacing="leading",
            )
            return with_noise(s, noise, model(x, t), 1, x)

        evidence = check_reverse_sampler(
            ddpm, vp, (0.0,), form="step", prediction="eps", framework="torch"
        )
        judged(
            P,
            f"DDPMScheduler(clip_sample=False, variance_type={kind!r}).step",
            "the member λ = 0 of the λ-family (in double precision)",
            evidence,
        )

    for name, lam in (("EulerDiscreteScheduler", 1.0), ("EulerAncestralDiscreteScheduler", 0.0)):

        def euler(x, t, t_next, noise, model, name=name):
            s = sigma_pair(name, [float(t), float(t_next)])
            return with_noise(s, noise, model(x, t), s.timesteps[0], x)

        evidence = check_reverse_sampler(
            euler, ve, (lam,), form="step", prediction="eps", framework="torch"
        )
        judged(
            P,
            f"{name}().step",
            f"the member λ = {lam:g} of the λ-family of dX = √(2t) dW (in double precision)",
            evidence,
        )

    for algorithm, lam in (("dpmsolver++", 1.0), ("sde-dpmsolver++", 0.0)):

        def dpm(x, t, t_next, noise, model, algorithm=algorithm):
            ratio = [vp.sigma(float(u)) / vp.alpha(float(u)) for u in (t, t_next)]
            s = sigma_pair(
                "DPMSolverMultistepScheduler", ratio, algorithm_type=algorithm, solver_order=1
            )
            return with_noise(s, noise, model(x, t), s.timesteps[0], x)

        evidence = check_reverse_sampler(
            dpm, vp, (lam,), form="step", prediction="eps", framework="torch", times=(0.1, 0.7)
        )
        judged(
            P,
            f"DPMSolverMultistepScheduler({algorithm!r}, solver_order=1).step",
            f"the member λ = {lam:g} of the λ-family (in double precision)",
            evidence,
        )

    def flow(x, t, t_next, noise, model):
        s = diffusers.FlowMatchEulerDiscreteScheduler()
        s.set_timesteps(2)
        s.sigmas = torch.tensor([float(t), float(t_next), 0.0], dtype=torch.float64)
        return with_noise(s, noise, model(x, t), s.timesteps[0], x)

    evidence = check_reverse_sampler(
        flow,
        FlowMatching(),
        (1.0,),
        form="step",
        prediction="velocity",
        framework="torch",
        times=(0.1, 0.8),
    )
    judged(
        P,
        "FlowMatchEulerDiscreteScheduler().step",
        "the member λ = 1 of the λ-family of X = (1-t) X_0 + t Z (in double precision)",
        evidence,
    )

    counts = (10, 100, 1000)
    stds = [
        chain(diffusers.FlowMatchEulerDiscreteScheduler(stochastic_sampling=True), n, 0.4, 0.3).std[
            -1
        ]
        / np.sqrt(0.3)
        for n in counts
    ]
    error, bound, _ = law_error(
        chain(diffusers.FlowMatchEulerDiscreteScheduler(stochastic_sampling=True), 50, ATOM, 0.0),
        ATOM,
        0.0,
    )
    measured(
        P,
        "FlowMatchEulerDiscreteScheduler(stochastic_sampling=True).step",
        "data N(0.4, 0.3), exact velocity: the law at the end has the data's std as steps are added"
        " (allowed: 1 % at 1000 steps)",
        abs(stds[-1] - 1),
        0.01,
        "the std is "
        + ", ".join(f"{s:.3f} (n = {n})" for n, s in zip(counts, stds, strict=True))
        + " of the data's",
        "the step draws fresh noise around the predicted x_0: exact for data at one point"
        f" ({error:.1g} σ, bound {bound:.1g}), hence for a model that returns the one x_0 behind"
        " x_t rather than a mean over several",
    )
