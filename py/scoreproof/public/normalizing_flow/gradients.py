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
from scoreproof.public.normalizing_flow.totals import Total, totals_of, weights
from scoreproof.public.rule import compared
from scoreproof.words import enumerated

__all__ = ["of_gradients"]

#: tensors without a gradient that are looked at one by one, drawn evenly from all
MOST = 8
#: what a float32 network's differences may leave, or steps that an adaptive solver chooses, beside
#: a part that is missing
COARSE = 2e-3
#: the best of several ladders of differences is better by luck; and no missing part is so small
LUCK, SMALL = 64.0, 1e-6
#: of JAX: those along which differences see most
ROWS = 4


@dataclass(frozen=True, eq=False)
class _Slope:
    """Along one direction: ``told`` by autodiff, ``due`` by differences ± ``error``."""

    name: str
    told: float
    due: float
    error: float


def of_gradients(look: Look) -> list[Evidence]:
    """Of log_det, and of log_prob, which training goes by; empty for NumPy."""
    flow = look.flow
    if flow.job.framework == "numpy":
        return []
    found = (_of_sum(look, one) for one in totals_of(look))
    return [evidence for evidence in found if evidence is not None]


def _of_sum(look: Look, one: Total) -> Evidence | None:
    """``None`` where it is not differentiated."""
    flow = look.flow
    slopes = _of_torch(flow, one) if flow.job.framework == "torch" else _of_jax(flow, one)
    if not slopes:
        return None
    largest = max(max(abs(s.due), abs(s.told)) for s in slopes)
    floor = 1e3 * flow.eps * (1 + one.size)
    every = slopes
    slopes = [s for s in slopes if max(abs(s.due), abs(s.told)) > floor]
    fine = [
        s
        for s in slopes
        if LUCK * s.error <= COARSE * abs(s.due) or abs(s.told - s.due) > LUCK * s.error
    ]
    if not fine or not largest > floor:
        if any(s.told for s in every):  # of a constant there is nothing to see
            flow.unseen.append(one.name)
        return None
    error = np.array([abs(s.told - s.due) for s in fine])
    size = np.array([max(abs(s.due), abs(s.told)) for s in fine])
    bound = np.array([LUCK * s.error + 256 * flow.eps * abs(s.due) + floor * 1e-3 for s in fine])
    k = int(np.argmax(error / (bound + 1e-300)))
    text = (
        f"the gradient of {flow.job.name}'s {one.name} in {fine[k].name}, by {flow.job.framework}:"
        f" {fine[k].told:.6g} along a direction for {fine[k].due:.6g} by differences"
    )
    evidence = compared(
        error / size,
        bound / size,
        text,
        coverage=Coverage({"directions": len(fine)}, (), f"of {enumerated(_few(fine))}"),
        tolerance=flow.job.tolerance,
        excuse=COARSE if look.loose else SMALL,
        remedy="use float64",
    )
    if evidence.verdict != "refuted":
        return evidence
    wrong = [s for s, e, b in zip(fine, error, bound, strict=True) if e > b]
    gone = [s.name for s in wrong if s.told == 0]
    if wrong and len(gone) == len(wrong):
        cause = Diagnosis.cause(
            "detached",
            f"Cause: no gradient of {one.name} reaches {enumerated(_few(wrong))}: it is"
            " detached (by .detach(), .item(), .data, torch.no_grad(), stop_gradient or a new"
            " tensor), so that training does not see it. Compute it from the tensors themselves.",
        )
    else:
        cause = Diagnosis.unknown(
            f"Autodiff and differences of {one.name} differ in {enumerated(_few(wrong))}: a part of"
            f" {one.name} is detached, or a custom backward is another function's."
        )
    return replace(evidence, diagnosis=cause)


def _few(slopes: list[_Slope]) -> list[str]:
    names = list(dict.fromkeys(s.name for s in slopes))
    return names[:4] + ([f"{len(names) - 4} more"] if len(names) > 4 else [])


def _direction(shape: tuple[int, ...], k: int) -> np.ndarray:
    size = int(np.prod(shape))
    return np.sin(1.0 + k + 2.3 * np.arange(size)).reshape(shape) / np.sqrt(max(size, 1))


def _of_torch(flow: Flow, one: Total) -> list[_Slope]:
    """In x, in all parameters that a gradient reaches together, and in each that none reaches."""
    torch = require("torch")
    x = one.x
    module = module_of(flow.object)
    named = [] if module is None else [
        (n, p) for n, p in module.named_parameters() if p.requires_grad and p.is_floating_point()
    ]  # fmt: skip
    prepare = flow.guard(lambda v: v, "forward").prepare
    assert prepare is not None
    flow.calls["forward" if one.name == "log_det" else one.name] += 1
    with steady(flow.seed), flow.precise(), torch.enable_grad():
        point = prepare(flow.shaped(x)).requires_grad_(True)
        sums = _native_sum(one.native(point), len(x), x.shape[1], torch)
        if sums is None:
            return []
        if one.name == "log_prob" and not sums.requires_grad:
            flow.ungraded = True  # it is for evaluation
            return []
        wanted = [point, *(p for _, p in named)]
        grads = [None] * len(wanted)
        if sums.requires_grad:
            grads = torch.autograd.grad(sums, wanted, allow_unused=True)
    told = [
        np.zeros(tuple(w.shape)) if g is None else as_numpy(g).astype(float)
        for w, g in zip(wanted, grads, strict=True)
    ]
    v = _direction(x.shape, 0)
    found = [_slope(flow, "x", float(np.sum(told[0].reshape(x.shape) * v)), _along_x(one, v))]
    reached = [(name, p, g) for (name, p), g in zip(named, told[1:], strict=True) if np.any(g)]
    others = [(name, p, g) for (name, p), g in zip(named, told[1:], strict=True) if not np.any(g)]
    for part, name in ((reached, "its parameters"), (others, "its other parameters")):
        if part:
            found.append(_of_parts(flow, one, part, name))
    if others and abs(found[-1].due) > 1e-6:
        # which of them
        few = others[:: max(1, len(others) // MOST)]
        found[-1:] = [_of_parts(flow, one, [each], each[0]) for each in few]
    return found


def _slope(flow: Flow, name: str, told: float, along: Any) -> _Slope:
    due, error = sixth_order(along, flow.eps)
    return _Slope(name, told, float(due), float(error))


def _of_parts(flow: Flow, one: Total, part: list[Any], name: str) -> _Slope:
    """Along one direction in several parameters."""
    torch = require("torch")
    ways = [_direction(tuple(p.shape), k + 1) for k, (_, p, _) in enumerate(part)]
    told = sum(float(np.sum(g * v)) for (_, _, g), v in zip(part, ways, strict=True))
    starts = [p.detach().clone() for _, p, _ in part]
    steps = [torch.tensor(v, dtype=p.dtype) for (_, p, _), v in zip(part, ways, strict=True)]

    def at(s: float) -> float:
        try:
            with torch.no_grad():
                for (_, p, _), start, step in zip(part, starts, steps, strict=True):
                    p.copy_(start + s * step)
            return one.total(one.x)
        finally:
            with torch.no_grad():
                for (_, p, _), start in zip(part, starts, strict=True):
                    p.copy_(start)

    return _slope(flow, name, told, at)


def _native_sum(det: Any, n: int, d: int, torch: Any) -> Any:
    if not torch.is_tensor(det):  # a number, which no gradient goes through
        return torch.zeros(())
    w = torch.tensor(weights(n), dtype=det.dtype)
    if det.numel() == 1:
        return w.sum() * det.sum()
    return (w * det.reshape(n, -1).sum(-1)).sum() if det.shape[0] == n else None


def _along_x(one: Total, v: np.ndarray) -> Any:
    return lambda s: one.total(one.x + s * v)


def _of_jax(flow: Flow, one: Total) -> list[_Slope]:
    jax = require("jax")
    x, n = one.x, len(one.x)
    prepare = flow.guard(lambda v: v, "forward").prepare
    assert prepare is not None

    def total(point: Any) -> Any:
        det = jax.numpy.asarray(one.native(point))
        return det if det.ndim == 0 else det.reshape(n, -1).sum()

    flow.calls["forward"] += 1
    try:
        grad = as_numpy(jax.grad(total)(prepare(flow.shaped(x)))).reshape(x.shape)
    except Exception:  # what it cannot differentiate is no gradient to judge
        return []
    v = _direction(x.shape, 0)
    told = (grad * v).sum(axis=1)
    if one.rows is None:
        return [_slope(flow, "x", float(told.sum()), _along_x(one, v))]
    # in single precision a sum over rows that cancel is below what differences see
    due, error = sixth_order(lambda s: one.rows(x + s * v), flow.eps)
    best = np.argsort(error / np.maximum(np.abs(due), 1e-300))[:ROWS]
    return [_Slope("x", float(told[k]), float(due[k]), float(error[k])) for k in best]
