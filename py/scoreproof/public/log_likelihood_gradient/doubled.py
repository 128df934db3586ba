"""JAX in double precision for the reference, whatever the caller's own setting is.

Conventions: the reference is solved inside ``doubled``; the user's gradient and log p̂ are called
inside ``as_before``, with the setting that the caller had. In other frameworks both do nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from scoreproof.interop.frameworks import require

__all__ = ["as_before", "doubled"]


@contextmanager
def doubled(framework: str) -> Iterator[None]:
    with _set(framework, True):
        yield


def as_before(framework: str) -> Callable[[], Any]:
    """A context with the setting of now, to be entered later."""
    before = framework == "jax" and bool(require("jax").config.jax_enable_x64)
    return lambda: _set(framework, before)


@contextmanager
def _set(framework: str, wide: bool) -> Iterator[None]:
    if framework != "jax":
        yield
        return
    jax = require("jax")
    # its place before jax 0.8
    home = jax if hasattr(jax, "enable_x64") else require("jax.experimental")
    enable: Any = home.enable_x64
    with enable(wide):
        yield
