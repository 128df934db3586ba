"""What ``scoreproof check`` can judge: a line and a small module for each check.

Every module is run by the suite, as ``scoreproof check WHAT module:mine`` runs it.
"""

from __future__ import annotations

import inspect
import textwrap
from dataclasses import dataclass

__all__ = ["EXAMPLES", "NAMES", "Example", "in_one_line", "listed", "manual"]


@dataclass(frozen=True, slots=True)
class Example:
    """``judges``: what is judged against what, in a phrase. ``module``: the text of a Python file
    that has ``mine``, which holds.
    """

    judges: str
    module: str


EXAMPLES = {
    "schedule": Example(
        "tables of β, ᾱ, σ, timesteps, or the object that has them, against one another",
        """
        import numpy as np

        betas = np.linspace(1e-4, 0.02, 1000)
        mine = dict(betas=betas, alphas_cumprod=np.cumprod(1 - betas), form="linear")
        """,
    ),
    "marginals": Example(
        "drift and diffusion against the mean and standard deviation that are declared",
        """
        from math import exp, sqrt

        def drift(x, t):
            return -x

        def diffusion(t):
            return sqrt(2)

        def marginal(x0, t):
            return x0 * exp(-t), sqrt(1 - exp(-2 * t))

        mine = dict(drift=drift, diffusion=diffusion, marginal=marginal)
        """,
    ),
    "sampler": Example(
        "a whole sampler, a step or a scheduler object against the forward process's laws",
        """
        def mine(model, x, sigmas):  # model(x, sigma) is the denoiser
            for s, n in zip(sigmas[:-1], sigmas[1:]):
                x = x + (n - s) * (x - model(x, s)) / s
            return x
        """,
    ),
    "inversion": Example(
        "an inverse and the sampler that leads back: the noise's law, and x as it was",
        """
        def step(model, x, s, n):  # from σ = s to n; model(x, sigma) is the denoiser
            return x + (n - s) * (x - model(x, s)) / s

        def invert(model, x, rising):
            for i in range(len(rising) - 1):
                x = step(model, x, rising[i], rising[i + 1])
            return x

        def sample(model, x, falling):
            for s, n in zip(falling[:-1], falling[1:]):
                x = step(model, x, s, n)
            return x

        mine = dict(inverse=invert, sampler=sample)
        """,
    ),
    "corrector": Example(
        "a Langevin, Gibbs or Metropolis step: does it keep the law that it is made for",
        """
        import numpy as np

        def langevin(score, x, step_size, rng):  # the next x; score(x) is ∇ log p
            noise = rng.standard_normal(x.shape)
            return x + step_size * score(x) + np.sqrt(2 * step_size) * noise

        mine = dict(corrector=langevin, step_size=0.1)
        """,
    ),
    "log_likelihood": Example(
        "log p by an ODE, of a flow, a diffusion model or a CNF, against log p of known laws",
        """
        import numpy as np

        def log_likelihood(velocity, div, x, n_steps):  # data at t = 1, noise at t = 0
            dt, total = 1 / n_steps, 0.0
            for k in range(n_steps):
                t = 1 - (k + 0.5) * dt
                half = x - dt / 2 * velocity(x, t + dt / 2)
                x = x - dt * velocity(half, t)
                total = total - dt * div(half, t)
            return -(x**2).sum(axis=1) / 2 - x.shape[1] / 2 * np.log(2 * np.pi) + total

        mine = dict(log_likelihood=log_likelihood)
        """,
    ),
    "reverse_sampler": Example(
        "the reverse-time drift and noise, or a step, against the λ-family of reverse SDEs",
        """
        from scoreproof.objects.schedules import VPLinear

        process = VPLinear(beta_min=0.1, beta_max=5.0)

        def drift_and_noise(x, t, score, lam):
            g = process.diffusion(t)
            drift = process.drift(x, t) - (1 - lam / 2) * g**2 * score(x, t)
            return drift, (1 - lam) ** 0.5 * g

        mine = dict(sampler=drift_and_noise, process=process)
        """,
    ),
    "denoiser": Example(
        "a denoiser, or a network of images and a time, against the exact posterior mean",
        """
        import numpy as np

        data, sigma = np.random.default_rng(0).standard_normal((200, 8)), 1.5

        def denoiser(y):  # E[x_0 | y] for y = x_0 + N(0, σ² I)
            logits = -((y[:, None] - data) ** 2).sum(axis=2) / (2 * sigma**2)
            weights = np.exp(logits - logits.max(axis=1, keepdims=True))
            return weights @ data / weights.sum(axis=1, keepdims=True)

        mine = dict(denoiser=denoiser, prior=data, cov=sigma**2)
        """,
    ),
    "score": Example(
        "a score network, of any prediction type, against ∇ log p",
        """
        import numpy as np

        data, sigma = np.random.default_rng(0).standard_normal((200, 8)), 1.5

        def score(y):  # ∇ log p of y = x_0 + N(0, σ² I), x_0 one of the data
            logits = -((y[:, None] - data) ** 2).sum(axis=2) / (2 * sigma**2)
            weights = np.exp(logits - logits.max(axis=1, keepdims=True))
            denoised = weights @ data / weights.sum(axis=1, keepdims=True)
            return (denoised - y) / sigma**2

        mine = dict(score=score, prior=data, cov=sigma**2)
        """,
    ),
    "preconditioning": Example(
        "c_skip, c_out, c_in, c_noise around a network against a published form",
        """
        def get_scalings(sigma, sigma_data=0.5):
            total = sigma**2 + sigma_data**2
            return sigma_data**2 / total, sigma * sigma_data / total**0.5, total**-0.5

        mine = dict(precondition=get_scalings, sigma_data=0.5)
        """,
    ),
    "loss": Example(
        "a training loss: whether the exact model is its minimiser, and with which weight",
        """
        import numpy as np

        bar = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))

        def loss(model, x0, t, noise):
            a, s = np.sqrt(bar[t])[:, None], np.sqrt(1 - bar[t])[:, None]
            return np.mean((model(a * x0 + s * noise, t) - noise) ** 2)

        mine = dict(loss=loss, process={"alphas_cumprod": bar}, prediction="eps")
        """,
    ),
    "path_kl": Example(
        "the KL divergence, or the log-weights, of the paths of two SDEs (Girsanov)",
        """
        import numpy as np

        def path_kl(drift0, drift1, diffusion, x0, t, rng):  # KL(P‖Q), an estimate a path
            x, total = x0, 0.0
            for now, then in zip(t[:-1], t[1:]):
                u = (drift0(x, now) - drift1(x, now)) / diffusion(now)
                total = total + 0.5 * np.sum(u**2, axis=1) * (then - now)
                noise = np.sqrt(then - now) * rng.standard_normal(x.shape)
                x = x + drift0(x, now) * (then - now) + diffusion(now) * noise
            return total

        mine = dict(path_kl=path_kl)
        """,
    ),
    "variational_bound": Example(
        "the terms of a variational bound, L_T, L_{t-1}, L_0 or a VAE's, against the exact ones",
        """
        import numpy as np
        from scipy.special import ndtr

        betas = np.linspace(1e-4, 0.02, 1000)
        bar = np.cumprod(1 - betas)
        before = np.append(1.0, bar[:-1])
        variance = betas * (1 - before) / (1 - bar)  # of q(x_{t-1} | x_t, x_0)
        variance[0] = variance[1]

        def vb_terms_bpd(model, x0, x_t, t):  # model(x_t, t) predicts ε
            a, s, v = np.sqrt(bar)[t, None], np.sqrt(1 - bar)[t, None], variance[t, None]
            c0 = (betas * np.sqrt(before) / (1 - bar))[t, None]
            ct = ((1 - before) * np.sqrt(1 - betas) / (1 - bar))[t, None]
            mean = c0 * (x_t - s * model(x_t, t)) / a + ct * x_t
            kl = (c0 * x0 + ct * x_t - mean) ** 2 / (2 * v)
            low = np.where(x0 < -0.999, 0, ndtr((x0 - 1 / 255 - mean) / np.sqrt(v)))
            high = np.where(x0 > 0.999, 1, ndtr((x0 + 1 / 255 - mean) / np.sqrt(v)))
            nats = np.where(t[:, None] == 0, -np.log(np.maximum(high - low, 1e-12)), kl)
            return nats.mean(axis=1) / np.log(2)

        mine = dict(bound=vb_terms_bpd, process=betas)
        """,
    ),
    "kl": Example(
        "the KL divergence of Gaussians, or a VAE's regulariser, against the integral",
        """
        import numpy as np

        def kl(mu, logvar):
            return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)

        mine = dict(kl=kl, form="diagonal", parameterization="logvar", against="standard")
        """,
    ),
    "log_likelihood_gradient": Example(
        "the gradient that a flow's adjoint returns against the solved likelihood's",
        """
        import numpy as np

        def field(z, params, s):
            return params[0] * z

        def gradient(x, params, nu):  # of log p̂ in params, a row for each row of x
            z0 = np.exp(-params[0]) * x
            return (z0 * z0 - nu**2).sum(axis=1, keepdims=True)

        mine = dict(field=field, params=[0.5], x=[[1.0], [0.2]], gradient=gradient)
        """,
    ),
    "normalizing_flow": Example(
        "a layer of a normalizing flow: its log_det, its inverse",
        """
        import numpy as np

        def coupling(x):  # z and log |det ∂z/∂x|, one a row
            s, t = np.tanh(x[:, :2]), x[:, :2] ** 2
            return np.hstack([x[:, :2], x[:, 2:] * np.exp(s) + t]), s.sum(axis=1)

        def inverse(z):
            s, t = np.tanh(z[:, :2]), z[:, :2] ** 2
            return np.hstack([z[:, :2], (z[:, 2:] - t) * np.exp(-s)])

        mine = dict(flow=coupling, inverse=inverse, shape=4)
        """,
    ),
    "trace_estimator": Example(
        "a Hutchinson estimator of a divergence against the exact trace",
        """
        def mine(f, z, nu):  # νᵀ J ν, one number a row; J ν by the complex step
            return (nu * f(z + 1e-30j * nu).imag / 1e-30).sum(axis=1)
        """,
    ),
    "backward": Example(
        "a backward pass, or a PyTorch or JAX model, against the sum over all paths",
        """
        def mine(graph, partials, v_out, one):
            grads = [0 * one for _ in range(graph.size)]
            grads[v_out] = one
            for v in reversed(graph.order):
                for u, slot in graph.predecessors[v]:
                    grads[u] = grads[u] + grads[v] @ partials[slot]
            return grads
        """,
    ),
    "fokker_planck": Example(
        "a density in time against the Fokker–Planck equation of drift and diffusion",
        """
        import numpy as np

        def drift(x, t):
            return -x

        def diffusion(t):
            return np.sqrt(2)

        def log_density(x, t):  # of dX = -X dt + √2 dW from N(0, 2)
            v = 1 + np.exp(-2 * t)
            return -0.5 * (x**2).sum(axis=1) / v - 0.5 * np.log(2 * np.pi * v)

        mine = dict(drift=drift, diffusion=diffusion, log_density=log_density)
        """,
    ),
}
NAMES = tuple(EXAMPLES)


def listed() -> str:
    """All checks, with a command each.

    >>> print(listed().splitlines()[0])
    scoreproof check WHAT module:object judges an object of yours. WHAT is one of
    """
    lines = ["scoreproof check WHAT module:object judges an object of yours. WHAT is one of", ""]
    for name, example in EXAMPLES.items():
        lines += [f"  {name}", f"      {example.judges}", f"      {_short(example)}"]
    lines += [
        "",
        "  scoreproof check WHAT                          what it takes, and an example to copy",
        "  scoreproof check WHAT module:object            the verdict (exit status 0: it holds)",
        "  scoreproof check WHAT module:object --wrap     a wrapper for a class of yours",
        "  scoreproof check WHAT module:object --html F   the verdict as a page to send",
    ]
    return "\n".join(lines)


def manual(name: str) -> str:
    """The check's signature and docstring, and its example with the command that runs it."""
    import scoreproof

    function = getattr(scoreproof, f"check_{name}")
    module = textwrap.indent(textwrap.dedent(EXAMPLES[name].module).strip("\n"), "    ")
    return (
        f"check_{name}{inspect.signature(function)}\n\n{inspect.getdoc(function)}\n\n"
        f"Example: with this in example.py\n\n{module}\n\n"
        f"    scoreproof check {name} example:mine"
    )


def in_one_line(code: str) -> str:
    """A call that is written over several lines.

    >>> in_one_line("dict(\\n    a=1,\\n)")
    'dict(a=1)'
    """
    return " ".join(code.split()).replace("( ", "(").replace(", )", ")").replace(" )", ")")


def _short(example: Example) -> str:
    """Its object in one line, as far as that says something."""
    text = in_one_line(textwrap.dedent(example.module).split("mine", 1)[1])
    if text.startswith("="):
        return f"mine {text}"
    return f"def mine{text.split(':')[0]}: …"
