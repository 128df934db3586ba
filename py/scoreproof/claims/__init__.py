"""The claims, by name. One claim is one package here, one Lean file, one test file and one report
section.
"""

from __future__ import annotations

import importlib

from scoreproof.core import Claim
from scoreproof.errors import ArgumentError

__all__ = ["NAMES", "load"]

NAMES = (
    "tweedie",
    "gaussian_kl",
    "ffjord",
    "backprop",
    "fokker_planck",
    "variance_exploding",
    "reverse_family",
)


def load(name: str) -> Claim:
    """The claim called ``name``; its modules are imported only now. Raises ``ArgumentError`` for an
    unknown name.
    """
    if name not in NAMES:
        raise ArgumentError("claim", f"one of {', '.join(NAMES)}", name, "see `scoreproof list`")
    claim: Claim = importlib.import_module(f"scoreproof.claims.{name}").CLAIM
    return claim
