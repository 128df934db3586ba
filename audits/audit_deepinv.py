"""deepinv: its diffusion SDEs against their own scale and σ, its solvers on them, and its
closed-form denoiser.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch
from absent import absent
from report import judge, not_judged

absent("torchvision", "torchmetrics")

from deepinv.models import MMSE  # noqa: E402
from deepinv.sampling import (  # noqa: E402
    EulerSolver,
    HeunSolver,
    VarianceExplodingDiffusion,
    VariancePreservingDiffusion,
)
from deepinv.sampling.diffusion_sde import FlowMatching  # noqa: E402
from deepinv.sampling.sde_solver import AncestralSolver, DDIMSolver, DDPMSolver  # noqa: E402

from scoreproof import check_backward, check_denoiser, check_marginals, check_sampler  # noqa: E402

SHAPE = (1, 2, 2)
SDES = {
    "VariancePreservingDiffusion": (VariancePreservingDiffusion, 1.0, 0.05),
    "VariancePreservingDiffusion(scaled_linear=True)": (
        lambda **more: VariancePreservingDiffusion(scaled_linear=True, **more),
        1.0,
        0.05,
    ),
    "VarianceExplodingDiffusion": (VarianceExplodingDiffusion, 1.0, 0.05),
    "FlowMatching": (FlowMatching, 0.98, 0.05),
}
#: of the solvers below, those that are tried on the SDEs after the first
FEW = ("EulerSolver", "HeunSolver", "DDPMSolver")
SOLVERS = {
    "EulerSolver": (EulerSolver, 0.0, 1),
    "EulerSolver, alpha=0.5": (EulerSolver, 0.5, None),
    "HeunSolver": (HeunSolver, 0.0, 2),
    "HeunSolver, alpha=0.5": (HeunSolver, 0.5, None),
    "AncestralSolver, alpha=0.5": (AncestralSolver, 0.5, None),
    "DDPMSolver": (DDPMSolver, 1.0, None),
    "DDIMSolver": (DDIMSolver, 0.0, None),
}


def marginals(sde, horizon: float, reading: str = "literal"):
    return check_marginals(
        lambda x, t: sde.forward_drift(x, t),
        lambda t: sde.forward_diffusion(t),
        lambda x0, t: (sde.scale_t(t) * x0, sde.scale_t(t) * sde.sigma_t(t)),
        horizon=horizon,
        reading=reading,
        framework="torch",
    )


def solved(make, solver, alpha: float, order: float | None, start: float, end: float):
    """`sde.sample` with the solver on the grid; the denoiser inside is the exact one."""
    network = torch.nn.Module()

    def denoiser(x, sigma):
        return network.answer(x, sigma)

    network.forward = denoiser
    sde = make(denoiser=network, alpha=alpha, minus_one_one=False)

    def sample(model, x, times):
        levels = sde.sigma_t(times)

        def answer(scaled, sigma):  # deepinv tells the network σ; the exact one is told t
            t = times[(levels - sigma).abs().argmin()]
            return model(scaled * sde.scale_t(t), t)

        network.answer = answer
        return solver(timesteps=times).sample(sde, x).sample

    process = SimpleNamespace(
        alpha=lambda t: sde.scale_t(t), sigma=lambda t: sde.scale_t(t) * sde.sigma_t(t)
    )
    return check_sampler(
        sample,
        process,
        times=[start + (end - start) * k / 30 for k in range(31)],
        prediction="x0",
        shape=SHAPE,
        framework="torch",
        order=order,
    )


def data() -> np.ndarray:
    return np.random.default_rng(0).random((30, 4))


def closed_form(sigma: float, batches: bool, tolerance: float | None = None, device=None):
    images = torch.tensor(data()).reshape(-1, *SHAPE)
    held = [{"x": part} for part in images.split(7)] if batches else images
    model = MMSE(held, device or torch.device("cpu"), torch.float64)
    return check_denoiser(
        lambda y: model(y.reshape(-1, *SHAPE), sigma).flatten(1),
        data(),
        sigma**2,
        framework="torch",
        tolerance=tolerance,
    )


def closed_form_backward():
    class Loss(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            images = torch.tensor(data()).reshape(-1, *SHAPE)
            self.model = MMSE(images, torch.device("cpu"), torch.float64)

        def forward(self, x):
            return self.model(x, 0.4).pow(2).sum()

    x = torch.tensor(data()[:3] + 0.1).reshape(-1, *SHAPE)
    return check_backward(Loss(), inputs=(x,), framework="torch")


def run() -> None:
    for name, (make, start, end) in SDES.items():
        judge(
            "deepinv",
            f"{name}: forward_drift, forward_diffusion, scale_t, sigma_t",
            "forward process",
            lambda m=make, h=start: marginals(m(), h),
            reading="the data are first blurred by σ_min (the usual convention of the class)",
            minimal="deepinv_variance_exploding",
        )
        for solver, (kind, alpha, order) in SOLVERS.items():
            if solver not in FEW and make is not VariancePreservingDiffusion:
                continue
            judge(
                "deepinv",
                f"{name}, {solver}" + (f", order {order}" if order else ""),
                "sampler and order" if order else "sampler",
                lambda m=make, k=kind, a=alpha, o=order, s=start, e=end: solved(m, k, a, o, s, e),
            )
    judge(
        "deepinv",
        "VarianceExplodingDiffusion, reading='blurred'",
        "forward process",
        lambda: marginals(VarianceExplodingDiffusion(), 1.0, "blurred"),
    )
    for batches in (False, True):
        name = f"MMSE({'batches' if batches else 'tensor'}), σ = 0.4"
        judge(
            "deepinv",
            name,
            "denoiser",
            lambda b=batches: closed_form(0.4, b),
            reading="it divides by 2σ² + 1e-12 where 2σ² is due, a guard against σ = 0: with a"
            " tolerance of 1e-9 it holds, see the next row",
            minimal="deepinv_mmse",
        )
        judge(
            "deepinv",
            f"{name}, tolerance 1e-9",
            "denoiser",
            lambda b=batches: closed_form(0.4, b, 1e-9),
        )
    judge(
        "deepinv",
        "MMSE with its default device='cpu'",
        "denoiser",
        lambda: closed_form(0.4, False, device="cpu"),
    )
    judge("deepinv", "MMSE(tensor): its own backward", "backward", closed_form_backward)
    not_judged(
        "deepinv",
        "PosteriorDiffusion, DPS, DiffPIR, DDRM",
        "sampler",
        "samplers of a posterior given a measurement, approximate by intent; check_sampler knows"
        " the law of a forward process only",
    )
    not_judged(
        "deepinv",
        "ULA, SKRock",
        "sampler",
        "Langevin chains at one level: they keep one law; no public check takes one",
    )


if __name__ == "__main__":
    run()
