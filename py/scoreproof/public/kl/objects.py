"""Functions of distributions: an object is made of each mean and scale before they are called.

Conventions: a class or a function of a mean and a scale makes it; the classes that people use say
what they take.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import Guarded
from scoreproof.public.kl.given import Given

__all__ = ["methods_of", "taking"]

#: class -> the form of its laws, and what its scale is
CLASSES = {
    "Normal": ("diagonal", "std"),
    "Independent": ("diagonal", "std"),
    "MultivariateNormalDiag": ("diagonal", "std"),
    "MultivariateNormal": ("full", "covariance"),
    "MultivariateNormalFullCovariance": ("full", "covariance"),
    "MultivariateNormalTriL": ("full", "scale_tril"),
}
FRAMEWORKS = {"torch": "torch", "pyro": "torch", "jax": "jax", "numpyro": "jax", "distrax": "jax"}


def taking(kl: Any, given: Given, framework: str) -> tuple[Callable[..., Any], str, Given]:
    """The function of means and scales, its framework, and what its classes say of the laws."""
    if given.law is None or not callable(kl) or isinstance(kl, Guarded):
        return kl, framework, given
    laws = tuple(given.law) if isinstance(given.law, (tuple, list)) else (given.law, given.law)
    if len(laws) != 2 or not all(callable(law) for law in laws):
        raise ArgumentError(
            "law",
            "a class or function of a mean and a scale, or two of them",
            repr(given.law),
            "e.g. law=torch.distributions.Normal",
        )
    makers = [_maker(law) for law in laws]
    known = [CLASSES.get(getattr(law, "__name__", ""), (None, None)) for law in laws]
    for k, name in enumerate(("form", "parameterization")):
        if getattr(given, name) is None and all(of[k] is not None for of in known):
            both = tuple(of[k] for of in known)
            options: dict[str, Any] = {name: both}
            given = replace(given, **options)
    if framework == "numpy":
        homes = [str(getattr(law, "__module__", "")).split(".")[0] for law in laws]
        framework = next((FRAMEWORKS[h] for h in homes if h in FRAMEWORKS), framework)

    @functools.wraps(kl)
    def function(*arguments: Any) -> Any:
        pairs = zip(makers, arguments[::2], arguments[1::2], strict=False)
        return kl(*(make(mean, scale) for make, mean, scale in pairs))

    return function, framework, given


def methods_of(error: BaseException) -> str | None:
    """The library that has the method for want of which an array of NumPy did not do: PyTorch."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, AttributeError):
        cause = cause.__cause__
    if cause is None or cause.name is None or not isinstance(cause.obj, np.ndarray):
        return None
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    return "torch" if hasattr(torch.Tensor, cause.name) else None


def _maker(law: Any) -> Callable[[Any, Any], Any]:
    """Of an Independent, one over the Normal beside it."""
    if getattr(law, "__name__", "") != "Independent":
        return law
    home = law.__module__.rpartition(".")[0] or law.__module__
    normal = getattr(importlib.import_module(home), "Normal")  # noqa: B009
    return lambda mean, scale: law(normal(mean, scale), 1)
