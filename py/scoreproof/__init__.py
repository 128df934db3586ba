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
    "check_denoiser": "scoreproof.claims.tweedie.public",
    "check_score": "scoreproof.claims.tweedie.public",
    "check_kl": "scoreproof.claims.gaussian_kl.public",
    "check_log_likelihood_gradient": "scoreproof.claims.ffjord.public",
    "check_trace_estimator": "scoreproof.claims.ffjord.public",
    "check_backward": "scoreproof.claims.backprop.public",
    "check_fokker_planck": "scoreproof.claims.fokker_planck.public",
    "check_marginals": "scoreproof.claims.variance_exploding.public",
    "check_reverse_sampler": "scoreproof.claims.reverse_family.public",
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
