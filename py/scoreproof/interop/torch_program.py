"""The nodes of a PyTorch graph, run one by one: values, and the products that torch's backward uses
(``torch.autograd.grad`` through the one node, custom ``autograd.Function`` included).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.frameworks import require
from scoreproof.interop.leaves import Leaves
from scoreproof.interop.torch_buffers import Buffer, changed, put_back, rewound, snapshot
from scoreproof.interop.traced import Node, Program, Pull

__all__ = ["TorchProgram", "floats", "guard", "in_type", "leaves_of"]


def floats(value: Any) -> list[Any]:
    """The floating and complex tensors in a nest."""
    torch = require("torch")
    if type(value) is torch.Tensor:  # the usual case, and a quick one
        return [value] if value.is_floating_point() or value.is_complex() else []
    flat, _ = torch.utils._pytree.tree_flatten(value)
    return [
        x for x in flat if isinstance(x, torch.Tensor) and (x.is_floating_point() or x.is_complex())
    ]


def _with_floats(value: Any, replacements: Sequence[Any]) -> Any:
    torch = require("torch")
    if type(value) is torch.Tensor:
        return replacements[0] if len(replacements) else value
    flat, spec = torch.utils._pytree.tree_flatten(value)
    source = iter(replacements)
    flat = [
        next(source)
        if isinstance(x, torch.Tensor) and (x.is_floating_point() or x.is_complex())
        else x
        for x in flat
    ]
    return torch.utils._pytree.tree_unflatten(flat, spec)


def leaves_of(tensors: Sequence[Any]) -> Leaves:
    """Tensors as float64 arrays; complex ones with the two parts in a last axis."""
    arrays = []
    for t in tensors:
        array = as_numpy(t)
        if array.dtype.kind == "c":
            array = np.stack([array.real, array.imag], axis=-1)
        arrays.append(np.array(array, dtype=float))
    return Leaves(arrays)


def _tensor(array: np.ndarray, like: Any) -> Any:
    torch = require("torch")
    if like.is_complex():
        array = array[..., 0] + 1j * array[..., 1]
    return torch.tensor(array, dtype=like.dtype)


def in_type(value: Any, dtype: Any) -> Any:
    """A nest with its floating tensors, and its names of floating types, in one precision; as it is
    where ``dtype`` is None.
    """
    torch = require("torch")
    if dtype is None:
        return value

    def cast(x: Any) -> Any:
        if isinstance(x, torch.dtype) and (x.is_floating_point or x.is_complex):
            return dtype.to_complex() if x.is_complex else dtype
        if isinstance(x, torch.Tensor) and x.is_floating_point():
            return x.detach().to(dtype)
        if isinstance(x, torch.Tensor) and x.is_complex():
            return x.detach().to(dtype.to_complex())
        return x

    return torch.utils._pytree.tree_map(cast, value)


def guard(label: str, run: Callable[[], Any]) -> Any:
    """``run()``, with what it raises said in the words of `check_backward`."""
    try:
        return run()
    except Exception as error:
        if "in-place" in str(error):
            raise ArgumentError(
                "backward",
                "free of in-place operations",
                label,
                "use the out-of-place form (inplace=False)",
            ) from error
        raise CallableError(
            label,
            "return normally",
            f"it raised {type(error).__name__}: {error}",
            "run the function once by hand",
        ) from error


@dataclass
class TorchProgram(Program):
    """``thing`` is the user's function or a copy of the module; ``given`` its inputs."""

    thing: Any = None
    given: tuple[Any, ...] = ()
    leaf_parameters: tuple[Any, ...] = ()
    own_value: Leaves | None = None
    default: Any = field(default=None)

    def read(self, native: Any) -> Leaves:
        return leaves_of(floats(native))

    def write(self, native: Any, leaves: Leaves) -> Any:
        old = floats(native)
        return _with_floats(
            native, [_tensor(a, t) for a, t in zip(leaves.arrays, old, strict=True)]
        )

    def untaped(self, node: Node, arguments: Sequence[Any]) -> Any:
        run = node.run
        assert run is not None
        with require("torch").no_grad(), _default(self.default):
            return guard(node.label, lambda: run(arguments))

    def taped(self, node: Node, arguments: Sequence[Any]) -> tuple[Any, Pull]:
        torch = require("torch")
        arguments = list(arguments)
        wanted: list[list[Any]] = []
        for k in node.slots:
            fresh = [t.detach().clone().requires_grad_() for t in floats(arguments[k])]
            arguments[k] = _with_floats(arguments[k], fresh)
            wanted.append(fresh)
        run = node.run
        assert run is not None
        with torch.enable_grad(), _default(self.default):
            result = guard(node.label, lambda: run(arguments))
        outputs = floats(result)
        live = [o for o in outputs if o.requires_grad]
        flat = [t for tensors in wanted for t in tensors]

        def pull(g: Leaves) -> list[Leaves]:
            if not live:
                return [leaves_of(tensors).zeros() for tensors in wanted]
            seeds = [
                _tensor(a, o) for a, o in zip(g.arrays, outputs, strict=True) if o.requires_grad
            ]
            kept = [s.clone() for s in seeds] if node.custom else []
            found = guard(
                f"the backward of {node.label}",
                lambda: torch.autograd.grad(
                    live, flat, seeds, retain_graph=True, allow_unused=True
                ),
            )
            if node.custom and any(
                not np.array_equal(leaves_of([s]).flat(), leaves_of([k]).flat(), equal_nan=True)
                for s, k in zip(seeds, kept, strict=True)
            ):
                self.overwrites.add(node.name)
            source = iter(found)
            return [
                leaves_of([torch.zeros_like(t) if (x := next(source)) is None else x for t in ts])
                for ts in wanted
            ]

        if type(result) is torch.Tensor:
            return result.detach(), pull
        detached = torch.utils._pytree.tree_map(
            lambda x: x.detach() if isinstance(x, torch.Tensor) else x, result
        )
        return detached, pull

    def own(
        self, seed: Leaves, sources: Sequence[Leaves] | None = None
    ) -> tuple[Leaves, list[Leaves]]:
        return self._asked(seed, sources, False)

    def _asked(
        self, seed: Leaves, sources: Sequence[Leaves] | None, rewind: bool
    ) -> tuple[Leaves, list[Leaves]]:
        torch = require("torch")
        places = iter(sources or ())
        inputs, wanted = [], []
        for x in self.given:
            x = x.detach().clone()
            if x.is_floating_point() or x.is_complex():
                x = _tensor(next(places).arrays[0], x) if sources is not None else x
                wanted.append(x.requires_grad_())
            inputs.append(x)
        before = [p.detach().clone() for p in self.leaf_parameters]
        try:
            for p, value in zip(self.leaf_parameters, places, strict=False):
                with torch.no_grad():
                    p.copy_(_tensor(value.arrays[0], p))
            wanted += self.leaf_parameters
            with put_back(self.thing) as buffers:
                outputs, found = self._differentiated(
                    inputs, wanted, seed, buffers if rewind else ()
                )
        finally:
            for p, old in zip(self.leaf_parameters, before, strict=True):
                with torch.no_grad():
                    p.copy_(old)
        grads = [
            leaves_of([torch.zeros_like(w) if g is None else g])
            for g, w in zip(found, wanted, strict=True)
        ]
        return leaves_of(outputs), grads

    def _differentiated(
        self, inputs: list[Any], wanted: list[Any], seed: Leaves, buffers: Sequence[Buffer]
    ) -> tuple[list[Any], Sequence[Any]]:
        """The function's floating outputs, and their gradients; ``buffers`` are put back between
        the two.
        """
        torch = require("torch")
        with torch.enable_grad():
            result = guard("backward", lambda: self.thing(*inputs))
        rewound(buffers)
        after = snapshot(self.thing)
        outputs = floats(result)
        seeds = [_tensor(a, o) for a, o in zip(seed.arrays, outputs, strict=True)]
        live = [k for k, o in enumerate(outputs) if o.requires_grad]
        found: Sequence[Any] = [None] * len(wanted)
        if live:
            found = guard(
                "the backward of the whole function",
                lambda: torch.autograd.grad(
                    [outputs[k] for k in live],
                    wanted,
                    [seeds[k] for k in live],
                    allow_unused=True,
                ),
            )
        if not buffers:
            self.written_twice = tuple(changed(after))
        return outputs, found

    def buffers_put_back(self, seed: Leaves) -> list[Leaves] | None:
        return self._asked(seed, None, True)[1] if snapshot(self.thing) else None

    def buffers_held(self, seed: Leaves) -> tuple[tuple[str, ...], Leaves, list[Leaves]] | None:
        """Which buffers a call writes, and value and gradients with these held at what they become
        (in eval mode, where nothing is written); None if no buffer is written.
        """
        if not snapshot(self.thing):
            return None
        modes = [(m, m.training) for m in self.thing.modules()]
        with put_back(self.thing) as before:
            guard("backward", lambda: self.thing(*[x.detach().clone() for x in self.given]))
            names = tuple(changed(before))
            if not names:
                return None
            try:
                self.thing.eval()
                value, grads = self.own(seed)
            finally:
                for m, training in modes:
                    m.training = training
        return names, value, grads


def _default(dtype: Any) -> AbstractContextManager[None]:
    """Tensors made inside nodes (``torch.ones(3)``) are in double precision as well."""
    if dtype is None:
        return nullcontext()
    from scoreproof.interop.default_type import default_type

    return default_type(dtype)
