"""Where log_det is off by one number at every point: which number it is.

Conventions: the number is what is returned minus what is due, in nats.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.interop.callables import as_numpy
from scoreproof.public.normalizing_flow.frameworks import module_of
from scoreproof.public.normalizing_flow.look import Look
from scoreproof.public.normalizing_flow.scales import squeezed
from scoreproof.words import enumerated

__all__ = ["left_out", "of_constant", "of_other_parameters"]

#: how near a number has to be to one of many
NEAR = 1e-6


def left_out(x: np.ndarray, back: np.ndarray, limit: np.ndarray) -> Diagnosis | None:
    """Coordinates that come back as one number at all points, where the others are right."""
    wrong = np.any(np.abs(back - x) > limit, axis=0)
    fixed = np.ptp(back, axis=0) <= NEAR * (1 + np.max(np.abs(back), axis=0))
    fixed &= np.ptp(x, axis=0) > np.max(limit, axis=0)
    if len(x) < 3 or not np.any(wrong) or np.any(wrong & ~fixed) or np.all(wrong):
        return None
    few = [int(i) for i in np.flatnonzero(wrong)]
    shown = enumerated(few[:6]) + (" and more" if len(few) > 6 else "")
    return Diagnosis.cause(
        "left_out",
        f"Cause: coordinate {shown} comes back as {back[0, few[0]]:.4g} at all points: the inverse"
        " leaves it as it starts. Its loop has to run over every coordinate.",
    )


def offset(look: Look, ok: Any = slice(None)) -> float | None:
    """What log_det is off by, where that is the same at every point."""
    assert look.answer.log_det is not None
    off, bound = (look.answer.log_det - look.det.log_det)[ok], look.bound[ok]
    c = float(np.median(off))
    if np.any(np.abs(off - c) > 2 * bound) or abs(c) <= 4 * float(np.max(bound)):
        return None
    return c


def of_other_parameters(before: Look, after: Look) -> Diagnosis | None:
    """An offset that is another one where parameters are moved: no number that can be added."""
    one, two = offset(before), offset(after)
    if one is None or two is None or abs(one - two) <= 1e-3 * max(abs(one), abs(two)):
        return None
    return Diagnosis.cause(
        "parameters_alone",
        f"Cause: log_det is off by {one:.6g} at every point, and by {two:.6g} with other"
        " parameters: a term that is made of parameters alone is wrong, as h·w·Σ log|s| of an"
        " ActNorm or log|det W| of a linear layer or 1×1 convolution (a mean for a sum, pixels that"
        " are not counted, a logarithm or softplus that is missing).",
    )


def of_constant(look: Look, ok: np.ndarray) -> Diagnosis | None:
    """A name for the number, the number itself, or ``None`` where there is none."""
    c, bound = offset(look, ok), look.bound[ok]
    if c is None:
        return None
    near = max(4 * float(np.max(bound)), NEAR * abs(c))
    if near > 1e-3 * abs(c):
        return None
    for number, name, text in (*_known(look), *_not_logged(look), *_tensors(look)):
        if math.isfinite(number) and abs(c - number) <= near:
            return Diagnosis.cause(name, f"Cause: {text}.")
    d = look.x.shape[1]
    text = (
        f"Cause: log_det is off by {c:.6g} at every point ({c / d:.6g} a coordinate): a constant"
        f" factor of the scale, exp({-c / d:.4g}) = {math.exp(min(-c / d, 700)):.4g} for each"
        " coordinate, is missing from it"
    )
    return Diagnosis.cause("constant", f"{text}: add {-c:.6g}.")


def _known(look: Look) -> Iterator[tuple[float, str, str]]:
    d = look.x.shape[1]
    alpha = squeezed(look)
    if alpha is not None:
        log = math.log(1 - 2 * alpha)
        yield (
            -d * log,
            "squeeze",
            f"the logit is taken of α + (1 - 2α) x, and log(1 - 2α) for each coordinate is missing"
            f" (α = {alpha:.4g}): add {d} log(1 - 2α)",
        )
        yield (
            -2 * d * log,
            "squeeze_sign",
            "log(1 - 2α) of the logit's α + (1 - 2α) x has the wrong sign: it is added",
        )
        yield (
            d * (math.log(1 - alpha) - log),
            "squeeze_half",
            "log(1 - α) in place of log(1 - 2α), of the logit's α + (1 - 2α) x",
        )
    two = "of 2: an affine map to (-1, 1) has log_det log 2 for each coordinate"
    for k in (255, 256, 2, 32, 128):
        what = two if k == 2 else f"of {k} levels: x/{k} has log_det -log {k} for each coordinate"
        for sign in (1, -1):
            yield (
                sign * d * math.log(k),
                f"log_{k}",
                f"log_det is off by {'+' if sign > 0 else '-'}{d} log {k}: the scale {what}",
            )
    yield (
        -0.5 * d * math.log(2 * math.pi),
        "log_2pi",
        "log_det has -d/2 log 2π of a normal density in it: that belongs to the base law",
    )


def _not_logged(look: Look) -> Iterator[tuple[float, str, str]]:
    """The determinant of a matrix where its logarithm is due."""
    module = module_of(look.flow.object)
    pixels = int(np.prod((look.flow.job.shape or (1,))[1:]))
    for name, tensor in () if module is None else module.named_parameters():
        rows = tensor.shape[0] if tensor.dim() else 0
        if tensor.dim() < 2 or rows < 2 or tensor.numel() != rows**2 or rows > 512:
            continue
        matrix = as_numpy(tensor).astype(float).reshape(rows, rows)
        sign, log = np.linalg.slogdet(matrix)
        for factor, told in ((1.0, "det"), (sign, "|det|")):
            yield (
                pixels * float(factor * sign * np.exp(log) - log),
                "not_logged_determinant",
                f"{told} of {name} itself stands in log_det, where log |det {name}| is due: take"
                " torch.linalg.slogdet(W)[1]",
            )


def _tensors(look: Look) -> Iterator[tuple[float, str, str]]:
    """Sums of parameters and buffers, in the ways that they enter a log_det."""
    module = module_of(look.flow.object)
    if module is None:
        return
    shape = look.flow.job.shape or (1,)
    pixels = int(np.prod(shape[1:]))
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if not tensor.is_floating_point() or tensor.numel() > 1 << 20:
            continue
        for number, told in _readings(as_numpy(tensor).astype(float)):
            if abs(number) < 1e-9:
                continue
            # of a variance it is ½ log that belongs there
            parts = (0.5, 1.0) if "var" in name.rpartition(".")[2] else (1.0, 0.5)
            yield from _factors(number, f"{told.format(name)}", pixels, parts)


def _readings(p: np.ndarray) -> Iterator[tuple[float, str]]:
    with np.errstate(all="ignore"):
        logs = np.log(np.abs(p))
        yield float(np.sum(p)), "Σ {}"
        yield float(np.sum(logs)), "Σ log |{}|"
        for eps in (1e-5, 1e-6, 1e-3):
            yield float(np.sum(np.log(np.abs(p) + eps))), f"Σ log({{}} + {eps:g})"
            gap = float(np.sum(np.log(np.abs(p) + eps) - logs))
            yield gap, f"the {eps:g} inside Σ log({{}} + {eps:g})"
        yield float(np.sum(np.log(np.logaddexp(0.0, p)))), "Σ log softplus({})"
    square = p.reshape(p.shape[0], -1) if p.ndim > 1 else np.empty((0, 1))
    if square.shape[0] == square.shape[1]:
        yield float(np.linalg.slogdet(square)[1]), "log |det {}|"


def _factors(
    number: float, told: str, pixels: int, parts: tuple[float, ...]
) -> Iterator[tuple[float, str, str]]:
    many = f"{pixels} · " if pixels > 1 else ""
    for part in parts:
        half = "" if part == 1 else "½ "
        value = part * number
        for sign, word in ((1, ""), (-1, "-")):
            yield (
                sign * pixels * value,
                "missing_term",
                f"{'-' if sign > 0 else ''}{many}{half}{told} is missing from log_det, one of the"
                " layer's own terms: add it",
            )
            yield (
                2 * sign * pixels * value,
                "sign_of_term",
                f"{word}{many}{half}{told} stands in log_det with the wrong sign: turn it",
            )
            if pixels > 1:
                yield (
                    sign * (pixels - 1) * value,
                    "pixels_of_term",
                    f"{half}{told} counts once in log_det, where it counts at each of the"
                    f" {pixels} pixels: multiply it by H·W",
                )
