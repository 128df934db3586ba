"""Transforms and distributions of libraries, as forward, inverse, log_prob and base law.

Conventions: known by their methods, since the libraries need not be installed. A log-determinant
of each entry (``event_dim`` 0) is summed over a sample by whoever reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

__all__ = ["of_library"]


def of_library(flow: Any, context: Any) -> dict[str, Any] | None:
    """What `Form` is made of; ``None`` for what no library has."""
    for reader in (_lazy, _distribution, _torch, _zuko, _flowjax, _pairs, _bijector):
        found = reader(flow, context)
        if found is not None:
            return found
    return None


def _has(value: Any, *names: str) -> bool:
    return all(hasattr(type(value), n) or n in getattr(value, "__dict__", {}) for n in names)


def _lazy(flow: Any, context: Any) -> dict[str, Any] | None:
    """zuko's flows return a distribution when they are called."""
    if not str(type(flow).__module__).startswith("zuko.") or not callable(flow):
        return None
    if _has(flow, "call_and_ladj") or _has(flow, "log_prob"):
        return None
    made = flow() if context is None else flow(context)
    return of_library(made, None)


def _distribution(flow: Any, context: Any) -> dict[str, Any] | None:
    """A base law and what leads from it, or to it."""
    if not callable(getattr(flow, "log_prob", None)):
        return None
    if _has(flow, "transforms") and hasattr(flow, "base_dist"):  # torch, Pyro
        return _torch_distribution(flow)
    if hasattr(flow, "bijector") and hasattr(flow, "distribution"):  # TFP, distrax
        inner = of_library(flow.bijector, context) or {}
        return {**inner, "log_prob": flow.log_prob, "base": flow.distribution, "to_data": True}
    if hasattr(flow, "bijection") and hasattr(flow, "base_dist"):  # flowjax
        inner = of_library(flow.bijection, context) or {}
        return {**inner, "log_prob": flow.log_prob, "base": flow.base_dist, "to_data": True}
    if hasattr(flow, "transform") and hasattr(flow, "base") and _has(flow.transform, "inv"):
        inner = of_library(flow.transform, context) or {}  # zuko
        return {**inner, "log_prob": flow.log_prob, "base": flow.base}
    if hasattr(flow, "_transform") and hasattr(flow, "_distribution"):  # nflows
        return {
            "forward": _conditioned(flow._transform, context),
            "inverse": _conditioned(flow._transform.inverse, context),
            "log_prob": _conditioned(flow.log_prob, context),
            "base": flow._distribution,
        }
    if hasattr(flow, "q0") and _has(flow, "forward_and_log_det"):  # normflows
        return {
            "forward": flow.forward_and_log_det,
            "inverse": flow.inverse_and_log_det,
            "log_prob": flow.log_prob,
            "base": flow.q0,
            "to_data": True,
        }
    return None


def _conditioned(function: Callable[..., Any], context: Any) -> Callable[[Any], Any]:
    return function if context is None else lambda x: function(x, context)


def _torch_distribution(flow: Any) -> dict[str, Any]:
    parts = list(flow.transforms)

    def forward(x: Any) -> Any:
        total: Any = 0.0
        for part in parts:
            y = part(x)
            total = total + _per_row(part.log_abs_det_jacobian(x, y), x)
            x = y
        return x, total

    def inverse(z: Any) -> Any:
        for part in reversed(parts):
            z = part.inv(z)
        return z

    shape = tuple(flow.batch_shape) + tuple(flow.event_shape)
    return {
        "forward": forward,
        "inverse": inverse,
        "log_prob": flow.log_prob,
        "base": flow.base_dist,
        "to_data": True,
        "shape": shape or None,
    }


def _per_row(value: Any, x: Any) -> Any:
    return value.reshape(x.shape[0], -1).sum(-1) if value.ndim > 1 else value


def _torch(flow: Any, context: Any) -> dict[str, Any] | None:
    if not _has(flow, "log_abs_det_jacobian", "inv", "_call"):
        return None

    def forward(x: Any) -> Any:
        y = flow(x)
        return y, flow.log_abs_det_jacobian(x, y)

    def inverse(z: Any) -> Any:
        x = flow.inv(z)
        return x, flow.inv.log_abs_det_jacobian(z, x)

    backward = inverse if getattr(flow, "bijective", True) else None
    return {"forward": forward, "inverse": backward}


def _zuko(flow: Any, context: Any) -> dict[str, Any] | None:
    if not _has(flow, "call_and_ladj"):
        return None
    return {"forward": flow.call_and_ladj, "inverse": lambda z: flow.inv.call_and_ladj(z)}


def _flowjax(flow: Any, context: Any) -> dict[str, Any] | None:
    if not _has(flow, "transform_and_log_det"):
        return None

    def mapped(function: Callable[..., Any]) -> Callable[[Any], Any]:
        import jax  # the object is one of jax's

        if context is None:
            return cast("Callable[[Any], Any]", jax.vmap(lambda x: function(x)))
        return lambda x: jax.vmap(function)(x, context)

    return {
        "forward": mapped(flow.transform_and_log_det),
        "inverse": mapped(flow.inverse_and_log_det),
        "shape": tuple(flow.shape) or None,
    }


def _pairs(flow: Any, context: Any) -> dict[str, Any] | None:
    """distrax, and whatever has both pairs."""
    if not _has(flow, "forward_and_log_det"):
        return None
    inverse = getattr(flow, "inverse_and_log_det", None)
    return {
        "forward": _conditioned(flow.forward_and_log_det, context),
        "inverse": _conditioned(inverse, context) if inverse is not None else None,
    }


def _bijector(flow: Any, context: Any) -> dict[str, Any] | None:
    if not _has(flow, "forward_log_det_jacobian", "forward", "inverse"):
        return None

    def forward(x: Any) -> Any:
        return flow.forward(x), flow.forward_log_det_jacobian(x, event_ndims=x.ndim - 1)

    def inverse(z: Any) -> Any:
        return flow.inverse(z), flow.inverse_log_det_jacobian(z, event_ndims=z.ndim - 1)

    return {"forward": forward, "inverse": inverse}
