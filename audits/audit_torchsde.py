"""torchsde: its solvers on the reverse SDE and the probability flow of a VP process, one call of
`sdeint` for each step of the grid, its Brownian path with an entropy of
its own for each step.
"""

from __future__ import annotations

from types import SimpleNamespace

import torch
import torchsde
from report import judge, not_judged

from scoreproof import check_sampler

METHODS = {
    "ito": ("euler", "milstein", "srk"),
    "stratonovich": ("midpoint", "heun", "euler_heun", "reversible_heun"),
}
PROCESS = SimpleNamespace(
    alpha=lambda t: torch.exp(torch.tensor(-0.5 * (0.1 * t + 2.45 * t**2))),
    sigma=lambda t: (-torch.expm1(torch.tensor(-(0.1 * t + 2.45 * t**2)))) ** 0.5,
)


class Reverse(torch.nn.Module):
    """dx of the reverse SDE in τ = 1 - t, β(t) = 0.1 + 4.9 t."""

    noise_type = "diagonal"

    def __init__(self, model, sde_type: str) -> None:
        super().__init__()
        self.model, self.sde_type = model, sde_type

    def f(self, tau, x):
        t = 1 - tau
        return (0.1 + 4.9 * t) * (0.5 * x + self.model(x, t))

    def g(self, tau, x):
        return (0.1 + 4.9 * (1 - tau)) ** 0.5 * torch.ones_like(x)


def sampler(method: str, sde_type: str):
    extra = {"levy_area_approximation": "space-time"} if method == "srk" else {}

    def sample(model, x, times):
        sde = Reverse(model, sde_type)
        for step, (t, t_next) in enumerate(zip(times[:-1], times[1:], strict=True)):
            ends = torch.stack([1 - t, 1 - t_next])
            path = torchsde.BrownianInterval(  # without an entropy it asks NumPy's generator
                ends[0], ends[1], size=x.shape, dtype=x.dtype, entropy=step, **extra
            )
            x = torchsde.sdeint(sde, x, ends, bm=path, method=method, dt=float(t - t_next))[-1]
        return x

    return check_sampler(
        sample,
        PROCESS,
        times=[1 - k / 30 for k in range(29)],
        prediction="score",
        framework="torch",
        shape=(2,),
    )


def run() -> None:
    for sde_type, methods in METHODS.items():
        for method in methods:
            judge(
                "torchsde",
                f"sdeint(method='{method}'), sde_type='{sde_type}'",
                "sampler",
                lambda m=method, s=sde_type: sampler(m, s),
            )
    not_judged(
        "torchsde",
        "sdeint_adjoint",
        "gradient",
        "a gradient along one Brownian path; no public check takes one",
    )


if __name__ == "__main__":
    run()
