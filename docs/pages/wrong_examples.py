"""The example of each check with one mistake, as people make it: what is replaced by what."""

from __future__ import annotations

import textwrap

from scoreproof.check_examples import EXAMPLES

__all__ = ["MISTAKES", "wrong"]

MISTAKES = {
    "schedule": ("np.cumprod(1 - betas)", "np.exp(-np.cumsum(betas))"),
    "marginals": ("sqrt(1 - exp(-2 * t))", "1 - exp(-2 * t)"),
    "sampler": ("(x - model(x, s)) / s", "(x - model(x, s))"),
    "inversion": ("range(len(rising) - 1)", "range(len(rising) - 2)"),
    "corrector": ("np.sqrt(2 * step_size)", "np.sqrt(step_size)"),
    "reverse_sampler": ("(1 - lam) ** 0.5 * g", "(1 - lam) * g"),
    "denoiser": ("(2 * sigma**2)", "sigma**2"),
    "score": ("(denoised - y) / sigma**2", "(denoised - y) / sigma"),
    "preconditioning": ("sigma * sigma_data / total**0.5", "sigma * sigma_data / total"),
    "loss": ("model(a * x0 + s * noise, t)", "model(a**2 * x0 + s * noise, t)"),
    "variational_bound": ("/ (2 * v)", "/ v"),
    "kl": ("np.exp(logvar)", "np.exp(2 * logvar)"),
    "path_kl": ("0.5 * np.sum(u**2, axis=1)", "np.sum(u**2, axis=1)"),
    "log_likelihood": ("total = total - dt * div", "total = total + dt * div"),
    "log_likelihood_gradient": ("(z0 * z0 - nu**2)", "(z0 * z0 + nu**2)"),
    "normalizing_flow": ("s.sum(axis=1)", "np.exp(s).sum(axis=1)"),
    "trace_estimator": ("(nu * f(z + 1e-30j * nu).imag / 1e-30).sum(axis=1)",
                        "(nu * f(z + 1e-30j * nu).imag / 1e-30).mean(axis=1)"),
    "backward": ("grads[u] = grads[u] + grads[v]", "grads[u] = grads[v]"),
    "fokker_planck": ("v = 1 + np.exp(-2 * t)", "v = 1 + np.exp(-t)"),
}  # fmt: skip


def wrong(name: str) -> str:
    """The text of the check's example with its mistake."""
    right, mistake = MISTAKES[name]
    module = textwrap.dedent(EXAMPLES[name].module).strip("\n")
    assert module.count(right) == 1, f"{name}: {right!r} stands {module.count(right)} times"
    return module.replace(right, mistake)
