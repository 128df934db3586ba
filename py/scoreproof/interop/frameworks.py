"""NumPy, PyTorch and JAX callables behind one guard: NumPy arrays go in and come out, whatever runs
in between.

Neither torch nor jax is imported until a check is asked for it. Torch callables run on the CPU
under their own grad mode; outputs are detached. The unit roundoff of what came back (float32,
bfloat16, …) is recorded in ``Guarded.eps``, so that bounds follow the model's precision.
"""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, MissingExtraError
from scoreproof.interop.callables import Guarded

__all__ = ["FRAMEWORKS", "guarded", "require"]

FRAMEWORKS = ("numpy", "torch", "jax")


def require(package: str) -> Any:
    """Import an optional framework, or raise ``MissingExtraError`` with the command that installs
    it.
    """
    loaded = sys.modules.get(package)  # asked for at every node: the import system takes longer
    if loaded is not None:
        return loaded
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingExtraError(package, package) from error


def _to_torch(dtype: Any) -> Callable[[np.ndarray], Any]:
    torch = require("torch")
    wanted = getattr(torch, dtype, None) if isinstance(dtype, str) else (dtype or torch.float64)
    if not isinstance(wanted, torch.dtype) or not wanted.is_floating_point:
        raise ArgumentError(
            "dtype", "a floating type of torch", repr(dtype), 'pass "float32" or torch.float32'
        )
    return lambda a: torch.tensor(a, dtype=wanted if a.dtype.kind == "f" else None)


def _to_jax(dtype: Any) -> Callable[[np.ndarray], Any]:
    jax = require("jax")

    def convert(a: np.ndarray) -> Any:
        if a.dtype.kind != "f":
            return jax.numpy.asarray(a)
        # without x64 jax would turn float64 into float32 behind the caller's back; dtype=None
        # follows jax's own setting
        return jax.numpy.asarray(
            a,
            dtype=dtype or (jax.numpy.float64 if jax.config.jax_enable_x64 else jax.numpy.float32),
        )

    return convert


def _check_dtype(dtype: Any) -> None:
    try:
        floating = (
            str(dtype) == "bfloat16"
            or np.dtype(dtype).kind == "f"
            or "float" in np.dtype(dtype).name
        )
    except TypeError:
        floating = False
    if not floating:
        raise ArgumentError(
            "dtype", "a floating type", repr(dtype), 'pass "float32" or numpy.float32'
        )


def _module_dtype(function: Any) -> Any:
    """The floating type of a torch module's parameters; of its buffers, or of the tensors that are
    plain attributes, where it has none (float32 without any); ``None`` for anything else.
    """
    torch = sys.modules.get("torch")  # a module cannot exist before torch was imported
    if torch is None or not isinstance(function, torch.nn.Module):
        return None
    plain = (v for m in function.modules() for v in vars(m).values() if torch.is_tensor(v))
    held = itertools.chain(function.parameters(), function.buffers(), plain)
    return next((p.dtype for p in held if p.is_floating_point()), torch.get_default_dtype())


def guarded(
    function: Callable[..., Any], name: str, framework: str = "numpy", dtype: Any = None
) -> Guarded:
    """``function`` behind the guard, fed with arrays of ``framework`` (``"numpy"``, ``"torch"`` or
    ``"jax"``).

    ``dtype`` is the floating type of what is passed in, as a name (``"float32"``) or the
    framework's own object; the default is float64 (for jax: float64 when ``jax_enable_x64`` is set,
    else float32). A ``torch.nn.Module`` is recognised, and fed with the type of its parameters (of
    its buffers, where it has none).

    Raises ``ArgumentError`` for an unknown framework and ``MissingExtraError`` when it is not
    installed.

    >>> guarded(lambda x: x + 1, "f")(np.zeros((1, 2))).tolist()
    [[1.0, 1.0]]
    """
    if isinstance(function, Guarded):
        return function
    module_dtype = _module_dtype(function)
    if module_dtype is not None:  # a torch.nn.Module says itself what it takes
        framework, dtype = ("torch" if framework == "numpy" else framework), dtype or module_dtype
    if framework in ("numpy", "jax") and dtype is not None:
        _check_dtype(dtype)
    if framework == "numpy":
        prepare = (
            None if dtype is None else (lambda a: a.astype(dtype) if a.dtype.kind == "f" else a)
        )
        guard = Guarded(function, name, prepare=prepare)
    elif framework == "torch":
        guard = Guarded(function, name, prepare=_to_torch(dtype))
    elif framework == "jax":
        guard = Guarded(function, name, prepare=_to_jax(dtype))
    else:
        raise ArgumentError(
            "framework",
            f"one of {', '.join(FRAMEWORKS)}",
            repr(framework),
            "name the library the callable is written in",
        )
    guard.framework = framework
    return guard
