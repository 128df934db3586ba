"""One operator of PyTorch, in double precision although the code asked for less.

Conventions: tensors of lower precision that go in are upcast, but for views of them, which share
their memory; what is new comes out in double precision. An operator that writes into a tensor of
lower precision computes in double precision and rounds there.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import torch

from scoreproof.interop.callables import rounded_before
from scoreproof.interop.draws import Log, asked_in

__all__ = ["LOW", "WIDE", "doubled", "precise"]

#: what is replaced by what
WIDE = {
    torch.float32: torch.float64,
    torch.float16: torch.float64,
    torch.bfloat16: torch.float64,
    torch.complex64: torch.complex128,
    torch.complex32: torch.complex128,
}
LOW = (torch.float32, torch.float16, torch.bfloat16)

#: how an entry of a table is read
_ATEN = torch.ops.aten
READS = {_ATEN.gather.default, _ATEN.index.Tensor, _ATEN.index_select.default, _ATEN.select.int}
READS |= {_ATEN.take.default, _ATEN.slice.Tensor, _ATEN.flip.default}

ROUNDS = "It writes into a tensor of lower precision, and rounds there."
MADE_BEFORE = "It works with numbers that were rounded to {} before, or by NumPy (first in {})."


class _Traits(NamedTuple):
    """``as_is``: a view, or an operator that changes what its argument is a view of; ``written``:
    the places of the arguments it writes into, and ``outs`` their names where they are keywords;
    ``shaped``: it reads shapes and types only.
    """

    as_is: bool
    written: tuple[int, ...]
    outs: tuple[str, ...]
    shaped: bool


def doubled(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], log: Log) -> Any:
    """``func(*args, **kwargs)``, wide."""
    traits = _traits(func)
    if func in READS:
        _read(args[0], log)
    if traits.as_is or (func is torch.ops.aten._to_copy.default and _in_backward()):
        return func(*args, **kwargs)  # a gradient has the type of what it belongs to
    seen = None if traits.shaped else log
    if traits.written or traits.outs:
        into = [args[i] for i in traits.written if i < len(args)]
        into += [kwargs[k] for k in traits.outs if k in kwargs]
        if any(map(_holds_low, into)):
            return _rounding(func, args, kwargs, log, traits)
    if any(map(_holds_low, args)):
        args = tuple(_wide(a, seen) for a in args)
    if kwargs:
        kwargs = {k: _wide(v, seen) for k, v in kwargs.items()}
    out = func(*args, **kwargs)
    return _wide(out, None) if _holds_low(out) else out


def precise(value: Any) -> Any:
    """A tensor of lower precision as one of double precision; anything else as it is."""
    return value.to(WIDE[value.dtype]) if _is_low(value) else value


def _rounding(
    func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], log: Log, traits: _Traits
) -> Any:
    """In double precision on copies of what is written into, which are then written back."""
    log.note(ROUNDS)
    pairs: list[tuple[Any, Any]] = []

    def copied(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return type(value)(copied(v) for v in value)
        if not _is_low(value):
            return value
        pairs.append((value, precise(value)))
        return pairs[-1][1]

    positional = tuple(
        copied(a) if i in traits.written else _wide(a, log) for i, a in enumerate(args)
    )
    named = {k: copied(v) if k in traits.outs else _wide(v, log) for k, v in kwargs.items()}
    out = func(*positional, **named)
    for target, value in pairs:
        if target.shape != value.shape:  # an empty out= takes the shape of the result
            target.resize_(value.shape)
        target.copy_(value)

    def original(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return type(value)(original(v) for v in value)
        return next((t for t, v in pairs if v is value), value)

    return original(out)


@lru_cache(maxsize=4096)
def _traits(func: Any) -> _Traits:
    arguments = func._schema.arguments
    written = [a for a in arguments if a.alias_info is not None and a.alias_info.is_write]
    as_is = func.is_view or torch.Tag.inplace_view in func.tags
    name = func._schema.name.partition("::")[2]
    return _Traits(
        bool(as_is) or name in ("copy_", "resize_", "set_", "resize_as_", "_local_scalar_dense"),
        tuple(i for i, a in enumerate(arguments) if a in written and not a.kwarg_only),
        tuple(a.name for a in written),
        name.startswith("new_") or name.endswith("_like"),
    )


def _in_backward() -> bool:
    return bool(torch._C._current_graph_task_id() != -1)


def _is_low(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.dtype in WIDE


def _holds_low(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return value.dtype in WIDE
    return isinstance(value, list | tuple) and any(map(_holds_low, value))


def _wide(value: Any, log: Log | None) -> Any:
    """The same with every tensor, and every type named, of lower precision replaced."""
    if isinstance(value, torch.Tensor):
        if value.dtype not in WIDE:
            return value
        wide = value.to(WIDE[value.dtype])
        if log is not None:
            _made_before(value, wide, log)
        return wide
    if isinstance(value, torch.dtype):
        return WIDE.get(value, value)
    if isinstance(value, list | tuple) and not isinstance(value, torch.Size):
        return type(value)(_wide(v, log) for v in value)
    return value


def _read(table: Any, log: Log) -> None:
    """A table of double precision that an entry is read of: it may have been rounded before."""
    eps = torch.finfo(torch.float32).eps
    if table.dtype != torch.float64 or table.dim() != 1 or eps <= log.eps:
        return
    key = (table.data_ptr(), table.shape[0])
    if key not in log.tables:
        log.tables.add(key)
        if rounded_before(table.detach().cpu().numpy()):
            log.eps = float(eps)
            log.note(MADE_BEFORE.format("float32", asked_in()))


def _made_before(value: Any, wide: Any, log: Log) -> None:
    """Only what was made outside is still of lower precision; whole numbers lost nothing."""
    eps = torch.finfo(value.dtype).eps
    if eps <= log.eps or not value.numel():
        return
    real = wide if wide.is_floating_point() else torch.view_as_real(wide)
    if not bool((real == real.round()).all()):
        log.eps = float(eps)
        kind = str(value.dtype).removeprefix("torch.")
        log.note(MADE_BEFORE.format(kind, asked_in()))
