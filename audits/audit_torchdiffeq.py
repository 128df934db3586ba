"""torchdiffeq: the gradient of a flow's log-likelihood by `odeint` and `odeint_adjoint`, and its
fixed-step methods as samplers of the probability flow of a VP process.
"""

from __future__ import annotations

import torch
from flow_in_torch import PARAMS, ROWS, field, gradient_by
from report import judge
from torchdiffeq import odeint, odeint_adjoint

from scoreproof import check_log_likelihood_gradient, check_sampler
from scoreproof.objects.schedules import VPLinear

#: fixed-step methods by their order
METHODS = {"euler": 1, "midpoint": 2, "heun2": 2, "heun3": 3, "rk4": 4, "implicit_adams": None}
PROCESS = VPLinear()
#: of high order few steps separate two tolerances, of low order too many do
TOLERANCES = {
    "dopri5": (1e-6, 1e-8, 1e-10),
    "dopri8": (1e-6, 1e-8, 1e-10),
    "adaptive_heun": (1e-4, 1e-6, 1e-8),
    "bosh3": (1e-5, 1e-7, 1e-9),
}


def solver(solve, method: str):
    def run(dynamics, state, times, tol):
        return solve(dynamics, state, times, method=method, rtol=tol, atol=tol)

    return run


def sampler(method: str, order: float | None):
    def sample(model, x, times):
        def flow(t, x):
            beta = 0.1 + 19.9 * t
            return -0.5 * beta * (x + model(x, t))

        return odeint(flow, x, times, method=method)[-1]

    return check_sampler(
        sample,
        PROCESS,
        times=[1 - k / 40 for k in range(39)],
        prediction="score",
        framework="torch",
        order=order,
    )


def run() -> None:
    for solve in (odeint, odeint_adjoint):
        for method in ("dopri5", "dopri8", "adaptive_heun", "bosh3"):
            if method == "adaptive_heun" and solve is odeint:
                continue
            judge(
                "torchdiffeq",
                f"{solve.__name__}(method='{method}'): ∂ log p̂ / ∂θ",
                "likelihood gradient",
                lambda s=solve, m=method: check_log_likelihood_gradient(
                    field,
                    PARAMS,
                    ROWS,
                    gradient_by(solver(s, m)),
                    tolerances=TOLERANCES[m],
                    framework="torch",
                ),
            )
    for method, order in METHODS.items():
        judge(
            "torchdiffeq",
            f"odeint(method='{method}')" + (f", order {order}" if order else ""),
            "sampler and order" if order else "sampler",
            lambda m=method, o=order: sampler(m, o),
        )


if __name__ == "__main__":
    assert torch.get_default_dtype() is torch.float32
    run()
