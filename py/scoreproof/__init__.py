"""scoreproof: the mathematics of score-based generative models, as checks you can run on your own
code.

>>> import scoreproof as sp
>>> from math import exp, sqrt
>>> evidence = sp.check_marginals(drift=lambda x, t: -x, diffusion=lambda t: sqrt(2.0),
...                               marginal=lambda x0, t: (x0 * exp(-t), sqrt(1 - exp(-2 * t))))
>>> bool(evidence)
True
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# Names are resolved on first use (PEP 562): `import scoreproof` must stay free of scipy, flint,
# hypothesis, matplotlib.
_HOME = {
    "Evidence": "scoreproof.evidence",
    "Statement": "scoreproof.core",
    "Check": "scoreproof.core",
    "Fault": "scoreproof.core",
    "Claim": "scoreproof.core",
    "Instance": "scoreproof.core",
    "ScoreproofError": "scoreproof.errors",
    "ArgumentError": "scoreproof.errors",
    "CallableError": "scoreproof.errors",
    "MissingExtraError": "scoreproof.errors",
    "GaussianMixture": "scoreproof.objects.mixtures",
    "Atoms": "scoreproof.objects.empirical",
    "check_denoiser": "scoreproof.public.denoiser.check",
    "check_score": "scoreproof.public.score.check",
    "check_kl": "scoreproof.public.kl.check",
    "check_log_likelihood_gradient": "scoreproof.public.log_likelihood_gradient.check",
    "check_trace_estimator": "scoreproof.public.trace_estimator.check",
    "check_backward": "scoreproof.public.backward.check",
    "check_fokker_planck": "scoreproof.public.fokker_planck.check",
    "check_schedule": "scoreproof.public.schedule.check",
    "check_marginals": "scoreproof.public.marginals.check",
    "check_sampler": "scoreproof.public.sampler.check",
    "check_inversion": "scoreproof.public.inversion.check",
    "check_reverse_sampler": "scoreproof.public.reverse_sampler.check",
    "check_preconditioning": "scoreproof.public.preconditioning.check",
    "check_corrector": "scoreproof.public.corrector.check",
    "check_variational_bound": "scoreproof.public.variational_bound.check",
    "check_log_likelihood": "scoreproof.public.log_likelihood.check",
    "check_loss": "scoreproof.public.loss.check",
    "check_path_kl": "scoreproof.public.path_kl.check",
    "check_normalizing_flow": "scoreproof.public.normalizing_flow.check",
    "verify": "scoreproof.verify",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'scoreproof' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
