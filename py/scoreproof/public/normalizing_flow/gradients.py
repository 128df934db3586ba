"""Do gradients flow through log_det, in x and in every parameter?

Conventions: autodiff along one direction in x, and along one in each parameter's tensor, against
differences of the flow's own log_det (of its z, where log_det is constant there).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.frameworks import require
from scoreproof.public.normalizing_flow.asking import Flow
from scoreproof.public.normalizing_flow.frameworks import module_of, steady
from scoreproof.public.normalizing_flow.jacobians import sixth_order
from scoreproof.public.normalizing_flow.look import Look
from scoreproof.public.rule import compared
from scoreproof.words import enumerated

__all__ = ["of_gradients"]

#: tensors of parameters that are looked at one by one, drawn evenly from all
MOST = 24
#: what a float32 network's differences may leave, beside a part that is missing
COARSE = 2e-3


@dataclass(frozen=True, eq=False)
class _Slope:
    """Along one direction: ``told`` by autodiff, ``due`` by differences ± ``error``."""

    name: str
    told: float
    due: float
    error: float


def of_gradients(look: Look) -> Evidence | None:
    """``None`` for NumPy, and where log_det is not differentiated."""
    flow = look.flow
    if flow.job.framework == "numpy" or look.answer.log_det is None:
        return None
    if flow.job.framework == "torch":
        slopes = _of_torch(look)
    else:
        slopes = _of_jax(look)
    if not slopes:
        return None
    largest = max(max(abs(s.due), abs(s.told)) for s in slopes)
    floor = 1e3 * flow.eps * (1 + float(np.max(np.abs(look.answer.log_det))))
    slopes = [s for s in slopes if max(abs(s.due), abs(s.told)) > floor]
    fine = [s for s in slopes if s.error <= COARSE * abs(s.due) or abs(s.told - s.due) > 8 * s.error]
    if not fine or not largest > floor:
        return None
    error = np.array([abs(s.told - s.due) for s in fine])
    size = np.array([max(abs(s.due), abs(s.told)) for s in fine])
    bound = np.array([s.error + 256 * flow.eps * abs(s.due) + floor * 1e-3 for s in fine])
    k = int(np.argmax(error / (bound + 1e-300)))
    text = (
        f"the gradient of {flow.job.name}'s log_det in {fine[k].name}, by {flow.job.framework}:"
        f" {fine[k].told:.6g} along a direction for {fine[k].due:.6g} by differences"
    )
    evidence = compared(
        error / size,
        bound / size,
        text,
        coverage=Coverage({"directions": len(fine)}, (), f"of {enumerated(_few(fine))}"),
        tolerance=flow.job.tolerance,
        remedy="use float64",
    )
    if evidence.verdict != "refuted":
        return evidence
    wrong = [s for s, e, b in zip(fine, error, bound, strict=True) if e > b]
    gone = [s.name for s in wrong if s.told == 0]
    if wrong and len(gone) == len(wrong):
        cause = Diagnosis.cause(
            "detached",
            f"Cause: no gradient of log_det reaches {enumerated(_few(wrong))}: it is detached (by"
            " .detach(), .item(), .data, torch.no_grad() or a new tensor), so that training does"
            " not see it. Compute it from the tensors themselves.",
        )
    else:
        cause = Diagnosis.unknown(
            f"Autodiff and differences of log_det differ in {enumerated(_few(wrong))}: a part of"
            " log_det is detached, or a custom backward is another function's."
        )
    return replace(evidence, diagnosis=cause)


def _few(slopes: list[_Slope]) -> list[str]:
    names = [s.name for s in slopes]
    return names[:4] + ([f"{len(names) - 4} more"] if len(names) > 4 else [])


def _direction(shape: tuple[int, ...], k: int) -> np.ndarray:
    size = int(np.prod(shape))
    return np.sin(1.0 + k + 2.3 * np.arange(size)).reshape(shape) / np.sqrt(max(size, 1))


def _weights(n: int) -> np.ndarray:
    """Rows unlike each other, so that they do not cancel."""
    return 1 + 0.5 * np.sin(np.arange(n))


def _total(flow: Flow, x: np.ndarray) -> float:
    answer = flow.forward(x)
    assert answer.log_det is not None
    return float(_weights(len(x)) @ answer.log_det)


def _of_torch(look: Look) -> list[_Slope]:
    torch = require("torch")
    flow, x = look.flow, look.x
    module = module_of(flow.object)
    named = [] if module is None else [
        (n, p) for n, p in module.named_parameters() if p.requires_grad and p.is_floating_point()
    ]  # fmt: skip
    if len(named) > MOST:
        named = [named[i] for i in np.linspace(0, len(named) - 1, MOST).astype(int)]
    prepare = flow.guard(lambda v: v, "forward").prepare
    assert prepare is not None
    flow.calls["forward"] += 1
    with steady(flow.seed), flow.precise(), torch.enable_grad():
        point = prepare(flow.shaped(x)).requires_grad_(True)
        det = flow.native(point)[1]
        sums = _native_sum(det, len(x), x.shape[1], torch)
        if sums is None:
            return []
        wanted = [point, *(p for _, p in named)]
        grads = [None] * len(wanted)
        if sums.requires_grad:
            grads = torch.autograd.grad(sums, wanted, allow_unused=True)
    names = ["x", *(n for n, _ in named)]
    found = []
    for k, (name, g) in enumerate(zip(names, grads, strict=True)):
        shape = x.shape if k == 0 else tuple(wanted[k].shape)
        v = _direction(shape, k)
        told = 0.0 if g is None else float(np.sum(as_numpy(g).reshape(shape) * v))
        along = _along_x(flow, x, v) if k == 0 else _along(flow, x, wanted[k], v, torch)
        due, error = sixth_order(along, flow.eps)
        found.append(_Slope(name, told, float(due), float(error)))
    return found


def _native_sum(det: Any, n: int, d: int, torch: Any) -> Any:
    if not torch.is_tensor(det):
        return None
    w = torch.tensor(_weights(n), dtype=det.dtype)
    if det.numel() == 1:
        return w.sum() * det.sum()
    return (w * det.reshape(n, -1).sum(-1)).sum() if det.shape[0] == n else None


def _along_x(flow: Flow, x: np.ndarray, v: np.ndarray) -> Any:
    return lambda s: _total(flow, x + s * v)


def _along(flow: Flow, x: np.ndarray, p: Any, v: np.ndarray, torch: Any) -> Any:
    start = p.detach().clone()
    way = torch.tensor(v, dtype=p.dtype)

    def at(s: float) -> float:
        with torch.no_grad():
            p.copy_(start + s * way)
        try:
            return _total(flow, x)
        finally:
            with torch.no_grad():
                p.copy_(start)

    return at


def _of_jax(look: Look) -> list[_Slope]:
    jax = require("jax")
    flow, x = look.flow, look.x
    n = len(x)
    prepare = flow.guard(lambda v: v, "forward").prepare
    assert prepare is not None

    def total(point: Any) -> Any:
        det = flow.native(point)[1]
        w = jax.numpy.asarray(_weights(n))
        det = jax.numpy.asarray(det)
        return (w * det).sum() if det.ndim == 0 else (w * det.reshape(n, -1).sum(-1)).sum()

    flow.calls["forward"] += 1
    try:
        grad = as_numpy(jax.grad(total)(prepare(flow.shaped(x)))).reshape(x.shape)
    except Exception:  # what it cannot differentiate is no gradient to judge
        return []
    v = _direction(x.shape, 0)
    due, error = sixth_order(_along_x(flow, x, v), flow.eps)
    return [_Slope("x", float(np.sum(grad * v)), float(due), float(error))]
