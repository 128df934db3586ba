"""The parameters as the user has them, and one flat vector that stands for them.

Conventions: ``flat`` ``(P,)`` in double precision. ``under(p, call)`` is what ``call(params)``
returns with the parameters put to p, which may be traced; ``asked(call)`` with them as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy, to_float
from scoreproof.interop.frameworks import require
from scoreproof.public.log_likelihood_gradient.chosen import chosen, type_of
from scoreproof.public.log_likelihood_gradient.leaves import Leaves
from scoreproof.public.log_likelihood_gradient.trees import (
    framework_of,
    is_array,
    is_tree,
    rebuilt,
    walked,
)

__all__ = ["Held", "Returned", "Tree", "Vector", "asked_alive", "named_tensors"]


@dataclass(frozen=True, eq=False)
class Returned:
    """What a call returned, the gradients that it left in ``.grad``, and a leaf that it changed."""

    answer: Any
    left: Mapping[str, Any] | None = None
    changed: str | None = None


class Held:
    """What all of them have."""

    leaves: Leaves
    flat: np.ndarray
    framework: str
    dtype: Any = None
    params: Any = None
    #: leaves for which the gradient was None
    detached: set[str]
    #: frozen parameters by name, with how many entries each has
    frozen: Mapping[str, int] = MappingProxyType({})

    def under(self, p: Any, call: Callable[[Any], Any]) -> Any:
        raise NotImplementedError

    def asked(self, call: Callable[[Any], Any], p: Any) -> Returned:
        """``p``: the flat vector as the framework has it, for those who take that."""
        raise NotImplementedError

    def named(self, answer: Any) -> dict[str, Any] | None:
        """A gradient's leaves by name; ``None`` where it is no tree."""
        raise NotImplementedError


class Vector(Held):
    """A flat vector, as it is."""

    def __init__(self, params: Any, framework: str) -> None:
        self.flat = to_float("params", params, shape=(None,))
        if self.flat.size == 0:
            raise ArgumentError(
                "params", "non-empty", "size 0", "pass at least one parameter and one row"
            )
        self.leaves, self.framework = Leaves.vector(self.flat.size), framework
        self.params, self.detached = None, set()

    def under(self, p: Any, call: Callable[[Any], Any]) -> Any:
        return call(p)

    def asked(self, call: Callable[[Any], Any], p: Any) -> Returned:
        return Returned(call(p))

    def named(self, answer: Any) -> dict[str, Any] | None:
        return None


class Tree(Held):
    """A tree of arrays."""

    def __init__(self, params: Any, framework: str) -> None:
        found = framework_of(params)
        self.framework = framework if framework != "numpy" else found
        if found == "numpy" != self.framework:
            params = rebuilt(params, "numpy", lambda _, leaf: _made(leaf, self.framework))
        self.params, self.detached = params, set()
        leaves = chosen(params, self.framework)
        arrays = {name: as_numpy(leaf) for name, leaf in leaves.items()}
        self.leaves = Leaves((name, a.shape) for name, a in arrays.items())
        self.flat = np.concatenate([np.asarray(a, float).ravel() for a in arrays.values()])
        self.dtype = _fed(type_of(leaves), self.framework)
        #: tensors that require a gradient are handed over as they are
        self.live = {n: v for n, v in leaves.items() if getattr(v, "requires_grad", False)}

    def under(self, p: Any, call: Callable[[Any], Any]) -> Any:
        return call(self._of(p))

    def _of(self, p: Any) -> Any:
        """The tree with the entries of p."""

        def replace(name: str, leaf: Any) -> Any:
            at = self.leaves.by_name.get(name)
            if at is None:
                return leaf
            return p[at.place].reshape(at.shape) if at.shape else p[at.start]

        return rebuilt(self.params, self.framework, replace)

    def asked(self, call: Callable[[Any], Any], p: Any) -> Returned:
        if self.framework == "jax":
            return Returned(call(self.params))
        if self.live:
            return asked_alive(self.live, lambda: call(self.params))
        return self._on_a_copy(call)

    def _on_a_copy(self, call: Callable[[Any], Any]) -> Returned:
        def copied(name: str, leaf: Any) -> Any:
            if not is_array(leaf) or not hasattr(leaf, "copy" if self._numpy else "clone"):
                return leaf
            return leaf.copy() if self._numpy else leaf.detach().clone()

        mine = rebuilt(self.params, self.framework, copied)
        found = call(mine)
        for (name, before), (_, after) in zip(
            walked(self.params, self.framework), walked(mine, self.framework), strict=True
        ):
            if is_array(before) and not np.array_equal(
                as_numpy(before), as_numpy(after), equal_nan=name in self.leaves.by_name
            ):
                return Returned(found, None, name)
        return Returned(found)

    @property
    def _numpy(self) -> bool:
        return self.framework == "numpy"

    def named(self, answer: Any) -> dict[str, Any] | None:
        return dict(walked(answer, self.framework)) if is_tree(answer) else None


def _made(leaf: Any, framework: str) -> Any:
    """NumPy's arrays as those of the framework that was asked for."""
    if not isinstance(leaf, np.ndarray):
        return leaf
    if framework == "torch":
        return require("torch").tensor(leaf)
    return require("jax").numpy.asarray(leaf)


def _fed(kind: str | None, framework: str) -> Any:
    """The floating type that its callables are fed with; ``None`` for double precision."""
    if framework == "numpy":
        return kind if kind in ("float16", "float32") else None
    return None if kind == "float64" and framework == "torch" else kind


def asked_alive(live: Mapping[str, Any], call: Callable[[], Any]) -> Returned:
    """A call on PyTorch's own leaves: what it returns, and what it left in ``.grad``; both the
    parameters and their ``.grad`` are afterwards what they were.
    """
    before = {name: (v.grad, v.detach().clone()) for name, v in live.items()}
    for v in live.values():
        v.grad = None
    try:
        found = call()
        left = {name: v.grad for name, v in live.items()}
    finally:
        moved = [n for n, v in live.items() if not bool((v.detach() == before[n][1]).all())]
        for name, v in live.items():
            v.grad = before[name][0]
            if name in moved:
                v.data.copy_(before[name][1])
    return Returned(
        found,
        left if any(g is not None for g in left.values()) else None,
        moved[0] if moved else None,
    )


def named_tensors(params: Any) -> Any:
    """Generators of parameters, and of pairs of a name and a parameter, as a list or a dict."""
    if not hasattr(params, "__next__"):
        return params
    listed = list(params)
    pairs = listed and all(
        isinstance(v, tuple) and len(v) == 2 and isinstance(v[0], str) for v in listed
    )
    return dict(listed) if pairs else listed
