"""torchsde: the law of sdeint on a linear SDE with injected Brownian increments, and sdeint_adjoint
on the FFJORD objective (g = 0).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
import torchsde
from common import judged, measured
from flow import PARAMS, ROWS
from torch_flow import Augmented, field, log_normal
from torchsde import BaseBrownian
from torchsde._core import methods as solvers

from scoreproof import check_log_likelihood_gradient, check_reverse_sampler
from scoreproof.objects.linear_sde import LinearSDE

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
P = "torchsde"
RATE, NOISE, MEAN, VAR = 1.3, 0.8, 0.4, 0.3


class Injected(BaseBrownian):
    """Brownian increments that the audit chooses: in step k, W = √h a_k and U = ∫ (W_s - W_t) ds =
    h^1.5 (a_k / 2 + b_k / √12).
    """

    def __init__(self, a: np.ndarray, b: np.ndarray, h: float) -> None:
        self.a, self.b, self.h = torch.tensor(a), torch.tensor(b), h

    def __call__(
        self, ta: Any, tb: Any = None, return_U: bool = False, return_A: bool = False
    ) -> Any:
        k = int(round(float(ta) / self.h))
        if abs(float(tb) - float(ta) - self.h) > 1e-9:
            raise RuntimeError("the solver asked for a part of a step")
        w = self.h**0.5 * self.a[k]
        return (w, self.h**1.5 * (self.a[k] / 2 + self.b[k] / 12**0.5)) if return_U else w

    def __repr__(self) -> str:
        return "Injected"

    dtype, device = torch.float64, torch.device("cpu")
    shape = property(lambda self: tuple(self.a.shape[1:]))
    levy_area_approximation = "space-time"


class Linear(torch.nn.Module):
    """dX = -1.3 X dt + 0.8 dW; additive noise, so Itô and Stratonovich agree."""

    def __init__(self, noise_type: str, sde_type: str) -> None:
        super().__init__()
        self.noise_type, self.sde_type = noise_type, sde_type

    def f(self, t: Any, y: torch.Tensor) -> torch.Tensor:
        return -RATE * y

    def g(self, t: Any, y: torch.Tensor) -> torch.Tensor:
        g = torch.full_like(y, NOISE)
        return g if self.noise_type == "diagonal" else g.unsqueeze(-1)


def law(method: str, sde: Any, n: int) -> tuple[float, float]:
    """Mean and variance at t = 1 from N(0.4, 0.3): the map is affine, so one batch with unit draws
    gives them exactly.
    """
    rows = 2 * n + 2
    x = np.full((rows, 1), MEAN)
    x[1] += 1.0
    a, b = np.zeros((n, rows, 1)), np.zeros((n, rows, 1))
    for k in range(n):
        a[k, 2 + k], b[k, 2 + n + k] = 1.0, 1.0
    with torch.no_grad():
        span = torch.tensor([0.0, 1.0], dtype=torch.float64)
        y = torchsde.sdeint(
            sde, torch.tensor(x), span, bm=Injected(a, b, 1 / n), method=method, dt=1 / n
        )
    z = y[-1].numpy().ravel()
    return float(z[0]), float((z[1] - z[0]) ** 2 * VAR + np.sum((z[2:] - z[0]) ** 2))


def audit_law() -> None:
    right = (
        MEAN * np.exp(-RATE),
        VAR * np.exp(-2 * RATE) + NOISE**2 * -np.expm1(-2 * RATE) / (2 * RATE),
    )
    counts = (16, 32, 64, 128)
    cases = [
        ("euler", "additive", "ito"),
        ("milstein", "diagonal", "ito"),
        ("srk", "additive", "ito"),
        ("srk", "diagonal", "ito"),
    ]
    cases += [
        (method, "additive", "stratonovich")
        for method in ("heun", "midpoint", "euler_heun", "reversible_heun")
    ]
    for method, noise_type, sde_type in cases:
        sde = Linear(noise_type, sde_type)
        errors = []
        for n in counts:
            mean, var = law(method, sde, n)
            errors.append(
                max(abs(mean - right[0]) / right[1] ** 0.5, abs(var - right[1]) / right[1])
            )
        order = float(np.log2(errors[-2] / errors[-1]))
        solver = solvers.select(method=method, sde_type=sde_type)
        probe = solver(
            sde=torchsde._core.base_sde.ForwardSDE(sde),
            bm=Injected(np.zeros((1, 1, 1)), np.zeros((1, 1, 1)), 1.0),
            dt=1.0,
            adaptive=False,
            rtol=1e-5,
            atol=1e-4,
            dt_min=1e-5,
            options={},
        )
        declared = float(probe.weak_order)
        measured(
            P,
            f"sdeint(method={method!r}, noise_type={noise_type!r}, sde_type={sde_type!r})",
            "dX = -1.3 X dt + 0.8 dW, injected increments: the law at t = 1 converges at the"
            f" solver's weak_order {declared:g}; error: by how much the order falls short",
            max(0.0, declared - order),
            0.2,
            "error of mean and variance: "
            + ", ".join(f"{e:.1g} (n = {n})" for n, e in zip(counts, errors, strict=True))
            + f"; order {order:.2f}",
        )


def audit_family() -> None:
    """One sdeint step of the reverse-time SDEs, as a sampler is written with torchsde: time s =
    t_max - t runs forward.
    """
    process = LinearSDE(-RATE, 0.0, NOISE, dimension=1)
    for method, sde_type in (("euler", "ito"), ("midpoint", "stratonovich")):

        def step(
            x: Any,
            t: Any,
            t_next: Any,
            noise: Any,
            model: Any,
            lam: Any,
            method: str = method,
            sde_type: str = sde_type,
        ) -> torch.Tensor:
            h, start, lam = float(t) - float(t_next), float(t), float(lam)

            class Reverse(torch.nn.Module):
                noise_type = "additive"

                def __init__(self) -> None:
                    super().__init__()
                    self.sde_type = sde_type

                def f(self, s: Any, y: torch.Tensor) -> torch.Tensor:
                    return RATE * y + (1 - lam / 2) * NOISE**2 * model(y, start - float(s))

                def g(self, s: Any, y: torch.Tensor) -> torch.Tensor:
                    return torch.full_like(y, (1 - lam) ** 0.5 * NOISE).unsqueeze(-1)

            bm = Injected(noise.numpy()[None], 0 * noise.numpy()[None], h)
            return torchsde.sdeint(
                Reverse(),
                x,
                torch.tensor([0.0, h], dtype=torch.float64),
                bm=bm,
                method=method,
                dt=h,
            )[-1]

        evidence = check_reverse_sampler(
            step, process, (-1.0, 0.0, 0.5, 1.0), form="step", framework="torch"
        )
        judged(
            P,
            f"sdeint(method={method!r}), one step",
            "the reverse-time SDEs of dX = -1.3 X dt + 0.8 dW for λ = -1, 0, 0.5, 1 keep the"
            " marginals",
            evidence,
        )


class FlowAsSDE(Augmented):
    """The FFJORD dynamics as an SDE with g = 0, in the time t = 1 - s."""

    noise_type = "diagonal"

    def __init__(self, params: torch.Tensor, nu: torch.Tensor, sde_type: str) -> None:
        super().__init__(params, nu)
        self.sde_type = sde_type

    def f(self, t: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return -self.forward(1 - t, y)

    def g(self, t: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return 0 * y


def audit_flow() -> None:
    for method, adjoint_method, sde_type, order in (
        ("midpoint", "midpoint", "stratonovich", 2),
        ("heun", "heun", "stratonovich", 2),
        ("reversible_heun", "adjoint_reversible_heun", "stratonovich", 2),
        ("euler", "euler", "ito", 1),
    ):

        def gradient(
            x: torch.Tensor,
            params: torch.Tensor,
            nu: torch.Tensor,
            tol: float,
            method: str = method,
            adjoint_method: str = adjoint_method,
            sde_type: str = sde_type,
            order: int = order,
        ) -> torch.Tensor:
            sde = FlowAsSDE(params, nu, sde_type)
            steps = int(np.ceil(2 * tol ** (-1 / order)))
            start = torch.cat([x, torch.zeros(len(x), 1, dtype=x.dtype)], dim=1)
            end = torchsde.sdeint_adjoint(
                sde,
                start,
                torch.tensor([0.0, 1.0], dtype=x.dtype),
                method=method,
                adjoint_method=adjoint_method,
                dt=1 / steps,
            )[-1]
            (log_normal(end[:, :-1]) - end[:, -1]).sum().backward()
            return sde.params.grad

        falling = (1e-2, 1e-3, 1e-4) if order == 2 else (0.01, 0.003, 0.001)
        evidence = check_log_likelihood_gradient(
            field, PARAMS, ROWS, gradient, tolerances=falling, framework="torch"
        )
        curve = evidence.curves.get("error")
        errors = (
            "; errors " + ", ".join(f"{e:.1g} at {t:g}" for t, e in zip(*curve, strict=True))
            if curve
            else ""
        )
        judged(
            P,
            f"sdeint_adjoint(method={method!r}, adjoint_method={adjoint_method!r}), g = 0",
            f"the gradient of the FFJORD log-likelihood at a fixed ν as dt = tol^(1/{order}) / 2"
            f" goes to 0{errors}",
            evidence,
        )


if __name__ == "__main__":
    audit_law()
    audit_family()
    audit_flow()
