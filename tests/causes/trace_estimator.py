"""Wrong estimators of a divergence, as they stand in people's flows and score models."""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes._traces import exact_jacobian, jvp
from scoreproof import Evidence, check_trace_estimator


@wrong(
    "the sum over k probes is not divided by their number",
    says=r"factor 5\b|5 times|number of (draws|probes)",
)
def probes_not_averaged() -> Evidence:
    rng = np.random.default_rng(1)

    def jacobian_trace(f, z, steps=5):
        trace = np.zeros(len(z))
        for _ in range(steps):
            projector = rng.choice([-1.0, 1.0], z.shape)
            trace += (projector * jvp(f, z, projector)).sum(axis=1)
        return trace

    return check_trace_estimator(jacobian_trace)


@wrong("ν uniform on [-1, 1]", says=r"uniform|variance of ν is 1/3|E\[νν.*1/3")
def uniform_noise() -> Evidence:
    rng = np.random.default_rng(2)

    def divergence(f, z):
        eps = rng.uniform(-1, 1, z.shape)
        return np.einsum("nd,nd->n", eps, jvp(f, z, eps))

    return check_trace_estimator(divergence)


@wrong(
    "ν of zeros and ones for a Rademacher ν", says=r"0 (and|or) 1|\{0, 1\}|mean of ν|zeros and ones"
)
def bits_for_signs() -> Evidence:
    rng = np.random.default_rng(3)

    def hutchinson(f, z):
        e = rng.integers(0, 2, size=z.shape).astype(float)
        return (e * jvp(f, z, e)).sum(-1)

    return check_trace_estimator(hutchinson)


@wrong(
    "a comparison used as signs: (randn < 0) without * 2 - 1",
    says=r"0 (and|or) 1|\{0, 1\}|zeros and ones",
    needs="torch",
)
def mask_for_signs() -> Evidence:
    import torch

    torch.manual_seed(0)

    def compute_div(f, x):
        z = (torch.randn_like(x) < 0).to(x.dtype)
        with torch.enable_grad():
            x = x.detach().requires_grad_(True)
            g = torch.autograd.grad((f(x) * z).sum(), x)[0]
        return (g * z).sum(dim=1)

    return check_trace_estimator(compute_div, framework="torch")


@wrong(
    "it draws its own ν and ignores the one given",
    says=r"does not use the ν|ignores? the ν|ν.*ignored",
    needs="torch",
)
def own_noise() -> Evidence:
    import torch

    def approx_div(f, x, e):
        e = torch.randn_like(x)
        x = x.requires_grad_(True)
        e_dzdx = torch.autograd.grad(f(x), x, e)[0]
        return (e_dzdx * e).sum(1)

    return check_trace_estimator(approx_div, framework="torch")


@wrong(
    "a ν cached by the module at the first call is used for ever",
    says=r"does not use the ν|ignores? the ν|ν.*ignored|ν of an earlier call",
)
def stale_noise() -> Evidence:
    class ODEFunc:
        def __init__(self):
            self._e = {}

        def __call__(self, f, y, e):
            e = self._e.setdefault(y.shape, e)  # before_odeint() forgotten
            return (e * jvp(f, y, e)).sum(axis=1)

    return check_trace_estimator(ODEFunc())


@wrong("one ν for all rows of the batch", says=r"ν of the first row|one ν for all rows|share one ν")
def one_noise_for_the_batch() -> Evidence:
    def estimator(f, z, nu):
        v = np.broadcast_to(nu[0], z.shape)
        return (v * jvp(f, z, v)).sum(axis=1)

    return check_trace_estimator(estimator)


@wrong("one ν drawn with shape (1, D)", says=r"share one ν|one ν for each row")
def drawn_once_for_the_batch() -> Evidence:
    rng = np.random.default_rng(4)

    def estimator(f, z):
        v = np.repeat(rng.standard_normal((1, z.shape[1])), len(z), axis=0)
        return (v * jvp(f, z, v)).sum(axis=1)

    return check_trace_estimator(estimator)


@wrong(
    "the mean over the coordinates for their sum",
    says=r"average over the (dimensions|coordinates)|1/D",
    needs="torch",
)
def mean_over_coordinates() -> Evidence:
    import torch

    def divergence_approx(f, y, e):
        _, jv = torch.func.jvp(f, (y,), (e,))
        return (jv * e).view(y.shape[0], -1).mean(dim=1)

    return check_trace_estimator(divergence_approx, framework="torch")


@wrong(
    "the sum over the whole batch for every row",
    says=r"rows? .*(summed|added up|sum of)|sum over the (rows|batch)",
)
def sum_over_the_batch() -> Evidence:
    def estimator(f, z, nu):
        return np.full(len(z), (nu * jvp(f, z, nu)).sum())

    return check_trace_estimator(estimator)


@wrong(
    "a difference that is not divided by its step",
    says=r"h = 0\.001|factor 0\.001|divided by (the|its|that) step|difference.*divided|not divided",
)
def difference_not_divided() -> Evidence:
    def estimator(f, z, nu, eps=1e-3):
        return (nu * (f(z + eps * nu) - f(z - eps * nu)) / 2).sum(axis=1)

    return check_trace_estimator(estimator, tolerance=0.05)


@wrong("a central difference divided by h, not by 2h", says=r"\b2h\b|2 h\b|factor 2|twice|2 νᵀJν")
def central_over_h() -> Evidence:
    def estimator(f, z, nu, h=1e-5):
        return (nu * (f(z + h * nu) - f(z - h * nu)) / h).sum(axis=1)

    return check_trace_estimator(estimator, tolerance=0.01)


@wrong("a forward difference divided by 2h", says=r"\b2h\b|factor (1/2|0\.5)|half")
def forward_over_2h() -> Evidence:
    def div_fn(f, z, nu):
        h = 1e-4
        return np.sum(nu * (f(z + h * nu) - f(z)), -1) / (2 * h)

    return check_trace_estimator(div_fn, tolerance=0.02)


@wrong("a forward difference with too long a step", says=r"differences?")
def long_forward_difference() -> Evidence:
    def div_fn(f, z, nu):
        h = 1e-3
        return np.sum(nu * (f(z + h * nu) - f(z)), -1) / h

    return check_trace_estimator(div_fn)


@wrong(
    "only the first coordinate",
    says=r"first coordinate|coordinate 0 (only|alone)|coordinates? .*left out",
)
def first_coordinate_only() -> Evidence:
    def estimator(f, z, nu):
        return nu[:, 0] * jvp(f, z, nu)[:, 0]

    return check_trace_estimator(estimator)


@wrong("the last coordinate is left out of the loop", says=r"last coordinate")
def loop_one_short() -> Evidence:
    def divergence_bf(f, z, nu):
        total = 0.0
        for i in range(z.shape[1] - 1):
            e = np.zeros_like(z)
            e[:, i] = 1
            total = total + jvp(f, z, e)[:, i]
        return total

    return check_trace_estimator(divergence_bf)


@wrong("the absolute value", says=r"absolute value")
def absolute_value() -> Evidence:
    return check_trace_estimator(lambda f, z, nu: np.abs((nu * jvp(f, z, nu)).sum(axis=1)))


@wrong("minus the divergence is returned (as d log p/dt)", says=r"sign|-νᵀJν|negat")
def minus_sign() -> Evidence:
    return check_trace_estimator(lambda f, z, nu: -(nu * jvp(f, z, nu)).sum(axis=1))


@wrong(
    "ν on the unit sphere, the factor D missing",
    says=r"unit (length|sphere)|length 1|1/\|ν\|²|divided by \|ν\|",
)
def unit_sphere() -> Evidence:
    def estimator(f, z, nu):
        v = nu / np.linalg.norm(nu, axis=1, keepdims=True)
        return (v * jvp(f, z, v)).sum(axis=1)

    return check_trace_estimator(estimator)


@wrong(
    "own ν on the unit sphere, the factor D missing",
    says=r"unit (length|sphere)|length 1|1/D|average over",
)
def own_unit_sphere() -> Evidence:
    rng = np.random.default_rng(5)

    def estimator(f, z):
        v = rng.standard_normal(z.shape)
        v /= np.sqrt((v * v).sum(axis=1, keepdims=True))
        return (v * jvp(f, z, v)).sum(axis=1)

    return check_trace_estimator(estimator)


@wrong("all entries of J summed: grad of f.sum(), no ν", says=r"all entries of J|off-diagonal")
def all_entries() -> Evidence:
    return check_trace_estimator(lambda f, z, nu: exact_jacobian(f, z).sum(axis=(1, 2)))


@wrong("the last ν is missing", says=r"νᵀJ was summed .*not multiplied by ν", needs="torch")
def vjp_summed() -> Evidence:
    import torch

    def estimator(f, x, v):
        x = x.clone().requires_grad_(True)
        return torch.autograd.grad((f(x) * v).sum(), x)[0].sum(dim=-1)

    return check_trace_estimator(estimator, framework="torch")


@wrong(
    "another ν on the left than on the right",
    says=r"(two|another|different|independent) (ν|draws?)|ν.*(drawn twice|redrawn)",
)
def two_draws() -> Evidence:
    rng = np.random.default_rng(6)

    def estimator(f, z):
        return (rng.standard_normal(z.shape) * jvp(f, z, rng.standard_normal(z.shape))).sum(axis=1)

    return check_trace_estimator(estimator)


@wrong(
    "the trace of I + J, the step of a residual network",
    says=r"I \+ J|identity|\|ν\|² (is added|too much)",
)
def residual_step() -> Evidence:
    def estimator(f, z, nu):
        def block(y):
            return y + f(y)

        return (nu * jvp(block, z, nu)).sum(axis=1)

    return check_trace_estimator(estimator)


@wrong("the exact trace of J + Jᵀ, not halved", says=r"factor 2|twice|2 tr J|doubled")
def symmetric_part_doubled() -> Evidence:
    def estimator(f, z, nu):
        jac = exact_jacobian(f, z)
        return np.trace(jac + np.swapaxes(jac, 1, 2), axis1=1, axis2=2)

    return check_trace_estimator(estimator)
