"""add_noise as declared marginals, the start of the chain, and clipping."""

from __future__ import annotations

from typing import Any

import diffusers
import numpy as np
import torch
from common import judged, measured
from diffusers_chains import EPS32, TRAIN, P, levels

from scoreproof import check_marginals


def audit_add_noise() -> None:
    """The noising chain x_k = √(1-β_k) x_{k-1} + √β_k z as an SDE with coefficients constant on
    each (k-1, k].
    """
    for name in ("DDPMScheduler", "DDIMScheduler"):
        for schedule in ("linear", "scaled_linear", "squaredcos_cap_v2"):
            scheduler = getattr(diffusers, name)(beta_schedule=schedule)
            rate = -np.log1p(-scheduler.betas.double().numpy())

            def at(t: float, rate: np.ndarray = rate) -> float:
                return float(rate[min(max(int(np.ceil(t)) - 1, 0), TRAIN - 1)])

            def marginal(
                x0: np.ndarray, t: float, scheduler: Any = scheduler
            ) -> tuple[torch.Tensor, torch.Tensor]:
                if t == 0:
                    return torch.tensor(x0, dtype=torch.float32), torch.zeros(1)
                k = torch.full((len(x0),), int(round(t)) - 1)
                x = torch.tensor(x0, dtype=torch.float32)
                return scheduler.add_noise(x, 0 * x, k), scheduler.add_noise(
                    0 * x, torch.ones_like(x), k
                )

            times = [1.0, 2.0, 3.0, 10.0, 30.0, 100.0, 300.0, 600.0, 900.0, 990.0]
            evidence = check_marginals(
                lambda x, t: -0.5 * at(t) * x,
                lambda t: at(t) ** 0.5,
                marginal,
                times=times,
                breaks=tuple(range(1, TRAIN)),
                max_panels=20000,
            )
            judged(
                P,
                f"{name}(beta_schedule={schedule!r}).add_noise",
                "its marginals against the chain of its own betas, as an SDE constant on each step",
                evidence,
            )


def audit_start() -> None:
    for rescale in (False, True):
        scheduler = diffusers.DDIMScheduler(
            rescale_betas_zero_snr=rescale, timestep_spacing="trailing"
        )
        a, s = levels(scheduler, torch.tensor([TRAIN - 1]))
        error = max(abs(a[0]), abs(s[0] - scheduler.init_noise_sigma))
        measured(
            P,
            f"DDIMScheduler(rescale_betas_zero_snr={rescale})",
            "x_T ~ N(0, init_noise_sigma²) is add_noise's marginal at the last timestep, for data"
            " x_0 = 1",
            error,
            16 * EPS32,
            f"the marginal at timestep 999 is N({a[0]:.3g} x_0, {s[0]:.6f}²), the start N(0,"
            f" {float(scheduler.init_noise_sigma):g}²)",
            "an approximation for data of size 1: what is left of x_0 is the number given;"
            " rescale_betas_zero_snr=True makes it exact",
        )
    for spacing in ("linspace", "leading"):
        scheduler = diffusers.EulerDiscreteScheduler(timestep_spacing=spacing)
        scheduler.set_timesteps(50)
        _, s = levels(scheduler, scheduler.timesteps[:1])
        start = float(scheduler.init_noise_sigma)
        white = float(np.sqrt(s[0] ** 2 + 1))
        error = abs(start / white - 1)
        measured(
            P,
            f"EulerDiscreteScheduler(timestep_spacing={spacing!r})",
            "the start N(0, init_noise_sigma²) has the variance of add_noise's marginal for white"
            " data N(0, 1)",
            error,
            16 * EPS32,
            f"init_noise_sigma = {start:.6g}, add_noise's marginal for white data has std"
            f" {white:.6g}, for data at 0 {s[0]:.6g}",
            "exact for data at 0; for white data too small by the error given",
        )
    # clipping
    box = np.array([-0.9, 0.3, 0.8])
    scheduler = diffusers.DDIMScheduler()
    plain = diffusers.DDIMScheduler(clip_sample=False)
    for data, points in {"data in [-1, 1]": box, "data beyond [-1, 1]": 2 * box}.items():
        gaps = []
        for s in (scheduler, plain):
            s.set_timesteps(50)
        for t in plain.timesteps[:-1]:
            (a,), (sd,) = levels(plain, t[None])
            x = np.linspace(-2.5, 2.5, 21)[:, None] * sd + a * np.repeat(points, 7)[:, None]
            w = np.exp(
                -((x - a * points) ** 2 - ((x - a * points) ** 2).min(axis=1, keepdims=True))
                / (2 * sd**2)
            )
            x0 = (w @ points / w.sum(axis=1))[:, None]
            eps, y = torch.tensor((x - a * x0) / sd), torch.tensor(x)
            gaps.append(
                float(
                    (
                        scheduler.step(eps, t, y, return_dict=False)[0]
                        - plain.step(eps, t, y, return_dict=False)[0]
                    )
                    .abs()
                    .max()
                )
            )
        bound = 64 * EPS32 / float(levels(plain, plain.timesteps[:1])[0][0])
        measured(
            P,
            "DDIMScheduler(clip_sample=True).step",
            f"{data}: with the exact ε clipping changes nothing (largest change of x over 49 steps,"
            " absolute)",
            max(gaps),
            bound,
            f"the default clips the predicted x_0 to [-1, 1]: x changes by at most {max(gaps):.2g}",
            "right for data in [-1, 1], where a posterior mean never leaves the box (see its row);"
            " set clip_sample=False or clip_sample_range otherwise",
        )
